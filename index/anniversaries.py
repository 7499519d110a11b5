"""On this day: articles of a day's month and day in earlier years, or of its week where these are too few. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

import numpy as np

from index.contents import Contents, day_of, number_of
from index.moments import DAY

FEW = 3  # articles; fewer on the very day make no list of their own
EITHER_SIDE = 3  # days of the week around a day


@dataclass(frozen=True, slots=True)
class Anniversary:
    """The articles of a day, or of the week around it, in earlier years: `rows` of the contents, oldest year first."""

    span: Literal["day", "week"]
    first: date  # in this year
    last: date
    rows: Sequence[int]
    count: int  # how many there are in all


def anniversary(contents: Contents, today: date, *, limit: int) -> Anniversary | None:
    """Return up to `limit` articles of other years, as many years as can be; None when there are none."""
    rows = _published(contents, today, today)
    if len(rows) >= FEW:
        return Anniversary("day", today, today, _spread(contents, rows, limit), len(rows))
    first, last = today - timedelta(days=EITHER_SIDE), today + timedelta(days=EITHER_SIDE)
    rows = _published(contents, first, last)
    return Anniversary("week", first, last, _spread(contents, rows, limit), len(rows)) if rows else None


def _published(contents: Contents, first: date, last: date) -> list[int]:
    """Return the articles of these days of any earlier year, oldest first. A 29 February has its own in leap years."""
    numbers = contents.days.numbers
    before = numbers[numbers < number_of(first)].astype("datetime64[D]")
    months = before.astype("datetime64[M]")
    dates = (months.astype(np.int64) % 12 + 1) * 100 + (before - months).astype(np.int64) + 1
    wanted = [day_of(number) for number in range(number_of(first), number_of(last) + 1)]
    places = np.flatnonzero(np.isin(dates, [day.month * 100 + day.day for day in wanted]))
    starts = contents.days.starts
    return [row for place in places.tolist() for row in contents.days.rows[starts[place] : starts[place + 1]].tolist()]


def _spread(contents: Contents, rows: Sequence[int], limit: int) -> list[int]:
    """Return `limit` of these, one of each year as far as that goes: the latest years first, then the next of each."""
    years = [list(of_year) for _, of_year in groupby(rows, key=lambda row: _year(contents, row))]
    turns = sorted((turn, -place) for place, year in enumerate(years) for turn in range(min(len(year), limit)))
    return sorted((years[-place][turn] for turn, place in turns[:limit]), key=lambda row: _key(contents, row))


def _year(contents: Contents, row: int) -> int:
    return day_of(int(contents.shelf.published[row]) // DAY).year


def _key(contents: Contents, row: int) -> int:
    return int(contents.shelf.published[row])
