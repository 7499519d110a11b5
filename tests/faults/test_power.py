"""The power is cut: what may not be on the disk yet is not, and what was acknowledged is there all the same."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.amount import CUTS, tell
from faults.power import KEPT, Disk
from faults.running import Prepared, cuts
from faults.scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_power_cut_costs_nothing_that_was_acknowledged(
    name: str, prepared: Callable[[str], Prepared], tmp_path: Path
) -> None:
    tried, wrong = cuts(prepared(name), most=CUTS, folder=tmp_path)
    tell(f"{name}: the power was cut {tried} times; {len(wrong)} violations")
    assert tried >= min(CUTS, 4)
    assert wrong == []


def test_the_disk_that_is_followed_is_the_real_one_in_the_end(
    prepared: Callable[[str], Prepared], tmp_path: Path
) -> None:
    for name in ("ingest into nothing", "erase"):
        whole = prepared(name)
        disk = Disk(whole.folder, called=whole.whole)
        for call in whole.calls:
            disk.follow(call)
        disk.sync()
        for kept in KEPT:
            disk.cut(kept, tmp_path / name / kept)
            # The promise that the room was left to: what came later, when it was looked at, changed nothing.
            assert _files(tmp_path / name / kept) == _files(whole.whole), (name, kept)
            shutil.rmtree(tmp_path / name / kept)


def _files(folder: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if not name.endswith("-shm")}
