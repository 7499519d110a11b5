"""Word pieces: a vector for each piece of a model's vocabulary, made by the model once, so that words can be compared
in meaning later without running it.

A table is one .npy file of float16, a row for each piece id: the vector the model gives that piece as a text of its
own, less the mean of all (what they share says nothing), scaled to the piece's weight. Frequent pieces weigh little:
a / (a + p), the smooth inverse frequency of Arora, Liang & Ma 2017, with p by Zipf's law from the piece's place in the
vocabulary, which is ordered by frequency; the same is done to make small static models of large ones (model2vec).
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.engine import Vectors

MAX_VOCABULARY = 65_536  # pieces; a larger vocabulary belongs to a larger model, which would take minutes to ask
SMOOTHING = 1e-3  # a in a / (a + p), as published
BATCH_PIECES = 2_048  # pieces of one inference
KEPT_WORDS = 32_768  # whose pieces are remembered, some 200 bytes each; then it starts afresh
MOST_FREQUENT = ("the", "▁the", "Ġthe")  # before it stand marks, characters and punctuation


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one text: where each starts, ascending, and its vector, as long as the piece has weight.

    Most pieces stand in a text several times: what is worked out from vectors is worked out once for each kind.
    """

    starts: NDArray[np.int64]  # characters of the text; shape (n,)
    kinds: Vectors  # the vectors of the different pieces
    rows: NDArray[np.int64]  # the row of `kinds` of each piece; shape (n,)

    @property
    def vectors(self) -> Vectors:
        """The vector of each piece: shape (n, dimension)."""
        return self.kinds[self.rows]


PieceReader = Callable[[str], Pieces | None]
# The pieces of each of these words: the id of each, and where in the word it starts.
Cutter = Callable[[Sequence[str]], Sequence[Sequence[tuple[int, int]]]]

_WORD = re.compile(r"\S+")


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


def _as_floats(halves: NDArray[np.float16]) -> Vectors:
    """Return 16-bit floats as 32-bit ones: the bits moved to their places and the exponent set right.

    numpy does it one number at a time, which takes longer than all else that is done with the vectors of a page.
    """
    bits = halves.view(np.uint16).astype(np.uint32)
    magnitude = ((bits & 0x7FFF) << 13).view(np.float32) * np.float32(2.0**112)  # 127 - 15: the exponents' biases
    floats: Vectors = (magnitude.view(np.uint32) | ((bits & 0x8000) << 16)).view(np.float32)
    return floats


class PieceTable:
    """A table on disk, mapped into memory: a look-up reads the rows it needs, and processes share them."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises OSError or ValueError when it is no such table."""
        self._rows = np.asarray(np.lib.format.open_memmap(path, mode="r"))

    def vectors(self, ids: Sequence[int] | NDArray[np.int64]) -> Vectors:
        """Return the vector of each piece: shape (len(ids), dimension)."""
        return _as_floats(self._rows[np.asarray(ids, dtype=np.int64)])


class WordPieces:
    """Cuts texts into pieces a word at a time and remembers the words: a tokeniser takes longer than all that follows.

    What stands between white space is cut by itself, as models of word pieces do; the words of a text that are not
    known are cut together. Safe to use from several threads.
    """

    def __init__(self, cut: Cutter) -> None:
        """Take what cuts words."""
        self._cut = cut
        self._known: dict[str, Sequence[tuple[int, int]]] = {}

    def __call__(self, text: str) -> tuple[Sequence[int], NDArray[np.int64]]:
        """Return the ids of the pieces of `text` and where each starts."""
        words = [(word[0], word.start()) for word in _WORD.finditer(text)]
        pieces = self._pieces({word for word, _ in words})
        cut = [(piece, first + offset) for word, first in words for piece, offset in pieces[word]]
        return [piece for piece, _ in cut], np.array([start for _, start in cut], dtype=np.int64)

    def _pieces(self, words: Set[str]) -> Mapping[str, Sequence[tuple[int, int]]]:
        """Return the id of each piece of these words, and where in the word it starts."""
        known = self._known  # another thread may start afresh meanwhile
        new = [word for word in words if word not in known]
        if new and len(known) + len(new) > KEPT_WORDS:
            known, new = {}, list(words)
            self._known = known
        if new:
            known.update(zip(new, self._cut(new), strict=True))
        return known


def save_table(table: NDArray[np.float16], path: Path) -> None:
    """Write a table."""
    np.save(path, table, allow_pickle=False)
