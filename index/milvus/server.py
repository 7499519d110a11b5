"""Milvus, asked over the network; the only file that imports its client.

Invariant: nothing that Milvus or the network does leaves here as another exception than `EngineAway`.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from index.errors import EngineAway
from index.milvus.filters import ALL, EVERYTHING, Filter, among, both, quoted
from index.milvus.rows import MOST_KEY, MOST_NAME, MOST_NAMES, MOST_TERMS, MOST_TEXT, Row, article_of

if TYPE_CHECKING:
    from pymilvus import MilvusClient

log = logging.getLogger(__name__)

ASKING_SECONDS = 3.0  # that a reader's question may take
PROBE_SECONDS = 0.5  # from one look whether a server that gave no answer is back to the next
WRITING_SECONDS = 60.0  # that a batch of rows may take, and what concerns a collection
KEEPALIVE = {"grpc.keepalive_time_ms": 60_000, "grpc.keepalive_permit_without_calls": False}  # servers mind more
NOT_THERE = (1, 2)  # codes: not ready yet, not available; the client's own for a connection that was not made is 2
MOST_FOUND = 16_384  # rows of one answer: a limit of Milvus
WRITTEN_AT_ONCE = 500  # rows: some 3 MB, of the 64 MB that a message may have
DELETED_AT_ONCE = 500  # articles
K1, B = 1.2, 0.75  # as `index.keywords.scoring` has them: what nominates should be near to what orders
ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Found:
    """A row that was found, and how near it is."""

    article: str
    pk: str
    score: float
    row: Mapping[str, Any]  # the columns that were asked for


class Milvus:
    """One server or cluster. Connects when it is first asked something; safe to use from several threads."""

    def __init__(self, address: str, token: str = "") -> None:
        """Ask at this address (http://host:19530), as user:password where the server wants one."""
        self._address = address
        self._token = token
        self._connected: MilvusClient | None = None
        self._lock = threading.Lock()  # of all below
        self._prober: threading.Thread | None = None  # looks whether it is back
        self._returned = 0
        self._closed = threading.Event()

    @property
    def is_away(self) -> bool:
        """Whether it gave no answer, and none since."""
        return self._prober is not None

    @property
    def returned(self) -> int:
        """How often it came back."""
        return self._returned

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"Milvus at {self._address}"

    def create(self, collection: str, *, dimension: int, exact: bool) -> None:
        """Make an empty collection, in place of any of this name; `exact`: every vector is looked at in a search."""
        with self._asked() as client:
            from pymilvus import DataType, Function, FunctionType

            client.drop_collection(collection, timeout=WRITING_SECONDS)
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("pk", DataType.VARCHAR, max_length=MOST_KEY, is_primary=True)
            schema.add_field("article", DataType.VARCHAR, max_length=ID_LENGTH)
            for name in ("published", "version", "start", "end"):
                schema.add_field(name, DataType.INT64)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
            schema.add_field("words", DataType.VARCHAR, max_length=MOST_TEXT)
            words = {"tokenizer": "standard"}  # every version has it; terms hold nothing that it would part
            schema.add_field(
                "text", DataType.VARCHAR, max_length=MOST_TEXT, enable_analyzer=True, analyzer_params=words
            )
            schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
            for name, most in (("terms", MOST_TERMS), ("names", MOST_NAMES)):
                schema.add_field(
                    name, DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=most, max_length=MOST_NAME
                )
            schema.add_function(
                Function(
                    name="bm25",
                    function_type=FunctionType.BM25,
                    input_field_names=["text"],
                    output_field_names=["sparse"],
                )
            )
            indexes = client.prepare_index_params()
            indexes.add_index("vector", index_type="FLAT" if exact else "AUTOINDEX", metric_type="IP")
            indexes.add_index(
                "sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B}
            )
            client.create_collection(
                collection,
                schema=schema,
                index_params=indexes,
                consistency_level="Strong",
                timeout=WRITING_SECONDS,
            )

    def collections(self) -> list[str]:
        """Return the names of all collections."""
        with self._asked() as client:
            return list(client.list_collections(timeout=ASKING_SECONDS))

    def drop(self, collection: str) -> None:
        """Delete a collection, if it is there."""
        with self._asked() as client:
            client.drop_collection(collection, timeout=WRITING_SECONDS)

    def load(self, collection: str) -> bool:
        """Make a collection ready to be searched; return whether it is there."""
        with self._asked() as client:
            if not client.has_collection(collection, timeout=ASKING_SECONDS):
                return False
            client.load_collection(collection, timeout=WRITING_SECONDS)
            return True

    def put(self, collection: str, rows: Sequence[Row]) -> None:
        """Write rows in place of those with the same pk."""
        with self._asked() as client:
            for start in range(0, len(rows), WRITTEN_AT_ONCE):
                client.upsert(collection, list(rows[start : start + WRITTEN_AT_ONCE]), timeout=WRITING_SECONDS)

    def delete(self, collection: str, article_ids: Sequence[str], *, but: Sequence[str] = ()) -> None:
        """Delete every row of these articles, but those with some pks."""
        kept = Filter(f"pk not in {quoted(list(but))}") if but else ALL
        with self._asked() as client:
            for start in range(0, len(article_ids), DELETED_AT_ONCE):
                some = both([among("article", article_ids[start : start + DELETED_AT_ONCE]), kept])
                client.delete(collection, filter=some.expression, timeout=WRITING_SECONDS)

    def flush(self, collection: str) -> None:
        """Have all that was written kept by the storage behind the server."""
        with self._asked() as client:
            client.flush(collection, timeout=WRITING_SECONDS)

    def best_by_words(self, collection: str, terms: Sequence[str], within: Filter, *, limit: int) -> list[Found]:
        """Return the best rows by BM25, best first."""
        return self._search(collection, "sparse", " ".join(terms), within, limit=limit, columns=())

    def nearest(
        self, collection: str, vector: Sequence[float], within: Filter, *, limit: int, columns: Sequence[str] = ()
    ) -> list[Found]:
        """Return the rows whose vectors are nearest, nearest first."""
        return self._search(collection, "vector", list(vector), within, limit=limit, columns=columns)

    def _search(
        self, collection: str, field: str, data: object, within: Filter, *, limit: int, columns: Sequence[str]
    ) -> list[Found]:
        with self._read() as client:
            (hits,) = client.search(
                collection,
                data=[data],
                anns_field=field,
                filter=within.expression,
                limit=min(limit, MOST_FOUND),
                output_fields=list(columns),
                timeout=ASKING_SECONDS,
            )
            return [Found(article_of(hit.id), hit.id, hit.distance, hit["entity"]) for hit in hits]

    def rows(self, collection: str, within: Filter, *, columns: Sequence[str], limit: int = MOST_FOUND) -> list[Row]:
        """Return rows, in no order."""
        with self._read() as client:
            return list(
                client.query(
                    collection,
                    filter=within.expression,
                    output_fields=list(columns),
                    limit=limit,
                    timeout=ASKING_SECONDS,
                )
            )

    def scan(self, collection: str, within: Filter, *, columns: Sequence[str]) -> Iterator[Row]:
        """Yield all rows, however many, in no order."""
        with self._read() as client:
            found = client.query_iterator(
                collection,
                batch_size=MOST_FOUND // 4,
                filter=within.expression,
                output_fields=list(columns),
                timeout=ASKING_SECONDS,
            )
            try:
                while batch := found.next():
                    yield from batch
            finally:
                found.close()

    def count(self, collection: str, within: Filter) -> int:
        """Return how many rows there are."""
        with self._read() as client:
            (row,) = client.query(
                collection,
                filter="" if within.expression == EVERYTHING else within.expression,
                output_fields=["count(*)"],
                timeout=ASKING_SECONDS,
            )
            return int(row["count(*)"])

    def close(self) -> None:
        """Let go of the connection."""
        self._closed.set()
        if self._connected is not None:
            self._connected.close()

    @contextmanager
    def _asked(self) -> "Iterator[MilvusClient]":
        """Give the client. Raises EngineAway for whatever goes wrong meanwhile."""
        try:
            import grpc
            from pymilvus import MilvusException
        except ImportError as error:
            raise EngineAway("pymilvus is not installed: `pip install -r requirements-milvus.txt`") from error
        try:
            yield self._client()
        except (grpc.RpcError, grpc.FutureTimeoutError, OSError) as error:
            self._probe()
            raise EngineAway(f"{self.name} gives no answer: {_said(error)}") from error
        except (MilvusException, ValueError) as error:
            code = getattr(error, "code", None)
            if isinstance(code, grpc.StatusCode) or code in NOT_THERE:
                self._probe()  # what Milvus refuses otherwise is refused to this question alone
            raise EngineAway(f"{self.name} gives no answer: {_said(error)}") from error

    @contextmanager
    def _read(self) -> "Iterator[MilvusClient]":
        """Give the client to a reader, who does not wait for a server that is known to be away."""
        if self.is_away:
            raise EngineAway(f"{self.name} gives no answer")
        with self._asked() as client:
            yield client

    def _probe(self) -> None:
        """Look, beside the requests, whether the server is back."""
        with self._lock:
            if self._prober is None and not self._closed.is_set():
                self._prober = threading.Thread(target=self._wait_for_it, name="is Milvus back", daemon=True)
                self._prober.start()

    def _wait_for_it(self) -> None:
        while not self._closed.wait(PROBE_SECONDS):
            try:
                self._client().list_collections(timeout=ASKING_SECONDS)
            except Exception as error:  # whatever it is, it is not back
                log.debug("%s is not back: %s", self.name, error)
            else:
                break
        with self._lock:
            self._prober = None
            self._returned += 1

    def _client(self) -> "MilvusClient":
        if self._connected is None:
            from pymilvus import MilvusClient

            logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs each error that it raises, with a trace
            self._connected = MilvusClient(
                uri=self._address, token=self._token, timeout=ASKING_SECONDS, grpc_options=KEEPALIVE
            )
        return self._connected


def _said(error: Exception) -> str:
    """Return what is wrong in one line."""
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    return " ".join(str(message).split())[:300]
