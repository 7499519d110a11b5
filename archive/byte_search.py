"""Looking for texts in the bytes of files: some thousands of them at once, in one reading.

Each is looked for by its first eight bytes, as a number, in all eight ways in which numbers can lie in a file.
What gzip has packed is unpacked for that.
"""

import gzip
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.errors import ArchiveError

SHORTEST = 16  # bytes of what is looked for; what is shorter is found everywhere
CHUNK = 8 << 20  # bytes read at once
MOST_UNPACKED = 4 << 30  # bytes; a packed file of some megabytes can hold so many of them
GZIP = b"\x1f\x8b"
WORD = 8
SLOTS = 20  # bits: a table of a million marks says of most numbers at once that nothing begins so
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # an odd number whose bits have no pattern


class Needles:
    """What is looked for, each at least `SHORTEST` bytes long."""

    def __init__(self, wanted: Collection[bytes]) -> None:
        """Note how each begins."""
        self._by_start: dict[bytes, list[bytes]] = {}
        for needle in sorted(set(wanted)):
            if len(needle) < SHORTEST:
                raise ValueError(f"{len(needle)} bytes are too few to look for")
            self._by_start.setdefault(needle[:WORD], []).append(needle)
        self._starts = np.array([int.from_bytes(start, "little") for start in self._by_start], np.uint64)
        self._marks = np.zeros(1 << SLOTS, np.bool_)
        self._marks[_slots(self._starts)] = True
        self._longest = max(map(len, wanted), default=1)

    def found_in(self, path: Path, *, opened: Callable[[Path], BufferedReader] | None = None) -> set[bytes]:
        """Return those that stand in the file, or in what is packed in it. `opened` opens it in another way.

        Raises OSError, and ArchiveError for what is too large once it is unpacked.
        """
        with opened(path) if opened else path.open("rb") as file:
            found = self._found_in_all(file, str(path))
            file.seek(0)
            is_packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            if is_packed:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    found |= self._found_in_all(unpacked, str(path), most=MOST_UNPACKED)
        return found

    def _found_in_all(self, file: BufferedReader | gzip.GzipFile, name: str, *, most: int | None = None) -> set[bytes]:
        found: set[bytes] = set()
        rest, size = b"", 0
        with suppress(gzip.BadGzipFile, EOFError, zlib.error):  # behind such a place nobody can read it
            while chunk := file.read1(CHUNK):  # at once what can be read, before an error behind it
                found.update(self._found(rest + chunk))
                rest = (rest + chunk)[-self._longest :]
                size += len(chunk)
                if most is not None and size > most:
                    raise ArchiveError(f"{name}: too large to be searched once it is unpacked: move it elsewhere")
        return found

    def _found(self, content: bytes) -> Iterator[bytes]:
        for offset in range(min(WORD, len(content))):
            numbers = np.frombuffer(content, "<u8", count=(len(content) - offset) // WORD, offset=offset)
            for at in self._places(numbers) * WORD + offset:
                for needle in self._by_start[content[at : at + WORD]]:
                    if content.startswith(needle, at):
                        yield needle

    def _places(self, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        places = np.flatnonzero(self._marks[_slots(numbers)])
        return places[np.isin(numbers[places], self._starts)]


def _slots(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    slots: NDArray[np.uint64] = (numbers * SPREAD) >> np.uint64(64 - SLOTS)
    return slots
