"""Bulk embedding on the nodes of a Ray cluster, by Ray Data: the one file that imports ray and pyarrow.

Only this process reads and writes the archive. It hands texts out a window at a time, in blocks that lie in memory, and
gives embeddings back as blocks come; a node opens the model by how it is referred to, and embeds by the very code that
this process has, which Ray takes there.

Invariant: nothing is embedded on a node whose model has another identity. What came back is not asked for again, so
what is embedded twice is what was in flight on a node that was lost: `IN_FLIGHT` blocks for each model opened there.
Ray gives those to the nodes that are left. Where it fails, or finds no room for them, the round is given up, and what
has not come back is handed out once more, to the nodes that there are then.
"""

import fcntl
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from index.embedder import Embedder, Runtime, open_embedder
from index.embeddings import BATCH_PASSAGES, Packed, Text, batches, packed_by
from index.errors import ClusterUnavailable, ModelMismatch, ModelUnavailable, SearchError

AUTO = "auto"  # the cluster that this machine is a node of
CACHE = Path("~/.cache/backfile/models")  # on each node: models converted for OpenVINO
IN_FLIGHT = 2  # blocks a model has: one at work, one that waits, so that it never waits itself
BLOCKS = 256  # of a window, for each model that is opened: that takes seconds, they take minutes without a GPU
MOST_BLOCKS = 512  # of a window: some 700 MB of texts
SHARE = 0.01  # of a processor is asked for: what had a node to itself is to find room on one of those that are left
REACHED_WITHIN = 5.0  # seconds for a port to answer; Ray itself would try for minutes
LOOK = 1.0  # seconds between two looks at which nodes there are, while nothing comes
PATIENCE = 60.0  # seconds in which nothing comes after a node was lost: Ray takes 15 to notice, and models open slowly
MOST_FAILURES = 3  # rounds one after the other that brought nothing
PACKAGES = [str(Path(__file__).resolve().parents[1] / name) for name in ("archive", "index")]
INSTALL = "pip install -r requirements-ray.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """A model as nodes open it, and the identity that it must have there."""

    reference: str
    sha256: str
    runtime: Runtime
    cache: Path = CACHE


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What a cluster has that a model can be opened on."""

    nodes: int  # with processors
    gpus: int
    threads: int  # on the smallest node

    @property
    def models(self) -> int:
        """How many are opened: one for each GPU, and where there is none, one for all processors of each node.

        Beside a GPU, the processors of a node without one would do a fiftieth of the work.
        """
        return self.gpus or self.nodes


class RoundFailed(Exception):
    """Not everything that was handed out has come back."""


class Worker:
    """The model, open on a node: what Ray Data makes an actor of."""

    def __init__(self, model: RemoteModel) -> None:
        """Open the model. If it cannot be used, what comes back says so: an error Ray would take for a lost process."""
        import ray

        self._embedder: Embedder | None = None
        self._problem = ""
        try:
            self._embedder = opened(model, has_gpu=bool(ray.get_gpu_ids()))
        except SearchError as error:
            self._problem = f"node {ray.util.get_node_ip_address()}: {error}"

    def __call__(self, table: Any) -> Any:  # noqa: ANN401 tables of pyarrow
        """Return hashes and packed embeddings for hashes and texts, or in their place what the problem is."""
        import pyarrow as pa

        if self._embedder is None:
            return pa.table({"problem": [self._problem]})
        made = packed_by(self._embedder, list(zip(table["hash"].to_pylist(), table["text"].to_pylist(), strict=True)))
        return pa.table({"hash": [text_hash for text_hash, _ in made], "packed": [packed for _, packed in made]})


class RayEmbedding:
    """Embeds on the nodes of the cluster at `address`: "auto", or host:port of its head."""

    def __init__(
        self, address: str, model: RemoteModel, *, block: int = BATCH_PASSAGES, worker: type[Worker] = Worker
    ) -> None:
        """Have such workers embed by this model, so many texts a block."""
        self._address = address
        self._model = model
        self._block = block
        self._worker = worker

    def look(self) -> str:
        """Return in words what the cluster has. Raises ClusterUnavailable when it cannot be used."""
        with connected(self._address) as ray:
            found = places(ray.nodes(), runtime=self._model.runtime)
        return f"embedding on Ray at {self._address}: nodes {found.nodes}, GPUs {found.gpus}"

    def __call__(self, texts: Iterator[Text]) -> Generator[list[Packed], None, None]:
        """Yield the embeddings of each block as it comes. Raises ClusterUnavailable when none come any more."""
        for first in texts:
            left, failures = dict([first]), 0
            while left:
                has_come = False
                try:
                    for made in self._round(left, texts):
                        has_come = True
                        yield made
                except RoundFailed as error:
                    failures = 0 if has_come else failures + 1
                    if failures == MOST_FAILURES:
                        raise ClusterUnavailable(f"Ray brought nothing {failures} times in a row: {error}") from error

    def _round(self, left: dict[bytes, str], more: Iterator[Text]) -> Iterator[list[Packed]]:
        """Hand out what is left, and as much more as a window holds. What comes back is no longer left."""
        with connected(self._address) as ray:
            found = places(ray.nodes(), runtime=self._model.runtime)
            window = self._block * min(BLOCKS * found.models, MOST_BLOCKS)
            left.update(islice(more, max(0, window - len(left))))
            for came in arriving(ray, self._dataset(ray, found, left)):
                yield [pair for pair in packed_of(came) if left.pop(pair[0], None) is not None]
        if left:
            raise RoundFailed(f"{len(left)} passages did not come back")

    def _dataset(self, ray: Any, found: Places, texts: Mapping[bytes, str]) -> Any:  # noqa: ANN401 no types
        """Return the embeddings of these texts, as Ray Data is to make them."""
        import pyarrow as pa

        blocks = [
            pa.table({"hash": [text_hash for text_hash, _ in block], "text": [text for _, text in block]})
            for block in batches(texts.items(), self._block)
        ]
        return ray.data.from_arrow(blocks).map_batches(
            self._worker,
            fn_constructor_kwargs={"model": self._model},
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(
                size=min(found.models, len(blocks)), max_tasks_in_flight_per_actor=IN_FLIGHT
            ),
            num_cpus=SHARE,
            num_gpus=1 if found.gpus else 0,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": str(found.threads)}},  # else Ray sets it to one
        )


def places(nodes: list[dict[str, Any]], *, runtime: Runtime) -> Places:
    """Return what there is on nodes as Ray describes them. Raises ClusterUnavailable when that is nothing."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    threads = [int(each["CPU"]) for each in resources if each.get("CPU", 0) >= 1]
    gpus = 0 if runtime == "openvino" else sum(int(each.get("GPU", 0)) for each in resources)
    found = Places(nodes=len(threads), gpus=gpus, threads=min(threads, default=1))
    if not found.models:
        raise ClusterUnavailable("no node of Ray offers a processor or a GPU: see `ray status`")
    return found


def opened(model: RemoteModel, *, has_gpu: bool) -> Embedder:
    """Return the model, on the GPU if this process has one. Raises ModelUnavailable, and ModelMismatch for another."""
    cache = model.cache.expanduser()
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two actors that came to one node do not convert it both
        embedder = open_embedder(model.reference, runtime="torch" if has_gpu else model.runtime, cache=cache)
    if embedder.sha256 != model.sha256:
        raise ModelMismatch(
            f"{model.reference} has weights of SHA-256 {embedder.sha256[:12]}… there and {model.sha256[:12]}… here:"
            " put the same model on every node"
        )
    return embedder


def packed_of(came: Any) -> list[Packed]:  # noqa: ANN401 a table of pyarrow
    """Return the embeddings of a block. Raises ModelUnavailable when a node had no use of its model."""
    if "problem" in came.column_names:
        raise ModelUnavailable(came["problem"][0].as_py())
    return list(zip(came["hash"].to_pylist(), came["packed"].to_pylist(), strict=True))


def arriving(ray: Any, dataset: Any, *, patience: float = PATIENCE) -> Iterator[Any]:  # noqa: ANN401 the libraries have no types
    """Yield the blocks of a dataset as they come. Raises RoundFailed when Ray fails, or waits for what was lost."""
    came: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_pump, args=(dataset, came), name="ray-blocks", daemon=True).start()
    there, heard = _living(ray), time.monotonic()
    while True:
        try:
            block = came.get(timeout=min(LOOK, patience))
        except Empty:
            if time.monotonic() - heard > patience and not there <= _living(ray):
                raise RoundFailed("a node was lost, and nothing came since") from None
            continue
        if block is None:
            return
        if isinstance(block, Exception):
            raise RoundFailed(_lines(block)[-1]) from block  # of a traceback from a node, what was raised there
        heard = time.monotonic()
        yield block


def _pump(dataset: Any, out: "SimpleQueue[Any]") -> None:  # noqa: ANN401 the library has no types
    """Put the blocks that come into `out`, then None, or what went wrong."""
    try:
        for block in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            out.put(block)
        out.put(None)
    except Exception as error:  # whatever it is, the thread that waits is told
        out.put(error)


def _living(ray: Any) -> set[str]:  # noqa: ANN401 the library has no types
    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Lend the library ray, connected to this cluster; what it would say on standard output is not said.

    Raises ClusterUnavailable, saying what to do.
    """
    ray = _library()
    if address != AUTO:
        _reach(address)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        joined(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


def joined(ray: Any, address: str) -> None:  # noqa: ANN401 the library has no types
    """Connect the library to this cluster. Raises ClusterUnavailable."""
    with _sigterm_kept(), _silent():
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, runtime_env={"py_modules": PACKAGES})
        except (ConnectionError, RuntimeError, ValueError) as error:
            ray.shutdown()
            raise ClusterUnavailable(_advice(address, error)) from error


def _library() -> Any:  # noqa: ANN401 the library has no types
    try:
        import ray
        import ray.data
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise ClusterUnavailable(f"Ray is not installed ({_lines(error)[0]}): `{INSTALL}`") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    return ray


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED_WITHIN).close()
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(
            f"no Ray answers at {address} ({_lines(error)[0]}): give HOST:PORT of its head, as `ray start` printed it"
        ) from error


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Let SIGTERM do what it did: Ray would end the process at once."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # elsewhere Ray has changed nothing
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep from standard error what Ray's own half writes there, which no logger can stop."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _advice(address: str, error: Exception) -> str:
    reason = _lines(error)[0]
    if address == AUTO and "RAY_ADDRESS" in reason:  # it names that variable when it has found nothing
        return "no Ray runs on this machine: start it by `ray start`, or give its address"
    return (
        f"Ray at {address} cannot be used ({reason}): every node needs the same Python, the same token of Ray, and"
        f" `{INSTALL}`"
    )


def _lines(error: Exception) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
