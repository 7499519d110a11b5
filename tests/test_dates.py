"""Dates as they are typed: which days a text means, and what is no date."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.language.dates import period

TODAY = date(2016, 3, 9)  # a Wednesday
DAYS = st.dates(min_value=date(1, 1, 1), max_value=date.max)
PIECES = st.lists(
    st.sampled_from(["the", "last", "this", "past", "a", "1", "12", "31", "2016", "9999", "days", "week", "months"])
    | st.sampled_from(["year", "ago", "march", "mar.", "feb", "5th", "29", "of", "-", "/", ",", "monday", "today"])
    | st.text(max_size=3),
    max_size=6,
)


def days(first: str, last: str | None = None) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last or first)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2016-03-05", days("2016-03-05")),
        ("2016-3-5", days("2016-03-05")),
        ("2016/03/05", days("2016-03-05")),
        ("2016.03", days("2016-03-01", "2016-03-31")),
        ("2016-02", days("2016-02-01", "2016-02-29")),
        ("2016-12", days("2016-12-01", "2016-12-31")),
        ("1916", days("1916-01-01", "1916-12-31")),
        ("9999", days("9999-01-01", "9999-12-31")),
        ("1980s", days("1980-01-01", "1989-12-31")),
        ("the 1910s", days("1910-01-01", "1919-12-31")),
    ],
)
def test_numbers_mean_a_day_a_month_a_year_or_a_decade(text: str, meant: tuple[date, date]) -> None:
    assert period(text, TODAY) == meant


@pytest.mark.parametrize(
    "text",
    [
        "5 march 2015",
        "5 Mar 2015",
        "5th march 2015",
        "the 5th of March, 2015",
        "march 5, 2015",
        "MARCH 5 2015",
        "Mar. 5th,  2015",
        "05 march 2015",
    ],
)
def test_a_day_with_the_months_name_is_written_in_any_usual_way(text: str) -> None:
    assert period(text, TODAY) == days("2015-03-05")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("march 2015", days("2015-03-01", "2015-03-31")),
        ("sept 2015", days("2015-09-01", "2015-09-30")),
        ("march", days("2016-03-01", "2016-03-31")),  # it has begun
        ("april", days("2015-04-01", "2015-04-30")),  # it has not, this year
        ("last march", days("2015-03-01", "2015-03-31")),
        ("last february", days("2016-02-01", "2016-02-29")),
        ("9 march", days("2016-03-09")),
        ("march 10", days("2015-03-10")),
        ("29 february", days("2016-02-29")),
    ],
)
def test_a_month_without_a_year_is_the_latest_one_that_has_begun(text: str, meant: tuple[date, date]) -> None:
    assert period(text, TODAY) == meant


def test_a_leap_day_without_a_year_is_looked_for_across_the_years() -> None:
    assert period("29 february", date(2016, 2, 28)) == days("2012-02-29")
    assert period("feb 29", date(1904, 2, 28)) == days("1896-02-29")
    assert period("february 30", TODAY) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("today", days("2016-03-09")),
        ("Yesterday", days("2016-03-08")),
        ("wednesday", days("2016-03-09")),
        ("last wednesday", days("2016-03-02")),
        ("tuesday", days("2016-03-08")),
        ("last tue", days("2016-03-08")),
        ("thursday", days("2016-03-03")),
        ("this week", days("2016-03-07", "2016-03-13")),
        ("last week", days("2016-02-29", "2016-03-06")),
        ("this month", days("2016-03-01", "2016-03-31")),
        ("last month", days("2016-02-01", "2016-02-29")),
        ("this year", days("2016-01-01", "2016-12-31")),
        ("last year", days("2015-01-01", "2015-12-31")),
    ],
)
def test_plain_words_count_from_today_and_a_week_begins_on_monday(text: str, meant: tuple[date, date]) -> None:
    assert period(text, TODAY) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3 days ago", days("2016-03-06")),
        ("a day ago", days("2016-03-08")),
        ("one week ago", days("2016-02-29", "2016-03-06")),
        ("2 weeks ago", days("2016-02-22", "2016-02-28")),
        ("3 months ago", days("2015-12-01", "2015-12-31")),
        ("15 months ago", days("2014-12-01", "2014-12-31")),
        ("100 years ago", days("1916-01-01", "1916-12-31")),
        ("0 days ago", days("2016-03-09")),
    ],
)
def test_ago_means_the_whole_day_week_month_or_year(text: str, meant: tuple[date, date]) -> None:
    assert period(text, TODAY) == meant


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("past 7 days", "2016-03-03"),
        ("last 7 days", "2016-03-03"),
        ("the last 1 days", "2016-03-09"),
        ("past week", "2016-03-03"),
        ("past 2 weeks", "2016-02-25"),
        ("past month", "2016-02-10"),
        ("last 3 months", "2015-12-10"),
        ("past year", "2015-03-10"),
    ],
)
def test_the_past_days_weeks_or_months_end_today(text: str, first: str) -> None:
    assert period(text, TODAY) == days(first, TODAY.isoformat())


def test_the_past_month_of_a_long_month_reaches_to_the_end_of_a_short_one() -> None:
    assert period("past month", date(2015, 3, 31)) == days("2015-03-01", "2015-03-31")
    assert period("past year", date(2016, 2, 29)) == days("2015-03-01", "2016-02-29")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "16",
        "20160",
        "0000",
        "2016-13",
        "2016-00",
        "2015-02-29",
        "2016-03/05",
        "31 june",
        "march 45, 2016",
        "0 march",
        "2016-03-00",
        "march 5 16",
        "2016 march",
        "may day",
        "in march",
        "tomorrow",
        "next week",
        "some days ago",
        "last 0 days",
        "9000 years ago",
        "99999 days ago",
        "monday 2016",
        "1985s",
        "0000s",
        "٢٠١٦",
        "kursk",
    ],
)
def test_what_is_no_date_means_none(text: str) -> None:
    assert period(text, TODAY) is None


@pytest.mark.parametrize(
    ("text", "today"),
    [("last week", date.min), ("last month", date.min), ("last year", date.min), ("past 9999 months", date.min)],
)
def test_days_before_the_calendar_began_are_no_date(text: str, today: date) -> None:
    assert period(text, today) is None


def test_the_last_week_of_the_calendar_is_cut_where_it_ends() -> None:
    assert period("this week", date.max) == days("9999-12-27", "9999-12-31")


@given(PIECES.map(" ".join), DAYS)
@example("february 29", date(1, 1, 1))
@example("last december", date(1, 1, 1))
@example("9999 weeks ago", date.max)
def test_any_text_on_any_day_is_a_period_in_order_or_none(text: str, today: date) -> None:
    meant = period(text, today)
    assert meant is None or meant[0] <= meant[1]


@given(DAYS)
def test_every_day_is_read_back_from_how_it_is_written(day: date) -> None:
    for form in ("{0:%d} {0:%B} {1}", "{0:%B} {0:%d}, {1}", "{0:%b} {0:%d} {1}"):
        assert period(form.format(day, f"{day.year:04}"), TODAY) == (day, day)
    assert period(day.isoformat(), TODAY) == (day, day)
    assert period("today", day) == (day, day)


@given(st.sampled_from(["week", "month", "year"]), st.dates(min_value=date(3, 1, 1)))
def test_this_period_holds_today_and_the_last_one_ends_where_it_begins(unit: str, today: date) -> None:
    present, previous = period(f"this {unit}", today), period(f"last {unit}", today)
    assert present is not None
    assert previous is not None
    assert present[0] <= today <= present[1]
    assert previous[1] + timedelta(days=1) == present[0]


@given(st.sampled_from(["march", "5 march", "monday", "29 february", "december"]), st.dates(min_value=date(20, 1, 1)))
def test_what_leaves_the_year_or_week_open_has_begun_by_today(text: str, today: date) -> None:
    meant = period(text, today)
    assert meant is not None
    assert meant[0] <= today
