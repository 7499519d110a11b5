"""When the found articles were published: bars on an even time axis, each a stretch of days to look into. Pure.

Invariant: the bars and the undated add up to all that was found, and bars stand as far apart as their dates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, count

from flask_babel import gettext

from index.facets import Period
from web.units import brief, long_day, month_name

MAX_SLOTS = 62  # places for bars on the axis, empty ones included: about four pixels each on the narrowest phone
MAX_YEARS = 200  # the same on a chart as wide as the page
MAX_STEPS = 5  # between the first and the last tick: what has room for its name on the narrowest phone
SLOT, GAP, HEIGHT, LOWEST = 10, 1, 60, 3  # the drawing's own units, stretched to whatever room there is
EDGE = 8  # percent of the axis: nearer to an end, a tick's name is set flush with it


@dataclass(frozen=True, slots=True)
class Unit:
    """A length of time: its number on an axis for the one a day lies in, the first day of a number, and its names.

    `steps` are the distances at which ticks look even; `tick` names one of them, given the distance.
    """

    name: str
    number: Callable[[date], int]
    start: Callable[[int], date]
    label: Callable[[date], str]
    steps: Sequence[int]
    tick: Callable[[date, int], str]

    def end(self, number: int) -> date:
        """Return the last day of a number."""
        try:
            return self.start(number + 1) - timedelta(days=1)
        except (ValueError, OverflowError):
            return date.max

    def around(self, day: date) -> tuple[date, date]:
        """Return the first and the last day of the one that a day lies in."""
        number = self.number(day)
        return self.start(number), self.end(number)


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
class Tick:
    """A name on the axis: how far along it stands, in percent, and which part of the name stands there."""

    name: str
    at: float
    anchor: str  # start, middle or end


@dataclass(frozen=True, slots=True)
class Histogram:
    """All bars in order of time, one a `unit`, the size of the drawing, and how many articles have no date."""

    unit: str
    bars: Sequence[Bar]
    undated: int
    width: int
    ticks: Sequence[Tick] = ()
    height: int = HEIGHT
    slot_width: int = SLOT
    bar_width: int = SLOT - 2 * GAP

    @property
    def most(self) -> int:
        """How many articles the highest bar stands for."""
        return max((bar.count for bar in self.bars), default=0)


def histogram(periods: Sequence[Period], *, url_of: Callable[[date, date], str]) -> Histogram:
    """Return the periods, of one length, as bars of the shortest unit that gives few enough; `url_of` links a bar."""
    longest = max(((period.end - period.start).days for period in periods if period.start and period.end), default=0)
    return _histogram(periods, url_of=url_of, units=_units(longest), most_slots=MAX_SLOTS)


def by_years(years: Sequence[Period], *, url_of: Callable[[date, date], str]) -> Histogram:
    """Return years as bars, a bar a decade where there are too many; `url_of` links a bar."""
    return _histogram(years, url_of=url_of, units=UNITS[3:], most_slots=MAX_YEARS)


def _histogram(
    periods: Sequence[Period], *, url_of: Callable[[date, date], str], units: "Sequence[Unit]", most_slots: int
) -> Histogram:
    dated = [(period.start, period.end, period.count) for period in periods if period.start and period.end]
    undated = sum(period.count for period in periods if period.start is None)
    if not dated:
        return Histogram("", (), undated, 0)
    unit = _fitting(units, dated[0][0], dated[-1][0], most_slots=most_slots)
    counts: dict[int, int] = {}
    for start, _, found in dated:
        number = unit.number(start)
        counts[number] = counts.get(number, 0) + found
    first, slots, most = min(counts), max(counts) - min(counts) + 1, max(counts.values())
    bars = [_bar(unit, number, counts[number], at=number - first, most=most, url_of=url_of) for number in counts]
    return Histogram(unit.name, bars, undated, slots * SLOT, list(_ticks(unit, first, slots)))


def _units(longest: int) -> "Sequence[Unit]":
    """Return what periods can be gathered into of which the longest ends so many days after it begins."""
    if longest == 0:
        return UNITS
    return UNITS[1:2] if longest < WEEK else UNITS[2:]  # a week may lie in two months


def _fitting(units: Sequence[Unit], first: date, last: date, *, most_slots: int) -> Unit:
    for unit in units:
        if unit.number(last) - unit.number(first) < most_slots:
            return unit
    return units[-1]


def _bar(unit: Unit, number: int, found: int, *, at: int, most: int, url_of: Callable[[date, date], str]) -> Bar:
    start, end = unit.start(number), unit.end(number)
    height = max(LOWEST, round(HEIGHT * found / most))
    return Bar(
        name=unit.label(start),
        start=start,
        end=end,
        count=found,
        url=url_of(start, end),
        slot=at * SLOT,
        x=at * SLOT + GAP,
        y=HEIGHT - height,
        height=height,
    )


def _ticks(unit: Unit, first: int, slots: int) -> Iterator[Tick]:
    """Yield names for some of the slots, evenly spaced."""
    longer = (power * step for power in (10**exponent for exponent in count(1)) for step in (1, 2, 5))
    step = next(step for step in chain(unit.steps, longer) if slots <= MAX_STEPS * step)
    for number in range(-(-first // step) * step, first + slots, step):
        at = 100 * (number - first + 0.5) / slots
        anchor = "middle" if EDGE <= at <= 100 - EDGE or slots == 1 else "start" if at < EDGE else "end"
        yield Tick(unit.tick(unit.start(number), step), round(at, 2), anchor)


def _decade(day: date) -> str:
    name: str = gettext("%(year)ss", year=day.year - day.year % 10)
    return name


WEEK = 7  # days
YEAR = 12  # months
UNITS = (
    Unit(
        "day",
        number=date.toordinal,
        start=date.fromordinal,
        label=long_day,
        steps=(1, 2, WEEK, 2 * WEEK),
        tick=lambda day, _: brief(day, "MMMd"),
    ),
    Unit(
        "week",
        number=lambda day: (day.toordinal() - 1) // WEEK,  # the first day of the year 1 is a Monday
        start=lambda number: date.fromordinal(WEEK * number + 1),
        label=lambda day: gettext("Week of %(day)s", day=long_day(day)),
        steps=(1, 2, 4, 8, 13),
        tick=lambda day, _: brief(day, "MMMd"),
    ),
    Unit(
        "month",
        number=lambda day: YEAR * day.year + day.month - 1,
        start=lambda number: date(number // YEAR, number % YEAR + 1, 1),
        label=month_name,
        steps=(1, 2, 3, 6, YEAR),
        tick=lambda day, step: brief(day, "yMMM" if step < YEAR else "y"),
    ),
    Unit(
        "year",
        number=lambda day: day.year,
        start=lambda number: date(max(number, 1), 1, 1),
        label=lambda day: f"{day.year}",
        steps=(1, 2, 5),
        tick=lambda day, _: f"{day.year}",
    ),
    Unit(
        "decade",
        number=lambda day: day.year // 10,
        start=lambda number: date(max(10 * number, 1), 1, 1),
        label=_decade,
        steps=(1, 2, 5),
        tick=lambda day, _: _decade(day),
    ),
)
