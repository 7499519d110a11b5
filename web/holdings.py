"""What an archive is kept in: the keyword library that serves it, another that would suit it better, and its disk use.

Invariant: nothing is opened but the database; a file that several generations share counts once.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from archive.shared_index import SharedIndex
from index.errors import GenerationDamaged
from index.keywords.choice import choose
from web.services import Services

PARTS = ("index", "models", "evaluations")  # of the data folder, beside the database
BLOCK = 512  # bytes; the unit of `st_blocks`, whatever the file system's own


def keyword_library(parts: Services) -> str | None:
    """Return the name of the library behind the keyword index served, None when there is no such index."""
    published, _ = parts.store.pointer()
    if published is None:
        return None
    try:
        return parts.generations.manifest(published).keywords
    except GenerationDamaged:
        return None


def better_library(parts: Services) -> str | None:
    """Return the name of the library that the keyword index should be kept by, None when it is or there is none."""
    if parts.settings.milvus is not None:
        return None
    wanted = choose(parts.settings.keywords, articles=parts.store.count_live())
    return None if keyword_library(parts) in (None, wanted) else wanted


def keyword_advice(parts: Services) -> str | None:
    """Return what moves the keyword index to the library that it should have by now, None when it has that."""
    if (wanted := better_library(parts)) is None:
        return None
    articles, served = parts.store.count_live(), keyword_library(parts)
    return f"the keyword index of these {articles:,} articles is {served}'s: `flask reindex` moves it to {wanted}"


def left_in_milvus(parts: Services) -> str | None:
    """Return what an index that was shared has left where it was, None where the index is shared or never was."""
    if parts.settings.milvus is not None or not (names := SharedIndex(parts.store).collections()):
        return None
    return f"the texts are in Milvus, too, which BACKFILE_MILVUS does not name any more: drop {', '.join(names)} there"


def disk_use(parts: Services) -> dict[str, int]:
    """Return the bytes of disk that the archive's database and each part of the data folder take."""
    return {
        "archive": parts.store.database.disk_bytes(),
        **{name: _size([parts.settings.data / name]) for name in PARTS},
    }


def _size(paths: Iterable[Path]) -> int:
    found: dict[int, int] = {}
    for path in paths:
        for file in (path, *path.rglob("*")):
            with suppress(FileNotFoundError):  # not there yet, or replaced meanwhile
                status = file.lstat()
                found[status.st_ino] = status.st_blocks * BLOCK
    return sum(found.values())
