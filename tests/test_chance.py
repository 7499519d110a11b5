"""Chance: intervals and p values against distributions that can be written out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.evaluation import chance
from index.evaluation.chance import MAX_EXACT, Chance, interval, intervals, randomisation_p


def values(*numbers: float) -> chance.Floats:
    return np.array(numbers, np.float64)


def normal(count: int, *, mean: float = 0.0, seed: int = 0) -> chance.Floats:
    return np.random.default_rng(seed).normal(mean, 1.0, count)


# Intervals


def test_an_interval_is_that_of_all_possible_resamples() -> None:
    asked = values(0.0, 0.1, 0.35, 0.5, 1.0)
    every = [sum(drawn) / 5 for drawn in itertools.product(asked.tolist(), repeat=5)]  # 3,125 equally likely means
    low, high = interval(asked, Chance(resamples=200_000))
    assert low == pytest.approx(np.quantile(every, 0.025), abs=0.011)  # the means lie .01 and more apart out there
    assert high == pytest.approx(np.quantile(every, 0.975), abs=0.011)


def test_of_two_queries_one_right_and_one_wrong_nothing_is_known() -> None:
    # Both drawn wrong: one in four; both right: one in four. More than 2.5% lie on either end.
    assert interval(values(0.0, 1.0), Chance()) == (0.0, 1.0)


def test_with_many_queries_it_is_the_textbook_interval_of_a_mean() -> None:
    asked = normal(2_000)
    reach = 1.959964 * asked.std() / np.sqrt(len(asked))  # the normal distribution's 97.5% point
    low, high = interval(asked, Chance())
    assert low == pytest.approx(asked.mean() - reach, abs=reach / 20)
    assert high == pytest.approx(asked.mean() + reach, abs=reach / 20)


def test_nineteen_in_twenty_intervals_hold_the_truth() -> None:
    held = [
        low <= 0.3 <= high
        for trial in range(400)
        for answers in [(np.random.default_rng(trial).random(120) < 0.3).astype(np.float64)]
        for low, high in [interval(answers, Chance(seed=trial, resamples=1_000))]
    ]
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_lower_confidence_is_a_narrower_interval() -> None:
    sure, unsure = (interval(normal(50), Chance(confidence=confidence)) for confidence in (0.95, 0.5))
    assert sure[0] < unsure[0] < unsure[1] < sure[1]


def test_the_same_seed_gives_the_same_interval_and_another_a_near_one() -> None:
    asked = normal(100)
    assert interval(asked, Chance(seed=3)) == interval(asked, Chance(seed=3))
    assert interval(asked, Chance(seed=3)) != interval(asked, Chance(seed=4))
    assert interval(asked, Chance(seed=3)) == pytest.approx(interval(asked, Chance(seed=4)), abs=0.02)


def test_every_column_sees_the_same_queries() -> None:
    asked = normal(60)
    both = intervals(np.column_stack([asked, 2 * asked + 1]), Chance())
    assert both[1] == pytest.approx(tuple(2 * edge + 1 for edge in both[0]))
    assert both[0] == pytest.approx(interval(asked, Chance()))


def test_drawing_in_blocks_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = normal(70)
    whole = interval(asked, Chance(resamples=1_000)), randomisation_p(asked + 0.1, Chance(resamples=1_000))
    monkeypatch.setattr(chance, "BLOCK_CELLS", 7_777)
    again = interval(asked, Chance(resamples=1_000)), randomisation_p(asked + 0.1, Chance(resamples=1_000))
    assert again[0] == pytest.approx(whole[0])
    assert again[1] == whole[1]


def test_no_queries_have_no_interval() -> None:
    with pytest.raises(ValueError, match="no queries"):
        interval(values(), Chance())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_an_interval_lies_within_what_was_measured(numbers: list[float]) -> None:
    low, high = interval(values(*numbers), Chance(resamples=200))
    assert min(numbers) - 1e-12 <= low <= high <= max(numbers) + 1e-12


# The randomisation test


def test_with_few_queries_every_pattern_of_signs_counts() -> None:
    # 1 + 2 + 3 = 6 is reached by +++ and ---, two of eight patterns; nothing else is as far from 0.
    assert randomisation_p(values(1, 2, 3), Chance()) == 2 / 8
    # 1 + 2 - 3 = 0 is reached or passed by all eight.
    assert randomisation_p(values(1, 2, -3), Chance()) == 1.0
    # 2 + 3 - 1 = 4: +++, ++- of the 1, and their opposites.
    assert randomisation_p(values(-1, 2, 3), Chance()) == 4 / 8


def test_queries_on_which_both_are_equal_say_nothing() -> None:
    assert randomisation_p(values(1, 2, 3, 0, 0, 0), Chance()) == 2 / 8
    assert randomisation_p(values(0, 0), Chance()) == 1.0


def test_with_many_queries_it_agrees_with_the_exact_answer() -> None:
    differences = values(*[0.3, -0.1, 0.2, 0.4, -0.2, 0.1, 0.15, -0.05, 0.25, 0.35, -0.3, 0.1, 0.05, 0.2])
    assert len(differences) == MAX_EXACT + 1
    signs = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    assert randomisation_p(differences, Chance(resamples=100_000)) == pytest.approx(exact, abs=0.005)


def test_a_difference_that_is_everywhere_is_no_chance_and_one_that_is_nowhere_is() -> None:
    assert randomisation_p(normal(200, mean=1.0), Chance()) == pytest.approx(1 / 10_001)
    noise = [randomisation_p(normal(60, seed=seed), Chance(resamples=500)) for seed in range(200)]
    assert 0.01 <= np.mean(np.array(noise) < 0.05) <= 0.10  # one in twenty is below .05 by chance
    assert 0.4 <= np.mean(noise) <= 0.6


def test_which_setting_comes_first_does_not_matter_to_p() -> None:
    differences = normal(30, mean=0.2)
    assert randomisation_p(differences, Chance()) == randomisation_p(-differences, Chance())
