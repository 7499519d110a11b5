"""The ledger of takedowns: chained lines, of which one that is damaged costs nothing but itself."""

import json
import threading
from pathlib import Path

import pytest

from archive.errors import ArchiveError
from archive.ledger import FIRST, Entry, Ledger


def removed(number: int, **changes: object) -> Entry:
    return Entry(**{"id": f"{number:016x}", "did": "removed", "at": "2026-11-29T12:00:00+00:00", **changes})  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "takedowns.jsonl")


def test_a_ledger_that_is_not_there_says_nothing(ledger: Ledger) -> None:
    assert ledger.read().removed == {}
    assert not ledger.path.exists()


def test_what_was_added_is_read_again(ledger: Ledger) -> None:
    first = removed(1, reason="Gericht: „nein“", aliases=("a" * 16, "b" * 16))
    erased = Entry(id=first.id, did="erased", at="2026-11-30T12:00:00+00:00")
    ledger.add([first])
    ledger.add([removed(2), erased])
    again = Ledger(ledger.path).read()
    assert again.removed == {first.id: first, removed(2).id: removed(2)}
    assert again.erased == {first.id: erased}
    assert again.problems == []
    assert ledger.path.stat().st_mode & 0o077 == 0


def test_the_first_line_about_an_article_counts(ledger: Ledger) -> None:
    ledger.add([removed(1, reason="court order")])
    ledger.add([removed(1, reason="again")])
    assert ledger.read().removed[removed(1).id].reason == "court order"


@pytest.mark.parametrize("damage", [b"{", b"\xff\xfe", b"[]", b"null", b'{"id": 7, "did": "removed", "at": "x"}'])
def test_a_damaged_line_is_named_and_the_others_hold(ledger: Ledger, damage: bytes) -> None:
    ledger.add([removed(number) for number in range(3)])
    lines = ledger.path.read_bytes().splitlines()
    ledger.path.write_bytes(b"\n".join([lines[0], damage, lines[2]]) + b"\n")
    reading = ledger.read()
    assert list(reading.removed) == [removed(0).id, removed(2).id]
    assert "line 2 cannot be read" in reading.problems[0]
    assert "line 3 does not follow" in reading.problems[1]


def test_a_line_that_was_taken_out_or_changed_shows(ledger: Ledger) -> None:
    ledger.add([removed(number, reason="court order") for number in range(4)])
    lines = ledger.path.read_text().splitlines()
    ledger.path.write_text("\n".join(lines[:1] + lines[2:]) + "\n")
    assert [problem.partition(": ")[2][:6] for problem in ledger.read().problems] == ["line 2"]
    ledger.path.write_text("\n".join([lines[0].replace("court", "no"), *lines[1:]]) + "\n")
    assert [problem.partition(": ")[2][:6] for problem in ledger.read().problems] == [
        "line 1",
        "line 2",
    ]


def test_every_byte_that_is_changed_in_the_last_line_shows_and_hides_all_the_same(ledger: Ledger) -> None:
    ledger.add(
        [removed(1, reason="court order"), Entry(id=removed(2).id, did="erased", at="2026-11-30T12:00:00+00:00")]
    )
    whole = ledger.path.read_bytes()
    assert ledger.read().problems == []
    start = whole.index(b"\n") + 1
    for at in range(start, len(whole) - 1):
        changed = bytearray(whole)
        changed[at] ^= 1
        ledger.path.write_bytes(changed)
        reading = Ledger(ledger.path).read()
        assert any("line 2" in problem for problem in reading.problems), chr(whole[at])
        assert reading.erased == {}, "what is damaged erases nothing"
        assert removed(1).id in reading.removed


def test_lines_from_before_there_were_checksums_hold(ledger: Ledger) -> None:
    old = {"id": removed(1).id, "did": "removed", "at": removed(1).at, "reason": None, "aliases": [], "previous": FIRST}
    ledger.path.write_text(json.dumps(old) + "\n")
    ledger.add([removed(2)])
    reading = ledger.read()
    assert (list(reading.removed), reading.problems) == ([removed(1).id, removed(2).id], [])


def test_a_line_cut_short_by_a_crash_does_not_swallow_the_next_one(ledger: Ledger) -> None:
    ledger.add([removed(1), removed(2)])
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:-40])
    ledger.add([removed(3)])
    reading = ledger.read()
    assert list(reading.removed) == [removed(1).id, removed(3).id]
    assert len(reading.problems) == 1


def test_lines_added_at_once_follow_one_another(ledger: Ledger) -> None:
    def add(first: int) -> None:
        own = Ledger(ledger.path)
        for number in range(first, first + 20):
            own.add([removed(number)])

    threads = [threading.Thread(target=add, args=(first,)) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reading = ledger.read()
    assert (len(reading.removed), reading.problems) == (60, [])
    assert len({json.loads(line)["previous"] for line in ledger.path.read_text().splitlines()}) == 60


def test_a_folder_that_is_not_there_is_an_error_and_no_empty_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "not-mounted" / "takedowns.jsonl")
    with pytest.raises(ArchiveError, match=r"not-mounted/takedowns\.jsonl"):
        ledger.read()
    with pytest.raises(ArchiveError, match="mend this first"):
        ledger.add([removed(1)])
