"""Embargoes on a running site: nothing is told before their time, and everything at it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import newsroom
import pytest
from flask import Flask

from archive.alerts import Alerts
from archive.errors import ArchiveBusy
from archive.grouping import find_copies
from archive.releases import RETRY, Releases
from archive.store import Store
from index.alerts import Judge, fire
from index.search import SearchRequest
from index.stories.telling import tell_stories
from web import create_app
from web.services import Services
from web.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = replace(
    newsroom.article(40),
    title="Zebracorn secret flood",
    body=newsroom.article(3).body,  # a copy of what is shown, if it were shown
    source="Zebracorn Press",
    section="Zebracorn",
    authors=("Zoe Zebracorn",),
    status="embargoed",
    embargoed_until=NOON + timedelta(hours=1),
)
CORRECTION = replace(
    newsroom.article(3), title="Zebracorn correction", status="embargoed", embargoed_until=NOON + timedelta(hours=1)
)
WITHHELD = replace(newsroom.article(41), title="Zebracorn withheld", status="embargoed")
PATHS = (
    "/", "/search", "/search?q=zebracorn", "/search?q=flood&mode=keyword", "/api/search?q=flood&copies=all",
    "/search.atom?q=flood", "/search.rss", "/search.feed.json", "/search.csv", "/search.jsonl?body=1",
    "/browse", "/browse/sources", "/browse/authors", "/browse/sections", "/api/browse", "/status", "/api/status",
    "/api/stats", "/healthz", "/readyz", "/stories", "/api/stories", "/sitemap.xml", "/sitemaps/1.xml",
    "/api/completions?q=zebra", "/api/suggest?q=zebra",
    f"/articles/{newsroom.article(3).id}", f"/api/articles/{newsroom.article(3).id}",
    f"/articles/{newsroom.article(3).id}/versions", f"/api/articles/{newsroom.article(3).id}/related",
    f"/articles/{newsroom.article(3).id}/follow-ups.atom",
)  # fmt: skip
NOWHERE = (
    f"/articles/{newsroom.article(3).id}/versions/2", f"/api/articles/{newsroom.article(3).id}/versions/2/changes",
    f"/articles/{newsroom.article(3).id}/copies", f"/articles/{SECRET.id}", f"/api/articles/{SECRET.id}",
    f"/oembed?url=http://localhost/articles/{SECRET.id}", f"/articles/{WITHHELD.id}",
)  # fmt: skip


@pytest.fixture
def clock() -> newsroom.Clock:
    return newsroom.Clock(NOON)


@pytest.fixture
def parts(tmp_path: Path, clock: newsroom.Clock) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path, robots="allow"), embedder=newsroom.MeaningEmbedder())
    services.made["store"] = store = Store(tmp_path / "archive.sqlite3", clock=clock)
    services.made["releases"] = Releases(store, clock=clock)
    for number in range(20):
        store.put(newsroom.article(number))
    publish(services)
    yield services
    services.close()


def publish(parts: Services) -> None:
    find_copies(parts.store)
    parts.builder.update()
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        tell_stories(parts.store, engine)


@pytest.fixture
def app(parts: Services) -> Flask:
    return create_app(services=parts)


def told(app: Flask) -> dict[str, str]:
    """Return what each address says."""
    client = app.test_client()
    said = {path: client.get(path) for path in (*PATHS, *NOWHERE)}
    assert {path for path, answer in said.items() if answer.status_code != 200} == set(NOWHERE)
    return {path: answer.get_data(as_text=True) for path, answer in said.items()}


def test_what_is_embargoed_moves_nothing_and_is_told_nowhere(app: Flask, parts: Services) -> None:
    client = app.test_client()
    searches = ("q=flood", "", "q=flood&copies=all", "q=source:zebracorn")
    found = {asked: client.get(f"/api/search?{asked}").json for asked in searches}
    stats, health = client.get("/api/stats").json, client.get("/readyz").json
    for each in (SECRET, CORRECTION, WITHHELD):
        assert parts.store.put(each) == "held"
    assert client.get("/readyz").json == health  # nothing is pending
    publish(parts)
    for path, text in told(app).items():
        assert (
            "zebracorn" not in text.lower().replace("q=zebracorn", "").replace("“zebracorn”", "") or "q=zebra" in path
        )
    for asked in searches:
        now = client.get(f"/api/search?{asked}").json
        assert now is not None
        assert found[asked] is not None
        for name in ("total", "folded", "facets", "suggestion"):
            assert now[name] == found[asked][name]
        assert [each["id"] for each in now["results"]] == [each["id"] for each in found[asked]["results"]]
    assert client.get("/api/stats").json == stats
    assert parts.store.count_held() == 3


def test_what_is_due_is_shown_to_the_first_who_asks(app: Flask, parts: Services, clock: newsroom.Clock) -> None:
    client = app.test_client()
    for each in (SECRET, CORRECTION, WITHHELD):
        parts.store.put(each)
    clock.now = NOON + timedelta(minutes=59)
    assert client.get(f"/articles/{SECRET.id}").status_code == 404
    clock.now = NOON + timedelta(hours=1)
    assert SECRET.title in client.get(f"/articles/{SECRET.id}").text
    assert CORRECTION.title in client.get(f"/articles/{CORRECTION.id}").text
    assert SECRET.title in client.get("/").text
    assert "Zebracorn Press" in client.get("/browse/sources").text
    assert client.get(f"/articles/{WITHHELD.id}").status_code == 404
    assert parts.store.count_held() == 1
    publish(parts)
    (found,) = client.get("/api/search?q=zebracorn+secret&copies=all").json["results"][:1]  # type: ignore[index]
    assert found["id"] == SECRET.id


def test_an_alert_fires_when_the_embargo_ends_and_once(parts: Services, clock: newsroom.Clock) -> None:
    alerts = Alerts(parts.store)
    request = SearchRequest(query="zebracorn", mode="keyword", copies="all")
    alerts.save(name="z", question="q=zebracorn", after_seq=parts.store.last_seq(), most=9)

    def round_() -> int:
        publish(parts)
        with parts.serving.engine() as (engine, _):
            judge = Judge(engine, lambda _: parts.embedder)
            return fire(parts.store, alerts, judge, until=engine.seq, read=lambda _: request).alerts

    parts.store.put(SECRET)
    assert round_() == 0
    clock.now = NOON + timedelta(hours=1)
    parts.releases.show_due()
    assert [round_(), round_()] == [1, 0]


def test_an_embargoed_version_of_an_old_article_is_no_news(parts: Services) -> None:
    alerts = Alerts(parts.store)
    request = SearchRequest(query=newsroom.article(3).title, mode="keyword", copies="all")
    alerts.save(name="all", question="q=x", after_seq=parts.store.last_seq(), most=9)
    parts.store.put(CORRECTION)
    publish(parts)
    with parts.serving.engine() as (engine, _):
        judge = Judge(engine, lambda _: parts.embedder)
        assert fire(parts.store, alerts, judge, until=engine.seq, read=lambda _: request).alerts == 0


def test_it_is_released_once_however_many_ask(parts: Services, clock: newsroom.Clock) -> None:
    parts.store.put(SECRET)
    clock.now = NOON + timedelta(hours=1)
    threads = [threading.Thread(target=parts.releases.show_due) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [change.kind for change in parts.store.changes(after=20, until=99)] == ["held", "added"]


def test_what_cannot_be_released_costs_no_request_and_is_tried_again(
    app: Flask,
    parts: Services,
    clock: newsroom.Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts.store.put(SECRET)
    clock.now = NOON + timedelta(hours=1)
    client = app.test_client()
    with monkeypatch.context() as patched:
        patched.setattr(parts.store, "release", busy)
        assert client.get("/").status_code == 200
        assert client.get("/").status_code == 200
    assert [record.message for record in caplog.records].count(
        "what is embargoed until now is not shown yet: busy"
    ) == 1
    clock.now += RETRY
    assert client.get(f"/articles/{SECRET.id}").status_code == 200


def busy() -> None:
    raise ArchiveBusy("busy")


def test_a_name_of_an_article_leads_to_it(app: Flask, parts: Services) -> None:
    shown, alias = newsroom.article(50), "a" * 16
    parts.store.put(replace(shown, aliases=(alias,)))
    parts.store.put(replace(SECRET, aliases=("b" * 16,)))
    client = app.test_client()
    for path in ("/articles/{}", "/api/articles/{}", "/articles/{}/versions", "/articles/{}?q=x%26y"):
        answer = client.get(path.format(alias))
        assert (answer.status_code, answer.headers["Location"]) == (301, path.format(shown.id))
    assert client.get(f"/articles/{'b' * 16}").status_code == 404
    parts.store.remove(shown.id)
    assert client.get(f"/api/articles/{alias}").status_code == 410
