"""Where phrases and nears stand in texts whose terms are written as numbers of 64 bits. Pure.

Texts lie one after the other in one array: the codes of a title's terms, 0, those of the body's, 0, and so on with the
next article; so that thousands of articles are searched with a few operations on arrays. That two of an archive's
terms have the same code is a matter of one archive in a thousand million; then one would be taken for the other.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.analysis import MAX_REMEMBERED
from index.engine import Floats, Ints

Codes = NDArray[np.uint64]
CODE_BYTES = 8
CODES_AT_ONCE = 1_000_000  # searched at once: 8 MB, which a processor's cache nearly holds
_END = bytes(CODE_BYTES)  # of a title or body


@lru_cache(maxsize=MAX_REMEMBERED)
def code(term: str) -> bytes:
    """Return the code of a term, never 0."""
    digest = hashlib.blake2b(term.encode(), digest_size=CODE_BYTES).digest()
    return digest if digest != _END else b"\1" + digest[1:]


def coded(title: Sequence[str], body: Sequence[str]) -> bytes:
    """Return the terms of one article's texts as codes."""
    return b"".join([*map(code, title), _END, *map(code, body), _END])


class Texts:
    """The texts of articles that are numbered from 0."""

    def __init__(self, codes: Codes, lengths: Ints) -> None:
        """`lengths` says how many of the codes each article has."""
        self._codes = codes
        self._borders = np.append(0, np.cumsum(lengths))

    def of(self, articles: Ints) -> Iterator[tuple[Ints, Codes]]:
        """Yield these articles (ascending), some at a time, with their texts."""
        batch = np.cumsum(self._borders[articles + 1] - self._borders[articles]) // CODES_AT_ONCE
        for some in np.split(articles, np.flatnonzero(np.diff(batch)) + 1):
            if len(some):
                neighbours = np.split(some, np.flatnonzero(np.diff(some) > 1) + 1)
                pieces = [self._codes[self._borders[near[0]] : self._borders[near[-1] + 1]] for near in neighbours]
                yield some, np.concatenate(pieces) if len(pieces) > 1 else np.asarray(pieces[0])


def counted(codes: Codes, places: Ints) -> Floats:
    """Return how many of the `places` lie in each article's title and body: shape (articles, 2)."""
    ends = np.flatnonzero(codes == 0)
    counts: Floats = np.bincount(np.searchsorted(ends, places), minlength=len(ends)).reshape(-1, 2).astype(np.float64)
    return counts


def runs(codes: Codes, terms: Sequence[str]) -> Ints:
    """Return where the terms stand side by side, in this order: the places of the first.

    What has matched so far is no text's end, so another place follows it.
    """
    wanted = _codes_of(terms)
    found = np.flatnonzero(codes == wanted[0])
    for distance, number in enumerate(wanted[1:].tolist(), start=1):
        found = found[codes[found + distance] == np.uint64(number)]
    return found


def clusters(codes: Codes, terms: Sequence[str], *, width: int) -> Ints:
    """Return where the terms all stand, in any order, within `width` places of one text: the places of the last.

    A term that is given twice must stand there twice. Of stretches that end with the same place, the shortest counts.
    """
    needed = Counter(_codes_of(terms).tolist())
    met = codes == 0
    for number in needed:
        met |= codes == np.uint64(number)
    places = np.flatnonzero(met)  # of the needed terms, and of the ends of texts
    met_codes = codes[places]
    last = places.copy()  # where a stretch that begins at each of the places is complete
    for number, times in needed.items():
        last = np.maximum(last, _nth_from(places, met_codes == np.uint64(number), times))
    text = np.cumsum(met_codes == 0)
    begins = np.flatnonzero((last - places < width) & (met_codes != 0))
    ends = np.searchsorted(places, last[begins])
    return np.unique(last[begins[text[begins] == text[ends]]])


def _nth_from(places: Ints, is_one: NDArray[np.bool_], times: int) -> Ints:
    """Return, for each of the places, the place of the n-th of `is_one` from there on, or one beyond reach."""
    ones = np.append(places[is_one], np.full(times, _BEYOND))
    earlier: Ints = np.cumsum(is_one) - is_one
    found: Ints = ones[earlier + times - 1]
    return found


_BEYOND = np.iinfo(np.int64).max


def _codes_of(terms: Sequence[str]) -> Codes:
    return np.frombuffer(b"".join(map(code, terms)), "<u8").astype(np.uint64)
