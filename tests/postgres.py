"""A PostgreSQL server of the tests' own, from the machine's packages, thrown away at the end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

MISSING = "PostgreSQL is not installed: apt-get install postgresql"
SYSTEM = "postgres"  # whom Debian's package makes: the server refuses to run as root
SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=200")


def programs() -> Path | None:
    """Return the folder of the server's programs, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if found:
        return found[-1]
    there = shutil.which("pg_ctl")
    return Path(there).parent if there else None


class Server:
    """A server at work in `folder`; `settings` are those of postgresql.conf, over the ones for speed.

    It is asked at `address`.
    """

    def __init__(self, folder: Path, *, settings: tuple[str, ...] = (), address: str = "127.0.0.1") -> None:
        bin_ = programs()
        if bin_ is None:
            pytest.skip(MISSING)
        self._bin, self._folder = bin_, folder
        self._user = SYSTEM if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._numbers = count(1)
        self.address = address
        self._settings = (*SETTINGS, f"listen_addresses={address}", *settings)
        with socket.create_server((address, 0)) as free:
            self.port = free.getsockname()[1]
        if os.geteuid() == 0:
            shutil.chown(folder, SYSTEM, SYSTEM)
        self._run("initdb", "-D", folder / "data", "-U", "backfile", "-A", "trust", "-E", "UTF8", "--locale=C",
                  "--no-sync", "--data-checksums")  # fmt: skip
        with (folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all samenet trust\n")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = " ".join(f"-c {each}" for each in self._settings)
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-l", self._folder / "log",
                  "-o", f"-p {self.port} -k {self._folder} {options}", "start")  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: at once, as a crash would, unless `mode` says otherwise."""
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-m", mode, "stop")

    def new(self) -> str:
        """Return the address of a new, empty database."""
        name = f"archive_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        return self.url(name)

    def holds(self, words: bytes) -> bool:
        """Return whether the words stand in a file of a table or an index."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        files = (self._folder / "data" / "base").rglob("*")
        return any(words in file.read_bytes() for file in files if file.is_file())

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://backfile@{self.address}:{self.port}/{database}"

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self._bin / program, *map(str, arguments)],
            user=self._user if os.geteuid() == 0 else None,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,  # the server keeps it open
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, f"{program}: {done.stderr}"


@contextmanager
def running(*, settings: tuple[str, ...] = (), address: str = "127.0.0.1") -> Iterator[Server]:
    """Run a server in a folder of its own, which anybody may pass through."""
    with tempfile.TemporaryDirectory(prefix="backfile-postgres-") as name:
        server = Server(Path(name), settings=settings, address=address)
        try:
            yield server
        finally:
            server.stop()
