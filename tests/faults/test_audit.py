"""What is acknowledged has been synced before: in traces of the real commands, and the audit itself by small ones."""

from collections.abc import Callable, Sequence

import pytest

from faults import tracing
from faults.audit import problems
from faults.running import Prepared, audited
from faults.scenarios import SCENARIOS

FOLDER, TOLD = "/room", "/told"


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_acknowledged_before_it_is_synced(name: str, prepared: Callable[[str], Prepared]) -> None:
    assert audited(prepared(name)) == []


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def written(path: str, text: str = "x", *, at: int | None = None) -> str:
    offset = "" if at is None else f", {at}"
    name = "write" if at is None else "pwrite64"
    return f'7 {name}(5<{hexed(path)}>, "{hexed(text)}", {len(text)}{offset}) = {len(text)}'


def synced(path: str) -> str:
    return f"7 fsync(5<{hexed(path)}>) = 0"


def made(path: str) -> str:
    here = hexed("/")
    return f'7 openat(AT_FDCWD<{here}>, "{hexed(path)}", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5<{hexed(path)}>'


def renamed(old: str, new: str) -> str:
    return f'7 rename("{hexed(old)}", "{hexed(new)}") = 0'


def removed(path: str) -> str:
    return f'7 unlink("{hexed(path)}") = 0'


def folder_made(path: str) -> str:
    return f'7 mkdir("{hexed(path)}", 0700) = 0'


PROMISE = written(TOLD, "it is done")
KEPT = ["/room/archive.sqlite3-wal", "/room/archive.sqlite3", "/room/takedowns.jsonl", "/room/index"]
ASIDE = "/room/index/building-1"
BUILT = [folder_made(ASIDE), made(f"{ASIDE}/words"), written(f"{ASIDE}/words")]
SEALED = [synced(f"{ASIDE}/words"), synced(ASIDE)]
NAMED = [renamed(ASIDE, "/room/index/gen-000001")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([written(KEPT[0]), synced(KEPT[0]), PROMISE], []),
        ([written(KEPT[0]), PROMISE, synced(KEPT[0])], ["it is done is told, and /room/archive.sqlite3-wal is not"]),
        ([written(KEPT[0]), synced(KEPT[1]), PROMISE, synced(KEPT[0])], ["archive.sqlite3-wal is not synced"]),
        ([written(KEPT[2])], ["the command ends, and /room/takedowns.jsonl is not synced"]),
        ([synced(KEPT[2]), written(KEPT[2])], ["takedowns.jsonl is not synced"]),
        ([written("/elsewhere/file"), written("/room/archive.lock")], []),
        ([made("/room/new"), PROMISE, synced("/room")], ["/room is not synced since it got new"]),
        ([made("/room/new"), removed("/room/new"), PROMISE], []),
        ([made(KEPT[1]), PROMISE], []),  # it was there
        ([*BUILT, PROMISE], []),  # nobody has been told of it
        ([*BUILT, *SEALED, *NAMED, synced("/room/index"), PROMISE], []),
        ([*BUILT, *NAMED, synced("/room/index")], ["gen-000001 gets its name, and /room/index/building-1/words is",
         "gen-000001 gets its name, and /room/index/building-1 is", "words is not synced", "since it got words"]),
        ([*BUILT, SEALED[1], *NAMED, synced("/room/index")],
         ["gen-000001 gets its name, and /room/index/building-1/words is", "gen-000001/words is not synced"]),
        ([*BUILT, SEALED[0], *NAMED, synced("/room/index")],
         ["gen-000001 gets its name, and /room/index/building-1 is", "since it got words"]),
        ([*BUILT, *SEALED, *NAMED, PROMISE, synced("/room/index")], ["it is done is told, and /room/index is not"]),
        ([written(KEPT[1], at=4096), synced(KEPT[1]), written(KEPT[0], at=0), synced(KEPT[0])], []),
        ([written(KEPT[1], at=4096), written(KEPT[0], at=0), synced(KEPT[0]), synced(KEPT[1])], ["is begun anew"]),
    ],
)  # fmt: skip
def test_the_audit_finds_what_is_not_synced(lines: Sequence[str], said: Sequence[str]) -> None:
    found = problems(tracing.read(lines), folder=FOLDER, existing=KEPT, promises=TOLD)
    assert len(found) == len(said), found
    for each, expected in zip(found, said, strict=True):
        assert expected in each


def test_a_trace_is_read_with_calls_that_others_interrupt_or_that_fail() -> None:
    lines = [
        f'7 pwrite64(5<{hexed("/a")}>, "{hexed("one")}", 3, 8192 <unfinished ...>',
        f"8 fsync(6<{hexed('/b')}>) = -1 EIO (Input/output error) (INJECTED)",
        "7 <... pwrite64 resumed>) = 2",
        "7 +++ killed by SIGKILL +++",
    ]
    failed, done = tracing.read(lines)
    assert (failed.thread, failed.name, failed.paths, failed.failed, failed.injected) == (
        8,
        "fsync",
        ("/b",),
        True,
        True,
    )
    assert (done.data, done.last_number, done.descriptor, done.number) == (b"on", 8192, 5, 1)
    assert not done.injected
