"""What is followed on the network, in the archive's database: feeds, sitemaps, the pages they name, robots.txt files.

The SQL of these tables stands here, over the store's own connections and transactions: in one file, long as it is,
since what is due depends on what sites allow, and all of them go by the same clock and the same form of addresses.

Invariant: what an answer said of itself (`etag`, `last_modified`, `body_hash`) is kept only once all that it held is in
the archive, so a process that is killed asks for it again.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from archive.identity import canonical_url
from archive.store import Store

FollowKind = Literal["feed", "sitemap"]
FollowState = Literal["active", "paused", "gone"]
PageState = Literal["done", "waiting", "given_up"]

ROBOTS_SECONDS = 24 * 60 * 60  # that a robots.txt is kept (RFC 9309, section 2.4)
TROUBLED_SECONDS = 60 * 60  # until a site that could not give one is asked again
TROUBLED = 500  # and beyond: statuses of a site in trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """How to ask whether something has changed since it was fetched."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of a conditional request (RFC 9110, section 13.1)."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """A feed or sitemap that is followed. `found` counts what it brought; `every` is in seconds."""

    id: int
    url: str
    title: str | None
    kind: FollowKind | None
    state: FollowState
    every: int
    next_at: datetime
    validators: Validators
    body_hash: bytes | None
    failures: int
    problem: str | None
    last_at: datetime | None
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was asked for, `at` some time. `said` is the hash of what was said of it then.

    That is what the one who tells of it said, where it `was_told` by that one before.
    """

    said: bytes
    state: PageState
    has_text: bool
    failures: int
    validators: Validators = Validators()
    at: datetime | None = None
    was_told: bool = False


@dataclass(frozen=True, slots=True)
class FollowCounts:
    """How many are followed, and how many of them failed the last time or are gone."""

    active: int
    paused: int
    failing: int
    gone: int


class Follows:
    """What the archive `store` follows. Safe to use from several threads."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Take the store whose database holds it, and what tells the time."""
        self._store = store
        self._clock = clock

    # What is followed

    def follow(
        self, url: str, *, every: int | None, default: int, title: str | None = None, kind: FollowKind | None = None
    ) -> bool:
        """Follow `url` from now on, asking every so many seconds, and say whether that is new.

        What is followed already keeps what is not given here; when it was paused or gone, it is asked again.
        """
        now = self._now()
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE follow SET title = coalesce(?3, title), kind = coalesce(?4, kind), every = coalesce(?5, every),"
                " next_at = CASE state WHEN 'active' THEN next_at ELSE ?2 END, problem = NULL, failures = 0,"
                " state = 'active' WHERE url = ?1",
                (url, now, title, kind, every),
            )
            is_known = connection.changes() > 0
            if not is_known:
                connection.execute(
                    "INSERT INTO follow (url, host, title, kind, every, next_at) VALUES (?, ?, ?, ?, ?, ?)",
                    (url, host_of(url), title, kind, every or default, now),
                )
        return not is_known

    def follows(self) -> list[Follow]:
        """Return all that is followed, by address."""
        return list(map(_follow, self._store.rows(f"{_FOLLOW} ORDER BY url")))

    def due(self) -> list[Follow]:
        """Return what is to be asked by now, what has waited longest first."""
        rows = self._store.rows(
            f"{_FOLLOW} WHERE state = 'active' AND next_at <= ?1 AND {_BUSY_UNTIL} <= ?1 ORDER BY next_at, follow_id",
            (self._now(),),
        )
        return list(map(_follow, rows))

    def counts(self) -> FollowCounts:
        """Count what is followed."""
        row = self._store.one(
            "SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state = 'paused'),"
            " count(*) FILTER (WHERE state = 'active' AND failures > 0), count(*) FILTER (WHERE state = 'gone')"
            " FROM follow"
        )
        return FollowCounts(*row)

    def is_gone(self, url: str) -> bool:
        """Tell whether something is followed still, but gone for good."""
        return self._store.one("SELECT 1 FROM follow WHERE url = ? AND state = 'gone'", (url,)) is not None

    def pause(self, url: str) -> bool:
        """Ask no more, until it is followed again; say whether there was anything to pause."""
        return self._store.change("UPDATE follow SET state = 'paused' WHERE url = ? AND state <> 'gone'", (url,)) > 0

    def unfollow(self, url: str) -> bool:
        """Forget that something is followed, and say whether it was; what it brought stays."""
        return self._store.change("DELETE FROM follow WHERE url = ?", (url,)) > 0

    # What became of it

    def read(
        self,
        follow: Follow,
        *,
        kind: FollowKind,
        title: str | None,
        validators: Validators,
        body_hash: bytes,
        found: int,
        problem: str | None,
    ) -> None:
        """Note that all that an answer held is in the archive, and the `problem` there was with its pages."""
        now = self._now()
        self._store.change(
            "UPDATE follow SET kind = ?, title = coalesce(?, title), etag = ?, last_modified = ?, body_hash = ?,"
            " found = found + ?, failures = 0, problem = ?, last_at = ?, next_at = ? WHERE follow_id = ?",
            (
                *(kind, title, validators.etag, validators.last_modified, body_hash, found, problem),
                *(now, now + _beat(follow.every), follow.id),
            ),
        )

    def partly_read(
        self, follow: Follow, *, kind: FollowKind, title: str | None, found: int, problem: str | None
    ) -> None:
        """Note that something of an answer is left to be done, so that it is asked for as a whole the next time."""
        now = self._now()
        self._store.change(
            "UPDATE follow SET kind = ?, title = coalesce(?, title), etag = NULL, last_modified = NULL,"
            " body_hash = NULL, found = found + ?, failures = 0, problem = ?, last_at = ?, next_at = ?"
            " WHERE follow_id = ?",
            (kind, title, found, problem, now, now + _beat(follow.every), follow.id),
        )

    def unchanged(self, follow: Follow) -> None:
        """Note that there is nothing new; what problem there was with its pages there still is."""
        now = self._now()
        self._store.change(
            "UPDATE follow SET failures = 0, problem = CASE failures WHEN 0 THEN problem END, last_at = ?, next_at = ?"
            " WHERE follow_id = ?",
            (now, now + _beat(follow.every), follow.id),
        )

    def failed(self, follow: Follow, problem: str, *, seconds: int) -> None:
        """Note why there was no answer; the next attempt is made in so many seconds."""
        now = self._now()
        self._store.change(
            "UPDATE follow SET failures = failures + 1, problem = ?, last_at = ?, next_at = ? WHERE follow_id = ?",
            (problem, now, now + seconds, follow.id),
        )

    def gone(self, follow: Follow, problem: str) -> None:
        """Ask no more: it is gone for good."""
        self._store.change(
            "UPDATE follow SET state = 'gone', problem = ?, last_at = ? WHERE follow_id = ?",
            (problem, self._now(), follow.id),
        )

    def moved(self, follow: Follow, url: str) -> bool:
        """Note that it has another address for good, and say whether it is still to be asked there.

        Where that address is followed already, one of them is enough.
        """
        with self._store.transaction() as connection:
            if connection.execute("SELECT 1 FROM follow WHERE url = ?", (url,)).fetchone():
                connection.execute(
                    "UPDATE follow SET state = 'gone', problem = ? WHERE follow_id = ?",
                    (f"moved to {url}, which is followed", follow.id),
                )
                return False
            connection.execute(
                "UPDATE follow SET url = ?, host = ? WHERE follow_id = ?", (url, host_of(url), follow.id)
            )
            return True

    # Pages

    def page(self, url: str, *, teller: str) -> Page | None:
        """Return what is known of a page that `teller`, an address, names; None when it was never asked for."""
        row = self._store.one(
            "SELECT coalesce(told.said, page.said), state, has_text, failures, etag, last_modified, at,"
            " told.said IS NOT NULL"
            " FROM page LEFT JOIN told ON told.url_hash = page.url_hash AND teller = ? WHERE page.url_hash = ?",
            (_hash(teller), _hash(url)),
        )
        if row is None:
            return None
        said, state, has_text, failures, etag, last_modified, at, was_told = row
        return Page(
            said=said,
            state=state,
            has_text=bool(has_text),
            failures=failures,
            validators=Validators(etag=etag, last_modified=last_modified),
            at=_at(at),
            was_told=bool(was_told),
        )

    def note_told(self, url: str, said: bytes, *, teller: str) -> None:
        """Note what `teller` says of a page, by which one sees later that it says something else."""
        self._store.change(_TELL, (_hash(url), _hash(teller), said))

    def keep_page(self, url: str, page: Page, *, teller: str) -> None:
        """Note what became of a page, and what `teller`, an address, said of it."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO page (url_hash, said, state, has_text, failures, etag, last_modified, at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (url_hash) DO UPDATE SET said = ?2, state = ?3,"
                " has_text = ?4, failures = ?5, etag = ?6, last_modified = ?7, at = ?8",
                (
                    *(_hash(url), page.said, page.state, int(page.has_text), page.failures),
                    *(page.validators.etag, page.validators.last_modified, self._now()),
                ),
            )
            connection.execute(_TELL, (_hash(url), _hash(teller), page.said))

    # What sites allow

    def stay_away(self, host: str, *, seconds: int) -> None:
        """Ask nothing of a host for so many seconds: it has said so."""
        now = self._now()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM busy_host WHERE until <= ?", (now,))
            connection.execute(
                "INSERT INTO busy_host VALUES (?, ?)"
                " ON CONFLICT (host) DO UPDATE SET until = excluded.until WHERE busy_host.until < excluded.until",
                (host, now + seconds),
            )

    def busy(self, host: str) -> int:
        """Return for how many seconds a host is to be left alone, 0 when it may be asked."""
        row = self._store.one("SELECT until FROM busy_host WHERE host = ?", (host,))
        return max(0, row[0] - self._now()) if row else 0

    def robots(self, site: str) -> tuple[int, bytes] | None:
        """Return what a site answered when it was asked for its robots.txt, None when it is to be asked again."""
        now = self._now()
        row = self._store.one(
            "SELECT status, body FROM robots WHERE site = ? AND at > CASE WHEN status >= ? THEN ? ELSE ? END",
            (site, TROUBLED, now - TROUBLED_SECONDS, now - ROBOTS_SECONDS),
        )
        return (row[0], row[1]) if row else None

    def keep_robots(self, site: str, status: int, body: bytes) -> None:
        """Keep a site's answer; what is too old to be used is dropped."""
        now = self._now()
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM robots WHERE at <= ?", (now - ROBOTS_SECONDS,))
            connection.execute(
                "INSERT INTO robots (site, status, body, at) VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT (site) DO UPDATE SET status = ?2, body = ?3, at = ?4",
                (site, status, body, now),
            )

    def now(self) -> datetime:
        """Return the time that all of this goes by."""
        return self._clock()

    def _now(self) -> int:
        return int(self._clock().timestamp())


_FOLLOW = (
    "SELECT follow_id, url, title, kind, state, every, next_at, etag, last_modified, body_hash, failures, problem,"
    " last_at, found FROM follow"
)
_TELL = (
    "INSERT INTO told (url_hash, teller, said) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (url_hash, teller) DO UPDATE SET said = ?3"
)
_BUSY_UNTIL = "coalesce((SELECT until FROM busy_host b WHERE b.host = follow.host), 0)"


def host_of(url: str) -> str:
    """Return the host of an address, as all of its spellings have it."""
    return (urlsplit(url).hostname or "").rstrip(".")


def _beat(every: int) -> int:
    """Return the seconds until the next request: a little less, so that rounds at the same beat do not miss it."""
    return every - min(every // 20, 60)


def _hash(url: str) -> bytes:
    return hashlib.sha256(canonical_url(url).encode("utf-8", "surrogatepass")).digest()


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _follow(row: Sequence[Any]) -> Follow:
    id_, url, title, kind, state, every, next_at, etag, last_modified, body_hash, failures, problem, last_at, found = (
        row
    )
    return Follow(
        id=id_,
        url=url,
        title=title,
        kind=kind,
        state=state,
        every=every,
        next_at=_at(next_at),
        validators=Validators(etag=etag, last_modified=last_modified),
        body_hash=body_hash,
        failures=failures,
        problem=problem,
        last_at=None if last_at is None else _at(last_at),
        found=found,
    )
