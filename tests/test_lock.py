"""One process at a time: real processes, real locks."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.errors import ArchiveBusy
from archive.lock import exclusive

HOLDER = """
import sys
from pathlib import Path
from archive.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the lock until its input ends."""
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
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
