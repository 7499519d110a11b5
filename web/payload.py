"""Answers as the JSON objects of the public contract; the API and `flask search --json` both write these.

It is as long as the contract: whoever wants to know it finds it whole in one file.

Invariant: names and nesting are frozen. A field may be added; none may be renamed, moved or left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil

from archive.article import Article, Rejection
from archive.store import ArchiveStats, VersionEntry
from archive.story import Event, Report
from index.engine import TermEvidence
from index.facets import Facets, FacetValue, Period
from index.folding import Copies
from index.frozen import cursor_of, read_cursor
from index.related import RelatedResponse
from index.results import LegScore, Result
from index.search import SearchRequest, SearchResponse
from index.snippet import Excerpt
from index.stories.reading import Headed, StoryPage, Told
from web.links import outside_link
from web.paging import numbered_links
from web.params import MAX_PAGE, SearchUrls

Json = dict[str, object]
SCORE_DIGITS = 9  # so that the parts of a score, as written, add up to it within a millionth
PROBABILITY_DIGITS = 4


def search_object(
    response: SearchResponse, *, links: Mapping[str, str | None], facets: object, describe: Callable[[Result], Json]
) -> Json:
    """Return one page of results with its `page_links` and its `facets_object`.

    `describe` writes one result: `result_object`, or `explained_result`.
    """
    request = response.request
    return {
        "query": request.query,
        "mode": request.mode,
        "total": {"value": response.total, "relation": "eq" if response.complete else "gte"},
        "folded": response.folded,
        "took_ms": round(response.took_ms, 1),
        "generation": response.generation,
        "degraded": response.degraded,
        "page": request.page,
        "page_size": request.page_size,
        "suggestion": response.suggestion,
        "relaxed": response.relaxed,
        "no_good_match": response.no_good_match,
        "cursor": response.cursor,
        "results": [describe(result) for result in response.results],
        "facets": facets,
        "links": links,
    }


def related_object(related: RelatedResponse) -> Json:
    """Return the related articles of one article; each result says its lane and the reason."""
    return {
        "id": related.article_id,
        "generation": related.generation,
        "degraded": related.degraded,
        "results": [
            {**explained_result(result), "lane": result.lane, "reason": str(result.reason) if result.reason else None}
            for result in related.results
        ],
    }


def result_object(result: Result) -> Json:
    """Return one result without its explanation."""
    return {
        **named_article(result.article),
        "score": _score(result.score),
        "probability": None if result.probability is None else round(result.probability, PROBABILITY_DIGITS),
        "snippet": _snippet(result.snippet),
        "copies": _copies(result.copies),
        "story": _story(result.story.id, result.story.articles) if result.story else None,
        "links": article_links(result.article.id),
    }


def named_article(article: Article) -> Json:
    """Return what every list says of an article."""
    return {
        "id": article.id,
        "url": outside_link(article.url),
        "title": article.title,
        "source": article.source,
        "section": article.section,
        "authors": list(article.authors),
        "language": article.language,
        "published_at": instant(article.published_at),
    }


def explained_result(result: Result) -> Json:
    """Return one result and why it stands where it does: the parts of its score, which add up to it."""
    written = result_object(result)
    links = written.pop("links")
    return {**written, "explain": _explanation(result), "links": links}


def _explanation(result: Result) -> Json:
    return {
        "keyword": {**_leg(result.keyword), "terms": [_term(term) for term in result.terms]},
        "semantic": {**_leg(result.semantic), "sentence": result.sentence},
        **{name: {"part": _score(part)} for name, part in result.parts.items()},
        "probability": None if result.probability is None else round(result.probability, PROBABILITY_DIGITS),
    }


def _leg(leg: LegScore) -> Json:
    score = None if leg.score is None else _score(leg.score)
    return {"rank": leg.rank, "score": score, "weight": _score(leg.weight), "part": _score(leg.part)}


def _term(term: TermEvidence) -> Json:
    return {"text": term.text, "title": term.title, "body": term.body, "score": _score(term.score)}


def _score(score: float) -> float:
    return round(score, SCORE_DIGITS)


def _snippet(snippet: Excerpt) -> Json:
    sentence = None if snippet.sentence is None else list(snippet.sentence)
    return {"text": snippet.text, "highlights": [list(span) for span in snippet.highlights], "sentence": sentence}


def _copies(copies: Copies | None) -> Json | None:
    if copies is None:
        return None
    return {"count": copies.count, "ids": list(copies.ids), "origin": copies.origin}


def _story(story_id: int, articles: int) -> Json:
    return {"id": story_id, "articles": articles, "links": story_links(story_id)}


def facets_object(facets: Facets) -> Json:
    """Return how the articles found spread; `web.writing.facets_written` writes the same at once."""
    return {
        "source": _counts(facets.source),
        "section": _counts(facets.section),
        "author": _counts(facets.author),
        "language": _counts(facets.language),
        "published": [_period(period) for period in facets.published],
    }


def _counts(values: Sequence[FacetValue]) -> list[Json]:
    return [{"value": facet.value, "count": facet.count} for facet in values]


def _period(period: Period) -> Json:
    return {
        "from": period.start.isoformat() if period.start else None,
        "to": period.end.isoformat() if period.end else None,
        "count": period.count,
    }


def article_object(
    article: Article,
    versions: Sequence[VersionEntry],
    group: Sequence[Article] = (),
    story: Headed | None = None,
    *,
    copies_total: int = 0,
) -> Json:
    """Return an article with its text, a line for each version and each of its `group` of copies, and its story.

    The whole group has `copies_total` articles.
    """
    return {
        "id": article.id,
        "url": outside_link(article.url),
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
        "note": article.note,
        "body": article.body,
        "versions": [
            {
                "version": entry.version,
                "title": entry.title,
                "updated_at": instant(entry.updated_at),
                "ingested_at": instant(entry.ingested_at),
                "note": entry.note,
                "links": version_links(article.id, entry.version, is_first=entry is versions[0]),
            }
            for entry in versions
        ],
        "copies_total": copies_total,
        "copies": [copy_object(each, is_origin=each is group[0]) for each in group],
        "story": _story(story.story.id, story.story.articles) if story else None,
        "links": article_links(article.id),
    }


def copy_object(article: Article, *, is_origin: bool) -> Json:
    """Return one article of a group of copies in short."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "published_at": instant(article.published_at),
        "origin": is_origin,
        "links": article_links(article.id),
    }


def article_links(article_id: str) -> Json:
    """Return where an article is found: itself as JSON, its page, its related articles."""
    api = f"/api/articles/{article_id}"
    return {"self": api, "page": f"/articles/{article_id}", "related": f"{api}/related"}


def version_links(article_id: str, number: int, *, is_first: bool) -> Json:
    """Return where one version of an article is found: itself as JSON, its page, what it changed, and the article.

    The first of those that may be shown changed nothing.
    """
    api, page = f"/api/articles/{article_id}", f"/articles/{article_id}/versions/{number}"
    return {
        "self": f"/api{page}",
        "page": page,
        "changes": None if is_first else f"/api{page}/changes",
        "article": api,
    }


def story_page_object(page: StoryPage, *, path: str, page_size: int) -> Json:
    """Return one page of the list of stories under `path`, where `page_size` is what a URL means that does not say."""
    return {
        "total": page.total,
        "page": page.number,
        "page_size": page.size,
        "stories": [_headed(headed) for headed in page.stories],
        "links": story_page_links(page, path=path, page_size=page_size),
    }


def story_page_links(page: StoryPage, *, path: str, page_size: int) -> dict[str, str | None]:
    """Return the URLs of this page of the list of stories, the next and the previous one; None where there is none."""
    return numbered_links(path, number=page.number, size=page.size, total=page.total, default_size=page_size)


def story_object(told: Told, events: Sequence[tuple[Event, datetime]]) -> Json:
    """Return a story with its key terms, its articles in the order of time, and what happened to it."""
    written = _headed(told.headed)
    links = written.pop("links")
    return {
        **written,
        "key_terms": list(told.terms),
        "articles": [_report(report) for report in told.reports],
        "log": [
            {"at": instant(at), "kind": event.kind, "other": event.other, "articles": event.articles}
            for event, at in events
        ],
        "links": links,
    }


def story_links(story_id: int) -> Json:
    """Return where a story is found: itself as JSON, and its page."""
    return {"self": f"/api/stories/{story_id}", "page": f"/stories/{story_id}"}


def _headed(headed: Headed) -> Json:
    story = headed.story
    return {
        "id": story.id,
        "title": headed.title,
        "count": story.articles,
        "first": instant(story.first),
        "latest": instant(story.latest),
        "outlets": [{"value": outlet, "count": count} for outlet, count in headed.outlets.items()],
        "links": story_links(story.id),
    }


def _report(report: Report) -> Json:
    return {
        "id": report.id,
        "url": outside_link(report.url),
        "title": report.title,
        "source": report.source,
        "language": report.language,
        "published_at": instant(report.published_at),
        "links": article_links(report.id),
    }


def stats_object(stats: ArchiveStats, *, name: str) -> Json:
    """Return what an archive of this name holds: only what may be shown counts."""
    return {
        "name": name,
        "articles": stats.articles,
        "sources": stats.sources,
        "copies": stats.copies,
        "earliest": instant(stats.earliest),
        "latest": instant(stats.latest),
        "links": {"search": "/api/search", "stories": "/api/stories", "page": "/"},
    }


def page_links(response: SearchResponse, urls: SearchUrls) -> dict[str, str | None]:
    """Return the URLs of this page, the next and the previous one; None where there is none.

    They go by number where this page was asked for by number, and by cursor where it was asked for by cursor.
    """
    request = response.request
    return {
        "self": urls.at(request),
        "next": urls.at(_next(request, response.cursor)) if response.cursor else None,
        "prev": urls.at(before) if (before := _before(response)) else None,
    }


def _next(request: SearchRequest, cursor: str) -> SearchRequest:
    if request.cursor or request.page == MAX_PAGE:
        return replace(request, cursor=cursor)
    return replace(request, page=request.page + 1)


def _before(response: SearchResponse) -> SearchRequest | None:
    """Return the page before this one: from beyond the end, the last that has results."""
    request, size = response.request, response.request.page_size
    is_beyond = not response.results and response.cursor is None
    last = max(0, ceil((response.total - response.folded) / size) - 1) if is_beyond else MAX_PAGE  # counted from 0
    if here := read_cursor(request.cursor or ""):
        token, start = here
        return replace(request, cursor=cursor_of(token, max(0, min(start - size, last * size)))) if start else None
    return replace(request, page=min(request.page - 1, last + 1)) if request.page > 1 else None


def instant(moment: datetime | None) -> str | None:
    """Return a time as the contract writes it: UTC, to the second, ending in Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def rejection_object(rejection: Rejection) -> Json:
    """Return why one input did not go in."""
    return {"source": rejection.source, "line": rejection.line, "reason": rejection.reason}
