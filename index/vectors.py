"""The semantic leg: passage vectors in FAISS, exactly scanned. The only file that imports faiss.

On disk, a folder of segments, each written once and never changed:

    SEGMENT.faiss          an IndexFlatIP: one row a passage, float32, norm 1, so that inner product is cosine
    SEGMENT.passages.npy   for each row: article id, version, start and end in the body (`ROW`)
    SEGMENT.dead.npy       row numbers no longer served, when there are any; replaced, never written in place

Invariants: the rows of one article stand together in one segment. A folder may be made of hard links to another's
files: what is here is replaced by rename, never opened for writing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.engine import Span, Vector, Vectors
from index.errors import GenerationDamaged

ROW = np.dtype([("article", "S16"), ("version", "<i4"), ("start", "<i4"), ("end", "<i4")])
Rows = NDArray[np.void]  # shape (n,), dtype ROW

PASSAGES_AN_ARTICLE = 4  # first guess at how many of an article's passages crowd the top of the scan


@dataclass(frozen=True, slots=True)
class PassageScore:
    """An article's best passage and its cosine with the query."""

    article_id: str
    cosine: float
    span: Span


@dataclass(frozen=True)
class _Segment:
    name: str
    index: "faiss.IndexFlatIP"
    rows: Rows
    dead: NDArray[np.int64]

    @property
    def live(self) -> int:
        return len(self.rows) - len(self.dead)


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
        self._places = [_places(segment.rows, segment.dead) for segment in self._segments]

    def __len__(self) -> int:
        """Return how many passages are served."""
        return sum(segment.live for segment in self._segments)

    def article_ids(self) -> frozenset[str]:
        """Return the ids of every article with a passage here."""
        return frozenset().union(*self._places)

    def rank(self, vector: Vector, *, depth: int, within: Collection[str] | None = None) -> list[PassageScore]:
        """Return the best `depth` articles by their best passage, best first; ties by id, an article's by position.

        `within` restricts the scan itself to these articles, so a filter never empties the list.
        """
        best: dict[str, PassageScore] = {}
        for segment, places in zip(self._segments, self._places, strict=True):
            selector = _selector(segment, places, within)
            for score in self._scan(segment, vector, depth=depth, selector=selector):
                best[score.article_id] = score
        return sorted(best.values(), key=lambda score: (-score.cosine, score.article_id))[:depth]

    def scores(self, vector: Vector, article_ids: Iterable[str]) -> dict[str, PassageScore]:
        """Return the best passage of each of these articles; one without passages here is left out."""
        wanted = list(article_ids)
        found: dict[str, PassageScore] = {}
        for segment, places in zip(self._segments, self._places, strict=True):
            here = [(article_id, places[article_id]) for article_id in wanted if article_id in places]
            if not here:
                continue
            numbers = np.concatenate([np.arange(start, stop) for _, (start, stop) in here])
            cosines = segment.index.reconstruct_batch(numbers) @ vector
            offset = 0
            for article_id, (start, stop) in here:
                local = int(np.argmax(cosines[offset : offset + stop - start]))
                found[article_id] = _score(segment, start + local, float(cosines[offset + local]))
                offset += stop - start
        return found

    def _scan(
        self, segment: _Segment, vector: Vector, *, depth: int, selector: "faiss.IDSelector | None"
    ) -> Iterator[PassageScore]:
        """Yield the best passage of the segment's best `depth` articles, scanning deeper until there are so many."""
        count, total = depth * PASSAGES_AN_ARTICLE, len(segment.rows)
        parameters = faiss.SearchParameters(sel=selector) if selector is not None else None
        while True:
            cosines, numbers = segment.index.search(vector[None, :], min(count, total), params=parameters)
            order = np.lexsort((numbers[0], -cosines[0]))  # of an article's equal passages the earliest comes first
            ranked, found = cosines[0][order], numbers[0][order]
            kept = found >= 0
            _, first = np.unique(segment.rows["article"][found[kept]], return_index=True)
            if count >= total or not kept.all() or _is_settled(ranked, first, depth):
                break
            count *= PASSAGES_AN_ARTICLE
        for position in first:
            yield _score(segment, int(found[position]), float(ranked[position]))


def _is_settled(cosines: NDArray[np.float32], first: NDArray[np.intp], depth: int) -> bool:
    """Return whether the best `depth` articles are known: no passage further down can equal the last one's."""
    return len(first) >= depth and bool(cosines[np.sort(first)[depth - 1]] > cosines[-1])


def _score(segment: _Segment, number: int, cosine: float) -> PassageScore:
    row = segment.rows[number]
    span = Span(version=int(row["version"]), start=int(row["start"]), end=int(row["end"]))
    return PassageScore(article_id=row["article"].decode(), cosine=cosine, span=span)


def _selector(
    segment: _Segment, places: dict[str, tuple[int, int]], within: Collection[str] | None
) -> "faiss.IDSelector | None":
    if within is None and not len(segment.dead):
        return None
    mask = np.zeros(len(segment.rows), dtype=bool)
    if within is None:
        mask[:] = True
        mask[segment.dead] = False
    else:
        for article_id in within:
            start, stop = places.get(article_id, (0, 0))
            mask[start:stop] = True
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))


def _places(rows: Rows, dead: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Return where each served article's rows stand: id -> (start, stop)."""
    articles = rows["article"]
    starts = np.flatnonzero(np.concatenate([[True], articles[1:] != articles[:-1]])) if len(rows) else np.array([], int)
    stops = np.append(starts[1:], len(rows))
    gone = set(articles[dead].tolist())
    return {
        article.decode(): (int(start), int(stop))
        for article, start, stop in zip(articles[starts].tolist(), starts, stops, strict=True)
        if article not in gone
    }


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
