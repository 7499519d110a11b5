"""Faults that are built into the program on purpose: the harness would be worth nothing if it did not find them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faults.running import Prepared, audited, cuts, seeded, tried
from faults.starting import Starter
from faults.tracing import spread

SCENARIO = "ingest and publish"
MOST = 120  # kills until one finds it


@pytest.mark.parametrize(("fault", "call"), [("pointer_before_rename", "rename"), ("split_transaction", "fdatasync")])
def test_kills_find_what_is_published_or_kept_in_the_wrong_order(
    fault: str, call: str, prepared: Callable[[str], Prepared], starter: Starter, tmp_path: Path
) -> None:
    faulty = seeded(prepared(SCENARIO), fault, folder=tmp_path, starter=starter)
    points = [point for point in spread(faulty.points, MOST) if point.name == call]
    for number, point in enumerate(points):
        if tried(faulty, point, "KILL", folder=tmp_path / str(number), starter=starter).violations:
            return
    pytest.fail(f"{fault} was not found")


@pytest.mark.parametrize("fault", ["missing_fsync", "log_not_synced"])
def test_the_audit_finds_what_is_not_synced(
    fault: str, prepared: Callable[[str], Prepared], starter: Starter, tmp_path: Path
) -> None:
    assert audited(seeded(prepared(SCENARIO), fault, folder=tmp_path, starter=starter)) != []


@pytest.mark.parametrize("fault", ["pointer_before_rename", "split_transaction", "missing_fsync", "log_not_synced"])
def test_power_cuts_find_all_of_them(
    fault: str, prepared: Callable[[str], Prepared], starter: Starter, tmp_path: Path
) -> None:
    faulty = seeded(prepared(SCENARIO), fault, folder=tmp_path, starter=starter)
    _, wrong = cuts(faulty, most=MOST, folder=tmp_path, until_found=True)
    assert wrong != []
