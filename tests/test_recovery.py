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
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from processes import BATCH, PATIENCE, Newsroom, kill_group, server, wait_until

from archive.article import TEXT_HASH_BYTES
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
    return [row[0] for row in store._rows("SELECT lower(hex(text_hash)) FROM embedded")]


def embedded_by_last_process(room: Newsroom) -> set[str]:
    return {text[: 2 * TEXT_HASH_BYTES] for text in room.logged()}


def problems(services: Services) -> list[str]:
    return check(services.settings.data / "index", services.store, formats=services.formats)


# The whole ingest

EARLY = 8  # kills of processes that embed no more than MOST texts: however late they come, there is something to kill
MOST = 2 * BATCH  # so that even EARLY times as many are not all


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
        lambda: reading, at_random, at_random, after(1), after(9), at_random, after(9), at_random,
        lambda: room.building, lambda: renamed,
    ]  # fmt: skip


def test_an_ingest_killed_ten_times_ends_as_if_it_had_run_once(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.write("first.jsonl", range(60))
    killed, embedded, embedded_twice = 0, 0, []
    kept: list[str] = []
    for number, choose in enumerate(kills(room)):
        with room.start_ingest(pause=0.006, most=MOST if number < EARLY else None) as process:
            wait_until(choose(), process)
            process.kill()
            process.communicate()
        assert process.returncode == -signal.SIGKILL or number >= EARLY  # those lie so late that it may end by itself
        killed += process.returncode == -signal.SIGKILL
        embedded += len(room.logged())
        embedded_twice += sorted(set(kept) & embedded_by_last_process(room))
        with room.services() as services:
            assert services.store.check() == []
            kept = kept_embeddings(services.store)
        assert len(embedded_by_last_process(room) - set(kept)) <= BATCH  # a kill costs one batch at most

    room.ingest()
    embedded_twice += sorted(set(kept) & embedded_by_last_process(room))
    assert embedded_twice == []
    with room.services() as services:
        passages = services.store.stats().passages
    assert passages <= embedded + len(room.logged()) <= passages + killed * BATCH
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
            with server(room) as (address, process):
                assert served(address) == (1, False, 20)
                publishing.send_signal(signal.SIGCONT)
                _, errors = publishing.communicate(timeout=PATIENCE)
                assert publishing.returncode == 0, errors
                wait_until(lambda: served(address) == (2, False, 30), process)  # opened beside the requests
                assert process.poll() is None
        finally:
            publishing.kill()
    with room.services() as services:
        assert problems(services) == []
