"""The words of articles that were fetched, as numbers, and kept for the next question.

One word is one number in all articles, so that what a question needs of hundreds of articles is put together by laying
arrays end to end. What was asked for last is kept, as much of it as memory is set aside for.

Invariant: an article is what it was when it was fetched; whoever publishes what has changed opens another engine, which
keeps nothing of this one's.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis import STOP_TERMS, stem

MOST_WORDS = 1_000_000  # different ones, some 250 bytes each with its term; then it is begun anew
MOST_PLACES = 16_000_000  # words of all the articles that are kept, 4 bytes each: some 40,000 articles of the news
END = 0  # stands for the end of a title or body

Places = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Fetched:
    """An article as it came, its words as numbers: those of the title, END, those of the body, END."""

    article_id: str
    published: int
    names: frozenset[str]
    places: Places
    title_end: int  # the place of the first END
    title_length: int  # in words that score
    body_length: int


class Codes:
    """The numbers of words, from 1. Safe to use from several threads: a number once given stays."""

    def __init__(self) -> None:
        """Know no word yet."""
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._by_term: dict[str, list[int]] = {}
        self._silent: set[int] = {END}  # those of stop words, which do not score

    def __len__(self) -> int:
        """Return how many numbers there are, END among them: each is less."""
        return len(self._numbers) + 1

    def number(self, word: str) -> int | None:
        """Return the number of a word that was met."""
        return self._numbers.get(word)

    def of_term(self, term: str, *, below: int) -> list[int]:
        """Return those numbers below so many whose words have this term: of words met later nothing is said."""
        return [code for code in self._by_term.get(term, ()) if code < below]

    def fetched(
        self, article_id: str, *, published: int, names: Iterable[str], title: Sequence[str], body: Sequence[str]
    ) -> Fetched:
        """Return an article with its words, which are folded, as numbers."""
        numbers = self._numbers
        with self._lock:
            for word in {*title, *body}:
                if word not in numbers:
                    self._meet(word)
        coded = [[numbers[word] for word in text] for text in (title, body)]
        lengths = [sum(code not in self._silent for code in text) for text in coded]
        places = np.array([*coded[0], END, *coded[1], END], np.uint32)
        return Fetched(article_id, published, frozenset(names), places, len(title), *lengths)

    def _meet(self, word: str) -> None:
        term, code = stem(word), len(self._numbers) + 1
        self._by_term.setdefault(term, []).append(code)
        if term in STOP_TERMS:
            self._silent.add(code)
        self._numbers[word] = code  # last: whoever looks without the lock finds all that belongs to it


class Kept:
    """The articles that were fetched lately. Safe to use from several threads."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._lock = threading.Lock()
        self._codes = Codes()
        self._articles: OrderedDict[str, Fetched] = OrderedDict()  # the one asked for last at the end
        self._places = 0

    def known(self, article_ids: Iterable[str]) -> tuple[Codes, dict[str, Fetched]]:
        """Return those of these articles that are kept, and the numbers that they are in."""
        found = {}
        with self._lock:
            if len(self._codes) > MOST_WORDS:
                self._codes, self._places = Codes(), 0
                self._articles.clear()
            for id_ in article_ids:
                if (article := self._articles.get(id_)) is not None:
                    self._articles.move_to_end(id_)
                    found[id_] = article
            return self._codes, found

    def keep(self, codes: Codes, articles: Iterable[Fetched]) -> None:
        """Keep articles, unless their numbers are no longer those in use."""
        with self._lock:
            if codes is not self._codes:
                return
            for article in articles:
                before = self._articles.pop(article.article_id, None)
                self._articles[article.article_id] = article
                self._places += len(article.places) - (len(before.places) if before else 0)
            while self._places > MOST_PLACES:
                _, oldest = self._articles.popitem(last=False)
                self._places -= len(oldest.places)
