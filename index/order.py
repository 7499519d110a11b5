"""The order of scores: the highest first, of equals the one of the smallest number. Pure."""

import numpy as np

from index.engine import Floats, Ints

_NUMBER_BITS = 32
_STEP = 16  # one score in so many tells about where the highest begin


def best_first(scores: Floats, *, most: int | None = None, numbers: Ints | None = None) -> Ints:
    """Return the places of the highest scores, all or as many as asked for, best first.

    Of equals the one with the smallest of the `numbers`, from 0 to 2^32, comes first, by default the earliest. No score
    may be nan. They are sorted without regard to equals, and these then by numbers: a sort that keeps their order takes
    twice the time.
    """
    if numbers is None:
        numbers = np.arange(len(scores))
    if most is not None and 0 < most < len(scores):
        places = _highest(scores, most)
        return places[best_first(scores[places], numbers=numbers[places])][:most]
    order: Ints = np.argsort(-scores)
    return in_turn(order, scores[order], numbers[order])[:most]


def in_turn(places: Ints, scores: Floats, numbers: Ints) -> Ints:
    """Return places that come best first by their `scores`, those of equals in the order of their `numbers`."""
    is_same = scores[1:] == scores[:-1]
    if not is_same.any():
        return places
    equals = np.flatnonzero(np.append(is_same, False) | np.append(False, is_same))
    turns = np.cumsum(np.append(True, ~is_same))[equals]  # the same for equals
    settled = places.copy()
    settled[equals] = places[equals][np.argsort(turns << _NUMBER_BITS | numbers[equals])]
    return settled


def _highest(scores: Floats, most: int) -> Ints:
    """Return the places of the `most` highest scores and their equals, in order; of many, few are looked at closely."""
    if (likely := 2 * most // _STEP) and likely < len(scores) // _STEP:
        sample = scores[::_STEP]
        places = np.flatnonzero(scores >= np.partition(sample, -likely)[-likely])
        if most <= len(places) < len(scores):
            return places[_highest(scores[places], most)]
    return np.flatnonzero(scores >= np.partition(scores, -most)[-most])
