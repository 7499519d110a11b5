"""A JSON list of records as `jsonl` reads them, or objects spread over lines: read value by value.

Invariant: a record that is none costs itself, and the records after it are read.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.fields import BODY, article_from
from archive.readers.json_values import JSONValues
from archive.readers.lines import kept_raw

_SPREAD = re.compile(r'\{[^\S\n]*\n\s*"|\[\s*\{\s*["}]')
_RECORD_KEY = re.compile(rf'"(?:{"|".join(BODY)})"\s*:')


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins with a list, or with an object that goes on on the next line, that may hold texts.

    The web is full of lists and objects that are no articles.
    """
    return _SPREAD.match(start) is not None and _RECORD_KEY.search(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield an article or a rejection for every value in `stream`, with the line where it begins."""
    for line, text, value in JSONValues(stream):
        try:
            yield _article(value)
        except SourceError as error:
            raw = kept_raw(text.encode("utf-8", "surrogateescape"))
            yield Rejection(source=origin, line=line, reason=str(error), raw=raw)


def _article(value: object) -> Article:
    if isinstance(value, SourceError):
        raise value
    if not isinstance(value, dict):
        raise SourceError('not a JSON object: each record must look like {"title": "…", "body": "…"}')
    return article_from(value)
