"""Portraits of articles: their vectors from the kept embeddings, their telling terms from the index.

A reader never waits for a whole book to be embedded: of an article whose embeddings are not kept, the beginning is.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from archive.article import Article
from archive.packing import unpack_embeddings
from archive.passages import chunking, cut, embedding_text, title_context
from archive.store import Store
from index.analysis import analyse
from index.embedder import Embedder
from index.engine import Engine, Vector, Vectors
from index.likeness import MEAN_PASSAGES, TELLING_TERMS, Portrait, mean_vectors, portrait

TOLD_CHARS = 100_000  # of a body whose telling terms are sought: more than the longest magazine piece
UNKEPT_CHARS = 10_000  # of a body embedded while a reader waits, when its embeddings are not kept yet
SECONDS_A_DAY = 86_400.0


class Portraits:
    """Makes portraits by one model's vectors. Safe to use from several threads."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        """Take the embeddings that `store` keeps of this embedder's model."""
        self._store = store
        self._embedder = embedder
        self._model_id = store.model_id(sha256=embedder.sha256, name=embedder.name)
        self._chunking = chunking(embedder.sha256, embedder.max_tokens)

    def vector(self, article: Article) -> Vector:
        """Return the article's mean vector, embedding it when what is kept is not all of it."""
        mean: Vector = self.vectors([article])[0]
        if not mean.any():
            vectors = self._embedder.embed(_texts(article, self._embedder) or [article.title])
            mean = mean_vectors(vectors, np.array([len(vectors)]))[0]
        return mean

    def vectors(self, articles: Sequence[Article]) -> Vectors:
        """Return the mean vectors of these articles from the kept embeddings; zeros of one that lacks any of them."""
        cut_up = self._store.cut([(one.id, one.version) for one in articles], chunking=self._chunking)
        hashes = [[piece.text_hash for piece in cut_up.get(one.id, [])[:MEAN_PASSAGES]] for one in articles]
        kept = self._store.embeddings(self._model_id, list({each for of_one in hashes for each in of_one}))
        whole = [of_one if all(each in kept for each in of_one) else [] for of_one in hashes]
        packed = [kept[each] for of_one in whole for each in of_one]
        vectors = unpack_embeddings(packed, dimension=self._embedder.dimension).astype(np.float32)
        return mean_vectors(vectors, np.array([len(of_one) for of_one in whole], np.int64))

    def portraits(self, engine: Engine, articles: Sequence[Article]) -> list[Portrait]:
        """Return the portraits of these articles, each of norm 1 or, where nothing of it is kept, zeros."""
        vectors = self.vectors(articles)
        return [
            portrait(vector, numbered(telling_terms(engine, one)), moment=day(one.published_at))
            for one, vector in zip(articles, vectors, strict=True)
        ]


def telling_terms(engine: Engine, article: Article) -> Sequence[tuple[str, float]]:
    """Return the words that tell the article best from the rest of the archive, with weights in 0..1."""
    text = f"{article.title}\n{article.body[:TOLD_CHARS]}"
    return engine.telling_terms(text, limit=TELLING_TERMS, language=article.language)


def numbered(terms: Sequence[tuple[str, float]]) -> Mapping[int, float]:
    """Return the weights of terms, which are given as words, by a number that each term has in every archive."""
    return {zlib.crc32(" ".join(analyse(word)).encode("utf-8", "surrogatepass")): weight for word, weight in terms}


def day(at: datetime | None) -> float | None:
    """Return a time in days since 1970."""
    return None if at is None else at.timestamp() / SECONDS_A_DAY


def _texts(article: Article, embedder: Embedder) -> list[str]:
    article = replace(article, body=article.body[:UNKEPT_CHARS])
    context = title_context(article, embedder.token_spans)
    passages = cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)
    return [embedding_text(context, article.body[passage.start : passage.end]) for passage in passages]
