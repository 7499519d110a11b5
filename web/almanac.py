"""Days as they are drawn: a year as a strip of weeks, a month as a leaf of a calendar. Pure.

Invariant: how dark a day is says how it compares with the fullest day of the same drawing; its number is there too.
"""

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt

from index.facets import Period
from web.browse_urls import day_url

CELL, GAP = 10, 2  # the drawing's own units
HEADING = 12  # above the strip, for the months' names
LEVELS = 5  # of darkness, beside that of a day without articles
FULL = 10  # articles: where no day has more, none is darkest
WEEK = 7  # days, Monday first, as ISO 8601 has it


@dataclass(frozen=True, slots=True)
class Day:
    """A day and its articles; `url` is None where it has none."""

    day: date
    count: int
    url: str | None
    level: int  # 0 to LEVELS


@dataclass(frozen=True, slots=True)
class Cell:
    """A day in its place in the drawing."""

    day: Day
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Strip:
    """A year: a column a week, a cell a day, and where each month begins."""

    cells: Sequence[Cell]
    months: Sequence[tuple[date, int]]
    width: int
    height: int = HEADING + WEEK * CELL
    size: int = CELL - GAP
    baseline: int = HEADING - 4


def strip(year: int, days: Sequence[Period]) -> Strip:
    """Return the days of a year, given those that have articles."""
    drawn = _days(date(year, 1, 1), date(year, 12, 31), days)
    before = drawn[0].day.weekday()
    cells = [
        Cell(day, (before + place) // WEEK * CELL, HEADING + (before + place) % WEEK * CELL)
        for place, day in enumerate(drawn)
    ]
    months = [(cell.day.day, cell.x) for cell in cells if cell.day.day.day == 1]
    return Strip(cells, months, cells[-1].x + CELL - GAP)


def leaf(first: date, last: date, days: Sequence[Period]) -> list[list[Day | None]]:
    """Return a month's weeks, Monday first; None stands for the days beside the month."""
    drawn = iter(_days(first, last, days))
    weeks = Calendar().monthdayscalendar(first.year, first.month)
    return [[next(drawn) if number else None for number in week] for week in weeks]


def _days(first: date, last: date, days: Sequence[Period]) -> list[Day]:
    counts = {period.start: period.count for period in days}
    most = max((FULL, *counts.values()))
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [_day(day, counts.get(day, 0), most) for day in every]


def _day(day: date, count: int, most: int) -> Day:
    return Day(day, count, day_url(day) if count else None, level(count, most))


def level(count: int, most: int) -> int:
    """Return how dark a count is beside the highest: by its root, so that one full day leaves the others visible."""
    return ceil(LEVELS * sqrt(count / most)) if count else 0
