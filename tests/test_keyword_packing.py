"""What the keyword index writes in few bytes comes out as it went in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keywords.packing import (
    SHORT,
    Marker,
    in_fewest_bytes,
    pack,
    pack_gaps,
    pack_many,
    pack_nibbles,
    unpack,
    unpack_gaps,
    unpack_many,
    unpack_nibbles,
)

LONGEST = 2**27 - 1
BORDERS = [0, 1, 127, 128, 191, 192, SHORT - 1, SHORT, 2**14, 2**20 - 1, 2**20, LONGEST]
CODES = st.lists(st.sampled_from(BORDERS) | st.integers(0, LONGEST), max_size=50)


@given(CODES)
def test_codes_come_out_as_they_went_in(codes: list[int]) -> None:
    packed, ends = pack(np.array(codes, np.uint32))
    assert unpack(packed).tolist() == codes
    assert ends.tolist() == np.cumsum([len(pack(np.array([code], np.uint32))[0]) for code in codes]).tolist()


@pytest.mark.parametrize(
    ("code", "count"),
    [(0, 1), (127, 1), (128, 2), (SHORT - 1, 2), (SHORT, 3), (2**20 - 1, 3), (2**20, 4), (LONGEST, 4)],
)
def test_small_codes_take_few_bytes(code: int, count: int) -> None:
    assert len(pack(np.array([code], np.uint32))[0]) == count


@given(CODES, st.sets(st.sampled_from(BORDERS), max_size=6))
def test_codes_are_marked_without_unpacking_the_others(codes: list[int], wanted: set[int]) -> None:
    marks = {code: mark for mark, code in enumerate(sorted(wanted))}
    packed, _ = pack(np.array(codes, np.uint32))
    assert Marker(marks, other=99).marks(packed).tolist() == [marks.get(code, 99) for code in codes]


@pytest.mark.parametrize("code", [SHORT, 2**20 - 1, 2**20, LONGEST])
def test_a_long_code_is_marked_where_nothing_comes_before_it(code: int) -> None:
    packed, _ = pack(np.array([code, 1], np.uint32))
    assert Marker({code: 7}, other=99).marks(packed).tolist() == [7, 99]


@given(st.sets(st.integers(0, 3_000) | st.sampled_from([254, 255, 256, 510])))
def test_gaps_come_out_as_they_went_in(articles: set[int]) -> None:
    numbers = np.array(sorted(articles), np.int64)
    assert unpack_gaps(pack_gaps(numbers)).tolist() == numbers.tolist()


@given(st.sets(st.integers(0, 299)), st.integers(300, 5_000))
def test_few_numbers_and_many_come_out_as_they_went_in(articles: set[int], of: int) -> None:
    numbers = np.array(sorted(articles), np.int64)
    packed = pack_many(numbers, of=of)
    assert unpack_many(packed, len(numbers), of=of).tolist() == numbers.tolist()
    assert len(packed) <= max(len(pack_gaps(numbers)), (of + 7) // 8)


def test_what_is_in_most_articles_takes_a_bit_of_each() -> None:
    assert len(pack_many(np.arange(0, 8_000, 2), of=8_000)) == 1_000
    assert len(pack_many(np.arange(0, 8_000, 8), of=8_000)) == 1_000
    assert len(pack_many(np.arange(0, 8_000, 9), of=8_000)) == 889


@pytest.mark.parametrize(
    ("highest", "kind"), [(0, np.uint8), (255, np.uint8), (256, np.uint16), (65_535, np.uint16), (65_536, np.uint32)]
)
def test_numbers_take_as_many_bytes_as_the_highest_needs(highest: int, kind: type[np.unsignedinteger]) -> None:
    found = in_fewest_bytes(np.array([0, highest], np.int64))
    assert found.dtype == kind
    assert found.tolist() == [0, highest]
    assert in_fewest_bytes(np.empty(0, np.int64)).dtype == np.uint8


def test_neighbours_take_a_byte_each() -> None:
    assert len(pack_gaps(np.arange(1_000))) == 1_000
    assert len(pack_gaps(np.array([0, 255, 510]))) == 3
    assert len(pack_gaps(np.array([0, 256]))) == 3


@given(st.lists(st.integers(0, 15), max_size=20), st.data())
def test_nibbles_are_read_from_any_place_to_any(numbers: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(numbers)))
    end = data.draw(st.integers(start, len(numbers)))
    packed = pack_nibbles(np.array(numbers, np.uint8))
    assert len(packed) == (len(numbers) + 1) // 2
    assert unpack_nibbles(packed, start, end).tolist() == numbers[start:end]
