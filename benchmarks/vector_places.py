"""What the vectors' benchmark searches: a corpus's own passages, and synthetic ones drawn around them.

Invariant: a place is made once, from a fixed seed, so every process that is handed it searches the same vectors.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import WORK
from benchmarks.peers.corpus import Corpus

NOISE = 0.03  # standard deviation a component: a cosine of .86 with the real one, as of two passages of one story
CHUNK = 20_000  # vectors made at once


@dataclass(frozen=True)
class Place:
    """A folder with `vectors.npy`, `owners.npy` (each passage's article, ascending), `queries.npy`, and our index."""

    folder: Path
    name: str

    def array(self, part: str) -> NDArray[Any]:
        """Return one of these arrays, memory-mapped."""
        mapped: NDArray[Any] = np.load(self.folder / f"{part}.npy", mmap_mode="r")
        return mapped

    @property
    def index(self) -> Path:
        """Where our index is."""
        return self.folder / "index"

    @property
    def ids(self) -> NDArray[np.bytes_]:
        """The ids of the articles, in order."""
        return np.array([f"{number:016x}" for number in range(int(self.array("owners")[-1]) + 1)], dtype="S16")


def make_real(folder: Path, corpus: Path, queries: int) -> Place:
    """Return the corpus's own passages, in order of their articles."""
    from index.embedder import embed_query, open_embedder

    folder.mkdir(parents=True)
    embedder = open_embedder("bundled", runtime="auto", cache=WORK / "models")
    texts = Corpus(corpus).queries
    chosen = [texts[place] for place in np.linspace(0, len(texts) - 1, min(queries, len(texts))).astype(int)]
    np.save(folder / "queries.npy", np.stack([embed_query(embedder, text) for text in chosen]))
    articles = np.array([passage["article"] for passage in Corpus(corpus).passages()])
    order = np.argsort(articles, kind="stable")
    np.save(folder / "owners.npy", np.unique(articles[order], return_inverse=True)[1].astype(np.int32))
    np.save(folder / "vectors.npy", np.asarray(Corpus(corpus).vectors)[order])
    return _indexed(Place(folder, "real"))


def make_synthetic(folder: Path, real: Place, count: int) -> Place:
    """Return so many passages drawn around the real ones."""
    folder.mkdir(parents=True)
    random, around = np.random.default_rng(20260101), real.array("vectors")
    shape = (count, around.shape[1])
    made = np.lib.format.open_memmap(folder / "vectors.npy", mode="w+", dtype=np.float32, shape=shape)
    for first in range(0, count, CHUNK):
        rows = np.sort(random.integers(0, len(around), min(CHUNK, count - first)))
        vectors = around[rows] + NOISE * random.standard_normal((len(rows), shape[1]), dtype=np.float32)
        made[first : first + CHUNK] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    made.flush()
    np.save(folder / "owners.npy", np.arange(count, dtype=np.int32))
    np.save(folder / "queries.npy", real.array("queries"))
    return _indexed(Place(folder, "synthetic"))


def _indexed(place: Place) -> Place:
    from archive.packing import pack_embeddings
    from index import vectors
    from index.engine import Span

    made, owners = place.array("vectors"), place.array("owners")

    def items() -> Iterator[tuple[str, Span, bytes]]:
        for first in range(0, len(made), CHUNK):
            packed = pack_embeddings(np.asarray(made[first : first + CHUNK]))
            for owner, row in zip(owners[first : first + CHUNK].tolist(), packed, strict=True):
                yield f"{owner:016x}", Span(1, 0, 1), row

    place.index.mkdir()
    dimension = made.shape[1]
    vectors.update(place.index, dimension=dimension, removed=[], added=vectors.in_chunks(items(), dimension=dimension))
    return place
