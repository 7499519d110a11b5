"""Pages of results that were made lately: who asks for the same one again gets it without another search.

Invariants: what is kept is found again by its tag alone, and the same tag means the same answer (`web/conditional.py`):
after any change of the archive, in another language or on another day the tag is another. Kept beside it is only the
site's address, which a page names. Pages of an earlier state of the archive are given up: they
may hold what was taken down since.
"""

import threading
from collections import OrderedDict

from flask import Response

CAPACITY = 64  # pages: some 6 MB where lists of filters are long

Key = tuple[str, str]


class RecentPages:
    """The last pages, at most `capacity` of them. Safe to use from several threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Begin with none."""
        self._capacity = capacity
        self._kept: OrderedDict[Key, tuple[bytes, str | None]] = OrderedDict()
        self._seq: int | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._kept)

    def made(self, tag: str | None, *, site: str) -> Response | None:
        """Return the page of the site at this address that a tag stands for, when it was made lately."""
        if tag is None:
            return None
        key = (site, tag)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
        content, link = kept
        page = Response(content)
        if link:
            page.headers["Link"] = link
        return page

    def keep(self, page: Response, tag: str, *, seq: int, site: str) -> None:
        """Remember a page that was just made of the archive as it was after change `seq`, and give up older ones."""
        with self._lock:
            if seq != self._seq:
                self._kept.clear()
                self._seq = seq
            self._kept[site, tag] = (page.get_data(), page.headers.get("Link"))
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
