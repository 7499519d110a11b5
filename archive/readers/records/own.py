"""What `flask export` wrote: a first line that says so, then a record an article and line (`exchange`).

Such a file is the operator's own and is trusted as such: ids, dates and what was taken away are taken from it as they
stand. Each line is still checked as strictly as any other input.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from archive.article import Record, Rejection
from archive.errors import SourceError
from archive.readers.lines import kept_raw, line_too_long, lines
from archive.readers.records.exchange import FORMAT_VERSION, record_from, without_sum
from archive.readers.records.jsonl import object_in

MAX_RECORD_BYTES = 100_000_000  # 100 MB: an article of the largest size in a dozen versions

NOT_BELIEVED = (
    "an archive's own export is believed only as a file of its own: save it and give the file to flask ingest"
)

_FIRST_LINE = re.compile(r'\{"backfile": ?\d')


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins as an export does."""
    return _FIRST_LINE.match(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Record | Rejection]:
    """Yield the record of every line; of a file that ends too soon, say so."""
    announced = found = 0
    for number, raw in lines(stream, cap=MAX_RECORD_BYTES):
        try:
            if raw is None:
                raise SourceError(line_too_long(cap=MAX_RECORD_BYTES))
            if number == 1:
                announced = _announced(object_in(raw))
            elif raw.strip():
                found += 1
                yield replace(record_from(without_sum(object_in(raw))), origin=origin, line=number)
        except SourceError as error:
            yield Rejection(source=origin, line=number, reason=str(error), raw=kept_raw(raw))
            if number == 1:
                return
    if found < announced:
        yield Rejection(source=origin, reason=f"ends after {found} of {announced} articles: the file is not whole")


def _announced(first: dict[str, object]) -> int:
    """Return how many articles the first line announces. Raises SourceError for what this program cannot read."""
    version, articles = first.get("backfile"), first.get("articles")
    if version != FORMAT_VERSION:
        raise SourceError(f"an export of version {version!r}, this program reads {FORMAT_VERSION}: upgrade Backfile")
    return articles if isinstance(articles, int) else 0
