"""The engine in service: whichever generation the archive points to, opened once and swapped when the pointer moves.

Invariants: a request holds one engine from beginning to end; an engine that was replaced is closed when the last
request that holds it ends. Whatever happens to the index, there is an engine: the current generation, else the previous
one, else the store itself. Only the very first request waits for an engine to be opened: later ones are answered by the
one there is, while the next is opened beside them, one at a time.
An engine is lent together with the model of its vectors; of a generation by another model that model is opened and has
answered once before the generation is taken up, and until then, or where it cannot be opened, the old one goes on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from archive.store import PublishedGeneration, Store
from index.engine import Engine
from index.errors import EngineAway, GenerationDamaged, SearchError
from index.fallback import StoreEngine
from index.generations import Generations
from index.memory import give_back
from index.models import Model, Models

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0  # after an opening that failed: a model that is not there is looked for again, but not all the time

Pointer = tuple[PublishedGeneration | None, PublishedGeneration | None]


@dataclass(eq=False)
class _Lease:
    """An engine with its model, for which published number, and how many requests hold it."""

    engine: Engine
    model: Model | None
    wanted: int | None
    degraded: bool
    stamps: Mapping[PublishedGeneration, object]
    holders: int = 0
    replaced: bool = field(default=False)


class Serving:
    """Lends the engine in service. Safe to use from several threads."""

    def __init__(self, generations: Generations, store: Store, *, models: Models | None = None) -> None:
        """Serve those of the `generations` that `store` points to; nothing is opened yet.

        Of `models`, that of the generation served is held.
        """
        self._generations = generations
        self._store = store
        self._models = models
        self._is_warm = False  # whether the model is opened with the generation, and not by the first who needs it
        self._again_at = 0.0  # when an opening that failed is tried again
        self._opening = threading.Lock()  # held by whoever opens; never while `_lock` is
        self._lock = threading.Lock()  # of all below; held for moments only
        self._lease: _Lease | None = None
        self._follower: threading.Thread | None = None

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, bool]]:
        """Lend the engine in service, and whether its answers are poorer than they should be."""
        lease = self._take()
        try:
            yield lease.engine, lease.degraded or lease.engine.degraded
        finally:
            self._give(lease)

    def catch_up(self) -> None:
        """Serve what the pointer names from now on, having opened it if need be; wait for whoever does that already."""
        with self._opening:
            pointer = self._store.pointer()
            if self._lease is None or not self._serves(self._lease, pointer[0]):
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
        if current is not None and not self._serves(lease, current):
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
            with self._generations.turn():
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
        stamps = {published: self._generations.stamp(published) for published in generations}
        for published in generations:
            try:
                engine, model = self._open_new(published)
            except (GenerationDamaged, EngineAway, OSError) as error:  # OSError: it was retired meanwhile
                log.warning("generation %d is not served: %s", published.number, error)
            else:
                return _Lease(engine, model, wanted, degraded=published is not current, stamps=stamps)
        # An archive that has never been indexed and holds nothing is not damaged, only empty.
        return _Lease(StoreEngine(self._store), None, wanted, degraded=self._store.last_seq() > 0, stamps=stamps)

    def _open_new(self, published: PublishedGeneration) -> tuple[Engine, Model | None]:
        """Open a generation, and its model where that of the one before is. Raises ModelUnavailable, ModelMismatch."""
        manifest = self._generations.manifest(published)
        model = self._models.of(manifest.model_sha256) if self._models else None
        if model is not None and not model.is_open and self._is_replacing():
            model.warm()
        return self._generations.reopen(published, manifest), model

    def _serves(self, lease: _Lease, current: PublishedGeneration | None) -> bool:
        """Return whether the lease is what `current` asks for; one of an archive never indexed is made anew each time.

        A generation that has gone, or come back, since the lease was made asks for another look.
        """
        is_as_it_was = all(self._generations.stamp(published) == stamp for published, stamp in lease.stamps.items())
        return current is not None and lease.wanted == current.number and is_as_it_was

    def _is_replacing(self) -> bool:
        """Tell whether there is a lease, and queries are embedded for it."""
        lease = self._lease
        return lease is not None and (self._is_warm or (lease.model is not None and lease.model.is_open))
