"""A pace for what anybody may do but nobody shall do by the thousand: so many at once, and as many again in a time."""

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets `most` pass at once, and then one by one `most` in so many seconds: a token bucket.

    It is of this process, for all readers together. Safe to use from several threads.
    """

    def __init__(self, most: int, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with all of them free."""
        self._most = most
        self._each = seconds / most
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(most)
        self._at = clock()

    def wait(self) -> float:
        """Let one pass and return 0, or return after how many seconds one may."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) / self._each)
            self._at = now
            if self._left < 1:
                return (1 - self._left) * self._each
            self._left -= 1
            return 0.0
