"""Ranking and filtering over postings held in arrays, whichever library keeps them on disk.

Articles are numbered through all segments of an index. Document frequencies and mean lengths are those of the live
articles, and ties are broken by id, so which segment holds an article never changes what ranks where.

The score is BM25 as Lucene computes it since version 8 (no factor k1 + 1, which changes no order), over one length
and one frequency an article, in which the title counts several times: the simple BM25F of Robertson, Zaragoza and
Taylor, "Simple BM25 extension to multiple weighted fields", 2004. A phrase scores as one word whose rarity is the sum
of its words' rarities and whose frequency is how often it occurs.
"""

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.analysis import STOP_TERMS, analyse, fold, spans, surface
from index.query import AnyOf, Clause, FieldName, FieldValue, Phrase, Published, Query, Term

K1 = 1.2  # Robertson et al., TREC-3, 1994; also Lucene's default
B = 0.75  # the same
TITLE_WEIGHT = 2.0  # a word in the title counts as this many in the body

REMEMBERED = (
    128  # words, phrases and names whose matches are kept: `rank` and `scores` of a query ask for the same ones
)

COMMON_SHARE = 0.1  # a term that more of the articles hold tells nothing
COMMON_FROM = 200  # articles from which that share means something

UNDATED = -(2**63)  # the date of an article that has none
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def moment(at: datetime) -> int:
    """Return an aware time as microseconds since 1970, the unit of `Postings.published`."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def framed(terms: Iterable[str]) -> bytes:
    """Return terms in the form in which texts and phrases are compared: each between spaces of its own."""
    return "".join([f" {term} " for term in terms]).encode()


@dataclass(frozen=True, slots=True)
class Bm25:
    """The parameters of the ranking: they can be changed without building an index anew."""

    k1: float = K1
    b: float = B
    title_weight: float = TITLE_WEIGHT


class Postings(Protocol):
    """What an index on disk is asked for. Its arrays have one element an article, removed articles included."""

    ids: Sequence[str]
    live: Mask
    published: Ints  # microseconds since 1970, or UNDATED
    title_length: Ints  # in terms, stop words not counted
    body_length: Ints

    def read(self, field: str, term: str) -> tuple[Ints, Floats]:
        """Return the numbers of the articles whose `field` holds `term`, ascending, and how often each does."""

    def document_frequency(self, term: str) -> int:
        """Return, cheaply, about how many articles hold `term`; removed ones may be counted."""

    def text(self, article: int) -> bytes:
        """Return the article's framed terms: those of the title, a line feed, those of the body."""

    def close(self) -> None:
        """Release files and memory."""


@dataclass(frozen=True, slots=True)
class _Matches:
    """The live articles that hold a word or phrase, ascending, with its frequency in title and body."""

    articles: Ints
    title: Floats
    body: Floats


class RankedPostings:
    """The `KeywordIndex` over any `Postings`. Safe to call from several threads: one at a time reads from disk."""

    def __init__(self, postings: Postings, ranking: Bm25) -> None:
        """Take over `postings`: `close` closes them."""
        self._postings = postings
        self._live = postings.live
        self._count = int(postings.live.sum())
        self._numbers = {postings.ids[number]: number for number in np.flatnonzero(postings.live).tolist()}
        self._ids = np.array(postings.ids, dtype=object)
        self._places = np.empty(len(self._ids), np.int64)
        self._places[np.argsort(self._ids, kind="stable")] = np.arange(len(self._ids))
        self._title_weight = ranking.title_weight
        self._saturation = _saturation(postings, ranking)
        self._remembered: OrderedDict[tuple[str, ...], _Matches] = OrderedDict()
        self._reading = threading.RLock()

    def rank(self, query: Query, *, depth: int) -> list[tuple[str, float]]:
        """Return the best `depth` articles as (article id, BM25 score), best first, ties by id."""
        scores = self._score(query)
        if scores is None or depth < 1:
            return []
        selected = self._select(query)
        found = np.flatnonzero(scores > 0 if selected is None else selected & (scores > 0))
        reached = scores[found]
        if len(found) > depth:  # sort only what can be among the best
            best = reached >= np.partition(reached, -depth)[-depth]
            found, reached = found[best], reached[best]
        order = np.lexsort((self._places[found], -reached))[:depth]
        return list(zip(self._ids[found[order]].tolist(), reached[order].tolist(), strict=True))

    def scores(self, query: Query, article_ids: Iterable[str]) -> dict[str, float]:
        """Return the score `rank` gives each of these articles, filters aside, 0.0 where no wanted word occurs."""
        numbers = {id_: self._numbers[id_] for id_ in article_ids if id_ in self._numbers}
        scores = self._score(query)
        if scores is None:
            return dict.fromkeys(numbers, 0.0)
        return dict(zip(numbers, scores[list(numbers.values())].tolist(), strict=True))

    def ceiling(self, query: Query) -> float:
        """Return the score no article can exceed: every wanted word and phrase, each as often as one likes."""
        return sum(weight * self._rarity_of(terms) for terms, weight in _units(query).items())

    def select(self, query: Query) -> frozenset[str] | None:
        """Return the ids that hold every required clause and no excluded one, or None when the query has neither."""
        selected = self._select(query)
        return None if selected is None else frozenset(self._ids[selected].tolist())

    def all_ids(self) -> frozenset[str]:
        """Return the ids of every article in the index."""
        return frozenset(self._numbers)

    def telling_terms(self, article_text: str, *, limit: int) -> list[tuple[str, float]]:
        """Return the text's `limit` terms of highest tf-idf that other articles hold too, weights scaled to 0..1.

        Each is given as the word the text uses most for it, which as a `Term` makes the same term again. A term that
        one article alone holds is left out: that article is this one, or the only other that could be found by it.
        """
        words: dict[str, Counter[str]] = {}
        for term, start, end in spans(article_text):
            if term not in STOP_TERMS:
                words.setdefault(term, Counter())[surface(article_text[start:end])] += 1
        weighed = [
            (weight, uses.most_common(1)[0][0])
            for term, uses in words.items()
            if (weight := self._tells(term, uses.total())) > 0
        ]
        weighed.sort(key=lambda pair: (-pair[0], pair[1]))
        return [(word, weight / weighed[0][0]) for weight, word in weighed[:limit]]

    def close(self) -> None:
        """Release files and memory."""
        with self._reading:
            self._remembered.clear()
            self._postings.close()

    def _tells(self, term: str, frequency: int) -> float:
        with self._reading:
            holding = self._postings.document_frequency(term)
        common = self._count >= COMMON_FROM and holding > COMMON_SHARE * self._count
        if holding < 2 or common:
            return 0.0
        return (1 + math.log(frequency)) * self._rarity(min(holding, self._count))

    def _rarity_of(self, terms: Sequence[str]) -> float:
        return sum(self._rarity(len(self._matches((term,)).articles)) for term in terms)

    def _rarity(self, holding: int) -> float:
        return math.log(1 + (self._count - holding + 0.5) / (holding + 0.5))

    def _score(self, query: Query) -> Floats | None:
        """Return every article's score, or None when the query has nothing to rank by."""
        units = _units(query)
        if not units:
            return None
        scores = np.zeros(len(self._ids))
        for terms, weight in units.items():
            matches = self._matches(terms)
            rarity = self._rarity_of(terms)
            frequency = matches.body + self._title_weight * matches.title
            scores[matches.articles] += weight * rarity * (frequency / (frequency + self._saturation[matches.articles]))
        return scores

    def _select(self, query: Query) -> Mask | None:
        if not (query.required or query.excluded):
            return None
        selected = self._live.copy()
        for clause in query.required:
            selected &= self._holds(clause)
        for clause in query.excluded:
            selected &= ~self._holds(clause)
        return selected

    def _holds(self, clause: Clause) -> Mask:
        match clause:
            case Term(text) | Phrase(text):
                return self._mask(self._matches(tuple(analyse(text))).articles)
            case FieldValue("title", value):
                matches = self._matches(tuple(analyse(value)))
                return self._mask(matches.articles[matches.title > 0])
            case FieldValue(field, value):
                return self._mask(self._named(field, fold(value)).articles)
            case Published(start, end):
                return self._published(start, end)
            case AnyOf(clauses):
                return reduce(np.logical_or, map(self._holds, clauses), self._mask(_NONE))

    def _mask(self, articles: Ints) -> Mask:
        mask = np.zeros(len(self._ids), np.bool_)
        mask[articles] = True
        return mask

    def _published(self, start: datetime | None, end: datetime | None) -> Mask:
        published = self._postings.published
        holds: Mask = published != UNDATED
        if start is not None:
            holds &= published >= moment(start)
        if end is not None:
            holds &= published < moment(end)
        return holds

    def _matches(self, terms: tuple[str, ...]) -> _Matches:
        """Return where the terms stand next to each other; a single one, where it stands; none, nowhere."""
        if not terms:
            return _Matches(_NONE, _NOTHING, _NOTHING)
        return self._remember(terms, lambda: self._word(terms[0]) if len(terms) == 1 else self._phrase(terms))

    def _named(self, field: FieldName, name: str) -> _Matches:
        def read() -> _Matches:
            articles, frequencies = self._postings.read(field, name)
            return _Matches(articles, np.zeros_like(frequencies), frequencies)

        return self._remember((field, "", name), read)  # no phrase holds an empty term

    def _remember(self, key: tuple[str, ...], find: Callable[[], _Matches]) -> _Matches:
        with self._reading:
            matches = self._remembered.get(key) or find()
            self._remembered[key] = matches
            self._remembered.move_to_end(key)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return matches

    def _word(self, term: str) -> _Matches:
        in_title, title = self._postings.read("title", term)
        in_body, body = self._postings.read("body", term)
        articles = np.union1d(in_title, in_body)
        frequencies = np.zeros((2, len(articles)))
        frequencies[0, np.searchsorted(articles, in_title)] = title
        frequencies[1, np.searchsorted(articles, in_body)] = body
        live = self._live[articles]
        return _Matches(articles[live], frequencies[0, live], frequencies[1, live])

    def _phrase(self, terms: tuple[str, ...]) -> _Matches:
        holding = [self._matches((term,)).articles for term in sorted(set(terms))]
        articles = reduce(lambda these, those: np.intersect1d(these, those, assume_unique=True), holding)
        wanted = framed(terms)
        counts = np.zeros((2, len(articles)))
        for place, article in enumerate(articles.tolist()):
            title, _, body = self._postings.text(article).partition(b"\n")
            counts[:, place] = title.count(wanted), body.count(wanted)
        found = counts.any(axis=0)
        return _Matches(articles[found], counts[0, found], counts[1, found])


_NONE: Ints = np.empty(0, np.int64)
_NOTHING: Floats = np.empty(0)


def _saturation(postings: Postings, ranking: Bm25) -> Floats:
    """Return, for each article, the frequency at which a word reaches half its highest score."""
    lengths = postings.body_length + ranking.title_weight * postings.title_length
    mean = float(lengths[postings.live].mean()) if postings.live.any() else 0.0
    saturation: Floats = ranking.k1 * (1 - ranking.b + ranking.b * lengths / (mean or 1.0))
    return saturation


def _units(query: Query) -> dict[tuple[str, ...], float]:
    """Return what scores, single words and phrases as tuples of terms, with their weights; a repeat weighs twice.

    Stop words on their own do not score beside anything else.
    """
    weights: dict[tuple[str, ...], float] = {}
    for terms, weight in _scoring((*query.wanted, *query.required)):
        weights[terms] = weights.get(terms, 0.0) + weight
    telling = {terms: weight for terms, weight in weights.items() if len(terms) > 1 or terms[0] not in STOP_TERMS}
    return telling or weights


def _scoring(clauses: Iterable[Clause]) -> Iterator[tuple[tuple[str, ...], float]]:
    for clause in clauses:
        match clause:
            case Term(text, weight):
                yield from (((term,), weight) for term in analyse(text))
            case Phrase(text):
                if terms := tuple(analyse(text)):
                    yield terms, 1.0
            case AnyOf(inner):
                yield from _scoring(inner)
