"""Values of filters: what is offered is what the language finds, and as often as is said."""

from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest

from index.completion.values import FILED, FieldValues, written
from index.language.clauses import DATE_OPERATORS
from index.search import SearchRequest
from web.services import Services


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = newsroom.open_newsroom(tmp_path_factory.mktemp("data"))
    yield services
    services.close()


@pytest.fixture
def values(parts: Services) -> FieldValues:
    return parts.field_values


def total(parts: Services, query: str) -> int:
    return parts.search.search(SearchRequest(query=query)).total


@pytest.mark.parametrize("name", FILED)
def test_every_value_finds_as_many_articles_as_is_said(parts: Services, values: FieldValues, name: str) -> None:
    offered = values.beginning(name, "", limit=100)
    assert len(offered) > 1
    for value in offered:
        if text := written(name, value.value or ""):
            assert total(parts, text) == value.count, text


@pytest.mark.parametrize("operator", DATE_OPERATORS)
def test_every_year_finds_as_many_articles_as_is_said(parts: Services, values: FieldValues, operator: str) -> None:
    offered = [value for value in values.dates(operator, "", limit=100) if value.count]
    assert [value.value for value in offered] == sorted((value.value or "" for value in offered), reverse=True)
    for value in offered:
        assert total(parts, written(operator, value.value or "") or "") == value.count


def test_the_most_frequent_come_first_and_those_with_a_later_word_last(values: FieldValues) -> None:
    counts = [value.count for value in values.beginning("source", "", limit=100)]
    assert counts == sorted(counts, reverse=True)
    assert [value.value for value in values.beginning("source", "LEDG", limit=5)] == ["The Ledger"]
    assert [value.value for value in values.beginning("source", "ná", limit=5)] == []
    assert values.beginning("source", "ra", limit=1)[0].value == "Radio Nine"


def test_dates_are_completed_in_words_too(values: FieldValues) -> None:
    assert [value.value for value in values.dates("on", "last", limit=8)] == ["last week", "last month"]
    assert [value.value for value in values.dates("on", "2002", limit=8)] == ["2002"]
    assert values.latest_year() == 2020


def test_a_value_is_in_quotes_where_it_must_be_and_left_out_where_the_language_cannot_say_it() -> None:
    assert written("source", "Reuters") == "source:Reuters"
    assert written("source", "The Ledger") == 'source:"The Ledger"'
    assert written("section", "names_with_underscores") == "section:names_with_underscores"
    assert written("section", "(odd)") == 'section:"(odd)"'
    assert written("author", 'Ada "A" Quill') is None
    assert written("on", "last week") == 'on:"last week"'


def test_what_is_withdrawn_is_offered_and_counted_no_more(tmp_path: Path) -> None:
    parts = newsroom.open_newsroom(tmp_path)
    last = newsroom.article(95, source="Only Once", published_at=None)
    parts.store.put(last)
    assert [value.count for value in parts.field_values.beginning("source", "only", limit=5)] == [1]
    parts.store.remove(last.id)
    assert parts.field_values.beginning("source", "only", limit=5) == []
    parts.close()


def test_forms_that_the_filter_takes_for_one_are_offered_once(tmp_path: Path) -> None:
    parts = newsroom.open_newsroom(tmp_path)
    parts.store.put(newsroom.article(96, source="the ledger", language="en-GB"))
    parts.builder.update()
    ledger = parts.field_values.beginning("source", "the l", limit=5)
    assert [(value.value, value.count) for value in ledger] == [("The Ledger", total(parts, 'source:"The Ledger"'))]
    english = {value.value: value.count for value in parts.field_values.beginning("language", "en", limit=5)}
    assert english["en"] == total(parts, "language:en")
    assert english["en-GB"] == 1
    parts.close()
