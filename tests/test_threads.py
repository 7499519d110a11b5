"""Threads that are kept for work: which of them works, and what becomes of what they are given."""

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from index.threads import Threads

PATIENCE = 30.0  # seconds until a test gives up


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(3, name="test")
    yield threads
    threads.shutdown()


def wait_for_idle(threads: Threads, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(threads._idle) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def together(threads: Threads, count: int) -> list[int]:
    """Have so many threads at work at once, and return which, in the order in which they end."""
    meet, ended = threading.Barrier(count), list[int]()
    gates = [threading.Event() for _ in range(count)]

    def work(number: int) -> int:
        meet.wait(PATIENCE)
        gates[number].wait(PATIENCE)
        return threading.get_ident()

    jobs = [threads.submit(work, number) for number in range(count)]
    for number, (gate, job) in enumerate(zip(gates, jobs, strict=True), start=1):
        gate.set()
        ended.append(job.result(PATIENCE))
        wait_for_idle(threads, number)
    return ended


def test_what_is_done_is_returned_and_what_it_raises_is_raised() -> None:
    threads = Threads(1, name="test")
    assert threads.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(PATIENCE)
    assert threads.submit(divmod, 7, 2).result(PATIENCE) == (3, 1), "the thread that raised goes on working"
    threads.shutdown()


def test_no_thread_is_started_before_there_is_work_nor_a_second_while_one_is_idle() -> None:
    before = threading.active_count()
    threads = Threads(3, name="test")
    assert threading.active_count() == before
    for _ in range(5):
        threads.submit(int).result(PATIENCE)
        wait_for_idle(threads, 1)
    assert len(threads._started) == 1
    threads.shutdown()


def test_the_first_that_is_idle_works_next(threads: Threads) -> None:
    together(threads, 3)
    wait_for_idle(threads, 3)
    first = threads._started[0].thread.ident
    for _ in range(10):
        assert threads.submit(threading.get_ident).result(PATIENCE) == first
        wait_for_idle(threads, 3)
    gate = threading.Event()
    threads.submit(gate.wait, PATIENCE)
    assert threads.submit(threading.get_ident).result(PATIENCE) == threads._started[1].thread.ident
    gate.set()


def test_what_there_is_no_thread_for_is_done_in_order() -> None:
    threads = Threads(1, name="test")
    gate, done = threading.Event(), list[int]()
    threads.submit(gate.wait, PATIENCE)
    jobs = [threads.submit(done.append, number) for number in range(20)]
    assert not done
    gate.set()
    for job in jobs:
        job.result(PATIENCE)
    assert done == list(range(20))
    threads.shutdown()


def test_where_a_thread_cannot_be_started_the_others_do_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads(3, name="test")

    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    gate = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError, match="start"):
            threads.submit(int)
        patched.undo()
        threads.submit(gate.wait, PATIENCE)
        patched.setattr(threading.Thread, "start", refused)
        later = threads.submit(int)
    gate.set()
    assert later.result(PATIENCE) == 0
    assert len(threads._started) == 1
    threads.shutdown()


def test_what_was_taken_is_finished_before_a_program_ends() -> None:
    program = """
import time
from index.threads import Threads
threads = Threads(2, name="test")
idle = threads.submit(int).result()
threads.submit(lambda: (time.sleep(0.3), print("done", flush=True)))
print("the end", flush=True)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert said.stdout.split("\n") == ["the end", "done", ""]
    assert said.stderr == ""


def test_what_was_worked_on_is_let_go_of(threads: Threads) -> None:
    class Large:
        pass

    result: Future[Large] = threads.submit(Large)
    held = weakref.ref(result.result(PATIENCE))
    wait_for_idle(threads, 1)
    del result
    gc.collect()
    assert held() is None


def test_what_was_taken_is_finished_before_a_shutdown_and_nothing_is_taken_after_it() -> None:
    threads = Threads(1, name="test")
    done: list[int] = []

    def slowly(number: int) -> None:
        time.sleep(0.005)
        done.append(number)

    for number in range(5):
        threads.submit(slowly, number)
    threads.shutdown()
    assert done == [0, 1, 2, 3, 4]
    assert not any(worker.thread.is_alive() for worker in threads._started)
    with pytest.raises(RuntimeError, match="shut down"):
        threads.submit(int)
    threads.shutdown()


def test_what_is_cancelled_before_it_begins_is_not_done(threads: Threads) -> None:
    gate, done = threading.Event(), list[int]()
    for _ in range(3):
        threads.submit(gate.wait, PATIENCE)
    job = threads.submit(done.append, 1)
    assert job.cancel()
    gate.set()
    threads.shutdown()
    assert done == []
