"""Feeds: of any search, of a story, and of what followed an article, for whoever wants to hear of what comes in.

Invariant: an entry keeps its id as long as the archive lives, whatever address the site is reached under. Of a group of
copies one entry tells, under the id of the likely origin: a further copy of a text is no news.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext

from archive.article import Article
from archive.story import Report
from index.results import Result
from index.search import SearchRequest
from index.snippet import snippet
from web import conditional, params
from web.feed_formats import FORMATS, Entry, Feed
from web.filters import chips
from web.links import outside_link
from web.params import MAX_RELATED
from web.services import STORY_ID, Services, services, shown_article, shown_story
from web.urls import absolute
from web.wording import in_a_row, shortened

FEED_SIZE = 50  # entries where the request does not say: a day of most searches, so that who asks daily misses none
NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)  # when an archive without an article was changed last
SEARCH_PATH = "/search"
FOLLOWING = ("follow_up", "same_story")  # lanes in which an article that came later is news
FORMAT = f"<any({', '.join(repr(name) for name in FORMATS)}):form>"  # in a route

blueprint = Blueprint("feeds", __name__)


@blueprint.get(f"/search.{FORMAT}")
def search(form: str) -> Response:
    """Return what a search finds as a feed, newest first unless it asks for another order."""
    parts = services()
    wanted = feed_request(request.args)
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    found = parts.search.search(wanted)
    came_in = parts.store.came_in([result.article.id for result in found.results])
    told = [
        News(result.article, came_in[result.article.id], result.snippet.text, _origin(result, wanted))
        for result in found.results
        if result.article.id in came_in
    ]
    answer = written(
        parts,
        form,
        title=title_of(wanted),
        page=search_url(wanted, page_size=parts.settings.page_size),
        address=feed_url(wanted, form),
        told=told,
    )
    return conditional.validated(answer, tag if tag and not found.degraded else _tag_of(found.generation, answer))


def feed_request(args: params.Args) -> SearchRequest:
    """Return the search that a feed follows: its first page, the newest first, and good matches alone.

    Raises BadParameter.
    """
    wanted = params.search_request(args, page_size=FEED_SIZE)
    sort = wanted.sort if params.single(args, "sort") else "newest"
    return replace(wanted, sort=sort, cutoff="on", page=1, cursor=None)


def title_of(wanted: SearchRequest) -> str:
    """Return what a feed follows: the query and the filters."""
    filters = [chip.name for chip in chips(wanted, params.SearchUrls(path=SEARCH_PATH))]
    return in_a_row([shortened(wanted.query) or gettext("All articles"), *filters])


def feed_url(wanted: SearchRequest, form: str) -> str:
    """Return the path of a feed of this search; the newest first, as feeds go, need not be said."""
    urls = params.SearchUrls(path=f"{SEARCH_PATH}.{form}", page_size=FEED_SIZE)
    if wanted.sort == "relevance":
        urls = replace(urls, extra={"sort": "relevance"})
    sort = "relevance" if wanted.sort == "newest" else wanted.sort
    return urls.at(replace(wanted, sort=sort, cutoff="on", page=1, cursor=None))


def search_url(wanted: SearchRequest, *, page_size: int) -> str:
    """Return the path of the page that shows what a feed follows."""
    return params.SearchUrls(path=SEARCH_PATH, page_size=page_size).at(replace(wanted, page_size=page_size))


@blueprint.get(f"/stories/{STORY_ID}.{FORMAT}")
def story(story_id: int, form: str) -> Response:
    """Return the articles of a story as a feed, the newest first."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    shown = shown_story(parts, story_id)
    told = news_of(parts, _newest(shown.reports))
    page = url_for("pages.story", story_id=story_id)
    answer = written(parts, form, title=shown.headed.title, page=page, address=request.path, told=told)
    return conditional.validated(answer, tag or _tag_of(None, answer))


@blueprint.get(f"/articles/<article_id>/follow-ups.{FORMAT}")
def follow_ups(article_id: str, form: str) -> Response:
    """Return what was published after an article on the same subject as a feed, the newest first."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    article = shown_article(parts, article_id)
    related = parts.related.related(article_id, limit=MAX_RELATED)
    later = [result.article for result in related.results if result.lane in FOLLOWING]
    told = news_of(parts, _newest([each for each in later if _is_after(each, article)]))
    page = url_for("pages.article", article_id=article_id)
    title = gettext("What came after “%(title)s”", title=article.title)
    answer = written(parts, form, title=title, page=page, address=request.path, told=told)
    return conditional.validated(answer, tag if tag and not related.degraded else _tag_of(None, answer))


@dataclass(frozen=True, slots=True)
class News:
    """An article that a feed tells of: when it came in as it is shown, and of a group of copies the likely origin.

    `found` is when it came into this very feed, where that is known: then it is news from that moment on.
    """

    article: Article
    came_in: datetime
    summary: str
    origin: str = ""
    found: datetime | None = None


def written(parts: Services, form: str, *, title: str, page: str, address: str, told: Sequence[News]) -> Response:
    """Return a feed in the format `form`, one of FORMATS; `page` and `address` are paths on this site."""
    site = parts.settings.site_name
    entries = [entry_of(parts, news) for news in told]
    feed = Feed(
        id=urn_of(parts, address.replace(f".{form}", "", 1)),  # one feed, whatever it is written in
        title=f"{title} · {site}",
        site=site,
        page=absolute(page),
        address=absolute(address),
        updated=max((entry.updated for entry in entries), default=last_change(parts)),
        entries=entries,
    )
    media_type, _, write = FORMATS[form]
    return Response(write(feed).encode("utf-8", "replace"), content_type=media_type)


def news_of(parts: Services, ids: Sequence[str]) -> list[News]:
    """Return those of the articles that are shown, in this order, as a feed tells of them."""
    articles, came_in = parts.store.live(ids), parts.store.came_in(ids)
    return [
        News(articles[each], came_in[each], snippet(articles[each].body, None, words=()).text)
        for each in ids
        if each in articles and each in came_in
    ]


def entry_of(parts: Services, news: News) -> Entry:
    """Return an article as an entry of a feed."""
    article = news.article
    return Entry(
        id=urn_of(parts, news.origin or article.id),
        title=article.title,
        page=absolute(url_for("pages.article", article_id=article.id)),
        updated=news.found or _updated(article, news.came_in),
        published=article.published_at,
        summary=news.summary or article.title,
        original=outside_link(article.url),
        authors=article.authors,
        source=article.source,
        section=article.section,
        language=article.language,
    )


def _updated(article: Article, came_in: datetime) -> datetime:
    """Return when an article last changed: as its source says, else when it was published, else when it came in."""
    if article.updated_at:
        return article.updated_at
    is_first = article.version == 1
    return article.published_at if is_first and article.published_at else came_in


def _origin(result: Result, wanted: SearchRequest) -> str:
    return result.copies.origin if result.copies and wanted.copies == "folded" else ""


def _is_after(later: Article, earlier: Article) -> bool:
    return bool(later.published_at and earlier.published_at and later.published_at > earlier.published_at)


def _newest(dated: Iterable[Article | Report]) -> list[str]:
    """Return the ids of the first `FEED_SIZE`, the newest first."""
    return [each.id for each in sorted(dated, key=lambda each: each.published_at or NOTHING_YET, reverse=True)][
        :FEED_SIZE
    ]


def urn_of(parts: Services, name: str) -> str:
    """Return what `name` is called in this archive and nowhere else, for good (RFC 9562, version 5)."""
    return uuid.uuid5(uuid.UUID(parts.store.uuid), name).urn


def last_change(parts: Services) -> datetime:
    """Return when the archive was changed last."""
    seq = parts.store.last_seq()
    last = parts.store.changes(after=seq - 1, until=seq)
    return last[0].at if last else NOTHING_YET


def _tag_of(generation: int | None, answer: Response) -> str:
    return conditional.tag_of(generation, answer.get_data(as_text=True))
