"""What of a typed text is completed, with what, and how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import words_of
from index.completion.phrases import Headlines, read_headlines
from index.completion.typed import (
    MAX_TYPED_WORDS,
    Shown,
    Typed,
    as_placed,
    form_in_text,
    phrase_candidates,
    read_typed,
    title_candidates,
)

TITLES = [
    *("Supreme Court hears case", "Supreme Court rules", "Trump and the Supreme Court", "Trump on the Supreme Court"),
    *(
        "Trump praises Supreme Court",
        "High court adjourns",
        "Every court adjourns",
        "Trump impeachment",
        "Impeachment of Trump nears",
    ),
    *("Impeachment begins, Trump defiant", "Bank of England acts", "Bank of England waits", "Bank of England sells"),
    *(f"Village {n} has a fair" for n in range(40)),
]


@pytest.fixture(scope="module")
def headlines() -> Headlines:
    return read_headlines([(str(n), title, None) for n, title in enumerate(TITLES)], seq=1, breathe=lambda: None)


def typed(text: str) -> Typed:
    found = read_typed(text)
    assert found is not None
    return found


def offered(headlines: Headlines, text: str) -> list[str]:
    read = typed(text)
    return [read.with_phrase(candidate.phrase, candidate.start) for candidate in phrase_candidates(headlines, read)]


# What is completed


def test_the_last_word_is_a_beginning_and_the_earlier_ones_are_whole() -> None:
    read = typed("Bank of Éng")
    assert ([word.folded for word in read.words], read.prefix) == (["bank", "of"], "eng")
    read = typed("Bank of ")
    assert ([word.folded for word in read.words], read.prefix) == (["bank", "of"], "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "?!", "source:", "source:reu", 'source:"New Yo', "after:2016", "-tru", '-"supreme co'),
        *("trump*", "trump~", "trump OR", "trump |", "(trump", '"supreme court"', '"supreme court"~5'),
        "word " * (MAX_TYPED_WORDS + 1),
    ],
)
def test_where_nothing_plain_is_being_typed_there_is_nothing_to_complete(text: str) -> None:
    assert read_typed(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("source:(the sup", "-(trump sup", "trump (high sup", "(high OR (trump)) (bank sup", ") trump (high sup"),
        *("source:(reu OR “the sup", '(trump OR "supreme co', '"high :)" (trump sup', "source：sup", "−sup"),
        *("trump NOT sup", "trump NOT high sup", 'trump NOT "supreme co'),
    ],
)
def test_nothing_is_completed_within_a_group_a_filter_or_an_exclusion(text: str) -> None:
    assert read_typed(text) is None


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("supreme co", "supreme court"),
        ("  supreme co", "  supreme court"),
        ("source:cnn supreme co", "source:cnn supreme court"),
        ('source:"New York" -sports supreme co', 'source:"New York" -sports supreme court'),
        ('"supreme co', '"supreme court"'),
        ("“supreme co", '“supreme court"'),
        ("trump OR supreme co", "trump OR supreme court"),
        ('"high court" supreme co', '"high court" supreme court'),
        ("trump | supreme co", "trump | supreme court"),
        ("england || supreme co", "england || supreme court"),
        ("source:(cnn OR bbc) supreme co", "source:(cnn OR bbc) supreme court"),
        ("-(england (bank)) supreme co", "-(england (bank)) supreme court"),
        ('"england (bank" supreme co', '"england (bank" supreme court'),
        ("england f(x supreme co", "england f(x supreme court"),
        ("〝supreme co", '〝supreme court"'),
    ],
)
def test_what_stands_around_the_last_words_is_kept(headlines: Headlines, text: str, completed: str) -> None:
    assert offered(headlines, text)[0] == completed


@given(st.text(max_size=50))
def test_any_text_is_read_and_kept_whole(text: str) -> None:
    read = read_typed(text)
    if read is not None:
        assert read.before + read.text == text
        assert read.with_phrase("X", len(read.words) - (not read.prefix)).startswith(read.before)


# With what


def test_phrases_that_begin_so_come_before_those_that_hold_it_further_in(headlines: Headlines) -> None:
    assert offered(headlines, "cou") == ["court", "supreme court"]
    assert offered(headlines, "eng") == ["bank of england"]
    assert offered(headlines, "en") == []  # two letters stand within too many


def test_what_is_typed_already_is_not_offered(headlines: Headlines) -> None:
    assert offered(headlines, "supreme court") == []


def test_phrases_stand_beside_the_earlier_words_in_three_headlines(headlines: Headlines) -> None:
    assert offered(headlines, "trump supreme co") == ["trump supreme court"]
    assert offered(headlines, "trump imp") == ["trump impeachment"]
    assert offered(headlines, "england supreme co") == []


def test_stop_words_before_a_phrase_do_not_count(headlines: Headlines) -> None:
    assert offered(headlines, "what of the supreme co") == ["what of the supreme court"]


def test_titles_are_found_by_their_words_newest_first(headlines: Headlines) -> None:
    assert title_candidates(headlines, typed("trump sup")).tolist() == [2, 3, 4]
    assert title_candidates(headlines, typed("tr")).tolist() == []  # too little to tell
    assert title_candidates(headlines, typed("source:x trump sup")).tolist() == []


# As it is shown


def shown(*titles: str) -> Shown:
    return Shown({str(n): title for n, title in enumerate(titles)})


def test_a_title_matches_as_it_is_now() -> None:
    titles = shown("Trump praises court", "Nothing at all", "court " * 60)
    assert titles.matches("0", typed("cou"))
    assert titles.matches("0", typed("praises cou"))
    assert not titles.matches("0", typed("scolds cou"))
    assert not titles.matches("1", typed("cou"))
    assert not titles.matches("2", typed("cou"))  # too long for the box
    assert not titles.matches("9", typed("cou"))  # not shown


def test_a_phrase_is_written_as_most_sentences_write_it() -> None:
    titles = shown(
        "SUPREME COURT RULES ON ABORTION",
        "Today The Supreme Court Rules Upon Abortion Again",
        "Why the Supreme Court matters so much today",
        "How the supreme court became powerful again",
        "Judge of the Supreme Court resigns without notice",
    )
    assert titles.form("supreme court", ["0", "1", "2", "3", "4"]) == "Supreme Court"
    assert titles.form("supreme court", ["0", "3"]) == "supreme court"
    assert titles.form("supreme court", ["0", "1"]) is None


def test_a_possessive_is_left_out_unless_it_belongs() -> None:
    titles = shown("why the Trump administration's plans failed again", "how the Trump administration failed again")
    assert titles.form("trump administration", ["0", "1"]) == "Trump administration"
    assert shown("debt is downgraded by Moody's after losses").form("moody", ["0"]) == "Moody's"


def test_signs_that_part_a_phrase_are_left_out() -> None:
    title = "ALLIED SIGNAL <ALD> UNIT: two-for-one split"
    found = words_of(title)
    assert as_placed(title, found[1:3]) == "SIGNAL ALD"
    assert as_placed(title, found[4:7]) == "two-for-one"


@pytest.mark.parametrize(
    ("phrase", "written"),
    [
        ("OPEC OUTPUT", "OPEC output"),
        ("ALAN GREENSPAN", "Alan Greenspan"),
        ("U.S. SUPPLY", "U.S. supply"),
        ("ZEBRA", "Zebra"),
    ],
)
def test_a_phrase_in_capitals_is_written_as_the_articles_write_it(phrase: str, written: str) -> None:
    text = (
        "Output of OPEC rose. Supply fell, said Alan Greenspan, and OPEC output with it. The supply and output of oil."
    )
    assert form_in_text(phrase, text) == written
