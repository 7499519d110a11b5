"""A command that is asked to end does so where nothing is half done, says how far it came, and can go on from there."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from processes import PATIENCE, ROOT, Newsroom, wait_until

from web.stopping import check, pause, stoppable

MANY, FEW = 400, 40  # articles: so many that reading them takes a moment, or as few as can be


def newsroom(folder: Path, articles: int) -> Newsroom:
    room = Newsroom(folder)
    room.write("news.jsonl", range(articles))
    return room


def kept(room: Newsroom) -> int:
    with room.services() as services:
        return services.store.stats().articles


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_an_ingest_finishes_the_article_at_hand_says_how_far_it_came_and_goes_on_later(tmp_path: Path) -> None:
    room = newsroom(tmp_path, MANY)
    log = room.data / "archive.sqlite3-wal"
    process = room.start_ingest()
    try:
        wait_until(lambda: log.exists() and log.stat().st_size > 300_000, process)
        process.send_signal(signal.SIGTERM)
        code, out, err = ended(process)
    finally:
        process.kill()
    assert (code, out) == (143, ""), err
    assert 0 < kept(room) < MANY
    assert f"{kept(room)} added, 0 updated, 0 unchanged, 0 rejected; stopped: give the same command again" in err
    assert err.endswith("stopped\n")
    before = kept(room)
    room.write("news.jsonl", range(before + 3))  # the rest would only take time
    report = room.ingest()
    assert (report["added"], report["unchanged"], report["rejected"]) == (3, before, [])


def test_an_ingest_that_embeds_keeps_what_was_embedded(tmp_path: Path) -> None:
    room = newsroom(tmp_path, FEW)
    process = room.start_ingest(pause=0.02)
    try:
        wait_until(lambda: len(room.logged()) > 16, process)
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
    finally:
        process.kill()
    assert (code, err.endswith("stopped\n")) == (143, True), err
    with room.services() as services:
        embedded = services.store.stats().embeddings
    assert embedded > 0
    report = room.ingest()
    assert report["embedded"] == kept_passages(room) - embedded, "what was embedded is not embedded again"


def kept_passages(room: Newsroom) -> int:
    with room.services() as services:
        return services.store.stats().embeddings


def test_asked_a_second_time_it_ends_at_once(tmp_path: Path) -> None:
    room = newsroom(tmp_path, FEW)
    room.hold.touch()  # nothing is embedded: it would never come to an end
    process = room.start_ingest()
    try:
        wait_until(lambda: bool(room.logged()), process)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert any(line == "stopping when what is at hand is done; asked again, at once\n" for line in process.stderr)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        code, _, _ = ended(process)
    finally:
        process.kill()
    assert code == -signal.SIGTERM


@pytest.mark.parametrize(
    ("command", "number", "status"), [("fetch", signal.SIGTERM, 143), ("alerts", signal.SIGINT, 130)]
)
def test_what_goes_on_every_so_often_ends_within_a_moment_while_it_waits(
    tmp_path: Path, command: str, number: signal.Signals, status: int
) -> None:
    room = Newsroom(tmp_path)
    process = subprocess.Popen(
        room.command(command, "--every", "1h", "--json"),
        env=room.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:  # the first round has been told of
            if line == "}\n":
                break
        began = time.monotonic()
        process.send_signal(number)
        code, _, err = ended(process)
        assert time.monotonic() - began < 10
    finally:
        process.kill()
    assert (code, err.endswith("stopped\n")) == (status, True)


# The parts of it


def test_nothing_is_stopped_that_nobody_asked_to_stop() -> None:
    with stoppable():
        check()
        pause(0)


NOTED_ONCE = """
import os, signal
from archive.progress import Stopped
from web.stopping import check, pause, stoppable

def raised(work, *given):
    try:
        work(*given)
    except Stopped as stopped:
        return stopped.signal

before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
with stoppable():
    os.kill(os.getpid(), signal.SIGTERM)
    assert raised(pause, 60) == signal.SIGTERM
    assert raised(check) == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "the second one ends the process"
assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
check()
"""


def test_a_signal_is_noted_once_and_handlers_are_as_before_afterwards() -> None:
    """By a process of its own: a signal that is not noted must not end that of the tests."""
    ended = subprocess.run(
        [sys.executable, "-c", NOTED_ONCE], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_a_thread_beside_leaves_the_signals_alone() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with stoppable():
                check()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failed == []
