"""Counting the searches that are asked, and writing them down some seconds later.

Invariant: a request only counts in memory. What was counted is written by a thread of its own, all at once; what a
crash takes with it is no loss.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import date

from archive.asked import AskedSearches
from archive.errors import ArchiveError

EVERY = 5.0  # seconds between two writings, at the least
MOST_WAITING = 1_000  # different searches that wait to be written
log = logging.getLogger(__name__)


class Noting:
    """Counts searches, and writes what it counted. Safe to use from several threads."""

    def __init__(self, asked: AskedSearches, *, today: Callable[[], date], every: float = EVERY) -> None:
        """Write to `asked`."""
        self._asked = asked
        self._today = today
        self._every = every
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._timer: threading.Timer | None = None

    def note(self, question: str) -> None:
        """Count a search."""
        with self._lock:
            if question not in self._waiting and len(self._waiting) >= MOST_WAITING:
                return
            self._waiting[question] += 1
            if self._timer is None:
                self._timer = threading.Timer(self._every, self.write)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Write what was counted."""
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, Counter(), None
        if waiting:
            try:
                self._asked.note(waiting, on=self._today())
            except ArchiveError as error:
                log.warning("what was searched for is not noted: %s", error)

    def close(self) -> None:
        """Write what is left."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        self.write()
