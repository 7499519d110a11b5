"""An engine that answers from the archive while Milvus gives no answer, and says so.

Invariant: nobody waits long for a server that is away: the first to notice wait as long as a question may take
(`index.milvus.server.ASKING_SECONDS`, for each thing that has to be asked), and until it is back all others are
answered from the archive at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from index.engine import Candidates, Floats, Ints, Meaning, TermEvidence, Vectors
from index.errors import EngineAway
from index.fallback import StoreEngine
from index.milvus.engine import MilvusEngine
from index.milvus.server import Milvus
from index.query import Query

T = TypeVar("T")


class StandbyEngine:
    """A shared index, and the archive in its place. Safe to call from several threads."""

    def __init__(self, shared: MilvusEngine, archive: StoreEngine, milvus: Milvus) -> None:
        """Ask `shared`, which `milvus` answers for, and while that is away `archive`."""
        self._shared = shared
        self._archive = archive
        self._milvus = milvus
        self.generation = shared.generation
        self.seq = shared.seq
        self.model_sha256 = shared.model_sha256
        self.languages = shared.languages

    @property
    def degraded(self) -> bool:
        """Whether the archive answers."""
        return self._milvus.is_away

    def candidates(self, query: Query, meaning: Meaning | None, *, depth: int) -> Candidates:
        """Return the candidates of the shared index; from the archive alone where it is away, and marked as such."""
        return self._or_else(
            lambda: self._shared.candidates(query, meaning, depth=depth),
            lambda: replace(self._archive.candidates(query, None, depth=depth), degraded=True),
        )

    def scored(self, query: Query, meaning: Meaning | None, article_ids: Sequence[str]) -> Candidates:
        """Return these articles alone, scored as among all candidates. Raises EngineAway: an alert can wait."""
        return self._shared.scored(query, meaning, article_ids)

    def likeness(self, candidates: Candidates, rows: Ints) -> Floats:
        """Return how near each candidate's best passage is to the mean of those in `rows`: a cosine, 0.0 without."""
        return self._or_else(
            lambda: self._shared.likeness(candidates, rows), lambda: self._archive.likeness(candidates, rows)
        )

    def means(self, candidates: Candidates) -> Vectors:
        """Return the mean vector of each candidate, of norm 1; no columns while the archive answers."""
        return self._or_else(lambda: self._shared.means(candidates), lambda: self._archive.means(candidates))

    def matched_terms(self, query: Query) -> frozenset[str]:
        """Return the terms that a snippet marks, as the statistics know them."""
        return self._shared.matched_terms(query)

    def explain(self, query: Query, article_ids: Sequence[str]) -> Mapping[str, Sequence[TermEvidence]]:
        """Return what each wanted word and phrase adds to the keyword score of these articles."""
        return self._or_else(
            lambda: self._shared.explain(query, article_ids), lambda: self._archive.explain(query, article_ids)
        )

    def count_holding(self, query: Query) -> int:
        """Return how many articles hold everything that `query` wants, requires and does not exclude."""
        return self._or_else(lambda: self._shared.count_holding(query), lambda: self._archive.count_holding(query))

    def words(self) -> Mapping[str, int]:
        """Return the words of the archive, as the statistics know them."""
        return self._shared.words()

    def telling_terms(
        self, article_text: str, *, limit: int, language: str | None = None
    ) -> Sequence[tuple[str, float]]:
        """Return the terms that best tell this text from the rest of the archive, as the statistics know it."""
        return self._shared.telling_terms(article_text, limit=limit, language=language)

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of the articles with words and of those with passages. Raises EngineAway."""
        return self._shared.article_ids()

    def close(self) -> None:
        """Release memory; the engine is not used afterwards."""
        self._shared.close()

    def _or_else(self, ask: Callable[[], T], instead: Callable[[], T]) -> T:
        try:
            return ask()
        except EngineAway:
            return instead()
