"""Filter expressions of Milvus: what a query asks for, as far as the rows tell. Pure.

Words are told by an article's first row alone: of the others (`PassageFilters`) an expression says nothing of them.

Invariant: what an expression leaves out does not hold, but for words and names beyond the limits of a row
(`index.milvus.rows`). Where the rows cannot tell (that words stand side by side, in a
title, in another form of another language), it leaves too much in, and `Filter.is_exact` says so; whoever fetches what
was found looks at the words themselves.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from index.analysis import fold
from index.engine import NOWHERE
from index.keywords.units import Beginning, Cluster, Run, Similar, Terms, Unit
from index.milvus.rows import MOST_NAME, named
from index.moments import UNDATED, moment
from index.query import AllOf, AnyOf, Clause, FieldValue, Fuzzy, Near, Not, Phrase, Prefix, Published, Query, Term

EVERYTHING = 'article != ""'
NOTHING = 'article == ""'

UnitOf = Callable[[Term | Phrase | Near | Prefix | Fuzzy], Unit]
TermsOf = Callable[[Unit], Iterable[str]]


OneOf = tuple[str, tuple[str, ...]]  # a column of several values, and those of which it wants one


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression; None leaves everything in. `is_exact`: it leaves in nothing that does not hold either.

    Where all that it says is that a column holds one of some values, `wanted` says so, too.
    """

    text: str | None
    is_exact: bool = True
    wanted: OneOf | None = None

    @property
    def expression(self) -> str:
        """What Milvus is given."""
        return self.text or EVERYTHING


ALL = Filter(None)
PASSAGES = Filter(f"version > {NOWHERE}")  # rows that are not there for the words of an article alone


def both(filters: Iterable[Filter]) -> Filter:
    """Return what leaves in what every one does."""
    given = list(filters)
    exact = all(each.is_exact for each in given)
    alone = [each.wanted for each in given if each.wanted is not None and len(each.wanted[1]) == 1]
    others = [each.text for each in given if each.text is not None and each.wanted not in alone]
    if len(set(alone)) == 1 and not others:
        return replace(containing(*alone[0]), is_exact=exact)
    texts = [_listed("array_contains_all", column, values) for column, values in _merged(alone)]
    texts = list(dict.fromkeys([*others, *texts]))
    return Filter(" and ".join(f"({text})" for text in texts) if len(texts) > 1 else next(iter(texts), None), exact)


def either(filters: Sequence[Filter]) -> Filter:
    """Return what leaves in what any one does."""
    exact = all(each.is_exact for each in filters)
    if any(each.text is None for each in filters):
        return Filter(None, exact)
    wanted = _merged(each.wanted for each in filters if each.wanted is not None)
    others = [each.text for each in filters if each.wanted is None]
    if len(wanted) == 1 and not others:
        return replace(containing(*wanted[0]), is_exact=exact)
    texts = dict.fromkeys([*others, *(containing(column, values).text for column, values in wanted)])
    return Filter(" or ".join(f"({text})" for text in texts), exact)


def containing(column: str, values: Sequence[str]) -> Filter:
    """Return what leaves in the rows whose column has one of these values among its own."""
    return Filter(_listed("array_contains_any", column, values), wanted=(column, tuple(values)))


def _listed(function: str, column: str, values: Sequence[str]) -> str:
    """Return one call for all values: Milvus refuses some fifty that are joined, and takes long for fewer."""
    if len(values) == 1:
        return f"array_contains({column}, {quoted(values[0])})"
    return f"{function}({column}, {quoted(list(values))})"


def _merged(wanted: Iterable[OneOf]) -> list[OneOf]:
    """Return each column once, with all its values, each once."""
    values: dict[str, dict[str, None]] = {}
    for column, own in wanted:
        values.setdefault(column, {}).update(dict.fromkeys(own))
    return [(column, tuple(own)) for column, own in values.items()]


def among(column: str, values: Iterable[str]) -> Filter:
    """Return what leaves in the rows with one of these values."""
    return Filter(f"{column} in {quoted(list(values))}")


def quoted(value: str | Sequence[str]) -> str:
    """Return a string, or a list of them, as expressions have it: not every parser of Milvus reads \\u0430."""
    return json.dumps(value, ensure_ascii=False)


class Filters:
    """Makes expressions of clauses, given how a clause's words are looked up."""

    def __init__(self, unit_of: UnitOf, terms_of: TermsOf) -> None:
        """`unit_of` says what a clause of words is; `terms_of` all terms a text that holds it may hold."""
        self._unit_of = unit_of
        self._terms_of = terms_of

    def selecting(self, query: Query) -> Filter:
        """Return what leaves in articles that hold what is required, and not what is excluded."""
        excluded = (self._without(clause) for clause in query.excluded)
        return both([*map(self.holding, query.required), *excluded])

    def holding(self, clause: Clause) -> Filter:
        """Return what leaves in articles that hold a clause."""
        match clause:
            case AnyOf(clauses):
                return either([*map(self.holding, clauses)])
            case AllOf(clauses):
                return both(map(self.holding, clauses))
            case Not(inner):
                return self._without(inner)
            case FieldValue("title", value):
                return Filter(self.of_unit(self._unit_of(Phrase(value))).text, is_exact=False)
            case FieldValue(field, value):
                name = named(field, fold(value))
                return replace(containing("names", [name]), is_exact=len(name.encode()) < MOST_NAME - 4)
            case Published(start, end):
                return _within(start, end)
            case Term() | Phrase() | Near() | Prefix() | Fuzzy():
                return self.of_unit(self._unit_of(clause))

    def _without(self, clause: Clause) -> Filter:
        """Return what leaves in articles that do not hold a clause: all, but for dates.

        Not every core of Milvus knows `not`. What is excluded is little beside what is asked for, and is looked at when
        it was fetched.
        """
        match clause:
            case Published(start, end):
                sides = [f"published <= {UNDATED + 1}"]
                sides += [f"published < {moment(start)}"] if start else []
                sides += [f"published >= {moment(end)}"] if end else []
                return either([*map(Filter, sides)])
            case Not(inner):
                return self.holding(inner)
            case AnyOf(clauses):
                return both(map(self._without, clauses))
            case AllOf(clauses):
                return either([*map(self._without, clauses)])
        return Filter(None, is_exact=False)

    def of_unit(self, unit: Unit) -> Filter:
        """Return what leaves in articles that hold a unit."""
        match unit:
            case Run(()):
                return Filter(NOTHING)
            case Run((term,), ()):
                return holding_term(term)
            case Run(terms, forms):
                others = [found for _, found in forms]
                return Filter(both(_any_of(terms, others, at) for at in range(len(terms))).text, is_exact=False)
            case Cluster(run):
                return Filter(self.of_unit(run).text, is_exact=False)
            case Beginning() | Similar():
                # the terms of the words it stands for are terms of other words, too
                found = [*dict.fromkeys(self._terms_of(unit))]
                return Filter(either([*map(holding_term, found)]).text if found else NOTHING, is_exact=False)


class PassageFilters(Filters):
    """The same of any row of an article."""

    def of_unit(self, unit: Unit) -> Filter:  # noqa: ARG002
        """Return what leaves everything in."""
        return Filter(None, is_exact=False)


def _any_of(terms: Terms, others: Sequence[Sequence[Terms]], at: int) -> Filter:
    """Return what leaves in articles that hold what may stand in one place of a run."""
    return either([*map(holding_term, dict.fromkeys((terms[at], *(term for found in others for term in found[at]))))])


def holding_term(term: str) -> Filter:
    """Return what leaves in articles that hold a term."""
    return containing("terms", [term])


def _within(start: datetime | None, end: datetime | None) -> Filter:
    parts = [f"published > {UNDATED + 1}"]  # the lowest number itself is more than its parser reads
    if start is not None:
        parts.append(f"published >= {moment(start)}")
    if end is not None:
        parts.append(f"published < {moment(end)}")
    return Filter(" and ".join(parts))
