"""The archive's database in PostgreSQL (https://www.postgresql.org), for several machines.

Whoever writes holds one advisory lock until the end of the transaction, in whatever process and on whatever machine: so
transactions that write follow each other as they do in SQLite, and the numbers of the change log are committed in
order. A reader that has seen one has seen all before it. Writers wait for each other in the server and are not refused.

Invariants: what has been committed is on the server's disk (`synchronous_commit`), whatever the server's default. A
connection that broke is replaced; what only reads is then asked once more, and so is a transaction that has not begun.
What may have been written is never tried twice: that is an error.
"""

import hashlib
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import RawCursor, RawServerCursor, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import IntLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from archive.database import SCHEMA, Bindings, Connection, scripts
from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError, ContradictionError
from archive.postgres_connection import ADDRESS, PatientConnection, is_lost
from archive.postgres_counting import PostgresCounting

log = logging.getLogger(__name__)

LOCK = 0x6261636B66696C65  # the number of the writers' lock, in every database: "backfile"
LOCK_SECONDS = 30  # that a writer waits for another's transaction before giving up
REWRITE_SECONDS = 600  # that a table that is to be written anew is waited for, and readers for it
SESSION = {  # whatever the server's, the database's and the user's defaults are
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "client_min_messages": "warning",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
IDLE_SECONDS_WRITING = 60  # after which the server gives up a transaction whose writer asks for nothing more
POOL_SECONDS = 3  # that a statement waits for one
ALIVE_SECONDS = 2  # in which a connection that was idle must show that somebody is there
AWAY_SECONDS = 0.1  # that it waits where another has just waited in vain
GIVEN_UP = 2  # seconds after which the pool tries no more by itself, at ever longer intervals: whoever asks next does
MOST_CONNECTIONS = 40  # of one process: more than a server has threads
IDLE_SECONDS = 60  # after which one that nobody uses is closed
TOGETHER = 1_000  # rows of a long reading that come at once
FLUSH_RETRY_SECONDS = 0.05
_OLDEST = """
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - max(age(seen)) FROM (
        SELECT backend_xmin FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        UNION ALL SELECT backend_xid FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        UNION ALL SELECT xmin FROM pg_replication_slots
        UNION ALL SELECT transaction FROM pg_prepared_xacts
    ) others (seen)
"""
_HOLDER = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database() AND datid = database
    AND (classid::bigint << 32) + objid::bigint = $1 AND objsubid = 1
"""
_DAMAGE = (
    *(errors.DataCorrupted, errors.IndexCorrupted, errors.IoError, errors.UndefinedFile),
    *(psycopg.ProgrammingError, psycopg.InternalError, psycopg.NotSupportedError),
)
_BINDING = re.compile(r"('[^']*')|\?([0-9]*)")  # or a text, in which a question mark is none

_Client = psycopg.Connection[tuple[Any, ...]]


class PostgresDatabase:
    """The database at `url` (`postgresql://USER:PASSWORD@HOST/NAME`), which exists. Safe from threads and processes."""

    def __init__(self, url: str, *, noted: str | None = None) -> None:
        """Connect and bring the schema up to date. Raises ArchiveError when the server cannot be asked.

        With `noted`, a database that holds nothing yet has that key in `meta` from its first moment on.
        """
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # whose words may hold a password
            raise ArchiveError("this is no address of a PostgreSQL database: postgresql://user@host/name") from None
        self.url, self.name = url, _name(parts)
        self._address = address = make_conninfo(url, **ADDRESS)
        self._local = threading.local()
        self._writing = threading.RLock()
        self._failure = ""  # why the last connection was not made
        self._away_until = 0.0  # on the monotonic clock: whoever asks before is not to wait once more
        # Not by the pool, which would wait: whoever gives a wrong password is told so at once.
        with self._errors(), _Client.connect(address, autocommit=True, cursor_factory=RawCursor) as connection:
            _configure(connection)
            self._migrate(connection, noted)
        self._pool: ConnectionPool[PatientConnection] = ConnectionPool(
            address,
            connection_class=self._noting(),
            kwargs={"autocommit": True, "cursor_factory": RawCursor, "prepare_threshold": None},
            min_size=1,
            max_size=MOST_CONNECTIONS,
            max_idle=IDLE_SECONDS,
            timeout=POOL_SECONDS,
            reconnect_timeout=GIVEN_UP,
            configure=_configure,
            check=_check,
            open=True,
        )
        self.counting = PostgresCounting(address)

    def close(self) -> None:
        """Close every connection; it may be closed again."""
        self.counting.close()
        self._pool.close()

    def _noting(self) -> type[PatientConnection]:
        """Return a kind of connection that leaves here why it was not made: the pool only says that it has none."""

        class Noting(PatientConnection):
            @classmethod
            def connect(cls, *address: Any, **ways: Any) -> "Noting":  # noqa: ANN401 psycopg's own
                try:
                    return super().connect(*address, **ways)
                except psycopg.Error as error:
                    self._failure = _said(error)
                    raise

        return Noting

    @contextmanager
    def _connection(self) -> Iterator[_Client]:
        """Lend a connection, waiting for one a while: hardly any more where somebody has just waited in vain."""
        is_away = time.monotonic() < self._away_until
        try:
            with self._pool.connection(timeout=AWAY_SECONDS if is_away else POOL_SECONDS) as connection:
                yield connection
        except PoolTimeout:
            if not is_away:
                self._away_until = time.monotonic() + POOL_SECONDS
            raise

    def _migrate(self, connection: _Client, noted: str | None) -> None:
        with connection.transaction():
            _lock(connection)
            (encoding,) = _first(connection.execute("SHOW server_encoding"))
            if encoding != "UTF8":
                raise ArchiveError(f"{self.name}: its encoding is {encoding}: make it by createdb --encoding=UTF8")
            (is_there,) = _first(connection.execute("SELECT to_regclass('meta') IS NOT NULL"))
            row = connection.execute("SELECT value FROM meta WHERE key = $1", [SCHEMA]).fetchone() if is_there else None
            current = int(row[0]) if row else 0
            for number, script in scripts("schema/postgres", after=current, name=self.name):
                connection.execute(script.encode())
                connection.execute(
                    "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2", [SCHEMA, str(number)]
                )
            connection.execute("INSERT INTO meta VALUES ('uuid', $1) ON CONFLICT DO NOTHING", [str(uuid.uuid4())])
            if noted is not None and not current:
                connection.execute("INSERT INTO meta VALUES ($1, '')", [noted])

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection that writes, and that no other may write beside; see `archive.database`."""
        with self._writing, self._errors(), ExitStack() as left:
            yield _Writer(self._begun(left))

    def _begun(self, left: ExitStack) -> _Client:
        """Return a connection that may write until `left` is left; once more where it is lost before."""
        for is_last in (False, True):
            connection = None
            try:
                with ExitStack() as opened:
                    connection = opened.enter_context(self._connection())
                    opened.enter_context(connection.transaction())
                    _lock(connection)
                    limit = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS_WRITING}s'"
                    connection.execute(limit.encode())
                    left.push(opened.pop_all())
                    return connection
            except psycopg.OperationalError as error:
                if is_last or not is_lost(connection, error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let this thread read everything as it is now, whatever is written meanwhile."""
        with self._errors(), self._connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            self._local.snapshot = connection
            try:
                yield
            finally:
                self._local.snapshot = None

    def rows(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that only reads."""
        with self._errors():
            found = self._found(_native(sql), list(bindings))
        yield from found

    def _found(self, statement: bytes, bindings: list[Any]) -> list[tuple[Any, ...]]:
        """Ask, and once more where the connection is lost; not in a snapshot, which is lost with it."""
        with self._reading() as connection:
            try:
                return connection.execute(statement, bindings).fetchall()
            except psycopg.OperationalError as error:
                if self._snapshot is not None or not is_lost(connection, error):
                    raise
                connection.close()
        with self._reading() as connection:
            return connection.execute(statement, bindings).fetchall()

    def scan(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that reads a large part of the archive, some thousand at a time."""
        name = f"scan_{uuid.uuid4().hex}"
        with self._errors(), self._in_transaction() as connection, RawServerCursor(connection, name) as cursor:
            cursor.itersize = TOGETHER
            cursor.execute(_native(sql), list(bindings))
            yield from cursor

    @property
    def _snapshot(self) -> _Client | None:
        """The connection of this thread's snapshot."""
        snapshot: _Client | None = getattr(self._local, "snapshot", None)
        return snapshot

    @contextmanager
    def _reading(self) -> Iterator[_Client]:
        """Lend a connection for one statement: that of this thread's snapshot, which an error must not end, or any."""
        if (snapshot := self._snapshot) is not None:
            with snapshot.transaction():  # a savepoint
                yield snapshot
        else:
            with self._connection() as connection:
                yield connection

    @contextmanager
    def _in_transaction(self) -> Iterator[_Client]:
        """Lend a connection within a transaction: the snapshot's, or one of its own."""
        if (snapshot := self._snapshot) is not None:
            yield snapshot
        else:
            with self._connection() as connection, connection.transaction():
                yield connection

    def among(self, column: str, values: Sequence[str] | Sequence[int]) -> tuple[str, list[str] | list[int]]:
        """Return a condition with one binding, and that: the column has one of these values, however many."""
        return f"{column} = ANY (?)", list(values)  # type: ignore[return-value]  # one of the two, as the values are

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in their order."""
        named = "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped"
        return [str(name) for (name,) in self.rows(f"{named} ORDER BY attnum", (table,))]

    def disk_bytes(self) -> int:
        """Return how many bytes of disk the database takes on its server."""
        return int(next(self.rows("SELECT pg_database_size(current_database())"))[0])

    def last_number(self, table: str, column: str) -> int:
        """Return the highest number that a row of a table ever had, 0 for none."""
        (sequence,) = next(self.rows("SELECT pg_get_serial_sequence(?, ?)", (table, column)))
        (given,) = next(self.rows(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))
        (highest,) = next(self.rows(f"SELECT coalesce(max({column}), 0) FROM {table}"))
        return max(int(given), int(highest))

    def number_on(self, connection: Connection, table: str, column: str, *, after: int) -> None:
        """Give no further row of a table, whose rows may have come with numbers of their own, one up to this."""
        if after:
            sequence = f"pg_get_serial_sequence('{table}', '{column}')"
            connection.execute(f"SELECT setval({sequence}, greatest(?, nextval({sequence}) - 1))", (after,))

    def version_by_index(self, version_id: int) -> tuple[str, int] | None:  # noqa: ARG002 as every database has it
        """Return None: what holds a row is the server's business."""
        return None

    def copy_to(self, target: Path, progress: Callable[[int, int], None]) -> None:  # noqa: ARG002 as every one has it
        """Raise ArchiveError: the server is backed up by its own means."""
        raise ArchiveError(f"{self.name}: back it up by pg_dump or by what the server is backed up with")

    def flush(self, *, seconds: float) -> bool:
        """Wait until nobody can see what was overwritten before now; return whether that was so in time."""
        deadline = time.monotonic() + seconds
        with self._errors(), self._connection() as connection:
            (now,) = _first(connection.execute("SELECT pg_current_xact_id()::text::bigint"))
            while True:
                (oldest,) = _first(connection.execute(_OLDEST))
                if oldest is None or int(oldest) > int(now):
                    return True
                if time.monotonic() > deadline:
                    return False
                time.sleep(FLUSH_RETRY_SECONDS)

    def rewrite(self) -> None:
        """Write all tables anew, so that nothing is left in what they do not use. Nobody reads one meanwhile."""
        with self._errors(), self._connection() as connection:
            try:
                connection.execute(f"SET lock_timeout = '{REWRITE_SECONDS}s'".encode())
                connection.execute("VACUUM FULL")
            finally:
                connection.close()  # and the pool makes another, with the timeout that others want

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold an advisory lock of this name, by a connection of its own: the server lets go of it when that ends."""
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
        signed = f"backfile {name}: process {os.getpid()} of {os.uname().nodename}"
        with self._errors():
            holder = _Client.connect(self._address, autocommit=True, cursor_factory=RawCursor, application_name=signed)
        try:
            with self._errors():
                holder.execute("SET idle_session_timeout = 0")  # it says nothing for as long as the work takes
                (is_held,) = _first(holder.execute("SELECT pg_try_advisory_lock($1)", [number]))
                if not is_held:
                    row = holder.execute(_HOLDER, [number]).fetchone()
                    other = row[0].rpartition(": ")[2] if row else "another process"
                    raise ArchiveBusy(f"{other} is at work on this archive: try again when it has ended")
            yield
            if _is_cut(holder):
                log.warning("the connection that kept others from %s was lost: another machine may have begun", name)
        finally:
            holder.close()

    keeps_overwritten = True

    def files(self) -> list[Path]:
        """Return none: they are the server's."""
        return []

    def checks(self) -> Iterable[Callable[[], Iterator[str]]]:
        """Return nothing: the server looks after its files, by its checksums if `initdb` was told so."""
        return ()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Tell what goes wrong in the server, or on the way there, as an error of the archive."""
        try:
            yield
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise ArchiveBusy(f"{self.name}: another process is writing: try again when it has ended") from error
        except psycopg.IntegrityError as error:
            raise ContradictionError(f"{self.name}: {_said(error)}") from error
        except (psycopg.DataError, UnicodeEncodeError) as error:
            raise ArchiveError(f"{self.name}: this cannot be kept: {_said(error)}") from error
        except errors.DiskFull as error:
            raise ArchiveError(f"{self.name}: the server's disk is full: free some space and try again") from error
        except errors.InsufficientPrivilege as error:
            raise ArchiveError(
                f"{self.name}: {_said(error)}: this user needs to own the database, or its tables with all rights"
            ) from error
        except PoolTimeout as error:
            why = f": {self._failure}" if self._failure else ", all connections to it are in use"
            raise ArchiveError(f"{self.name}: the database cannot be reached{why}") from error
        except errors.ReadOnlySqlTransaction as error:
            raise ArchiveError(f"{self.name}: this server may only be read: give the one that is written to") from error
        except _DAMAGE as error:
            raise ArchiveDamaged(f"{self.name}: {_said(error)}: run `flask check`") from error
        except psycopg.Error as error:
            raise ArchiveError(f"{self.name}: the database cannot be reached: {_said(error)}") from error


class _Writer:
    """A connection within its transaction, as `archive.database` has it."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self._changed = 0

    def execute(self, sql: str, bindings: Bindings = (), /) -> RawCursor[tuple[Any, ...]]:
        """Run one statement."""
        cursor: RawCursor[tuple[Any, ...]] = self._client.execute(_native(sql), list(bindings))  # type: ignore[assignment]
        self._changed = cursor.rowcount
        return cursor

    def executemany(self, sql: str, rows: Iterable[Bindings], /) -> None:
        """Run one statement once for each row of bindings."""
        with self._client.cursor() as cursor:
            cursor.executemany(_native(sql), [list(row) for row in rows])
            self._changed = cursor.rowcount

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        return self._changed


def _configure(connection: _Client) -> None:
    connection.adapters.register_loader("numeric", IntLoader)  # sums of whole numbers; no column holds another
    for name, value in {**SESSION, "lock_timeout": f"{LOCK_SECONDS}s"}.items():
        connection.execute("SELECT set_config($1, $2, false)", [name, value])


def _check(connection: PatientConnection) -> None:
    """Raise an error of psycopg's where nobody is at the other end."""
    connection.patience = ALIVE_SECONDS
    ConnectionPool.check_connection(connection)
    connection.patience = None


def _is_cut(connection: _Client) -> bool:
    """Tell whether a connection is one no more."""
    try:
        connection.execute("")
    except psycopg.Error:
        return True
    return False


def _lock(connection: _Client) -> None:
    connection.execute("SELECT pg_advisory_xact_lock($1)", [LOCK])


def _first(cursor: psycopg.Cursor[tuple[Any, ...]]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    if row is None:
        raise RuntimeError("a statement that always gives a row gave none")
    return row


@lru_cache(maxsize=1024)
def _native(sql: str) -> bytes:
    """Return a statement with its bindings written as PostgreSQL wants them, `$1` and so on."""
    places = iter(range(1, sql.count("?") + 1))
    return _BINDING.sub(lambda found: found[1] or f"${found[2] or next(places)}", sql).encode()


def _name(parts: dict[str, Any]) -> str:
    """Return an address without its password, as messages name it and a setting can have it."""
    user = f"{quote(parts['user'], safe='')}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    shown = {name: value for name, value in parts.items() if name not in {"user", "password", "host", "port", "dbname"}}
    others = f"?{urlencode(shown)}" if shown and not any("pass" in name for name in shown) else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{quote(parts.get('dbname', ''), safe='')}{others}"


def _said(error: Exception) -> str:
    """Return what went wrong, without the row it went wrong with."""
    diagnosed = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((diagnosed or str(error)).split())
