"""What a kill costs: of a long ingest no more than a batch, of the server no more than its restart.

That nothing is lost, at whatever call a process is killed or the disk fails, is shown in `tests/faults`.
"""

import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from processes import BATCH, PATIENCE, Newsroom, kill_group, server, wait_until

from archive.article import TEXT_HASH_BYTES
from archive.store import Store
from index.check import check
from index.generation import path_of
from web.services import Services


def kept_embeddings(store: Store) -> list[str]:
    return [row[0] for row in store.rows("SELECT lower(hex(text_hash)) FROM embedded")]


def embedded_by_last_process(room: Newsroom) -> set[str]:
    return {text[: 2 * TEXT_HASH_BYTES] for text in room.logged()}


def problems(services: Services) -> list[str]:
    return check(services.generations, services.store)


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
