"""The crew: the few threads that work on requests, and the bounded queue before them.

The threads that speak HTTP only wait, so there can be many of them; those that search are few, because more than the
cores can run only take the interpreter from each other and hold memory of their own (a database connection, an
inference request). Work is begun in order of arrival. What finds the queue full is refused at once, what waits too long
is refused unbegun: either way nothing piles up, and whoever is refused knows soon.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

# Requests worked on at once: a search computes in native code half its time. No more than gunicorn's threads allow for.
AT_WORK = min(8, max(2, len(os.sched_getaffinity(0))))
WAITING = 32  # requests that may wait: half a second of searches, and a burst of twice sixteen clients
PATIENCE = 10.0  # seconds a request waits to be begun; readers and proxies have given up by then


class Overloaded(Exception):
    """There is more to do than can wait."""


class Crew:
    """Works on `at_work` requests at once while up to `waiting` wait. Safe to use from several threads."""

    def __init__(self, *, at_work: int = AT_WORK, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        """Start no thread before there is work."""
        self._threads = ThreadPoolExecutor(at_work, thread_name_prefix="crew")
        self._places = threading.Semaphore(at_work + waiting)
        self._patience = patience

    def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise what it raises, once its turn has come. Raises Overloaded."""
        if not self._places.acquire(blocking=False):
            raise Overloaded
        try:
            job = self._threads.submit(copy_context().run, work)  # for whom it is done, whose language that is
            try:
                return job.result(self._patience)
            except TimeoutError:
                if job.cancel():
                    raise Overloaded from None
                return job.result()  # it was begun in time, or it is its own error
        finally:
            self._places.release()

    def close(self) -> None:
        """Finish what was begun; the crew is not used afterwards."""
        self._threads.shutdown()
