"""Strings in order, as UTF-8, packed: each without the letters that it shares with one shortly before it.

`STEP` strings follow each other, each as a byte that UTF-8 never has and the bytes of its rest: the byte says how many
it shares with the first of them, which is whole. So any string is read from two places, and many of them at once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.keywords.packing import Bytes

STEP = 32  # strings from one that is whole, and kept in memory, to the next: half as many take as much on disk
ABSENT = -1  # the place of a string that is not there

_SHARED = 0xF5  # the lowest of the bytes that UTF-8 never has
_MOST_SHARED = 0xFF - _SHARED
_LEADS = [bytes([_SHARED + count]) for count in range(_MOST_SHARED + 1)]
_NO_LEADS = bytes(range(_SHARED))
_LEAD = _LEADS[-1]
_AS_ONE_LEAD = _NO_LEADS + _LEAD * len(_LEADS)  # makes any of them this one


class Strings:
    """Strings that were packed."""

    def __init__(self, text: Bytes, ends: NDArray[np.uint32], *, count: int) -> None:
        """`text` and `ends` are what `pack` made of so many strings."""
        self._text = text
        self._bytes = text.data
        self._ends = ends.data
        self._count = count

    def __len__(self) -> int:
        """Return how many strings there are."""
        return self._count

    def __getitem__(self, place: int) -> bytes:
        """Return the string at this place."""
        step, at = divmod(place, STEP)
        shared, rests = _parted(self._step(step))
        return rests[0][: shared[at] - _SHARED] + rests[at] if at else rests[0]

    def all(self) -> list[bytes]:
        """Return every string, in order."""
        return [string for step in range(len(self._ends)) for string in self._strings(step)]

    def find(self, wanted: bytes) -> int:
        """Return where a string stands, or ABSENT."""
        step = bisect_right(self._whole, wanted) - 1
        if step < 0:
            return ABSENT
        whole, packed = self._whole[step], self._step(step)
        if wanted == whole:
            return STEP * step
        shared = _shared(whole, wanted, _MOST_SHARED)
        searched = _LEADS[shared] + wanted[shared:]
        at = packed.find(searched)  # what begins with the wanted string comes after it
        if at < 0 or b"" < packed[at + len(searched) :][:1] < _LEADS[0]:
            return ABSENT
        return STEP * step + len(packed[:at].translate(None, _NO_LEADS))

    def place(self, wanted: bytes) -> int:
        """Return where a string stands or would stand."""
        step = bisect_right(self._whole, wanted) - 1
        return STEP * step + bisect_left(self._strings(step), wanted) if step >= 0 else 0

    def between(self, first: int, last: int) -> NDArray[np.bytes_]:
        """Return the strings from one place up to another, filled with NULs up to one length."""
        step = first // STEP
        text = self._text[self._start(step) : self._start(-(-last // STEP))]
        leads = np.flatnonzero(text >= _SHARED)
        shared = text[leads].astype(np.int32) - _SHARED
        ends = shared + np.diff(leads, append=len(text)).astype(np.int32) - 1
        rows = np.zeros((len(leads), int(ends.max(initial=1))), np.uint8)
        column = np.arange(rows.shape[1], dtype=np.int32)
        rows[(column >= shared[:, None]) & (column < ends[:, None])] = text[text < _SHARED]
        beginnings = rows[:, :_MOST_SHARED]
        of_whole = beginnings[np.arange(len(rows)) // STEP * STEP]
        np.copyto(beginnings, of_whole, where=column[:_MOST_SHARED] < shared[:, None])
        return rows.view(f"S{rows.shape[1]}").ravel()[first - STEP * step : last - STEP * step]

    @cached_property
    def _whole(self) -> list[bytes]:
        """The first string of each step."""
        return [self._step(step).translate(_AS_ONE_LEAD).split(_LEAD, 2)[1] for step in range(len(self._ends))]

    def _strings(self, step: int) -> list[bytes]:
        shared, rests = _parted(self._step(step))
        whole = rests[0]
        return [whole[: lead - _SHARED] + rest for lead, rest in zip(shared, rests, strict=True)]

    def _step(self, step: int) -> bytes:
        return self._bytes[self._start(step) : self._ends[step]].tobytes()

    def _start(self, step: int) -> int:
        return self._ends[step - 1] if step else 0


def _parted(step: bytes) -> tuple[bytes, list[bytes]]:
    """Return the leads of a step's strings, and their rests."""
    return step.translate(None, _NO_LEADS), step.translate(_AS_ONE_LEAD).split(_LEAD)[1:]


def _shared(whole: bytes, string: bytes, most: int) -> int:
    """Return how many bytes both begin with, `most` at most."""
    shared = min(len(whole), most)
    while not string.startswith(whole[:shared]):
        shared -= 1
    return shared


def pack(strings: Sequence[bytes]) -> tuple[Bytes, NDArray[np.uint32]]:
    """Return strings, in order and each once, in few bytes, and where those of each `STEP` strings end."""
    text = bytearray()
    ends = []
    for first in range(0, len(strings), STEP):
        whole, *others = strings[first : first + STEP]
        text += _LEADS[0] + whole
        shared = _MOST_SHARED
        for string in others:
            shared = _shared(whole, string, shared)  # what comes later shares no more
            text += _LEADS[shared] + string[shared:]
        ends.append(len(text))
    return np.frombuffer(bytes(text), np.uint8), np.array(ends, np.uint32)
