"""Runs in TREC's format and figures query by query: written, read back, and every bad line named."""

import json
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import SourceError
from index.evaluation.runs import QueryRow, json_lines, read_trec_run, replace_file, tab_separated, trec_run

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda text: len(text.split()) == 1
)


def row(**changes: object) -> QueryRow:
    fields: dict[str, object] = {
        "query_id": "q1",
        "text": "flood",
        "setting": "hybrid",
        "measures": {"nDCG@10": 0.5, "RR": 1.0},
        "rank": 1,
        "shown": True,
    }
    return QueryRow(**{**fields, **changes})  # type: ignore[arg-type]


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.run"
    path.write_text(text, encoding="utf-8")
    return path


# TREC runs


def test_a_run_has_six_columns_and_a_score_that_falls_with_the_rank() -> None:
    assert trec_run({"q1": ["d3", "d1"], "q2": []}, tag="backfile-hybrid") == (
        "q1 Q0 d3 1 2 backfile-hybrid\nq1 Q0 d1 2 1 backfile-hybrid\n"
    )


@given(st.dictionaries(NAMES, st.lists(NAMES, unique=True, min_size=1), min_size=1))
def test_what_was_written_is_read_back(run: dict[str, list[str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.run"
        replace_file(path, trec_run(run, tag="x"))
        assert read_trec_run(path) == run


@pytest.mark.parametrize("name", ["two words", "", "tab\tbed"])
def test_an_id_that_would_be_two_columns_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="cannot hold the id"):
        trec_run({"q1": [name]}, tag="x")
    with pytest.raises(SourceError, match="cannot hold the id"):
        trec_run({name: ["d1"]}, tag="x")


def test_the_score_decides_and_equal_scores_go_by_rank(tmp_path: Path) -> None:
    told = "q1 Q0 d1 1 -1.5 x\nq1 Q0 d2 2 3e2 x\n\nq1 Q0 d4 9 -1.5 x\nq1 Q0 d3 3 -1.5 x\nq2\t0\td1\t0\t1\tx\n"
    assert read_trec_run(saved(tmp_path, told)) == {"q1": ["d2", "d1", "d3", "d4"], "q2": ["d1"]}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("q1 Q0 d1 1 0.5 x\nq1 Q0 d2 2 0.4\n", "a.run:2: six columns"),
        ("q1 Q0 d1 1 0.5 x y\n", "a.run:1: six columns"),
        ("q1 Q0 d1 first 0.5 x\n", "a.run:1: six columns"),
        ("q1 Q0 d1 1 high x\n", "a.run:1: six columns"),
        ("q1 Q0 d1 1 nan x\n", "a.run:1: .*not a number"),
        ("q1 Q0 d1 1 2 x\nq1 Q0 d1 2 1 x\n", "a.run:2: document 'd1' is there twice for query 'q1'"),
        ("\n", "a.run: no line"),
    ],
)
def test_a_bad_line_of_a_run_is_named(tmp_path: Path, told: str, named: str) -> None:
    with pytest.raises(SourceError, match=named):
        read_trec_run(saved(tmp_path, told))


# Query by query


def test_json_lines_hold_one_query_in_one_setting_each() -> None:
    lines = json_lines([row(), row(text="é “x”", rank=None, shown=None)]).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"query": "q1", "text": "flood", "setting": "hybrid", "nDCG@10": 0.5, "RR": 1.0, "rank": 1, "shown": True},
        {"query": "q1", "text": "é “x”", "setting": "hybrid", "nDCG@10": 0.5, "RR": 1.0, "rank": None, "shown": None},
    ]
    assert "é “x”" in lines[1]


def test_a_table_has_a_heading_and_as_many_columns_in_every_row() -> None:
    lines = tab_separated([row(text="a\tb\nc"), row(rank=None, shown=False)]).splitlines()
    assert lines[0] == "query\ttext\tsetting\tnDCG@10\tRR\trank\tshown"
    assert lines[1:] == ["q1\ta b c\thybrid\t0.5\t1.0\t1\ttrue", "q1\tflood\thybrid\t0.5\t1.0\t\tfalse"]
    assert tab_separated([]) == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_a_headline_is_no_formula_in_a_spreadsheet(start: str) -> None:
    text = f'{start}HYPERLINK("https://bad.example","x")'
    cell = tab_separated([row(text=text)]).splitlines()[1].split("\t")[1]
    assert cell.startswith("'")


# Files


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    replace_file(path, "old")
    with path.open(encoding="utf-8") as reading:
        replace_file(path, "new\n")
        assert reading.read() == "old"  # whoever is reading reads on
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    replace_file(path, "old")
    with pytest.raises(AttributeError):
        replace_file(path, 7)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "nowhere" / "out.jsonl", "x")


def test_a_link_stays_and_the_file_behind_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "out")
    replace_file(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "out").read_text() == "x"


def test_a_file_has_the_permissions_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    replace_file(tmp_path / "out", "x")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_half_a_character_is_written_as_its_escape(tmp_path: Path) -> None:
    replace_file(tmp_path / "out", json_lines([row(text="a\ud800")]))
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))["text"] == "a\ud800"
