"""Threads that are kept for work, of which the first that is idle works next.

So one client's requests go to one thread, whose core's caches, and what libraries keep for it, are still warm.
`ThreadPoolExecutor` has the one work that has waited longest: with two threads, one client's searches took 9% longer,
with the same work done.
"""

import atexit
import heapq
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TypeVar
from weakref import WeakSet

T = TypeVar("T")

Task = Callable[[], None]


class Threads:
    """At most so many threads, each started when there is work and none is idle. Safe to use from several threads.

    They are kept until they are shut down, or the program ends.
    """

    def __init__(self, most: int, *, name: str) -> None:
        """Start none yet."""
        self._most = most
        self._name = name
        self._lock = threading.RLock()  # a signal may have them shut down while one is given work
        self._started: list[_Worker] = []
        self._idle: list[int] = []  # a heap of the numbers of those that wait for work
        self._waiting: deque[Task] = deque()
        self._is_closed = False
        _kept.add(self)

    def submit(self, work: Callable[..., T], *given: object) -> "Future[T]":
        """Return the future of what `work` returns or raises.

        Raises RuntimeError once this is shut down, and where not even the first thread can be started.
        """
        future: Future[T] = Future()
        task = partial(_settle, future, partial(work, *given))
        with self._lock:
            if self._is_closed:
                raise RuntimeError(f"the threads for {self._name} are shut down")
            if self._idle:
                self._started[heapq.heappop(self._idle)].door.put(task)
            elif len(self._started) == self._most or not self._starts(task):
                self._waiting.append(task)
        return future

    def shutdown(self, wait: bool = True) -> None:
        """Take no more work, and let each thread end once there is none left; by default return after that."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._started[heapq.heappop(self._idle)].door.put(None)
        if wait:
            for worker in self._started:
                worker.thread.join()

    def _starts(self, task: Task) -> bool:
        """Start a thread with this task; where the system refuses one, those that there are have to do."""
        worker = _Worker(self._next, number=len(self._started), name=self._name)
        try:
            worker.thread.start()
        except RuntimeError:
            if not self._started:
                raise
            return False
        self._started.append(worker)
        worker.door.put(task)
        return True

    def _next(self, number: int) -> Task | None:
        """Return what waits for a thread; None where it is to wait itself, or to end."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_closed:
                self._started[number].door.put(None)
            else:
                heapq.heappush(self._idle, number)
            return None


class _Worker:
    """One of the threads, and the door at which it waits for work, or for None, which ends it."""

    def __init__(self, next_task: Callable[[int], Task | None], *, number: int, name: str) -> None:
        self.door: SimpleQueue[Task | None] = SimpleQueue()
        self._next = next_task
        self._number = number
        # Not waited for by the interpreter, which knows of no doors, but by `_finish`.
        self.thread = threading.Thread(target=self._work, name=f"{name}_{number}", daemon=True)

    def _work(self) -> None:
        while (task := self.door.get()) is not None:
            while task is not None:
                task()
                del task  # what was worked on is let go of before there is more
                task = self._next(self._number)


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # it is raised where the result is asked for
        future.set_exception(error)
        del future  # the error's traceback leads here: neither is to keep the other
    else:
        future.set_result(result)


_kept: WeakSet[Threads] = WeakSet()


def _finish() -> None:
    """Finish what was taken before the interpreter goes: a thread within a library cannot be left to it."""
    for threads in list(_kept):
        threads.shutdown()


# Before anything is closed at exit that they may be using: where the standard library ends its own pools.
getattr(threading, "_register_atexit", atexit.register)(_finish)
