"""What an engine answers: candidates for a query, each scored on both legs.

An article's number is its place among the ids of its generation, in ascending order of id: whatever happens between
the legs and the page happens to columns of numbers, and ids are made for the rows that are shown.

Invariant: a hit is nominated, not shown. Whoever asks reads each article again from the store, and what the store
does not show is not shown. `tests/test_engine_contract.py` holds every engine to this file.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.query import Query

Vector = NDArray[np.float32]  # shape (dimension,), norm 1
Vectors = NDArray[np.float32]  # shape (n, dimension), each row of norm 1
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Ids = NDArray[np.bytes_]  # shape (n,), dtype S16: the ids of articles, ascending
Meaning = Callable[[], Vector]  # gives the query's vector, made when it is first called; the engine chooses the thread

NOWHERE = -1  # in `Candidates.spans` and `passages`, of an article without a passage


@dataclass(frozen=True, slots=True)
class Span:
    """Where a passage stands: `body[start:end]`, in characters, of version `version` of its article."""

    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """How often an article holds a word or phrase, given as it was typed, and what that adds to its keyword score."""

    text: str
    title: int
    body: int
    score: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """The articles an engine nominates, ordered by number, each scored on both legs: columns of one length n.

    They are the best of each leg, and every article that holds all that is wanted, or most of it where none holds all,
    unless it `lacks_holding`. Nothing is normalised.
    """

    all_ids: Ids  # of the whole generation, the same array for every query
    numbers: Ints  # places in `all_ids`, ascending: to order by number is to order by id
    keyword: Floats  # BM25F; 0.0 where no wanted word occurs
    coverage: Floats  # 0..1: the share, by rarity, of what is wanted that the article holds
    holds_all: Mask  # it holds everything wanted
    selected: Mask  # the filters leave it; the others are there to be compared with, so that no filter changes a score
    holds_most: Mask  # where no article does: it holds at least half of what is wanted and occurs at all
    pairs: Floats  # what the query's neighbouring words add by standing together; 0.0 beyond the best by words
    semantic: Floats  # cosine of the best passage with the query, nan where there is none
    second: Floats  # cosine of the second-best passage, nan where there is none
    common: Floats  # mean cosine of the best passage with all passages: how much it is like everything; 0.0 without
    passages: Ints  # the engine's own number of the best passage, or NOWHERE
    spans: Ints  # shape (n, 3): version, start and end of the best passage, or NOWHERE
    ceiling: float = 0.0  # the keyword score that no article can exceed: how much the query's words can tell
    beyond: tuple[float, float] | None = None  # coverage and cosine that no article left out exceeds; None: none is
    lacks_holding: bool = False  # of those that hold everything, or most of it where none does, some may be left out
    nearest: float | None = None  # the cosine that one passage in a hundred of the whole archive exceeds
    terms: int = 0  # different words and phrases wanted, stop words aside
    known: float = 1.0  # 0..1: the share of those that occur anywhere in the archive
    familiar: float = 1.0  # 0..1: the share of the query's words that are words of the archive
    degraded: bool = False  # the index gave no answer meanwhile, and something else did

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.numbers)

    @property
    def ids(self) -> list[str]:
        """The articles' ids: for those who want all of them."""
        return self.ids_of(np.arange(len(self)))

    def ids_of(self, rows: Ints) -> list[str]:
        """Return the ids of the articles in these rows."""
        ids: list[str] = self.all_ids[self.numbers[rows]].astype(str).tolist()
        return ids

    def span(self, row: int) -> Span | None:
        """Return where the best passage of the article in `row` stands."""
        version, start, end = self.spans[row].tolist()
        return None if version == NOWHERE else Span(version, start, end)

    def kept(self, rows: Ints) -> "Candidates":
        """Return the candidates in these rows, in their order."""
        return replace(
            self,
            numbers=rows_of(self.numbers, rows),
            keyword=rows_of(self.keyword, rows),
            coverage=rows_of(self.coverage, rows),
            holds_all=rows_of(self.holds_all, rows),
            holds_most=rows_of(self.holds_most, rows),
            selected=rows_of(self.selected, rows),
            pairs=rows_of(self.pairs, rows),
            semantic=rows_of(self.semantic, rows),
            second=rows_of(self.second, rows),
            common=rows_of(self.common, rows),
            passages=rows_of(self.passages, rows),
            spans=rows_of(self.spans, rows),
        )

    @property
    def nbytes(self) -> int:
        """The memory that the columns take."""
        return sum(memory_of(getattr(self, name)) for name in _COLUMNS)


Kind = TypeVar("Kind", bound=np.generic)


def rows_of(column: NDArray[Kind], rows: Ints) -> NDArray[Kind]:
    """Return these rows of a column; of one that holds the same in every row still takes the memory of one."""
    if is_constant(column):
        return np.broadcast_to(column[:1], (len(rows), *column.shape[1:]))
    return column[rows]


def memory_of(column: NDArray[Kind]) -> int:
    """Return the bytes that a column takes."""
    return column.itemsize if is_constant(column) else column.nbytes


def is_constant(column: NDArray[Kind]) -> bool:
    """Return whether a column was made to hold the same in every row."""
    return len(column) > 1 and column.strides[0] == 0


_COLUMNS = (
    "numbers",
    "keyword",
    "coverage",
    "holds_all",
    "holds_most",
    "selected",
    "pairs",
    "semantic",
    "second",
    "common",
    "passages",
    "spans",
)


def unscored(all_ids: Ids, numbers: Ints) -> Candidates:
    """Return candidates that filters alone selected: all of `numbers`, ascending, with nothing to rank by.

    Their columns take no memory, and cannot be written to.
    """
    n = len(numbers)
    zero, unknown = np.broadcast_to(np.float64(0.0), n), np.broadcast_to(np.float64(np.nan), n)
    no = np.broadcast_to(np.False_, n)
    return Candidates(
        all_ids=all_ids,
        numbers=numbers,
        keyword=zero,
        coverage=zero,
        holds_all=no,
        holds_most=no,
        selected=np.broadcast_to(np.True_, n),
        pairs=zero,
        semantic=unknown,
        second=unknown,
        common=zero,
        passages=np.broadcast_to(np.int64(NOWHERE), n),
        spans=np.broadcast_to(np.int64(NOWHERE), (n, 3)),
    )


def as_ids(article_ids: Iterable[str]) -> Ids:
    """Return these ids as they are compared, in the order given."""
    return np.array([article_id.encode() for article_id in article_ids], "S16")


class Engine(Protocol):
    """Searches one generation. Safe to call from several threads."""

    @property
    def generation(self) -> int | None:
        """The generation's number, or None when the answer comes from the store alone."""

    @property
    def seq(self) -> int:
        """The last change of the archive that it knows of."""

    @property
    def model_sha256(self) -> str | None:
        """The identity of the model whose vectors it searches, or None when it has no vectors."""

    @property
    def degraded(self) -> bool:
        """Whether its answers are, at the moment, poorer than they should be."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages, of `index.inflection`, articles are in, as far as is known; "en" stands for all others."""

    def candidates(self, query: Query, meaning: Meaning | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg and all that hold everything wanted, scored on both legs.

        A leg takes part when it has something to rank by: words or phrases in `query`, a `meaning`. With neither, the
        articles that `query` selects by its filters alone are returned, all of them. `query.required` and
        `query.excluded` bind both legs; beside what its filters select, the best of what they do not may be there too.
        """

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without."""

    def means(self, candidates: Candidates) -> Vectors:
        """Return the mean vector of each candidate, of norm 1, the lead weighing more: zeros where there is none."""

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks: those of the query's words and of all that its prefixes stand for."""

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude."""

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, folded, not stemmed, and how many articles hold each."""

    def telling_terms(
        self, article_text: str, *, limit: int, language: str | None = None
    ) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1.

        `language` is the text's, as its article's tag.
        """

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""


@runtime_checkable
class JudgingEngine(Engine, Protocol):
    """An engine that can be asked about given articles: one with an index."""

    def scored(self, query: Query, meaning: Meaning | None, article_ids: Sequence[str]) -> Candidates:
        """Return these articles alone, as far as the generation holds them, scored as among all candidates."""


class Lender(Protocol):
    """Lends an engine for the length of a request."""

    def engine(self) -> AbstractContextManager[tuple[Engine, bool]]:
        """Lend the engine, and whether its answers are poorer than they should be."""
