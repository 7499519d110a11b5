"""Cases take turns, figures are what they say they are, and a report is whole or not there."""

import json
import time
from pathlib import Path

import pytest

from benchmarks.measure import (
    Check,
    Series,
    Table,
    disk_bytes,
    interleaved,
    median,
    percentile,
    ratios,
    report,
    resident_bytes,
    shown,
    spread,
    told,
    unshared_bytes,
    versions,
)

MIB = 1024 * 1024


def test_cases_run_in_turn_and_each_goes_first_once() -> None:
    ran: list[str] = []
    taken = interleaved({name: lambda name=name: ran.append(name) for name in "abc"}, rounds=3)
    assert "".join(ran) == "abcbcacab"
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3, "c": 3}


def test_seconds_are_those_of_the_case() -> None:
    taken = interleaved({"slow": lambda: time.sleep(0.02), "quick": lambda: None}, rounds=1)
    assert taken["slow"][0] >= 0.02 > taken["quick"][0]


def test_median_and_spread_lie_between_neighbours() -> None:
    assert median([3, 1, 2, 10]) == 2.5
    assert spread([1, 2, 3, 4, 5]) == (2, 4)
    assert percentile([0, 10], 0.25) == 2.5
    assert percentile([7], 0.99) == 7
    assert percentile([5, 1, 3], 1) == 5
    assert told([1, 2, 3, 4, 5]) == "3.00 (2.00 to 4.00)"


def test_ratios_compare_what_was_measured_in_the_same_round() -> None:
    assert ratios([2, 9], [4, 3]) == [0.5, 3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


@pytest.mark.parametrize(
    ("cell", "text"), [(0.012345, "0.0123"), (1.0, "1.00"), (123.4, "123"), (12345.6, "12,346"), (12345, "12,345")]
)
def test_a_cell_has_three_digits_that_say_something(cell: float, text: str) -> None:
    assert shown(cell) == text


def test_a_report_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = report(
        "search",
        title="Searching",
        checks=[Check("as quick as txtai", "at most .4", "0.31", True), Check("p99", "3 times", "no peer", None)],
        tables=[Table("query time", ["engine", "p50 ms"], [["ours", 4.5678], ["txtai", None]])],
        series=[Series("query time", "ms", "ours", [(1000, 2.0)])],
        work=tmp_path,
    )
    printed = capsys.readouterr().out
    assert "[met] as quick as txtai: 0.31 (bar: at most .4)" in printed
    assert "[not measured] p99" in printed
    assert "4.57" in printed
    written = json.loads(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "results" / "search.json"
    assert written["checks"][1]["met"] is None
    assert written["tables"][0]["rows"][0] == ["ours", 4.5678]  # unrounded: only what is shown is rounded
    assert written["series"][0]["points"] == [[1000, 2.0]]
    assert written["machine"]["cores"].isdigit()
    assert written["versions"]["numpy"]
    assert [file.name for file in path.parent.iterdir()] == ["search.json"]


def test_a_row_that_does_not_fit_its_table_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="query time"):
        report("search", title="Searching", tables=[Table("query time", ["a", "b"], [["one"]])], work=tmp_path)
    assert not list(tmp_path.iterdir())


def test_memory_is_seen_to_grow() -> None:
    before, unshared = resident_bytes(), unshared_bytes()
    held = b"x" * (64 * MIB)
    assert resident_bytes() - before > 48 * MIB
    assert unshared_bytes() - unshared > 48 * MIB
    assert resident_bytes(of="VmHWM") >= resident_bytes() - MIB
    assert len(held)


def test_a_linked_file_takes_its_disk_once(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_bytes(b"x" * MIB)
    alone = disk_bytes(tmp_path / "one")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "file").hardlink_to(tmp_path / "one" / "file")
    folder = disk_bytes(tmp_path / "two") - alone
    assert alone >= MIB
    assert folder == 0
    assert disk_bytes(tmp_path / "one", tmp_path / "two") == alone
    assert disk_bytes(tmp_path / "one" / "file") == alone


def test_only_what_is_installed_has_a_version() -> None:
    assert set(versions(["pytest", "no-such-distribution"])) == {"pytest"}
