"""How often terms stand in titles and bodies, packed: a frequency of each a posting, in the postings' order. Pure.

Three of four postings are of a term that stands once in the body and not in the title. `often` has one bit a posting,
which says that it is another; `counts` four bits for each of those others: one for once in the title, three for how
often in the body, and 0 where these do not suffice: then it stands in `many_title` and `many_body`. How many postings
have gone before is kept for every `STEP` of them (`often_before`, `many_before`), and counted from there.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.engine import Floats
from index.keywords.packing import Codes, in_fewest_bytes, pack_nibbles, unpack_nibbles

STEP = 512  # postings: 64 bytes of their bits are counted in a microsecond

_BODY_BITS = 3
_MOST_IN_BODY = (1 << _BODY_BITS) - 1
_MANY, _ONCE_IN_BODY = 0, 1  # counts


class Frequencies:
    """Frequencies that were packed."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what `pack` returned."""
        self._often, self._counts = arrays["often"], arrays["counts"]
        self._often_before, self._many_before = arrays["often_before"], arrays["many_before"]
        self._many_title, self._many_body = arrays["many_title"], arrays["many_body"]

    def between(self, start: int, end: int) -> tuple[Floats, Floats]:
        """Return how often the postings from one place up to another say that a term is in the title and the body."""
        counts = np.full(end - start, _ONCE_IN_BODY, np.uint8)
        others = np.flatnonzero(_unpacked(self._often, start, end))
        if len(others):
            first = self._others_before(start)
            counts[others] = unpack_nibbles(self._counts, first, first + len(others))
        title, body = (counts >> _BODY_BITS).astype(np.float64), (counts & _MOST_IN_BODY).astype(np.float64)
        many = np.flatnonzero(counts == _MANY)
        if len(many):
            place = self._manies_before(first)
            title[many] = self._many_title[place : place + len(many)]
            body[many] = self._many_body[place : place + len(many)]
        return title, body

    def _others_before(self, start: int) -> int:
        before = start // STEP
        return int(self._often_before[before]) + int(np.count_nonzero(_unpacked(self._often, before * STEP, start)))

    def _manies_before(self, first: int) -> int:
        before = first // STEP
        passed = unpack_nibbles(self._counts, before * STEP, first)
        return int(self._many_before[before]) + int(np.count_nonzero(passed == _MANY))


def pack(title: Codes, body: Codes) -> Mapping[str, NDArray[Any]]:
    """Return how often terms stand in titles and bodies, never nowhere, packed."""
    is_other = (title > 0) | (body != 1)
    title, body = title[is_other], body[is_other]
    is_many = (title > 1) | (body > _MOST_IN_BODY)
    return {
        "often": np.packbits(is_other),
        "often_before": _before(is_other),
        "counts": pack_nibbles(np.where(is_many, _MANY, title << _BODY_BITS | body).astype(np.uint8)),
        "many_before": _before(is_many),
        "many_title": in_fewest_bytes(title[is_many]),
        "many_body": in_fewest_bytes(body[is_many]),
    }


def _before(flags: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Return how many are true before each `STEP`."""
    padded = np.append(flags, np.zeros(-len(flags) % STEP, np.bool_)).reshape(-1, STEP)
    before: NDArray[np.uint32] = np.append(0, np.cumsum(padded.sum(axis=1))).astype(np.uint32)
    return before


def _unpacked(bits: NDArray[np.uint8], start: int, end: int) -> NDArray[np.bool_]:
    first = start // 8
    unpacked = np.unpackbits(bits[first : -(-end // 8)], count=end - 8 * first)
    return unpacked[start - 8 * first :].view(np.bool_)
