"""What the answers of the API look like: JSON Schema 2020-12, as OpenAPI 3.1 takes it. Pure.

Every field is always there, if only as null, unless it is said to be left out.
"""

from index.ranking import MODES
from web.json_schema import a, moment, or_null, ref, several, shape
from web.payload import Json

LANES = ("same_story", "background", "follow_up", "other")

_RANGE = a("array", items=a("integer"), minItems=2, maxItems=2)
TEXT = a("string")
MAYBE = or_null(TEXT)
NOTE = or_null(a("string", "What the source says about this version, such as what it corrects."))
COUNT = a("integer", minimum=0)
_PART = shape({"part": a("number", "What it adds to the score.")})
LINKS = shape({"self": TEXT, "page": TEXT, "related": TEXT})
STORY_LINKS = shape({"self": TEXT, "page": TEXT})
_PART_OF = shape({"id": a("integer", "The story's number."), "articles": COUNT, "links": STORY_LINKS})
VERSION_LINKS = shape({"self": TEXT, "page": TEXT, "changes": MAYBE, "article": TEXT})
PAGES = shape({"self": TEXT, "next": MAYBE, "prev": MAYBE})

LISTED: dict[str, Json] = {
    "id": a("string", "The article's public id, which never changes.", pattern="^[0-9a-f]{16}$"),
    "url": or_null(a("string", "Where it was published.")),
    "title": TEXT,
    "source": MAYBE,
    "section": MAYBE,
    "authors": several(TEXT),
    "language": or_null(a("string", "A tag of BCP 47.")),
    "published_at": moment("When it was published; null where the source did not say."),
}
_RESULT: dict[str, Json] = {
    **LISTED,
    "score": a("number", "What orders the results of one search."),
    "probability": or_null(a("number", "How probable it is that the article is relevant.", minimum=0, maximum=1)),
    "snippet": shape(
        {
            "text": TEXT,
            "highlights": several(_RANGE, "Where the query's words stand, in characters."),
            "sentence": {"anyOf": [_RANGE, {"type": "null"}]},
        }
    ),
    "copies": or_null(shape({"count": COUNT, "ids": several(TEXT), "origin": TEXT})),
    "story": or_null(_PART_OF),
}
_TERM = shape({"text": TEXT, "title": COUNT, "body": COUNT, "score": a("number")})
_LEG: dict[str, Json] = {
    "rank": or_null(a("integer", minimum=1)),
    "score": or_null(a("number")),
    "weight": a("number"),
    "part": a("number"),
}
_PARTS = ("complete", "passages", "feedback", "recency", "time", "sameness")
_EXPLAIN = shape(
    {
        "keyword": shape({**_LEG, "terms": several(_TERM)}),
        "semantic": shape({**_LEG, "sentence": MAYBE}),
        **dict.fromkeys(_PARTS, _PART),
        "probability": or_null(a("number")),
    },
    may_lack=_PARTS,
)
_COPY: dict[str, Json] = {
    "id": TEXT,
    "title": TEXT,
    "source": MAYBE,
    "published_at": moment("When it was published."),
    "origin": a("boolean", "Whether it is the likely origin."),
    "links": LINKS,
}
_FACET = several(shape({"value": MAYBE, "count": COUNT}))
_HEADED: dict[str, Json] = {
    "id": a("integer", "The story's number, which never changes."),
    "title": TEXT,
    "count": a("integer", "How many articles.", minimum=2),
    "first": moment("When the first was published."),
    "latest": moment("When the latest was published."),
    "outlets": several(shape({"value": TEXT, "count": COUNT})),
}

SCHEMAS: dict[str, Json] = {
    "Search": shape(
        {
            "query": TEXT,
            "mode": a("string", enum=list(MODES)),
            "total": shape({"value": COUNT, "relation": a("string", enum=["eq", "gte"])}),
            "folded": a("integer", "How many of the total stand behind a copy of theirs.", minimum=0),
            "took_ms": a("number"),
            "generation": or_null(a("integer", "The index that answered.")),
            "degraded": a("boolean", "Whether the answer is poorer than it should be."),
            "page": COUNT,
            "page_size": COUNT,
            "suggestion": or_null(a("string", "A better spelling of the query.")),
            "relaxed": a("boolean", "Whether no article holds every word."),
            "no_good_match": a("boolean", "Whether nothing is probably relevant."),
            "cursor": or_null(a("string", "What to send for the next page.")),
            "results": several(ref("Result")),
            "facets": shape(
                {
                    **dict.fromkeys(("source", "section", "author", "language"), _FACET),
                    "published": several(shape({"from": MAYBE, "to": MAYBE, "count": COUNT})),
                }
            ),
            "links": PAGES,
        }
    ),
    "Result": shape({**_RESULT, "explain": _EXPLAIN, "links": LINKS}, may_lack=("explain",)),
    "Related": shape(
        {
            "id": or_null(a("string", "The article that the others are related to; null of a draft.")),
            "generation": or_null(a("integer")),
            "degraded": a("boolean"),
            "results": several(
                shape(
                    {
                        **_RESULT,
                        "explain": _EXPLAIN,
                        "lane": or_null(a("string", "What it is beside the article.", enum=[*LANES, None])),
                        "reason": or_null(a("string", "Why it is here, in a sentence.")),
                        "links": LINKS,
                    }
                )
            ),
        }
    ),
    "Article": shape(
        {
            **LISTED,
            "derived_title": a("boolean", "Whether the title is the beginning of the text."),
            "updated_at": moment("When the source last changed it."),
            "version": a("integer", minimum=1),
            "status": a("string", enum=["live"]),
            "note": NOTE,
            "body": a("string", "The text; a blank line between paragraphs."),
            "versions": several(
                shape(
                    {
                        "version": a("integer", minimum=1),
                        "title": TEXT,
                        "updated_at": moment("When the source last changed it."),
                        "ingested_at": moment("When it came in."),
                        "note": NOTE,
                        "links": VERSION_LINKS,
                    }
                )
            ),
            "copies_total": a("integer", "How many articles the whole group has.", minimum=0),
            "copies": several(shape(_COPY)),
            "story": or_null(_PART_OF),
            "links": LINKS,
        }
    ),
    "Copies": shape(
        {
            "id": TEXT,
            "origin": or_null(a("string", "The id of the likely origin.")),
            "total": a("integer", "How many articles the whole group has.", minimum=0),
            "copies": several(shape({**_COPY, "differences": {"anyOf": [ref("Differences"), {"type": "null"}]}})),
        }
    ),
    "Differences": shape(
        {
            "complete": a("boolean", "Whether the whole texts were compared."),
            **dict.fromkeys(("kept", "added", "cut", "changed"), COUNT),
            "sentences": several(
                shape(
                    {
                        "kind": a("string", enum=["kept", "added", "cut", "changed"]),
                        "before": MAYBE,
                        "after": MAYBE,
                    }
                )
            ),
        }
    ),
    "Stories": shape(
        {
            "total": COUNT,
            "page": COUNT,
            "page_size": COUNT,
            "stories": several(shape({**_HEADED, "links": STORY_LINKS})),
            "links": PAGES,
        }
    ),
    "Story": shape(
        {
            **_HEADED,
            "key_terms": several(TEXT, "Words that tell it from the rest of the archive."),
            "articles": several(
                shape(
                    {
                        **{name: LISTED[name] for name in ("id", "url", "title", "source", "language", "published_at")},
                        "links": LINKS,
                    }
                )
            ),
            "log": several(
                shape(
                    {
                        "at": moment("When that was."),
                        "kind": a("string", enum=["founded", "split", "merged", "ended"]),
                        "other": or_null(a("integer")),
                        "articles": COUNT,
                    }
                )
            ),
            "links": STORY_LINKS,
        }
    ),
    "Stats": shape(
        {
            "name": a("string", "The archive's."),
            "articles": COUNT,
            "sources": COUNT,
            "copies": a("integer", "How many articles have a copy.", minimum=0),
            "earliest": moment("When the earliest was published."),
            "latest": moment("When the latest was published."),
            "links": shape({"search": TEXT, "stories": TEXT, "page": TEXT}),
        }
    ),
    "Suggestions": {
        "type": "array",
        "description": "What was sent, then texts for the box, a line about each, and where each leads.",
        "prefixItems": [TEXT, several(TEXT), several(TEXT), several(TEXT)],
        "minItems": 4,
        "maxItems": 4,
    },
    "Alive": shape({"status": a("string", enum=["ok"])}),
    "Health": shape(
        {
            "status": a("string", enum=["ok", "degraded"]),
            "generation": or_null(a("integer")),
            "degraded": a("boolean"),
            "articles": COUNT,
            "pending_changes": a("integer", "How many changes the index does not hold yet.", minimum=0),
        }
    ),
    "OEmbed": shape(
        {
            "version": a("string", enum=["1.0"]),
            "type": a("string", enum=["rich"]),
            **dict.fromkeys(("title", "author_name", "provider_name", "provider_url"), TEXT),
            "cache_age": COUNT,
            "html": TEXT,
            "width": COUNT,
            "height": COUNT,
        }
    ),
    "Draft": shape(
        {
            "title": TEXT,
            "text": TEXT,
            "published_at": a("string", "A time or a day."),
            "source": TEXT,
            "url": a("string", "The draft's own address: what is in the archive under it is not related to itself."),
            "limit": a("integer", minimum=1, maximum=20, default=5),
        },
        may_lack=("title", "text", "published_at", "source", "url", "limit"),
    ),
    "Problem": shape(
        {
            "type": TEXT,
            "title": TEXT,
            "status": a("integer"),
            "detail": a("string", "What is wrong, in a sentence."),
            "instance": a("string", "What was asked."),
            "parameter": a("string", "Which parameter cannot be used."),
            "value": TEXT,
            "expected": a("string", "What can."),
            "limit": a("string", "Which limit of the query language is exceeded."),
            "error_id": a("string", "By which the log knows what went wrong."),
            "merged_into": a("string", "Where the story went on."),
            "nearest": several(
                shape({"name": TEXT, "page": TEXT, "self": TEXT}), "Where there is something to browse."
            ),
        },
        may_lack=("parameter", "value", "expected", "limit", "error_id", "merged_into", "nearest"),
    ),
}
