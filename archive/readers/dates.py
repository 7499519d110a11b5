"""Dates as sources write them: the standards, ISO 8601 and RFC 2822, and other forms that mean one day and no other.

Invariant: a date comes out aware and in UTC, or there is none. Nothing is guessed: neither which of two numbers is the
month, nor the century, nor a zone by its local name. The clock is never asked.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dateutil.parser import isoparser

FIRST_YEAR = 1000  # earlier years are always typing errors or placeholders such as 0001-01-01

# A whole day at least: "2016" or "2016-08" would need an invented day. The zone may stand apart, as databases print it.
_ISO = re.compile(r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d)(?:[Tt ]([\d:.,]+)\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?", re.A)
# Two-digit years and unknown zone names are left out on purpose: both would be guesses.
_RFC2822 = re.compile(
    r"(?:[A-Za-z]{3},?\s+)?\d{1,2}\s+[A-Za-z]{3}\s+[1-9]\d{3}\s+\d\d:\d\d(?::\d\d)?"
    r"(?:\s+(?:[+-]\d{4}|Z|UTC?|GMT|[ECMP][SD]T))?",
    re.A,
)
_ISO_PARSER = isoparser(sep="T")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # what programs write where they have none

# What follows the day in the other forms: 9:30, 09:30:15, 9:30 PM; a zone as in ISO 8601.
_TIME = r"(?:,?[Tt\s]\s*(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s?([AaPp])\.?[Mm]\.?)?\s?([Zz]|[+-]\d\d:?\d\d)?)?"
_NUMBERS = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})" + _TIME, re.A)
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})" + _TIME, re.A)
_DAY_FIRST = re.compile(r"(?:[A-Za-z]+,?\s+)?(\d{1,2})(?:st|nd|rd|th|\.)?\s+([A-Za-z]+)\.?,?\s+(\d{4})" + _TIME, re.A)
_MONTH_FIRST = re.compile(r"(?:[A-Za-z]+,?\s+)?([A-Za-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})" + _TIME, re.A)
_NAMES = ("january", "february", "march", "april", "may", "june",
          "july", "august", "september", "october", "november", "december")  # fmt: skip
_MONTHS = {form: number for number, name in enumerate(_NAMES, 1) for form in (name, name[:3])} | {"sept": 9}


def standard_date(text: str) -> datetime | None:
    """Return the moment that `text` names by ISO 8601 or RFC 2822, in UTC, or None.

    A day alone is its midnight, a time without a zone is taken as UTC. The years are 1000 to 9999.
    """
    stripped = text.strip()
    try:
        iso = _ISO.fullmatch(stripped)
        if iso:
            day, time, zone = iso.groups(default="")
            return _in_utc(_ISO_PARSER.isoparse(f"{day}T{time}{zone.upper()}" if time else day))
        return _in_utc(parsedate_to_datetime(stripped)) if _RFC2822.fullmatch(stripped) else None
    except (ValueError, OverflowError):
        return None


def written_date(text: str) -> datetime | None:
    """Return the moment that `text` names, in a standard or in words or numbers that leave no doubt, or None.

    31/12/2026 and 12/31/2026 leave none, 10/08/2026 does: so it is no date.
    """
    stripped = text.strip()
    return standard_date(stripped) or _plain_date(stripped)


def stated_date(text: str | None) -> datetime | None:
    """Return the moment that `text` names, None also for what programs write where they have no date."""
    moment = written_date(text or "")
    return None if moment == _NO_DATE else moment


def _in_utc(moment: datetime) -> datetime | None:
    # Not only 0999 is refused: 1000-01-01T00:00+02:00 lies in 999, and 9999-12-31T23:00-02:00 overflows.
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year >= FIRST_YEAR else None


def _plain_date(text: str) -> datetime | None:
    if found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *time = found.groups(default="")
    elif found := _NUMBERS.fullmatch(text):
        first, mark, second, year, *time = found.groups(default="")
        day, month = _day_and_month(first, second, mark)
    elif found := _DAY_FIRST.fullmatch(text):
        day, word, year, *time = found.groups(default="")
        month = str(_MONTHS.get(word.lower(), 0))
    elif found := _MONTH_FIRST.fullmatch(text):
        word, day, year, *time = found.groups(default="")
        month = str(_MONTHS.get(word.lower(), 0))
    else:
        return None
    return standard_date(f"{year}-{month:0>2}-{day:0>2}{_clock(*time)}")


def _day_and_month(first: str, second: str, mark: str) -> tuple[str, str]:
    """Return day and month; no month 0 for two numbers that could be either. Points stand between day and month alone.

    No locale of Unicode's CLDR writes the month first with points.
    """
    if mark == "." or int(first) > 12 or first == second:
        return first, second
    return (second, first) if int(second) > 12 else (first, "0")


def _clock(hour: str, minute: str, second: str, half: str, zone: str) -> str:
    """Return the time of day as ISO 8601 writes it; 12 AM is midnight."""
    if not hour:
        return ""
    if half:
        if not 1 <= int(hour) <= 12:
            return "T"  # no time, so no date
        hour = str(int(hour) % 12 + (12 if half in "Pp" else 0))
    return f"T{hour:0>2}:{minute}:{second or '00'}{zone}"
