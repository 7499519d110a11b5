"""The API's own page: what each endpoint takes and gives, with a form to try it; and the same for programs.

Invariant: the page shows what `web.openapi` says and nothing else. Its forms work without scripts where a form can.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, url_for

from index.names import KINDS
from web import conditional
from web.api import json_answer
from web.embedding import shown_in
from web.links import outside_link
from web.openapi import SCHEMAS, document
from web.payload import Json
from web.services import Services, services
from web.urls import absolute, site_url

blueprint = Blueprint("openapi", __name__)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter as a form has it."""

    name: str
    place: str
    description: str
    kind: str  # of input: text, number, date or choice
    choices: Sequence[str]
    default: str
    value: str  # what a first try sends
    is_required: bool
    is_repeatable: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A field of an answer."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way of asking: a method at a path."""

    name: str
    method: str
    path: str
    summary: str
    fields: Sequence[Field]
    body: Json | None
    media_type: str
    parts: Sequence[Part]

    @property
    def action(self) -> str:
        """The path with its first values in it."""
        path = self.path
        for field in self.fields:
            path = path.replace(f"{{{field.name}}}", field.value) if field.place == "path" else path
        return path

    @property
    def example(self) -> str:
        """The path and what a first try sends."""
        sent = {field.name: field.value for field in self.fields if field.place == "query" and field.value}
        return f"{self.action}?{urlencode(sent)}" if sent else self.action

    def curl(self, server: str) -> str:
        """Return the command that asks the same."""
        if self.body is None:
            return shlex.join(["curl", server + self.example])
        return shlex.join(
            ["curl", server + self.action, "-H", "Content-Type: application/json", "-d", written_body(self.body)]
        )


@blueprint.get("/api/openapi.json")
def openapi() -> Response:
    """Describe the API for programs."""
    parts = services()
    return json_answer(_document(parts), generation=None)


@blueprint.get("/api/docs")
def try_it() -> Response:
    """Describe the API for people, with a form for each way of asking."""
    parts = services()
    made = _document(parts)
    page = Response(
        render_template(
            "api_docs.html",
            about=cast(Mapping[str, str], made["info"]),
            endpoints=list(endpoints(made)),
            server=site_url(),
            written_body=written_body,
        )
    )
    return conditional.validated(page, conditional.tag_of(None, page.get_data(as_text=True)))


def _document(parts: Services) -> Json:
    article = shown_in(parts)
    listed = parts.stories.page(number=1, size=1).stories
    article_id = article.id if article else "0" * 16
    held = parts.browsing.overview()
    names: dict[str, str] = {top.kind: top.names[0].name for top in held.tops if top.names}
    examples = {
        "article": article_id,
        "story": str(listed[0].story.id if listed else 1),
        "url": (outside_link(article.url) if article else None) or "https://news.example.org/flood",
        **{str(kind): names.get(kind, "") for kind in KINDS},
        "day": (held.last or parts.today()).isoformat(),
        "page": absolute(url_for("pages.article", article_id=article_id)),
    }
    return document(server=site_url(), examples=examples, page_size=parts.settings.page_size)


def endpoints(made: Json) -> Iterator[Endpoint]:
    """Yield what an OpenAPI document says, endpoint by endpoint."""
    for path, methods in cast(dict[str, dict[str, Any]], made["paths"]).items():
        for method, operation in methods.items():
            if "security" in operation:  # nothing to be tried out: it needs a token, and changes the archive
                continue
            ((media_type, content),) = operation["responses"]["200"]["content"].items()
            sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            yield Endpoint(
                name=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation["summary"],
                fields=[_field(parameter) for parameter in operation.get("parameters", ())],
                body=sent.get("example"),
                media_type=media_type,
                parts=[*_parts(content["schema"])],
            )


def _field(parameter: Json) -> Field:
    schema = cast(dict[str, Any], parameter["schema"])
    items = schema.get("items", schema)
    kinds = {"integer": "number", "date": "date"}
    form = items.get("format", items["type"])
    value = str(parameter.get("example", ""))
    return Field(
        name=str(parameter["name"]),
        place=str(parameter["in"]),
        description=str(parameter["description"]),
        kind="choice" if "enum" in items else kinds.get(form, "text"),
        choices=items.get("enum", ()),
        default=str(schema.get("default", "")),
        value=value,
        is_required=bool(parameter.get("required")),
        is_repeatable=schema["type"] == "array",
    )


def _parts(schema: Json) -> Iterator[Part]:
    named = cast(dict[str, Any], SCHEMAS.get(str(schema.get("$ref", "")).rpartition("/")[2], schema))
    for name, part in named.get("properties", {}).items():
        yield Part(name, _kind(part), part.get("description", ""))


def _kind(schema: Mapping[str, Any]) -> str:
    """Return what a field is, in words."""
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(kinds)


def written_body(body: Json) -> str:
    """Return the body of a request as it is sent."""
    return json.dumps(body, ensure_ascii=False)
