"""What a query is made of: the clauses, their limits, and the words they hold. Pure.

Invariant: a clause holds text as it was typed or plain values; engines analyse it with `index.analysis`, so that all of
them understand it alike. `index.query` makes clauses of what a user types.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

FieldName = Literal["title", "author", "source", "section", "language"]
FIELDS: tuple[FieldName, ...] = get_args(FieldName)
DATE_OPERATORS = ("after", "before", "on")

MAX_QUERY_CHARS = 2_000  # a pasted paragraph
MAX_WORDS = 512  # words in all; a long question in an evaluation collection has 200
MAX_CLAUSES = 16  # phrases, nears, filters, exclusions, prefixes, fuzzies and groups together
MAX_PHRASE_WORDS = 16  # words of one phrase or near
MAX_DEPTH = 4  # parentheses within each other
MAX_DISTANCE = 20  # words between the first and the last of a near
MAX_EDITS = 1  # letters in which a fuzzy word may differ
MAX_EXPANSIONS = 128  # words of the archive that one prefix or fuzzy stands for
MIN_PREFIX = 3  # letters of a prefix
MIN_FUZZY = 4  # letters of a fuzzy word


class QueryRefused(ValueError):
    """A query exceeds a limit, and `limit` says which; the message says how much and what to do."""

    def __init__(self, limit: str, message: str) -> None:
        """Take the short name of the limit and a sentence for the reader."""
        super().__init__(message)
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Term:
    """A word, as the user wrote it; the engine analyses it. `weight` multiplies its score."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins with `text`, which is folded and has at least `MIN_PREFIX` letters."""

    text: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """The word, or any that is one edit away: a letter put in, left out, replaced, or two neighbours exchanged."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must stand next to each other, in this order, in the title or in the body."""

    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """Words that must all stand in one field, title or body, in any order.

    At most `distance` other words stand between the first and the last of them.
    """

    text: str
    distance: int


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The article's `field` is `value` (title: contains its words), ignoring case and accents."""

    field: FieldName
    value: str


@dataclass(frozen=True, slots=True)
class Published:
    """`start <= published_at < end`, both aware, in UTC; None leaves that side open. An undated article never holds."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the clauses holds."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of the clauses holds."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The clause does not hold."""

    clause: "Clause"


Clause = Term | Prefix | Fuzzy | Phrase | Near | FieldValue | Published | AnyOf | AllOf | Not


def leaves(clauses: Iterable[Clause]) -> Iterator[Clause]:
    """Yield `clauses` in order, in place of a group what it holds; nothing of a `Not`."""
    for clause in clauses:
        if isinstance(clause, AnyOf | AllOf):
            yield from leaves(clause.clauses)
        elif not isinstance(clause, Not):
            yield clause


def texts(clauses: Iterable[Clause]) -> Iterator[str]:
    """Yield the words, phrases, prefixes... of `clauses` as they were typed; nothing of a `Not` or a filter."""
    for clause in leaves(clauses):
        if isinstance(clause, Term | Prefix | Fuzzy | Phrase | Near):
            yield clause.text
