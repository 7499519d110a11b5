"""Ways of asking and what they take, as OpenAPI 3.1 writes them. Pure."""

from collections.abc import Sequence
from typing import Literal

from web.json_schema import problem, ref
from web.params import MAX_FILTER_CHARS, MAX_PAGE
from web.payload import Json
from web.settings import MAX_PAGE_SIZE

Place = Literal["query", "path"]

_LATER: Json = {
    status: {
        **problem(said),
        "headers": {"Retry-After": {"description": "In how many seconds.", "schema": {"type": "integer"}}},
    }
    for status, said in {
        "429": "This client has asked for more than one may: again later.",
        "503": "More searches wait than can be answered soon, or the archive cannot be read: again later.",
    }.items()
}


def operation(name: str, summary: str, parameters: Sequence[Json], content: Json) -> Json:
    """Return what one way of asking takes and gives."""
    made: Json = {
        "operationId": name.lower().replace(" ", "-"),
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}, **_LATER, "default": problem()},
    }
    return {**made, "parameters": list(parameters)} if parameters else made


def parameter(
    name: str, description: str, schema: Json, *, place: Place = "query", example: object = None, required: bool = False
) -> Json:
    """Return a parameter. One of a query that may be left out may be left empty too, as forms send it."""
    made: Json = {"name": name, "in": place, "description": description, "schema": schema}
    if place == "path" or required:
        made["required"] = True
    elif schema["type"] != "array":  # of which an empty text is a value like any other
        made["allowEmptyValue"] = True
    return made if example is None else {**made, "example": example}


def whole(name: str, description: str, *, default: int, most: int) -> Json:
    """Return one that is a whole number from 1 on."""
    return parameter(name, description, {"type": "integer", "minimum": 1, "maximum": most, "default": default})


def choice(name: str, description: str, choices: Sequence[str], *, default: str = "") -> Json:
    """Return one of which there are only so many values, the first of them by default."""
    return parameter(name, description, {"type": "string", "enum": list(choices), "default": default or choices[0]})


def any_of(name: str, description: str) -> Json:
    """Return one that may be given several times."""
    values: Json = {"type": "array", "items": {"type": "string", "maxLength": MAX_FILTER_CHARS}}
    return {**parameter(name, description, values), "style": "form", "explode": True}


def size(default: int) -> Json:
    """Return how many stand on a page."""
    return whole("page_size", "How many on a page.", default=default, most=MAX_PAGE_SIZE)


def paging(page_size: int) -> list[Json]:
    """Return what leads through the pages of a search or a list."""
    return [
        whole("page", "Which page.", default=1, most=MAX_PAGE),
        size(page_size),
        parameter("cursor", "The cursor of an earlier answer: the page that begins there.", {"type": "string"}),
    ]


def json_of(name: str) -> Json:
    """Return JSON of this schema."""
    return {"application/json": {"schema": ref(name)}}


def file_of(media_type: str) -> Json:
    """Return what is of this media type: a text, or JSON in a form that others have laid down."""
    return {media_type: {"schema": {} if media_type.endswith("json") else {"type": "string"}}}
