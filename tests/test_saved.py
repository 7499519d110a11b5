"""Saved searches as pages: saving after a look back, the link that opens them, matches, feeds, settings, deleting."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from archive.alerts import MOST_CHANNELS, Alerts
from archive.errors import ArchiveDamaged
from archive.questions import MOST_QUESTIONS
from index.alerts import Judge, fire
from web import create_app
from web.pace import Pace
from web.saved import MATCHES_ON_PAGE, asked_by
from web.services import Services
from web.settings import Settings

NASTY = newsroom.HOSTILE[0]
ATOM = "http://www.w3.org/2005/Atom"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(
        tmp_path_factory.mktemp("data"), site_url="https://archive.example.org", smtp_url="smtp://127.0.0.1",
        mail_from="alerts@archive.example.org", fetch_allow="127.0.0.0/8",
    ) as app:  # fmt: skip
        yield app


@pytest.fixture(scope="module")
def parts(app: Flask) -> Services:
    parts: Services = app.extensions["backfile"]
    return parts


def saved_path(client: FlaskClient, **fields: str) -> str:
    """Save a search and return the path of its page."""
    answer = client.post("/saved", data={"q": "flood", "name": "Floods", **fields})
    assert answer.status_code == 303
    return answer.headers["Location"].partition("?")[0]


def found(parts: Services, path: str) -> None:
    """Have a saved search find all that was there before it was saved."""
    search = parts.alerts.opened(path.rpartition("/")[2])
    assert search is not None
    with parts.store.transaction() as connection:
        connection.execute("UPDATE saved_search SET after_seq = 0 WHERE saved_search_id = ?", (search.id,))
    with parts.serving.engine() as (engine, _):
        judge = Judge(engine, lambda _: parts.embedder)
        fire(parts.store, parts.alerts, judge, until=engine.seq, read=asked_by)


def page(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    return answer.text


# Saving


def test_a_results_page_leads_to_the_form_and_says_what_would_have_been_found(client: FlaskClient) -> None:
    results = client.get("/search?q=flood&section=Weather&sort=newest&page_size=5").text
    (link,) = re.findall(r'class="save" rel="nofollow" href="([^"]+)"', results)
    assert link == "/saved/new?q=flood&amp;section=Weather"
    form = page(client.get("/saved/new?section=Science&to=2003-03-05"))
    assert "It would have found 0 articles in 90 days" in form  # of those days there is none of it
    form = page(client.get("/saved/new?q=nasty"))
    assert "It would have found 1 article in 90 days" in form
    assert "from 4 October 2019 to 1 January 2020" in form
    assert '<input type="hidden" name="q" value="nasty">' in form


def test_saving_leads_to_a_page_that_only_its_link_opens(client: FlaskClient, parts: Services) -> None:
    answer = client.post(
        "/saved", data={"q": "flood", "name": f" Floods\r\n {NASTY}", "mode": "keyword", "sort": "newest"}
    )
    path = answer.headers["Location"]
    token = path.partition("?")[0].rpartition("/")[2]
    assert len(token) == 32
    text = page(client.get(path))
    assert "Saved." in text
    assert "Floods &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert 'href="/search?q=flood&amp;mode=keyword"' in text
    assert "Nothing yet" in text
    kept = b"".join(file.read_bytes() for file in parts.settings.data.glob("archive.sqlite3*"))
    assert b"Floods" in kept
    assert token.encode() not in kept
    for other in (token[:-1], token.swapcase(), "new1", "x" * 5000):
        assert client.get(f"/saved/{other}").status_code == 404


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"q": ""}, "every article would be an alert"),
        ({"q": "flood on:yesterday"}, "mean other days tomorrow"),
        ({"q": "flood", "mode": "other"}, "must be hybrid, keyword or semantic"),
        ({"q": "((((((((a"}, "4 deep"),
        ({"source": ["a" * 200 + str(n) for n in range(20)], "author": ["b" * 198 + str(n) for n in range(20)]}, "20"),
        ({"author": ["é" * 190 + str(n) for n in range(20)]}, "too long to be saved"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_alert_is_refused_in_words(client: FlaskClient, fields: dict[str, object], said: str) -> None:
    for answer in (client.post("/saved", data=fields), client.get("/saved/new", query_string=fields)):
        assert (answer.status_code, said in answer.text) == (400, True), answer.text


def test_a_form_sent_twice_saves_one_search(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, saved_searches=1) as app, app.test_client() as client:
        form = client.get("/saved/new?q=flood").text
        (token,) = re.findall(r'name="token" value="([^"]+)"', form)
        assert token not in client.get("/saved/new?q=flood").text
        first, second = (client.post("/saved", data={"q": "flood", "token": token}) for _ in range(2))
        assert (first.status_code, second.status_code) == (303, 303)
        assert first.headers["Location"] == second.headers["Location"] == f"/saved/{token}?created=1"
        assert app.extensions["backfile"].alerts.count() == 1


def test_a_token_that_could_be_guessed_is_not_taken(client: FlaskClient) -> None:
    path = saved_path(client, token="guess")
    assert len(path.removeprefix("/saved/")) == 32


def test_where_nothing_can_be_judged_saving_is_not_offered_and_asking_says_why(tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=parts).test_client()
    assert "/saved/new" not in client.get("/search?q=flood").text
    answer = client.get("/saved/new?q=flood")
    assert (answer.status_code, "this archive has no index" in answer.text) == (503, True)
    parts.close()


def test_a_search_without_a_name_is_called_by_what_it_asks(client: FlaskClient) -> None:
    assert "<h1>flood · Section: Weather</h1>" in page(client.get(saved_path(client, name=" ", section="Weather")))


def test_there_are_so_many_and_no_more(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, saved_searches=1) as app, app.test_client() as client:
        saved_path(client)
        answer = client.post("/saved", data={"q": "flood"})
        assert (answer.status_code, "as many saved searches as it can" in answer.text) == (400, True)


def test_whoever_saves_in_a_loop_is_told_when_to_come_back(tmp_path: Path) -> None:
    now = 0.0
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        app.extensions["backfile"].made["saving_pace"] = Pace(2, seconds=60, clock=lambda: now)
        for _ in range(2):
            saved_path(client)
        answer = client.post("/saved", data={"q": "flood"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        assert "Many searches are being saved" in answer.text
        now = 30.0
        saved_path(client)
        assert client.post("/saved", data={"q": "flood"}).status_code == 429


def test_whoever_runs_the_archive_sees_what_is_saved_and_clears_out_what_nobody_uses(tmp_path: Path) -> None:
    ahead = timedelta()
    with newsroom.application(tmp_path, fetch_allow="127.0.0.0/8", site_url="https://a.example") as app:
        parts, client, runner = app.extensions["backfile"], app.test_client(), app.test_cli_runner()
        kept = parts.made["alerts"] = Alerts(parts.store, clock=lambda: datetime.now(UTC) + ahead)
        idle, opened, sends = (saved_path(client, name=name) for name in ("Idle", "Opened", "Sends"))
        client.post(f"{sends}/channels/webhook", data={"address": "http://127.0.0.1/hook"})
        ahead = timedelta(days=100)
        client.get(f"{opened}/matches.atom")
        ahead = timedelta(days=190)
        listed = runner.invoke(args=["saved"])
        assert [line.split()[-1] for line in listed.stdout.splitlines()] == ["Idle", "Sends", "Opened"]
        assert "0 alerts  1 channels  Sends" in listed.stdout
        assert json.loads(runner.invoke(args=["stats", "--json"]).stdout)["saved_searches"] == 3
        assert client.get("/api/status").get_json()["saved_searches"] == 3
        assert runner.invoke(args=["saved", "--unused", "180"]).stdout == "1 removed, 2 left\n"
        assert [client.get(path).status_code for path in (idle, opened, sends)] == [404, 200, 200]
        (gone,) = [each.id for each in kept.held() if each.name == "Sends"]
        assert runner.invoke(args=["saved", "--remove", str(gone), "--json"]).exit_code == 0
        assert client.get(sends).status_code == 404
        assert runner.invoke(args=["saved", "--remove", str(gone)]).exit_code == 1
        assert runner.invoke(args=["saved", "--remove", "1", "--unused", "9"]).exit_code == 2


def test_switched_off_nothing_leads_there_and_nothing_is_there(tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path, saved_searches=0), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=parts).test_client()
    assert "saved" not in client.get("/search?q=flood").text
    for path in ("/saved", "/saved/new?q=flood", "/saved/x", "/alerts/1/stop/x"):
        assert client.get(path).status_code == 404
    parts.close()


# Matches and feeds


def test_matches_come_in_pages_the_latest_first(client: FlaskClient, parts: Services) -> None:
    path = saved_path(client, copies="all", q="report")
    found(parts, path)
    first = page(client.get(path))
    assert len(re.findall(r'<li class="hit"', first)) == MATCHES_ON_PAGE
    assert f'rel="next" href="{path}?page=2"' in first
    total = int(re.findall(r"(\d+) matches", first)[0])
    titles = []
    for number in range(1, -(-total // MATCHES_ON_PAGE) + 1):
        titles += re.findall(
            r'<h2><a href="/articles/[0-9a-f]{16}">([^<]+)</a>', page(client.get(f"{path}?page={number}"))
        )
    assert len(titles) == total == len(set(titles))
    assert "Go to the first page of matches" in page(client.get(f"{path}?page=99"))
    assert client.get(f"{path}?page=0").status_code == 400


def test_the_feeds_hold_the_matches_whatever_stands_in_them(client: FlaskClient, parts: Services) -> None:
    path = saved_path(client, q="nasty", name=f"Nasty {NASTY}")
    found(parts, path)
    answer = client.get(f"{path}/matches.atom")
    assert answer.mimetype == "application/atom+xml"
    page(answer)
    feed = ElementTree.fromstring(answer.data)
    texts = [entry.findtext(f"{{{ATOM}}}title") for entry in feed.iter(f"{{{ATOM}}}entry")]
    assert f"Nasty {NASTY}" in texts
    ids = [entry.findtext(f"{{{ATOM}}}id") for entry in feed.iter(f"{{{ATOM}}}entry")]
    assert all(id_ and id_.startswith("urn:uuid:") for id_ in ids)
    saved = parts.alerts.opened(path.rpartition("/")[2])
    assert saved is not None
    fired = {alert.fired_at for alert in parts.alerts.alerts(saved.id, limit=100, offset=0)}
    updated = [entry.findtext(f"{{{ATOM}}}updated") or "" for entry in feed.iter(f"{{{ATOM}}}entry")]
    assert {datetime.fromisoformat(moment) for moment in updated} == fired, "it is news from when it was found"
    for entry in feed.iter(f"{{{ATOM}}}entry"):
        assert entry.findtext(f"{{{ATOM}}}updated")
        assert entry.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{{{ATOM}}}link")}
    assert links == {
        "self": f"https://archive.example.org{path}/matches.atom",
        "alternate": f"https://archive.example.org{path}",
    }
    as_json = client.get(f"{path}/matches.feed.json").get_json(force=True)
    assert as_json["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in as_json["items"]] == ids
    assert client.get(f"{path}/matches.atom", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert client.get(f"{path}/matches.xml").status_code == 404


# Settings


def test_it_is_renamed_paused_resumed_and_deleted(client: FlaskClient, parts: Services) -> None:
    path = saved_path(client)
    for action, fields, shows in (
        ("name", {"name": "Deluges"}, "<h1>Deluges</h1>"),
        ("name", {"name": " \x00 "}, "<h1>Deluges</h1>"),
        ("pause", {}, "Paused"),
        ("resume", {}, "Watching since"),
    ):
        assert client.post(f"{path}/{action}", data=fields).status_code == 303
        assert shows in page(client.get(path))
    assert f'data-forgotten="{path}"' in page(client.post(f"{path}/delete"))
    for answer in (client.get(path), client.get(f"{path}/matches.atom"), client.post(f"{path}/delete")):
        assert answer.status_code == 404


def test_a_name_holds_nothing_that_turns_or_hides_the_text_around_it(client: FlaskClient) -> None:
    path = saved_path(client, name="Flo\u202eods \u2066in\u2069\x9b\u200d Kent\u202c")
    assert "<h1>Floods in \u200d Kent</h1>" in page(client.get(path))


def test_no_answer_about_a_saved_search_is_kept_by_anybody_nor_tells_its_address(client: FlaskClient) -> None:
    path = saved_path(client)
    for answer in (
        client.get(f"{path}?page=-1"),
        client.get("/saved/unknown"),
        client.get(f"{path}/nowhere"),
        client.put(path),
        client.post(f"{path}/pause"),
        client.post("/saved", data={"q": ""}),
        client.get("/alerts/1/stop/x"),
    ):
        assert answer.headers["Cache-Control"] == "private, no-cache", answer.request.path
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer.headers["X-Robots-Tag"]


def test_a_number_that_no_channel_can_have_is_not_found(client: FlaskClient) -> None:
    path = saved_path(client)
    for number in (2**63, 10**22, 10**200):
        assert client.post(f"{path}/channels/{number}/remove").status_code == 404
    assert client.post(f"{path}/channels/{2**63 - 1}/remove").status_code == 303


def test_the_log_of_what_went_wrong_holds_no_link_that_opens_anything(
    client: FlaskClient, parts: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved_path(client)
    for error in (ZeroDivisionError("one"), ArchiveDamaged("two")):
        monkeypatch.setattr(parts.alerts, "pause", Mock(side_effect=error))
        with client.post(f"{path}/pause") as answer:
            assert answer.status_code >= 500
    assert "one" in caplog.text
    assert "two" in caplog.text
    assert caplog.text.count("/saved/…/pause") == 2
    assert path.rpartition("/")[2] not in caplog.text


def test_nothing_changes_by_being_looked_at(client: FlaskClient) -> None:
    path = saved_path(client)
    for action in ("name", "pause", "resume", "delete", "channels/mail", "channels/1/remove"):
        assert client.get(f"{path}/{action}").status_code == 405


def test_a_webhook_s_secret_is_shown_once(client: FlaskClient) -> None:
    path = saved_path(client)
    added = page(client.post(f"{path}/channels/webhook", data={"address": "http://127.0.0.1/hook"}))
    (secret,) = re.findall(r"whsec_[\w+/]+=*", added)
    assert client.post(f"{path}/channels/webhook", data={"address": "http://127.0.0.1/hook"}).status_code == 303
    text = page(client.get(path))
    assert "http://127.0.0.1/hook" in text
    assert secret not in text
    (remove,) = re.findall(rf'action="({path}/channels/\d+/remove)"', text)
    other = saved_path(client)
    assert client.post(remove.replace(path, other)).status_code == 303  # not its own: nothing happens
    assert "127.0.0.1/hook" in page(client.get(path))
    client.post(remove)
    assert "127.0.0.1/hook" not in page(client.get(path))


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("webhook", "http://10.0.0.1/", "must be on the public internet"),
        ("webhook", "http://nobody.invalid/", "must be on the public internet"),
        ("webhook", "ftp://127.0.0.1/", "no web address"),
        ("webhook", "http://me:pw@127.0.0.1/", "no web address"),
        ("webhook", "http://127.0.0.1:0/", "no web address"),
        ("webhook", "http://127.0.0.1/" + "a" * 2000, "too long"),
        ("mail", "reader", "no mail address"),
        ("mail", "a@b.example, c@d.example", "no mail address"),
        ("mail", "a@b.example\r\nBcc: c@d.example", "no mail address"),
        ("mail", "ä@b.example", "no mail address"),
        ("mail", "a..b@example.org", "no mail address"),
        ("mail", "a@example.org.", "no mail address"),
        ("mail", ".a@example.org", "no mail address"),
        ("mail", "a.@example.org", "no mail address"),
        ("mail", "a@.example.org", "no mail address"),
        ("mail", "a@example..org", "no mail address"),
        ("mail", "a" * 250 + "@b.example", "too long"),
    ],
)
def test_an_address_that_cannot_be_sent_to_is_refused_in_words(
    client: FlaskClient, kind: str, address: str, said: str
) -> None:
    answer = client.post(f"{saved_path(client)}/channels/{kind}", data={"address": address})
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


def test_whoever_types_a_name_learns_nothing_of_what_it_means_in_here(
    client: FlaskClient, parts: Services, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved_path(client)
    said = set()
    for host in ("10.0.0.1", "nobody.invalid", "192.168.7.7"):
        answer = client.post(f"{path}/channels/webhook", data={"address": f"http://{host}/"})
        said.update(re.findall(r"<p[^>]*>[^<]*public internet[^<]*</p>", answer.text))
    assert len(said) == 1
    assert "10.0.0.1 is not on the public internet" in caplog.text


def test_addresses_of_a_search_and_questions_to_an_address_have_limits(client: FlaskClient) -> None:
    path = saved_path(client)
    for number in range(MOST_CHANNELS):
        client.post(f"{path}/channels/webhook", data={"address": f"http://127.0.0.1/{number}"})
    answer = client.post(f"{path}/channels/webhook", data={"address": "http://127.0.0.1/more"})
    assert (answer.status_code, f"at most {MOST_CHANNELS}" in answer.text) == (400, True)


def test_taking_an_address_away_and_adding_it_again_does_not_ask_it_more_often(client: FlaskClient) -> None:
    path = saved_path(client)
    for number in range(MOST_QUESTIONS):
        answer = client.post(f"{path}/channels/mail", data={"address": ("a@b.example", "A@B.Example")[number % 2]})
        assert answer.status_code == 303
        if number:
            client.post(f"{path}/delete")
            path = saved_path(client)
        else:
            (remove,) = re.findall(rf'action="({path}/channels/\d+/remove)"', page(client.get(path)))
            client.post(remove)
    for address in ("a@b.example", "a@B.EXAMPLE"):
        answer = client.post(f"{path}/channels/mail", data={"address": address})
        assert (answer.status_code, "asked as often as it may be" in answer.text) == (400, True)
    assert client.post(f"{path}/channels/mail", data={"address": "other@b.example"}).status_code == 303


def test_what_an_archive_cannot_send_it_does_not_offer(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        path = saved_path(client)
        text = page(client.get(path))
        assert "subscribe to the feed" in text
        assert 'type="email"' not in text
        assert client.post(f"{path}/channels/mail", data={"address": "a@b.example"}).status_code == 404
