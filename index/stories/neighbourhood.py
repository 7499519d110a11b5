"""The graph of articles that are alike enough for one story, over an archive and its engine.

What is promising by meaning and time is compared by its words as well. To make an article's group takes longest of all,
for its telling terms are looked up: groups are made when they are first compared, and the latest are kept.

Of each article at most `index.stories.nearest.NEAREST` neighbours are looked at. That may leave out a pair but seldom a
story: averages are of all pairs.
"""

from collections.abc import Iterable, Sequence, Set

import numpy as np

from archive.store import Store
from index.embeddings import BATCH_ARTICLES, batches
from index.engine import Engine
from index.likeness import portrait
from index.portraits import numbered, telling_terms
from index.stories.group import Group
from index.stories.nearest import Found, Nearest
from index.stories.region import Pairs

THRESHOLD = 0.4  # likeness of two reports of one story; .38 to .42 do alike on labelled events of every length
KEPT = 20_000  # groups kept at once: some 6 KB each


class Neighbourhood:
    """Compares articles. It finds those that were admitted."""

    def __init__(self, store: Store, engine: Engine, nearest: Nearest) -> None:
        """Compare the articles that `store` shows by what `engine` knows of them."""
        self._store = store
        self._engine = engine
        self._nearest = nearest
        self._groups: dict[str, Group] = {}

    def neighbours(self, articles: Sequence[str]) -> Pairs:
        """Return the pairs that are alike enough of one of these with any other article."""
        return self._alike(self._nearest.of(self._nearest.rows(articles)))

    def among(self, articles: Sequence[str]) -> Pairs:
        """Return the pairs that are alike enough of one of these with another of these."""
        rows = self._nearest.rows(articles)
        return self._alike(self._nearest.among(rows, rows))

    def siblings(self, articles: Set[str]) -> Set[str]:
        """Return all articles that have been told to be in one story with one of these, which are admitted."""
        stories = self._store.stories_of(sorted(articles))
        siblings = self._store.articles_of(sorted(set(stories.values())))
        self._nearest.admit(siblings)
        return siblings.keys()

    def admit(self, articles: Iterable[str]) -> None:
        """Find these articles from now on."""
        self._nearest.admit(articles)

    def groups(self, articles: Iterable[str]) -> dict[str, Group]:
        """Return the groups of those of the articles that are shown and known to the engine."""
        wanted = list(articles)
        self._make([article for article in wanted if article not in self._groups])
        found = {article: self._groups[article] for article in wanted if article in self._groups}
        for article in list(self._groups)[: max(0, len(self._groups) - KEPT)]:
            del self._groups[article]
        return found

    def _make(self, articles: Sequence[str]) -> None:
        for batch in batches(self._nearest.articles(self._nearest.rows(articles)), BATCH_ARTICLES):
            for article in self._store.live(batch).values():
                rows = self._nearest.rows([article.id])
                terms = numbered(telling_terms(self._engine, article))
                vector, moment = self._nearest.vectors(rows)[0], self._nearest.days(rows[0])
                self._groups[article.id] = Group.of(portrait(vector, terms, moment=moment))

    def _alike(self, found: Found) -> Pairs:
        """Return those of the pairs found that are alike enough."""
        pairs = {(min(pair), max(pair)) for pair in zip(*(column.tolist() for column in found), strict=True)}
        alike: dict[tuple[str, str], float] = {}
        for batch in batches(sorted(pairs), KEPT // 2):
            ids = [self._nearest.articles(np.array(column)) for column in zip(*batch, strict=True)]
            groups = self.groups(dict.fromkeys([*ids[0], *ids[1]]))
            for one, other in zip(*ids, strict=True):
                if one in groups and other in groups:
                    likeness = groups[one].total(groups[other])
                    if likeness >= THRESHOLD:
                        alike[one, other] = likeness
        return alike
