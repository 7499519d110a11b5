"""Which articles hold a clause, and how much it counts: `index.matching` over postings instead of over one text.

Invariant: a mask says nothing of removed articles; who combines masks keeps to the live ones.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import reduce

import numpy as np

from index.analysis import analyse, fold
from index.engine import Ints, Mask
from index.keywords.corpus import Corpus
from index.keywords.lookup import Lookup
from index.keywords.postings import NOWHERE, Postings
from index.keywords.units import Beginning, Cluster, Run, Similar, Unit, run_of, unit_of
from index.moments import UNDATED, moment
from index.query import AllOf, AnyOf, Clause, FieldValue, Fuzzy, Near, Not, Phrase, Prefix, Published, Term, texts


class Clauses:
    """Evaluates clauses over an index. Safe to call from several threads."""

    def __init__(self, postings: Postings, lookup: Lookup, corpus: Corpus) -> None:
        """Ask `lookup` where words stand, `postings` for dates, and `corpus` how rare something is."""
        self._lookup = lookup
        self._corpus = corpus
        self._published = postings.published
        self._live = postings.live

    def holds(self, clause: Clause) -> Mask:
        """Return, for each article, whether it holds the clause."""
        match clause:
            case AnyOf(clauses):
                return reduce(np.logical_or, map(self.holds, clauses), self._mask(NOWHERE.articles))
            case AllOf(clauses):
                return reduce(np.logical_and, map(self.holds, clauses), ~self._mask(NOWHERE.articles))
            case Not(inner):
                return ~self.holds(inner)
            case FieldValue():
                return self._mask(self._valued(clause))
            case Published(start, end):
                return self._within(start, end)
            case _:
                return self._mask(self._lookup.matches(unit_of(clause, self._lookup.forms)).articles)

    def holding(self, clause: Clause) -> Ints:
        """Return the live articles that hold the clause: of a word or phrase, as many as there are and no mask."""
        match clause:
            case Term() | Phrase() | Near() | Prefix() | Fuzzy():
                return self._lookup.matches(unit_of(clause, self._lookup.forms)).articles
            case _:
                return np.flatnonzero(self._live & self.holds(clause))

    def weight(self, clause: Clause) -> float:
        """Return how much it tells that an article holds the clause: 0.0 if it scores nothing, else the rarer the more.

        What is one thing or another is as rare as the articles that hold any; what is several things, as all together.
        """
        match clause:
            case Term(text, weight):
                return weight * self.rarity(run_of(text, self._lookup.forms))
            case AllOf(clauses):
                return sum(map(self.weight, clauses))
            case AnyOf():
                return self._rarity(self._holding_any(clause)) if any(_words(clause)) else 0.0
            case Phrase() | Near() | Prefix() | Fuzzy():
                return self.rarity(unit_of(clause, self._lookup.forms))
            case FieldValue() | Published() | Not():
                return 0.0

    def rarity(self, unit: Unit) -> float:
        """Return the information in a unit: its words' together, or that of what a prefix stands for as one word."""
        match unit:
            case Run():
                return sum(self._rarity(self.count(word)) for word in unit.words)
            case Cluster(run):
                return self.rarity(run)
            case Beginning() | Similar():
                return self._rarity(self.count(unit))

    def rarity_among(self, holding: int) -> float:
        """Return the inverse document frequency of a term that `holding` articles hold."""
        return self._rarity(min(holding, self._corpus.articles))

    def count(self, unit: Unit) -> int:
        """Return how many articles of the archive hold a unit."""
        return self._corpus.holding(unit, self._lookup.matches(unit))

    def occurs(self, clause: Clause, held: Ints) -> bool:
        """Return whether any article of the archive holds a clause, which these of the postings do."""
        match clause:
            case Term() | Phrase() | Near() | Prefix() | Fuzzy():
                return bool(self.count(unit_of(clause, self._lookup.forms)))
            case AnyOf():
                return bool(self._corpus.holding_any(clause, len(held)))
        return bool(len(held))

    def _holding_any(self, clause: AnyOf) -> int:
        return self._corpus.holding_any(clause, int((self._live & self.holds(clause)).sum()))

    def _rarity(self, holding: int) -> float:
        return math.log(1 + (self._corpus.articles - holding + 0.5) / (holding + 0.5))

    def _mask(self, articles: Ints) -> Mask:
        mask = np.zeros(len(self._published), np.bool_)
        mask[articles] = True
        return mask

    def _valued(self, clause: FieldValue) -> Ints:
        if clause.field == "title":
            matches = self._lookup.matches(run_of(clause.value, self._lookup.forms))
            return matches.articles[matches.title > 0]
        return self._lookup.named(clause.field, fold(clause.value))

    def _within(self, start: datetime | None, end: datetime | None) -> Mask:
        holds: Mask = self._published != UNDATED
        if start is not None:
            holds &= self._published >= moment(start)
        if end is not None:
            holds &= self._published < moment(end)
        return holds


def _words(clause: Clause) -> Iterator[str]:
    return (term for text in texts((clause,)) for term in analyse(text))
