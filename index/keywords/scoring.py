"""Ranking and filtering over postings held in arrays, whichever library keeps them on disk.

Document frequencies and mean lengths are those of the live articles, and ties are broken by id, so which segment holds
an article never changes what ranks where.

The score is BM25 as Lucene computes it since version 8 (no factor k1 + 1, which changes no order), over one length
and one frequency an article, in which the title counts several times: the simple BM25F of Robertson, Zaragoza and
Taylor, "Simple BM25 extension to multiple weighted fields", 2004. A phrase or near scores as one word whose rarity is
the sum of its words' rarities and whose frequency is how often it occurs; a prefix or fuzzy word as one word that
occurs wherever one of those does that it stands for.
"""

import math
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.analysis import STOP_TERMS, scoring_terms, surface
from index.engine import Floats, Ints, Mask, TermEvidence
from index.function_words import function_terms
from index.inflection import language_of, spans_in
from index.keywords import Evidence, Ranked
from index.keywords.answer import Answer, Bm25F
from index.keywords.clauses import Clauses
from index.keywords.corpus import Corpus, Indexed
from index.keywords.lookup import Lookup
from index.keywords.postings import Postings
from index.order import in_turn
from index.query import Query

K1 = 1.2  # Robertson et al., TREC-3, 1994; also Lucene's default
B = 0.75  # the same
TITLE_WEIGHT = 2.0  # a word in the title counts as this many in the body

ANSWERS = 8  # the last queries whose answers are kept: one search asks half a dozen questions about one query

COMMON_SHARE = 0.1  # a term that more of the articles hold tells nothing
COMMON_FROM = 200  # articles from which that share means something


@dataclass(frozen=True, slots=True)
class Bm25:
    """The parameters of the ranking: they can be changed without building an index anew."""

    k1: float = K1
    b: float = B
    title_weight: float = TITLE_WEIGHT


class Nominator(Protocol):
    """What finds the best articles for plain words sooner than by scoring them all. Safe to call from several threads.

    Its scores may differ a little from ours, and so may what it finds.
    """

    def best(self, terms: Mapping[str, float], *, depth: int) -> tuple[Ints, Floats]:
        """Return the best `depth` live articles for these weighted terms, by the postings' numbers, and their scores.

        None of the terms is a stop word.
        """


class RankedPostings:
    """The `KeywordIndex` over any `Postings`. Safe to call from several threads: one at a time reads from disk."""

    def __init__(
        self,
        postings: Postings,
        ranking: Bm25,
        nominator: Nominator | None = None,
        *,
        corpus: Corpus | None = None,
    ) -> None:
        """Take over `postings`: `close` closes them. Without a `corpus` they are those of every article there is."""
        self._nominator = nominator
        live = np.flatnonzero(postings.live)
        ids = postings.ids[live]
        order = np.argsort(ids)
        self._ids = ids[order]
        self._articles: Ints = live[order]  # the postings' own number of each article
        self._numbers = np.full(len(postings.live), -1, np.int64)  # and the other way round
        self._numbers[self._articles] = np.arange(len(self._articles))
        self._lookup = Lookup(postings)
        self._corpus = corpus or Indexed(postings, self._lookup)
        self._clauses = Clauses(postings, self._lookup, self._corpus)
        mean = self._corpus.mean_length(title_weight=ranking.title_weight)
        self._bm25 = Bm25F(title_weight=ranking.title_weight, saturation=_saturation(postings, ranking, mean))
        self._live = postings.live
        self._answers: deque[tuple[Query, Answer]] = deque(maxlen=ANSWERS)
        self._answering = threading.Lock()

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """The ids of every article in the index, of type S16, ascending: an article's number is its place here."""
        return self._ids

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that live articles are in; "en" stands for all others."""
        return self._corpus.languages

    def rank(self, query: Query, *, depth: int) -> Ranked:
        """Return the best `depth` articles by BM25 score."""
        answer = self._answer(query)
        if not answer.units or depth < 1:
            return Ranked(np.empty(0, np.int64), np.empty(0))
        if self._nominator and not answer.is_scored and (terms := answer.plain):
            articles, reached = self._nominator.best(terms, depth=depth)
            numbers = self._numbers[articles]
            return Ranked(in_turn(numbers, reached, numbers), reached)
        best = answer.best(depth, within=answer.selected)
        return Ranked(self._numbers[best], answer.scores[best])

    def prepare(self, query: Query) -> None:
        """Work out what `evidence` will say, whichever articles it is asked about."""
        answer = self._answer(query)
        _ = answer.scores, answer.coverage, answer.pairs

    def evidence(self, query: Query, numbers: Ints) -> Evidence:
        """Return what the query's words say about each of these articles."""
        answer = self._answer(query)
        articles = self._articles[numbers]
        return Evidence(answer.scores[articles], answer.coverage[articles], answer.pairs.of(articles))

    def ceiling(self, query: Query) -> float:
        """Return the score no article can exceed: every wanted word and phrase, each as often as one likes."""
        return self._answer(query).ceiling

    def select(self, query: Query) -> Mask | None:
        """Return which articles hold every required clause and no excluded one, or None when there is neither."""
        selected = self._answer(query).selected
        return None if selected is None else selected[self._articles]

    def holding(self, query: Query) -> Mask:
        """Return which articles `select` does and hold every wanted clause, stop words aside, too."""
        return self._answer(query).holding[self._articles]

    def holding_most(self, query: Query) -> Mask:
        """Return which articles `select` does and hold at least half of what is wanted and occurs anywhere."""
        return self._answer(query).holding_most[self._articles]

    def coverage_beyond(self, query: Query, numbers: Ints) -> float | None:
        """Return the highest coverage of the articles that `rank` could give beside these; None if there are none."""
        answer = self._answer(query)
        beyond = (self._live if answer.selected is None else answer.selected) & (answer.scores > 0)
        beyond[self._articles[numbers]] = False
        left_out = np.flatnonzero(beyond)
        return float(answer.coverage[left_out].max()) if len(left_out) else None

    def coverage_of_less(self, query: Query) -> float:
        """Return the coverage that no article exceeds that misses any of what is wanted."""
        return self._answer(query).coverage_of_less

    def terms(self, query: Query) -> Mapping[str, int]:
        """Return the words, phrases and so on that score, as typed, and how many articles hold each."""
        units = self._answer(query).units
        return {wanted.text: self._clauses.count(unit) for unit, wanted in units.items()}

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: of the query's words and of all that its prefixes stand for."""
        terms = [term for unit in self._answer(query).units for term in self._lookup.terms(unit)]
        return frozenset(scoring_terms(terms))

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return, by article, how often it holds what scores and what that adds; together it is its score."""
        explained: dict[str, list[TermEvidence]] = {id_: [] for id_ in article_ids}
        numbers = numbered(self._ids, article_ids)
        for wanted, matches, scores in self._answer(query).parts(self._articles[numbers]):
            columns = (self._ids[self._numbers[matches.articles]], matches.title, matches.body, scores)
            for id_, title, body, score in zip(*(column.tolist() for column in columns), strict=True):
                evidence = TermEvidence(text=wanted.text, title=int(title), body=int(body), score=score)
                explained[id_.decode()].append(evidence)
        return explained

    def words(self) -> Mapping[str, int]:
        """Return every word, folded and not stemmed, that an article holds, in order, and about how many hold it."""
        return self._lookup.vocabulary().counts

    def all_ids(self) -> frozenset[str]:
        """Return the ids of every article in the index."""
        return frozenset(id_.decode() for id_ in self._ids.tolist())

    def telling_terms(self, article_text: str, *, limit: int, language: str | None = None) -> list[tuple[str, float]]:
        """Return the text's `limit` terms of highest tf-idf that other articles hold too, weights scaled to 0..1.

        Each is given as the word the text uses most for it, which as a `Term` makes the same term again. A term that
        one article alone holds is left out: that article is this one, or the only other that could be found by it.
        """
        words: dict[str, Counter[str]] = {}
        skipped = STOP_TERMS | function_terms(language, self.languages)
        for term, start, end in spans_in(language_of(language), article_text):
            if term not in skipped:
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
        with self._answering:
            self._answers.clear()
        self._lookup.close()

    def _answer(self, query: Query) -> Answer:
        with self._answering:
            for known, answer in self._answers:  # few; a query's hash takes longer than looking through them
                if known.text == query.text and known == query:
                    return answer
            answer = Answer(
                query,
                live=self._live,
                numbers=self._numbers,
                lookup=self._lookup,
                clauses=self._clauses,
                bm25=self._bm25,
            )
            self._answers.appendleft((query, answer))
            return answer

    def _tells(self, term: str, frequency: int) -> float:
        holding = self._lookup.document_frequency(term)
        count = self._corpus.articles
        common = count >= COMMON_FROM and holding > COMMON_SHARE * count
        if holding < 2 or common:
            return 0.0
        return (1 + math.log(frequency)) * self._clauses.rarity_among(holding)


def numbered(ids: NDArray[np.bytes_], article_ids: Sequence[str]) -> Ints:
    """Return the numbers of those of `article_ids` that are among the `ids`, ascending."""
    wanted = np.unique(np.array([id_.encode() for id_ in article_ids], ids.dtype))
    first, last = np.searchsorted(ids, wanted, "left"), np.searchsorted(ids, wanted, "right")
    numbers: Ints = first[first < last]
    return numbers


def _saturation(postings: Postings, ranking: Bm25, mean: float) -> Floats:
    """Return, for each article, the frequency at which a word reaches half its highest score."""
    lengths = postings.body_length + ranking.title_weight * postings.title_length
    saturation: Floats = ranking.k1 * (1 - ranking.b + ranking.b * lengths / (mean or 1.0))
    return saturation
