"""Chroma: vectors in HNSW, so compared on meaning; by words, on one machine, it only filters on substrings."""

from itertools import islice

import chromadb

from benchmarks.peers.embedding import QueryEmbedder
from benchmarks.peers.peer import Peer, first_of_each


class Engine(Peer):
    """A persistent collection."""

    libraries = ("chromadb", "sentence-transformers", "torch", "numpy")
    settings = "PersistentClient, configuration={hnsw: {space: cosine}}, all else as it comes (ef_search 100)"

    def build(self) -> None:
        """Add the passages with their texts and vectors."""
        client = chromadb.PersistentClient(path=str(self.index))
        collection = client.create_collection("passages", configuration={"hnsw": {"space": "cosine"}})
        vectors, start = self.corpus.vectors, 0
        rows = self.corpus.passages()
        while part := list(islice(rows, client.get_max_batch_size())):
            collection.add(
                ids=[row["id"] for row in part],
                embeddings=vectors[start : start + len(part)],
                documents=[row["text"] for row in part],
                metadatas=[{"article": row["article"]} for row in part],
            )
            start += len(part)

    def open(self) -> None:
        """Open the collection, and load the model."""
        self._collection = chromadb.PersistentClient(path=str(self.index)).get_collection("passages")
        self._embedder = QueryEmbedder()

    def search(self, query: str, *, passages: int) -> list[str]:
        """Ask for the nearest passages and their texts."""
        vector = self._embedder.embed(query)
        found = self._collection.query(query_embeddings=vector, n_results=passages, include=["documents"])
        return first_of_each(passage.partition("-")[0] for passage in found["ids"][0])
