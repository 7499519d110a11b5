"""The JSON endpoints. Each answer is an object of `web.payload`, with validators and paging in its headers."""

from collections.abc import Mapping

from flask import Blueprint, Response, request

from web import conditional, params
from web.asked import note_search
from web.copies import copies_object
from web.payload import (
    Json,
    article_object,
    explained_result,
    page_links,
    result_object,
    search_object,
    stats_object,
    story_object,
    story_page_links,
    story_page_object,
)
from web.services import MOST_MEMBERS, STORY_ID, Services, copies_of, services, shown_article, shown_story
from web.writing import compact, facets_written

SEARCH_PATH = "/api/search"
STORIES_PATH = "/api/stories"
DESCRIBE = {"0": result_object, "1": explained_result}

blueprint = Blueprint("api", __name__)


@blueprint.get(SEARCH_PATH)
def search() -> Response:
    """Search the archive."""
    parts = services()
    default_size = parts.settings.page_size
    wanted = params.search_request(request.args, page_size=default_size)
    explain = params.explain(request.args)
    note_search(parts, wanted)
    tag = conditional.search_tag(parts) if params.is_first_page(wanted) else None
    if kept := conditional.unchanged(tag):
        return kept
    found = parts.search.search(wanted)
    extra = {"explain": explain} if explain == "1" else {}
    urls = params.SearchUrls(path=SEARCH_PATH, page_size=default_size, extra=extra)
    links = page_links(found, urls)
    body = search_object(found, links=links, facets=facets_written(found.facets), describe=DESCRIBE[explain])
    answer = json_answer(body, generation=found.generation, tag=None if found.degraded else tag)
    if link := header_of(links):
        answer.headers["Link"] = link
    return answer


@blueprint.get("/api/articles/<article_id>")
def article(article_id: str) -> Response:
    """Return one article with its text and its versions."""
    parts = services()
    generation = _generation(parts)
    shown, group = shown_article(parts, article_id), copies_of(parts, article_id, also=[article_id])
    story = parts.stories.story_of(article_id)
    copies, total = (group.articles, group.total) if group else ((), 0)
    body = article_object(shown, parts.store.versions(article_id), copies, story, copies_total=total)
    return json_answer(body, generation=generation)


@blueprint.get("/api/articles/<article_id>/copies")
def copies(article_id: str) -> Response:
    """Return the copies of one article, and how each differs from the likely origin."""
    parts, number = services(), params.page_number(request.args)
    shown_article(parts, article_id)
    generation = _generation(parts)
    also = [article_id] if number == 1 else []
    group = copies_of(parts, article_id, start=(number - 1) * MOST_MEMBERS, also=also)
    return json_answer(copies_object(article_id, group), generation=generation)


@blueprint.get(STORIES_PATH)
def stories() -> Response:
    """Return a page of the list of stories, the one with the latest article first."""
    parts = services()
    default_size = parts.settings.page_size
    number, size = params.list_page(request.args, page_size=default_size)
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    page = parts.stories.page(number=number, size=size)
    body = story_page_object(page, path=STORIES_PATH, page_size=default_size)
    answer = json_answer(body, generation=_generation(parts), tag=tag)
    if link := header_of(story_page_links(page, path=STORIES_PATH, page_size=default_size)):
        answer.headers["Link"] = link
    return answer


@blueprint.get(f"{STORIES_PATH}/{STORY_ID}")
def story(story_id: int) -> Response:
    """Return one story: its articles in the order of time, its outlets and its key terms."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    body = story_object(shown_story(parts, story_id), parts.store.story_events(story_id))
    return json_answer(body, generation=_generation(parts), tag=tag)


@blueprint.get("/api/stats")
def stats() -> Response:
    """Say what the archive holds."""
    parts = services()
    counted = parts.stats()
    return json_answer(stats_object(counted, name=parts.settings.site_name), generation=_generation(parts))


def header_of(links: Mapping[str, str | None]) -> str:
    """Return the value of `Link` (RFC 8288) that names the pages beside this one; empty when there are none."""
    return ", ".join(f'<{links[rel]}>; rel="{rel}"' for rel in ("next", "prev") if links[rel])


def _generation(parts: Services) -> int | None:
    published, _ = parts.store.pointer()
    return published.number if published else None


def written(body: Json) -> Response:
    """Return `body` as an answer."""
    # A lone surrogate cannot be written as UTF-8; the store holds none, and one in a query is not worth an error.
    return Response(compact(body).encode("utf-8", "replace"), content_type="application/json")


def json_answer(body: Json, *, generation: int | None, tag: str | None = None) -> Response:
    """Return `body` with its `tag`, by default one of all it says, or 304 when the client has just that.

    How long the search took is left out: it differs each time and changes nothing.
    """
    if tag is None:
        content = {name: value for name, value in body.items() if name != "took_ms"}
        tag = conditional.tag_of(generation, compact(content))
    return conditional.validated(written(body), tag)
