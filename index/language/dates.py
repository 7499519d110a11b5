"""Dates as they are typed: text and today's date in, the days that are meant out. Pure.

Invariant: a text means one period of whole days, the same for the same today, or it is no date and means none. Every
period is inclusive at both ends and lies within the years 1 to 9999; a week begins on Monday (ISO 8601).
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

Period = tuple[date, date]  # the first and the last day, both included

_MONTH_NAMES = ["january", "february", "march", "april", "may", "june", "july"]
_MONTH_NAMES += ["august", "september", "october", "november", "december"]
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {name: number for number, name in enumerate(_DAY_NAMES)}
_WEEKDAYS |= {name[:3]: number for name, number in _WEEKDAYS.items()}

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})"
_WEEKDAY = rf"(?P<weekday>{'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_COUNT = r"(?P<count>[0-9]{1,4}|an?|one)"
_UNIT = r"(?P<unit>day|week|month|year)"


def period(text: str, today: date) -> Period | None:
    """Return the first and the last day of the period `text` means on the day `today`, None when it is no date.

    English, in any case: `2016-03-05`, `2016-03`, `2016`, `1980s`, `march 5, 2016`, `5 march`, `march 2016`, `march`,
    `today`, `yesterday`, `monday`, `last monday`, `this week`, `last month`, `3 days ago`, `past 7 days`. Where the
    year, the month or the week is left open, the latest one that has begun is meant.
    """
    plain = " ".join(text.casefold().replace(",", " ").split())
    for pattern, read in _FORMS:
        if match := pattern.fullmatch(plain):
            try:
                return read({name: value or "" for name, value in match.groupdict().items()}, today)
            except (ValueError, OverflowError):  # the 31st of June, the year 0, 9,000 years ago
                return None
    return None


def _calendar_date(parts: dict[str, str], today: date) -> Period:
    """Return a day, month or year that is given by numbers or by the month's name; today fills in a missing year."""
    if not parts["month"]:
        return date(int(parts["year"]), 1, 1), date(int(parts["year"]), 12, 31)
    month = _MONTHS.get(parts["month"]) or int(parts["month"])
    if not parts["day"]:
        return _month(int(parts["year"]), month) if parts["year"] else _latest_month(month, today)
    day = int(parts["day"])
    found = date(int(parts["year"]), month, day) if parts["year"] else _latest_day(month, day, today)
    return found, found


def _latest_month(month: int, today: date) -> Period:
    return _month(today.year - (month > today.month), month)


def _latest_day(month: int, day: int, today: date) -> date:
    """Return the latest such day that has begun; the 29th of February may be years ago."""
    for year in range(today.year, today.year - 9, -1):  # 8 years lie between the leap years around 1900
        if day <= calendar.monthrange(year, month)[1] and date(year, month, day) <= today:
            return date(year, month, day)
    raise ValueError(f"no month {month} has a day {day}")


def _decade(parts: dict[str, str], _today: date) -> Period:
    return date(int(parts["year"]), 1, 1), date(int(parts["year"]) + 9, 12, 31)


def _named_day(parts: dict[str, str], today: date) -> Period:
    day = today - timedelta(days=["today", "yesterday"].index(parts["name"]))
    return day, day


def _weekday(parts: dict[str, str], today: date) -> Period:
    """Return the latest such weekday: today may be a `monday`, but not a `last monday`."""
    back = (today.weekday() - _WEEKDAYS[parts["weekday"]]) % 7
    day = today - timedelta(days=back or (7 if parts["last"] else 0))
    return day, day


def _last_month_of_name(parts: dict[str, str], today: date) -> Period:
    month = _MONTHS[parts["month"]]
    return _month(today.year - (month >= today.month), month)


def _present(parts: dict[str, str], today: date) -> Period:
    return _unit(parts["unit"], 0, today)


def _previous(parts: dict[str, str], today: date) -> Period:
    return _unit(parts["unit"], 1, today)


def _ago(parts: dict[str, str], today: date) -> Period:
    return _unit(parts["unit"], _counted(parts), today)


def _until_today(parts: dict[str, str], today: date) -> Period:
    """Return as many days, weeks, months or years as are counted, of which today is the last day."""
    count, unit = _counted(parts), parts["unit"]
    if count == 0:
        raise ValueError("no days at all")
    if unit in ("day", "week"):
        return today - timedelta(days=count * (7 if unit == "week" else 1) - 1), today
    year, month = _months_back(count * (12 if unit == "year" else 1), today)
    before = date(year, month, min(today.day, calendar.monthrange(year, month)[1]))
    return before + timedelta(days=1), today


def _unit(unit: str, back: int, today: date) -> Period:
    """Return the whole day, week, month or year that lies `back` of them before the present one."""
    if unit == "day":
        return today - timedelta(days=back), today - timedelta(days=back)
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + min(timedelta(days=6), date.max - monday)
    if unit == "month":
        return _month(*_months_back(back, today))
    return date(today.year - back, 1, 1), date(today.year - back, 12, 31)


def _counted(parts: dict[str, str]) -> int:
    count = parts.get("count", "")
    return int(count) if count.isdigit() else 1  # a week ago, one week ago, past week


def _months_back(months: int, today: date) -> tuple[int, int]:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return year, month + 1


def _month(year: int, month: int) -> Period:
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


_Reader = Callable[[dict[str, str], date], Period]
_FORMS: list[tuple[re.Pattern[str], _Reader]] = [
    (re.compile(pattern), read)
    for pattern, read in (
        (rf"{_YEAR}(?:(?P<mark>[-/.])(?P<month>[0-9]{{1,2}})(?:(?P=mark)(?P<day>[0-9]{{1,2}}))?)?", _calendar_date),
        (rf"{_MONTH}\.?(?: {_DAY})?(?: {_YEAR})?", _calendar_date),
        (rf"(?:the )?{_DAY} (?:of )?{_MONTH}\.?(?: {_YEAR})?", _calendar_date),
        (r"(?:the )?(?P<year>[0-9]{3}0)s", _decade),
        (r"(?P<name>today|yesterday)", _named_day),
        (rf"(?P<last>last )?{_WEEKDAY}", _weekday),
        (rf"last {_MONTH}", _last_month_of_name),
        (rf"this {_UNIT}", _present),
        (rf"last {_UNIT}", _previous),
        (rf"{_COUNT} {_UNIT}s? ago", _ago),
        (rf"(?:the )?(?:last|past) {_COUNT} {_UNIT}s?", _until_today),
        (rf"(?:the )?past {_UNIT}", _until_today),
    )
]
