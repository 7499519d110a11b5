"""Having the disk hold what was written: files, and the folders that name them."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return when a file's bytes, or a folder's names, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
