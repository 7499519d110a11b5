"""Which words a mistyped one may have been meant for."""

import math

import pytest

from index.spelling.slips import MIN_ARTICLES, Slips, _proposed, are_forms, likelihood

COUNTS = {"the": 20_000, "government": 4_000, "governments": 500, "statement": 900, "iran": 900, "election": 2_000}


def proposed(word: str, **counts: int) -> list[str]:
    return list(Slips({**COUNTS, **counts}).proposals(word))


def test_the_likeliest_word_comes_first() -> None:
    assert proposed("goverments", governmentz=3)[0] == "governments"
    assert proposed("elecion", erection=2_000, elections=10)[0] == "election"


def test_the_slighter_the_slip_and_the_more_articles_the_likelier() -> None:
    odds = Slips({"the": 20_000, "senator": 100, "senate": 100, "bicameral": 50, "bicamerax": 5}).proposals("senatro")
    assert odds["senator"] > odds["senate"]
    few, many = (Slips({"the": 20_000, "senator": count}).proposals("senatro")["senator"] for count in (10, 1_000))
    assert many > few


def test_a_word_that_too_few_articles_hold_is_not_proposed() -> None:
    assert proposed("kovalenkp", kovalenko=MIN_ARTICLES - 1) == []
    assert proposed("kovalenkp", kovalenko=MIN_ARTICLES) == ["kovalenko"]


def test_a_misprint_is_no_rival_to_the_word_it_misprints() -> None:
    assert proposed("senatro", senator=900, senatori=5) == ["senator"]
    assert proposed("senatro", senator=900, senatori=50) == ["senator", "senatori"]


def test_a_short_word_is_only_a_slip_when_letters_of_a_very_frequent_one_are_exchanged() -> None:
    assert proposed("irna") == ["iran"]
    assert proposed("iren") == []
    assert proposed("irna", iran=30) == []
    assert proposed("teh") == []


@pytest.mark.parametrize("word", ["42nd", "3com", "covid19", "新華社", "الجزيرة", "", "whither-to", "themselvs" * 4])
def test_numbers_and_scripts_without_capitals_are_left_alone(word: str) -> None:
    assert proposed(word) == []


def test_no_word_is_taken_for_one_in_letters_that_look_alike() -> None:
    cyrillic = "gоvernment"  # its second letter is not an o
    assert proposed(cyrillic) == []
    assert proposed("выбоыр", выборы=50) == ["выборы"]


def test_the_singular_of_a_known_word_is_right() -> None:
    assert proposed("handbag", handbags=50, sandbag=40) == []
    assert proposed("congres", congress=4_000) == ["congress"]


def test_a_stop_word_is_never_proposed() -> None:
    assert proposed("thhemselves", themselves=5_000) == []


@pytest.mark.parametrize(
    ("first", "second", "forms"),
    [
        ("simulates", "simulating", True),
        ("simulate", "simulating", True),
        ("tolerance", "tolerances", True),
        ("policy", "policies", True),
        ("earthquak", "earthquake", False),
        ("impeachement", "impeachment", False),
        ("congres", "congress", False),
        ("governer", "governor", False),
        ("ss", "s", False),
    ],
)
def test_forms_of_one_word_are_told_from_slips(first: str, second: str, forms: bool) -> None:
    assert are_forms(first, second) is are_forms(second, first) is forms


def test_likelihoods_of_all_words_and_of_none_add_up_to_one() -> None:
    odds = {"a": 3.0, "b": 2.0, "c": -50.0}
    none = 1 / (1 + sum(map(math.exp, odds.values())))
    assert sum(likelihood(odds, word) for word in odds) + none == pytest.approx(1)
    assert likelihood(odds, "a") > likelihood(odds, "b")
    assert likelihood({"a": 0.0}, "a") == pytest.approx(0.5)
    assert likelihood({"a": 5_000.0, "b": -5_000.0}, "a") == pytest.approx(1)


def test_of_too_many_words_those_that_the_most_articles_hold_may_be_proposed() -> None:
    counted = {"flood": 30, "floor": 20, "flour": 10, "flout": 2}
    assert _proposed(counted) == ["flood", "floor", "flour"]
    assert sorted(_proposed(counted, most=2)) == ["flood", "floor"]
