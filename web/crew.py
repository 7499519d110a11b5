"""The crew: the few threads that work on requests, and the bounded queue before them.

The threads that speak HTTP only wait, so there can be many of them; those that search are few, because more than the
cores can run only take the interpreter from each other and hold memory of their own (a database connection, an
inference request). What waits too long is refused unbegun: nothing piles up, and whoever is refused knows soon.

Invariant: nobody's requests keep others from theirs. Turns are taken by start-time fair queueing (Goyal, Vin & Cheng
1996): each client has a tag, which begins at what everybody's share has come to and grows by the time that its own work
takes; the lowest tag is next, of equals whoever came first. So a client that asks now and then is served before one
that keeps the crew busy, however many requests that has waiting; and when the queue is full, it is the newest request
of the client furthest ahead that is refused.
"""

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

# Requests worked on at once: a search computes in native code half its time. No more than gunicorn's threads allow for.
AT_WORK = min(8, max(2, len(os.sched_getaffinity(0))))
WAITING = 32  # requests that may wait: half a second of searches, and a burst of twice sixteen clients
PATIENCE = 10.0  # seconds a request waits to be begun; readers and proxies have given up by then
EXPECTED = 0.05  # seconds that a request counts for until it is known how long it took
REMEMBERED = 4_096  # clients whose tags are kept


class Overloaded(Exception):
    """There is more to do than can wait."""


@dataclass(eq=False, slots=True)
class _Job:
    work: Callable[[], Any]
    context: Context  # for whom it is done, whose language that is
    number: int
    result: "Future[Any]" = field(default_factory=Future)


@dataclass(eq=False, slots=True)
class _Client:
    tag: float
    waiting: "deque[_Job]" = field(default_factory=deque)

    @property
    def last(self) -> float:
        """The tag that the newest of its waiting requests will be begun by."""
        return self.tag + EXPECTED * len(self.waiting)


class Places:
    """So many places, few for one client, for what keeps a thread of the server. Safe to use from several threads."""

    def __init__(self, most: int, *, of_one: int, whose: Callable[[], str] = lambda: "") -> None:
        """Begin with all of them free."""
        self._most = most
        self._of_one = of_one
        self._whose = whose
        self._lock = threading.Lock()
        self._taken: dict[object, str] = {}

    def enter(self) -> Callable[[], None]:
        """Take a place, and return what gives it back, however often it is called.

        Raises Overloaded when there is none for this client.
        """
        who, place = self._whose(), object()
        with self._lock:
            if len(self._taken) >= self._most or list(self._taken.values()).count(who) >= self._of_one:
                raise Overloaded
            self._taken[place] = who

        def leave() -> None:
            with self._lock:
                self._taken.pop(place, None)

        return leave


class Crew:
    """Works on `at_work` requests at once while up to `waiting` wait. Safe to use from several threads.

    `whose` is asked, where the work is handed in, for which client that is.
    """

    def __init__(
        self,
        *,
        at_work: int = AT_WORK,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        whose: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start no thread before there is work."""
        self._threads = ThreadPoolExecutor(at_work, thread_name_prefix="crew")
        self._room = at_work + waiting
        self._patience = patience
        self._whose = whose
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._now = 0.0  # the tag of whoever asks for the first time: what everybody's share has come to
        self._inside = 0  # at work or waiting
        self._numbers = 0

    def do(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise what it raises, once its turn has come. Raises Overloaded."""
        job, client = self._hand_in(work)
        try:
            result: T = job.result.result(self._patience)
        except TimeoutError:
            if self._took_back(job, client):
                raise Overloaded from None
            result = job.result.result()  # it was begun in time, or it is its own error
        return result

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with self._lock:
            return sum(len(client.waiting) for client in self._clients.values())

    def close(self) -> None:
        """Finish what was begun; the crew is not used afterwards."""
        self._threads.shutdown()

    def _hand_in(self, work: Callable[[], Any]) -> tuple[_Job, _Client]:
        with self._lock:
            client = self._client(self._whose())
            if self._inside >= self._room:
                self._make_room(client)
            self._numbers += 1
            job = _Job(work, copy_context(), self._numbers)
            client.waiting.append(job)
            self._inside += 1
        self._threads.submit(self._take_turn)
        return job, client

    def _client(self, name: str) -> _Client:
        """Return the client of this name, who is not credited for having asked for nothing before."""
        client = self._clients.setdefault(name, _Client(self._now))
        self._clients.move_to_end(name)
        if not client.waiting:
            client.tag = max(client.tag, self._now)
        while len(self._clients) > REMEMBERED and not next(iter(self._clients.values())).waiting:
            self._clients.popitem(last=False)
        return client

    def _make_room(self, newcomer: _Client) -> None:
        """Refuse the newest request of whoever is furthest ahead; raises Overloaded where that is `newcomer` itself."""
        ahead = max((each for each in self._clients.values() if each.waiting), key=lambda each: each.last, default=None)
        if ahead is None or ahead.last <= newcomer.last + EXPECTED:
            raise Overloaded
        refused = ahead.waiting.pop()
        self._inside -= 1
        refused.result.set_exception(Overloaded())

    def _took_back(self, job: _Job, client: _Client) -> bool:
        with self._lock:
            if job not in client.waiting:
                return False
            client.waiting.remove(job)
            self._inside -= 1
            return True

    def _take_turn(self) -> None:
        """Work on the request whose turn it is, if there is still one."""
        with self._lock:
            waiting = (each for each in self._clients.values() if each.waiting)
            client = min(waiting, key=lambda each: (each.tag, each.waiting[0].number), default=None)
            if client is None:
                return  # it was refused, or taken back
            job = client.waiting.popleft()
            self._now = max(self._now, client.tag)
            client.tag += EXPECTED
        began = self._clock()
        try:
            settle = partial(job.result.set_result, job.context.run(job.work))
        except BaseException as error:  # it is raised where the work was handed in
            settle = partial(job.result.set_exception, error)
        with self._lock:
            took = self._clock() - began
            client.tag += took - EXPECTED
            self._now += took / (1 + sum(bool(each.waiting) for each in self._clients.values()))
            self._inside -= 1
        settle()
