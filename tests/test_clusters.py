"""Measures of clusters, by hand and by law."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.evaluation.clusters import adjusted_rand, bcubed, bcubed_each, f1

clusterings = st.lists(st.integers(0, 4), min_size=2, max_size=12).map(
    lambda clusters: {f"a{number}": cluster for number, cluster in enumerate(clusters)}
)
LABELLED = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2}


def test_bcubed_by_hand() -> None:
    found = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "y"}
    precision, recall, f1 = bcubed(found, LABELLED)
    # a and b are among their own; of the three in y, one has the label of c and two that of d and e.
    assert precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_everything_alone_is_precise_and_everything_in_one_recalls_all() -> None:
    assert bcubed({}, LABELLED)[:2] == (1, pytest.approx((3 * 1 / 3 + 2 * 1 / 2) / 5))
    assert bcubed(dict.fromkeys(LABELLED, 0), LABELLED)[:2] == (pytest.approx((3 * 3 / 5 + 2 * 2 / 5) / 5), 1)


def test_an_article_without_a_label_counts_for_nothing() -> None:
    found = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2}
    assert bcubed({**found, "f": 1, "g": 2}, LABELLED) == (1, 1, 1)


@given(clusterings, clusterings)
def test_precision_and_recall_change_places_with_the_clusterings(one: dict[str, int], other: dict[str, int]) -> None:
    shared = one.keys() & other.keys()
    one, other = ({key: each[key] for key in shared} for each in (one, other))
    assert bcubed(one, other)[:2] == pytest.approx(bcubed(other, one)[1::-1])


@given(clusterings)
def test_a_clustering_agrees_wholly_with_itself_whatever_its_clusters_are_called(one: dict[str, int]) -> None:
    renamed = {article: f"story {cluster}" for article, cluster in one.items()}
    assert bcubed(one, renamed) == pytest.approx((1, 1, 1))
    assert adjusted_rand(one, renamed) == pytest.approx(1)


@given(clusterings, clusterings)
def test_the_rand_index_is_what_counting_the_pairs_gives(one: dict[str, int], other: dict[str, int]) -> None:
    for number, article in enumerate(sorted(one.keys() ^ other.keys())):
        one.setdefault(article, -number - 1)
        other.setdefault(article, -number - 1)
    pairs = list(combinations(one, 2))
    here = {(a, b) for a, b in pairs if one[a] == one[b]}
    there = {(a, b) for a, b in pairs if other[a] == other[b]}
    chance = len(here) * len(there) / len(pairs)
    most = (len(here) + len(there)) / 2
    expected = 1 if most == chance else (len(here & there) - chance) / (most - chance)
    assert adjusted_rand(one, other) == pytest.approx(expected)


def test_lone_articles_need_not_be_named() -> None:
    assert adjusted_rand({"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 2}) == 1
    assert adjusted_rand({"a": 1, "b": 1}, {"c": 1, "d": 1}) < 0


def test_measuring_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no article is labelled"):
        bcubed({"a": 1}, {})
    with pytest.raises(ValueError, match="no article is in a cluster"):
        adjusted_rand({}, {})


def test_each_article_has_a_precision_and_a_recall_in_the_order_of_ids() -> None:
    found, labelled = {"a": 1, "b": 1, "c": 1}, {"c": "y", "b": "x", "a": "x", "d": "y"}
    expected = [[2 / 3, 1], [2 / 3, 1], [1 / 3, 0.5], [1, 0.5]]
    assert bcubed_each(found, labelled) == pytest.approx(np.array(expected))
    assert f1(0.0, 0.0) == 0.0
