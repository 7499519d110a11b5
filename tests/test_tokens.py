"""Tokens: how long they hold, what is kept of them and of those who are refused, and what the audit shows."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from newsroom import Clock, MeaningEmbedder, article

from archive.store import Store
from archive.tokens import FORGIVEN_AFTER, MOST_FAILURES, Token, Tokens
from web import create_app
from web.services import Services
from web.settings import Settings

START = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def tokens(tmp_path: Path, clock: Clock) -> Iterator[Tokens]:
    store = Store(tmp_path / "archive.sqlite3")
    yield Tokens(store, clock=clock)
    store.close()


def test_a_token_holds_until_its_end_and_not_a_moment_longer(tokens: Tokens, clock: Clock) -> None:
    made, secret = tokens.create(name="agency", scope="takedown", days=30)
    assert made.expires_at == datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
    assert tokens.all() == [made]
    clock.now = made.expires_at - timedelta(seconds=1)
    assert isinstance(tokens.holder(secret), Token)
    clock.now = made.expires_at
    assert tokens.holder(secret) == "expired"


def test_a_token_without_an_end_holds_until_it_is_revoked(tokens: Tokens, clock: Clock) -> None:
    made, secret = tokens.create(name="agency", scope="takedown")
    clock.now += timedelta(days=36_500)
    assert isinstance(tokens.holder(secret), Token)
    assert tokens.revoke(made.id)
    assert tokens.holder(secret) == "revoked"


def test_nothing_and_what_is_nearly_a_token_is_none(tokens: Tokens) -> None:
    _, secret = tokens.create(name="agency", scope="takedown")
    assert tokens.holder("") == "none"
    for wrong in (secret[:-1], f"{secret}x", secret.upper(), f" {secret}", "\ud800", secret.removeprefix("bf_")):
        assert tokens.holder(wrong) == "unknown"


def test_every_token_is_compared_in_constant_time(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [tokens.create(name=str(number), scope="takedown")[1] for number in range(3)]
    compared: list[int] = []
    compare = hmac.compare_digest

    def counting(kept: bytes, presented: bytes) -> bool:
        compared.append(len(kept))
        return compare(kept, presented)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    for secret in (*secrets, "bf_wrong"):
        tokens.holder(secret)
    assert compared == [32] * 12, "whichever it is, and where it is none, each hash is compared whole"


def test_refusals_are_summed_by_the_day_and_no_address_is_kept_longer_than_the_lock(
    tokens: Tokens, clock: Clock
) -> None:
    for _ in range(3):
        tokens.note_failure("192.0.2.1", "unknown")
    tokens.note_refusal("scope")
    clock.now += timedelta(days=1)
    tokens.note_failure("192.0.2.2", "none")
    assert tokens.refusals() == [("2026-03-01", "scope", 1), ("2026-03-01", "unknown", 3), ("2026-03-02", "none", 1)]
    clients = [client for (client,) in tokens._store.rows("SELECT client FROM token_failure")]
    assert clients == ["192.0.2.2"]


def test_a_lock_ends_with_the_quarter_of_an_hour_however_often_one_knocks(tokens: Tokens, clock: Clock) -> None:
    for _ in range(MOST_FAILURES + 50):
        tokens.note_failure("192.0.2.1", "none")
    clock.now += timedelta(seconds=FORGIVEN_AFTER - 1)
    assert tokens.locked_out("192.0.2.1") == 1
    clock.now += timedelta(seconds=1)
    assert tokens.locked_out("192.0.2.1") == 0


def test_a_deed_is_noted_with_what_it_did_or_not_at_all(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    services.store.put(article(1))
    token, _ = services.tokens.create(name="legal desk", scope="takedown")

    def note(connection: object, removed: str) -> None:
        services.tokens.note_deed(connection, token, "remove", removed, client="192.0.2.1")  # type: ignore[arg-type]
        raise RuntimeError("the machine was switched off")

    with pytest.raises(RuntimeError):
        services.store.remove(article(1).id, note=note)
    assert (services.tokens.deeds(), services.takedowns.all()) == ([], [])
    assert services.store.live_ids() == [article(1).id]
    services.close()


def test_the_audit_says_who_did_what_when_by_which_token_from_where(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    services.store.put(article(1))
    app = create_app(services=services)
    runner, client = app.test_cli_runner(), app.test_client()
    assert runner.invoke(args=["audit"]).output == "0 events, 0 requests refused\n"
    made = runner.invoke(args=["token", "create", "--scope", "takedown", "--name", "legal desk", "--expires", "90"])
    sent = {"Authorization": f"Bearer {made.stdout.strip()}"}
    address = f"/api/articles/{article(1).id}"
    assert client.delete(address, headers=sent, environ_base={"REMOTE_ADDR": "2001:db8::7"}).status_code == 200
    for _ in range(2):
        assert client.delete(address).status_code == 401
    assert client.delete(address, headers={"Authorization": "Bearer bf_guessed"}).status_code == 401
    runner.invoke(args=["token", "revoke", "1"])
    assert client.delete(address, headers=sent).status_code == 401
    said = runner.invoke(args=["audit"])
    assert said.exit_code == 0
    lines = said.output.splitlines()
    assert [line[21:] for line in lines[:3]] == [
        "token made  token 1 (legal desk)",
        f"remove  token 1 (legal desk)  {article(1).id}  from 2001:db8::7",
        "token revoked  token 1 (legal desk)",
    ]
    assert sorted(line[12:] for line in lines[3:6]) == [
        "refused  1 times with a token that there is not",
        "refused  1 times with one that was revoked",
        "refused  2 times without a token",
    ]
    assert lines[6:] == ["3 events, 4 requests refused"]
    told = json.loads(runner.invoke(args=["audit", "--json"]).stdout)
    assert told["events"][1]["token"] == {"id": 1, "name": "legal desk", "scope": "takedown"}
    assert (told["events"][1]["article_id"], told["events"][1]["client"]) == (article(1).id, "2001:db8::7")
    assert {refusal["why"]: refusal["times"] for refusal in told["refusals"]} == {"none": 2, "unknown": 1, "revoked": 1}
    listed = runner.invoke(args=["token", "list", "--json"])
    assert json.loads(listed.stdout)["tokens"][0]["expires_at"].endswith("Z")
    assert (
        runner.invoke(args=["token", "create", "--scope", "takedown", "--name", "x", "--expires", "0"]).exit_code == 2
    )
    services.close()
