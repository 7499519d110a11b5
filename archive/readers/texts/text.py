"""Plain text: one article a file, with optional header lines on top.

    Title: Bridge reopens          also Headline
    Date: 2016-08-10               also Published; Updated, Source, Section, Language, URL, ID
    Author: Jane Doe; John Roe     also Authors, By
                                   (a blank line ends the headers)
    The old bridge …

Only a first line with one of these names makes a header; other names inside it are ignored. Without a header the title
comes from the first sentence and the date is unknown. Text is in UTF-8, or in what its bytes say (`charset`).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.charset import MAX_DAMAGE, decoded, is_mostly_utf8, wide_encoding
from archive.readers.fields import article_from
from archive.readers.lines import kept_raw, not_utf8, read_whole

MAX_TEXT_BYTES = 50_000_000  # 50 MB: the Bible is 4 MB

FIELD_OF_HEADER = {
    "title": "title",
    "headline": "title",
    "date": "published_at",
    "published": "published_at",
    "updated": "updated_at",
    "source": "source",
    "section": "section",
    "author": "authors",
    "authors": "authors",
    "by": "authors",
    "language": "language",
    "url": "url",
    "id": "id",
}
_HEADER = re.compile(r"([A-Za-z][A-Za-z _-]{0,30}):(?:[ \t]+(.*))?")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")  # no text in whatever encoding has them


class _LineError(SourceError):
    """What is wrong stands in one line of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the first line is a header this reader knows."""
    return starts_with_header(start)


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the one article in `stream`, or why there is none."""
    raw = b""
    try:
        raw = read_whole(stream, cap=MAX_TEXT_BYTES)
        text = _decoded(raw)
        fields, body = _split_header(text)
        yield article_from({**fields, "body": body})
    except _LineError as error:
        yield Rejection(source=origin, line=error.line, reason=str(error), raw=kept_raw(raw), size=len(raw) or None)
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error), raw=kept_raw(raw), size=len(raw) or None)


def starts_with_header(text: str) -> bool:
    """Tell whether the first line that is not blank is a header line this reader knows."""
    header = _HEADER.fullmatch(text.lstrip().split("\n", 1)[0].rstrip())
    return header is not None and header[1].strip().lower() in FIELD_OF_HEADER


def _decoded(raw: bytes) -> str:
    wide, mark = wide_encoding(raw)
    try:
        text = raw[mark:].decode(wide or "utf-8")
    except UnicodeDecodeError as error:
        if wide not in (None, "utf-8"):
            raise SourceError(f"begins as {wide[:6].upper()} text but is damaged: save it again as UTF-8") from error
        # The decoder counts from after the byte-order mark; the line and the byte are counted in the file.
        start = error.start + mark
        position = start - raw.rfind(b"\n", 0, start)
        complaint = _LineError(raw.count(b"\n", 0, start) + 1, not_utf8(raw[start], position))
        if wide or is_mostly_utf8(raw) or _CONTROLS.search(raw):  # UTF-8 that is damaged, or no text
            raise complaint from error
        text = decoded(raw)
        if text.count("\ufffd") > MAX_DAMAGE * len(text):
            raise complaint from error
    if "\0" in text:
        raise SourceError("not text: holds NUL bytes")
    return _with_newlines(text)


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split_header(text: str) -> tuple[dict[str, str], str]:
    """Return the header's fields and the body. Raises when a header is not ended by a blank line."""
    if not starts_with_header(text):
        return {}, text
    lines = text.split("\n")
    first = next(index for index, line in enumerate(lines) if line.strip())
    fields: dict[str, str] = {}
    for index in range(first, len(lines)):
        line = lines[index].strip()
        if not line:
            return fields, "\n".join(lines[index:])
        header = _HEADER.fullmatch(line)
        if not header:
            reason = "neither 'Name: value' nor the blank line that ends the header: put a blank line above the text"
            raise _LineError(index + 1, reason)
        _add(fields, header[1].strip().lower(), header[2] or "")
    return fields, ""


def _add(fields: dict[str, str], header: str, value: str) -> None:
    field = FIELD_OF_HEADER.get(header)
    if field == "authors" and fields.get(field):  # one line an author
        fields[field] += f"; {value}"
    elif field and not fields.get(field):  # of two, the first that says something
        fields[field] = value
