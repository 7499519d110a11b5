"""Erasing the texts of removed articles from everything under the data folder, and making sure of it.

The order makes it safe to be killed at any moment and to be run again: first every file that is not cleaned here is
searched for pieces of the texts, and nothing is erased as long as one holds any: afterwards nobody knows what to look
for. Then the index is made anew without them, and all that was made from their texts goes; then the database; then
every file is searched. What has not come to that end counts as not erased.

Invariant: who is told that an article is erased is told how many files were searched for it, and whether there was
anything to look for: what was not looked for is never called verified.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive import erasing, sqlite
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
    database was written anew. It is `verified` when there was something to look for of every text.
    """

    files: int
    size: int
    pieces: int
    held_by: Sequence[str]
    rewritten: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: of each article how many versions. `resumed` were blank already: an earlier run was stopped.

    Of those no words are left to search for, so the database was written anew. Texts that are `too_short` are found
    everywhere, so they were not searched for either.
    """

    versions: dict[str, int]
    resumed: Sequence[str]
    too_short: Sequence[str]
    search: Search


@dataclass(frozen=True, slots=True)
class _Sought:
    """What must be found nowhere but in others' own words: pieces of the texts of the articles `of`."""

    of: Sequence[str]
    texts: frozenset[bytes]
    packed: frozenset[bytes]
    names: frozenset[bytes]

    @property
    def pieces(self) -> frozenset[bytes]:
        """All of them."""
        return self.texts | self.packed | self.names


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
        """Erase the texts of articles that are removed. Raises NotErased when something may be left of them.

        When that is a file of which nobody here knows how to clean it, nothing is erased yet.
        """
        found = {article_id: erasing.pieces_of(self._store, article_id) for article_id in article_ids}
        sought = _Sought(
            article_ids,
            texts=frozenset(piece for each in found.values() for piece in each.texts),
            packed=frozenset(piece for each in found.values() for piece in each.packed),
            names=frozenset(piece for each in found.values() for piece in each.names),
        )
        begun = self._takedowns.unfinished()
        resumed = [article_id for article_id in article_ids if article_id in begun and not found[article_id].versions]
        too_short = [article_id for article_id, each in found.items() if each.versions and not each.texts]
        self._refuse_copies(sought, progress)
        self._renew_index()
        self._clear_evaluations()
        self._flush()  # whoever goes on reading the log is in the way now, and not when the words are gone
        self._takedowns.note_erasing(article_ids)
        self._forget(sought.texts)
        erasing.blank(self._store, article_ids)
        rewrite = bool(resumed) or self._store.database.keeps_overwritten
        search = self._make_sure(sought, rewrite=rewrite, progress=progress)
        search = replace(search, verified=not (resumed or too_short))
        self._takedowns.note_erased(article_ids, _receipt(search))
        return Erased({id_: each.versions for id_, each in found.items()}, resumed, too_short, search)

    def _clear_evaluations(self) -> None:
        """Delete what evaluations keep of the texts they were made over: they are made again when asked for."""
        for folder in (self._data / "evaluations").glob("*/"):
            with exclusive(folder / "lock"):
                shutil.rmtree(folder)

    def _refuse_copies(self, sought: _Sought, progress: Progress) -> None:
        """Raise NotErased when words stand in a file that is not cleaned here."""
        found, _ = self._search(sought.pieces, filter(self._is_kept, self._files()), progress)
        left, _ = self._left(found, sought)
        if left:
            raise NotErased(
                f"words of what is to be erased are also in {_named(left)}: delete it and run `flask erase` again;"
                " nothing is erased yet, for afterwards nobody would know what to look for"
            )

    def _make_sure(self, sought: _Sought, *, rewrite: bool, progress: Progress) -> Search:
        self._flush()
        if rewrite:
            self._store.database.rewrite()
            self._flush()
        files = self._files()
        found, size = self._search(sought.pieces, files, progress)
        left, holders = self._left(found, sought)
        if any(self._is_database(path) for path in left) and not rewrite:  # in pages that are not used any more
            return self._make_sure(sought, rewrite=True, progress=progress)
        if left:
            raise NotErased(f"words of what was to be erased are still in {_named(left)}: delete it")
        return Search(len(files), size, len(sought.pieces), holders, rewrite, verified=True)

    def _left(self, found: Mapping[Path, set[bytes]], sought: _Sought) -> tuple[dict[Path, set[bytes]], Sequence[str]]:
        """Return what was found without what are others' own words, and whose those are."""
        allowed: set[bytes] = set()
        holders = set()
        every = {piece for held in found.values() for piece in held}
        for article_id, held in erasing.held_elsewhere(self._store, every, erased=sought.of):
            allowed.update(held)
            if article_id is not None and not sought.names.issuperset(held):
                holders.add(article_id)
        left = {path: rest for path, held in found.items() if (rest := held - allowed)}
        return left, sorted(holders)

    def _flush(self) -> None:
        if not self._store.database.flush(seconds=FLUSH_SECONDS):
            raise NotErased(
                "somebody goes on reading the archive as it was, so words of what is to be erased stay in its"
                " write-ahead log or its tables: end long requests and copies of the database, and run `flask erase`"
                " again"
            )

    def _files(self) -> list[Path]:
        """Return every file but the one by which SQLite's processes know of each other: it holds numbers and locks."""
        return sorted(
            path
            for path in self._data.rglob("*")
            if path.is_file() and not path.is_symlink() and path != self._data / f"{DATABASE}-shm"
        )

    def _is_database(self, path: Path) -> bool:
        return path in self._store.database.files()

    def _is_kept(self, path: Path) -> bool:
        """Tell whether this file is none that erasing cleans or deletes."""
        top, *below = path.relative_to(self._data).parts
        return not (self._is_database(path) or (top == "index" and below) or (top == "evaluations" and len(below) > 1))

    def _search(
        self, pieces: frozenset[bytes], files: Iterable[Path], progress: Progress
    ) -> tuple[dict[Path, set[bytes]], int]:
        """Return which of the files hold which of the pieces, and how large all of them are."""
        needles, found, size = Needles(pieces), {}, 0
        paths = list(files)
        for number, path in enumerate(paths, start=1):
            try:
                size += path.stat().st_size
                is_locked = path == self._data / DATABASE  # to be closed by SQLite alone: the locks would go with it
                if held := needles.found_in(path, opened=sqlite.opened if is_locked else None):
                    found[path] = held
            except FileNotFoundError:  # it went meanwhile
                pass
            progress("searching files", number, len(paths))
        return found, size


def _named(paths: Collection[Path]) -> str:
    return ", ".join(map(str, sorted(paths)[:NAMED]))


def _receipt(search: Search) -> dict[str, object]:
    return {
        "verified": search.verified,
        "files": search.files,
        "bytes": search.size,
        "pieces": search.pieces,
        "held_by": list(search.held_by[:MOST_HOLDERS]),
        "rewritten": search.rewritten,
    }
