"""How words of other languages than English are inflected: which of them are forms of one word. Pure.

An index knows words by their English terms, whatever the language (`index.analysis`). What this file adds is asked when
a query is answered: in an article in German, a word stands for another when both have one stem in German. So nothing
of it is on disk, and what it says of an archive in English is nothing at all.

Words come folded, without accents, as the index has them. The stems are Snowball's (https://snowballstem.org), whose
rules look for the letters that folding took away: what matters of those is put back first. Arabic has the light
stemmer of Larkey, Ballesteros and Connell, 2002, without the one-letter prefixes that many a word begins with itself.

Where an apostrophe joins a word to a smaller one before it, as in French "l'élection", the word is what follows
(`bare`): so it goes into an index, at its place.

Invariant: a stem begins as its word does, an article before it in Arabic aside, so that the forms of a word stand
together in a vocabulary.
"""

import re
import threading
from functools import lru_cache

import Stemmer

from index.analysis import analyse, spans

MAX_REMEMBERED = 16_384  # stems

_SNOWBALL = {
    "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish", "et": "estonian",
    "fa": "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "tr": "turkish",
}  # fmt: skip
LANGUAGES = frozenset({"ar", *_SNOWBALL})

# What is written before the stemmer looks: letters put back that folding took away, and plurals that it leaves apart.
_MENDED = {
    "cs": [(r"ach$", "ách")],
    "es": [(r"(?<=\w{3}[dlnrz])es$|(?<=\w{3}[aeo])s$", "")],
    "fr": [(r"ees?$", "é")],
    "pl": [(r"ow$", "ów")],
    "pt": [(r"oes$", "ao"), (r"(?<=\w{3})ais$", "al"), (r"(?<=\w{3})eis$", "el")],
    "ru": [(r"(?<=[аеиоы])и$", "й")],
}
_MENDING = {language: [(re.compile(old), new) for old, new in rules] for language, rules in _MENDED.items()}
_TURKISH = re.compile(r"([aouı][^aeiou]*)i")  # after such a vowel stands an ı, which folding made an i

_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")  # of Arabic, with what is written together with them
_ARABIC = re.compile(rf"(?:{'|'.join(_ARTICLES)})?(\w{{2,}}?)(?:ها|ان|ات|ون|ين|يه|ية|ه|ة|ي)?")

_INFLECTED = re.compile(r"[^\d.]{3,}")  # a shorter word has one form, and so have numbers
_ELIDED = {
    "ca": "[dlmnst]",
    "fr": "[cdjlmnst]|qu|jusqu|lorsqu|puisqu",
    "it": "[cdlsv]|un|all|coll|dall|dell|nell|sull|quell|quest",
}
_ELISION = {
    language: re.compile(rf"\b(?:{before})['\u2019](?=[^\W\d_])", re.IGNORECASE) for language, before in _ELIDED.items()
}
_LIKE = 3  # letters that a stem has in common with its word, as far as it has so many
_LIKE_IN = {"nl": 2}  # manen: maan

_stemmers: dict[str, Stemmer.Stemmer] = {}
_STEMMING = threading.Lock()  # a stemmer keeps its state between calls


def language_of(tag: str | None) -> str | None:
    """Return the language of a tag, "de" of de-AT, if its words have forms that are known; of English none have."""
    language = (tag or "").partition("-")[0].lower()
    return language if language in LANGUAGES else None


def eliding(tag: str | None) -> str | None:
    """Return the language of a tag if it joins words by an apostrophe; `spans_in` tells none of the others apart."""
    language = language_of(tag)
    return language if language in _ELISION else None


def bare(language: str | None, text: str) -> str:
    """Return a text in this language without what an apostrophe joins to its words; they stay as many."""
    elision = _ELISION.get(language or "")
    return elision.sub("", text) if elision else text


def spans_in(language: str | None, text: str) -> list[tuple[str, int, int]]:
    """Return (term, start, end) of each bare word of a text in this language, as `index.analysis.spans` does."""
    found = spans(text)
    elision = _ELISION.get(language or "")
    if elision is None:
        return found
    return [
        (analyse(text[joined.end() : end])[0], joined.end(), end)
        if (joined := elision.match(text, start, end))
        else (term, start, end)
        for term, start, end in found
    ]


@lru_cache(maxsize=MAX_REMEMBERED)
def stem_in(language: str, word: str) -> str:
    """Return the stem of a folded word in one of the `LANGUAGES`: the word itself where none is known."""
    if not _INFLECTED.fullmatch(word):
        return word
    if language == "ar":
        found = _ARABIC.fullmatch(word)
        return found[1] if found else word
    for old, new in _MENDING.get(language, ()):
        word = old.sub(new, word)
    mended = word
    while language == "tr" and (harmonic := _TURKISH.sub(r"\1ı", mended)) != mended:
        mended = harmonic
    with _STEMMING:
        stem = str(_stemmer(language).stemWord(mended)).replace("ı", "i")
    return stem if word.startswith(beginning_of(language, stem)) else word


def beginnings(language: str, stem: str) -> tuple[str, ...]:
    """Return what the words of this stem begin with: one of these."""
    if language == "ar":
        return (stem, *(article + stem for article in _ARTICLES))
    return (beginning_of(language, stem),)


def beginning_of(language: str, stem: str) -> str:
    """Return the letters that a stem has in common with its words."""
    return stem[: _LIKE_IN.get(language, _LIKE)]


def _stemmer(language: str) -> Stemmer.Stemmer:
    if language not in _stemmers:
        _stemmers[language] = Stemmer.Stemmer(_SNOWBALL[language], 0)  # 0: its own cache is off, ours is bounded
    return _stemmers[language]
