"""Requests in the log: one event each, without what they asked for or who asked, and with its id where it failed."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.errors import ArchiveDamaged
from archive.journal import FIELDS, JsonLines
from web import create_app
from web.crew import Overloaded
from web.services import Services
from web.settings import Settings


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def events(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [dict(getattr(record, FIELDS)) for record in log.records if hasattr(record, FIELDS)]


def lines(log: pytest.LogCaptureFixture) -> str:
    return "\n".join(JsonLines().format(record) for record in log.records)


def ask(client: FlaskClient, path: str, method: str = "GET", **given: Any) -> Any:  # noqa: ANN401
    with client.open(path, method=method, **given) as answer:
        answer.get_data()
        return answer


def test_a_request_is_one_event_with_what_it_was_and_how_long_it_took(
    client: FlaskClient, log: pytest.LogCaptureFixture
) -> None:
    answer = ask(client, f"/api/articles/{newsroom.ORDINARY[0].id}")
    (event,) = events(log)
    assert event.pop("ms") >= 0
    assert event == {
        "event": "request",
        "id": answer.headers["X-Request-ID"],
        "method": "GET",
        "path": f"/api/articles/{newsroom.ORDINARY[0].id}",
        "route": "/api/articles/<article_id>",
        "status": 200,
    }


def test_neither_query_nor_reader_nor_headers_are_told(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    given = {"User-Agent": "zebra/1", "Referer": "https://zebra.example", "X-Forwarded-For": "203.0.113.9",
             "Authorization": "Bearer zebra", "Cookie": "zebra=1"}  # fmt: skip
    for path in ("/search?q=zebra", "/api/search?q=zebra&source=zebra", "/search?page=zebra", "/nothing?zebra=1"):
        ask(client, path, headers=given, environ_base={"REMOTE_ADDR": "198.51.100.7"})
    ask(client, "/api/related", "POST", json={"text": "zebra " * 50})
    assert len(events(log)) == 5
    for secret in ("zebra", "203.0.113.9", "198.51.100.7"):
        assert secret not in lines(log)


@pytest.mark.parametrize("sent", ["/a\n{}", "/\x1b[31m", "/\u202e", "/%0d%0aSet-Cookie:%20a=b", "/" + "x" * 3000])
def test_a_hostile_path_is_one_harmless_line(client: FlaskClient, log: pytest.LogCaptureFixture, sent: str) -> None:
    assert ask(client, sent).status_code == 404
    (event,) = events(log)
    assert event["route"] == "other"
    assert len(event["path"]) <= 500
    assert lines(log).isascii()
    assert lines(log).isprintable()


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("0a1b2c3d-4e5f", True),
        ("A" * 64, True),
        ("A" * 65, False),
        ("short", False),
        ("<script>alert(1)", False),
        ("a b c d e f g h", False),
        ("ünïcödé-id", False),
    ],
)
def test_an_id_that_comes_with_a_request_is_kept_when_it_is_harmless(
    client: FlaskClient, log: pytest.LogCaptureFixture, given: str, is_kept: bool
) -> None:
    answer = ask(client, "/api/stats", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) == is_kept
    assert events(log)[0]["id"] == answer.headers["X-Request-ID"]
    assert given in lines(log) or not is_kept


def test_ids_differ(client: FlaskClient) -> None:
    assert len({ask(client, "/healthz").headers["X-Request-ID"] for _ in range(20)}) == 20


class Broken(Services):
    failure: Exception

    @property
    def store(self) -> Any:  # noqa: ANN401 -- never returns
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "status", "level"),
    [
        (RuntimeError("secret /srv/path\nforged"), 500, logging.ERROR),
        (ArchiveDamaged("secret /srv/path"), 503, logging.ERROR),
        (Overloaded(), 503, logging.WARNING),
    ],
)
@pytest.mark.parametrize("path", ["/api/articles/x", "/articles/x", "/search.atom?q=x"])
def test_what_fails_is_one_event_with_its_traceback_and_the_id_that_was_told(
    tmp_path: Path, log: pytest.LogCaptureFixture, failure: Exception, status: int, level: int, path: str
) -> None:
    broken = Broken(Settings(data=tmp_path))
    broken.failure = failure
    answer = ask(create_app(services=broken).test_client(), path)
    assert answer.status_code == status
    (event,) = events(log)
    (record,) = [record for record in log.records if hasattr(record, FIELDS)]
    assert (event["status"], record.levelno) == (status, level)
    assert event["id"] == answer.headers["X-Request-ID"]
    is_named = answer.mimetype == "application/problem+json" and not isinstance(failure, Overloaded)
    assert not is_named or answer.get_json()["error_id"] == event["id"]
    assert "secret" not in answer.text
    others = [each for each in log.records if each is not record and each.levelno >= logging.ERROR]
    assert others == []
    told = json.loads(JsonLines().format(record))
    assert ("exception" in told) == (level == logging.ERROR)
    assert str(failure) in told.get("exception", "")


def test_what_fails_while_it_is_sent_is_told_as_well(app: Flask, log: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    other = create_app(services=services)

    @other.get("/breaks")
    def breaks() -> Iterator[str]:
        yield "begun"
        raise ZeroDivisionError("on the way")

    with pytest.raises(ZeroDivisionError):
        ask(other.test_client(), "/breaks")
    (event,) = events(log)
    assert event["status"] == 500
    assert "on the way" in lines(log)
    services.close()


def test_the_probes_of_machines_are_told_of_only_when_something_is_wrong(
    client: FlaskClient, log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(client, path).status_code == 200
    assert events(log) == []
    broken = Broken(Settings(data=tmp_path))
    broken.failure = ArchiveDamaged("gone")
    assert ask(create_app(services=broken).test_client(), "/readyz").status_code == 503
    assert [event["status"] for event in events(log)] == [503]
