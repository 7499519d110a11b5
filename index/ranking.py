"""From a query to a ranking: both legs asked, fused, and each candidate's probability of being relevant.

Invariants: a ranking comes from one generation throughout. Nothing is cut off and the store is not asked: that is
`index.search`; evaluation judges the ranking as it is.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from index.calibration import probabilities
from index.catalogue import Catalogue
from index.embedder import Embedder, embed_query
from index.engine import Candidates, Engine, Floats, Vector
from index.errors import ModelMismatch, ModelUnavailable
from index.fusion import FEEDBACK_ARTICLES, WEIGHTS, Fusion, Method, Recency, Weights, fuse
from index.moments import DAY, UNDATED
from index.query import Query
from index.serving import Serving

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

    @property
    def ids(self) -> list[str]:
        """Return the articles, best first."""
        return [self.candidates.ids[row] for row in self.fusion.order.tolist()]


class Ranker:
    """Ranks the archive's articles. Safe to use from several threads."""

    def __init__(
        self,
        *,
        serving: Serving,
        embedder: Callable[[], Embedder],
        catalogue: Catalogue,
        fusion: Method,
        recency: float = 0.0,
    ) -> None:
        """Take the parts; `embedder` is called when a query first needs an embedding, and loads the model then.

        `recency`, 0 to 1, is what the newest article gains beside an old one of the same score.
        """
        self._serving = serving
        self._embedder = embedder
        self._catalogue = catalogue
        self._fusion: Method = fusion
        self._recency = recency

    def rank(self, query: Query, *, mode: Mode, depth: int = DEPTH) -> Ranking:
        """Return every candidate for `query`, fused; the store has not been asked about them yet."""
        with self._serving.engine() as (engine, degraded):
            vector, blind = self._vector(engine, query, mode)
            # Without an embedding, meaning cannot be searched: words answer, and the answer says it is degraded.
            effective: Mode = "keyword" if blind else mode
            asked = replace(query, wanted=()) if effective == "semantic" and vector is not None else query
            generation, seq = engine.generation, engine.seq  # before it answers: what changes meanwhile is read again
            candidates = engine.candidates(asked, vector, depth=depth)
            likeness = self._likeness(engine, candidates) if effective == "hybrid" and query.text else None
            marked = engine.matched_terms(query)
        if query.text:
            recency = self._recency_of(candidates)
            weights = MODE_WEIGHTS[effective]
            fusion = fuse(candidates, method=self._fusion, weights=weights, likeness=likeness, recency=recency)
        else:
            fusion = _unranked(candidates)
        probability, beyond = _probabilities(candidates, effective)
        return Ranking(
            query=query,
            mode=effective,
            vector=vector,
            candidates=candidates,
            fusion=fusion,
            probability=probability,
            beyond=beyond,
            marked=marked,
            generation=generation,
            seq=seq,
            degraded=degraded or blind,
        )

    def _vector(self, engine: Engine, query: Query, mode: Mode) -> tuple[Vector | None, bool]:
        """Return the query's vector when the mode wants one, and whether one was wanted but cannot be had."""
        if mode == "keyword" or not query.text:
            return None, False
        if engine.model_sha256 is None:
            return None, True
        try:
            return embed_query(checked_embedder(self._embedder, engine), query.text), False
        except (ModelUnavailable, ModelMismatch) as error:
            log.warning("the semantic leg is off: %s", error)
            return None, True

    def _likeness(self, engine: Engine, candidates: Candidates) -> Floats | None:
        """Return how like the first articles each candidate is: what those are about, the question may be."""
        if self._fusion != "sum":
            return None
        first = fuse(candidates, method=self._fusion).order[:FEEDBACK_ARTICLES]
        return engine.likeness(candidates, first)

    def _recency_of(self, candidates: Candidates) -> Recency | None:
        """Return how old each candidate is beside the archive's newest article, when newer ones are preferred."""
        if not self._recency:
            return None
        shelf = self._catalogue.shelf()
        newest = shelf.published[shelf.shown].max(initial=UNDATED)
        published = shelf.published[shelf.rows(candidates.ids)]
        age = np.where(published == UNDATED, np.nan, (newest - published) / DAY)
        return Recency(age=age, weight=self._recency, half_life=HALF_LIFE)


def checked_embedder(embedder: Callable[[], Embedder], engine: Engine) -> Embedder:
    """Return the embedder when it is the model `engine` has vectors of, else raise ModelMismatch."""
    opened = embedder()
    if opened.sha256 != engine.model_sha256:
        raise ModelMismatch(
            f"generation {engine.generation} holds vectors of another model than {opened.name}: run `flask reindex`"
        )
    return opened


def _probabilities(candidates: Candidates, mode: Mode) -> tuple[Floats, float]:
    """Return the probability of each candidate, and the one that no article beyond them exceeds."""
    values = probabilities(candidates, mode=mode)
    if candidates.beyond is None:
        return values, 0.0
    return values, float(probabilities(candidates.and_one_beyond(), mode=mode)[-1])


def _unranked(candidates: Candidates) -> Fusion:
    """Return what filters alone selected, which nothing ranks."""
    n = len(candidates.ids)
    none = np.zeros(n, np.int64)
    return Fusion(np.arange(n), np.zeros(n), {}, (0.0, 0.0), none, none)
