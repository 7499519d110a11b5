"""Which neighbouring words of a question stand together in a text: "white house" is more than white and house. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from index.analysis import STOP_TERMS
from index.engine import Ints
from index.keywords.places import END, OTHER, Marks
from index.keywords.units import Forms, Run, Terms, no_forms, words_of
from index.query import Query, Term

REACH = 3  # places from one word to the other at most, in either order: "house of the people" is a house of people
MOST = 64  # pairs that are looked for: those of the first sentences of a long question


def neighbours(query: Query, forms: Forms = no_forms) -> Sequence[Run]:
    """Return each two words that follow each other in the question, stop words aside, once.

    Weighted terms come from a list of telling words, whose order says nothing: they have no neighbours.
    """
    texts = [clause.text for clause in query.wanted if isinstance(clause, Term) and clause.weight == 1.0]
    words = [word for text in texts for word, _ in words_of(text, forms)]
    words = [word for word in words if word.terms[0] not in STOP_TERMS] or words
    return list(dict.fromkeys(_pair(first, second) for first, second in pairwise(words) if first != second))[:MOST]


def _pair(first: Run, second: Run) -> Run:
    if not (first.forms or second.forms):
        return Run(first.terms + second.terms)
    forms: dict[str, list[Terms]] = {}
    for at, word in enumerate((first, second)):
        for language, (terms,) in word.forms:
            forms.setdefault(language, [first.terms, second.terms])[at] = terms
    return Run(first.terms + second.terms, tuple((one, tuple(forms[one])) for one in sorted(forms)))


def together(marks: Marks, pairs: Sequence[tuple[int, int]]) -> Iterator[Ints]:
    """Yield, for each pair of marks, the places of the first where the second stands within reach, in the same text."""
    met = np.flatnonzero(marks != OTHER)
    met_marks = marks[met]
    # Texts lie side by side: further apart, no word of one is within reach of another's.
    apart = met + REACH * np.cumsum(met_marks == END)
    places = {}
    for mark in dict.fromkeys(mark for pair in pairs for mark in pair):
        rows = np.flatnonzero(met_marks == mark)
        places[mark] = met[rows], apart[rows]
    for first, second in pairs:
        (found, here), (_, there) = places[first], places[second]
        bordered = np.concatenate([[-REACH - 1], there, [len(marks) * (REACH + 2)]])
        after = np.searchsorted(bordered, here)
        near = (bordered[after] - here <= REACH) | (here - bordered[after - 1] <= REACH)
        yield found[near]
