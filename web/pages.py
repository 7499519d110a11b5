"""The pages people read: home, results, article, stories. Rendered on the server; they need no script."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, render_template, request

from archive.article import Article
from index.errors import CursorExpired
from index.query import MAX_QUERY_CHARS
from index.related import RelatedResponse
from index.search import Outline, SearchRequest, SearchResponse
from index.stories.reading import Headed
from web import browse_urls, conditional, params, units, wording
from web.api import header_of, link_header
from web.copies import Member, members
from web.direction import direction, interface, language_tag
from web.filters import DATES, without_each
from web.front import front
from web.payload import page_links, story_page_links
from web.related import RELATED_ON_PAGE, lanes_of
from web.results import LIST_GONE, LIST_UNKNOWN, Notice, ResultsView
from web.services import STORY_ID, Services, copies_of, services, shown_article, shown_story

SEARCH_PATH = "/search"
STORIES_PATH = "/stories"
MOST_OUTLINES = 4  # searches beside the one that was asked for

blueprint = Blueprint("pages", __name__)


def register(app: Flask) -> None:
    """Add the pages to `app`, and what every template may use."""
    app.register_blueprint(blueprint)
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
    shown = parts.crew.do(lambda: front(parts))
    return _validated(Response(render_template("home.html", front=shown, urls=browse_urls)), tag)


@blueprint.get(SEARCH_PATH)
def search() -> Response:
    """Show one page of results; of a list that is kept no longer, the first page of a new one."""
    parts = services()
    wanted = params.search_request(request.args, page_size=parts.settings.page_size)
    tag = conditional.search_tag(parts) if params.is_first_page(wanted) else None
    if kept := conditional.unchanged(tag):
        return kept
    found, notices, outlines = parts.crew.do(lambda: _found(parts, wanted))
    urls = _search_urls()
    view = ResultsView(found, urls, notices=notices, outlines=outlines)
    page = Response(
        render_template(
            "results.html",
            found=found,
            view=view,
            links=page_links(found, urls),
            citation=view.citation(
                site=parts.settings.site_name, root=request.url_root, today=datetime.now(UTC).date()
            ),
        )
    )
    if link := link_header(found, urls):
        page.headers["Link"] = link
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
def article(article_id: str) -> Response:
    """Show an article with its copies, beside what is related to it."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept

    def read() -> tuple[Article, Headed | None, list[Member], RelatedResponse]:
        shown = shown_article(parts, article_id)
        group = members(copies_of(parts, article_id), this=article_id)
        related = parts.related.related(article_id, limit=RELATED_ON_PAGE)
        return shown, parts.stories.story_of(article_id), group, related

    shown, story, group, related = parts.crew.do(read)
    page = render_template(
        "article.html", article=shown, story=story, group=group, panel=lanes_of(related), back=_back()
    )
    return _validated(Response(page), None if related.degraded else tag)


@blueprint.get(STORIES_PATH)
def stories() -> Response:
    """Show a page of the list of stories, the one with the latest article first."""
    parts = services()
    default_size = parts.settings.page_size
    number, size = params.list_page(request.args, page_size=default_size)
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    listed = parts.crew.do(lambda: parts.stories.page(number=number, size=size))
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
    told = parts.crew.do(lambda: shown_story(parts, story_id))
    return _validated(Response(render_template("story.html", told=told)), tag)


def _validated(page: Response, tag: str | None) -> Response:
    """Return the page with its tag, when what it shows could be told beforehand."""
    return conditional.validated(page, tag) if tag else page


@dataclass(frozen=True, slots=True)
class Back:
    """The search a reader came from, as the article's own address carries it."""

    query: str
    url: str


def _back() -> Back | None:
    if not request.args:
        return None
    try:
        came_from = params.search_request(request.args, page_size=services().settings.page_size)
    except params.BadParameter:  # a mangled link still shows its article
        return None
    return Back(came_from.query, _search_urls().at(came_from))


def _says_more_than_a_cursor(wanted: SearchRequest) -> bool:
    return replace(wanted, cursor=None, page=1) != SearchRequest(page_size=wanted.page_size)


def _search_urls() -> params.SearchUrls:
    return params.SearchUrls(path=SEARCH_PATH, page_size=services().settings.page_size)
