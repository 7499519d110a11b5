"""The engine in service: whichever generation the archive points to, opened once and swapped when the pointer moves.

Invariants: nothing is opened before its hashes have been verified. A request holds one engine from beginning to end; an
engine that was replaced is closed when the last request that holds it ends. Whatever happens to the index, there is an
engine: the current generation, else the previous one, else the store itself. Only the very first request waits for an
engine to be opened: later ones are answered by the one there is, while the next is opened beside them, one at a time.
An engine is lent together with the model of its vectors; of a generation by another model that model is opened and has
answered once before the generation is taken up, and until then, or where it cannot be opened, the old one goes on.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive.store import PublishedGeneration, Store
from index import generation
from index.engine import Engine
from index.errors import GenerationDamaged, SearchError
from index.fallback import StoreEngine
from index.generation import Manifest, Stamp
from index.keywords import KeywordFormat
from index.local import LocalEngine
from index.memory import give_back
from index.models import Model, Models

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0  # after an opening that failed: a model that is not there is looked for again, but not all the time

TURN_SECONDS = 2.0  # that a process waits for those that open a generation before it

Pointer = tuple[PublishedGeneration | None, PublishedGeneration | None]


def open_generation(root: Path, published: PublishedGeneration, *, formats: Mapping[str, KeywordFormat]) -> LocalEngine:
    """Verify and open a generation, every file of it. Raises GenerationDamaged when it is not what was published."""
    directory = generation.path_of(root, published.number)
    manifest = generation.verify(directory, sha256=published.manifest_sha256)
    return _open_verified(directory, published, manifest, formats=formats)


def _open_verified(
    directory: Path, published: PublishedGeneration, manifest: Manifest, *, formats: Mapping[str, KeywordFormat]
) -> LocalEngine:
    from index.vectors import VectorIndex  # loads FAISS, which a process that answers no query does without

    if manifest.keywords not in formats:
        raise GenerationDamaged(f"{directory}: unknown keyword engine {manifest.keywords!r}: run `flask reindex`")
    keywords = formats[manifest.keywords].open(directory / "keywords")
    try:
        vectors = VectorIndex(directory / "vectors", dimension=manifest.dimension, ids=keywords.ids)
    except BaseException:
        keywords.close()
        raise
    return LocalEngine(
        number=published.number,
        seq=manifest.seq,
        keywords=keywords,
        vectors=vectors,
        model_sha256=manifest.model_sha256,
    )


@dataclass(eq=False)
class _Lease:
    """An engine with its model, for which published number, and how many requests hold it."""

    engine: Engine
    model: Model | None
    wanted: int | None
    degraded: bool
    manifests: Mapping[Path, tuple[int, int] | None]
    holders: int = 0
    replaced: bool = field(default=False)


class Serving:
    """Lends the engine in service. Safe to use from several threads."""

    def __init__(
        self, root: Path, store: Store, *, formats: Mapping[str, KeywordFormat], models: Models | None = None
    ) -> None:
        """Serve the generations under `root` that `store` points to; nothing is opened yet.

        Of `models`, that of the generation served is held.
        """
        self._root = root
        self._store = store
        self._formats = formats
        self._models = models
        self._is_warm = False  # whether the model is opened with the generation, and not by the first who needs it
        self._again_at = 0.0  # when an opening that failed is tried again
        self._opening = threading.Lock()  # held by whoever opens; never while `_lock` is
        self._lock = threading.Lock()  # of all below; held for moments only
        self._lease: _Lease | None = None
        self._follower: threading.Thread | None = None
        self._verified: dict[Stamp, str] = {}  # the hashes of the files of the generation opened last

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, bool]]:
        """Lend the engine in service, and whether its answers are poorer than they should be."""
        lease = self._take()
        try:
            yield lease.engine, lease.degraded
        finally:
            self._give(lease)

    def catch_up(self) -> None:
        """Serve what the pointer names from now on, having opened it if need be; wait for whoever does that already."""
        with self._opening:
            pointer = self._store.pointer()
            if self._lease is None or not _serves(self._lease, pointer[0]):
                opened = self._open_latest(pointer)
                with self._lock:
                    self._retire()
                    self._lease = opened

    def warm_up(self) -> None:
        """Open what is served and its model now, and from now on each model together with its generation."""
        self._is_warm = True
        lease = self._take()
        try:
            if lease.model is not None:
                lease.model.warm()
        finally:
            self._give(lease)

    def close(self) -> None:
        """Close the engine once nobody holds it."""
        if self._follower is not None:
            self._follower.join()
        with self._lock:
            self._retire()

    def _take(self) -> _Lease:
        current, _ = self._store.pointer()
        if current is None or self._lease is None:  # without an index an engine is made in no time, for each request
            self.catch_up()
        with self._lock:
            lease = self._lease
            if lease is None:
                raise RuntimeError("the engine in service has been closed")
            lease.holders += 1
        if current is not None and not _serves(lease, current):
            self._follow()
        return lease

    def _give(self, lease: _Lease) -> None:
        with self._lock:
            lease.holders -= 1
            if lease.replaced and not lease.holders:
                lease.engine.close()

    def _follow(self) -> None:
        """Open what the pointer names, beside the requests."""
        with self._lock:
            if time.monotonic() < self._again_at:
                return
            if self._follower is None or not self._follower.is_alive():
                self._follower = threading.Thread(target=self._catch_up_or_say, name="next generation")
                self._follower.start()

    def _catch_up_or_say(self) -> None:
        try:
            with _one_after_the_other(self._root):
                self.catch_up()
                give_back()
        except SearchError as error:
            self._again_at = time.monotonic() + RETRY_SECONDS
            log.warning("the next generation is not served yet: %s", error)
        except Exception:  # whatever it is, what is in service goes on, and a later request tries again
            log.exception("the next generation is not served yet")

    def _retire(self) -> None:
        if self._lease is not None:
            self._lease.replaced = True
            if not self._lease.holders:
                self._lease.engine.close()
            self._lease = None

    def _open_latest(self, pointer: Pointer) -> _Lease:
        """Open what the pointer names, again if it moved on meanwhile and took away what it had named."""
        while True:
            opened = self._open(*pointer)
            before, pointer = pointer, self._store.pointer()
            if not opened.degraded or pointer == before:
                return opened
            opened.engine.close()

    def _open(self, current: PublishedGeneration | None, previous: PublishedGeneration | None) -> _Lease:
        wanted = current.number if current else None
        generations = [published for published in (current, previous) if published is not None]
        paths = [generation.path_of(self._root, published.number) / generation.MANIFEST for published in generations]
        manifests = {path: _stamp(path) for path in paths}
        for published in generations:
            try:
                engine, model = self._open_new(published)
            except (GenerationDamaged, OSError) as error:  # OSError: it was retired while it was being opened
                log.warning("generation %d is not served: %s", published.number, error)
            else:
                return _Lease(engine, model, wanted, degraded=published is not current, manifests=manifests)
        # An archive that has never been indexed and holds nothing is not damaged, only empty.
        return _Lease(StoreEngine(self._store), None, wanted, degraded=self._store.last_seq() > 0, manifests=manifests)

    def _open_new(self, published: PublishedGeneration) -> tuple[LocalEngine, Model | None]:
        """Verify and open a generation; what it shares with the one opened before is not read for its hash again.

        Its model is made ready where that of the one before is. Raises ModelUnavailable and ModelMismatch.
        """
        directory = generation.path_of(self._root, published.number)
        manifest = generation.verify(directory, sha256=published.manifest_sha256, known=self._verified)
        verified = generation.stamps(directory, manifest)
        model = self._models.of(manifest.model_sha256) if self._models else None
        if model is not None and not model.is_open and self._is_replacing():
            model.warm()
        engine = _open_verified(directory, published, manifest, formats=self._formats)
        self._verified = verified
        return engine, model

    def _is_replacing(self) -> bool:
        """Tell whether there is a lease, and queries are embedded for it."""
        lease = self._lease
        return lease is not None and (self._is_warm or (lease.model is not None and lease.model.is_open))


@contextmanager
def _one_after_the_other(root: Path) -> Iterator[None]:
    """Wait until no other process opens a generation, for a while: all at once would take all processors."""
    try:
        folder = os.open(root, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    until = time.monotonic() + TURN_SECONDS
    try:
        while not _is_locked(folder) and time.monotonic() < until:
            time.sleep(0.01)
        yield
    finally:
        os.close(folder)  # which lets the next one in


def _is_locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another has it, or this disk knows no locks
        return False
    return True


def _serves(lease: _Lease, current: PublishedGeneration | None) -> bool:
    """Return whether the lease is what `current` asks for; one of an archive never indexed is made anew each time.

    A manifest that has gone, or come back, since the lease was made asks for another look.
    """
    is_as_it_was = all(_stamp(path) == stamp for path, stamp in lease.manifests.items())
    return current is not None and lease.wanted == current.number and is_as_it_was


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what tells one file at `path` from another, None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
