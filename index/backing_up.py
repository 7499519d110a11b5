"""Making a backup of everything under the data folder that cannot be made again, and of the index, which takes long.

It is made beside whatever goes on: the database is copied as it stands at one moment, page by page with each page's
checksum verified; the generation that it points to is held by hard links meanwhile. What the backup before has already,
by its hash, is linked and not copied.

Invariant: the copied database points to the generation beside it, whose files are what its manifest says, or to none.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from archive.ledger import Ledger
from archive.lock import exclusive
from archive.progress import Progress, silent
from archive.sqlite_database import settle_copy
from archive.store import PublishedGeneration, Store
from archive.syncing import sync
from index import backups, generation
from index.backups import Backup, BackupError, File
from index.errors import GenerationDamaged
from index.files import file_sha256

LOCK = ".lock"  # of a folder of backups
DATA_LOCK = "backup.lock"  # of an archive that is backed up
HELD = "backing-up-"  # begins the folder that holds a generation by hard links while it is backed up
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)  # another disk, or one that has no hard links
TRIES = 3  # a generation may be deleted between being named and being held


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: how many bytes of it were copied, which earlier ones were deleted, and what to know."""

    backup: Backup
    copied: int
    deleted: list[Path]
    notes: list[str]


def back_up(
    folder: Path, *, data: Path, store: Store, ledger: Ledger, keep: int | None = None, progress: Progress = silent
) -> Made:
    """Make a backup in `folder`, and delete all but the latest `keep` of this archive. Raises BackupError."""
    if folder.resolve().is_relative_to(data.resolve()):
        raise BackupError(f"{folder}: a backup inside the data folder is lost with it: name a folder on another disk")
    with _clear(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(data / DATA_LOCK), exclusive(folder / LOCK):
            backups.sweep(folder)
            before = next(backups.whole(folder, archive=store.uuid), None)
            aside = backups.beginning(folder)
            try:
                making = _Making(aside, data=data, store=store, before=before, progress=progress)
                backup = making.make(ledger)
                path = _name(aside, backup, folder)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            backup = backups.read(path)
            deleted = list(backups.whole(folder, archive=store.uuid))[keep:] if keep else []
            for old in deleted:
                backups.delete(old)
    store.note_backup(folder.resolve(), at=backup.made_at)
    return Made(backup, making.copied, [old.path for old in deleted], making.notes)


@contextmanager
def _clear(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BackupError(f"{folder}: no space is left: make room, or keep fewer backups (--keep)") from error
        raise BackupError(f"{error.filename or folder}: {error.strerror}") from error


def _name(aside: Path, backup: Backup, folder: Path) -> Path:
    """Have all of it on the disk, and give it its name."""
    backups.write_manifest(aside, backup)
    for path in aside.rglob("*"):
        sync(path)
    sync(aside)
    path = folder / backups.name_for(backup.made_at)
    if path.exists():
        raise BackupError(f"{path}: there is a backup of this very second: try again")
    aside.rename(path)
    sync(folder)
    return path


class _Making:
    """One backup in the making."""

    def __init__(self, aside: Path, *, data: Path, store: Store, before: Backup | None, progress: Progress) -> None:
        self._aside = aside
        self._index = data / backups.INDEX
        self._store = store
        self._kept = {file.sha256: before.path / name for name, file in before.files.items()} if before else {}
        self._progress = progress
        self._copies_all = False
        self.copied = 0
        self.notes: list[str] = []

    def make(self, ledger: Ledger) -> Backup:
        """Bring everything together, and return what there is."""
        for left in self._index.glob(f"{HELD}*"):
            shutil.rmtree(left, ignore_errors=True)
        held = None
        try:
            current, held, seq, articles, made_at = self._copy_database()
            index = self._take_index(held, current) if held and current else {}
        finally:
            if held:
                shutil.rmtree(held, ignore_errors=True)
        settle_copy(self._aside / backups.DATABASE, has_index=bool(index))
        if ledger.path.exists():  # later than the database, so it knows of all that was taken down there
            shutil.copyfile(ledger.path, self._aside / backups.LEDGER)
        alone = [name for name in (backups.DATABASE, backups.LEDGER) if (self._aside / name).exists()]
        files = {**{name: self._same_as_before(name) for name in alone}, **index}
        if self._copies_all:
            self.notes.append("files of the index were copied: this disk has no hard links to them")
        return Backup(
            path=self._aside,
            archive=self._store.uuid,
            made_at=made_at,
            seq=seq,
            articles=articles,
            generation=current.number if current and index else None,
            files=files,
        )

    def _copy_database(self) -> tuple[PublishedGeneration | None, Path | None, int, int, datetime]:
        for _ in range(TRIES):
            with self._store.snapshot():
                current, _ = self._store.pointer()
                try:
                    held = self._hold(current) if current else None
                except FileNotFoundError:  # it was deleted, so another is served by now
                    continue
                at = datetime.now(UTC).replace(microsecond=0)
                seq, articles = self._store.last_seq(), self._store.count_live()
                try:
                    self._store.database.copy_to(
                        self._aside / backups.DATABASE, partial(self._progress, "copying pages")
                    )
                except BaseException:
                    if held:
                        shutil.rmtree(held, ignore_errors=True)
                    raise
            return current, held, seq, articles, at
        raise BackupError("the index is published too fast to be backed up: try again when nothing is ingested")

    def _hold(self, current: PublishedGeneration) -> Path | None:
        """Return a folder in which the files of a generation stay, whatever becomes of itself; None of a lost one."""
        directory = generation.path_of(self._index, current.number)
        held = Path(tempfile.mkdtemp(prefix=HELD, dir=self._index))
        try:
            manifest = generation.read_manifest(directory, sha256=current.manifest_sha256)
            for name in (generation.MANIFEST, *manifest.files):
                (held / name).parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(directory / name, held / name)
        except GenerationDamaged as error:
            shutil.rmtree(held)
            if not directory.exists() and self._store.pointer()[0] != current:
                raise FileNotFoundError(directory) from error
            self.notes.append(f"the index is not in the backup: {error}")
            return None
        except BaseException:
            shutil.rmtree(held, ignore_errors=True)
            raise
        return held

    def _take_index(self, held: Path, current: PublishedGeneration) -> dict[str, File]:
        """Bring over what a generation consists of, and return it by its name in the backup; nothing when damaged."""
        root = generation.path_of(Path(backups.INDEX), current.number)
        manifest = generation.read_manifest(held, sha256=current.manifest_sha256)
        hashes = {**manifest.files, generation.MANIFEST: current.manifest_sha256.hex()}
        files: dict[str, File] = {}
        for done, (name, sha256) in enumerate(sorted(hashes.items())):
            self._progress("copying files of the index", done, len(hashes))
            target = self._aside / root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not self._bring(held / name, target, sha256=sha256):
                self.notes.append(f"the index is not in the backup, for {name} is damaged: run `flask reindex`")
                shutil.rmtree(self._aside / backups.INDEX)
                return {}
            files[str(root / name)] = File(target.stat().st_size, sha256)
        self._progress("copying files of the index", len(hashes), len(hashes))
        return files

    def _bring(self, source: Path, target: Path, *, sha256: str) -> bool:
        """Have a file in the backup, and return whether it is what it should be."""
        for origin in filter(None, (self._kept.get(sha256), source)):
            target.unlink(missing_ok=True)
            if not self._link(origin, target):
                shutil.copyfile(origin, target)
                self.copied += target.stat().st_size
            if file_sha256(target) == sha256:
                return True
        return False

    def _link(self, origin: Path, target: Path) -> bool:
        try:
            os.link(origin, target)
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            self._copies_all = True
            return False
        return True

    def _same_as_before(self, name: str) -> File:
        """Return what a file that was copied is; one that the backup before has as well becomes that one."""
        path = self._aside / name
        file = File(path.stat().st_size, file_sha256(path))
        old = self._kept.get(file.sha256)
        if old is not None and file_sha256(old) == file.sha256:
            again = path.with_name(f"{path.name}.linked")
            if self._link(old, again):
                again.replace(path)
                return file
        self.copied += file.size
        return file


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        shutil.copyfile(source, target)
