"""Fusion: merge what both legs found out about the same articles into one ranking. Pure.

The score is a sum of parts. Meaning counts by its cosine, as it is. Words count by their share of the best BM25 score,
and the less the smaller that best is: divided by the best alone, a stray common word would speak as loudly as a
question found word for word. An article that holds every word of the question gains, whatever the rest of it says. All
constants are relative to the cosine of the best passage; docs/quality.md has the figures behind each.

Invariants: a score is exactly the sum of its parts. The order depends only on the scores, ties are broken by id, so a
page is the same every time. A leg alone is ranked by its own score and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from index.engine import Candidates, Floats, Ints, Mask, memory_of, rows_of
from index.order import best_first

RANK_CONSTANT = 60  # Cormack, Clarke & Büttcher, "Reciprocal rank fusion", SIGIR 2009
WEIGHTS = (0.5, 0.5)  # keyword, semantic
TIME_WEIGHT = 0.05  # of two articles of the same moment: a tenth of what the same meaning adds
# Under these nothing is related. Of labelled reports of one event one in 200 lies lower, when all that is left of them
# is 60 words; of reports of different events of one country's politics, six in ten do, of other pairs nearly all.
RELATED, RELATED_BY_WORDS, RELATED_BY_MEANING = 0.18, 0.02, 0.25
FEEDBACK_ARTICLES = 2  # so many first articles are asked what else is like them

Method = Literal["sum", "rrf"]
Parts = dict[str, Floats]  # keyword, complete, semantic, passages, feedback, recency, time
Weights = tuple[float, float]
Likeness = Callable[[Ints], Floats]  # each candidate's cosine with those of some rows


@dataclass(frozen=True, slots=True)
class Blend:
    """How the parts of a hybrid score are weighed, in units of the semantic leg's weight.

    Chosen on judged sets, leaving each out in turn (`benchmarks/fusion.py`); each is flat to a quarter of its value.
    """

    words: float = 0.67  # the keyword leg when it is fully trusted
    half_trust: float = 10.0  # the best article's BM25 score at which the keyword leg counts half
    complete: float = 0.5  # for holding every word of the question
    steepness: float = 6.0  # how fast that falls as words are missing, by their rarity: the power of the coverage
    pairs: float = 0.4  # of the question's neighbouring words standing together, beside their BM25 score
    second: float = 0.2  # the share of the cosine that is the second-best passage's
    common: float = 0.75  # against a passage that is near to everything in the archive
    feedback: float = 0.2  # for likeness to the first articles


BLEND = Blend()


@dataclass(frozen=True, slots=True)
class Recency:
    """How much newer articles are preferred.

    `age` has an element a candidate: days before the newest article of the archive, nan of an undated article, which
    gains nothing. The newest gains `weight` (by ranks: so much of a first place), one `half_life` days older half.
    """

    age: Floats
    weight: float
    half_life: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """The candidates that take part, best first, and why. Columns are aligned with the candidates."""

    order: Ints  # rows of the candidates, best first; those that no weighted leg found are not among them
    score: Floats  # the sum of the parts; 0.0 of those that take no part
    parts: Mapping[str, Floats]
    weights: Weights  # what each leg counted for; they add up to 1
    keyword_rank: Ints  # place on the leg, from 1; 0 where the leg says nothing of it
    semantic_rank: Ints

    def kept(self, rows: Ints) -> "Fusion":
        """Return what concerns the candidates in these rows, which come in this order."""
        return replace(
            self,
            order=np.arange(len(rows)),
            score=rows_of(self.score, rows),
            parts={name: rows_of(part, rows) for name, part in self.parts.items()},
            keyword_rank=rows_of(self.keyword_rank, rows),
            semantic_rank=rows_of(self.semantic_rank, rows),
        )

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return sum(
            map(memory_of, (self.order, self.score, self.keyword_rank, self.semantic_rank, *self.parts.values()))
        )


def fuse(
    candidates: Candidates,
    *,
    method: Method,
    weights: Weights = WEIGHTS,
    likeness: Likeness | None = None,
    recency: Recency | None = None,
    blend: Blend = BLEND,
) -> Fusion:
    """Order the candidates by both legs, best first.

    A leg of weight 0 takes no part, nor do articles that only it has found. A leg that found nothing has no weight.
    `likeness`, for a hybrid sum, is asked how like each candidate is to the first ones without it: feedback.
    """
    found = (candidates.keyword > 0, ~np.isnan(candidates.semantic))
    ranks = (_ranks(candidates.keyword, found[0]), _ranks(candidates.semantic, found[1]))
    is_hybrid = all(weights)
    if method == "sum":
        weights = (weights[0] * blend.words * keyword_trust(candidates, blend), weights[1])
    weights = _shared(weights, found)
    takes_part: Mask = (found[0] & (weights[0] > 0)) | (found[1] & (weights[1] > 0))
    parts: Parts
    if method == "rrf":
        parts = {"keyword": weights[0] * _reciprocal(ranks[0]), "semantic": weights[1] * _reciprocal(ranks[1])}
    elif is_hybrid:
        parts = _both(candidates, found, weights=weights, blend=blend)
        if likeness is not None:
            rows = np.flatnonzero(takes_part)
            first = rows[best_first(_score(parts, takes_part)[rows], most=FEEDBACK_ARTICLES)]
            parts["feedback"] = weights[1] * blend.feedback * likeness(first)
    else:
        parts = _alone(candidates, found, weights=weights)
    if recency is not None and recency.weight:
        best = 1.0 if method == "sum" else 1.0 / (RANK_CONSTANT + 1)  # about what a perfect article scores
        parts["recency"] = np.where(takes_part, best * _freshness(recency), 0.0)
    return _ordered(parts, takes_part, weights, ranks)


def fuse_related(candidates: Candidates, *, nearness: Floats, weights: Weights = WEIGHTS) -> Fusion:
    """Order the candidates by how like one article they are, whose most telling terms were asked for; best first.

    `candidates.semantic` is the cosine of two articles' mean vectors. Words count by their share of what an article
    could reach that holds nothing but those terms: unlike the share of the best score it does not make the nearest of
    strangers a relative. `nearness`, 0 to 1, is how near in time each candidate is; it counts where both legs do, and
    makes no relative of what is none by them: what lies under the floor takes no part.
    """
    found = (candidates.keyword > 0, ~np.isnan(candidates.semantic))
    ranks = (_ranks(candidates.keyword, found[0]), _ranks(candidates.semantic, found[1]))
    is_hybrid = all(weights)
    share, cosine = candidates.keyword / (candidates.ceiling or 1.0), np.where(found[1], candidates.semantic, 0.0)
    related = _floor(share, cosine, weights)
    weights = _shared(weights, found)
    takes_part: Mask = related & ((found[0] & (weights[0] > 0)) | (found[1] & (weights[1] > 0)))
    parts = {"keyword": weights[0] * share, "semantic": weights[1] * cosine}
    if is_hybrid:
        parts["time"] = np.where(takes_part, TIME_WEIGHT * nearness, 0.0)
    return _ordered(parts, takes_part, weights, ranks)


def _floor(share: Floats, cosine: Floats, weights: Weights) -> Mask:
    """Return which candidates are related at all, by the legs that were asked."""
    if all(weights):
        return (share + cosine) / 2 >= RELATED
    return share >= RELATED_BY_WORDS if weights[0] else cosine >= RELATED_BY_MEANING


def _ordered(parts: Parts, takes_part: Mask, weights: Weights, ranks: tuple[Ints, Ints]) -> Fusion:
    """Return what takes part, best first by the sum of the parts."""
    score = _score(parts, takes_part)
    rows = np.flatnonzero(takes_part)
    return Fusion(rows[best_first(score[rows])], score, parts, weights, *ranks)


def _score(parts: Parts, takes_part: Mask) -> Floats:
    return sum(parts.values(), np.zeros(len(takes_part)))


def _ranks(scores: Floats, found: Mask) -> Ints:
    """Return the place of each found candidate, from 1, ties by id; 0 for the others."""
    rows = np.flatnonzero(found)
    ranks = np.zeros(len(scores), np.int64)
    ranks[rows[best_first(scores[rows])]] = np.arange(1, len(rows) + 1)
    return ranks


def keyword_trust(candidates: Candidates, blend: Blend = BLEND) -> float:
    """Return how far the keyword leg is to be believed, 0 to 1: the further, the more its best article holds."""
    best = float(_words(candidates, blend).max(initial=0.0))
    return best**2 / (best**2 + blend.half_trust**2)


def _both(candidates: Candidates, found: tuple[Mask, Mask], *, weights: Weights, blend: Blend) -> Parts:
    """Return the parts of a hybrid score; those that come from meaning are 0 where an article has no passage."""
    words = _words(candidates, blend)
    share = words / (float(words.max(initial=0.0)) or 1.0)
    cosine = np.where(found[1], candidates.semantic, 0.0)
    second = np.where(np.isnan(candidates.second), cosine, candidates.second)  # an article of one passage loses nothing
    complete = (weights[1] or weights[0]) * blend.complete
    return {
        "keyword": weights[0] * share,
        "complete": complete * share * candidates.coverage**blend.steepness,
        "semantic": weights[1] * ((1 - blend.second) * cosine - blend.common * candidates.common),
        "passages": weights[1] * blend.second * second,
    }


def _alone(candidates: Candidates, found: tuple[Mask, Mask], *, weights: Weights) -> Parts:
    """Return the one part of a single leg: its own score, the best of BM25 being 1."""
    best = float(candidates.keyword.max(initial=0.0)) or 1.0
    return {
        "keyword": weights[0] * candidates.keyword / best,
        "semantic": weights[1] * np.where(found[1], candidates.semantic, 0.0),
    }


def _words(candidates: Candidates, blend: Blend) -> Floats:
    words: Floats = candidates.keyword + blend.pairs * candidates.pairs
    return words


def _shared(weights: Weights, found: tuple[Mask, Mask]) -> Weights:
    """Return the weights of the legs that found something, adding up to 1; (0, 0) when neither did."""
    keyword, semantic = (weight if leg.any() else 0.0 for weight, leg in zip(weights, found, strict=True))
    total = keyword + semantic
    return (keyword / total, semantic / total) if total else (0.0, 0.0)


def _reciprocal(ranks: Ints) -> Floats:
    share: Floats = np.where(ranks > 0, 1.0 / (RANK_CONSTANT + ranks), 0.0)
    return share


def _freshness(recency: Recency) -> Floats:
    age = np.nan_to_num(recency.age, nan=np.inf)
    freshness: Floats = recency.weight * np.exp2(-np.maximum(age, 0.0) / recency.half_life)
    return freshness
