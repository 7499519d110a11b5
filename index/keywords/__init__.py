"""The keyword leg: what any keyword index can be asked, whichever library stands behind it.

Terms are made by `index.analysis`, never by a library, so that two engines index and look up the same terms.
`tests/test_keywords_contract.py` holds every implementation to this file.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from archive.article import Article
from index.query import Query


class KeywordIndex(Protocol):
    """A keyword index opened for reading. Safe to call from several threads."""

    def rank(self, query: Query, *, depth: int) -> list[tuple[str, float]]:
        """Return the best `depth` articles as (article id, BM25 score), best first, ties by id.

        Ranked by the wanted clauses and the required phrases and terms; articles that miss a required clause or hold
        an excluded one are left out. Empty when the query has nothing to rank by.
        """

    def scores(self, query: Query, article_ids: Iterable[str]) -> dict[str, float]:
        """Return the score `rank` gives each of these articles, 0.0 where no wanted word occurs.

        Filters are not looked at. An article that is not in the index is left out.
        """

    def ceiling(self, query: Query) -> float:
        """Return the score `rank` gives no article more than: all the information the query's words carry."""

    def select(self, query: Query) -> frozenset[str] | None:
        """Return the ids that hold every required clause and no excluded one, or None when the query has neither."""

    def all_ids(self) -> frozenset[str]:
        """Return the ids of every article in the index."""

    def telling_terms(self, article_text: str, *, limit: int) -> list[tuple[str, float]]:
        """Return the text's `limit` terms of highest tf-idf that other articles hold too, weights scaled to 0..1."""

    def close(self) -> None:
        """Release files and memory."""


class KeywordFormat(Protocol):
    """How one library keeps its index on disk. A directory is changed in place; `index.generation` copies it first."""

    name: str

    def create(self, directory: Path) -> None:
        """Make an empty index in the existing, empty `directory`."""

    def update(self, directory: Path, *, removed: Sequence[str], added: Iterable[Article]) -> None:
        """Remove the ids in `removed`, then add the articles, as new segments; unchanged files stay as they are."""

    def open(self, directory: Path) -> KeywordIndex:
        """Open for reading. Raises GenerationDamaged when it cannot be opened."""
