"""Frozen result sets: what a search found, kept for a while, so that every page of it is a page of the same list.

Invariant: the rows of a set and their order never change. Total, facets, histogram and pages are all counted from
them; articles that come in meanwhile are for the next search, and those that are withdrawn leave a gap.
"""

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

KEPT_SECONDS = 15 * 60.0  # after a set was last asked for: longer than people stay on a page of results
MOST_BYTES = 32_000_000  # of the columns of all sets together, which is some 170,000 articles
MOST_SETS = 512  # each takes some 20 kB beside its columns

_CURSOR = re.compile(r"([0-9a-f]{16})-([0-9]{1,9})")


class Rows(Protocol):
    """What is kept: a set that has a name and says how much memory it takes."""

    @property
    def token(self) -> str:
        """What tells this set from every other: 16 hex digits."""

    @property
    def nbytes(self) -> int:
        """The memory that its columns take."""


Kept = TypeVar("Kept", bound=Rows)


def token_of(*parts: object) -> str:
    """Return the token of the set that these parts determine: the same again for the same question and archive."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def cursor_of(token: str, start: int) -> str:
    """Return the cursor of the page that begins at row `start`."""
    return f"{token}-{start}"


def read_cursor(cursor: str) -> tuple[str, int] | None:
    """Return the token and the row a cursor names, None when it is no cursor."""
    match = _CURSOR.fullmatch(cursor)
    return (match[1], int(match[2])) if match else None


@dataclass
class _Entry(Generic[Kept]):
    found: Kept
    used: float


@dataclass
class FrozenSets(Generic[Kept]):
    """The sets kept, the least recently used given up first. Safe to use from several threads."""

    clock: Callable[[], float] = time.monotonic
    _by_token: "OrderedDict[str, _Entry[Kept]]" = field(default_factory=OrderedDict)
    _latest: dict[object, str] = field(default_factory=dict)  # question -> token of the set made last
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, question: object, found: Kept) -> None:
        """Keep a set as the latest answer to `question`."""
        with self._lock:
            self._drop(found.token)
            self._by_token[found.token] = _Entry(found, self.clock())
            self._latest[question] = found.token
            self._bytes += found.nbytes
            self._give_up()

    def latest(self, question: object) -> Kept | None:
        """Return the set made last for `question`, if it is still kept."""
        with self._lock:
            return self._use(self._latest.get(question, ""))

    def named(self, token: str) -> Kept | None:
        """Return the set of this token, None when it is no longer kept."""
        with self._lock:
            return self._use(token)

    def _use(self, token: str) -> Kept | None:
        entry = self._by_token.get(token)
        if entry is None or self.clock() - entry.used > KEPT_SECONDS:
            return None
        entry.used = self.clock()
        self._by_token.move_to_end(token)
        return entry.found

    def _give_up(self) -> None:
        while (oldest := next(iter(self._by_token))) and self.clock() - self._by_token[oldest].used > KEPT_SECONDS:
            self._drop(oldest)
        while len(self._by_token) > 1 and (len(self._by_token) > MOST_SETS or self._bytes > MOST_BYTES):
            self._drop(next(iter(self._by_token)))
        if len(self._latest) > 2 * MOST_SETS:
            self._latest = {question: token for question, token in self._latest.items() if token in self._by_token}

    def _drop(self, token: str) -> None:
        entry = self._by_token.pop(token, None)
        if entry is not None:
            self._bytes -= entry.found.nbytes
