"""Looking for texts in the bytes of files: some thousands of them at once, in one reading.

Each is looked for by its first eight bytes, as a number, in all eight ways in which numbers can lie in a file.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHORTEST = 16  # bytes of what is looked for; what is shorter is found everywhere
CHUNK = 8 << 20  # bytes read at once
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

    def found_in(self, path: Path) -> set[bytes]:
        """Return those that stand in the file. Raises OSError."""
        found: set[bytes] = set()
        with path.open("rb") as file:
            rest = b""
            while chunk := file.read(CHUNK):
                found.update(self._found(rest + chunk))
                rest = (rest + chunk)[-self._longest :]
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
