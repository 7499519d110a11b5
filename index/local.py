"""The engine of one machine: a keyword index and a vector index of the same generation.

Invariant: both legs speak in the same numbers, the places of articles among the keyword index's ids. They are asked
side by side: the query is embedded and the vectors are scanned on a thread of their own, outside Python's lock, while
all that the keyword leg can say without knowing what was found is worked out, and then what its own nominees mean.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.calibration import familiar
from index.engine import (
    Candidates,
    Floats,
    Ints,
    Kind,
    Mask,
    Meaning,
    TermEvidence,
    Vector,
    Vectors,
    as_ids,
    unscored,
)
from index.keywords import KeywordIndex
from index.query import Query, Term, has_words, without_filters
from index.threads import Threads
from index.timing import timed

if TYPE_CHECKING:  # importing it loads FAISS, which `flask --help` does without
    from index.vectors import Nearest, PassageScores


MOST_BY_MEANING = 5_000  # articles found by their words that are scored by meaning too: some 10 ms


class SemanticLeg(Protocol):
    """What `index.vectors.VectorIndex` can be asked. Safe to use from several threads."""

    def nearest(self, vector: Vector, *, depth: int, within: Mask | None = None) -> "Nearest":
        """Return the best `depth` articles of `within` (all: None) by their best passage; of equals the first."""

    def scores(self, vector: Vector, numbers: Ints) -> "PassageScores":
        """Return how near the articles of these numbers, ascending, come: those of them that have passages."""

    def spread(self, vector: Vector) -> float:
        """Return the cosine that one passage in a hundred of the whole archive exceeds; 0.0 of an empty one."""

    def likeness(self, passages: Ints, *, to: Ints) -> Floats:
        """Return the cosine of each of these passages with the mean of those in `to`; 0.0 for what is no passage."""

    def means(self, numbers: Ints) -> Vectors:
        """Return the mean vector of each of these articles, as `index.likeness` has it; zeros where it has none."""

    def article_ids(self) -> frozenset[str]:
        """Return the ids of every article with a passage here."""


@dataclass(frozen=True, slots=True)
class _Near:
    """What the semantic leg nominates."""

    numbers: Ints
    beyond: float | None  # no article that the filters leave and that is not here exceeds this cosine


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a thread beside is at: the query's vector, which is told as soon as it is there, then what is near it."""

    vector: "Future[Vector]"
    near: "Future[_Near]"


@dataclass(frozen=True, slots=True)
class _Scored:
    """What the semantic leg says of all candidates that it is asked about."""

    near: _Near
    spread: float
    scores: "Sequence[PassageScores]"


@dataclass(frozen=True, slots=True)
class _Worded:
    """What the keyword leg nominates."""

    holding: Mask  # what holds everything wanted
    most: Mask  # where nothing does: what holds most of it
    nominated: Mask  # these, and the best by score


class LocalEngine:
    """Searches one generation on this machine. Safe to call from several threads."""

    def __init__(
        self, *, number: int, seq: int, keywords: KeywordIndex, vectors: SemanticLeg, model_sha256: str
    ) -> None:
        """Take the opened legs of generation `number`, made of changes up to `seq`, vectors by the named model."""
        self.generation: int | None = number
        self.degraded = False
        self.seq = seq
        self.model_sha256: str | None = model_sha256
        self._keywords = keywords
        self._vectors = vectors
        self._ids = keywords.ids
        self._beside = Threads(os.cpu_count() or 1, name="vectors")

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that articles of the generation are in; "en" stands for all others."""
        return self._keywords.languages

    def candidates(self, query: Query, meaning: Meaning | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg and all that hold everything wanted, scored on both.

        Where more than `MOST_BY_MEANING` hold it, as they do a common word alone, only the best of them by words are
        scored by meaning, beside those that come nearest: the others follow by their words. All of them are candidates
        all the same, and counted.
        """
        within = self._keywords.select(query)
        if meaning is None and not has_words(query):
            return unscored(self._ids, np.arange(len(self._ids)) if within is None else np.flatnonzero(within))
        # What an article is worth must not depend on the filters: it is judged beside what they leave out as well.
        unfiltered = without_filters(query)
        pools = [within] if unfiltered == query else [within, self._keywords.select(unfiltered)]
        meant = self._meant(meaning, pools, depth=depth) if meaning is not None else None
        with timed("keyword"):
            words = self._worded(query, unfiltered, depth=depth)
        scored = self._scored(meant, unfiltered, np.flatnonzero(words.nominated)) if meant is not None else None
        chosen = words.nominated
        if scored is not None:
            chosen[scored.near.numbers] = True
        numbers = np.flatnonzero(chosen)
        candidates = self._by_words(query, numbers)
        if scored is not None:
            for scores in scored.scores:
                candidates = _with_meaning(candidates, scores)
            candidates = replace(candidates, nearest=scored.spread)
        return replace(
            candidates,
            holds_all=words.holding[numbers],
            holds_most=words.most[numbers],
            selected=within[numbers] if within is not None else candidates.selected,
            beyond=self._beyond(query, chosen, within, scored.near if scored is not None else None),
        )

    def scored(self, query: Query, meaning: Meaning | None, article_ids: Sequence[str]) -> Candidates:
        """Return these articles alone, as far as the generation holds them, scored as among all candidates.

        Nobody is looked for: it costs what these articles do, and what the words' postings do.
        """
        numbers = self._numbers(article_ids)
        within = self._keywords.select(query)
        selected = within[numbers] if within is not None else np.ones(len(numbers), np.bool_)
        if meaning is None and not has_words(query):
            return replace(unscored(self._ids, numbers), selected=selected)
        unfiltered = without_filters(query)
        self._keywords.prepare(query)
        holding = self._keywords.holding(unfiltered)
        most = np.zeros_like(holding) if holding.any() else self._keywords.holding_most(unfiltered)
        candidates = self._by_words(query, numbers)
        if meaning is not None:
            vector = meaning()
            candidates = _with_meaning(candidates, self._vectors.scores(vector, numbers))
            candidates = replace(candidates, nearest=self._vectors.spread(vector))
        return replace(candidates, holds_all=holding[numbers], holds_most=most[numbers], selected=selected)

    def _numbers(self, article_ids: Sequence[str]) -> Ints:
        """Return the numbers of those of the articles that the generation holds, ascending."""
        wanted = np.unique(as_ids(article_ids))
        numbers = np.searchsorted(self._ids, wanted)
        within = numbers < len(self._ids)
        numbers, wanted = numbers[within], wanted[within]
        there: Ints = numbers[self._ids[numbers] == wanted]
        return there

    def _meant(self, meaning: Meaning, pools: Sequence[Mask | None], *, depth: int) -> _Meant:
        """Ask the semantic leg, beside, for the best of each pool; the first is what the filters leave."""
        told: Future[Vector] = Future()

        def near() -> _Near:
            try:
                told.set_result(meaning())
            except BaseException as error:
                told.set_exception(error)
                raise
            with timed("semantic"):
                found = [self._vectors.nearest(told.result(), depth=depth, within=pool) for pool in pools]
            return _Near(np.unique(np.concatenate([nearest.numbers for nearest in found])), found[0].beyond)

        return _Meant(told, self._beside.submit(near))

    def _scored(self, meant: _Meant, unfiltered: Query, numbers: Ints) -> _Scored:
        """Score by meaning what the words have nominated, while what is near is looked for, and then that."""
        numbers = self._scored_by_meaning(unfiltered, numbers)
        vector = meant.vector.result()
        scores = self._vectors.scores(vector, numbers)
        spread = self._vectors.spread(vector)
        near = meant.near.result()
        others = np.setdiff1d(near.numbers, numbers, assume_unique=True)
        return _Scored(near, spread, [scores, self._vectors.scores(vector, others)])

    def _worded(self, query: Query, unfiltered: Query, *, depth: int) -> _Worded:
        """Ask the keyword leg, with and without filters; the same once when there are none."""
        self._keywords.prepare(query)
        holding = self._keywords.holding(unfiltered)
        most = np.zeros_like(holding) if holding.any() else self._keywords.holding_most(unfiltered)
        nominated = holding | most
        for asked in dict.fromkeys((query, unfiltered)):
            nominated[self._keywords.rank(asked, depth=depth).numbers] = True
        return _Worded(holding, most, nominated)

    def _scored_by_meaning(self, unfiltered: Query, numbers: Ints) -> Ints:
        """Return which of these are scored by meaning: all, or the best by words, whatever the filters."""
        if len(numbers) <= MOST_BY_MEANING:
            return numbers
        is_best = np.zeros(len(self._ids), np.bool_)
        is_best[self._keywords.rank(unfiltered, depth=MOST_BY_MEANING).numbers] = True
        return numbers[is_best[numbers]]

    def _by_words(self, query: Query, numbers: Ints) -> Candidates:
        evidence = self._keywords.evidence(query, numbers)
        terms = self._keywords.terms(query)
        asked = terms or self._keywords.terms(_as_words(query.text))
        return replace(
            unscored(self._ids, numbers),
            keyword=evidence.scores,
            coverage=evidence.coverage,
            pairs=evidence.pairs,
            ceiling=self._keywords.ceiling(query),
            terms=len(terms),
            known=sum(holding > 0 for holding in asked.values()) / len(asked) if asked else 1.0,
            familiar=familiar(asked),
        )

    def _beyond(
        self, query: Query, chosen: Mask, within: Mask | None, near: _Near | None
    ) -> tuple[float, float] | None:
        """Return the coverage and the cosine that no article exceeds that was left out; None when none was."""
        coverage = self._keywords.coverage_beyond(query, np.flatnonzero(chosen))
        left_out = ~chosen if within is None else within & ~chosen
        cosine = near.beyond if near is not None and left_out.any() else None
        if coverage is None and cosine is None:
            return None
        return coverage or 0.0, -1.0 if cosine is None else cosine

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without."""
        return self._vectors.likeness(candidates.passages, to=candidates.passages[rows])

    def means(self, candidates: Candidates) -> Vectors:
        """Return the mean vector of each candidate, of norm 1, the lead weighing more: zeros where there is none."""
        return self._vectors.means(candidates.numbers)

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: those of the query's words and of all that its prefixes stand for."""
        return self._keywords.matched_terms(query)

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""
        return self._keywords.explain(query, article_ids)

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude."""
        return int(self._keywords.holding(query).sum())

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, folded, not stemmed, and how many articles hold each."""
        return self._keywords.words()

    def telling_terms(
        self, article_text: str, *, limit: int, language: str | None = None
    ) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""
        return self._keywords.telling_terms(article_text, limit=limit, language=language)

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids the keyword index holds and those the vector index holds; they should be the same."""
        return self._keywords.all_ids(), self._vectors.article_ids()

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""
        self._beside.shutdown()
        self._keywords.close()


def _with_meaning(candidates: Candidates, scores: "PassageScores") -> Candidates:
    """Return the candidates with what the semantic leg says of them; one that has no passage stays as it is."""
    rows = np.searchsorted(candidates.numbers, scores.numbers)
    return replace(
        candidates,
        semantic=_put(candidates.semantic, rows, scores.best),
        second=_put(candidates.second, rows, scores.second),
        common=_put(candidates.common, rows, scores.common),
        passages=_put(candidates.passages, rows, scores.passages),
        spans=_put(candidates.spans, rows, scores.spans),
    )


def _put(column: NDArray[Kind], rows: Ints, values: NDArray[Kind]) -> NDArray[Kind]:
    """Return the column with these values in some rows."""
    written = column.copy()
    written[rows] = values
    return written


def _as_words(text: str) -> Query:
    """Return the query that wants each word of a text of which only the meaning is asked for."""
    return Query(wanted=tuple(Term(word) for word in text.split()))
