"""CSV and its relatives with semicolons or tabs: the first row names the columns, every further row is an article.

Invariant: a broken row costs itself only. A quote that is opened and never closed would swallow the rest of the file,
so after a row that cannot be parsed, reading begins again on the line after the one where that row began.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.fields import BODY, KNOWN, article_from
from archive.readers.lines import MAX_LINE_BYTES, decode_utf8, kept_raw, line_too_long, lines
from archive.readers.records.recoded import as_utf8

DELIMITERS = ",;\t"

Line = tuple[int, bytes | None]
Row = tuple[int, list[str], bytes]  # the line where it begins, its cells, and how it is written


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the first line names columns, one of them for an article's text."""
    first_line = start.split("\n", 1)[0].rstrip()
    columns = column_names(first_line, delimiter_of(first_line))
    return len(columns) > 1 and names_a_body(columns)


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield an article or a rejection for every row of `stream` but the first, which names the columns."""
    # The library's own limit, 128 KB a cell, is less than a long article; rows are capped below, in bytes.
    csv.field_size_limit(MAX_LINE_BYTES)
    rows = _rows(as_utf8(stream), origin)
    header = next(rows, None)
    if header is None or isinstance(header, Rejection):
        yield header or Rejection(source=origin, reason="holds no rows")
        return
    columns = [_name(cell) for cell in header[1]]
    if not names_a_body(columns):
        reason = f"the first row names no column for the article's text: call one {', '.join(BODY[:-1])} or {BODY[-1]}"
        yield Rejection(source=origin, line=header[0], reason=reason, raw=kept_raw(header[2]))
        return
    row = None
    for row in rows:
        entry = row if isinstance(row, Rejection) else _article(row, columns, origin)
        yield _below(header[2], entry) if isinstance(entry, Rejection) else entry
    if row is None:
        yield Rejection(source=origin, reason="holds no rows below the one that names the columns")


def delimiter_of(header: str) -> str:
    """Return the delimiter that splits `header` into the most names that are known; a comma when none does better."""
    return max(DELIMITERS, key=lambda delimiter: len(KNOWN.intersection(column_names(header, delimiter))))


def column_names(header: str, delimiter: str) -> list[str]:
    """Return a first line's column names, good enough to recognise a table by."""
    return [_name(cell.strip('" ')) for cell in header.split(delimiter)]


def names_a_body(columns: list[str]) -> bool:
    """Tell whether one of the columns can hold an article's text."""
    return not set(BODY).isdisjoint(columns)


def _name(cell: str) -> str:
    return cell.strip().lower()


def _below(header: bytes, rejection: Rejection) -> Rejection:
    """Return a row's rejection with the first row above it: a row alone says nothing."""
    return rejection if rejection.raw is None else replace(rejection, raw=kept_raw(header + b"\n" + rejection.raw))


def _article(row: Row, columns: list[str], origin: str) -> Article | Rejection:
    number, cells, raw = row
    try:
        if len(cells) != len(columns):
            raise SourceError(
                f"{len(cells)} cells where the first row names {len(columns)} columns: "
                "put text with delimiters or line breaks in double quotes"
            )
        # The first of two columns with one name wins, so that an empty repeat does not hide it.
        return article_from(dict(zip(reversed(columns), reversed(cells), strict=True)))
    except SourceError as error:
        return Rejection(source=origin, line=number, reason=str(error), raw=raw)


def _rows(stream: BinaryIO, origin: str) -> Iterator[Row | Rejection]:
    """Yield each row, or why there is none; blank lines are passed over."""
    source = lines(stream)
    again: deque[Line] = deque()
    delimiter = ""
    while (start := again.popleft() if again else next(source, None)) is not None:
        delimiter = delimiter or delimiter_of((start[1] or b"").decode("utf-8", "replace"))
        taken = [start]
        try:
            cells = next(csv.reader(_text_of(taken, again, source), delimiter=delimiter, strict=True))
            for number, raw in taken:
                start = (number, raw)  # a complaint about bytes names the very line
                decode_utf8(raw or b"")
        except csv.Error as error:
            reason = f"not a row of a table ({error}): close every quote and double those inside a quoted cell"
            yield Rejection(source=origin, line=taken[0][0], reason=reason, raw=taken[0][1])
            again.extendleft(reversed(taken[1:]))
        except SourceError as error:
            yield Rejection(source=origin, line=start[0], reason=str(error), raw=_written(taken))
        else:
            if any(cells):
                yield taken[0][0], cells, _written(taken)


def _written(taken: list[Line]) -> bytes:
    return b"\n".join(line or b"" for _, line in taken)


def _text_of(taken: list[Line], again: deque[Line], source: Iterator[Line]) -> Iterator[str]:
    """Yield the lines of one row as text, adding each to `taken`, for as long as the parser asks for more."""
    size = 0
    line: Line | None = taken[0]
    while line is not None:
        if line[1] is None and size == 0:
            raise SourceError(line_too_long())
        size += MAX_LINE_BYTES if line[1] is None else len(line[1]) + 1
        if line[1] is None or size > MAX_LINE_BYTES:
            raise csv.Error("a quoted cell goes on for too long")
        yield line[1].decode("utf-8", "surrogateescape") + "\n"
        line = again.popleft() if again else next(source, None)
        if line is not None:
            taken.append(line)
