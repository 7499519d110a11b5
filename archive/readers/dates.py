"""Dates as sources write them: ISO 8601 and RFC 2822, and nothing that would need a guess.

Invariant: a date comes out aware and in UTC, or an error says why it cannot. The clock is never asked.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dateutil.parser import isoparser

from archive.errors import SourceError

FIRST_YEAR = 1000  # earlier years are always typing errors or placeholders such as 0001-01-01

# A whole day at least: "2016" or "2016-08" would need an invented day. The zone may stand apart, as databases print it.
_ISO = re.compile(r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d)(?:[Tt ]([\d:.,]+)\s?([Zz]|[+-]\d\d(?::?\d\d)?)?)?")
# Two-digit years and unknown zone names are left out on purpose: both would be guesses.
_RFC2822 = re.compile(
    r"(?:[A-Za-z]{3},?\s+)?\d{1,2}\s+[A-Za-z]{3}\s+[1-9]\d{3}\s+\d\d:\d\d(?::\d\d)?"
    r"(?:\s+(?:[+-]\d{4}|Z|UTC?|GMT|[ECMP][SD]T))?"
)
_ISO_PARSER = isoparser(sep="T")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # what programs write where they have none


def parse_date(text: str) -> datetime:
    """Return the moment `text` names, in UTC; a day alone is its midnight, a time without a zone is taken as UTC.

    Raises SourceError when it is neither ISO 8601 nor RFC 2822, or outside the years 1000 to 9999.
    """
    stripped = text.strip()
    try:
        moment = _parse(stripped)
        # Not only 0999 is refused: 1000-01-01T00:00+02:00 lies in 999, and 9999-12-31T23:00-02:00 overflows.
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _not_a_date(stripped) from error
    if moment.year < FIRST_YEAR:
        raise _not_a_date(stripped)
    return moment


def stated_date(text: str | None) -> datetime | None:
    """Return the moment that `text` names, None where it names none: a broken date does not cost its entry."""
    try:
        moment = parse_date(text or "")
    except SourceError:
        return None
    return None if moment == _NO_DATE else moment


def _parse(text: str) -> datetime:
    iso = _ISO.fullmatch(text)
    if iso:
        day, time, zone = iso.groups(default="")
        return _ISO_PARSER.isoparse(f"{day}T{time}{zone.upper()}" if time else day)
    if _RFC2822.fullmatch(text):
        return parsedate_to_datetime(text)
    raise ValueError(text)


def _not_a_date(text: str) -> SourceError:
    return SourceError(
        f"{text[:60]!r} is not a full ISO or RFC 2822 date: write 2016-08-10 or 2016-08-10T09:30:00Z, or leave it out"
    )
