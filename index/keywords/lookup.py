"""Where units stand: postings read from disk, phrases and nears verified in the text, words expanded.

Invariants: only live articles are found; one thread at a time reads from disk; what was found is remembered, up to a
number of postings. A phrase occurs as often as it begins, a near as often as a shortest stretch of it ends. The work
grows with the texts of the articles that hold all the words, and no faster.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import reduce

import numpy as np

from index.analysis import stem
from index.engine import Floats, Ints
from index.keywords.pairs import Pair, together
from index.keywords.places import Codes, clusters, counted, runs
from index.keywords.postings import Matches, PostingField, Postings
from index.keywords.units import Beginning, Cluster, Run, Similar, Unit
from index.keywords.vocabulary import Vocabulary
from index.query import FieldName

REMEMBERED = 2_000_000  # postings kept, 24 bytes each: those of a long question about 25,000 articles


class Lookup:
    """Finds units and names in `Postings`. Safe to call from several threads."""

    def __init__(self, postings: Postings) -> None:
        """Take over `postings`: `close` closes them."""
        self._postings = postings
        self._remembered: OrderedDict[Unit | tuple[FieldName, str], Matches] = OrderedDict()
        self._room = REMEMBERED
        self._vocabulary: Vocabulary | None = None
        self._reading = threading.RLock()

    def matches(self, unit: Unit) -> Matches:
        """Return where the unit stands. Raises QueryRefused when it stands for too many words."""
        return self._remember(unit, lambda: self._find(unit))

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles whose `field` is the folded `name`."""

        def read() -> Matches:
            articles, frequencies = self._read(field, name)
            return Matches(articles, np.zeros_like(frequencies), frequencies)

        return self._remember((field, name), read).articles

    def pairs(self, pairs: Sequence[Pair], articles: Ints) -> Sequence[Matches]:
        """Return, for each pair of terms, how often they stand together in each of these articles (ascending)."""
        counts = [np.zeros((len(articles), 2)) for _ in pairs]
        with self._reading:
            for some, codes in self._postings.texts(articles):
                begin = int(np.searchsorted(articles, some[0]))
                for count, places in zip(counts, together(codes, pairs), strict=True):
                    count[begin : begin + len(some)] = counted(codes, places)
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
            return self._postings.document_frequency(term)

    def close(self) -> None:
        """Release files and memory."""
        with self._reading:
            self._remembered.clear()
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
                return _NOWHERE
            case Run((term,)):
                return self._counted(self._read("title", term), self._read("body", term))
            case Run(terms):
                return self._verified(terms, lambda codes: runs(codes, terms))
            case Cluster(terms, distance):
                return self._verified(terms, lambda codes: clusters(codes, terms, width=len(terms) + distance))
            case Beginning(letters):
                return _united([self._word(word) for word in self.vocabulary().beginning(letters)])
            case Similar(word):
                term = stem(word)
                others = [other for other in self.vocabulary().similar(word) if stem(other) != term]
                return _united([self.matches(Run((term,))), *map(self._word, others)])

    def _word(self, word: str) -> Matches:
        """Return where an unstemmed word stands."""
        articles, frequencies = self._read("word", word)
        in_title, title = self._read("title_word", word)
        counts = np.zeros((2, len(articles)))
        counts[0, np.searchsorted(articles, in_title)] = title
        counts[1] = frequencies - counts[0]
        return Matches(articles, counts[0], counts[1])

    def _counted(self, title: tuple[Ints, Floats], body: tuple[Ints, Floats]) -> Matches:
        articles = np.union1d(title[0], body[0])
        counts = np.zeros((2, len(articles)))
        counts[0, np.searchsorted(articles, title[0])] = title[1]
        counts[1, np.searchsorted(articles, body[0])] = body[1]
        return Matches(articles, counts[0], counts[1])

    def _verified(self, terms: Sequence[str], find: Callable[[Codes], Ints]) -> Matches:
        """Return the articles in whose texts `find` finds a place, of those that hold all the terms."""
        holding = [self.matches(Run((term,))).articles for term in sorted(set(terms))]
        articles = reduce(lambda these, those: np.intersect1d(these, those, assume_unique=True), holding)
        looked_at, counts = [_NOWHERE.articles], [np.zeros((0, 2))]
        for some, codes in self._postings.texts(articles):
            looked_at.append(some)
            counts.append(counted(codes, find(codes)))
        articles, frequencies = np.concatenate(looked_at), np.concatenate(counts)
        found = frequencies.any(axis=1)
        return Matches(articles[found], frequencies[found, 0], frequencies[found, 1])

    def _read(self, field: PostingField, term: str) -> tuple[Ints, Floats]:
        articles, frequencies = self._postings.read(field, term)
        live = self._postings.live[articles]
        return articles[live], frequencies[live]


_NOWHERE = Matches(np.empty(0, np.int64), np.empty(0), np.empty(0))


def _size(matches: Matches) -> int:
    return len(matches.articles) + 10  # a key and three arrays take as much as ten postings


def _united(found: Sequence[Matches]) -> Matches:
    """Return the matches of several words as those of one: where any of them stands, as often as they all do."""
    if not found:
        return _NOWHERE
    articles, places = np.unique(np.concatenate([one.articles for one in found]), return_inverse=True)
    counts = np.zeros((2, len(articles)))
    np.add.at(counts[0], places, np.concatenate([one.title for one in found]))
    np.add.at(counts[1], places, np.concatenate([one.body for one in found]))
    return Matches(articles, counts[0], counts[1])
