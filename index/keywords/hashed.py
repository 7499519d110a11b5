"""Texts whose terms are written as hashes of 64 bits, one after the other, as Whoosh's columns keep them. Pure.

An article is the codes of its title's terms, 0, those of its body's, 0. That two of an archive's terms have the same
code is a matter of one archive in a thousand million; then one would be taken for the other.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.analysis import MAX_REMEMBERED
from index.engine import Ints
from index.keywords.places import END, OTHER, Marks, in_batches

Codes = NDArray[np.uint64]
CODE_BYTES = 8
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

    def of(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which groups of terms are marked."""
        for some in in_batches(articles, self._borders[articles + 1] - self._borders[articles]):
            neighbours = np.split(some, np.flatnonzero(np.diff(some) > 1) + 1)
            pieces = [self._codes[self._borders[near[0]] : self._borders[near[-1] + 1]] for near in neighbours]
            yield some, _marked(np.concatenate(pieces), groups)


def _marked(codes: Codes, groups: Sequence[Sequence[str]]) -> Marks:
    marks = np.where(codes == END, np.uint8(END), np.uint8(OTHER))
    for mark, terms in enumerate(groups, start=1):
        for term in terms:
            marks[codes == np.frombuffer(code(term), "<u8")[0]] = mark
    return marks
