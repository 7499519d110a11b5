"""The query language: text in, a `Query` out. Nothing an engine's own parser would see.

Any text parses: what is not an operator is a word, and only a limit is a reason to refuse one. A query is three lists
of clauses, as in a Boolean retrieval model: `wanted` clauses score, `required` ones must all hold, `excluded` ones must
not. What a user may type is described in `docs/query-language.md`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from index.analysis import analyse, words
from index.language.clauses import (
    DATE_OPERATORS,
    FIELDS,
    MAX_CLAUSES,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_EDITS,
    MAX_EXPANSIONS,
    MAX_PHRASE_WORDS,
    MAX_QUERY_CHARS,
    MAX_WORDS,
    MIN_FUZZY,
    MIN_PREFIX,
    AllOf,
    AnyOf,
    Clause,
    FieldName,
    FieldValue,
    Fuzzy,
    Near,
    Not,
    Phrase,
    Prefix,
    Published,
    QueryRefused,
    Term,
    leaves,
    texts,
)
from index.language.grammar import Parser
from index.language.lexer import readable

__all__ = [
    "DATE_OPERATORS",
    "FIELDS",
    "MAX_CLAUSES",
    "MAX_DEPTH",
    "MAX_DISTANCE",
    "MAX_EDITS",
    "MAX_EXPANSIONS",
    "MAX_PHRASE_WORDS",
    "MAX_QUERY_CHARS",
    "MAX_WORDS",
    "MIN_FUZZY",
    "MIN_PREFIX",
    "AllOf",
    "AnyOf",
    "Clause",
    "FieldName",
    "FieldValue",
    "Fuzzy",
    "Near",
    "Not",
    "Phrase",
    "Prefix",
    "Published",
    "Query",
    "QueryRefused",
    "Term",
    "has_words",
    "leaves",
    "narrow",
    "parse",
    "texts",
]


MAX_PLAIN_CHARS = 2 * MAX_QUERY_CHARS  # what ligatures may grow to when they are written out; one makes up to 18


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `text` is what the semantic leg embeds: the wanted words and phrases without operators."""

    text: str = ""
    wanted: tuple[Clause, ...] = ()
    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()


def parse(text: str, *, today: date) -> Query:
    """Parse what a user typed on the day `today`. Raises QueryRefused beyond a limit, and nothing else ever."""
    typed = _read(text)
    if not words(typed):  # nothing but signs, however nested
        return Query()
    tree = Parser(typed, today=today).tree()
    _check(tree)
    simple = _simplified(AllOf((tree,)))
    clauses = simple.clauses if isinstance(simple, AllOf) else (simple,) if simple else ()
    wanted = tuple(_or_of_that_year(clause) for clause in clauses if not _binds(clause))
    required = tuple(clause for clause in clauses if _binds(clause) and not isinstance(clause, Not))
    return Query(
        text=_embedded(tree) if any(texts((*wanted, *required))) else "",
        wanted=wanted,
        required=required,
        excluded=tuple(clause.clause for clause in clauses if isinstance(clause, Not)),
    )


def narrow(query: Query, *clauses: Clause) -> Query:
    """Return `query` with `clauses` required as well."""
    return replace(query, required=(*query.required, *clauses))


def without_filters(query: Query) -> Query:
    """Return the query without the clauses that only say where to look: fields other than words, dates."""
    return replace(
        query,
        required=tuple(clause for clause in query.required if not _is_filter(clause)),
        excluded=tuple(clause for clause in query.excluded if not _is_filter(clause)),
    )


def _is_filter(clause: Clause) -> bool:
    match clause:
        case FieldValue(name):
            return name != "title"
        case Published():
            return True
        case Not(inner):
            return _is_filter(inner)
        case AnyOf(clauses) | AllOf(clauses):
            return all(map(_is_filter, clauses))
    return False


def has_words(query: Query) -> bool:
    """Return whether `query` has anything the keyword leg can rank by."""
    return any(texts((*query.wanted, *query.required)))


# Understanding: the tree as typed becomes what an engine is asked.


_YEAR = re.compile(r"(?:1[6-9]|20)[0-9]{2}")  # since there are newspapers


def _or_of_that_year(clause: Clause) -> Clause:
    """Return a bare year as the word, or the year an article was published in: few articles name their own."""
    if not isinstance(clause, Term) or not _YEAR.fullmatch(clause.text):
        return clause
    year = int(clause.text)
    return AnyOf((clause, Published(datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC))))


TEXT_OPERATORS = 2  # operators that a phrase or near counts for: it takes up to 100 ms over 25,000 articles


def _check(tree: Clause) -> None:
    """Raise QueryRefused when there are too many words or operators."""
    count = sum(len(analyse(text)) for text in _typed(tree))
    if count > MAX_WORDS:
        raise QueryRefused("words", f"A query has at most {MAX_WORDS} words: take some of these {count} out.")
    operators = _operators(tree)
    if operators > MAX_CLAUSES:
        raise QueryRefused(
            "operators",
            f"A query has at most {MAX_CLAUSES} filters, exclusions, groups and the like, phrases counting double: "
            f"take some of these {operators} out.",
        )


def _read(text: str) -> str:
    """Return `text` in plain characters, or refuse one that is too long before anything looks at it."""
    if len(text) > MAX_QUERY_CHARS:
        raise QueryRefused("characters", _TOO_LONG.format(len(text)))
    plain = readable(text)
    if len(plain) > MAX_PLAIN_CHARS:
        raise QueryRefused("characters", _TOO_LONG.format(len(plain)))
    return plain


_TOO_LONG = f"A query has at most {MAX_QUERY_CHARS:,} characters: shorten these {{:,}}."


def _typed(clause: Clause) -> Iterator[str]:
    match clause:
        case Not(inner):
            yield from _typed(inner)
        case AnyOf(clauses) | AllOf(clauses):
            for inner in clauses:
                yield from _typed(inner)
        case _:
            yield from texts((clause,))


def _operators(clause: Clause) -> int:
    """Return how many operators `clause` was typed with; parentheses that change nothing do not count.

    What is looked for in the texts themselves counts more than what the postings tell.
    """
    match clause:
        case Term():
            return 0
        case Phrase(text) | Near(text):
            return TEXT_OPERATORS if len(analyse(text)) > 1 else 1
        case Not(inner):
            return max(1, _operators(inner))
        case AnyOf(clauses):
            return 1 + sum(map(_operators, clauses))
        case AllOf(clauses):
            return sum(map(_operators, clauses))
    return 1


def _simplified(clause: Clause) -> Clause | None:
    """Return `clause` without what holds no words and without needless groups, None when nothing remains."""
    match clause:
        case Term(text) | Phrase(text) | Near(text):
            return clause if analyse(text) else None
        case Not(inner):
            kept = _simplified(inner)
            return Not(kept) if kept else None
        case AnyOf(clauses):
            alternatives = _flat(AnyOf, clauses)
            return AnyOf(tuple(alternatives)) if len(alternatives) > 1 else next(iter(alternatives), None)
        case AllOf(clauses):
            parts = _merged(_flat(AllOf, clauses))
            return AllOf(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)
    return clause


def _flat(group: type[AllOf] | type[AnyOf], clauses: Iterable[Clause]) -> list[Clause]:
    """Return the clauses simplified, those of a group of the same kind in its place."""
    simple = [kept for clause in _opened(group, clauses) if (kept := _simplified(clause))]
    return list(_opened(group, simple))


def _opened(group: type[AllOf] | type[AnyOf], clauses: Iterable[Clause]) -> Iterator[Clause]:
    for clause in clauses:
        if isinstance(clause, group):
            yield from _opened(group, clause.clauses)
        else:
            yield clause


def _merged(clauses: Iterable[Clause]) -> list[Clause]:
    """Return clauses that must all hold, of which several values of one field mean any, several dates one period."""
    others: list[Clause] = []
    values: dict[FieldName, list[Clause]] = {}
    days: list[Published] = []
    since: Published | None = None
    for clause in clauses:
        name = _only_field(clause)
        if name is not None:
            values.setdefault(name, []).extend(_alternatives(clause))
        elif not isinstance(clause, Published):
            others.append(clause)
        elif clause.start and clause.end:
            days.append(clause)
        else:
            since = _both(since, clause)
    if len(days) == 1:
        since = _both(since, days.pop())
    groups = [_any_of(found) for found in (*values.values(), tuple(days)) if found]
    return [*others, *groups, *([since] if since else [])]


def _only_field(clause: Clause) -> FieldName | None:
    """Return the field of which `clause` is one value or any of several, None when it is something else.

    A title is no such field: it holds many words, and those typed beside each other are all wanted.
    """
    names = {inner.field if isinstance(inner, FieldValue) else None for inner in _alternatives(clause)}
    return names.pop() if len(names) == 1 and names != {"title"} else None


def _alternatives(clause: Clause) -> tuple[Clause, ...]:
    return clause.clauses if isinstance(clause, AnyOf) else (clause,)


def _any_of(clauses: Sequence[Clause]) -> Clause:
    return clauses[0] if len(clauses) == 1 else AnyOf(tuple(clauses))


def _both(first: Published | None, second: Published) -> Published:
    """Return the one clause that holds where both hold."""
    if first is None:
        return second
    starts = [clause.start for clause in (first, second) if clause.start is not None]
    ends = [clause.end for clause in (first, second) if clause.end is not None]
    return Published(start=max(starts, default=None), end=min(ends, default=None))


def _binds(clause: Clause) -> bool:
    """Return whether an article must satisfy `clause`: it is, or holds somewhere, more than words to rank by."""
    match clause:
        case Term() | Prefix() | Fuzzy():
            return False
        case AnyOf(clauses) | AllOf(clauses):
            return any(map(_binds, clauses))
    return True


def _embedded(tree: Clause) -> str:
    """Return what stands for the query's meaning: every word that is not excluded, as typed.

    The beginning of a word means little to a model, and misleads it more often than its absence: prefixes are left out
    where there is anything else.
    """
    typed = list(texts((tree,)))
    whole = list(texts(clause for clause in leaves((tree,)) if not isinstance(clause, Prefix)))
    return " ".join(whole if any(map(analyse, whole)) else typed)
