"""Web archives: the records of WARC files (ISO 28500) and of ARC, which came before, with the pages that were fetched.

A record says how long it is, and what follows says whether that is true: where another record does not begin, the next
one is looked for and its beginning ends this one. What only says how something was asked for, or that there was nothing
to be had, is passed over. The time of the crawl is no article's date.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from archive.errors import SourceError
from archive.readers.packed.budget import Budget, BudgetSpent
from archive.readers.packed.member import Broken, Found, Member, printable
from archive.readers.packed.rewinding import GAP_BYTES, Rewinding
from archive.readers.packed.web_answer import payload_of

MAX_RECORD_BYTES = 20_000_000  # 20 MB: pages are under 1, and a feed or a list of addresses may have a few
WITH_PAYLOAD = {"response", "resource", "conversion"}
PAGES = {"text/html", "application/xhtml+xml"}
OFFERED = re.compile(r"(?:text|application)/(?:[\w.-]+\+)?(?:xml|json|x-ndjson)")  # feeds, sitemaps, agencies' items

_MARK = re.compile(rb"\r?\n\r?\nWARC/\d\.\d+\r?\n")
_ARC_LINE = re.compile(rb"\S[^\n]* \S+ \d{8,20} \S+[^\n]* (-?\w+)\r?\n")
_WARC_LINE = re.compile(rb"WARC/\d\.\d+\s*\n")


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    kind: str
    url: str
    content_type: str
    length: int
    is_http: bool


def matches(head: bytes) -> bool:
    """Tell whether the file begins with a record of either kind."""
    return _WARC_LINE.match(head) is not None or head.startswith(b"filedesc://")


def members(stream: BinaryIO, budget: Budget) -> Iterator[Found]:
    """Yield the payload of each record that may hold articles. Places are counted in the unpacked file."""
    source = Rewinding(stream)
    while True:
        offset = source.offset
        try:
            record = _next_record(source)
            if record is None:
                return
            yield _found(record, _block(source, record), budget)
        except BudgetSpent:
            raise
        except SourceError as error:
            yield Broken(name=f"record at byte {offset:,}", reason=str(error))
            yield from _to_next_record(source)


def _to_next_record(source: Rewinding) -> Iterator[Broken]:
    """Go on to what looks like a record's first line."""
    while True:
        try:
            while line := source.line():
                if _begins_record(line):
                    source.give_back(line)
                    return
            return
        except BudgetSpent:
            raise
        except SourceError as error:  # of a packed file that is damaged: the next member can be read
            yield Broken(name=f"record at byte {source.offset:,}", reason=str(error))


def _begins_record(line: bytes) -> bool:
    return _WARC_LINE.match(line) is not None or _ARC_LINE.match(line) is not None


# Headers


def _next_record(source: Rewinding) -> _Record | None:
    """Read a record's header. None is the end."""
    source.skip_blank()
    offset = source.offset
    line = source.line()
    if not line:
        return None
    if _WARC_LINE.match(line):
        return _warc_record(offset, source.fields())
    if _ARC_LINE.match(line):
        return _arc_record(offset, line)
    raise SourceError("no record begins here")


def _warc_record(offset: int, header: Mapping[str, str]) -> _Record:
    url = header.get("warc-target-uri", "").removeprefix("<").removesuffix(">").replace(" ", "%20")
    kind = header.get("content-type", "").lower()
    return _Record(
        offset=offset,
        kind=header.get("warc-type", "").lower(),
        url=url,
        content_type=kind,
        length=_length(header.get("content-length", "")),
        is_http=kind.startswith("application/http") or (not kind and url.startswith(("http:", "https:"))),
    )


def _arc_record(offset: int, line: bytes) -> _Record:
    # URL IP-address Archive-date Content-type [five more, in the second version] Archive-length
    words = line.decode("utf-8", "replace").split()
    date = next(place for place, word in enumerate(words) if place >= 2 and re.fullmatch(r"\d{8,20}", word))
    url = "%20".join(words[: date - 1])
    is_description = url.startswith("filedesc://")
    return _Record(
        offset=offset,
        kind="warcinfo" if is_description else "response",
        url=url,
        content_type=words[date + 1].lower(),
        length=_length(words[-1]),
        is_http=url.startswith(("http:", "https:")),
    )


def _length(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()):
        raise SourceError(f"says no length that can be one: {printable(text)!r}")
    return int(text)


# What a record holds


def _block(source: Rewinding, record: _Record) -> bytes | None:
    """Return what follows the header, None when it is too large. What is left out of it or is too much is mended."""
    if record.length > MAX_RECORD_BYTES:
        source.skip(record.length)
        return None
    block = source.read(record.length)
    blank = source.skip_blank()
    follows = source.line()
    source.give_back(follows)
    if len(block) == record.length and (not follows or _begins_record(follows)):
        return block
    if mark := _MARK.search(block):  # it says to be longer than it is, and has swallowed the next
        source.give_back(block[mark.end() :] + blank)
        source.give_back(block[mark.start() : mark.end()])
        return block[: mark.start()]
    if len(block) < record.length and not _is_whole(block):
        raise SourceError(f"is cut off: {len(block):,} bytes of {record.length:,}")
    return block + blank + _gap(source)


def _is_whole(block: bytes) -> bool:
    """Tell whether the last record, which should be longer, holds all that the web server meant to send."""
    header, payload = (*re.split(rb"\r?\n\r?\n", block, maxsplit=1), b"")[:2]
    told = re.search(rb"^content-length:[ \t]*(\d{1,15})\r?$", header, re.IGNORECASE | re.MULTILINE)
    return told is not None and len(payload) >= int(told[1])


def _gap(source: Rewinding) -> bytes:
    """Return what stands before the next record: the end of one that says to be shorter than it is."""
    gap = bytearray()
    while (line := source.line()) and not _begins_record(line):
        gap += line
        if len(gap) > GAP_BYTES:
            raise SourceError("is longer than it says, and no other begins")
    source.give_back(line)
    return bytes(gap).rstrip(b"\r\n")


def _found(record: _Record, block: bytes | None, budget: Budget) -> Found:
    if record.kind not in WITH_PAYLOAD or record.url.startswith(("dns:", "metadata:")):
        return None
    if block is None:
        return Broken(
            name=f"record at byte {record.offset:,}", reason=f"larger than {MAX_RECORD_BYTES // 1_000_000} MB"
        )
    content_type, payload = record.content_type, block
    if record.is_http:
        answer = payload_of(block, budget, most_bytes=MAX_RECORD_BYTES)
        if answer is None:
            return None
        content_type, payload = answer
    kind = content_type.partition(";")[0].strip().lower()
    if (kind not in PAGES and not OFFERED.fullmatch(kind)) or urlsplit(record.url).path == "/robots.txt":
        return None
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    return Member(
        name=f"{printable(record.url)} (byte {record.offset:,})",
        stream=io.BytesIO(payload),
        hint="page.html" if kind in PAGES else "payload.unknown",
        url=record.url,
        charset=charset[1] if charset else None,
        optional=kind not in PAGES,
    )
