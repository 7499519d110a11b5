"""Who may send what: every route says so or nothing starts, no question changes anything, and other sites stay out."""

from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from every_route import Followed, changes, follow, questions
from flask import Flask
from flask.testing import FlaskClient

from web import create_app, doors, saved
from web.doors import DoorNotSaid, door_of
from web.services import Services
from web.settings import Settings

SITE = {"site_url": "https://archive.example.org", "smtp_url": "smtp://mail.example", "mail_from": "a@example.org"}
LAST_OPENED = ("saved_search", "opened_at")  # a day: it says which saved searches nobody uses any more


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data"), robots="allow", **SITE) as app:
        yield app


@pytest.fixture(scope="module")
def followed(services: Services) -> Followed:
    return follow(services)


def rows(services: Services) -> dict[str, list[str]]:
    """Return all that the database holds, table by table, without the day on which a saved search was opened last."""
    tables = [
        name for (name,) in services.store.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    held = {}
    for table in tables:
        columns = [
            row[1] for row in services.store.rows(f"PRAGMA table_info({table})") if (table, row[1]) != LAST_OPENED
        ]
        held[table] = sorted(repr(row) for row in services.store.rows(f"SELECT {', '.join(columns)} FROM {table}"))
    return held


def files(folder: Path) -> dict[str, int]:
    """Return every file below a folder but the database's own, with its size."""
    found = (path for path in folder.rglob("*") if path.is_file() and "sqlite3" not in path.name)
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def test_no_question_changes_anything(app: Flask, services: Services, followed: Followed) -> None:
    _, secret = services.tokens.create(name="legal desk", scope="takedown")
    services.tokens.holder(secret)  # notes the day
    sent = {"Authorization": f"Bearer {secret}", "X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "POST"}
    asked = list(questions(app, services, followed))
    client = app.test_client()
    before = rows(services), files(services.settings.data)
    for rule, address in asked:
        join = "&" if "?" in address else "?"
        with client.get(f"{address}{join}_method=DELETE&title=Other&reason=x", headers=sent) as answer:
            assert answer.status_code < 400, (rule.rule, answer.status_code)
        for method in ("HEAD", "OPTIONS"):
            with client.open(address, method=method, headers=sent) as answer:
                assert answer.status_code < 400, (rule.rule, answer.status_code)
    after = rows(services), files(services.settings.data)
    assert {table: rows for table, rows in after[0].items() if rows != before[0][table]} == {}
    assert after[1] == before[1]
    assert len(asked) > 60


def test_every_address_that_is_asked_here_answers(app: Flask, services: Services, followed: Followed) -> None:
    client = app.test_client()
    for rule, address in questions(app, services, followed):
        with client.get(address, follow_redirects=True) as answer:
            assert answer.status_code == 200, (rule.rule, address)


def test_every_route_that_takes_more_than_questions_says_whom_it_lets_in(
    app: Flask, services: Services, followed: Followed
) -> None:
    told = {
        f"{method} {rule.rule}": door_of(app, rule.endpoint) for rule, method, _ in changes(app, services, followed)
    }
    by_token = {name for name, door in told.items() if door and door.scope}
    assert by_token == {"DELETE /api/articles/<article_id>"}
    assert all(door and (door.scope or door.because.endswith(".")) for door in told.values())
    outside = {name for name in told if "/saved" not in name} - by_token
    assert outside == {
        "POST /api/related",
        "POST /alerts/<int:channel_id>/<any(confirm, stop):answer>/<signature>",
    }


def test_an_application_with_a_route_of_which_nobody_has_said_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Flask("bare")
    bare.post("/articles")(lambda: "taken")
    with pytest.raises(DoorNotSaid, match="/articles"):
        doors.register(bare)
    monkeypatch.delattr(saved.save, "door")
    with pytest.raises(DoorNotSaid, match="/saved"):
        create_app(services=Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder()))


def test_without_a_token_or_with_one_of_another_scope_nothing_is_changed(
    app: Flask, services: Services, followed: Followed
) -> None:
    client = app.test_client()
    _, other = services.tokens.create(name="reader", scope="other")
    _, gone = services.tokens.create(name="former", scope="takedown", days=-1)
    services.tokens.holder(other)
    before = services.store.last_seq()
    tried = 0
    for rule, method, address in changes(app, services, followed):
        door = door_of(app, rule.endpoint)
        if door is None or door.scope is None:
            continue
        for sent, status, said in (
            ({}, 401, 'Bearer realm="Backfile"'),
            ({"Authorization": "Basic eDp5"}, 401, 'Bearer realm="Backfile"'),
            ({"Authorization": "Bearer"}, 401, 'Bearer realm="Backfile"'),
            ({"Authorization": "Bearer bf_wrong"}, 401, 'Bearer realm="Backfile", error="invalid_token"'),
            ({"Authorization": f"Bearer {gone}"}, 401, 'Bearer realm="Backfile", error="invalid_token"'),
            (
                {"Authorization": f"Bearer {other}"},
                403,
                f'Bearer realm="Backfile", error="insufficient_scope", scope="{door.scope}"',
            ),
        ):
            answer = client.open(address, method=method, headers=sent)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (status, said), (rule.rule, sent)
            assert answer.mimetype == "application/problem+json"
            tried += 1
        in_address = client.open(f"{address}?access_token={gone}", method=method)
        assert in_address.status_code == 401
    assert tried >= 6
    assert services.store.last_seq() == before


def test_a_form_that_another_site_s_page_sends_is_refused(client: FlaskClient, app: Flask) -> None:
    form = {"q": "flood", "name": "Planted"}
    for site in ("cross-site", "same-site"):
        answer = client.post("/saved", data=form, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403
        assert "sent by a page of another site" in answer.text
    for site in ("same-origin", "none"):
        assert client.post("/saved", data=form, headers={"Sec-Fetch-Site": site}).status_code == 303
    assert client.post("/saved", data=form).status_code == 303, "a program acts for itself"
    draft = {"text": "flood in Millbrook"}
    assert client.post("/api/related", json=draft, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_every_form_of_ours_is_closed_to_other_sites(app: Flask, services: Services, followed: Followed) -> None:
    client = app.test_client()
    for rule, method, address in changes(app, services, followed):
        door = door_of(app, rule.endpoint)
        assert door is not None
        answer = client.open(address, method=method, headers={"Sec-Fetch-Site": "cross-site"})
        if not door.scope and not door.from_elsewhere:
            assert answer.status_code == 403, rule.rule
    assert services.alerts.opened(followed.token) is not None


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/search", "/api/search", "/saved", "/static/backfile.css"])
def test_a_method_that_no_route_has_is_refused(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405
    assert "TRACE" not in answer.headers["Allow"]
