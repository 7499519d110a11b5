"""`flask follow`, `flask fetch` and `flask ingest URL` over a site on this machine: what they say and publish."""

import json
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import newsroom
import pytest
from click.testing import Result
from flask import Flask
from sinks import Site, serving
from test_following import EVERY, HTML, START, Clock, entry, page, rss

from archive.follows import Follows
from archive.lock import exclusive
from archive.progress import Stopped
from archive.store import Store
from archive.visits import Visits
from web import create_app
from web.fetch_command import NAMED_PAGES, pause_before_next
from web.services import Services
from web.settings import Settings


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving(Site()) as site:
        site.answers |= {
            "/robots.txt": (404, {}, b""),
            "/feed": (200, {}, rss(entry("/a", title="Flood at Millbrook"), entry("/b", text="A comet."))),
            "/b": (200, HTML, page(title="A comet over the bay")),
            "/": (200, HTML, page(head='<link rel="alternate" type="application/rss+xml" href="/feed">')),
            "/bare": (200, HTML, page(title="A page alone")),
        }
        yield site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(tmp_path: Path, clock: Clock, site: Site) -> Iterator[Services]:
    site.asked.clear()
    settings = Settings(
        data=tmp_path / "data", fetch_allow="127.0.0.0/8", user_agent="HarbourNews/1.0 (desk@h.example)"
    )
    services = Services(settings, embedder=newsroom.MeaningEmbedder())
    services.made["store"] = Store(settings.data / "archive.sqlite3", clock=clock.time)
    services.made["follows"] = Follows(services.store, clock=clock.time)
    services.made["visits"] = Visits(services.fetcher, services.follows, clock=clock.seconds, sleep=clock.sleep)
    yield services
    services.close()


@pytest.fixture
def app(parts: Services) -> Flask:
    return create_app(services=parts)


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


def written(result: Result, status: int = 0) -> Any:  # noqa: ANN401 any JSON
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def found(app: Flask, words: str) -> list[str]:
    return [each["title"] for each in written(run(app, "search", words, "--json"))["results"]]


def test_what_is_followed_is_fetched_published_and_found(app: Flask, site: Site, clock: Clock) -> None:
    followed = run(app, "follow", site.url("/"))
    assert (followed.exit_code, followed.stdout) == (0, f"following {site.url('/feed')}\n")
    first = run(app, "fetch")
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines() == [
        f"new: The Ledger ({site.url('/feed')}), 2 added",
        "1 asked; published generation 1",
    ]
    assert found(app, "comet") == ["A comet over the bay"]
    assert {headers["User-Agent"] for _, _, headers, _ in site.asked} == {"HarbourNews/1.0 (desk@h.example)"}
    clock.sleep(EVERY)
    again = run(app, "fetch")
    assert again.stdout.splitlines() == [f"unchanged: The Ledger ({site.url('/feed')})", "1 asked; nothing to publish"]
    assert run(app, "fetch").stdout == "0 asked; nothing to publish\n"
    stats = written(run(app, "stats", "--json"))
    assert (stats["followed"], stats["followed_failing"], stats["articles"]) == (1, 0, 2)
    assert stats["last_ingest"]["added"] == 2


def test_a_round_tells_scripts_what_became_of_each(app: Flask, site: Site) -> None:
    (following,) = written(run(app, "follow", site.url("/feed"), "--every", "1h", "--json"))["following"]
    assert (following["title"], following["kind"], following["every"]) == ("The Ledger", "feed", 3600)
    done = written(run(app, "fetch", "--json"))
    (asked,) = done["asked"]
    assert (asked["outcome"], asked["added"], asked["left"], asked["problem"]) == ("new", 2, 0, None)
    assert (done["generation"], done["released"]) == (1, [])


def test_a_feed_that_fails_is_said_and_is_no_failure_of_the_round(app: Flask, parts: Services, site: Site) -> None:
    url = site.url("/gone-for-now")
    site.answers["/gone-for-now"] = (500, {}, b"")
    parts.follows.follow(url, every=None, default=60)
    result = run(app, "fetch")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"failed: {url}, 127.0.0.1 answered 500; asked again in ")
    assert "asked again in 2m" in result.stderr, "twice its interval, as docs/following.md says"
    assert "failing" in run(app, "follow").stdout
    assert written(run(app, "stats", "--json"))["followed_failing"] == 1


def test_following_is_paused_ended_listed_and_exported(
    app: Flask, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("archive.readers.feeds.opml.subscriptions")  # here: a process of its own reads such lists
    subscriptions = tmp_path / "feeds.opml"
    subscriptions.write_text(
        '<?xml version="1.0"?><opml version="2.0"><head/><body><outline text="One" type="rss"'
        f' xmlUrl="{site.url("/one")}"/><outline text="Two" type="rss" xmlUrl="{site.url("/two")}"/></body></opml>'
    )
    assert run(app, "follow", "--opml", subscriptions).stdout.splitlines() == [
        f"following {site.url('/one')}", f"following {site.url('/two')}"
    ]  # fmt: skip
    assert site.asked == []
    assert run(app, "follow", "--pause", site.url("/one")).stdout == f"paused {site.url('/one')}\n"
    states = {each["url"]: each["state"] for each in written(run(app, "follow", "--list", "--json"))["follows"]}
    assert states == {site.url("/one"): "paused", site.url("/two"): "active"}
    exported = tmp_path / "exported.opml"
    exported.write_text(run(app, "follow", "--export").stdout)
    assert run(app, "follow", "--remove", site.url("/one"), site.url("/two")).exit_code == 0
    assert run(app, "follow").stdout == ""
    assert written(run(app, "follow", "--opml", exported, "--json"))["problems"] == []
    (tmp_path / "page.opml").write_text("<html><p>no list")
    assert "page.opml: not a list of feeds" in run(app, "follow", "--opml", tmp_path / "page.opml").stderr
    (tmp_path / "broken.opml").write_text("<opml" + " " * 5_000_000)
    assert "broken.opml: a list of feeds larger than 5 MB" in (
        run(app, "follow", "--opml", tmp_path / "broken.opml").stderr
    )
    missing = run(app, "follow", "--remove", "http://nobody.example/")
    assert missing.exit_code == 1
    assert "not followed: http://nobody.example/" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["/bare"], 1, "names no feed"),
        (["/nothing"], 1, "answered 404"),
        (["/feed", "--every", "5s"], 2, "an interval"),
        (["/feed", "--list"], 2, "go alone"),
        (["--remove"], 2, "with the addresses"),
    ],
)
def test_what_cannot_be_followed_is_said(app: Flask, site: Site, arguments: list[str], status: int, said: str) -> None:
    site.answers["/nothing"] = (404, {}, b"")
    given = [site.url(each) if each.startswith("/") else each for each in arguments]
    result = run(app, "follow", *given)
    assert (result.exit_code, said in result.stderr) == (status, True), result.output
    assert "Traceback" not in result.output


def test_an_address_is_ingested_like_a_file(app: Flask, site: Site, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Title: A letter\n\nDear editor.")
    done = written(run(app, "ingest", site.url("/bare"), letter, site.url("/feed"), "--limit", "1", "--json"))
    assert (done["added"], done["rejected"]) == (4, [])
    assert found(app, "page alone")[0] == "A page alone"
    refused = run(app, "ingest", "http://10.0.0.1/")
    assert refused.exit_code == 1
    assert "rejected http://10.0.0.1/: 10.0.0.1 is not on the public internet" in refused.stderr


def test_what_was_embargoed_until_now_is_published_by_the_next_round(app: Flask, parts: Services, clock: Clock) -> None:
    until = START + timedelta(minutes=7)
    parts.store.put(newsroom.article(1, title="Budget speech", status="embargoed", embargoed_until=until))
    assert pause_before_next(parts, START + timedelta(hours=1)) == 7 * 60
    assert pause_before_next(parts, START + timedelta(minutes=1)) == 60
    run(app, "fetch")
    assert found(app, "budget") == []
    clock.sleep(7 * 60)
    assert pause_before_next(parts, START + timedelta(hours=1)) == 1
    done = run(app, "fetch")
    assert "1 shown that were embargoed until now" in done.stdout
    assert found(app, "budget") == ["Budget speech"]
    assert pause_before_next(parts, START + timedelta(hours=1)) == 53 * 60


def test_what_another_command_keeps_from_being_published_is_by_the_next_round(
    app: Flask, parts: Services, site: Site, clock: Clock
) -> None:
    run(app, "follow", site.url("/feed"))
    with exclusive(parts.settings.data / "archive.lock"):
        kept = run(app, "fetch")
    assert (kept.exit_code, parts.store.count_live()) == (0, 2)
    assert "what came in is published by the next round" in kept.stderr
    clock.sleep(EVERY)
    assert "published generation 1" in run(app, "fetch").stdout
    with exclusive(parts.settings.data / "fetch.lock"):
        busy = run(app, "fetch")
    assert busy.exit_code == 1
    assert "is changing this archive" in busy.stderr


def test_rounds_go_on_whatever_happens_to_one(app: Flask, parts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise Stopped(signal.SIGINT)

    monkeypatch.setattr("web.fetch_command.pause", pause)
    with exclusive(parts.settings.data / "fetch.lock"):
        result = run(app, "fetch", "--every", "5m")
    assert result.stderr.count("is changing this archive") == 2
    assert pauses == [300, 300]
    assert (result.exit_code, result.stderr.endswith("\nstopped\n")) == (130, True)


def test_pages_that_were_not_fetched_are_named_with_the_reason(app: Flask, parts: Services, site: Site) -> None:
    paths = [f"/missing/{number}" for number in range(NAMED_PAGES + 2)]
    site.answers |= dict.fromkeys(paths, (404, {}, b""))
    site.answers["/holes"] = (200, {}, rss(*(entry(path, text="It rose.", title=f"At {path}") for path in paths)))
    parts.follows.follow(site.url("/holes"), every=None, default=60)
    result = run(app, "fetch")
    named = [line for line in result.stderr.splitlines() if "not fetched" in line]
    why = "127.0.0.1 answered 404 (the feed's summary stands for it; tried again in the next rounds)"
    assert named[0] == f"  not fetched {site.url('/missing/0')}: {why}"
    assert (len(named), named[-1]) == (NAMED_PAGES + 1, "  and 2 more pages not fetched")
    assert f"active   The Ledger ({site.url('/holes')})" in run(app, "follow").stdout
    assert "22 pages not fetched, the last" in run(app, "follow").stdout


def test_a_round_tells_scripts_all_pages_that_were_not_fetched(app: Flask, site: Site) -> None:
    site.answers["/missing"] = (404, {}, b"")
    site.answers["/holes"] = (200, {}, rss(entry("/missing", text="It rose.")))
    run(app, "follow", site.url("/holes"))
    (asked,) = written(run(app, "fetch", "--json"))["asked"]
    missing = {"url": site.url("/missing"), "problem": "127.0.0.1 answered 404", "summary": True, "again": True}
    assert asked["pages"] == [missing]


def test_each_address_that_cannot_be_followed_is_named_on_a_line_of_its_own(app: Flask, site: Site) -> None:
    site.answers |= dict.fromkeys(("/none/1", "/none/2"), (404, {}, b""))
    result = run(app, "follow", site.url("/none/1"), site.url("/bare"), site.url("/none/2"))
    assert result.exit_code == 1
    first, second, third = result.stderr.splitlines()
    assert first == f"Error: {site.url('/none/1')}: 127.0.0.1 answered 404"
    assert second.startswith(f"{site.url('/bare')}: a page that names no feed")
    assert third == f"{site.url('/none/2')}: 127.0.0.1 answered 404"


def test_what_is_gone_is_not_paused_and_says_how_it_is_asked_again(app: Flask, parts: Services, site: Site) -> None:
    url = site.url("/closed")
    site.answers["/closed"] = (410, {}, b"")
    parts.follows.follow(url, every=None, default=60)
    run(app, "fetch")
    paused = run(app, "follow", "--pause", url)
    assert paused.exit_code == 1
    assert f"{url} is gone and is not asked: `flask follow {url}` asks it again" in paused.stderr
