"""The query language: what a user types and what it asks for."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.analysis import analyse
from index.query import (
    DATE_OPERATORS,
    FIELDS,
    MAX_CLAUSES,
    MAX_QUERY_CHARS,
    MAX_WORDS,
    AnyOf,
    Clause,
    FieldValue,
    Phrase,
    Published,
    Query,
    Term,
    matched_words,
    narrow,
    parse,
)

DOCUMENT = Path(__file__).parent.parent / "docs" / "query-language.md"
TRICKY = [
    '"',
    "“",
    "«",
    "-",
    "–",
    ":",
    "title:",
    "source:",
    "AFTER:",
    "before:",
    "2016",
    "2016-02",
    "-31",
    "9999",
    "0000",
]
TRICKY += ["war", "the", "ｘ", "習", "foo:bar", "''", "１", " ", "\t", "\0", "\ud800", "\u200b", "x" * 300]
PIECES = st.lists(st.sampled_from(TRICKY) | st.text(max_size=5), max_size=40).map("".join)


def words(*texts: str) -> tuple[Clause, ...]:
    return tuple(Term(text) for text in texts)


def day(year: int, month: int = 1, date: int = 1) -> datetime:
    return datetime(year, month, date, tzinfo=UTC)


def test_words_are_wanted() -> None:
    assert parse("Kursk  land\treturn?") == Query(text="Kursk land return?", wanted=words("Kursk", "land", "return?"))


def test_a_phrase_is_required_and_part_of_the_text() -> None:
    expected = Query(text="talks white house", wanted=words("talks"), required=(Phrase("white house"),))
    assert parse('talks "white  house"') == expected


@pytest.mark.parametrize(
    "typed", ["“white house”", "„white house“", "«white house»", "＂white house＂", '"white\nhouse"']
)
def test_every_kind_of_double_quote_makes_a_phrase(typed: str) -> None:
    assert parse(typed).required == (Phrase("white house"),)


def test_a_quote_without_its_partner_is_not_there() -> None:
    assert parse('"white house') == parse("white house")
    assert parse('"white house" "talks').wanted == words("talks")
    assert parse('"" kursk " "') == parse("kursk")


@pytest.mark.parametrize(
    ("typed", "clause"),
    [
        ("-war", Term("war")),
        ('-"civil war"', Phrase("civil war")),
        ("-source:bbc", FieldValue("source", "bbc")),
        ('-source:"BBC News"', FieldValue("source", "BBC News")),
        ("-before:2016", Published(end=day(2016 + 1))),
    ],
)
def test_a_minus_excludes(typed: str, clause: Clause) -> None:
    assert parse(f"peace {typed}") == Query(text="peace", wanted=words("peace"), excluded=(clause,))


def test_a_query_of_exclusions_only_wants_and_requires_nothing() -> None:
    assert parse("-war") == Query(excluded=words("war"))


@pytest.mark.parametrize("typed", ["well-known", "a–war", "– war", "peace - war", "--war", "war-", '"spider"-man'])
def test_a_dash_elsewhere_excludes_nothing(typed: str) -> None:
    assert parse(typed).excluded == ()
    assert parse(typed).wanted


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_filters(name: str) -> None:
    assert parse(f"{name}:Value").required == (FieldValue(name, "Value"),)  # type: ignore[arg-type]
    assert parse(f'{name.upper()}:"Two  Words"').required == (FieldValue(name, "Two Words"),)  # type: ignore[arg-type]
    assert parse(f"{name}:x").text == ""


def test_a_field_named_twice_means_any_of_the_values_and_two_fields_mean_both() -> None:
    query = parse("source:bbc section:world source:cnn")
    either = AnyOf((FieldValue("source", "bbc"), FieldValue("source", "cnn")))
    assert query.required == (either, FieldValue("section", "world"))


def test_full_width_operators_are_operators() -> None:
    assert parse("ｓｏｕｒｃｅ：ｂｂｃ").required == (FieldValue("source", "bbc"),)


@pytest.mark.parametrize(
    "typed", ["foo:bar", "10:30", "source:", "source: ", 'title:"?!"', "title:?!", "http://x.org/a"]
)
def test_what_is_no_filter_is_words(typed: str) -> None:
    query = parse(f"news {typed}")
    assert query.required == ()
    assert query.wanted[0] == Term("news")


@pytest.mark.parametrize(
    ("typed", "published"),
    [
        ("after:2016", Published(start=day(2016))),
        ("after:2016-03", Published(start=day(2016, 3))),
        ("after:2016-03-05", Published(start=day(2016, 3, 5))),
        ('after:"2016-03-05"', Published(start=day(2016, 3, 5))),
        ("before:2016", Published(end=day(2017))),
        ("before:2016-03", Published(end=day(2016, 4))),
        ("before:2016-12", Published(end=day(2017))),
        ("before:2016-12-31", Published(end=day(2017))),
        ("before:2016-02-29", Published(end=day(2016, 3))),
        ("before:9999", Published()),
        ("after:2016-03 before:2016-03", Published(day(2016, 3), day(2016, 4))),
        ("after:2015 after:2016 before:2018 before:2017", Published(day(2016), day(2018))),
        ("after:2017 before:2015", Published(day(2017), day(2016))),
    ],
)
def test_dates_are_inclusive_and_make_one_clause(typed: str, published: Published) -> None:
    assert parse(typed) == Query(required=(published,))


@pytest.mark.parametrize(
    "typed", ["after:2016-13", "after:2015-02-29", "before:0000", "after:yesterday", "after:20161"]
)
def test_an_impossible_date_is_words(typed: str) -> None:
    assert parse(typed).wanted == words(typed)


@given(PIECES | st.text())
@settings(max_examples=500)
def test_any_text_parses_the_same_way_each_time_and_stays_within_the_limits(text: str) -> None:
    query = parse(text)
    assert query == parse(text)
    assert len(query.wanted) <= MAX_WORDS
    assert len(query.required) + len(query.excluded) <= MAX_CLAUSES
    query.text.encode()
    matched_words(query)
    assert bool(query.text) == any(isinstance(clause, Term | Phrase) for clause in (*query.wanted, *query.required))


@given(st.lists(st.text(alphabet="abcdéßx-1’.", min_size=1).filter(lambda word: word[0] != "-" and analyse(word))))
def test_the_text_of_plain_words_parses_to_itself(plain: list[str]) -> None:
    query = parse(" ".join(plain))
    assert parse(query.text) == query


@pytest.mark.parametrize("piece", ["a", '"', '"a" ', "-a ", "source:a ", "title:", "“", "after:2016 ", " "])
def test_a_megabyte_takes_no_time(piece: str) -> None:
    started = time.process_time()
    parse(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 0.5


def test_what_is_beyond_the_limits_is_dropped_at_a_whole_word() -> None:
    query = parse("kursk " * 1_000)
    assert set(query.wanted) == {Term("kursk")}
    assert len(query.text) <= MAX_QUERY_CHARS
    assert len(parse("x " * 900).wanted) == MAX_WORDS
    assert len(parse("-x " * 100).excluded) == MAX_CLAUSES


def test_a_question_of_two_hundred_words_is_read_whole() -> None:
    assert len(parse(" ".join(f"word{number}" for number in range(200))).wanted) == 200


def test_narrow_requires_more_and_leaves_the_query_alone() -> None:
    query = parse('"white house" talks')
    narrowed = narrow(query, FieldValue("source", "bbc"), Published(start=day(2016)))
    assert narrowed.required == (Phrase("white house"), FieldValue("source", "bbc"), Published(start=day(2016)))
    assert narrowed.wanted == query.wanted
    assert query.required == (Phrase("white house"),)


def test_matched_words_are_the_terms_of_words_and_phrases_without_repeats_or_stop_words() -> None:
    query = parse('Talks in the "White House" talk -war source:bbc title:peace')
    assert matched_words(query) == ("talk", "white", "hous")
    assert matched_words(parse('"to be"')) == ("to", "be")
    assert matched_words(Query(wanted=(AnyOf((Term("Kursk"), Phrase("the border"))),))) == ("kursk", "border")


def test_the_documentation_names_every_field_operator_and_limit() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for operator in (*FIELDS, *DATE_OPERATORS):
        assert f"`{operator}:" in text
    for limit in (MAX_QUERY_CHARS, MAX_WORDS, MAX_CLAUSES):
        assert f"{limit:,}" in text
    assert '`-"' in text


def test_every_example_in_the_documentation_uses_the_operators_it_shows() -> None:
    examples = re.findall(r"^\| `(.+?)` \|", DOCUMENT.read_text(encoding="utf-8"), flags=re.M)
    assert len(examples) >= 10
    for example in examples:
        query = parse(example)
        assert query.required or query.excluded or query.wanted
        if ":" in example:
            assert query.required or query.excluded, example
