"""Every page in its other forms: as JSON, as a feed, as a file, as an embed; in its head, its header and its foot.

Invariant: what a page offers is what the page shows, whatever it was asked for with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from index.search import SearchRequest
from web.feed_formats import FORMATS
from web.feeds import FEED_SIZE, feed_url
from web.oembed import EMBEDDABLE, OEMBED_TYPES
from web.params import SearchUrls, with_dates_in_order
from web.services import STORY_ID, services
from web.urls import absolute

EXPORTS = {"csv": "CSV", "jsonl": "JSON Lines"}
TWINS = {  # a page, and what answers the same as JSON
    "pages.home": "api.stats",
    "pages.search": "api.search",
    "pages.article": "api.article",
    "pages.stories": "api.stories",
    "pages.story": "api.story",
    "editions.versions": "api.article",
    "editions.version": "editions.version_json",
    "editions.changes": "editions.changes_json",
    "editions.copies": "api.copies",
}
MIRRORED = ("browse", "status")  # blueprints whose pages have their JSON at the same address under /api
ASKED_ALIKE = ("api.search", "api.stories", "editions.changes_json")  # take the parameters of their page
OK = 200

blueprint = Blueprint("alternates", __name__)


def register(app: Flask) -> None:
    """Add the twins to `app`, and to every page where its twin is."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["alternates_here"] = alternates_here
    app.context_processor(lambda: {"export_limit": services().settings.export_limit})
    app.jinja_env.globals["feeds_of"] = feeds_of
    app.jinja_env.globals["exports_of"] = exports_of
    app.jinja_env.globals["feeds_at"] = feeds_at
    app.after_request(_linked)


@dataclass(frozen=True, slots=True)
class Alternate:
    """One other form: where it is, what it is to a program, and to people."""

    url: str
    media_type: str
    name: str


def json_twin() -> str | None:
    """Return the path at which the page of this request is JSON, None where it has no such twin."""
    is_mirrored = request.blueprint in MIRRORED and not request.path.startswith("/api/")
    twin = TWINS.get(request.endpoint or "")
    if twin is None and not is_mirrored:
        return None
    is_search = request.endpoint == "pages.search"
    args = with_dates_in_order(request.args)[0] if is_search else request.args
    query = urlencode(list(args.items(multi=True)), errors="replace")
    asked = f"?{query}" if query else ""
    if twin is None or is_mirrored:
        return f"/api{request.path}{asked}"
    path = url_for(twin, **(request.view_args or {}))
    return f"{path}{asked}" if twin in ASKED_ALIKE else path


def alternates_here() -> Sequence[Alternate]:
    """Return what the page of this request is besides a page: JSON, and an embed where it can be one."""
    twin = json_twin()
    here = [Alternate(twin, "application/json", "JSON")] if twin else []
    if request.endpoint in EMBEDDABLE:
        url = absolute(request.path)
        for form, media_type in OEMBED_TYPES.items():
            address = absolute(url_for("oembed.oembed", url=url, format=form))
            here.append(Alternate(address, media_type, f"oEmbed {form.upper()}"))
    return here


def feeds_of(wanted: SearchRequest) -> Sequence[Alternate]:
    """Return the feeds that follow a search. A page's order is its own: feeds tell the newest first."""
    followed = replace(wanted, sort="newest", page_size=FEED_SIZE)
    return [Alternate(feed_url(followed, form), made.media_type, made.name) for form, made in FORMATS.items()]


def feeds_at(address: str) -> Sequence[Alternate]:
    """Return the feeds whose address begins so: a story's, or what came after an article."""
    return [Alternate(f"{address}.{form}", made.media_type, made.name) for form, made in FORMATS.items()]


def exports_of(wanted: SearchRequest) -> Sequence[Alternate]:
    """Return the files that hold the whole list of a search."""
    size = services().settings.page_size
    asked = replace(wanted, page=1, page_size=size, cursor=None)
    return [
        Alternate(SearchUrls(path=f"/search.{form}", page_size=size).at(asked), "", name)
        for form, name in EXPORTS.items()
    ]


def _linked(answer: Response) -> Response:
    """Name the twin in the header too, for who asks for nothing else (RFC 8288)."""
    if answer.status_code == OK and (twin := json_twin()):
        link = f'<{twin}>; rel="alternate"; type="application/json"'
        answer.headers["Link"] = ", ".join(filter(None, [answer.headers.get("Link"), link]))
    return answer


@blueprint.get("/search.json")
def search() -> BaseResponse:
    """Lead from a page's address with .json at its end to its JSON."""
    return _to(url_for("api.search"))


@blueprint.get("/stories.json")
def stories() -> BaseResponse:
    """Lead to the list of stories as JSON."""
    return _to(url_for("api.stories"))


@blueprint.get(f"/stories/{STORY_ID}.json")
def story(story_id: int) -> BaseResponse:
    """Lead to a story as JSON."""
    return _to(url_for("api.story", story_id=story_id))


@blueprint.get("/articles/<article_id>.json")
def article(article_id: str) -> BaseResponse:
    """Lead to an article as JSON."""
    return _to(url_for("api.article", article_id=article_id))


def _to(path: str) -> BaseResponse:
    query = urlencode(list(request.args.items(multi=True)), errors="replace")
    return redirect(f"{path}?{query}" if query else path, code=308)
