"""A stream of text in whatever encoding, as the UTF-8 that readers of lines take.

The whole file is taken to be in one encoding, by the rules of `charset`: judged where the first byte beyond ASCII
stands, from a sample around it. What is UTF-8 but for few bytes is passed on as it is: a line is damaged, and its
reader says so.

Invariant: memory stays within the sample, or one line where that is longer; what fails below fails here, after all that
came before it.
"""

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, cast

from archive.errors import SourceError
from archive.readers.charset import SNIFFED_BYTES, encoding_of, is_mostly_utf8, wide_encoding
from archive.readers.lines import MAX_LINE_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def as_utf8(stream: BinaryIO) -> BinaryIO:
    """Return what is in `stream` as UTF-8, with the byte-order mark if there is one."""
    return cast(BinaryIO, io.BufferedReader(_Recoded(stream)))


class _Recoded(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = cast(io.BufferedReader, stream)  # in that it gives what it has at hand
        self._ready = b""
        self._is_first = True
        self._is_decided = False
        self._decoder: codecs.IncrementalDecoder | None = None  # none: passed on as it is
        self._failure: SourceError | None = None
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._ready:
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if self._is_at_end:
                return 0
            self._fill()
        piece, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(piece)] = piece
        return len(piece)

    def _fill(self) -> None:
        raw = self._read()
        if not self._is_decided:
            raw = self._decide(raw)
        if self._decoder is not None:
            raw = self._decoder.decode(raw, final=self._is_at_end).encode()
        self._ready = raw

    def _decide(self, raw: bytes) -> bytes:
        """Decide on the encoding once there is something to judge by; return `raw` and what was read for that."""
        wide = wide_encoding(raw)[0] if self._is_first else None
        self._is_first = False
        if wide is None and raw.isascii():
            return raw
        self._is_decided = True
        if wide is not None:
            self._decoder = None if wide == "utf-8" else codecs.getincrementaldecoder(wide)("replace")
            return raw
        sample = _whole(raw)
        while (len(raw) < SNIFFED_BYTES or sample.isascii()) and len(raw) < MAX_LINE_BYTES:
            if not (more := self._read()):
                sample = raw
                break
            raw += more
            sample = _whole(raw)
        if not is_mostly_utf8(sample):
            codec, errors = encoding_of(sample)
            self._decoder = codecs.getincrementaldecoder(codec)(errors)
        return raw

    def _read(self) -> bytes:
        try:
            raw = self._stream.read1(SNIFFED_BYTES)
        except SourceError as error:
            self._failure = error
            return b""
        self._is_at_end = not raw
        return raw


def _whole(raw: bytes) -> bytes:
    """Return the lines of a sample that are whole, so that no character is cut in two; all of it if it is one line."""
    return raw[: raw.rfind(b"\n") + 1] or raw
