"""JSON Schema 2020-12, written as it is read: the words that the schemas of the API are made of. Pure."""

from collections.abc import Mapping

from web.payload import Json


def ref(name: str) -> Json:
    """Return a reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def problem(description: str = "An error, in words and for programs (RFC 9457).") -> Json:
    """Return what an error is answered with."""
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def a(kind: str, description: str = "", **more: object) -> Json:
    """Return a value of a kind, and what it says."""
    said: Json = {"type": kind, **more}
    return {**said, "description": description} if description else said


def shape(fields: Mapping[str, Json], *, may_lack: tuple[str, ...] = ()) -> Json:
    """Return an object that has these fields, all of them but for those it may lack."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": [name for name in fields if name not in may_lack],
    }


def several(items: Json, description: str = "") -> Json:
    """Return a list of these."""
    return a("array", description, items=items)


def or_null(schema: Json) -> Json:
    """Return the same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def moment(description: str) -> Json:
    """Return a time, or null."""
    return or_null(a("string", description, format="date-time"))
