"""Raw FAISS: an exact scan, and an inverted file (`faiss.IVF`), with the query embedded by sentence-transformers."""

import math

import faiss
import numpy as np

from benchmarks.peers.embedding import QueryEmbedder
from benchmarks.peers.peer import CORES, Peer, first_of_each

PROBED = 16  # one cell in so many is searched, as txtai does


class Engine(Peer):
    """IndexFlatIP over the passages."""

    libraries = ("faiss-cpu", "sentence-transformers", "torch", "numpy")
    settings = "IndexFlatIP"

    def build(self) -> None:
        """Add the vectors."""
        faiss.omp_set_num_threads(CORES)
        vectors = np.asarray(self.corpus.vectors)
        made = self.made(vectors)
        made.add(vectors)
        faiss.write_index(made, str(self.index / "vectors.faiss"))

    def made(self, vectors: np.ndarray) -> faiss.Index:
        """Return the empty index."""
        return faiss.IndexFlatIP(vectors.shape[1])

    def open(self) -> None:
        """Read it, and load the model."""
        self._embedder = QueryEmbedder()
        faiss.omp_set_num_threads(CORES)
        self._index = faiss.read_index(str(self.index / "vectors.faiss"))
        self._articles = [passage["article"] for passage in self.corpus.passages()]

    def search(self, query: str, *, passages: int) -> list[str]:
        """Embed, and take the nearest."""
        _, numbers = self._index.search(self._embedder.embed(query)[None], passages)
        return first_of_each(self._articles[number] for number in numbers[0].tolist() if number >= 0)


class Ivf(Engine):
    """IVF with 4·√n cells, as FAISS's guidelines have it for under a million vectors."""

    settings = "IVF(4·√n),Flat, a sixteenth of the cells searched"

    def made(self, vectors: np.ndarray) -> faiss.Index:
        """Return the empty index, trained."""
        cells = max(min(round(4 * math.sqrt(len(vectors))), len(vectors) // 39), 1)
        made = faiss.index_factory(vectors.shape[1], f"IVF{cells},Flat", faiss.METRIC_INNER_PRODUCT)
        made.train(vectors)
        return made

    def open(self) -> None:
        """Read it, and say how much of it is searched."""
        super().open()
        self._index.nprobe = max(self._index.nlist // PROBED, 1)
