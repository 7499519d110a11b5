"""Which words of a query or an article say nothing, by the languages of the archive."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import STOP_TERMS, stem, words
from index.function_words import function_terms, function_words, without_function_words
from index.inflection import LANGUAGES
from index.query import Query, parse, texts

TODAY = date(2026, 1, 1)
WORDS = ["die", "war", "was", "in", "der", "und", "the", "Stadt", "son", "la", "de", "main", "car", "van", "and", "of"]
ALL = frozenset({"en", "ar", "da", "de", "es", "fi", "fr", "it", "nb", "nl", "pl", "pt", "ru", "sv"})


def kept(query: str, languages: str | frozenset[str] = ALL) -> str:
    spoken = frozenset(languages.split()) if isinstance(languages, str) else languages
    return " ".join(texts(without_function_words(parse(query, today=TODAY), spoken).wanted))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("die Wahl in der Stadt", "Wahl Stadt"),
        ("Präsident der Republik", "Präsident Republik"),
        ("was der Minister nicht sagt", "Minister sagt"),
        ("les élections dans la ville", "élections ville"),
        ("une loi pour les enfants", "loi enfants"),
        ("elecciones en la ciudad de México", "elecciones ciudad México"),
        ("le elezioni nella città di Roma", "elezioni città Roma"),
        ("as eleições na cidade do Porto", "as eleições na cidade do Porto"),
        ("uma lei para as crianças", "lei crianças"),
        ("de verkiezingen in het land", "verkiezingen land"),
        ("skogar och sjöar är inte till salu", "skogar sjöar salu"),
        ("valget er ikke over", "valget"),
        ("talot ja metsät ovat kalliita", "talot metsät kalliita"),
        ("wybory które nie są wolne", "wybory wolne"),
        ("выборы в городе и области", "выборы городе области"),
        ("الانتخابات في المدينة", "الانتخابات المدينة"),
    ],
)
def test_a_query_loses_the_function_words_of_the_language_it_is_in(query: str, expected: str) -> None:
    assert kept(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "die hard",
        "soldiers die in Iraq war",
        "people die and the war goes on",
        "Le Pen",
        "Los Angeles Las Vegas",
        "Al Gore in La Guardia",
        "main car come son sin van",
        "the fall of de Gaulle",
        "Robert De Niro and son",
        "The Voice of der Spiegel",
        "fur trade",
        "Che Guevara",
        "San Francisco man",
        "Notre Dame fire",
        "Aix-en-Provence",
        "Stadt",
        "",
    ],
)
def test_what_may_mean_something_in_another_language_of_the_archive_is_kept(query: str) -> None:
    assert kept(query) == " ".join(texts(parse(query, today=TODAY).wanted))


def test_a_doubtful_word_counts_in_company() -> None:
    assert kept("die Freiheit der Presse") == "die Freiheit Presse"
    assert kept("die Freiheit und die Rechte der Presse") == "Freiheit Rechte Presse"


def test_of_languages_alike_what_they_share_counts() -> None:
    assert kept("presidente de Francia") == "presidente Francia"
    assert kept("skog och sjö", "en sv da") == "skog sjö"
    assert kept("det er ikke slut", "en da nb") == "slut"


def test_only_the_languages_of_the_archive_count() -> None:
    assert kept("Präsident der Republik", "en fr") == "Präsident der Republik"
    assert kept("Präsident der Republik", "en") == "Präsident der Republik"
    assert kept("Präsident der Republik", "") == "Präsident der Republik"


def test_where_there_is_one_language_there_is_no_doubt() -> None:
    assert kept("die Freiheit", "de") == "Freiheit"
    assert kept("die Freiheit language:de", "en de fr") == "Freiheit"
    assert kept("die Freiheit language:de-AT", "en de fr") == "Freiheit"
    assert kept("skog på fjellet language:nn", "en nn de") == "skog fjellet"
    assert kept("die Freiheit language:en", "en de fr") == "die Freiheit"
    assert kept("die Freiheit language:ja", "en de fr") == "die Freiheit"
    assert kept("die hard -language:de", "en de") == "die hard"


def test_what_binds_and_a_query_of_nothing_else_keep_their_words() -> None:
    query = parse('"die Wahl der Woche" und Haus -der der* ', today=TODAY)
    found = without_function_words(query, ALL)
    assert (found.required, found.excluded, found.text) == (query.required, query.excluded, query.text)
    assert "und" not in [*texts(found.wanted)]
    assert "Haus" in [*texts(found.wanted)]
    alone = parse("der die und das", today=TODAY)
    assert without_function_words(alone, ALL) is alone


def test_within_a_choice_they_are_left_out_too() -> None:
    assert kept("(und OR Wahl) die der Haus") == "Wahl Haus"


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=6), max_size=8).map(" ".join))
def test_in_an_archive_in_english_nothing_changes(query: str) -> None:
    asked = parse(query, today=TODAY)
    assert without_function_words(asked, frozenset({"en"})) is asked
    assert function_terms("en", frozenset({"en"})) == function_terms(None, frozenset({"en"})) == frozenset()


@given(st.frozensets(st.sampled_from(WORDS), max_size=8), st.frozensets(st.sampled_from(sorted(LANGUAGES | {"en"}))))
def test_only_words_typed_are_left_out_and_none_beside_a_word_of_english_alone(
    typed: frozenset[str], languages: frozenset[str]
) -> None:
    folded = frozenset(words(" ".join(typed)))
    found = function_words(folded, languages)
    assert found <= folded
    if "en" in languages and "the" in folded:
        assert not found


def test_an_article_goes_by_the_list_of_its_own_language_and_by_what_is_clear_of_others() -> None:
    german = function_terms("de-AT", frozenset({"en", "de", "fr"}))
    assert {"die", "war", "der", "und", "qui"} <= german
    assert "main" not in german
    english = function_terms("en", frozenset({"en", "de", "fr"}))
    assert {"der", "und", "qui"} <= english
    assert not {"die", "war", "fur", "son", "car"} & english
    assert (
        function_terms("nn", frozenset()) == function_terms("nb-NO", frozenset()) == function_terms("no", frozenset())
    )
    assert function_terms("ja", frozenset()) == frozenset()


def test_no_query_at_all_is_left_as_it_is() -> None:
    assert without_function_words(Query(), ALL) == Query()


def test_what_is_clear_is_no_function_word_of_english() -> None:
    clear = function_terms("en", ALL)
    assert clear
    assert not {word for word in clear if stem(word) in STOP_TERMS}
