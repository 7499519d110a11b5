"""A paired comparison: two settings asked the same queries, and what each query says of the two. Pure.

Invariant: every figure is the first setting's minus the second's, so what is above 0 speaks for the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.engine import Floats
from index.evaluation.chance import ROUNDING, Chance, Interval, interval, randomisation_p
from index.evaluation.measures import DIGITS, Figures

WORST = 10  # queries that are named: enough to see what they have in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What one measure says: the mean difference, how sure it is, and on how many queries which setting was better."""

    difference: float
    interval: Interval
    p: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryContrast:
    """One query by both settings."""

    query_id: str
    first: float
    second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two settings compared. `worst` holds the queries that lose most by the first, worst first, in `measure`."""

    settings: tuple[str, str]
    contrasts: Mapping[str, Contrast]
    measure: str
    worst: Sequence[QueryContrast]


def compare(
    first: Figures, second: Figures, *, settings: tuple[str, str], query_ids: Sequence[str], chance: Chance
) -> Comparison:
    """Compare two settings' figures of the same queries; `worst` goes by the first of their measures."""
    measure = next(iter(first))
    return Comparison(
        settings=settings,
        contrasts={name: _contrast(first[name] - second[name], chance) for name in first},
        measure=measure,
        worst=_worst(first[measure], second[measure], query_ids),
    )


def _contrast(differences: Floats, chance: Chance) -> Contrast:
    low, high = interval(differences, chance)
    wins, losses = int(np.sum(differences > ROUNDING)), int(np.sum(differences < -ROUNDING))
    return Contrast(
        difference=round(float(differences.mean()), DIGITS),
        interval=(round(low, DIGITS), round(high, DIGITS)),
        p=randomisation_p(np.where(np.abs(differences) > ROUNDING, differences, 0.0), chance),
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
    )


def _worst(first: Floats, second: Floats, query_ids: Sequence[str]) -> list[QueryContrast]:
    rows = sorted(zip((first - second).tolist(), query_ids, first.tolist(), second.tolist(), strict=True))
    return [
        QueryContrast(query_id=query_id, first=round(one, DIGITS), second=round(other, DIGITS))
        for difference, query_id, one, other in rows[:WORST]
        if difference < -ROUNDING
    ]
