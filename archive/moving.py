"""An archive taken from one database to another, row by row: from SQLite to PostgreSQL, or back.

Both are read in the order of each table's key, side by side; what the target lacks is added, what differs is replaced,
and what it has too many is deleted. So a move that was interrupted goes on where it was, an older copy of the same
archive is brought up to date, and the last round, which finds nothing to do, is the proof that both hold the same rows.

Invariants: the source is only read. A target that holds what the source does not is left as it is. Until a move is
done its target says that it is not (`is_unfinished`), and nobody serves from it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from archive.article import Change
from archive.database import SCHEMA, Row, marks
from archive.errors import ArchiveError
from archive.progress import Progress, silent
from archive.store import Store

TOGETHER = 200  # rows read at once and written in one transaction: of the largest texts a few hundred megabytes
ROUNDS = 5  # of which each finds what was written to the source during the one before
UNFINISHED = "unfinished_move"  # the key in `meta` of an archive that is being moved to that database
_OWN = {SCHEMA, UNFINISHED}  # keys in `meta` that say something of the database, and go nowhere
_OF_A_NEW_ONE = {"meta", "pointer", "telling"}  # tables that have rows in a database that holds nothing yet
_UUID = "SELECT value FROM meta WHERE key = 'uuid'"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table: the columns of its key, the one that counts up, and whether a row that differs goes before the new one.

    That is so where rows are told apart by more than the key, or refer to rows that may go; none that others refer to
    for good.
    """

    key: tuple[str, ...]
    numbers: str | None = None
    goes_first: bool = False


def _counted(column: str, *, goes_first: bool = False) -> _Kind:
    return _Kind((column,), column, goes_first)


_TABLES: dict[str, _Kind] = {  # every table, the ones that others refer to first
    "meta": _Kind(("key",)),
    "version": _Kind(("version_id",)),
    "body": _Kind(("version_id",)),
    "article": _Kind(("article_id",)),
    "alias": _Kind(("alias",)),
    "change": _counted("seq"),
    "chunking": _counted("chunking_id"),
    "passages": _Kind(("version_id", "chunking_id")),
    "model": _counted("model_id"),
    "embedding": _counted("embedding_id"),
    "embedded": _Kind(("model_id", "text_hash"), goes_first=True),
    "generation": _counted("number"),
    "pointer": _Kind(("only",), goes_first=True),
    "shared_generation": _Kind(("number",)),
    "shared_statistics": _Kind(("collection", "after_seq")),
    "signature": _Kind(("version_id",)),
    "copy": _Kind(("article_id",)),
    "story_article": _Kind(("article_id",)),
    "story_log": _Kind(("story_id", "step")),
    "telling": _Kind(("only",)),
    "saved_search": _counted("saved_search_id", goes_first=True),
    "alert": _counted("alert_id", goes_first=True),
    "channel": _counted("channel_id", goes_first=True),
    "delivery": _counted("delivery_id", goes_first=True),
    "mail_question": _counted("question_id"),
    "mail_refusal": _Kind(("address_hash",)),
    "ingest_run": _counted("run_id"),
    "quarantine": _counted("id", goes_first=True),
    "follow": _counted("follow_id", goes_first=True),
    "page": _Kind(("url_hash",)),
    "robots": _Kind(("site",)),
    "busy_host": _Kind(("host",)),
    "told": _Kind(("url_hash", "teller")),
    "takedown": _Kind(("article_id",)),
    "token": _counted("token_id"),
    "token_failure": _Kind(("client",)),
    "audit": _counted("audit_id"),
    "refusal": _Kind(("day", "why")),
    "asked": _Kind(("question",), goes_first=True),
}


@dataclass(slots=True)
class Moved:
    """What was done: rows written and deleted in all rounds, and what the last one found equal."""

    written: int = 0
    deleted: int = 0
    rows: dict[str, int] = field(default_factory=dict)  # by table
    sha256: str = ""  # of all rows, as both hold them


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, and where in its rows the key stands."""

    name: str
    kind: _Kind
    columns: Sequence[str]
    key: tuple[int, ...]

    def key_of(self, row: Row) -> Row:
        return tuple(row[place] for place in self.key)


def move(source: Store, target: Store, progress: Progress = silent, *, overwrite: bool = False) -> Moved:
    """Have `target` hold what `source` holds.

    It is new, or a move into it was interrupted; with `overwrite` it may also hold this archive as it was before, of
    which nothing is lost but what was written there alone and is no change of an article. Raises ArchiveError for any
    other, having changed nothing.
    """
    if is_unfinished(source):
        raise ArchiveError(
            f"{source.database.name}: not all of an archive has come there: that move is to be ended first"
        )
    _refuse(source, target, overwrite=overwrite)
    moved = Moved()
    with target.transaction() as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, '') ON CONFLICT DO NOTHING", (UNFINISHED,))
    if is_unfinished(source):
        target.change("DELETE FROM meta WHERE key = ?", (UNFINISHED,))
        raise ArchiveError(f"{target.database.name}: the archive is there already, under another name: nothing to move")
    for _ in range(ROUNDS):
        with source.database.snapshot():
            is_equal = _round(source, target, moved, progress)
        if is_equal:
            _count_on(source, target)
            target.change("DELETE FROM meta WHERE key = ?", (UNFINISHED,))
            return moved
    raise ArchiveError("the archive changes faster than it can be moved: stop what writes to it and try again")


def _refuse(source: Store, target: Store, *, overwrite: bool) -> None:
    """Raise ArchiveError where something would be lost in the target."""
    name = target.database.name
    if all(not _count(target, table) for table in _TABLES if table not in _OF_A_NEW_ONE):
        return
    if target.one(_UUID) != source.one(_UUID):
        raise ArchiveError(f"{name} holds something else: give an empty database, or a copy of this archive")
    if _own_changes(source, target):
        raise ArchiveError(
            f"{name} holds changes of articles that this archive does not: nothing was moved. If none is wanted, delete"
            " or rename it"
        )
    if not overwrite and not is_unfinished(target):
        raise ArchiveError(f"{name} holds this archive as it was before: --overwrite brings it up to date")


def _own_changes(source: Store, target: Store) -> list[Change]:
    """Return what the target's change log alone says, but for takedowns that hold in both: they come by the ledger."""
    theirs, ours = (store.changes(after=0, until=target.last_seq()) for store in (target, source))
    common = next((place for place, pair in enumerate(zip(theirs, ours)) if pair[0] != pair[1]), len(ours))  # noqa: B905
    return [change for change in theirs[common:] if change.kind != "removed" or not _is_removed(source, change)]


def _is_removed(store: Store, change: Change) -> bool:
    row = store.one("SELECT status FROM article WHERE article_id = ?", (change.article_id,))
    return row is not None and row[0] == "removed"


def is_unfinished(store: Store) -> bool:
    """Tell whether a move into this archive's database has not come to its end."""
    return store.one("SELECT 1 FROM meta WHERE key = ?", (UNFINISHED,)) is not None


def _round(source: Store, target: Store, moved: Moved, progress: Progress) -> bool:
    """Bring every table over, and return whether nothing was to be done."""
    before = moved.written + moved.deleted
    tables = [_table(source, name, kind) for name, kind in _TABLES.items()]
    for table in reversed(tables):
        moved.deleted += _delete_extra(source, target, table)
    total, done, digest = sum(_count(source, table.name) for table in tables), 0, hashlib.sha256()
    is_left_alone = True
    for table in tables:
        rows, missing = 0, list[Row]()
        for row, there in _side_by_side(_rows(source, table), _rows(target, table), table.key_of):
            if row is None:  # written by somebody else just now
                is_left_alone = False
                continue
            rows += 1
            digest.update(repr((table.name, row)).encode("utf-8", "surrogatepass"))
            if row != there:
                missing.append(row)
            if rows % TOGETHER == 0:
                moved.written += _write(target, table, missing)
                missing = []
                progress("moving", done + rows, total)
        moved.written += _write(target, table, missing)
        moved.rows[table.name] = rows
        done += rows
        progress("moving", done, total)
    moved.sha256 = digest.hexdigest()
    return is_left_alone and moved.written + moved.deleted == before


def _count_on(source: Store, target: Store) -> None:
    """See to it that no number is given twice, which a row had that is no more."""
    for name, kind in _TABLES.items():
        if kind.numbers is not None:
            last = source.database.last_number(name, kind.numbers)
            with target.transaction() as connection:
                target.database.number_on(connection, name, kind.numbers, after=last)


def _table(store: Store, name: str, kind: _Kind) -> _Table:
    columns = store.database.columns(name)
    return _Table(name, kind, columns, tuple(map(columns.index, kind.key)))


def _count(store: Store, table: str) -> int:
    return int(store.one(f"SELECT count(*) FROM {table}")[0])


def _side_by_side(
    ours: Iterator[Row], theirs: Iterator[Row], key_of: Callable[[Row], Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    """Yield the rows of both in the order of their keys, None where one has no such row."""
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        mine = None if one is None else _order(key_of(one))
        its = None if other is None else _order(key_of(other))
        if its is None or (mine is not None and mine < its):
            yield one, None
            one = next(ours, None)
        elif mine is None or its < mine:
            yield None, other
            other = next(theirs, None)
        else:
            yield one, other
            one, other = next(ours, None), next(theirs, None)


def _itself(key: Row) -> Row:
    return key


def _order(key: Row) -> Row:
    """Return what sorts as the databases do: texts by their bytes."""
    return tuple(part.encode() if isinstance(part, str) else part for part in key)


def _rows(store: Store, table: _Table, *, keys_only: bool = False) -> Iterator[Row]:
    """Yield the rows of a table, or their keys, in the order of its key."""
    names = [f'"{table.columns[place]}"' for place in table.key]
    key, columns = ", ".join(names), ", ".join(names if keys_only else [f'"{column}"' for column in table.columns])
    after: Row = ()
    while True:
        begin = f"WHERE ({key}) > ({marks(after)})" if after else ""
        select = f"SELECT {columns} FROM {table.name} {begin} ORDER BY {key} LIMIT {TOGETHER}"
        batch = [tuple(row) for row in store.rows(select, after)]
        yield from (row for row in batch if table.name != "meta" or row[0] not in _OWN)
        if len(batch) < TOGETHER:
            return
        after = batch[-1] if keys_only else table.key_of(batch[-1])


def _write(target: Store, table: _Table, rows: Sequence[Row]) -> int:
    if not rows:
        return 0
    columns = [f'"{column}"' for column in table.columns]
    key = [columns[place] for place in table.key]
    others = [f"{column} = excluded.{column}" for column in columns if column not in key]
    instead = f"UPDATE SET {', '.join(others)}" if others else "NOTHING"
    known = "" if table.kind.goes_first else f"ON CONFLICT ({', '.join(key)}) DO {instead}"
    names = ", ".join(columns)
    with target.transaction() as connection:
        connection.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks(columns)}) {known}", rows)
    return len(rows)


def _delete_extra(source: Store, target: Store, table: _Table) -> int:
    """Delete the rows of the target that the source does not have, and those that differ where these go first."""
    if not _count(target, table.name):
        return 0
    whole = table.kind.goes_first
    ours, theirs = (_rows(store, table, keys_only=not whole) for store in (source, target))
    key_of = table.key_of if whole else _itself
    both = _side_by_side(ours, theirs, key_of)
    gone, replaced = list[Row](), list[Row]()
    for mine, other in both:
        if other is not None and mine != other:
            (gone if mine is None else replaced).append(key_of(other))
    where = " AND ".join(f'"{table.columns[place]}" = ?' for place in table.key)
    with target.transaction() as connection:
        connection.executemany(f"DELETE FROM {table.name} WHERE {where}", [*gone, *replaced])
    return len(gone)
