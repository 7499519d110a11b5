"""A reason as it is kept: one line that shows what it says. Pure."""

import re

from archive.readers.normalise import one_line

_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # they can make a line read as another


def clean_reason(text: str | None) -> str | None:
    """Return a reason on one line without what no reader can see, None when nothing is left."""
    return one_line(_DIRECTIONS.sub("", text or "")) or None
