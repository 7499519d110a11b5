"""Fusion: merge the two legs' scores of the same articles into one ranking. Pure.

Invariant: the order depends only on the scores, ties are broken by id, so a page is the same every time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.engine import Hit

RANK_CONSTANT = 60  # Cormack, Clarke & Büttcher, "Reciprocal rank fusion", SIGIR 2009
WEIGHTS = (0.5, 0.5)  # keyword, semantic: untuned; docs/decisions.md says what else was measured

Method = Literal["sum", "rrf"]
Weights = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fused:
    """A hit with its fused score, and its place on each leg from 1, None where that leg says nothing of it."""

    hit: Hit
    score: float
    keyword_rank: int | None
    semantic_rank: int | None


def fuse(hits: Sequence[Hit], *, method: Method, weights: Weights = WEIGHTS) -> list[Fused]:
    """Order `hits` by both legs, best first. A leg of weight 0 takes no part, nor do hits only it has found."""
    ranks = (_ranks(hits, _keyword), _ranks(hits, _semantic))
    score = {"sum": _weighted_sum, "rrf": _reciprocal_rank}[method](hits, ranks, weights)
    fused = [
        Fused(hit, score[hit.article_id], ranks[0].get(hit.article_id), ranks[1].get(hit.article_id))
        for hit in hits
        if any(weight and hit.article_id in places for weight, places in zip(weights, ranks, strict=True))
    ]
    return sorted(fused, key=lambda item: (-item.score, item.hit.article_id))


def _keyword(hit: Hit) -> float | None:
    return hit.keyword if hit.keyword > 0 else None


def _semantic(hit: Hit) -> float | None:
    return hit.semantic


def _ranks(hits: Sequence[Hit], leg: Callable[[Hit], float | None]) -> dict[str, int]:
    scored = [(-score, hit.article_id) for hit in hits if (score := leg(hit)) is not None]
    return {article_id: place for place, (_, article_id) in enumerate(sorted(scored), start=1)}


def _weighted_sum(
    hits: Sequence[Hit], ranks: tuple[Mapping[str, int], Mapping[str, int]], weights: Weights
) -> dict[str, float]:
    """Divide each leg by its best score, so that both run to 1, and add them by weight."""
    best_keyword = max((hit.keyword for hit in hits), default=0.0) or 1.0
    best_semantic = max((hit.semantic or 0.0 for hit in hits), default=0.0) or 1.0
    present = [weight if places else 0.0 for weight, places in zip(weights, ranks, strict=True)]
    total = sum(present) or 1.0
    return {
        hit.article_id: (
            present[0] * hit.keyword / best_keyword + present[1] * max(hit.semantic or 0.0, 0.0) / best_semantic
        )
        / total
        for hit in hits
    }


def _reciprocal_rank(
    hits: Sequence[Hit], ranks: tuple[Mapping[str, int], Mapping[str, int]], weights: Weights
) -> dict[str, float]:
    return {
        hit.article_id: sum(
            weight / (RANK_CONSTANT + places[hit.article_id])
            for weight, places in zip(weights, ranks, strict=True)
            if hit.article_id in places
        )
        for hit in hits
    }
