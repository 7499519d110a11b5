"""Who may ask for how much, and who is who behind a proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.buckets import Buckets
from web.rates import DEAR, FREE

STRANGER = "192.0.2.7"


class Site:
    """A site with a clock of its own, asked by clients with addresses."""

    def __init__(self, client: FlaskClient, services: object) -> None:
        self.client = client
        self.now = 0.0
        services.made["buckets"] = Buckets(clock=lambda: self.now)  # type: ignore[attr-defined]

    def ask(self, path: str = "/api/stats", *, by: str = STRANGER, method: str = "GET", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, headers=named, environ_overrides={"REMOTE_ADDR": by})


@contextmanager
def site(folder: Path, **settings: object) -> Iterator[Site]:
    with newsroom.application(folder, **settings) as app, app.test_client() as client:
        yield Site(client, app.extensions["backfile"])


def passing(here: Site, most: int = 100, **asked: str) -> int:
    """Return how many requests pass until one does not."""
    for count in range(most):
        if here.ask(**asked).status_code == 429:  # type: ignore[arg-type]
            return count
    return most


def test_a_client_may_ask_for_so_many_at_once_and_as_many_a_second_as_is_set(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=2) as here:
        assert passing(here) == 12
        assert passing(here, by="192.0.2.8") == 12, "another client is another client"
        here.now += 1
        assert passing(here) == 2


def test_a_program_that_asks_too_much_is_told_when_to_come_back_and_how_much_is_left(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1) as here:
        first = here.ask()
        assert first.headers["RateLimit-Policy"] == '"client";q=6;w=6'
        assert first.headers["RateLimit"] == '"client";r=5;t=1'
        passing(here)
        answer = here.ask()
        assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
        assert answer.headers["Retry-After"] == "1"
        assert answer.headers["RateLimit"] == '"client";r=0;t=6'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json["title"] == "Too Many Requests"


def test_a_reader_who_asks_too_much_gets_a_page(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1) as here:
        passing(here)
        answer = here.ask("/search?q=flood")
        assert (answer.status_code, answer.mimetype) == (429, "text/html")
        assert "Too many requests" in answer.text


def test_what_is_dear_and_what_changes_something_takes_more(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=10) as here:
        asked = (("/search.csv?q=a", "GET"), ("/api/related", "POST"), ("/api/articles/1", "DELETE"))
        for number, (path, method) in enumerate(asked):
            by = f"198.51.100.{number}"
            assert passing(here, path=path, method=method, by=by) == 60 // DEAR


def test_health_and_static_files_cost_nothing_and_every_free_endpoint_is_one(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1) as here:
        passing(here)
        for path in (
            "/healthz",
            "/readyz",
            "/static/backfile.css",
            "/robots.txt",
            "/opensearch.xml",
            "/api/openapi.json",
        ):
            assert here.ask(path).status_code == 200
            assert "RateLimit" not in here.ask(path).headers
        known = {rule.endpoint for rule in here.client.application.url_map.iter_rules()}
        assert known >= FREE


def test_nothing_is_counted_where_that_is_switched_off(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=0) as here:
        assert passing(here, most=100) == 100
        assert "RateLimit" not in here.ask().headers


@pytest.mark.parametrize("by", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""])
def test_who_may_be_a_proxy_for_everybody_is_not_limited(tmp_path: Path, by: str) -> None:
    with site(tmp_path, rate_limit=1) as here:
        assert passing(here, most=20, by=by) == 20


def test_all_addresses_of_a_network_of_ipv6_are_one_client(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1) as here:
        assert passing(here, by="2001:db8:1:2::1") == 6
        assert here.ask(by="2001:db8:1:2:ffff::9").status_code == 429
        assert here.ask(by="2001:db8:1:3::1").status_code == 200
        assert passing(here, by="::ffff:203.0.113.5") == 6
        assert here.ask(by="203.0.113.5").status_code == 429, "an IPv4 address is the same in either form"


def test_without_proxies_nobody_s_word_is_taken_on_who_asks(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1) as here:
        for number in range(6):
            here.ask(X_Forwarded_For=f"203.0.113.{number}", Forwarded="for=203.0.113.9", X_Real_IP="203.0.113.8")
        assert here.ask(X_Forwarded_For="203.0.113.77").status_code == 429


@pytest.mark.parametrize(
    ("hops", "forged", "own"),
    [(1, "203.0.113.{}, 198.51.100.1", "198.51.100.1"), (2, "203.0.113.{}, 198.51.100.1, 10.0.0.2", "198.51.100.1")],
)
def test_of_so_many_proxies_the_outermost_says_who_asks_and_nobody_before_it(
    tmp_path: Path, hops: int, forged: str, own: str
) -> None:
    with site(tmp_path, rate_limit=1, proxy_hops=hops) as here:
        for number in range(6):
            assert here.ask(by="127.0.0.1", X_Forwarded_For=forged.format(number)).status_code == 200
        assert here.ask(by="127.0.0.1", X_Forwarded_For=forged.format(9)).status_code == 429
        ours = ", ".join([own, "10.0.0.2"][:hops])
        assert here.ask(by="127.0.0.1", X_Forwarded_For=ours).status_code == 429
        other = ", ".join(["198.51.100.2", "10.0.0.2"][:hops])
        assert here.ask(by="127.0.0.1", X_Forwarded_For=other).status_code == 200


def test_a_chain_shorter_than_it_should_be_is_not_believed(tmp_path: Path) -> None:
    with site(tmp_path, rate_limit=1, proxy_hops=2) as here:
        assert passing(here, by=STRANGER, X_Forwarded_For="203.0.113.1") == 6
        assert here.ask(by=STRANGER, X_Forwarded_For="203.0.113.2").status_code == 429


def test_the_scheme_is_the_proxy_s_and_the_host_never_a_forwarded_one(tmp_path: Path) -> None:
    with site(tmp_path, proxy_hops=1, robots="allow") as here:
        answer = here.ask("/robots.txt", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example")
        assert "https://localhost/sitemap.xml" in answer.text
    with site(tmp_path / "other", robots="allow") as here:
        answer = here.ask("/robots.txt", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example")
        assert "http://localhost/sitemap.xml" in answer.text
