"""What an index on disk is asked for, in the form in which it is ranked.

Articles are numbered through all segments of an index, removed ones included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.engine import Floats, Ints, Mask
from index.keywords.places import Marks
from index.keywords.word_counts import WordCounts
from index.query import FieldName


@dataclass(frozen=True, slots=True)
class Matches:
    """The articles that hold a unit, ascending, with its frequency in title and body."""

    articles: Ints
    title: Floats
    body: Floats

    def of(self, kept: Mask) -> "Matches":
        """Return the matches for which `kept`, one element a match, is true."""
        rows = np.flatnonzero(kept)  # several times as quick as by a mask
        return Matches(self.articles[rows], self.title[rows], self.body[rows])

    def among(self, articles: Ints) -> "Matches":
        """Return the matches in these few articles, ascending."""
        places = np.searchsorted(self.articles, articles)
        places = places[places < len(self.articles)]
        rows = places[self.articles[places] == articles[: len(places)]]
        return Matches(self.articles[rows], self.title[rows], self.body[rows])


NOWHERE = Matches(np.empty(0, np.int64), np.empty(0), np.empty(0))


def united(found: Sequence[Matches]) -> Matches:
    """Return the matches of several words as those of one: where any of them stands, as often as they all do."""
    if not found:
        return NOWHERE
    if len(found) == 1:
        return found[0]
    articles, places = np.unique(np.concatenate([one.articles for one in found]), return_inverse=True)
    counts = np.zeros((2, len(articles)))
    np.add.at(counts[0], places, np.concatenate([one.title for one in found]))
    np.add.at(counts[1], places, np.concatenate([one.body for one in found]))
    return Matches(articles, counts[0], counts[1])


def overlaid(found: Matches, among: Mask, instead: Matches) -> Matches:
    """Return the matches with those `among` some articles replaced by others there."""
    found = found.of(~among[found.articles])
    articles = np.concatenate([found.articles, instead.articles])
    order = np.argsort(articles)
    title, body = np.concatenate([found.title, instead.title]), np.concatenate([found.body, instead.body])
    return Matches(articles[order], title[order], body[order])


class Postings(Protocol):
    """An index on disk. Its arrays have one element an article, removed articles included, and so have its answers."""

    ids: NDArray[np.bytes_]
    live: Mask
    published: Ints  # as `index.moments` has it
    title_length: Ints  # in terms, stop words not counted
    body_length: Ints

    def term(self, term: str) -> Matches:
        """Return where a term stands."""

    def words_of(self, words: Sequence[str]) -> Matches:
        """Return where any of these unstemmed words stands, as often as they all do."""

    def named(self, field: FieldName, name: str) -> Ints:
        """Return the articles, ascending, one of whose values of `field` is the folded `name`."""

    def document_frequency(self, term: str) -> int:
        """Return, cheaply, about how many articles hold `term`; removed ones may be counted."""

    def words(self) -> WordCounts:
        """Return every unstemmed word that a live article holds, and about how many articles hold it.

        Removed ones may be counted in how many, but a word that they alone hold is left out.
        """

    def texts(self, articles: Ints, groups: Sequence[Sequence[str]]) -> Iterator[tuple[Ints, Marks]]:
        """Yield these articles (ascending), some at a time, with their texts, in which terms are marked.

        Those of the first group are marked 1, and so on. The groups share no term, and are at most `MOST_MARKED`;
        `index.keywords.places` says how a text is marked.
        """

    def close(self) -> None:
        """Release files and memory."""
