"""The ledger of takedowns: a file to which lines are only ever added, and which no restored backup takes back.

    {"id": "…", "did": "removed", "at": "…", "reason": "…", "aliases": ["…"], "previous": "…", "sum": "…"}

One JSON object a line; `previous` is the SHA-256 of the line before, so that a line that was changed or taken out
shows, and `sum` that of the line up to there, so that a change of the last one shows too (older lines have none). It
holds ids and reasons, and no word of what was taken down.

Invariants: what `add` has returned from is on the disk. One line that is damaged costs nothing but itself: it is named,
and the others hold; one that can still be read hides, and erases nothing. Several processes may add at once.
"""

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from archive.errors import ArchiveError
from archive.syncing import sync

Deed = Literal["removed", "erased", "begun"]
FIRST = "0" * 64  # `previous` of the first line
SUM = b', "sum": "'
KEYS = {"id", "did", "at", "reason", "aliases", "previous", "sum"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: what was done to an article, when and why, and by which other ids it was known.

    Of no article, that the ledger was begun; its reason says what there was already.
    """

    id: str
    did: Deed
    at: str
    reason: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ledger says: of each article the first time that it was removed and erased; and what is wrong with it.

    Of one that was erased, the line of its removal may be lost: it was removed all the same, see `gone`.
    """

    removed: Mapping[str, Entry] = field(default_factory=dict)
    erased: Mapping[str, Entry] = field(default_factory=dict)
    problems: Sequence[str] = ()
    begun: Entry | None = None

    @property
    def began_late(self) -> str | None:
        """Say that this may not be the right ledger, None when nothing speaks for that."""
        if self.begun is None or not self.begun.reason:
            return None
        return (
            f"the ledger was not there, or empty, on {self.begun.at}, when {self.begun.reason}: if there was one"
            " before, put it back in its place, for a backup brings back what only that one knows of"
        )

    @property
    def gone(self) -> Mapping[str, Entry]:
        """What was removed, by its line or by that of its erasing alone."""
        implied = {id_: replace(each, did="removed") for id_, each in self.erased.items() if id_ not in self.removed}
        return {**self.removed, **implied}


class Ledger:
    """The ledger in the file at `path`, made with its first line. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        self._lock = threading.Lock()
        self._read: tuple[tuple[int, int, int], Reading] | None = None

    def read(self) -> Reading:
        """Return what the ledger says. Raises ArchiveError when it is there and cannot be read."""
        with self._lock:
            try:
                status = self.path.stat()
                stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
                if self._read is None or self._read[0] != stamp:
                    self._read = stamp, _reading(self.path.read_bytes(), name=str(self.path))
                return self._read[1]
            except FileNotFoundError as error:
                if self.path.parent.is_dir():
                    return Reading()
                raise self._unusable(error) from error  # a disk that is not there: its takedowns would come back
            except OSError as error:
                raise self._unusable(error) from error

    def begin(self, *, changes: int) -> bool:
        """Write the first line of a ledger that is not there or empty, and return whether that was so.

        The archive has had so many changes.
        """
        try:
            if self.path.exists() and self.path.stat().st_size:
                return False
        except OSError as error:
            raise self._unusable(error) from error
        reason = f"the archive had {changes} change{'s' if changes > 1 else ''} already" if changes else None
        self.add([Entry(id="", did="begun", at=datetime.now(UTC).isoformat(timespec="seconds"), reason=reason)])
        return True

    def add(self, entries: Sequence[Entry]) -> None:
        """Write these lines, and return when they are on the disk. Raises ArchiveError when that cannot be."""
        if not entries:
            return
        try:
            is_new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                file.write(_lines(file.read(), entries))  # behind all that was read
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync(self.path.parent)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ArchiveError:
        return ArchiveError(f"{self.path}: {error.strerror}: takedowns need their ledger, so mend this first")


def _reading(content: bytes, *, name: str) -> Reading:
    done: dict[Deed, dict[str, Entry]] = {"removed": {}, "erased": {}, "begun": {}}
    problems, previous = [], FIRST
    for number, line in enumerate(filter(None, content.split(b"\n")), start=1):
        try:
            entry, said = _entry(line)
        except (ValueError, TypeError, KeyError):
            problems.append(f"{name}: line {number} cannot be read and is passed over; the other lines hold")
        else:
            if not _is_whole(line):
                problems.append(f"{name}: line {number} differs from its own checksum: it was changed")
                entry = replace(entry, did="removed")
            if entry.id or entry.did == "begun":
                done[entry.did].setdefault(entry.id, entry)
            if said != previous:
                problems.append(f"{name}: line {number} does not follow the line before: one was changed or taken out")
        previous = _digest(line)
    return Reading(done["removed"], done["erased"], problems, begun=done["begun"].get(""))


def _is_whole(line: bytes) -> bool:
    """Tell whether a line that can be read is as it was written."""
    said = json.loads(line)
    if not said.keys() <= KEYS:
        return False
    before, _, after = line.rpartition(SUM)
    return "sum" not in said or after == f'{_digest(before)}"}}'.encode()


def _entry(line: bytes) -> tuple[Entry, str]:
    said = json.loads(line)
    entry = Entry(
        id=said["id"], did=said["did"], at=said["at"], reason=said.get("reason"), aliases=tuple(said.get("aliases", ()))
    )
    texts = (entry.id, entry.at, entry.reason or "", *entry.aliases)
    if entry.did not in ("removed", "erased", "begun") or not all(isinstance(text, str) for text in texts):
        raise ValueError("not an entry")
    return entry, said["previous"]


def _lines(content: bytes, entries: Sequence[Entry]) -> bytes:
    """Return what is to stand behind `content`, whose last line a crash may have cut short."""
    written = [line for line in content.split(b"\n") if line]
    previous = _digest(written[-1]) if written else FIRST
    added = b"" if not content or content.endswith(b"\n") else b"\n"
    for entry in entries:
        said = {"id": entry.id, "did": entry.did, "at": entry.at, "reason": entry.reason}
        line = json.dumps({**said, "aliases": entry.aliases, "previous": previous}).encode().removesuffix(b"}")
        line += SUM + f'{_digest(line)}"}}'.encode()
        previous = _digest(line)
        added += line + b"\n"
    return added


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
