"""The crew: the few threads that work on requests, and the bounded queue before them.

The threads that speak HTTP only wait, so there can be many of them; those that work are few, because more than the
cores can run only take the interpreter from each other and hold memory of their own (a database connection, an
inference request). What waits too long is refused unbegun: nothing piles up, and whoever is refused knows soon.

Invariant: nobody's requests keep others from theirs. Each client has a score: the seconds of a processor that it asked
for, what was refused counting too, and half of it forgotten every ten seconds. The lowest score is next, of equals
whoever came first. So a client that asks now and then is served before one that asks all the time, however many
requests that has waiting; and when the queue is full, the newest request of the one with the highest score is refused.
"""

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

# Requests worked on at once: a search computes in native code half its time. No more than gunicorn's threads allow for.
AT_WORK = min(8, max(2, len(os.sched_getaffinity(0))))
WAITING = 32  # requests that may wait: half a second of searches, and a burst of twice sixteen clients
PATIENCE = 10.0  # seconds a request waits to be begun; readers and proxies have given up by then
EXPECTED = 0.05  # seconds that a request counts for until it is known how long it took, and if it is refused
HALF_LIFE = 10.0  # seconds
REMEMBERED = 4_096  # clients whose scores are kept


class Overloaded(Exception):
    """There is more to do than can wait."""


@dataclass(eq=False, slots=True)
class _Job:
    work: Callable[[], Any]
    number: int
    result: "Future[Any]" = field(default_factory=Future)


@dataclass(eq=False, slots=True)
class _Client:
    waiting: "deque[_Job]" = field(default_factory=deque)
    _score: float = 0.0
    _at: float = 0.0

    def charge(self, seconds: float, now: float) -> None:
        """Add to the score."""
        self._score, self._at = self.score(now) + seconds, now

    def score(self, now: float) -> float:
        """Return the score at this time."""
        return self._score * float(0.5 ** ((now - self._at) / HALF_LIFE))


class Places:
    """So many places, few for one client, for what keeps a thread of the server. Safe to use from several threads."""

    def __init__(self, most: int, *, of_one: int) -> None:
        """Begin with all of them free."""
        self._most = most
        self._of_one = of_one
        self._lock = threading.Lock()
        self._taken: dict[object, str] = {}

    def enter(self, who: str) -> Callable[[], None]:
        """Take a place for a client, and return what gives it back, however often it is called.

        Raises Overloaded when there is none for this client.
        """
        place = object()
        with self._lock:
            if len(self._taken) >= self._most or list(self._taken.values()).count(who) >= self._of_one:
                raise Overloaded
            self._taken[place] = who

        def leave() -> None:
            with self._lock:
                self._taken.pop(place, None)

        return leave


class Crew:
    """Works on `at_work` requests at once while up to `waiting` wait. Safe to use from several threads."""

    def __init__(
        self,
        *,
        at_work: int = AT_WORK,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        """Start no thread before there is work."""
        self._threads = ThreadPoolExecutor(at_work, thread_name_prefix="crew")
        self._room = at_work + waiting
        self._patience = patience
        self._clock = clock
        self._worked = worked  # of a thread: what it waited for others is not its client's
        self._lock = threading.Lock()
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._inside = 0  # at work or waiting
        self._numbers = 0

    def do(self, work: Callable[[], T], *, who: str = "") -> T:
        """Return what `work` for a client returns, or raise what it raises, once its turn has come.

        Raises Overloaded. Work that has work done waits for itself, and never ends.
        """
        job, client = self._hand_in(work, who)
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

    def _hand_in(self, work: Callable[[], Any], who: str) -> tuple[_Job, _Client]:
        with self._lock:
            client = self._client(who)
            client.charge(EXPECTED, self._clock())
            if self._inside >= self._room:
                self._make_room(client)
            self._numbers += 1
            job = _Job(work, self._numbers)
            client.waiting.append(job)
            self._inside += 1
        self._threads.submit(self._take_turn)
        return job, client

    def _client(self, name: str) -> _Client:
        client = self._clients.setdefault(name, _Client())
        self._clients.move_to_end(name)
        while len(self._clients) > REMEMBERED and not next(iter(self._clients.values())).waiting:
            self._clients.popitem(last=False)
        return client

    def _make_room(self, newcomer: _Client) -> None:
        """Refuse the newest request of whoever has the highest score; raises Overloaded where that is `newcomer`."""
        now = self._clock()
        waiting = (each for each in self._clients.values() if each.waiting)
        highest = max(waiting, key=lambda each: each.score(now), default=newcomer)
        if highest.score(now) <= newcomer.score(now):
            raise Overloaded
        refused = highest.waiting.pop()
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
            now = self._clock()
            waiting = (each for each in self._clients.values() if each.waiting)
            client = min(waiting, key=lambda each: (each.score(now), each.waiting[0].number), default=None)
            if client is None:
                return  # it was refused, or taken back
            job = client.waiting.popleft()
        began = self._worked()
        try:
            settle = partial(job.result.set_result, job.work())
        except BaseException as error:  # it is raised where the work was handed in
            settle = partial(job.result.set_exception, error)
        took = self._worked() - began
        with self._lock:
            client.charge(took - EXPECTED, self._clock())
            self._inside -= 1
        settle()
