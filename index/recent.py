"""The vectors of the texts that were asked for last, so that a query that is paged through is embedded once."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from index.engine import Vector

CAPACITY = 256  # vectors: 400 kB at 384 dimensions; a longer memory finds little more, queries are seldom repeated late


class Recent:
    """A vector for each of the last texts, at most `capacity` of them. Safe to use from several threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin with none."""
        self._capacity = capacity
        self._kept: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def vector(self, text: str, embed: Callable[[str], Vector]) -> Vector:
        """Return the vector of `text`, made by `embed` unless it is still known. The caller may change what it gets."""
        with self._lock:
            known = self._kept.get(text)
            if known is not None:
                self._kept.move_to_end(text)
                return known.copy()
        made = embed(text)  # outside the lock: one slow text keeps no other waiting
        with self._lock:
            self._kept[text] = made.copy()
            self._kept.move_to_end(text)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return made
