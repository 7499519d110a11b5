"""Values left out in the query itself: what is written is read back, by us and by the query language."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.query import FieldValue, parse
from web.exclusions import excluding, exclusions, without_exclusions

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize("query", ["", "river flood", "a OR b", '"white house" (a OR b)', "NOT a", '-source:"X"'])
def test_the_query_language_reads_what_is_written_and_the_rest_as_before(query: str) -> None:
    written = excluding(query, "source", "The Ledger & Co: (East)")
    assert written is not None
    before, after = parse(query, today=TODAY), parse(written, today=TODAY)
    assert FieldValue("source", "The Ledger & Co: (East)") in after.excluded
    assert (after.wanted, after.required, after.text) == (before.wanted, before.required, before.text)


@pytest.mark.parametrize("query", ["a OR", "a |", '"open', "(open", "a -", "source:", "x" * 1_995])
def test_nothing_is_written_behind_what_would_take_it_in(query: str) -> None:
    assert excluding(query, "source", "A") is None


@pytest.mark.parametrize("value", ['say "so"', "say “so”", "«so»"])
def test_a_value_with_quotes_cannot_be_written(value: str) -> None:
    assert excluding("river", "source", value) is None


def test_what_was_written_is_found_again_and_taken_out() -> None:
    query = 'river -source:"The Ledger" flood -language:"de"'
    assert list(exclusions(query)) == [
        ("source", "The Ledger", 'river flood -language:"de"'),
        ("language", "de", 'river -source:"The Ledger" flood'),
    ]
    assert without_exclusions(query) == "river flood"
    assert without_exclusions('-source:"A"') == ""


def test_what_stands_in_a_phrase_or_a_word_is_none() -> None:
    for query in ('"river -source:"A" flood"', 'x-source:"A"', '-source:"A"b', '-title:"A"', "-source:A"):
        assert list(exclusions(query)) == [], query


@given(st.text(max_size=30), st.text(max_size=20))
def test_any_text_is_written_readably_or_not_at_all(query: str, value: str) -> None:
    written = excluding(query, "section", value)
    if written is not None and value.strip() and '"' not in query:
        assert ("section", value) in [(field, found) for field, found, _ in exclusions(written)]
