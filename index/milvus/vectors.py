"""The passages of some articles that were fetched, with how near each is to a query, as `index.local` asks for them.

Invariant: a cosine is that of the vectors themselves; an index of Milvus that finds approximately has chosen the rows
and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.engine import NOWHERE, Floats, Ints, Mask, Vector, Vectors
from index.likeness import MEAN_PASSAGES, mean_vectors
from index.milvus.filters import PASSAGES, among, both
from index.milvus.rows import article_of, place_of
from index.milvus.server import MOST_FOUND, Found, Milvus
from index.milvus.statistics import Statistics
from index.vectors.searching import NEAREST, Nearest, PassageScores

PLACED = ("version", "start", "end")
COMMON_KEPT = 1_000_000  # passages whose likeness to all is kept, some 150 bytes each
VECTORS_AT_ONCE = 2_000  # fetched in one answer: some 3 MB


@dataclass(frozen=True)
class Passages:
    """The passages of the articles with numbers 0 to `articles`, in order of article and place."""

    owners: Ints  # of each: its article's number
    keys: Sequence[str]  # of each: the pk of its row
    spans: Ints  # shape (n, 3): version, start and end
    cosines: Floats  # of each with the query

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)


def passages_of(found: Sequence[Found], ids: NDArray[np.bytes_]) -> Passages:
    """Return the rows that were found of these articles, dtype S16, ascending.

    One that was written anew meanwhile may have been found, and not be among them.
    """
    there = set(ids.tolist())
    found = [each for each in found if each.article.encode() in there]
    owners = np.searchsorted(ids, np.array([each.article.encode() for each in found], "S16"))
    places = np.array([place_of(each.pk) for each in found], np.int64)
    order = np.lexsort((places, owners))
    spans = np.array([[each.row[name] for name in PLACED] for each in found], np.int64).reshape(-1, 3)
    cosines = np.array([each.score for each in found], np.float64)
    return Passages(
        owners[order].astype(np.int64), [found[at].pk for at in order.tolist()], spans[order], cosines[order]
    )


class FetchedVectors:
    """The semantic leg over passages that were fetched. Safe to use from several threads."""

    def __init__(
        self,
        milvus: Milvus,
        collection: str,
        passages: Passages,
        statistics: Statistics,
        common: dict[str, float],
        *,
        count: int,
    ) -> None:
        """Take the passages of so many articles.

        `common` is kept from one question to the next: the product of a passage with the mean of all does not change.
        """
        self._milvus = milvus
        self._collection = collection
        self._passages = passages
        self._statistics = statistics
        self._counts = np.bincount(passages.owners, minlength=count)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._common = self._with_mean(common)

    def _with_mean(self, kept: dict[str, float]) -> Floats:
        """Return, for the best passage of each article, its product with the mean of all passages; 0.0 elsewhere."""
        products = np.zeros(len(self._passages))
        best = self._best(np.flatnonzero(self._counts))
        if not len(best):
            return products
        keys = self._passages.keys
        products[best] = [kept.get(keys[at], np.nan) for at in best.tolist()]
        new = best[np.isnan(products[best])]
        products[new] = self._products(new, self._statistics.mean)
        if len(kept) > COMMON_KEPT:
            kept.clear()
        kept.update(zip([keys[at] for at in new.tolist()], products[new].tolist(), strict=True))
        return products

    def _best(self, numbers: Ints) -> Ints:
        """Return the best passage of each of these articles, all of which have some; of equals the first."""
        cosines, owners = self._passages.cosines, self._passages.owners
        order = np.lexsort((np.arange(len(owners)), -cosines, owners))
        best: Ints = order[self._firsts[numbers]]
        return best

    def nearest(self, vector: Vector, *, depth: int, within: Mask | None = None) -> Nearest:  # noqa: ARG002
        """Return the best `depth` articles of `within` (all: None) by their best passage; of equals the first."""
        numbers = np.flatnonzero(self._counts if within is None else within & (self._counts > 0))
        return Nearest.among(numbers, self._passages.cosines[self._best(numbers)], depth=depth)

    def scores(self, vector: Vector, numbers: Ints) -> PassageScores:  # noqa: ARG002
        """Return how near the articles of these numbers, ascending, come: those of them that have passages."""
        numbers = numbers[self._counts[numbers] > 0]
        best = self._best(numbers)
        cosines = self._passages.cosines.copy()
        reached = cosines[best]
        cosines[best] = -np.inf
        second = np.full(len(numbers), np.nan)
        for at, (first, count) in enumerate(zip(self._firsts[numbers], self._counts[numbers], strict=True)):
            if count > 1:
                second[at] = cosines[first : first + count].max()
        return PassageScores(numbers, reached, second, self._common[best], best, self._passages.spans[best])

    def spread(self, vector: Vector) -> float:
        """Return the cosine that one passage in a hundred of the whole index exceeds; 0.0 of an empty one."""
        return self._statistics.quantile(vector, NEAREST)

    def likeness(self, passages: Ints, *, to: Ints) -> Floats:
        """Return the cosine of each of these passages with the mean of those in `to`; 0.0 for what is no passage."""
        there = passages != NOWHERE
        likeness = np.zeros(len(passages))
        keys = [self._passages.keys[at] for at in to[to != NOWHERE].tolist()]
        mean = sum(vectors_of(self._milvus, self._collection, keys).values(), np.zeros(len(self._statistics.mean)))
        if norm := float(np.linalg.norm(mean)):
            likeness[there] = self._products(passages[there], mean / norm)
        return likeness

    def means(self, numbers: Ints) -> Vectors:
        """Return the mean vector of each of these articles; zeros where it has none."""
        counts = np.minimum(self._counts[numbers], MEAN_PASSAGES)
        rows = [
            at for first, count in zip(self._firsts[numbers], counts, strict=True) for at in range(first, first + count)
        ]
        keys = [self._passages.keys[at] for at in rows]
        found = vectors_of(self._milvus, self._collection, keys)
        vectors = np.zeros((len(keys), len(self._statistics.mean)), np.float32)
        for at, key in enumerate(keys):
            vectors[at] = found[key]
        return mean_vectors(vectors, counts)

    def article_ids(self) -> frozenset[str]:
        """Return the ids of the articles that have passages."""
        return frozenset(article_of(key) for key in self._passages.keys)

    def _products(self, passages: Ints, direction: NDArray[np.floating]) -> Floats:
        """Return the inner product of these passages with a direction, as Milvus has their vectors."""
        products = np.zeros(len(passages))
        keys = {self._passages.keys[passage]: at for at, passage in enumerate(passages.tolist())}
        for start in range(0, len(keys), MOST_FOUND):
            some = [*keys][start : start + MOST_FOUND]
            found = self._milvus.nearest(self._collection, direction.tolist(), among("pk", some), limit=len(some))
            for each in found:
                products[keys[each.pk]] = each.score
            if len(found) < len(some):  # an index that finds approximately leaves some out
                missed = list(set(some) - {each.pk for each in found})
                for key, vector in vectors_of(self._milvus, self._collection, missed).items():
                    products[keys[key]] = vector @ direction
        return products


def vectors_of(milvus: Milvus, collection: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of those of the rows with these pks that are passages."""
    found: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(keys), VECTORS_AT_ONCE):
        some = keys[start : start + VECTORS_AT_ONCE]
        for row in milvus.rows(collection, both([among("pk", some), PASSAGES]), columns=("pk", "vector")):
            found[row["pk"]] = np.array(row["vector"], np.float32)
    return found
