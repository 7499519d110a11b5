"""Backups as they lie in a folder: each whole by itself, named by its time, with the hash of every file.

    2026-11-29T120000Z/
        backup.json           of which archive, how far it goes, and the size and SHA-256 of every other file
        archive.sqlite3       the database, with no write-ahead log beside it
        takedowns.jsonl       the ledger, if there is one
        index/gen-000007/     the generation that was served

What two backups have in common is one file with two names. Invariants: what has the name of a time was written to its
end, and is on the disk; what is being made, or deleted, has a name that begins with a dot.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.errors import ArchiveError
from archive.progress import Progress, silent
from archive.syncing import sync
from index.files import file_sha256

FORMAT = 1
MANIFEST = "backup.json"
DATABASE = "archive.sqlite3"
LEDGER = "takedowns.jsonl"
INDEX = "index"
NAME = "%Y-%m-%dT%H%M%SZ"
NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
UNFINISHED = ".backup-"  # begins the name of what is being made or deleted


class BackupError(ArchiveError):
    """A backup cannot be made, or is not whole."""


@dataclass(frozen=True, slots=True)
class File:
    """How large a file is, in bytes, and the SHA-256 of what is in it, as 64 hex digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What one holds. `seq` is the archive's last change in it, `generation` that of the index, None without one."""

    path: Path
    archive: str
    made_at: datetime
    seq: int
    articles: int
    generation: int | None
    files: Mapping[str, File]

    @property
    def size(self) -> int:
        """How many bytes its files have, whatever it has in common with others."""
        return sum(file.size for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup in a folder, or why it is none."""

    path: Path
    backup: Backup | None
    problem: str | None = None


def write_manifest(aside: Path, backup: Backup) -> None:
    """Write down what the folder `aside` holds."""
    facts = {**asdict(backup), "path": None, "made_at": backup.made_at.isoformat(), "format": FORMAT}
    del facts["path"]
    text = json.dumps({**facts, "sum": _sum(facts)}, indent=1, sort_keys=True)
    (aside / MANIFEST).write_text(text, encoding="utf-8")


def read(path: Path) -> Backup:
    """Return what a backup says of itself. Raises BackupError when that is not what was written."""
    try:
        facts = json.loads((path / MANIFEST).read_bytes())
        given = facts.pop("sum")
        if given != _sum(facts):
            raise BackupError(f"{path / MANIFEST}: it is damaged, so what this backup holds cannot be trusted")
        if facts.pop("format") != FORMAT:
            raise BackupError(f"{path}: made by another version of Backfile: restore it by that")
        files = {name: File(**file) for name, file in facts.pop("files").items()}
        made_at = datetime.fromisoformat(facts.pop("made_at"))
        return Backup(path=path, made_at=made_at, files=files, **facts)
    except OSError as error:
        raise BackupError(f"{path / MANIFEST}: {error.strerror}: this is no backup") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(f"{path / MANIFEST}: it is damaged, so what this backup holds cannot be trusted") from error


def _sum(facts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def problem_of(backup: Backup, progress: Progress = silent) -> str | None:
    """Read every file, and say what is wrong with the first that is not what was written; None of a whole backup."""
    done = 0
    for name, file in sorted(backup.files.items()):
        progress("verifying", done, backup.size)
        try:
            found = file_sha256(backup.path / name)
        except OSError as error:
            return f"{backup.path / name}: {error.strerror}"
        if found != file.sha256:
            return f"{backup.path / name}: its SHA-256 differs from the backup's manifest"
        done += file.size
    progress("verifying", done, backup.size)
    return None


def listed(folder: Path) -> list[Listed]:
    """Return what looks like a backup in `folder`, the latest first, without reading the files themselves."""
    try:
        paths = sorted((path for path in folder.iterdir() if NAMED.fullmatch(path.name)), reverse=True)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from error
    return [_listed(path) for path in paths]


def _listed(path: Path) -> Listed:
    try:
        backup = read(path)
        for name, file in backup.files.items():
            if not (path / name).is_file() or (path / name).stat().st_size != file.size:
                return Listed(path, None, f"{path / name}: it is missing, or cut short")
    except BackupError as error:
        return Listed(path, None, str(error))
    return Listed(path, backup)


def whole(folder: Path, *, archive: str | None = None) -> Iterator[Backup]:
    """Yield the backups in `folder`, of this archive if one is named, the latest first."""
    for each in listed(folder):
        if each.backup is not None and archive in (None, each.backup.archive):
            yield each.backup


def name_for(moment: datetime) -> str:
    """Return the name of a backup made at this moment."""
    return moment.astimezone(UTC).strftime(NAME)


def beginning(folder: Path) -> Path:
    """Return a new folder to make a backup in."""
    return Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))


def delete(backup: Backup) -> None:
    """Delete a backup: killed in the midst of that, it leaves nothing that could be taken for one."""
    aside = beginning(backup.path.parent)
    backup.path.rename(aside / backup.path.name)
    sync(backup.path.parent)
    shutil.rmtree(aside)


def sweep(folder: Path) -> None:
    """Delete what others left in `folder` that were killed."""
    for path in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)
