"""One process at a time changes the archive's index; the lock goes with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import ArchiveBusy
from archive.syncing import make_folder

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


def is_held(path: Path) -> bool:
    """Return whether it is this process that holds the lock file at `path`."""
    return path.resolve() in _held
