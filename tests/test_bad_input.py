"""One folder of good files and of everything that goes wrong with files, through `flask ingest` as people run it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from processes import PATIENCE, Newsroom

LONG_LINE = 50_000_000  # bytes
ROOM = 15_000_000  # bytes of memory that all this may take beyond what an ordinary ingest takes
IS_ROOT = os.geteuid() == 0

# file, line that is to be named (None where there are no lines), words of the reason
EXPECTED = {
    ("cut.jsonl", 2, "not complete JSON"),
    ("types.jsonl", 1, "title is a number"),
    ("types.jsonl", 2, "body is a list"),
    ("types.jsonl", 3, "authors holds a number"),
    ("types.jsonl", 4, "not a JSON object"),
    ("nobody.jsonl", 2, "no body"),
    ("nobody.csv", 3, "no body"),
    ("empty.txt", None, "empty file"),
    ("blank.jsonl", None, "empty file"),
    ("photo.txt", None, "looks like a PNG image"),
    ("latin.jsonl", 2, "byte 0xE9 at position"),
    ("long.jsonl", 2, "line is longer than 10 MB"),
    ("sub/loop", None, "directory loop"),
    ("gone.txt", None, "a link to something that is not there"),
    ("sealed.txt", None, "cannot be read"),
}
GOOD = {
    "A bridge reopens",
    "Before the cut",
    "After the cut",
    "Among wrong types",
    "With a body",
    "A row",
    "Café",
    "Before the long line",
    "After the long line",
    "Dated",
    "Dated wrongly",
    "Undated",
    "In a folder named like a file",
    "Below",
    "Un jour",
}


def row(name: str, **fields: object) -> bytes:
    return json.dumps({"title": name, "body": f"{name}: it happened.", **fields}).encode() + b"\n"


def write_all(folder: Path) -> None:
    """Write the good and the bad."""
    for name in ("sub", "named.txt"):
        (folder / name).mkdir(parents=True)
    (folder / "good.txt").write_text("Title: A bridge reopens\nDate: 2016-08-10\n\nThe old bridge reopened.")
    (folder / "cut.jsonl").write_bytes(row("Before the cut") + row("Cut")[:25] + b"\n" + row("After the cut"))
    wrong = row("x", title=7) + row("x", body=["a"]) + row("x", authors=[1]) + b'["title", "body"]\n'
    (folder / "types.jsonl").write_bytes(wrong + row("Among wrong types"))
    (folder / "nobody.jsonl").write_bytes(row("With a body") + b'{"title": "Without"}\n')
    (folder / "nobody.csv").write_text("title,body\nA row,It happened.\nWithout,\n")
    (folder / "empty.txt").touch()
    (folder / "blank.jsonl").write_text("\n \n")
    (folder / "photo.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")
    (folder / "latin.txt").write_bytes("Title: Un jour\n\nun \xe9t\xe9".encode("latin-1"))
    (folder / "latin.jsonl").write_bytes(row("Caf\xe9") + '{"title": "x", "body": "\xe9t\xe9"}\n'.encode("latin-1"))
    with (folder / "long.jsonl").open("wb") as file:
        file.write(row("Before the long line") + b'{"title": "Long", "body": "')
        for _ in range(LONG_LINE // 1_000_000):
            file.write(b"word " * 200_000)
        file.write(b'"}\n' + row("After the long line"))
    (folder / "date.jsonl").write_bytes(row("Dated wrongly", date=True) + row("Dated", date="2020-02-29"))
    (folder / "date.txt").write_text("Title: Undated\nDate: yesterday\n\nIt happened.")
    (folder / "sub" / "below.txt").write_text("Title: Below\n\nIt happened.")
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "named.txt" / "a.txt").write_text("Title: In a folder named like a file\n\nIt happened.")
    if IS_ROOT:  # root reads everything but this: a file whose first page is not mapped
        (folder / "sealed.txt").symlink_to("/proc/self/mem")
    else:
        (folder / "sealed.txt").write_text("It happened.")
        (folder / "sealed.txt").chmod(0)


@dataclass(frozen=True)
class Ended:
    """How the command ended, and the most memory it held at once, in bytes."""

    status: int
    out: str
    err: str
    memory: int


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    room = Newsroom(tmp_path_factory.mktemp("bad"))
    write_all(room.folder / "news")
    yield room
    (room.folder / "news" / "long.jsonl").unlink()


def ingest(room: Newsroom) -> Ended:
    # The kernel counts a process as large as the one that started it, so a small one has to.
    script = (
        "import json, resource, subprocess, sys\n"
        "ended = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024\n"
        "print(json.dumps([ended.returncode, ended.stdout, ended.stderr, memory]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *room.ingest_command()],
        env=room.environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return Ended(*json.loads(told.stdout))


@pytest.fixture(scope="module")
def ended(room: Newsroom) -> Ended:
    """What became of `flask ingest`, run once."""
    return ingest(room)


def test_each_bad_input_is_named_with_file_line_and_reason(ended: Ended, room: Newsroom) -> None:
    rejected = json.loads(ended.out)["rejected"]
    named = {(os.path.relpath(each["source"], room.folder / "news"), each["line"]): each["reason"] for each in rejected}
    assert set(named) == {(file, line) for file, line, _ in EXPECTED}
    assert len(rejected) == len(EXPECTED)
    assert [(file, words) for file, line, words in EXPECTED if words not in named[file, line]] == []


def test_each_is_named_for_people_too(ended: Ended, room: Newsroom) -> None:
    told = [line for line in ended.err.splitlines() if line.startswith("rejected ")]
    assert len(told) == len(EXPECTED)
    for file, number, words in EXPECTED:
        place = f"rejected {room.folder / 'news' / file}{f':{number}' if number else ''}: "
        assert any(line.startswith(place) and words in line for line in told), place


def test_the_good_ones_are_in(ended: Ended, room: Newsroom) -> None:
    assert json.loads(ended.out)["added"] == len(GOOD)
    with room.services() as services:
        assert {each.title for each in services.store.live(services.store.live_ids()).values()} == GOOD
        with services.serving.engine() as (engine, degraded):
            assert (engine.generation, degraded) == (1, False)


def test_the_exit_status_is_one_and_there_is_no_traceback(ended: Ended) -> None:
    assert ended.status == 1
    assert "Traceback" not in ended.err
    assert "Error" not in ended.err


def test_memory_is_bounded_whatever_the_line(ended: Ended, tmp_path: Path) -> None:
    ordinary = Newsroom(tmp_path)
    ordinary.write("few.jsonl", range(len(GOOD)))
    usual = ingest(ordinary)
    assert usual.status == 0, usual.err
    assert ended.memory < usual.memory + ROOM
