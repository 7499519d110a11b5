"""Milvus servers of the tests' own, thrown away at the end: the C++ core, of milvus-lite 2.5, and the current 3.x.

A real cluster is tried where `BACKFILE_TEST_MILVUS` names one (http://host:19530); collections of the tests are left
there for whoever runs it to drop.
"""

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MISSING = "Milvus is not installed: pip install -r requirements-milvus.txt milvus-lite==2.5.1"
MISSING_3 = "milvus-lite 3 is not installed: make setup-dev"
NO_CLUSTER = "BACKFILE_TEST_MILVUS names no cluster"
PROGRAM_3 = (
    Path(sys.prefix) / "milvus3" / "bin" / "milvus-lite"
)  # in an environment of its own: the package is the same
START_SECONDS = 20


class MilvusServer:
    """A server at work, which keeps what it holds in `folder`."""

    def __init__(self, folder: Path, *, address: str = "127.0.0.1") -> None:
        self._folder, self._address = folder, address
        self._command = self._found()
        with socket.create_server((address, 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    def _found(self) -> Callable[[], tuple[list[object], dict[str, str]]]:
        """Return what gives the command that starts it, and its environment."""
        core = importlib.util.find_spec("milvus_lite")
        if core is None or core.origin is None or importlib.util.find_spec("pymilvus") is None:
            pytest.skip(MISSING)
        programs = Path(core.origin).parent / "lib"
        environment = {"LD_LIBRARY_PATH": str(programs), "RUST_LOG": "error"}
        return lambda: (
            [programs / "milvus", self._folder / "milvus.db", f"{self._address}:{self.port}", "ERROR"],
            environment,
        )

    @property
    def url(self) -> str:
        return f"http://{self._address}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command, environment = self._command()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                list(map(str, command)),
                env={**os.environ, **environment},
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection((self._address, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.kill()
        raise AssertionError((self._folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """End it as a lost machine would."""
        self._process.kill()
        self._process.wait()

    def wipe(self) -> None:
        """Lose everything."""
        (self._folder / "milvus.db").unlink()

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class CurrentServer(MilvusServer):
    """The 3.x, written anew in Python."""

    def _found(self) -> Callable[[], tuple[list[object], dict[str, str]]]:
        if not PROGRAM_3.exists():
            pytest.skip(MISSING_3)
        options = ["server", "--data-dir", self._folder / "data", "--host", self._address, "--port"]
        return lambda: ([PROGRAM_3, *options, self.port], {})


@contextmanager
def running(kind: type[MilvusServer] = MilvusServer, *, address: str = "127.0.0.1") -> Iterator[MilvusServer]:
    """Run a server in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="backfile-milvus-") as name:
        server = kind(Path(name), address=address)
        try:
            yield server
        finally:
            server.stop()
