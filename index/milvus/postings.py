"""The words of some articles that were fetched, as postings, and the corpus that they are from.

Invariant: it answers as an index would that held these articles alone; how rare something is in all of the archive is
the corpus's to say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.analysis import STOP_TERMS, stem
from index.engine import Ints, Mask
from index.keywords.places import END, OTHER, Marks, in_batches
from index.keywords.postings import NOWHERE, Matches
from index.keywords.units import Beginning, Cluster, Run, Similar, Unit
from index.keywords.word_counts import WordCounts
from index.milvus.rows import named
from index.milvus.statistics import Statistics
from index.query import AnyOf, FieldName

STEMS_REMEMBERED = 1_000_000  # words, some 150 bytes each

_END = 0  # stands for the end of a title or body


@dataclass(frozen=True, slots=True)
class Fetched:
    """An article as it came."""

    article_id: str
    published: int
    names: Sequence[str]
    title: Sequence[str]  # its words, folded
    body: Sequence[str]


class Stems(dict[str, str]):
    """The terms of words already met."""

    def __missing__(self, word: str) -> str:
        """Make the term of a word."""
        if len(self) >= STEMS_REMEMBERED:
            self.clear()
        made = self[word] = stem(word)
        return made


class FetchedPostings:
    """Postings of articles that were fetched. Nothing of them changes; safe to read from several threads."""

    def __init__(self, articles: Sequence[Fetched], statistics: Statistics, stems: Stems) -> None:
        """Take the articles, in the order of their ids; `stems` is kept from one query to the next."""
        self._statistics = statistics
        self._stems = stems
        self._names = [frozenset(article.names) for article in articles]
        self._codes: dict[str, int] = {}
        places: list[int] = []
        lengths: list[int] = []
        number = self._codes
        for article in articles:
            before = len(places)
            for text in (article.title, article.body):
                places += [number.setdefault(word, len(number) + 1) for word in text]
                places.append(_END)
            lengths.append(len(places) - before)
        self._places = np.array(places, np.uint32)
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._by_term: dict[str, list[int]] = {}
        scoring = np.zeros(len(number) + 1, np.bool_)
        for word, code in number.items():
            term = stems[word]
            self._by_term.setdefault(term, []).append(code)
            scoring[code] = term not in STOP_TERMS
        passed = np.append(0, np.cumsum(scoring[self._places]))
        counts = np.diff(passed[np.flatnonzero(self._places == _END)], prepend=0)
        self.ids: NDArray[np.bytes_] = np.array([article.article_id.encode() for article in articles], "S16")
        self.live: Mask = np.ones(len(articles), np.bool_)
        self.published: Ints = np.array([article.published for article in articles], np.int64)
        self.title_length: Ints = counts[0::2]
        self.body_length: Ints = counts[1::2]

    def term(self, term: str) -> Matches:
        """Return where a term stands."""
        return self._matches(self._by_term.get(term, ()))

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""
        return self._matches([code for word in words if (code := self._codes.get(word))])

    def _matches(self, codes: Sequence[int]) -> Matches:
        if not codes:
            return NOWHERE
        found = self._places == codes[0]
        for code in codes[1:]:
            found |= self._places == code
        ends = np.flatnonzero(self._places == _END)
        texts = np.searchsorted(ends, np.flatnonzero(found))
        counts = np.bincount(texts, minlength=len(ends)).reshape(-1, 2).astype(np.float64)
        articles = np.flatnonzero(counts.any(axis=1))
        return Matches(articles, counts[articles, 0], counts[articles, 1])

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles, ascending, one of whose values of `field` is the folded `name`."""
        wanted = named(field, name)
        return np.array([at for at, names in enumerate(self._names) if wanted in names], np.int64)

    def document_frequency(self, term: str) -> int:
        """Return how many articles of the archive hold `term`."""
        return self._statistics.holding(term)

    def words(self) -> WordCounts:
        """Return every unstemmed word of the archive, and how many articles hold it."""
        return self._statistics.words

    def texts(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which groups of terms are marked."""
        marks = np.full(len(self._codes) + 1, OTHER, np.uint8)
        marks[_END] = END
        for mark, terms in enumerate(groups, start=1):
            for term in terms:
                marks[self._by_term.get(term, [])] = mark
        begins = np.append(0, self._ends)
        for some in in_batches(articles, begins[articles + 1] - begins[articles]):
            pieces = [self._places[begins[at] : begins[at + 1]] for at in some.tolist()]
            yield some, marks[np.concatenate(pieces)]

    def close(self) -> None:
        """Release nothing: it is all in memory."""


class SharedCorpus:
    """All articles of a shared index, as its statistics tell."""

    def __init__(self, statistics: Statistics, count: Callable[[AnyOf], int | None]) -> None:
        """`count` says how many articles hold a choice, None where that cannot be told."""
        self._statistics = statistics
        self._count = count

    @property
    def articles(self) -> int:
        """How many there are."""
        return self._statistics.articles

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that they are in; "en" stands for all others."""
        return self._statistics.languages

    def mean_length(self, *, title_weight: float) -> float:
        """Return how many words an article has, its title's counted so many times; 0.0 where there is none."""
        told = self._statistics
        return (told.body_length + title_weight * told.title_length) / max(1, told.articles)

    def holding(self, unit: Unit, found: Matches) -> int:
        """Return how many articles hold a unit: of a phrase or near, as many as were found to.

        Of several words that count as one, as many as hold each, those that hold more than one counted again.
        """
        match unit:
            case Run((term,), forms):
                others = {term for _, (terms,) in forms for term in terms} - {term}
                return self._any([term, *others])
            case Beginning(letters):
                words = self._statistics.words
                return self._at_least(found, sum(words[words.word(at)] for at in words.beginning(letters)))
            case Similar(word):
                return self._at_least(found, self._any([stem(word)]))
            case Run() | Cluster():
                return len(found.articles)

    def holding_any(self, clause: AnyOf, found: int) -> int:
        """Return how many articles hold a choice."""
        told = self._count(clause)
        return found if told is None else told

    def _any(self, terms: Sequence[str]) -> int:
        return min(sum(map(self._statistics.holding, terms)), self._statistics.articles)

    def _at_least(self, found: Matches, told: int) -> int:
        return min(max(len(found.articles), told), self._statistics.articles)
