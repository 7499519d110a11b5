"""Chance: how far a mean over queries could have come about by which queries were asked. Pure.

Every function takes its randomness from a seed, so the same values give the same answer on any day. Intervals are
percentile bootstrap intervals over the queries (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
13). The test of a difference is the paired randomisation test that Smucker, Allan & Carterette recommend for retrieval
("A comparison of statistical significance tests for information retrieval evaluation", CIKM 2007).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from index.engine import Floats

RESAMPLES = 10_000  # the edges of an interval then move by about a hundredth of its width from seed to seed
CONFIDENCE = 0.95
MAX_EXACT = 13  # differing queries: their 8,192 sign patterns are fewer than RESAMPLES, so all are tried
BLOCK_CELLS = 4_000_000  # numbers drawn at once, 32 MB
ROUNDING = 1e-9  # sums this near to each other are equal; the measures themselves are shares of small whole numbers

Interval = tuple[float, float]  # low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """How chance is judged: from which seed, with how many resamples, and how sure an interval is to be."""

    seed: int = 1
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE


def intervals(values: Floats, chance: Chance) -> list[Interval]:
    """Return the interval of the mean of each column of `values`, shape (queries, columns).

    Every column sees the same resampled queries. Raises ValueError when there are no queries.
    """
    count = len(values)
    if not count:
        raise ValueError("no queries: their mean has no interval")
    means = np.concatenate([drawn @ values / count for drawn in _resamples(count, chance)])
    edge = (1 - chance.confidence) / 2
    low, high = np.quantile(means, [edge, 1 - edge], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def interval(values: Floats, chance: Chance) -> Interval:
    """Return the interval of the mean of `values`, shape (queries,)."""
    return intervals(values.reshape(-1, 1), chance)[0]


def randomisation_p(differences: Floats, chance: Chance) -> float:
    """Return how likely a mean at least this far from 0 would be if either setting were as good, two-sided.

    `differences`, shape (queries,), are those of the two settings on each query. If neither is better, each might as
    well have come with the other sign. With few differing queries every pattern of signs is tried and the answer is
    exact; else `resamples` patterns are drawn and the observed one is counted among them.
    """
    differing = differences[differences != 0]
    if not len(differing):
        return 1.0
    observed = abs(float(differing.sum())) - ROUNDING
    if len(differing) <= MAX_EXACT:
        patterns = np.arange(2 ** len(differing))[:, None] >> np.arange(len(differing)) & 1
        return float(np.mean(np.abs(_signs(patterns) @ differing) >= observed))
    extreme = sum(int(np.sum(np.abs(signs @ differing) >= observed)) for signs in _drawn(len(differing), chance))
    return (extreme + 1) / (chance.resamples + 1)


def _resamples(count: int, chance: Chance) -> Iterator[Floats]:
    """Yield blocks of shape (resamples, queries): how often each query came in `count` draws with replacement."""
    random = np.random.default_rng(chance.seed)
    for size in _blocks(count, chance.resamples):
        drawn = random.integers(count, size=(size, count)) + np.arange(size)[:, None] * count
        yield np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count).astype(np.float64)


def _drawn(count: int, chance: Chance) -> Iterator[Floats]:
    random = np.random.default_rng(chance.seed)
    for size in _blocks(count, chance.resamples):
        yield _signs(random.integers(2, size=(size, count)))


def _signs(patterns: np.typing.NDArray[np.int64]) -> Floats:
    return (1 - 2 * patterns).astype(np.float64)


def _blocks(count: int, resamples: int) -> Iterator[int]:
    size = max(1, BLOCK_CELLS // count)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
