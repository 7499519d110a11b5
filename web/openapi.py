"""What the API is, in its own words for programs: an OpenAPI 3.1 document. Pure.

Invariant: it says what docs/api.md says and what the routes do; tests compare it with both, and real answers with it.
"""

from collections.abc import Mapping
from typing import cast

from index.folding import COPYINGS
from index.listing import CUTOFFS, SORTS
from index.query import MAX_QUERY_CHARS
from index.ranking import MODES
from web.feed_formats import FORMATS
from web.feeds import FEED_SIZE
from web.json_schema import problem, ref
from web.openapi_archive import archive_paths
from web.openapi_archive_schemas import ARCHIVE_SCHEMAS
from web.openapi_operations import any_of, choice, file_of, json_of, operation, paging, parameter, size, whole
from web.openapi_schemas import SCHEMAS as SEARCH_SCHEMAS
from web.params import DEFAULT_RELATED, MAX_PAGE, MAX_PIXELS, MAX_RELATED
from web.payload import Json
from web.takedown import MAX_REASON

VERSION = "3.1.1"
TITLE = "The API of a Backfile archive"
DESCRIPTION = (
    "Reads a searchable news archive. All but a takedown takes no key and writes nothing; what elements on other sites'"
    " pages need may be read from there. Names are stable: a field may be added, none is renamed or taken away. Times"
    " are UTC."
)
WEB_ADDRESS = "^https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#].*)?$"  # names in Unicode are taken too
SECURITY = "token"  # the name of the way in which a request shows what it may
BEARER = "A token from `flask token create --scope takedown`, sent as `Authorization: Bearer bf_…`."
REASON = {"reason": "court order"}
DRAFT = {"title": "Dam at Millbrook gives way", "text": "The dam above Millbrook gave way early on Sunday.", "limit": 3}
SCHEMAS = {**SEARCH_SCHEMAS, **ARCHIVE_SCHEMAS}


def document(*, server: str, examples: Mapping[str, str], page_size: int) -> Json:
    """Return the document. `examples` are values that this archive has, by their names."""
    read = _reading(examples, page_size) | archive_paths(examples)
    paths: dict[str, Json] = {path: {"get": asked} for path, asked in read.items()}
    paths["/api/articles/{id}"]["delete"] = _takedown(examples)
    paths["/api/related"] = _related(examples)
    return {
        "openapi": VERSION,
        "info": {"title": TITLE, "version": "1", "description": DESCRIPTION},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {SECURITY: {"type": "http", "scheme": "bearer", "description": BEARER}},
        },
    }


def _reading(examples: Mapping[str, str], page_size: int) -> dict[str, Json]:
    """Return what a GET does, by path."""
    article = _article(examples)
    story = parameter("id", "The story's number.", {"type": "integer"}, place="path", example=examples["story"])
    explain = choice("explain", "1 says what each score is made of.", ("0", "1"))
    texts = choice("body", "1 adds the texts.", ("0", "1"))
    search, follow, limit, pages = _search(), [*_search(order="newest"), size(FEED_SIZE)], _limit(), paging(page_size)
    read = {
        "/api/search": operation("search", "Search the archive", [*search, *pages, explain], json_of("Search")),
        "/api/articles/{id}": operation("article", "One article, with its text", [article], json_of("Article")),
        "/api/articles/{id}/copies": operation(
            "copies", "What its copies added and cut", [article, _page()], json_of("Copies")
        ),
        "/api/articles/{id}/related": operation(
            "related", "What else there is on its subject", [article, limit], json_of("Related")
        ),
        "/api/stories": operation("stories", "The stories", pages[:2], json_of("Stories")),
        "/api/stories/{id}": operation("story", "One story", [story], json_of("Story")),
        "/api/stats": operation("stats", "What the archive holds", [], json_of("Stats")),
        "/api/suggest": operation("suggest", "Complete what is being typed", [_typed()], _suggestions()),
        "/api/completions": operation(
            "completions", "Complete a search, operators and their values too", [_typed()], json_of("Completions")
        ),
        "/healthz": operation("alive", "Whether this process answers", [], json_of("Alive")),
        "/readyz": operation("ready", "Whether searches can be answered", [], json_of("Health")),
        "/search.csv": operation("export-csv", "A whole list of results, as CSV", search, file_of("text/csv")),
        "/search.jsonl": operation(
            "export-jsonl", "A whole list of results, as JSON Lines", [*search, texts], file_of("application/jsonl")
        ),
        "/oembed": _embedded(examples),
    }
    feeds = {
        "/search": ("search", "A search to follow", follow),
        "/stories/{id}": ("story", "A story to follow", [story]),
        "/articles/{id}/follow-ups": ("follow-ups", "What came after an article, to follow", [article]),
    }
    for path, (name, summary, parameters) in feeds.items():
        for form, made in FORMATS.items():
            content = file_of(made.media_type)
            read[f"{path}.{form}"] = operation(f"{name}-{made.name}", f"{summary}: {made.name}", parameters, content)
    return read


def _related(examples: Mapping[str, str]) -> Json:
    web: Json = {"type": "string", "pattern": WEB_ADDRESS}
    url = parameter("url", "The article's own address.", web, example=examples["url"], required=True)
    draft = operation("related-to-draft", "What there is on the subject of a text of yours", [], json_of("Related"))
    draft["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": ref("Draft"), "example": DRAFT}},
        "description": "A text that is not in the archive. Nothing is kept of it.",
    }
    return {
        "get": operation(
            "related-by-address", "The same for an article's address", [url, _limit()], json_of("Related")
        ),
        "post": draft,
    }


def _article(examples: Mapping[str, str]) -> Json:
    return parameter("id", "The article's id.", {"type": "string"}, place="path", example=examples["article"])


def _takedown(examples: Mapping[str, str]) -> Json:
    reason = parameter("reason", "Why, where the body does not say.", {"type": "string", "maxLength": MAX_REASON})
    removed = operation("remove", "Take an article down", [_article(examples), reason], json_of("Takedown"))
    refused = {
        "401": "No token, or one that does not hold.",
        "403": "A token of another scope.",
        "404": "There is no such article.",
        "410": "It was removed before.",
        "429": "Too many requests without a token that holds.",
    }
    return {
        **removed,
        "requestBody": {"content": {"application/json": {"schema": ref("Reason"), "example": REASON}}},
        "security": [{SECURITY: []}],
        "responses": {
            **cast(Json, removed["responses"]),
            **{status: problem(said) for status, said in refused.items()},
        },
    }


def _search(*, order: str = SORTS[0]) -> list[Json]:
    """Return what says which articles are looked for, and in which order."""
    day: Json = {"type": "string", "format": "date"}
    words: Json = {"type": "string", "maxLength": MAX_QUERY_CHARS}
    return [
        parameter("q", "What to look for, in the query language.", words, example="flood"),
        choice("mode", "By words and meaning, by words, or by meaning.", MODES),
        any_of("source", "Only articles of these sources."),
        any_of("section", "Only articles of these sections."),
        any_of("author", "Only articles by these authors."),
        any_of("language", "Only articles in these languages, as tags such as en."),
        parameter("from", "Published on this day or later.", day),
        parameter("to", "Published on this day or earlier.", day),
        choice("sort", "The order.", SORTS, default=order),
        choice("cutoff", "off also lists what is near without probably being relevant.", CUTOFFS),
        choice("copies", "One of each group of copies, or all.", COPYINGS),
    ]


def _page() -> Json:
    return whole("page", "Which page.", default=1, most=MAX_PAGE)


def _limit() -> Json:
    return whole("limit", "How many.", default=DEFAULT_RELATED, most=MAX_RELATED)


def _typed() -> Json:
    words: Json = {"type": "string", "maxLength": MAX_QUERY_CHARS}
    return parameter("q", "What has been typed so far.", words, example="flo")


def _embedded(examples: Mapping[str, str]) -> Json:
    asked = operation("oembed", "How a page is embedded (oEmbed 1.0)", _oembed(examples), json_of("OEmbed"))
    responses = {**cast(Json, asked["responses"]), "501": problem("A format that oEmbed is not given in.")}
    return {**asked, "responses": responses}


def _oembed(examples: Mapping[str, str]) -> list[Json]:
    return [
        parameter("url", "The address of an article's or a story's page.", {"type": "string"},
                   example=examples["page"], required=True),
        choice("format", "json or xml.", ("json", "xml")),
        whole("maxwidth", "The room there is, in pixels.", default=600, most=MAX_PIXELS),
        whole("maxheight", "The room there is, in pixels.", default=240, most=MAX_PIXELS),
    ]  # fmt: skip


def _suggestions() -> Json:
    return {"application/x-suggestions+json": {"schema": ref("Suggestions")}}
