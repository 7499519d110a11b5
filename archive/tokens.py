"""Tokens by which programs may change the archive: who has which, what was done by them, and who tried without.

The SQL of these tables stands here, over the store's own connections and transactions.

Invariants: of a token only its SHA-256 is kept. It needs no salt and no slow hash, as passwords do: 192 random bits are
in no list and cannot be tried out. What was done by a token is never forgotten, nor is a token that did something.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from archive.store import Store

PREFIX = "bf_"  # by which programs that look for leaked secrets know one
TOKEN_BYTES = 24  # 192 bits
MOST_FAILURES = 20  # of one client, until it is locked out
FORGIVEN_AFTER = 15 * 60  # seconds, from the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, as whoever runs the archive sees it. `used_on` is a day, an ISO 8601 date."""

    id: int
    name: str
    scope: str
    created_at: datetime
    used_on: str | None
    revoked_at: datetime | None


class Tokens:
    """The tokens of `store`. Safe to use from several threads, and processes."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Go by this clock."""
        self._store = store
        self._clock = clock

    def create(self, *, name: str, scope: str) -> tuple[Token, str]:
        """Keep a new token, and return it with its secret, which nobody can find out again."""
        secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        now = self._now()
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO token (token_hash, name, scope, created_at) VALUES (?, ?, ?, ?)",
                (_hash(secret), name, scope, now),
            )
            id_ = connection.last_insert_rowid()
        created_at = datetime.fromisoformat(now)
        return Token(id=id_, name=name, scope=scope, created_at=created_at, used_on=None, revoked_at=None), secret

    def all(self) -> list[Token]:
        """Return every token there ever was, in the order in which they were made."""
        return [token for token, _ in self._read()]

    def revoke(self, token_id: int) -> bool:
        """Let nobody do anything more by this token, and say whether somebody could."""
        revoke = "UPDATE token SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL"
        return self._store.change(revoke, (self._now(), token_id)) > 0

    def holder(self, secret: str) -> Token | None:
        """Return the token of this secret, None when there is none or it was revoked; note the day it was used.

        All are compared, each in constant time: how long it takes tells nothing of any.
        """
        presented = _hash(secret)
        found = [token for token, kept in self._read() if hmac.compare_digest(kept, presented)]
        if not found or found[0].revoked_at is not None:
            return None
        today = self._clock().date().isoformat()
        if found[0].used_on != today:
            with self._store.transaction() as connection:
                connection.execute("UPDATE token SET used_on = ? WHERE token_id = ?", (today, found[0].id))
        return found[0]

    def _read(self) -> list[tuple[Token, bytes]]:
        rows = self._store.rows(
            "SELECT token_id, name, scope, created_at, used_on, revoked_at, token_hash FROM token ORDER BY token_id"
        )
        return [
            (
                Token(
                    id=id_,
                    name=name,
                    scope=scope,
                    created_at=datetime.fromisoformat(created_at),
                    used_on=used_on,
                    revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
                ),
                token_hash,
            )
            for id_, name, scope, created_at, used_on, revoked_at, token_hash in rows
        ]

    # Who tried without

    def note_failure(self, client: str) -> None:
        """Note that somebody came without a token that holds. What is old enough to be forgiven is forgotten."""
        now = int(self._clock().timestamp())
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM token_failure WHERE since <= ?", (now - FORGIVEN_AFTER,))
            connection.execute(
                "INSERT INTO token_failure (client, failures, since) VALUES (?, 1, ?)"
                " ON CONFLICT (client) DO UPDATE SET failures = failures + 1",
                (client, now),
            )

    def locked_out(self, client: str) -> int:
        """Return for how many seconds a client is locked out, 0 for one that is not."""
        row = self._store.one(
            "SELECT since FROM token_failure WHERE client = ? AND failures >= ?", (client, MOST_FAILURES)
        )
        return max(0, row[0] + FORGIVEN_AFTER - int(self._clock().timestamp())) if row else 0

    # What was done

    def note_deed(self, token: Token, action: str, article_id: str) -> None:
        """Note for good what was done by a token."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO audit (at, token_id, action, article_id) VALUES (?, ?, ?, ?)",
                (self._now(), token.id, action, article_id),
            )

    def deeds(self) -> list[tuple[datetime, int, str, str]]:
        """Return what was done: when, by which token, what, to which article; first things first."""
        rows = self._store.rows("SELECT at, token_id, action, article_id FROM audit ORDER BY audit_id")
        return [(datetime.fromisoformat(at), token_id, action, article_id) for at, token_id, action, article_id in rows]

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
