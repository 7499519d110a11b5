"""Which files there are to read: those that are named, and what lies in folders.

Invariant: each folder is walked once, however many links lead to it, and what is neither file nor folder is not opened.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.article import Rejection
from archive.readers.by_name import is_no_article

_Inode = tuple[int, int]  # device and inode number: what a folder is, whatever its path

_WEB_ADDRESS = re.compile(r"https?:", re.IGNORECASE)
_CORPUS_NAMES = ("corpus.jsonl", "corpus.jsonl.gz")
_JUDGEMENT_NAMES = frozenset({"queries.jsonl", "queries.jsonl.gz", "qrels"})


@dataclass(frozen=True, slots=True)
class File:
    """A file that is read."""

    path: Path
    size: int  # bytes on disk, packed if it is packed


def find(sources: Sequence[str | Path]) -> Iterator[File | Rejection | None]:
    """Yield every file the sources name or hold, a rejection for what cannot be read, None for what is no article."""
    visited: set[_Inode] = set()
    for source in sources:
        if not is_address(source):
            yield from _walk(Path(source), visited)


def is_address(source: str | Path) -> bool:
    """Tell whether a source is an address on the network."""
    return isinstance(source, str) and _WEB_ADDRESS.match(source) is not None


def _walk(top: Path, visited: set[_Inode]) -> Iterator[File | Rejection | None]:
    """Yield `top`, or the files in and below it. A folder reached a second time by another way is not read again."""
    pending: list[tuple[Path, frozenset[_Inode]]] = [(top, frozenset())]  # each with the folders it lies in
    while pending:
        path, above = pending.pop()
        try:
            status = path.stat()
            inode = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield None if above and is_no_article(path.name) else File(path, status.st_size)
            elif not stat.S_ISDIR(status.st_mode):  # opening one could wait forever
                yield Rejection(source=shown(path), reason="not a file or folder but a pipe, socket or device")
            elif inode in above:
                yield Rejection(source=shown(path), reason="directory loop: leads back to a folder it lies in")
            elif inode not in visited:
                visited.add(inode)
                inside = above | {inode}
                pending.extend((child, inside) for child in reversed(_children(path)))
        except (OSError, ValueError) as error:  # ValueError: a NUL character in a name
            yield Rejection(source=shown(path), reason=_unfindable(path, error))


def _children(folder: Path) -> list[Path]:
    """Return what in a folder may hold articles, sorted: of a judged collection the corpus alone."""
    children = sorted(child for child in folder.iterdir() if not child.name.startswith("."))
    corpus = [child for child in children if child.name in _CORPUS_NAMES]
    if corpus and any(child.name in _JUDGEMENT_NAMES for child in children):
        return corpus
    return children


def _unfindable(path: Path, error: Exception) -> str:
    if not isinstance(error, FileNotFoundError):
        return why_unreadable(error)
    return "a link to something that is not there" if path.is_symlink() else "no such file or folder"


def shown(path: Path) -> str:
    """Return a path as it can be printed: file names may hold bytes that are no text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def why_unreadable(error: Exception) -> str:
    """Say why the system does not give a file."""
    return (
        f"cannot be read: {(error.strerror if isinstance(error, OSError) and error.strerror else str(error)).lower()}"
    )
