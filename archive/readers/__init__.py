"""Readers: one file a format, each turning bytes into articles and rejections; `detect` picks one.

Invariant: a reader never raises for what the bytes are, only for a stream that cannot be read. It yields an article,
what a source takes back, or says what is wrong, where, and what to do, and goes on; its memory does not grow with the
file.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import BinaryIO, Protocol

from archive.article import Entry
from archive.errors import SourceError
from archive.readers.agencies import newsml1, newsml_g2, ninjs, nitf
from archive.readers.charset import wide_encoding
from archive.readers.feeds import feed, json_feed, opml, sitemap
from archive.readers.pages import html
from archive.readers.records import json_list, jsonl, own, table
from archive.readers.texts import mail, text
from archive.readers.xml import DECLARES, declares_entities, root_of

Reader = Callable[[BinaryIO, str], Iterator[Entry]]
"""`reader(stream, origin)`: `stream` holds unpacked bytes, `origin` is the file's name in rejections."""

HEAD_BYTES = 1 << 16  # how much of a file `detect` looks at


class Format(Protocol):
    """A module of this package that reads one format."""

    def matches(self, head: bytes, start: str, /) -> bool:
        """Tell whether a file that begins with `head` is of this format; `start` is `head` as text, blanks stripped."""
        ...

    def read(self, stream: BinaryIO, origin: str, /) -> Iterator[Entry]:
        """Yield what is in `stream`; see `Reader`."""
        ...


FORMATS: tuple[Format, ...] = (
    own,
    html,
    newsml_g2,
    nitf,
    newsml1,
    feed,
    sitemap,
    opml,
    ninjs,
    json_feed,
    jsonl,
    json_list,
    mail,
    table,
    text,
)

READER_OF_SUFFIX: dict[str, Reader] = {
    ".txt": text.read,
    ".text": text.read,
    "": text.read,
    ".jsonl": jsonl.read,
    ".ndjson": jsonl.read,
    ".json": json_list.read,
    ".csv": table.read,
    ".tsv": table.read,
    ".html": html.read,
    ".htm": html.read,
    ".xhtml": html.read,
    ".eml": mail.read,
}

# First bytes of what people drop among articles, for a reason that names the mistake.
BINARY_FORMATS = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"RIFF", "a sound, film or WebP file"),
    (b"ID3", "a sound file"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
)

_XML = re.compile(r"<\?xml|<!DOCTYPE\s[^>\[]*\[|<(?:rdf|newsItem|nitf)\b", re.IGNORECASE)


def detect(head: bytes, name: str) -> Reader:
    """Return the reader for a file that begins with `head`: by its content first, by its name's suffix second.

    `head` holds up to `HEAD_BYTES`, unpacked; a `.gz` at the name's end is passed over. Raises SourceError with the
    reason when no reader takes the file.
    """
    encoding, mark = wide_encoding(head)  # other encodings have the letters of ASCII, which is all that is looked for
    wide = encoding not in (None, "utf-8")
    start = head[mark:].decode(encoding or "utf-8", "replace").lstrip()
    if not start and len(head) < HEAD_BYTES:
        raise SourceError("empty file")
    suffix = PurePath(name.lower().removesuffix(".gz")).suffix
    reader: Reader | None = next((each.read for each in FORMATS if each.matches(head, start)), None)
    if reader is None:
        _refuse(head, start, suffix)
        reader = READER_OF_SUFFIX.get(suffix)
    if reader is None:
        raise SourceError(
            f"no reader takes {suffix} files: give text as .txt, records as .jsonl or .csv, pages as .html"
        )
    if wide and reader in (own.read, jsonl.read):
        raise SourceError("UTF-16: convert the file first, e.g. iconv -f utf-16 -t utf-8")
    if b"\0" in head and not wide and reader not in (own.read, jsonl.read):  # there it is one line's fault
        raise SourceError("not text: holds NUL bytes")
    return reader


def _refuse(head: bytes, start: str, suffix: str) -> None:
    """Raise SourceError for what no reader takes, whatever its name."""
    for magic, kind in BINARY_FORMATS:
        if head.startswith(magic):
            raise SourceError(f"not text: looks like {kind}")
    root = root_of(start)[0]
    if _XML.match(start) or (root and suffix not in READER_OF_SUFFIX):
        if declares_entities(start):
            raise SourceError(f"XML that {DECLARES}")
        whose = f" whose root is <{root[:60]}>," if root else ""
        raise SourceError(f"XML{whose} of a kind that no reader takes")
