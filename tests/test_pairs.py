"""Pairs: which neighbouring words of a question stand together in a text."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.keywords.pairs import MOST, REACH, neighbours, together
from index.keywords.places import END, OTHER, Marks, counted
from index.keywords.units import Run
from index.query import FieldValue, Phrase, Query, Term

WORDS = st.lists(st.sampled_from("abcde"), max_size=12)


def asked(text: str) -> Query:
    return Query(text=text, wanted=tuple(Term(word) for word in text.split()))


MARKS = {"a": 1, "b": 2, "c": 3, "d": 4}


def marks(*texts: tuple[list[str], list[str]]) -> Marks:
    both = [text for article in texts for text in article]
    return np.array([mark for text in both for mark in [*(MARKS.get(one, OTHER) for one in text), END]], np.uint8)


def test_neighbours_stand_side_by_side_in_the_question_stop_words_aside() -> None:
    assert neighbours(asked("the House of Commons votes")) == [Run(("hous", "common")), Run(("common", "vote"))]


def test_a_word_has_no_neighbour_in_itself_and_each_pair_counts_once() -> None:
    assert neighbours(asked("new york new york york")) == [Run(("new", "york")), Run(("york", "new"))]


def test_what_is_not_plain_words_has_no_neighbours() -> None:
    phrases = (Phrase("white house"), FieldValue("source", "White House"))
    assert neighbours(Query(text="x", wanted=phrases, required=phrases)) == []
    assert neighbours(Query(text="x", wanted=(Term("white", 0.9), Term("house", 0.7)))) == []
    assert neighbours(asked("election")) == []


def test_a_long_question_is_looked_at_so_far_and_no_further() -> None:
    assert len(neighbours(asked(" ".join(f"word{number}" for number in range(2 * MOST))))) == MOST


def test_together_means_within_reach_in_either_order_in_one_text() -> None:
    texts = marks(
        (["a", "b"], ["b", "x", "x", "a"]),  # one place further than the title's, the body's just within reach
        (["x", "a"], ["b", "x", "x", "x", "a"]),  # a title's end is not beside a body's beginning; beyond reach
        (["x"], ["a", "b", "a"]),
    )
    (places,) = together(texts, [(MARKS["a"], MARKS["b"])])
    assert counted(texts, places).tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 2.0]]


@given(texts=st.lists(st.tuples(WORDS, WORDS), max_size=4), pairs=st.lists(st.sampled_from(["ab", "ba", "cd", "ac"])))
def test_it_finds_what_reading_word_by_word_finds(texts: list[tuple[list[str], list[str]]], pairs: list[str]) -> None:
    asked_for = [(pair[0], pair[1]) for pair in pairs]
    marked = [(MARKS[first], MARKS[second]) for first, second in asked_for]
    found = [counted(marks(*texts), places).tolist() for places in together(marks(*texts), marked)] if texts else []
    assert found == [[[read(text, *pair) for text in both] for both in texts] for pair in asked_for][: len(found)]


def read(text: list[str], first: str, second: str) -> float:
    at = [place for place, word in enumerate(text) if word == second]
    return float(
        sum(word == first and any(abs(place - other) <= REACH for other in at) for place, word in enumerate(text))
    )
