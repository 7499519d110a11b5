"""A model run by OpenVINO: light to load, and several times torch's rate on a processor that multiplies bfloat16.

Bulk and queries have a compiled model each, made when it is first needed: bulk runs one inference on each core, a query
never waits behind those, and a process that only answers queries holds but the small one.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np

from index.embedder import ModelSource, checked
from index.engine import Vector, Vectors
from index.openvino_conversion import converted
from index.openvino_model import CompiledModel, cores
from index.packs import QUERY_STEP, Pack, packs, rounded, slices
from index.pieces import Pieces, PieceTable, WordPieces
from index.recent import Recent
from index.tokens import Tokenizer

PACK_TOKENS = 4_096  # tokens of one inference: 16 full passages; 2,048 and 8,192 measured 2 and 4% slower
SLICE_TEXTS = 32  # tokenised by one thread at a time
QUERY_THREADS = 2  # more are no quicker; beside the keyword leg the second gains nothing and costs nothing


class OpenVinoEmbedder:
    """A model run by OpenVINO."""

    def __init__(self, source: ModelSource, *, cache: Path) -> None:
        """Find the converted model, converting it first when `cache` has none. Raises ModelUnavailable."""
        self._conversion = converted(source, cache)
        self.name = source.name
        self.sha256 = source.sha256
        self.dimension = self._conversion.dimension
        self._tokenizer = Tokenizer(self._conversion.folder, limit=self._conversion.limit)
        self.max_tokens = self._tokenizer.room
        self._pieces = WordPieces(self._tokenizer.pieces, fold=self._tokenizer.fold)
        self._table = PieceTable(self._conversion.table) if self._conversion.table else None
        self._recent = Recent()
        self._lock = threading.Lock()
        self.queries: CompiledModel | None = None
        self.bulk: Bulk | None = None

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""
        return self._tokenizer.spans(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, in order; one text alone is taken for a query."""
        if len(texts) == 1:
            return self._recent.vector(texts[0], self._alone)[None]
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return checked(self._for_bulk().embed(texts))

    def pieces(self, words: Sequence[str]) -> Pieces | None:
        """Return the pieces of these words with a vector each; None when the vocabulary is too large."""
        if self._table is None:
            return None
        cut = self._pieces(words)
        kinds, rows = np.unique(np.fromiter(chain.from_iterable(cut), np.int64), return_inverse=True)
        return Pieces(
            words=np.repeat(np.arange(len(cut)), list(map(len, cut))), kinds=self._table.vectors(kinds), rows=rows
        )

    def _alone(self, text: str) -> Vector:
        tokens = self._tokenizer.ids([text])
        length = rounded(len(tokens[0]), limit=self._conversion.limit, step=QUERY_STEP)
        vector: Vector = checked(self._for_queries().infer(tokens, length=length))[0]
        return vector

    def _for_queries(self) -> CompiledModel:
        with self._lock:
            if self.queries is None:
                folder, weights = self._conversion.folder, self._conversion.queries
                threads = min(QUERY_THREADS, cores())
                self.queries = CompiledModel(folder, threads=threads, streams=1, weights=weights, alone=True)
            return self.queries

    def _for_bulk(self) -> "Bulk":
        with self._lock:
            if self.bulk is None:
                self.bulk = Bulk(self._conversion.folder, self._tokenizer, limit=self._conversion.limit)
            return self.bulk


class Bulk:
    """Many texts at once, on every core: first all are tokenised, then packs of about one length are run."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, *, limit: int) -> None:
        """Compile the model in `folder` for as many inferences at once as there are cores to run on."""
        self._model = CompiledModel(folder, threads=cores(), streams=cores())
        self._workers = ThreadPoolExecutor(cores(), thread_name_prefix="embedding")
        self._tokenizer = tokenizer
        self._limit = limit

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the model's row for each text, in order."""
        tokens = list(chain.from_iterable(self._workers.map(self._tokenizer.ids, slices(texts, SLICE_TEXTS))))
        planned = list(packs([len(text) for text in tokens], tokens=PACK_TOKENS, limit=self._limit))

        def run(pack: Pack) -> Vectors:
            return self._model.infer([tokens[number] for number in pack.texts], length=pack.length)

        rows = np.concatenate(list(self._workers.map(run, planned)))
        vectors = np.empty_like(rows)
        vectors[[number for pack in planned for number in pack.texts]] = rows
        return vectors
