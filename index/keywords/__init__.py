"""The keyword leg: what any keyword index can be asked, whichever library stands behind it.

Terms are made by `index.analysis`, never by a library, so that two engines index and look up the same terms. What a
clause means is written in `index.matching`. `tests/test_keywords_contract.py` holds every implementation to both.

An article's *number* is its place among the ids of its generation, in ascending order. Questions are asked and
answered in numbers and in masks over them, so that no id is made for an article that is not shown; order by number is
order by id.

Any method that is given a query raises `QueryRefused` when a prefix or fuzzy word stands for too many words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive.article import Article
from index.engine import Floats, Ints, Mask, TermEvidence
from index.query import Query


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best articles of a ranking, best first, ties by number."""

    numbers: Ints
    scores: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the words of a query say about articles, in the order in which those were asked for."""

    scores: Floats  # shape (n,): as `KeywordIndex.rank` gives them, 0.0 where no wanted word occurs
    coverage: Floats  # shape (n,): 0..1, the share, by rarity, of what is wanted that the article holds
    pairs: Floats  # shape (n,): what neighbouring words that stand together add; 0.0 but for the index's best by score


class KeywordIndex(Protocol):
    """A keyword index opened for reading. Safe to call from several threads."""

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """The ids of every article in the index, of type S16, ascending: an article's number is its place here."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, that articles in the index are in; "en" stands for all others."""

    def rank(self, query: Query, *, depth: int) -> Ranked:
        """Return the best `depth` articles by BM25 score.

        Ranked by the words of the wanted and the required clauses; articles that miss a required clause or hold an
        excluded one are left out. Empty when the query has nothing to rank by. The scores are those that `evidence`
        gives, or near them: a library may round lengths to find the best sooner.
        """

    def prepare(self, query: Query) -> None:
        """Work out what `evidence` will say, whichever articles it is asked about; `rank` then gives its scores."""

    def evidence(self, query: Query, numbers: Ints) -> Evidence:
        """Return what the query's words say about each of these articles.

        Filters are not looked at. Coverage is that of the wanted clauses and of the required ones that score; a clause
        weighs what its rarest words do, one that occurs nowhere most of all, and stop words nothing beside others.
        """

    def ceiling(self, query: Query) -> float:
        """Return the score that no article exceeds: all the information the query's words carry."""

    def select(self, query: Query) -> Mask | None:
        """Return which articles hold every required clause and no excluded one, or None when there is neither."""

    def holding(self, query: Query) -> Mask:
        """Return which articles `select` does and hold every wanted clause, stop words aside, too.

        None when the query has nothing to rank by.
        """

    def holding_most(self, query: Query) -> Mask:
        """Return which articles `select` does and hold at least half of what is wanted and occurs anywhere.

        Stop words do not count beside others. None when nothing is wanted.
        """

    def coverage_beyond(self, query: Query, numbers: Ints) -> float | None:
        """Return a coverage that no article that `rank` could give beside these exceeds; None if there is none."""

    def terms(self, query: Query) -> Mapping[str, int]:
        """Return the words, phrases and so on that score, as typed, and how many articles hold each."""

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: of the query's words and of all that its prefixes stand for.

        Stop words are left out unless there is nothing else.
        """

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return, by article, how often it holds what scores and what that adds; together it is its score."""

    def words(self) -> Mapping[str, int]:
        """Return every word, folded and not stemmed, that an article holds, in order, and about how many hold it."""

    def all_ids(self) -> frozenset[str]:
        """Return the ids of every article in the index."""

    def telling_terms(self, article_text: str, *, limit: int, language: str | None = None) -> list[tuple[str, float]]:
        """Return the text's `limit` terms of highest tf-idf that other articles hold too, weights scaled to 0..1.

        Function words are none: of English, of the `language` whose tag is given, and of no doubt those of any other.
        """

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
