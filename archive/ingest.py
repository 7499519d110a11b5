"""Bring files and folders into the archive: find the files, read them, put each article.

Invariant: one bad input never stops the rest; each is named with its reason. A failing store does stop it: what cannot
be kept must not be reported as read.
"""

import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive.article import Entry, Rejection, Withdrawal
from archive.errors import SourceError
from archive.language import with_language
from archive.progress import Progress, silent
from archive.readers import HEAD_BYTES, detect, gzipped
from archive.store import Store

STAGE = "reading"  # the stage `ingest` reports
KEPT_REJECTIONS = 10_000  # beyond these, rejections are counted only, so that a huge bad file cannot fill the memory

_Inode = tuple[int, int]  # device and inode number: what a folder is, whatever its path

_WEB_ADDRESS = re.compile(r"https?:", re.IGNORECASE)
_CORPUS_NAMES = ("corpus.jsonl", "corpus.jsonl.gz")
_JUDGEMENT_NAMES = frozenset({"queries.jsonl", "queries.jsonl.gz", "qrels"})


@dataclass(slots=True)
class IngestReport:
    """What became of each input. `rejected` holds the first `KEPT_REJECTIONS`, `rejected_count` counts them all.

    `held` counts what may not be shown yet, `withdrawn` what its source took back.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    withdrawn: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0

    def reject(self, rejection: Rejection) -> None:
        """Count a rejection, and keep it while there is room."""
        self.rejected_count += 1
        if len(self.rejected) < KEPT_REJECTIONS:
            self.rejected.append(rejection)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size: int  # bytes on disk, packed if it is packed


def ingest(sources: Sequence[str | Path], store: Store, *, progress: Progress = silent) -> IngestReport:
    """Read the articles of `sources`, files and folders, into `store`, each in a transaction of its own.

    Folders are walked in the order of their names, without what is hidden. A folder that holds `corpus.jsonl` beside
    `queries.jsonl` or `qrels/` is a judged collection in BEIR layout: its articles are those of the corpus, and what
    else lies there (queries, judgements, notes) is passed over without a word.

    `progress` hears of the stage "reading" in bytes of the files as they lie on disk, packed or not. Raises what
    `store.put` raises, and nothing that an input can cause.
    """
    report = IngestReport()
    files: list[_File] = []
    for found in _find(sources):
        if isinstance(found, Rejection):
            report.reject(found)
        else:
            files.append(found)
    total = sum(file.size for file in files)
    done = 0
    progress(STAGE, done, total)
    for file in files:
        for entry, position in _entries(file):
            _take(entry, store, report)
            progress(STAGE, min(done + position, total), total)
        done += file.size
        progress(STAGE, done, total)
    return report


def _take(entry: Entry, store: Store, report: IngestReport) -> None:
    if isinstance(entry, Rejection):
        report.reject(entry)
        return
    if isinstance(entry, Withdrawal):
        if store.withdraw(entry):
            report.withdrawn += 1
        else:
            report.unchanged += 1
        return
    match store.put(with_language(entry)):
        case "added":
            report.added += 1
        case "held":
            report.held += 1
        case "updated":
            report.updated += 1
        case "unchanged":
            report.unchanged += 1


def _entries(file: _File) -> Iterator[tuple[Entry, int]]:
    """Yield what the file holds, each with the bytes of it read so far. Raises nothing: what fails is a rejection.

    What the caller does with an entry happens outside this function, so no failure of the store is taken for one of
    the file.
    """
    origin = _shown(file.path)
    position = 0
    try:
        with io.BufferedReader(io.FileIO(file.path), HEAD_BYTES) as packed:
            stream = _unpacked(packed)
            reader = detect(stream.peek(HEAD_BYTES), file.path.name)
            for entry in reader(stream, origin):
                position = packed.tell()
                yield entry, position
    except (OSError, SourceError) as error:
        yield Rejection(source=origin, reason=_reason(error)), position


def _unpacked(
    file: "io.BufferedReader[io.FileIO]",
) -> "io.BufferedReader[io.FileIO] | io.BufferedReader[gzipped.Unpacked]":
    if not file.peek(len(gzipped.MAGIC)).startswith(gzipped.MAGIC):
        return file
    return io.BufferedReader(gzipped.Unpacked(file), HEAD_BYTES)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    return str(error)


def _shown(path: Path) -> str:
    """Return a path as it can be printed: file names may hold bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


# Finding the files


def _find(sources: Sequence[str | Path]) -> Iterator[_File | Rejection]:
    """Yield every file the sources name or hold, and a rejection for what is no file to read."""
    visited: set[_Inode] = set()
    for source in sources:
        if isinstance(source, str) and _WEB_ADDRESS.match(source):
            reason = "fetching URLs is not built yet: save the page and ingest the file"
            yield Rejection(source=source, reason=reason)
        else:
            yield from _walk(Path(source), visited)


def _walk(top: Path, visited: set[_Inode]) -> Iterator[_File | Rejection]:
    """Yield `top`, or the files in and below it. A folder reached a second time by another way is not read again."""
    pending: list[tuple[Path, frozenset[_Inode]]] = [(top, frozenset())]  # each with the folders it lies in
    while pending:
        path, above = pending.pop()
        try:
            status = path.stat()
            inode = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield _File(path, status.st_size)
            elif not stat.S_ISDIR(status.st_mode):  # opening one could wait forever
                yield Rejection(source=_shown(path), reason="not a file or folder but a pipe, socket or device")
            elif inode in above:
                yield Rejection(source=_shown(path), reason="directory loop: leads back to a folder it lies in")
            elif inode not in visited:
                visited.add(inode)
                inside = above | {inode}
                pending.extend((child, inside) for child in reversed(_children(path)))
        except (OSError, ValueError) as error:  # ValueError: a NUL character in a name
            yield Rejection(source=_shown(path), reason=_unfindable(path, error))


def _children(folder: Path) -> list[Path]:
    """Return what in a folder may hold articles, sorted: of a judged collection the corpus alone."""
    children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    corpus = [child for child in children if child.name in _CORPUS_NAMES]
    if corpus and any(child.name in _JUDGEMENT_NAMES for child in children):
        return corpus
    return children


def _unfindable(path: Path, error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return _reason(error)
    return "a link to something that is not there" if path.is_symlink() else "no such file or folder"
