"""Buckets: how much may be done at once, how soon again, and that all processes count together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web import buckets as module
from web.buckets import HEADER, SIZE, Buckets, Rate

RATE = Rate(6, seconds=3.0)  # two a second


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counted(tmp_path: Path, clock: Clock) -> Buckets:
    return Buckets(tmp_path / "rates", clock=clock)


def test_so_many_pass_at_once_and_then_one_by_one(counted: Buckets, clock: Clock) -> None:
    assert [counted.take("a", RATE).left for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    assert counted.take("a", RATE).wait == pytest.approx(0.5)
    clock.now += 0.25
    assert counted.take("a", RATE).wait == pytest.approx(0.25), "asking in vain costs nothing"
    clock.now += 0.25
    assert counted.take("a", RATE).wait == 0
    assert counted.take("a", RATE).wait > 0
    clock.now += 100
    assert counted.take("a", RATE).left == 5, "no more than the bucket holds, however long nobody asked"


def test_what_is_dear_takes_more(counted: Buckets) -> None:
    assert counted.take("a", RATE, cost=5).left == 1
    assert counted.take("a", RATE, cost=5).wait == pytest.approx(2.0)
    assert counted.take("a", RATE).left == 0


def test_one_name_says_nothing_of_another(counted: Buckets) -> None:
    for _ in range(7):
        counted.take("a", RATE)
    assert counted.take("b", RATE).left == 5


def test_two_who_open_the_same_file_count_together(tmp_path: Path, clock: Clock) -> None:
    one, other = (Buckets(tmp_path / "rates", clock=clock) for _ in range(2))
    assert [one.take("a", RATE).left, other.take("a", RATE).left, one.take("a", RATE).left] == [5, 4, 3]


def test_processes_and_threads_that_count_at_once_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from web.buckets import Buckets, Rate\n"
        "counted, passed = Buckets(Path(sys.argv[1])), []\n"
        "def ask():\n"
        "    for _ in range(300):\n"
        "        passed.append(counted.take('a', Rate(1000, seconds=1e7)).wait == 0)\n"
        "threads = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
        "print(sum(passed))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "rates")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 1000


def test_what_is_in_the_file_by_accident_refuses_nobody_for_long(tmp_path: Path, clock: Clock) -> None:
    counted = Buckets(tmp_path / "rates", clock=clock)
    for _ in range(7):
        counted.take("a", RATE)
    clock.now = 5.0  # the machine was started again, and its clock with it
    assert counted.take("a", RATE).left == 5
    (tmp_path / "rates").write_bytes(os.urandom(SIZE))
    assert Buckets(tmp_path / "rates", clock=clock).take("a", RATE).left == 5, "a file that is none is made anew"
    (tmp_path / "rates").write_bytes(b"short")
    assert Buckets(tmp_path / "rates", clock=clock).take("a", RATE).left == 5


def test_of_more_names_than_there_is_room_for_the_most_used_are_remembered(
    counted: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETS", 1)
    for _ in range(6):
        counted.take("greedy", RATE)
    for number in range(100):
        counted.take(f"reader {number}", RATE)
    assert counted.take("greedy", RATE).wait > 0


def test_addresses_are_not_to_be_read_in_the_file(tmp_path: Path, clock: Clock) -> None:
    Buckets(tmp_path / "one", clock=clock).take("client 192.0.2.7", RATE)
    Buckets(tmp_path / "two", clock=clock).take("client 192.0.2.7", RATE)
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert b"192.0.2.7" not in one
    assert one[HEADER:] != two[HEADER:], "nor is a hash of them the same in two archives"
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600


def test_without_room_on_the_disk_each_process_counts_for_itself(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    counted = Buckets(tmp_path / "rates", clock=clock)
    assert [counted.take("a", RATE).left for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    assert counted.take("a", RATE).wait > 0
    assert [record.getMessage() for record in caplog.records] == [
        "requests are counted by each process for itself: No space left on device"
    ]
