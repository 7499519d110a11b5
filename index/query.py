"""The query language: text in, a `Query` out. Nothing an engine's own parser would see.

Any text parses: what is not an operator is a word. A query is three lists of clauses, as in a Boolean retrieval
model: `wanted` clauses score, `required` ones must all hold, `excluded` ones must not. What a user may type is
described in `docs/query-language.md`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

from index.analysis import analyse, fold, scoring_terms

FieldName = Literal["title", "author", "source", "section", "language"]
FIELDS: tuple[FieldName, ...] = get_args(FieldName)
DATE_OPERATORS = ("after", "before")

MAX_QUERY_CHARS = 2_000  # a pasted paragraph; what follows is not read
MAX_WORDS = 512  # wanted words; a long question in an evaluation collection has 200
MAX_CLAUSES = 64  # phrases, filters and exclusions together


@dataclass(frozen=True, slots=True)
class Term:
    """A word, as the user wrote it; the engine analyses it. `weight` multiplies its score."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that must stand next to each other, in this order, in the title or in the body."""

    text: str


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The article's `field` is `value` (title: contains its words), ignoring case and accents."""

    field: FieldName
    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the clauses holds."""

    clauses: "tuple[Clause, ...]"


@dataclass(frozen=True, slots=True)
class Published:
    """`start <= published_at < end`, both aware, in UTC; None leaves that side open. An undated article never holds."""

    start: datetime | None = None
    end: datetime | None = None


Clause = Term | Phrase | FieldValue | Published | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `text` is what the semantic leg embeds: the wanted words and phrases without operators."""

    text: str = ""
    wanted: tuple[Clause, ...] = ()
    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()


def parse(text: str) -> Query:
    """Parse what a user typed. Never raises, whatever the text."""
    draft = _Draft()
    for minus, name, quoted, bare in _ITEM.findall(_readable(text)):
        draft.take(minus=minus, name=name.lower(), quoted=quoted, bare=bare)
    return draft.query()


def narrow(query: Query, *clauses: Clause) -> Query:
    """Return `query` with `clauses` required as well."""
    return replace(query, required=(*query.required, *clauses))


def matched_words(query: Query) -> Sequence[str]:
    """Return the terms a snippet should highlight (as `index.analysis` makes them), in order, without repeats.

    Stop words are left out unless there is nothing else.
    """
    terms = [term for text in texts((*query.wanted, *query.required)) for term in analyse(text)]
    return tuple(dict.fromkeys(scoring_terms(terms)))


def texts(clauses: Iterable[Clause]) -> Iterator[str]:
    """Yield the words and phrases of `clauses` as they were typed, those inside other clauses too."""
    for clause in clauses:
        match clause:
            case Term(text) | Phrase(text):
                yield text
            case AnyOf(inner):
                yield from texts(inner)


# One item: an optional minus, an optional field, then a quoted text or a run of anything but spaces and quotes.
_NAMES = "|".join((*FIELDS, *DATE_OPERATORS))
_ITEM = re.compile(rf'(?:(?<!\S)(-)(?=[^\s-]))?(?:(?i:({_NAMES})):(?=[^\s]))?(?:"([^"]*)"|([^\s"]+))')
_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d\u301e\u301f", '"'))
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")


def _readable(text: str) -> str:
    """Return as much of `text` as is read, in full-width-folded characters, with only straight double quotes.

    Control characters and lone surrogates, which no word holds and some libraries refuse, become spaces.
    """
    cut = text[: MAX_QUERY_CHARS + 1]
    if len(cut) > MAX_QUERY_CHARS:  # end at a whole word where there is one
        cut = cut[:MAX_QUERY_CHARS].rpartition(" ")[0] or cut[:MAX_QUERY_CHARS]
    plain = unicodedata.normalize("NFKC", cut).translate(_QUOTES)
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in plain)


@dataclass(slots=True)
class _Draft:
    """A query being read, one item at a time."""

    words: list[str] = field(default_factory=list)  # wanted words and phrases as typed, for `Query.text`
    wanted: list[Clause] = field(default_factory=list)
    required: list[Clause] = field(default_factory=list)
    excluded: list[Clause] = field(default_factory=list)
    filters: dict[FieldName, list[Clause]] = field(default_factory=dict)
    published: Published | None = None
    room: int = MAX_CLAUSES

    def take(self, *, minus: str, name: str, quoted: str, bare: str) -> None:
        """Add one item: `name` is a field or date operator or empty, and one of `quoted` and `bare` is empty."""
        if not (quoted.strip() or bare):
            return
        clause = _filter(name, quoted or bare)
        if clause is not None:
            self._add_filter(clause, minus)
        elif minus:
            self._exclude(_words_of(name, quoted, bare))
        else:
            self._want(_words_of(name, quoted, bare))

    def _add_filter(self, clause: FieldValue | Published, minus: str) -> None:
        if not self._has_room():
            return
        if minus:
            self.excluded.append(clause)
        elif isinstance(clause, FieldValue):
            self.filters.setdefault(clause.field, []).append(clause)
        else:
            self.published = _both(self.published, clause)

    def _exclude(self, clause: Term | Phrase) -> None:
        if analyse(clause.text) and self._has_room():
            self.excluded.append(clause)

    def _want(self, clause: Term | Phrase) -> None:
        holds_words = bool(analyse(clause.text))
        if isinstance(clause, Phrase):
            if holds_words and self._has_room():
                self.required.append(clause)
                self.words.append(clause.text)
        elif len(self.words) < MAX_WORDS:
            self.words.append(clause.text)
            if holds_words:
                self.wanted.append(clause)

    def _has_room(self) -> bool:
        self.room -= 1
        return self.room >= 0

    def query(self) -> Query:
        """Return what was read."""
        required = [*self.required]
        required += [values[0] if len(values) == 1 else AnyOf(tuple(values)) for values in self.filters.values()]
        if self.published is not None:
            required.append(self.published)
        means_something = bool(self.wanted or self.required)
        return Query(
            text=" ".join(self.words) if means_something else "",
            wanted=tuple(self.wanted),
            required=tuple(required),
            excluded=tuple(self.excluded),
        )


def _words_of(name: str, quoted: str, bare: str) -> Term | Phrase:
    if quoted and not name:
        return Phrase(" ".join(quoted.split()))
    return Term(f"{name}:{quoted or bare}" if name else bare)


def _filter(name: str, value: str) -> FieldValue | Published | None:
    """Return the filter `name:value` means, or None when it is no more than words."""
    if name in DATE_OPERATORS:
        return _published(name, value.strip())
    if name and fold(value) and (name != "title" or analyse(value)):
        return FieldValue(cast(FieldName, name), " ".join(value.split()))
    return None


def _published(operator: str, value: str) -> Published | None:
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
    except ValueError:  # the 31st of June, the year 0
        return None
    if operator == "after":
        return Published(start=start)
    return Published(end=_end(start, month=month, day=day))


def _end(start: datetime, *, month: int | None, day: int | None) -> datetime | None:
    """Return the first moment after the year, month or day that begins at `start`; None after the year 9999."""
    try:
        if day is not None:
            return start + timedelta(days=1)
        if month is not None and start.month < 12:
            return start.replace(month=start.month + 1)
        return start.replace(year=start.year + 1, month=1)
    except (OverflowError, ValueError):
        return None


def _both(first: Published | None, second: Published) -> Published:
    """Return the one clause that holds where both hold."""
    if first is None:
        return second
    starts = [clause.start for clause in (first, second) if clause.start is not None]
    ends = [clause.end for clause in (first, second) if clause.end is not None]
    return Published(start=max(starts, default=None), end=min(ends, default=None))
