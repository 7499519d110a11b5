"""What the API is, in its own words for programs: an OpenAPI 3.1 document. Pure.

Invariant: it says what docs/api.md says and what the routes do; tests compare it with both, and real answers with it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from index.folding import COPYINGS
from index.listing import CUTOFFS, SORTS
from index.query import MAX_QUERY_CHARS
from index.ranking import MODES
from web.feed_formats import FORMATS
from web.feeds import FEED_SIZE
from web.openapi_schemas import SCHEMAS, problem, ref
from web.params import DEFAULT_RELATED, MAX_FILTER_CHARS, MAX_PAGE, MAX_PIXELS, MAX_RELATED
from web.payload import Json
from web.settings import MAX_PAGE_SIZE

VERSION = "3.1.1"
TITLE = "The API of a Backfile archive"
DESCRIPTION = (
    "Reads a searchable news archive. It takes no key, writes nothing and may be called from any site's pages. Names"
    " are stable: a field may be added, none is renamed or taken away. Times are UTC."
)
DRAFT = {"title": "Dam at Millbrook gives way", "text": "The dam above Millbrook gave way early on Sunday.", "limit": 3}
Place = Literal["query", "path"]


def document(*, server: str, examples: Mapping[str, str], page_size: int) -> Json:
    """Return the document. `examples` are values that this archive has: `article`, `story`, `url` and `page`."""
    return {
        "openapi": VERSION,
        "info": {"title": TITLE, "version": "1", "description": DESCRIPTION},
        "servers": [{"url": server}],
        "paths": {
            **{path: {"get": operation} for path, operation in _reading(examples, page_size).items()},
            "/api/related": _related(examples),
        },
        "components": {"schemas": SCHEMAS},
    }


def _reading(examples: Mapping[str, str], page_size: int) -> dict[str, Json]:
    """Return what a GET does, by path."""
    article = _parameter("id", "The article's id.", {"type": "string"}, place="path", example=examples["article"])
    story = _parameter("id", "The story's number.", {"type": "integer"}, place="path", example=examples["story"])
    explain = _choice("explain", "1 says what each score is made of.", ("0", "1"))
    texts = _choice("body", "1 adds the texts.", ("0", "1"))
    search, follow, limit, pages = _search(), [*_search(order="newest"), _size(FEED_SIZE)], _limit(), _paging(page_size)
    read = {
        "/api/search": _operation("search", "Search the archive", [*search, *pages, explain], _json("Search")),
        "/api/articles/{id}": _operation("article", "One article, with its text", [article], _json("Article")),
        "/api/articles/{id}/copies": _operation("copies", "What its copies added and cut", [article], _json("Copies")),
        "/api/articles/{id}/related": _operation(
            "related", "What else there is on its subject", [article, limit], _json("Related")
        ),
        "/api/stories": _operation("stories", "The stories", pages[:2], _json("Stories")),
        "/api/stories/{id}": _operation("story", "One story", [story], _json("Story")),
        "/api/stats": _operation("stats", "What the archive holds", [], _json("Stats")),
        "/api/suggest": _operation("suggest", "Complete what is being typed", [_typed()], _suggestions()),
        "/healthz": _operation("health", "Whether the archive answers", [], _json("Health")),
        "/search.csv": _operation("export-csv", "A whole list of results, as CSV", search, _written("text/csv")),
        "/search.jsonl": _operation(
            "export-jsonl", "A whole list of results, as JSON Lines", [*search, texts], _written("application/jsonl")
        ),
        "/oembed": _operation("oembed", "How a page is embedded (oEmbed 1.0)", _oembed(examples), _json("OEmbed")),
    }
    feeds = {
        "/search": ("search", "A search to follow", follow),
        "/stories/{id}": ("story", "A story to follow", [story]),
        "/articles/{id}/follow-ups": ("follow-ups", "What came after an article, to follow", [article]),
    }
    for path, (name, summary, parameters) in feeds.items():
        for form, made in FORMATS.items():
            content = _written(made.media_type)
            read[f"{path}.{form}"] = _operation(f"{name}-{made.name}", f"{summary}: {made.name}", parameters, content)
    return read


def _related(examples: Mapping[str, str]) -> Json:
    url = _parameter("url", "The article's own address.", {"type": "string"}, example=examples["url"], required=True)
    draft = _operation("related-to-draft", "What there is on the subject of a text of yours", [], _json("Related"))
    draft["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": ref("Draft"), "example": DRAFT}},
        "description": "A text that is not in the archive. Nothing is kept of it.",
    }
    return {
        "get": _operation("related-by-address", "The same for an article's address", [url, _limit()], _json("Related")),
        "post": draft,
    }


def _operation(name: str, summary: str, parameters: Sequence[Json], content: Json) -> Json:
    operation: Json = {
        "operationId": name.lower().replace(" ", "-"),
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}, "default": problem()},
    }
    return {**operation, "parameters": list(parameters)} if parameters else operation


def _parameter(
    name: str, description: str, schema: Json, *, place: Place = "query", example: object = None, required: bool = False
) -> Json:
    written: Json = {"name": name, "in": place, "description": description, "schema": schema}
    if place == "path" or required:
        written["required"] = True
    return written if example is None else {**written, "example": example}


def _whole(name: str, description: str, *, default: int, most: int) -> Json:
    return _parameter(name, description, {"type": "integer", "minimum": 1, "maximum": most, "default": default})


def _choice(name: str, description: str, choices: Sequence[str], *, default: str = "") -> Json:
    return _parameter(name, description, {"type": "string", "enum": list(choices), "default": default or choices[0]})


def _several(name: str, description: str) -> Json:
    values: Json = {"type": "array", "items": {"type": "string", "maxLength": MAX_FILTER_CHARS}}
    return {**_parameter(name, description, values), "style": "form", "explode": True}


def _search(*, order: str = SORTS[0]) -> list[Json]:
    """Return what says which articles are looked for, and in which order."""
    day: Json = {"type": "string", "format": "date"}
    words: Json = {"type": "string", "maxLength": MAX_QUERY_CHARS}
    return [
        _parameter("q", "What to look for, in the query language.", words, example="flood"),
        _choice("mode", "By words and meaning, by words, or by meaning.", MODES),
        _several("source", "Only articles of these sources."),
        _several("section", "Only articles of these sections."),
        _several("author", "Only articles by these authors."),
        _several("language", "Only articles in these languages, as tags such as en."),
        _parameter("from", "Published on this day or later.", day),
        _parameter("to", "Published on this day or earlier.", day),
        _choice("sort", "The order.", SORTS, default=order),
        _choice("cutoff", "off also lists what is near without probably being relevant.", CUTOFFS),
        _choice("copies", "One of each group of copies, or all.", COPYINGS),
    ]


def _limit() -> Json:
    return _whole("limit", "How many.", default=DEFAULT_RELATED, most=MAX_RELATED)


def _size(default: int) -> Json:
    return _whole("page_size", "How many on a page.", default=default, most=MAX_PAGE_SIZE)


def _paging(page_size: int) -> list[Json]:
    return [
        _whole("page", "Which page.", default=1, most=MAX_PAGE),
        _size(page_size),
        _parameter("cursor", "The cursor of an earlier answer: the page that begins there.", {"type": "string"}),
    ]


def _typed() -> Json:
    words: Json = {"type": "string", "maxLength": MAX_QUERY_CHARS}
    return _parameter("q", "What has been typed so far.", words, example="flo")


def _oembed(examples: Mapping[str, str]) -> list[Json]:
    return [
        _parameter("url", "The address of an article's or a story's page.", {"type": "string"},
                   example=examples["page"], required=True),
        _choice("format", "json or xml.", ("json", "xml")),
        _whole("maxwidth", "The room there is, in pixels.", default=600, most=MAX_PIXELS),
        _whole("maxheight", "The room there is, in pixels.", default=240, most=MAX_PIXELS),
    ]  # fmt: skip


def _json(name: str) -> Json:
    return {"application/json": {"schema": ref(name)}}


def _suggestions() -> Json:
    return {"application/x-suggestions+json": {"schema": ref("Suggestions")}}


def _written(media_type: str) -> Json:
    return {media_type: {"schema": {"type": "string"}}}
