"""The catalogue: what each article shown now is filed under, in memory, so that counting thousands costs no reading.

Invariant: it mirrors the store. Before an answer is counted, every change committed since the last one is read, so what
the store does not show is not counted, whatever an index says. A shelf, once handed out, never changes.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from archive.article import Listing
from archive.store import Store
from index.engine import Ints, Mask
from index.moments import UNDATED, moment

NOT_SHOWN = -1  # a row of `Shelf.rows`
UNNAMED = -1  # the code of an article that has no source, section or language
NAMED = ("source", "section", "language")

Objects = NDArray[np.object_]
Kind = TypeVar("Kind", bound=np.generic)
_Read = Callable[[Sequence[str]], Mapping[str, Listing]]


class Names:
    """The different values of one field; each has a code, which it keeps."""

    def __init__(self) -> None:
        """Start without any."""
        self._codes: dict[str, int] = {}
        self._names: list[str] = []

    def code(self, name: str | None) -> int:
        """Return the code of `name`, a new one where it has none yet."""
        if not name:
            return UNNAMED
        if name not in self._codes:
            self._codes[name] = len(self._names)
            self._names.append(name)
        return self._codes[name]

    def __getitem__(self, code: int) -> str:
        """Return the name of a code."""
        return self._names[code]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalogue at one moment: columns with a row for every article met so far, in order of arrival."""

    seq: int  # the last change it knows of
    shown: Mask
    changed: Ints  # seq of the article's last change
    published: Ints  # microseconds since 1970, or UNDATED
    codes: dict[str, Ints]  # of source, section and language: codes of `names`
    authors: Objects  # a tuple of names each
    names: dict[str, Names]
    known: dict[str, int]  # article id -> row; shared with later shelves, which may know more articles

    def rows(self, article_ids: Sequence[str]) -> Ints:
        """Return the row of each of these articles, NOT_SHOWN where the store shows none."""
        found = (self.known.get(article_id, NOT_SHOWN) for article_id in article_ids)
        rows = np.fromiter(found, np.int64, len(article_ids))
        rows[rows >= len(self.shown)] = NOT_SHOWN  # met since by a later shelf
        known = np.flatnonzero(rows != NOT_SHOWN)
        rows[known[~self.shown[rows[known]]]] = NOT_SHOWN
        return rows


class Catalogue:
    """Keeps the catalogue of `store` up to date. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Nothing is read before the first `shelf`."""
        self._store = store
        self._lock = threading.Lock()
        self._shelf: Shelf | None = None

    def shelf(self) -> Shelf:
        """Return the catalogue as it is now."""
        with self._lock:
            seq = self._store.last_seq()
            shelf = self._shelf or _empty()
            if shelf.seq != seq:
                shelf = _filled(shelf, self._store.listings, self._store.last_changes(after=shelf.seq), seq=seq)
            self._shelf = shelf
            return shelf


def _empty() -> Shelf:
    return Shelf(
        seq=0,
        shown=np.empty(0, np.bool_),
        changed=np.empty(0, np.int64),
        published=np.empty(0, np.int64),
        codes={name: np.empty(0, np.int64) for name in NAMED},
        authors=np.empty(0, object),
        names={name: Names() for name in NAMED},
        known={},
    )


def _filled(shelf: Shelf, read: _Read, changes: dict[str, int], *, seq: int) -> Shelf:
    """Return the shelf with these articles (and the seq of the last change of each) read anew."""
    article_ids = list(changes)
    listings = read(article_ids)
    rows = np.fromiter((shelf.known.setdefault(id_, len(shelf.known)) for id_ in article_ids), np.int64)
    listed = [listings.get(article_id) for article_id in article_ids]
    size = len(shelf.known)
    return Shelf(
        seq=seq,
        shown=_with(shelf.shown, size, rows, [listing is not None for listing in listed]),
        changed=_with(shelf.changed, size, rows, changes.values()),
        published=_with(shelf.published, size, rows, map(_microseconds, listed)),
        codes={
            name: _with(shelf.codes[name], size, rows, [_code(listing, name, shelf.names) for listing in listed])
            for name in NAMED
        },
        authors=_with(shelf.authors, size, rows, [listing.authors if listing else () for listing in listed]),
        names=shelf.names,
        known=shelf.known,
    )


def _with(column: NDArray[Kind], size: int, rows: Ints, values: Iterable[object]) -> NDArray[Kind]:
    """Return a longer copy of the column in which `rows` have these values."""
    grown = np.zeros(size, column.dtype)
    grown[: len(column)] = column
    for row, value in zip(rows.tolist(), values, strict=True):
        grown[row] = value
    return grown


def _code(listing: Listing | None, name: str, names: dict[str, Names]) -> int:
    return names[name].code(getattr(listing, name)) if listing else UNNAMED


def _microseconds(listing: Listing | None) -> int:
    if listing is None or listing.published_at is None:
        return UNDATED
    return moment(listing.published_at)
