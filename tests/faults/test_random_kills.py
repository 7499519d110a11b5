"""Kills at any moment of a long life: articles come, are corrected, removed and indexed, and nothing is lost."""

import os
import random
import signal
import time
from pathlib import Path

from faults import judging, told
from faults.amount import RANDOM_KILLS, tell
from faults.judging import Reading
from faults.running import KILLED, promised_in, run
from faults.scenarios import INGEST, Room, Scenario, Shown, id_of
from faults.starting import Starter

LARGEST = 60  # articles that are there at once
SEED = 60


def change(chance: random.Random, shown: Shown) -> Scenario:
    """Return something to do to an archive that shows so much."""
    there = [number for number, edition in shown.items() if edition]
    first = [number for number in there if shown[number] == "first"]
    new = {len(shown) + place: "first" for place in range(chance.randrange(1, 5))}
    deed = chance.choice(["ingest", "ingest", "remove", "reindex"])
    if deed == "remove" and len(there) > LARGEST // 2:
        gone = chance.sample(there, chance.randrange(1, 4))
        return Scenario("remove", ("remove", *map(id_of, gone)), before=shown, after=dict.fromkeys(gone))
    if deed == "reindex" and there:
        return Scenario("reindex", ("reindex",), before=shown)
    corrected = dict.fromkeys(chance.sample(first, min(len(first), 2)), "second")
    grows = len(there) < LARGEST or not corrected  # an ingest brings something
    return Scenario("ingest", INGEST, before=shown, after={**corrected, **(new if grows else {})})


def test_an_archive_that_is_killed_again_and_again_loses_nothing(starter: Starter, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    room = Room(tmp_path / "room")
    room.folder.mkdir()
    base = Scenario("ingest", INGEST, after=dict.fromkeys(range(6), "first"))
    base.prepare(room.folder)
    began = time.monotonic()
    assert run(starter, room, base.arguments(room)).status == 0
    longest = 1.2 * (time.monotonic() - began)
    shown, killed, answers, wrong = base.done, 0, 0, list[str]()
    while killed < RANDOM_KILLS:
        scenario = change(chance, shown)
        room.bring("news.jsonl", scenario.after)
        with Reading(room, scenario) as reading:
            promises = tmp_path / "told"
            promises.unlink(missing_ok=True)
            environment = room.environment() | {told.TOLD: str(promises)}
            pid = starter.start(scenario.arguments(room), environment, tmp_path / "said")
            time.sleep(chance.uniform(0, longest))
            os.kill(pid, signal.SIGKILL)  # of one that has ended nothing is left to kill but its status
            status = starter.end_of(pid)
            assert status in (KILLED, 0), (tmp_path / "said").read_text()
        wrong += judging.after_fault(room, scenario, promised_in(promises))
        killed += status == KILLED
        answers += reading.answers
        wrong += reading.problems
        shown = standing(room, scenario)
        assert wrong == [], f"kill {killed}: {scenario}"
    # In the end an ordinary run makes all as it should be, from whatever the kills have left.
    room.bring("news.jsonl", {0: "first"})
    assert run(starter, room, base.arguments(room)).status == 0
    with room.services() as services:
        reference = judging.summary_of(services)
    assert judging.after_repetition(room, Scenario("all", (), before=shown), reference) == []
    assert len(reference.indexed) == sum(edition is not None for edition in shown.values())
    tell(f"{killed} random kills; {answers} answers meanwhile; {len(shown)} articles; no violations")


def standing(room: Room, scenario: Scenario) -> Shown:
    """Return what is shown now: of each article what was before, or what was to be."""
    with room.services() as services:
        return {number: edition for number, edition, _ in judging.editions(services, list(scenario.done))
                if edition or number in scenario.before}  # fmt: skip
