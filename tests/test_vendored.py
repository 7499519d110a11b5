"""What others wrote is here as they wrote it: version, licence and hash of every vendored file."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("static/vendor", "tests/vendor", "archive/readers/agencies/schemas")
FOLDERS = sorted(folder for room in ROOMS for folder in (ROOT / room).iterdir())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_vendored_file_is_the_one_that_was_published(folder: Path) -> None:
    said = (folder / "README.md").read_text(encoding="utf-8")
    assert re.match(rf"# {re.escape(folder.name)} \d+\.\d+\.\d+\n", said), "name and version come first"
    assert re.search(r"^- Licence: .*`LICENSE`", said, flags=re.MULTILINE)
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "README.md"]
    hashes = {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert "LICENSE" in hashes
    assert dict(re.findall(r"^\| `(.+)` \| `([0-9a-f]{64})` \|$", said, flags=re.MULTILINE)) == hashes
