"""What counts as a term: the one analysis that documents, queries and highlights share. Pure.

A text is cut into words where it stands, so every offset points into the original; each word is then folded (width,
case, accents, quotes) and stemmed on its own. Invariant: one word makes one term, and the word alone makes that same
term again: `analyse(text[start:end]) == [term]` for every span.

Stop words are terms like any other, so that the phrase "to be or not to be" can be found; `scoring_terms` is where
they are left out. Where the ending of a word matters (its beginning, its spelling), `words` gives it folded only.
"""

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import Stemmer

MAX_WORD = 256  # characters of one word that are looked at
MAX_TERM = 64  # characters of a term that are kept; longer ones are noise from tables and encodings
MAX_REMEMBERED = 50_000  # words remembered, folded and as terms, about 8 MB each; then it starts afresh

# Chinese and Japanese are written without spaces: each character is a word of its own.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# What may stand inside a word without being a letter: combining marks, soft hyphens and joiners.
_MARKS = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f"
    "\u0981-\u0983\u09bc-\u09cd\u0b82\u0bbe-\u0bcd\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200c\u200d\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f"
)
_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\uff07"
_LETTERS = rf"[^\W_{_UNSPACED}]"
_LETTER = rf"[^\W\d_{_UNSPACED}]"
_WORD = re.compile(
    rf"({_LETTER}\.(?:{_LETTER}\.)*{_LETTER}(?!{_LETTERS})\.?"  # initials: U.S., e.g.
    rf"|{_LETTERS}+(?:[{_MARKS}]+{_LETTERS}*|[{_APOSTROPHES}]{_LETTERS}+|(?<=\d)[.,](?=\d){_LETTERS}+)*"
    rf"|[{_UNSPACED}][{_MARKS}]*)"
)
_ASCII_WORD = re.compile(  # the same, of a text without any other character: found in two thirds of the time
    r"([A-Za-z]\.(?:[A-Za-z]\.)*[A-Za-z](?![A-Za-z0-9])\.?"
    r"|[A-Za-z0-9]+(?:'[A-Za-z0-9]+|(?<=[0-9])[.,](?=[0-9])[A-Za-z0-9]+)*)"
)
_INITIALS = re.compile(rf"{_LETTER}\.(?:{_LETTER}\.)*{_LETTER}\.?")
_POSSESSIVE = re.compile(rf"[{_APOSTROPHES}][sS]$")
_ENGLISH = re.compile(r"[a-z]+")
# Letters that Unicode does not decompose but that a reader without such a keyboard types plainly.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng"}
)

_STEMMER = Stemmer.Stemmer("english", 0)  # 0: its own cache is off, ours is bounded and shared
_STEMMING = threading.Lock()  # a stemmer keeps its state between calls


def analyse(text: str) -> list[str]:
    """Return the terms of `text`, stop words included, in the order in which they stand."""
    return [term for term in map(_TERMS.__getitem__, _words_in(text).findall(text)) if term]


def spans(text: str) -> list[tuple[str, int, int]]:
    """Return (term, start, end) of each term of `text`; `text[start:end]` is the word it was made from."""
    pieces = _words_in(text).split(text)  # what stands between words and words, by turns
    ends = list(accumulate(map(len, pieces)))
    found = zip(map(_TERMS.__getitem__, pieces[1::2]), ends[::2], ends[1::2], strict=False)
    return [placed for placed in found if placed[0]]


def words(text: str) -> list[str]:
    """Return the words of `text`, folded but not stemmed: `[stem(word) for word in words(text)] == analyse(text)`."""
    return [word for word in map(_WORDS.__getitem__, _words_in(text).findall(text)) if word]


def _words_in(text: str) -> re.Pattern[str]:
    return _ASCII_WORD if text.isascii() else _WORD


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: how it is looked up, and where it stands."""

    folded: str
    start: int
    end: int


def words_of(text: str, *, first: int = 0) -> list[Word]:
    """Return the words of `text` in order and where they stand in what it is a piece of, from character `first` on."""
    return [
        Word(folded, first + start, first + end) for _, start, end in spans(text) for folded in words(text[start:end])
    ]


def stem(word: str) -> str:
    """Return the term of a word that is folded already."""
    if not _ENGLISH.fullmatch(word):
        return word
    with _STEMMING:
        return str(_STEMMER.stemWord(word))


def scoring_terms(terms: Sequence[str]) -> list[str]:
    """Return `terms` without the stop words, or all of them when there is nothing else."""
    return [term for term in terms if term not in STOP_TERMS] or list(terms)


def is_stop_word(folded: str) -> bool:
    """Return whether a word says how a sentence is built and not what it is about."""
    return stem(folded) in STOP_TERMS


def surface(word: str) -> str:
    """Return a word as a reader would name it: without its possessive. It makes the same term."""
    return _POSSESSIVE.sub("", word)


def fold(value: str) -> str:
    """Return a name in the form in which names are compared.

    Width, case and accents do not matter, nor whether spaces or, as in many feeds, underscores part its words. Lone
    surrogates, which cannot be encoded, are dropped.
    """
    return " ".join(_fold(value).replace("_", " ").encode("utf-8", "ignore").decode().split())


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower().translate(_PLAIN)
    if folded.isascii():
        return folded
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare).casefold()


def _word(word: str) -> str:
    """Return a word as it stands in a text, folded, or an empty string when nothing of it remains."""
    if word.isascii() and word.isalpha():  # nothing to fold but case: most words, and all that follows does the same
        return word[:MAX_TERM].lower()
    word = _POSSESSIVE.sub("", word[:MAX_WORD])
    if _INITIALS.fullmatch(word):
        word = word.replace(".", "")
    return "".join(_kept(_fold(word)))[:MAX_TERM].strip(".")


def _term(word: str) -> str:
    return stem(_word(word))


def _kept(folded: str) -> Iterator[str]:
    for character in folded:
        if character.isalnum() or character == "." or unicodedata.category(character).startswith("M"):
            yield character


class _Remembered(dict[str, str]):
    """Words already met and what was made of them. A plain dictionary look-up is several times quicker than making."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, word: str) -> str:
        if len(word) > MAX_WORD:
            return self._make(word)
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        made = self[word] = self._make(word)
        return made


_TERMS = _Remembered(_term)
_WORDS = _Remembered(_word)

# Function words, which say how a sentence is built and not what it is about. Left out of the list, because they are
# names in the news as well: "us", "who", "will", "may", "does" (its stem is that of Doe).
STOP_TERMS = frozenset(
    analyse(
        "a an the this that these those such same own other some any all both each few more most very too so "
        "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers "
        "herself it its itself they them their theirs themselves what which whom whose when where why how here there "
        "am is are was were be been being have has had having do did doing can could would should "
        "and or but nor if then than as because until while no not only just now again further once "
        "of at by for with about against between into onto through during before after above below to from "
        "up down in out on off over under"
    )
)
