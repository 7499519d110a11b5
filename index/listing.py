"""From a ranking to the list that is shown: what is worth showing, in which order, and what is true of the whole. Pure.

Invariant: everything said of a list is said of all its rows, never of the page that shows some of them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from index.calibration import THRESHOLD, exact
from index.engine import Ints, Mask
from index.moments import UNDATED
from index.ranking import Ranking

Sort = Literal["relevance", "newest", "oldest"]
Cutoff = Literal["on", "off"]
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")
CUTOFFS: tuple[Cutoff, ...] = ("on", "off")


@dataclass(frozen=True, slots=True)
class Remarks:
    """What there is to say of a list beside its articles."""

    complete: bool  # no article that was not looked at would be listed
    relaxed: bool  # no article holds every word: these hold most, or are near in meaning
    by_meaning_alone: bool  # words were looked for as well, and none of them stands in any article listed
    doubtful: bool  # nothing listed is probably relevant: the cut-off is off


def worth_showing(ranking: Ranking) -> Mask:
    """Return which candidates are worth showing: what is probably relevant, and what holds just what was asked for."""
    candidates = ranking.candidates
    if not ranking.query.text:
        return np.ones(len(candidates), np.bool_)
    if ranking.mode == "keyword" and candidates.holds_all.any():
        return candidates.holds_all
    probable: Mask = ranking.probability >= THRESHOLD
    if ranking.mode == "keyword":
        return probable & candidates.holds_most
    return probable | exact(candidates)


def ranked_rows(ranking: Ranking) -> Ints:
    """Return the ranked candidates and, last, those that hold what is wanted by a filter of an OR, without a word."""
    held = ranking.candidates.holds_all.copy()
    held[ranking.fusion.order] = False
    return np.concatenate([ranking.fusion.order, np.flatnonzero(held)])


def _is_complete(ranking: Ranking, cutoff: Cutoff) -> bool:
    """Return whether no article that was left out of the candidates would be listed."""
    candidates = ranking.candidates
    if candidates.beyond is None:
        return True
    if cutoff == "off":
        return False
    if ranking.mode == "keyword" and ranking.generation is not None:  # what is listed holds the words
        return not candidates.lacks_holding
    if candidates.lacks_holding and candidates.holds_all.any():  # however improbable, that may be listed
        return False
    return ranking.beyond < THRESHOLD


def in_order(order: Ints, published: Ints, *, sort: Sort, ranking: Ranking) -> Ints:
    """Return `order` as asked for; what only filters selected has no relevance and comes newest first.

    Undated articles come last either way; of one moment, in order of id.
    """
    if sort == "relevance" and ranking.query.text:
        return order
    undated = published == UNDATED
    age = np.where(undated, 0, published if sort == "oldest" else -published)
    sorted_: Ints = order[np.lexsort((order, age, undated))]  # candidates are ordered by number, and so by id
    return sorted_


def remarks(ranking: Ranking, rows: Ints, *, cutoff: Cutoff) -> Remarks:
    """Return what there is to say of the list of these rows of the candidates."""
    candidates = ranking.candidates
    asks, found = bool(ranking.query.text), bool(len(rows))
    by_words = ranking.mode != "semantic"
    return Remarks(
        complete=_is_complete(ranking, cutoff),
        relaxed=by_words and found and candidates.terms > 1 and not candidates.holds_all.any(),
        by_meaning_alone=asks and found and ranking.mode == "hybrid" and not (candidates.keyword[rows] > 0).any(),
        doubtful=asks and found and cutoff == "off" and not worth_showing(ranking)[rows].any(),
    )
