"""The table of OWASP ASVS in docs/security.md: complete, naming tests that are there, and true of the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import newsroom
import pytest
from flask import Flask

from web.doors import QUESTIONS, door_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
LEVEL_1 = {  # of version 5.0.0, by section
    "1.2": 5, "1.3": 2, "1.5": 1, "2.1": 1, "2.2": 2, "2.3": 1, "3.2": 2, "3.3": 1, "3.4": 2, "3.5": 3, "4.1": 1,
    "4.4": 1, "5.2": 2, "5.3": 2, "6.1": 1, "6.2": 8, "6.3": 2, "6.4": 2, "7.2": 4, "7.4": 2, "8.1": 1, "8.2": 2,
    "8.3": 1, "9.1": 3, "9.2": 1, "10.4": 5, "11.3": 2, "11.4": 1, "12.1": 1, "12.2": 2, "13.4": 1, "14.2": 1,
    "14.3": 1, "15.1": 1, "15.2": 1, "15.3": 1,
}  # fmt: skip
QUESTION_MARKS = re.compile(r"marks\(|', '\.join\('\?' \* \w+\)$")
TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def program() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("archive", "index", "web"):
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT), tree_of(file)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with what is called, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_every_item_of_the_first_level_is_there_once() -> None:
    listed = re.findall(r"v5\.0\.0-(\d+\.\d+\.\d+)", PAGE)
    wanted = {f"{section}.{number}" for section, count in LEVEL_1.items() for number in range(1, count + 1)}
    assert len(wanted) == 70
    assert sorted(listed) == sorted(wanted)


def test_every_test_that_is_named_is_there() -> None:
    named = TEST.findall(PAGE)
    assert len(named) > 40
    for file, name in named:
        functions = {node.name for node in tree_of(ROOT / "tests" / file).body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{file} has no {name}"


def test_every_item_that_applies_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| v5\.0\.0-[\d.]+ \|", line) and line.count("|") == 4]
    assert len(rows) > 30
    assert [row for row in rows if not TEST.search(row)] == [row for row in rows if row.startswith("| v5.0.0-4.4.1")], (
        "and what does not apply says why"
    )


def test_every_door_is_in_the_table_of_this_page(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        assert isinstance(app, Flask)
        for rule in app.url_map.iter_rules():
            for method in (rule.methods or set()) - QUESTIONS:
                begins = re.split(r"<|/(?=<)", rule.rule)[0].rstrip("/")
                assert re.search(rf"\| `{method} {re.escape(begins)}[^|]*\|", PAGE), (method, rule.rule)
                door = door_of(app, rule.endpoint)
                assert door is not None
                if door.scope:
                    assert f"scope `{door.scope}`" in PAGE


def test_nothing_is_evaluated_and_no_shell_is_asked() -> None:
    refused = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
               "marshal.loads", "yaml.load", "dill.load", "joblib.load", "shelve.open"}  # fmt: skip
    starts = set()
    for file, tree in program():
        for name, call in calls(tree):
            assert name not in refused, (file, call.lineno)
            assert not [each for each in call.keywords if each.arg == "shell"], (file, call.lineno)
            if name.startswith("subprocess."):
                starts.add(str(file))
            if name == "np.load":
                assert "allow_pickle=True" not in ast.unparse(call), (file, call.lineno)
    assert len(starts) == 1, "one place starts a process"


def test_no_statement_is_made_of_values() -> None:
    """A statement that is put together is put together of our own names, and of question marks for the values."""
    seen = 0
    for file, tree in program():
        for name, call in calls(tree):
            if name.rpartition(".")[2] not in {"execute", "executemany", "rows", "one", "scan", "change"}:
                continue
            if not call.args or not isinstance(call.args[0], ast.JoinedStr):
                continue
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.FormattedValue) and not QUESTION_MARKS.match(ast.unparse(part.value)):
                    assert isinstance(part.value, ast.Name | ast.Attribute | ast.Constant), (file, call.lineno)
                    seen += 1
    assert seen > 5


@pytest.mark.parametrize("weak", ["md5", "sha1", "new", "crc32"])
def test_only_sound_hashes_are_used(weak: str) -> None:
    for file, tree in program():
        assert not [call.lineno for name, call in calls(tree) if name == f"hashlib.{weak}"], file
