"""How texts, passages and embeddings lie in the database: packed, so that an archive stays small beside its texts.

    text         zlib, which carries a checksum of its own, over the dictionary `archive/words.txt`
    passages     24 bytes each (`PASSAGE`), in order
    embedding    8-bit integers, then the 32-bit float to multiply them by (`embedding_type`)

Passages and embeddings are kept with their CRC-32 behind them (`guarded`).

Invariant: a text, or what is guarded, comes out as it went in, or ValueError tells that it is damaged.
Eight bits a dimension, with a scale of its own for each vector, move a cosine by .0004 (standard deviation, measured on
65,000 passages; the cosine with what was packed is .99997): a fifth of what a model's arithmetic in bfloat16 does.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from archive.article import TEXT_HASH_BYTES, Passage

# Frequent sequences of words in English news, the most frequent last: a short text has no time to learn them. Without
# them news texts come out at .54 of their size, with them at .46; a text in another language is none the worse. Their
# SHA-256 is tested: what was packed over other words cannot be unpacked.
WORDS = (resources.files("archive") / "words.txt").read_text(encoding="ascii").replace("\n", " ").strip().encode()
LEVEL = 6  # of 9, which gains half a hundredth more for half the time again
PASSAGE = struct.Struct(f"<II{TEXT_HASH_BYTES}s")  # start, end, text hash
CRC = struct.Struct("<I")
HIGHEST = 127  # of an 8-bit integer; -128 is not used
NORM_TOLERANCE = 0.01  # of an embedding, whose norm is 1

PackedPassage = tuple[int, int, bytes]


_PACKER = zlib.compressobj(LEVEL, zdict=WORDS)  # copied for each text, so that the words are taken in once


def pack_text(text: str) -> bytes:
    """Return `text`, packed."""
    return pack_bytes(text.encode())


def pack_bytes(text: bytes) -> bytes:
    """Return a text in UTF-8, packed."""
    packer = _PACKER.copy()
    return packer.compress(text) + packer.flush()


def unpack_text(packed: object) -> str:
    """Return the text. Raises ValueError when it is damaged."""
    if not isinstance(packed, bytes):
        raise ValueError(f"not a packed text but {type(packed).__name__}")
    unpacker = zlib.decompressobj(zdict=WORDS)
    try:
        text = unpacker.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"damaged text: {error}") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("damaged text: it does not end where it should")
    return text.decode()


def guarded(content: bytes) -> bytes:
    """Return `content` with its checksum behind it."""
    return content + CRC.pack(zlib.crc32(content))


def unguarded(kept: object) -> bytes:
    """Return the content. Raises ValueError when it differs from its checksum."""
    if not isinstance(kept, bytes) or kept[-CRC.size :] != CRC.pack(zlib.crc32(kept[: -CRC.size])):
        raise ValueError("it differs from its checksum")
    return kept[: -CRC.size]


def pack_passages(passages: Iterable[PackedPassage]) -> bytes:
    """Return the passages of one version, in order. Raises ValueError for one that cannot be a passage."""
    return b"".join(PASSAGE.pack(*_checked(passage)) for passage in passages)


def _checked(passage: PackedPassage) -> PackedPassage:
    start, end, text_hash = passage
    if not 0 <= start < end or len(text_hash) != TEXT_HASH_BYTES:
        raise ValueError(f"not a passage: {start} to {end}, a hash of {len(text_hash)} bytes")
    return passage


def unpack_passages(packed: bytes, *, article_id: str, version: int) -> list[Passage]:
    """Return the passages of this version."""
    return [
        Passage(article_id=article_id, version=version, ordinal=ordinal, start=start, end=end, text_hash=text_hash)
        for ordinal, (start, end, text_hash) in enumerate(PASSAGE.iter_unpack(packed))
    ]


def embedding_type(dimension: int) -> np.dtype[np.void]:
    """Return how a packed embedding lies in memory: `steps`, 8-bit integers, times `scale` is a vector of norm 1."""
    return np.dtype([("steps", "i1", (dimension,)), ("scale", "<f4")])


def quantised(vectors: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the steps, shape (n, dimension), and scales, shape (n,), of vectors whose norm is 1.

    What is unpacked comes out the same again. The scale is not the highest value over 127: the norm is 1 again.
    """
    highest = np.abs(vectors).max(axis=1, keepdims=True, initial=np.finfo(np.float32).tiny)
    steps = np.rint(vectors * (HIGHEST / highest)).astype(np.int8)
    return steps, (1 / np.linalg.norm(steps, axis=1)).astype(np.float32)


def pack_embeddings(vectors: NDArray[np.floating]) -> list[bytes]:
    """Return each row of `vectors`, shape (n, dimension). Raises ValueError for one whose norm is not 1."""
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(norms - 1) <= NORM_TOLERANCE):  # not-a-number fails it too
        raise ValueError("an embedding's norm is not 1: the model or its runtime is broken")
    packed = np.empty(len(vectors), embedding_type(vectors.shape[1]))
    packed["steps"], packed["scale"] = quantised(vectors)
    return [row.tobytes() for row in packed]


def unpack_embeddings(packed: Sequence[bytes], *, dimension: int) -> NDArray[np.float32]:
    """Return the vectors, shape (n, dimension), norm 1. Raises ValueError for one of another dimension."""
    rows = np.frombuffer(b"".join(packed), embedding_type(dimension))
    if len(rows) != len(packed):
        raise ValueError(f"embeddings of another dimension than {dimension}")
    vectors: NDArray[np.float32] = rows["steps"] * rows["scale"][:, None]
    return vectors
