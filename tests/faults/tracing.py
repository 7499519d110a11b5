"""What strace writes down of a process, read: every call that writes, and to which file.

`-y` has strace name the file behind each descriptor, `-xx` write all text as hexadecimal, so that nothing needs to be
unescaped twice and the bytes that were written can be had. A call that another thread interrupts stands on two lines.
"""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

STRACE = shutil.which("strace")
WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2")
SYNCS = ("fsync", "fdatasync")
NAMES = ("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir")
OTHERS = ("openat", "open", "creat", "ftruncate", "truncate", "fallocate", "symlink", "symlinkat")
UNKNOWN = ("sendfile", "copy_file_range", "splice", "sync_file_range", "msync")  # nothing here uses one
PLACES = ("lseek", "read")  # what moves the place where a file is written next
CALLS = (*WRITES, *SYNCS, *NAMES, *OTHERS, *UNKNOWN)

_LINE = re.compile(r"(?P<thread>\d+) +(?P<rest>.*)", re.DOTALL)
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+|\?)(?P<more>.*)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `number` is its place among those of its name and its thread; `paths` are the files it names.

    `data` and `offset` are of a write, `size` of a truncation, `flags` all that was said besides.
    """

    thread: int
    name: str
    number: int
    paths: tuple[str, ...]
    result: int
    flags: str = ""
    data: bytes = b""
    injected: bool = False

    @property
    def failed(self) -> bool:
        """Tell whether it did nothing."""
        return self.result < 0

    @property
    def writes(self) -> bool:
        """Tell whether the call changes anything on a disk, or has it kept."""
        if self.name in PLACES:
            return False
        return self.name not in ("openat", "open") or "O_CREAT" in self.flags or "O_TRUNC" in self.flags

    @property
    def descriptor(self) -> int:
        """Return the number of the open file, which is the first argument."""
        return int(self.flags.partition(",")[0])

    @property
    def last_number(self) -> int:
        """Return the last plain number among the arguments: an offset or a size."""
        return int(re.findall(r"(?<![\w<])(\d+)(?![\w>])", self.flags)[-1])


def read(lines: Iterable[str]) -> Iterator[Call]:
    """Yield the calls in the order in which they ended."""
    counted: Counter[tuple[int, str]] = Counter()
    begun: dict[int, tuple[str, int]] = {}  # what a thread was at when another one came between, and its number
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        thread, rest = int(match["thread"]), match["rest"].rstrip("\n")
        resumed = re.match(r"<\.\.\. \w+ resumed>", rest)
        if resumed:
            start, number = begun.pop(thread)
            rest = start + rest[resumed.end() :]
        elif name := re.match(r"(\w+)\(", rest):
            counted[thread, name[1]] += 1
            number = counted[thread, name[1]]
        if rest.endswith("<unfinished ...>"):
            begun[thread] = rest.removesuffix("<unfinished ...>").rstrip(), number
        elif call := _CALL.fullmatch(rest):
            yield _call(thread, number, call)


def _call(thread: int, number: int, match: re.Match[str]) -> Call:
    name, arguments = match["name"], match["arguments"]
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments)]
    bare = _TEXT.sub('""', arguments)
    behind = [_path(text) for text in _DESCRIPTOR.findall(bare)]
    result = -1 if match["result"] == "?" else int(match["result"])
    flags = _DESCRIPTOR.sub("", bare)
    injected = "(INJECTED)" in match["more"]
    if name in WRITES:
        data = b"".join(texts)[: max(result, 0)]
        return Call(thread, name, number, tuple(behind[:1]), result, flags, data, injected)
    if texts:  # a name, beside the folder that it is meant in
        folders = behind if name.endswith(("at", "at2")) else [""] * len(texts)
        paths = [
            str(Path(folder) / text.decode("utf-8", "replace")) for folder, text in zip(folders, texts, strict=False)
        ]
        opened = [_path(text) for text in _DESCRIPTOR.findall(match["more"])]
        return Call(thread, name, number, tuple(opened or paths), result, flags, b"", injected)
    return Call(thread, name, number, tuple(behind[:1]), result, flags, b"", injected)


def _path(text: str) -> str:
    return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "replace") if text.startswith("\\x") else text


def under(folder: Path, calls: Iterable[Call]) -> Iterator[Call]:
    """Yield the calls that change something in a folder or below it."""
    for call in calls:
        if call.writes and any(Path(path).is_relative_to(folder) for path in call.paths):
            yield call


@dataclass(frozen=True, slots=True)
class Point:
    """Where a fault can be injected: before the so-manieth call of this name by one thread."""

    name: str
    number: int
    path: str = ""


def points(folder: Path, calls: Iterable[Call]) -> list[Point]:
    """Return the points of all calls that change something in a folder, in the order of the calls."""
    found: dict[tuple[str, int], Point] = {}
    for call in under(folder, calls):
        found.setdefault((call.name, call.number), Point(call.name, call.number, call.paths[-1]))
    return list(found.values())


def spread(points: Sequence[Point], most: int) -> list[Point]:
    """Return so many of the points at most: of each kind of call on each kind of file one, then another, and so on."""
    kinds: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.name, _kind(point.path)), []).append(point)
    for each in kinds.values():
        random.Random(len(each)).shuffle(each)  # the same ones each time
    in_turn = [point for rank in zip_longest(*kinds.values()) for point in rank if point]
    return in_turn[:most]


def _kind(path: str) -> str:
    return re.sub(r"[0-9a-z]{8,}|\d+", "N", path)
