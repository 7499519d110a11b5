"""What one search may cost: how many words of the archive's texts are looked through for it.

Words and filters are answered from postings, which are quick at any size. Phrases, near words, and beginnings and
misspellings whose stem is shared by other words, are looked for in the texts themselves, and a query of many such would
keep a processor for seconds. So whoever answers strangers opens a budget, and what looks through texts spends from it.

Invariants: whether a query is within its budget is settled by the query and the archive, never by what is remembered:
what was found before costs what it cost to find. A single phrase is always looked for, in an archive of any size.
"""

import math
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from index.language.clauses import QueryRefused

MOST_WORDS = 18_000_000  # some .3 s of a processor of 2026
NEAR = 2  # times as many, for near words alone: among the commonest they mean nothing


class Budget:
    """What may be spent, and what was."""

    def __init__(self, most: float, *, outer: "Budget | None" = None) -> None:
        """Allow so many words; what is spent here is spent of `outer` too."""
        self.spent = 0
        self._most = most
        self._outer = outer
        self._paid: set[Hashable] = set()
        self._parts = 0  # of the query that cost something

    def spend(self, words: int, *, is_near: bool = False) -> None:
        """Look through so many words more. Raises QueryRefused when that is too much.

        What is looked for alone is bounded only where it is near words.
        """
        self.spent += words
        if self._outer is not None:
            self._outer.spend(words, is_near=is_near)
        if self.spent > self._most * (1 if self._parts else NEAR if is_near else math.inf):
            raise QueryRefused(
                "work",
                f"These phrases and the like have more than {self._most:,} words of the archive looked through: "
                "leave some of them out.",
            )

    def pay(self, part: Hashable, words: int) -> None:
        """Spend what a part of the query cost when it was found, once."""
        if part not in self._paid:
            self.spend(words)
            self.paid(part, words)

    def paid(self, part: Hashable, words: int) -> None:
        """Note that a part of the query has cost so much."""
        self._paid.add(part)
        self._parts += words > 0


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget(most: float | None = None) -> Iterator[Budget]:
    """Bound what is spent in this context, by default to `MOST_WORDS`."""
    opened = Budget(MOST_WORDS if most is None else most, outer=_current.get())
    token = _current.set(opened)
    try:
        yield opened
    finally:
        _current.reset(token)


@contextmanager
def measured() -> Iterator[Budget]:
    """Tell what is spent in this context."""
    with budget(float("inf")) as opened:
        yield opened


def spend(words: int, *, is_near: bool = False) -> None:
    """Look through so many words. Raises QueryRefused where somebody has bounded that."""
    if (current := _current.get()) is not None:
        current.spend(words, is_near=is_near)


def current() -> Budget | None:
    """Return the budget that is being spent from."""
    return _current.get()
