"""Where phrases and nears stand, compared with going through the texts term by term."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.keywords.places import END, OTHER, Marks, clusters, counted, runs

TEXT = st.lists(st.sampled_from("abcd"), max_size=10)
ARTICLES = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4)
WANTED = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


MARKS = {"a": 1, "b": 2, "c": 3}


def marks_of(articles: Sequence[tuple[list[str], list[str]]]) -> Marks:
    texts = [text for article in articles for text in article]
    return np.array([mark for text in texts for mark in [*(MARKS.get(one, OTHER) for one in text), END]], np.uint8)


def marked(wanted: Sequence[str]) -> list[int]:
    return [MARKS[one] for one in wanted]


@given(ARTICLES, WANTED)
def test_a_run_is_counted_in_each_text_as_often_as_it_begins(
    articles: list[tuple[list[str], list[str]]], wanted: list[str]
) -> None:
    marks = marks_of(articles)
    expected = [
        [sum(text[at : at + len(wanted)] == wanted for at in range(len(text))) for text in article]
        for article in articles
    ]
    assert counted(marks, runs(marks, marked(wanted))).tolist() == expected


@given(ARTICLES, WANTED, st.integers(0, 5))
def test_a_cluster_is_counted_in_each_text_as_often_as_a_shortest_stretch_ends(
    articles: list[tuple[list[str], list[str]]], wanted: list[str], distance: int
) -> None:
    marks, width = marks_of(articles), len(wanted) + distance
    expected = [[len(shortest(text, wanted, width)) for text in article] for article in articles]
    assert counted(marks, clusters(marks, marked(wanted), width=width)).tolist() == expected


def shortest(text: list[str], wanted: list[str], width: int) -> set[tuple[int, int]]:
    """Return the stretches that hold all that is wanted and within which no other does."""
    complete = {
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if end - start <= width and not Counter(wanted) - Counter(text[start:end])
    }
    return {one for one in complete if not any(one[0] <= s and e <= one[1] for s, e in complete - {one})}
