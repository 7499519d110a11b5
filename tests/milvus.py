"""A Milvus server of the tests' own, thrown away at the end: its C++ core, as the package milvus-lite has it."""

import importlib.util
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MISSING = "Milvus is not installed: pip install -r requirements-milvus.txt milvus-lite==2.5.1"
START_SECONDS = 20


class MilvusServer:
    """A server at work, which keeps what it holds in `folder`."""

    def __init__(self, folder: Path) -> None:
        core = importlib.util.find_spec("milvus_lite")
        if core is None or core.origin is None or importlib.util.find_spec("pymilvus") is None:
            pytest.skip(MISSING)
        self._folder = folder
        self._programs = Path(core.origin).parent / "lib"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "milvus", self._folder / "milvus.db", f"127.0.0.1:{self.port}", "ERROR"],
                env={**os.environ, "LD_LIBRARY_PATH": str(self._programs), "RUST_LOG": "error"},
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
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


@contextmanager
def running() -> Iterator[MilvusServer]:
    """Run a server in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="backfile-milvus-") as name:
        server = MilvusServer(Path(name))
        try:
            yield server
        finally:
            server.stop()
