"""Files: known by their hash, and replaced whole or not at all."""

import glob
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from archive.syncing import sync


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hex digits. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Lend a file that stands at `path`, or where the link there leads, once all is written.

    When anything fails, whatever was there is untouched. What a process that was killed had written is deleted.
    """
    target = path.resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        if not _lives(left.name.split(".")[-2]):
            left.unlink(missing_ok=True)
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    sync(target.parent)


def _lives(process: str) -> bool:
    """Tell whether there is a process of this number; what is no number is somebody else's business."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except (PermissionError, ValueError):
        return True
    return True
