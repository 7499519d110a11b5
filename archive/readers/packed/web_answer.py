"""The answer of a web server (HTTP/1.1) as a crawler kept it: in chunks, compressed, or said to be and not.

Crawlers often take the answer apart and leave its header as it was.
"""

import io
import re
import zlib

from archive.errors import SourceError
from archive.readers.packed.budget import Budget
from archive.readers.packed.member import printable
from archive.readers.packed.rewinding import Rewinding

GZIP = b"\x1f\x8b"
PIECE_BYTES = 1 << 20  # at a time, of what is unpacked

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\n]{0,100})?[ \t]*\r?\n")


def payload_of(answer: bytes, budget: Budget, *, most_bytes: int) -> tuple[str, bytes] | None:
    """Return content type and payload of an answer, None of one that says that there is nothing.

    Raises SourceError when it is none, or cannot be unpacked to `most_bytes` at most.
    """
    source = Rewinding(io.BytesIO(answer))
    status = source.line().split(None, 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise SourceError("does not hold the answer of a web server that it should")
    if status[1] != b"200":
        return None
    header = source.fields()
    payload = answer[source.offset :]
    if "chunked" in header.get("transfer-encoding", "").lower():
        payload = _joined(payload)
    for encoding in reversed(header.get("content-encoding", "").lower().split(",")):
        payload = _decoded(payload, encoding.strip(), budget, most_bytes)
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


def _decoded(payload: bytes, encoding: str, budget: Budget, most_bytes: int) -> bytes:
    if encoding in ("gzip", "x-gzip"):
        return _inflated(payload, 16 + zlib.MAX_WBITS, budget, most_bytes) if payload[:2] == GZIP else payload
    if encoding == "deflate":
        try:
            return _inflated(payload, zlib.MAX_WBITS, budget, most_bytes)
        except SourceError:  # many servers leave out the wrapper
            return _inflated(payload, -zlib.MAX_WBITS, budget, most_bytes)
    if encoding in ("", "identity") or payload.lstrip()[:1] == b"<":
        return payload
    raise SourceError(f"its page is compressed in a way that is not read: {printable(encoding)}")


def _inflated(payload: bytes, window: int, budget: Budget, most_bytes: int) -> bytes:
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
        if size > most_bytes:
            raise SourceError(f"its page unpacks to more than {most_bytes // 1_000_000} MB")
        payload = inflate.unconsumed_tail
        if not piece and not payload:
            break
    return b"".join(pieces)
