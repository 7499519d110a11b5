"""One process at a time changes the archive's index; the lock goes with its process, however that ends.

A file is locked for those of one machine, and the database is asked where there are several.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.database import Database
from archive.errors import ArchiveBusy
from archive.syncing import make_folder

SHARED_FIRST, SHARED_SIZE = 0x40000000 + 2, 510  # the bytes of a database that SQLite locks for each connection

_held: set[Path] = set()  # by this process


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`. Raises ArchiveBusy, naming the process, when another one holds it."""
    make_folder(path.parent)
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ArchiveBusy(f"process {holder} is changing this archive: try again when it has ended") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _held.add(path.resolve())
        try:
            yield
        finally:
            _held.discard(path.resolve())


@contextmanager
def alone(path: Path, database: Database) -> Iterator[None]:
    """Hold the lock file at `path`, and among the machines that have this database the lock of its name.

    Raises ArchiveBusy, naming the process, when another one holds either.
    """
    with exclusive(path), database.alone(path.name):
        yield


def is_held(path: Path) -> bool:
    """Return whether it is this process that holds the lock file at `path`."""
    return path.resolve() in _held


def refuse_if_open(database: Path) -> None:
    """Raise ArchiveBusy while another process has this database open; this one must not, for it would lose its locks.

    Each connection holds a lock on certain bytes (https://sqlite.org/src/doc/trunk/src/os.h) as long as it is open.
    """
    if not database.exists():
        return
    with database.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError as error:
            raise ArchiveBusy(f"{database}: another process has it open: stop the server and try again") from error
