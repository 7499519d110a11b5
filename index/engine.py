"""What an engine answers: candidates for a query, each scored on both legs.

Invariant: a hit is nominated, not shown. Whoever asks reads each article again from the store, and what the store
does not show is not shown. `tests/test_engine_contract.py` holds every engine to this file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.query import Query

Vector = NDArray[np.float32]  # shape (dimension,), norm 1
Vectors = NDArray[np.float32]  # shape (n, dimension), each row of norm 1
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOWHERE = -1  # in `Candidates.spans` and `passages`, of an article without a passage


@dataclass(frozen=True, slots=True)
class Span:
    """Where a passage stands: `body[start:end]`, in characters, of version `version` of its article."""

    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """How often an article holds a word or phrase, given as it was typed, and what that adds to its keyword score."""

    text: str
    title: int
    body: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """The articles an engine nominates, ordered by id, each scored on both legs: columns of one length n.

    They are the best of each leg, and every article that holds all that is wanted, or most of it where none holds all.
    Nothing is normalised.
    """

    ids: Sequence[str]
    keyword: Floats  # BM25F; 0.0 where no wanted word occurs
    coverage: Floats  # 0..1: the share, by rarity, of what is wanted that the article holds
    holds_all: Mask  # it holds everything wanted
    selected: Mask  # the filters leave it; the others are there to be compared with, so that no filter changes a score
    holds_most: Mask  # where no article does: it holds at least half of what is wanted and occurs at all
    pairs: Floats  # what the query's neighbouring words add by standing together; 0.0 beyond the best by words
    semantic: Floats  # cosine of the best passage with the query, nan where there is none
    second: Floats  # cosine of the second-best passage, nan where there is none
    common: Floats  # mean cosine of the best passage with all passages: how much it is like everything; 0.0 without
    passages: Ints  # the engine's own number of the best passage, or NOWHERE
    spans: Ints  # shape (n, 3): version, start and end of the best passage, or NOWHERE
    ceiling: float = 0.0  # the keyword score that no article can exceed: how much the query's words can tell
    beyond: tuple[float, float] | None = None  # coverage and cosine that no article left out exceeds; None: none is
    nearest: float | None = None  # the cosine that one passage in a hundred of the whole archive exceeds
    terms: int = 0  # different words and phrases wanted, stop words aside
    known: float = 1.0  # 0..1: the share of those that occur anywhere in the archive
    familiar: float = 1.0  # 0..1: the share of the query's words that are words of the archive

    def span(self, row: int) -> Span | None:
        """Return where the best passage of the article in `row` stands."""
        version, start, end = self.spans[row].tolist()
        return None if version == NOWHERE else Span(version, start, end)

    def kept(self, keep: Mask) -> "Candidates":
        """Return the candidates for which `keep`, shape (n,), is true."""
        rows = np.flatnonzero(keep)
        return replace(
            self,
            ids=[self.ids[row] for row in rows.tolist()],
            **{name: getattr(self, name)[rows] for name in _COLUMNS},
        )

    def and_one_beyond(self) -> "Candidates":
        """Return the candidates and, last, one that has the most that any article left out may have."""
        coverage, cosine = self.beyond or (0.0, -1.0)
        return replace(
            self,
            ids=[*self.ids, ""],
            keyword=np.append(self.keyword, coverage * self.ceiling),
            coverage=np.append(self.coverage, coverage),
            holds_all=np.append(self.holds_all, False),
            holds_most=np.append(self.holds_most, False),
            selected=np.append(self.selected, True),
            pairs=np.append(self.pairs, 0.0),
            semantic=np.append(self.semantic, cosine if cosine > -1.0 else np.nan),
            second=np.append(self.second, cosine if cosine > -1.0 else np.nan),
            common=np.append(self.common, 0.0),
            passages=np.append(self.passages, NOWHERE),
            spans=np.append(self.spans, [[NOWHERE] * 3], axis=0),
        )


_COLUMNS = (
    "keyword",
    "coverage",
    "holds_all",
    "holds_most",
    "selected",
    "pairs",
    "semantic",
    "second",
    "common",
    "passages",
    "spans",
)


def unscored(ids: Sequence[str]) -> Candidates:
    """Return candidates that filters alone selected: every one of `ids`, ascending, with nothing to rank by."""
    n = len(ids)
    return Candidates(
        ids=ids,
        keyword=np.zeros(n),
        coverage=np.zeros(n),
        holds_all=np.zeros(n, np.bool_),
        holds_most=np.zeros(n, np.bool_),
        selected=np.ones(n, np.bool_),
        pairs=np.zeros(n),
        semantic=np.full(n, np.nan),
        second=np.full(n, np.nan),
        common=np.zeros(n),
        passages=np.full(n, NOWHERE, np.int64),
        spans=np.full((n, 3), NOWHERE, np.int64),
    )


class Engine(Protocol):
    """Searches one generation. Safe to call from several threads."""

    @property
    def generation(self) -> int | None:
        """The generation's number, or None when the answer comes from the store alone."""

    @property
    def seq(self) -> int:
        """The last change of the archive that it knows of."""

    @property
    def model_sha256(self) -> str | None:
        """The identity of the model whose vectors it searches, or None when it has no vectors."""

    def candidates(self, query: Query, vector: Vector | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg and all that hold everything wanted, scored on both legs, by id.

        A leg takes part when it has something to rank by: words or phrases in `query`, a `vector`. With neither, the
        articles that `query` selects by its filters alone are returned, all of them. `query.required` and
        `query.excluded` bind both legs; beside what its filters select, the best of what they do not may be there too.
        """

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without."""

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: those of the query's words and of all that its prefixes stand for."""

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude."""

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, folded, not stemmed, and how many articles hold each."""

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""
