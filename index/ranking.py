"""From a query to a ranking: both legs asked, fused, and each candidate's probability of being relevant.

Invariants: a ranking comes from one generation throughout. Nothing is cut off and the store is not asked: that is
`index.search`; evaluation judges the ranking as it is.
"""

import logging
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal

import numpy as np

from index.budget import budget
from index.calibration import probabilities, probability_beyond
from index.catalogue import Catalogue
from index.embedder import Embedder, embed_query
from index.engine import Candidates, Engine, Floats, Ints, Lender, Meaning, Vector, memory_of, rows_of
from index.errors import ModelMismatch, ModelUnavailable
from index.function_words import without_function_words
from index.fusion import WEIGHTS, Fusion, Method, Recency, Weights, fuse
from index.models import OpenByIdentity, of_identity
from index.moments import DAY, UNDATED
from index.query import Query
from index.timing import timed

log = logging.getLogger(__name__)

Mode = Literal["hybrid", "keyword", "semantic"]
MODES: tuple[Mode, ...] = ("hybrid", "keyword", "semantic")
DEPTH = 1_000  # hits fetched per ranking, beside all articles that hold every word
HALF_LIFE = 365.0  # days in which what recency adds is halved

MODE_WEIGHTS: dict[Mode, Weights] = {"hybrid": WEIGHTS, "keyword": (1.0, 0.0), "semantic": (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Everything a query found in one generation, before the store was asked and anything cut off."""

    query: Query
    mode: Mode  # the one that was possible
    vector: Vector | None  # of the query, when meaning was searched
    candidates: Candidates
    fusion: Fusion
    probability: Floats  # of being relevant, one a candidate
    beyond: float  # the probability that no article left out exceeds
    marked: frozenset[str]  # terms that a snippet marks
    generation: int | None
    seq: int
    degraded: bool
    model_sha256: str | None = None  # of the vectors that were searched, and of the query's

    @property
    def ids(self) -> list[str]:
        """Return the articles, best first."""
        return self.candidates.ids_of(self.fusion.order)

    def kept(self, rows: Ints) -> "Ranking":
        """Return the ranking of the candidates in these rows alone, which come in this order."""
        return replace(
            self,
            candidates=self.candidates.kept(rows),
            fusion=self.fusion.kept(rows),
            probability=rows_of(self.probability, rows),
        )

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return self.candidates.nbytes + self.fusion.nbytes + memory_of(self.probability)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an engine answered, in the mode that was possible."""

    candidates: Candidates
    mode: Mode
    vector: Vector | None = None
    blind: bool = False  # meaning was wanted, and could not be searched


class Ranker:
    """Ranks the archive's articles. Safe to use from several threads."""

    def __init__(
        self,
        *,
        serving: Lender,
        embedder: OpenByIdentity,
        catalogue: Catalogue,
        fusion: Method,
        recency: float = 0.0,
    ) -> None:
        """Take the parts; `embedder` is asked for the model of the generation's vectors when a query needs it.

        `recency`, 0 to 1, is what the newest article gains beside an old one of the same score.
        """
        self._serving = serving
        self._embedder = embedder
        self._catalogue = catalogue
        self._fusion: Method = fusion
        self._recency = recency

    def rank(self, query: Query, *, mode: Mode, depth: int = DEPTH) -> Ranking:
        """Return every candidate for `query`, fused; the store has not been asked about them yet.

        Raises QueryRefused, also where it would cost too much.
        """
        with budget(), self._serving.engine() as (engine, degraded):
            generation, seq = engine.generation, engine.seq  # before it answers: what changes meanwhile is read again
            model = engine.model_sha256
            query = without_function_words(query, engine.languages)
            asked = self._asked(engine, query, mode, depth=depth)
            marked = engine.matched_terms(query)
            fusion = self._fused(engine, query, asked)
            degraded |= engine.degraded  # it may have gone away between one question and the next
        if query.text:
            probability = probabilities(asked.candidates, mode=asked.mode)
        else:
            probability = np.broadcast_to(np.float64(1.0), len(asked.candidates))  # filters are met or not
        return Ranking(
            query=query,
            mode=asked.mode,
            vector=asked.vector,
            candidates=asked.candidates,
            fusion=fusion,
            probability=probability,
            beyond=probability_beyond(asked.candidates, mode=asked.mode),
            marked=marked,
            generation=generation,
            seq=seq,
            degraded=degraded or asked.blind or asked.candidates.degraded,
            model_sha256=model,
        )

    def _asked(self, engine: Engine, query: Query, mode: Mode, *, depth: int) -> "_Asked":
        """Ask the engine; by words alone, which is called blind, where meaning is wanted and cannot be searched."""
        if mode == "keyword" or not query.text:
            return _Asked(engine.candidates(query, None, depth=depth), mode)
        try:
            meaning = self._meaning(engine, query.text)
            asked = replace(query, wanted=()) if mode == "semantic" else query
            return _Asked(engine.candidates(asked, meaning, depth=depth), mode, vector=meaning())
        except (ModelUnavailable, ModelMismatch) as error:
            if engine.model_sha256 is not None:
                log.warning("the semantic leg is off: %s", error)
            return _Asked(engine.candidates(query, None, depth=depth), "keyword", blind=True)

    def _meaning(self, engine: Engine, text: str) -> Meaning:
        """Return what gives the query's vector: made once, when the engine wants it.

        Raises ModelUnavailable, at once or when it is called, and ModelMismatch.
        """
        return cache(partial(_embedded, checked_embedder(self._embedder, engine), text))

    def _fused(self, engine: Engine, query: Query, asked: "_Asked") -> Fusion:
        if not query.text:
            return _unranked(asked.candidates)
        return fuse(
            asked.candidates,
            method=self._fusion,
            weights=MODE_WEIGHTS[asked.mode],
            # What the first articles are about, the question may be.
            likeness=partial(engine.likeness, asked.candidates),
            recency=self._recency_of(asked.candidates),
        )

    def _recency_of(self, candidates: Candidates) -> Recency | None:
        """Return how old each candidate is beside the archive's newest article, when newer ones are preferred."""
        if not self._recency:
            return None
        shelf = self._catalogue.shelf()
        newest = shelf.published[shelf.shown].max(initial=UNDATED)
        published = shelf.published[self._catalogue.rows(shelf, candidates.all_ids, candidates.numbers)]
        age = np.where(published == UNDATED, np.nan, (newest - published) / DAY)
        return Recency(age=age, weight=self._recency, half_life=HALF_LIFE)


def checked_embedder(embedder: OpenByIdentity, engine: Engine) -> Embedder:
    """Return the model that `engine` has vectors of. Raises ModelUnavailable, and ModelMismatch when it is another."""
    if engine.model_sha256 is None:
        raise ModelUnavailable("there are no vectors to search")
    return of_identity(embedder(engine.model_sha256), engine.model_sha256)


def _embedded(embedder: Embedder, text: str) -> Vector:
    with timed("query embedding"):
        return embed_query(embedder, text)


def _unranked(candidates: Candidates) -> Fusion:
    """Return what filters alone selected, which nothing ranks."""
    n = len(candidates)
    nothing, nowhere = np.broadcast_to(np.float64(0.0), n), np.broadcast_to(np.int64(0), n)
    return Fusion(np.arange(n), nothing, {}, (0.0, 0.0), nowhere, nowhere)
