"""The matching sentence: which sentence of a passage comes nearest to a query in meaning, without running the model.

A sentence is judged by the vectors of its word pieces, which the model made once and for all (`index.pieces`): how near
their weighted mean lies to the query's own vector, and how well each piece of the query finds one like it in the
sentence. On judged pairs of four collections it picks the sentence that the model itself would pick in 59 to 77 of 100
cases (by chance 14 to 24, by the words they share 41 to 70), at under a millisecond a passage. Without such vectors,
words alone decide. Pure.
"""

from collections.abc import Collection, Sequence

import numpy as np
import sentencex
from numpy.typing import NDArray

from index.analysis import analyse
from index.engine import Vector, Vectors
from index.pieces import PieceReader
from index.snippet import Range

MIN_WORDS = 4  # shorter ones ("He agreed.") say little by themselves and are passed over where there are others
LIKENESS = 0.5  # weight of the likeness beside the mean; on the four collections 0.5 to 1 agree equally well
TINY = 1e-12  # stands for nothing where nothing would be divided by
Scores = NDArray[np.float32]  # one for each sentence


class SentenceFinder:
    """Finds the matching sentence of one query in any number of passages; what the query needs is prepared once."""

    def __init__(self, text: str, *, vector: Vector | None, words: Collection[str], pieces: PieceReader | None) -> None:
        """Take the query: its `text`, the `vector` the model made of it, its `words` as `index.analysis` makes them.

        Without a vector, or without `pieces` that tell words apart in meaning, its words are looked for.
        """
        self._words = frozenset(words)
        self._vector = vector
        self._pieces = pieces if vector is not None else None
        asked = self._pieces(text) if self._pieces is not None else None
        self._asked = _directions(asked.vectors) if asked is not None else None

    def find(self, body: str, passage: Range, *, language: str | None = None) -> Range | None:
        """Return where the sentence stands, in characters of `body`; None when nothing of the query is in any."""
        first, last = passage
        text = body[first:last]
        sentences = _sentences(text, language or "en")
        if not sentences:
            return None
        scores = self._by_meaning(text, sentences)
        if scores is None:
            scores = self._by_words(text, sentences)
        best = int(np.argmax(scores))
        start, end = sentences[best]
        return (first + start, first + end) if scores[best] > 0 else None

    def _by_words(self, text: str, sentences: Sequence[Range]) -> Scores:
        held = [len(self._words.intersection(analyse(text[start:end]))) for start, end in sentences]
        return np.array(held, dtype=np.float32)

    def _by_meaning(self, text: str, sentences: Sequence[Range]) -> Scores | None:
        pieces = self._pieces(text) if self._pieces is not None else None
        if pieces is None or self._asked is None or self._vector is None:
            return None
        likeness = (pieces.vectors @ self._asked.T) / _weights(pieces.vectors)[:, None]
        scores = np.zeros(len(sentences), dtype=np.float32)
        places = np.searchsorted(pieces.starts, np.array(sentences))
        for number, (left, right) in enumerate(places):
            if left < right:
                total = pieces.vectors[left:right].sum(axis=0, keepdims=True)
                cosine = (total @ self._vector)[0] / _weights(total)[0]
                scores[number] = cosine + LIKENESS * likeness[left:right].max(axis=0).sum()
        return scores


def _sentences(text: str, language: str) -> list[Range]:
    """Return where each sentence stands, without the white space around it; the shortest only if all are short."""
    found: list[Range] = []
    for boundary in sentencex.get_sentence_boundaries(language, text):
        start, sentence = boundary["start_index"], boundary["text"]
        place = (start + len(sentence) - len(sentence.lstrip()), start + len(sentence.rstrip()))
        if place[0] < place[1]:
            found.append(place)
    return [place for place in found if len(analyse(text[slice(*place)])) >= MIN_WORDS] or found


def _directions(vectors: Vectors) -> Vectors:
    """Return each piece's vector as long as its share of the weight of all."""
    weights = _weights(vectors)
    directions: Vectors = vectors / max(float(weights.sum()), TINY)
    return directions


def _weights(vectors: Vectors) -> NDArray[np.float32]:
    """Return the length of each vector, never nothing, so that it can be divided by."""
    weights: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) + np.float32(TINY)
    return weights
