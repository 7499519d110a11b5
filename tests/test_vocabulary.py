"""Prefixes and fuzzy words over a list of words, compared with going through all of them."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keywords.vocabulary import Vocabulary
from index.keywords.word_counts import WordCounts, counted
from index.matching import one_edit_apart
from index.query import MAX_EXPANSIONS, QueryRefused

LETTERS = "abя\U0001d400"
WORDS = st.sets(st.text(LETTERS, min_size=1, max_size=5), max_size=40)


def vocabulary(words: set[str]) -> Vocabulary:
    return Vocabulary(WordCounts([counted(dict.fromkeys(words, 1))]))


@given(WORDS, st.text(LETTERS, min_size=1, max_size=4))
def test_a_beginning_stands_for_every_word_that_begins_so(words: set[str], letters: str) -> None:
    expected = sorted(word for word in words if word.startswith(letters))
    assert list(vocabulary(words).beginning(letters)) == expected


@given(WORDS, st.text(LETTERS, min_size=1, max_size=5))
def test_a_fuzzy_word_stands_for_itself_and_every_word_one_edit_away(words: set[str], word: str) -> None:
    expected = sorted(known for known in words if known == word or one_edit_apart(known, word))
    assert list(vocabulary(words).similar(word)) == expected


def test_nothing_stands_for_nothing() -> None:
    assert list(vocabulary({"a"}).beginning("")) == list(vocabulary({"a"}).similar("")) == []
    assert list(vocabulary(set()).beginning("a")) == list(vocabulary(set()).similar("a")) == []


@pytest.mark.parametrize("extra", [0, 1])
def test_as_many_words_as_the_limit_pass_and_one_more_is_refused(extra: int) -> None:
    words = vocabulary({f"abc{number}" for number in range(MAX_EXPANSIONS + extra)})
    if not extra:
        assert len(words.beginning("abc")) == MAX_EXPANSIONS
        return
    with pytest.raises(QueryRefused, match=r"^abc\* stands for 129 words .* at most 128 .*: add a letter$") as refused:
        words.beginning("abc")
    assert refused.value.limit == "expansions"


def test_too_many_similar_words_are_refused() -> None:
    words = vocabulary({f"abc{chr(0x4E00 + number)}" for number in range(MAX_EXPANSIONS + 1)})
    with pytest.raises(QueryRefused, match=r"^abcd~ stands for 129 words .*: leave out the ~$"):
        words.similar("abcd")


def test_two_hundred_thousand_words_are_looked_through_in_milliseconds() -> None:
    chance = random.Random(3)
    words = vocabulary({"".join(chance.choices("etaoinshrdlucmfw", k=chance.randint(3, 12))) for _ in range(200_000)})
    asked = chance.sample(list(words.counts), 200)
    started = time.process_time()
    for word in asked:
        if len(word) > 4:
            assert word in words.similar(word)
            assert word in words.beginning(word)
    assert (time.process_time() - started) / len(asked) < 0.02
