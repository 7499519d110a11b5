"""Likeness: symmetrical, whole of an article with itself, and a mean vector that gives the lead its weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.likeness import HALVING_DAYS, LEAD_WEIGHT, Portrait, in_words, likeness, mean_vectors, nearness, portrait

terms = st.dictionaries(st.integers(0, 2**32), st.floats(0.01, 1), min_size=1, max_size=20)
seeds = st.integers(0, 1000)


def drawn(weights: dict[int, float], seed: int) -> Portrait:
    vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
    return portrait(vector / np.linalg.norm(vector), weights, moment=None)


@given(terms, seeds, terms, seeds)
def test_two_articles_are_as_like_from_either_side(one: dict, first: int, other: dict, second: int) -> None:
    here, there = drawn(one, first), drawn(other, second)
    assert likeness(here, there) == pytest.approx(likeness(there, here), abs=1e-6)
    assert -1 <= likeness(here, there) <= 1 + 1e-6


@given(terms, seeds)
def test_an_article_is_wholly_like_itself(weights: dict, seed: int) -> None:
    assert likeness(drawn(weights, seed), drawn(weights, seed)) == pytest.approx(1, abs=1e-6)


def test_words_that_only_one_holds_take_from_the_likeness() -> None:
    both, more = drawn({1: 1.0, 2: 1.0}, 0), drawn({1: 1.0, 3: 1.0}, 0)
    assert in_words(both, more) == pytest.approx(0.5)
    assert in_words(both, drawn({7: 1.0}, 0)) == 0


def test_an_article_without_words_or_vector_is_like_nothing() -> None:
    empty = portrait(np.zeros(8, np.float32), {}, moment=None)
    assert likeness(empty, drawn({1: 1.0}, 0)) == 0


def test_the_lead_weighs_more_and_an_article_of_no_passage_has_no_vector() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    means = mean_vectors(vectors, np.array([2, 0, 1]))
    assert means[0] == pytest.approx(np.array([LEAD_WEIGHT, 1]) / np.hypot(LEAD_WEIGHT, 1))
    assert not means[1].any()
    assert means[2] == pytest.approx(np.array([0, 1]))


def test_nearness_in_time_fades_alike_before_and_after_and_never_ends() -> None:
    near = nearness(np.array([0, HALVING_DAYS, -HALVING_DAYS, 365 * 100, np.nan]))
    assert near[:3].tolist() == [1, 0.5, 0.5]
    assert 0 < near[3] < 0.001
    assert near[4] == 0
    assert nearness(np.array([np.nan]), unknown=0.5).tolist() == [0.5]
