"""Packs: every text once, padded by little, within the budget and the model's limit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.packs import LENGTH_STEP, packs, padded, rounded, slices

LENGTHS = st.lists(st.integers(min_value=1, max_value=250), max_size=300)
BUDGETS = st.integers(min_value=1, max_value=5_000)


@given(LENGTHS, BUDGETS)
def test_packs_hold_every_text_once(lengths: list[int], budget: int) -> None:
    made = list(packs(lengths, tokens=budget, limit=250))
    assert sorted(number for pack in made for number in pack.texts) == list(range(len(lengths)))


@given(LENGTHS, BUDGETS)
def test_no_pack_exceeds_the_budget_unless_it_is_one_text(lengths: list[int], budget: int) -> None:
    for pack in packs(lengths, tokens=budget, limit=250):
        assert pack.length * len(pack.texts) <= budget or len(pack.texts) == 1


@given(LENGTHS, BUDGETS)
def test_a_text_is_padded_by_less_than_a_step_and_never_past_the_limit(lengths: list[int], budget: int) -> None:
    for pack in packs(lengths, tokens=budget, limit=250):
        assert pack.length <= 250
        assert all(0 <= pack.length - lengths[number] < LENGTH_STEP for number in pack.texts)


@given(LENGTHS)
def test_the_longest_run_first_and_of_each_length_only_the_last_pack_is_not_full(lengths: list[int]) -> None:
    made = list(packs(lengths, tokens=2_000, limit=250))
    assert [pack.length for pack in made] == sorted((pack.length for pack in made), reverse=True)
    unfinished = [pack.length for pack in made if (len(pack.texts) + 1) * pack.length <= 2_000]
    assert len(unfinished) == len(set(unfinished))


def test_many_lengths_make_few_shapes() -> None:
    assert len({rounded(length, limit=256) for length in range(257)}) == 256 // LENGTH_STEP


def test_what_is_padded_is_masked() -> None:
    ids, mask = padded([[5, 6, 7], [8]], length=4)
    assert ids.tolist() == [[5, 6, 7, 0], [8, 0, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 0], [1, 0, 0, 0]]
    assert ids.dtype == mask.dtype == np.int64


def test_slices_keep_the_order_and_lose_nothing() -> None:
    assert slices(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert slices([], 2) == []
