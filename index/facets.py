"""Facets: how the articles found spread over sources, sections, authors, languages and time. Pure.

Invariant: the counts of a field that has one value an article, the articles without one included, add up to the number
of articles.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

import numpy as np

from index.catalogue import UNNAMED, Shelf
from index.engine import Ints
from index.moments import DAY, EPOCH, UNDATED

MOST_AUTHORS = 100  # listed; an archive may have tens of thousands
DAYS_IN_DAYS = 62  # found within so many days, articles are counted by the day, else by the month


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
    authors = Counter(chain.from_iterable(shelf.authors[rows].tolist()))
    return Facets(
        source=_counts(shelf, "source", rows),
        section=_counts(shelf, "section", rows),
        author=_ordered(authors)[:MOST_AUTHORS],
        language=_counts(shelf, "language", rows),
        published=_periods(shelf.published[rows]),
    )


def _counts(shelf: Shelf, name: str, rows: Ints) -> list[FacetValue]:
    codes, counts = np.unique(shelf.codes[name][rows], return_counts=True)
    counted = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    unnamed = counted.pop(UNNAMED, 0)
    named = _ordered({shelf.names[name][code]: count for code, count in counted.items()})
    return [*named, FacetValue(value=None, count=unnamed)] if unnamed else named


def _ordered(counted: "dict[str, int] | Counter[str]") -> list[FacetValue]:
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [FacetValue(value=value, count=count) for value, count in ordered]


def _periods(published: Ints) -> list[Period]:
    days = published[published != UNDATED] // DAY
    numbered, counts = np.unique(days, return_counts=True)
    dates = [EPOCH.date() + timedelta(days=day) for day in numbered.tolist()]
    if dates and (dates[-1] - dates[0]).days >= DAYS_IN_DAYS:
        periods = _months(dates, counts.tolist())
    else:
        periods = [Period(start=day, end=day, count=n) for day, n in zip(dates, counts.tolist(), strict=True)]
    undated = len(published) - len(days)
    return [*periods, Period(start=None, end=None, count=undated)] if undated else periods


def _months(days: Sequence[date], counts: Sequence[int]) -> list[Period]:
    months: Counter[tuple[int, int]] = Counter()
    for day, count in zip(days, counts, strict=True):
        months[day.year, day.month] += count
    return [
        Period(start=date(year, month, 1), end=_last_day(year, month), count=count)
        for (year, month), count in sorted(months.items())
    ]


def _last_day(year: int, month: int) -> date:
    if (year, month) == (9999, 12):
        return date.max
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
