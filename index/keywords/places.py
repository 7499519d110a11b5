"""Where phrases and nears stand in texts whose terms are marked. Pure.

Texts lie one after the other in one array: the marks of a title's words, 0, those of the body's, 0, and so on with the
next article; so that thousands of articles are searched with a few operations on arrays. A mark says which of the
terms that are looked for stands in a place: the first is 1, the second 2, and anything else is one and the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.engine import Floats, Ints

Marks = NDArray[np.uint8]
END = 0  # of a title or body
OTHER = 255  # a word that is not looked for
MOST_MARKED = 250  # terms that can be looked for at once
PLACES_AT_ONCE = 1_000_000  # searched at once: what a processor's cache nearly holds


def in_batches(articles: Ints, lengths: Ints) -> Iterator[Ints]:
    """Yield the articles, of these lengths in words, in order, no more at a time than are searched at once."""
    batch = np.cumsum(lengths) // PLACES_AT_ONCE
    yield from (some for some in np.split(articles, np.flatnonzero(np.diff(batch)) + 1) if len(some))


def counted(marks: Marks, places: Ints) -> Floats:
    """Return how many of the `places` lie in each article's title and body: shape (articles, 2)."""
    ends = np.flatnonzero(marks == END)
    counts: Floats = np.bincount(np.searchsorted(ends, places), minlength=len(ends)).reshape(-1, 2).astype(np.float64)
    return counts


def runs(marks: Marks, wanted: Sequence[int]) -> Ints:
    """Return where the wanted marks stand side by side, in this order: the places of the first.

    What has matched so far is no text's end, so another place follows it.
    """
    found = np.flatnonzero(marks == wanted[0])
    for distance, mark in enumerate(wanted[1:], start=1):
        found = found[marks[found + distance] == mark]
    return found


def clusters(marks: Marks, wanted: Sequence[int], *, width: int) -> Ints:
    """Return where the wanted marks all stand, in any order, within `width` places of one text: places of the last.

    A mark that is given twice must stand there twice. Of stretches that end with the same place, the shortest counts.
    """
    needed = Counter(wanted)
    met = marks == END
    for mark in needed:
        met |= marks == mark
    places = np.flatnonzero(met)  # of the needed marks, and of the ends of texts
    met_marks = marks[places]
    last = places.copy()  # where a stretch that begins at each of the places is complete
    for mark, times in needed.items():
        last = np.maximum(last, _nth_from(places, met_marks == mark, times))
    text = np.cumsum(met_marks == END)
    begins = np.flatnonzero((last - places < width) & (met_marks != END))
    ends = np.searchsorted(places, last[begins])
    return np.unique(last[begins[text[begins] == text[ends]]])


def _nth_from(places: Ints, is_one: NDArray[np.bool_], times: int) -> Ints:
    """Return, for each of the places, the place of the n-th of `is_one` from there on, or one beyond reach."""
    ones = np.append(places[is_one], np.full(times, _BEYOND))
    earlier: Ints = np.cumsum(is_one) - is_one
    found: Ints = ones[earlier + times - 1]
    return found


_BEYOND = np.iinfo(np.int64).max
