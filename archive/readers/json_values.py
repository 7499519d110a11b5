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
BROKEN = "not complete JSON"
BEYOND = "JSON beyond what can be read: a number too long or lists nested too deep"
NOT_UTF8 = "not UTF-8: convert the file, e.g. iconv -f latin1 -t utf-8"

_LONGEST_WORD = 16  # characters: `-Infinity`, or an escape; what ends in the middle of one is wrong where it begins
_SPACE = re.compile(r"[\s,]*")
_NEXT_VALUE = re.compile(r"\n[ \t]{0,4}\{")  # where an item may begin, little indented: those deeper are parts of one
_UNDECODED = re.compile("[\udc80-\udcff]")


class JSONValues:
    """The values in a stream. Each comes with its line and its text, or an error in its place."""

    def __init__(self, stream: BinaryIO) -> None:
        """Take a stream of UTF-8, or UTF-16 with its mark."""
        self._stream = stream
        self._text = ""  # read, from a little before the next value on
        self._position = 0  # of the next value in it
        self._at_end = False
        self._line = 1  # at the position
        self._decoder: codecs.IncrementalDecoder | None = None

    def __iter__(self) -> Iterator[tuple[int, str, object]]:
        """Yield (line, text, value); the value is a SourceError where there is none. A list is given item by item."""
        self._read()
        self._pass_space()
        in_list = self._text.startswith("[", self._position)
        self._advance(self._position + in_list)
        while True:
            self._pass_space()
            if self._left() == 0 or (in_list and self._text.startswith("]", self._position)):
                return
            yield self._next()

    def _next(self) -> tuple[int, str, object]:
        decoder = json.JSONDecoder()
        line = self._line
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if self._may_go_on(error):
                    self._read()
                    continue
                place = line + self._text.count("\n", self._position, error.pos)
                reason = f"{BROKEN} ({error.msg.removesuffix(' at')} in line {place})"
                return line, self._pass_broken(), SourceError(reason)
            except (ValueError, RecursionError):
                return line, self._pass_broken(), SourceError(BEYOND)
            if end == len(self._text) and not self._at_end:  # a number may go on
                self._read()
                continue
            text = self._text[self._position : end]
            self._advance(end)
            return line, text, SourceError(NOT_UTF8) if _UNDECODED.search(text) else value

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Tell whether a value is wrong only because not all of it has been read."""
        is_cut = error.pos >= len(self._text) - _LONGEST_WORD or error.msg.startswith("Unterminated string")
        return is_cut and not self._at_end and self._left() < MAX_VALUE

    def _pass_broken(self) -> str:
        """Pass over what is broken, up to where the next value may begin, and return what of it was at hand."""
        passed = self._text[self._position :]
        found = _NEXT_VALUE.search(self._text, self._position + 1)
        while not found and not self._at_end:
            self._advance(max(self._position, len(self._text) - 8))  # a beginning may be cut in two
            self._read()
            found = _NEXT_VALUE.search(self._text, self._position)
        if found:
            passed = passed[: max(0, found.start() - self._position)] or passed
        self._advance(found.start() if found else len(self._text))
        return passed

    def _pass_space(self) -> None:
        while True:
            space = _SPACE.match(self._text, self._position)
            self._advance(space.end() if space else self._position)
            if self._left() or self._at_end:
                return
            self._read()

    def _left(self) -> int:
        return len(self._text) - self._position

    def _advance(self, position: int) -> None:
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        if position > READ_BYTES:
            self._text, self._position = self._text[position:], 0

    def _read(self) -> None:
        """Read on: as much again as there is, so that a long value is not tried too often."""
        raw = self._stream.read(max(READ_BYTES, self._left()))
        if self._decoder is None:
            utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            kind = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")
            self._decoder = kind("replace" if utf16 else "surrogateescape")
        self._at_end = not raw
        self._text += self._decoder.decode(raw, final=self._at_end)
