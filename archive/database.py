"""What the archive asks of the database that keeps it, whichever that is.

The statements of `archive.store`, and of the modules that hold those of their own tables, are written in the SQL that
every such database understands. Bindings are written `?`, or `?1` where one stands more than once.

Invariants of each: a transaction is all or nothing, and on the disk when its context has been left; one transaction
that writes follows another, so that what it reads first is so until it ends; readers never wait for a writer.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, TypeVar

from archive.errors import ArchiveDamaged

T = TypeVar("T")
SCHEMA = "schema"  # the key in `meta` of the schema's number, where the database has no place of its own for it
BATCH = 500  # rows read or bound at once; SQLite's own limit is 32,766 parameters

Bindings = Sequence[Any]
Row = tuple[Any, ...]


class Cursor(Protocol):
    """What a statement gives: its rows, one after the other."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 a row of any shape
        """Return the next row, None when there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        ...


class Connection(Protocol):
    """The one connection that writes, within its transaction."""

    def execute(self, sql: str, bindings: Bindings = (), /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Bindings], /) -> object:
        """Run one statement once for each row of bindings; it gives no rows."""
        ...

    def changes(self) -> int:
        """Return how many rows the last statement changed."""
        ...


class Counting(Protocol):
    """What several machines count together: when buckets are full again. Safe to use from several threads."""

    def take(self, name: bytes, *, cost: float, most: float) -> tuple[bool, float]:
        """Put off the moment at which a bucket is full by `cost` seconds, unless it would be more than `most` away.

        Return whether that was done, and how many seconds away it is. Raises ArchiveError, soon, when nobody can tell.
        """
        ...

    def forget(self) -> None:
        """Forget the buckets that are full. Raises ArchiveError."""
        ...


class Database(Protocol):
    """A database with the archive's tables. Safe to use from several threads. `name` is what messages call it."""

    name: str

    @property
    def counting(self) -> Counting | None:
        """What counts for all machines; None where there is one, which counts for itself."""
        ...

    def close(self) -> None:
        """Close every connection. It may be closed again."""
        ...

    def transaction(self) -> AbstractContextManager[Connection]:
        """Return a context in which the connection that writes is lent; an exception undoes what was done in it."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Let this thread read everything as it is now, whatever is written meanwhile."""
        ...

    def rows(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that only reads."""
        ...

    def scan(self, sql: str, bindings: Bindings = ()) -> Iterator[Any]:
        """Yield the rows of a statement that reads a large part of the archive, which memory need not hold at once."""
        ...

    def among(self, column: str, values: Sequence[str] | Sequence[int]) -> tuple[str, Any]:
        """Return a condition with one binding, and that: the column has one of these values, however many."""
        ...

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in their order."""
        ...

    def disk_bytes(self) -> int:
        """Return how many bytes of disk it takes."""
        ...

    def last_number(self, table: str, column: str) -> int:
        """Return the highest number that a row of a table ever had where the database counts them, 0 for none."""
        ...

    def number_on(self, connection: Connection, table: str, column: str, *, after: int) -> None:
        """Give no further row of a table, whose rows may have come with numbers of their own, one up to this."""
        ...

    def version_by_index(self, version_id: int) -> tuple[str, int] | None:
        """Return the article and number of a version whose own row cannot be read; None where nothing tells."""
        ...

    def copy_to(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Write all of it, as this thread's snapshot sees it, into a new file; `progress` is told how far that is.

        Raises ArchiveDamaged for what cannot be read, ArchiveError where it cannot be written.
        """
        ...

    def flush(self, *, seconds: float) -> bool:
        """See to it that nobody reads what was overwritten, and no log holds it; return whether that came in time."""
        ...

    def rewrite(self) -> None:
        """Write all of it anew, so that nothing is left in what is not used. Raises ArchiveBusy while that is read."""
        ...

    @property
    def keeps_overwritten(self) -> bool:
        """Tell whether what was overwritten stays in its files until it is written anew."""
        ...

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Be the only one to do what goes by this name, among machines that have one database.

        Raises ArchiveBusy, naming the process, when another one is. Processes of one machine see to it by themselves.
        """
        ...

    def files(self) -> list[Path]:
        """Return the files on this machine that it is kept in."""
        ...

    def checks(self) -> Iterable[Callable[[], Iterator[str]]]:
        """Return what looks for damage in the database as such; each yields one line a problem."""
        ...


def scripts(folder: str, *, after: int, name: str) -> Sequence[tuple[int, str]]:
    """Return the scripts in a folder of this package that bring a database from schema `after` on, each with its own.

    Raises ArchiveDamaged when that is newer than all of them; `name` is what the message calls the database.
    """
    every = sorted(
        (int(entry.name[:3]), entry.read_text(encoding="utf-8"))
        for entry in (resources.files("archive") / folder).iterdir()
        if entry.name.endswith(".sql")
    )
    if after > every[-1][0]:
        raise ArchiveDamaged(f"{name}: schema {after} is newer than this program: upgrade Backfile")
    return every[after:]


def marks(batch: Sequence[Any]) -> str:
    """Return what stands for a batch of bindings in a list."""
    return ",".join("?" * len(batch))


def listed(batch: Sequence[Bindings]) -> tuple[str, list[Any]]:
    """Return a table of these rows, whose columns are `column1` and so on, and its bindings."""
    one = f"({marks(batch[0])})"
    return f"(VALUES {','.join([one] * len(batch))})", [value for row in batch for value in row]


def batches(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """Return stretches of at most `BATCH` items."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
