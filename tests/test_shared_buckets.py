"""Buckets that several hosts take from: one count, by the database's clock, and nobody is refused without it."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from postgres import Server, running

from archive.database import Counting
from archive.errors import ArchiveError
from archive.postgres_counting import SECONDS, PostgresCounting
from archive.postgres_database import PostgresDatabase
from archive.store import Store
from web.buckets import Buckets, Rate
from web.services import Services
from web.settings import Settings
from web.shared_buckets import ALONE_SECONDS, FORGET_SECONDS, SharedBuckets

HOURS = Rate(6, seconds=60_000.0)  # nothing comes back while a test looks


@contextmanager
def host(url: str) -> Iterator[SharedBuckets]:
    store = Store(PostgresDatabase(url))
    shared = SharedBuckets(Buckets(), lambda: store)
    yield shared
    shared.close()
    store.close()


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new()


def test_hosts_take_from_one_bucket(url: str) -> None:
    with host(url) as one, host(url) as other:
        assert [one.take("a", HOURS).left, other.take("a", HOURS).left, one.take("a", HOURS).left] == [5, 4, 3]
        assert other.take("a", HOURS, cost=3).left == 0
        for each in (one, other):
            refused = each.take("a", HOURS)
            assert (refused.left, refused.wait) == (0, pytest.approx(10_000, abs=10))
        assert one.take("b", HOURS).left == 5, "one name says nothing of another"


def test_what_is_taken_comes_back_in_time(url: str) -> None:
    with host(url) as one, host(url) as other:
        quick = Rate(4, seconds=0.8)
        assert [one.take("a", quick).wait for _ in range(4)] == [0.0] * 4
        wait = other.take("a", quick).wait
        assert 0 < wait <= 0.2
        time.sleep(wait + 0.02)
        assert other.take("a", quick).wait == 0
        assert one.take("a", quick).wait > 0, "asking in vain cost nothing, and what came back is taken"
        time.sleep(1)
        assert one.take("a", quick).left == 3, "no more than the bucket holds"


def test_whoever_asks_at_once_on_all_hosts_gets_no_more_than_there_is(url: str) -> None:
    rate = Rate(100, seconds=60_000.0)
    with host(url) as one, host(url) as other, ThreadPoolExecutor(8) as threads:
        one.take("warm", rate), other.take("warm", rate)
        taken = list(threads.map(lambda number: (one, other)[number % 2].take("a", rate), range(240)))
    assert sum(each.wait == 0 for each in taken) == 100
    assert sorted(each.left for each in taken if each.wait == 0) == list(range(100))


def test_a_bucket_of_another_size_or_a_clock_that_was_set_back_refuses_nobody_for_long(url: str) -> None:
    with host(url) as one, psycopg.connect(url, autocommit=True) as database:
        for _ in range(6):
            one.take("a", HOURS)
        assert one.take("a", Rate(6, seconds=3.0)).left == 5
        database.execute("UPDATE rate SET full_at = full_at + 1e9")
        assert one.take("a", HOURS).left == 5


def test_names_are_not_to_be_read_in_the_database(url: str) -> None:
    with host(url) as one, psycopg.connect(url) as database:
        one.take("client 192.0.2.7", HOURS)
        ((name,),) = database.execute("SELECT name FROM rate").fetchall()
        assert len(name) == 16
        assert b"192.0.2" not in name


def test_buckets_that_are_full_are_forgotten(url: str) -> None:
    store, clock = Store(PostgresDatabase(url)), Seconds()
    shared = SharedBuckets(Buckets(), lambda: store, clock=clock)
    for number in range(20):
        shared.take(f"client {number}", Rate(1_000, seconds=0.5))
    shared.take("busy", HOURS)
    time.sleep(0.01)
    clock.now += FORGET_SECONDS
    shared.take("busy", HOURS)
    deadline = time.monotonic() + 5
    while store.one("SELECT count(*) FROM rate") != (1,):
        assert time.monotonic() < deadline
    assert shared.take("busy", HOURS).left == 3
    store.close()


class Seconds:
    """A clock in seconds that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Broken:
    """Counts that fail as long as they are told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_away = True

    def take(self, name: bytes, *, cost: float, most: float) -> tuple[bool, float]:
        self.asked += 1
        if self.is_away:
            raise ArchiveError("the database cannot be asked")
        return True, cost

    def forget(self) -> None:
        """Forget nothing."""


def test_without_the_database_a_host_counts_for_itself_and_soon_asks_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counting, clock = Broken(), Seconds()
    store = Store(tmp_path / "archive.sqlite3")
    store.database.counting = counting  # type: ignore[misc]  # a double, in the place of a server's
    shared = SharedBuckets(Buckets(clock=clock), lambda: store, clock=clock)
    with caplog.at_level(logging.INFO):
        assert [shared.take("a", HOURS).left for _ in range(6)] == [5, 4, 3, 2, 1, 0]
        assert shared.take("a", HOURS).wait > 0
        assert counting.asked == 1, "the others did not wait for it once more"
        clock.now += ALONE_SECONDS
        shared.take("a", HOURS)
        assert counting.asked == 2
        assert caplog.text.count("requests are counted by this host for itself: the database cannot be asked") == 1
        counting.is_away = False
        clock.now += ALONE_SECONDS
        assert shared.take("a", HOURS).left == 5
        assert "counted together with the other hosts again" in caplog.text
    store.close()


def test_before_the_archive_is_open_nobody_waits_for_it(tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path, archive="postgresql://backfile@127.0.0.1:1/none"))
    assert parts.buckets.take("a", HOURS).left == 5
    assert "store" not in parts.made
    parts.close()


def test_an_archive_in_a_file_is_counted_for_in_a_file(tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path))
    assert isinstance(parts.buckets, Buckets)
    assert (tmp_path / "rates").exists()
    parts.close()


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_a_moment(url: str) -> None:
    store = Store(PostgresDatabase(url))
    counting = store.database.counting
    assert counting is not None
    counting.take(b"a", cost=1, most=60)
    with psycopg.connect(url) as database:
        (silent,) = database.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INTO rate%'"
            " AND pid <> pg_backend_pid()"
        ).fetchone() or (0,)
    os.kill(silent, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(ArchiveError, match="cannot be asked"):
            counting.take(b"a", cost=1, most=60)
        assert time.monotonic() - began < SECONDS + 0.5
        assert soon(counting), "by another connection"
    finally:
        os.kill(silent, signal.SIGCONT)
    store.close()


def soon(counting: Counting) -> bool:
    deadline = time.monotonic() + 10
    while True:
        try:
            return counting.take(b"a", cost=1, most=60)[0]
        except ArchiveError:
            assert time.monotonic() < deadline


def test_a_writer_holds_up_nobody_who_counts(url: str) -> None:
    store = Store(PostgresDatabase(url))
    counting = store.database.counting
    assert counting is not None
    with store.transaction():
        assert counting.take(b"a", cost=1, most=60) == (True, pytest.approx(1, abs=0.01))
    store.close()


def test_a_server_that_was_started_again_counts_again() -> None:
    with running() as server:
        store = Store(PostgresDatabase(server.new()))
        shared = SharedBuckets(Buckets(), lambda: store)
        assert shared.take("a", HOURS).left == 5
        server.stop()
        assert shared.take("a", HOURS).left == 5, "of a bucket of its own"
        server.start()
        counting = store.database.counting
        assert isinstance(counting, PostgresCounting)
        assert soon(counting)
        store.close()
