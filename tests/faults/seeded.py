"""Faults that are built into the program, so that it can be seen that they are found. Only tests run this."""

from collections.abc import Callable
from pathlib import Path

import archive.ledger
import index.files
from archive import sqlite_database, store
from archive.database import Connection
from archive.store import Store
from archive.syncing import sync
from index import generation
from index.generation import Manifest


def pointer_before_rename() -> None:
    """Name a generation in the archive a moment before it stands in its place."""
    seal, publish = generation.seal, Store.publish
    waiting: list[tuple[Path, Path]] = []

    def sealing(aside: Path, manifest: Manifest, *, target: Path, known: dict[str, str]) -> bytes:
        late = target.with_name("building-late")
        waiting.append((late, target))
        return seal(aside, manifest, target=late, known=known)

    def publishing(self: Store, published: store.PublishedGeneration, *args: object, **kwargs: object) -> None:
        publish(self, published, *args, **kwargs)  # type: ignore[arg-type]
        late, target = waiting.pop()
        late.rename(target)
        sync(target.parent)

    generation.seal, Store.publish = sealing, publishing  # type: ignore[method-assign]


def split_transaction() -> None:
    """Keep an article in one transaction, and its entry in the change log in another."""
    log = Store._log

    def logging(self: Store, connection: Connection, *args: object, **kwargs: object) -> None:
        connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        log(self, connection, *args, **kwargs)  # type: ignore[arg-type]

    Store._log = logging  # type: ignore[method-assign]


def missing_fsync() -> None:
    """Leave to the disk when it keeps a generation's files."""
    for module in (generation, index.files, archive.ledger):
        module.sync = lambda path: None  # type: ignore[attr-defined]


def log_not_synced() -> None:
    """Have SQLite sync its log at checkpoints only: whole after a crash, and without what was acknowledged last."""
    sqlite_database.WRITER_PRAGMAS["synchronous"] = "normal"


FAULTS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (pointer_before_rename, split_transaction, missing_fsync, log_not_synced)
}
