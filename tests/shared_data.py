"""Real data kept beside the project, never in it: the texts are their publishers'."""

from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared(name: str) -> Path:
    """Return a folder or file of the data beside the project; a test that asks for what is not there is skipped."""
    path = BESIDE / name
    if not path.exists():
        pytest.skip(f"needs the data kept beside the project, which is not here: ../shared/data/{name}")
    return path
