"""Days, times and numbers as they are written in the reader's language, for the templates. Pure."""

from datetime import UTC, date, datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import format_decimal, format_percent
from flask_babel import get_locale, gettext

ENGLISH = Locale("en", "GB")  # days stand before months here
MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000  # bytes, as disks are sold

UNGROUPED = 1000  # numbers below have no sign between their digits


def locale() -> Locale:
    """Return the reader's language with its customs; English where nobody reads."""
    return get_locale() or ENGLISH


def long_day(day: date) -> str:
    """Return a day as a newspaper writes it, such as 7 March 2016."""
    return format_date(day, "long", locale=locale())


def brief(day: date, skeleton: str) -> str:
    """Return the parts of a day that `skeleton` names (Unicode TR 35), such as yMMM, as short as the language does."""
    return format_skeleton(skeleton, day, locale=locale())


def year_name(day: date) -> str:
    """Return the year of a day."""
    return str(day.year)


def month_name(day: date) -> str:
    """Return the month of a day with its year, such as March 2016."""
    return brief(day, "yMMMM")


def month_alone(day: date) -> str:
    """Return the month of a day without its year, such as March."""
    return format_date(day, "LLLL", locale=locale())


def short_month(day: date) -> str:
    """Return the month of a day in short, such as Mar."""
    return format_date(day, "LLL", locale=locale())


def day_and_month(day: date) -> str:
    """Return a day without its year, such as 14 March."""
    return brief(day, "MMMMd")


def full_day(day: date) -> str:
    """Return a day as it stands at the head of a newspaper, such as Monday 14 March 2016."""
    return str(gettext("%(weekday)s %(day)s", weekday=weekday(day), day=long_day(day)))


def weekday(day: date) -> str:
    """Return a day's weekday, such as Monday."""
    return format_date(day, "EEEE", locale=locale())


def weekdays() -> list[tuple[str, str]]:
    """Return the weekdays, Monday first, each in short and in full."""
    names = locale().days["stand-alone"]
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
    at = at.astimezone(UTC)
    return str(gettext("%(day)s, %(time)s UTC", day=long_day(at), time=f"{at:%H:%M}"))


def duration(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    return format_timedelta(timedelta(seconds=max(1, round(seconds))), threshold=1.2, locale=locale())


def number(value: float) -> str:
    """Return a number as it is written where the reader lives."""
    if isinstance(value, int) and 0 <= value < UNGROUPED:
        return str(value)  # alike in all our languages: a page of results counts hundreds
    return format_decimal(value, locale=locale())


def decimal(value: float, places: int) -> str:
    """Return a number with so many places after the point."""
    return format_decimal(value, f"0.{places * '0'}", locale=locale())


def rate(value: float) -> str:
    """Return a number of which the size matters: to a tenth below ten, whole above."""
    return number(round(value, 1 if value < 10 else None))


def percent(share: float) -> str:
    """Return a share of one as a percentage."""
    pattern = locale().percent_formats[None].pattern.replace("0", "0.0")
    return format_percent(share, pattern, locale=locale())


def megabytes(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    if size >= GIGABYTE:
        return str(gettext("%(number)s GB", number=number(round(size / GIGABYTE, 1))))
    return str(gettext("%(number)s MB", number=number(round(size / MEGABYTE, 1))))
