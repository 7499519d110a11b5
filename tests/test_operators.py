from datetime import date

import pytest

from index.completion.operators import GROUP, NAMES, NEAR, PHRASE, at_end, is_name_begun, names_begun
from index.language.clauses import DATE_OPERATORS, FIELDS
from index.query import parse


@pytest.mark.parametrize(
    ("text", "sign", "before", "typed"),
    [
        ("source:", "source:", "source:", ""),
        ("flood source:re", "source:", "flood source:", "re"),
        ('flood -Source:"The L', "source:", "flood -Source:", "The L"),
        ("flood (section:", "section:", "flood (section:", ""),
        ("flood language:“en", "language:", "flood language:", "en"),
        ("after:20", "after:", "after:", "20"),
        ("flood source:the l", "source:", "flood source:", "the l"),
        ('on:"last w', "on:", "on:", "last w"),
        ("ｓｏｕｒｃｅ：re", "source:", "ｓｏｕｒｃｅ：", "re"),
    ],
)
def test_the_value_of_a_filter_or_date_is_found_where_it_begins(text: str, sign: str, before: str, typed: str) -> None:
    found = at_end(text)
    assert found is not None
    assert (found.sign, found.before, found.typed, found.name) == (sign, before, typed, sign[:-1])


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ('"', PHRASE),
        ('flood "in mill', PHRASE),
        ('"flood barrier"~', NEAR),
        ('"flood barrier"~3', NEAR),
        ("flood~", "~"),
        ("flood~1", "~"),
        ("flo*", "*"),
        ("flood -", "-"),
        ("flood -fire", "-"),
        ("flood NOT ", "-"),
        ("flood or ", "OR"),
        ("flood OR", "OR"),
        ("flood | ", "OR"),
        ("flood (", GROUP),
        ("(fire OR water", GROUP),
    ],
)
def test_a_sign_at_the_end_is_known(text: str, sign: str) -> None:
    found = at_end(text)
    assert found is not None
    assert (found.sign, found.name) == (sign, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flood",
        "flood ",
        'said "yes"',
        "source:Reuters ",
        'source:"The Ledger"',
        "fl*",
        "one~",
        "state-of",
        "or",
        "-- ",
    ],
)
def test_plain_words_and_what_is_finished_are_no_operator(text: str) -> None:
    assert at_end(text) is None


def test_without_quotes_further_words_may_be_of_the_value() -> None:
    assert (at_end("source:the l") or pytest.fail("none")).may_be_over
    assert not (at_end("source:the") or pytest.fail("none")).may_be_over


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_completed_to_an_operator_of_the_language(name: str) -> None:
    assert f"flood -{name}:" in names_begun(f"flood -{name[:2].upper()}")
    value = "2016" if name in DATE_OPERATORS else "budget"
    assert parse(f"{names_begun(name)[0]}{value}", today=date(2016, 3, 9)).required


@pytest.mark.parametrize("text", ["", "s", "flood ", '"sou', "source:", "xyz", "resou rc"])
def test_no_other_word_is_completed_to_a_name(text: str) -> None:
    assert names_begun(text) == []


def test_three_letters_make_a_name_likely() -> None:
    assert is_name_begun("flood sou")
    assert not is_name_begun("flood so")


def test_every_name_of_the_language_is_offered() -> None:
    assert set(NAMES) == {*FIELDS, *DATE_OPERATORS}
