"""A disk that is really full: an archive on a few megabytes, which are not enough for what is to come in.

The disk is a small tmpfs. Who may not mount one gets a namespace of his own for this file.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import judging
from faults.judging import Reading
from faults.running import run
from faults.scenarios import INGEST, OLD, Scenario, Shown
from faults.starting import Starter

MANY: Shown = dict.fromkeys(range(20, 120), "first")
ROOMS = (150, 700, 1200, 1800)  # KiB left for what needs more: the database is full first, or what is made beside it


def mounted(folder: Path) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True)
    return done.returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return an empty disk that can be made smaller."""
    folder = tmp_path / "room"
    folder.mkdir()
    if not mounted(folder):
        assert os.geteuid() or not os.environ.get("CI"), "no disk can be mounted"
        pytest.skip("a disk can only be mounted in a namespace, where this test runs as well")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(disk: Path, kib: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kib}k", "tmpfs", str(disk)], check=True)


def used(disk: Path) -> int:
    usage = shutil.disk_usage(disk)
    return (usage.total - usage.free) // 1024


@pytest.mark.parametrize("left", ROOMS)
def test_a_full_disk_costs_nothing_and_room_is_all_it_takes_to_go_on(left: int, starter: Starter, disk: Path) -> None:
    scenario = Scenario("ingest", INGEST, before=OLD, after=MANY)
    scenario.prepare(disk)
    room = scenario.room(disk)
    resize(disk, used(disk) + left)
    with Reading(room, scenario) as reading:
        full = run(starter, room, scenario.arguments(room))
        assert full.status == 1, full.said
        assert len([line for line in full.said.splitlines() if line.startswith("Error: ")]) == 1, full.said
        assert "Traceback" not in full.said
        assert "full" in full.said or "no space left" in full.said, full.said
        again = run(starter, room, scenario.arguments(room))  # it is as full as it was, and nothing is made worse
        assert again.status == 1, again.said
        promised = [*full.promised, *again.promised]
    resize(disk, used(disk) + 32 * 1024)
    assert judging.after_fault(room, scenario, promised) == []
    with Reading(room, scenario) as later:
        ended = run(starter, room, scenario.arguments(room))
        assert ended.status == 0, ended.said
    assert [*reading.problems, *later.problems] == []
    assert reading.answers > len(OLD)
    with room.services() as services:
        assert judging.after_repetition(room, scenario, judging.summary_of(services)) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="a disk can be mounted right here")
def test_it_holds_in_a_namespace_as_well() -> None:
    command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m", "pytest", "-q", __file__]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stdout
