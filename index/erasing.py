"""Erasing the texts of removed articles from everything under the data folder, and making sure of it.

The order makes it safe to be killed at any moment and to be run again: first the index is made anew without them, and
all that was made from their texts goes; then the database; then every file is searched for pieces of the texts. What
has not come to that end counts as not erased.

Invariant: who is told that an article is erased is told how many files were searched for it.
"""

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive import erasing
from archive.byte_search import Needles
from archive.errors import ArchiveError
from archive.lock import exclusive
from archive.progress import Progress, silent
from archive.store import Store
from archive.takedowns import Takedowns

DATABASE = "archive.sqlite3"
FLUSH_SECONDS = 60.0  # that readers of the database are waited for
NAMED = 5  # files named in one message
MOST_HOLDERS = 100  # articles that a receipt names


class NotErased(ArchiveError):
    """Something is left of a text, or may be."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched for what is left: so many files and bytes, for so many pieces of texts.

    `held_by` names other articles that hold some of the same words, which are theirs. `rewritten` says that the
    database was written anew.
    """

    files: int
    size: int
    pieces: int
    held_by: Sequence[str]
    rewritten: bool


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: of each article how many versions. `resumed` were blank already: an earlier run was stopped.

    Of those no words are left to search for, so the database was written anew.
    """

    versions: dict[str, int]
    resumed: Sequence[str]
    search: Search


@dataclass(frozen=True, slots=True)
class _Sought:
    """What must be found nowhere but in others' own words: pieces of the texts of the articles `of`."""

    of: Sequence[str]
    texts: frozenset[bytes]
    packed: frozenset[bytes]
    names: frozenset[bytes]


def _nothing(_: Collection[bytes]) -> None:
    """Forget nothing."""


class Eraser:
    """Erases from the archive under `data`. One at a time: the caller holds the archive's lock."""

    def __init__(
        self,
        *,
        data: Path,
        store: Store,
        takedowns: Takedowns,
        renew_index: Callable[[], object],
        forget: Callable[[Collection[bytes]], object] = _nothing,
    ) -> None:
        """Make the index anew by `renew_index`, which leaves no earlier generation.

        By `forget` goes what else was kept and holds any of the pieces that it is given.
        """
        self._data = data
        self._store = store
        self._takedowns = takedowns
        self._renew_index = renew_index
        self._forget = forget

    def erase(self, article_ids: Sequence[str], progress: Progress = silent) -> Erased:
        """Erase the texts of articles that are removed. Raises NotErased when something may be left of them."""
        found = {article_id: erasing.pieces_of(self._store, article_id) for article_id in article_ids}
        sought = _Sought(
            article_ids,
            texts=frozenset(piece for each in found.values() for piece in each.texts),
            packed=frozenset(piece for each in found.values() for piece in each.packed),
            names=frozenset(piece for each in found.values() for piece in each.names),
        )
        begun = self._takedowns.unfinished()
        resumed = [article_id for article_id in article_ids if article_id in begun and not found[article_id].versions]
        self._takedowns.note_erasing(article_ids)
        self._renew_index()
        self._clear_evaluations()
        self._forget(sought.texts)
        erasing.blank(self._store, article_ids)
        search = self._make_sure(sought, rewrite=bool(resumed), progress=progress)
        self._takedowns.note_erased(article_ids, _receipt(search))
        return Erased({id_: each.versions for id_, each in found.items()}, resumed, search)

    def _clear_evaluations(self) -> None:
        """Delete what evaluations keep of the texts they were made over: they are made again when asked for."""
        for folder in (self._data / "evaluations").glob("*/"):
            with exclusive(folder / "lock"):
                shutil.rmtree(folder)

    def _make_sure(self, sought: _Sought, *, rewrite: bool, progress: Progress) -> Search:
        if rewrite:
            self._store.rewrite()
        self._flush()
        pieces = sought.texts | sought.packed | sought.names
        left, files, size = self._search(pieces, progress)
        found = {piece for held in left.values() for piece in held}
        allowed: set[bytes] = set()
        holders = []
        for article_id, held in erasing.held_elsewhere(self._store, found, erased=sought.of):
            allowed.update(held)
            if article_id is not None and not sought.names.issuperset(held):
                holders.append(article_id)
        left = {path: rest for path, held in left.items() if (rest := held - allowed)}
        if any(path.name.startswith(DATABASE) for path in left) and not rewrite:  # in pages that are not used any more
            return self._make_sure(sought, rewrite=True, progress=progress)
        if left:
            named = ", ".join(map(str, sorted(left)[:NAMED]))
            raise NotErased(f"words of what was to be erased are still in {named}: delete it, run `flask erase` again")
        return Search(files, size, len(pieces), sorted(set(holders)), rewrite)

    def _flush(self) -> None:
        if not self._store.flush(seconds=FLUSH_SECONDS):
            raise NotErased(
                "the texts are out of the archive but may still be in its write-ahead log, which somebody goes on"
                " reading: end long requests and copies of the database, and run `flask erase` again"
            )

    def _search(self, pieces: frozenset[bytes], progress: Progress) -> tuple[dict[Path, set[bytes]], int, int]:
        """Return which files hold which of the pieces, how many files were searched, and how large they are."""
        needles, found, size = Needles(pieces), {}, 0
        files = sorted(path for path in self._data.rglob("*") if path.is_file() and not path.is_symlink())
        for number, path in enumerate(files, start=1):
            try:
                size += path.stat().st_size
                if held := needles.found_in(path):
                    found[path] = held
            except FileNotFoundError:  # it went meanwhile
                pass
            progress("searching files", number, len(files))
        return found, len(files), size


def _receipt(search: Search) -> dict[str, object]:
    return {
        "files": search.files,
        "bytes": search.size,
        "pieces": search.pieces,
        "held_by": list(search.held_by[:MOST_HOLDERS]),
        "rewritten": search.rewritten,
    }
