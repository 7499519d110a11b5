"""What the statements of `archive/schema/` call on to pack an archive of the first schema, as functions for SQLite.

Invariant: a function here gives NULL for what was damaged before, so that damage never gets a fresh checksum.
"""

import hashlib
from collections.abc import Callable

import numpy as np

from archive.article import TEXT_HASH_BYTES
from archive.packing import PackedPassage, guarded, pack_embeddings, pack_passages, pack_text

Step = Callable[..., None]


def packed_text(*row: object) -> bytes:
    """Return a body (one argument) as it is packed now."""
    return pack_text(str(row[0]))


def packed_embedding(*row: object) -> bytes | None:
    """Return a vector of 32-bit floats (the other argument is its checksum) as it is packed now."""
    vector, checksum = row
    if not isinstance(vector, bytes) or len(vector) % 4 or hashlib.sha256(vector).digest()[:8] != checksum:
        return None
    try:
        return guarded(pack_embeddings(np.frombuffer(vector, "<f4")[None])[0])
    except ValueError:
        return None


def packed_passages() -> tuple[list[PackedPassage], Step, Callable[[list[PackedPassage]], bytes]]:
    """Return what gathers the rows (start, end, text hash) of one version, in order, and then packs them."""
    return [], _gather, _guarded_passages


def _guarded_passages(passages: list[PackedPassage]) -> bytes:
    return guarded(pack_passages(passages))


def _gather(passages: list[PackedPassage], start: int, end: int, text_hash: bytes) -> None:
    passages.append((start, end, text_hash[:TEXT_HASH_BYTES]))
