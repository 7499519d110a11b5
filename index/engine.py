"""What an engine answers: candidates for a query, each scored on both legs.

Invariant: a hit is nominated, not shown. Whoever asks reads each article again from the store, and what the store
does not show is not shown. `tests/test_engine_contract.py` holds every engine to this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.query import Query

Vector = NDArray[np.float32]  # shape (dimension,), norm 1
Vectors = NDArray[np.float32]  # shape (n, dimension), each row of norm 1


@dataclass(frozen=True, slots=True)
class Span:
    """Where a passage stands: `body[start:end]`, in characters, of version `version` of its article."""

    version: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One nominated article with its raw score on each leg and its best passage by meaning.

    `keyword` is a BM25 score, 0.0 when no wanted word occurs. `semantic` is the cosine of the article's best
    passage with the query, -1 to 1, or None when the engine has no vectors. Neither is normalised.
    """

    article_id: str
    keyword: float
    semantic: float | None
    best: Span | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of both legs' rankings, ordered by id.

    `complete` says that no article beyond it could have matched. `ceiling` is the keyword score that no article can
    exceed, which tells how much of the query the best one holds.
    """

    hits: Sequence[Hit]
    complete: bool
    ceiling: float


class Engine(Protocol):
    """Searches one generation. Safe to call from several threads."""

    @property
    def generation(self) -> int | None:
        """The generation's number, or None when the answer comes from the store alone."""

    @property
    def model_sha256(self) -> str | None:
        """The identity of the model whose vectors it searches, or None when it has no vectors."""

    def candidates(self, query: Query, vector: Vector | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg, every one of them scored on both legs, ordered by id.

        A leg takes part when it has something to rank by: words or phrases in `query`, a `vector`. With neither, the
        articles that `query` selects by its filters alone are returned, all of them. `query.required` and
        `query.excluded` bind both legs.
        """

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""
