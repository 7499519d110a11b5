"""Where units stand: postings read from disk, phrases and nears verified in the text, words expanded.

Invariants: only live articles are found; one thread at a time reads from disk; what was found is remembered, up to a
number of postings. A phrase occurs as often as it begins, a near as often as a shortest stretch of it ends. The work
grows with the texts of the articles that hold all the words, and no faster.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, reduce

import numpy as np

from index.analysis import stem
from index.engine import Ints
from index.keywords.pairs import Pair, together
from index.keywords.places import Marks, clusters, counted, runs
from index.keywords.postings import NOWHERE, Matches, Postings, united
from index.keywords.units import Beginning, Cluster, Run, Similar, Unit
from index.keywords.vocabulary import Vocabulary
from index.query import FieldName

REMEMBERED = 1_000_000  # postings kept, 24 bytes each: those of two long questions about 100,000 articles
FREQUENCIES = 16_384  # terms whose frequency is kept, 200 bytes each: nine in ten of an article's are among them


class Lookup:
    """Finds units and names in `Postings`. Safe to call from several threads."""

    def __init__(self, postings: Postings) -> None:
        """Take over `postings`: `close` closes them."""
        self._postings = postings
        self._remembered: OrderedDict[Unit | tuple[FieldName, str], Matches] = OrderedDict()
        self._room = REMEMBERED
        self._vocabulary: Vocabulary | None = None
        self._reading = threading.RLock()
        self._frequency = lru_cache(FREQUENCIES)(postings.document_frequency)
        self._are_all_live = bool(postings.live.all())

    def matches(self, unit: Unit) -> Matches:
        """Return where the unit stands. Raises QueryRefused when it stands for too many words."""
        return self._remember(unit, lambda: self._find(unit))

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles whose `field` is the folded `name`."""

        def read() -> Matches:
            articles = self._postings.named(field, name)
            articles = articles[self._postings.live[articles]]
            return Matches(articles, np.zeros(len(articles)), np.ones(len(articles)))

        return self._remember((field, name), read).articles

    def pairs(self, pairs: Sequence[Pair], articles: Ints) -> Sequence[Matches]:
        """Return, for each pair of terms, how often they stand together in each of these articles (ascending)."""
        terms = tuple(dict.fromkeys(term for pair in pairs for term in pair))
        marks_of = {term: mark for mark, term in enumerate(terms, start=1)}
        marked = [(marks_of[first], marks_of[second]) for first, second in pairs]
        counts = [np.zeros((len(articles), 2)) for _ in pairs]
        with self._reading:
            for some, marks in self._postings.texts(articles, terms):
                begin = int(np.searchsorted(articles, some[0]))
                for count, places in zip(counts, together(marks, marked), strict=True):
                    count[begin : begin + len(some)] = counted(marks, places)
        return [Matches(articles, count[:, 0], count[:, 1]) for count in counts]

    def terms(self, unit: Unit) -> Iterable[str]:
        """Return the terms a text that holds the unit may hold."""
        match unit:
            case Run(terms) | Cluster(terms):
                return terms
            case Beginning(letters):
                return map(stem, self.vocabulary().beginning(letters))
            case Similar(word):
                return map(stem, (word, *self.vocabulary().similar(word)))

    def vocabulary(self) -> Vocabulary:
        """Return the archive's words, read when they are first asked for."""
        with self._reading:
            if self._vocabulary is None:
                self._vocabulary = Vocabulary(self._postings.words())
            return self._vocabulary

    def document_frequency(self, term: str) -> int:
        """Return, cheaply, about how many articles hold `term`."""
        with self._reading:
            return self._frequency(term)

    def close(self) -> None:
        """Release files and memory."""
        with self._reading:
            self._remembered.clear()
            self._frequency.cache_clear()
            self._vocabulary = None
            self._postings.close()

    def _remember(self, key: Unit | tuple[FieldName, str], find: Callable[[], Matches]) -> Matches:
        with self._reading:
            matches = self._remembered.get(key)
            if matches is None:
                matches = self._remembered[key] = find()
                self._room -= _size(matches)
                while self._room < 0:
                    self._room += _size(self._remembered.popitem(last=False)[1])
            else:
                self._remembered.move_to_end(key)
            return matches

    def _find(self, unit: Unit) -> Matches:
        match unit:
            case Run(()):
                return NOWHERE
            case Run((term,)):
                return self._living(self._postings.term(term))
            case Run(terms):
                return self._verified(terms, runs)
            case Cluster(terms, distance):
                return self._verified(terms, partial(clusters, width=len(terms) + distance))
            case Beginning(letters):
                return self._living(self._postings.words_of(self.vocabulary().beginning(letters)))
            case Similar(word):
                term = stem(word)
                others = [other for other in self.vocabulary().similar(word) if stem(other) != term]
                return united([self.matches(Run((term,))), self._living(self._postings.words_of(others))])

    def _verified(self, terms: Sequence[str], find: Callable[[Marks, Sequence[int]], Ints]) -> Matches:
        """Return the articles in whose texts `find` finds a place, of those that hold all the terms."""
        different = sorted(set(terms))
        wanted = [different.index(term) + 1 for term in terms]
        holding = [self.matches(Run((term,))).articles for term in different]
        articles = reduce(lambda these, those: np.intersect1d(these, those, assume_unique=True), holding)
        looked_at, counts = [NOWHERE.articles], [np.zeros((0, 2))]
        for some, marks in self._postings.texts(articles, different):
            looked_at.append(some)
            counts.append(counted(marks, find(marks, wanted)))
        articles, frequencies = np.concatenate(looked_at), np.concatenate(counts)
        return Matches(articles, frequencies[:, 0], frequencies[:, 1]).of(frequencies.sum(axis=1) > 0)

    def _living(self, matches: Matches) -> Matches:
        return matches if self._are_all_live else matches.of(self._postings.live[matches.articles])


def _size(matches: Matches) -> int:
    return len(matches.articles) + 10  # a key and three arrays take as much as ten postings
