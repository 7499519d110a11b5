"""Hybrid search: what the pages, the endpoint and the command call.

Invariant: an index only nominates. Every article that is counted or shown has been read again from the store, and one
answer comes from one generation throughout.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from archive.article import Article, Listing
from archive.store import Store
from index.embedder import Embedder, embed_query
from index.engine import Engine, Span, Vector
from index.errors import ModelMismatch, ModelUnavailable
from index.fusion import WEIGHTS, Fused, Fusion, Method, Weights, fuse
from index.query import AnyOf, Clause, FieldName, FieldValue, Published, Query, matched_words, narrow, parse
from index.serving import Serving
from index.snippet import snippet

log = logging.getLogger(__name__)

DEPTH = 200  # hits fetched per ranking: what paging can reach of a query that matches everything a little
Mode = Literal["hybrid", "keyword", "semantic"]
Sort = Literal["relevance", "newest", "oldest"]
MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is asked: inclusive days in UTC; several values of one filter mean any of them."""

    query: str = ""
    mode: Mode = "hybrid"
    sources: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    sort: Sort = "relevance"
    page: int = 1
    page_size: int = 10


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of the body and the character ranges in it (start, end) that match the query's words."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class LegScore:
    """How one leg saw a result: its place in that leg's ranking (from 1, None when beyond it), raw score, weight."""

    rank: int | None
    score: float | None
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One article found, with why. `lane` and `reason` are set in related articles only."""

    article: Article
    score: float
    snippet: Snippet
    keyword: LegScore
    semantic: LegScore
    lane: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """How many of the found articles have this value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How many of the found articles were published from `start` to `end`, both inclusive."""

    start: date
    end: date
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """Counts over everything found, not over the page shown. Each list: most frequent first; months in order."""

    source: Sequence[FacetValue] = ()
    section: Sequence[FacetValue] = ()
    author: Sequence[FacetValue] = ()
    language: Sequence[FacetValue] = ()
    published: Sequence[Month] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResponse:
    """One page of an answer. `complete` is False when more articles than `total` may match."""

    request: SearchRequest
    results: Sequence[Result]
    total: int
    complete: bool
    facets: Facets
    generation: int | None
    degraded: bool
    took_ms: float


MODE_WEIGHTS: dict[Mode, Weights] = {"hybrid": WEIGHTS, "keyword": (1.0, 0.0), "semantic": (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Everything a query found, best first, with what it was found in."""

    fused: Sequence[Fused]
    weights: Weights
    query: Query
    complete: bool
    generation: int | None
    degraded: bool


class Search:
    """Searches the archive. Safe to use from several threads."""

    def __init__(self, *, store: Store, serving: Serving, embedder: Callable[[], Embedder], fusion: Method) -> None:
        """Take the parts; `embedder` is called when a query first needs an embedding, and loads the model then."""
        self._store = store
        self._serving = serving
        self._embedder = embedder
        self._fusion: Method = fusion

    def search(self, request: SearchRequest) -> SearchResponse:
        """Return one page of what `request` asks for."""
        started = time.perf_counter()
        ranking = self.rank(_query_of(request), mode=request.mode)
        listings = self._store.listings([item.hit.article_id for item in ranking.fused])
        found = [item for item in ranking.fused if item.hit.article_id in listings]
        listed = _sorted(found, listings, sort=request.sort, ranked=bool(ranking.query.text))
        start = (request.page - 1) * request.page_size
        page = listed[start : start + request.page_size]
        articles = self._store.live([item.hit.article_id for item in page])
        words = frozenset(matched_words(ranking.query))
        results = [
            result_of(item, articles[item.hit.article_id], words=words, weights=ranking.weights)
            for item in page
            if item.hit.article_id in articles
        ]
        return SearchResponse(
            request=request,
            results=results,
            total=len(listed),
            complete=ranking.complete,
            facets=facets_of(listings[item.hit.article_id] for item in listed),
            generation=ranking.generation,
            degraded=ranking.degraded,
            took_ms=round((time.perf_counter() - started) * 1000, 1),
        )

    def rank(self, query: Query, *, mode: Mode, depth: int = DEPTH) -> Ranking:
        """Return every candidate for `query`, fused; the store has not been asked about them yet."""
        with self._serving.engine() as (engine, degraded):
            vector, blind = self._vector(engine, query, mode)
            # Without an embedding, meaning cannot be searched: words answer, and the answer says it is degraded.
            effective: Mode = "keyword" if blind else mode
            asked = replace(query, wanted=()) if effective == "semantic" and vector is not None else query
            candidates = engine.candidates(asked, vector, depth=depth)
            generation = engine.generation
        if query.text:
            fusion = fuse(candidates, method=self._fusion, weights=MODE_WEIGHTS[effective])
        else:
            fusion = Fusion([Fused(hit, 0.0, None, None) for hit in candidates.hits], (0.0, 0.0))
        return Ranking(fusion.ranked, fusion.weights, query, candidates.complete, generation, degraded or blind)

    def _vector(self, engine: Engine, query: Query, mode: Mode) -> tuple[Vector | None, bool]:
        """Return the query's vector when the mode wants one, and whether one was wanted but cannot be had."""
        if mode == "keyword" or not query.text:
            return None, False
        if engine.model_sha256 is None:
            return None, True
        try:
            return embed_query(checked_embedder(self._embedder, engine), query.text), False
        except (ModelUnavailable, ModelMismatch) as error:
            log.warning("the semantic leg is off: %s", error)
            return None, True


def checked_embedder(embedder: Callable[[], Embedder], engine: Engine) -> Embedder:
    """Return the embedder when it is the model `engine` has vectors of, else raise ModelMismatch."""
    opened = embedder()
    if opened.sha256 != engine.model_sha256:
        raise ModelMismatch(
            f"generation {engine.generation} holds vectors of another model than {opened.name}: run `flask reindex`"
        )
    return opened


def _query_of(request: SearchRequest) -> Query:
    """Return the request as one query: its filters are clauses like any typed in the box."""
    names: tuple[tuple[FieldName, tuple[str, ...]], ...] = (
        ("source", request.sources),
        ("section", request.sections),
        ("author", request.authors),
        ("language", request.languages),
    )
    clauses: list[Clause] = [
        AnyOf(tuple(FieldValue(name, value) for value in values)) for name, values in names if values
    ]
    if request.date_from or request.date_to:
        start = _midnight(request.date_from) if request.date_from else None
        # date.max has no day after it
        until = request.date_to if request.date_to and request.date_to < date.max else None
        clauses.append(Published(start, _midnight(until + timedelta(days=1)) if until else None))
    return narrow(parse(request.query), *clauses)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _sorted(found: Sequence[Fused], listings: Mapping[str, Listing], *, sort: Sort, ranked: bool) -> list[Fused]:
    """Return `found` in the order asked for; what only filters selected has no relevance and comes newest first."""
    if sort == "relevance" and ranked:
        return list(found)

    def age(item: Fused) -> tuple[bool, float, str]:
        at = listings[item.hit.article_id].published_at
        seconds = at.timestamp() if at else 0.0
        return at is None, seconds if sort == "oldest" else -seconds, item.hit.article_id

    return sorted(found, key=age)


def result_of(item: Fused, article: Article, *, words: frozenset[str], weights: Weights, depth: int = DEPTH) -> Result:
    """Return what is shown of a fused hit: its snippet, and how each leg, asked for `depth` articles, saw it."""
    hit = item.hit
    text, highlights = snippet(article.body, _range(hit.best, article), words=words)
    return Result(
        article=article,
        score=round(item.score, 6),
        snippet=Snippet(text, highlights),
        keyword=LegScore(
            _within(depth, item.keyword_rank), hit.keyword if hit.keyword > 0 else None, round(weights[0], 4)
        ),
        semantic=LegScore(_within(depth, item.semantic_rank), hit.semantic, round(weights[1], 4)),
    )


def _range(span: Span | None, article: Article) -> tuple[int, int] | None:
    """Return the best passage's place in the body; none when the body is no longer the one that was indexed."""
    return (span.start, span.end) if span and span.version == article.version else None


def _within(depth: int, rank: int | None) -> int | None:
    """Return a rank that is exact: beyond the depth, articles the other leg nominated are only some of those there."""
    return rank if rank is not None and rank <= depth else None


def facets_of(listings: Iterable[Listing]) -> Facets:
    """Count the values of each field over `listings`."""
    listed = list(listings)
    months = Counter((a.published_at.year, a.published_at.month) for a in listed if a.published_at)
    return Facets(
        source=_counts(a.source for a in listed),
        section=_counts(a.section for a in listed),
        author=_counts(author for a in listed for author in a.authors),
        language=_counts(a.language for a in listed),
        published=[_month(year, month, count) for (year, month), count in sorted(months.items())],
    )


def _counts(values: Iterable[str | None]) -> list[FacetValue]:
    counted = Counter(value for value in values if value)
    return [
        FacetValue(value=value, count=n) for value, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def _month(year: int, month: int, count: int) -> Month:
    start = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1) if (year, month) != (9999, 12) else None
    return Month(start=start, end=after - timedelta(days=1) if after else date.max, count=count)
