"""What the tests of faults share: the process that starts commands quickly, and the archives of the scenarios."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.running import Prepared, need_strace, prepare
from faults.scenarios import SCENARIOS
from faults.starting import Starter


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    """Return what starts commands."""
    need_strace()
    with Starter() as starter:
        yield starter


@pytest.fixture(scope="session")
def prepared(starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Prepared]:
    """Return what gives the archive of a scenario, made once."""
    known: dict[str, Prepared] = {}
    folder: Path = tmp_path_factory.mktemp("scenarios")

    def of(name: str) -> Prepared:
        if name not in known:
            known[name] = prepare(SCENARIOS[name], folder / name, starter)
        return known[name]

    return of
