"""Coverage by source: a silent feed is told from a quiet day, and from a weekly between two issues."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import exp
from pathlib import Path

import numpy as np
import pytest
from newsroom import article

from archive.store import Store
from index.catalogue import Catalogue
from index.contents import Contents
from index.coverage import BASELINE, PERIODS, UNLIKELY, coverage, silence_of

TODAY = date(2016, 3, 31)
DAYS = 200


def silence(own: list[int], others: list[int]) -> float | None:
    """Return how many articles a source would have brought since it fell silent, None when it is not."""
    found = silence_of(np.array(own), np.array(own) + np.array(others), last=len(own) - 1)
    return found and found.expected


def test_a_daily_that_brings_nothing_while_others_go_on_is_silent() -> None:
    assert silence([2] * 100 + [0] * 10, [8] * 110) == pytest.approx(20)


def test_a_quiet_day_for_everybody_is_no_silence() -> None:
    assert silence([2] * 100 + [0] * 10, [8] * 100 + [0] * 10) is None
    assert silence([2] * 100 + [0] * 10, [8] * 100 + [1] * 10) is None  # 2.5 were to be expected


def test_a_weekly_is_not_missed_between_two_issues_but_after_them() -> None:
    weekly = ([30] + [0] * 6) * 14
    assert silence(weekly, [10] * len(weekly)) is None
    assert silence(weekly + [0] * 7, [10] * (len(weekly) + 7)) is not None


def test_what_is_expected_must_be_improbable_to_miss_by_chance() -> None:
    others = [10] * 110
    for missing in range(1, 20):
        expected = missing * 1.0  # a tenth of what the others bring
        found = silence([1] * 90 + [0] * missing, others[: 90 + missing])
        assert (found is not None) == (exp(-expected) < UNLIKELY)


def test_a_source_that_only_began_or_stands_alone_is_not_judged() -> None:
    assert silence([0] * 90 + [50] + [0] * 9, [10] * 100) is None
    assert silence([5] * 90 + [0] * 10, [0] * 100) is None


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "archive.sqlite3")
    yield store
    store.close()


def test_counts_and_shares_are_told_period_by_period_with_the_silent_first(store: Store) -> None:
    number = 0
    for ago in range(DAYS):
        day = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=ago)
        for source, from_, each in (("Wire", 0, 3), ("Broken", 10, 1), ("Gone", 150, 1)):
            for _ in range(each if ago >= from_ else 0):
                store.put(article(1000 + number, source=source, published_at=day))
                number += 1
    contents = Contents(Catalogue(store).shelf())
    found = coverage(contents, unit="day", today=TODAY)
    assert found is not None
    assert (found.starts[0], found.last) == (date(2016, 3, 2), TODAY)
    assert [feed.name for feed in found.feeds] == ["Broken", "Wire"]
    assert found.absent == 1
    broken, wire = found.feeds
    assert broken.counts == [1] * 20 + [0] * 10
    assert broken.shares == [0.25] * 20 + [0.0] * 10
    assert broken.silence is not None
    assert (broken.silence.since, broken.silence.usually) == (date(2016, 3, 21), 1.0)
    assert broken.silence.expected == pytest.approx(10, abs=0.5)
    assert (wire.silence, sum(wire.counts), wire.shares[-1]) == (None, 90, 1.0)
    weekly = coverage(contents, unit="week", today=TODAY)
    assert weekly is not None
    assert len(weekly.starts) == len(weekly.totals) == PERIODS["week"]
    assert weekly.totals[-1] == 21
    assert [sum(feed.counts) for feed in weekly.feeds] == [190, 50, 600]
    assert BASELINE % 7 == 0


def test_what_is_dated_in_the_future_is_not_counted_and_an_archive_without_dates_has_no_coverage(store: Store) -> None:
    store.put(article(1, published_at=datetime(9999, 1, 1, tzinfo=UTC)))
    store.put(article(2, published_at=None))
    assert coverage(Contents(Catalogue(store).shelf()), unit="day", today=TODAY) is None
    store.put(article(3, published_at=datetime(1, 1, 2, tzinfo=UTC)))
    found = coverage(Contents(Catalogue(store).shelf()), unit="week", today=TODAY)
    assert found is not None
    assert found.starts[0] == date.min
    assert [sum(feed.counts) for feed in found.feeds] == [1]
