"""The pages people read: home, results, article, stories. Rendered on the server; they need no script."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from index.errors import CursorExpired
from index.query import MAX_QUERY_CHARS
from index.search import Outline, SearchRequest, SearchResponse
from web import browse_urls, conditional, params, units, wording
from web.api import header_of
from web.article_pages import citation_of
from web.asked import note_search
from web.citing import FORMATS, plain
from web.direction import direction, interface, language_tag
from web.filters import DATES, without_each
from web.front import front
from web.linked_data import description, in_script, news_article, website
from web.payload import page_links, story_page_links
from web.reading import ArticleView, Asked, read
from web.results import DATES_EXCHANGED, LIST_GONE, LIST_UNKNOWN, Notice, ResultsView
from web.services import STORY_ID, Services, services, shown_story
from web.urls import absolute, site_url

SEARCH_PATH = "/search"
STORIES_PATH = "/stories"
MOST_OUTLINES = 4  # searches beside the one that was asked for

blueprint = Blueprint("pages", __name__)


def register(app: Flask) -> None:
    """Add the pages to `app`, and what every template may use."""
    app.register_blueprint(blueprint)
    app.jinja_env.finalize = wording.writable
    app.jinja_env.globals["wording"] = wording
    app.jinja_env.globals["units"] = units
    app.jinja_env.globals["max_query_chars"] = MAX_QUERY_CHARS
    app.jinja_env.globals["direction"] = direction
    app.jinja_env.globals["language_tag"] = language_tag
    app.context_processor(lambda: {"site_name": services().settings.site_name, "interface": interface()})


@blueprint.get("/")
def home() -> Response:
    """Show the front page: what the archive holds, what is new in it, and what was published on this day."""
    parts = services()
    tag = conditional.search_tag(parts) or conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    shown = front(parts)
    told = website(
        site=parts.settings.site_name,
        home=absolute(url_for("pages.home")),
        search=absolute(url_for("pages.search")),
    )
    page = render_template("home.html", front=shown, urls=browse_urls, data=in_script(told))
    return _validated(Response(page), tag)


@blueprint.get(SEARCH_PATH)
def search() -> Response:
    """Show one page of results; of a list that is kept no longer, the first page of a new one.

    Days typed the wrong way round into the form are exchanged: nothing else can have been meant.
    """
    parts = services()
    args, is_exchanged = params.with_dates_in_order(request.args)
    wanted = params.search_request(args, page_size=parts.settings.page_size)
    note_search(parts, wanted)
    seq = parts.store.last_seq()
    tag = conditional.search_tag(parts) if params.is_first_page(wanted) else None
    if kept := conditional.unchanged(tag):
        return kept
    if made := parts.recent_pages.made(tag, site=site_url()):
        return _validated(made, tag)
    found, notices, outlines = _found(parts, wanted)
    urls = _search_urls()
    if is_exchanged:
        notices.append(DATES_EXCHANGED)
    view, links = ResultsView(found, urls, notices=notices, outlines=outlines), page_links(found, urls)
    page = Response(
        render_template(
            "results.html",
            found=found,
            view=view,
            links=links,
            citation=view.citation(site=parts.settings.site_name, root=absolute("/"), today=datetime.now(UTC).date()),
        )
    )
    if link := header_of(links):
        page.headers["Link"] = link
    if tag and not found.degraded:
        parts.recent_pages.keep(page, tag, seq=seq, site=site_url())
    return _validated(page, None if found.degraded else tag)


def _found(parts: Services, wanted: SearchRequest) -> tuple[SearchResponse, list[Notice], Mapping[str, Outline]]:
    notices = []
    try:
        found = parts.search.search(wanted)
    except CursorExpired:
        found = parts.search.search(replace(wanted, cursor=None, page=1))
        notices = [LIST_GONE if _says_more_than_a_cursor(wanted) else LIST_UNKNOWN]
    return found, notices, {} if found.degraded else _outlines(parts, found)


def _outlines(parts: Services, found: SearchResponse) -> Mapping[str, Outline]:
    """Return what is found without each filter, which mostly was looked at a moment ago and is kept.

    Without the dates it is of interest only where nothing is found with them.
    """
    others = without_each(found.request)
    wanted = [name for name in others if name != DATES or not found.total]
    return {name: parts.search.outline(others[name]) for name in wanted[:MOST_OUTLINES]}


@blueprint.get("/articles/<article_id>")
def article(article_id: str) -> BaseResponse:
    """Show an article, with what the reader looked for marked in it, beside its story and what is related to it."""
    if article_id != article_id.lower():  # as some programs write addresses; ids are written small
        query = request.query_string.decode("latin-1")
        address = url_for("pages.article", article_id=article_id.lower())
        return redirect(f"{address}?{query}" if query else address, HTTPStatus.MOVED_PERMANENTLY)
    parts = services()
    asked = _asked()
    tag = conditional.search_tag(parts, parts.search.outdated(asked.search) if asked else None)
    if kept := conditional.unchanged(tag):
        return kept
    found = read(parts, article_id, asked)
    home = absolute(url_for("pages.home"))
    page = absolute(url_for("pages.article", article_id=article_id))
    told = news_article(found.article, page=page, site=parts.settings.site_name, home=home)
    answer = render_template(
        "article.html",
        view=ArticleView(found, asked),
        data=in_script(told),
        description=description(found.article),
        citation=plain(citation_of(found.article)),
        formats=FORMATS,
    )
    return _validated(Response(answer), None if found.degraded else tag)


def _asked() -> Asked | None:
    """Return the search that the reader came from; a mangled link still shows its article."""
    if not request.args:
        return None
    size = services().settings.page_size
    try:
        wanted = params.search_request(request.args, page_size=size)
        return Asked(search=wanted, marking=params.marking(request.args), page_size=size)
    except params.BadParameter:
        return None


@blueprint.get(STORIES_PATH)
def stories() -> Response:
    """Show a page of the list of stories, the one with the latest article first."""
    parts = services()
    default_size = parts.settings.page_size
    number, size = params.list_page(request.args, page_size=default_size)
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    listed = parts.stories.page(number=number, size=size)
    links = story_page_links(listed, path=STORIES_PATH, page_size=default_size)
    page = Response(render_template("stories.html", listed=listed, links=links))
    if link := header_of(links):
        page.headers["Link"] = link
    return _validated(page, tag)


@blueprint.get(f"{STORIES_PATH}/{STORY_ID}")
def story(story_id: int) -> Response:
    """Show a story: its articles day by day, its outlets and its key terms."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    told = shown_story(parts, story_id)
    return _validated(Response(render_template("story.html", told=told)), tag)


def _validated(page: Response, tag: str | None) -> Response:
    """Return the page with its tag, when what it shows could be told beforehand."""
    return conditional.validated(page, tag) if tag else page


def _says_more_than_a_cursor(wanted: SearchRequest) -> bool:
    return replace(wanted, cursor=None, page=1) != SearchRequest(page_size=wanted.page_size)


def _search_urls() -> params.SearchUrls:
    return params.SearchUrls(path=SEARCH_PATH, page_size=services().settings.page_size)
