"""Which articles may be alike enough for one story: all are compared with all, by meaning and time, in blocks.

A thousand articles with a hundred thousand take some three seconds. Mean vectors are held in half precision, 768 bytes
an article, which changes a likeness by less than a thousandth.

Invariant: an article is found once it is admitted, so that articles can be told one batch after the other.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.engine import Candidates, Engine, Floats, Ids, Ints, Mask, Vectors, as_ids
from index.likeness import WORDS
from index.query import Query
from index.stories.group import late

PROMISING = 0.28  # likeness but for the words; of pairs alike enough one in a hundred has less, their words adding more
NEAREST = 20  # articles found for each
BLOCK = 512  # articles compared at once with
COLUMNS = 8192  # so many others
CROWD = 2 * NEAREST  # promising ones for each article on average: more are told apart before they are listed
EARLIER = 1e-12  # so much less is each further one of equals: over `COLUMNS`, less than a float32's step
UNPACKED = 1024  # articles whose passages are unpacked at once: they stay in the processor's cache

Found = tuple[Ints, Ints]  # rows of the articles asked about, and of one that is promising for each


class Nearest:
    """The mean vectors of all articles that an engine holds, by row: their places in ascending order of their ids."""

    def __init__(self, engine: Engine, days: dict[str, float]) -> None:
        """Take the vectors of `engine`, and when its articles were published, nan or nothing when that is not known."""
        everything = engine.candidates(Query(), None, depth=1)
        self._ids: Ids = everything.all_ids[everything.numbers]
        self._table = _means(engine, everything)
        self._days: Floats = np.array([days.get(article, np.nan) for article in everything.ids])
        self._admitted: Mask = np.zeros(len(self._ids), np.bool_)

    def rows(self, articles: Sequence[str]) -> Ints:
        """Return the rows of those of the articles that are here, in the order of the articles."""
        ids = as_ids(articles)
        places: Ints = np.searchsorted(self._ids, ids)
        here: Ints = places[np.append(self._ids, b"")[places] == ids]
        return here

    def articles(self, rows: Ints) -> list[str]:
        """Return the ids of the articles in these rows."""
        ids: list[str] = self._ids[rows].astype(str).tolist()
        return ids

    def vectors(self, rows: Ints) -> Vectors:
        """Return the mean vectors of the articles in these rows: zeros where there is none."""
        return self._table[rows].astype(np.float32)

    def days(self, row: int) -> float | None:
        """Return when the article in a row was published, in days since 1970; None when that is not known."""
        return None if np.isnan(self._days[row]) else float(self._days[row])

    def admit(self, articles: Iterable[str]) -> None:
        """Find these articles from now on."""
        self._admitted[self.rows(list(articles))] = True

    def of(self, rows: Ints) -> Found:
        """Return the promising articles for each of these, among all that are admitted."""
        return self.among(rows, np.flatnonzero(self._admitted))

    def among(self, rows: Ints, others: Ints) -> Found:
        """Return the promising articles for each of these, at most `NEAREST`, among others."""
        blocks = [self._block(rows[start : start + BLOCK], others) for start in range(0, len(rows), BLOCK)]
        ones, found = (np.concatenate(column) for column in zip(_NONE, *blocks, strict=True))
        return ones, found

    def _block(self, rows: Ints, others: Ints) -> Found:
        found = list(self._compared(rows, others))
        at, columns, likenesses = (np.concatenate(each) for each in zip(_NOTHING, *found, strict=True))
        order = np.lexsort((columns, -likenesses, at))
        at, columns = at[order], columns[order]
        rank = np.arange(len(at)) - np.searchsorted(at, at)
        return rows[at[rank < NEAREST]], columns[rank < NEAREST]

    def _compared(self, rows: Ints, others: Ints) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Yield what is promising: places among `rows`, rows of others, how like they are but for the words.

        Where a model tells hardly any articles apart, as one of another language may, all are: then only the best for
        each are listed, so that time and memory stay bounded.
        """
        vectors = self.vectors(rows)
        for start in range(0, len(others), COLUMNS):
            columns = others[start : start + COLUMNS]
            products = vectors @ self.vectors(columns).T
            promising = products >= PROMISING * (1 + WORDS)  # time only takes from it
            if np.count_nonzero(promising) > CROWD * len(rows):
                promising &= self._best(products, rows, columns)
            at, to = np.nonzero(promising)
            likenesses = products[at, to] / (1 + WORDS) - late(self._days[columns[to]] - self._days[rows[at]])
            kept = (likenesses >= PROMISING) & (rows[at] != columns[to])
            yield at[kept], columns[to[kept]], likenesses[kept]

    def _best(self, products: Vectors, rows: Ints, columns: Ints) -> Mask:
        """Return which of these columns, more than `NEAREST`, are the best for each of the rows."""
        likenesses = products / (1 + WORDS) - late(self._days[columns] - self._days[rows][:, None])
        likenesses -= EARLIER * np.arange(len(columns))
        likenesses[rows[:, None] == columns] = -np.inf
        best = np.argpartition(likenesses, -NEAREST, axis=1)[:, -NEAREST:]
        is_best = np.zeros(products.shape, np.bool_)
        np.put_along_axis(is_best, best, values=True, axis=1)
        return is_best


_NONE: Found = (np.empty(0, np.int64), np.empty(0, np.int64))
_NOTHING = (*_NONE, np.empty(0, np.float64))


def _means(engine: Engine, everything: Candidates) -> NDArray[np.float16]:
    """Return the mean vectors of these articles, unpacked some at a time."""
    blocks = [
        engine.means(everything.kept(np.arange(start, min(start + UNPACKED, len(everything))))).astype(np.float16)
        for start in range(0, len(everything), UNPACKED)
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, 0), np.float16)
