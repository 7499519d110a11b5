import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from archive.story import StorySize
from index.engine import TermEvidence
from index.facets import Facets, FacetValue, Period
from index.folding import Copies
from index.results import LegScore, Result
from index.search import SearchRequest, SearchResponse
from index.snippet import Excerpt
from web.params import MAX_PAGE, SearchUrls
from web.payload import Json, explained_result, facets_object, instant, page_links, result_object, search_object

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
    snippet=Excerpt("The river rose.", ((4, 9),), (0, 15)),
    keyword=LegScore(3, 11.2, 0.5, 0.41),
    semantic=LegScore(None, 0.71, 0.5, 0.4),
    parts={"recency": 0.02},
    terms=(TermEvidence("river", 1, 4, 10.8), TermEvidence("delta", 0, 1, 0.4)),
    copies=Copies(count=3, ids=("b", "c", "d"), origin="c"),
    story=StorySize(4, 12, 5),
    probability=0.912345,
    sentence="The river rose.",
)
CURSOR = "0123456789abcdef"
RESPONSE = SearchResponse(
    request=SearchRequest(query="river", page=2),
    results=[RESULT],
    total=42,
    folded=4,
    complete=True,
    relaxed=True,
    by_meaning_alone=False,
    doubtful=False,
    no_good_match=False,
    suggestion="rivers",
    facets=Facets(
        source=[FacetValue(value="The Ledger", count=40), FacetValue(value=None, count=2)],
        published=[
            Period(start=date(2025, 2, 1), end=date(2025, 2, 28), count=39),
            Period(start=None, end=None, count=3),
        ],
    ),
    cursor=f"{CURSOR}-20",
    generation=7,
    degraded=False,
    took_ms=3.14159,
)


def written_of(response: SearchResponse, describe: Callable[[Result], Json]) -> Json:
    """Return an answer with everything that belongs to it."""
    links, facets = page_links(response, URLS), facets_object(response.facets)
    return search_object(response, links=links, facets=facets, describe=describe)


def test_a_search_is_written_exactly_as_the_contract_says() -> None:
    assert written_of(RESPONSE, result_object) == {
        "query": "river",
        "mode": "hybrid",
        "total": {"value": 42, "relation": "eq"},
        "folded": 4,
        "took_ms": 3.1,
        "generation": 7,
        "degraded": False,
        "page": 2,
        "page_size": 10,
        "suggestion": "rivers",
        "relaxed": True,
        "no_good_match": False,
        "cursor": "0123456789abcdef-20",
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
                "probability": 0.9123,
                "snippet": {"text": "The river rose.", "highlights": [[4, 9]], "sentence": [0, 15]},
                "copies": {"count": 3, "ids": ["b", "c", "d"], "origin": "c"},
                "story": {"id": 4, "articles": 12, "links": {"self": "/api/stories/4", "page": "/stories/4"}},
                "links": {
                    "self": "/api/articles/00000000000000a1",
                    "page": "/articles/00000000000000a1",
                    "related": "/api/articles/00000000000000a1/related",
                },
            }
        ],
        "facets": {
            "source": [{"value": "The Ledger", "count": 40}, {"value": None, "count": 2}],
            "section": [],
            "author": [],
            "language": [],
            "published": [
                {"from": "2025-02-01", "to": "2025-02-28", "count": 39},
                {"from": None, "to": None, "count": 3},
            ],
        },
        "links": {
            "self": "/api/search?q=river&page=2",
            "next": "/api/search?q=river&page=3",
            "prev": "/api/search?q=river",
        },
    }


def test_an_explained_result_says_what_its_score_is_made_of() -> None:
    assert explained_result(RESULT)["explain"] == {
        "keyword": {
            "rank": 3,
            "score": 11.2,
            "weight": 0.5,
            "part": 0.41,
            "terms": [
                {"text": "river", "title": 1, "body": 4, "score": 10.8},
                {"text": "delta", "title": 0, "body": 1, "score": 0.4},
            ],
        },
        "semantic": {"rank": None, "score": 0.71, "weight": 0.5, "part": 0.4, "sentence": "The river rose."},
        "recency": {"part": 0.02},
        "probability": 0.9123,
    }


parts = st.floats(0, 2, allow_nan=False)


@given(parts, parts, st.dictionaries(st.sampled_from(["recency", "feedback", "other"]), parts))
def test_parts_as_written_add_up_to_the_score_as_written(
    keyword: float, semantic: float, others: dict[str, float]
) -> None:
    result = replace(
        RESULT,
        score=keyword + semantic + sum(others.values()),
        keyword=LegScore(1, 1.0, 0.5, keyword),
        semantic=LegScore(1, 1.0, 0.5, semantic),
        parts=others,
    )
    written = json.loads(json.dumps(explained_result(result)))
    reasons = [reason for reason in written["explain"].values() if isinstance(reason, dict)]
    assert sum(reason["part"] for reason in reasons) == pytest.approx(written["score"], abs=1e-6, rel=0)


def test_what_is_not_known_is_null() -> None:
    bare = replace(
        RESULT,
        copies=None,
        story=None,
        probability=None,
        sentence=None,
        snippet=Excerpt("The river rose."),
        keyword=LegScore(None, None, 0.0),
    )
    written = explained_result(bare)
    assert (written["copies"], written["story"], written["probability"]) == (None, None, None)
    assert written["snippet"] == {"text": "The river rose.", "highlights": [], "sentence": None}
    explanation = written["explain"]
    assert isinstance(explanation, dict)
    assert explanation["probability"] is None
    assert explanation["semantic"]["sentence"] is None
    assert (explanation["keyword"]["rank"], explanation["keyword"]["score"]) == (None, None)


def test_keys_stand_in_the_order_of_the_contract() -> None:
    written = written_of(RESPONSE, explained_result)
    assert list(written)[:3] == ["query", "mode", "total"]
    assert set(result_object(RESULT)) == set(explained_result(RESULT)) - {"explain"}
    assert list(explained_result(RESULT))[-4:] == ["copies", "story", "explain", "links"]
    json.dumps(written, allow_nan=False)


def test_a_total_that_may_be_larger_says_so() -> None:
    at_least = replace(RESPONSE, complete=False)
    assert written_of(at_least, result_object)["total"] == {"value": 42, "relation": "gte"}


def after(url: str | None, name: str) -> str | None:
    """Return one parameter of a URL; None when it is not there."""
    return dict(parse_qsl((url or "").partition("?")[2])).get(name)


@pytest.mark.parametrize(
    ("page", "total", "next_page", "prev_page"),
    [
        (1, 10, None, None),
        (1, 11, "2", None),
        (2, 20, None, ""),
        (2, 21, "3", ""),
        (3, 21, None, "2"),
        (9, 21, None, "3"),
        (2, 0, None, ""),
    ],
)
def test_paging_by_number_ends_where_the_results_end(
    page: int, total: int, next_page: str | None, prev_page: str | None
) -> None:
    found = replace(
        RESPONSE,
        request=SearchRequest(query="x", page=page),
        folded=4,
        total=total + 4,
        results=[RESULT] if (page - 1) * 10 < total else [],
        cursor=f"{CURSOR}-{page * 10}" if page * 10 < total else None,
    )
    links = page_links(found, URLS)
    assert after(links["next"], "page") == next_page
    assert links["prev"] == {None: None, "": "/api/search?q=x"}.get(prev_page, f"/api/search?q=x&page={prev_page}")


@pytest.mark.parametrize(
    ("start", "size", "total", "next_start", "prev_start"),
    [
        (0, 10, 42, 10, None),
        (10, 10, 42, 20, 0),
        (40, 10, 42, None, 30),
        (5, 10, 42, 15, 0),
        (900, 10, 42, None, 40),
        (900, 10, 40, None, 30),
        (900, 10, 0, None, 0),
    ],
)
def test_paging_by_cursor_goes_on_by_cursor(
    start: int, size: int, total: int, next_start: int | None, prev_start: int | None
) -> None:
    found = replace(
        RESPONSE,
        request=SearchRequest(query="x", page=start // size + 1, page_size=size, cursor=f"{CURSOR}-{start}"),
        folded=4,
        total=total + 4,
        results=[RESULT] if start < total else [],
        cursor=None if next_start is None else f"{CURSOR}-{next_start}",
    )
    links = page_links(found, URLS)
    assert links["self"] == f"/api/search?q=x&cursor={CURSOR}-{start}"
    assert after(links["next"], "cursor") == (None if next_start is None else f"{CURSOR}-{next_start}")
    assert after(links["prev"], "cursor") == (None if prev_start is None else f"{CURSOR}-{prev_start}")
    assert after(links["next"], "page") is after(links["prev"], "page") is None


def test_withdrawals_that_shorten_the_total_do_not_send_the_reader_back_to_the_start() -> None:
    found = replace(RESPONSE, request=SearchRequest(query="x", page=5), total=12, folded=0)
    assert page_links(found, URLS)["prev"] == "/api/search?q=x&page=4"


def test_beyond_the_highest_page_number_paging_goes_on_by_cursor() -> None:
    far = replace(RESPONSE, request=SearchRequest(page=MAX_PAGE, page_size=1), cursor=f"{CURSOR}-{MAX_PAGE}")
    assert after(page_links(far, URLS)["next"], "cursor") == f"{CURSOR}-{MAX_PAGE}"
    assert after(page_links(far, URLS)["prev"], "page") == str(MAX_PAGE - 1)


def test_times_are_written_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    assert instant(datetime(1969, 7, 21, 8, 26, 15, 999, tzinfo=east)) == "1969-07-21T02:56:15Z"
    assert instant(None) is None
