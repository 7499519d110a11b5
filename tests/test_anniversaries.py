"""On this day: which articles of other years stand beside a day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from newsroom import article

from archive.store import Store
from index.anniversaries import anniversary
from index.catalogue import Catalogue
from index.contents import Contents, day_of
from index.moments import DAY

TODAY = date(2016, 3, 14)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "archive.sqlite3")
    yield store
    store.close()


def told(store: Store, days: list[date], today: date = TODAY, limit: int = 4) -> tuple[str, list[date]] | None:
    for number, day in enumerate(days):
        store.put(article(number, published_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC)))
    contents = Contents(Catalogue(store).shelf())
    found = anniversary(contents, today, limit=limit)
    return found and (found.span, [day_of(int(contents.shelf.published[row]) // DAY) for row in found.rows])


def test_articles_of_the_very_day_come_from_as_many_years_as_can_be(store: Store) -> None:
    days = [date(1990, 3, 14)] * 5 + [date(1995, 3, 14), date(2001, 3, 14), date(2001, 3, 15)]
    found = told(store, days)
    assert found == ("day", [date(1990, 3, 14), date(1990, 3, 14), date(1995, 3, 14), date(2001, 3, 14)])


def test_of_many_years_the_latest_are_told(store: Store) -> None:
    found = told(store, [date(year, 3, 14) for year in range(1990, 2000)], limit=3)
    assert found == ("day", [date(1997, 3, 14), date(1998, 3, 14), date(1999, 3, 14)])


def test_where_the_day_has_too_few_the_week_is_told(store: Store) -> None:
    found = told(store, [date(1990, 3, 14), date(1991, 3, 17), date(1991, 3, 18), date(2016, 3, 12)])
    assert found == ("week", [date(1990, 3, 14), date(1991, 3, 17)])


def test_the_week_goes_over_the_end_of_the_year(store: Store) -> None:
    days = [date(1999, 12, 30), date(2001, 1, 2), date(2001, 1, 5), date(2015, 12, 31)]
    assert told(store, days, today=date(2016, 1, 1)) == ("week", [date(1999, 12, 30), date(2001, 1, 2)])


def test_a_leap_day_has_its_own(store: Store) -> None:
    days = [date(2004, 2, 29), date(2008, 2, 29), date(2012, 2, 29), date(2011, 2, 28)]
    assert told(store, days, today=date(2016, 2, 29)) == ("day", days[:3])


def test_what_is_of_this_year_or_yet_to_come_is_no_anniversary(store: Store) -> None:
    assert told(store, [TODAY, TODAY, TODAY, date(2020, 3, 14)]) is None
