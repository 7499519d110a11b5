"""Related articles wherever they are wanted: as JSON, for a draft, and as a panel for this site's pages or another's.

Invariant: a draft is answered and forgotten. It is neither kept nor written to a log, and no cache may keep the answer.
"""

import json
from dataclasses import dataclass
from typing import cast

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from archive.article import Article
from archive.errors import SourceError
from archive.identity import article_id as id_of
from archive.readers.fields import article_from, is_web_address
from archive.readers.normalise import has_words
from index.related import RelatedResponse
from index.results import Result
from web import conditional, params, wording
from web.api import json_answer, written
from web.doors import open_to_programs
from web.payload import related_object
from web.services import services, shown_article

RELATED_ON_PAGE = 6
MAX_SHOWN = 200  # characters of an address in a message
DRAFT_FIELDS = ("title", "text", "published_at", "source", "url", "limit")

blueprint = Blueprint("related", __name__)


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel shows: results by the name of their lane, and whether something better is to be had later."""

    lanes: dict[str, list[Result]]
    degraded: bool


def lanes_of(related: RelatedResponse) -> Panel:
    """Sort related articles into lanes: the same story first, then in the order of each one's best article."""
    lanes: dict[str, list[Result]] = {}
    for result in sorted(related.results, key=lambda result: result.lane != "same_story"):
        lanes.setdefault(wording.LANE_NAMES[result.lane or "other"], []).append(result)
    return Panel(lanes, related.degraded)


@blueprint.get("/api/articles/<article_id>/related")
def by_id(article_id: str) -> Response:
    """Return the articles related to one article."""
    return _related_json(article_id)


@blueprint.get("/api/related")
def by_url() -> Response:
    """Return the articles related to the one that was published at this address."""
    url = params.single(request.args, "url")
    article_id = id_of(url=_web_address(url), source=None, source_id=None, text="")
    try:
        return _related_json(article_id)
    except NotFound:
        raise NotFound(f"There is no article of the address {url[:MAX_SHOWN]} in this archive.") from None


def _web_address(url: str) -> str:
    if not is_web_address(url):
        raise params.BadParameter("url", url, "the http or https address of an article")
    return url


def _related_json(article_id: str) -> Response:
    limit = params.related_limit(request.args)
    tag = conditional.search_tag(services())
    if kept := conditional.unchanged(tag):
        return kept
    found = _find(article_id, limit=limit)
    return json_answer(related_object(found), generation=found.generation, tag=None if found.degraded else tag)


@blueprint.get("/articles/<article_id>/related")
def panel(article_id: str) -> Response:
    """Return the panel alone, to be put into a page."""
    limit = params.related_limit(request.args, default=RELATED_ON_PAGE)
    tag = conditional.search_tag(services())
    if kept := conditional.unchanged(tag):
        return kept
    found = _find(article_id, limit=limit)
    answer = Response(render_template("_panel.html", panel=lanes_of(found), external=True))
    answer.headers["X-Robots-Tag"] = "noindex"
    return conditional.validated(answer, tag) if tag and not found.degraded else answer


def _find(article_id: str, *, limit: int) -> RelatedResponse:
    parts = services()
    shown_article(parts, article_id)
    return parts.related.related(article_id, limit=limit)


@blueprint.post("/api/related")
@open_to_programs("A question that is too long for an address: nothing is changed by it, and nothing kept.")
def draft() -> Response:
    """Return the articles related to a text that is not in the archive."""
    parts = services()
    if not request.is_json:
        raise UnsupportedMediaType("The body must be a JSON object, sent as application/json.")
    article, limit = draft_from(request.get_data())
    found = parts.related.related_to(article, limit=limit)
    answer = written(related_object(found))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def draft_from(sent: bytes) -> tuple[Article, int]:
    """Return the article that a request's body describes, and how many related ones are asked for.

    A title alone will do. Raises BadParameter.
    """
    fields = _object(sent)
    for name in fields:
        if name not in DRAFT_FIELDS:
            raise params.BadParameter(name, str(fields[name]), f"left out: a draft has {', '.join(DRAFT_FIELDS)}")
    limit = fields.pop("limit", None)
    if isinstance(limit, str):
        raise params.BadParameter("limit", limit, "a number, without quotes")
    most = params.related_limit(MultiDict() if limit is None else MultiDict({"limit": str(limit)}))
    for name in ("title", "text"):
        if not isinstance(fields.get(name, ""), str):
            raise params.BadParameter(name, str(fields[name]), "text in quotes")
    if not any(has_words(str(fields.get(name) or "")) for name in ("title", "text")):
        raise params.BadParameter("draft", "", "a text or a title with words in it")
    if fields.get("url") is not None:
        _web_address(str(fields["url"]))
    fields["text"] = fields.get("text") or fields.get("title")
    try:
        article = article_from(fields)
    except SourceError as error:
        raise params.BadParameter("draft", "", f"an article: {error}") from None
    if article.unread_date:
        raise params.BadParameter("published_at", article.unread_date, "a date such as 2016-08-10T09:30:00Z")
    return article, most


def _object(sent: bytes) -> dict[str, object]:
    try:
        fields = json.loads(sent)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise params.BadParameter("draft", "", 'one JSON object: {"title": "…", "text": "…"}')
    return cast(dict[str, object], fields)
