"""What an index on disk is asked for, in the form in which it is ranked.

Articles are numbered through all segments of an index, removed ones included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from index.engine import Floats, Ints, Mask
from index.keywords.places import Codes
from index.query import FieldName

# Terms of the title and of the body; unstemmed words of either and of the title alone; names.
PostingField = Literal["body", "word", "title_word"] | FieldName


class Postings(Protocol):
    """An index on disk. Its arrays have one element an article, removed articles included."""

    ids: Sequence[str]
    live: Mask
    published: Ints  # as `index.moments` has it
    title_length: Ints  # in terms, stop words not counted
    body_length: Ints

    def read(self, field: PostingField, term: str) -> tuple[Ints, Floats]:
        """Return the numbers of the articles whose `field` holds `term`, ascending, and how often each does."""

    def document_frequency(self, term: str) -> int:
        """Return, cheaply, about how many articles hold `term`; removed ones may be counted."""

    def words(self) -> dict[str, int]:
        """Return every unstemmed word that a live article holds, in order, and about how many articles hold it.

        Removed ones may be counted in how many, but a word that they alone hold is left out.
        """

    def texts(self, articles: Ints) -> Iterator[tuple[Ints, Codes]]:
        """Yield these articles (ascending), some at a time, with their texts as `index.keywords.places` has them."""

    def close(self) -> None:
        """Release files and memory."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The live articles that hold a unit, ascending, with its frequency in title and body."""

    articles: Ints
    title: Floats
    body: Floats
