"""The catalogue: what each article shown now is filed under, in memory, so that counting thousands costs no reading.

Invariant: it mirrors the store. Before an answer is counted, every change committed since the last one is read, so what
the store does not show is not counted, whatever an index says. A shelf, once handed out, never changes.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archive.store import Filing, Store
from index.engine import Ids, Ints, Mask, as_ids
from index.moments import UNDATED, moment

NOT_SHOWN = -1  # a row of `Shelf.rows`
UNNAMED = -1  # the code of an article that has no source, section or language
NAMED = ("source", "section", "language")
PLACED = 4  # generations, and answers of the store's own engine, whose articles' rows are remembered

Kind = TypeVar("Kind", bound=np.generic)


class Values:
    """The different values of one field; each has a code, which it keeps."""

    def __init__(self) -> None:
        """Start without any."""
        self._codes: dict[str, int] = {}
        self._values: list[str] = []
        self._ranks: Ints = np.empty(0, np.int64)

    def code(self, value: str | None) -> int:
        """Return the code of `value`, a new one where it has none yet."""
        if not value:
            return UNNAMED
        code = self._codes.setdefault(value, len(self._values))
        if code == len(self._values):
            self._values.append(value)
        return code

    def codes(self, column: Sequence[str | None]) -> list[int]:
        """Return the code of each of these values; each different one is looked up once."""
        codes = {value: self.code(value) for value in dict.fromkeys(column)}
        return [codes[value] for value in column]

    def __getitem__(self, code: int) -> str:
        """Return the value of a code."""
        return self._values[code]

    def ranks(self) -> Ints:
        """Return the place of each code's value in the order of the values."""
        ranks = self._ranks
        if len(ranks) < len(self._values):
            values = list(self._values)
            ranks = np.empty(len(values), np.int64)
            ranks[sorted(range(len(values)), key=values.__getitem__)] = np.arange(len(values))
            self._ranks = ranks
        return ranks


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalogue at one moment: columns with a row for every article met so far, in order of arrival."""

    seq: int  # the last change it knows of
    shown: Mask
    changed: Ints  # seq of the article's last change
    published: Ints  # microseconds since 1970, or UNDATED
    codes: dict[str, Ints]  # of source, section and language: codes of `values`
    authors: Ints  # codes of `values`, those of one article together
    first_author: Ints  # where an article's begin
    author_count: Ints
    values: dict[str, Values]  # of source, section, language and author; shared with later shelves, which may have more
    ids: Ids  # of all articles met, ascending
    places: Ints  # the row of each of `ids`

    def rows(self, ids: Ids) -> Ints:
        """Return the row of each of these articles, NOT_SHOWN where the store shows none."""
        return self.shown_of(self.known(ids))

    def known(self, ids: Ids) -> Ints:
        """Return the row of each of these articles, shown or not, NOT_SHOWN of one never met."""
        if not len(self.ids):
            return np.full(len(ids), NOT_SHOWN)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, self.places[at], NOT_SHOWN)

    def shown_of(self, rows: Ints) -> Ints:
        """Return these rows (a new array), NOT_SHOWN in place of those that the store does not show."""
        rows = np.where(rows < len(self.shown), rows, NOT_SHOWN)  # further ones were met since by a later shelf
        known = np.flatnonzero(rows != NOT_SHOWN)
        rows[known[~self.shown[rows[known]]]] = NOT_SHOWN
        return rows


class Catalogue:
    """Keeps the catalogue of `store` up to date. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before the first `shelf`."""
        self._store = store
        self._lock = threading.Lock()
        self._shelf = _empty()
        self._placed: list[tuple[Ids, Ints, int]] = []  # a generation's ids, the row of each, how many rows there were

    def shelf(self) -> Shelf:
        """Return the catalogue as it is now."""
        with self._lock:
            seq = self._store.last_seq()
            if self._shelf.seq != seq:
                self._shelf = _filled(self._shelf, self._store.filings(after=self._shelf.seq), seq=seq)
            return self._shelf

    def rows(self, shelf: Shelf, all_ids: Ids, numbers: Ints) -> Ints:
        """Return the row on the shelf of each of these articles of a generation, NOT_SHOWN where the store shows none.

        Which row is whose is found once for all articles of a generation: those of an answer are then looked up.
        """
        return shelf.shown_of(self._rows_of(shelf, all_ids)[numbers])

    def _rows_of(self, shelf: Shelf, all_ids: Ids) -> Ints:
        met = len(shelf.shown)
        with self._lock:
            for ids, rows, known in self._placed:
                # An article keeps its row: only one that had never been met may have got one since.
                if ids is all_ids and (known >= met or not (rows == NOT_SHOWN).any()):
                    return rows
            rows = shelf.known(all_ids)
            others = [placed for placed in self._placed if placed[0] is not all_ids]
            self._placed = [(all_ids, rows, met), *others][:PLACED]
            return rows


def _empty() -> Shelf:
    return Shelf(
        seq=0,
        shown=np.empty(0, np.bool_),
        changed=np.empty(0, np.int64),
        published=np.empty(0, np.int64),
        codes={name: np.empty(0, np.int64) for name in NAMED},
        authors=np.empty(0, np.int64),
        first_author=np.empty(0, np.int64),
        author_count=np.empty(0, np.int64),
        values={name: Values() for name in (*NAMED, "author")},
        ids=as_ids(()),
        places=np.empty(0, np.int64),
    )


def _filled(shelf: Shelf, filings: Sequence[Filing], *, seq: int) -> Shelf:
    """Return the shelf with these articles (ascending by id) read anew."""
    if not filings:
        return replace(shelf, seq=seq)
    ids, changed, shown, source, section, authors, language, published = zip(*filings, strict=True)
    rows, ids_met, places = _met(shelf, as_ids(ids))
    size = len(places)
    columns = dict(zip(NAMED, (source, section, language), strict=True))
    flat, first, count = _author_codes(authors, shelf.values["author"])
    return Shelf(
        seq=seq,
        shown=_with(shelf.shown, size, rows, shown),
        changed=_with(shelf.changed, size, rows, changed),
        published=_with(shelf.published, size, rows, _moments(published)),
        codes={
            name: _with(shelf.codes[name], size, rows, shelf.values[name].codes(column))
            for name, column in columns.items()
        },
        authors=np.concatenate([shelf.authors, flat]),  # those of an article's former version stay behind, unused
        first_author=_with(shelf.first_author, size, rows, first + len(shelf.authors)),
        author_count=_with(shelf.author_count, size, rows, count),
        values=shelf.values,
        ids=ids_met,
        places=places,
    )


def _met(shelf: Shelf, ids: Ids) -> tuple[Ints, Ids, Ints]:
    """Return the row of each of these articles, then all articles met, ascending, and their rows."""
    rows = shelf.known(ids)
    new = np.flatnonzero(rows == NOT_SHOWN)
    rows[new] = len(shelf.places) + np.arange(len(new))
    at = np.searchsorted(shelf.ids, ids[new])
    return rows, np.insert(shelf.ids, at, ids[new]), np.insert(shelf.places, at, rows[new])


def _with(column: NDArray[Kind], size: int, rows: Ints, values: ArrayLike) -> NDArray[Kind]:
    """Return a longer copy of the column in which `rows` have these values."""
    grown = np.zeros(size, column.dtype)
    grown[: len(column)] = column
    grown[rows] = values
    return grown


def _author_codes(texts: Sequence[str], authors: Values) -> tuple[Ints, Ints, Ints]:
    """Return the codes of all these lists of authors (JSON), one after the other, where each begins and how long it is.

    Most bylines stand over many articles: each is read once.
    """
    read = {text: [authors.code(name) for name in json.loads(text)] for text in dict.fromkeys(texts)}
    lists = [read[text] for text in texts]
    count = np.fromiter(map(len, lists), np.int64, len(lists))
    flat = np.fromiter(chain.from_iterable(lists), np.int64, int(count.sum()))
    return flat, np.cumsum(count) - count, count


def _moments(texts: Sequence[str | None]) -> Ints:
    read = {text: moment(datetime.fromisoformat(text)) if text else UNDATED for text in dict.fromkeys(texts)}
    return np.fromiter((read[text] for text in texts), np.int64, len(texts))
