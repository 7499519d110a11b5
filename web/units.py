"""Days, times and numbers as they are written in the reader's language, for the templates. Pure."""

from datetime import UTC, date, datetime, timedelta

from flask_babel import (
    format_date,
    format_datetime,
    format_decimal,
    format_percent,
    format_timedelta,
    get_locale,
    gettext,
)

MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000  # bytes, as disks are sold


def year_name(day: date) -> str:
    """Return the year of a day."""
    return str(day.year)


def month_name(day: date) -> str:
    """Return the month of a day with its year, such as March 2016."""
    return str(format_date(day, "LLLL y"))


def month_alone(day: date) -> str:
    """Return the month of a day without its year, such as March."""
    return str(format_date(day, "LLLL"))


def short_month(day: date) -> str:
    """Return the month of a day in short, such as Mar."""
    return str(format_date(day, "LLL"))


def day_and_month(day: date) -> str:
    """Return a day without its year, such as 14 March."""
    return str(format_date(day, "d MMMM"))


def full_day(day: date) -> str:
    """Return a day as it stands at the head of a newspaper, such as Monday 14 March 2016."""
    return str(format_date(day, "EEEE d MMMM y"))


def weekday(day: date) -> str:
    """Return a day's weekday, such as Monday."""
    return str(format_date(day, "EEEE"))


def weekdays() -> list[tuple[str, str]]:
    """Return the weekdays, Monday first, each in short and in full."""
    names = get_locale().days["stand-alone"]
    return [(names["abbreviated"][each], names["wide"][each]) for each in range(7)]


def clock(at: datetime) -> str:
    """Return the hour and minute in UTC, empty at midnight: a day without an hour is kept as its midnight."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M}" if (at.hour, at.minute) != (0, 0) else ""


def utc_day(at: datetime) -> date:
    """Return the day of a time, in UTC."""
    return at.astimezone(UTC).date()


def moment(at: datetime) -> str:
    """Return a day and a time of day, in UTC."""
    return str(gettext("%(time)s UTC", time=format_datetime(at.astimezone(UTC), "d MMMM y, HH:mm", rebase=False)))


def duration(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    return str(format_timedelta(timedelta(seconds=max(1, round(seconds))), threshold=1.2))


def number(value: float) -> str:
    """Return a number as it is written where the reader lives."""
    return str(format_decimal(value))


def rate(value: float) -> str:
    """Return a number of which the size matters: to a tenth below ten, whole above."""
    return number(round(value, 1 if value < 10 else None))


def percent(share: float) -> str:
    """Return a share of one as a percentage."""
    return str(format_percent(share, "#,##0.0%"))


def megabytes(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    return f"{number(round(size / GIGABYTE, 1))} GB" if size >= GIGABYTE else f"{number(round(size / MEGABYTE, 1))} MB"
