"""What the archive keeps of an index that several machines share: what its generations are, and its statistics.

Statistics are the sum of a collection's parts, one for each update. A part is begun with what goes out, before anything
is taken out, so that an update that was stopped and begun again counts nothing twice.

Invariant: it follows from the archive and can be made again; none of it is needed to read an article.
"""

from collections.abc import Collection
from dataclasses import dataclass

from archive.database import marks
from archive.store import Store

BEGINNING = -1  # the change after which the first part of a collection begins


@dataclass(frozen=True, slots=True)
class StatisticsPart:
    """What an update, of the changes after one up to another, took out and put in; `come` None: it was stopped."""

    after: int
    until: int
    gone: bytes
    come: bytes | None


class SharedIndex:
    """The tables of a shared index. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        """Keep them beside the archive in `store`."""
        self._store = store

    def collections(self) -> list[str]:
        """Return the names of the collections that statistics are kept of."""
        rows = self._store.rows("SELECT DISTINCT collection FROM shared_statistics ORDER BY collection")
        return [name for (name,) in rows]

    def manifest(self, number: int) -> str | None:
        """Return the manifest of a generation, None where there is none."""
        row = self._store.one("SELECT manifest FROM shared_generation WHERE number = ?", (number,))
        return None if row is None else str(row[0])

    def put_manifest(self, number: int, manifest: str) -> None:
        """Keep the manifest of a generation, in place of what a build that was stopped has left."""
        self._store.change(
            "INSERT INTO shared_generation (number, manifest) VALUES (?, ?)"
            " ON CONFLICT (number) DO UPDATE SET manifest = excluded.manifest",
            (number, manifest),
        )

    def retire(self, *, keep: Collection[int], collections: Collection[str]) -> None:
        """Forget all generations but these, and the statistics of all collections but these."""
        numbers, names = [0, *keep], ["", *collections]  # a list of nothing is none that SQL knows
        with self._store.transaction() as connection:
            connection.execute(f"DELETE FROM shared_generation WHERE number NOT IN ({marks(numbers)})", numbers)
            connection.execute(f"DELETE FROM shared_statistics WHERE collection NOT IN ({marks(names)})", names)

    def spans(self, collection: str, *, until: int) -> list[tuple[int, int]]:
        """Return the changes after which each part of a collection begins and with which it ends, up to a change.

        Each begins where the one before it ends: after a rollback there are others, of updates that do not count.
        """
        rows = self._store.rows(
            "SELECT after_seq, until_seq FROM shared_statistics WHERE collection = ? AND come IS NOT NULL",
            (collection,),
        )
        ends = dict(rows)
        found: list[tuple[int, int]] = []
        at = BEGINNING
        while at in ends and ends[at] <= until:
            found.append((at, ends[at]))
            at = ends[at]
        return found

    def part(self, collection: str, *, after: int) -> StatisticsPart | None:
        """Return the part that begins after a change, None where none was begun."""
        row = self._store.one(
            "SELECT after_seq, until_seq, gone, come FROM shared_statistics WHERE collection = ? AND after_seq = ?",
            (collection, after),
        )
        return None if row is None else StatisticsPart(*row)

    def merge(self, collection: str, part: StatisticsPart) -> None:
        """Keep one part in place of all that end where it does, or before."""
        with self._store.transaction() as connection:
            connection.execute(
                "DELETE FROM shared_statistics WHERE collection = ? AND until_seq <= ?", (collection, part.until)
            )
            connection.execute(
                "INSERT INTO shared_statistics (collection, after_seq, until_seq, gone, come) VALUES (?, ?, ?, ?, ?)",
                (collection, part.after, part.until, part.gone, part.come),
            )

    def put_part(self, collection: str, part: StatisticsPart) -> None:
        """Keep a part, in place of the one that begins after the same change."""
        self._store.change(
            "INSERT INTO shared_statistics (collection, after_seq, until_seq, gone, come) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (collection, after_seq) DO UPDATE SET until_seq = excluded.until_seq, gone = excluded.gone,"
            " come = excluded.come",
            (collection, part.after, part.until, part.gone, part.come),
        )
