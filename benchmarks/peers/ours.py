"""Backfile itself, over a data folder of its own, built from the same articles, passages and embeddings.

It runs in the project's environment, with the settings an installation has when nobody sets any.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, islice
from typing import Any, TypeVar

from archive.article import TEXT_HASH_BYTES, Article, Passage
from archive.packing import pack_embeddings
from archive.passages import chunking
from benchmarks.peers.peer import Peer, articles_for
from index.evaluation.asking import plain
from index.search import SearchRequest
from web.services import Services
from web.settings import Settings

BATCH = 200  # articles whose passages and embeddings are written at once
READINGS = ("speller", "suggestions")  # threads that begin to read in the background when the services warm up
T = TypeVar("T")


class Engine(Peer):
    """What the page and the endpoint ask: a page of results with total, facets, snippets and reasons."""

    libraries = ("faiss-cpu", "tantivy", "Whoosh", "openvino", "apsw", "numpy")
    settings = "Search.search as the site asks it: ranking, total, facets, timeline, snippets, reasons"

    def build(self) -> None:
        """Put the articles in, one transaction each, and what is known of their passages; then build the index."""
        (self.index / "models").symlink_to(self.corpus.folder / "models")  # the model is no part of the archive's disk
        services = Services(Settings(data=self.index))
        for fields in self.corpus.articles():
            services.store.put(article_from(fields))
        self._put_passages(services)
        services.builder.rebuild()
        services.close()

    def open(self) -> None:
        """Open archive, index and model."""
        self._services = Services(Settings(data=self.index))
        self._services.warm_up()
        for reading in threading.enumerate():  # what suggestions are made of; the others have read all when they open
            if reading.name in READINGS:
                reading.join()
        self._search = self._services.search

    def search(self, query: str, *, passages: int) -> list[str]:
        """Return the first page's articles."""
        asked = SearchRequest(query=query, page_size=articles_for(passages))
        return [result.article.id for result in self._search.search(asked).results]

    def _put_passages(self, services: Services) -> None:
        embedder, store = services.embedder, services.store
        method = chunking(embedder.sha256, embedder.max_tokens)
        model = store.model_id(sha256=embedder.sha256, name=embedder.name)
        rows = groupby(enumerate(self.corpus.passages()), key=lambda row: row[1]["article"])
        for batch in in_batches(list(row) for _, row in rows):  # an article's passages go in together
            passages = [passage_from(fields) for row in batch for _, fields in row]
            store.put_passages(passages, chunking=method)
            vectors = pack_embeddings(self.corpus.vectors[[number for row in batch for number, _ in row]])
            store.put_embeddings(model, list(zip([one.text_hash for one in passages], vectors, strict=True)))


class Ranking(Engine):
    """The ranking alone: ids, nothing read from the store. A query is words and nothing more, as judged queries are."""

    settings = "Search.rank: the hybrid ranking alone"

    def search(self, query: str, *, passages: int) -> list[str]:
        """Return the best articles."""
        return list(self._search.rank(plain(query), mode="hybrid").ids[: articles_for(passages)])


def article_from(fields: dict[str, Any]) -> Article:
    """Return a line of `articles.jsonl` as an article."""
    published_at = datetime.fromisoformat(fields["published_at"]) if fields["published_at"] else None
    return Article(**{**fields, "authors": tuple(fields["authors"]), "published_at": published_at})


def passage_from(fields: dict[str, Any]) -> Passage:
    """Return a line of `passages.jsonl` as a passage of its article's first version."""
    return Passage(
        article_id=fields["article"],
        version=1,
        ordinal=int(fields["id"].rpartition("-")[2]),
        start=fields["start"],
        end=fields["end"],
        text_hash=hashlib.sha256(fields["text"].encode()).digest()[:TEXT_HASH_BYTES],
    )


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield `BATCH` items at a time."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
