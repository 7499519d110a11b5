"""Runs a command of a scenario with a fault somewhere in it, and says what was wrong with what came of it."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from processes import PATIENCE

from faults import audit, judging, told, tracing
from faults.judging import Promise, Reading, Summary
from faults.power import KEPT, Disk
from faults.scenarios import Room, Scenario
from faults.starting import Starter
from faults.tracing import Call, Point

FAULTS = {"KILL": "signal=KILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}
KILLED = -signal.SIGKILL
# An erasing that goes on where another was killed has no words left to search for, and says so.
NOT_VERIFIED = "erased, but not verified"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, all it said, what it had promised by then, and what it was seen to do."""

    status: int
    said: str
    promised: list[Promise]
    calls: list[Call]


@dataclass(frozen=True)
class Prepared:
    """A scenario whose archive lies in a folder, to be copied; how it ends where nothing fails, and where it writes."""

    scenario: Scenario
    folder: Path
    reference: Summary
    calls: list[Call]  # in a copy of the folder, which is `whole`
    whole: Path
    erased: frozenset[bytes]
    seeded: str = ""  # a fault that is built in

    @property
    def points(self) -> list[Point]:
        """Where the command writes."""
        return tracing.points(self.whole, self.calls)


def need_strace() -> None:
    """Skip the test where nothing can be made to fail; where the project is built, that is a failure."""
    if tracing.STRACE is None:
        reason = "strace is not installed, so nothing can be made to fail in a system call"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def prepare(scenario: Scenario, folder: Path, starter: Starter) -> Prepared:
    """Make the archive of a scenario, and run its command once to see what it does."""
    base = folder / "base"
    base.mkdir(parents=True)
    scenario.prepare(base)
    room = copied(scenario, base, folder / "whole")
    ended = run(starter, room, scenario.arguments(room), traced=True)
    assert ended.status == 0, ended.said
    for command in scenario.then:
        assert run(starter, room, [each.replace("{}", str(room.folder)) for each in command]).status == 0
    with room.services() as services:
        reference = judging.summary_of(services)
    erased = judging.pieces_of_hidden(scenario.room(base), scenario)
    prepared = Prepared(scenario, base, reference, ended.calls, room.folder, erased)
    assert judging.after_fault(room, scenario, ended.promised, erased=erased) == []
    assert judging.after_repetition(room, scenario, reference) == []
    return prepared


def copied(scenario: Scenario, base: Path, folder: Path) -> Room:
    """Return a room of its own, as the one in `base`."""
    shutil.copytree(base, folder / "room")
    return scenario.room(folder / "room")


def run(
    starter: Starter, room: Room, arguments: Sequence[str], *, traced: bool = False, inject: str = "", seeded: str = ""
) -> Ended:
    """Run a command to its end; `inject` is strace's word for a fault, `seeded` a fault that is built in.

    A run that is `traced`, with nothing injected, can be followed by `power.Disk`.
    """
    beside = room.folder.parent
    promises, output, trace = beside / "told", beside / "said", beside / "trace"
    promises.unlink(missing_ok=True)
    environment = room.environment() | {told.TOLD: str(promises), told.SEEDED: seeded}
    is_watched = traced or bool(inject)
    pid = starter.start(list(arguments), environment, output, waits=is_watched)
    with ExitStack() as opened:
        if is_watched:
            opened.enter_context(_watched(pid, trace, inject=inject))
        status = starter.end_of(pid)
    calls = list(tracing.read(trace.read_text().splitlines())) if is_watched else []
    return Ended(status, output.read_text(), promised_in(promises), calls)


def _watched(pid: int, trace: Path, *, inject: str) -> "subprocess.Popen[bytes]":
    """Let strace follow a process that stops itself, and the process go on."""
    command = [str(tracing.STRACE), "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", str(trace)]
    calls = tracing.CALLS if inject else (*tracing.CALLS, *tracing.PLACES)
    command += ["-e", f"trace={','.join(calls)}", "-p", str(pid)]
    _wait_until(pid, "State:\tT")
    watching = subprocess.Popen([*command, *(["-e", f"inject={inject}"] if inject else [])])
    _wait_until(pid, f"TracerPid:\t{watching.pid}")
    os.kill(pid, signal.SIGCONT)
    return watching


def _wait_until(pid: int, it_is_so: str) -> None:
    status, deadline = Path(f"/proc/{pid}/status"), time.monotonic() + PATIENCE
    while it_is_so not in status.read_text():
        assert time.monotonic() < deadline, f"process {pid} does not come to {it_is_so}"
        time.sleep(0.001)


def promised_in(path: Path) -> list[Promise]:
    """Return what was told of promises in a file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(said["did"], said["what"]) for said in map(json.loads, lines)]


@dataclass(frozen=True)
class Trial:
    """What came of one fault: whether it struck, and what was wrong then."""

    struck: bool
    violations: list[str]
    answers: int = 0


def tried(prepared: Prepared, point: Point, fault: str, *, folder: Path, starter: Starter) -> Trial:
    """Have the command of a scenario fail at a point, look at the archive, give the command again, and look again."""
    scenario = prepared.scenario
    room = copied(scenario, prepared.folder, folder)
    # Who judges opens the archive in this process as well, so those who read have left: SQLite's locks are a process's.
    with read_meanwhile(room, scenario) as reading:
        ended = run(
            starter,
            room,
            scenario.arguments(room),
            inject=f"{point.name}:{FAULTS[fault]}:when={point.number}",
            seeded=prepared.seeded,
        )
    injected = [call for call in ended.calls if call.injected]
    struck = ended.status == KILLED if fault == "KILL" else any(map(_is_the_commands_own, injected))
    violations = judging.after_fault(room, scenario, ended.promised, erased=prepared.erased)
    violations += said_wrongly(room, ended) if struck or not injected else []
    violations += repeated(prepared, room, starter)
    return Trial(struck, [*violations, *(reading.problems if reading else [])], reading.answers if reading else 0)


def _is_the_commands_own(call: Call) -> bool:
    """Tell whether a call writes, and to the command's own files: threads share calls out differently each time."""
    return call.writes and not (call.paths and call.paths[-1].endswith("/told"))


def read_meanwhile(room: Room, scenario: Scenario) -> AbstractContextManager[Reading | None]:
    """Have somebody read, where there is anything to read yet."""
    return Reading(room, scenario) if scenario.before else nullcontext()


def said_wrongly(room: Room, ended: Ended) -> list[str]:
    """Return where a command that failed says something else than one line, or promises what it cannot keep."""
    wrong = []
    if "Traceback" in ended.said:
        wrong.append(f"a traceback: {ended.said[-300:]}")
    is_about_input = "cannot be read: " in ended.said  # the fault struck what was to come in, which is named then
    is_muted = any(call.injected and call.paths[-1].endswith("/said") for call in ended.calls if call.paths)
    if is_muted:
        return promised_after_failed_sync(room, ended.calls)
    if ended.status > 0 and not is_about_input:
        errors = [line for line in ended.said.splitlines() if line.startswith("Error: ")]
        if len(errors) != 1:
            wrong.append(f"status {ended.status}, and not one line that says why: {ended.said[-300:]}")
    if ended.status < 0 and ended.status != KILLED:
        wrong.append(f"ended by signal {-ended.status}")
    return wrong + promised_after_failed_sync(room, ended.calls)


def promised_after_failed_sync(room: Room, calls: Sequence[Call]) -> list[str]:
    """Return what was promised after the disk had said that it does not hold what was written.

    Who asks again is told that all is well: Linux has marked the pages as written (https://lwn.net/Articles/752063/).
    """
    failed: str | None = None
    wrong = []
    for call in calls:
        path = call.paths[-1] if call.paths else ""
        is_kept = path.endswith(("archive.sqlite3-wal", "takedowns.jsonl"))
        if call.name in tracing.SYNCS and call.failed and is_kept:
            failed = path
        elif failed and call.name == "write" and path.endswith("/told"):
            wrong.append(f"{call.data.decode()} is promised after {failed} could not be synced")
    return wrong


def repeated(prepared: Prepared, room: Room, starter: Starter) -> list[str]:
    """Give the command again, as an operator does who has made room or restarted the machine, and look at the archive.

    Nothing else is done: no file is deleted, nothing is repaired by hand.
    """
    scenario, problems = prepared.scenario, []
    for command in (scenario.asked, *scenario.then):
        ended = run(starter, room, [each.replace("{}", str(room.folder)) for each in command])
        is_done = ended.status == 0 or NOT_VERIFIED in ended.said or (scenario.then and "no article" in ended.said)
        if not is_done:
            problems.append(f"given again, it says: {ended.said[-300:]}")
    problems += judging.after_repetition(room, scenario, prepared.reference)
    if prepared.erased and scenario.name == "erase":
        problems += judging.words_left(room, prepared.erased)
    return problems


def seeded(prepared: Prepared, fault: str, *, folder: Path, starter: Starter) -> Prepared:
    """Return the same with a fault that is built into the command, which ends well as long as nothing fails."""
    room = copied(prepared.scenario, prepared.folder, folder / "seeded")
    ended = run(starter, room, prepared.scenario.arguments(room), traced=True, seeded=fault)
    assert ended.status == 0, ended.said
    assert judging.after_repetition(room, prepared.scenario, prepared.reference) == []
    return replace(prepared, calls=ended.calls, whole=room.folder, seeded=fault)


def audited(prepared: Prepared) -> list[str]:
    """Return what the command of a scenario promised before it was on the disk."""
    existing = [str(prepared.whole / path.relative_to(prepared.folder)) for path in prepared.folder.rglob("*")]
    told_to = str(prepared.whole.parent / "told")
    return audit.problems(prepared.calls, folder=str(prepared.whole), existing=existing, promises=told_to)


def cuts(prepared: Prepared, *, most: int, folder: Path, until_found: bool = False) -> tuple[int, list[str]]:
    """Cut the power so many times while the command runs, and return how often, and what was wrong then.

    That is right after each promise, and before calls that have something kept or named. Each time the disk has kept
    nothing that it need not, or only names, or only bytes.
    """
    disk = Disk(prepared.folder, called=prepared.whole)
    told_to = str(prepared.whole.parent / "told")
    promised: list[Promise] = []
    wrong: list[str] = []
    moments = _moments(prepared, most)
    for place, call in enumerate(prepared.calls):
        if place in moments:
            for kept in KEPT:
                room = prepared.scenario.room(folder / f"cut-{place}-{kept}")
                disk.cut(kept, room.folder)
                found = judging.after_fault(room, prepared.scenario, promised, erased=prepared.erased)
                wrong += [
                    f"cut before call {place}, {call.name} {call.paths[-1:]}, {kept} kept: {each}" for each in found
                ]
                shutil.rmtree(room.folder)
            if wrong and until_found:
                break
        if call.name == "write" and call.paths[-1:] == (told_to,):
            said = json.loads(call.data)
            promised.append((said["did"], said["what"]))
        disk.follow(call)
    return len(moments), wrong


def _moments(prepared: Prepared, most: int) -> set[int]:
    """Return the places in the calls before which the power is cut."""
    told_to = str(prepared.whole.parent / "told")
    after_promise: list[int] = []
    renamings: list[int] = []
    others: list[int] = []
    for place, call in enumerate(prepared.calls):
        if call.name == "write" and call.paths[-1:] == (told_to,):
            after_promise.append(place + 1)
        elif call.name in (*tracing.SYNCS, *tracing.NAMES) and Path(call.paths[-1]).is_relative_to(prepared.whole):
            (renamings if call.name.startswith("rename") else others).append(place)
    chance = random.Random(most)  # the same ones each time
    chance.shuffle(others)
    promises = after_promise[-1:] + chance.sample(after_promise[:-1], min(most // 3, len(after_promise[:-1])))
    return {place for place in [*promises, *renamings, *others][:most] if place < len(prepared.calls)}
