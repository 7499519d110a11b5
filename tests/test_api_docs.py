"""The description of the API is true: of the routes, of docs/api.md, and of what is really answered."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from lxml import html

from web.api_docs import endpoints

ROOT = Path(__file__).resolve().parent.parent
FLOOD = newsroom.ORDINARY[0]
PAGES = {  # routes for people, and files that have a standard of their own
    "/", "/search", "/articles/{id}", "/articles/{id}/related", "/articles/{id}/embed", "/stories", "/stories/{id}",
    "/stories/{id}/embed", "/embed", "/opensearch.xml", "/robots.txt", "/sitemap.xml", "/sitemaps/{number}.xml",
    "/search.json", "/articles/{id}.json", "/stories.json", "/stories/{id}.json", "/api/docs", "/api/openapi.json",
    "/articles/{id}/versions", "/articles/{id}/versions/{number}", "/articles/{id}/versions/{number}/changes",
    "/articles/{id}/copies", "/search/syntax", "/status", "/metrics", "/favicon.ico", "/browse", "/browse/undated",
    "/browse/{year}", "/browse/{year}/{month}", "/browse/{year}/{month}/{day}",
    *(f"/browse/{kind}{plural}" for kind in ("source", "section", "author") for plural in ("", "s")),
}  # fmt: skip
ROOMS = ("/saved", "/alerts/")  # what begins so is all for people, and no part of the API
ANSWERS = (
    ("/api/search", "/api/search?q=flood&explain=1"),
    ("/api/search", "/api/search?q=nothing+such+xyzzy&mode=keyword"),
    ("/api/search", "/api/search?sort=oldest&page_size=100"),
    ("/api/articles/{id}", f"/api/articles/{newsroom.CORRECTED.id}"),
    ("/api/articles/{id}", f"/api/articles/{newsroom.UNDATED.id}"),
    ("/api/articles/{id}/copies", f"/api/articles/{FLOOD.id}/copies"),
    ("/api/articles/{id}/related", f"/api/articles/{FLOOD.id}/related"),
    ("/api/related", f"/api/related?url={FLOOD.url}"),
    ("/api/stories", "/api/stories"),
    ("/api/stories/{id}", "/api/stories/1"),
    ("/api/stats", "/api/stats"),
    ("/api/suggest", "/api/suggest?q=flo"),
    ("/api/completions", "/api/completions?q=council+source:the"),
    ("/api/articles/{id}/versions/{number}", f"/api/articles/{newsroom.CORRECTED.id}/versions/1"),
    ("/api/articles/{id}/versions/{number}/changes", f"/api/articles/{newsroom.CORRECTED.id}/versions/2/changes"),
    ("/api/browse", "/api/browse"),
    ("/api/browse/{year}", "/api/browse/2001"),
    ("/api/browse/{year}/{month}", "/api/browse/2001/03"),
    ("/api/browse/{year}/{month}/{day}", "/api/browse/2001/03/01"),
    ("/api/browse/undated", "/api/browse/undated"),
    ("/api/browse/authors", "/api/browse/authors"),
    ("/api/browse/source", "/api/browse/source?name=The+Ledger"),
    ("/api/status", "/api/status?by=week"),
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
    ("/oembed", f"/oembed?url=http://localhost/articles/{FLOOD.id}"),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body = answer.get_json()
    assert isinstance(body, dict)
    return body


def paths(rule: str) -> list[str]:
    """Return the paths of a route as OpenAPI writes them."""
    choices = re.search(r"<any\((.*?)\):\w+>", rule)
    each = [rule.replace(choices[0], choice.strip("' ")) for choice in choices[1].split(",")] if choices else [rule]
    return [re.sub(r"<[^>]*?([a-z]+)>", r"{\1}", path) for path in each]


def strict(schema: Any) -> Any:  # noqa: ANN401 a schema, or a part of one
    """Return a schema that allows no field it does not name."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: strict(value) for name, value in schema.items()}
    return {**kept, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else kept


def problems(document: Mapping[str, Any], schema: Mapping[str, Any], body: object) -> list[str]:
    """Return what is wrong with an answer, by a schema of the document."""
    whole = {**strict(schema), "components": strict(copy.deepcopy(document["components"]))}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(body)]


# True of the routes


def test_every_route_for_programs_is_described_with_its_methods(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (path, method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for path in paths(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == {(path, method) for path, method in routes if path not in PAGES and not path.startswith(ROOMS)}
    assert {path for path, _ in routes} >= PAGES


def test_every_parameter_is_described_as_docs_api_md_has_it(document: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for path, methods in document["paths"].items():
        for parameter in methods["get"].get("parameters", ()):
            if parameter["in"] == "query":
                assert re.search(rf"^\| .*`{parameter['name']}`.* \|", text, re.MULTILINE), (path, parameter["name"])
    read = set(re.findall(r'\(args, "([a-z_]+)"', (ROOT / "web" / "params.py").read_text(encoding="utf-8")))
    described = {p["name"] for methods in document["paths"].values() for p in methods["get"].get("parameters", ())}
    assert {"mode", "source", "limit", "explain", "body"} <= read - {"marks"} <= described, "marks are of a page"


def test_the_defaults_and_limits_are_those_in_force(client: FlaskClient, document: dict[str, Any]) -> None:
    for parameter in document["paths"]["/api/search"]["get"]["parameters"]:
        schema, name = parameter["schema"], parameter["name"]
        for choice in schema.get("enum", ()):
            assert client.get(f"/api/search?q=flood&{name}={choice}").status_code == 200
        if "enum" in schema:
            assert client.get(f"/api/search?{name}=no-such").status_code == 400
        if "maximum" in schema:
            assert client.get(f"/api/search?{name}={schema['maximum'] + 1}").status_code == 400
            assert client.get(f"/api/search?{name}={schema['minimum'] - 1}").status_code == 400


# True of the answers


def test_the_document_and_its_schemas_are_well_formed(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert names == set(document["components"]["schemas"])
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            needed = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert needed == set(re.findall(r"{(\w+)}", path))


@pytest.mark.parametrize(("path", "url"), ANSWERS)
def test_real_answers_are_as_they_are_described(
    client: FlaskClient, document: dict[str, Any], path: str, url: str
) -> None:
    answer = client.get(url)
    ((media_type, content),) = document["paths"][path]["get"]["responses"]["200"]["content"].items()
    assert (answer.status_code, answer.mimetype) == (200, media_type)
    assert problems(document, content["schema"], answer.get_json(force=True)) == []


def test_what_is_sent_and_what_is_wrong_are_as_described_too(client: FlaskClient, document: dict[str, Any]) -> None:
    post = document["paths"]["/api/related"]["post"]
    sent = post["requestBody"]["content"]["application/json"]
    assert problems(document, sent["schema"], sent["example"]) == []
    answer = client.post("/api/related", json=sent["example"])
    assert (
        problems(document, post["responses"]["200"]["content"]["application/json"]["schema"], answer.get_json()) == []
    )
    for refused in (
        "/api/search?page=0",
        "/api/search?q=((((((a",
        "/api/nothing",
        "/search.csv?sort=x",
        "/api/related",
        "/api/browse/1850",
    ):
        schema = post["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problems(document, schema, client.get(refused).get_json(force=True)) == []


def test_what_a_form_leaves_empty_is_taken_as_described(client: FlaskClient, document: dict[str, Any]) -> None:
    asked = document["paths"]["/api/browse/sections"]["get"]["parameters"]
    empty = "&".join(f"{parameter['name']}=" for parameter in asked if parameter["allowEmptyValue"])
    assert empty == "letter=&q=&sort=&page=&page_size="
    assert client.get(f"/api/browse/sections?{empty}").get_json() == client.get("/api/browse/sections").get_json()


def test_a_takedown_may_be_sent_without_a_reason(document: dict[str, Any]) -> None:
    sent = document["paths"]["/api/articles/{id}"]["delete"]["requestBody"]["content"]["application/json"]["schema"]
    assert [problems(document, sent, body) for body in ({}, {"reason": None}, {"reason": "court order"})] == [[]] * 3
    assert problems(document, sent, {"reason": 3})


def test_a_schema_that_lacks_a_field_or_has_one_too_many_would_be_found(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    body = client.get("/readyz").get_json()
    schema = {"$ref": "#/components/schemas/Health"}
    assert problems(document, schema, {**body, "more": 1})
    assert problems(document, schema, {name: value for name, value in body.items() if name != "status"})


# The page


def test_the_page_has_a_form_for_every_way_of_asking_that_works_without_scripts(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    page = html.fromstring(client.get("/api/docs").text)
    forms = page.xpath("//form[@class='try']")
    made = list(endpoints(document))
    assert [form.get("data-template") for form in forms] == [endpoint.path for endpoint in made]
    for form, endpoint in zip(forms, made, strict=True):
        labelled = {label.get("for") for label in form.xpath(".//label")}
        inputs = form.xpath(".//input | .//select | .//textarea")
        assert {each.get("id") for each in inputs} == labelled
        if endpoint.method == "GET":
            sent = {each.get("name"): each.get("value") for each in inputs if each.get("name") and each.get("value")}
            answer = client.get(form.get("action"), query_string=sent)
            assert (answer.status_code, answer.mimetype) == (200, endpoint.media_type), endpoint.path
            assert client.get(endpoint.example).status_code == 200
    ids = page.xpath("//@id")
    assert len(set(ids)) == len(ids)


def test_an_empty_archive_has_its_page_too(tmp_path: Path) -> None:
    from web import create_app
    from web.services import Services
    from web.settings import Settings

    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=services).test_client()
    for path in (
        "/api/docs",
        "/api/openapi.json",
        "/embed",
        "/search.atom",
        "/search.csv",
        "/api/stats",
        "/robots.txt",
    ):
        assert client.get(path).status_code == 200, path
    services.close()
