"""The engine of one machine: a keyword index and a vector index of the same generation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from index.calibration import familiar
from index.engine import Candidates, Floats, Ints, Mask, TermEvidence, Vector, unscored
from index.keywords import KeywordIndex
from index.query import Query, Term, has_words, without_filters

if TYPE_CHECKING:  # importing it loads FAISS, which `flask --help` does without
    from index.vectors import PassageScores, VectorIndex


class LocalEngine:
    """Searches one generation on this machine. Safe to call from several threads."""

    def __init__(
        self, *, number: int, seq: int, keywords: KeywordIndex, vectors: "VectorIndex", model_sha256: str
    ) -> None:
        """Take the opened legs of generation `number`, made of changes up to `seq`, vectors by the named model."""
        self.generation: int | None = number
        self.seq = seq
        self.model_sha256: str | None = model_sha256
        self._keywords = keywords
        self._vectors = vectors

    def candidates(self, query: Query, vector: Vector | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg and all that hold everything wanted, scored on both, by id."""
        within = self._keywords.select(query)
        if vector is None and not has_words(query):
            return unscored(sorted(self._keywords.all_ids() if within is None else within))
        # What an article is worth must not depend on the filters: it is judged beside what they leave out as well.
        unfiltered = without_filters(query)
        holding = self._keywords.holding(unfiltered)
        most = frozenset() if holding else self._keywords.holding_most(unfiltered)
        by_words = holding | most
        for asked in dict.fromkeys((query, unfiltered)):
            by_words = by_words.union(article_id for article_id, _ in self._keywords.rank(asked, depth=depth))
        beside = self._keywords.select(unfiltered) if unfiltered != query else frozenset()
        near = self._near(vector, depth=depth, within=within, beside=beside, also=by_words)
        candidates = self._scored(query, sorted(by_words.union(near.ids if near else ())), near)
        coverage = self._keywords.coverage_beyond(query, candidates.ids)
        is_all = coverage is None and (near is None or near.beyond is None)
        cosine = near.beyond if near and near.beyond is not None else -1.0
        return replace(
            candidates,
            holds_all=_members(candidates.ids, holding),
            holds_most=_members(candidates.ids, most),
            selected=_members(candidates.ids, within) if within is not None else candidates.selected,
            beyond=None if is_all else (coverage or 0.0, cosine),
        )

    def _near(
        self,
        vector: Vector | None,
        *,
        depth: int,
        within: frozenset[str] | None,
        beside: frozenset[str] | None,
        also: frozenset[str],
    ) -> "PassageScores | None":
        if vector is None:
            return None
        return self._vectors.candidates(vector, depth=depth, within=within, beside=beside, also=also)

    def _scored(self, query: Query, ids: Sequence[str], near: "PassageScores | None") -> Candidates:
        evidence = self._keywords.evidence(query, ids)
        terms = self._keywords.terms(query)
        asked = terms or self._keywords.terms(_as_words(query.text))
        blank = unscored(ids)
        if near is not None:
            rows = np.searchsorted(np.array(ids, dtype=object), np.array(near.ids, dtype=object))
            blank.semantic[rows], blank.second[rows], blank.common[rows] = near.best, near.second, near.common
            blank.spans[rows], blank.passages[rows] = near.spans, near.passages
        return replace(
            blank,
            keyword=evidence.scores,
            coverage=evidence.coverage,
            pairs=evidence.pairs,
            ceiling=self._keywords.ceiling(query),
            nearest=near.nearest if near else None,
            terms=len(terms),
            known=sum(holding > 0 for holding in asked.values()) / len(asked) if asked else 1.0,
            familiar=familiar(asked),
        )

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without."""
        return self._vectors.likeness(candidates.passages, to=candidates.passages[rows])

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: those of the query's words and of all that its prefixes stand for."""
        return self._keywords.matched_terms(query)

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""
        return self._keywords.explain(query, article_ids)

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude."""
        return len(self._keywords.holding(query))

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, folded, not stemmed, and how many articles hold each."""
        return self._keywords.words()

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""
        return self._keywords.telling_terms(article_text, limit=limit)

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids the keyword index holds and those the vector index holds; they should be the same."""
        return self._keywords.all_ids(), self._vectors.article_ids()

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""
        self._keywords.close()


def _members(ids: Sequence[str], held: frozenset[str]) -> Mask:
    return np.fromiter((article_id in held for article_id in ids), np.bool_, len(ids))


def _as_words(text: str) -> Query:
    """Return the query that wants each word of a text of which only the meaning is asked for."""
    return Query(wanted=tuple(Term(word) for word in text.split()))
