"""Facets: how the articles found spread over sources, sections, authors, languages and time. Pure.

Invariant: the counts of a field that has one value an article, the articles without one included, add up to the number
of articles; but a language counts its kinds as well, as the filter takes them: en-GB is counted as en, too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from index.catalogue import UNNAMED, Shelf, Values
from index.engine import Ints
from index.moments import DAY, EPOCH, UNDATED

MOST_AUTHORS = 100  # listed; an archive may have tens of thousands
MOST_PERIODS = 62  # days that are counted one by one; then so many weeks, then months
WEEK, THURSDAY = 7, 3  # days; those from Monday to the first day of 1970
LAST_DAY = (date.max - EPOCH.date()).days


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """How many of the found articles have this value; None stands for those that have none."""

    value: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """How many of the found articles were published from `start` to `end`, both inclusive; None: of unknown date."""

    start: date | None
    end: date | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """Counts over everything found, not over the page shown.

    Each list: most frequent first, those without a value last. `published`: in order of time, periods in which nothing
    appeared left out, the undated last.
    """

    source: Sequence[FacetValue] = ()
    section: Sequence[FacetValue] = ()
    author: Sequence[FacetValue] = ()
    language: Sequence[FacetValue] = ()
    published: Sequence[Period] = ()


def facets_of(shelf: Shelf, rows: Ints) -> Facets:
    """Count the values of the articles in these rows of the shelf."""
    return Facets(
        source=_counts(shelf, "source", rows),
        section=_counts(shelf, "section", rows),
        author=values_of(shelf, "author", rows, most=MOST_AUTHORS),
        language=_with_kinds(_counts(shelf, "language", rows)),
        published=periods_of(shelf.published[rows]),
    )


def values_of(shelf: Shelf, name: str, rows: Ints, *, most: int | None = None) -> list[FacetValue]:
    """Count the values of one field, authors among them, of the articles that have one; most frequent first."""
    codes = author_codes(shelf, rows) if name == "author" else shelf.codes[name][rows]
    return _ordered(shelf.values[name], np.bincount(codes[codes != UNNAMED]), most=most)


def _counts(shelf: Shelf, name: str, rows: Ints) -> list[FacetValue]:
    named = values_of(shelf, name, rows)
    unnamed = int(np.count_nonzero(shelf.codes[name][rows] == UNNAMED))
    return [*named, FacetValue(value=None, count=unnamed)] if unnamed else named


def _with_kinds(languages: Sequence[FacetValue]) -> list[FacetValue]:
    """Return the languages, each counted with its kinds, where the language itself is there."""
    kinds: Counter[str] = Counter()
    for each in languages:
        language, is_kind, _ = (each.value or "").partition("-")
        if is_kind:
            kinds[language] += each.count
    counted = [replace(each, count=each.count + kinds[each.value or ""]) for each in languages]
    return sorted(counted, key=lambda each: (each.value is None, -each.count))


def author_codes(shelf: Shelf, rows: Ints) -> Ints:
    """Return the codes of the authors of these articles, one after the other."""
    counts = shelf.author_count[rows]
    before = np.cumsum(counts) - counts
    codes: Ints = shelf.authors[np.repeat(shelf.first_author[rows] - before, counts) + np.arange(counts.sum())]
    return codes


def _ordered(values: Values, counts: Ints, *, most: int | None = None) -> list[FacetValue]:
    """Return the values of the highest of these counts, one a code; of equals the first by name."""
    codes = np.flatnonzero(counts)
    codes = codes[np.lexsort((values.ranks()[codes], -counts[codes]))[:most]]
    return [FacetValue(value=values[code], count=int(counts[code])) for code in codes.tolist()]


def periods_of(published: Ints) -> list[Period]:
    """Return how many of these moments lie in each day, or month where they lie far apart; the undated last."""
    days = published[published != UNDATED] // DAY
    periods = _fitting(days) if len(days) else []
    undated = len(published) - len(days)
    return [*periods, Period(start=None, end=None, count=undated)] if undated else periods


def _fitting(days: Ints) -> list[Period]:
    """Count by the shortest of day, week and month that makes no long list; months may make one."""
    if days.max() - days.min() < MOST_PERIODS:
        return [Period(start=_date(day), end=_date(day), count=count) for day, count in _counted(days)]
    weeks = (days + THURSDAY) // WEEK
    if weeks.max() - weeks.min() < MOST_PERIODS:
        return [_week(number, count) for number, count in _counted(weeks)]
    return _months(days)


def _week(number: int, count: int) -> Period:
    """Return a week from Monday to Sunday; 0 is the one of the first day of 1970."""
    monday = number * WEEK - THURSDAY
    return Period(start=_date(monday), end=_date(min(monday + WEEK - 1, LAST_DAY)), count=count)


def _date(day: int) -> date:
    return EPOCH.date() + timedelta(days=day)


def _months(days: Ints) -> list[Period]:
    """Count by the month: as numpy counts months, 0 is January 1970."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    counted = ((1970 + month // 12, month % 12 + 1, count) for month, count in _counted(months))
    return [
        Period(start=date(year, month, 1), end=last_day(year, month), count=count) for year, month, count in counted
    ]


def _counted(numbers: Ints) -> Iterator[tuple[int, int]]:
    """Yield each of these numbers, which lie close together, once, ascending, and how often it is there."""
    first = numbers.min() if len(numbers) else 0
    counts = np.bincount(numbers - first)
    for number in np.flatnonzero(counts).tolist():
        yield int(first) + number, int(counts[number])


def last_day(year: int, month: int) -> date:
    """Return the last day of a month."""
    if (year, month) == (9999, 12):
        return date.max
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
