"""How often terms stand somewhere, packed, compared with the same unpacked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.engine import Floats
from index.keywords.frequencies import STEP, Frequencies, pack

# Most postings are of a term that stands once in the body; the others are of all that is written otherwise.
POSTINGS = st.just((0, 1)) | st.sampled_from([(0, 2), (0, 7), (0, 8), (1, 0), (1, 7), (1, 8), (2, 0), (300, 70_000)])


def packed(postings: list[tuple[int, int]]) -> Frequencies:
    title, body = np.array(postings, np.uint32).reshape(-1, 2).T
    return Frequencies(pack(title, body))


def listed(found: tuple[Floats, Floats]) -> list[tuple[float, float]]:
    return [*zip(*(some.tolist() for some in found), strict=True)]


@given(st.lists(POSTINGS, max_size=60), st.data())
def test_frequencies_are_read_from_any_place_to_any(postings: list[tuple[int, int]], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(postings)))
    end = data.draw(st.integers(start, len(postings)))
    assert listed(packed(postings).between(start, end)) == postings[start:end]


@pytest.mark.parametrize("place", [0, 7, 8, STEP - 1, STEP, STEP + 1, 3 * STEP, 4 * STEP - 1])
def test_what_has_gone_before_is_counted_from_the_last_step(place: int) -> None:
    cycle = [(0, 1), (0, 9), (1, 1), (0, 10), (2, 0), (0, 300)]
    postings = [(title, body * (1 + number)) for number in range(STEP) for title, body in cycle]
    assert listed(packed(postings).between(place, place + 1)) == [postings[place]]
    assert listed(packed(postings).between(place, len(postings))) == postings[place:]


def test_a_term_that_stands_once_takes_a_bit() -> None:
    once = pack(np.zeros(10_000, np.uint32), np.ones(10_000, np.uint32))
    assert sum(array.nbytes for array in once.values()) < 10_000 / 7
