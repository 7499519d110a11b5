"""Copies: which texts are taken from each other, as syndication and light editing leave them. Pure.

A text is the set of its shingles, every five words in a row (Broder, "On the resemblance and containment of
documents", 1997). `signature` keeps a sample of them by which alike texts are nominated (min-wise hashing, with bands
as in Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", ch. 3); `are_copies` decides by the shingles.

Invariant: everything here depends on the words alone, so it comes out the same on every machine and in every run.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words64 = NDArray[np.uint64]
Signatures = NDArray[np.uint16]  # (n, HASHES)
Pairs = NDArray[np.int64]  # (n, 2): rows, the lower first

SHINGLE = 5  # words: of two reports of one event, only quotations share more than a few
HASHES = 24  # of a signature
SIGNATURE_BYTES = 2 * HASHES
# Any two hashes that stand at most so far apart, around the circle, are a band: 72 bands of 32 bits. Simulated, two
# texts that share .3 of all their shingles are nominated in .97 of cases (.94 with 48 bands), .2 in .83, .05 in .14.
BAND_REACH = 3
NEAREST = 16  # texts on either side that a text is paired with in one band: a band of boilerplate holds thousands
MOST = 64  # texts that a new one is paired with in all, those whose signatures agree most

# What makes a copy, chosen on the labelled pairs and the wire of 1987 (benchmarks/copies.py): the share of the smaller
# text's shingles that the other one must hold. A long text is a copy with half of them; one of a few sentences may be a
# form that is filled in with other figures every day, so there it takes nearly all.
SIZES, NEEDED = (40, 60, 150), (0.95, 0.9, 0.5)  # of so many shingles this share; in between, in proportion
NOTICE = 40  # shingles: what is shorter, a dividend or a flash, is a copy only where both are as long as that:
AS_LONG = 0.8  # so much of the larger text's must be shared too

_SIGN = re.compile(r"[^\w\x00-\x7f]")  # beyond ASCII
_APART = bytes(code if code >= 0x80 or chr(code).isalnum() else 0x20 for code in range(256))  # ASCII's signs as spaces
_RANDOM = np.random.Generator(np.random.PCG64(1997))
_PLACES = _RANDOM.integers(1, 2**63, SHINGLE, np.uint64) | np.uint64(1)  # one odd factor for each word's place
_FACTORS = _RANDOM.integers(1, 2**63, HASHES, np.uint64)[:, None] | np.uint64(1)
CHUNK = 4096  # shingles hashed at once, so that a text of a million words takes no more memory than it must


def shingles(body: str) -> Words64:
    """Return the hashes of every five words in a row of `body`, each once, ascending; of fewer words one, or none."""
    codes = np.fromiter(map(zlib.crc32, _words(body)), np.uint64)
    if 0 < len(codes) < SHINGLE:
        codes = np.concatenate([codes, np.zeros(SHINGLE - len(codes), np.uint64)])
    count = max(len(codes) - SHINGLE + 1, 0)
    total = np.zeros(count, np.uint64)
    for place, factor in enumerate(_PLACES):
        total += codes[place : place + count] * factor
    return np.unique(_mixed(total))


def _words(body: str) -> list[bytes]:
    """Return the runs of letters and digits in UTF-8; in bytes, because a pattern takes thrice as long to find them."""
    text = body.lower()
    if not text.isascii():
        text = _SIGN.sub(" ", text)
    return text.encode("utf-8", "replace").translate(_APART).split()


def _mixed(values: Words64) -> Words64:
    """Return the values with every bit depending on every bit (the finalizer of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def signature(body: str) -> bytes:
    """Return 16 bits of the least of the text's shingles in each of 24 orders: 48 bytes."""
    found = shingles(body)
    least = np.full(HASHES, np.iinfo(np.uint64).max, np.uint64)
    for start in range(0, len(found), CHUNK):
        least = np.minimum(least, (found[start : start + CHUNK] * _FACTORS).min(axis=1))
    return least.astype("<u2").tobytes()  # the low bits: those above say how many shingles there are


def unpack_signatures(packed: bytes) -> Signatures:
    """Return signatures that were put one after the other, a row each."""
    return np.frombuffer(packed, "<u2").reshape(-1, HASHES)


def nominated(signatures: Signatures, new: NDArray[np.bool_]) -> Pairs:
    """Return the pairs of rows that share a band, of which one at least is `new`, each once.

    In a band that many share, a row is paired with the `NEAREST` on either side in the order of their signatures; of
    all its pairs a new row keeps `MOST`.
    """
    size = max(len(signatures), 1)
    columns = np.ascontiguousarray(signatures.T)
    found = [np.empty(0, np.int64)]
    for first in range(HASHES):
        for reach in range(1, BAND_REACH + 1):
            order = [(first + step) % HASHES for step in (0, reach, reach + 1, reach + 2)]
            found.append(_sharing([columns[place] for place in order], new))
    codes = np.unique(np.concatenate(found))
    pairs = np.stack([codes // size, codes % size], axis=1)
    return pairs[_most_alike(signatures, pairs, new)]


def _most_alike(signatures: Signatures, pairs: Pairs, new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pairs are among the `MOST` of a new row, by how many hashes agree."""
    agreeing = np.zeros(len(pairs), np.int64)
    for column in signatures.T:
        agreeing += column[pairs[:, 0]] == column[pairs[:, 1]]
    keep = np.zeros(len(pairs), np.bool_)
    for rows in pairs.T:
        order = np.lexsort((-agreeing, rows))
        ordered = rows[order]
        place = np.arange(len(rows)) - np.searchsorted(ordered, ordered)
        keep[order] |= new[ordered] & (place < MOST)
    return keep


def _sharing(columns: Sequence[NDArray[np.uint16]], new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the pairs, as lower * n + higher, that have the same in the first two of these four columns."""
    bands = (columns[0].astype(np.uint32) << np.uint32(16)) | columns[1]
    wanted = np.unique(bands[new])
    at = np.minimum(np.searchsorted(wanted, bands), max(len(wanted) - 1, 0))
    rows = np.flatnonzero(wanted[at] == bands) if len(wanted) else np.empty(0, np.int64)
    rows = rows[np.lexsort((columns[3][rows], columns[2][rows], bands[rows]))]
    found = [np.empty(0, np.int64)]
    for away in range(1, min(NEAREST, max(len(rows) - 1, 0)) + 1):
        one, other = rows[:-away], rows[away:]
        same = bands[one] == bands[other]
        if not same.any():
            break
        same &= new[one] | new[other]
        found.append(np.minimum(one, other)[same] * len(new) + np.maximum(one, other)[same])
    return np.concatenate(found)


def overlap(one: Words64, other: Words64) -> float:
    """Return how many of the smaller text's shingles stand in the other one too, as a share."""
    return shared(one, other) / max(min(len(one), len(other)), 1)


def shared(one: Words64, other: Words64) -> int:
    """Return how many shingles two texts share."""
    small, large = sorted((one, other), key=len)
    at = np.minimum(np.searchsorted(large, small), max(len(large) - 1, 0))
    return int((large[at] == small).sum())


def are_copies(one: Words64, other: Words64) -> bool:
    """Return whether, going by their shingles, one text is taken from the other, or both from a third.

    A text without words is no copy of any.
    """
    common = shared(one, other)
    least, most = sorted((len(one), len(other)))
    needed = float(np.interp(least, SIZES, NEEDED))
    return common > 0 and common >= needed * least and (least >= NOTICE or common >= AS_LONG * most)
