"""LanceDB: IVF with HNSW and scalar quantisation, its native full-text index, merged by reciprocal rank fusion."""

from collections.abc import Iterator

import lancedb
import pyarrow as pa
from lancedb.index import FTS, HnswSq
from lancedb.query import MatchQuery
from lancedb.rerankers import RRFReranker

from benchmarks.peers.corpus import Corpus
from benchmarks.peers.embedding import QueryEmbedder
from benchmarks.peers.peer import Peer, first_of_each

BATCH = 10_000  # rows added at once
# Its documentation: Vector Index (IVF_HNSW_SQ for the best latency at high recall; one partition to a million rows),
# Full-Text Search (stemmed, folded, no stop words, no positions where no phrase is asked for) and Hybrid Search
# (`query_type="hybrid"` with RRFReranker, its default).


class Engine(Peer):
    """LanceDB's hybrid search, embedded in this process."""

    libraries = ("lancedb", "pyarrow", "sentence-transformers", "torch", "numpy")
    settings = "HnswSq(distance_type=cosine, num_partitions=1), FTS(English, stemmed), RRFReranker()"

    def build(self) -> None:
        """Write a table of passages, then make both indexes."""
        vectors = self.corpus.vectors
        schema = pa.schema(
            {"id": pa.string(), "article": pa.string(), "text": pa.string()}
            | {"vector": pa.list_(pa.float32(), vectors.shape[1])}
        )
        table = lancedb.connect(self.index).create_table("passages", schema=schema, data=_batches(self.corpus))
        table.create_index("vector", config=HnswSq(distance_type="cosine", num_partitions=1))
        table.create_index(
            "text", config=FTS(language="English", stem=True, remove_stop_words=True, with_position=False)
        )
        table.optimize()

    def open(self) -> None:
        """Open the table, and load the model."""
        self._table = lancedb.connect(self.index).open_table("passages")
        self._embedder = QueryEmbedder()

    def search(self, query: str, *, passages: int) -> list[str]:
        """Ask both indexes and merge them."""
        found = (
            self._table.search(query_type="hybrid")
            .vector(self._embedder.embed(query))
            .text(MatchQuery(query, "text"))
            .rerank(RRFReranker())
            .select(["article", "text"])
            .limit(passages)
            .to_arrow()
        )
        return first_of_each(found["article"].to_pylist())


def _batches(corpus: Corpus) -> Iterator[pa.RecordBatch]:
    vectors, rows = corpus.vectors, list(corpus.passages())
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        columns = [pa.array([row[name] for row in part]) for name in ("id", "article", "text")]
        flat = pa.array(vectors[start : start + len(part)].reshape(-1))
        columns.append(pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]))
        yield pa.record_batch(columns, names=["id", "article", "text", "vector"])
