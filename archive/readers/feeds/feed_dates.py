"""Dates of feeds: whatever programs write there, as long as every part of the date is written. Pure.

Invariant: an invented day, an unknown zone and a placeholder are no date.
"""

import re
from calendar import timegm
from datetime import UTC, datetime
from time import struct_time

from archive.readers.dates import stated_date

# What is written where RFC 2822 has a zone, of one meaning only; BST, IST and the like have several.
_ZONES = {
    "AEDT": "+1100",
    "AEST": "+1000",
    "AKDT": "-0800",
    "AKST": "-0900",
    "CEST": "+0200",
    "CET": "+0100",
    "EEST": "+0300",
    "EET": "+0200",
    "HST": "-1000",
    "JST": "+0900",
    "KST": "+0900",
    "MESZ": "+0200",
    "MEZ": "+0100",
    "MSK": "+0300",
    "NZDT": "+1300",
    "NZST": "+1200",
    "WEST": "+0100",
    "WET": "+0000",
}
_KNOWN_ZONES = frozenset({"z", "ut", "utc", "gmt", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "am", "pm"})
_ZONE_NAME = re.compile(r"(?<=[\d\s])([A-Za-z]+)\s*$")
_NO_DAY = re.compile(r"\s*\d{4}(?:-\d\d)?(?![\d-])")


def feed_date(text: str | None, parsed: struct_time | None) -> datetime | None:
    """Return the moment that `text` names, of which feedparser made the UTC time tuple `parsed`, or None.

    feedparser reads dates of many kinds, but fills in what is missing: what it read is checked against the text.
    """
    text = text or ""
    zone = _ZONE_NAME.search(text)
    if zone and zone[1].upper() in _ZONES:
        text = text[: zone.start()] + _ZONES[zone[1].upper()]
    moment = stated_date(text)
    if moment or not parsed or _NO_DAY.match(text):
        return moment
    if zone and ":" in text and zone[1].lower() not in _KNOWN_ZONES | {name.lower() for name in _ZONES}:
        return None
    numbers = re.findall(r"\d+", text)
    years = {form for year in range(parsed[0] - 1, parsed[0] + 2) for form in (str(year), f"{year % 100:02}")}
    if len(numbers) < 2 or not years & set(numbers):  # the year may be the next one in UTC
        return None
    try:
        return stated_date(datetime.fromtimestamp(timegm(parsed), UTC).isoformat())
    except (ValueError, OverflowError):
        return None
