"""Fusion: merge the two legs' scores of the same articles into one ranking. Pure.

The weighted sum divides each leg by its best score and adds them. Dividing by the best alone would give a keyword leg
that found nothing but a stray common word as loud a voice as one that found the query word for word; so that leg's
weight is multiplied by its trust (`keyword_trust`). docs/decisions.md has the figures.

Invariant: the order depends only on the scores, ties are broken by id, so a page is the same every time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.engine import Candidates, Hit

RANK_CONSTANT = 60  # Cormack, Clarke & Büttcher, "Reciprocal rank fusion", SIGIR 2009
WEIGHTS = (0.5, 0.5)  # keyword, semantic, each fully trusted
# Both measured on fnc1, cisi, scifact and the seeds; each is flat within a quarter of its value.
HALF_TRUST_SCORE = 10.0  # the best article's BM25 score at which its leg is half trusted
FULL_TRUST_SHARE = 0.6  # of the highest possible BM25 score: about every word of the query, two or three times

Method = Literal["sum", "rrf"]
Weights = tuple[float, float]
Ranks = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fused:
    """A hit with its fused score, and its place on each leg from 1, None where that leg says nothing of it."""

    hit: Hit
    score: float
    keyword_rank: int | None
    semantic_rank: int | None


@dataclass(frozen=True, slots=True)
class Fusion:
    """Everything that was found, best first, and the weight each leg had in it; the weights add up to 1."""

    ranked: Sequence[Fused]
    weights: Weights


def fuse(candidates: Candidates, *, method: Method, weights: Weights = WEIGHTS) -> Fusion:
    """Order the candidates by both legs, best first.

    A leg of weight 0 takes no part, nor do hits that only it has found. A leg that found nothing has no weight.
    """
    hits = candidates.hits
    ranks = (_ranks(hits, _keyword), _ranks(hits, _semantic))
    if method == "sum" and weights[1]:
        weights = (weights[0] * keyword_trust(candidates), weights[1])
    weights = _shared(weights, ranks)
    score = {"sum": _weighted_sum, "rrf": _reciprocal_rank}[method](hits, ranks, weights)
    fused = [
        Fused(hit, score[hit.article_id], ranks[0].get(hit.article_id), ranks[1].get(hit.article_id))
        for hit in hits
        if any(weight and hit.article_id in places for weight, places in zip(weights, ranks, strict=True))
    ]
    return Fusion(sorted(fused, key=lambda item: (-item.score, item.hit.article_id)), weights)


def keyword_trust(candidates: Candidates) -> float:
    """Return how far the keyword leg is to be believed, 0 to 1, by what its best article holds of the query.

    Either is enough: a large share of all that the query's words can score (a short query, found whole), or a large
    score outright (some of a long question's many words).
    """
    best = max((hit.keyword for hit in candidates.hits), default=0.0)
    if best <= 0.0:
        return 0.0
    share = min(1.0, best / (FULL_TRUST_SHARE * candidates.ceiling)) if candidates.ceiling else 1.0
    return max(share**2, best**2 / (best**2 + HALF_TRUST_SCORE**2))


def _keyword(hit: Hit) -> float | None:
    return hit.keyword if hit.keyword > 0 else None


def _semantic(hit: Hit) -> float | None:
    return hit.semantic


def _ranks(hits: Sequence[Hit], leg: Callable[[Hit], float | None]) -> Ranks:
    scored = [(-score, hit.article_id) for hit in hits if (score := leg(hit)) is not None]
    return {article_id: place for place, (_, article_id) in enumerate(sorted(scored), start=1)}


def _shared(weights: Weights, ranks: tuple[Ranks, Ranks]) -> Weights:
    """Return the weights of the legs that found something, adding up to 1; (0, 0) when neither did."""
    keyword, semantic = (weight if places else 0.0 for weight, places in zip(weights, ranks, strict=True))
    total = keyword + semantic
    return (keyword / total, semantic / total) if total else (0.0, 0.0)


def _weighted_sum(hits: Sequence[Hit], _: tuple[Ranks, Ranks], weights: Weights) -> dict[str, float]:
    """Divide each leg by its best score, so that both run to 1, and add them by weight."""
    best_keyword = max((hit.keyword for hit in hits), default=0.0) or 1.0
    best_semantic = max((hit.semantic for hit in hits if hit.semantic and hit.semantic > 0), default=1.0)
    return {
        hit.article_id: weights[0] * (hit.keyword / best_keyword)
        + weights[1] * _share(hit.semantic or 0.0, best_semantic)
        for hit in hits
    }


def _share(cosine: float, best: float) -> float:
    """Return cosine / best, but a negative cosine as it is: beside a best near 0 it would outweigh everything."""
    return max(cosine / best, cosine)


def _reciprocal_rank(hits: Sequence[Hit], ranks: tuple[Ranks, Ranks], weights: Weights) -> dict[str, float]:
    return {
        hit.article_id: sum(
            weight / (RANK_CONSTANT + places[hit.article_id])
            for weight, places in zip(weights, ranks, strict=True)
            if hit.article_id in places
        )
        for hit in hits
    }
