"""The process that reads what may be hostile: it crashes, hangs and fills its memory, and the neighbours go in."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import hostile
import pytest
from shared_data import shared

from archive.article import Article, Entry, Rejection, Withdrawal
from archive.errors import ArchiveError, SourceError
from archive.readers.feeds.opml import Subscription
from archive.readers.isolated import wire
from archive.readers.isolated.child import Child, Children
from archive.readers.isolated.web_content import Item, WebContent

TESTS = Path(__file__).parent
STRACE = shutil.which("strace")
FIELDS = json.loads(wire.to_json(hostile.article("x")))


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(detect="hostile:detect", folders=[TESTS], seconds=3) as opened:
        yield opened


@pytest.fixture(scope="module")
def reading() -> Iterator[Child]:
    with Child(seconds=12) as opened:
        yield opened


def read(child: Child, text: str) -> list[Entry]:
    return child.read(text.encode(), name="page", origin="page")


def reason(entries: list[Entry]) -> str:
    (entry,) = entries
    assert isinstance(entry, Rejection), entry
    assert entry.source == "page"
    return entry.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("crash", "makes its reader crash (SIGSEGV)"),
        ("abort", "makes its reader crash (SIGABRT)"),
        ("exit", "makes its reader fail (exit status 7)"),
        ("hang", "takes more than 3 seconds to read"),
        ("loop", "takes more than 3 seconds to read"),
        ("fill", "needs more than 1024 MB of memory"),
        ("lie", "answered what makes no sense"),
        ("flood", "answered what makes no sense"),
        ("raise", "cannot be taken apart (RuntimeError: a bug)"),
    ],
)
def test_what_kills_the_process_costs_itself_and_no_neighbour(child: Child, text: str, words: str) -> None:
    assert read(child, "before") == [hostile.article("before")]
    began = time.monotonic()
    assert words in reason(read(child, text))
    assert time.monotonic() - began < 8
    assert read(child, "after") == [hostile.article("after")]


def test_what_was_found_before_a_crash_is_kept(child: Child) -> None:
    found, failed = read(child, "half")
    assert found == hostile.article("half")
    assert isinstance(failed, Rejection)


def test_what_a_reader_prints_is_no_answer(child: Child) -> None:
    assert read(child, "print") == [hostile.article("print")]


def test_the_process_can_neither_open_files_nor_sockets_nor_start_others(child: Child) -> None:
    assert read(child, "escape") == [hostile.article("")]
    assert not Path("/tmp/backfile-escaped").exists()


def test_a_process_that_cannot_start_is_an_error_of_the_archive_and_none_of_the_input() -> None:
    with Child(detect="nowhere:detect") as broken, pytest.raises(ArchiveError, match="does not start"):
        broken.read(b"x", name="a", origin="a")


def test_no_process_is_left_behind() -> None:
    with Child(detect="hostile:detect", folders=[TESTS]) as opened:
        assert read(opened, "one")
        process = opened._process
        assert process is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


# What is believed of an answer


def test_every_entry_comes_back_as_it_was() -> None:
    moment = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)
    entries: list[Entry] = [
        replace(
            hostile.article("é 🌊"),
            url="https://a.example/1",
            authors=("A", "B"),
            published_at=moment,
            status="embargoed",
            embargoed_until=moment,
            source_version=3,
            aliases=("0" * 16,),
            unread_date="10/08/2016",
        ),
        Withdrawal(id="1" * 16, reason="killed", aliases=("2" * 16,)),
        Withdrawal(id="1" * 16, reason="withheld", source_version=2, updated_at=moment, for_good=False),
        Rejection(source="page", reason="because", line=3, raw=b"\0\xff"),
    ]
    again = [wire.entry_from(wire.to_json(entry), origin="page") for entry in entries]
    assert again == entries
    assert isinstance(again[0], Article)
    assert (again[0].aliases, again[0].unread_date) == (("0" * 16,), "10/08/2016")
    assert isinstance(again[-1], Rejection)
    assert again[-1].raw == b"\0\xff"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Path"},
        {"id": "../../etc"},
        {"url": "javascript:alert(1)"},
        {"title": ["a"]},
        {"title": "\ud800"},
        {"authors": "A"},
        {"authors": [1]},
        {"published_at": "2024-05-06T07:08:09"},
        {"published_at": 3},
        {"version": True},
        {"version": -1},
        {"source_version": 1 << 70},
        {"status": "anything"},
        {"derived_title": 1},
        {"body": "x" * 2_000_001},
        {"more": 1},
    ],
)
def test_an_answer_that_is_wrong_in_one_detail_is_not_believed(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.entry_from(json.dumps({**FIELDS, **change}).encode(), origin="page")


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b"{", b"[" * 100_000, b"\xff", b'{"type": []}'])
def test_an_answer_that_is_no_entry_is_not_believed(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.entry_from(answer, origin="page")


CONTENT = WebContent(
    kind="feed",
    title="The Ledger",
    entries=(Rejection(source="https://a.example/feed", reason="because", line=3, raw=b"\0"), hostile.article("a")),
    items=(
        Item(url=None, said=b"\0\xff", about=hostile.article("b"), holds="text"),
        Item(url="https://a.example/1", said=b""),
    ),
    links=("https://a.example/map",),
    feeds=(Subscription(url="https://a.example/rss", title="A", category=None),),
)


def test_content_comes_back_as_it_was() -> None:
    again = wire.content_from(wire.to_json(CONTENT), origin="https://a.example/feed")
    assert again == CONTENT
    assert isinstance(again.entries[0], Rejection)
    assert again.entries[0].raw == b"\0"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Article"},
        {"kind": "anything"},
        {"kind": ["feed"]},
        {"title": 1},
        {"entries": {}},
        {"entries": [1]},
        {"entries": [{"type": "Record"}]},
        {"items": [{"url": None, "said": "", "about": None, "holds": "nothing"}]},
        {"items": [{"type": "Item", "url": "file:///etc", "said": "", "about": None, "holds": "nothing"}]},
        {"items": [{"type": "Item", "url": None, "said": "é", "about": None, "holds": "nothing"}]},
        {"items": [{"type": "Item", "url": None, "said": "", "about": {"type": "Article"}, "holds": "nothing"}]},
        {"items": [{"type": "Item", "url": None, "said": "", "about": None, "holds": {}}]},
        {"links": ["javascript:alert(1)"]},
        {"links": "https://a.example/"},
        {"feeds": [{"type": "Subscription", "url": "file:///etc", "title": None, "category": None}]},
        {"more": 1},
    ],
)
def test_content_that_is_wrong_in_one_detail_is_not_believed(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.content_from(json.dumps({**json.loads(wire.to_json(CONTENT)), **change}).encode(), origin="a")


@pytest.mark.parametrize("text", ["crash", "hang", "lie", "flood", "raise"])
def test_an_answer_that_kills_the_process_is_an_error_of_its_own_and_the_next_is_read(child: Child, text: str) -> None:
    with pytest.raises(SourceError, match=r"."):
        child.content(text.encode(), url="https://a.example/", content_type="")
    found = child.content(b"after", url="https://a.example/", content_type="")
    assert found == WebContent(kind="file", entries=(hostile.article("after"),))


def test_who_reads_at_the_same_time_has_a_process_of_his_own_and_leaves_it_to_the_next() -> None:
    begun: list[Child] = []

    def begin() -> Child:
        begun.append(Child(detect="hostile:detect", folders=[TESTS]))
        return begun[-1]

    with Children(begin) as children:
        with children.one() as one, children.one() as other:
            assert one is not other
            assert read(one, "a") == [hostile.article("a")]
        with children.one() as third:
            assert third in begun
        assert len(begun) == 2
    assert [each._process for each in begun] == [None, None]


# Real input that is hostile

HOSTILE = {
    "deep": b"<html><body>" + b"<div>" * 2_000_000,
    "attributes": b"<html><body><p " + b" ".join(b"a%d=1" % number for number in range(1_000_000)) + b">x",
    "tables": b"<html><body>" + b"<table><tr><td>" * 500_000,
    "unclosed": b"<html><body>" + b"<a href=x><b><i>" * 400_000,
    "comments": b"<!-- -->" * 1_000_000 + b"<html>",
    "entities": b"<html><body><p>" + b"&lt;" * 2_000_000,
    "nothing": b"<html>" + b"\0" * 9_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_ends_and_the_next_one_is_read(reading: Child, name: str) -> None:
    began = time.monotonic()
    entries = reading.read(HOSTILE[name], name="a.html", origin="a.html")
    assert time.monotonic() - began < 40
    assert all(
        isinstance(entry, Rejection) or len(entry.body) < 10_000_000
        for entry in entries
        if not isinstance(entry, Withdrawal)
    )
    page = b"<html><body><article><h1>Five</h1><p>The old bridge over the river reopened on Monday after two years.</p>"
    (found,) = reading.read(page, name="a.html", origin="a.html", url="https://a.example/5")
    assert isinstance(found, Article)
    assert found.url == "https://a.example/5"


# XML that attacks


@pytest.mark.parametrize("warm", [True, False])
def test_xml_attacks_are_refused_quickly_in_little_memory(reading: Child, warm: bool) -> None:
    files = sorted(shared("formats/xml-attacks").rglob("*.x*"))
    assert len(files) == 13
    for file in files:
        with Child() as fresh:
            used = reading if warm else fresh
            began = time.monotonic()
            entries = used.read(file.read_bytes(), name=file.name, origin="page")
            assert time.monotonic() - began < (5 if warm else 15)
            assert reason(entries)


TRACED = """
import sys
from pathlib import Path
from archive.readers.isolated.child import Child, Children
from archive.readers.isolated.web_content import Item, WebContent
with Child() as child:
    for file in sorted(Path(sys.argv[1]).rglob("*.x*")):
        child.read(file.read_bytes(), name=file.name, origin="page")
    print(child._process.pid)
"""


@pytest.mark.skipif(STRACE is None, reason="strace is not installed, so nobody can watch what files are opened")
def test_xml_attacks_open_no_file_and_no_connection(tmp_path: Path) -> None:
    folder, log = shared("formats/xml-attacks"), tmp_path / "calls"
    calls = "open,openat,socket,connect,execve,fork,vfork,clone,clone3,prlimit64"
    watch = [str(STRACE), "-f", "-qq", "-o", log, "-e", f"trace={calls}"]
    ended = subprocess.run(
        [*watch, sys.executable, "-c", TRACED, folder], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    pid = ended.stdout.strip()
    made = [line for line in log.read_text().splitlines() if line.split(None, 1)[0] == pid]
    ready = next(place for place, call in enumerate(made) if "RLIMIT_CORE" in call)  # from here on it is asked
    made = made[ready:]
    assert any("lxml" in call for call in made)  # it is this process that reads
    assert [call for call in made if re.search(r"socket\(|connect\(|fork|execve", call)] == []
    assert [call for call in made if "clone" in call and "CLONE_THREAD" not in call] == []
    names = {file.name for file in folder.rglob("*")} | {"passwd", ".dtd", "http:"}
    assert [call for call in made if "/lib/python" not in call and any(name in call for name in names)] == []


def test_xml_attacks_take_little_memory() -> None:
    with Child() as child:
        child.read(b"<?xml version='1.0'?><rss><channel/></rss>", name="a.xml", origin="page")
        assert child._process is not None
        status = Path(f"/proc/{child._process.pid}/status")
        before = peak_of(status)
        for file in sorted(shared("formats/xml-attacks").rglob("*.x*")):
            child.read(file.read_bytes(), name=file.name, origin="page")
        assert peak_of(status) - before < 100_000


def peak_of(status: Path) -> int:
    """Return the most memory a process has held, in kB."""
    return int(status.read_text().split("VmHWM:")[1].split()[0])
