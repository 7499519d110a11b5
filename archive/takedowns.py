"""Takedowns in the archive's database: what was removed, when and why, and what of that was erased.

The SQL of their table stands here, over the store's own connections. The ledger outside of the database says the same:
`follow` brings the two together when an archive is opened, so that a backup that is restored takes nothing back.

Invariant: a takedown stands in the ledger before anybody is told that it was done.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from archive.article import Withdrawal
from archive.database import batches, marks
from archive.ledger import Entry, Ledger, Reading

TAKEN_BACK = "taken back by its source"
IMPORTED = "removed in the archive that it came from"
LOST = "the ledger says that it was erased; the line of its removal is lost"

if TYPE_CHECKING:
    from archive.database import Connection
    from archive.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Takedown:
    """One article that was removed. `receipt` says what was searched once its text was erased."""

    id: str
    removed_at: datetime
    reason: str | None
    erased_at: datetime | None
    receipt: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Followed:
    """What `follow` did: how many articles it removed again, which are to be erased again, and what it found wrong."""

    removed: int
    to_erase: list[str]
    problems: Sequence[str]


def note_removed(connection: "Connection", ledger: Ledger | None, article_id: str, *, reason: str | None) -> None:
    """Note in the ledger and in the database, whose transaction this is, that an article is removed.

    `reason` is in our own words or the operator's: it is kept for good, and so are no words of a source.
    """
    told = ledger.read().removed.get(article_id) if ledger else None
    if told is None:
        aliases = connection.execute("SELECT alias FROM alias WHERE article_id = ? ORDER BY alias", (article_id,))
        told = Entry(id=article_id, did="removed", at=_now(), reason=reason, aliases=tuple(row[0] for row in aliases))
        if ledger is not None:
            ledger.add([told])
    connection.execute(
        "INSERT INTO takedown (article_id, removed_at, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (article_id, told.at, told.reason),
    )


class Takedowns:
    """The takedowns of `store`, and of the ledger that it keeps."""

    def __init__(self, store: "Store", ledger: Ledger) -> None:
        """Nothing is read yet."""
        self._store = store
        self._ledger = ledger

    def follow(self) -> Followed:
        """Do again what the ledger knows of and the database does not, and write into it what it does not know of."""
        reading, known = self._ledger.read(), {takedown.id: takedown for takedown in self.all()}
        self._ledger.add(_unwritten(known.values(), reading, self._aliases(known)))
        kept = self._kept_as(list(reading.gone))
        missing = [entry for id_, entry in reading.gone.items() if kept[id_] not in known]
        for entry in missing:
            reason = entry.reason if entry.id in reading.removed else LOST
            self._store.withdraw(
                Withdrawal(id=entry.id, reason=reason or "", aliases=entry.aliases), noted_reason=reason
            )
        kept = self._kept_as(list(reading.erased))  # by now, under whichever of its ids an article came in
        done = {takedown.id for takedown in known.values() if takedown.erased_at is not None}
        return Followed(len(missing), sorted(set(kept.values()) - done), reading.problems)

    def _aliases(self, article_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the other ids of these articles, by id."""
        aliases: dict[str, tuple[str, ...]] = {}
        asked, ids = self._store.database.among("article_id", list(article_ids))
        rows = self._store.rows(f"SELECT article_id, alias FROM alias WHERE {asked} ORDER BY 1, 2", (ids,))
        for article_id, alias in rows:
            aliases[article_id] = (*aliases.get(article_id, ()), alias)
        return aliases

    def _kept_as(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return the id under which each of these is kept, its own for one never heard of."""
        kept = {article_id: article_id for article_id in article_ids}
        for batch in batches(article_ids):
            known = f"alias IN ({marks(batch)}) AND alias NOT IN (SELECT article_id FROM article)"
            kept.update(self._store.rows(f"SELECT alias, article_id FROM alias WHERE {known}", batch))
        return kept

    def all(self) -> list[Takedown]:
        """Return every takedown, the first one first."""
        rows = self._store.rows(
            "SELECT article_id, removed_at, reason, erased_at, receipt FROM takedown ORDER BY removed_at, article_id"
        )
        return [
            Takedown(
                id=id_,
                removed_at=datetime.fromisoformat(removed_at),
                reason=reason,
                erased_at=datetime.fromisoformat(erased_at) if erased_at else None,
                receipt=json.loads(receipt) if receipt else None,
            )
            for id_, removed_at, reason, erased_at, receipt in rows
        ]

    def one(self, article_id: str) -> Takedown | None:
        """Return the takedown of an article, None when there is none."""
        return next((takedown for takedown in self.all() if takedown.id == article_id), None)

    def unfinished(self) -> set[str]:
        """Return the articles whose erasing was begun and has not come to its end."""
        rows = self._store.rows("SELECT article_id FROM takedown WHERE erasing_at IS NOT NULL AND erased_at IS NULL")
        return {article_id for (article_id,) in rows}

    def note_erasing(self, article_ids: Sequence[str]) -> None:
        """Note that the texts of these articles are being erased."""
        now = _now()
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE takedown SET erasing_at = ?, erased_at = NULL, receipt = NULL WHERE article_id = ?",
                [(now, article_id) for article_id in article_ids],
            )

    def note_erased(self, article_ids: Sequence[str], receipt: Mapping[str, object]) -> None:
        """Note that the texts of these articles are gone: in the ledger, then in the database with the receipt."""
        now, written = _now(), self._ledger.read().erased
        self._ledger.add([Entry(id=id_, did="erased", at=now) for id_ in article_ids if id_ not in written])
        with self._store.transaction() as connection:
            connection.executemany(
                "UPDATE takedown SET erased_at = ?, receipt = ? WHERE article_id = ?",
                [(now, json.dumps(receipt), article_id) for article_id in article_ids],
            )


def _unwritten(known: Iterable[Takedown], reading: Reading, aliases: Mapping[str, tuple[str, ...]]) -> list[Entry]:
    """Return what a ledger that says so much is to be told."""
    removed = [each for each in known if each.id not in reading.removed]
    erased = [each for each in known if each.erased_at and each.id not in reading.erased]
    return [
        *(
            Entry(
                id=each.id,
                did="removed",
                at=each.removed_at.isoformat(),
                reason=each.reason,
                aliases=aliases.get(each.id, ()),
            )
            for each in removed
        ),
        *(Entry(id=each.id, did="erased", at=each.erased_at.isoformat()) for each in erased if each.erased_at),
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
