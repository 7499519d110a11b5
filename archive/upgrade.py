"""What the statements of `archive/schema/` call on to pack an archive of the first schema, as functions for SQLite.

Invariant: what was damaged before is found to be damaged afterwards, or made anew, and keeps nothing else from being
brought over.
"""

import hashlib
import struct
from collections.abc import Callable

import numpy as np

from archive.article import TEXT_HASH_BYTES
from archive.packing import PackedPassage, guarded, pack_bytes, pack_embeddings, pack_passages

Step = Callable[..., None]


def packed_text(*row: object) -> bytes:
    """Return a body (one argument, its bytes) as it is packed now: damage stays what it was, and its article's alone.

    Bytes that are no text are packed as they are, so `unpack_text` refuses them; a text that is not the one of its hash
    is found by that, as before.
    """
    body = row[0]
    return pack_bytes(body if isinstance(body, bytes) else b"")


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
    try:
        return guarded(pack_passages(passages))
    except (ValueError, struct.error):
        return b""  # fails its checksum, so the next build cuts the article anew


def _gather(passages: list[PackedPassage], start: int, end: int, text_hash: bytes) -> None:
    passages.append((start, end, text_hash[:TEXT_HASH_BYTES]))
