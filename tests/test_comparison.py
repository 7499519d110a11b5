"""A paired comparison, by hand: what two settings did on the same queries."""

from collections.abc import Sequence

import numpy as np
import pytest

from index.evaluation.chance import Chance
from index.evaluation.comparison import WORST, Comparison, compare
from index.evaluation.measures import Figures


def measured(ndcg: Sequence[float], rr: Sequence[float] | None = None) -> Figures:
    return {"nDCG@10": np.array(ndcg, np.float64), "RR": np.array(rr or ndcg, np.float64)}


def compared(first: Figures, second: Figures) -> Comparison:
    ids = [f"q{number}" for number in range(len(first["RR"]))]
    return compare(first, second, settings=("hybrid", "keyword"), query_ids=ids, chance=Chance())


def test_the_difference_is_the_first_setting_minus_the_second() -> None:
    found = compared(measured([1.0, 0.5, 0.5, 0.0]), measured([0.5, 0.5, 0.25, 0.5])).contrasts["nDCG@10"]
    assert found.difference == round((0.5 + 0 + 0.25 - 0.5) / 4, 4)
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.interval[0] < found.difference < found.interval[1]
    # Of the eight patterns of .5, .25 and .5, those with a sum of at least .25 either way: all of them.
    assert found.p == 1.0


def test_what_comes_first_gains_by_what_the_other_loses() -> None:
    one, other = measured([1.0, 0.5, 0.3]), measured([0.5, 0.4, 0.4])
    there, back = compared(one, other).contrasts["RR"], compared(other, one).contrasts["RR"]
    assert (back.difference, back.wins, back.losses, back.p) == (-there.difference, there.losses, there.wins, there.p)


def test_each_measure_is_compared_by_itself() -> None:
    contrasts = compared(measured([1.0, 0.0], [0.0, 0.0]), measured([0.0, 0.0], [1.0, 1.0])).contrasts
    assert list(contrasts) == ["nDCG@10", "RR"]
    assert (contrasts["nDCG@10"].wins, contrasts["RR"].losses) == (1, 2)


def test_the_pairs_are_what_counts_not_the_two_means() -> None:
    """Two settings whose means have overlapping intervals may still differ on every single query."""
    second = np.random.default_rng(1).random(100)
    found = compared(measured(list(second + 0.01)), measured(list(second))).contrasts["RR"]
    assert found.interval == pytest.approx((0.01, 0.01))
    assert found.p < 0.001


def test_a_rounding_error_is_a_tie() -> None:
    found = compared(measured([0.1 + 0.2]), measured([0.3])).contrasts["RR"]
    assert (found.wins, found.ties, found.losses, found.p) == (0, 1, 0, 1.0)


def test_the_queries_that_lose_most_are_named_worst_first() -> None:
    worst = compared(measured([0.9, 0.0, 0.5, 0.2]), measured([0.1, 0.4, 0.5, 1.0])).worst
    assert [(each.query_id, each.first, each.second) for each in worst] == [("q3", 0.2, 1.0), ("q1", 0.0, 0.4)]


def test_of_many_queries_that_lose_the_worst_few_are_named() -> None:
    count = 3 * WORST
    worst = compared(measured([0.0] * count), measured([number / count for number in range(count)])).worst
    assert [each.query_id for each in worst] == [f"q{number}" for number in range(count - 1, count - 1 - WORST, -1)]


def test_queries_that_lose_alike_come_in_the_order_of_their_ids() -> None:
    assert [each.query_id for each in compared(measured([0.0] * 3), measured([1.0] * 3)).worst] == ["q0", "q1", "q2"]
