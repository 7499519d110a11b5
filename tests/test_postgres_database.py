"""What PostgreSQL alone has to show: many writers, a server that goes away and comes back, what its messages say."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from newsroom import article
from postgres import Server, running

from archive import postgres_database
from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError, ContradictionError
from archive.postgres_database import PostgresDatabase
from archive.store import Store

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
WRITER = """
import sys
sys.path.insert(0, "tests")
from newsroom import article
from archive.store import open_store
store = open_store(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    print(store.put(article(number)), flush=True)
store.close()
"""


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.new()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(PostgresDatabase(url))
    yield opened
    opened.close()


def soon(ask: Callable[[], T]) -> T:
    """Return what is answered once the server is found to be back."""
    deadline = time.monotonic() + 4 * postgres_database.POOL_SECONDS
    while True:
        try:
            return ask()
        except ArchiveError:
            if time.monotonic() > deadline:
                raise


def writer(url: str, first: int, end: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, url, str(first), str(end)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_many_writers_lose_nothing_and_a_reader_of_the_log_misses_nothing(store: Store, url: str) -> None:
    writers = [writer(url, 40 * number, 40 * number + 60) for number in range(3)]  # some articles come from two
    seen: list[int] = []
    while any(each.poll() is None for each in writers):
        until = store.last_seq()
        seen += [change.seq for change in store.changes(after=seen[-1] if seen else 0, until=until)]
    outcomes = [outcome for each in writers for outcome in each.communicate()[0].split()]
    assert sorted(outcomes) == ["added"] * 140 + ["unchanged"] * 40
    seen += [change.seq for change in store.changes(after=seen[-1], until=store.last_seq())]
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 140, "none was passed over because a later number was committed first"
    assert store.check() == []


def test_a_writer_that_is_killed_leaves_whole_articles_alone(store: Store, url: str) -> None:
    for round_ in range(4):
        process = writer(url, 0, 400)
        told = 0
        for line in process.stdout or ():
            told += line.strip() in {"added", "unchanged"}
            if told == 15 * (round_ + 1):
                process.kill()
                break
        process.communicate()
        held = store.last_seq()
        assert held >= told, "what was acknowledged is there"
        assert [change.seq for change in store.changes(after=0, until=held)] == sorted(
            {change.seq for change in store.changes(after=0, until=held)}
        )
        assert store.check() == []
        assert len(store.live(store.live_ids())) == store.count_live()


def test_threads_write_side_by_side_and_each_reads_its_own_snapshot(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(store.put, (article(number) for number in range(60)))) == ["added"] * 60
        with store.snapshot():
            before = store.count_live()
            assert list(threads.map(store.put, (article(number) for number in range(60, 70)))) == ["added"] * 10
            assert store.count_live() == before == 60
            assert threads.submit(store.count_live).result() == 70
    assert store.count_live() == 70


def test_a_server_that_stops_is_an_error_and_one_that_is_back_is_used_again(tmp_path: Path) -> None:
    with running() as server:
        store = Store(PostgresDatabase(server.new()))
        store.put(article(1))
        server.stop()
        began = time.monotonic()
        for ask in (store.live_ids, lambda: store.put(article(2))):
            with pytest.raises(ArchiveError, match="the database cannot be reached"):
                ask()
        assert time.monotonic() - began < 2 * postgres_database.POOL_SECONDS, "the second does not wait once more"
        with pytest.raises(ArchiveError, match=r"[Cc]onnection refused"):
            store.live_ids()
        server.start()
        assert soon(store.live_ids) == [article(1).id]
        assert store.put(article(2)) == "added"
        store.close()


def test_a_server_that_stops_within_a_transaction_keeps_nothing_of_it() -> None:
    with running() as server:
        store = Store(PostgresDatabase(server.new()))
        with pytest.raises(ArchiveError, match="cannot be reached"), store.transaction() as connection:  # noqa: PT012
            connection.execute("INSERT INTO asked VALUES ('q=flood', '2001-01-01', '2001-01-01', 1)")
            server.stop()
            connection.execute("INSERT INTO asked VALUES ('q=fire', '2001-01-01', '2001-01-01', 1)")
        server.start()
        assert soon(lambda: store.one("SELECT count(*) FROM asked")) == (0,)
        store.close()


def ended(url: str, which: str) -> None:
    """End the connections to a database that this is true of."""
    with psycopg.connect(url, autocommit=True) as other:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        other.execute(f"SELECT pg_terminate_backend(pid) {others} AND {which}".encode())


def busy(url: str, words: str) -> bool:
    with psycopg.connect(url) as other:
        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE %s"
        )
        row = other.execute(query, [f"%{words}%"]).fetchone()
    return row is not None and row[0] > 0


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_while_the_server_starts_again_readers_wait_and_none_is_refused(tmp_path: Path) -> None:
    with running() as server, ThreadPoolExecutor(4) as threads:
        store = Store(PostgresDatabase(server.new()))
        store.put(article(1))
        end = time.monotonic() + 3

        def read() -> list[Exception]:
            refused: list[Exception] = []
            while time.monotonic() < end:
                try:
                    assert store.live_ids() == [article(1).id]
                except ArchiveError as error:
                    refused.append(error)
            return refused

        readers = [threads.submit(read) for _ in range(4)]
        time.sleep(0.3)
        began = time.monotonic()
        server.stop("fast")
        server.start()
        was_quick = time.monotonic() - began < postgres_database.GIVEN_UP  # as hardly ever on a busy machine
        assert not any(reader.result() for reader in readers) or not was_quick
        assert store.live_ids() == [article(1).id]
        store.close()


def test_what_only_reads_is_asked_once_more_where_its_connection_is_cut(store: Store, url: str) -> None:
    store.put(article(1))
    slow = "SELECT article_id, CAST(pg_sleep(0.7) AS TEXT) FROM article"
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(lambda: list(store.rows(slow)))
        until(lambda: busy(url, "pg_sleep"))
        ended(url, "query LIKE '%pg_sleep%'")
        assert reading.result() == [(article(1).id, "")]
        with store.snapshot():
            assert store.live_ids() == [article(1).id]
            ended(url, "true")
            with pytest.raises(ArchiveError, match="cannot be reached"):
                store.live_ids()
    assert store.live_ids() == [article(1).id]


def test_a_writer_that_is_cut_off_while_it_waits_for_another_waits_anew(store: Store, url: str) -> None:
    late = Store(PostgresDatabase(url))
    with ThreadPoolExecutor(1) as threads:
        with store.transaction():
            writing = threads.submit(late.put, article(1))
            until(lambda: busy(url, "pg_advisory_xact_lock"))
            ended(url, "query LIKE '%pg_advisory_xact_lock%' AND wait_event_type = 'Lock'")
        assert writing.result() == "added"
    late.close()


def test_a_connection_at_whose_other_end_nobody_answers_holds_up_nobody_for_long(store: Store) -> None:
    (silent,) = store.one("SELECT pg_backend_pid()")
    os.kill(silent, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert store.live_ids() == []
        assert time.monotonic() - began < postgres_database.POOL_SECONDS + 1
    finally:
        os.kill(silent, signal.SIGCONT)


def test_another_writer_is_waited_for_and_given_up_at_last(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_database, "LOCK_SECONDS", 1)
    late = Store(PostgresDatabase(url))
    with store.transaction(), pytest.raises(ArchiveBusy, match="another process is writing: try again"):
        late.put(article(1))
    assert late.put(article(1)) == "added"
    late.close()


def test_a_schema_newer_than_the_program_is_not_touched(store: Store, url: str) -> None:
    store.change("UPDATE meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(ArchiveDamaged, match="schema 99 is newer than this program: upgrade"):
        PostgresDatabase(url)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://user:secret-word@127.0.0.1:1/archive", "cannot be reached.*[Cc]onnection refused"),
        (
            "postgresql://backfile:secret-word@127.0.0.1:{port}/none",
            'reached.*database "none" does not exist',
        ),
        (
            "postgresql://nobody:secret-word@127.0.0.1:{port}/postgres",
            'reached.*role "nobody" does not exist',
        ),
        ("postgresql://user:secret-word@127.0.0.1:{port}/x?no_such_option=1", "no address of a PostgreSQL database"),
    ],
)
def test_what_cannot_be_opened_is_said_without_its_password(
    postgres: Server, address: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(ArchiveError, match=said) as refused:
        PostgresDatabase(address.format(port=postgres.port))
    assert "secret-word" not in str(refused.value) + caplog.text
    assert time.monotonic() - began < postgres_database.POOL_SECONDS, "nobody waits for what will not come"


def test_a_text_that_the_server_cannot_hold_is_refused_and_the_next_one_goes_in(store: Store) -> None:
    with pytest.raises(ArchiveError, match="NUL"):
        store.put(article(1, title="A title\0with half a line"))
    assert store.last_seq() == 0
    assert store.put(article(1)) == "added"


def test_what_was_committed_is_on_the_disk_whatever_the_servers_default() -> None:
    with running(settings=("synchronous_commit=off",)) as server:
        store = Store(PostgresDatabase(server.new()))
        with store.transaction() as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        store.close()


def test_texts_are_ordered_by_their_bytes_in_a_database_of_another_order(postgres: Server) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere TEMPLATE template0 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
    store = Store(PostgresDatabase(postgres.url("elsewhere")))
    names = ["Zeta", "alpha", "Émile", "Beta"]
    for number, name in enumerate(names):
        store.put(article(number, source=name))
    rows = store.rows("SELECT source FROM version ORDER BY source")
    assert [name for (name,) in rows] == sorted(names, key=str.encode)
    store.close()


def test_bindings_stand_where_they_are_named() -> None:
    native = postgres_database._native
    assert native("SELECT ?, ?") == b"SELECT $1, $2"
    assert native("SELECT ?1, ?2, ?1") == b"SELECT $1, $2, $1"
    assert native("SELECT 'who?', ?") == b"SELECT 'who?', $1"


def test_nothing_of_it_is_loaded_where_a_file_keeps_the_articles(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from archive.store import open_store;" \
             " open_store(Path(sys.argv[1])).close(); print('psycopg' in sys.modules)"  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.sqlite3"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ},
    )  # fmt: skip
    assert ended.stdout == "False\n"


def test_a_long_reading_comes_in_parts_within_a_snapshot_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_database, "TOGETHER", 3)
    for number in range(10):
        store.put(article(number))
    select = "SELECT version_id FROM version WHERE version_id > ? ORDER BY version_id"
    assert [number for (number,) in store.database.scan(select, (2,))] == list(range(3, 11))
    with store.snapshot():
        reading = store.database.scan(select, (0,))
        assert next(reading) == (1,)
        assert store.count_live() == 10
        assert [number for (number,) in reading] == list(range(2, 11))
    reading = store.database.scan(select, (0,))
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # a generator
    assert store.put(article(11)) == "added"


def test_what_the_database_sets_for_others_does_not_hold_here(postgres: Server) -> None:
    url = postgres.new()
    name = url.rpartition("/")[2]
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        for setting in ("default_transaction_isolation = 'repeatable read'", "statement_timeout = '1ms'"):
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    store, other = Store(PostgresDatabase(url)), Store(PostgresDatabase(url))
    with ThreadPoolExecutor(8) as threads:
        puts = [threads.submit((store, other)[number % 2].put, article(number)) for number in range(40)]
        assert [put.result() for put in puts] == ["added"] * 40
    store.close()
    other.close()


def test_a_database_of_another_encoding_is_refused(postgres: Server) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    with pytest.raises(ArchiveError, match="its encoding is LATIN1: make it by createdb --encoding=UTF8"):
        PostgresDatabase(postgres.url("latin"))


def test_a_statement_that_fails_within_a_snapshot_leaves_it_as_it_is(store: Store) -> None:
    store.put(article(1))
    with store.snapshot():
        assert store.count_live() == 1
        with pytest.raises(ArchiveDamaged):
            store.one("SELECT no_such_column FROM article")
        assert store.count_live() == 1


def test_a_row_that_is_refused_is_not_told(store: Store) -> None:
    with pytest.raises(ContradictionError) as refused:
        store.change("INSERT INTO refusal (day, why, times) VALUES ('secret-word', 'nothing', 1)")
    assert "secret-word" not in str(refused.value)


def test_whoever_reads_what_was_overwritten_is_waited_for(store: Store, url: str) -> None:
    store.put(article(1))
    other = Store(PostgresDatabase(url))
    with other.snapshot():
        assert other.count_live() == 1
        store.change("UPDATE version SET title = ''")
        assert not store.database.flush(seconds=0.2)
    assert store.database.flush(seconds=5)
    other.close()


def test_a_user_without_rights_is_told_what_it_needs(postgres: Server) -> None:
    url = postgres.new()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    reader = url.replace("backfile@", "reader@")
    with pytest.raises(ArchiveError, match=r"permission denied.*: this user needs to own the database"):
        PostgresDatabase(reader)
    Store(PostgresDatabase(url)).close()
    with pytest.raises(ArchiveError, match=r"permission denied.*: this user needs to own the database"):
        PostgresDatabase(reader)
