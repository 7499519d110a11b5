"""RESULTS.md says what was measured, what was to be shown, on what machine, and what was not measured."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.curve import HEIGHT, NAME_HEIGHT, TOP, Panel, apart, axis, drawing
from benchmarks.measure import Check, Series, Table, report
from benchmarks.results import curve_table, markdown, panels, read, rendered

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    report(
        "search",
        title="Searching",
        checks=[Check("p50 of txtai's", "at most 0.4", "0.31 (0.29 to 0.35)", True)],
        tables=[Table("Query time", ["engine", "p50 ms"], [["ours", 4.5678], ["a | b", None]])],
        series=[
            Series("disk", "MB", "ours", [(1000, 9.0), (10000, 95.0)]),
            Series("query time", "ms", "ours", [(1000, 2.0), (10000, 3.0)]),
            Series("query time", "ms", "txtai", [(1000, 20.0), (10000, 22.0)]),
        ],
        notes=["Two threads."],
        work=tmp_path,
    )
    report("vectors", title="Vectors", checks=[Check("memory", "at most .15", "no data", None)], work=tmp_path)
    report("zeal", title="Another part", checks=[Check("speed", "2 times", "1.5", False)], work=tmp_path)
    return tmp_path / "results"


def test_parts_stand_in_order_and_those_without_a_result_are_named(work: Path) -> None:
    page = rendered(read(work))
    order = [page.index(f"## {title}\n") for title in ("Vectors", "Searching, beside the peers", "Another part")]
    assert order == sorted(order)
    assert page.index("## Serving\n\nNot run here.") > order[-1]
    assert "Two threads." in page


def test_every_check_tells_its_bar_what_was_measured_and_whether_it_is_met(work: Path) -> None:
    page = rendered(read(work))
    assert "| search | p50 of txtai's | at most 0.4 | 0.31 (0.29 to 0.35) | yes |" in page
    assert "| vectors | memory | at most .15 | no data | not measured |" in page
    assert "| zeal | speed | 2 times | 1.5 | **no** |" in page


def test_the_machine_and_the_versions_are_told_once(work: Path) -> None:
    page = rendered(read(work))
    assert page.count("GiB") == 1
    assert "(vectors 2" in page  # vectors comes first, then search, each with its day
    assert "numpy 2" in page


def test_a_table_keeps_its_columns_whatever_stands_in_a_cell() -> None:
    lines = markdown(["engine", "ms"], [["a | b", 1.5], ["c", None]]).splitlines()
    assert lines == ["| engine | ms |", "| --- | ---: |", "| a \\| b | 1.50 |", "| c |  |"]


def test_the_cost_curve_is_also_a_table(work: Path) -> None:
    lines = curve_table(read(work).values()).splitlines()
    assert lines[0] == "|  | engine | 1,000 articles | 10,000 articles |"
    assert lines[2:] == [
        "| query time, ms | ours | 2.00 | 3.00 |",
        "| query time, ms | txtai | 20.0 | 22.0 |",
        "| disk, MB | ours | 9.00 | 95.0 |",
    ]


def test_the_drawing_is_well_formed_and_has_a_line_for_each_engine_in_each_panel(work: Path) -> None:
    drawn = panels(read(work).values())
    root = ET.fromstring(drawing(drawn))
    groups = root.findall(f"{SVG}g")
    assert [len(group.findall(f"{SVG}polyline")) for group in groups] == [2, 1]
    words = [text.text for text in groups[0].findall(f"{SVG}text")]
    assert {"query time, ms", "articles", "1,000", "10,000", "ours", "txtai"} <= set(words)
    assert drawing(drawn) == drawing(panels(read(work).values()))


def test_more_takes_a_line_upwards_and_to_the_right() -> None:
    (line,) = [one.split('"')[1] for one in drawing([Panel("a", "b", {"c": [(10, 5), (1000, 50)]})]).splitlines()
               if one.startswith("<polyline")]  # fmt: skip
    (x1, y1), (x2, y2) = [map(float, point.split(",")) for point in line.split()]
    assert x2 > x1
    assert TOP <= y2 < y1 <= HEIGHT


def test_an_axis_is_logarithmic_and_holds_every_value() -> None:
    made = axis([20, 3000], start=0, end=300)
    assert made.ticks() == [10, 100, 1000, 10000]
    assert [made.at(tick) for tick in made.ticks()] == [0, 100, 200, 300]
    assert axis([100], start=0, end=50).ticks() == [100, 1000]
    assert axis([1000, 100_046], start=0, end=50).ticks() == [1000, 10_000, 100_000]


def test_names_of_lines_do_not_cover_each_other() -> None:
    placed = apart({"b": 101.0, "a": 100.0, "c": 200.0})
    assert placed == {"a": 100.0, "b": 100.0 + NAME_HEIGHT, "c": 200.0}


def test_a_panel_without_figures_says_so() -> None:
    assert "disk: not measured" in drawing([Panel("disk", "MB", {"ours": [(1000, 0.0)]})])


def test_a_name_with_signs_of_its_own_is_drawn_as_it_is() -> None:
    root = ET.fromstring(drawing([Panel("time <&>", "ms", {"a < b": [(1, 2.0)]})]))
    assert {"time <&>, ms", "a < b"} <= {text.text for text in root.iter(f"{SVG}text")}
