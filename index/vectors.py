"""The semantic leg: passage vectors in FAISS, exactly scanned. The only file that imports faiss.

On disk, a folder of segments, each written once and never changed:

    SEGMENT.faiss          an IndexFlatIP: one row a passage, float32, norm 1, so that inner product is cosine
    SEGMENT.passages.npy   for each row: article id, version, start and end in the body (`ROW`)
    SEGMENT.dead.npy       row numbers no longer served, when there are any; replaced, never written in place

Invariants: the rows of one article stand together in one segment. A folder may be made of hard links to another's
files: what is here is replaced by rename, never opened for writing.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.engine import Floats, Ints, Mask, Span, Vector, Vectors
from index.errors import GenerationDamaged

ROW = np.dtype([("article", "S16"), ("version", "<i4"), ("start", "<i4"), ("end", "<i4")])
Rows = NDArray[np.void]  # shape (n,), dtype ROW
NEAREST = 0.99  # quantile of a query's cosines that stands for the archive's nearest passages
SAMPLED = 16_384  # passages that are enough to know it to .01


@dataclass(frozen=True, slots=True)
class PassageScores:
    """How near a query some articles come, as columns of one length, ordered by id."""

    ids: Sequence[str]
    best: Floats  # cosine of the article's best passage
    second: Floats  # of its second-best, nan where it has but one
    common: Floats  # mean cosine of the best passage with all passages
    passages: Ints  # number of the best passage, the earliest of equals
    spans: Ints  # shape (n, 3): version, start and end of it
    beyond: float | None  # the best cosine among the articles that are not here, None when there are none
    nearest: float  # the cosine that one passage in a hundred of the whole index exceeds


@dataclass(frozen=True)
class _Segment:
    """A segment as it is on disk."""

    name: str
    index: "faiss.IndexFlatIP"
    rows: Rows
    dead: NDArray[np.int64]

    @property
    def live(self) -> int:
        return len(self.rows) - len(self.dead)


@dataclass(frozen=True)
class _Block:
    """A segment as it is scanned. `articles`, `starts` and `served` have one element an article, in row order."""

    index: "faiss.IndexFlatIP"  # owns the memory that `matrix` shows
    matrix: Vectors
    starts: Ints  # the row of the article's first passage
    served: Mask  # the article was not removed
    articles: NDArray[np.bytes_]  # ids of those that are served
    spans: Ints  # shape (rows, 3): version, start, end


class VectorIndex:
    """The vectors of one generation, opened for reading. Safe to use from several threads."""

    def __init__(self, directory: Path, *, dimension: int) -> None:
        """Open the segments. Raises GenerationDamaged when one cannot be read or is of another dimension."""
        self._segments = [_read(directory, name) for name in _names(directory)]
        for segment in self._segments:
            if segment.index.d != dimension:
                raise GenerationDamaged(
                    f"{directory / segment.name}: vectors of {segment.index.d} dimensions, not {dimension}:"
                    " run `flask reindex`"
                )
        self._blocks = [_block(segment) for segment in self._segments]
        ids = np.concatenate([block.articles for block in self._blocks]) if self._blocks else np.empty(0, "S16")
        order = np.argsort(ids, kind="stable")
        self._ids = [article.decode() for article in ids[order].tolist()]
        self._order = order  # where the article of each place in `_ids` stands among the blocks' articles
        firsts = np.cumsum([0, *(len(block.spans) for block in self._blocks)])
        offsets = [np.full(len(block.articles), first) for block, first in zip(self._blocks, firsts[:-1], strict=True)]
        self._offsets = np.concatenate(offsets)[order] if offsets else np.empty(0, np.int64)  # of its block's rows
        self._spans = np.concatenate([block.spans for block in self._blocks] or [np.empty((0, 3), np.int64)])
        self._dimension = dimension
        self._means: Floats | None = None
        self._lock = threading.Lock()
        self._places = {article_id: place for place, article_id in enumerate(self._ids)}

    def __len__(self) -> int:
        """Return how many passages are served."""
        return sum(segment.live for segment in self._segments)

    def article_ids(self) -> frozenset[str]:
        """Return the ids of every article with a passage here."""
        return frozenset(self._places)

    def candidates(
        self,
        vector: Vector,
        *,
        depth: int,
        within: Collection[str] | None = None,
        beside: Collection[str] | None = (),
        also: Collection[str] = (),
    ) -> PassageScores:
        """Return the best `depth` articles by their best passage (ties by id) and those of `also`, each scored.

        `within` restricts the search itself to these articles, so a filter never empties it; the best of `beside` are
        returned as well. None stands for all articles.
        """
        cosines = [_products(block, vector) for block in self._blocks]
        scores = np.concatenate([_articles(*pair) for pair in zip(self._blocks, cosines, strict=True)] or [_NO_SCORES])
        scores = scores[self._order]
        searched = self._numbers(within)
        chosen = self._numbers(also)
        for pool in (searched, self._numbers(beside)):
            chosen = np.union1d(chosen, pool[_first(scores[pool, 0], depth)])
        passages = scores[chosen, 2].astype(np.int64) + self._offsets[chosen]
        left_out = np.setdiff1d(searched, chosen, assume_unique=True)
        return PassageScores(
            ids=[self._ids[number] for number in chosen.tolist()],
            best=scores[chosen, 0],
            second=scores[chosen, 1],
            common=self._common()[passages],
            passages=passages,
            spans=self._spans[passages],
            beyond=float(scores[left_out, 0].max()) if len(left_out) else None,
            nearest=_nearest(cosines),
        )

    def likeness(self, passages: Ints, *, to: Ints) -> Floats:
        """Return the cosine of each of these passages with the mean of those in `to`; 0.0 for what is no passage."""
        there = passages >= 0
        likeness = np.zeros(len(passages))
        mean = self._vectors(to[to >= 0]).sum(axis=0)
        if norm := float(np.linalg.norm(mean)):
            likeness[there] = self._vectors(passages[there]) @ (mean / norm)
        return likeness

    def _vectors(self, passages: Ints) -> Vectors:
        """Return the vectors of these passages."""
        found = np.empty((len(passages), self._dimension), np.float32)
        first = 0
        for block in self._blocks:
            here = (passages >= first) & (passages < first + len(block.spans))
            found[here] = block.matrix[passages[here] - first]
            first += len(block.spans)
        return found

    def _common(self) -> Floats:
        """Return each passage's mean cosine with all passages, found when it is first needed."""
        with self._lock:
            if self._means is None:
                total = sum((block.matrix.sum(axis=0) for block in self._blocks), np.zeros(self._dimension, np.float32))
                mean = (total / max(1, len(self._spans))).astype(np.float32)
                means = [_products(block, mean) for block in self._blocks]
                self._means = np.concatenate(means) if means else np.empty(0)
            return self._means

    def _numbers(self, article_ids: Collection[str] | None) -> Ints:
        """Return the places of these articles, or of all, in `_ids`, ascending; one without passages is left out."""
        if article_ids is None:
            return np.arange(len(self._ids))
        places = [self._places[article_id] for article_id in article_ids if article_id in self._places]
        return np.sort(np.array(places, np.int64))


def _block(segment: _Segment) -> _Block:
    rows, index = segment.rows, segment.index
    articles = rows["article"]
    starts = np.flatnonzero(np.concatenate([[True], articles[1:] != articles[:-1]])) if len(rows) else np.empty(0, int)
    dead = np.zeros(len(rows), np.bool_)
    dead[segment.dead] = True
    served = ~dead[starts]
    matrix = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d).reshape(index.ntotal, index.d)
    spans = np.stack([rows[name] for name in ("version", "start", "end")], axis=1).astype(np.int64)
    return _Block(index, matrix, starts, served, articles[starts][served], spans)


_NO_SCORES: Floats = np.empty((0, 3))


def _products(block: _Block, vector: Vector) -> Floats:
    """Return the inner product of each passage with `vector`: shape (rows,).

    By FAISS, not numpy: the vectors lie in the mapped file where its header ends, at no multiple of four bytes, and
    numpy would copy all of them first, ten times the work.
    """
    rows, dimension = block.matrix.shape
    products = np.empty(rows, np.float32)
    vector = np.ascontiguousarray(vector, np.float32)
    faiss.fvec_inner_products_ny(
        faiss.swig_ptr(products), faiss.swig_ptr(vector), block.index.get_xb(), dimension, rows
    )
    return products.astype(np.float64)


def _articles(block: _Block, cosines: Floats) -> Floats:
    """Return, for each served article: its best and second-best cosine and the best passage's row; shape (n, 3).

    All passages have been multiplied: that costs no more than FAISS's own search, which is bound by reading them too,
    and leaves every article scored, however many are asked for.
    """
    best = np.maximum.reduceat(cosines, block.starts)
    counts = np.diff(np.append(block.starts, len(cosines)))
    at_best = np.flatnonzero(cosines == np.repeat(best, counts))
    rows = at_best[np.searchsorted(at_best, block.starts)]  # the first of each article's best
    others = cosines.copy()
    others[rows] = -np.inf
    second = np.maximum.reduceat(others, block.starts)
    second[np.isneginf(second)] = np.nan
    return np.stack([best, second, rows.astype(np.float64)], axis=1)[block.served]


def _nearest(cosines: Sequence[Floats]) -> float:
    """Return the 99th percentile over all blocks; of a large index, over every k-th passage."""
    count = sum(map(len, cosines))
    step = max(1, count // SAMPLED)
    sample = np.concatenate([block[::step] for block in cosines] or [np.empty(0)])
    return float(np.quantile(sample, NEAREST)) if len(sample) else 0.0


def _first(scores: Floats, depth: int) -> Ints:
    """Return the places of the `depth` highest scores; of equals the earliest."""
    if depth >= len(scores):
        return np.arange(len(scores))
    return np.argsort(-scores, kind="stable")[:depth]


def update(directory: Path, *, dimension: int, removed: Collection[str], added: Iterable[tuple[Rows, Vectors]]) -> None:
    """Mark the passages of the `removed` articles dead, then add these, as one new segment.

    Segments less than twice as large as the new one are merged into it, smallest first, so that each is at least twice
    the next: their number grows with the logarithm of what was added and each vector is copied as often (the
    logarithmic method, Bentley & Saxe 1980).
    """
    segments = [_bury(directory, _read(directory, name), removed) for name in _names(directory)]
    fresh = faiss.IndexFlatIP(dimension)
    tables: list[Rows] = []
    for rows, vectors in added:
        fresh.add(np.ascontiguousarray(vectors, dtype=np.float32))
        tables.append(rows)
    for segment in sorted(segments, key=lambda segment: segment.live):
        if segment.live and segment.live >= 2 * fresh.ntotal:
            break
        rows, vectors = _alive(segment)
        fresh.add(vectors)
        tables.append(rows)
        _delete(directory, segment.name)
    if fresh.ntotal:
        number = max((int(segment.name) for segment in segments), default=0) + 1
        _write(directory, f"{number:06d}", fresh, np.concatenate(tables))


def _bury(directory: Path, segment: _Segment, removed: Collection[str]) -> _Segment:
    gone = np.isin(segment.rows["article"], np.array([article_id.encode() for article_id in removed], dtype="S16"))
    dead = np.union1d(segment.dead, np.flatnonzero(gone)).astype(np.int64)
    if len(dead) > len(segment.dead):
        _save(directory / f"{segment.name}.dead.npy", dead)
    return _Segment(segment.name, segment.index, segment.rows, dead)


def _alive(segment: _Segment) -> tuple[Rows, Vectors]:
    keep = np.setdiff1d(np.arange(len(segment.rows)), segment.dead)
    return segment.rows[keep], segment.index.reconstruct_batch(keep)


def _names(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.glob("*.faiss"))


def _read(directory: Path, name: str) -> _Segment:
    try:
        index = faiss.read_index(str(directory / f"{name}.faiss"), faiss.IO_FLAG_MMAP_IFC)
        rows = _load(directory / f"{name}.passages.npy")
        grave = directory / f"{name}.dead.npy"
        dead = _load(grave) if grave.exists() else np.array([], dtype=np.int64)
    except (RuntimeError, OSError, ValueError) as error:
        raise GenerationDamaged(f"{directory / name}: {error}: run `flask reindex`") from error
    if not _is_sound(index, rows, dead):
        raise GenerationDamaged(f"{directory / name}: vectors and passages do not match: run `flask reindex`")
    return _Segment(name, index, rows, dead)


def _load(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:  # np.load would also open archives and pickles
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _is_sound(index: faiss.Index, rows: Rows, dead: NDArray[np.int64]) -> bool:
    return (
        isinstance(index, faiss.IndexFlatIP)
        and (rows.dtype, rows.shape) == (ROW, (index.ntotal,))
        and (dead.dtype, dead.ndim) == (np.dtype(np.int64), 1)
        and bool(np.all((dead >= 0) & (dead < index.ntotal)))
    )


def _write(directory: Path, name: str, index: "faiss.IndexFlatIP", rows: Rows) -> None:
    faiss.write_index(index, str(directory / f"{name}.faiss"))
    _save(directory / f"{name}.passages.npy", rows)


def _save(path: Path, array: NDArray[np.generic]) -> None:
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    aside.replace(path)


def _delete(directory: Path, name: str) -> None:
    for suffix in ("faiss", "passages.npy", "dead.npy"):
        (directory / f"{name}.{suffix}").unlink(missing_ok=True)


def as_rows(spans: Sequence[tuple[str, Span]]) -> Rows:
    """Return a passage table of these (article id, span) pairs."""
    return np.array([(article.encode(), s.version, s.start, s.end) for article, s in spans], dtype=ROW)


def in_chunks(items: Iterable[tuple[str, Span, Vector]], *, size: int = 4096) -> Iterator[tuple[Rows, Vectors]]:
    """Gather single passages and their vectors into the tables that `update` takes."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield as_rows([(article, span) for article, span, _ in chunk]), np.stack([vector for _, _, vector in chunk])
