"""Answers as the JSON objects of the public contract; the API and `flask search --json` both write these.

Invariant: names and nesting are frozen. A field may be added; none may be renamed, moved or left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from archive.article import Article
from archive.store import VersionEntry
from index.related import RelatedResponse
from index.search import Facets, FacetValue, LegScore, Result, SearchRequest, SearchResponse
from web.params import SearchUrls

Json = dict[str, object]
SCORE_DIGITS = 6  # beyond that a float32 cosine is noise, and answers would differ between machines


def search_object(
    response: SearchResponse, *, urls: SearchUrls, describe: "Callable[[Result], Json] | None" = None
) -> Json:
    """Return one page of results. `describe` writes one result: `result_object`, or `explained_result`."""
    request = response.request
    return {
        "query": request.query,
        "mode": request.mode,
        "total": {"value": response.total, "relation": "eq" if response.complete else "gte"},
        "took_ms": round(response.took_ms, 1),
        "generation": response.generation,
        "degraded": response.degraded,
        "page": request.page,
        "page_size": request.page_size,
        "suggestion": None,
        "results": [(describe or result_object)(result) for result in response.results],
        "facets": _facets(response.facets),
        "links": page_links(response, urls),
    }


def related_object(related: RelatedResponse) -> Json:
    """Return the related articles of one article; each result says its lane and the reason."""
    return {
        "id": related.article_id,
        "generation": related.generation,
        "degraded": related.degraded,
        "results": [
            {**explained_result(result), "lane": result.lane, "reason": result.reason} for result in related.results
        ],
    }


def result_object(result: Result) -> Json:
    """Return one result without its explanation."""
    article = result.article
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "source": article.source,
        "section": article.section,
        "authors": list(article.authors),
        "language": article.language,
        "published_at": instant(article.published_at),
        "score": round(result.score, SCORE_DIGITS),
        "snippet": {"text": result.snippet.text, "highlights": [list(span) for span in result.snippet.highlights]},
        "links": article_links(article.id),
    }


def explained_result(result: Result) -> Json:
    """Return one result and how each leg scored it."""
    written = result_object(result)
    links = written.pop("links")
    explanation = {"keyword": _leg(result.keyword), "semantic": _leg(result.semantic)}
    return {**written, "explain": explanation, "links": links}


def _leg(leg: LegScore) -> Json:
    score = None if leg.score is None else round(leg.score, SCORE_DIGITS)
    return {"rank": leg.rank, "score": score, "weight": leg.weight}


def _facets(facets: Facets) -> Json:
    return {
        "source": _counts(facets.source),
        "section": _counts(facets.section),
        "author": _counts(facets.author),
        "language": _counts(facets.language),
        "published": [
            {"from": month.start.isoformat(), "to": month.end.isoformat(), "count": month.count}
            for month in facets.published
        ],
    }


def _counts(values: Sequence[FacetValue]) -> list[Json]:
    return [{"value": facet.value, "count": facet.count} for facet in values]


def article_object(article: Article, versions: Sequence[VersionEntry]) -> Json:
    """Return an article with its text and a line for each version."""
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "derived_title": article.derived_title,
        "source": article.source,
        "section": article.section,
        "authors": list(article.authors),
        "language": article.language,
        "published_at": instant(article.published_at),
        "updated_at": instant(article.updated_at),
        "version": article.version,
        "status": article.status,
        "body": article.body,
        "versions": [
            {
                "version": entry.version,
                "title": entry.title,
                "updated_at": instant(entry.updated_at),
                "ingested_at": instant(entry.ingested_at),
            }
            for entry in versions
        ],
        "links": article_links(article.id),
    }


def article_links(article_id: str) -> Json:
    """Return where an article is found: itself as JSON, its page, its related articles."""
    api = f"/api/articles/{article_id}"
    return {"self": api, "page": f"/articles/{article_id}", "related": f"{api}/related"}


def page_links(response: SearchResponse, urls: SearchUrls) -> dict[str, str | None]:
    """Return the URLs of this page, the next and the previous one; None where there is none."""
    request = response.request
    return {
        "self": urls.at(request),
        "next": urls.at(replace(request, page=request.page + 1)) if has_next(response) else None,
        "prev": urls.at(replace(request, page=_page_before(request, response.total))) if request.page > 1 else None,
    }


def has_next(response: SearchResponse) -> bool:
    """Say whether a further page holds results."""
    return response.request.page * response.request.page_size < response.total


def _page_before(request: SearchRequest, total: int) -> int:
    """Return the page before this one that has results: from far beyond the end, that is the last."""
    last = max(1, ceil(total / request.page_size))
    return min(request.page - 1, last)


def instant(moment: datetime | None) -> str | None:
    """Return a time as the contract writes it: UTC, to the second, ending in Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
