"""The engine in service: whichever generation the archive points to, opened once and swapped when the pointer moves.

Invariants: nothing is opened before its hashes have been verified. A request holds one engine from beginning to end; an
engine that was replaced is closed when the last request that holds it ends. Whatever happens to the index, there is an
engine: the current generation, else the previous one, else the store itself.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive.store import PublishedGeneration, Store
from index import generation
from index.engine import Engine
from index.errors import GenerationDamaged
from index.fallback import StoreEngine
from index.keywords import KeywordFormat
from index.local import LocalEngine

log = logging.getLogger(__name__)

Pointer = tuple[PublishedGeneration | None, PublishedGeneration | None]


def open_generation(root: Path, published: PublishedGeneration, *, formats: Mapping[str, KeywordFormat]) -> LocalEngine:
    """Verify and open a generation. Raises GenerationDamaged when it is not what was published."""
    from index.vectors import VectorIndex  # loads FAISS, which a process that answers no query does without

    directory = generation.path_of(root, published.number)
    manifest = generation.verify(directory, sha256=published.manifest_sha256)
    if manifest.keywords not in formats:
        raise GenerationDamaged(f"{directory}: unknown keyword engine {manifest.keywords!r}: run `flask reindex`")
    vectors = VectorIndex(directory / "vectors", dimension=manifest.dimension)
    keywords = formats[manifest.keywords].open(directory / "keywords")
    return LocalEngine(
        number=published.number,
        seq=manifest.seq,
        keywords=keywords,
        vectors=vectors,
        model_sha256=manifest.model_sha256,
    )


@dataclass(eq=False)
class _Lease:
    """An engine, for which published number, and how many requests hold it."""

    engine: Engine
    wanted: int | None
    degraded: bool
    manifests: Mapping[Path, tuple[int, int] | None]
    holders: int = 0
    replaced: bool = field(default=False)


class Serving:
    """Lends the engine in service. Safe to use from several threads."""

    def __init__(self, root: Path, store: Store, *, formats: Mapping[str, KeywordFormat]) -> None:
        """Serve the generations under `root` that `store` points to; nothing is opened yet."""
        self._root = root
        self._store = store
        self._formats = formats
        self._lock = threading.Lock()
        self._lease: _Lease | None = None

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, bool]]:
        """Lend the engine in service, and whether its answers are poorer than they should be."""
        lease = self._take()
        try:
            yield lease.engine, lease.degraded
        finally:
            with self._lock:
                lease.holders -= 1
                if lease.replaced and not lease.holders:
                    lease.engine.close()

    def close(self) -> None:
        """Close the engine once nobody holds it."""
        with self._lock:
            self._retire()

    def _take(self) -> _Lease:
        current, _ = self._store.pointer()
        with self._lock:
            lease = self._lease
            if lease is None or not _serves(lease, current):
                pointer = self._store.pointer()  # it may have moved while another thread opened what it names
                if lease is None or not _serves(lease, pointer[0]):
                    opened = self._open_latest(pointer)
                    self._retire()
                    self._lease = lease = opened
            lease.holders += 1
            return lease

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
                engine = open_generation(self._root, published, formats=self._formats)
            except GenerationDamaged as error:
                log.warning("generation %d is not served: %s", published.number, error)
            else:
                return _Lease(engine, wanted, degraded=published is not current, manifests=manifests)
        # An archive that has never been indexed and holds nothing is not damaged, only empty.
        return _Lease(StoreEngine(self._store), wanted, degraded=self._store.last_seq() > 0, manifests=manifests)


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
