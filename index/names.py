"""The names of one field (sources, sections, authors), each with its articles, counted as a filter of a search counts.

Invariant: names that a filter does not tell apart are one, under the spelling that most articles have; an article
counts once for each name it has.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from index.analysis import fold
from index.catalogue import UNNAMED, Shelf, Values
from index.engine import Ints, Mask
from index.facets import author_codes

Kind = Literal["source", "section", "author"]
KINDS: tuple[Kind, ...] = ("source", "section", "author")
OTHER = "other"  # the letter of names that begin with none, or with one of the thousands of East Asia
MANY_LETTERS = "\u2e80"  # from here on Unicode has scripts with thousands of signs, which make no index of letters
REMEMBERED = 200_000  # folded names, some 150 bytes each


@dataclass(frozen=True, slots=True)
class Named:
    """A name, and how many articles have it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Names:
    """All names of a field, numbered in the order of their folded forms."""

    folded: Sequence[str]  # by number
    spellings: Sequence[str]  # by number
    counts: Ints  # by number
    rows: Ints  # of the shelf: one for each article and name
    numbers: Ints  # which name that is
    alphabet: Sequence[int]  # all numbers, by what stands first in a name but quotation marks and such

    def number(self, name: str) -> int | None:
        """Return the number of a name, however it is spelt; None when no article has it."""
        wanted = fold(name)
        at = bisect_left(self.folded, wanted)
        return at if at < len(self.folded) and self.folded[at] == wanted else None

    def rows_of(self, number: int) -> Ints:
        """Return the articles that have this name."""
        rows: Ints = self.rows[self.numbers == number]
        return rows

    def named(self, number: int) -> Named:
        """Return the name of this number."""
        return Named(self.spellings[number], int(self.counts[number]))

    def counts_among(self, mask: Mask) -> Ints:
        """Return how many of the articles in a mask have each name, by number."""
        counts: Ints = np.bincount(self.numbers[mask[self.rows]], minlength=len(self.folded))
        return counts

    def top(self, counts: Ints | None = None, *, limit: int) -> list[Named]:
        """Return the names of the highest counts, by default those of all articles; of equals the first by alphabet."""
        counts = self.counts if counts is None else counts
        numbers = np.argsort(-counts, kind="stable")[:limit]
        return [Named(self.spellings[each], int(counts[each])) for each in numbers.tolist() if counts[each]]

    def holding(self, text: str) -> list[int]:
        """Return the numbers of the names that hold a text, however spelt, by the alphabet; all where it is empty."""
        wanted = fold(text)
        return [number for number in self.alphabet if wanted in self.folded[number]]

    def letters(self, numbers: Sequence[int]) -> dict[str, int]:
        """Return the letters that these names begin with, and how many do; `OTHER` last."""
        counted: dict[str, int] = {}
        for number in numbers:
            letter = letter_of(self.folded[number])
            counted[letter] = counted.get(letter, 0) + 1
        return dict(sorted(counted.items(), key=lambda pair: (pair[0] == OTHER, pair[0])))


def letter_of(folded: str) -> str:
    """Return the letter under which a folded name stands."""
    first = _bare(folded)[:1]
    return first.upper()[:1] if first.isalpha() and first < MANY_LETTERS else OTHER


def _bare(folded: str) -> str:
    """Return a name from its first letter or digit on."""
    return folded[next((at for at, sign in enumerate(folded) if sign.isalnum()), 0) :]


def names_of(shelf: Shelf, kind: Kind) -> Names:
    """Return the names of a field that articles shown have."""
    shown = np.flatnonzero(shelf.shown)
    if kind == "author":
        rows, codes = np.repeat(shown, shelf.author_count[shown]), author_codes(shelf, shown)
    else:
        rows, codes = shown, shelf.codes[kind][shown]
    named = codes != UNNAMED
    return _named(shelf.values[kind], rows[named], codes[named])


def _named(values: Values, rows: Ints, codes: Ints) -> Names:
    used, which, uses = np.unique(codes, return_inverse=True, return_counts=True)
    spellings = [values[code] for code in used.tolist()]
    folded = [_folded(spelling) for spelling in spellings]
    known = sorted({name for name in folded if name})  # what folds to nothing can be asked for by no filter
    number_of = {name: number for number, name in enumerate(known)}
    numbers = np.array([number_of.get(name, UNNAMED) for name in folded], np.int64)[which]
    chosen: dict[str, str] = {}
    for _, spelling, name in sorted(zip((-uses).tolist(), spellings, folded, strict=True)):
        chosen.setdefault(name, spelling)
    pairs = np.unique(np.stack([rows, numbers])[:, numbers != UNNAMED], axis=1)  # "J. Doe" twice over an article is one
    return Names(
        folded=known,
        spellings=[chosen[name] for name in known],
        counts=np.bincount(pairs[1], minlength=len(known)),
        rows=pairs[0],
        numbers=pairs[1],
        alphabet=sorted(range(len(known)), key=lambda number: _bare(known[number])),
    )


@lru_cache(maxsize=REMEMBERED)
def _folded(spelling: str) -> str:
    return fold(spelling)
