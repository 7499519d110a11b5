"""What of a text is marked for a query: what the query would find there, and nothing else."""

from datetime import date

import pytest

from index import marking
from index.marking import marks
from index.query import parse

DAY = date(2026, 11, 29)
TEXT = "The floods at Café Río rose; a flood of letters came in Millbrook. Flooding, in the end, is not the floor."


def marked(query: str, text: str = TEXT) -> list[str]:
    return [text[start:end] for start, end in marks(parse(query, today=DAY), text)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flood", ["floods", "flood", "Flooding"]),
        ("cafe RIO", ["Café", "Río"]),
        ("the flood in", ["floods", "flood", "Flooding"]),
        ("the in", ["The", "in", "in", "the", "the"]),
        ('"in the end"', ["in the end"]),
        ('"in Millbrook" letter', ["letters", "in Millbrook"]),
        ('"letters flood"', []),
        ("floo*", ["floods", "flood", "Flooding", "floor"]),
        ("lettors~", ["letters"]),
        ("letters -flood", ["letters"]),
        ("flood OR letters", ["floods", "flood", "letters", "Flooding"]),
        ("source:Millbrook", []),
        ("title:flood", []),
        ("???", []),
    ],
)
def test_a_query_marks_these_words(query: str, expected: list[str]) -> None:
    assert marked(query) == expected


def test_marks_that_overlap_are_one() -> None:
    assert marked('"a flood of" "flood of letters"') == ["a flood of letters"]
    assert marked('flood "a flood of"') == ["floods", "a flood of", "Flooding"]


def test_a_year_is_marked_where_it_is_written() -> None:
    assert marked("flood 1966", "The flood of 1966, and that of 1967.") == ["flood", "1966"]


def test_of_a_long_text_so_much_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "MOST_MARKS", 3)
    assert marked("flood", "flood " * 9) == ["flood"] * 3
    monkeypatch.setattr(marking, "MOST_CHARACTERS", 12)
    assert marked("flood", "flood " * 9) == ["flood"] * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("haus", ["Häuser", "Hauses"]),
        ('"des hauses"', ["des Hauses"]),
        ('"alte haus"', ["alten Häuser"]),
        ('"haus alte"', []),
        ("haus*", ["Häuser", "Hauses"]),
        ("alt -haus", ["alten"]),
    ],
)
def test_the_forms_of_a_word_in_the_texts_language_are_marked(query: str, expected: list[str]) -> None:
    text = "Die alten Häuser, das Dach des Hauses und die Alpen."
    found = [text[start:end] for start, end in marks(parse(query, today=DAY), text, language="de-AT")]
    assert found == expected


def test_what_an_apostrophe_joins_to_a_word_is_not_marked_with_it() -> None:
    text = "Le chef de l’État et l'élection d'un État. Aujourd'hui."
    found = [text[start:end] for start, end in marks(parse("l'état élections hui", today=DAY), text, language="fr")]
    assert found == ["État", "élection", "État"]
