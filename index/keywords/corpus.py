"""What rarity is told by: the articles of which an index's postings are all, or some.

An index on this machine holds them all, and counts. One that has fetched a few articles of a larger archive knows from
elsewhere how many hold a word there, so that those few are scored as they are among all.
"""

from typing import Protocol

import numpy as np

from index.keywords.lookup import Lookup
from index.keywords.postings import Matches, Postings
from index.keywords.units import Unit
from index.query import AnyOf


class Corpus(Protocol):
    """All articles of an archive."""

    @property
    def articles(self) -> int:
        """How many there are."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that they are in; "en" stands for all others."""

    def mean_length(self, *, title_weight: float) -> float:
        """Return how many words an article has, its title's counted so many times; 0.0 where there is none."""

    def holding(self, unit: Unit, found: Matches) -> int:
        """Return how many articles hold a unit, which of those with postings are `found` to."""

    def holding_any(self, clause: AnyOf, found: int) -> int:
        """Return how many articles hold a clause, which `found` of those with postings do."""


class Indexed:
    """The corpus of postings that are of every article: what is found is all there is."""

    def __init__(self, postings: Postings, lookup: Lookup) -> None:
        """Count the live articles of `postings`, which `lookup` finds words in."""
        self.articles = int(postings.live.sum())
        self._postings = postings
        self._lookup = lookup

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that live articles are in; "en" stands for all others."""
        return self._lookup.languages

    def mean_length(self, *, title_weight: float) -> float:
        """Return how many words a live article has, its title's counted so many times; 0.0 where there is none."""
        lengths = self._postings.body_length + title_weight * self._postings.title_length
        return float(np.mean(lengths[self._postings.live])) if self.articles else 0.0

    def holding(self, unit: Unit, found: Matches) -> int:  # noqa: ARG002
        """Return how many articles are found to hold a unit."""
        return len(found.articles)

    def holding_any(self, clause: AnyOf, found: int) -> int:  # noqa: ARG002
        """Return how many articles are found to hold a clause."""
        return found
