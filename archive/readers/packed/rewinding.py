"""A stream of lines and blocks of which some can be given back: what follows a piece tells whether it was one."""

from typing import BinaryIO

from archive.errors import SourceError
from archive.readers.packed.member import SKIP_BYTES

MAX_LINE_BYTES = 65_536
MAX_HEADER_LINES = 200
GAP_BYTES = 1 << 16  # how much of what should not be there is kept


class Rewinding:
    """A stream of which some can be given back, and that knows where it stands."""

    def __init__(self, stream: BinaryIO) -> None:
        """Begin where `stream` stands."""
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

    def fields(self) -> dict[str, str]:
        """Return the fields up to the blank line, by their names in small letters; the first of two with one name.

        Raises SourceError when they do not end.
        """
        found: dict[str, str] = {}
        name = ""
        for _ in range(MAX_HEADER_LINES):
            line = self.line()
            if not line.strip():
                return found
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text[0] in " \t" and name:
                found[name] += " " + text.strip()
                continue
            name, _, value = text.partition(":")
            name = name.strip().lower()
            found.setdefault(name, value.strip())
        raise SourceError(f"its header has more than {MAX_HEADER_LINES} lines")
