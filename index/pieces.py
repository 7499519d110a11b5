"""Word pieces: a vector for each piece of a model's vocabulary, made by the model once, so that words can be compared
in meaning later without running it.

A table is one .npy file of float16, a row for each piece id: the vector the model gives that piece as a text of its
own, less the mean of all (what they share says nothing), scaled to the piece's weight. Frequent pieces weigh little:
a / (a + p), the smooth inverse frequency of Arora, Liang & Ma 2017, with p by Zipf's law from the piece's place in the
vocabulary, which is ordered by frequency; the same is done to make small static models of large ones (model2vec).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.engine import Vectors

MAX_VOCABULARY = 65_536  # pieces; a larger vocabulary belongs to a larger model, which would take minutes to ask
SMOOTHING = 1e-3  # a in a / (a + p), as published
BATCH_PIECES = 2_048  # pieces of one inference
MOST_FREQUENT = ("the", "▁the", "Ġthe")  # before it stand marks, characters and punctuation


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one text: where each starts, ascending, and its vector, as long as the piece has weight."""

    starts: NDArray[np.int64]  # characters of the text; shape (n,)
    vectors: Vectors  # shape (n, dimension)


PieceReader = Callable[[str], Pieces | None]


def make_table(
    texts: Sequence[Sequence[int]],
    *,
    vocabulary: Mapping[str, int],
    infer: Callable[[Sequence[Sequence[int]]], Vectors],
) -> NDArray[np.float16]:
    """Return the table: `texts` holds each piece of the `vocabulary`, in order of id, as token ids `infer` can take."""
    batches = [texts[first : first + BATCH_PIECES] for first in range(0, len(texts), BATCH_PIECES)]
    vectors = np.concatenate([infer(batch) for batch in batches])
    sound = np.isfinite(vectors).all(axis=1)
    vectors -= vectors[sound].mean(axis=0)
    vectors[~sound] = 0  # what the model makes nothing of weighs nothing, and spoils no mean
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), np.finfo(np.float32).tiny)
    table: NDArray[np.float16] = (vectors * (_weights(vocabulary) / lengths)[:, None]).astype(np.float16)
    return table


def _weights(vocabulary: Mapping[str, int]) -> NDArray[np.float32]:
    size = max(vocabulary.values()) + 1
    first = next((vocabulary[word] for word in MOST_FREQUENT if word in vocabulary), 0)
    ranks = np.maximum(np.arange(size) - first + 1, 1)
    shares = 1 / (ranks * np.log(size))  # Zipf: the sum over all ranks is about 1
    return np.asarray(SMOOTHING / (SMOOTHING + shares), dtype=np.float32)


class PieceTable:
    """A table on disk, mapped into memory: a look-up reads the rows it needs, and processes share them."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises OSError or ValueError when it is no such table."""
        self._rows = np.lib.format.open_memmap(path, mode="r")

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """Return the vector of each piece: shape (len(ids), dimension)."""
        found: Vectors = self._rows[np.asarray(ids, dtype=np.int64)].astype(np.float32)
        return found


def save_table(table: NDArray[np.float16], path: Path) -> None:
    """Write a table."""
    np.save(path, table, allow_pickle=False)
