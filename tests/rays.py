"""A Ray cluster of two nodes on this machine's loopback, in a process of its own, which ends with whoever started it.

Run as a program it starts one, writes its address, and loses the second node when it reads a line.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from index.ray_embedding import RemoteModel, Worker

MISSING = "Ray is not installed: pip install -r requirements-ray.txt"
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # else Ray takes 127.0.0.1 for this machine's name on the network
PAUSE = 0.3  # seconds before each block, so that there is one in flight when a node is lost
HERE = Path(__file__).resolve().parent
STORE = 100 << 20  # bytes of memory for blocks, the least that Ray takes: a node would take a third of the machine's


class Counting(Worker):
    """Notes in a file beside the models how many texts it is about to embed, whether it comes to that or not."""

    def __init__(self, model: RemoteModel) -> None:
        super().__init__(model)
        self._notes = model.cache / "embedded"

    def __call__(self, table: Any) -> Any:  # noqa: ANN401 as its parent does
        with self._notes.open("a") as notes:
            notes.write(f"{len(table)}\n")
        time.sleep(PAUSE)
        return super().__call__(table)


def counted(cache: Path) -> list[int]:
    """Return how many texts each block had that was begun, once or twice."""
    return [int(line) for line in (cache / "embedded").read_text().splitlines()]


class Cluster:
    """A cluster at work, and its address."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Wait until it stands."""
        self._process = process
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()
        assert self.address, "the cluster did not start: run this file as a program to see why"

    def lose_a_node(self) -> None:
        """Kill every process of the second node."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == "lost"


@contextmanager
def running(*, home: Path | None = None, store: int = STORE) -> Iterator[Cluster]:
    """Run a cluster whose processes take `home` for their home, where they look for models that are converted."""
    if find_spec("ray") is None:
        pytest.skip(MISSING)
    path = os.pathsep.join([str(HERE), str(HERE.parent)])  # nodes find what counts
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the path of a socket has 107 characters at most
        (Path(folder) / "ray").mkdir()
        settings = (
            os.environ | LOOPBACK | {"PYTHONPATH": path, "TMPDIR": folder} | ({"HOME": str(home)} if home else {})
        )
        with subprocess.Popen(
            [sys.executable, __file__, str(store)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=settings,
            text=True,
        ) as process:
            yield Cluster(process)  # leaving closes its standard input


def serve(store: int) -> None:
    """Start the nodes; end them when standard input does."""
    from ray.cluster_utils import Cluster as Nodes

    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": store}
    quick = {"health_check_period_ms": 1000, "health_check_failure_threshold": 3}  # of what does not answer at all
    nodes = Nodes(initialize_head=True, head_node_args={**node, "include_dashboard": False, "_system_config": quick})
    other = nodes.add_node(**node)
    print(nodes.address, flush=True)
    if sys.stdin.readline():
        nodes.remove_node(other, allow_graceful=False)
        print("lost", flush=True)
        sys.stdin.read()
    nodes.shutdown()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
