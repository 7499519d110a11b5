"""How like each other articles are as reports of one story, one by one and whole groups on average.

What `index.likeness` says of two articles, less what their distance in time takes. Meaning and words are products of
vectors, so what all pairs of two groups sum up to is the product of the groups' sums: exact, whatever their size.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from index.engine import Floats, Vector
from index.likeness import WORDS, Portrait, nearness

TIME = (
    0.2  # what is taken from the likeness of two reports as far apart as can be; on labelled events .1 to .3 do alike
)
UNDATED = 0.5  # how near in time an article without a date is to any other: as near as at a week's distance


@dataclass(frozen=True, slots=True)
class Group:
    """Articles of which every pair can be compared with those of another group."""

    vector: Vector  # sum of their mean vectors
    terms: dict[int, float]  # sum of their telling terms' weights, by number
    days: Floats  # when they were published, in days since 1970; nan where that is not known

    @classmethod
    def of(cls, portrait: Portrait) -> Self:
        """Return the group of one article."""
        terms = dict(zip(portrait.terms.tolist(), portrait.weights.tolist(), strict=True))
        return cls(portrait.vector, terms, np.array([np.nan if portrait.moment is None else portrait.moment]))

    def __len__(self) -> int:
        """Return how many articles there are."""
        return len(self.days)

    def joined(self, other: Self) -> Self:
        """Return the articles of both."""
        terms = dict(self.terms)
        for term, weight in other.terms.items():
            terms[term] = terms.get(term, 0.0) + weight
        return type(self)(self.vector + other.vector, terms, np.concatenate([self.days, other.days]))

    def total(self, other: Self) -> float:
        """Return the sum of the likenesses of all pairs of an article here and an article there."""
        few, many = sorted((self.terms, other.terms), key=len)
        words = sum(weight * many[term] for term, weight in few.items() if term in many)
        alike = float(self.vector @ other.vector) + WORDS * words
        return alike / (1 + WORDS) - float(late(self.days[:, None] - other.days).sum())


def late(days: Floats) -> Floats:
    """Return what is taken from the likeness of articles that are so many days apart; nan where that is not known."""
    taken: Floats = TIME * (1 - nearness(days, unknown=UNDATED))
    return taken
