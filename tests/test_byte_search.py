"""Looking for texts in the bytes of files."""

import gzip
import random
from pathlib import Path

import pytest

from archive import byte_search
from archive.byte_search import Needles
from archive.errors import ArchiveError


def needle(number: int) -> bytes:
    return random.Random(number).randbytes(32)


@pytest.mark.parametrize("at", range(9))
def test_a_text_is_found_wherever_it_begins(at: int, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(at) + needle(1) + bytes(3))
    assert Needles([needle(1), needle(2)]).found_in(file) == {needle(1)}


@pytest.mark.parametrize("before", range(20, 36))
def test_a_text_is_found_across_two_readings(before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_search, "CHUNK", 40)
    file = tmp_path / "file"
    file.write_bytes(bytes(before) + needle(1) + bytes(before))
    assert Needles([needle(1)]).found_in(file) == {needle(1)}


def test_all_that_stand_in_a_file_are_found_and_nothing_else(tmp_path: Path) -> None:
    wanted = [needle(number) for number in range(500)]
    wanted += [wanted[0][:8] + needle(1000)]  # begins as another one does
    there = {wanted[0], wanted[250], wanted[-1]}
    file = tmp_path / "file"
    file.write_bytes(random.Random("filling").randbytes(100_000) + b"".join(there) + wanted[1][:31])
    assert Needles(wanted).found_in(file) == there


def test_what_is_packed_by_gzip_is_unpacked_as_far_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "export.jsonl.gz"
    whole = gzip.compress(needle(1)) + gzip.compress(bytes(99) + needle(2))
    file.write_bytes(whole)
    needles = Needles([needle(1), needle(2), needle(3)])
    assert needles.found_in(file) == {needle(1), needle(2)}
    file.write_bytes(whole[:-30])
    assert needles.found_in(file) == {needle(1)}
    monkeypatch.setattr(byte_search, "MOST_UNPACKED", 100)
    file.write_bytes(whole)
    with pytest.raises(ArchiveError, match="too large to be searched"):
        needles.found_in(file)


def test_empty_files_and_nothing_to_look_for_are_no_trouble(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert Needles([needle(1)]).found_in(file) == set()
    file.write_bytes(bytes(1000))
    assert Needles([]).found_in(file) == set()


def test_what_is_too_short_to_look_for_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        Needles([b"the flood"])
