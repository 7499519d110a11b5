"""Web archives: the records of WARC files (ISO 28500) and of ARC, which came before, with the pages that were fetched.

A record says how long it is, and what follows says whether that is true: where another record does not begin, the next
one is looked for and its beginning ends this one. What only says how something was asked for, or that there was nothing
to be had, is passed over. The time of the crawl is no article's date.
"""

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from archive.errors import SourceError
from archive.readers.packed.budget import Budget, BudgetSpent
from archive.readers.packed.member import SKIP_BYTES, Broken, Found, Member, printable

MAX_RECORD_BYTES = 20_000_000  # 20 MB: pages are under 1, and a feed or a list of addresses may have a few
MAX_LINE_BYTES = 65_536
MAX_HEADER_LINES = 200
PIECE_BYTES = 1 << 20  # at a time, of what is unpacked
GAP_BYTES = 1 << 16  # how much of what should not be there is kept
WITH_PAYLOAD = {"response", "resource", "conversion"}
PAGES = {"text/html", "application/xhtml+xml"}
OFFERED = re.compile(r"(?:text|application)/(?:[\w.-]+\+)?(?:xml|json|x-ndjson)")  # feeds, sitemaps, agencies' items

_MARK = re.compile(rb"\r?\n\r?\nWARC/\d\.\d+\r?\n")
_ARC_LINE = re.compile(rb"\S[^\n]* \S+ \d{8,20} \S+[^\n]* (-?\w+)\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\n]{0,100})?[ \t]*\r?\n")
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
    source = _Source(stream)
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


def _to_next_record(source: "_Source") -> Iterator[Broken]:
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


def _next_record(source: "_Source") -> _Record | None:
    """Read a record's header. None is the end."""
    source.skip_blank()
    offset = source.offset
    line = source.line()
    if not line:
        return None
    if _WARC_LINE.match(line):
        return _warc_record(offset, _header(source))
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


def _header(source: "_Source") -> dict[str, str]:
    """Return the fields up to the blank line, by their names in small letters; the first of two with one name."""
    fields: dict[str, str] = {}
    name = ""
    for _ in range(MAX_HEADER_LINES):
        line = source.line()
        if not line.strip():
            return fields
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text[0] in " \t" and name:
            fields[name] += " " + text.strip()
            continue
        name, _, value = text.partition(":")
        name = name.strip().lower()
        fields.setdefault(name, value.strip())
    raise SourceError(f"its header has more than {MAX_HEADER_LINES} lines")


# What a record holds


def _block(source: "_Source", record: _Record) -> bytes | None:
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


def _gap(source: "_Source") -> bytes:
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
        answer = _http_payload(block, budget)
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


def _http_payload(block: bytes, budget: Budget) -> tuple[str, bytes] | None:
    """Return content type and payload of an answer, None of one that says that there is nothing."""
    source = _Source(io.BytesIO(block))
    status = source.line().split(None, 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise SourceError("does not hold the answer of a web server that it should")
    if status[1] != b"200":
        return None
    header = _header(source)
    payload = block[source.offset :]
    if "chunked" in header.get("transfer-encoding", "").lower():
        payload = _joined(payload)
    for encoding in reversed(header.get("content-encoding", "").lower().split(",")):
        payload = _decoded(payload, encoding.strip(), budget)
    return header.get("content-type", ""), payload


def _joined(payload: bytes) -> bytes:
    """Return the chunks of an answer as one; as it is, where it says to be in chunks and is not."""
    pieces: list[bytes] = []
    place = 0
    while size := _CHUNK.match(payload, place):
        length = int(size[1], 16)
        pieces.append(payload[size.end() : size.end() + length])
        place = size.end() + length
        if length == 0:
            break
        place += 2 if payload[place : place + 2] == b"\r\n" else 1
    return b"".join(pieces) if pieces else payload


def _decoded(payload: bytes, encoding: str, budget: Budget) -> bytes:
    if encoding in ("gzip", "x-gzip"):
        # Crawlers that unpack what they fetch often leave the header as it was.
        return _inflated(payload, 16 + zlib.MAX_WBITS, budget) if payload.startswith(b"\x1f\x8b") else payload
    if encoding == "deflate":
        try:
            return _inflated(payload, zlib.MAX_WBITS, budget)
        except SourceError:  # many servers leave out the wrapper
            return _inflated(payload, -zlib.MAX_WBITS, budget)
    if encoding in ("", "identity") or payload.lstrip()[:1] == b"<":
        return payload
    raise SourceError(f"its page is compressed in a way that is not read: {printable(encoding)}")


def _inflated(payload: bytes, window: int, budget: Budget) -> bytes:
    """Return the payload unpacked; of one that is cut off, what there is."""
    inflate = zlib.decompressobj(window)
    pieces: list[bytes] = []
    size = 0
    while payload and not inflate.eof:
        try:
            piece = inflate.decompress(payload, PIECE_BYTES)
        except zlib.error as error:
            if not pieces:
                raise SourceError(f"its page is damaged ({error})") from error
            break
        budget.unpack(len(piece))
        pieces.append(piece)
        size += len(piece)
        if size > MAX_RECORD_BYTES:
            raise SourceError(f"its page unpacks to more than {MAX_RECORD_BYTES // 1_000_000} MB")
        payload = inflate.unconsumed_tail
        if not piece and not payload:
            break
    return b"".join(pieces)


class _Source:
    """A stream of which some can be given back, and that knows where it stands."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._back = b""
        self.offset = 0

    def line(self) -> bytes:
        """Return the next line with its end; a longer one in pieces."""
        if not self._back:
            line = self._stream.readline(MAX_LINE_BYTES)
        else:
            end = self._back.find(b"\n", 0, MAX_LINE_BYTES) + 1 or min(len(self._back), MAX_LINE_BYTES)
            line, self._back = self._back[:end], self._back[end:]
            if not line.endswith(b"\n") and not self._back:
                line += self._stream.readline(MAX_LINE_BYTES)
        self.offset += len(line)
        return line

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        data, self._back = self._back[:size], self._back[size:]
        if len(data) < size:
            data += self._stream.read(size - len(data))
        self.offset += len(data)
        return data

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        while size and (piece := self.read(min(size, SKIP_BYTES))):
            size -= len(piece)

    def skip_blank(self) -> bytes:
        """Pass over line ends, and return them."""
        blank = bytearray()
        while (line := self.line()) and not line.strip(b"\r\n") and len(blank) < GAP_BYTES:
            blank += line
        self.give_back(line)
        return bytes(blank)

    def give_back(self, data: bytes) -> None:
        """Have `data` read again."""
        self._back = data + self._back
        self.offset -= len(data)
