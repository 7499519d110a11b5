"""When the next embargo ends, remembered, so that asking costs next to nothing.

Invariant: what is due is looked for again whenever the archive has changed, and released once; what could not be
released is tried again a little later.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from archive.store import Store

RETRY = timedelta(seconds=10)


class Releases:
    """Knows when the next article may be shown. Safe to use from several threads, and beside other processes."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Nothing is read before the first `show_due`."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._seq: int | None = None  # the change up to which `_next` holds
        self._next: datetime | None = None

    def show_due(self) -> None:
        """Show what was embargoed until now. Raises ArchiveError when the archive cannot be read or written."""
        seq = self._store.last_seq()
        if seq == self._seq and not self._is_due():
            return
        with self._lock:  # who comes meanwhile waits: all that is due is on the page that comes next
            if seq != self._seq:
                self._next = self._store.next_release()
                self._seq = seq
            if self._is_due():
                self._next = self._clock() + RETRY  # for whoever comes while it cannot be written
                self._store.release()
                self._seq = None

    def _is_due(self) -> bool:
        return self._next is not None and self._next <= self._clock()
