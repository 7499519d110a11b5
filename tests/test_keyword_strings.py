"""Strings packed by what they share with one before them, compared with a list of them."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from index.keywords.strings import ABSENT, STEP, Strings, pack

ALIKE = st.text("ab\0é中\U0010ffff", max_size=24).map(lambda rest: f"abcabcab{rest}")
STRINGS = st.sets(st.text(max_size=300) | ALIKE).map(lambda found: sorted(string.encode() for string in found))
MANY = [f"word{number:04}".encode() for number in range(5 * STEP)]


def packed(strings: list[bytes]) -> Strings:
    return Strings(*pack(strings), count=len(strings))


@given(STRINGS)
def test_strings_come_out_as_they_went_in(strings: list[bytes]) -> None:
    found = packed(strings)
    assert found.all() == [found[place] for place in range(len(found))] == strings


@given(STRINGS, st.text("abcé中\U0010ffff", max_size=12).map(str.encode))
def test_a_string_is_found_where_it_stands_and_none_is_found_where_it_would(strings: list[bytes], asked: bytes) -> None:
    found = packed(strings)
    assert (
        [found.find(string) for string in strings]
        == [found.place(string) for string in strings]
        == [*range(len(found))]
    )
    assert found.find(asked) == (strings.index(asked) if asked in strings else ABSENT)
    assert found.place(asked) == bisect_left(strings, asked)


def test_what_begins_with_a_string_is_not_taken_for_it() -> None:
    found = packed([b"a", b"abcd", b"abcdef", b"abcdeg", b"abd"])
    assert [found.find(string) for string in (b"ab", b"abc", b"abcde", b"abcdef", b"abcdefg", b"ac", b"")] == [
        *(ABSENT,) * 3,
        2,
        *(ABSENT,) * 3,
    ]


@given(st.integers(0, len(MANY)), st.integers(0, len(MANY)))
def test_many_are_read_at_once_from_any_place_to_any(first: int, last: int) -> None:
    assert packed(MANY).between(first, last).tolist() == MANY[first:last]


@given(STRINGS)
def test_many_of_any_length_are_read_at_once(strings: list[bytes]) -> None:
    assert packed(strings).between(0, len(strings)).tolist() == [string.rstrip(b"\0") for string in strings]


def test_neighbours_take_what_they_do_not_share() -> None:
    text, ends = pack(MANY)
    assert len(text) + ends.nbytes < sum(map(len, MANY)) * 0.6
