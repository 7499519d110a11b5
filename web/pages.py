"""The pages people read: home, results, article. Rendered on the server; they need no script."""

from dataclasses import dataclass, replace

from flask import Blueprint, Flask, render_template, request

from index.errors import CursorExpired
from index.query import MAX_QUERY_CHARS
from index.results import Result
from index.search import SearchRequest
from web import params, wording
from web.api import link_header
from web.examples import example_queries
from web.payload import page_links
from web.results import LIST_GONE, LIST_UNKNOWN, Notice, ResultsView
from web.services import services, shown_article

SEARCH_PATH = "/search"
NEWEST_ON_HOME = 8
RELATED_ON_PAGE = 6

blueprint = Blueprint("pages", __name__)


def register(app: Flask) -> None:
    """Add the pages to `app`, and what every template may use."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["wording"] = wording
    app.jinja_env.globals["max_query_chars"] = MAX_QUERY_CHARS
    app.context_processor(lambda: {"site_name": services().settings.site_name})


@blueprint.get("/")
def home() -> str:
    """Show the search box, what the archive holds, and its newest articles."""
    store = services().store
    newest = store.newest(NEWEST_ON_HOME)
    return render_template("home.html", stats=store.stats(), newest=newest, examples=example_queries(newest))


@blueprint.get(SEARCH_PATH)
def search() -> tuple[str, dict[str, str]]:
    """Show one page of results; of a list that is kept no longer, the first page of a new one."""
    wanted = params.search_request(request.args, page_size=services().settings.page_size)
    notices: list[Notice] = []
    try:
        found = services().search.search(wanted)
    except CursorExpired:
        found = services().search.search(replace(wanted, cursor=None, page=1))
        notices.append(LIST_GONE if _says_more_than_a_cursor(wanted) else LIST_UNKNOWN)
    urls = _search_urls()
    view = ResultsView(found, urls, notices=notices)
    page = render_template("results.html", found=found, view=view, links=page_links(found, urls))
    link = link_header(found, urls)
    return page, {"Link": link} if link else {}


@blueprint.get("/articles/<article_id>")
def article(article_id: str) -> str:
    """Show an article beside what is related to it."""
    shown = shown_article(article_id)
    related = services().related.related(article_id, limit=RELATED_ON_PAGE)
    lanes: dict[str, list[Result]] = {}  # the same story first, then in the order of each one's best article
    for result in sorted(related.results, key=lambda result: result.lane != "same_story"):
        lanes.setdefault(wording.LANE_NAMES[result.lane or "other"], []).append(result)
    return render_template("article.html", article=shown, lanes=lanes, degraded=related.degraded, back=_back())


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
