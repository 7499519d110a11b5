"""A command that is asked to end does so where nothing is half done, says how far it came, and can go on from there."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from processes import PATIENCE, Newsroom, wait_until

from archive.progress import Stopped
from web.stopping import check, pause, stoppable

ARTICLES = 400


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    room = Newsroom(tmp_path)
    for part in range(4):
        room.write(f"{part}.jsonl", range(part * ARTICLES // 4, (part + 1) * ARTICLES // 4))
    return room


def count(room: Newsroom) -> int:
    if not (room.data / "archive.sqlite3").exists():
        return 0
    with room.services() as services:
        return services.store.stats().articles


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_ingest_finishes_the_article_at_hand_says_how_far_it_came_and_goes_on_later(
    room: Newsroom, number: signal.Signals, status: int
) -> None:
    process = room.start_ingest()
    try:
        wait_until(lambda: (room.data / "archive.sqlite3-wal").exists() and count(room) > 0, process)
        process.send_signal(number)
        code, out, err = ended(process)
    finally:
        process.kill()
    assert (code, out) == (status, ""), err
    kept = count(room)
    assert 0 < kept <= ARTICLES
    assert f"{kept} added, 0 updated, 0 unchanged" in err
    assert "give the same command again" in err
    assert err.endswith("stopped\n")
    report = room.ingest()
    assert (report["added"], report["unchanged"]) == (ARTICLES - kept, kept)
    assert report["rejected"] == []


def test_an_ingest_that_embeds_keeps_what_was_embedded(room: Newsroom) -> None:
    process = room.start_ingest(pause=0.005)
    try:
        wait_until(lambda: len(room.logged()) > 16, process)
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
    finally:
        process.kill()
    assert (code, err.endswith("stopped\n")) == (143, True), err
    first = room.logged()
    with room.services() as services:
        assert services.store.stats().embeddings > 0
    room.ingest()
    assert len(room.logged()) < ARTICLES * 3 - len(first) + 16, "what was embedded is not embedded again"


def test_asked_a_second_time_it_ends_at_once(room: Newsroom) -> None:
    room.hold.touch()  # nothing is embedded: it would never come to an end
    process = room.start_ingest()
    try:
        wait_until(lambda: bool(room.logged()), process)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
    finally:
        process.kill()
    assert code == -signal.SIGTERM
    assert err.endswith("stopping when what is at hand is done; asked again, at once\n")


@pytest.mark.parametrize("command", ["fetch", "alerts"])
def test_what_goes_on_every_so_often_ends_within_a_moment_while_it_waits(room: Newsroom, command: str) -> None:
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
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
        assert time.monotonic() - began < 10
    finally:
        process.kill()
    assert (code, err.endswith("stopped\n")) == (143, True)


# The parts of it


def test_nothing_is_stopped_that_nobody_asked_to_stop() -> None:
    with stoppable():
        check()
        pause(0)


def test_a_signal_is_noted_once_and_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with stoppable():
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped) as stopped:
            check()
        assert stopped.value.signal == signal.SIGTERM
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "the second one ends the process"
        with pytest.raises(Stopped):
            pause(PATIENCE)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
    check()


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
