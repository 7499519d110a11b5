"""Values as agencies write them, in whatever format: statuses, times, versions, bylines. Pure.

Invariant: what ends an embargo is read by standards alone, and what is unclear about it errs on hiding.
"""

import re
from datetime import datetime, timedelta

from archive.arrival import UNTIL_FURTHER_NOTICE
from archive.readers.dates import standard_date
from archive.readers.fields import is_web_address, language_tag
from archive.readers.normalise import has_words, one_line

LAST_ZONE = timedelta(hours=12)  # behind UTC: where an hour strikes last
MAX_VERSION_DIGITS = 15  # some agencies count by the second: 20260301120000

_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.I,
)
_ENDS_IN_ZONE = re.compile(r"(?:[+-]\d{4}|Z|UTC?|GMT|[ECMP][SD]T)\s*$")
_BY = re.compile(r"(?:by|von|par|por|av|af|door|texte?|tekst)\b:?\s+", re.IGNORECASE)
_VERSION = re.compile(r"(\d+)(?:\.\d+)*", re.ASCII)
_AND = re.compile(r"\s+(?:and|und|et|y|och|og|en|e|&)\s+")


def status(name: str) -> str:
    """Return a publishing status as it is compared; nothing means usable."""
    return name.strip().lower() or "usable"


def coded_status(code: str) -> str:
    """Return the publishing status that a code names after its scheme, in either spelling of canceled."""
    said = re.split(r"[:/#]", code.strip().rstrip(":/#"))[-1].strip()
    if code.strip() and not said:  # a scheme alone says nothing that is known
        return status(code)
    return status("canceled" if said.lower() == "cancelled" else said)


def moment(text: object) -> datetime | None:
    """Return the moment a date names, in UTC; None for what is no full date: that must not cost the article."""
    read = _moment(text)
    return read[0] if read else None


def embargo(text: object) -> datetime:
    """Return the end of an embargo; nothing, and what cannot be read, means until further notice.

    Without a time zone it ends when the hour has struck everywhere.
    """
    read = _moment(text)
    if read is None:
        return UNTIL_FURTHER_NOTICE
    end, has_zone = read
    return end if has_zone or end.year >= UNTIL_FURTHER_NOTICE.year else end + LAST_ZONE


def _moment(text: object) -> tuple[datetime, bool] | None:
    if not isinstance(text, str):
        return None
    found = _MOMENT.fullmatch(text.strip())
    if found:
        year, month, day, hour, minute, second, zone = found.groups(default="")
        has_zone = bool(zone)
        zone = "Z" if zone.upper() in ("Z", "UTC", "GMT") else zone
        clock = f"T{hour}:{minute}:{second or '00'}{zone}" if hour else ""
        read = standard_date(f"{year}-{month}-{day}{clock}")
    else:
        has_zone = _ENDS_IN_ZONE.search(text) is not None
        read = standard_date(text)
    return (read, has_zone) if read else None


def version_number(value: object) -> int | None:
    """Return a count of versions that later versions exceed, or None for what gives none.

    Of 1.2 it is 1: 1.2 and 1.3 are then in the order in which they come, and 2 is later than both. A time is counted
    as agencies do that count by the second, in the digits of the time in UTC.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    if (found := _VERSION.fullmatch(text)) and len(found[1]) <= MAX_VERSION_DIGITS:
        return int(found[1])
    time = None if found else moment(text)
    return int(f"{time:%Y%m%d%H%M%S}") if time else None


def names_in(byline: str) -> tuple[str, ...]:
    """Return who a byline names: without "By", and without what follows the names after a comma or a stroke."""
    text = _BY.sub("", one_line(byline), count=1) if _BY.match(one_line(byline)) else one_line(byline)
    parts = [part.strip() for part in re.split(r"\s*[,;/|]\s*", text)]
    listed = parts if _AND.search(parts[-1]) else parts[:1]
    names = [name.strip(" .,;:") for part in listed for name in _AND.split(part)]
    return tuple(dict.fromkeys(name for name in names if has_words(name)))


def language_of(*candidates: str | None) -> str | None:
    """Return the first of the candidates that is a language tag."""
    return next((tag for candidate in candidates if (tag := language_tag(candidate))), None)


def first_address(*candidates: object) -> str | None:
    """Return the first of the candidates that is an http or https address."""
    return next((text for text in candidates if isinstance(text, str) and is_web_address(text)), None)
