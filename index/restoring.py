"""Bringing a backup back: into the data folder, or elsewhere, once every file of it was found to be what was written.

All is made ready beside the place where it is to stand, and put there by renaming; what stood there is put aside, and
nothing of it is deleted. Killed at any moment, it leaves the folder as it was, or away under the name that is told.

Invariants: no file is shared with the backup, which later changes of the archive must not reach. The ledger of
takedowns never goes back: a newer one that is at hand takes the place of the backup's.
"""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from archive.ledger import Ledger
from archive.lock import refuse_if_open
from archive.progress import Progress, silent
from archive.syncing import sync
from index import backups
from index.backups import Backup, BackupError

UNFINISHED = ".{name}.restoring-"  # begins the name of what is not ready


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where what stood there is now, None when nothing did."""

    backup: Backup
    put_aside: Path | None


def choose(path: Path, progress: Progress = silent) -> tuple[Backup, list[str]]:
    """Return the backup at `path`, or the latest in that folder that is whole, and why later ones are not.

    Every file of it has been read. Raises BackupError when there is none.
    """
    if (path / backups.MANIFEST).exists() or backups.NAMED.fullmatch(path.name):
        backup = backups.read(path)
        if problem := backups.problem_of(backup, progress):
            raise BackupError(f"{problem}: restore another one")
        return backup, []
    problems: list[str] = []
    for each in backups.listed(path):
        problem = each.problem or (backups.problem_of(each.backup, progress) if each.backup else None)
        if each.backup and not problem:
            return each.backup, problems
        problems.append(f"{each.path.name} is passed over: {problem}")
    raise BackupError("; ".join([f"{path}: there is no whole backup", *problems]))


def restore(
    backup: Backup,
    target: Path,
    *,
    ledgers: Iterable[Path],
    outside: Path | None = None,
    progress: Progress = silent,
    now: datetime | None = None,
) -> Restored:
    """Have what a verified backup holds stand at `target`, with what these ledgers say as well.

    The ledger `outside` the data folder, where there is one, stays; the backup's takes its place only if it is lost.
    Raises ArchiveBusy while another process has the archive there open.
    """
    if target.is_symlink():
        target = target.resolve()
    _refuse_unfit(target, backup)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = UNFINISHED.format(name=target.name)
    refuse_if_open(target / backups.DATABASE)
    for left in target.parent.glob(f"{unfinished}*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=unfinished, dir=target.parent))
    try:
        _copy(backup, aside, progress)
        _merge(aside / backups.LEDGER, [each for each in ledgers if each.exists()])
        if outside is not None and not outside.exists() and (aside / backups.LEDGER).exists():
            shutil.copyfile(aside / backups.LEDGER, outside)
            sync(outside)
        for path in (*aside.rglob("*"), aside):
            sync(path)
        put_aside = _put_aside(target, now or datetime.now(UTC))
        try:
            aside.rename(target)
        except OSError:
            if put_aside:
                put_aside.rename(target)
            raise
        sync(target.parent)
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {error.strerror}: nothing was restored") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Restored(backup, put_aside)


def _refuse_unfit(target: Path, backup: Backup) -> None:
    if target.exists() and not target.is_dir():
        raise BackupError(f"{target}: it is no folder")
    if backup.path.resolve().is_relative_to(target.resolve()):
        raise BackupError(f"{target}: the backup itself lies there: name another folder")
    if target.resolve().is_relative_to(backup.path.parent.resolve()):
        raise BackupError(f"{target}: it lies among the backups: name another folder")
    if target.exists() and any(target.iterdir()) and not (target / backups.DATABASE).exists():
        raise BackupError(f"{target}: it holds something else than an archive: name another folder, or empty it")


def _copy(backup: Backup, aside: Path, progress: Progress) -> None:
    done = 0
    for name, file in sorted(backup.files.items()):
        progress("restoring", done, backup.size)
        (aside / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(backup.path / name, aside / name)
        (aside / name).chmod(0o600)
        done += file.size
    progress("restoring", done, backup.size)
    if problem := backups.problem_of(replace(backup, path=aside)):
        raise BackupError(f"{problem}: the disk does not keep what is written to it")


def _merge(ledger: Path, others: Iterable[Path]) -> None:
    """Have the ledger say all that the others say: one that goes on from it takes its place."""
    for other in others:
        here = ledger.read_bytes() if ledger.exists() else b""
        content = other.read_bytes()
        if content.startswith(here):
            ledger.write_bytes(content)
            continue
        known, said = Ledger(ledger).read(), Ledger(other).read()
        removed = [entry for id_, entry in said.removed.items() if id_ not in known.removed]
        erased = [entry for id_, entry in said.erased.items() if id_ not in known.erased]
        Ledger(ledger).add([*removed, *erased])


def _put_aside(target: Path, now: datetime) -> Path | None:
    if not target.exists():
        return None
    if not any(target.iterdir()):
        target.rmdir()
        return None
    aside = target.with_name(f"{target.name}-before-{backups.name_for(now)}")
    if aside.exists():
        raise BackupError(f"{aside}: it is there already: try again")
    target.rename(aside)
    return aside
