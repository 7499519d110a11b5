"""The figures of an archive that a monitor watches: the SQL that reads them, in a few milliseconds."""

from dataclasses import dataclass
from datetime import datetime

from archive.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How an archive does. Times are None where there is nothing that they are of."""

    articles: int
    generation: int | None  # that is published
    published_at: datetime | None
    pending: int  # changes that it does not hold
    pending_since: datetime | None  # when the first of them was made
    waiting_alerts: int  # messages in the outbox
    next_release: datetime | None  # of what is embargoed


def vitals(store: Store) -> Vitals:
    """Read them."""
    current, _ = store.pointer()
    published = store.one(
        "SELECT published_at FROM generation WHERE number = ?", (current.number if current else None,)
    )
    pending, since = store.one(
        "SELECT count(*), min(at) FROM change WHERE seq > ? AND kind <> 'held'", (current.seq if current else 0,)
    )
    return Vitals(
        articles=store.count_live(),
        generation=current.number if current else None,
        published_at=_time(published[0]) if published else None,
        pending=pending,
        pending_since=_time(since),
        waiting_alerts=store.one("SELECT count(*) FROM delivery WHERE state = 'waiting'")[0],
        next_release=store.next_release(),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
