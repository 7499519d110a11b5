"""JSON out of a stream, value by value: an object, a list of objects, or one object after the other, on lines or not.

Invariant: memory stays within one value and what is read ahead of it; a value that is broken costs itself, and what
follows on a line of its own is read.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.errors import SourceError

MAX_VALUE = 10_000_000  # characters: the longest body has 2,000,000, and markup around it
READ_BYTES = 1 << 16
BROKEN_JSON = "not complete JSON"

_SPACE = re.compile(r"[\s,]*")
_NEXT_VALUE = re.compile(r"\n[ \t]{0,4}\{")  # where an item may begin, little indented: those deeper are parts of one
_UNDECODED = re.compile("[\udc80-\udcff]")


class JSONValues:
    """The values in a stream. Each comes with its line and its text, or an error in its place."""

    def __init__(self, stream: BinaryIO) -> None:
        """Take a stream of UTF-8, or UTF-16 with its mark."""
        self._stream = stream
        self._text = ""  # read and not yet given out
        self._at_end = False
        self._line = 1
        self._decoder: codecs.IncrementalDecoder | None = None

    def __iter__(self) -> Iterator[tuple[int, str, object | SourceError]]:
        """Yield (line, text, value or what is wrong with it). A list's values are given one by one."""
        self._read()
        self._drop(len(self._text) - len(self._text.lstrip()))
        in_list = self._text.startswith("[")
        self._drop(1 if in_list else 0)
        while True:
            self._drop_separators()
            if not self._text or (in_list and self._text.startswith("]")):
                return
            yield self._next()

    def _next(self) -> tuple[int, str, object | SourceError]:
        decoder = json.JSONDecoder()
        line = self._line
        while True:
            try:
                value, end = decoder.raw_decode(self._text)
            except json.JSONDecodeError as error:
                if not self._at_end and len(self._text) < MAX_VALUE:
                    self._read()
                    continue
                wrong = f"{BROKEN_JSON} ({error.msg.removesuffix(' at')} in line {line + error.lineno - 1})"
                return line, self._skip(), SourceError(wrong)
            except (ValueError, RecursionError):
                reason = "JSON beyond what can be read: a number too long or lists nested too deep"
                return line, self._skip(), SourceError(reason)
            if end == len(self._text) and not self._at_end:  # a number may go on
                self._read()
                continue
            text = self._text[:end]
            self._drop(end)
            if _UNDECODED.search(text):
                return line, text, SourceError("not UTF-8: convert the file, e.g. iconv -f latin1 -t utf-8")
            return line, text, value

    def _skip(self) -> str:
        """Pass over what is broken, up to where the next value may begin, and return it."""
        found = _NEXT_VALUE.search(self._text, 1)
        while not found and not self._at_end:
            self._drop(max(0, len(self._text) - 8))
            self._read()
            found = _NEXT_VALUE.search(self._text, 1)
        passed = self._text[: found.start() if found else len(self._text)]
        self._drop(len(passed))
        return passed

    def _drop_separators(self) -> None:
        while True:
            space = _SPACE.match(self._text)
            self._drop(space.end() if space else 0)
            if self._text or self._at_end:
                return
            self._read()

    def _drop(self, count: int) -> None:
        self._line += self._text.count("\n", 0, count)
        self._text = self._text[count:]

    def _read(self) -> None:
        """Read on: as much again as there is, so that a long value is not tried too often."""
        raw = self._stream.read(max(READ_BYTES, len(self._text)))
        if self._decoder is None:
            utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            kind = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")
            self._decoder = kind("replace" if utf16 else "surrogateescape")
        self._at_end = not raw
        self._text += self._decoder.decode(raw, final=self._at_end)
