"""The SQLite that keeps the archive: one without the WAL-reset defect, and with a checksum on every page.

SQLite's checksum VFS (https://sqlite.org/cksumvfs.html), which comes with apsw, keeps eight bytes at the end of each
page and looks at them whenever a page is read, from the database or from its write-ahead log: what a disk has lost is
an error there, whatever table or index the page is of, and is never taken for what was written.

Invariant: a connection for which `verifies` is true gets no page that differs from its checksum.
"""

import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from io import SEEK_SET, BufferedReader, RawIOBase
from pathlib import Path

import apsw
import apsw.sqlite_extra
import numpy as np
from numpy.typing import NDArray

from archive.errors import ArchiveError

FIXED = (3, 51, 3)  # the first without the defect (https://sqlite.org/wal.html#walresetbug)
EXTENSION = "cksumvfs"
SYSTEM = "unix"  # SQLite's way to the files themselves
CHECKSUM = 8  # bytes at the end of a page
PAGE_SIZE = slice(16, 18)  # where a database's header says how large its pages are: 1 means 65,536
SMALLEST_PAGE, LARGEST_PAGE = 1 << 9, 1 << 16
AT_ONCE = 4096  # pages that are looked at together
LOOKS = 3  # again, at pages that may be in the middle of being written
PAUSE = 0.01  # seconds between them
UNREADABLE = b"?"  # begins what stands for a page that the disk does not give: no checksum is that of it
STEP = 1000  # pages copied between two reports of progress

_registering = threading.Lock()
_registered: list[apsw.Connection] = []


def prepare() -> None:
    """Have this process open databases with checksums. Raises ArchiveError for an SQLite that is not to be trusted."""
    version = apsw.sqlite_lib_version()
    advice = (
        "install the apsw that brings its own: pip install --force-reinstall --only-binary apsw -r requirements.txt"
    )
    if tuple(int(part) for part in version.split(".")[:3]) < FIXED:
        raise ArchiveError(f"SQLite {version} can lose what was committed (its WAL-reset defect): {advice}")
    with _registering:
        if _registered:
            return
        connection = apsw.Connection(":memory:")
        try:
            apsw.sqlite_extra.load(connection, EXTENSION)
        except (apsw.Error, apsw.sqlite_extra.NotAvailable, LookupError) as error:
            raise ArchiveError(f"this apsw has no {EXTENSION}, which guards the archive's pages: {advice}") from error
        _registered.append(connection)  # what it has loaded stays


def keep_checksums(connection: apsw.Connection) -> None:
    """Give every page its checksum: at once in a database that is empty, else by writing all of it anew."""
    connection.reserve_bytes(None, CHECKSUM)
    if connection.pragma("page_count"):
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # only the file itself says that there are any


def verifies(connection: apsw.Connection) -> bool:
    """Tell whether the pages that this connection reads are compared with their checksums."""
    connection.pragma("user_version")  # reads the first page, which says whether there are any
    return str(connection.pragma("checksum_verification")) == "1"


def copy(source: apsw.Connection, target: Path, progress: Callable[[int, int], None]) -> None:
    """Write what `source`, in a transaction that has read something, sees into a new file, page by page.

    A page that differs from its checksum ends it with an error.
    """
    connection = apsw.Connection(str(target))
    try:
        with connection.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(STEP)
                progress(backup.page_count - backup.remaining, backup.page_count)
    finally:
        connection.close()


class _Raw(RawIOBase):
    """A database's file as SQLite reads it."""

    def __init__(self, path: Path) -> None:
        self._file = apsw.VFSFile(SYSTEM, str(path), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0])
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._place = offset if whence == SEEK_SET else self._place + offset
        return self._place

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        size = min(len(buffer), max(0, self._file.xFileSize() - self._place))
        content = self._file.xRead(size, self._place) if size else b""
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._file.xClose()
        super().close()


def opened(path: Path) -> BufferedReader:
    """Return a database's file, to be read while this process has it open: closing it otherwise would end all locks."""
    prepare()
    return BufferedReader(_Raw(path))


def damaged_pages(path: Path) -> list[int]:
    """Return the numbers, from 1, of the pages in the file that differ from their checksums, also of unused ones.

    It is read by way of SQLite: opened and closed by anybody else, the file would lose the locks of this process.
    """
    file = apsw.VFSFile(SYSTEM, str(path), [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0])
    try:
        size = int.from_bytes(file.xRead(SMALLEST_PAGE, 0)[PAGE_SIZE], "big")
        size = LARGEST_PAGE if size == 1 else size
        if size < SMALLEST_PAGE or size & (size - 1):
            return [1]
        pages = range(file.xFileSize() // size)
        damaged = [
            first + int(place)
            for first in pages[::AT_ONCE]
            for place in np.flatnonzero(_differ(_read(file, first, min(AT_ONCE, len(pages) - first), size), size))
        ]
        for _ in range(LOOKS if damaged else 0):  # somebody may have been writing one just then
            time.sleep(PAUSE)
            damaged = [number for number in damaged if _differ(_read(file, number, 1, size), size)[0]]
    finally:
        file.xClose()
    return [number + 1 for number in damaged]


def used_by(path: Path, pages: Collection[int]) -> dict[int, str]:
    """Return of these pages which table or index each belongs to, as far as that can be told."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found: dict[int, str] = {}
    with suppress(apsw.Error):  # as far as it goes
        connection.pragma("user_version")
        connection.pragma("checksum_verification", "off")
        for name, page in connection.execute("SELECT name, pageno FROM dbstat"):
            if page in pages:
                found[int(str(page))] = str(name)
    connection.close()
    return found


def _read(file: apsw.VFSFile, first: int, pages: int, size: int) -> bytes:
    try:
        return file.xRead(pages * size, first * size)
    except apsw.IOError:  # cut short meanwhile, so what was there is no damage; or the disk cannot read it
        if pages == 1:
            return UNREADABLE.ljust(size, b"\0") if first * size < file.xFileSize() else bytes(size)
        return b"".join(_read(file, number, 1, size) for number in range(first, first + pages))


def _differ(content: bytes, size: int) -> NDArray[np.bool_]:
    """Return of each page whether it differs from its checksum: two sums over its numbers of 32 bits, two by two."""
    numbers = np.frombuffer(content, "<u4").reshape(-1, size // 4)
    columns = np.ascontiguousarray(numbers.T)
    first = np.zeros(len(numbers), np.uint32)
    second = np.zeros(len(numbers), np.uint32)
    for place in range(0, len(columns) - CHECKSUM // 4, 2):
        first += columns[place] + second
        second += columns[place + 1] + first
    different: NDArray[np.bool_] = (first != columns[-2]) | (second != columns[-1])
    return different
