"""What an index has to say to one query: worked out when it is asked for, and then kept.

Invariant: everything comes from the same postings and the same units, so that the parts add up to the score and an
article of coverage 1 holds everything wanted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from index.analysis import STOP_TERMS
from index.engine import Floats, Ints, Mask
from index.keywords.clauses import Clauses
from index.keywords.lookup import Lookup
from index.keywords.pairs import neighbours
from index.keywords.postings import Matches
from index.keywords.units import Run, Unit, Wanted, units
from index.matching import telling
from index.order import best_first
from index.query import Clause, Query

FOREMOST = 1_000  # articles that are put in order once: as many as a search takes of a leg
PAIRED = 100  # articles, the best by score, in which neighbouring words are looked for


class Bm25F:
    """The score of a unit in an article, from how often it stands there and how long the article is."""

    def __init__(self, *, title_weight: float, saturation: Floats) -> None:
        """`saturation` is, for each article, the frequency at which a word reaches half its highest score."""
        self._title_weight = title_weight
        self._saturation = saturation

    def shares(self, matches: Matches) -> Floats:
        """Return, for each article of the matches, the share of the unit's highest score that it reaches."""
        frequency = matches.body + self._title_weight * matches.title
        shares: Floats = frequency / (frequency + self._saturation[matches.articles])
        return shares


@dataclass(frozen=True, slots=True)
class Few:
    """What is said of a few articles, ascending; of all others, nothing."""

    articles: Ints
    values: Floats

    def of(self, articles: Ints) -> Floats:
        """Return the value of each of these articles, in any order; 0.0 of those nothing is said of."""
        values = np.append(self.values, 0.0)
        places = np.searchsorted(self.articles, articles)
        said = np.append(self.articles, -1)[places] == articles
        return np.where(said, values[places], 0.0)


class Answer:
    """The answer to one query. Safe to call from several threads: what two work out at once is the same."""

    def __init__(
        self, query: Query, *, live: Mask, numbers: Ints, lookup: Lookup, clauses: Clauses, bm25: Bm25F
    ) -> None:
        """Nothing is worked out yet but what scores; `numbers` are those by which equals are told apart."""
        self._query = query
        self._live = live
        self._numbers = numbers
        self._lookup = lookup
        self._clauses = clauses
        self._bm25 = bm25
        self.units = units(query, lookup.forms)

    @property
    def plain(self) -> Mapping[str, float]:
        """The terms and weights, if single words alone score, none of many forms or a stop word, and nothing binds."""
        terms = {
            unit.terms[0]: wanted.weight
            for unit, wanted in self.units.items()
            if isinstance(unit, Run) and len(unit.terms) == 1 and not unit.forms and unit.terms[0] not in STOP_TERMS
        }
        is_plain = len(terms) == len(self.units) and not (self._query.required or self._query.excluded)
        return terms if is_plain else {}

    @property
    def is_scored(self) -> bool:
        """Whether every article's score has been worked out: then nobody need nominate the best."""
        return "scores" in self.__dict__

    @cached_property
    def scores(self) -> Floats:
        """Every article's score."""
        scores = np.zeros(len(self._live))
        for unit, wanted in self.units.items():
            matches = self._lookup.matches(unit)
            scores[matches.articles] += self._highest(unit, wanted) * self._bm25.shares(matches)
        return scores

    @cached_property
    def ceiling(self) -> float:
        """The score no article can exceed: every unit, each as often as one likes."""
        return sum(self._highest(unit, wanted) for unit, wanted in self.units.items())

    @cached_property
    def selected(self) -> Mask | None:
        """Which articles the required and excluded clauses leave, or None when there are none of these."""
        if not (self._query.required or self._query.excluded):
            return None
        selected = self._live.copy()
        for clause in self._query.required:
            selected &= self._clauses.holds(clause)
        for clause in self._query.excluded:
            selected &= ~self._clauses.holds(clause)
        return selected

    @property
    def holding(self) -> Mask:
        """Which articles hold everything: none when nothing scores."""
        return self._held[1] if self.units else np.zeros_like(self._live)

    @property
    def holding_most(self) -> Mask:
        """Which articles hold at least half of what is wanted, one thing as good as another; of what none holds, none.

        All required clauses hold, and no excluded one.
        """
        return self._held[2] if self.units else np.zeros_like(self._live)

    @property
    def coverage(self) -> Floats:
        """Every live article's share of what is wanted."""
        return self._held[0]

    @property
    def coverage_of_less(self) -> float:
        """The coverage that no article exceeds that misses any of what is wanted."""
        weights = [self._clauses.weight(clause) for clause in (*telling(self._query), *self._query.required)]
        counting = [weight for weight in weights if weight > 0]
        return 1.0 - min(counting) / sum(counting) if counting else 0.0

    @cached_property
    def pairs(self) -> Few:
        """What the query's neighbouring words add by standing together, in the best articles by score."""
        pairs = neighbours(self._query, self._lookup.forms)
        articles = np.sort(self.best(PAIRED)) if pairs else np.empty(0, np.int64)
        scores = np.zeros(len(articles))
        if len(articles):
            for pair, matches in zip(pairs, self._lookup.pairs(pairs, articles), strict=True):
                scores += self._clauses.rarity(pair) / 2 * self._bm25.shares(matches)
        return Few(articles, scores)

    def best(self, most: int, *, within: Mask | None = None) -> Ints:
        """Return the best articles by score, of all or of these: best first, of equals the first by number."""
        if within is None and most <= FOREMOST:
            return self._foremost[:most]
        return self._best(most, within)

    @cached_property
    def _foremost(self) -> Ints:
        return self._best(FOREMOST, None)

    def _best(self, most: int, within: Mask | None) -> Ints:
        found = np.flatnonzero(self.scores > 0 if within is None else within & (self.scores > 0))
        best: Ints = found[best_first(self.scores[found], most=most, numbers=self._numbers[found])]
        return best

    def parts(self, articles: Ints) -> Iterator[tuple[Wanted, Matches, Floats]]:
        """Yield, for each unit, where it stands of these articles (in any order) and what it adds to their scores."""
        articles = np.sort(articles)
        for unit, wanted in self.units.items():
            matches = self._lookup.matches(unit)
            kept = matches.among(articles)
            yield wanted, kept, self._highest(unit, wanted) * self._bm25.shares(kept)

    @cached_property
    def _held(self) -> tuple[Floats, Mask, Mask]:
        """The coverage, and which articles are selected and hold everything wanted, or most of it."""
        coverage, total, occurring = np.zeros(len(self._live)), 0.0, 0
        wanted = telling(self._query)
        count = np.zeros(len(self._live), np.uint16)  # a query has far fewer clauses
        for clause in wanted:
            held = self._clauses.holding(clause)
            count[held] += 1
            occurring += self._clauses.occurs(clause, held)
            total += self._cover(coverage, clause, held)
        for clause in self._query.required:
            total += self._cover(coverage, clause, self._clauses.holding(clause))
        selected = self._live if self.selected is None else self.selected
        coverage /= total or 1.0
        return coverage, selected & (count == len(wanted)), selected & (count >= max(1, (occurring + 1) // 2))

    def _cover(self, coverage: Floats, clause: Clause, held: Ints) -> float:
        """Add what the clause counts for to the coverage of the articles that hold it, and return it."""
        weight = self._clauses.weight(clause)
        coverage[held] += weight
        return weight

    def _highest(self, unit: Unit, wanted: Wanted) -> float:
        return wanted.weight * self._clauses.rarity(unit)
