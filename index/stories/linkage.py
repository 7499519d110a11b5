"""Average linkage: the two clusters that are most like each other on average become one, until none are alike enough.

Only clusters with a pair of points that is alike enough are looked at: an average that reaches a threshold needs a pair
that does. So every cluster lies within one component of the graph of such pairs, and what is found for a component
alone is what is found for the whole (the law that `index.stories.region` goes by). Averages are exact: they are of all
pairs, not of those of the graph. Sokal & Michener, "A statistical method for evaluating systematic relationships",
1958; sums over clusters are kept as in Lance & Williams, "A general theory of classificatory sorting strategies", 1967.

Invariants: the outcome depends on the points, their order and their pairs, and on nothing else; of equals, those of the
smallest points come first. Time and memory grow with the pairs, not with the square of the points. Pure.
"""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Protocol, Self

Pair = tuple[int, int]  # numbers of two points, or of two clusters by their first points; the smaller comes first


class Cluster(Protocol):
    """Points, of which only what all pairs of two clusters sum up to has to be known."""

    def __len__(self) -> int:
        """Return how many points there are."""

    def joined(self, other: Self) -> Self:
        """Return the points of both."""

    def total(self, other: Self) -> float:
        """Return the sum of the likenesses of all pairs of a point here and a point there."""


def linkage(points: Sequence[Cluster], pairs: Mapping[Pair, float], *, threshold: float) -> list[list[int]]:
    """Return the clusters of these points, each as numbers of points, ascending, in the order of their first points.

    `pairs` holds the likeness of every pair of points that reaches `threshold`; others may be there.
    """
    return _Linkage(points, pairs, threshold).clusters()


class _Linkage:
    """Clusters on their way. A cluster goes by the number of its first point."""

    def __init__(self, points: Sequence[Cluster], pairs: Mapping[Pair, float], threshold: float) -> None:
        self._threshold = threshold
        self._clusters: dict[int, Cluster] = dict(enumerate(points))
        self._members = {number: [number] for number in self._clusters}
        self._totals: dict[int, dict[int, float]] = {number: {} for number in self._clusters}  # of neighbours
        self._heap: list[tuple[float, Pair]] = []
        for (one, other), likeness in pairs.items():
            if likeness >= threshold:
                self._totals[one][other] = self._totals[other][one] = likeness
                self._heap.append((-likeness, (one, other)))
        heapify(self._heap)

    def clusters(self) -> list[list[int]]:
        while self._heap:
            below, (one, other) = heappop(self._heap)
            if other in self._totals.get(one, ()) and self._average(one, other) == -below:  # else it has grown since
                self._merge(one, other)
        return [sorted(members) for _, members in sorted(self._members.items())]

    def _merge(self, one: int, other: int) -> None:
        """Put the cluster `other` into `one`, which is the smaller number, so that it stays the first point's."""
        here, there = self._totals.pop(one), self._totals.pop(other)
        joined = self._clusters[one], self._clusters.pop(other)
        self._clusters[one] = joined[0].joined(joined[1])
        self._members[one] += self._members.pop(other)
        self._totals[one] = {}
        for neighbour in sorted((here.keys() | there.keys()) - {one, other}):
            cluster, totals = self._clusters[neighbour], self._totals[neighbour]
            totals.pop(other, None)
            parts = (here.get(neighbour), there.get(neighbour))
            total = sum(
                part.total(cluster) if known is None else known for part, known in zip(joined, parts, strict=True)
            )
            self._totals[one][neighbour] = totals[one] = total
            if (average := self._average(one, neighbour)) >= self._threshold:
                heappush(self._heap, (-average, (min(one, neighbour), max(one, neighbour))))

    def _average(self, one: int, other: int) -> float:
        return self._totals[one][other] / (len(self._clusters[one]) * len(self._clusters[other]))
