"""Changing a folder of segments: articles taken out, others brought in, small segments merged.

Invariant: an update costs what it brings and takes, and at most twice LARGE passages copied, however large the folder
is. Files that are there stay as they are, as `index.vectors.segments` says.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archive.packing import embedding_type
from index.engine import Span
from index.vectors import segments
from index.vectors.segments import ARTICLE, SPAN, Content, Segment, joined, table

LARGE = 16_384  # passages from which a segment has codes and is merged no more: fewer are scanned in 1 ms


class Wear(NamedTuple):
    """How far a folder is from what a rebuild would make: one segment and nothing dead."""

    segments: int
    dead_passages: int
    live_passages: int


def update(
    directory: Path, *, dimension: int, removed: Collection[str], added: Iterable[Content], large: int = LARGE
) -> None:
    """Serve the `removed` articles no more, then add these, as one new segment.

    Segments of fewer than `large` passages that are less than twice as large as the new one are merged into it,
    smallest first, so that each of these is at least twice the next: their number grows with the logarithm of what was
    added, and each vector is copied as often (the logarithmic method, Bentley & Saxe 1980). A larger one stays as it
    is until a rebuild, or until its last article is removed.
    """
    present = [_bury(directory, segment, removed) for segment in segments.read_all(directory, dimension=dimension)]
    contents = list(added)
    fresh = sum(map(len, contents))
    for segment in sorted(present, key=lambda segment: segment.live):
        if segment.live and segment.live >= min(large, 2 * fresh):
            break
        contents.append(segment.content.kept(segment.served))
        fresh += segment.live
        segments.delete(directory, segment.name)
    if fresh:
        number = max((int(segment.name) for segment in present), default=0) + 1
        segments.write(directory, f"{number:06d}", joined(contents), large=large)


def _bury(directory: Path, segment: Segment, removed: Collection[str]) -> Segment:
    """Write down which of these articles are served no more; return the segment that knows it."""
    gone = np.sort(np.array([article_id.encode() for article_id in removed], dtype=ARTICLE["id"]))
    ids = segment.content.articles["id"]
    places = np.searchsorted(gone, ids)
    is_gone = np.append(gone, b"")[places] == ids
    dead = np.union1d(segment.dead, np.flatnonzero(is_gone))
    if len(dead) == len(segment.dead):
        return segment
    segments.bury(directory, segment.name, dead)
    return replace(segment, dead=dead)


def in_chunks(items: Iterable[tuple[str, Span, bytes]], *, dimension: int, size: int = 4096) -> Iterator[Content]:
    """Gather passages, each with its embedding as the archive keeps it, into what `update` takes.

    The passages of one article follow each other.
    """
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        ids = np.array([article_id.encode() for article_id, _, _ in chunk], dtype=ARTICLE["id"])
        spans = np.array([(span.version, span.start, span.end) for _, span, _ in chunk], dtype=SPAN)
        yield table(ids, spans, np.frombuffer(b"".join(packed for _, _, packed in chunk), embedding_type(dimension)))


def count(directory: Path) -> tuple[int, int]:
    """Return how many articles and how many passages are served."""
    present = [segments.read(directory, name) for name in segments.names(directory)]
    return sum(int(segment.served.sum()) for segment in present), sum(segment.live for segment in present)


def wear(directory: Path) -> Wear:
    """Return how far the folder is from what a rebuild would make."""
    present = [segments.read(directory, name) for name in segments.names(directory)]
    live = sum(segment.live for segment in present)
    return Wear(len(present), sum(len(segment.content) for segment in present) - live, live)
