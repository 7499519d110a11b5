"""Threads that are kept for work, of which the one that worked last works next.

What it left in its core's caches, and what libraries keep for each thread, is still warm. `ThreadPoolExecutor` has the
one work that has waited longest: with two threads, one client's searches took 9% longer, with the same work done.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

Task = Callable[[], None]


class Threads:
    """At most so many threads, each started when there is work and none is idle. Safe to use from several threads."""

    def __init__(self, most: int, *, name: str) -> None:
        """Start none yet."""
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._started: list[threading.Thread] = []
        self._idle: list[SimpleQueue[Task | None]] = []  # where each waits that is idle: the one that worked last, last
        self._waiting: deque[Task] = deque()
        self._is_closed = False

    def submit(self, work: Callable[..., T], *given: object) -> "Future[T]":
        """Return the future of what `work` returns or raises. Raises RuntimeError once this is shut down."""
        future: Future[T] = Future()
        task = partial(_settle, future, partial(work, *given))
        with self._lock:
            if self._is_closed:
                raise RuntimeError(f"the threads for {self._name} are shut down")
            if self._idle:
                self._idle.pop().put(task)
            elif len(self._started) < self._most:
                self._start(task)
            else:
                self._waiting.append(task)
        return future

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work, and let each thread end once there is none left; by default return after that."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().put(None)
        if wait:
            for thread in self._started:
                thread.join()

    def _start(self, task: Task) -> None:
        door: SimpleQueue[Task | None] = SimpleQueue()
        door.put(task)
        # One that is idle when the program ends must not hold it up; whoever waits for work does so by its future.
        thread = threading.Thread(
            target=self._work, args=[door], name=f"{self._name}_{len(self._started)}", daemon=True
        )
        self._started.append(thread)
        thread.start()

    def _work(self, door: "SimpleQueue[Task | None]") -> None:
        task = door.get()
        while task is not None:
            task()
            del task  # what was worked on is let go of before there is more
            task = self._next(door)

    def _next(self, door: "SimpleQueue[Task | None]") -> Task | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_closed:
                return None
            self._idle.append(door)
        return door.get()


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # it is raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)
