"""The crew: how many work, how many wait, and who is refused."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from web.crew import AT_WORK, WAITING, Crew, Overloaded

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


def waiting_in(crew: Crew) -> int:
    return crew._threads._work_queue.qsize()


def wait_until_waiting(crew: Crew, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while waiting_in(crew) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


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


def test_what_is_done_is_returned_and_what_it_raises_is_raised() -> None:
    crew = Crew(at_work=1, waiting=0)
    assert crew.do(lambda: "done") == "done"
    with pytest.raises(ZeroDivisionError):
        crew.do(lambda: 1 // 0)
    assert crew.do(lambda: "done") == "done", "whatever happened, the place is free again"
    crew.close()


def test_no_more_work_at_once_than_there_are_hands(door: Door, clients: ThreadPoolExecutor) -> None:
    crew = Crew(at_work=2, waiting=3)
    jobs = fill(crew, door, clients, at_work=2, waiting=3)
    assert len(door.order) == 2
    door.open.set()
    assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2, 3, 4]
    assert door.order == [0, 1, 2, 3, 4], "who waits is served in order of arrival"
    crew.close()


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


def test_a_timeout_of_the_work_itself_is_its_own_error() -> None:
    crew = Crew(at_work=1, waiting=0)

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
