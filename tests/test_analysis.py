"""Terms: what a word becomes, and that offsets point at it."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index import analysis
from index.analysis import STOP_TERMS, analyse, fold, scoring_terms, spans, stem, surface, words

# Letters, digits and exactly the characters on which words are cut, joined and folded.
NEWS_TEXT = st.text(alphabet=st.sampled_from("aBéE\u0301ﬁßİı½²٣習のｶﾞ'’.,-_ \u00ad\u200d\ud800\0sS15UÅﬃø\n")) | st.text()


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running races", ["run", "race"]),
        ("Café, naïve, Gdańsk, Łódź", ["cafe", "naiv", "gdansk", "lodz"]),
        ("ＫＵＲＳＫ ﬁre", ["kursk", "fire"]),
        ("Straße STRASSE ⒈ G\u00a0７", ["strass", "strass", "1", "g", "7"]),
        ("cafe\u0301 im\u00adpeach", ["cafe", "impeach"]),
        ("Zelenskyy's Zelenskyy’s", ["zelenskyy", "zelenskyy"]),
        ("don't O’Brien", ["dont", "obrien"]),
        ("'quoted' ‘quoted’", ["quot", "quot"]),
        ("the U.S. and the U.N., e.g. J.K. Rowling", ["the", "us", "and", "the", "un", "eg", "jk", "rowl"]),
        ("state-of-the-art snake_case", ["state", "of", "the", "art", "snake", "case"]),
        ("$1,000,000 3.5% in 2016.", ["1000000", "3.5", "in", "2016"]),
        ("COVID-19 covid19s G20", ["covid", "19", "covid19s", "g20"]),
        ("Владимир Путин", ["владимир", "путин"]),
        ("習近平 visits", ["習", "近", "平", "visit"]),
        ("… — !? \0 \ud800", []),
    ],
)
def test_a_text_becomes_these_terms(text: str, terms: list[str]) -> None:
    assert analyse(text) == terms


@given(NEWS_TEXT)
@example("Zelenskyy’s U.S.-led 1,000 ½ im\u00adpeach e\u0301te 習近")
@settings(max_examples=500)
def test_spans_are_the_terms_in_order_and_each_word_alone_makes_its_term_again(text: str) -> None:
    found = spans(text)
    assert [term for term, _, _ in found] == analyse(text)
    for term, start, end in found:
        assert analyse(text[start:end]) == [term]
        assert analyse(surface(text[start:end])) == [term]
    borders = [place for _, start, end in found for place in (start, end)]
    assert borders == sorted(borders)


@given(NEWS_TEXT)
@settings(max_examples=300)
def test_a_term_holds_no_space_and_encodes(text: str) -> None:
    for term in analyse(text):
        assert term
        assert not any(character.isspace() for character in term)
        term.encode()


@given(NEWS_TEXT, NEWS_TEXT)
def test_a_blank_between_two_texts_changes_neither(left: str, right: str) -> None:
    assert analyse(f"{left} \n {right}") == analyse(left) + analyse(right)


def test_a_span_points_into_the_original_where_folding_changes_lengths() -> None:
    text = "ﬃ Straße İstanbul’s Kursk"
    assert [text[start:end] for _, start, end in spans(text)] == ["ﬃ", "Straße", "İstanbul’s", "Kursk"]


@given(NEWS_TEXT)
@example("Zelenskyy’s U.S.-led 1,000 ½ im\u00adpeach e\u0301te 習近")
@settings(max_examples=500)
def test_the_stem_of_each_folded_word_is_the_term_and_folding_again_changes_nothing(text: str) -> None:
    assert [stem(word) for word in words(text)] == analyse(text)
    for word in words(text):
        assert not any(character.isspace() for character in word)
        assert word == word.casefold()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Running RACES", ["running", "races"]),
        ("Gdańsk’s U.S. 1,000 3.5", ["gdansk", "us", "1000", "3.5"]),
        ("ＫＵＲＳＫ Straße — \ud800", ["kursk", "strasse"]),
        ("Zelenskyy's 習近", ["zelenskyy", "習", "近"]),
    ],
)
def test_a_text_is_cut_into_these_folded_words(text: str, folded: list[str]) -> None:
    assert words(text) == folded


def test_stop_words_are_terms_but_do_not_score_beside_others() -> None:
    assert analyse("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert scoring_terms(analyse("the Kursk of it")) == ["kursk"]
    assert scoring_terms(analyse("to be or not to be")) == analyse("to be or not to be")


def test_names_in_the_news_are_no_stop_words() -> None:
    assert not STOP_TERMS & {"us", "who", "will", "may", "doe", "march"}


def test_names_are_compared_without_case_accents_width_and_spaces() -> None:
    assert fold("  Le  MONDÉ ") == fold("ｌｅ monde") == "le monde"
    assert fold("Agence-France") != fold("Agence France")


def test_a_term_is_cut_so_that_noise_stays_small() -> None:
    assert [len(term) for term in analyse("x1" * 500_000)] == [analysis.MAX_TERM]


def test_the_memory_of_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "MAX_REMEMBERED", 10)
    analyse(" ".join(f"remembered{number}" for number in range(100)))
    words(" ".join(f"remembered{number}" for number in range(100)))
    assert len(analysis._TERMS) <= 10
    assert len(analysis._WORDS) <= 10
    analyse("unbounded" * 1_000)
    assert max(map(len, analysis._TERMS)) <= analysis.MAX_WORD


@pytest.mark.parametrize("text", ["a" * 400_000, "a." * 200_000, "a'" * 200_000, "1," * 200_000, "\u0301" * 400_000])
def test_time_grows_with_the_text_and_no_faster(text: str) -> None:
    started = time.process_time()
    analyse(text)
    assert time.process_time() - started < 1.0


@given(st.text(alphabet=st.sampled_from("aBsS15U.,'’_- \n")) | st.text(alphabet=st.characters(max_codepoint=127)))
@example("U.S.A. don't 1,000.5 a.b1 x.y. 'tis 3.a")
def test_a_text_of_ascii_is_cut_as_any_other(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode()
    assert analysis._ASCII_WORD.findall(plain) == analysis._WORD.findall(plain)


@given(st.text(alphabet=st.sampled_from("abzAZ")))
def test_a_word_of_plain_letters_is_folded_as_any_other(word: str) -> None:
    folded = analysis._fold(word)
    assert analysis._word(word) == folded[: analysis.MAX_TERM]
