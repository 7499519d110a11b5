"""How much is tried: a sample by default, and what `make faults` asks for by `BACKFILE_TEST_FAULTS=full`."""

import os

FULL = os.environ.get("BACKFILE_TEST_FAULTS") == "full"
POINTS = 27 if FULL else 1  # at which each scenario fails in each of three ways
CUTS = 60 if FULL else 4  # of the power, in each scenario
RANDOM_KILLS = 200 if FULL else 6
HISTORIES = 60 if FULL else 4  # of an archive that are made up


def tell(line: str) -> None:
    """Say what was tried, where somebody has asked for all of it."""
    if FULL:
        print(line)
