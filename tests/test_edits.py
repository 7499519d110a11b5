"""Distances between words: exact, whatever is left out early; and what mistypings cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.spelling.edits import MAX_LETTERS, Lexicon, typing_cost

FEW_LETTERS = st.text(alphabet="abcd", min_size=1, max_size=7)  # so that words are often near one another


def distance(first: str, second: str) -> int:
    """Return the optimal string alignment distance, from the whole table."""
    table = [[i + j if not (i and j) else 0 for j in range(len(second) + 1)] for i in range(len(first) + 1)]
    for i, a in enumerate(first, start=1):
        for j, b in enumerate(second, start=1):
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and b == first[i - 2]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(st.lists(FEW_LETTERS, unique=True, max_size=40), FEW_LETTERS, st.integers(1, 2))
def test_exactly_the_words_within_the_distance_are_near(words: list[str], word: str, limit: int) -> None:
    wanted = {(other, distance(word, other)) for other in words if 0 < distance(word, other) <= limit}
    assert set(Lexicon(words).near(word, distance=limit)) == wanted


@given(st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=10), st.text(max_size=30))
def test_any_text_can_be_looked_up(words: list[str], word: str) -> None:
    found = Lexicon([other for other in words if "\0" not in other]).near(word, distance=2)
    assert all(distance(word, other) == far for other, far in found)


def test_letters_of_any_script_are_compared() -> None:
    lexicon = Lexicon(["Москва", "москит", "αθηνα"])
    assert lexicon.near("мосвка", distance=2) == [("Москва", 2)]
    assert lexicon.near("αθνηα", distance=1) == [("αθηνα", 1)]


def test_an_empty_lexicon_finds_nothing_and_very_long_words_are_left_out() -> None:
    assert Lexicon([]).near("word", distance=2) == []
    long = "a" * (MAX_LETTERS + 1)
    assert Lexicon([long]).near(long[:-1], distance=2) == []
    assert Lexicon([long[:-1]]).near(long, distance=2) == []


@pytest.mark.parametrize(
    ("slight", "grave", "meant"),
    [
        ("obmaa", "obaxa", "obama"),  # exchanged: replaced
        ("comittee", "commttee", "committee"),  # half of a double letter: another
        ("presidant", "presidwnt", "president"),  # a vowel for a vowel: a key beside it
        ("presidwnt", "presidpnt", "president"),  # a key beside it: one far off
        ("finansial", "finanxial", "financial"),  # a letter that sounds alike: one that does not
        ("senatro", "esnator", "senator"),  # exchanged later on: at the beginning
        ("missille", "missilet", "missile"),  # a letter doubled: another put in
    ],
)
def test_the_usual_slips_cost_less(slight: str, grave: str, meant: str) -> None:
    assert typing_cost(slight, meant) < typing_cost(grave, meant)


@given(FEW_LETTERS, FEW_LETTERS)
def test_a_word_costs_nothing_for_itself_and_something_for_any_other_near_it(typed: str, meant: str) -> None:
    assert typing_cost(typed, typed) == 0
    if 0 < distance(typed, meant) <= 2:
        assert 0.5 <= typing_cost(typed, meant) <= 2 * 1.7


def test_words_of_letters_that_take_more_room_are_neither_laid_out_nor_looked_up() -> None:
    lexicon = Lexicon(["flood", "\U00010428loor", "flo\0d"])
    assert lexicon.near("floodd", distance=2) == [("flood", 1)]
    assert lexicon.near("floo\U00010428", distance=1) == []
    assert lexicon.near("flodd", distance=1) == [("flood", 1)]


def test_many_words_are_laid_out_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [first + second + "x" for first in "abcdefghij" for second in "abcdefghij"]
    whole = Lexicon(words).near("aax", distance=1)
    monkeypatch.setattr("index.spelling.edits.AT_ONCE", 7)
    assert Lexicon(words).near("aax", distance=1) == whole
    assert len(whole) == 18
