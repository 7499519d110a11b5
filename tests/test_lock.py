"""One process at a time: real processes, real locks."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from postgres import Server, running

from archive.errors import ArchiveBusy, ArchiveError
from archive.lock import alone, exclusive
from archive.postgres_database import PostgresDatabase
from archive.sqlite_database import SqliteDatabase

HOLDER = """
import sys
from pathlib import Path
from archive.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


OTHER_MACHINE = """
import sys
from pathlib import Path
from archive.lock import alone
from archive.postgres_database import PostgresDatabase
with alone(Path(sys.argv[1]), PostgresDatabase(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(path: Path, *arguments: str, holder: str = HOLDER) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the lock until its input ends."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", holder, str(path), *arguments]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive" / "index.lock"


def test_a_second_process_is_told_which_one_is_at_work(path: Path) -> None:
    with another_process_holding(path) as holder:
        for _ in range(2):  # being refused does not wipe out who holds it
            with pytest.raises(ArchiveBusy, match=rf"process {holder.pid} .*try again"), exclusive(path):
                pytest.fail("two processes hold the lock")
        assert path.read_text() == str(holder.pid)


def test_a_holder_that_was_killed_frees_it(path: Path) -> None:
    with another_process_holding(path) as holder:
        holder.kill()
        holder.wait()
        with exclusive(path):
            assert path.read_text() == str(os.getpid())


def test_a_holder_that_ended_frees_it(path: Path) -> None:
    with another_process_holding(path) as holder:
        assert holder.stdin is not None
        holder.stdin.close()
        assert holder.wait() == 0
        with exclusive(path):
            pass


def test_an_error_inside_frees_it_and_comes_through(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(path):
        _ = 1 / 0
    with exclusive(path):
        pass


def test_threads_of_one_process_exclude_each_other_too(path: Path) -> None:
    with exclusive(path):
        with pytest.raises(ArchiveBusy, match=str(os.getpid())), exclusive(path):
            pytest.fail("the lock was taken twice")
        assert path.read_text() == str(os.getpid())
    with exclusive(path):
        pass


def test_what_an_earlier_holder_left_in_the_file_is_gone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("4294967295 and more")
    with exclusive(path):
        assert path.read_text() == str(os.getpid())


def test_a_holder_that_has_not_signed_yet_is_unknown(path: Path) -> None:
    with another_process_holding(path):
        os.truncate(path, 0)
        with pytest.raises(ArchiveBusy, match=re.escape("process unknown is changing")), exclusive(path):
            pytest.fail("two processes hold the lock")


def test_different_archives_do_not_wait_for_each_other(path: Path, tmp_path: Path) -> None:
    with exclusive(path), exclusive(tmp_path / "another" / "index.lock"):
        pass
    assert (tmp_path / "another").stat().st_mode & 0o777 == 0o700


def test_machines_that_have_one_database_exclude_each_other_until_the_holder_is_killed(
    path: Path, tmp_path: Path, postgres: Server
) -> None:
    url = postgres.new()
    database, elsewhere = PostgresDatabase(url), tmp_path / "elsewhere" / path.name
    with another_process_holding(elsewhere, url, holder=OTHER_MACHINE) as holder:
        said = rf"process {holder.pid} of {re.escape(os.uname().nodename)} is at work on this archive: try again"
        for _ in range(2):
            with pytest.raises(ArchiveBusy, match=said), alone(path, database):
                pytest.fail("two machines hold the lock")
        with alone(path.with_name("fetch.lock"), database):
            pass  # which is for something else
        other = PostgresDatabase(postgres.new())
        with alone(path, other):
            pass  # nor is this their archive
        other.close()
        holder.kill()
        holder.wait()
        wait_for(path, database)
    database.close()


def wait_for(path: Path, database: PostgresDatabase) -> None:
    """Take the lock as soon as the server has noticed that its holder is gone."""
    deadline = time.monotonic() + 10
    while True:
        try:
            with alone(path, database):
                return
        except ArchiveBusy:
            assert time.monotonic() < deadline


def test_a_lock_that_was_lost_while_it_was_held_is_told(
    path: Path, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.new()
    database = PostgresDatabase(url)
    with alone(path, database), psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'backfile %.lock: %'"
        )
    assert "the connection that kept others from index.lock was lost" in caplog.text
    database.close()


def test_a_lock_is_held_for_as_long_as_the_work_takes(
    path: Path, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.new()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET idle_session_timeout = '200ms'".encode())
    database = PostgresDatabase(url)
    with alone(path, database):
        time.sleep(0.5)
    assert caplog.text == ""
    database.close()


def test_a_server_that_is_away_is_no_lock(path: Path) -> None:
    with running() as server:
        database = PostgresDatabase(server.new())
        server.stop()
        with pytest.raises(ArchiveError, match="cannot be reached"), alone(path, database):
            pytest.fail("nobody could say whether another machine holds it")
        server.start()
        database.close()
    with exclusive(path):
        pass


def test_a_file_of_one_machine_asks_no_other(path: Path, tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "archive.sqlite3")
    with alone(path, database), pytest.raises(ArchiveBusy), exclusive(path):
        pytest.fail("two processes hold the lock")
    database.close()
