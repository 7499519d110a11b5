"""Every error, forced in every kind of route of a real server: the answer tells nothing, and the log one thing."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from breakage import KINDS
from processes import ROOT, Newsroom, server

LEAKS = re.compile(
    r"Traceback|tango|secret|SELECT|FROM version|"
    r"(?i:sqlite|site-packages|\.py\b|apsw|jinja|werkzeug|flask|gunicorn|python)|" + re.escape(str(ROOT)),
)
ERROR_ID = re.compile(r"\b[0-9a-f]{16}\b")
SOON = 5.0  # seconds
FAMILIES = {  # a route of each kind, and what of it may break
    "/": "store index page",
    "/search?q=report": "store index page",
    "/api/search?q=report": "store index",
    "/search.csv?q=report": "store index",
    "/search.atom?q=report": "store index page",
    "/articles/{id}": "store index page",
    "/api/articles/{id}": "store index",
    "/api/articles/{id}/related": "store index",
    "/articles/{id}/cite.bib": "store index",
    "/api/related?url=https://a.example/": "store index",
    "/stories": "store index page",
    "/api/stories": "store index",
    "/browse": "store index page",
    "/api/browse/authors": "store index",
    "/api/suggest?q=rep": "store index",
    "/api/completions?q=rep": "store index",
    "/saved/new?q=report": "store index page",
    "/saved": "page",
    "/status": "store index page",
    "/api/stats": "store index",
    "/sitemap.xml": "store",
    "/embed": "page",
    "/search/syntax": "store index page",
    "/opensearch.xml": "page",
    "/nothing-here": "page",
    "POST /api/related": "store index",
    "POST /saved": "store",
    "DELETE /api/articles/{id}": "store",
}


@dataclass(frozen=True)
class Site:
    address: str
    log: Path
    article_id: str

    def ask(self, route: str, **headers: str) -> tuple[int, str, str]:
        """Return the status, the headers and the body; of an answer that breaks off, as much as came."""
        method, _, path = route.replace("{id}", self.article_id).rpartition(" ")
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=30)
        body = {"POST /saved": "q=report", "POST /api/related": json.dumps({"title": "Report", "text": "Report"})}
        kind = "application/json" if "api" in path else "application/x-www-form-urlencoded"
        try:
            connection.request(
                method or "GET",
                path,
                body=body.get(route),
                headers={"Content-Type": kind, "Authorization": "Bearer bf_x"} | headers,
            )
            answer = connection.getresponse()
            try:
                text = answer.read().decode("utf-8", "replace")
            except HTTPException as broken:
                text = getattr(broken, "partial", b"").decode("utf-8", "replace")
            return answer.status, str(answer.headers), text
        finally:
            connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    room = Newsroom(tmp_path_factory.mktemp("room"))
    room.write("first.jsonl", range(5))
    room.ingest()
    with server(room, app="breaking_wsgi:app") as (address, _):
        here = Site(address, room.folder / "server.log", "")
        found = json.loads(here.ask("/api/search?q=report")[2])
        yield Site(address, here.log, found["results"][0]["id"])


@pytest.mark.parametrize("route", FAMILIES)
def test_whatever_goes_wrong_an_answer_says_nothing_of_it_and_the_log_has_it_once(site: Site, route: str) -> None:
    for part in FAMILIES[route].split():
        for kind in KINDS:
            before = site.log.stat().st_size
            began = time.monotonic()
            status, headers, body = site.ask(route, Break=f"{part} {kind}")
            told = f"{part} {kind}: {status} {body[:300]}"
            assert time.monotonic() - began < SOON, told
            assert not LEAKS.search(headers + body), told
            assert status >= 500 or status in {200, 304, 401, 404}, told
            if status == 500:
                assert "problem+json" in headers or "text/html" in headers, told
            if status in {500, 503} and kind != "Overloaded":
                name = ERROR_ID.search(body.replace(site.article_id, ""))
                assert name, told
                lines = logged(site, before, name[0])
                most = 2 if part == "page" else 1  # where the page of the error cannot be made, that is another one
                assert 1 <= len(lines) <= most, (told, lines)


def logged(site: Site, start: int, told: str) -> list[str]:
    """Return the lines of the log, from a place on, that hold this: it is written when an answer has been sent."""
    deadline = time.monotonic() + SOON
    while True:
        with site.log.open() as log:
            log.seek(start)
            lines = [line for line in log.read().splitlines() if told in line]
        if lines or time.monotonic() > deadline:
            return lines
        time.sleep(0.002)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"Overloaded", "BrokenPipeError"}))  # waited for; the client's
def test_an_export_that_fails_half_way_breaks_off(site: Site, kind: str) -> None:
    before = site.log.stat().st_size
    _, headers, body = site.ask("/search.csv?q=report", Break=f"rows {kind}")
    assert not LEAKS.search(headers + body)
    assert logged(site, before, "rror")


ASKED_WRONGLY = {
    "a method that is not there": ("PATCH /api/search?q=a", {}, 405),
    "a method that nobody knows": ("BREW /", {}, 405),
    "another host": ("/", {"Host": "a b"}, 400),
    "no such page": ("/no/such/page", {}, 404),
    "no such address of the API": ("/api/no-such", {}, 404),
    "bytes that are no text": ("/api/search?q=%ff%fe%00", {}, 200),
    "a path that is no text": ("/articles/%ff%c3%28", {}, 404),
    "a parameter out of bounds": ("/api/search?page=0", {}, 400),
    "a body that is no JSON": ("POST /api/related", {"Content-Encoding": "gzip"}, 200),
    "an id of another form": ("/api/articles/..%2f..%2fetc%2fpasswd", {}, 404),
    "a file outside": ("/static/..%2f..%2fwsgi.py", {}, 404),
    "ranges": ("/static/backfile.css", {"Range": "bytes=99999999-1"}, 200),
}


@pytest.mark.parametrize(("route", "headers", "status"), ASKED_WRONGLY.values(), ids=ASKED_WRONGLY)
def test_what_is_asked_wrongly_is_told_without_a_word_of_how_it_is_made(
    site: Site, route: str, headers: dict[str, str], status: int
) -> None:
    answered, sent, body = site.ask(route, **headers)
    assert answered == status
    assert not LEAKS.search(sent + (body if "static" not in route else ""))


def test_the_server_says_what_it_is_and_not_what_it_is_made_with(site: Site) -> None:
    assert "Server: Backfile" in site.ask("/healthz")[1]
