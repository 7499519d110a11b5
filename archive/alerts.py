"""Saved searches in the archive's database: what they ask, what fired, and the outbox of what is to be sent.

The SQL of these four tables stands here, over the store's own connections and transactions; the rest is in
`archive.store`, and what addresses were asked in `archive.questions`. They stand in one file, long as it is, because
the tables are written together: a firing, a channel that is stopped, a search that is forgotten touch several.

Invariants: a firing moves `after_seq` and writes its alerts and its deliveries in one transaction, so a process that is
killed has done all of it or nothing. An article fires once for a saved search. A delivery keeps its message's name
through all attempts. Of a token only its hash is kept.
"""

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from archive import questions
from archive.database import Connection, batches, listed
from archive.errors import ArchiveError
from archive.store import Store

ChannelKind = Literal["mail", "webhook"]
ChannelState = Literal["unconfirmed", "active", "stopped"]
DeliveryState = Literal["waiting", "sent", "dropped", "given_up"]

DAY = 24 * 60 * 60  # seconds
TOKEN_BYTES = 24  # 192 bits
SECRET_BYTES = 32
MOST_CHANNELS = 5  # of one saved search


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A search that is kept: its parameters, and the last change that was judged by it.

    `problem` says why it could not be judged the last time.
    """

    id: int
    name: str
    question: str
    after_seq: int
    paused: bool
    problem: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A saved search as whoever runs the archive sees it: how much it is used, and not what it found."""

    id: int
    name: str
    created_at: datetime
    opened_at: datetime  # as far as a day
    alerts: int
    channels: int  # those that are sent alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The first time an article passed: in which version, by which change."""

    id: int
    article_id: str
    version: int
    seq: int
    fired_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where the alerts of a saved search are sent. Only an active one is sent any."""

    id: int
    saved_search_id: int
    kind: ChannelKind
    address: str
    secret: bytes
    state: ChannelState
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to be sent to a channel: about some alerts, or, with none, whether its owner wants any."""

    id: int
    channel: Channel
    search: SavedSearch
    message: str
    alerts: tuple[int, int] | None  # the first and the last
    attempts: int
    created_at: datetime


Limit = Literal["searches", "channels", "questions"]


class LimitReached(Exception):
    """There are as many saved searches, channels of one, or questions to an address, as there may be."""

    def __init__(self, limit: Limit) -> None:
        """Say of what."""
        super().__init__(f"there are as many {limit} as there may be")
        self.limit = limit


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Alerts:
    """The saved searches of `store`. Safe to use from several threads."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Take the store whose database holds them, and what tells the time."""
        self._store = store
        self._clock = clock

    # Saved searches

    def save(
        self, *, name: str, question: str, after_seq: int, most: int, token: str | None = None
    ) -> tuple[str, SavedSearch]:
        """Keep a search and return the token that opens it, which nobody can tell again, and what is kept.

        It is `token` when that is given, as by a form that may be sent twice: what it opens already is left as it is.
        Raises LimitReached when there are `most` already.
        """
        token = token or new_token()
        with self._store.transaction() as connection:
            if there := connection.execute(f"{_SAVED} WHERE token_hash = ?", (_hash(token),)).fetchone():
                return token, _saved(there)
            if _count(connection, "SELECT count(*) FROM saved_search") >= most:
                raise LimitReached("searches")
            connection.execute(
                "INSERT INTO saved_search (token_hash, name, question, after_seq, created_at, opened_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
                (_hash(token), name, question, after_seq, self._now()),
            )
        saved = self.opened(token)
        if saved is None:
            raise RuntimeError("what was just saved is gone")
        return token, saved

    def opened(self, token: str) -> SavedSearch | None:
        """Return the saved search that `token` opens, None when there is none."""
        row = self._store.one(f"{_SAVED} WHERE token_hash = ?", (_hash(token),))
        return _saved(row) if row else None

    def note_opened(self, saved: SavedSearch) -> None:
        """Note that somebody came to it, once a day; while the archive cannot be written to, that is left out."""
        before = self._now() - DAY
        seldom = "saved_search_id = ? AND opened_at <= ?"
        if self._store.one(f"SELECT 1 FROM saved_search WHERE {seldom}", (saved.id, before)):
            with suppress(ArchiveError):
                self._store.change(
                    f"UPDATE saved_search SET opened_at = ? WHERE {seldom}", (self._now(), saved.id, before)
                )

    def held(self) -> list[Held]:
        """Return all of them as whoever runs the archive sees them, those first that nobody has opened for longest."""
        rows = self._store.rows(
            "SELECT saved_search_id, name, created_at, opened_at,"
            " (SELECT count(*) FROM alert a WHERE a.saved_search_id = s.saved_search_id),"
            f" (SELECT count(*) FROM {_SENT_TO}) FROM saved_search s ORDER BY opened_at, saved_search_id"
        )
        return [Held(id_, name, _at(created), _at(opened), *counts) for id_, name, created, opened, *counts in rows]

    def delete_unused(self, *, days: int) -> int:
        """Forget those that are sent nowhere and that nobody has opened for so many days; return how many."""
        return self._store.change(
            f"DELETE FROM saved_search AS s WHERE opened_at <= ? AND NOT EXISTS (SELECT 1 FROM {_SENT_TO})",
            (self._now() - days * DAY,),
        )

    def questions(self, *, limit: int) -> list[str]:
        """Return what saved searches ask, those opened last first, the same once."""
        rows = self._store.rows(
            "SELECT question FROM saved_search GROUP BY question ORDER BY max(opened_at) DESC LIMIT ?", (limit,)
        )
        return [row[0] for row in rows]

    def count(self) -> int:
        """Return how many there are."""
        return int(self._store.one("SELECT count(*) FROM saved_search")[0])

    def behind(self, seq: int) -> list[SavedSearch]:
        """Return those that are not paused and have not been judged up to `seq`, those furthest behind first."""
        rows = self._store.rows(
            f"{_SAVED} WHERE paused = 0 AND after_seq < ? ORDER BY after_seq, saved_search_id", (seq,)
        )
        return list(map(_saved, rows))

    def rename(self, saved_search_id: int, name: str) -> None:
        """Give it another name."""
        self._store.change("UPDATE saved_search SET name = ? WHERE saved_search_id = ?", (name, saved_search_id))

    def pause(self, saved_search_id: int) -> None:
        """Judge no more articles by it, until it is resumed."""
        self._store.change("UPDATE saved_search SET paused = 1 WHERE saved_search_id = ?", (saved_search_id,))

    def resume(self, saved_search_id: int, *, after_seq: int) -> None:
        """Judge again what comes in after this change; what came in meanwhile is passed over."""
        self._store.change(
            "UPDATE saved_search SET paused = 0, after_seq = CASE WHEN after_seq < ?1 THEN ?1 ELSE after_seq END"
            " WHERE saved_search_id = ?2 AND paused = 1",
            (after_seq, saved_search_id),
        )

    def delete(self, saved_search_id: int) -> int:
        """Forget a saved search with all that belongs to it; return 1, or 0 when there is none."""
        return self._store.change("DELETE FROM saved_search WHERE saved_search_id = ?", (saved_search_id,))

    def trouble(self, saved_search_id: int, problem: str | None) -> None:
        """Note why it could not be judged, or that it could."""
        self._store.change(
            "UPDATE saved_search SET problem = ?1 WHERE saved_search_id = ?2 AND problem IS DISTINCT FROM ?1",
            (problem, saved_search_id),
        )

    # Alerts

    def fire(self, saved: SavedSearch, article_seqs: Mapping[str, int], *, until: int) -> int:
        """Keep that these articles, each with the seq of its last change, passed when all up to `until` was judged.

        Returns how many had not fired before. Each active channel gets one delivery about them. Nothing is kept, and 0
        returned, when another process has judged the same, or the search is gone.
        """
        now = self._now()
        with self._store.transaction() as connection:
            moved = connection.execute(
                "UPDATE saved_search SET after_seq = ?, problem = NULL"
                " WHERE saved_search_id = ? AND after_seq = ? AND paused = 0 RETURNING 1",
                (until, saved.id, saved.after_seq),
            ).fetchall()
            if not moved:
                return 0
            fired = [
                alert
                for batch in batches(list(article_seqs.items()))
                for (alert,) in connection.execute(*_fired(batch, saved.id, now))
            ]
            if fired:
                channels = connection.execute(
                    "SELECT channel_id FROM channel WHERE saved_search_id = ? AND state = 'active'", (saved.id,)
                ).fetchall()
                connection.executemany(
                    "INSERT INTO delivery (channel_id, message, first_alert, last_alert, state, next_at, created_at)"
                    " VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
                    [(channel, str(uuid.uuid4()), min(fired), max(fired), now, now) for (channel,) in channels],
                )
            return len(fired)

    def copies_fired(self, saved_search_id: int, article_ids: Sequence[str]) -> set[str]:
        """Return those of the articles of which a copy, or they themselves, has fired already."""
        fired: set[str] = set()
        for batch in batches(article_ids):
            asked, bindings = listed([(article_id,) for article_id in batch])
            rows = self._store.rows(
                f"SELECT DISTINCT asked.column1 FROM {asked} asked"
                " LEFT JOIN copy mine ON mine.article_id = asked.column1"
                " LEFT JOIN copy other ON other.group_id = mine.group_id"
                " JOIN alert a ON a.article_id IN (asked.column1, other.article_id) AND a.saved_search_id = ?",
                [*bindings, saved_search_id],
            )
            fired.update(article_id for (article_id,) in rows)
        return fired

    def alerts(self, saved_search_id: int, *, limit: int, offset: int = 0) -> list[Alert]:
        """Return the alerts about articles that may be shown, the latest first."""
        rows = self._store.rows(
            f"{_ALERT} WHERE saved_search_id = ? AND s.status || '' = 'live' ORDER BY alert_id DESC LIMIT ? OFFSET ?",
            (saved_search_id, limit, offset),
        )
        return list(map(_alert, rows))

    def count_alerts(self, saved_search_id: int) -> int:
        """Return how many alerts there are about articles that may be shown."""
        return int(
            self._store.one(
                "SELECT count(*) FROM alert JOIN article s USING (article_id)"
                " WHERE saved_search_id = ? AND s.status || '' = 'live'",
                (saved_search_id,),
            )[0]
        )

    # Channels

    def add_channel(self, saved_search_id: int, kind: ChannelKind, address: str) -> tuple[Channel, bool]:
        """Keep where to send alerts, and say whether that is new; one for mail is asked first whether it wants them.

        Raises LimitReached.
        """
        state: ChannelState = "unconfirmed" if kind == "mail" else "active"
        with self._store.transaction() as connection:
            there = connection.execute(
                f"{_CHANNEL} WHERE saved_search_id = ? AND kind = ? AND address = ?", (saved_search_id, kind, address)
            ).fetchone()
            if there:
                return _channel(there), False
            channels = "SELECT count(*) FROM channel WHERE saved_search_id = ?"
            if _count(connection, channels, saved_search_id) >= MOST_CHANNELS:
                raise LimitReached("channels")
            now = self._now()
            if state == "unconfirmed":
                if not questions.may_ask(connection, address, now=now):
                    raise LimitReached("questions")
                questions.note_asked(connection, address, now=now)
            (row,) = connection.execute(
                "INSERT INTO channel (saved_search_id, kind, address, secret, state) VALUES (?, ?, ?, ?, ?)"
                " RETURNING channel_id, saved_search_id, kind, address, secret, state, problem",
                (saved_search_id, kind, address, secrets.token_bytes(SECRET_BYTES), state),
            )
            if state == "unconfirmed":
                connection.execute(
                    "INSERT INTO delivery (channel_id, message, state, next_at, created_at)"
                    " VALUES (?, ?, 'waiting', ?, ?)",
                    (row[0], str(uuid.uuid4()), now, now),
                )
            return _channel(row), True

    def channels(self, saved_search_id: int) -> list[Channel]:
        """Return the channels of a saved search, in the order in which they were added."""
        rows = self._store.rows(f"{_CHANNEL} WHERE saved_search_id = ? ORDER BY channel_id", (saved_search_id,))
        return list(map(_channel, rows))

    def channel(self, channel_id: int) -> Channel | None:
        """Return one channel, None when there is none."""
        row = self._store.one(f"{_CHANNEL} WHERE channel_id = ?", (channel_id,))
        return _channel(row) if row else None

    def confirm(self, channel_id: int) -> None:
        """Send alerts to this channel from now on: its owner has said so."""
        with self._store.transaction() as connection:
            said_yes = connection.execute(
                "UPDATE channel SET state = 'active', problem = NULL WHERE channel_id = ? AND state <> 'active'"
                " RETURNING address",
                (channel_id,),
            ).fetchall()
            for (address,) in said_yes:
                questions.note_yes(connection, str(address))

    def refuse(self, channel: Channel) -> None:
        """Send nothing to the address of this channel, and never ask that address again: its owner has said so."""
        self.stop(channel.id, None)
        with self._store.transaction() as connection:
            questions.note_refused(connection, channel.address, now=self._now())

    def may_be_asked(self, channel: Channel) -> bool:
        """Return whether the owner of a channel's address still is to be asked."""
        return channel.state == "unconfirmed" and not questions.has_refused(self._store, channel.address)

    def stop(self, channel_id: int, problem: str | None) -> None:
        """Send nothing more to this channel, and drop what waits for it; `problem` says why."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE channel SET state = 'stopped', problem = ? WHERE channel_id = ?", (problem, channel_id)
            )
            connection.execute(
                "UPDATE delivery SET state = 'dropped', reason = ? WHERE channel_id = ? AND state = 'waiting'",
                (problem, channel_id),
            )

    def remove_channel(self, saved_search_id: int, channel_id: int) -> None:
        """Forget a channel of this saved search, and what waits for it."""
        self._store.change(
            "DELETE FROM channel WHERE channel_id = ? AND saved_search_id = ?", (channel_id, saved_search_id)
        )

    # The outbox

    def due(self, *, limit: int) -> list[Delivery]:
        """Return what is to be sent by now, what has waited longest first."""
        rows = self._store.rows(
            "SELECT d.delivery_id, d.message, d.first_alert, d.last_alert, d.attempts, d.created_at,"
            " c.channel_id, c.saved_search_id, c.kind, c.address, c.secret, c.state, c.problem,"
            " s.saved_search_id, s.name, s.question, s.after_seq, s.paused, s.problem, s.created_at"
            " FROM delivery d JOIN channel c USING (channel_id)"
            " JOIN saved_search s ON s.saved_search_id = c.saved_search_id"
            " WHERE d.state = 'waiting' AND d.next_at <= ? ORDER BY d.next_at, d.delivery_id LIMIT ?",
            (self._now(), limit),
        )
        return [
            Delivery(
                id=row[0],
                message=row[1],
                alerts=None if row[2] is None else (row[2], row[3]),
                attempts=row[4],
                created_at=_at(row[5]),
                channel=_channel(row[6:13]),
                search=_saved(row[13:]),
            )
            for row in rows
        ]

    def count_due(self) -> int:
        """Return how many deliveries are to be sent by now."""
        return int(
            self._store.one("SELECT count(*) FROM delivery WHERE state = 'waiting' AND next_at <= ?", (self._now(),))[0]
        )

    def delivered(self, delivery: Delivery) -> list[Alert]:
        """Return the alerts a delivery is about, of articles that may be shown now, in the order they fired."""
        if delivery.alerts is None:
            return []
        rows = self._store.rows(
            f"{_ALERT} WHERE saved_search_id = ? AND alert_id BETWEEN ? AND ? AND s.status || '' = 'live'"
            " ORDER BY alert_id",
            (delivery.search.id, *delivery.alerts),
        )
        return list(map(_alert, rows))

    def settle(self, delivery_id: int, state: DeliveryState, *, reason: str | None = None) -> None:
        """Note what became of a delivery that waits, and try it no more."""
        self._store.change(
            "UPDATE delivery SET state = ?, reason = ?, attempts = attempts + 1"
            " WHERE delivery_id = ? AND state = 'waiting'",
            (state, reason, delivery_id),
        )

    def put_off(self, delivery_id: int, *, seconds: int, reason: str) -> None:
        """Try a delivery again so many seconds from now; `reason` says why it did not go out."""
        self._store.change(
            "UPDATE delivery SET next_at = ?, attempts = attempts + 1, reason = ?"
            " WHERE delivery_id = ? AND state = 'waiting'",
            (self._now() + seconds, reason, delivery_id),
        )

    def last_problem(self, channel_id: int) -> str | None:
        """Return why the last delivery to a channel did not go out, None when it did."""
        row = self._store.one(
            "SELECT CASE WHEN state IN ('waiting', 'given_up') THEN reason END FROM delivery"
            " WHERE channel_id = ? AND attempts > 0 ORDER BY delivery_id DESC LIMIT 1",
            (channel_id,),
        )
        return row[0] if row else None

    def forget_settled(self, *, days: int) -> None:
        """Delete deliveries settled and made longer ago than so many days; their alerts stay."""
        self._store.change(
            "DELETE FROM delivery WHERE state <> 'waiting' AND created_at < ?", (self._now() - days * DAY,)
        )

    def now(self) -> datetime:
        """Return the time that all of this goes by."""
        return self._clock()

    def _now(self) -> int:
        return int(self._clock().timestamp())


_SAVED = "SELECT saved_search_id, name, question, after_seq, paused, problem, created_at FROM saved_search"
_SENT_TO = "channel c WHERE c.saved_search_id = s.saved_search_id AND c.state = 'active'"
_ALERT = "SELECT alert_id, article_id, alert.version, seq, fired_at FROM alert JOIN article s USING (article_id)"
_CHANNEL = "SELECT channel_id, saved_search_id, kind, address, secret, state, problem FROM channel"


def _fired(article_seqs: Sequence[tuple[str, int]], saved_search_id: int, now: int) -> tuple[str, list[object]]:
    """Return the statement that keeps alerts, in this order, and gives the ids of those that are new; its bindings."""
    asked, bindings = listed([(*pair, place) for place, pair in enumerate(article_seqs)])
    return (
        "INSERT INTO alert (saved_search_id, article_id, version, seq, fired_at)"
        f" SELECT ?, a.article_id, a.version, asked.column2, ? FROM {asked} asked"
        " JOIN article a ON a.article_id = asked.column1 WHERE true ORDER BY asked.column3"
        " ON CONFLICT DO NOTHING RETURNING alert_id",
        [saved_search_id, now, *bindings],
    )


def _count(connection: Connection, select: str, *bindings: object) -> int:
    ((number,),) = connection.execute(select, bindings)
    return int(number)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _saved(row: Sequence[Any]) -> SavedSearch:
    id_, name, question, after_seq, paused, problem, created_at = row
    return SavedSearch(
        id=id_,
        name=name,
        question=question,
        after_seq=after_seq,
        paused=bool(paused),
        problem=problem,
        created_at=_at(created_at),
    )


def _alert(row: Sequence[Any]) -> Alert:
    id_, article_id, version, seq, fired_at = row
    return Alert(id=id_, article_id=article_id, version=version, seq=seq, fired_at=_at(fired_at))


def _channel(row: Sequence[Any]) -> Channel:
    id_, saved_search_id, kind, address, secret, state, problem = row
    return Channel(
        id=id_,
        saved_search_id=saved_search_id,
        kind=kind,
        address=address,
        secret=secret,
        state=state,
        problem=problem,
    )
