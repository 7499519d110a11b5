"""A connection to PostgreSQL that notices when nobody is at its other end.

A server that was switched off, or a firewall that dropped what it had not seen for a while, answers nothing at all: the
system would send again for a quarter of an hour. What was sent and is not taken for five seconds ends a connection; one
on which nothing is sent is tried every ten. Where that is too long, `patience` says how long an answer is waited for.
"""

import logging
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.abc import PQGen

logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each attempt to connect again; whoever asks is told

ADDRESS: dict[str, str | int] = {  # what every address is completed with
    "application_name": "backfile",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,  # milliseconds
}
R = TypeVar("R")


class PatientConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed when an answer takes longer than `patience` seconds, if it has any."""

    patience: float | None = None

    def wait(self, gen: PQGen[R], interval: float = 0.1, timeout: float | None = None) -> R:
        """Wait for the server."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:  # an answer may come to another question
                self.pgconn.finish()
            raise


def is_lost(connection: psycopg.Connection[Any] | None, error: Exception) -> bool:
    """Tell whether it is the connection that failed, and not what was asked over it."""
    ended = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown)
    return connection is not None and (connection.closed or isinstance(error, ended))
