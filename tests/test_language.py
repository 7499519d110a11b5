"""Languages are guessed where nobody declares them, only when that is all but certain, and never against the source."""

import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from shared_data import shared

from archive.article import Article
from archive.identity import content_hash
from archive.language import guessed, with_language
from archive.store import Store

SENTENCES = {
    "de": ["Hochwasser an der Elbe: Tausende müssen ihre Häuser verlassen",
           "Der Stadtrat stimmte gegen den Bau der Brücke",
           "Nach den Wahlen sucht die Partei einen Partner"],
    "fr": ["Inondations dans le sud : des milliers d'habitants évacués",
           "Le conseil municipal refuse la construction du pont",
           "Après les élections, le parti cherche un allié"],
    "es": ["Inundaciones en el sur dejan miles de evacuados", "El ayuntamiento rechaza la construcción del puente",
           "Tras las elecciones, el partido busca un socio"],
    "it": ["Alluvione nel sud, migliaia di persone evacuate", "Il consiglio comunale respinge la costruzione del ponte",
           "Dopo le elezioni il partito cerca un alleato"],
    "pt": ["Cheias no sul obrigam milhares de pessoas a sair de casa",
           "A câmara municipal rejeita a construção da ponte",
           "Depois das eleições, o partido procura um aliado"],
    "nl": ["Duizenden mensen verlaten hun huis na overstroming", "De gemeenteraad stemt tegen de bouw van de brug",
           "Na de verkiezingen zoekt de partij een partner"],
    "sv": ["Tusentals lämnar sina hem efter översvämningen", "Kommunen säger nej till den nya bron",
           "Regeringen presenterade på tisdagen en ny lag för att skydda skogarna."],
    "da": ["Tusinder forlader deres hjem efter oversvømmelsen", "Efter valget leder partiet efter en partner",
           "Regeringen fremlagde tirsdag en ny lov, der skal beskytte skovene."],
    "fi": ["Tuhannet jättivät kotinsa tulvan jälkeen",
           "Hallitus esitteli tiistaina uuden lain metsien suojelemiseksi."],
    "pl": ["Tysiące ludzi opuszcza domy po powodzi", "Rada miasta odrzuca budowę mostu",
           "Po wyborach partia szuka sojusznika"],
    "tr": ["Selden sonra binlerce kişi evini terk etti", "Belediye meclisi köprü inşaatını reddetti",
           "Seçimlerden sonra parti bir ortak arıyor"],
    "ru": ["Тысячи людей покинули дома из-за наводнения", "Городской совет отклонил строительство моста",
           "После выборов партия ищет союзника"],
    "uk": ["Тисячі людей залишили домівки через повінь", "Уряд у вівторок представив новий закон про захист лісів."],
    "ar": ["آلاف السكان يغادرون منازلهم بعد الفيضانات", "المجلس البلدي يرفض بناء الجسر الجديد",
           "بعد الانتخابات يبحث الحزب عن حليف"],
    "he": ["הממשלה הציגה ביום שלישי חוק חדש להגנה על היערות"],
    "el": ["Η κυβέρνηση παρουσίασε την Τρίτη νέο νόμο για την προστασία των δασών."],
    "hi": ["बाढ़ के बाद हजारों लोगों ने घर छोड़े", "सरकार ने मंगलवार को जंगलों की रक्षा के लिए नया कानून पेश किया।"],
    "zh": ["政府星期二提出保护森林的新法律", "洪水过后数千人离开家园", "选举之后该党寻找盟友"],
    "ja": ["洪水で数千人が避難した", "市議会は橋の建設を否決した", "選挙の後、党は連立相手を探している"],
    "ko": ["정부는 화요일 숲을 보호하는 새 법안을 발표했다."],
    "en": ["Floods in the south force thousands from their homes", "City council votes against building the bridge",
           "After the election the party looks for a partner"],
}  # fmt: skip
NAMES_AND_NUMBERS = [
    "Berlin", "OK", "Reuters", "12.30 45 %", "New York Times", "Angela Merkel Emmanuel Macron", "IMF", "El Salvador",
    "FC Barcelona Real Madrid 2-1", "Dow Jones +1.2% Nasdaq -0.3% S&P 500", "Van Gogh Museum", "1987 1988 1989", "…",
]  # fmt: skip


def article(body: str, *, language: str | None = None, title: str = "") -> Article:
    return Article(id="0" * 16, title=title, body=body, language=language)


def language_in(store: Store, kept: Article) -> str | None:
    found = store.article(kept.id)
    assert found is not None
    return found.language


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "archive" / "archive.db")
    yield opened
    opened.close()


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert {guessed(sentence) for sentence in SENTENCES[language]} == {language}


@pytest.mark.parametrize("text", NAMES_AND_NUMBERS)
def test_names_and_numbers_tell_none(text: str) -> None:
    assert guessed(text) is None


def test_what_recognition_made_of_a_page_tells_none() -> None:
    assert (
        guessed("tlilt IV )-uiti it ftp, Ima linirf tit-til Ih ui unity Mmr mm yaainruajr ni- Ottllrt! tlmt III lt")
        is None
    )


@pytest.mark.parametrize("collection", ["newspapers-1916", "us-politics", "wire-1987"])
def test_no_english_news_is_taken_for_another_language(collection: str) -> None:
    """Those of 1916 are read by machine, often badly; some of their pages are in Italian and Czech indeed."""
    with gzip.open(shared(f"news/{collection}.jsonl.gz"), "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in itertools.islice(lines, 0, 6_000, 20)]
    found = [
        guessed(f"{record.get('title') or ''}\n{record.get('body') or record.get('text')}"[:1_500])
        for record in records
    ]
    assert set(found) <= {"en", None, "it"}
    assert found.count("it") <= 2
    assert found.count("en") > 0.85 * len(found)


def test_what_a_source_declares_is_believed() -> None:
    assert with_language(article("Hochwasser an der Elbe", language="nl")).language == "nl"
    assert with_language(article("Москва и Санкт-Петербург", language="sr")).language == "sr"
    assert with_language(article("OK", language="en-GB")).language == "en-GB"
    assert with_language(article("Новости из города Ниш", language="sr-Latn")).language == "sr-Latn"


@pytest.mark.parametrize(
    ("declared", "language"), [("en", "ar"), ("en-US", "ru"), ("de", "zh"), ("ru", "de"), ("ar", "fr"), ("ko", "ja")]
)
def test_but_not_when_the_very_letters_contradict_it(declared: str, language: str) -> None:
    for sentence in SENTENCES[language]:
        corrected = with_language(article(sentence, language=declared))
        assert (corrected.language, corrected.language_guessed) == (language, True)


def test_a_declared_language_stays_where_the_letters_tell_no_other() -> None:
    assert with_language(article("Москва, Киев, Минск, Рига", language="en")).language == "en"


def test_japanese_in_its_own_letters_is_japanese() -> None:
    for sentence in SENTENCES["ja"]:
        assert with_language(article(sentence, language="ja")).language_guessed is False


def test_a_guess_makes_no_version(store: Store) -> None:
    plain = article("Hochwasser an der Elbe: Tausende müssen ihre Häuser verlassen")
    assert store.put(plain) == "added"  # as an archive has it from before languages were guessed
    assert store.put(with_language(plain)) == "unchanged"
    assert language_in(store, plain) is None


def test_nor_does_another_guess_or_none(store: Store) -> None:
    guess = with_language(article("Nach den Wahlen sucht die Partei einen Partner"))
    assert store.put(guess) == "added"
    assert language_in(store, guess) == "de"
    assert store.put(guess) == "unchanged"
    assert store.put(article(guess.body)) == "unchanged"
    assert store.put(with_language(article(guess.body))) == "unchanged"
    assert not list(store.check())


def test_a_declared_language_is_one_and_a_changed_text_with_a_guess_too(store: Store) -> None:
    guess = with_language(article("Nach den Wahlen sucht die Partei einen Partner"))
    store.put(guess)
    assert store.put(article(guess.body, language="de-AT")) == "updated"
    assert store.put(guess) == "unchanged"
    assert store.put(with_language(article("Nach den Wahlen sucht die Partei zwei Partner"))) == "updated"
    assert language_in(store, guess) == "de"


def test_whether_a_language_is_guessed_is_nothing_a_reader_sees() -> None:
    guess = with_language(article("Nach den Wahlen sucht die Partei einen Partner"))
    assert content_hash(guess) == content_hash(article(guess.body, language="de"))
