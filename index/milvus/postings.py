"""The words of some articles that were fetched, as postings, and the corpus that they are from.

Invariant: it answers as an index would that held these articles alone; how rare something is in all of the archive is
the corpus's to say.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.engine import Ints, Mask
from index.keywords.places import END, OTHER, Marks, in_batches
from index.keywords.postings import NOWHERE, Matches
from index.keywords.units import Beginning, Cluster, Run, Similar, Unit
from index.keywords.word_counts import WordCounts
from index.milvus import kept
from index.milvus.kept import Codes, Fetched
from index.milvus.rows import named
from index.milvus.statistics import Statistics
from index.query import AnyOf, FieldName


class FetchedPostings:
    """Postings of articles that were fetched. Nothing of them changes; safe to read from several threads."""

    def __init__(self, articles: Sequence[Fetched], codes: Codes, statistics: Statistics) -> None:
        """Take the articles, in the order of their ids, their words in these numbers."""
        self._statistics = statistics
        self._codes = codes
        self._size = len(codes)
        self._names = [article.names for article in articles]
        self._places = np.concatenate([np.empty(0, np.uint32), *(article.places for article in articles)])
        lengths = np.array([len(article.places) for article in articles], np.int64)
        self._ends = np.cumsum(lengths)
        self._texts = np.empty(2 * len(articles), np.int64)  # where each title and each body ends
        self._texts[0::2] = self._ends - lengths + np.array([article.title_end for article in articles], np.int64)
        self._texts[1::2] = self._ends - 1
        self.ids: NDArray[np.bytes_] = np.array([article.article_id.encode() for article in articles], "S16")
        self.live: Mask = np.ones(len(articles), np.bool_)
        self.published: Ints = np.array([article.published for article in articles], np.int64)
        self.title_length: Ints = np.array([article.title_length for article in articles], np.int64)
        self.body_length: Ints = np.array([article.body_length for article in articles], np.int64)

    def term(self, term: str) -> Matches:
        """Return where a term stands."""
        return self._matches(self._codes.of_term(term, below=self._size))

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""
        numbers = [self._codes.number(word) for word in words]
        return self._matches([code for code in numbers if code is not None and code < self._size])

    def _matches(self, codes: Sequence[int]) -> Matches:
        if not codes:
            return NOWHERE
        if len(codes) == 1:
            found = self._places == codes[0]
        else:
            wanted = np.zeros(self._size, np.bool_)
            wanted[codes] = True
            found = wanted[self._places]
        texts = np.searchsorted(self._texts, np.flatnonzero(found))
        counts = np.bincount(texts, minlength=len(self._texts)).reshape(-1, 2).astype(np.float64)
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
        marks = np.full(self._size, OTHER, np.uint8)
        marks[kept.END] = END
        for mark, terms in enumerate(groups, start=1):
            for term in terms:
                marks[self._codes.of_term(term, below=self._size)] = mark
        begins = np.append(0, self._ends)
        for some in in_batches(articles, begins[articles + 1] - begins[articles]):
            pieces = [self._places[begins[at] : begins[at + 1]] for at in some.tolist()]
            yield some, marks[np.concatenate(pieces)]

    def close(self) -> None:
        """Release nothing: it is all in memory."""


class SharedCorpus:
    """All articles of a shared index, as its statistics tell."""

    def __init__(
        self,
        statistics: Statistics,
        *,
        count_any: Callable[[AnyOf], int | None],
        count_unit: Callable[[Unit], int],
    ) -> None:
        """`count_any` says how many articles hold a choice, None where that cannot be told.

        `count_unit` says how many hold a word of several forms, or what a prefix or a fuzzy word stands for.
        """
        self._statistics = statistics
        self._count_any = count_any
        self._count_unit = count_unit

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
        """Return how many articles hold a unit: of a phrase or near, as many as were found to."""
        match unit:
            case Run((term,), ()):
                return self._statistics.holding(term)
            case Beginning(letters):
                words = self._statistics.words
                each = [words[words.word(at)] for at in words.beginning(letters)]
                return self._at_least(found, min(sum(each), self._count_unit(unit)) if len(each) > 1 else sum(each))
            case Similar() | Run((_,)):
                return self._at_least(found, self._count_unit(unit))
            case Run() | Cluster():
                return len(found.articles)

    def holding_any(self, clause: AnyOf, found: int) -> int:
        """Return how many articles hold a choice."""
        told = self._count_any(clause)
        return found if told is None else told

    def _at_least(self, found: Matches, told: int) -> int:
        return min(max(len(found.articles), told), self._statistics.articles)
