"""What all machines count together in PostgreSQL: the moment at which each bucket of a name is full again.

Invariants: asking is one statement over connections of its own, for which nobody writes to the archive or waits for who
does. It takes no longer than `SECONDS`, whatever the server does, or is an error: then nothing may have been counted.
"""

from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg_pool import ConnectionPool

from archive.errors import ArchiveError
from archive.postgres_connection import PatientConnection

SECONDS = 0.25  # that a connection is waited for, and an answer of it
MOST_CONNECTIONS = 4  # of one process; each is needed for a fraction of a millisecond
IDLE_SECONDS = 60  # after which one that nobody uses is closed
GIVEN_UP = 2  # seconds after which the pool tries no more by itself to connect

# `missing` is how many seconds a bucket needs to be full. One that is full, or that would need longer than any does, is
# taken from as if it had never been. `excluded.full_at` is `now + cost`. No row comes back of one that is refused.
_TAKE = """
    WITH clock (now) AS MATERIALIZED (SELECT extract(epoch FROM clock_timestamp())::float8),
    taken AS (
        INSERT INTO rate (name, full_at) SELECT $1::bytea, now + $2::float8 FROM clock
        ON CONFLICT (name) DO UPDATE SET full_at = CASE
            WHEN rate.full_at + $2 > excluded.full_at AND rate.full_at + $2 <= excluded.full_at + $3::float8
            THEN rate.full_at + $2 ELSE excluded.full_at END
        WHERE rate.full_at + $2 + $2 <= excluded.full_at + $3 OR rate.full_at + $2 > excluded.full_at + $3
        RETURNING full_at
    )
    SELECT true, full_at - now FROM taken, clock
    UNION ALL
    SELECT false, full_at - now FROM rate, clock WHERE name = $1 AND NOT EXISTS (SELECT FROM taken)
"""
_FORGET = """
    DELETE FROM rate WHERE name IN (
        SELECT name FROM rate WHERE full_at < extract(epoch FROM clock_timestamp()) FOR UPDATE SKIP LOCKED
    )
"""


class PostgresCounting:
    """Buckets in the database at `address`, which is not connected with before the first question.

    Safe to use from several threads.
    """

    def __init__(self, address: str) -> None:
        """Nothing is asked yet."""
        self._pool: ConnectionPool[PatientConnection] = ConnectionPool(
            address,
            connection_class=PatientConnection,
            kwargs={
                "autocommit": True,
                "cursor_factory": RawCursor,
                "prepare_threshold": None,
                "connect_timeout": 2,  # the least there is
            },
            min_size=0,
            max_size=MOST_CONNECTIONS,
            max_idle=IDLE_SECONDS,
            timeout=SECONDS,
            reconnect_timeout=GIVEN_UP,
            configure=_be_brief,
            open=False,
        )

    def take(self, name: bytes, *, cost: float, most: float) -> tuple[bool, float]:
        """Put off the moment at which a bucket is full by `cost` seconds, unless it would be more than `most` away.

        Return whether that was done, and how many seconds away it is. Raises ArchiveError when nobody can tell.
        """
        rows = self._ask(_TAKE, [name, cost, most])
        was_taken, missing = rows[0] if rows else (False, most)  # another took the last of a new one a moment ago
        return was_taken, missing

    def forget(self) -> None:
        """Forget the buckets that are full. Raises ArchiveError."""
        self._ask(_FORGET, [])

    def close(self) -> None:
        """Close every connection; it may be closed again."""
        self._pool.close()

    def _ask(self, statement: str, bindings: list[Any]) -> list[tuple[Any, ...]]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                cursor = connection.execute(statement.encode(), bindings)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise ArchiveError(f"the database cannot be asked: {type(error).__name__}") from error


def _be_brief(connection: PatientConnection) -> None:
    connection.patience = SECONDS
