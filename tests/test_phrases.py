"""Which runs of words in headlines are phrases, and how words and phrases are looked up by their beginnings."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import is_stop_word, words, words_of
from index.completion.phrases import MAX_WORDS, MIN_ARTICLES, Headlines, read_headlines

OTHERS = [f"Nothing of note happens in village {n}" for n in range(40)]


def read(titles: Sequence[str]) -> Headlines:
    """Read titles, the newest first; an article's id is its title's number."""
    return read_headlines([(str(n), title, None) for n, title in enumerate(titles)], seq=7, breathe=lambda: None)


def phrases_in(titles: Sequence[str]) -> dict[str, int]:
    found = read([*titles, *OTHERS]).phrases
    return {text: int(count) for text, count in zip(found.texts, found.counts, strict=True) if "village" not in text}


# What is a phrase


def test_words_that_stand_side_by_side_in_three_headlines_are_a_phrase() -> None:
    titles = ["Supreme Court hears a case", "The SUPREME COURT rules", "Judge leaves supreme court"]
    assert phrases_in(titles)["supreme court"] == 3
    assert "supreme court" not in phrases_in(titles[:2])


def test_articles_are_counted_not_occurrences() -> None:
    assert "fire sale" not in phrases_in(["Fire sale fire sale fire sale", "Fire sale"])


def test_a_phrase_neither_begins_nor_ends_with_a_stop_word_but_may_hold_one() -> None:
    found = phrases_in([f"Vote in the House of Lords about {thing}" for thing in ("bread", "eels", "peat")])
    assert "house of lords" in found
    assert not [phrase for phrase in found if is_stop_word(phrase.split()[0]) or is_stop_word(phrase.split()[-1])]


def test_nor_with_a_function_word_of_the_language_of_its_headlines() -> None:
    german = [("a", "Die Wahl der Woche", "de"), ("b", "Streit um die Wahl der Woche", "de-AT")]
    german.append(("c", "Wer die Wahl der Woche kennt", "de"))
    english = [(str(n), f"Many die hard {n}", "en") for n in range(4)]
    others = [(f"o{n}", title, None) for n, title in enumerate(OTHERS)]
    found = read_headlines([*german, *others], seq=1, breathe=lambda: None).phrases.texts
    assert "wahl der woche" in found
    assert not {"die", "der", "die wahl", "der woche", "die wahl der woche"} & set(found)
    both = read_headlines([*german, *english, *others], seq=1, breathe=lambda: None).phrases.texts
    assert "wahl der woche" in both
    assert any(text.endswith("die hard") for text in both)


def test_words_that_meet_by_chance_are_no_phrase() -> None:
    titles = [f"Trump says word{n}" for n in range(6)] + [f"Trump verb{n} thing{n}" for n in range(6)]
    found = phrases_in([*titles, *(f"Name{n} says more{n}" for n in range(24))])
    assert {"trump", "says"} <= set(found)
    assert "trump says" not in found


def test_a_piece_of_a_longer_phrase_is_left_out() -> None:
    found = phrases_in([*(f"Brett Kavanaugh {n}" for n in "abcd"), "One Kavanaugh"])
    assert "brett kavanaugh" in found
    assert not {"brett", "kavanaugh"} & set(found)  # "kavanaugh" stands alone in one headline of five
    alone = phrases_in([*(f"Brett Kavanaugh {n}" for n in "abc"), *(f"{n} Kavanaugh" for n in "def")])
    assert {"brett kavanaugh", "kavanaugh"} <= set(alone)


def test_no_phrase_runs_from_one_headline_into_the_next() -> None:
    found = phrases_in(["Talks about grain", "Strike goes on"] * 4)
    assert not [phrase for phrase in found if "grain strike" in phrase]


def test_numbers_and_single_letters_are_no_phrases() -> None:
    assert not {"2016", "x"} & set(phrases_in(["2016 x"] * 5))


# Looking up


TITLES = ["Crude oil falls", "Crude oil rises", "Heating oil and crude oil", "The crude joke", "Oil paintings"]


def test_headlines_hold_whole_words_and_the_beginning_of_one() -> None:
    read_ones = read(TITLES)
    assert read_ones.holding(["oil"], "").tolist() == [0, 1, 2, 4]
    assert read_ones.holding(["oil"], "cru").tolist() == [0, 1, 2]
    assert read_ones.holding([], "paint").tolist() == [4]
    assert read_ones.holding(["oi"], "").tolist() == []
    assert read_ones.holding([], "").tolist() == []
    assert read_ones.holding([], "zebra").tolist() == []


def test_phrases_are_found_from_each_of_their_words_on() -> None:
    read_ones = read([*TITLES, *OTHERS])
    texts = read_ones.phrases.texts

    def found(typed: str) -> set[str]:
        return {texts[row] for row in read_ones.phrases_with(typed)}

    assert found("crude o") == {"crude oil"}
    assert found("oi") == {"crude oil", "oil"}
    assert found("zebra") == set()


def test_a_phrase_knows_its_articles_newest_first() -> None:
    phrases = read([*TITLES, *OTHERS]).phrases
    assert phrases.articles_of(list(phrases.texts).index("crude oil")).tolist() == [0, 1, 2]


def test_headlines_that_hold_a_phrase_are_counted() -> None:
    read_ones = read([*TITLES, *OTHERS])
    assert read_ones.count("crude oil") == 3
    assert read_ones.count("crude joke") == 0
    assert read_ones.count("") == 0


@pytest.mark.parametrize("titles", [[], [""], ["!!!", "", "   "], ["one"]])
def test_an_archive_of_little_or_nothing_can_be_read(titles: list[str]) -> None:
    empty = read(titles)
    assert list(empty.phrases.texts) == []
    assert empty.holding(["zebra"], "z").tolist() == []
    assert empty.phrases_with("o").tolist() == []
    assert empty.seq == 7


VOCABULARY = ["court", "oil", "house", "of", "the", "trump", "42", "New", "Délhi", "北", "says"]
TITLE = st.lists(st.sampled_from(VOCABULARY), max_size=7).map(" ".join)


@given(st.lists(TITLE, max_size=25))
def test_every_phrase_stands_in_as_many_headlines_as_it_says(titles: list[str]) -> None:
    phrases = read(titles).phrases
    folded = [f" {' '.join(words(title))} " for title in titles]
    for row, text in enumerate(phrases.texts):
        holders = [n for n, title in enumerate(folded) if f" {text} " in title]
        assert phrases.articles_of(row).tolist() == holders
        assert len(holders) >= MIN_ARTICLES
        assert 1 <= len(text.split()) <= MAX_WORDS
    assert list(phrases.texts) == sorted(phrases.texts)


@given(
    st.lists(TITLE, max_size=15),
    st.lists(st.sampled_from(["oil", "of", "delhi"]), max_size=2),
    st.sampled_from(["", "o", "tru", "北"]),
)
def test_exactly_the_headlines_that_hold_what_was_typed_are_found(
    titles: list[str], whole: list[str], prefix: str
) -> None:
    folded = [words(title) for title in titles]
    wanted = [
        n
        for n, title in enumerate(folded)
        if set(whole) <= set(title) and any(word.startswith(prefix) for word in title) and (whole or prefix)
    ]
    assert read(titles).holding(whole, prefix).tolist() == wanted


def test_words_are_folded_where_they_stand() -> None:
    title = "U.S. Élysée’s 3.5%"
    assert [(word.folded, title[word.start : word.end]) for word in words_of(title)] == [
        ("us", "U.S."),
        ("elysee", "Élysée’s"),
        ("3.5", "3.5"),
    ]
    assert [word.folded for word in words_of(title)] == words(title)


def test_other_threads_may_go_first_every_few_milliseconds() -> None:
    breaths: list[int] = []
    read_headlines([(str(n), "Crude oil falls", "en") for n in range(1_000)], seq=1, breathe=lambda: breaths.append(1))
    assert len(breaths) >= 10
