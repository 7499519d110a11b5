"""Fusion: laws that hold for any scores, and a few rankings worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.engine import Candidates, Floats, Ints, as_ids, unscored
from index.fusion import (
    BLEND,
    RANK_CONSTANT,
    TIME_WEIGHT,
    WEIGHTS,
    Blend,
    Fusion,
    Method,
    Recency,
    Weights,
    fuse,
    fuse_related,
    keyword_trust,
)

METHODS: tuple[Method, ...] = ("sum", "rrf")
NAN = float("nan")
BARE = Blend(words=2 / 3, complete=0.0, second=0.0, common=0.0, feedback=0.0)  # nothing but the two legs
# Few different values, so that ties are common.
KEYWORD = st.sampled_from([0.0, 0.5, 3.0, 3.0, 12.5, 40.0])
COSINE = st.sampled_from([NAN, -0.5, -0.1, 0.0, 0.01, 0.3, 0.3, 0.9])
SHARE = st.sampled_from([0.0, 0.3, 0.3, 1.0])
WEIGHT = st.sampled_from([0.0, 0.2, 0.5, 1.0])
Row = tuple[float, float, float, float, float]  # keyword, cosine, second cosine, coverage, common
ROWS = st.lists(st.tuples(KEYWORD, COSINE, COSINE, SHARE, SHARE), max_size=12)
SCORE = st.floats(1e-3, 1e4)


def candidates(
    keyword: list[float],
    semantic: list[float],
    *,
    coverage: list[float] | None = None,
    second: list[float] | None = None,
    common: list[float] | None = None,
) -> Candidates:
    blank = unscored(as_ids(f"{number:02}" for number in range(len(keyword))), np.arange(len(keyword)))
    return replace(
        blank,
        keyword=np.array(keyword, np.float64),
        semantic=np.array(semantic, np.float64),
        coverage=blank.coverage if coverage is None else np.array(coverage, np.float64),
        second=blank.second if second is None else np.array(second, np.float64),
        common=blank.common if common is None else np.array(common, np.float64),
    )


def of_rows(rows: list[Row]) -> Candidates:
    """A row without a passage has neither a second cosine nor one with all passages, as an engine gives it."""
    keyword, semantic, second, coverage, common = (
        (list(column) for column in zip(*rows, strict=True)) if rows else [[]] * 5
    )
    blind = np.isnan(np.array(semantic, np.float64))
    return candidates(
        keyword,
        semantic,
        coverage=coverage,
        second=np.where(blind, NAN, np.array(second, np.float64)).tolist(),
        common=np.where(blind, 0.0, np.array(common, np.float64)).tolist(),
    )


def all_parts(fusion: Fusion) -> Floats:
    total: Floats = np.sum(list(fusion.parts.values()), axis=0)
    return total


# Laws


@given(rows=ROWS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT), recent=st.booleans())
@settings(max_examples=300)
def test_a_score_is_the_sum_of_its_parts(rows: list[Row], method: Method, weights: Weights, recent: bool) -> None:
    n = len(rows)
    recency = Recency(age=np.arange(n, dtype=np.float64), weight=0.3, half_life=2.0) if recent else None
    fusion = fuse(
        of_rows(rows), method=method, weights=weights, likeness=lambda _: np.linspace(0, 1, n), recency=recency
    )
    assert np.allclose(all_parts(fusion), fusion.score, rtol=0, atol=1e-12)
    assert ("recency" in fusion.parts) == recent
    assert np.isfinite(fusion.score).all()


@given(rows=ROWS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_scores_fall_and_equal_scores_go_by_id(rows: list[Row], method: Method, weights: Weights) -> None:
    fusion = fuse(of_rows(rows), method=method, weights=weights)
    keys = [(-fusion.score[row], row) for row in fusion.order.tolist()]
    assert keys == sorted(keys)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weights", [WEIGHTS, (1.0, 0.0), (0.0, 1.0)])
def test_fifty_articles_that_score_the_same_stand_by_id(method: Method, weights: Weights) -> None:
    fusion = fuse(candidates([2.0] * 50, [0.5] * 50), method="sum", weights=weights)
    assert fusion.order.tolist() == list(range(50))
    assert len(set(fusion.score.tolist())) == 1
    assert fuse(candidates([2.0] * 50, [0.5] * 50), method=method, weights=weights).order.tolist() == list(range(50))


@given(rows=ROWS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_the_weights_add_up_to_one_or_neither_leg_has_one(rows: list[Row], method: Method, weights: Weights) -> None:
    fusion = fuse(of_rows(rows), method=method, weights=weights)
    assert all(0.0 <= weight <= 1.0 for weight in fusion.weights)
    assert sum(fusion.weights) == pytest.approx(1.0 if len(fusion.order) else 0.0)


@given(rows=ROWS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_what_a_weighted_leg_found_is_ranked_and_nothing_else_scores(
    rows: list[Row], method: Method, weights: Weights
) -> None:
    fusion = fuse(of_rows(rows), method=method, weights=weights)
    found = {
        number
        for number, (keyword, cosine, *_) in enumerate(rows)
        if (weights[0] and keyword > 0) or (weights[1] and cosine == cosine)
    }
    assert set(fusion.order.tolist()) == found
    assert all(fusion.score[number] == 0.0 for number in set(range(len(rows))) - found)


@given(rows=ROWS, weights=st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.0, 0.3)]))
@settings(max_examples=300)
def test_a_leg_alone_is_ranked_by_its_own_score_whatever_else_is_known(rows: list[Row], weights: Weights) -> None:
    given_rows = of_rows(rows)
    fusion = fuse(given_rows, method="sum", weights=weights, likeness=lambda _: np.linspace(0, 1, len(rows)))
    own = given_rows.keyword if weights[0] else given_rows.semantic
    places = [-own[row] for row in fusion.order.tolist()]
    assert places == sorted(places)
    assert set(fusion.parts) == {"keyword", "semantic"}


@given(rows=ROWS, method=st.sampled_from(METHODS))
def test_ranks_count_from_one_and_only_what_the_leg_found(rows: list[Row], method: Method) -> None:
    given_rows = of_rows(rows)
    fusion = fuse(given_rows, method=method)
    for scores, found, ranks in (
        (given_rows.keyword, given_rows.keyword > 0, fusion.keyword_rank),
        (given_rows.semantic, ~np.isnan(given_rows.semantic), fusion.semantic_rank),
    ):
        assert not ranks[~found].any()
        assert sorted(ranks[found].tolist()) == list(range(1, int(found.sum()) + 1))
        by_place = sorted(np.flatnonzero(found).tolist(), key=lambda row, ranks=ranks: int(ranks[row]))  # type: ignore[misc]
        assert [(-scores[row], row) for row in by_place] == sorted((-scores[row], row) for row in by_place)


@given(rows=ROWS, better=st.tuples(KEYWORD, st.sampled_from([0.91, 0.95]), st.just(1.0)))
@settings(max_examples=300)
def test_an_article_ahead_of_all_in_everything_is_first(rows: list[Row], better: tuple[float, float, float]) -> None:
    top = (better[0] + 41.0, better[1], better[1], better[2], 0.0)
    assert fuse(of_rows([*rows, top]), method="sum").order[0] == len(rows)
    assert fuse(of_rows([*rows, top]), method="rrf").order[0] == len(rows)


BEST: Row = (50.0, 1.0, 1.0, 1.0, 0.0)  # what the best has in words is the measure of all, so it is held fixed
MIDDLING: Row = (20.0, 0.4, 0.4, 0.5, 0.3)
BETTER: list[Row] = [
    (21.0, 0.4, 0.4, 0.5, 0.3),
    (20.0, 0.5, 0.4, 0.5, 0.3),
    (20.0, 0.4, 0.5, 0.5, 0.3),
    (20.0, 0.4, 0.4, 0.9, 0.3),
    (20.0, 0.4, 0.4, 0.5, 0.2),
]


@given(rows=ROWS, better=st.sampled_from(BETTER))
@settings(max_examples=300)
def test_more_of_anything_that_speaks_for_an_article_lifts_its_score_alone(rows: list[Row], better: Row) -> None:
    before = fuse(of_rows([MIDDLING, BEST, *rows]), method="sum").score
    after = fuse(of_rows([better, BEST, *rows]), method="sum").score
    assert after[0] > before[0]
    assert after[1:].tolist() == before[1:].tolist()


# How far the keyword leg is trusted


@given(low=SCORE, more=st.floats(0, 1e4))
def test_trust_grows_with_the_best_score(low: float, more: float) -> None:
    weak, strong = (keyword_trust(candidates([best], [NAN])) for best in (low, low + more))
    assert 0.0 <= weak <= strong <= 1.0


def test_trust_is_nothing_without_words_and_half_at_its_constant() -> None:
    assert keyword_trust(candidates([], [])) == 0.0
    assert keyword_trust(candidates([0.0], [0.9])) == 0.0
    assert keyword_trust(candidates([BLEND.half_trust], [NAN])) == pytest.approx(0.5)
    assert keyword_trust(candidates([3 * BLEND.half_trust], [NAN])) == pytest.approx(0.9)


def test_a_stray_common_word_does_not_outweigh_meaning() -> None:
    fusion = fuse(candidates([0.2, 0.0], [0.1, 0.8], coverage=[0.1, 0.0]), method="sum")
    assert fusion.order.tolist() == [1, 0]
    assert fusion.weights[0] < 0.01


def test_trust_is_not_asked_for_where_only_words_count_nor_for_ranks() -> None:
    assert fuse(candidates([0.2], [NAN]), method="sum", weights=(1.0, 0.0)).weights == (1.0, 0.0)
    assert fuse(candidates([0.2], [0.5]), method="rrf").weights == WEIGHTS


# What each part is for


def test_an_article_that_holds_every_word_stands_before_one_that_is_a_little_nearer_in_meaning() -> None:
    some = candidates([8.0, 7.0], [0.30, 0.40], coverage=[0.6, 0.6])
    every = candidates([8.0, 7.0], [0.30, 0.40], coverage=[1.0, 0.6])
    assert fuse(some, method="sum").order.tolist() == [1, 0]
    assert fuse(every, method="sum").order.tolist() == [0, 1]


def test_half_of_the_words_are_next_to_nothing() -> None:
    complete = fuse(candidates([8.0, 8.0], [0.3, 0.3], coverage=[1.0, 0.5]), method="sum").parts["complete"]
    assert complete[1] == pytest.approx(complete[0] / 2**6)


def test_words_that_stand_together_lift_an_article_and_count_towards_trust() -> None:
    apart = candidates([5.0, 5.0], [0.4, 0.4])
    together = replace(apart, pairs=np.array([0.0, 5.0]))
    assert fuse(apart, method="sum").order.tolist() == [0, 1]
    fusion = fuse(together, method="sum", weights=WEIGHTS)
    assert fusion.order.tolist() == [1, 0]
    assert fusion.parts["keyword"][0] == pytest.approx(fusion.parts["keyword"][1] * 5 / (5 + BLEND.pairs * 5))
    assert keyword_trust(together) > keyword_trust(apart)
    assert fuse(together, method="sum", weights=(1.0, 0.0)).order.tolist() == [0, 1]  # alone, BM25 is all there is


def test_two_near_passages_are_better_than_one() -> None:
    fusion = fuse(candidates([0.0, 0.0], [0.6, 0.6], second=[0.1, 0.5]), method="sum")
    assert fusion.order.tolist() == [1, 0]


def test_an_article_of_a_single_passage_loses_nothing_by_it() -> None:
    fusion = fuse(candidates([0.0, 0.0], [0.6, 0.6], second=[NAN, 0.6]), method="sum")
    assert fusion.score[0] == fusion.score[1]


def test_a_passage_that_is_near_to_everything_is_taken_down() -> None:
    fusion = fuse(candidates([0.0, 0.0], [0.62, 0.60], common=[0.3, 0.1]), method="sum")
    assert fusion.order.tolist() == [1, 0]


def test_of_two_as_good_the_one_that_is_like_the_first_articles_comes_first() -> None:
    alike = candidates([0.0] * 3, [0.9, 0.5, 0.5])
    assert fuse(alike, method="sum").order.tolist() == [0, 1, 2]
    asked: list[list[int]] = []

    def likeness(first: Ints) -> Floats:
        asked.append(first.tolist())
        return np.array([1.0, 0.2, 0.7])

    fusion = fuse(alike, method="sum", likeness=likeness)
    assert asked == [[0, 1]]  # the first two by the score without it
    assert fusion.order.tolist() == [0, 2, 1]
    assert fusion.parts["feedback"].tolist() == pytest.approx([0.2, 0.04, 0.14])


# Recency


def test_the_newest_gains_the_weight_and_an_older_one_half_of_it_after_a_half_life() -> None:
    recency = Recency(age=np.array([NAN, 60.0, 30.0, 0.0]), weight=0.1, half_life=30.0)
    fusion = fuse(candidates([0.0] * 4, [0.8, 0.8, 0.8, 0.8]), method="sum", recency=recency)
    assert fusion.parts["recency"].tolist() == pytest.approx([0.0, 0.025, 0.05, 0.1])
    assert fusion.order.tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("method", METHODS)
@given(rows=ROWS, ages=st.lists(st.sampled_from([NAN, 0.0, 5.0, 4000.0]), min_size=12, max_size=12), weight=WEIGHT)
def test_recency_never_adds_more_than_its_weight(
    method: Method, rows: list[Row], ages: list[float], weight: float
) -> None:
    recency = Recency(age=np.array(ages[: len(rows)]), weight=weight, half_life=365.0)
    without = fuse(of_rows(rows), method=method)
    within = fuse(of_rows(rows), method=method, recency=recency)
    added = within.score - without.score
    assert (added >= -1e-12).all()
    assert (added <= weight / (1 if method == "sum" else RANK_CONSTANT + 1) + 1e-12).all()
    assert set(within.order.tolist()) == set(without.order.tolist())


def test_without_dates_or_weight_recency_changes_nothing() -> None:
    given_rows = candidates([1.0, 2.0], [0.4, 0.3])
    plain = fuse(given_rows, method="sum")
    undated = fuse(given_rows, method="sum", recency=Recency(age=np.array([NAN, NAN]), weight=0.5, half_life=30.0))
    off = fuse(given_rows, method="sum", recency=Recency(age=np.array([0.0, 9.0]), weight=0.0, half_life=30.0))
    assert undated.score.tolist() == off.score.tolist() == plain.score.tolist()
    assert "recency" not in off.parts


def test_an_article_from_the_future_gains_no_more_than_the_newest() -> None:
    recency = Recency(age=np.array([-900.0, 0.0]), weight=0.1, half_life=30.0)
    parts = fuse(candidates([0.0, 0.0], [0.5, 0.5]), method="sum", recency=recency).parts
    assert parts["recency"][0] == parts["recency"][1]


# Worked out by hand


def test_the_two_legs_by_hand() -> None:
    # The best BM25 score is the constant: the keyword leg is half trusted, 1/3 beside 1, which is 1/4 to 3/4.
    legs = candidates([10.0, 5.0, 0.0, 2.5], [0.2, 0.8, 0.4, -0.4])
    fusion = fuse(legs, method="sum", blend=BARE)
    assert fusion.weights == pytest.approx((0.25, 0.75))
    assert fusion.score.tolist() == pytest.approx([0.25 + 0.15, 0.125 + 0.6, 0.3, 0.0625 - 0.3])
    assert fusion.order.tolist() == [1, 0, 2, 3]
    assert fusion.keyword_rank.tolist() == [1, 2, 0, 3]
    assert fusion.semantic_rank.tolist() == [3, 1, 2, 4]


def test_all_parts_by_hand() -> None:
    legs = candidates([10.0, 5.0], [0.8, NAN], coverage=[1.0, 0.5], second=[0.3, NAN], common=[0.2, 0.0])
    fusion = fuse(legs, method="sum", likeness=lambda _: np.array([0.5, 0.0]), blend=replace(BLEND, words=2 / 3))
    assert {name: part.tolist() for name, part in fusion.parts.items()} == {
        "keyword": pytest.approx([0.25, 0.125]),
        "complete": pytest.approx([0.75 * 0.5, 0.75 * 0.5 * 0.5 / 64]),
        "semantic": pytest.approx([0.75 * (0.8 * 0.8 - 0.75 * 0.2), 0.0]),
        "passages": pytest.approx([0.75 * 0.2 * 0.3, 0.0]),
        "feedback": pytest.approx([0.75 * 0.2 * 0.5, 0.0]),
    }


def test_reciprocal_rank_fusion_by_hand() -> None:
    assert RANK_CONSTANT == 60
    fusion = fuse(candidates([9.0, 4.0, 0.0, 7.0], [0.1, 0.9, 0.5, NAN]), method="rrf", weights=(0.25, 0.75))
    assert fusion.score.tolist() == pytest.approx([0.25 / 61 + 0.75 / 63, 0.25 / 63 + 0.75 / 61, 0.75 / 62, 0.25 / 62])


@pytest.mark.parametrize("method", METHODS)
def test_a_leg_that_found_nothing_leaves_the_other_its_whole_weight(method: Method) -> None:
    assert fuse(candidates([5.0], [NAN]), method=method).weights == (1.0, 0.0)
    assert fuse(candidates([0.0], [0.4]), method=method).weights == (0.0, 1.0)
    assert fuse(candidates([], []), method=method).order.tolist() == []


def test_single_legs_keep_their_order_below_zero_too() -> None:
    assert fuse(candidates([0.0] * 3, [-0.9, -0.1, -0.4]), method="sum", weights=(0.0, 1.0)).order.tolist() == [1, 2, 0]


# Related articles


@given(ROWS, st.sampled_from([WEIGHTS, (1.0, 0.0), (0.0, 1.0)]), st.floats(1, 100))
def test_a_related_score_is_the_sum_of_its_parts_and_a_leg_alone_knows_no_time(
    rows: list[Row], weights: Weights, ceiling: float
) -> None:
    given_rows = replace(of_rows(rows), ceiling=ceiling)
    near = np.linspace(0, 1, len(rows))
    fusion = fuse_related(given_rows, nearness=near, weights=weights)
    assert fusion.score == pytest.approx(sum(fusion.parts.values(), np.zeros(len(rows))))
    assert ("time" in fusion.parts) == all(weights)
    assert (np.diff(fusion.score[fusion.order]) <= 0).all()
    by_words = (given_rows.keyword > 0) & (fusion.weights[0] > 0)
    by_meaning = ~np.isnan(given_rows.semantic) & (fusion.weights[1] > 0)
    assert set(fusion.order.tolist()) <= set(np.flatnonzero(by_words | by_meaning).tolist())


def test_what_is_no_relative_by_its_legs_is_none_by_its_date() -> None:
    three = replace(candidates([4.0, 3.0, 2.0], [0.3, 0.0, NAN]), ceiling=10.0)
    near = np.ones(3)
    assert fuse_related(three, nearness=near).order.tolist() == [0]
    assert fuse_related(three, nearness=near, weights=(1.0, 0.0)).order.tolist() == [0, 1, 2]
    assert fuse_related(three, nearness=near, weights=(0.0, 1.0)).order.tolist() == [0]


def test_words_count_by_their_share_of_what_could_be_reached() -> None:
    """The nearest of strangers is no relative: beside the best of them it would count as one."""
    strangers = replace(candidates([2.0, 1.0], [0.1, 0.1]), ceiling=100.0)
    fusion = fuse_related(strangers, nearness=np.zeros(2))
    assert fusion.parts["keyword"] == pytest.approx([0.01, 0.005])


def test_of_two_alike_the_one_of_the_day_comes_first_and_time_never_outweighs_meaning() -> None:
    alike = replace(candidates([5.0, 5.0, 5.0], [0.6, 0.6, 0.8]), ceiling=10.0)
    fusion = fuse_related(alike, nearness=np.array([0.0, 1.0, 0.0]))
    assert fusion.order.tolist() == [2, 1, 0]
    assert fusion.parts["time"] == pytest.approx([0.0, TIME_WEIGHT, 0.0])
