"""Lines and text out of bytes, with bounded memory: the caps and the UTF-8 complaint every reader shares."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from archive.errors import SourceError

MAX_LINE_BYTES = 10_000_000  # 10 MB: a long book is 3 MB; a longer line is a broken export
MAX_RAW_BYTES = 1_000_000  # 1 MB: what a rejection carries of its input
SKIP_BYTES = 1 << 20  # what is over the cap is thrown away in pieces of this size


def lines(stream: BinaryIO, *, cap: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, line without its end); None stands for a line over `cap` bytes, which is passed over.

    A byte-order mark at the start of line 1 is taken off. Memory stays within the cap whatever the stream holds.
    """
    number = 1
    while raw := stream.readline(cap + 2):  # two more: a line end does not count
        content = raw.removesuffix(b"\n").removesuffix(b"\r")
        too_long = len(content) > cap
        while not raw.endswith(b"\n") and too_long and raw:
            raw = stream.readline(SKIP_BYTES)
        if number == 1:
            content = content.removeprefix(codecs.BOM_UTF8)
        yield number, None if too_long else content
        number += 1


def kept_raw(raw: bytes | None) -> bytes | None:
    """Return the input of a rejection, None where there is none or it is too large to be carried along."""
    return raw if raw and len(raw) <= MAX_RAW_BYTES else None


def line_too_long(*, cap: int = MAX_LINE_BYTES) -> str:
    """Say that a line is over the cap and what to do."""
    return f"line is longer than {cap // 1_000_000} MB: split it, one article a line"


def read_whole(stream: BinaryIO, *, cap: int) -> bytes:
    """Return all bytes of a stream that may hold one article at most. Raises SourceError above `cap` bytes."""
    content = stream.read(cap + 1)
    if len(content) > cap:
        raise SourceError(f"larger than {cap // 1_000_000} MB, too much for one article: split it, one file an article")
    return content


def decode_utf8(raw: bytes) -> str:
    """Decode. Raises SourceError naming the byte, its position and how to convert the file."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(not_utf8(raw[error.start], error.start + 1)) from error


def not_utf8(byte: int, position: int) -> str:
    """Say which byte, at which place in its line counted from 1, is not UTF-8 and how to convert the file."""
    return f"byte 0x{byte:02X} at position {position} is not UTF-8: convert the file, e.g. iconv -f latin1 -t utf-8"
