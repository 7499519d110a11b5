"""How well clusters of articles agree with labelled ones, and with one another.

A clustering is a mapping from article to cluster; the names of clusters mean nothing. An article that a mapping leaves
out is a cluster of its own. Pure.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from math import comb

import numpy as np

from index.engine import Floats

Clustering = Mapping[str, Hashable]  # article id -> cluster


def bcubed(found: Clustering, labelled: Clustering) -> tuple[float, float, float]:
    """Return precision, recall and F1 over the labelled articles, each counting alike.

    Of one article, precision is the share of its found cluster that has its label, recall the share of its label that
    is in its found cluster: Bagga & Baldwin, "Entity-based cross-document coreferencing", COLING 1998; why to count so,
    Amigó et al., "A comparison of extrinsic clustering evaluation metrics", 2009. F1 is of the two means. Articles
    without a label are left out. Raises ValueError when none is labelled.
    """
    precision, recall = bcubed_each(found, labelled).mean(axis=0).tolist()
    return precision, recall, f1(precision, recall)


def bcubed_each(found: Clustering, labelled: Clustering) -> Floats:
    """Return precision and recall of each labelled article, shape (articles, 2), in the order of their ids.

    Raises ValueError when none is labelled.
    """
    if not labelled:
        raise ValueError("no article is labelled")
    articles = sorted(labelled)
    clusters, labels, both = _counts(found, labelled, articles)
    rows = [
        (both[cluster, label] / clusters[cluster], both[cluster, label] / labels[label])
        for cluster, label in ((_cluster(found, article), _cluster(labelled, article)) for article in articles)
    ]
    return np.array(rows, np.float64)


def f1(precision: float, recall: float) -> float:
    """Return the harmonic mean of the two; 0.0 where one of them is nothing."""
    return 2 * precision * recall / ((precision + recall) or 1.0)


def adjusted_rand(one: Clustering, other: Clustering) -> float:
    """Return how much two clusterings of the articles in either agree: 1 when alike, 0 on average by chance.

    Hubert & Arabie, "Comparing partitions", 1985. Raises ValueError when there is no article.
    """
    articles = sorted({*one, *other})
    if not articles:
        raise ValueError("no article is in a cluster")
    here, there, both = (_pairs(counts) for counts in _counts(one, other, articles))
    by_chance = here * there / (comb(len(articles), 2) or 1)
    most = (here + there) / 2
    return 1.0 if most == by_chance else (both - by_chance) / (most - by_chance)  # equal: all alone, or all in one


def _counts(
    one: Clustering, other: Clustering, articles: list[str]
) -> tuple[Counter[Hashable], Counter[Hashable], Counter[tuple[Hashable, Hashable]]]:
    """Return how many articles there are in each cluster of either, and in each pair of clusters."""
    here = [_cluster(one, article) for article in articles]
    there = [_cluster(other, article) for article in articles]
    return Counter(here), Counter(there), Counter(zip(here, there, strict=True))


def _cluster(clustering: Clustering, article: str) -> Hashable:
    return (True, clustering[article]) if article in clustering else (False, article)


def _pairs(counts: Mapping[Hashable, int] | Mapping[tuple[Hashable, Hashable], int]) -> int:
    return sum(comb(count, 2) for count in counts.values())
