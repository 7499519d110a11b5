"""What the answers look like that are no search: versions, what is browsed, completions, the state. As JSON Schema."""

from index.coverage import UNITS
from web.json_schema import a, moment, or_null, ref, several, shape
from web.openapi_schemas import COUNT, LINKS, LISTED, MAYBE, NOTE, PAGES, TEXT, VERSION_LINKS
from web.payload import Json
from web.takedown import MAX_REASON

_DAY = a("string", format="date")
_MAYBE_DAY = or_null(_DAY)
_VERSION = a("integer", minimum=1)
_MANY = several(a("integer", minimum=0))
_WAS: Json = {"type": ["string", "array", "null"]}
_BROWSED = shape({"self": TEXT, "page": TEXT})
_NAME: dict[str, Json] = {"name": TEXT, "count": COUNT, "links": shape({"self": MAYBE, "page": MAYBE})}
_TOPS = dict.fromkeys(
    ("sources", "sections", "authors"),
    shape({"total": a("integer", "How many different ones.", minimum=0), "names": several(shape(_NAME))}),
)
_PERIODS = several(shape({"from": _DAY, "to": _DAY, "count": COUNT, "links": _BROWSED}))
_ARTICLE = shape({**LISTED, "links": LINKS})
_LIST: dict[str, Json] = {"total": COUNT, "page": COUNT, "page_size": COUNT, "articles": several(_ARTICLE)}
_BESIDE: dict[str, Json] = {"before": MAYBE, "after": MAYBE}
_STRETCH: dict[str, Json] = {
    "from": _DAY,
    "to": _DAY,
    "count": COUNT,
    **_TOPS,
    "days": _PERIODS,
    "links": shape(_BESIDE),
}
_SILENCE = shape({"since": _DAY, "usually": a("number"), "expected": a("number"), "chance": a("number")})
_FEED = shape(
    {"name": TEXT, "counts": _MANY, "shares": several(a("number")), "latest": _DAY, "silence": or_null(_SILENCE)}
)

ARCHIVE_SCHEMAS: dict[str, Json] = {
    "Reason": shape(
        {"reason": or_null(a("string", "Why, for the change log and the ledger.", maxLength=MAX_REASON))},
        may_lack=("reason",),
    ),
    "Takedown": shape(
        {
            "id": TEXT,
            "status": a("string", enum=["removed"]),
            "removed_at": moment("When it was removed."),
            "reason": MAYBE,
            "token": a("string", "Whose token it was."),
        }
    ),
    "Version": shape(
        {
            **LISTED,
            "version": _VERSION,
            "latest": a("integer", "The number of the version that is shown.", minimum=1),
            "ingested_at": moment("When it came in."),
            "note": NOTE,
            "derived_title": a("boolean", "Whether the title is the beginning of the text."),
            "updated_at": moment("When the source last changed it."),
            "body": a("string", "The text; a blank line between paragraphs."),
            "links": VERSION_LINKS,
        }
    ),
    "Changes": shape(
        {
            "id": TEXT,
            "version": _VERSION,
            "against": a("integer", "The version it is compared with.", minimum=1),
            "note": NOTE,
            "fields": several(
                shape({"field": TEXT, "before": _WAS, "after": _WAS}),
                "What is said of the article and was changed.",
            ),
            "differences": ref("Differences"),
            "links": VERSION_LINKS,
        }
    ),
    "Overview": shape(
        {"count": COUNT, "first": _MAYBE_DAY, "last": _MAYBE_DAY, "undated": COUNT, "years": _PERIODS, **_TOPS}
    ),
    "Year": shape({**_STRETCH, "months": _PERIODS}),
    "Month": shape(_STRETCH),
    "Day": shape(
        {"day": _DAY, **_LIST, **_TOPS, "links": shape({"self": TEXT, "next": MAYBE, "prev": MAYBE, **_BESIDE})}
    ),
    "Undated": shape({**_LIST, "links": PAGES}),
    "Names": shape(
        {
            "total": COUNT,
            "page": COUNT,
            "page_size": COUNT,
            "unnamed": a("integer", "How many articles have none.", minimum=0),
            "letters": several(shape({"value": TEXT, "count": COUNT})),
            "names": several(shape(_NAME)),
            "links": PAGES,
        }
    ),
    "Profile": shape(
        {
            **_NAME,
            "undated": COUNT,
            "first": or_null(_ARTICLE),
            "last": or_null(_ARTICLE),
            "published": several(shape({"from": _MAYBE_DAY, "to": _MAYBE_DAY, "count": COUNT})),
            **_TOPS,
            "articles": several(_ARTICLE, "The newest."),
        },
        may_lack=tuple(_TOPS),
    ),
    "Completions": shape(
        {
            "query": TEXT,
            "completions": several(
                shape(
                    {
                        "kind": a("string", enum=["operator", "value", "phrase", "title"]),
                        "text": a("string", "All that would stand in the box."),
                        "label": TEXT,
                        "note": TEXT,
                        "count": or_null(COUNT),
                        "url": MAYBE,
                    }
                )
            ),
            "tip": or_null(shape({"sign": TEXT, "meaning": TEXT})),
        }
    ),
    "Status": shape(
        {
            "status": a("string", enum=["ok", "degraded"]),
            "degraded": a("boolean"),
            **dict.fromkeys(("generation", "current_generation", "previous_generation"), or_null(a("integer"))),
            "pending_changes": a("integer", "How many changes the index does not hold yet.", minimum=0),
            **dict.fromkeys(
                (
                    *("articles", "removed", "versions", "passages", "embeddings", "copies", "sources", "stories"),
                    "saved_searches",
                    "followed",
                    "followed_failing",
                ),
                COUNT,
            ),
            "earliest": moment("When the earliest was published."),
            "latest": moment("When the latest was published."),
            "keywords": or_null(a("string", "The library of the keyword index.")),
            "advice": or_null(a("string", "What should be run to change it.")),
            "model": TEXT,
            "disk": a("object", "Bytes by part.", additionalProperties=COUNT),
            "ingest": or_null(
                shape(
                    {
                        "started_at": moment("When it began."),
                        "seconds": or_null(a("number")),
                        **dict.fromkeys(("added", "updated", "unchanged", "rejected"), COUNT),
                        "reasons": several(shape({"reason": TEXT, "count": COUNT})),
                    }
                )
            ),
            "quality": or_null(
                shape(
                    {
                        "measured_at": moment("When it was measured."),
                        **dict.fromkeys(("changes_since", "queries", "documents"), COUNT),
                        "modes": a("object", "What was measured, by mode."),
                    }
                )
            ),
            "coverage": or_null(
                shape(
                    {
                        "by": a("string", enum=list(UNITS)),
                        "starts": several(_DAY),
                        "last": _DAY,
                        "totals": _MANY,
                        "feeds": several(_FEED),
                        "absent": COUNT,
                    }
                )
            ),
            "software": a("object", "Versions.", additionalProperties=TEXT),
        }
    ),
}
