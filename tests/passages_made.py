"""Passages with vectors, made for the tests of the vector index, and what brute force says of them."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.packing import pack_embeddings, unpack_embeddings
from index.engine import Floats, Mask, Span, Vector, Vectors
from index.vectors import VectorIndex, in_chunks, update

DIMENSION = 4
Item = tuple[str, Span, Vector]


def identifier(number: int) -> str:
    return f"{number:016x}"


def ids_to(count: int) -> NDArray[np.bytes_]:
    """Return the ids of articles 0 to `count` - 1: so each is its own number."""
    return np.array([identifier(number) for number in range(count)], dtype="S16")


def as_kept(vectors: NDArray[np.floating]) -> Vectors:
    """Return vectors, shape (n, dimension), as the archive keeps them."""
    return unpack_embeddings(pack_embeddings(vectors), dimension=vectors.shape[1])


def unit(*numbers: float) -> Vector:
    """Return the vector of this direction."""
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def some(random: np.random.Generator, article: int, *, passages: int = 1, version: int = 1) -> list[Item]:
    """Return an article's passages. Half of all vectors are of sixteen directions, whose cosines tie."""
    spans = [Span(version, n, n + 1) for n in range(passages)]
    made = [random.choice([random.choice([-0.5, 0.5], DIMENSION), random.normal(size=DIMENSION)]) for _ in spans]
    return [(identifier(article), span, unit(*vector)) for span, vector in zip(spans, made, strict=True)]


def crowd(random: np.random.Generator, *, articles: int, dimension: int, passages: int = 2) -> list[Item]:
    """Return articles whose passages gather around a hundred topics, as those of news do."""
    topics = random.normal(size=(100, dimension))
    of = random.integers(0, len(topics), articles * passages)
    made = topics[of] + 0.7 * random.normal(size=(len(of), dimension))
    vectors = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    spans = [Span(1, place, place + 1) for place in range(passages)]
    return [(identifier(row // passages), spans[row % passages], vector) for row, vector in enumerate(vectors)]


def apply(
    directory: Path,
    *,
    removed: Collection[str] = (),
    added: Sequence[Item] = (),
    large: int = 1_000_000,
    dimension: int = DIMENSION,
) -> None:
    """Update a folder. Segments have no codes and are merged, however large, unless `large` says so."""
    dimension = len(added[0][2]) if added else dimension
    packed = pack_embeddings(np.stack([vector for _, _, vector in added])) if added else []
    items = [(article, span, row) for (article, span, _), row in zip(added, packed, strict=True)]
    chunks = in_chunks(items, dimension=dimension, size=7 if len(items) < 1000 else 4096)
    update(directory, dimension=dimension, removed=removed, added=chunks, large=large)


class Brute:
    """What the best cosine of each article is, found by multiplying everything."""

    def __init__(self, items: Sequence[Item], *, numbers: int) -> None:
        """Take the passages of articles 0 to `numbers` - 1."""
        self._owners = np.array([int(article, 16) for article, _, _ in items])
        self._vectors = as_kept(np.stack([vector for _, _, vector in items]))
        self._numbers = numbers

    def best(self, query: Vector) -> Floats:
        """Return the best cosine of each article, by number; minus infinity for one without passages."""
        best = np.full(self._numbers, -np.inf)
        np.maximum.at(best, self._owners, self._vectors @ query)
        return best


def recall(index: VectorIndex, query: Vector, best: Floats, *, depth: int, within: Mask | None = None) -> float:
    """Return the share of the best `depth` articles of `within`, by brute force's `best`, that the index nominates."""
    searched = best if within is None else np.where(within, best, -np.inf)
    there = np.flatnonzero(searched > -np.inf)
    wanted = there[np.argsort(-searched[there], kind="stable")[:depth]]
    return float(np.isin(wanted, index.nearest(query, depth=depth, within=within).numbers).mean())
