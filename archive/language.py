"""Which language an article is written in, where its source does not say; the only file that imports py3langid.

A source is believed unless the very letters contradict it: text in Arabic letters is not English, whatever its feed
declares. A guess is made only where the model is sure, and none is better than a wrong one: a headline of names, a
table, or a page whose letters were misread stays without a language.

The model is loaded (half a second, 105 MB) when the first article without a language arrives, so only what ingests pays
for it.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from archive.article import Article

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

CHARACTERS = 1_500  # of headline and body that are looked at: half a millisecond
SURE = 0.8  # probability from which a guess counts: in 6,000 articles of news, hardly legible scans too, none is wrong
SCRIPT_LETTERS = 200  # that tell in which script a text is written

# What is written much like another language, whose readers it would be hidden from: pages in Standard Arabic are taken
# for Moroccan, dispatches without articles for Nigerian Pidgin.
_VARIETIES = {"an", "ary", "arz", "bcl", "crh", "ext", "gcf", "gcr", "grc", "gug", "hbo", "lij", "ltg", "pcm", "sdh",
              "uzs", "vec", "wa", "wuu", "yue"}  # fmt: skip
_NOISE = {"fuv", "kab", "vo", "zxx"}  # what misread letters and tables are taken for

# Languages of one script: text in another is not theirs. Chinese and Japanese share theirs.
_SCRIPTS = {
    "LATIN": "ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv nb nl nn no pl pt ro sk sl sq sv tr vi",
    "CYRILLIC": "be bg mk ru uk",
    "ARABIC": "ar fa ps ur",
    "HEBREW": "he yi",
    "GREEK": "el",
    "HANGUL": "ko",
    "CJK": "ja zh",
    "DEVANAGARI": "hi mr ne",
    "THAI": "th",
}
_SCRIPT_OF = {language: script for script, languages in _SCRIPTS.items() for language in languages.split()}
_SCRIPT_SUBTAG = re.compile(r"-[A-Z][a-z]{3}\b")  # of a tag that names one itself: sr-Latn
_WRITTEN_AS = {"HIRAGANA": "CJK", "KATAKANA": "CJK"}


def with_language(article: Article) -> Article:
    """Return the article with its language guessed where none is declared, or one that its letters contradict."""
    text = f"{article.title}\n{article.body}"[:CHARACTERS]
    if article.language is not None and not _contradicted(article.language, text):
        return article
    guess = guessed(text)
    return article if guess is None else replace(article, language=guess, language_guessed=True)


def guessed(text: str) -> str | None:
    """Return the language that `text` is written in, None unless that is all but certain."""
    language, probability = _identifier().classify(text)
    return str(language) if probability >= SURE and language not in _NOISE else None


def _contradicted(language: str, text: str) -> bool:
    """Return whether a language is never written in the script that the text is written in."""
    expected = _SCRIPT_OF.get(language.partition("-")[0])
    if expected is None or _SCRIPT_SUBTAG.search(language):
        return False
    letters = islice((c for c in text if c.isalpha()), SCRIPT_LETTERS)
    scripts = Counter(unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    for script, other in _WRITTEN_AS.items():
        scripts[other] += scripts.pop(script, 0)
    return bool(scripts) and scripts.most_common(1)[0][0] != expected


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([label for label in identifier.labels if label not in _VARIETIES])
    return identifier
