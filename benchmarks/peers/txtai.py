"""txtai: its own BM25 and a FAISS index, `hybrid: true`, texts kept in its SQLite database."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import txtai
from numpy.typing import NDArray
from txtai.embeddings.search import Search
from txtai.vectors.dense.sbert import STVectors

from benchmarks.peers.embedding import MODEL
from benchmarks.peers.peer import CORES, Peer, first_of_each

# Its documentation: Embeddings > Configuration > General (`hybrid`, `content`), > Vectors (`path`, `method`); the
# defaults of > ANN (FAISS: flat to 5,000 rows, then IVF with 4·√n cells of which a sixteenth is searched) and > Scoring
# (BM25 over its own tokens) are what its pages recommend.
CONFIG = {"path": MODEL, "method": "sentence-transformers", "hybrid": True, "content": True}


class Given(STVectors):
    """The same model, but texts that are indexed come with their embeddings; only queries are embedded."""

    given: Iterator[NDArray[np.float32]]

    def encode(self, data: Sequence[str], category: str | None = None) -> NDArray[np.float32]:
        """Take the next embeddings for what is indexed."""
        if category == "data":
            return np.stack([next(self.given) for _ in data]).astype(np.float32)
        return super().encode(data, category)


class Engine(Peer):
    """txtai's hybrid search, as its users call it: the texts of what is found are returned too."""

    libraries = ("txtai", "faiss-cpu", "sentence-transformers", "torch", "numpy")
    settings = "hybrid: true, content: true, method: sentence-transformers; FAISS, BM25 and weights as they come"

    def build(self) -> None:
        """Index the passages under ids `article-ordinal`."""
        Given.given = iter(self.corpus.vectors)
        embeddings = txtai.Embeddings({**CONFIG, "method": f"{Given.__module__}.Given"})
        embeddings.index((passage["id"], passage["text"], None) for passage in self.corpus.passages())
        embeddings.config["method"] = CONFIG["method"]
        embeddings.save(str(self.index / "txtai"))
        embeddings.close()

    def open(self) -> None:
        """Load it."""
        torch.set_num_threads(CORES)
        self._embeddings = txtai.Embeddings()
        self._embeddings.load(str(self.index / "txtai"))

    def search(self, query: str, *, passages: int) -> list[str]:
        """Search both indexes, merge them, read the texts."""
        rows: list[dict[str, Any]] = self._embeddings.search(query, passages)
        return first_of_each(row["id"].partition("-")[0] for row in rows)


class Ranking(Engine):
    """txtai's hybrid ranking alone: positions in its index, no text is read."""

    def open(self) -> None:
        """Load it, and whose passage stands at each position."""
        super().open()
        self._articles = [passage["article"] for passage in self.corpus.passages()]

    def search(self, query: str, *, passages: int) -> list[str]:
        """Search both indexes and merge them."""
        rows: list[tuple[int, float]] = Search(self._embeddings, indexonly=True)([query], passages)[0]
        return first_of_each(self._articles[number] for number, _ in rows)
