"""Whether it lives and whether it can answer: told apart, cheap, and never behind the searches."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.errors import ArchiveDamaged
from web import create_app
from web.crew import Crew
from web.services import Services
from web.settings import Settings


class Untouchable(Services):
    """Services that nothing may be asked of."""

    @property
    def store(self) -> Any:  # noqa: ANN401 -- never returns
        raise AssertionError("the archive was read")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    services.store.put(newsroom.article(1))
    services.builder.update()
    yield services
    services.close()


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(services=parts).test_client()


def refused(client: FlaskClient) -> str:
    """Return why a server is not ready."""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Retry-After"]) > 0
    return str(json.loads(answer.text)["detail"])


def test_whether_it_lives_is_answered_without_a_look_at_the_archive(tmp_path: Path) -> None:
    client = create_app(services=Untouchable(Settings(data=tmp_path))).test_client()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_ready_when_a_search_is_answered_also_a_poorer_one(parts: Services, client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")
    assert answer.headers["Cache-Control"] == "no-store"
    for file in (parts.settings.data / "index").rglob("manifest.json"):
        file.unlink()
    client.get("/readyz")
    parts.serving.catch_up()
    assert client.get("/readyz").get_json()["degraded"] is True
    assert client.get("/readyz").status_code == 200


def test_it_is_not_ready_until_it_has_warmed_up(parts: Services, client: FlaskClient) -> None:
    asked: list[str] = []
    answer = parts._answer
    parts._answer = lambda: (asked.append(refused(client)), answer())[1]  # type: ignore[method-assign,func-returns-value]
    parts.is_warming = True
    assert "being opened" in refused(client)
    parts.warm_up()
    assert len(asked) == 1, "also while the first query is answered"
    assert client.get("/readyz").status_code == 200


def test_what_cannot_be_warmed_up_is_not_waited_for(tmp_path: Path) -> None:
    broken = Broken(Settings(data=tmp_path))
    broken.is_warming = True
    broken.warm_up()
    assert "cannot be read" in refused(create_app(services=broken).test_client())


class Broken(Services):
    @property
    def store(self) -> Any:  # noqa: ANN401 -- never returns
        raise ArchiveDamaged("secret /srv/path")


def test_it_is_not_ready_once_it_is_told_to_stop_and_lives_on(parts: Services, client: FlaskClient) -> None:
    parts.is_leaving = lambda: True
    assert "being stopped" in refused(client)
    assert client.get("/healthz").status_code == 200
    assert client.get("/api/search?q=flood").status_code == 200


def test_it_is_asked_when_nothing_else_can_be(tmp_path: Path, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it queued")

    monkeypatch.setattr(Crew, "do", refuse)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert app.test_client().get(path).status_code == 200


@pytest.fixture
def app(parts: Services) -> Flask:
    return create_app(services=parts)
