"""One segment of the vector index: its files, written once, and what they hold when they are opened.

Invariants: the passages of one article stand together in one segment. A file that is there is never written to: what
is new takes its place by a rename. Files are read as plain arrays, never as pickles, and whatever does not fit
together is damage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.packing import embedding_type
from index.engine import Floats, Ints, Mask, Vector, Vectors
from index.errors import GenerationDamaged
from index.vectors import codes
from index.vectors.codes import Codes

ARTICLE = np.dtype([("id", "S16"), ("first", "<i4")])  # `first`: the row of its first passage
SPAN = np.dtype([("version", "<i4"), ("start", "<i4"), ("end", "<i4")])
SHORT_SPAN = np.dtype([("version", "<u2"), ("start", "<u2"), ("end", "<u2")])  # where no body is longer than that
Articles = NDArray[np.void]  # shape (articles,), dtype ARTICLE
Spans = NDArray[np.void]  # shape (rows,), dtype SPAN or SHORT_SPAN
Packed = NDArray[np.void]  # shape (rows,), dtype `archive.packing.embedding_type`

LEARNED = 4096  # passages from which a segment's codes are learned; from four times as many come no better ones
CHUNK = 256  # rows unpacked at once: as float32 they stay in a core's second-level cache
CODED = 8192  # rows given codes at once
PARTS = ("articles", "spans", "vectors", "sum")


@dataclass(frozen=True)
class Content:
    """Articles with their passages: what a segment is made of."""

    articles: Articles
    spans: Spans
    packed: Packed

    def __len__(self) -> int:
        """Return how many passages, which are rows, there are."""
        return len(self.spans)

    @property
    def counts(self) -> Ints:
        """How many passages each article has."""
        return np.diff(self.articles["first"], append=len(self)).astype(np.int64)

    @property
    def span_numbers(self) -> NDArray[np.integer]:
        """The spans as numbers, shape (rows, 3), of which single rows are taken in a fifth of the time."""
        return self.spans.view(self.spans.dtype["start"]).reshape(-1, 3)

    def vectors(self, rows: Ints | slice) -> Vectors:
        """Return the vectors of these rows."""
        vectors: Vectors = self.packed["steps"][rows].astype(np.float32)
        vectors *= self.packed["scale"][rows][:, None]
        return vectors

    def products(self, rows: Ints, directions: Vectors) -> Floats:
        """Return the inner product of these rows with each direction, shape (n, dimension): shape (rows, n)."""
        products = np.empty((len(rows), len(directions)), np.float32)
        for first in range(0, len(rows), CHUNK):
            part = slice(first, first + CHUNK)
            # whole rows are taken, which numpy copies as they lie: a field of each takes twice the time
            np.matmul(self.packed.take(rows[part])["steps"].astype(np.float32), directions.T, out=products[part])
        products *= self.packed["scale"][rows][:, None]
        return products.astype(np.float64)

    def cosines(self, vector: Vector) -> Floats:
        """Return the cosine of every row with `vector`."""
        return cosines(self.packed, vector)

    def kept(self, keep: Mask) -> "Content":
        """Return the articles for which `keep` is true."""
        rows = np.flatnonzero(np.repeat(keep, self.counts))
        articles, counts = self.articles[keep], self.counts[keep]
        articles["first"] = np.cumsum(counts) - counts
        return Content(articles, self.spans[rows], self.packed[rows])


def cosines(packed: Packed, vector: Vector) -> Floats:
    """Return the cosine of each of these with `vector`."""
    found = np.empty(len(packed), np.float32)
    for first in range(0, len(packed), CHUNK):
        part = slice(first, first + CHUNK)
        np.dot(packed["steps"][part].astype(np.float32), vector, out=found[part])
    found *= packed["scale"]
    return found.astype(np.float64)


@dataclass(frozen=True)
class Segment:
    """A segment as it is on disk, memory-mapped; its codes are opened apart, where they are needed."""

    name: str
    content: Content
    total: Floats  # shape (dimension,): the sum of its vectors, the dead ones with them
    dead: Ints  # places of the articles that are served no more, ascending

    @property
    def served(self) -> Mask:
        """Which articles are served."""
        served = np.ones(len(self.content.articles), np.bool_)
        served[self.dead] = False
        return served

    @property
    def live(self) -> int:
        """How many passages are served."""
        return len(self.content) - int(self.content.counts[self.dead].sum())


def table(ids: NDArray[np.bytes_], spans: Spans, packed: Packed) -> Content:
    """Return the passages in these rows, of which the article is given for each; those of one article in a row."""
    articles = np.zeros(len(ids), ARTICLE)
    articles["id"], articles["first"] = ids, np.arange(len(ids))
    return Content(_in_one(articles), spans, packed)


def joined(contents: Sequence[Content]) -> Content:
    """Return all of them, in this order; an article that goes on from one to the next is one."""
    rows = np.cumsum([0, *map(len, contents)])
    articles = np.concatenate([content.articles for content in contents])
    articles["first"] += np.repeat(rows[:-1], [len(content.articles) for content in contents]).astype(np.int32)
    spans = np.concatenate([content.spans.astype(SPAN, copy=False) for content in contents])
    return Content(_in_one(articles), spans, np.concatenate([content.packed for content in contents]))


def _in_one(articles: Articles) -> Articles:
    is_first = np.ones(len(articles), np.bool_)
    is_first[1:] = articles["id"][1:] != articles["id"][:-1]
    return articles[is_first]


def names(directory: Path) -> list[str]:
    """Return the names of the segments in this folder, ascending."""
    return sorted({path.name.partition(".")[0] for path in directory.iterdir()})


def read(directory: Path, name: str) -> Segment:
    """Open a segment. Raises GenerationDamaged when a file of it cannot be read or they do not fit each other."""
    segment = directory / name
    try:
        articles, spans, packed, total = (_load(_array(segment, part)) for part in PARTS)
        dead = _load(_array(segment, "dead")) if _array(segment, "dead").exists() else np.empty(0, np.int64)
    except (OSError, ValueError) as error:
        raise GenerationDamaged(f"{segment}: {error}: run `flask reindex`") from error
    if not (_fit(articles, spans, packed, total) and _is_grave(dead, len(articles))):
        raise GenerationDamaged(f"{segment}: vectors and passages do not match: run `flask reindex`")
    return Segment(name, Content(articles, spans, packed), total, dead)


def read_all(directory: Path, *, dimension: int) -> list[Segment]:
    """Open the segments of a folder. Raises GenerationDamaged as `read` does, and for vectors of another dimension."""
    found = [read(directory, name) for name in names(directory)]
    for segment in found:
        if len(segment.total) != dimension:
            raise GenerationDamaged(
                f"{directory / segment.name}: vectors of {len(segment.total)} dimensions, not {dimension}:"
                " run `flask reindex`"
            )
    return found


def read_codes(directory: Path, segment: Segment) -> Codes | None:
    """Open the codes of a segment that has some. Raises GenerationDamaged when they are not its codes."""
    path = _codes(directory / segment.name)
    return codes.read(path, rows=len(segment.content), dimension=len(segment.total)) if path.exists() else None


def _fit(articles: NDArray[Any], spans: NDArray[Any], packed: NDArray[Any], total: NDArray[Any]) -> bool:
    """Return whether these are the tables of one segment, so that no row that they name is outside."""
    if (total.dtype, total.ndim) != (np.dtype(np.float64), 1):
        return False
    kinds = [(table.dtype, table.ndim) for table in (articles, spans, packed)]
    span = SHORT_SPAN if spans.dtype == SHORT_SPAN else SPAN
    if kinds != [(ARTICLE, 1), (span, 1), (embedding_type(len(total)), 1)] or len(packed) != len(spans):
        return False
    bounds = np.append(articles["first"], len(spans))
    return bool(bounds[0] == 0 and np.all(np.diff(bounds) > 0))


def _is_grave(dead: NDArray[Any], articles: int) -> bool:
    kind = (dead.dtype, dead.ndim)
    return kind == (np.dtype(np.int64), 1) and bool(np.all((dead >= 0) & (dead < articles)))


def write(directory: Path, name: str, content: Content, *, large: int) -> None:
    """Write a new segment, with codes if it has at least `large` passages."""
    total = np.zeros(content.packed.dtype["steps"].shape)
    for first in range(0, len(content), CHUNK):
        total += content.vectors(slice(first, first + CHUNK)).sum(axis=0, dtype=np.float64)
    tables = (content.articles, _shortened(content.spans), content.packed, total)
    for part, table in zip(PARTS, tables, strict=True):
        _save(_array(directory / name, part), table)
    if len(content) >= large:
        _encode(content).write(_codes(directory / name))


def _shortened(spans: Spans) -> Spans:
    """Return the spans in half the bytes, if all of their numbers can be written so."""
    highest = max(int(spans[name].max(initial=0)) for name in ("version", "start", "end"))
    return spans.astype(SHORT_SPAN if highest <= np.iinfo(np.uint16).max else SPAN, copy=False)


def _encode(content: Content) -> Codes:
    sample = np.linspace(0, len(content) - 1, min(len(content), LEARNED)).astype(np.int64)
    made = codes.learned(content.vectors(sample))
    for first in range(0, len(content), CODED):
        made.add(content.vectors(slice(first, first + CODED)))
    return made


def bury(directory: Path, name: str, dead: Ints) -> None:
    """Serve the articles at these places no more."""
    _save(_array(directory / name, "dead"), dead)


def delete(directory: Path, name: str) -> None:
    """Delete the files of a segment."""
    for path in directory.glob(f"{name}.*"):
        path.unlink()


def _array(segment: Path, part: str) -> Path:
    return segment.with_name(f"{segment.name}.{part}.npy")


def _codes(segment: Path) -> Path:
    return segment.with_name(f"{segment.name}.codes.faiss")


def _load(path: Path) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r").view(np.ndarray)  # a memmap is slow to index
    return array


def _save(path: Path, array: NDArray[np.generic]) -> None:
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    aside.replace(path)
