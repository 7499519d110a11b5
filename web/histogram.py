"""When the found articles were published: bars on an even time axis, each a stretch of days to look into. Pure.

Invariant: the bars and the undated add up to all that was found, and bars stand as far apart as their dates.
"""

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from index.facets import Period
from web.wording import long_day

MAX_SLOTS = 62  # places for bars on the axis, empty ones included: about four pixels each beside the results
MAX_YEARS = 200  # the same on a chart as wide as the page
SLOT, GAP, HEIGHT, LOWEST = 10, 1, 60, 3  # the drawing's own units, stretched to whatever room there is


@dataclass(frozen=True, slots=True)
class Unit:
    """A length of time: its number on an axis, the days it holds and its name, each for the one a day lies in."""

    name: str
    number: Callable[[date], int]
    days: Callable[[date], tuple[date, date]]
    label: Callable[[date], str]


@dataclass(frozen=True, slots=True)
class Bar:
    """How many articles one stretch of days holds, both ends inclusive, where that leads, and its place in the drawing.

    `slot` is where the bar's room begins; the bar itself stands at `x`, `y`.
    """

    name: str
    start: date
    end: date
    count: int
    url: str
    slot: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """All bars in order of time, one a `unit`, the size of the drawing, and how many articles have no date."""

    unit: str
    bars: Sequence[Bar]
    undated: int
    width: int
    height: int = HEIGHT
    slot_width: int = SLOT
    bar_width: int = SLOT - 2 * GAP


def histogram(periods: Sequence[Period], *, url_of: Callable[[date, date], str]) -> Histogram:
    """Return the periods, days or months, as bars of the shortest unit that gives few enough; `url_of` links a bar."""
    in_days = all(period.start == period.end for period in periods)
    return _histogram(periods, url_of=url_of, units=UNITS if in_days else UNITS[1:], slots=MAX_SLOTS)


def by_years(years: Sequence[Period], *, url_of: Callable[[date, date], str]) -> Histogram:
    """Return years as bars, a bar a decade where there are too many; `url_of` links a bar."""
    return _histogram(years, url_of=url_of, units=UNITS[2:], slots=MAX_YEARS)


def _histogram(
    periods: Sequence[Period], *, url_of: Callable[[date, date], str], units: Sequence[Unit], slots: int
) -> Histogram:
    dated = [(period.start, period.end, period.count) for period in periods if period.start and period.end]
    undated = sum(period.count for period in periods if period.start is None)
    if not dated:
        return Histogram("", (), undated, 0)
    unit = _fitting(units, dated[0][0], dated[-1][0], slots=slots)
    counts: dict[int, int] = {}
    days: dict[int, date] = {}
    for start, _, count in dated:
        number = unit.number(start)
        counts[number] = counts.get(number, 0) + count
        days.setdefault(number, start)
    first, most = min(counts), max(counts.values())
    bars = [_bar(unit, days[number], counts[number], at=number - first, most=most, url_of=url_of) for number in counts]
    return Histogram(unit.name, bars, undated, (max(counts) - first + 1) * SLOT)


def _fitting(units: Sequence[Unit], first: date, last: date, *, slots: int) -> Unit:
    for unit in units:
        if unit.number(last) - unit.number(first) < slots:
            return unit
    return units[-1]


def _bar(unit: Unit, day: date, count: int, *, at: int, most: int, url_of: Callable[[date, date], str]) -> Bar:
    start, end = unit.days(day)
    height = max(LOWEST, round(HEIGHT * count / most))
    return Bar(
        name=unit.label(day),
        start=start,
        end=end,
        count=count,
        url=url_of(start, end),
        slot=at * SLOT,
        x=at * SLOT + GAP,
        y=HEIGHT - height,
        height=height,
    )


def _month(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _decade(day: date) -> int:
    return day.year - day.year % 10


UNITS = (
    Unit("day", date.toordinal, lambda day: (day, day), long_day),
    Unit("month", lambda day: 12 * day.year + day.month, _month, lambda day: f"{day:%B} {day.year}"),
    Unit(
        "year",
        lambda day: day.year,
        lambda day: (date(day.year, 1, 1), date(day.year, 12, 31)),
        lambda day: f"{day.year}",
    ),
    Unit(
        "decade",
        lambda day: day.year // 10,
        lambda day: (date(max(_decade(day), 1), 1, 1), date(_decade(day) + 9, 12, 31)),
        lambda day: f"{_decade(day)}s",
    ),
)
