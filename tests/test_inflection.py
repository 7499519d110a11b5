"""Which words are forms of one, by language: as an index has them, folded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import analyse, stem, words
from index.inflection import LANGUAGES, bare, beginnings, language_of, spans_in, stem_in

FORMS = {
    "ar": ["انتخابات الانتخابات", "حكومة الحكومة حكومات والحكومة", "غابة الغابة غابات الغابات", "وزير الوزير",
           "مدينة المدينة", "حزب الحزب", "أمريكي الأمريكية امريكية", "كتاب والكتاب بالكتاب"],
    "cs": ["volby voleb volbách", "vláda vlády vládu", "les lesy lesů", "zákon zákona zákony", "město města městech",
           "ministr ministra ministři", "strana strany stran"],
    "da": ["valg valget", "skov skove skovene", "regering regeringen", "lov loven love", "parti partiet partier",
           "oversvømmelse oversvømmelser oversvømmelsen", "børn børnene"],
    "de": ["Wahl Wahlen", "Haus Häuser Häusern Hauses", "Straße Straßen", "Regierung Regierungen", "Minister Ministern",
           "Stadt Städte Städten", "wichtig wichtige wichtigen", "Kind Kinder Kindern", "Universität Universitäten"],
    "el": ["νόμος νόμου νόμοι νόμων", "δάσος δάση δασών", "εκλογή εκλογές εκλογών", "κόμμα κόμματα κομμάτων"],
    "es": ["elección elecciones", "ministro ministros ministra", "nación naciones", "bosque bosques", "región regiones",
           "gobierno gobiernos", "político política políticos", "ciudad ciudades", "aprobar aprobó aprobado aprobada"],
    "fi": ["metsä metsän metsät metsien metsissä", "talo talon talot taloissa", "tulva tulvan tulvat",
           "puolue puolueen puolueet"],
    "fr": ["élection élections", "ministre ministres", "national nationale nationaux nationales", "journal journaux",
           "organisé organisée organisés organisées", "inondation inondations", "forêt forêts"],
    "hi": ["लड़का लड़के लड़कों", "सरकार सरकारें सरकारों", "जंगल जंगलों", "चुनाव चुनावों"],
    "hu": ["erdő erdők erdőben", "kormány kormányok kormánynak", "ház házak házban", "törvény törvények"],
    "id": ["hutan hutannya"],
    "it": ["elezione elezioni", "ministro ministri", "politica politiche politici politico", "foresta foreste",
           "governo governi", "legge leggi", "approvato approvata approvati", "inondazione inondazioni"],
    "lt": ["miškas miško miškai", "partija partijos", "miestas miesto miestai"],
    "nb": ["valg valget valgene", "skog skoger skogen", "regjering regjeringen", "lov loven lover", "parti partiet"],
    "nl": ["verkiezing verkiezingen", "huis huizen", "minister ministers", "bos bossen", "regering regeringen",
           "wet wetten", "partij partijen", "maan manen", "brug bruggen"],
    "pl": ["wybory wyborów wyborach", "rząd rządu rządy", "las lasu lasy lasów", "ustawa ustawy", "miasto miasta"],
    "pt": ["eleição eleições", "ministro ministros", "nação nações", "floresta florestas", "região regiões",
           "aprovado aprovada aprovados", "nacional nacionais", "cidade cidades"],
    "ro": ["pădure păduri pădurile", "guvern guvernul guvernului", "partid partide partidul", "lege legea legi"],
    "ru": ["выборы выборов выборам", "российский российская российские российского российской", "чёрный черный черная",
           "новый новая новое новые", "станция станции станций", "закон закона законы", "партия партии партию"],
    "sv": ["val valet valen", "skog skogar skogarna", "regering regeringen", "lag lagen lagar",
           "översvämning översvämningar översvämningen"],
    "tr": ["ev evler evlerde", "hükümet hükümeti hükümetin", "şehir şehirler şehirde", "seçim seçimler seçimlerde"],
}  # fmt: skip
APART = {
    "de": ["Wahl Wald", "Haus Hase", "Partei Partner"],
    "fr": ["nation note", "journal jour", "forêt fort"],
    "ru": ["город горе", "закон запад"],
    "ar": ["حكومة حكم", "كتاب مكتب"],
    "es": ["ciudad cuidado", "gobierno gobernar"],
}


def stems(language: str, forms: str) -> set[str]:
    return {stem_in(language, word) for word in words(forms)}


@pytest.mark.parametrize(("language", "forms"), [(one, forms) for one in FORMS for forms in FORMS[one]])
def test_the_forms_of_a_word_have_one_stem(language: str, forms: str) -> None:
    assert len(stems(language, forms)) == 1


@pytest.mark.parametrize(("language", "others"), [(one, others) for one in APART for others in APART[one]])
def test_other_words_have_another(language: str, others: str) -> None:
    assert len(stems(language, others)) == len(others.split())


@pytest.mark.parametrize("language", sorted(FORMS))
def test_forms_stand_where_they_are_looked_for(language: str) -> None:
    for word in words(" ".join(FORMS[language])):
        assert word.startswith(beginnings(language, stem_in(language, word)))


@given(st.sampled_from(sorted(LANGUAGES)), st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=14))
def test_so_does_whatever_is_typed(language: str, word: str) -> None:
    own = stem_in(language, word)
    assert own
    assert word.startswith(beginnings(language, own))


def test_short_words_and_numbers_have_one_form() -> None:
    assert [stem_in("de", word) for word in ("es", "1916", "u.s", "90er")] == ["es", "1916", "u.s", "90er"]


def test_a_tag_says_whose_forms_count() -> None:
    assert [language_of(tag) for tag in ("de", "de-AT", "pt-BR", "nb")] == ["de", "de", "pt", "nb"]
    assert [language_of(tag) for tag in (None, "en", "en-GB", "ja", "xx", "")] == [None] * 6


def test_english_is_left_to_the_analysis() -> None:
    assert "en" not in LANGUAGES
    assert stem("elections") == "elect"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "L'élection d’un maire, aujourd'hui, jusqu'à l'été", "élection un maire, aujourd'hui, à été"),
        ("it", "dell'università e un'idea", "università e idea"),
        ("ca", "l'Estat", "Estat"),
        ("de", "wie geht's, d'Artagnan", "wie geht's, d'Artagnan"),
        (None, "coup d'état at L'Oréal", "coup d'état at L'Oréal"),
    ],
)
def test_a_word_is_what_follows_the_apostrophe_where_the_language_elides(
    language: str | None, text: str, expected: str
) -> None:
    assert bare(language, text) == expected
    assert len(words(expected)) == len(words(text))
    assert [term for term, _, _ in spans_in(language, text)] == analyse(expected)
