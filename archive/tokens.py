"""Tokens by which programs may change the archive: who has which, what was done by them, and who tried without.

The SQL of these tables stands here, over the store's own connections and transactions.

Invariants: of a token only its SHA-256 is kept. It needs no salt and no slow hash, as passwords do: 192 random bits are
in no list and cannot be tried out. What was done by a token is never forgotten, nor is a token that did something; of
who was refused only sums are kept.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from archive.database import Connection
from archive.store import Store

PREFIX = "bf_"  # by which programs that look for leaked secrets know one
TOKEN_BYTES = 24  # 192 bits
MOST_FAILURES = 20  # of one client, until it is locked out
FORGIVEN_AFTER = 15 * 60  # seconds, from the first of them

Refusal = Literal["none", "unknown", "revoked", "expired", "scope"]  # what was wrong with the token that was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, as whoever runs the archive sees it. `used_on` is a day, an ISO 8601 date."""

    id: int
    name: str
    scope: str
    created_at: datetime
    used_on: str | None
    revoked_at: datetime | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that was done by a token; `client` is the address it came from, None of old deeds."""

    at: datetime
    token_id: int
    action: str
    article_id: str
    client: str | None


class Tokens:
    """The tokens of `store`. Safe to use from several threads, and processes."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Go by this clock."""
        self._store = store
        self._clock = clock

    def create(self, *, name: str, scope: str, days: int | None = None) -> tuple[Token, str]:
        """Keep a new token, and return it with its secret, which nobody can find out again.

        It holds for so many days, or until it is revoked.
        """
        secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock().replace(microsecond=0)
        expires_at = None if days is None else now + timedelta(days=days)
        with self._store.transaction() as connection:
            (id_,) = connection.execute(
                "INSERT INTO token (token_hash, name, scope, created_at, expires_at) VALUES (?, ?, ?, ?, ?)"
                " RETURNING token_id",
                (_hash(secret), name, scope, now.isoformat(), expires_at.isoformat() if expires_at else None),
            ).fetchone()
        made = Token(
            id=id_, name=name, scope=scope, created_at=now, used_on=None, revoked_at=None, expires_at=expires_at
        )
        return made, secret

    def all(self) -> list[Token]:
        """Return every token there ever was, in the order in which they were made."""
        return [token for token, _ in self._read()]

    def revoke(self, token_id: int) -> bool:
        """Let nobody do anything more by this token, and say whether somebody could."""
        revoke = "UPDATE token SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL"
        return self._store.change(revoke, (self._now(), token_id)) > 0

    def holder(self, secret: str) -> Token | Refusal:
        """Return the token of this secret and note the day on which it was used; or why it is refused.

        All are compared, each in constant time: how long it takes tells nothing of any.
        """
        if not secret:
            return "none"
        presented = _hash(secret)
        found = [token for token, kept in self._read() if hmac.compare_digest(kept, presented)]
        if not found:
            return "unknown"
        token, now = found[0], self._clock()
        if token.revoked_at is not None:
            return "revoked"
        if token.expires_at is not None and token.expires_at <= now:
            return "expired"
        today = now.date().isoformat()
        if token.used_on != today:
            self._store.change("UPDATE token SET used_on = ? WHERE token_id = ?", (today, token.id))
        return token

    def _read(self) -> list[tuple[Token, bytes]]:
        rows = self._store.rows(
            "SELECT token_id, name, scope, created_at, used_on, revoked_at, expires_at, token_hash FROM token"
            " ORDER BY token_id"
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
                    expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
                ),
                token_hash,
            )
            for id_, name, scope, created_at, used_on, revoked_at, expires_at, token_hash in rows
        ]

    # Who was refused

    def note_failure(self, client: str, why: Refusal) -> None:
        """Note that somebody came without a token that holds. What is old enough to be forgiven is forgotten."""
        now = int(self._clock().timestamp())
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM token_failure WHERE since <= ?", (now - FORGIVEN_AFTER,))
            connection.execute(
                "INSERT INTO token_failure (client, failures, since) VALUES (?, 1, ?)"
                " ON CONFLICT (client) DO UPDATE SET failures = token_failure.failures + 1",
                (client, now),
            )
            self._count(connection, why)

    def note_refusal(self, why: Refusal) -> None:
        """Count a refusal that locks nobody out."""
        with self._store.transaction() as connection:
            self._count(connection, why)

    def _count(self, connection: Connection, why: Refusal) -> None:
        connection.execute(
            "INSERT INTO refusal (day, why, times) VALUES (?, ?, 1)"
            " ON CONFLICT (day, why) DO UPDATE SET times = refusal.times + 1",
            (self._clock().date().isoformat(), why),
        )

    def refusals(self) -> list[tuple[str, Refusal, int]]:
        """Return how often somebody was refused: the day, why, how many times. Who is locked out is not counted."""
        return list(self._store.rows("SELECT day, why, times FROM refusal ORDER BY day, why"))

    def locked_out(self, client: str) -> int:
        """Return for how many seconds a client is locked out, 0 for one that is not."""
        row = self._store.one(
            "SELECT since FROM token_failure WHERE client = ? AND failures >= ?", (client, MOST_FAILURES)
        )
        return max(0, row[0] + FORGIVEN_AFTER - int(self._clock().timestamp())) if row else 0

    # What was done

    def note_deed(self, connection: Connection, token: Token, action: str, article_id: str, *, client: str) -> None:
        """Note for good what is done by a token, in the transaction in which it is done."""
        connection.execute(
            "INSERT INTO audit (at, token_id, action, article_id, client) VALUES (?, ?, ?, ?, ?)",
            (self._now(), token.id, action, article_id, client),
        )

    def deeds(self) -> list[Deed]:
        """Return what was done, first things first."""
        rows = self._store.rows("SELECT at, token_id, action, article_id, client FROM audit ORDER BY audit_id")
        return [
            Deed(at=datetime.fromisoformat(at), token_id=token_id, action=action, article_id=article_id, client=client)
            for at, token_id, action, article_id, client in rows
        ]

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
