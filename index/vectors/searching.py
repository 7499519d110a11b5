"""Searching the vectors of one generation: nominated by codes or by a scan, always scored exactly.

Invariant: a cosine that leaves this file is the exact one, of the embedding that the archive keeps. Codes only decide
which passages are looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.packing import embedding_type
from index.engine import Floats, Ints, Mask, Vector, Vectors
from index.likeness import MEAN_PASSAGES, mean_vectors
from index.order import best_first
from index.vectors import segments
from index.vectors.codes import Codes
from index.vectors.segments import Content, Packed, Segment

NOMINATED = 4  # passages for each article that is wanted: of news, two or three of an article compete
ROOTS = 3  # square roots of the passages searched are nominated at least: one in a thousand of the best ten is not
WIDENING = 4  # times as many are nominated when they belong to too few articles
FEW = 4096  # passages that a filter leaves and that are scored one and all: that takes less than 1 ms
NOBODY = -1  # owns a row that is not served
NEAREST = 0.99  # quantile of a query's cosines that stands for the archive's nearest passages
SAMPLED = 4096  # passages from which it is told, to within .01


@dataclass(frozen=True, slots=True)
class Nearest:
    """The articles that come nearest to a query."""

    numbers: Ints  # of the articles, ascending
    beyond: float | None  # what no other article searched exceeds, as far as nominated; None when there is no other

    @staticmethod
    def among(numbers: Ints, best: Floats, *, depth: int) -> "Nearest":
        """Return the best `depth` of these articles by the cosines of their best passages; of equals the first."""
        order = best_first(best, numbers=numbers)
        beyond = float(best[order[depth]]) if depth < len(order) else None
        return Nearest(np.sort(numbers[order[:depth]]), beyond)


@dataclass(frozen=True, slots=True)
class PassageScores:
    """How near a query some articles come, as columns of one length, ordered by number."""

    numbers: Ints  # of those asked for that have passages, ascending
    best: Floats  # cosine of the article's best passage
    second: Floats  # of its second-best, nan where it has but one
    common: Floats  # mean cosine of the best passage with all passages
    passages: Ints  # number of the best passage, the earliest of equals
    spans: Ints  # shape (n, 3): version, start and end of it


@dataclass(frozen=True)
class _Part:
    """A segment as it is searched."""

    content: Content
    codes: Codes | None

    def best(self, vector: Vector, *, depth: int) -> tuple[Ints, Floats]:
        """Return the rows of at least `depth` passages nearest to `vector` and their cosines; by codes, about so.

        Codes are not worth asking for more than a quarter of all passages: then, and without codes, every row is here.
        """
        if self.codes is not None and 4 * depth < len(self.content):
            return self.codes.best(vector, depth=depth)
        return np.arange(len(self.content)), self.content.cosines(vector)


class VectorIndex:
    """The vectors of one generation, opened for reading. Safe to use from several threads."""

    def __init__(self, directory: Path, *, dimension: int, ids: NDArray[np.bytes_], few: int = FEW) -> None:
        """Open the segments; an article's number is its place in `ids`, dtype S16, ascending.

        Where a filter leaves no more than `few` passages, all are scored. Raises GenerationDamaged when a segment
        cannot be read or is of another dimension.
        """
        self._few = few
        self._segments = segments.read_all(directory, dimension=dimension)
        self._parts = [_Part(segment.content, segments.read_codes(directory, segment)) for segment in self._segments]
        self._bounds = np.cumsum([0, *(len(part.content) for part in self._parts)])  # rows are numbered through all
        self._owners = np.full(self._bounds[-1], NOBODY, np.int32)  # of each row: its article's number
        self._firsts = np.zeros(len(ids), np.int32)  # of each number: the row of its first passage
        self._counts = np.zeros(len(ids), np.int32)  # of each number: how many passages it has
        for segment, bound in zip(self._segments, self._bounds[:-1].tolist(), strict=True):
            self._place(segment, bound, ids)
        self._live = sum(segment.live for segment in self._segments)
        self._mean = self._mean_vector(dimension)
        sampled = np.linspace(0, max(0, len(self._owners) - 1), min(len(self._owners), SAMPLED)).astype(np.int64)
        self._sample = self._packed(sampled[self._owners[sampled] != NOBODY])

    def _place(self, segment: Segment, bound: int, ids: NDArray[np.bytes_]) -> None:
        """Note which numbers the served articles of a segment have, whose rows are counted from `bound`."""
        articles, counts = segment.content.articles, segment.content.counts
        places = np.searchsorted(ids, articles["id"])
        is_known = np.append(ids, b"")[places] == articles["id"]
        numbers = np.where(segment.served & is_known, places, NOBODY)
        self._owners[bound : bound + len(segment.content)] = np.repeat(numbers, counts)
        found = numbers != NOBODY
        self._firsts[numbers[found]] = articles["first"][found] + bound
        self._counts[numbers[found]] = counts[found]

    def _mean_vector(self, dimension: int) -> Vector:
        """Return the mean of all vectors that are served."""
        total = np.zeros(dimension)
        for segment in self._segments:
            dead = np.flatnonzero(np.repeat(~segment.served, segment.content.counts))
            total += segment.total - segment.content.vectors(dead).sum(axis=0, dtype=np.float64)
        mean: Vector = (total / max(1, self._live)).astype(np.float32)
        return mean

    def __len__(self) -> int:
        """Return how many passages are served."""
        return self._live

    def article_ids(self) -> frozenset[str]:
        """Return the ids of every article with a passage here, known by a number or not."""
        served = (segment.content.articles["id"][segment.served] for segment in self._segments)
        return frozenset(article_id.decode() for ids in served for article_id in ids.tolist())

    def nearest(self, vector: Vector, *, depth: int, within: Mask | None = None) -> Nearest:
        """Return the best `depth` articles of `within` (all: None) by their best passage; of equals the first.

        Where codes nominate, one in a thousand of the ten best is missing, and one in ten of the thousand best.
        """
        rows, cosines = self._searched(vector, depth=depth, within=within)
        return Nearest.among(*_by_article(self._owners[rows], cosines), depth=depth)

    def scores(self, vector: Vector, numbers: Ints) -> PassageScores:
        """Return how near the articles of these numbers, ascending, come: those of them that have passages."""
        numbers = numbers[self._counts[numbers] > 0]
        counts = self._counts[numbers]
        products = self._products(self._rows(numbers), np.stack([vector, self._mean]))
        cosines, common = products[:, 0].copy(), products[:, 1]
        starts = np.cumsum(counts) - counts
        best = np.maximum.reduceat(cosines, starts)
        at_best = np.flatnonzero(cosines == np.repeat(best, counts))
        places = at_best[np.searchsorted(at_best, starts)]  # the first of each article's best
        cosines[places] = -np.inf
        second = np.maximum.reduceat(cosines, starts)
        second[np.isneginf(second)] = np.nan
        passages = self._firsts[numbers] + places - starts
        return PassageScores(numbers, best, second, common[places], passages, self._spans(passages))

    def spread(self, vector: Vector) -> float:
        """Return the cosine that one passage in a hundred of the whole index exceeds; 0.0 of an empty one."""
        return float(np.quantile(segments.cosines(self._sample, vector), NEAREST)) if len(self._sample) else 0.0

    def likeness(self, passages: Ints, *, to: Ints) -> Floats:
        """Return the cosine of each of these passages with the mean of those in `to`; 0.0 for what is no passage."""
        there = passages >= 0
        likeness = np.zeros(len(passages))
        mean = self._vectors(to[to >= 0]).sum(axis=0)
        if norm := float(np.linalg.norm(mean)):
            likeness[there] = self._products(passages[there], mean[None] / norm)[:, 0]
        return likeness

    def means(self, numbers: Ints) -> Vectors:
        """Return the mean vector of each of these articles, as `index.likeness` has it; zeros where it has none."""
        counts = np.minimum(self._counts[numbers], MEAN_PASSAGES)
        return mean_vectors(self._vectors(self._rows(numbers, counts)), counts)

    def _searched(self, vector: Vector, *, depth: int, within: Mask | None) -> tuple[Ints, Floats]:
        """Return rows of more than `depth` articles, if there are more, with the best among them, and their cosines."""
        share = 1.0 if within is None else np.count_nonzero(within) / max(1, len(within))
        searched = int(share * self._live)  # about: counting the passages themselves would take a tenth of the search
        wanted = max(NOMINATED * depth, ROOTS * isqrt(searched))
        asked = wanted * self._live // max(1, searched)
        if within is not None and searched <= max(self._few, asked):
            rows = self._rows(np.flatnonzero(within))
        else:
            rows = self._nominated(vector, asked, wanted=wanted, within=within)
            while asked < len(self._owners) and not self._suffice(rows, min(wanted, searched), depth=depth):
                wanted, asked = WIDENING * wanted, WIDENING * asked
                rows = self._nominated(vector, asked, wanted=wanted, within=within)
        return rows, self._products(rows, vector[None])[:, 0]

    def _suffice(self, rows: Ints, wanted: int, *, depth: int) -> bool:
        """Return whether these are enough: a filter may leave less of what is near than of the rest."""
        owners = self._owners[rows]  # rows ascend, so those of one article stand together
        articles = np.count_nonzero(owners[1:] != owners[:-1]) + min(len(rows), 1)
        return 2 * len(rows) >= wanted and bool(articles > depth)

    def _nominated(self, vector: Vector, asked: int, *, wanted: int, within: Mask | None) -> Ints:
        """Return the `wanted` best rows, and their equals, of those searched among the best `asked` of each part.

        What seems worse than something that a part kept back is not among them: that might be better.
        """
        found, floor = [(_NONE, np.empty(0))], -np.inf
        for part, bound in zip(self._parts, self._bounds[:-1].tolist(), strict=True):
            rows, seeming = part.best(vector, depth=asked)
            found.append((rows + bound, seeming))
            if len(rows) < len(part.content):
                floor = max(floor, float(seeming.min()))
        rows, seeming = (np.concatenate(column) for column in zip(*found, strict=True))
        owners = self._owners[rows]
        searched = (owners != NOBODY) & (seeming >= floor)
        if within is not None:
            searched &= within[owners]
        rows, seeming = rows[searched], seeming[searched]
        if len(rows) > wanted:
            rows = rows[seeming >= np.partition(seeming, -wanted)[-wanted]]
        return np.sort(rows)

    def _rows(self, numbers: Ints, counts: Ints | None = None) -> Ints:
        """Return the rows of these articles, one article after the other: all, or the first so many of each."""
        counts = (self._counts[numbers] if counts is None else counts).astype(np.int64)
        starts = np.cumsum(counts) - counts
        return np.repeat(self._firsts[numbers] - starts, counts) + np.arange(counts.sum())

    def _products(self, rows: Ints, directions: Vectors) -> Floats:
        """Return the inner product of these rows with each direction, shape (n, dimension): shape (rows, n)."""
        products = np.empty((len(rows), len(directions)))
        for content, here, local in self._each(rows):
            products[here] = content.products(local, directions)
        return products

    def _vectors(self, rows: Ints) -> Vectors:
        vectors = np.empty((len(rows), len(self._mean)), np.float32)
        for content, here, local in self._each(rows):
            vectors[here] = content.vectors(local)
        return vectors

    def _packed(self, rows: Ints) -> Packed:
        packed = np.empty(len(rows), embedding_type(len(self._mean)))
        for content, here, local in self._each(rows):
            packed[here] = content.packed[local]
        return packed

    def _spans(self, rows: Ints) -> Ints:
        spans = np.empty((len(rows), 3), np.int64)
        for content, here, local in self._each(rows):
            spans[here] = content.span_numbers.take(local, axis=0)
        return spans

    def _each(self, rows: Ints) -> Iterator[tuple[Content, Ints, Ints]]:
        """Yield each part that holds any of these rows, which of them, and where they are in it."""
        of = np.searchsorted(self._bounds, rows, side="right") - 1
        for number in np.flatnonzero(np.bincount(of)).tolist():
            here = np.flatnonzero(of == number)
            yield self._parts[number].content, here, rows[here] - self._bounds[number]


_NONE: Ints = np.empty(0, np.int64)


def _by_article(owners: Ints, cosines: Floats) -> tuple[Ints, Floats]:
    """Return the articles whose rows these are, in the order of the rows, and the best cosine of each.

    The rows of one article follow each other.
    """
    if not len(owners):
        return _NONE, np.empty(0)
    starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    return owners[starts].astype(np.int64), np.maximum.reduceat(cosines, starts)
