"""The order of scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.order import best_first

SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-1, 1), max_size=40)


@given(SCORES, st.integers(0, 50))
def test_the_best_come_first_and_of_equals_the_earliest_however_many_are_wanted(scores: list[float], most: int) -> None:
    expected = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
    assert best_first(np.array(scores)).tolist() == expected
    assert best_first(np.array(scores), most=most).tolist() == expected[:most]


@given(SCORES, st.integers(0, 50), st.randoms())
def test_of_equals_the_one_of_the_smallest_number_comes_first(scores: list[float], most: int, random: object) -> None:
    numbers = list(range(7, 7 + len(scores)))
    random.shuffle(numbers)  # type: ignore[attr-defined]
    expected = sorted(range(len(scores)), key=lambda place: (-scores[place], numbers[place]))
    assert best_first(np.array(scores), numbers=np.array(numbers, np.int64)).tolist() == expected
    assert best_first(np.array(scores), most=most, numbers=np.array(numbers, np.int64)).tolist() == expected[:most]


@pytest.mark.parametrize("kind", ["distinct", "many equals", "ascending", "all high ones beside the sampled"])
@pytest.mark.parametrize("most", [1, 15, 16, 100, 1_000, 2_400, 4_999])
def test_of_many_the_best_are_found_wherever_they_stand(kind: str, most: int) -> None:
    random = np.random.default_rng(3)
    scores = random.random(5_000)
    if kind == "many equals":
        scores = np.round(scores, 2)
    elif kind == "ascending":
        scores = np.sort(scores)
    elif kind != "distinct":
        scores[::16] = -scores[::16]
    assert best_first(scores, most=most).tolist() == np.argsort(-scores, kind="stable")[:most].tolist()
