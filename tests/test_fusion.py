"""Fusion: laws that hold for any scores, and a few rankings worked out by hand."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.engine import Candidates, Hit
from index.fusion import FULL_TRUST_SHARE, HALF_TRUST_SCORE, RANK_CONSTANT, Fused, Method, Weights, fuse, keyword_trust

METHODS: tuple[Method, ...] = ("sum", "rrf")
# Few different values, so that ties are common.
KEYWORD = st.sampled_from([0.0, 0.5, 3.0, 3.0, 12.5, 40.0])
SEMANTIC = st.sampled_from([None, -0.5, -0.1, 0.0, 0.01, 0.3, 0.3, 0.9])
WEIGHT = st.sampled_from([0.0, 0.2, 0.5, 1.0])
LEGS = st.lists(st.tuples(KEYWORD, SEMANTIC), max_size=12)
SCORE = st.floats(1e-3, 1e4)


def hit(article_id: str, keyword: float = 0.0, semantic: float | None = None) -> Hit:
    return Hit(article_id=article_id, keyword=keyword, semantic=semantic, best=None)


def candidates(legs: list[tuple[float, float | None]], *, ceiling: float = 50.0) -> Candidates:
    hits = [hit(f"{number:02}", keyword, semantic) for number, (keyword, semantic) in enumerate(legs)]
    return Candidates(hits, complete=True, ceiling=ceiling)


def ids(ranked: "list[Fused]") -> list[str]:
    return [item.hit.article_id for item in ranked]


def order(given_legs: list[tuple[float, float | None]], method: Method, weights: Weights = (0.5, 0.5)) -> list[str]:
    return ids(list(fuse(candidates(given_legs), method=method, weights=weights).ranked))


# Laws


@given(legs=LEGS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT), seed=st.integers(0, 99))
@settings(max_examples=300)
def test_the_order_in_which_hits_come_changes_nothing(
    legs: list[tuple[float, float | None]], method: Method, weights: Weights, seed: int
) -> None:
    straight = candidates(legs)
    shuffled = list(straight.hits)
    random.Random(seed).shuffle(shuffled)
    mixed = Candidates(shuffled, complete=True, ceiling=straight.ceiling)
    assert fuse(mixed, method=method, weights=weights) == fuse(straight, method=method, weights=weights)


@given(legs=LEGS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_scores_fall_and_equal_scores_go_by_id(
    legs: list[tuple[float, float | None]], method: Method, weights: Weights
) -> None:
    ranked = fuse(candidates(legs), method=method, weights=weights).ranked
    keys = [(-item.score, item.hit.article_id) for item in ranked]
    assert keys == sorted(keys)
    assert len(set(ids(list(ranked)))) == len(ranked)


@pytest.mark.parametrize("method", METHODS)
def test_equal_hits_go_by_id_whatever_they_are_called(method: Method) -> None:
    same = [hit("b", 2.0, 0.5), hit("c", 2.0, 0.5), hit("a", 2.0, 0.5)]
    scored = fuse(Candidates(same, complete=True, ceiling=9.0), method="sum").ranked
    assert ids(list(scored)) == ["a", "b", "c"]
    assert len({item.score for item in scored}) == 1
    assert ids(list(fuse(Candidates(same, complete=True, ceiling=9.0), method=method).ranked)) == ["a", "b", "c"]


@given(legs=LEGS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_the_weights_add_up_to_one_or_neither_leg_has_one(
    legs: list[tuple[float, float | None]], method: Method, weights: Weights
) -> None:
    fusion = fuse(candidates(legs), method=method, weights=weights)
    assert all(0.0 <= weight <= 1.0 for weight in fusion.weights)
    if fusion.ranked:
        assert sum(fusion.weights) == pytest.approx(1.0)
    else:
        assert fusion.weights == (0.0, 0.0)


@given(legs=LEGS, method=st.sampled_from(METHODS), weights=st.tuples(WEIGHT, WEIGHT))
@settings(max_examples=300)
def test_everything_a_weighted_leg_found_is_ranked_and_nothing_else(
    legs: list[tuple[float, float | None]], method: Method, weights: Weights
) -> None:
    found = {
        f"{number:02}"
        for number, (keyword, semantic) in enumerate(legs)
        if (weights[0] and keyword > 0) or (weights[1] and semantic is not None)
    }
    assert set(order(legs, method, weights)) == found


@given(legs=LEGS, top=st.tuples(st.sampled_from([50.0, 41.0]), st.sampled_from([0.95, 1.0])))
@settings(max_examples=300)
def test_a_hit_that_is_first_on_both_legs_is_first(
    legs: list[tuple[float, float | None]], top: tuple[float, float]
) -> None:
    for method in METHODS:
        assert order([*legs, top], method)[0] == f"{len(legs):02}"


@given(legs=LEGS.filter(lambda legs: len(legs) > 1), better=st.integers(0, 11), worse=st.integers(0, 11))
@settings(max_examples=300)
def test_a_hit_that_is_better_on_both_legs_stands_before_the_other(
    legs: list[tuple[float, float | None]], better: int, worse: int
) -> None:
    pairs = [(keyword, semantic) for keyword, semantic in legs if semantic is not None]
    if max(better, worse) >= len(pairs):
        return
    if not (pairs[better][0] > pairs[worse][0] and pairs[better][1] > pairs[worse][1]):
        return
    for method in METHODS:
        ranking = order(list(pairs), method)
        assert ranking.index(f"{better:02}") < ranking.index(f"{worse:02}")


@given(cosines=st.lists(st.sampled_from([-0.9, -0.4, -0.1, 0.0, 0.2, 0.8]), unique=True, min_size=1))
def test_a_single_leg_keeps_its_own_order_also_below_zero(cosines: list[float]) -> None:
    best_first = [f"{cosines.index(cosine):02}" for cosine in sorted(cosines, reverse=True)]
    for method in METHODS:
        assert order([(0.0, cosine) for cosine in cosines], method, (0.0, 1.0)) == best_first


@given(legs=LEGS, method=st.sampled_from(METHODS))
def test_ranks_count_from_one_and_only_what_the_leg_found(
    legs: list[tuple[float, float | None]], method: Method
) -> None:
    ranked = fuse(candidates(legs), method=method).ranked
    for leg, rank in (("keyword", "keyword_rank"), ("semantic", "semantic_rank")):
        placed = [item for item in ranked if getattr(item, rank) is not None]
        assert sorted(getattr(item, rank) for item in placed) == list(range(1, len(placed) + 1))
        by_place = sorted(placed, key=lambda item: getattr(item, rank))
        scores = [(-getattr(item.hit, leg), item.hit.article_id) for item in by_place]
        assert scores == sorted(scores)
        unplaced = [getattr(item.hit, leg) for item in ranked if getattr(item, rank) is None]
        assert not any(unplaced)


# How far the keyword leg is trusted


@given(low=SCORE, more=st.floats(0, 1e4), ceiling=SCORE)
def test_trust_grows_with_the_best_score(low: float, more: float, ceiling: float) -> None:
    weak, strong = (keyword_trust(candidates([(best, None)], ceiling=ceiling)) for best in (low, low + more))
    assert 0.0 <= weak <= strong <= 1.0


@given(best=SCORE, ceiling=SCORE, more=st.floats(0, 1e4))
def test_trust_falls_with_what_the_query_could_have_scored(best: float, ceiling: float, more: float) -> None:
    asked_little, asked_much = (
        keyword_trust(candidates([(best, None)], ceiling=highest)) for highest in (ceiling, ceiling + more)
    )
    assert asked_much <= asked_little


def test_trust_is_nothing_without_words_half_at_its_constant_and_whole_at_its_share() -> None:
    assert keyword_trust(candidates([])) == 0.0
    assert keyword_trust(candidates([(0.0, 0.9)])) == 0.0
    assert keyword_trust(candidates([(HALF_TRUST_SCORE, None)], ceiling=1e9)) == pytest.approx(0.5)
    assert keyword_trust(candidates([(1.0, None)], ceiling=1.0 / FULL_TRUST_SHARE)) == pytest.approx(1.0)
    assert keyword_trust(candidates([(1.0, None)], ceiling=2.0 / FULL_TRUST_SHARE)) == pytest.approx(0.25)


def test_a_stray_common_word_does_not_outweigh_meaning() -> None:
    legs = [(0.2, 0.1), (0.0, 0.8)]
    assert order(legs, "sum") == ["01", "00"]
    assert fuse(candidates(legs), method="sum").weights[0] < 0.01


def test_trust_is_not_asked_for_where_only_words_count() -> None:
    assert fuse(candidates([(0.2, None)]), method="sum", weights=(1.0, 0.0)).weights == (1.0, 0.0)
    assert fuse(candidates([(0.2, 0.5)]), method="rrf").weights == (0.5, 0.5)


# Worked out by hand


def test_the_weighted_sum_by_hand() -> None:
    # Trust: 6 of a ceiling of 10 is the full share, so both weigh a half. Best scores are 6 and 0.8.
    fusion = fuse(candidates([(6.0, 0.2), (3.0, 0.8), (0.0, 0.4), (1.5, -0.4)], ceiling=10.0), method="sum")
    assert fusion.weights == pytest.approx((0.5, 0.5))
    assert [(item.hit.article_id, item.keyword_rank, item.semantic_rank) for item in fusion.ranked] == [
        ("01", 2, 1),
        ("00", 1, 3),
        ("02", None, 2),
        ("03", 3, 4),
    ]
    assert [item.score for item in fusion.ranked] == pytest.approx([0.75, 0.625, 0.25, 0.125 - 0.2])


def test_half_trusted_words_weigh_half_as_much() -> None:
    # 10 points of a ceiling beyond reach are half trusted: 0.25 beside 0.5, which is 1/3 to 2/3.
    fusion = fuse(candidates([(10.0, 0.3), (0.0, 0.6)], ceiling=1e6), method="sum")
    assert fusion.weights == pytest.approx((1 / 3, 2 / 3))
    assert [item.score for item in fusion.ranked] == pytest.approx([2 / 3, 1 / 3 + 1 / 3])


def test_reciprocal_rank_fusion_by_hand() -> None:
    assert RANK_CONSTANT == 60
    fusion = fuse(candidates([(9.0, 0.1), (4.0, 0.9), (0.0, 0.5), (7.0, None)]), method="rrf", weights=(0.25, 0.75))
    expected = {
        "00": 0.25 / 61 + 0.75 / 63,
        "01": 0.25 / 63 + 0.75 / 61,
        "02": 0.75 / 62,
        "03": 0.25 / 62,
    }
    assert ids(list(fusion.ranked)) == sorted(expected, key=lambda key: -expected[key])
    assert {item.hit.article_id: item.score for item in fusion.ranked} == pytest.approx(expected)


def test_a_leg_that_found_nothing_leaves_the_other_its_whole_weight() -> None:
    for method in METHODS:
        assert fuse(candidates([(5.0, None)]), method=method).weights == (1.0, 0.0)
        assert fuse(candidates([(0.0, 0.4)]), method=method).weights == (0.0, 1.0)
        assert fuse(candidates([]), method=method).ranked == []


def test_a_cosine_just_above_zero_does_not_blow_up_the_others() -> None:
    fusion = fuse(candidates([(40.0, -0.3), (0.0, 0.001)]), method="sum")
    assert ids(list(fusion.ranked))[0] == "01"  # first of the leg that found it, the other weighing a half
    assert all(-1.0 <= item.score <= 1.0 for item in fusion.ranked)
