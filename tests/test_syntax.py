"""The card of the query language: complete beside the language itself, and true of the archive it stands in."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.completion.operators import GROUP, NAMES, NEAR, PHRASE
from index.language.clauses import AllOf, AnyOf, Clause, FieldValue, Not, Published
from index.language.grammar import CONNECTIVES
from index.query import parse
from index.search import SearchRequest
from web import create_app
from web.services import Services
from web.settings import Settings
from web.syntax import MEANINGS, READ, Operator, operators


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture
def card(app: Flask) -> list[Operator]:
    parts = app.extensions["backfile"]
    return operators(parts.store.newest(READ), parts.field_values)


def clauses(example: str) -> Iterator[Clause]:
    query = parse(example, today=date(2020, 1, 1))
    found = [*query.wanted, *query.required, *map(Not, query.excluded)]
    while found:
        clause = found.pop()
        yield clause
        found += (
            clause.clauses if isinstance(clause, AnyOf | AllOf) else [clause.clause] if isinstance(clause, Not) else []
        )


def test_every_kind_of_clause_has_an_example(card: list[Operator]) -> None:
    shown = {type(clause) for operator in card for clause in clauses(operator.example)}
    assert set(get_args(Clause)) - {AllOf} <= shown, "AllOf is what words within parentheses are"


def test_every_filter_and_date_is_on_the_card_and_its_example_is_one(card: list[Operator]) -> None:
    examples = {operator.sign: operator.example for operator in card}
    for name in NAMES:
        kind = next(clauses(examples[f"{name}:"]))
        assert kind.field == name if isinstance(kind, FieldValue) else isinstance(kind, Published)


def test_every_connective_is_named() -> None:
    said = " ".join([*MEANINGS, *(str(meaning) for meaning in MEANINGS.values())])
    assert [word for word in (*CONNECTIVES, "|") if word not in said.split() and f"as {word}" not in said] == []


def test_the_card_has_what_the_page_of_the_language_has_at_a_glance(card: list[Operator]) -> None:
    page = (Path(__file__).parent.parent / "docs" / "query-language.md").read_text(encoding="utf-8")
    glance = page.split("## At a glance")[1].split("##")[0]
    queries = [line.split("`")[1] for line in glance.splitlines() if line.startswith("| `")]
    assert len(queries) == 10
    on_page = {type(clause) for query in queries for clause in clauses(query)}
    assert on_page <= {type(clause) for operator in card for clause in clauses(operator.example)}
    assert {PHRASE, NEAR, GROUP, "-", "OR", "*", "~"} <= {operator.sign for operator in card}


def test_every_example_finds_something_in_this_archive(app: Flask, card: list[Operator]) -> None:
    search = app.extensions["backfile"].search
    assert [each.example for each in card if not search.search(SearchRequest(query=each.example)).results] == []


def test_the_page_shows_every_example_as_a_search(client: FlaskClient, card: list[Operator]) -> None:
    page = client.get("/search/syntax")
    assert page.status_code == 200
    for operator in card:
        assert f'<a href="{operator.url}" dir="auto">'.replace("&", "&amp;") in page.text
    assert client.get("/search/syntax", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_every_page_with_a_box_leads_to_the_tips(client: FlaskClient) -> None:
    for path in ("/", "/search?q=flood", "/stories", "/search/syntax", f"/articles/{newsroom.ORDINARY[0].id}"):
        assert '<a href="/search/syntax">Search tips</a>' in client.get(path).text


def test_an_empty_archive_has_the_card_without_values(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    page = create_app(services=services).test_client().get("/search/syntax")
    assert "<code>OR</code>" in page.text
    assert "<code>source:</code>" not in page.text
    services.close()
