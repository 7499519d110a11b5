"""Turns: who waits for the crew, who does not, and how it is told that there is too much to do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import newsroom
import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient

from web.crew import Crew, Overloaded
from web.services import Services

T = TypeVar("T")
READS = ["/", "/search?q=flood", "/api/search?q=flood", "/api/suggest?q=fl", "/browse", "/status", "/nothing-here"]


class Full(Crew):
    """A crew that has enough to do."""

    def do(self, work: Callable[[], T], *, who: str = "") -> T:
        raise Overloaded


class Noting(Crew):
    """A crew that notes for whom it works, and how many requests are at work then."""

    def __init__(self) -> None:
        super().__init__()
        self.whom: list[str] = []
        self.at_work: list[int] = []

    def do(self, work: Callable[[], T], *, who: str = "") -> T:
        self.whom.append(who)

        def noted() -> T:
            self.at_work.append(self._taken)
            return work()

        return super().do(noted, who=who)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application of its own, as its crew is replaced."""
    with newsroom.application(tmp_path_factory.mktemp("newsroom")) as app:
        yield app


@pytest.fixture
def noting(services: Services) -> Iterator[Noting]:
    services.made["crew"] = noting = Noting()
    yield noting
    noting.close()


@pytest.fixture
def full(services: Services) -> Full:
    services.made["crew"] = full = Full()
    return full


@pytest.mark.parametrize("path", READS)
def test_a_request_is_worked_on_whole_in_one_turn(client: FlaskClient, noting: Noting, path: str) -> None:
    client.get(path, environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    assert noting.whom == ["198.51.100.7"], "one turn, whatever it takes"
    assert noting.at_work == [1]


@pytest.mark.usefixtures("full")
def test_monitors_and_files_take_no_turn(client: FlaskClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/static/backfile.css"):
        assert client.get(path).status_code == 200


@pytest.mark.usefixtures("full")
def test_a_write_that_may_wait_for_another_takes_no_turn_and_a_draft_does(client: FlaskClient) -> None:
    assert client.post("/saved", data={"q": "flood"}).status_code != 503
    assert client.delete("/api/articles/x").status_code == 401
    assert client.post("/api/related", json={"title": "Flood", "text": "Flood"}).status_code == 503


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", READS)
def test_who_is_refused_is_told_when_to_come_back_and_nobody_keeps_that(client: FlaskClient, path: str) -> None:
    for _ in range(2):  # made, and found again
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (answer.mimetype == "application/problem+json") == path.startswith("/api/")


@pytest.mark.usefixtures("full")
def test_a_refusal_is_in_the_language_of_its_reader(client: FlaskClient) -> None:
    for language, words in {"en": "Too many searches", "de": "warten zu viele Suchen", "ar": "عمليات"}.items():
        answer = client.get("/search?q=flood", headers={"Accept-Language": f"{language}, en;q=0.1"})
        assert words in answer.text
        assert answer.headers["Content-Language"] == language


@pytest.mark.usefixtures("full")
def test_a_refusal_says_nothing_of_another_request(client: FlaskClient) -> None:
    client.get("/saved/a-key-to-somebodys-search")
    client.get("/api/articles/0123456789abcdef?x=1")
    for path in ("/search?q=flood", "/api/stats"):
        answer = client.get(path)
        assert "a-key" not in answer.text
        assert "0123456789abcdef" not in answer.text
        assert "instance" not in answer.text


@pytest.mark.usefixtures("full")
def test_a_refused_reader_of_a_saved_search_leaves_its_address_nowhere(client: FlaskClient) -> None:
    assert client.get("/saved/a-key-to-somebodys-search").headers["Referrer-Policy"] == "no-referrer"
    assert client.get("/search?q=flood").headers["Referrer-Policy"] != "no-referrer"


@pytest.mark.usefixtures("full")
def test_other_sites_may_read_a_refusal_of_what_they_may_ask(client: FlaskClient) -> None:
    assert client.get("/api/search?q=flood").headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/api/articles/x/related").headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.get("/api/stats").headers
    assert "Access-Control-Allow-Origin" not in client.get("/api/nothing-here").headers


def test_a_refusal_is_made_once_and_then_no_more(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        newsroom.services_of(app).made["crew"] = Full()
        made: list[object] = []

        def note(sender: object, **told: object) -> None:
            made.append(told["template"])

        with template_rendered.connected_to(note, app):
            for number in range(5):
                assert app.test_client().get(f"/search?q=flood{number}").status_code == 503
        assert len(made) == 1


def test_behind_a_proxy_whose_turn_it_is_goes_by_the_reader(tmp_path_factory: pytest.TempPathFactory) -> None:
    with newsroom.application(tmp_path_factory.mktemp("proxied"), proxy_hops=1) as app:
        noting = newsroom.services_of(app).made["crew"] = Noting()
        for address in ("198.51.100.1", "198.51.100.2"):
            app.test_client().get("/api/stats", headers={"X-Forwarded-For": address})
        assert noting.whom == ["198.51.100.1", "198.51.100.2"]
