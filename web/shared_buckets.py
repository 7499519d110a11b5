"""Token buckets that several hosts take from, kept by the database that all of them have.

Invariant: nobody waits for more than one question to the database, and nobody is refused because it does not answer:
then each host counts for itself, and asks the database again a second later.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable

from archive.database import Counting
from archive.errors import ArchiveError
from archive.store import Store
from web.buckets import Buckets, Rate, Taken, left_of

ALONE_SECONDS = 1.0  # that this host counts for itself before it asks again
FORGET_SECONDS = 60.0  # between two looks for what is not needed any more

log = logging.getLogger(__name__)


class SharedBuckets:
    """Token buckets by name. Safe to use from several threads, and processes of whatever host."""

    def __init__(
        self, ours: Buckets, store: Callable[[], Store | None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Count in the database of `store`, and in `ours` before that is open and whenever it is away."""
        self._ours = ours
        self._store = store
        self._clock = clock
        self._alone_until = float("-inf")
        self._is_alone = False
        self._forget_at = clock() + FORGET_SECONDS

    def take(self, name: str, rate: Rate, *, cost: int = 1) -> Taken:
        """Do something of this cost now, if it may be done; or tell how long to wait, which costs nothing."""
        store = self._store()
        counting = store.database.counting if store is not None else None
        if store is None or counting is None or self._clock() < self._alone_until:
            return self._ours.take(name, rate, cost=cost)
        each = rate.seconds / rate.most
        hashed = hashlib.blake2b(name.encode("utf-8", "replace"), key=store.uuid.encode(), digest_size=16).digest()
        try:
            was_taken, missing = counting.take(hashed, cost=cost * each, most=rate.seconds)
        except ArchiveError as error:
            self._go_alone(error)
            return self._ours.take(name, rate, cost=cost)
        self._go_on(counting)
        wait = 0.0
        if not was_taken:
            wait = missing + cost * each - rate.seconds
            wait = wait if wait > 0 else each  # as far as was seen, there was some: another has just taken it
        return Taken(wait, left_of(rate, missing))

    def close(self) -> None:
        """Let go of what this host counted in."""
        self._ours.close()

    def _go_alone(self, error: ArchiveError) -> None:
        if not self._is_alone:
            log.warning("requests are counted by this host for itself: %s", error)
        self._is_alone, self._alone_until = True, self._clock() + ALONE_SECONDS

    def _go_on(self, counting: Counting) -> None:
        if self._is_alone:
            log.info("requests are counted together with the other hosts again")
            self._is_alone = False
        if self._clock() >= self._forget_at:
            self._forget_at = self._clock() + FORGET_SECONDS
            threading.Thread(target=_forget, args=(counting,), name="rates", daemon=True).start()


def _forget(counting: Counting) -> None:
    try:
        counting.forget()
    except ArchiveError:  # in a minute, then
        log.debug("what was counted is not cleared", exc_info=True)
