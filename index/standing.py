"""Where one article stands in a list of results: for a reader who opened it from there and goes on from it. Pure.

Invariant: a neighbour is an article that is shown and still part of the list; what was withdrawn is stepped over.
"""

from dataclasses import dataclass

import numpy as np

from index.engine import Candidates, Ints, as_ids
from index.query import Query
from index.snippet import Range

REACH = 10  # places that are looked at on either side: so many articles beside each other are hardly ever withdrawn


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The article at a place of the list, counted from 1."""

    id: str
    place: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An article beside a search: its place in the list and what of the search stands in its text.

    `place` is None of an article that the list does not hold. `sentence`, in characters of its body, is what its
    result showed as nearest in meaning.
    """

    query: Query
    places: int
    complete: bool
    degraded: bool
    place: int | None = None
    previous: Neighbour | None = None
    next: Neighbour | None = None
    sentence: Range | None = None


def row_of(candidates: Candidates, article_id: str) -> int | None:
    """Return the row in which an article stands, None when it is not among the candidates."""
    number = int(np.searchsorted(candidates.all_ids, as_ids([article_id]))[0])
    if number == len(candidates.all_ids) or candidates.all_ids[number] != article_id.encode():
        return None
    rows = np.flatnonzero(candidates.numbers == number)
    return int(rows[0]) if len(rows) else None


def beside(place: int, shown: Ints, ids: list[str]) -> tuple[Neighbour | None, Neighbour | None]:
    """Return what stands before and after a place, given the places near it that are shown, ascending, and their ids.

    Places are counted from 0 here.
    """
    at = int(np.searchsorted(shown, place))
    after = at + (at < len(shown) and int(shown[at]) == place)
    previous = Neighbour(ids[at - 1], int(shown[at - 1]) + 1) if at else None
    following = Neighbour(ids[after], int(shown[after]) + 1) if after < len(shown) else None
    return previous, following
