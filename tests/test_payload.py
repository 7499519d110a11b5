import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from archive.article import Article
from index.search import (
    Facets,
    FacetValue,
    LegScore,
    Month,
    Result,
    SearchRequest,
    SearchResponse,
    Snippet,
)
from web.params import SearchUrls
from web.payload import explained_result, instant, page_links, search_object

URLS = SearchUrls(path="/api/search")
ARTICLE = Article(
    id="00000000000000a1",
    title="River rises again",
    body="The river rose.",
    url="https://ledger.example/river",
    source="The Ledger",
    section="Weather",
    authors=("Ada Quill",),
    language="en",
    published_at=datetime(2025, 2, 13, 9, tzinfo=UTC),
)
RESULT = Result(
    article=ARTICLE,
    score=0.83,
    snippet=Snippet("The river rose.", ((4, 9),)),
    keyword=LegScore(3, 11.2, 0.5),
    semantic=LegScore(None, 0.71, 0.5),
)
RESPONSE = SearchResponse(
    request=SearchRequest(query="river", page=2),
    results=[RESULT],
    total=42,
    complete=True,
    facets=Facets(
        source=[FacetValue(value="The Ledger", count=12)],
        published=[Month(start=date(2025, 2, 1), end=date(2025, 2, 28), count=9)],
    ),
    generation=7,
    degraded=False,
    took_ms=3.14159,
)


def test_a_search_is_written_exactly_as_the_contract_says() -> None:
    assert search_object(RESPONSE, urls=URLS) == {
        "query": "river",
        "mode": "hybrid",
        "total": {"value": 42, "relation": "eq"},
        "took_ms": 3.1,
        "generation": 7,
        "degraded": False,
        "page": 2,
        "page_size": 10,
        "suggestion": None,
        "results": [
            {
                "id": "00000000000000a1",
                "url": "https://ledger.example/river",
                "title": "River rises again",
                "source": "The Ledger",
                "section": "Weather",
                "authors": ["Ada Quill"],
                "language": "en",
                "published_at": "2025-02-13T09:00:00Z",
                "score": 0.83,
                "snippet": {"text": "The river rose.", "highlights": [[4, 9]]},
                "links": {
                    "self": "/api/articles/00000000000000a1",
                    "page": "/articles/00000000000000a1",
                    "related": "/api/articles/00000000000000a1/related",
                },
            }
        ],
        "facets": {
            "source": [{"value": "The Ledger", "count": 12}],
            "section": [],
            "author": [],
            "language": [],
            "published": [{"from": "2025-02-01", "to": "2025-02-28", "count": 9}],
        },
        "links": {
            "self": "/api/search?q=river&page=2",
            "next": "/api/search?q=river&page=3",
            "prev": "/api/search?q=river",
        },
    }


def test_an_explained_result_says_how_each_leg_saw_it() -> None:
    assert explained_result(RESULT)["explain"] == {
        "keyword": {"rank": 3, "score": 11.2, "weight": 0.5},
        "semantic": {"rank": None, "score": 0.71, "weight": 0.5},
    }


def test_keys_stand_in_the_order_of_the_contract() -> None:
    written = search_object(RESPONSE, urls=URLS, describe=explained_result)
    assert list(written)[:3] == ["query", "mode", "total"]
    assert list(explained_result(RESULT))[-3:] == ["snippet", "explain", "links"]
    json.dumps(written, allow_nan=False)


def test_a_total_that_may_be_larger_says_so() -> None:
    assert search_object(replace(RESPONSE, complete=False), urls=URLS)["total"] == {"value": 42, "relation": "gte"}


@pytest.mark.parametrize(
    ("page", "total", "next_page", "prev_page"),
    [
        (1, 10, None, None),
        (1, 11, "2", None),
        (2, 20, None, "1"),
        (2, 21, "3", "1"),
        (9, 21, None, "3"),
        (2, 0, None, "1"),
    ],
)
def test_paging_ends_where_the_results_end(page: int, total: int, next_page: str | None, prev_page: str | None) -> None:
    links = page_links(replace(RESPONSE, request=SearchRequest(query="x", page=page), total=total), URLS)

    def page_of(url: str | None) -> str | None:
        return None if url is None else (url.partition("page=")[2] or "1")

    assert (page_of(links["next"]), page_of(links["prev"])) == (next_page, prev_page)


def test_times_are_written_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert instant(datetime(1969, 7, 21, 8, 26, 15, 999, tzinfo=east)) == "1969-07-21T02:56:15Z"
    assert instant(None) is None
