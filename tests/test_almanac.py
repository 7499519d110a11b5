"""Days as they are drawn: every day once, in its place, as dark as it is full."""

from datetime import date, timedelta

import pytest

from index.facets import Period
from web.almanac import CELL, HEADING, LEVELS, leaf, level, strip


def period(day: date, count: int) -> Period:
    return Period(start=day, end=day, count=count)


@pytest.mark.parametrize(("year", "days"), [(1, 365), (2015, 365), (2016, 366), (9999, 365)])
def test_a_year_is_a_cell_a_day_a_column_a_week(year: int, days: int) -> None:
    drawn = strip(year, [period(date(year, 3, 14), 5)])
    assert [cell.day.day for cell in drawn.cells] == [date(year, 1, 1) + timedelta(days=n) for n in range(days)]
    assert len({(cell.x, cell.y) for cell in drawn.cells}) == days
    for cell in drawn.cells:
        assert cell.y == HEADING + cell.day.day.weekday() * CELL
    assert [month.month for month, _ in drawn.months] == list(range(1, 13))
    assert [cell.day.url for cell in drawn.cells if cell.day.count] == [f"/browse/{year:04}/03/14"]


def test_a_month_is_whole_weeks_with_its_days_in_order() -> None:
    weeks = leaf(date(2016, 2, 1), date(2016, 2, 29), [period(date(2016, 2, 29), 2)])
    assert all(len(week) == 7 for week in weeks)
    days = [day for week in weeks for day in week if day]
    assert [day.day.day for day in days] == list(range(1, 30))
    assert weeks[-1][0] == days[-1]
    assert (days[-1].url, days[-1].level, days[0].url) == ("/browse/2016/02/29", 3, None)


def test_the_last_month_of_the_calendar_can_be_drawn() -> None:
    assert leaf(date(9999, 12, 1), date(9999, 12, 31), [])[-1][4] is not None


def test_the_fullest_day_is_darkest_and_one_article_is_seen_beside_a_thousand() -> None:
    assert [level(count, 1000) for count in (0, 1, 40, 250, 1000)] == [0, 1, 1, 3, LEVELS]
    assert level(1, 1) == LEVELS
