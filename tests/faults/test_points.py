"""Kills, full disks and failing disks at calls that write, in every command that changes an archive.

After each: nothing that was acknowledged is lost, nothing is there twice, what was taken down stays away, and giving
the command again is all that is needed. Somebody reads all the while. `make faults` tries many more points.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from faults.amount import POINTS, tell
from faults.running import FAULTS, Prepared, tried
from faults.scenarios import SCENARIOS
from faults.starting import Starter
from faults.tracing import spread


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_costs_nothing_that_was_acknowledged(
    name: str, fault: str, prepared: Callable[[str], Prepared], starter: Starter, tmp_path: Path
) -> None:
    scenario = prepared(name)
    chosen = spread(scenario.points, POINTS * len(FAULTS))[list(FAULTS).index(fault) :: len(FAULTS)]
    struck, answers, wrong = 0, 0, []
    for number, point in enumerate(chosen):
        trial = tried(scenario, point, fault, folder=tmp_path / str(number), starter=starter)
        struck, answers = struck + trial.struck, answers + trial.answers
        wrong += [f"{fault} at {point.name} {point.number} ({point.path}): {each}" for each in trial.violations]
    tell(
        f"{name}: {fault} struck {struck} of {len(chosen)} times; {answers} answers meanwhile; {len(wrong)} violations"
    )
    assert wrong == []
    assert struck >= len(chosen) / 2  # a thread may come to a call in another order
