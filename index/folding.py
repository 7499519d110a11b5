"""Folding: of each group of copies in a list, the first row stands for all.

Invariant: folding hides no article. What is folded is counted, and comes out where the article before it goes.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from archive.store import Store
from index.catalogue import Shelf
from index.engine import Ints, Mask, as_ids

Copying = Literal["folded", "all"]
COPYINGS: tuple[Copying, ...] = ("folded", "all")
ALONE = -1  # the group of an article without copies
MOST_COPIES = 100  # named with a result; more are counted


class Groups:
    """The groups of copies of `store`, by rows of the catalogue's shelf. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before it is asked for."""
        self._store = store
        self._lock = threading.Lock()
        self._kept: tuple[int, int, Ints] = (-1, 0, np.empty(0, np.int64))  # copies_seq, rows, their groups

    def of(self, shelf: Shelf) -> tuple[int, Ints]:
        """Return what the groups are as of (`Store.copies_seq`), and the group of each row, `ALONE` without one."""
        met = len(shelf.shown)
        with self._lock:
            if self._kept[:2] != (self._store.copies_seq(), met):
                seq, groups = self._store.copy_groups()
                column = np.full(met, ALONE, np.int64)
                rows = shelf.known(as_ids(groups))
                column[rows[rows >= 0]] = np.fromiter(groups.values(), np.int64, len(groups))[rows >= 0]
                self._kept = (seq, met, column)
            return self._kept[0], self._kept[2]


@dataclass(frozen=True, slots=True)
class Folding:
    """How the rows of a list stand together: `group` numbers what belongs together, in the order of the first rows."""

    group: Ints  # of each row
    copies: Copying

    @property
    def places(self) -> int:
        """How many results the list has, counted when it was made."""
        if self.copies == "all":
            return len(self.group)
        return int(self.group.max(initial=-1)) + 1

    def rows(self, part: slice) -> Ints:
        """Return the rows at these places of the list: all that are folded there, too."""
        if self.copies == "all":
            return np.arange(len(self.group))[part]
        return np.flatnonzero((self.group >= part.start) & (self.group < part.stop))

    def places_of(self, rows: Ints) -> Ints:
        """Return the places of the list at which these rows are, or behind which they are folded; counted from 0."""
        return rows if self.copies == "all" else self.group[rows]

    def leading(self, rows: Ints) -> Ints:
        """Return which of these rows, ascending, are shown: where copies are folded, the first of each group."""
        if self.copies == "all":
            return rows
        return rows[np.unique(self.group[rows], return_index=True)[1]]

    def folded(self, keep: Mask) -> int:
        """Return how many of the rows that are kept stand behind another one."""
        if self.copies == "all":
            return 0
        return int(keep.sum()) - len(np.unique(self.group[keep]))

    def beside(self, rows: Ints) -> Ints:
        """Return all rows of the list that belong together with one of these."""
        return np.flatnonzero(np.isin(self.group, self.group[rows]))


def fold(groups: Ints, copies: Copying) -> Folding:
    """Return how the rows of a list stand together, given the group of each, `ALONE` without one."""
    rows = np.arange(len(groups))
    leader = rows.copy()
    grouped = np.flatnonzero(groups != ALONE)
    _, first, which = np.unique(groups[grouped], return_index=True, return_inverse=True)
    leader[grouped] = grouped[first[which]]
    number = np.cumsum(leader == rows) - 1
    return Folding(number[leader].astype(np.int32), copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """The other articles of a list that a result belongs together with: their number, and the ids of the first.

    `origin` is the likely origin of them all, whether it is in the list or not; it may be the result itself.
    """

    count: int
    ids: Sequence[str]
    origin: str


def copies_beside(article_id: str, group: Sequence[str]) -> Copies | None:
    """Return what stands behind an article of this group, whose first is the likely origin; None of an empty one."""
    others = [other for other in group if other != article_id]
    return Copies(count=len(others), ids=others[:MOST_COPIES], origin=group[0]) if others else None
