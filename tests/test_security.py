"""The headers on every answer of every route, and what other sites' pages may read."""

from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from every_route import Followed, changes, follow, questions
from flask import Flask
from flask.testing import FlaskClient

from web import create_app
from web.oembed import FRAMED_POLICY
from web.security import DATA_POLICY, EMBEDDED, HEADERS, KEPT_BY_NOBODY, LENT, POLICY
from web.services import Services
from web.settings import Settings

ELSEWHERE = {"Origin": "https://elsewhere.example"}
PREFLIGHT = {**ELSEWHERE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data"), robots="allow") as app:
        yield app


@pytest.fixture(scope="module")
def followed(services: Services) -> Followed:
    return follow(services)


@pytest.fixture(scope="module")
def addresses(app: Flask, services: Services, followed: Followed) -> list[tuple[str, str]]:
    """Every route that is read, and what answers with an error, each by its endpoint."""
    refused = [
        ("", "/nothing"), ("", "/api/nothing"), ("", "/search/"), ("pages.search", "/search?page=x"),
        ("api.search", "/api/search?page=x"), ("pages.article", f"/articles/{newsroom.WITHDRAWN.id}"),
        ("static", "/static/none.js"), ("saved.shown", "/saved/none"), ("oembed.oembed", "/oembed"),
    ]  # fmt: skip
    return [
        *((rule.endpoint, address) for rule, address in questions(app, services, followed)),
        *refused,
    ]


def test_every_answer_of_every_route_carries_the_headers(app: Flask, addresses: list[tuple[str, str]]) -> None:
    client = app.test_client()
    for endpoint, address in addresses:
        with client.get(address) as answer:
            told = {name: answer.headers.get(name) for name in HEADERS}
            policy = answer.headers["Content-Security-Policy"]
            kept = answer.headers.get("ETag")
        expected = dict(HEADERS)
        if address.startswith(("/saved", "/alerts")):
            expected["Referrer-Policy"] = KEPT_BY_NOBODY["Referrer-Policy"]
        if endpoint in LENT:
            expected["Cross-Origin-Resource-Policy"] = "cross-origin"
        assert told == expected, address
        assert "unsafe" not in policy, address
        assert "frame-ancestors 'none'" in policy or (endpoint.startswith("oembed.") and policy == FRAMED_POLICY)
        if kept:  # what is kept keeps its policy, and is told all the rest again
            with client.get(address, headers={"If-None-Match": kept}) as answer:
                assert answer.status_code == 304
                assert {name: answer.headers.get(name) for name in HEADERS} == expected, address
                assert answer.headers.get("Content-Security-Policy") in {None, policy}


def test_a_page_has_the_policy_of_pages_and_whatever_else_can_run_nothing(client: FlaskClient) -> None:
    assert POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert DATA_POLICY.endswith("; sandbox")
    for path, policy in (
        ("/search?q=flood", POLICY),
        ("/nothing", POLICY),
        ("/api/search?q=flood", DATA_POLICY),
        ("/api/nothing", DATA_POLICY),
        ("/search.atom?q=flood", DATA_POLICY),
        ("/search.csv?q=flood", DATA_POLICY),
        ("/opensearch.xml", DATA_POLICY),
        ("/static/favicon.svg", DATA_POLICY),
    ):
        with client.get(path) as answer:
            assert answer.headers["Content-Security-Policy"] == policy, path


def test_an_answer_to_what_is_sent_carries_the_headers_too(app: Flask, services: Services, followed: Followed) -> None:
    client = app.test_client()
    for rule, method, address in changes(app, services, followed):
        if rule.endpoint == "saved.delete":
            continue
        answer = client.open(address, method=method)
        for name in ("X-Content-Type-Options", "Permissions-Policy", "Cross-Origin-Opener-Policy"):
            assert answer.headers[name] == HEADERS[name], rule.rule
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], rule.rule


def test_every_answer_with_text_says_its_character_set(app: Flask, addresses: list[tuple[str, str]]) -> None:
    client = app.test_client()
    for _, address in addresses:
        with client.get(address) as answer:
            told = answer.headers["Content-Type"]
        by_standard = told.startswith("application/") and ("json" in told or "xml" in told)  # UTF-8, RFC 8259 and XML
        assert "charset=utf-8" in told.lower() or by_standard or told == "image/svg+xml", (address, told)


def test_only_what_is_embedded_may_be_read_by_other_sites_pages(app: Flask, addresses: list[tuple[str, str]]) -> None:
    client = app.test_client()
    open_ = set()
    for endpoint, address in addresses:
        with client.get(address, headers=ELSEWHERE) as answer:
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "Set-Cookie" not in answer.headers
            if (allowed := answer.headers.get("Access-Control-Allow-Origin")) is not None:
                assert allowed == "*"
                open_.add(endpoint)
    assert open_ == EMBEDDED - {"related.draft"}


def test_leave_is_given_beforehand_for_a_draft_alone(app: Flask, services: Services, followed: Followed) -> None:
    client = app.test_client()
    given = set()
    for rule, method, address in changes(app, services, followed):
        asked = {**PREFLIGHT, "Access-Control-Request-Method": method}
        with client.options(address, headers=asked) as answer:
            allowed = answer.headers.get("Access-Control-Allow-Methods")
        if allowed:
            assert (allowed, answer.headers["Access-Control-Allow-Headers"]) == ("POST", "Content-Type")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            given.add(f"{method} {rule.rule}")
    assert given == {"POST /api/related"}
    for _, address in questions(app, services, followed):
        with client.options(address, headers=PREFLIGHT) as answer:
            assert ("Access-Control-Allow-Methods" in answer.headers) == address.startswith("/api/related?")
    answer = client.post("/api/related", json={"text": "flood"}, headers=ELSEWHERE)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("site_url", "told"),
    [("https://archive.example.org", "max-age=31536000"), ("http://archive.example.org", None), (None, None)],
)
def test_browsers_are_told_to_come_by_https_where_that_is_the_site_s_address(
    tmp_path: Path, site_url: str | None, told: str | None
) -> None:
    services = Services(Settings(data=tmp_path, site_url=site_url), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=services).test_client()
    for path in ("/", "/api/search", "/nothing", "/static/backfile.css"):
        with client.get(path) as answer:
            assert answer.headers.get("Strict-Transport-Security") == told
    services.close()
