"""What is in quarantine, read again with the readers there are today.

Invariant: what goes in leaves the quarantine, and what still cannot be read stays in it, with the reason of today.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from archive.article import Entry, Record, Rejection
from archive.finding import File
from archive.ingest import IngestReport, entries_of, restore, take
from archive.progress import Progress, silent
from archive.quarantine import Held, Notes, Quarantine
from archive.readers.isolated.child import Child
from archive.readers.packed.budget import Budget
from archive.readers.unpacker import Unpacker
from archive.store import Store

STAGE = "reading again"
CHANGED = "the kept copy was read; the file has changed since: ingest it"
_PAGE = re.compile(r"(https?://[^\s\N{HORIZONTAL ELLIPSIS}]+)(?: \(byte [\d,]+\))?")


def retry(held: Sequence[Held], quarantine: Quarantine, store: Store, *, progress: Progress = silent) -> IngestReport:
    """Read `held` again. What is kept itself is read from the quarantine, the rest from the files it was in."""
    report = IngestReport()
    files: dict[Path, list[int]] = {}
    with Child() as child:
        for done, each in enumerate(held):
            raw = quarantine.content(each)
            if raw is None:
                files.setdefault(Path(each.source.split("!")[0]), []).append(each.id)
            else:
                _read_again(each, raw, child, quarantine, store, report)
            progress(STAGE, done + 1, len(held))
        for path, ids in files.items():
            _read_file(path, ids, child, quarantine, store, report)
    return report


def _read_again(
    each: Held, raw: bytes, child: Child, quarantine: Quarantine, store: Store, report: IngestReport
) -> None:
    changed = _has_changed(each)
    is_rejected = False
    with Notes(quarantine) as notes:
        for entry in _entries(each, raw, child, report):
            if isinstance(entry, Rejection):
                is_rejected = True
                reason = f"{entry.reason}; {CHANGED}" if changed else entry.reason
                again = replace(entry, source=each.source, line=each.line, reason=reason, raw=raw)
                if not changed:  # else its entry stays as it is, to be told of the next time as well
                    notes.add(again)
                take(again, store, report)
            else:
                take(entry, store, report)
    if not is_rejected or not (changed or each.id in notes.noted):  # one of old has a new entry
        quarantine.drop([each.id])


def _has_changed(each: Held) -> bool:
    """Tell whether the file was written since it, or a part of it, was rejected."""
    try:
        return Path(each.source.split("!")[0]).stat().st_mtime > each.last_at.timestamp()
    except (OSError, ValueError):  # not there any more, or never a file
        return False


def _entries(each: Held, raw: bytes, child: Child, report: IngestReport) -> Iterator[Entry]:
    stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, io.BytesIO(raw))))
    unpacker = Unpacker(child, Budget(lambda: len(raw)))
    name = each.source.rpartition("!")[2]
    page = _PAGE.fullmatch(name)
    hint = "page.html" if page else PurePath(name).name
    yield from unpacker.entries(stream, name=hint, origin=each.source, url=page[1] if page else None)
    report.passed_over += unpacker.passed_over


def _read_file(
    path: Path, ids: list[int], child: Child, quarantine: Quarantine, store: Store, report: IngestReport
) -> None:
    if not path.is_file():
        report.reject(Rejection(source=str(path), reason="no such file any more, and too large to have been kept"))
        return
    file = File(path, path.stat().st_size)
    with Notes(quarantine) as notes:
        for entry, _ in entries_of(file, child, report):
            if isinstance(entry, Record):
                restore(entry, store, report)
                continue
            if isinstance(entry, Rejection):
                notes.add(entry, file.size)
            take(entry, store, report)
    quarantine.drop([number for number in ids if number not in notes.noted])
