"""Coverage: how much each source published lately, in numbers and as a share of all, and which fell silent. Pure.

Where all sources bring less, it is a quiet day; where one brings nothing while the others go on, its feed is broken.
A source counts as silent when both hold:

- Had it kept its share of what is published, it would have brought `expected` articles since its last one. How many
  come by chance follows a Poisson distribution (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.6.19), so none
  come with probability exp(-expected). That must be below `UNLIKELY`.
- It has been silent longer than ever in the quarter before, so that a weekly is not missed from Monday on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import exp
from typing import Literal

import numpy as np

from index.contents import Contents, day_of, number_of
from index.engine import Ints
from index.moments import DAY, UNDATED
from index.names import Names

Unit = Literal["day", "week"]
UNITS: tuple[Unit, ...] = ("day", "week")
PERIODS: dict[Unit, int] = {"day": 30, "week": 52}  # that are shown
LENGTH: dict[Unit, int] = {"day": 1, "week": 7}  # of a period, in days
UNLIKELY = 0.001  # of a thousand sources that go on as before, one is said to be silent
BASELINE = 91  # days up to a source's last article by which its share is told: a quarter, whole weeks
LEAST_DAYS = 7  # of these with articles, or nothing is usual yet


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that brings nothing while others go on."""

    since: date  # its last article
    usually: float  # articles a day, before
    expected: float  # articles since, had it kept its share

    @property
    def chance(self) -> float:
        """How probable it is that none of these came by chance."""
        return exp(-self.expected)


@dataclass(frozen=True, slots=True)
class Feed:
    """One source, period by period."""

    name: str
    counts: Sequence[int]
    shares: Sequence[float]  # of all articles of the period; 0.0 where there are none
    latest: date
    silence: Silence | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The periods up to `last`, all articles in each, and the sources that published in them: the silent ones first."""

    unit: Unit
    starts: Sequence[date]
    last: date
    totals: Sequence[int]
    feeds: Sequence[Feed]
    absent: int  # sources that published before, and not in these periods


def coverage(contents: Contents, *, unit: Unit, today: date) -> Coverage | None:
    """Return the coverage up to the last day that has articles, which lies not after `today`; None without any."""
    numbers = contents.days.numbers
    numbers = numbers[numbers <= number_of(today)]
    if not len(numbers):
        return None
    last, length, periods = int(numbers[-1]), LENGTH[unit], PERIODS[unit]
    begin = max(last + 1 - length * periods, number_of(date.min))
    published = contents.shelf.published
    days = np.where(published == UNDATED, np.iinfo(np.int64).max, published // DAY)
    total = _by_day(days[contents.shelf.shown], begin - BASELINE, last)
    feeds, absent = _feeds(contents.names("source"), days, begin=begin, last=last, length=length, total=total)
    shown = _summed(total[BASELINE:], length)
    return Coverage(
        unit,
        starts=[day_of(number) for number in range(begin, last + 1, length)],
        last=day_of(last),
        totals=shown.tolist(),
        feeds=sorted(feeds, key=lambda feed: (feed.silence is None, -sum(feed.counts), feed.name)),
        absent=absent,
    )


def _feeds(names: Names, days: Ints, *, begin: int, last: int, length: int, total: Ints) -> tuple[list[Feed], int]:
    order = np.lexsort((days[names.rows], names.numbers))
    mentioned = days[names.rows[order]]
    bounds = np.searchsorted(names.numbers[order], np.arange(len(names.folded) + 1))
    totals = np.maximum(_summed(total[BASELINE:], length), 1)
    feeds, absent = [], 0
    for number, name in enumerate(names.spellings):
        own = mentioned[bounds[number] : bounds[number + 1]]
        own = own[: np.searchsorted(own, last, side="right")]
        if not len(own):
            continue
        if own[-1] < begin:
            absent += 1
            continue
        by_day = _by_day(own, begin - BASELINE, last)
        counts = _summed(by_day[BASELINE:], length)
        silence = silence_of(by_day, total, last=last)
        feeds.append(Feed(name, counts.tolist(), (counts / totals).tolist(), day_of(int(own[-1])), silence))
    return feeds, absent


def silence_of(own: Ints, total: Ints, *, last: int) -> Silence | None:
    """Return the silence of a source, given its articles and all, day by day up to the day of number `last`."""
    active = np.flatnonzero(own)
    latest = int(active[-1])
    start = max(int(active[0]), latest + 1 - BASELINE)
    usual = active[active >= start]
    silent = len(own) - 1 - latest
    if len(usual) < LEAST_DAYS or silent <= np.diff(usual).max() - 1:
        return None
    before, everything = int(own[start : latest + 1].sum()), int(total[start : latest + 1].sum())
    others = everything - before
    if not others:
        return None  # with nobody to compare it with, a silent source is a quiet archive
    expected = before / others * int(total[latest + 1 :].sum())
    silence = Silence(day_of(last - silent), before / (latest + 1 - start), expected)
    return silence if silence.chance < UNLIKELY else None


def _by_day(days: Ints, first: int, last: int) -> Ints:
    """Return how many of these days' numbers are each of those from `first` to `last`."""
    inside = days[(days >= first) & (days <= last)]
    return np.bincount(inside - first, minlength=last - first + 1)


def _summed(by_day: Ints, length: int) -> Ints:
    """Return the sums of so many days each; the first may be of fewer."""
    short = -len(by_day) % length
    summed: Ints = np.append(np.zeros(short, np.int64), by_day).reshape(-1, length).sum(axis=1)
    return summed
