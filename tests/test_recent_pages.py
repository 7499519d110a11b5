"""A page of results that was made lately is not made again, and is never another's."""

from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.search import SearchRequest, SearchResponse
from web.recent_pages import RecentPages
from web.services import EXTENSION, Services

PAGE = "/search?q=flood"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with newsroom.application(tmp_path) as app:
        yield app


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was searched for."""
    parts: Services = app.extensions[EXTENSION]
    searched: list[str] = []
    search = parts.search.search

    def counted(request: SearchRequest) -> SearchResponse:
        searched.append(request.query)
        return search(request)

    monkeypatch.setattr(parts.search, "search", counted)
    return searched


def test_the_same_page_is_made_once(client: FlaskClient, asked: list[str]) -> None:
    first, again = client.get(PAGE), client.get(PAGE)
    assert asked == ["flood"]
    assert again.data == first.data
    named = "X-Request-ID"  # each request has an id of its own
    assert {**again.headers, named: ""} == {**first.headers, named: ""}
    assert client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_another_language_another_host_and_another_search_have_pages_of_their_own(
    client: FlaskClient, asked: list[str]
) -> None:
    client.get(PAGE)
    assert 'lang="de"' in client.get(PAGE, headers={"Accept-Language": "de"}).text
    assert "https://other.example/" in client.get(PAGE, base_url="https://other.example").text
    client.get(f"{PAGE}&sort=newest")
    assert len(asked) == 4


def test_after_a_change_of_the_archive_the_page_is_made_anew(app: Flask, client: FlaskClient, asked: list[str]) -> None:
    parts: Services = app.extensions[EXTENSION]
    before = client.get(PAGE).text
    first = newsroom.ORDINARY[0]
    assert first.id in before
    parts.store.remove(first.id)
    assert first.id not in client.get(PAGE).text
    assert asked == ["flood", "flood"]


def test_no_more_pages_are_kept_than_there_is_room_for(app: Flask) -> None:
    pages = RecentPages(capacity=2)
    with app.test_request_context(PAGE):
        for tag in ("1-a", "1-b", "1-c"):
            pages.keep(app.make_response(tag), tag, seq=1, site="https://a.example")
        made = [pages.made(tag, site="https://a.example") for tag in ("1-a", "1-b", "1-c")]
        assert [page is not None for page in made] == [False, True, True]
        assert pages.made("1-c", site="https://b.example") is None
        assert pages.made(None, site="https://a.example") is None
