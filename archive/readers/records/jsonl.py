"""JSON Lines: one article an object, one object a line. Rows of a BEIR corpus are such objects.

Invariant: whatever a line holds, the lines after it are read.
"""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.fields import article_from
from archive.readers.lines import decode_utf8, kept_raw, line_too_long, lines

_OBJECT = re.compile(r'\{[^\S\n]*["}]')


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins with an object on its first line."""
    return _OBJECT.match(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield an article or a rejection for every line of `stream` that is not blank."""
    for number, raw in lines(stream):
        if raw is None:
            yield Rejection(source=origin, line=number, reason=line_too_long())
        elif raw.strip():
            try:
                yield _article(raw)
            except SourceError as error:
                yield Rejection(source=origin, line=number, reason=str(error), raw=kept_raw(raw))


def _article(raw: bytes) -> Article:
    return article_from(object_in(raw))


def object_in(raw: bytes) -> dict[str, object]:
    """Return the object that a line holds. Raises SourceError with the reason when it holds none."""
    try:
        record = json.loads(decode_utf8(raw))
    except json.JSONDecodeError as error:
        place = f"{error.msg.removesuffix(' at')} at character {error.pos + 1}"
        raise SourceError(f"not complete JSON ({place}): each line must be one whole object") from error
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits, brackets nested without end
        raise SourceError("JSON beyond what can be read: a number too long or lists nested too deep") from error
    if not isinstance(record, dict):
        raise SourceError('not a JSON object: each line must look like {"title": "…", "body": "…"}')
    return record
