"""Packs: which texts a model runs together. Pure.

Texts of about one length go together, so hardly anything is padded: lengths are rounded up to a multiple of
`LENGTH_STEP`, which also keeps the number of shapes small that a runtime prepares kernels for and remembers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH_STEP = 16  # tokens; a row of the processor's matrix tiles. Steps of 8 and 32 measured the same within 5%
QUERY_STEP = 4  # tokens; a query is short: at steps of 16 a third of the work would be padding

Tokens = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Pack:
    """The positions of texts that run together, and the length in tokens that each is padded to."""

    length: int
    texts: list[int]


def packs(lengths: Sequence[int], *, tokens: int, limit: int) -> Iterator[Pack]:
    """Yield packs that hold every text once, the longest first, of at most `tokens` tokens (or of one text).

    `limit` is the most tokens of a text that the model reads.
    """
    classes: dict[int, list[int]] = {}
    for number, length in enumerate(lengths):
        classes.setdefault(rounded(length, limit=limit), []).append(number)
    for length in sorted(classes, reverse=True):
        alike = classes[length]
        size = max(tokens // length, 1)
        yield from (Pack(length, alike[first : first + size]) for first in range(0, len(alike), size))


def rounded(length: int, *, limit: int, step: int = LENGTH_STEP) -> int:
    """Return the length that a text of `length` tokens is padded to: never past the `limit` of the model."""
    return min(max(-(-length // step), 1) * step, limit)


def padded(tokens: Tokens, *, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return token ids and attention mask of a pack, each of shape (len(tokens), length)."""
    ids = np.zeros((len(tokens), length), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return ids, mask


def slices(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    """Return `texts` in stretches of at most `size`."""
    return [texts[first : first + size] for first in range(0, len(texts), size)]
