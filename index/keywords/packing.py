"""Numbers written in few bytes, many at a time. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.engine import Ints

Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint32]

SHORT = 1 << 13  # codes below it take at most two bytes

_LEAD, _LONG = 128, 192  # from here on a byte has others after it; from there on, and one byte, in a long code
_BITS = (7, 6, 7, 7)  # of a code: in its last byte, in the one before it, and so on
_SHIFTS = (0, 7, 13, 20)
_SKIP = 255  # of the gaps: so many articles further, and none there


def pack(codes: Codes) -> tuple[Bytes, Ints]:
    """Return codes below 2^27 in one to four bytes each, and where the bytes of each end.

    The last byte is below 128, all others 128 or more, and the one before the last 192 or more in a code of three bytes
    or four. So two bytes tell which short code ends there.
    """
    lengths = 1 + (codes >= _LEAD) + (codes >= SHORT).astype(np.int64) + (codes >> _SHIFTS[3] > 0)
    ends = np.cumsum(lengths)
    packed = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    packed[ends - 1] = codes & _LEAD - 1
    two = np.flatnonzero(lengths == 2)
    packed[ends[two] - 2] = codes[two] >> _SHIFTS[1] | _LEAD
    for before, mark in enumerate((_LONG, _LEAD, _LEAD), start=1):
        longer = np.flatnonzero((lengths > before) & (lengths > 2))
        packed[ends[longer] - 1 - before] = codes[longer] >> _SHIFTS[before] & (1 << _BITS[before]) - 1 | mark
    return packed, ends


def unpack(packed: Bytes) -> Codes:
    """Return the codes that were packed."""
    ends = np.flatnonzero(packed < _LEAD)
    return _codes_at(packed, ends, np.diff(ends, prepend=-1))


def _codes_at(packed: Bytes, ends: Ints, lengths: Ints) -> Codes:
    codes = packed[ends].astype(np.uint32)
    for before in range(1, len(_BITS)):
        longer = np.flatnonzero(lengths > before)
        bits = (packed[ends[longer] - before] & (1 << _BITS[before]) - 1).astype(np.uint32)
        codes[longer] |= bits << _SHIFTS[before]
    return codes


class Marker:
    """Marks codes in packed texts: short ones by looking two bytes up in a table, without unpacking the others."""

    def __init__(self, marks: Mapping[int, int], *, other: int) -> None:
        """`marks` says for each code that is marked what with, below 254; any other code is marked with `other`."""
        table = np.full((256, _LEAD), other, np.uint8)  # by the byte before, and the last one
        table[_LONG:] = _RARE if any(code >= SHORT for code in marks) else other
        for code, mark in marks.items():
            if code < _LEAD:
                table[:_LEAD, code] = mark
            elif code < SHORT:
                table[code >> _SHIFTS[1] | _LEAD, code & _LEAD - 1] = mark
        self._table = np.hstack((table, table)).ravel()  # what a byte is marked that ends no code does not matter
        self._long = {code: mark for code, mark in marks.items() if code >= SHORT}
        self._other = other

    def marks(self, packed: Bytes) -> Bytes:
        """Return the mark of each code."""
        both = packed.astype(np.uint16)
        both[1:] |= packed[:-1].astype(np.uint16) << 8
        marks: Bytes = self._table.take(both, mode="wrap")
        if self._long:
            self._mark_long(packed, marks)
        return marks.take(np.flatnonzero(packed < _LEAD))

    def _mark_long(self, packed: Bytes, marks: Bytes) -> None:
        ends = np.flatnonzero((marks == _RARE) & (packed < _LEAD))
        lengths = np.full(len(ends), 3)
        lengths += (ends >= 3) & (packed[ends - 3] >= _LEAD)
        codes = _codes_at(packed, ends, lengths)
        marks[ends] = self._other
        for code, mark in self._long.items():
            marks[ends[codes == code]] = mark


_RARE = 254  # the mark of a byte that ends a long code


def in_fewest_bytes(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return numbers that are not negative in the smallest type that holds them all."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def pack_many(articles: Ints, *, of: int) -> Bytes:
    """Return ascending numbers below `of` as gaps, or where these would take more, as one bit for each there may be."""
    if not _are_crowded(len(articles), of):
        return pack_gaps(articles)
    is_there = np.zeros(of, np.bool_)
    is_there[articles] = True
    return np.packbits(is_there)


def unpack_many(packed: Bytes, count: int, *, of: int) -> Ints:
    """Return so many numbers below `of` that were packed."""
    if not _are_crowded(count, of):
        return unpack_gaps(packed)
    return np.flatnonzero(np.unpackbits(packed, count=of).view(np.bool_))


def _are_crowded(count: int, of: int) -> bool:
    return 8 * count > of


def pack_gaps(articles: Ints) -> Bytes:
    """Return ascending numbers as one byte each that tells how many lie between, and one more for each 255 of these."""
    between = np.diff(articles, prepend=-1) - 1
    ends = np.cumsum(between // _SKIP + 1)
    packed = np.full(int(ends[-1]) if len(ends) else 0, _SKIP, np.uint8)
    packed[ends - 1] = between % _SKIP
    return packed


def unpack_gaps(packed: Bytes) -> Ints:
    """Return the numbers whose gaps were packed."""
    is_there = packed != _SKIP
    passed = np.cumsum(packed.astype(np.int64) + is_there)
    found: Ints = passed.take(np.flatnonzero(is_there)) - 1  # several times as quick as by a mask
    return found


def pack_nibbles(numbers: Bytes) -> Bytes:
    """Return numbers below 16, two in a byte."""
    even = np.append(numbers, np.zeros(len(numbers) % 2, np.uint8)).reshape(-1, 2)
    return (even[:, 0] << 4 | even[:, 1]).astype(np.uint8)


def unpack_nibbles(packed: Bytes, start: int, end: int) -> Bytes:
    """Return the numbers from place `start` up to `end`."""
    both = packed[start // 2 : (end + 1) // 2]
    numbers = np.empty(2 * len(both), np.uint8)
    numbers[0::2], numbers[1::2] = both >> 4, both & 15
    return numbers[start % 2 : start % 2 + end - start]
