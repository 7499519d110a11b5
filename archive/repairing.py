"""Repairing the database: what can be made again is made again, and what cannot is never touched.

The file is written anew, table by table, and takes the place of the old one, which stays under another name. Indexes
and unused pages come out whole by that. Of a table that can be made again, what cannot be read is left out; one that
holds what nobody can make again must be readable to its end, or nothing is changed.

Invariant: no process has the archive open meanwhile, and at every moment there is a whole database, the old or the new.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from archive import sqlite, wal
from archive.errors import ArchiveDamaged, ArchiveError
from archive.sqlite_database import DAMAGE, RESTORE
from archive.store import Store
from archive.syncing import sync

# What is made again by what is done anyway: chunking, embedding, looking for copies, telling stories, publishing,
# asking feeds and sites, ingesting. Of every other table each row counts.
MADE_AGAIN = {
    *("chunking", "passages", "model", "embedded", "embedding", "signature", "copy", "story_article", "telling"),
    *("generation", "pointer", "page", "told", "robots", "busy_host", "ingest_run", "token_failure"),
    *("shared_generation", "shared_statistics"),
}
NUMBERED = {  # by which their rows can be looked for one by one, and where the highest of those stands
    "embedding": ("embedding_id", "SELECT max(embedding_id) FROM embedded"),
    "signature": ("version_id", "SELECT max(version_id) FROM version"),
    "ingest_run": ("run_id", "SELECT seq FROM sqlite_sequence WHERE name = 'ingest_run'"),
    "generation": ("number", "SELECT seq FROM sqlite_sequence WHERE name = 'generation'"),
}
COPIES, STORIES, SERVED = {"signature", "copy"}, {"story_article", "telling"}, {"generation", "pointer"}


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What was lost of which tables, all of which are made again, and where the old database is."""

    incomplete: list[str]
    put_aside: Path


def keep_what_can_be_read(database: Path) -> str | None:
    """Go on without what a damaged write-ahead log has lost, and say what became of it; None where nothing is lost."""
    log = database.with_name(f"{database.name}-wal")
    lost = wal.lost(log)
    if lost is None:
        return None
    aside = _aside(log)
    shutil.copyfile(log, aside)
    sync(aside)
    sqlite.prepare()
    connection = apsw.Connection(str(database))
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return f"{log}: {lost}: what was committed behind it is lost: ingest it again; the log as it was is in {aside}"


def rewrite(database: Path) -> Rewritten:
    """Write the database anew. Raises ArchiveDamaged, having changed nothing, for what cannot be made again."""
    new = database.with_name(f"{database.name}-repaired")
    _delete(new)
    try:
        Store(new).close()
        incomplete = _fill(new, database)
        aside = _aside(database)
        connection = apsw.Connection(str(database))
        try:  # else what is in its log would be taken for the new one's
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()
        os.link(database, aside)
        sync(new)
        new.replace(database)
        sync(database.parent)
    finally:
        _delete(new)
    return Rewritten(incomplete, aside)


def _fill(new: Path, old: Path) -> list[str]:
    """Copy every table, and return those of which something is left out."""
    written, read = apsw.Connection(str(new)), apsw.Connection(str(old), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        written.pragma("foreign_keys", 0)
        tables = [
            str(name)
            for (name,) in written.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        incomplete = [table for table in tables if not _copy(read, written, table)]
        with suppress(*DAMAGE):  # the highest numbers ever given; else those of the rows there are
            _replace(written, "sqlite_sequence", read.execute("SELECT * FROM sqlite_sequence").fetchall())
        with written:
            _begin_again(written, set(incomplete))
        written.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        written.close()
        read.close()
    return incomplete


def _copy(read: apsw.Connection, written: apsw.Connection, table: str) -> bool:
    """Copy a table, and return whether all of it could be read."""
    indexes = read.execute(f"SELECT name FROM pragma_index_list('{table}')").fetchall()
    for way in ("NOT INDEXED", *(f'INDEXED BY "{name}"' for (name,) in indexes)):  # an index may hold whole rows too
        with suppress(*DAMAGE):
            _replace(written, table, read.execute(f"SELECT * FROM {table} {way}"))
            return True
    if table not in MADE_AGAIN:
        raise ArchiveDamaged(
            f"table {table} cannot be read to its end, and nothing can make its rows again: {RESTORE}"
            " (`flask restore`), and ingest again what came in since"
        )
    _replace(written, table, _readable(read, table))
    return False


def _replace(written: apsw.Connection, table: str, rows: Iterable[Sequence["apsw.SQLiteValue"]]) -> None:
    with written:
        written.execute(f"DELETE FROM {table}")
        columns = len(written.execute(f"SELECT * FROM pragma_table_info('{table}')").fetchall())
        written.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)


def _readable(read: apsw.Connection, table: str) -> Iterator[Sequence["apsw.SQLiteValue"]]:
    """Yield the rows that can be read, looked for one by one: none of a table whose rows have no numbers."""
    if table not in NUMBERED:
        return
    column, highest = NUMBERED[table]
    last = 0
    with suppress(*DAMAGE):
        last = max((int(str(row[0] or 0)) for row in read.execute(highest)), default=0)
    for number in range(1, last + 1):
        with suppress(*DAMAGE):
            yield from read.execute(f"SELECT * FROM {table} WHERE {column} = ?", (number,)).fetchall()


def _begin_again(connection: apsw.Connection, incomplete: set[str]) -> None:
    """Have what is incomplete made again by whoever follows the change log."""
    if incomplete & COPIES:
        connection.execute("DELETE FROM copy; DELETE FROM signature; UPDATE meta SET value = '0' WHERE key = 'copies'")
    if incomplete & STORIES:
        connection.execute("DELETE FROM story_article; DELETE FROM telling; INSERT INTO telling VALUES (1, 0, NULL, 0)")
    if incomplete & SERVED:
        connection.execute("DELETE FROM pointer; INSERT INTO pointer (only) VALUES (1)")
    if incomplete & {"model", "embedded", "embedding"}:
        connection.execute("DELETE FROM embedded WHERE embedding_id NOT IN (SELECT embedding_id FROM embedding)")
        connection.execute("DELETE FROM embedded WHERE model_id NOT IN (SELECT model_id FROM model)")
        connection.execute("DELETE FROM embedding WHERE embedding_id NOT IN (SELECT embedding_id FROM embedded)")
    if incomplete & {"chunking", "passages"}:
        connection.execute("DELETE FROM passages WHERE chunking_id NOT IN (SELECT chunking_id FROM chunking)")


def _aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}")
    if aside.exists():
        raise ArchiveError(f"{aside}: it is there already: try again")
    return aside


def _delete(database: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
