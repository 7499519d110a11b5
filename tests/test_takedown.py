"""Takedowns by a program: tokens, who is let in, what is answered; and the ledger that is followed at an opening."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import EMBARGOED, ORDINARY, WITHDRAWN, MeaningEmbedder, article
from werkzeug.test import TestResponse

from archive.article import Withdrawal
from archive.errors import ArticleNotFound
from archive.ledger import Entry, Ledger
from archive.store import Store
from archive.takedowns import LOST, TAKEN_BACK
from archive.tokens import FORGIVEN_AFTER, MOST_FAILURES, PREFIX, Tokens
from web import create_app
from web.services import Services
from web.settings import Settings
from web.tokens import SCOPES

HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application of our own: articles are taken from it."""
    with newsroom.application(tmp_path_factory.mktemp("data"), robots="allow") as app:
        yield app


@pytest.fixture(scope="module")
def secret(services: Services) -> str:
    return services.tokens.create(name="legal desk", scope="takedown")[1]


@pytest.fixture
def client(app: Flask, services: Services) -> Iterator[FlaskClient]:
    with services.store.transaction() as connection:
        connection.execute("DELETE FROM token_failure")
    with app.test_client() as client:
        yield client


def delete(client: FlaskClient, article_id: str, token: str | None, **sent: object) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.delete(f"/api/articles/{article_id}", headers=headers, **sent)  # type: ignore[arg-type]


# Who is let in


def test_a_token_of_another_scope_is_not_enough(client: FlaskClient, services: Services) -> None:
    assert "other" not in SCOPES
    _, other = services.tokens.create(name="reader", scope="other")
    answer = delete(client, ORDINARY[8].id, other)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert services.store.article(ORDINARY[8].id)


def test_a_token_that_was_revoked_is_not_enough(client: FlaskClient, services: Services) -> None:
    token, secret = services.tokens.create(name="former", scope="takedown")
    assert services.tokens.revoke(token.id)
    assert not services.tokens.revoke(token.id), "it was before"
    answer = delete(client, ORDINARY[8].id, secret)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_who_has_no_token_is_told_nothing_of_what_is_there(client: FlaskClient) -> None:
    ids = [ORDINARY[0].id, EMBARGOED.id, WITHDRAWN.id, "f" * 16]
    answers = [delete(client, article_id, None) for article_id in ids]
    bodies = [{**(answer.get_json()), "instance": ""} for answer in answers]
    assert bodies == bodies[:1] * 4


def test_who_tries_too_often_is_locked_out_for_a_while_but_no_token_that_holds(
    client: FlaskClient, services: Services, secret: str
) -> None:
    for number in range(MOST_FAILURES):
        assert delete(client, ORDINARY[8].id, f"bf_{number}").status_code == 401
    refused = delete(client, ORDINARY[8].id, "bf_more")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= FORGIVEN_AFTER
    assert delete(client, "f" * 16, secret).status_code == 404
    later = Tokens(services.store, clock=lambda: datetime.now(UTC) + timedelta(seconds=FORGIVEN_AFTER + 1))
    assert later.locked_out(HERE) == 0
    assert services.tokens.locked_out(HERE) > 0
    assert services.tokens.locked_out("192.0.2.1") == 0
    later.note_failure("192.0.2.1", "none")
    assert services.tokens.locked_out(HERE) == 0, "forgotten with the first failure after that"


# What is answered


def test_an_article_is_taken_down_and_everybody_is_told_so(
    client: FlaskClient, services: Services, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    taken = ORDINARY[0]
    answer = delete(client, taken.id, secret, json={"reason": " court order "})
    assert answer.status_code == 200
    receipt = answer.get_json()
    assert receipt == {
        "id": taken.id, "status": "removed", "removed_at": receipt["removed_at"], "reason": "court order",
        "token": "legal desk",
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert client.get(f"/api/articles/{taken.id}").status_code == 410
    assert services.ledger.read().removed[taken.id].reason == "court order"
    deed = services.tokens.deeds()[-1]
    desk = next(token for token in services.tokens.all() if token.name == "legal desk")
    assert (deed.action, deed.article_id, deed.token_id) == ("remove", taken.id, desk.id)
    assert (datetime.now(UTC) - deed.at).total_seconds() < 60
    assert deed.client == HERE
    assert desk.used_on == datetime.now(UTC).date().isoformat()
    assert any(taken.id in line and "legal desk" in line for line in caplog.messages)
    assert secret not in caplog.text
    again = delete(client, taken.id, secret)
    assert again.status_code == 410
    assert again.get_json()["removed_at"] == receipt["removed_at"]


def test_the_reason_may_stand_in_the_address_or_be_left_out(
    client: FlaskClient, services: Services, secret: str
) -> None:
    for number, query, reason in ((1, "?reason=wrong%20person", "wrong person"), (2, "", None), (3, "?reason=", None)):
        assert delete(client, f"{ORDINARY[number].id}{query}", secret).get_json()["reason"] == reason
        taken = services.takedowns.one(ORDINARY[number].id)
        assert taken is not None
        assert taken.reason == reason


def test_a_reason_is_kept_on_one_line_without_what_nobody_can_see(
    client: FlaskClient, services: Services, secret: str
) -> None:
    said = " court\r\norder\x1b[2J\x00 \u202e12/5\u202c\u2028 \u2067new\u2069 "
    answer = delete(client, ORDINARY[5].id, secret, json={"reason": said})
    assert answer.get_json()["reason"] == "court order[2J 12/5 new"
    services.store.put(article(65))
    runner = create_app(services=services).test_cli_runner()
    assert runner.invoke(args=["remove", article(65).id, "--reason", said.replace("\x00", "")]).exit_code == 0
    listed = {each.id: each.reason for each in services.takedowns.all()}
    assert listed[article(65).id] == listed[ORDINARY[5].id] == "court order[2J 12/5 new"
    assert services.ledger.read().removed[article(65).id].reason == "court order[2J 12/5 new"


@pytest.mark.parametrize(
    "sent",
    [
        {"data": "reason"},
        {"json": ["x"]},
        {"json": {"reason": 7}},
        {"data": '{"reason": "\\ud800"}'},
        {"json": {"reason": "x" * 1001}},
    ],
)
def test_a_reason_that_is_none_is_refused_before_anything_is_done(
    sent: dict[str, object], client: FlaskClient, services: Services, secret: str
) -> None:
    answer = delete(client, ORDINARY[4].id, secret, **sent)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert services.takedowns.one(ORDINARY[4].id) is None


def test_what_is_not_there_is_said_so_and_what_is_embargoed_can_be_taken_down(
    client: FlaskClient, services: Services, secret: str
) -> None:
    for nothing in ("f" * 16, "no-such", "%F0%9F%8C%8A"):
        assert delete(client, nothing, secret).status_code == 404
    assert delete(client, EMBARGOED.id, secret).status_code == 200
    assert services.store.put(EMBARGOED) == "unchanged"


def test_an_article_is_taken_down_by_any_of_its_ids(client: FlaskClient, services: Services, secret: str) -> None:
    for number, alias in ((61, "a" * 15 + "1"), (62, "a" * 15 + "2")):
        services.store.put(article(number, aliases=(alias,)))
    by_program = delete(client, "a" * 15 + "1", secret)
    assert (by_program.status_code, by_program.get_json()["id"]) == (200, article(61).id)
    again = delete(client, "a" * 15 + "1", secret)
    assert (again.status_code, again.get_json()["id"]) == (410, article(61).id)
    assert services.tokens.deeds()[-1].article_id == article(61).id
    runner = create_app(services=services).test_cli_runner()
    removed = runner.invoke(args=["remove", "a" * 15 + "2", "--json"])
    assert (removed.exit_code, json.loads(removed.stdout)["removed"]) == (0, [article(62).id])
    assert f"{'a' * 15}2 is another id of {article(62).id}" in removed.stderr
    erased = runner.invoke(args=["erase", "a" * 15 + "2", "--json"])
    assert (erased.exit_code, [each["id"] for each in json.loads(erased.stdout)["erased"]]) == (0, [article(62).id])
    assert f"{'a' * 15}2 is another id of {article(62).id}" in erased.stderr
    assert services.store.live([article(61).id, article(62).id]) == {}


def test_another_id_of_what_is_embargoed_answers_as_one_never_heard_of(
    app: Flask, client: FlaskClient, services: Services
) -> None:
    known, unknown = "b" * 16, "c" * 16
    services.store.put(article(63, aliases=(known,), status="embargoed"))
    for path in addresses(app, known):
        told = client.get(path)
        untold = client.get(path.replace(known, unknown))
        assert told.status_code == untold.status_code == 404 or path.endswith(".json"), path
        assert article(63).id.encode() not in told.data, path
        assert told.data.replace(known.encode(), unknown.encode()) == untold.data, path
    services.store.put(article(64, aliases=("d" * 16,)))
    services.store.remove(article(64).id)
    withdrawn = client.get("/api/articles/" + "d" * 16)
    assert (withdrawn.status_code, article(64).id in withdrawn.text) == (410, False)


# What is gone, everywhere


def addresses(app: Flask, article_id: str) -> list[str]:
    """Return every address of an article that can be asked for."""
    found = []
    for rule in app.url_map.iter_rules():
        if "article_id" in rule.arguments and "GET" in (rule.methods or set()):
            path = rule.rule.replace("<article_id>", article_id)
            choices = re.search(r"<any\((.*?)\):\w+>", path)
            each = [choice.strip("' ") for choice in choices[1].split(",")] if choices else [""]
            found += [re.sub(r"<int[^>]*>", "1", path.replace(choices[0], c) if choices else path) for c in each]
    return found


def test_every_address_of_an_article_is_gone_and_no_kept_copy_is_confirmed(
    app: Flask, client: FlaskClient, services: Services
) -> None:
    gone = article(60, title="The vanishing heron of Millbrook", body="A vanishing heron was seen.\n\nTwice.")
    services.store.put(gone)
    services.store.put(article(60, title="The vanishing heron, corrected", body="A vanishing heron was heard."))
    services.builder.update()
    lists = ("/", "/search?q=heron", "/api/search?q=heron", "/search.atom?q=heron", "/search.csv?q=heron",
             "/stories", "/sitemap.xml", "/sitemaps/1.xml", "/browse/2007/03/01", "/api/browse/2007/03/01",
             "/api/suggest?q=the+van", f"/oembed?url=http://localhost/articles/{gone.id}",
             f"/api/related?url={gone.url}")  # fmt: skip
    token, saved = services.alerts.save(name="birds", question="q=heron", after_seq=0, most=10)
    services.alerts.fire(saved, {gone.id: services.store.last_seq()}, until=services.store.last_seq())
    followed = (f"/saved/{token}", *(f"/saved/{token}/matches.{form}" for form in ("atom", "rss", "feed.json")))
    every = [*addresses(app, gone.id), *lists, *followed, "/saved/new?q=heron"]
    assert len(every) > 20
    before = {path: client.get(path) for path in every}
    seen = [path for path, answer in before.items() if b"vanishing heron" in answer.data.lower()]
    assert set(followed) <= set(seen)
    assert len(seen) > 16
    services.store.remove(gone.id)
    for path, answer in before.items():
        headers = {"If-None-Match": answer.headers["ETag"]} if "ETag" in answer.headers else {}
        now = client.get(path, headers=headers)
        assert b"vanishing heron" not in now.data.lower(), path
        assert now.status_code != 304 or path not in seen, path
        if gone.id in path and not path.endswith(".json"):  # that one leads to the API's
            assert now.status_code in (404, 410), path
    page = client.get(f"/articles/{gone.id}")
    assert (page.status_code, b"Millbrook" in page.data) == (410, False)


def test_pages_of_an_earlier_archive_are_not_kept_in_memory(client: FlaskClient, services: Services) -> None:
    for day in range(3):
        client.get(f"/search?q=flood&page_size={day + 1}")
    assert len(services.recent_pages) >= 3
    services.store.remove(ORDINARY[7].id)
    client.get("/search?q=flood")
    assert len(services.recent_pages) == 1


# The ledger


def test_what_the_ledger_knows_holds_in_an_archive_that_does_not(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "takedowns.jsonl")
    first = Store(tmp_path / "first.sqlite3", ledger=ledger)
    named = article(1, aliases=("a" * 16,))
    for each in (named, article(2)):
        first.put(each)
    first.remove(named.id, reason="court order")
    first.withdraw(Withdrawal(id=article(3).id, reason="kill: wrong", source="wire"))
    assert set(ledger.read().removed) == {named.id, article(3).id}
    first.close()

    (tmp_path / "data").mkdir()
    older = Store(tmp_path / "data" / "archive.sqlite3")
    older.put(article(1, id="a" * 16))  # as it was called before its address was known
    older.put(article(4))
    older.remove(article(4).id, reason="before there was a ledger")
    older.close()
    services = Services(Settings(data=tmp_path / "data", ledger=ledger.path), embedder=MeaningEmbedder())
    store = services.store
    assert store.live_ids() == []
    assert [store.put(each) for each in (article(1), article(1, id="a" * 16), article(3))] == ["unchanged"] * 3
    reasons = {takedown.id: takedown.reason for takedown in services.takedowns.all()}
    assert reasons == {
        "a" * 16: "court order", article(3).id: TAKEN_BACK, article(4).id: "before there was a ledger",
    }  # fmt: skip
    assert article(4).id in ledger.read().removed
    seq = store.last_seq()
    assert store.check() == []
    services.close()
    again = Services(services.settings, embedder=MeaningEmbedder())
    assert again.store.last_seq() == seq, "nothing is done twice"
    again.close()


def test_what_the_ledger_says_was_erased_is_removed_even_when_the_line_of_its_removal_is_lost(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "takedowns.jsonl")
    ledger.add([Entry(id=article(1).id, did="erased", at="2026-11-29T12:00:00+00:00")])
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data" / "archive.sqlite3")
    for each in (article(1), article(2)):
        store.put(each)
    store.close()
    settings = Settings(data=tmp_path / "data", ledger=ledger.path)
    seen = []
    for _ in range(3):
        services = Services(settings, embedder=MeaningEmbedder())
        assert services.store.live_ids() == [article(2).id]
        (takedown,) = services.takedowns.all()
        assert (takedown.id, takedown.reason) == (article(1).id, LOST)
        assert takedown.erased_at is not None
        seen.append((services.store.last_seq(), takedown, ledger.path.read_bytes()))
        services.close()
    assert seen[0] == seen[1] == seen[2], "done once"


def test_a_ledger_that_is_written_again_has_the_other_ids_of_an_article(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", ledger=tmp_path / "takedowns.jsonl")
    services = Services(settings, embedder=MeaningEmbedder())
    services.store.put(article(1, aliases=("a" * 16,)))
    services.store.remove(article(1).id, reason="court order")
    services.close()
    ledger = tmp_path / "takedowns.jsonl"
    ledger.unlink()
    again = Services(settings, embedder=MeaningEmbedder())
    assert again.store.live_ids() == []
    assert again.ledger.read().removed[article(1).id].aliases == ("a" * 16,)
    again.close()
    (tmp_path / "data" / "archive.sqlite3").unlink()
    anew = Services(settings, embedder=MeaningEmbedder())
    assert anew.store.put(article(1, id="a" * 16)) == "unchanged"
    anew.close()


def test_a_ledger_that_is_lost_is_said_and_one_of_a_new_archive_is_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data=tmp_path / "data", ledger=tmp_path / "takedowns.jsonl")
    for content in (None, b""):
        new = Services(settings, embedder=MeaningEmbedder())
        new.store.put(article(1))
        new.close()
        again = Services(settings, embedder=MeaningEmbedder())
        assert again.store.count_live() == 1
        again.close()
        assert ("not there, or empty" in caplog.text) == (content is not None), "nothing was lost before"
        (tmp_path / "takedowns.jsonl").unlink()
        if content is not None:
            (tmp_path / "takedowns.jsonl").write_bytes(content)
        lost = Services(settings, embedder=MeaningEmbedder())
        lost.builder.update()
        runner = create_app(services=lost).test_cli_runner()
        assert "when the archive had 1 change already" in caplog.text
        for command in ("takedowns", "check"):
            said = runner.invoke(args=[command])
            assert (said.exit_code, "not there, or empty" in said.stderr) == (0, True)
        lost.close()


def test_no_removal_is_acknowledged_that_the_ledger_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    store = Store(tmp_path / "data" / "archive.sqlite3", ledger=Ledger(tmp_path / "data" / "takedowns.jsonl"))
    store.put(article(1))

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("archive.ledger.os.fsync", fails)
        with pytest.raises(Exception, match="No space left"):
            store.remove(article(1).id)
    assert store.live_ids() == [article(1).id]
    store.remove(article(1).id)
    with pytest.raises(ArticleNotFound):
        store.remove(article(1).id)
    store.close()


def test_a_damaged_ledger_is_said_and_the_rest_of_it_holds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(data=tmp_path)
    services = Services(settings, embedder=MeaningEmbedder())
    for number in (1, 2):
        services.store.put(article(number))
        services.store.remove(article(number).id)
    services.close()
    ledger = tmp_path / "takedowns.jsonl"
    first, second = ledger.read_text().splitlines()
    ledger.write_text(f"{first[:-5]}\n{second}\n")
    again = Services(settings, embedder=MeaningEmbedder())
    assert again.store.live_ids() == []
    assert "line 1 cannot be read" in caplog.text
    assert set(again.ledger.read().removed) == {article(1).id, article(2).id}, "written again from the archive"
    again.close()


# The command


def test_tokens_are_made_listed_and_revoked_and_shown_but_once(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    runner = create_app(services=services).test_cli_runner()
    made = runner.invoke(args=["token", "create", "--scope", "takedown", "--name", "legal  desk"])
    secret = made.stdout.strip()
    assert made.exit_code == 0
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 32
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("archive.sqlite3*"))
    listed = runner.invoke(args=["token", "list", "--json"])
    (token,) = json.loads(listed.stdout)["tokens"]
    assert (token["name"], token["scope"], token["used_on"], token["revoked_at"]) == (
        "legal desk", "takedown", None, None,
    )  # fmt: skip
    assert secret not in listed.output
    assert "used never  legal desk" in runner.invoke(args=["token", "list"]).output
    assert runner.invoke(args=["token", "revoke", "1"]).output == "token 1 revoked\n"
    assert services.tokens.holder(secret) == "revoked"
    assert runner.invoke(args=["token", "revoke", "1"]).exit_code == 1
    assert runner.invoke(args=["token", "create", "--scope", "all", "--name", "x"]).exit_code == 2
    assert runner.invoke(args=["token", "create", "--scope", "takedown", "--name", " "]).exit_code == 2
    services.close()
