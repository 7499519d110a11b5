"""The quarantine: inputs that could not be read, kept with the reason until a reader can.

The SQL of its table stands here, over the store's own connections and transactions.

Invariants: what comes out is, byte for byte, what went in, or an error. The same input of the same source, rejected
again, is one row; what its source does not hold any more leaves when that is read as a whole. All
of it together stays within its bound: what was rejected longest ago goes first.
"""

import hashlib
import json
import zlib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from archive.article import Rejection
from archive.errors import ArchiveDamaged
from archive.store import Store

MEGABYTE = 1_000_000
ROW_BYTES = 200  # what a row takes beside its texts and its input
MAX_TOGETHER = 100  # rejections in one transaction, or
MAX_TOGETHER_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An input in quarantine: where it was, why it was rejected, its size in bytes, and whether it is kept itself."""

    id: int
    source: str
    line: int | None
    reason: str
    size: int
    is_kept: bool
    first_at: datetime
    last_at: datetime
    times: int


class Quarantine:
    """The quarantine of an archive, bounded to so many `megabytes`; 0 keeps nothing."""

    def __init__(self, store: Store, *, megabytes: int) -> None:
        """Open nothing yet."""
        self._store = store
        self._bound = megabytes * MEGABYTE

    def note(self, rejections: Sequence[tuple[Rejection, int]]) -> set[int]:
        """Keep inputs that were rejected, each with its size in bytes, and return the ids of their rows."""
        if not self._bound:
            return set()
        now = datetime.now(UTC).isoformat()
        noted: set[int] = set()
        with self._store.transaction() as connection:
            for rejection, size in rejections:
                noted.update(found for (found,) in connection.execute(_NOTE, _row(rejection, size, now)))
            connection.execute(_TRIM, (self._bound,))
        return noted

    def count(self) -> int:
        """Return how many inputs there are."""
        return int(self._store.one("SELECT count(*) FROM quarantine")[0])

    def held(self, ids: Sequence[int] = ()) -> list[Held]:
        """Return the inputs with these ids, or all, in the order in which they came first."""
        listed = [_held(row) for row in self._store.rows(_LISTED)]
        return [each for each in listed if each.id in ids] if ids else listed

    def content(self, held: Held) -> bytes | None:
        """Return the input itself, None where it is not kept. Raises ArchiveDamaged when it is not what it was."""
        row = self._store.one("SELECT source, digest, packed FROM quarantine WHERE id = ?", (held.id,))
        return _unpacked(held.id, *row) if row and row[2] is not None else None

    def drop(self, ids: Sequence[int]) -> int:
        """Delete inputs, and return how many there were."""
        return self._delete(*self._store.database.among("id", list(ids)))

    def drop_all(self) -> int:
        """Delete everything, and return how much there was."""
        return self._delete("id >= ?", 0)

    def files(self) -> set[str]:
        """Return the names of the files and addresses of which there is something, and of what lay in them."""
        sources = {source for (source,) in self._store.rows("SELECT DISTINCT source FROM quarantine")}
        return {source[:end] for source in sources for end in (*_bangs(source), len(source))}

    def drop_mended(self, source: str, *, but: Collection[int]) -> int:
        """Delete what came from the file `source`, and what lay in it, but for the ids of what was rejected again."""
        where = "(source = ?1 OR substr(source, 1, length(?1) + 1) = ?1 || '!')"
        found = self._store.rows(f"SELECT id FROM quarantine WHERE {where}", (source,))  # noqa: S608
        gone = [number for (number,) in found if number not in but]
        return self.drop(gone) if gone else 0

    def purge(self, contains: Collection[bytes]) -> int:
        """Delete each input that holds any of these, as they are or as JSON escapes them, or is named or described so.

        What is damaged goes as well: nobody can tell what it held.
        """
        wanted = set(contains)
        for piece in contains:
            with suppress(UnicodeDecodeError):  # bytes that are no text have no other spelling
                wanted.add(json.dumps(piece.decode())[1:-1].encode())
        if not wanted:
            return 0
        rows = self._store.rows("SELECT id, digest, packed, source, reason FROM quarantine")
        return self.drop([row[0] for row in rows if _holds(row, wanted)])

    def problems(self) -> list[str]:
        """Return what is not as it was kept, one line each."""
        wrong = []
        rows = self._store.rows("SELECT id, source, digest, packed FROM quarantine ORDER BY id")
        for number, source, digest, packed in rows:
            try:
                if packed is not None:
                    _unpacked(number, source, digest, packed)
            except ArchiveDamaged as error:
                wrong.append(str(error))
        return wrong

    def _delete(self, where: str, value: str | int) -> int:
        with self._store.transaction() as connection:
            found = list(connection.execute(f"DELETE FROM quarantine WHERE {where} RETURNING id", (value,)))  # noqa: S608
        return len(found)


class Notes:
    """Rejections on their way into a quarantine, some at a time. Use it as a context; the end of it notes the rest."""

    def __init__(self, quarantine: Quarantine | None) -> None:
        """Take the quarantine, or None where there is none."""
        self._quarantine = quarantine
        self._waiting: list[tuple[Rejection, int]] = []
        self._bytes = 0
        self.noted: set[int] = set()

    def __enter__(self) -> "Notes":
        """Begin with nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Note what waits, whatever happened: it was rejected."""
        self.flush()

    def add(self, rejection: Rejection, size: int | None = None) -> None:
        """Keep one rejection of an input, or of a part of one, that has so many bytes.

        Without a size, as of what was fetched, it is kept where its input is: there is no file to look into again.
        """
        size = len(rejection.raw) if rejection.raw is not None else rejection.size or size
        if self._quarantine is None or size is None:
            return
        self._waiting.append((rejection, size))
        self._bytes += len(rejection.raw or b"")
        if len(self._waiting) >= MAX_TOGETHER or self._bytes > MAX_TOGETHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Note what waits, so that `noted` has all of it."""
        if self._quarantine is not None and self._waiting:
            self.noted |= self._quarantine.note(self._waiting)
        self._waiting, self._bytes = [], 0


_LISTED = """
    SELECT id, source, line, reason, size, packed IS NOT NULL, first_at, last_at, times FROM quarantine ORDER BY id
"""
_NOTE = """
    INSERT INTO quarantine (digest, source, line, reason, size, kept, first_at, last_at, packed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
    ON CONFLICT (digest) DO UPDATE SET source = ?2, line = ?3, reason = ?4, kept = ?6, last_at = ?7,
        times = quarantine.times + 1
    RETURNING id
"""
_TRIM = """
    DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (SELECT id, sum(kept) OVER (ORDER BY last_at DESC, id DESC) AS with_newer FROM quarantine) kept
        WHERE with_newer > ?
    )
"""


def _row(rejection: Rejection, size: int, now: str) -> tuple[object, ...]:
    raw = rejection.raw or None
    named = f"{rejection.source}\n{'' if rejection.line is None else rejection.line}"
    packed = None if raw is None else zlib.compress(raw)
    digest = _digest(rejection.source, raw) if raw is not None else hashlib.sha256(_bytes(f"named:{named}")).digest()
    kept = ROW_BYTES + len(rejection.source) + len(rejection.reason) + len(packed or b"")
    reason = rejection.reason.replace(
        "\0", "\ufffd"
    )  # it may quote what was rejected, and PostgreSQL holds no such text
    return digest, rejection.source, rejection.line, reason, size, kept, now, packed


def _bangs(source: str) -> list[int]:
    return [place for place, character in enumerate(source) if character == "!"]


def _digest(source: str, raw: bytes) -> bytes:
    """Return what an input is known and checked by: equal rows of two files are two inputs."""
    return hashlib.sha256(_bytes(source) + b"\n" + raw).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _held(row: Any) -> Held:  # noqa: ANN401 -- a row of the columns above
    number, source, line, reason, size, is_kept, first_at, last_at, times = row
    return Held(
        id=number,
        source=source,
        line=line,
        reason=reason,
        size=size,
        is_kept=bool(is_kept),
        first_at=datetime.fromisoformat(first_at),
        last_at=datetime.fromisoformat(last_at),
        times=times,
    )


def _unpacked(number: int, source: str, digest: bytes, packed: bytes) -> bytes:
    try:
        raw = zlib.decompress(packed)
    except zlib.error:
        raw = b""
    if digest not in (_digest(source, raw), hashlib.sha256(raw).digest()):  # rows of old were known by the input alone
        raise ArchiveDamaged(f"quarantine {number} is not what was kept: `flask quarantine --drop {number}`")
    return raw


def _holds(row: Any, wanted: set[bytes]) -> bool:  # noqa: ANN401 -- a row as `purge` selects them
    number, digest, packed, source, reason = row
    try:
        raw = b"" if packed is None else _unpacked(number, source, digest, packed)
    except ArchiveDamaged:
        return True
    return any(each in part for part in (raw, source.encode(), reason.encode()) for each in wanted)
