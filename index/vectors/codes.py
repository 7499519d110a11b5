"""Codes: a vector in a sixth of its kept size, scanned to nominate what is then scored exactly. Imports faiss.

Each three components of a vector are replaced by the nearest of sixteen triples, learned from the segment's own
vectors (a product quantiser: Jégou et al. 2011), four bits each; FAISS adds up what a query makes of these sixteen in
processor registers (fast scan: André et al. 2015). Of a million passages, the thousand that seem best hold .995 of the
ten that are, two thousand .999. One-bit RaBitQ takes twice the time and nominates worse; of lists to probe (IVF) half
would have to be probed.

Invariant: codes are a function of the vectors alone, so the same segment has the same codes whenever it is made.
"""

from pathlib import Path

import faiss
import numpy as np

from index.engine import Floats, Ints, Vector, Vectors
from index.errors import GenerationDamaged

COMPONENTS = 3  # that share a code; with 4 a million passages are scanned in .86 of the time, and .98 of the ten found
BITS = 4  # a code: what fast scan takes


class Codes:
    """The codes of one segment. Safe to use from several threads once they are made."""

    def __init__(self, index: "faiss.IndexPQFastScan") -> None:
        """Take FAISS's index of them."""
        self._index = index

    def best(self, vector: Vector, *, depth: int) -> tuple[Ints, Floats]:
        """Return the rows of the `depth` vectors that seem nearest to `vector`, and the cosines they seem to have."""
        cosines, rows = self._index.search(_padded(vector[None]), depth)
        return rows[0], cosines[0].astype(np.float64)

    def add(self, vectors: Vectors) -> None:
        """Add the codes of these vectors."""
        self._index.add(_padded(vectors))

    def write(self, path: Path) -> None:
        """Write them to a file."""
        faiss.write_index(self._index, str(path))


def learned(sample: Vectors) -> Codes:
    """Return codes learned from these vectors; they hold none yet."""
    padded = _padded(sample)
    index = faiss.IndexPQFastScan(padded.shape[1], padded.shape[1] // COMPONENTS, BITS, faiss.METRIC_INNER_PRODUCT)
    index.pq.cp.min_points_per_centroid = 1  # or FAISS writes on standard error how many it would have liked
    index.train(padded)
    return Codes(index)


def read(path: Path, *, rows: int, dimension: int) -> Codes:
    """Return the codes in a file. Raises GenerationDamaged when they are not those of so many such vectors."""
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise GenerationDamaged(f"{path}: {error}: run `flask reindex`") from error
    expected = (rows, dimension + -dimension % COMPONENTS, faiss.METRIC_INNER_PRODUCT)
    if not isinstance(index, faiss.IndexPQFastScan) or (index.ntotal, index.d, index.metric_type) != expected:
        raise GenerationDamaged(f"{path}: vectors and codes do not match: run `flask reindex`")
    return Codes(index)


def _padded(vectors: Vectors) -> Vectors:
    """Return the vectors with zeros up to a whole number of codes, which change no inner product."""
    rest = -vectors.shape[1] % COMPONENTS
    return np.pad(vectors.astype(np.float32, copy=False), [(0, 0), (0, rest)])
