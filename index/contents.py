"""The table of contents: which articles are shown, by day and by name, so that an archive can be looked through.

Invariants: it is of one moment of the catalogue, so of nothing that the store does not show, and its counts are those
that a search for the same days or name gives. Each part is worked out when it is first asked for, then kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np

from index.catalogue import Shelf
from index.engine import Ints, Mask
from index.facets import Period, last_day
from index.moments import DAY, EPOCH, UNDATED
from index.names import Kind, Names, names_of

Order = Literal["newest", "oldest"]
ORDERS: tuple[Order, ...] = ("newest", "oldest")
FIRST_DAY = EPOCH.date().toordinal()


@dataclass(frozen=True, slots=True)
class Days:
    """The dated articles, oldest first, and the days they were published on."""

    rows: Ints  # of the shelf
    numbers: Ints  # of the days that have articles, counted from 1970, ascending
    starts: Ints  # where each day's articles begin; one more, where the last one's end

    def between(self, first: date, last: date) -> tuple[int, int]:
        """Return the place among the days of the first from `first` on, and of the first after `last`."""
        found = np.searchsorted(self.numbers, [number_of(first), number_of(last) + 1])
        return int(found[0]), int(found[1])


class Contents:
    """What there is to look through, at one moment. Safe to use from several threads."""

    def __init__(self, shelf: Shelf) -> None:
        """Nothing is counted before it is asked for."""
        self.shelf = shelf

    @cached_property
    def total(self) -> int:
        """How many articles are shown."""
        return int(self.shelf.shown.sum())

    @cached_property
    def _place(self) -> Ints:
        """The place of each row's article among all ids: to order by it is to order by id."""
        places = np.empty(len(self.shelf.places), np.int64)
        places[self.shelf.places] = np.arange(len(places))
        return places

    @cached_property
    def days(self) -> Days:
        """The dated articles by day."""
        rows = np.flatnonzero(self.shelf.shown & (self.shelf.published != UNDATED))
        rows = rows[np.lexsort((self._place[rows], self.shelf.published[rows]))]
        numbers, starts = np.unique(self.shelf.published[rows] // DAY, return_index=True)
        return Days(rows, numbers, np.append(starts, len(rows)))

    @cached_property
    def undated(self) -> Ints:
        """The articles of unknown date, in the order of their ids."""
        rows = np.flatnonzero(self.shelf.shown & (self.shelf.published == UNDATED))
        return rows[np.argsort(self._place[rows])]

    @cached_property
    def _names(self) -> dict[Kind, Names]:
        return {}

    def names(self, kind: Kind) -> Names:
        """Return the names of a field."""
        if kind not in self._names:
            self._names[kind] = names_of(self.shelf, kind)
        return self._names[kind]

    @property
    def first(self) -> date | None:
        """The first day that has articles."""
        return day_of(int(self.days.numbers[0])) if len(self.days.numbers) else None

    @property
    def last(self) -> date | None:
        """The last day that has articles."""
        return day_of(int(self.days.numbers[-1])) if len(self.days.numbers) else None

    def rows(self, first: date, last: date) -> Ints:
        """Return the articles of these days, both inclusive, oldest first."""
        start, end = self.days.between(first, last)
        return self.days.rows[self.days.starts[start] : self.days.starts[end]]

    def in_order(self, rows: Ints, order: Order) -> Ints:
        """Return these dated articles as a search orders them: of one moment, by id either way."""
        at = self.shelf.published[rows]
        ordered: Ints = rows[np.lexsort((self._place[rows], -at if order == "newest" else at))]
        return ordered

    def mask(self, rows: Ints) -> Mask:
        """Return these rows as a mask of the shelf."""
        mask = np.zeros(len(self.shelf.shown), np.bool_)
        mask[rows] = True
        return mask

    def ids(self, rows: Ints) -> list[str]:
        """Return the ids of these articles."""
        ids: list[str] = self.shelf.ids[self._place[rows]].astype(str).tolist()
        return ids

    def by_day(self, first: date, last: date) -> list[Period]:
        """Return the days between these that have articles, in order."""
        start, end = self.days.between(first, last)
        counts = np.diff(self.days.starts[start : end + 1]).tolist()
        found = [day_of(number) for number in self.days.numbers[start:end].tolist()]
        return [Period(start=day, end=day, count=count) for day, count in zip(found, counts, strict=True)]

    def by_month(self, year: int) -> list[Period]:
        """Return the months of a year, those without articles as well."""
        return [self._period(date(year, month, 1), last_day(year, month)) for month in range(1, 13)]

    @cached_property
    def by_year(self) -> Sequence[Period]:
        """The years that have articles, in order."""
        days = self.days.numbers.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        return [self._period(date(year, 1, 1), date(year, 12, 31)) for year in np.unique(days).tolist()]

    def _period(self, first: date, last: date) -> Period:
        start, end = self.days.between(first, last)
        return Period(start=first, end=last, count=int(self.days.starts[end] - self.days.starts[start]))

    def before(self, day: date) -> date | None:
        """Return the last day before this one that has articles."""
        start, _ = self.days.between(day, day)
        return day_of(int(self.days.numbers[start - 1])) if start else None

    def after(self, day: date) -> date | None:
        """Return the first day after this one that has articles."""
        _, end = self.days.between(day, day)
        return day_of(int(self.days.numbers[end])) if end < len(self.days.numbers) else None


def number_of(day: date) -> int:
    """Return a day as the days since 1970."""
    return day.toordinal() - FIRST_DAY


def day_of(number: int) -> date:
    """Return the day of this number."""
    return EPOCH.date() + timedelta(days=number)
