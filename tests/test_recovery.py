"""Killing real processes: `flask ingest` at any moment, between the steps of publishing, and the server meanwhile.

Points: 10 kills of one long ingest, 18 kills between the file operations of one publication, 1 of the server.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from processes import BATCH, PATIENCE, ROOT, Newsroom, wait_until

from archive.ingest import ingest
from archive.store import Store
from index.check import check
from index.generation import path_of
from index.serving import open_generation
from web.services import Services

STRACE = shutil.which("strace")
STEPS = 18  # of a publication that are tried, of about 90
OPERATIONS = "rename,renameat,renameat2,fsync,fdatasync,link,linkat,unlink,unlinkat"


def kept_embeddings(store: Store) -> list[str]:
    return [row[0] for row in store._rows("SELECT hex(text_hash) FROM embedding")]


def problems(services: Services) -> list[str]:
    return check(services.settings.data / "index", services.store, formats=services.formats)


# The whole ingest


def kills(room: Newsroom) -> list[Callable[[], Callable[[], bool]]]:
    """Return ten ways to choose a moment; each is called when a process starts and says when to kill it."""
    chance = random.Random()

    def at_random() -> Callable[[], bool]:
        started: list[float] = []
        delay = chance.uniform(0, 0.25)

        def due() -> bool:
            if not started and room.log.exists():  # the program is loaded
                started.append(time.monotonic())
            return bool(started) and time.monotonic() - started[0] >= delay

        return due

    def after(texts: int) -> Callable[[], Callable[[], bool]]:
        return lambda: lambda: len(room.logged()) >= texts

    def reading() -> bool:
        wal = room.data / "archive.sqlite3-wal"
        return wal.exists() and wal.stat().st_size > 200_000

    def renamed() -> bool:
        return path_of(room.data / "index", 1).exists()

    return [
        at_random, lambda: reading, at_random, after(1), after(9), at_random, after(9), at_random,
        lambda: room.building, lambda: renamed,
    ]  # fmt: skip


def test_an_ingest_killed_ten_times_ends_as_if_it_had_run_once(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.write("first.jsonl", range(60))
    killed, embedded, embedded_twice = 0, 0, []
    kept: list[str] = []
    for choose in kills(room):
        with room.start_ingest(pause=0.006) as process:
            wait_until(choose(), process)
            process.kill()
            process.communicate()
        killed += process.returncode == -signal.SIGKILL
        embedded += len(room.logged())
        embedded_twice += sorted(set(kept) & {text.upper() for text in room.logged()})
        with room.services() as services:
            assert services.store.check() == []
            kept = kept_embeddings(services.store)
    assert killed >= 8  # the last points lie so late that a process may end by itself

    room.ingest()
    embedded_twice += sorted(set(kept) & {text.upper() for text in room.logged()})
    assert embedded_twice == []
    with room.services() as services:
        passages = services.store.stats().passages
    assert passages <= embedded + len(room.logged()) <= passages + killed * BATCH  # a kill costs one batch at most
    again = room.ingest()
    assert (again["added"], again["updated"], again["unchanged"], again["embedded"]) == (0, 0, 60, 0)
    assert room.logged() == []
    with room.services() as services:
        assert problems(services) == []
        assert len(services.store.live_ids()) == 60
        assert services.store.stats().versions == 60
    room.write("second.jsonl", range(60, 61))
    assert room.ingest()["generation"] == 2
    assert sorted(path.name for path in (room.data / "index").iterdir()) == ["gen-000001", "gen-000002"]


# One publication, step by step


@dataclass(frozen=True)
class Publication:
    """An archive with two generations, what a third is to hold, and the file operations that publish it."""

    room: Newsroom
    steps: list[tuple[str, int]]  # the operation, and which of its kind it is
    served: dict[int, frozenset[str]]


def traced(room: Newsroom, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [str(STRACE), "-f", "-qq", "-o", str(room.folder / "trace"), "-e", f"trace={OPERATIONS}", *options]
    return subprocess.run(
        [*command, *room.ingest_command()], env=room.environment(), capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip


def copy_of(room: Newsroom, folder: Path) -> Newsroom:
    shutil.copytree(room.folder, folder, dirs_exist_ok=True)
    return Newsroom(folder)


def articles_of(services: Services, number: int) -> frozenset[str]:
    published = next(each for each in services.store.pointer() if each and each.number == number)
    engine = open_generation(services.settings.data / "index", published, formats=services.formats)
    by_words, by_meaning = engine.article_ids()
    engine.close()
    assert by_words == by_meaning
    return by_words


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    if STRACE is None:
        reason = "strace is not installed, so nothing can be killed between two file operations"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    room = Newsroom(tmp_path_factory.mktemp("published"))
    served = {}
    room.write("never-changed.jsonl", range(4, 20))
    room.write("changed-once.jsonl", range(2))
    room.write("changed-later.jsonl", range(2, 4))
    for number, numbers in ((1, range(0)), (2, range(20, 26))):
        room.write("more.jsonl", numbers)
        with room.services() as services:
            ingest([room.folder / "news"], services.store)
            services.builder.update()
            served[number] = articles_of(services, number)
        room.write("changed-once.jsonl", range(2), edition="second")
    room.write("still-more.jsonl", range(26, 30))
    room.write("changed-later.jsonl", range(2, 4), edition="second")
    whole = copy_of(room, tmp_path_factory.mktemp("whole"))
    assert traced(whole).returncode == 0
    with whole.services() as services:
        served[3] = articles_of(services, 3)
    return Publication(room, chosen((whole.folder / "trace").read_text().splitlines()), served)


def chosen(trace: list[str]) -> list[tuple[str, int]]:
    """Return the steps to be tried: those around the renaming and the publication, and some of all others."""
    operations = [re.match(r"\d+ +(\w+)\(", line) for line in trace]
    names = [match[1] for match in operations if match]
    numbered = [(name, names[: place + 1].count(name)) for place, name in enumerate(names)]
    renaming = next(place for place, line in enumerate(trace) if '/gen-000003")' in line and "rename" in line)
    critical = set(range(renaming - 2, renaming + 5))
    others = [place for place in range(len(numbered)) if place not in critical]
    room = STEPS - len(critical)
    spread = {others[number * len(others) // room] for number in range(room)}
    return [numbered[place] for place in sorted(critical | spread)]


@pytest.mark.parametrize("step", range(STEPS))
def test_a_publication_killed_at_any_step_leaves_a_whole_generation(
    step: int, publication: Publication, tmp_path: Path
) -> None:
    room = copy_of(publication.room, tmp_path)
    name, number = publication.steps[step]
    ended = traced(room, "-e", f"inject={name}:signal=KILL:when={number}")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with room.services() as services:
        current, _ = services.store.pointer()
        with services.serving.engine() as (engine, degraded):
            assert current is not None
            assert (engine.generation, degraded) == (current.number, False)
            assert current.number in (2, 3)
        assert articles_of(services, current.number) == publication.served[current.number]
        assert problems(services) == []
        ingest([room.folder / "news"], services.store)
        services.builder.update()
        assert articles_of(services, 3) == publication.served[3]
        assert problems(services) == []
    with room.services() as services:
        assert [each.number for each in services.store.pointer() if each] == [3, 2]
        assert services.store.stats().articles == 30
        assert services.store.stats().versions == 34


# The server


@contextmanager
def server(room: Newsroom) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve the room as operations do; give the address and the process, whose group it leads."""
    command = ["gunicorn", "newsroom_wsgi:app", "--config", str(ROOT / "gunicorn.conf.py"), "--bind", "127.0.0.1:0"]
    errors = room.folder / "server.log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=room.environment(),
            cwd=room.folder,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        listening = re.compile(r"Listening at: (http://[0-9.:]+)")
        wait_until(lambda: listening.search(errors.read_text()) is not None, process)
        found = listening.search(errors.read_text())
        assert found, errors.read_text()
        yield found[1], process
    finally:
        kill_group(process)


def kill_group(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def served(address: str) -> tuple[object, object, object]:
    with urlopen(f"{address}/api/search?q=report&page_size=100", timeout=PATIENCE) as answer:
        found = json.load(answer)
    return found["generation"], found["degraded"], found["total"]["value"]


def test_a_server_killed_during_a_publication_serves_on_after_its_restart(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.write("first.jsonl", range(20))
    room.ingest()
    room.write("second.jsonl", range(20, 30))
    with room.start_ingest() as publishing, server(room) as (address, process):
        try:
            wait_until(room.building, publishing)
            publishing.send_signal(signal.SIGSTOP)  # in the midst of it, for as long as the rest takes
            assert room.building()
            assert served(address) == (1, False, 20)
            kill_group(process)
            with server(room) as (address, _):
                assert served(address) == (1, False, 20)
                publishing.send_signal(signal.SIGCONT)
                _, errors = publishing.communicate(timeout=PATIENCE)
                assert publishing.returncode == 0, errors
                assert served(address) == (2, False, 30)
        finally:
            publishing.kill()
    with room.services() as services:
        assert problems(services) == []
