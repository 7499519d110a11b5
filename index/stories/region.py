"""Which part of the stories is told again when articles arrive: what they touch, and what that touches in turn.

The graph is of pairs of articles alike enough for one story. A cluster of average linkage lies within a component of
it, so to tell again the components that the new articles are in gives what telling everything from scratch gives,
whatever came first: **the law**, as long as likeness itself does not change. An archive of one topic may hang together
as one component, which nobody can tell again for every article: the walk ends when `most` articles have been asked
for their neighbours. What has been reached by then is told again, whole stories always, and what lies behind it stays
as it is: then the law holds about, and benchmarks/stories.py measures how nearly. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Protocol

from index.stories.linkage import Cluster, linkage

Pairs = Mapping[tuple[str, str], float]  # two articles, the smaller id first -> how like each other they are


class Graph(Protocol):
    """Articles, and which of them are alike enough for one story."""

    def neighbours(self, articles: Sequence[str]) -> Pairs:
        """Return the pairs that are alike enough of one of these with any other article."""

    def among(self, articles: Sequence[str]) -> Pairs:
        """Return the pairs that are alike enough of one of these with another of these."""

    def siblings(self, articles: Set[str]) -> Set[str]:
        """Return all articles that have been told to be in one story with one of these."""


def region(arrived: Iterable[str], graph: Graph, *, most: int) -> tuple[set[str], Pairs]:
    """Return the articles that are told again, and those pairs of them that are alike enough.

    What has `arrived` is asked for its neighbours whatever `most` says, with the stories it was in.
    """
    reached = set(arrived)
    reached |= graph.siblings(reached)
    asked: set[str] = set()
    pairs: dict[tuple[str, str], float] = {}
    while (outer := reached - asked) and (not asked or len(asked) + len(outer) <= most):
        found = graph.neighbours(sorted(outer))
        asked |= outer
        pairs.update(found)
        fresh = {article for pair in found for article in pair} - reached
        reached |= fresh | graph.siblings(fresh)
    pairs.update(graph.among(sorted(outer)))
    return reached, pairs


def told(pairs: Pairs, clusters: Mapping[str, Cluster], *, threshold: float) -> list[list[str]]:
    """Return the stories that some articles make, lone ones too, the ids in each and the first ones in order.

    `clusters` has the articles, each a cluster by itself; `pairs` are of those that are alike enough.
    """
    order = sorted(clusters)
    numbers = {article: number for number, article in enumerate(order)}
    between = {(numbers[one], numbers[other]): likeness for (one, other), likeness in pairs.items()}
    found = linkage([clusters[article] for article in order], between, threshold=threshold)
    return [[order[number] for number in members] for members in found]
