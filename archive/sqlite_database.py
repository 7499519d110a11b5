"""The archive's database as one file of SQLite.

Invariants: what has been committed is on the disk (WAL with `synchronous=FULL`); readers never wait for a writer. Which
SQLite this is, and that it notices what a disk has lost, is `archive.sqlite`'s business.
"""

import json
import logging
import shutil
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import apsw

from archive import sqlite, wal
from archive.database import Bindings, Connection, scripts
from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError, ContradictionError
from archive.syncing import make_folder
from archive.upgrade import packed_embedding, packed_passages, packed_text

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 30_000  # a writer waits this long for another's transaction before giving up
CACHE_KIB = 1024  # pages a connection keeps; each thread has one, and the system keeps the file's pages for all
BUSY_RETRY_SECONDS = 0.01
LEAST_FREE = 1 << 16  # bytes: a disk that has less is full; one step of SQLite's shared memory is half of it
PACKED_SCHEMA = 2  # what is older leaves much space behind when it is brought to this
CHECKSUM_SCHEMA = 13  # from here on every page has its checksum
FRAMES = 1000  # of the write-ahead log, a page each: from so many on they are written into the database
RESTORE = "restore it from a backup"
BLOCK = 512  # bytes; the unit of `st_blocks`, whatever the file system's own
NOT_AS_WRITTEN = "differs from its checksum"

WRITER_PRAGMAS: dict[str, str | int] = {
    "synchronous": "full",
    "foreign_keys": 1,
    "secure_delete": 1,
}
# SQLError too: every statement is a constant here, so one that SQLite does not understand means another schema.
DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.SQLError)


class SqliteDatabase:
    """The file at `path`, made when it is not there. Safe to use from several threads and processes."""

    def __init__(self, path: Path, *, noted: str | None = None) -> None:
        """Open it and bring its schema up to date. Raises ArchiveDamaged when that is impossible.

        With `noted`, a database that holds nothing yet has that key in `meta` from its first moment on.
        """
        self.path = path
        self.name = str(path)
        self._wal = path.with_name(f"{path.name}-wal")
        self._written = 0  # frames of the write-ahead log that have been looked at, to be written into the database
        self._writing = threading.RLock()
        self._local = threading.local()
        # A thread's connection lives as long as the thread: a server that starts one per request keeps none open.
        self._readers: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        sqlite.prepare()
        try:
            make_folder(path.parent)
            if lost := wal.lost(self._wal):
                raise ArchiveDamaged(f"{self._wal}: {lost}: run `flask check --repair` to go on without that")
            self._writer = self._connect(apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)
            self._migrate(noted)
        except (apsw.Error, OSError) as error:
            if self._is_out_of_space(error):
                raise self._full() from error
            raise ArchiveDamaged(f"{path}: cannot open the archive: {error}") from error

    def close(self) -> None:
        """Close every connection; it may be closed again.

        The last one to close writes the write-ahead log into the database: not when that log is damaged.
        """
        if not self._log_is_whole():
            log.error("%s is damaged and stays as it is: run `flask check`", self._wal)
            self._writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        for connection in (*self._readers, self._writer):
            connection.close()

    def _log_is_whole(self, *, after: int = 0) -> bool:
        """Tell whether the write-ahead log holds, behind so many frames, what was written; others may be writing."""
        for _ in range(wal.LOOKS):
            try:
                frames = next(iter(self._writer.execute("PRAGMA wal_checkpoint(NOOP)")))[1]
                if wal.read(self._wal, after=after).holds(frames - after):
                    return True
            except apsw.ConnectionClosedError:  # that is when it was looked at
                return True
            except (apsw.CorruptError, apsw.NotADBError):
                return False
            except (apsw.Error, OSError):  # a disk that fails once has lost nothing yet
                pass
            time.sleep(wal.PAUSE)
        return False

    def _checkpoint(self, connection: apsw.Connection, _: str, frames: int) -> int:
        """Write the log into the database when it has grown; what it lost gets no new checksum there."""
        if frames < self._written:  # it was begun anew
            self._written = 0
        if frames - self._written >= FRAMES:
            if not self._log_is_whole(after=self._written):
                raise ArchiveDamaged(f"{self._wal} is damaged: stop what writes, and run `flask check`")
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._written = frames
        return apsw.SQLITE_OK

    def _connect(self, flags: int) -> apsw.Connection:
        connection = self._opened(flags)
        if not sqlite.verifies(connection):  # another process has given every page its checksum meanwhile
            connection.close()
            connection = self._opened(flags)
        if not sqlite.verifies(connection):
            raise apsw.CorruptError("its header is damaged: restore it from a backup")
        return connection

    def _opened(self, flags: int) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), flags=flags)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        connection.pragma("cache_size", -CACHE_KIB)
        if flags & apsw.SQLITE_OPEN_READWRITE:
            self._keep_checksums(connection)
            self._use_wal(connection)
            connection.set_wal_hook(self._checkpoint)
            for pragma, value in WRITER_PRAGMAS.items():
                connection.pragma(pragma, value)
            connection.create_scalar_function("packed_text", packed_text, 1)
            connection.create_scalar_function("packed_embedding", packed_embedding, 2)
            connection.create_aggregate_function("packed_passages", packed_passages, 3)
        return connection

    def _keep_checksums(self, connection: apsw.Connection) -> None:
        """See to it that every page has a checksum: in a new archive, or one from before pages had any."""
        if connection.pragma("user_version") < CHECKSUM_SCHEMA and not sqlite.verifies(connection):
            sqlite.keep_checksums(connection)

    def _use_wal(self, connection: apsw.Connection) -> None:
        """Turn the file to WAL, waiting for whoever is doing just that.

        SQLite does not wait there by itself: two connections to a new file hold what each other needs, and it refuses
        one of them at once, whatever its busy timeout (https://sqlite.org/c3ref/busy_handler.html).
        """
        deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        while True:
            try:
                connection.pragma("journal_mode", "wal")
            except apsw.BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(BUSY_RETRY_SECONDS)
            else:
                return

    def _migrate(self, noted: str | None) -> None:
        with self.transaction() as connection:
            current = connection.pragma("user_version")
            for number, script in scripts("schema", after=current, name=self.name):
                connection.execute(script)
                connection.pragma("user_version", number)
            connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('uuid', ?)", (str(uuid.uuid4()),))
            if noted is not None and not current:
                connection.execute("INSERT INTO meta (key, value) VALUES (?, '')", (noted,))
        if 0 < current < PACKED_SCHEMA:
            self._give_back()

    def _give_back(self) -> None:
        """Shorten the files by what an upgrade has left empty; where that cannot be, new articles will fill it."""
        with suppress(apsw.Error):  # the upgrade is done, whatever becomes of this
            self._writer.execute("VACUUM")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Lend the one connection that writes; see `archive.database`."""
        with self._writing, self._errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")  # when this fails, the transaction is still open
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rows(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that only reads."""
        with self._errors():
            yield from self._reader().execute(sql, bindings)

    def scan(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement as SQLite finds them, which is what `rows` does."""
        return self.rows(sql, bindings)

    def _reader(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "reader", None)
        if connection is None:
            connection = self._connect(apsw.SQLITE_OPEN_READONLY)
            self._local.reader = connection
            self._readers.add(connection)
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Tell what goes wrong in SQLite, on the disk, or in a row, as an error of the archive."""
        try:
            yield
        except apsw.BusyError as error:
            raise ArchiveBusy(f"{self.path}: another process is writing: try again when it has ended") from error
        except apsw.ConstraintError as error:
            raise ContradictionError(f"{self.path}: {error}") from error
        except apsw.FullError as error:
            raise self._full() from error
        except (*DAMAGE, UnicodeDecodeError) as error:
            if self._is_out_of_space(error):
                raise self._full() from error
            raise ArchiveDamaged(f"{self.path}: {error}: run `flask check`") from error

    def _full(self) -> ArchiveError:
        return ArchiveError(f"{self.path}: the disk is full: free some space and try again")

    def _is_out_of_space(self, error: Exception) -> bool:
        """Tell whether SQLite means a full disk: of a shared-memory file that cannot grow it says "disk I/O error"."""
        if isinstance(error, apsw.FullError):
            return True
        if not isinstance(error, (apsw.IOError, apsw.CantOpenError)):
            return False
        try:
            return shutil.disk_usage(self.path.parent).free < LEAST_FREE
        except OSError:
            return False

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let this thread read the archive as it is now, whatever is written meanwhile."""
        with self._errors():
            self._reader().execute("BEGIN")
        try:
            yield
        finally:
            self._reader().execute("ROLLBACK")

    def among(self, column: str, values: Sequence[str] | Sequence[int]) -> tuple[str, str]:
        """Return a condition with one binding, and that: the column has one of these values, however many."""
        return f"{column} IN (SELECT value FROM json_each(?))", json.dumps(list(values))

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in their order."""
        return [name for (name,) in self.rows("SELECT name FROM pragma_table_info(?) ORDER BY cid", (table,))]

    def disk_bytes(self) -> int:
        """Return how many bytes of disk the file takes, with those beside it."""
        found = 0
        for file in self.files():
            with suppress(FileNotFoundError):  # not there yet, or not any more
                found += file.stat().st_blocks * BLOCK
        return found

    counting = None

    def alone(self, name: str) -> AbstractContextManager[None]:  # noqa: ARG002 as every database has it
        """Return a context that asks nobody: there is one machine."""
        return nullcontext()

    def files(self) -> list[Path]:
        """Return the file, its log, the one by which processes know of each other, and the log of a database of old."""
        return [self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]

    keeps_overwritten = False  # but in a file from before it was overwritten with zeros

    def last_number(self, table: str, column: str) -> int:
        """Return the highest number that a row of a table ever had, 0 for none."""
        counted = next(self.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)), (0,))[0]
        (highest,) = next(self.rows(f"SELECT coalesce(max({column}), 0) FROM {table}"))
        return max(int(counted), int(highest))

    def number_on(self, connection: Connection, table: str, column: str, *, after: int) -> None:  # noqa: ARG002 as every database has it
        """Give no further row of a table one up to this; where SQLite goes by the rows that are there, it does so."""
        counts = "SELECT 1 FROM sqlite_schema WHERE name = ? AND sql LIKE '%AUTOINCREMENT%'"
        if connection.execute(counts, (table,)).fetchone() is None:
            return
        connection.execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2 AND seq < ?1", (after, table))
        if connection.execute("SELECT 1 FROM sqlite_sequence WHERE name = ?", (table,)).fetchone() is None:
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, after))

    def version_by_index(self, version_id: int) -> tuple[str, int] | None:
        """Return the article and number of a version whose own row cannot be read, by an index that holds them."""
        way = "INDEXED BY sqlite_autoindex_version_1 WHERE +version_id = ?"
        return next(self.rows(f"SELECT article_id, version FROM version {way}", (version_id,)), None)

    def checks(self) -> Iterable[Callable[[], Iterator[str]]]:
        """Return what looks for damage in the file, in its log, and in how the one fits together."""
        return (self._check_pages, self._check_log, self._check_structure)

    def copy_to(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Write the database, as this thread's snapshot sees it, into a new file; `progress` is told pages.

        Raises ArchiveDamaged for a page that differs from its checksum, ArchiveError where there is no room for it.
        """
        try:
            sqlite.copy(self._reader(), target, progress)
        except apsw.FullError as error:
            raise ArchiveError(f"{target}: the disk is full: make room there") from error
        except apsw.Error as error:
            raise ArchiveDamaged(f"{self.path}: it cannot be copied: {error}: run `flask check`") from error

    def flush(self, *, seconds: float) -> bool:
        """Write the write-ahead log into the database and cut it to nothing; return whether readers let it in time."""
        deadline = time.monotonic() + seconds
        with self._writing, self._errors():
            while True:
                try:
                    busy, *_ = next(iter(self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")))
                except apsw.BusyError:
                    busy = 1
                if not busy or time.monotonic() > deadline:
                    return not busy
                time.sleep(BUSY_RETRY_SECONDS)

    def rewrite(self) -> None:
        """Write the database anew, so that nothing is left in what its file does not use."""
        with self._writing, self._errors():
            self._writer.execute("VACUUM")

    def _check_pages(self) -> Iterator[str]:
        damaged = sqlite.damaged_pages(self.path)
        users = sqlite.used_by(self.path, damaged) if damaged else {}
        for page in damaged:
            used = (
                f"page {page} of the database, of {users[page]}," if page in users else f"page {page} of the database"
            )
            yield f"{used} {NOT_AS_WRITTEN}: run `flask check --repair`, which says if it needs a backup"

    def _check_log(self) -> Iterator[str]:
        if not self._log_is_whole():
            yield f"{self._wal}: it is damaged: {RESTORE}, or run `flask check --repair` to go on without what it lost"

    def _check_structure(self) -> Iterator[str]:
        for (said,) in self.rows("PRAGMA integrity_check(20)"):
            if said != "ok":
                yield f"database: {' '.join(said.split())}: run `flask check --repair`"
        yield from (f"database: broken reference {row}" for row in self.rows("PRAGMA foreign_key_check"))


def settle_copy(path: Path, *, has_index: bool) -> None:
    """Make a copy of a database whole without a log, pointing to the one generation beside it or to none."""
    connection = apsw.Connection(str(path))
    try:
        generation = "generation" if has_index else "NULL"
        connection.execute(f"UPDATE pointer SET generation = {generation}, previous = NULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
