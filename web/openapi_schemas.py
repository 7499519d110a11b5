"""What the answers of the API look like: JSON Schema 2020-12, as OpenAPI 3.1 takes it. Pure.

Every field is always there, if only as null, unless it is said to be left out.
"""

from collections.abc import Mapping

from index.ranking import MODES
from web.payload import Json

LANES = ("same_story", "background", "follow_up", "other")


def ref(name: str) -> Json:
    """Return a reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def problem() -> Json:
    """Return what any error is answered with."""
    return {
        "description": "An error, in words and for programs (RFC 9457).",
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def _a(kind: str, description: str = "", **more: object) -> Json:
    said: Json = {"type": kind, **more}
    return {**said, "description": description} if description else said


def _object(fields: Mapping[str, Json], *, may_lack: tuple[str, ...] = ()) -> Json:
    return {
        "type": "object",
        "properties": dict(fields),
        "required": [name for name in fields if name not in may_lack],
    }


def _list(items: Json, description: str = "") -> Json:
    return _a("array", description, items=items)


def _or_null(schema: Json) -> Json:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _time(description: str) -> Json:
    return _or_null(_a("string", description, format="date-time"))


_RANGE = _a("array", items=_a("integer"), minItems=2, maxItems=2)
_TEXT = _a("string")
_MAYBE = _or_null(_TEXT)
_COUNT = _a("integer", minimum=0)
_PART = _object({"part": _a("number", "What it adds to the score.")})
_LINKS = _object({"self": _TEXT, "page": _TEXT, "related": _TEXT})
_STORY_LINKS = _object({"self": _TEXT, "page": _TEXT})
_PAGES = _object({"self": _TEXT, "next": _MAYBE, "prev": _MAYBE})

_LISTED: dict[str, Json] = {
    "id": _a("string", "The article's public id, which never changes.", pattern="^[0-9a-f]{16}$"),
    "url": _or_null(_a("string", "Where it was published.")),
    "title": _TEXT,
    "source": _MAYBE,
    "section": _MAYBE,
    "authors": _list(_TEXT),
    "language": _or_null(_a("string", "A tag of BCP 47.")),
    "published_at": _time("When it was published; null where the source did not say."),
}
_RESULT: dict[str, Json] = {
    **_LISTED,
    "score": _a("number", "What orders the results of one search."),
    "probability": _or_null(_a("number", "How probable it is that the article is relevant.", minimum=0, maximum=1)),
    "snippet": _object(
        {
            "text": _TEXT,
            "highlights": _list(_RANGE, "Where the query's words stand, in characters."),
            "sentence": {"anyOf": [_RANGE, {"type": "null"}]},
        }
    ),
    "copies": _or_null(_object({"count": _COUNT, "ids": _list(_TEXT), "origin": _TEXT})),
}
_TERM = _object({"text": _TEXT, "title": _COUNT, "body": _COUNT, "score": _a("number")})
_LEG: dict[str, Json] = {
    "rank": _or_null(_a("integer", minimum=1)),
    "score": _or_null(_a("number")),
    "weight": _a("number"),
    "part": _a("number"),
}
_PARTS = ("complete", "passages", "feedback", "recency", "time", "sameness")
_EXPLAIN = _object(
    {
        "keyword": _object({**_LEG, "terms": _list(_TERM)}),
        "semantic": _object({**_LEG, "sentence": _MAYBE}),
        **dict.fromkeys(_PARTS, _PART),
        "probability": _or_null(_a("number")),
    },
    may_lack=_PARTS,
)
_COPY: dict[str, Json] = {
    "id": _TEXT,
    "title": _TEXT,
    "source": _MAYBE,
    "published_at": _time("When it was published."),
    "origin": _a("boolean", "Whether it is the likely origin."),
    "links": _LINKS,
}
_FACET = _list(_object({"value": _MAYBE, "count": _COUNT}))
_HEADED: dict[str, Json] = {
    "id": _a("integer", "The story's number, which never changes."),
    "title": _TEXT,
    "count": _a("integer", "How many articles.", minimum=2),
    "first": _time("When the first was published."),
    "latest": _time("When the latest was published."),
    "outlets": _list(_object({"value": _TEXT, "count": _COUNT})),
}

SCHEMAS: dict[str, Json] = {
    "Search": _object(
        {
            "query": _TEXT,
            "mode": _a("string", enum=list(MODES)),
            "total": _object({"value": _COUNT, "relation": _a("string", enum=["eq", "gte"])}),
            "folded": _a("integer", "How many of the total stand behind a copy of theirs.", minimum=0),
            "took_ms": _a("number"),
            "generation": _or_null(_a("integer", "The index that answered.")),
            "degraded": _a("boolean", "Whether the answer is poorer than it should be."),
            "page": _COUNT,
            "page_size": _COUNT,
            "suggestion": _or_null(_a("string", "A better spelling of the query.")),
            "relaxed": _a("boolean", "Whether no article holds every word."),
            "no_good_match": _a("boolean", "Whether nothing is probably relevant."),
            "cursor": _or_null(_a("string", "What to send for the next page.")),
            "results": _list(ref("Result")),
            "facets": _object(
                {
                    **dict.fromkeys(("source", "section", "author", "language"), _FACET),
                    "published": _list(_object({"from": _MAYBE, "to": _MAYBE, "count": _COUNT})),
                }
            ),
            "links": _PAGES,
        }
    ),
    "Result": _object({**_RESULT, "explain": _EXPLAIN, "links": _LINKS}, may_lack=("explain",)),
    "Related": _object(
        {
            "id": _or_null(_a("string", "The article that the others are related to; null of a draft.")),
            "generation": _or_null(_a("integer")),
            "degraded": _a("boolean"),
            "results": _list(
                _object(
                    {
                        **_RESULT,
                        "explain": _EXPLAIN,
                        "lane": _or_null(_a("string", "What it is beside the article.", enum=[*LANES, None])),
                        "reason": _or_null(_a("string", "Why it is here, in a sentence.")),
                        "links": _LINKS,
                    }
                )
            ),
        }
    ),
    "Article": _object(
        {
            **_LISTED,
            "derived_title": _a("boolean", "Whether the title is the beginning of the text."),
            "updated_at": _time("When the source last changed it."),
            "version": _a("integer", minimum=1),
            "status": _a("string", enum=["live"]),
            "body": _a("string", "The text; a blank line between paragraphs."),
            "versions": _list(
                _object(
                    {
                        "version": _a("integer", minimum=1),
                        "title": _TEXT,
                        "updated_at": _time("When the source last changed it."),
                        "ingested_at": _time("When it came in."),
                    }
                )
            ),
            "copies": _list(_object(_COPY)),
            "story": _or_null(_object({"id": _a("integer"), "articles": _COUNT, "links": _STORY_LINKS})),
            "links": _LINKS,
        }
    ),
    "Copies": _object(
        {
            "id": _TEXT,
            "origin": _or_null(_a("string", "The id of the likely origin.")),
            "copies": _list(_object({**_COPY, "differences": {"anyOf": [ref("Differences"), {"type": "null"}]}})),
        }
    ),
    "Differences": _object(
        {
            "complete": _a("boolean", "Whether the whole texts were compared."),
            **dict.fromkeys(("kept", "added", "cut", "changed"), _COUNT),
            "sentences": _list(
                _object(
                    {
                        "kind": _a("string", enum=["kept", "added", "cut", "changed"]),
                        "before": _MAYBE,
                        "after": _MAYBE,
                    }
                )
            ),
        }
    ),
    "Stories": _object(
        {
            "total": _COUNT,
            "page": _COUNT,
            "page_size": _COUNT,
            "stories": _list(_object({**_HEADED, "links": _STORY_LINKS})),
            "links": _PAGES,
        }
    ),
    "Story": _object(
        {
            **_HEADED,
            "key_terms": _list(_TEXT, "Words that tell it from the rest of the archive."),
            "articles": _list(
                _object(
                    {
                        **{
                            name: _LISTED[name] for name in ("id", "url", "title", "source", "language", "published_at")
                        },
                        "links": _LINKS,
                    }
                )
            ),
            "log": _list(
                _object(
                    {
                        "at": _time("When that was."),
                        "kind": _a("string", enum=["founded", "split", "merged", "ended"]),
                        "other": _or_null(_a("integer")),
                        "articles": _COUNT,
                    }
                )
            ),
            "links": _STORY_LINKS,
        }
    ),
    "Stats": _object(
        {
            "name": _a("string", "The archive's."),
            "articles": _COUNT,
            "sources": _COUNT,
            "copies": _a("integer", "How many articles have a copy.", minimum=0),
            "earliest": _time("When the earliest was published."),
            "latest": _time("When the latest was published."),
            "links": _object({"search": _TEXT, "stories": _TEXT, "page": _TEXT}),
        }
    ),
    "Suggestions": {
        "type": "array",
        "description": "What was sent, then texts for the box, a line about each, and where each leads.",
        "prefixItems": [_TEXT, _list(_TEXT), _list(_TEXT), _list(_TEXT)],
        "minItems": 4,
        "maxItems": 4,
    },
    "Health": _object(
        {
            "status": _a("string", enum=["ok", "degraded"]),
            "generation": _or_null(_a("integer")),
            "degraded": _a("boolean"),
            "articles": _COUNT,
            "pending_changes": _a("integer", "How many changes the index does not hold yet.", minimum=0),
        }
    ),
    "OEmbed": _object(
        {
            "version": _a("string", enum=["1.0"]),
            "type": _a("string", enum=["rich"]),
            **dict.fromkeys(("title", "author_name", "provider_name", "provider_url"), _TEXT),
            "cache_age": _COUNT,
            "html": _TEXT,
            "width": _COUNT,
            "height": _COUNT,
        }
    ),
    "Draft": _object(
        {
            "title": _TEXT,
            "text": _TEXT,
            "published_at": _a("string", "A time or a day."),
            "source": _TEXT,
            "url": _a("string", "The draft's own address: what is in the archive under it is not related to itself."),
            "limit": _a("integer", minimum=1, maximum=20, default=5),
        },
        may_lack=("title", "text", "published_at", "source", "url", "limit"),
    ),
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _a("integer"),
            "detail": _a("string", "What is wrong, in a sentence."),
            "instance": _a("string", "What was asked."),
            "parameter": _a("string", "Which parameter cannot be used."),
            "value": _TEXT,
            "expected": _a("string", "What can."),
            "limit": _a("string", "Which limit of the query language is exceeded."),
            "merged_into": _a("string", "Where the story went on."),
        },
        may_lack=("parameter", "value", "expected", "limit", "merged_into"),
    ),
}
