"""The crew: how many work, how many wait, and who is refused."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from web.crew import AT_WORK, WAITING, Crew, Overloaded, Places

PATIENCE = 30.0  # seconds until a test gives up


class Door:
    """Work that lasts until it is let go, and counts who is at it."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)
        self.order: list[int] = []

    def work(self, number: int = 0) -> int:
        self.order.append(number)
        self.begun.release()
        assert self.open.wait(PATIENCE)
        return number


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.open.set()


@pytest.fixture
def clients() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as clients:
        yield clients


def wait_until_waiting(crew: Crew, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while crew.waiting < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def wait_until_free(crew: Crew) -> None:
    """Wait until whoever has given a result is done: a moment later."""
    deadline = time.monotonic() + PATIENCE
    while crew._taken:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def elsewhere(crew: Crew, clients: ThreadPoolExecutor) -> None:
    """Have other threads be those that work themselves."""
    meet = threading.Barrier(crew._places)
    for job in [clients.submit(crew.do, lambda: meet.wait(PATIENCE)) for _ in range(crew._places)]:
        job.result(PATIENCE)
    wait_until_free(crew)


def fill(crew: Crew, door: Door, clients: ThreadPoolExecutor, *, at_work: int, waiting: int) -> list["Future[int]"]:
    """Have so many at work and so many waiting, in order."""
    jobs = []
    for number in range(at_work):
        jobs.append(clients.submit(crew.do, lambda number=number: door.work(number)))
        assert door.begun.acquire(timeout=PATIENCE)
    for number in range(at_work, at_work + waiting):
        jobs.append(clients.submit(crew.do, lambda number=number: door.work(number)))
        wait_until_waiting(crew, number - at_work + 1)
    return jobs


@pytest.mark.parametrize("is_here", [True, False])
def test_what_is_done_is_returned_and_what_it_raises_is_raised(clients: ThreadPoolExecutor, is_here: bool) -> None:
    crew = Crew(at_work=1, waiting=0)
    if not is_here:
        elsewhere(crew, clients)
    assert (crew.do(threading.get_ident) == threading.get_ident()) == is_here
    wait_until_free(crew)
    assert crew.do(lambda: "done") == "done"
    wait_until_free(crew)
    with pytest.raises(ZeroDivisionError):
        crew.do(lambda: 1 // 0)
    wait_until_free(crew)
    assert crew.do(lambda: "done") == "done", "whatever happened, the place is free again"
    crew.close()


def test_no_more_work_at_once_than_there_are_places(door: Door, clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=2, waiting=3)
    jobs = fill(crew, door, clients, at_work=2, waiting=3)
    assert len(door.order) == 2
    door.open.set()
    assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2, 3, 4]
    assert door.order == [0, 1, 2, 3, 4], "who waits is served in order of arrival"
    crew.close()


def test_who_has_nobody_before_it_works_itself_and_whoever_waits_has_it_done() -> None:
    crew = Crew(at_work=1, waiting=8)
    own = threading.get_ident()
    other: list[Future[int]] = []

    def hold() -> int:
        other.append(crew.submit(threading.get_ident))
        return threading.get_ident()

    assert crew.do(hold) == own
    assert other[0].result(PATIENCE) != own
    wait_until_free(crew)
    assert crew.do(threading.get_ident) == own
    crew.close()


def test_only_as_many_threads_as_there_are_places_ever_work_themselves(clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=2, waiting=8)
    meet = threading.Barrier(5)

    def ask() -> tuple[int, int]:
        meet.wait(PATIENCE)  # each from a thread of its own
        return threading.get_ident(), crew.do(threading.get_ident)

    for _ in range(5):
        asked = [job.result(PATIENCE) for job in [clients.submit(ask) for _ in range(5)]]
        assert len({who for who, _ in asked}) == 5
        assert sum(who == worked for who, worked in asked) <= 2
    assert len(crew._may_work) == 2
    crew.close()


def test_work_here_and_elsewhere_is_together_no_more_than_there_are_places(
    clients: ThreadPoolExecutor,
) -> None:
    crew = Crew(at_work=2, waiting=64)
    lock, now, most = threading.Lock(), [0], [0]

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.001)
        with lock:
            now[0] -= 1

    for job in [clients.submit(crew.do, work, who=str(number % 5)) for number in range(60)]:
        job.result(PATIENCE)
    crew.close()
    assert most[0] == 2
    assert (crew._inside, crew._taken, crew.waiting) == (0, 0, 0)


def test_where_no_thread_can_be_started_nothing_is_lost_but_that_request(
    monkeypatch: pytest.MonkeyPatch, clients: ThreadPoolExecutor
) -> None:
    crew = Crew(at_work=1, waiting=8)
    elsewhere(crew, clients)

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="start"):
                crew.do(int)
    assert (crew._inside, crew._taken, crew.waiting) == (0, 0, 0)
    assert crew.do(lambda: "done") == "done"
    crew.close()


def test_closing_waits_for_whoever_works_itself(door: Door, clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=1, waiting=8)
    jobs = fill(crew, door, clients, at_work=1, waiting=2)
    closing = clients.submit(crew.close)
    time.sleep(0.05)
    assert not closing.done()
    door.open.set()
    closing.result(PATIENCE)
    assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2]


def test_beyond_the_queue_everybody_is_refused_at_once_until_there_is_room(
    door: Door, clients: ThreadPoolExecutor
) -> None:
    crew = Crew(at_work=1, waiting=2, patience=PATIENCE)
    jobs = fill(crew, door, clients, at_work=1, waiting=2)
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(Overloaded):
            crew.do(lambda: door.work(99))
    assert time.monotonic() - began < PATIENCE / 2, "nobody waited"
    door.open.set()
    assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2]
    assert 99 not in door.order
    assert crew.do(lambda: "done") == "done"
    crew.close()


def test_who_waits_too_long_is_refused_and_the_work_is_never_begun(door: Door, clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=1, waiting=1, patience=0.05)
    (job,) = fill(crew, door, clients, at_work=1, waiting=0)
    with pytest.raises(Overloaded):
        crew.do(lambda: door.work(99))
    assert not job.done(), "what was begun in time is not given up, however long it takes"
    door.open.set()
    assert job.result(PATIENCE) == 0
    assert crew.do(lambda: "done") == "done"
    assert 99 not in door.order
    crew.close()


def test_a_timeout_of_the_work_itself_is_its_own_error(clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=1, waiting=0)
    elsewhere(crew, clients)

    def late() -> None:
        raise TimeoutError("the disk")

    with pytest.raises(TimeoutError, match="the disk"):
        crew.do(late)
    crew.close()


def test_no_thread_is_started_before_there_is_work() -> None:
    before = threading.active_count()
    crew = Crew()
    assert threading.active_count() == before
    crew.close()


def test_a_burst_of_sixteen_clients_is_never_refused() -> None:
    assert AT_WORK + WAITING >= 2 * 16


def test_work_can_be_handed_in_and_waited_for_elsewhere(door: Door, clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=1, waiting=8, patience=0.2)
    (first,) = fill(crew, door, clients, at_work=1, waiting=0)
    late = crew.submit(lambda: door.work(99), who="other")
    time.sleep(0.3)
    door.open.set()
    assert first.result(PATIENCE) == 0
    with pytest.raises(Overloaded):
        late.result(PATIENCE)  # it is told so when its turn comes
    assert 99 not in door.order
    assert crew.submit(lambda: "done").result(PATIENCE) == "done"
    crew.close()


def test_two_crews_that_work_for_the_same_clients_know_the_same_of_them(door: Door) -> None:
    hall = Crew(at_work=1, waiting=8)
    crew = Crew(at_work=1, waiting=8, scores=hall.scores)
    door.open.set()
    for _ in range(3):
        hall.submit(lambda: time.sleep(0.02), who="greedy").result(PATIENCE)
    assert crew.scores.of(["greedy", "reader"])["greedy"] > 0.05
    hall.close()
    crew.close()


class Turns:
    """A crew of one, held at its work, whose clients are told by name."""

    def __init__(self, door: Door, clients: ThreadPoolExecutor, *, waiting: int) -> None:
        self.now = 0.0
        self.door = door
        self.crew = Crew(
            at_work=1,
            waiting=waiting,
            patience=PATIENCE,
            clock=lambda: self.now,
        )
        self.clients = clients
        self.done: list[str] = []

    def ask(self, name: str, *, takes: float = 0.1) -> "Future[None]":
        """Have this client ask for work of so many seconds, and return once it is in the queue, at work or refused."""

        def work() -> None:
            assert self.door.open.wait(PATIENCE)
            self.now += takes
            self.done.append(name)

        before = self.crew._numbers
        job = self.clients.submit(self.crew.do, work, who=name)
        deadline = time.monotonic() + PATIENCE
        while (self.crew._numbers == before or self._is_begun_late()) and not job.done():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return job

    def _is_begun_late(self) -> bool:
        """Tell whether there is a hand free that has not seen its work yet."""
        return self.crew._inside == self.crew.waiting == 1


def test_whoever_asks_once_is_served_before_one_who_has_many_requests_waiting(
    door: Door, clients: ThreadPoolExecutor
) -> None:
    turns = Turns(door, clients, waiting=8)
    jobs = [turns.ask("greedy") for _ in range(6)] + [turns.ask("reader"), turns.ask("other")]
    door.open.set()
    for job in jobs:
        job.result(PATIENCE)
    assert turns.done == ["greedy", "reader", "other", *["greedy"] * 5]
    turns.crew.close()


def test_who_had_requests_here_for_longer_is_served_later(door: Door, clients: ThreadPoolExecutor) -> None:
    turns = Turns(door, clients, waiting=8)
    door.open.set()
    turns.ask("busy", takes=5.0).result(PATIENCE)
    turns.ask("reader", takes=0.5).result(PATIENCE)
    door.open.clear()
    jobs = [turns.ask("first"), turns.ask("busy"), turns.ask("reader"), turns.ask("busy")]
    door.open.set()
    for job in jobs:
        job.result(PATIENCE)
    assert turns.done == ["busy", "reader", "first", "reader", "busy", "busy"]
    turns.crew.close()


def test_what_was_asked_for_long_ago_is_held_against_nobody(door: Door, clients: ThreadPoolExecutor) -> None:
    turns = Turns(door, clients, waiting=8)
    door.open.set()
    turns.ask("heavy", takes=60.0).result(PATIENCE)
    door.open.clear()
    turns.now += 300.0
    jobs = [turns.ask("first"), turns.ask("heavy"), turns.ask("light"), turns.ask("light")]
    door.open.set()
    for job in jobs:
        job.result(PATIENCE)
    assert turns.done == ["heavy", "first", "heavy", "light", "light"]
    turns.crew.close()


def test_who_asks_all_the_time_is_known_by_that_though_it_is_refused(door: Door, clients: ThreadPoolExecutor) -> None:
    turns = Turns(door, clients, waiting=2)
    jobs = [turns.ask("first"), turns.ask("other"), turns.ask("other")]
    for _ in range(10):
        with pytest.raises(Overloaded):
            turns.ask("other").result(PATIENCE)
    reader = [turns.ask("reader") for _ in range(2)]
    door.open.set()
    assert [job.result(PATIENCE) for job in reader] == [None, None]
    for job in jobs[1:]:
        with pytest.raises(Overloaded):
            job.result(PATIENCE)
    turns.crew.close()


def test_a_full_queue_refuses_the_greediest_and_not_whoever_comes_last(door: Door, clients: ThreadPoolExecutor) -> None:
    turns = Turns(door, clients, waiting=4)
    jobs = [turns.ask("greedy") for _ in range(5)]
    with pytest.raises(Overloaded):
        turns.ask("greedy").result(PATIENCE)
    reader = turns.ask("reader")
    with pytest.raises(Overloaded):
        jobs[-1].result(PATIENCE)  # the newest of its requests makes room
    door.open.set()
    assert reader.result(PATIENCE) is None
    for job in jobs[:-1]:
        job.result(PATIENCE)
    assert turns.done == ["greedy", "reader", "greedy", "greedy", "greedy"]
    turns.crew.close()


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.crew.REMEMBERED", 3)
    crew = Crew(at_work=1, waiting=1)
    for name in "abcdefgh":
        crew.do(lambda: None, who=name)
    assert list(crew.scores._known) == ["f", "g", "h"]
    crew.close()


def test_one_client_takes_so_many_places_and_all_together_no_more_than_there_are() -> None:
    places = Places(3, of_one=2)
    first = places.enter("greedy")
    places.enter("greedy")
    with pytest.raises(Overloaded):
        places.enter("greedy")  # it has two
    places.enter("reader")
    with pytest.raises(Overloaded):
        places.enter("other")  # all are taken
    for _ in range(5):
        first()
    places.enter("greedy")
