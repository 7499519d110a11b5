"""The crew: the few places at which requests are worked on, and the bounded queue before them.

Those that work are few, because more than the cores can run only take the interpreter from each other and hold memory
of their own (a database connection, an inference request). What waits too long is refused unbegun: nothing piles up,
and whoever is refused knows soon.

Invariant: nobody's requests keep others from theirs. Each client has a score: the seconds that its requests were here,
each for itself, waiting or worked on, half of it forgotten every ten seconds. The lowest score is next, of equals
whoever came first. So who asks, reads and asks again is served before one that always has a request here, and that one
before another that has six; what they asked for was found to tell them apart less well, since whoever has to wait asks
for little. When the queue is full, the newest request of the one with the highest score is refused.
"""

import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from index.threads import Threads

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
    at: float  # when it was handed in
    result: "Future[Any]" = field(default_factory=Future)


class Scores:
    """How much each client has asked for lately, in seconds. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody known."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()  # the score, and when it was that

    def charge(self, who: str, seconds: float) -> None:
        """Add to the score of a client; whoever was not heard of for longest is forgotten when there are too many."""
        now = self._clock()
        with self._lock:
            self._known[who] = self._of(who, now) + seconds, now
            self._known.move_to_end(who)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def of(self, clients: Iterable[str]) -> dict[str, float]:
        """Return the scores of these clients at this moment."""
        now = self._clock()
        with self._lock:
            return {who: self._of(who, now) for who in clients}

    def _of(self, who: str, now: float) -> float:
        score, at = self._known.get(who, (0.0, now))
        return score * float(0.5 ** ((now - at) / HALF_LIFE))


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
    """Works on `at_work` requests at once while up to `waiting` wait. Safe to use from several threads.

    Who hands a request in works on it itself where nobody is before it: to wake another thread, and to be woken by it,
    takes longer than most requests beside a search. But a thread that works keeps memory of its own, so of all that
    hand in, only the first `at_work` do: those to which `index.threads` gives one client's requests. For all others,
    and for whatever waits, as many threads are kept here.
    """

    def __init__(
        self,
        *,
        at_work: int = AT_WORK,
        waiting: int = WAITING,
        patience: float = PATIENCE,
        scores: Scores | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start no thread before there is work. `scores` are those of another crew, where it works for the same."""
        self.scores = scores or Scores(clock)
        self._threads = Threads(at_work, name="crew")
        self._places = at_work
        self._room = at_work + waiting
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._is_empty = threading.Condition(self._lock)
        self._waiting: dict[str, deque[_Job]] = {}  # of each client that has any, the first first
        self._taken = 0  # places, by whoever works or is about to look for work; all of them while anybody waits
        self._inside = 0  # at work or waiting
        self._numbers = 0  # requests so far
        self._may_work: set[int] = set()  # threads that hand in

    def do(self, work: Callable[[], T], *, who: str = "") -> T:
        """Return what `work` for a client returns, or raise what it raises, once its turn has come.

        Raises Overloaded. Work that has work done may wait for itself, and be refused.
        """
        if self._begins_here():
            return self._done_here(work, who)
        job = self._hand_in(work, who)
        try:
            result: T = job.result.result(self._patience)
        except TimeoutError:
            if self._took_back(job, who):
                raise Overloaded from None
            result = job.result.result()  # it was begun in time, or it is its own error
        return result

    def submit(self, work: Callable[[], T], *, who: str = "") -> "Future[T]":
        """Return the future of what `do` would return, or raise. Raises Overloaded where there is no room."""
        return self._hand_in(work, who).result

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def close(self) -> None:
        """Finish what was handed in; the crew is not used afterwards."""
        with self._is_empty:
            self._is_empty.wait_for(lambda: not self._inside)
        self._threads.shutdown()

    def _begins_here(self) -> bool:
        """Take a place for this thread, if there is one and nobody waits for it."""
        thread = threading.get_ident()
        with self._lock:
            if self._taken == self._places:
                return False
            if thread not in self._may_work and len(self._may_work) == self._places:
                return False
            self._may_work.add(thread)
            self._numbers += 1
            self._taken += 1
            self._inside += 1
            return True

    def _done_here(self, work: Callable[[], T], who: str) -> T:
        began = self._clock()
        try:
            self.scores.charge(who, EXPECTED)
            return work()
        finally:
            self._has_ended(who, began)
            with self._lock, suppress(RuntimeError):  # where no thread can be started, who waits is refused in time
                self._taken -= 1
                self._fill()

    def _fill(self) -> None:
        """Have somebody work at a free place where somebody waits for one; whoever holds the lock calls this."""
        if self._waiting and self._taken < self._places:
            self._threads.submit(self._take_turns)
            self._taken += 1

    def _hand_in(self, work: Callable[[], Any], who: str) -> _Job:
        self.scores.charge(who, EXPECTED)
        with self._lock:
            if self._inside >= self._room:
                self._make_room(who)
            self._numbers += 1
            job = _Job(work, self._numbers, self._clock())
            self._waiting.setdefault(who, deque()).append(job)
            self._inside += 1
            try:
                self._fill()
            except RuntimeError:  # there is no thread to be had
                self._leave(who, job)
                raise
        return job

    def _make_room(self, newcomer: str) -> None:
        """Refuse the newest request of whoever has the highest score; raises Overloaded where that is `newcomer`."""
        scores = self.scores.of([newcomer, *self._waiting])
        highest = max(self._waiting, key=scores.__getitem__, default=newcomer)
        if scores[highest] <= scores[newcomer]:
            raise Overloaded
        self._leave(highest, self._waiting[highest][-1]).result.set_exception(Overloaded())

    def _took_back(self, job: _Job, who: str) -> bool:
        with self._lock:
            if job not in self._waiting.get(who, ()):
                return False
            self._leave(who, job)
            return True

    def _leave(self, who: str, job: _Job) -> _Job:
        """Return a request that waits, which is here no longer."""
        self._one_less()
        return self._take(who, job)

    def _one_less(self) -> None:
        self._inside -= 1
        self._is_empty.notify_all()

    def _take(self, who: str, job: _Job) -> _Job:
        """Return a request that waits, which does so no longer."""
        self._waiting[who].remove(job)
        if not self._waiting[who]:
            del self._waiting[who]
        return job

    def _take_turns(self) -> None:
        """Work on requests, each time on the one whose turn it is, until none waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._taken -= 1
                    return
                scores = self.scores.of(self._waiting)
                who = min(self._waiting, key=lambda each: (scores[each], self._waiting[each][0].number))
                job = self._take(who, self._waiting[who][0])
            self._work_on(job, who)
            del job  # what was worked on is let go of

    def _work_on(self, job: _Job, who: str) -> None:
        try:
            if self._clock() - job.at > self._patience:
                raise Overloaded
            settle = partial(job.result.set_result, job.work())
        except BaseException as error:  # it is raised where the work was handed in
            settle = partial(job.result.set_exception, error)
        self._has_ended(who, job.at)
        with suppress(InvalidStateError):  # whoever handed it in has cancelled it
            settle()

    def _has_ended(self, who: str, since: float) -> None:
        self.scores.charge(who, self._clock() - since - EXPECTED)
        with self._lock:
            self._one_less()
