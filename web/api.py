"""The JSON endpoints. Each answer is an object of `web.payload`, with validators and paging in its headers."""

import hashlib
import json
from functools import partial

from flask import Blueprint, Response, request

from index.search import SearchResponse
from web import params
from web.payload import (
    Json,
    article_object,
    explained_result,
    page_links,
    related_object,
    result_object,
    search_object,
)
from web.services import services, shown_article

SEARCH_PATH = "/api/search"
DESCRIBE = {"0": result_object, "1": explained_result}

blueprint = Blueprint("api", __name__)


@blueprint.get(SEARCH_PATH)
def search() -> Response:
    """Search the archive."""
    default_size = services().settings.page_size
    wanted = params.search_request(request.args, page_size=default_size)
    explain = params.explain(request.args)
    extra = {"explain": explain} if explain == "1" else {}
    urls = params.SearchUrls(path=SEARCH_PATH, page_size=default_size, extra=extra)
    found = services().search.search(wanted)
    answer = _validated(search_object(found, urls=urls, describe=DESCRIBE[explain]), generation=found.generation)
    if link := link_header(found, urls):
        answer.headers["Link"] = link
    return answer


@blueprint.get("/api/articles/<article_id>")
def article(article_id: str) -> Response:
    """Return one article with its text and its versions."""
    shown = shown_article(article_id)
    store = services().store
    published, _ = store.pointer()
    body = article_object(shown, store.versions(article_id))
    return _validated(body, generation=published.number if published else None)


@blueprint.get("/api/articles/<article_id>/related")
def related(article_id: str) -> Response:
    """Return the articles related to one article."""
    limit = params.related_limit(request.args)
    shown_article(article_id)
    found = services().related.related(article_id, limit=limit)
    return _validated(related_object(found), generation=found.generation)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say whether the archive answers, and from which generation."""
    parts = services()
    current, _ = parts.store.pointer()
    with parts.serving.engine() as (engine, degraded):
        health: Json = {
            "status": "degraded" if degraded else "ok",
            "generation": engine.generation,
            "degraded": degraded,
            "articles": parts.store.stats().articles,
            "pending_changes": parts.store.last_seq() - (current.seq if current else 0),
        }
    answer = _written(health)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def link_header(found: SearchResponse, urls: params.SearchUrls) -> str:
    """Return the value of `Link` (RFC 8288) that names the pages beside this one; empty when there are none."""
    links = page_links(found, urls)
    return ", ".join(f'<{links[rel]}>; rel="{rel}"' for rel in ("next", "prev") if links[rel])


_compact = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _written(body: Json) -> Response:
    # A lone surrogate cannot be written as UTF-8; the store holds none, and one in a query is not worth an error.
    return Response(_compact(body).encode("utf-8", "replace"), content_type="application/json")


def _validated(body: Json, *, generation: int | None) -> Response:
    """Return `body` with an ETag made of the generation and of all it says, or 304 when the client has just that.

    How long the search took is left out: it differs each time and changes nothing.
    """
    content = _compact({name: value for name, value in body.items() if name != "took_ms"})
    digest = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    answer = _written(body)
    answer.set_etag(f"{generation or 0}-{digest}", weak=True)
    answer.headers["Cache-Control"] = "no-cache"
    answer.make_conditional(request)
    return answer
