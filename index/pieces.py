"""Word pieces: a vector for each piece of a model's vocabulary, made by the model once, so that words can be compared
in meaning later without running it.

A table is one .npy file, a row for each piece id, packed in 8 bits a number as embeddings are: the vector the model
gives that piece as a text of its own, less the mean of all (what they share says nothing), scaled to the piece's
weight. Frequent pieces weigh little:
a / (a + p), the smooth inverse frequency of Arora, Liang & Ma 2017, with p by Zipf's law from the piece's place in the
vocabulary, which is ordered by frequency; the same is done to make small static models of large ones (model2vec).
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.packing import HIGHEST, embedding_type
from index.engine import Vectors

MAX_VOCABULARY = 65_536  # pieces; a larger vocabulary belongs to a larger model, which would take minutes to ask
SMOOTHING = 1e-3  # a in a / (a + p), as published
BATCH_PIECES = 2_048  # pieces of one inference
KEPT_WORDS = 16_384  # whose pieces are remembered, some 200 bytes each; then it starts afresh
MOST_FREQUENT = ("the", "▁the", "Ġthe")  # before it stand marks, characters and punctuation


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of some words: which word each is of, ascending, and its vector, as long as the piece has weight.

    Most pieces are of several words: what is worked out from vectors is worked out once for each kind.
    """

    words: NDArray[np.int64]  # the number of the word that each is a piece of; shape (n,)
    kinds: Vectors  # the vectors of the different pieces
    rows: NDArray[np.int64]  # the row of `kinds` of each piece; shape (n,)

    @property
    def vectors(self) -> Vectors:
        """The vector of each piece: shape (n, dimension)."""
        return self.kinds[self.rows]


PieceReader = Callable[[Sequence[str]], Pieces | None]
Cutter = Callable[[Sequence[str]], Sequence[Sequence[int]]]  # the ids of the pieces of each of these words


def make_table(
    texts: Sequence[Sequence[int]],
    *,
    vocabulary: Mapping[str, int],
    infer: Callable[[Sequence[Sequence[int]]], Vectors],
) -> Vectors:
    """Return the table: `texts` holds each piece of the `vocabulary`, in order of id, as token ids `infer` can take."""
    batches = [texts[first : first + BATCH_PIECES] for first in range(0, len(texts), BATCH_PIECES)]
    vectors = np.concatenate([infer(batch) for batch in batches])
    sound = np.isfinite(vectors).all(axis=1)
    vectors -= vectors[sound].mean(axis=0)
    vectors[~sound] = 0  # what the model makes nothing of weighs nothing, and spoils no mean
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), np.finfo(np.float32).tiny)
    table: Vectors = (vectors * (_weights(vocabulary) / lengths)[:, None]).astype(np.float32)
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
        self._rows = np.asarray(np.lib.format.open_memmap(path, mode="r"))
        if self._rows.dtype.names != ("steps", "scale"):
            raise ValueError(f"{path}: not a table of pieces")

    def vectors(self, ids: Sequence[int] | NDArray[np.int64]) -> Vectors:
        """Return the vector of each piece: shape (len(ids), dimension)."""
        rows = self._rows[np.asarray(ids, dtype=np.int64)]
        vectors: Vectors = rows["steps"].astype(np.float32)
        vectors *= rows["scale"][:, None]
        return vectors


class WordPieces:
    """Cuts words into pieces and remembers them: a tokeniser takes longer than all that follows.

    Each word is cut by itself, as models of word pieces do; those that are not known are cut together. Safe to use from
    several threads.
    """

    def __init__(self, cut: Cutter, *, fold: Callable[[str], str]) -> None:
        """Take what cuts words, and what makes those one that it cuts alike."""
        self._cut = cut
        self._fold = fold
        self._known: dict[str, Sequence[int]] = {}

    def __call__(self, words: Sequence[str]) -> list[Sequence[int]]:
        """Return the ids of the pieces of each word."""
        folded = list(map(self._fold, words))
        pieces = self._pieces(set(folded))
        return [pieces[word] for word in folded]

    def _pieces(self, words: Set[str]) -> Mapping[str, Sequence[int]]:
        known = self._known  # another thread may start afresh meanwhile
        new = [word for word in words if word not in known]
        if new and len(known) + len(new) > KEPT_WORDS:
            known, new = {}, list(words)
            self._known = known
        if new:
            known.update(zip(new, self._cut(new), strict=True))
        return known


def save_table(table: Vectors, path: Path) -> None:
    """Write a table, each row in 8 bits with a scale of its own."""
    packed = np.zeros(len(table), embedding_type(table.shape[1]))
    packed["scale"] = np.abs(table).max(axis=1, initial=0.0) / HIGHEST
    packed["steps"] = np.rint(table / np.maximum(packed["scale"], np.finfo(np.float32).tiny)[:, None])
    np.save(path, packed, allow_pickle=False)
