"""The servers that are compared, as their documentation says to run them: ours by gunicorn, txtai's by uvicorn.

Invariant: a server is a process group of its own, which ends with the context it was started in.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote_plus
from urllib.request import urlopen

from benchmarks.measure import resident_bytes, unshared_bytes
from benchmarks.peers.talk import ENVIRONMENT, PEERS, ROOT

PATIENCE = 180.0  # seconds until a server that does not answer is given up
GLANCE = 0.005  # seconds between two looks whether it answers


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started, and asked. `settings` says, for the report, how it is set up."""

    name: str
    command: Sequence[str]
    path: str  # a query is appended to it
    settings: str
    environment: dict[str, str] = field(default_factory=dict)


def ours(data: Path, *, workers: int = 1) -> Server:
    """Return our server over a data folder."""
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--workers", str(workers), "--bind", "127.0.0.1:{port}"]
    name = "ours" if workers == 1 else f"ours, {workers} workers"
    return Server(name, command, "/api/search?q=", "gunicorn.conf.py as it comes", {"BACKFILE_DATA": str(data)})


def txtai(corpus: Path) -> Server | None:
    """Return txtai's server over its index of the same articles, None where it has not been built."""
    index = corpus / "index" / "txtai"
    if not PEERS.exists() or not (index / "build.json").exists():
        return None
    settings = index / "server.yml"
    settings.write_text(f"path: {index / 'txtai'}\nwritable: false\nembeddings:\n  hybrid: true\n  content: true\n")
    command = [str(PEERS), "-m", "uvicorn", "txtai.api:app", "--port", "{port}", "--log-level", "warning"]
    return Server("txtai", command, "/search?limit=10&query=", "uvicorn txtai.api:app", {"CONFIG": str(settings)})


@dataclass(frozen=True, slots=True)
class Running:
    """A server that has answered. `cold` is the seconds from its start to its first answer."""

    server: Server
    address: str
    process: "subprocess.Popen[bytes]"
    cold: float

    @property
    def prefix(self) -> str:
        """Return what a query is appended to."""
        return self.address + self.server.path

    def memory(self) -> tuple[int, int]:
        """Return the resident and the unshared bytes of its largest process: of one worker, not of what starts it."""
        return max((resident_bytes(pid), unshared_bytes(pid)) for pid in family(self.process.pid))

    def load(self, queries: Sequence[str], *, clients: int) -> dict[str, Any]:
        """Ask all the queries with so many clients, in a process of its own, and return what `load.py` tells."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            file.write("".join(f"{query}\n" for query in queries))
            file.flush()
            command = [sys.executable, "-m", "benchmarks.load", self.prefix, file.name, "--clients", str(clients)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        return told


@contextmanager
def running(server: Server, *, first: str) -> Iterator[Running]:
    """Start a server and ask it `first` until it answers. Raises RuntimeError when it does not."""
    port = _free_port()
    command = [part.format(port=port) for part in server.command]
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **server.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while not _answers(address + server.path + quote_plus(first)):
            if process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise RuntimeError(f"{server.name} does not answer: {' '.join(command)}")
            time.sleep(GLANCE)
        yield Running(server, address, process, time.perf_counter() - started)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=PATIENCE) as answer:
            return bool(json.load(answer))
    except HTTPError as error:
        raise RuntimeError(f"{url}: {error}") from error
    except (URLError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """Return a process and all that it and its children started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        children = (task / "children").read_text().split() if (task / "children").exists() else []
        for child in children:
            found += family(int(child))
    return found
