"""Files that are replaced whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.files import replacing


def test_a_file_is_replaced_once_all_is_written_and_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    with replacing(path) as file:
        file.write(b"first")
    with pytest.raises(RuntimeError):
        fail_half_way(path)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def fail_half_way(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"half of the sec")
        raise RuntimeError


def test_what_a_killed_process_left_is_deleted_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "export[1].jsonl"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".{path.name}.{gone.pid}.tmp"
    kept = [
        tmp_path / f".{path.name}.{os.getppid()}.tmp",
        tmp_path / f".{path.name}.old.tmp",
        tmp_path / ".other.1.tmp",
    ]
    for file in (left, *kept):
        file.write_bytes(b"half")
    with replacing(path) as file:
        file.write(b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, *kept])
