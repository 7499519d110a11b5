"""Words packed with their counts, compared with a dict of them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keywords import word_counts
from index.keywords.strings import Strings, pack
from index.keywords.word_counts import STEP, Counted, WordCounts, counted

WORDS = st.text("abzя中\ue000\U0001d400", min_size=1, max_size=5)
LISTS = st.lists(st.dictionaries(WORDS, st.integers(1, 3), max_size=30), max_size=4)


@given(LISTS)
def test_lists_are_merged_in_order_and_their_counts_added_up(lists: list[dict[str, int]]) -> None:
    expected = sum(map(Counter, lists), Counter[str]())
    words = WordCounts([counted(one) for one in lists])
    assert list(words) == [words.word(place) for place in range(len(words))] == sorted(expected)
    assert list(words.items()) == sorted(expected.items())
    assert list(words.values()) == [count for _, count in words.items()]
    assert words == expected
    assert all(words[word] == count for word, count in expected.items())


@given(st.dictionaries(WORDS, st.just(1)), st.text("abzя中\ue000\U0001d400\ud800", max_size=3))
def test_what_begins_so_stands_side_by_side_and_what_is_no_word_is_not_found(held: dict[str, int], asked: str) -> None:
    words = WordCounts([counted(held)])
    assert [words.word(place) for place in words.beginning(asked)] == sorted(w for w in held if w.startswith(asked))
    assert (asked in words) == (asked in held)


@pytest.mark.parametrize("count", [0, 1, STEP - 1, STEP, STEP + 1, 3 * STEP])
def test_every_word_is_found_on_both_sides_of_those_at_hand(count: int) -> None:
    held = {f"w{number:04}": number + 1 for number in range(count)}
    words = WordCounts([counted(held)])
    assert [words.get(word) for word in held] == [*held.values()]
    assert not any(f"{word}~" in words for word in ("", *held))
    assert len(words.beginning("w")) == len(words) == count


def test_lists_are_merged_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_counts, "AT_ONCE", 7)
    first, second = ({f"{number * factor:05}": 70_000 for number in range(100)} for factor in (2, 3))
    words = WordCounts([counted(first), counted(second), counted({"": 0}), counted({"zz": 1})])
    assert dict(words) == Counter(first) + Counter(second) + Counter(zz=1)
    assert list(words) == sorted({*first, *second, "zz"})


def test_a_string_that_no_article_holds_as_a_word_is_left_out() -> None:
    strings = [b"\0source\0bbc", b"drone", b"driv"]
    packed = Strings(*pack(sorted(strings)), count=3)
    assert dict(WordCounts([Counted(packed, np.array([0, 0, 5], np.uint16))])) == {"drone": 5}
    assert not WordCounts([Counted(packed, np.zeros(3, np.uint16))])


def test_a_word_takes_some_bytes_and_not_an_object() -> None:
    words = WordCounts([counted({f"w{number:06}": number for number in range(1, 20_001)})])
    held = (words._text, words._ends, words._counts, words._at_hand)
    assert sum(one.__sizeof__() for one in held) + sum(map(bytes.__sizeof__, words._at_hand)) < 20 * len(words)
