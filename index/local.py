"""The engine of one machine: a keyword index and a vector index of the same generation."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from index.engine import Candidates, Hit, Vector
from index.keywords import KeywordIndex
from index.query import Phrase, Query

if TYPE_CHECKING:  # importing it loads FAISS, which `flask --help` does without
    from index.vectors import VectorIndex


class LocalEngine:
    """Searches one generation on this machine. Safe to call from several threads."""

    def __init__(self, *, number: int, keywords: KeywordIndex, vectors: "VectorIndex", model_sha256: str) -> None:
        """Take the opened legs of generation `number`, whose vectors the named model made."""
        self.generation: int | None = number
        self.model_sha256: str | None = model_sha256
        self._keywords = keywords
        self._vectors = vectors

    def candidates(self, query: Query, vector: Vector | None, *, depth: int) -> Candidates:
        """Return the best `depth` articles of each leg, every one of them scored on both, ordered by id."""
        within = self._keywords.select(query)
        if vector is None and not has_words(query):
            return self._selected(self._keywords.all_ids() if within is None else within)
        by_words = self._keywords.rank(query, depth=depth)
        by_meaning = self._vectors.rank(vector, depth=depth, within=within) if vector is not None else []
        nominated = {article_id for article_id, _ in by_words} | {score.article_id for score in by_meaning}
        hits = self._scored(query, vector, nominated)
        is_complete = max(len(by_words), len(by_meaning)) < depth
        return Candidates(hits, complete=is_complete, ceiling=self._keywords.ceiling(query))

    def _scored(self, query: Query, vector: Vector | None, nominated: Iterable[str]) -> list[Hit]:
        ids = sorted(nominated)
        words = self._keywords.scores(query, ids)
        meaning = self._vectors.scores(vector, ids) if vector is not None else {}
        hits = []
        for article_id in ids:
            best = meaning.get(article_id)
            hits.append(
                Hit(
                    article_id=article_id,
                    keyword=words.get(article_id, 0.0),
                    semantic=best.cosine if best else None,
                    best=best.span if best else None,
                )
            )
        return hits

    def _selected(self, ids: Iterable[str]) -> Candidates:
        hits = [Hit(article_id=article_id, keyword=0.0, semantic=None, best=None) for article_id in sorted(ids)]
        return Candidates(hits, complete=True, ceiling=0.0)

    def telling_terms(self, article_text: str, *, limit: int) -> Sequence[tuple[str, float]]:
        """Return the `limit` terms that best tell this text from the rest of the archive, with weights in 0..1."""
        return self._keywords.telling_terms(article_text, limit=limit)

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids the keyword index holds and those the vector index holds; they should be the same."""
        return self._keywords.all_ids(), self._vectors.article_ids()

    def close(self) -> None:
        """Release files and memory; the engine is not used afterwards."""
        self._keywords.close()


def has_words(query: Query) -> bool:
    """Return whether `query` has anything the keyword leg can rank by."""
    return bool(query.wanted) or any(isinstance(clause, Phrase) for clause in query.required)
