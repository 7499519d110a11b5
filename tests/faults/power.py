"""A disk that keeps no more than it must, to be looked at as it stands when the power is cut.

POSIX promises that a file's bytes are kept by fsync of the file, and names by fsync of their folder; anything else may
be kept or lost. A `Disk` begins as a folder stands and follows the calls of a process; `cut` writes out what a disk may
hold at that moment. That is how ALICE found 60 defects in systems that trusted more (Pillai and others, OSDI 2014).
"""

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from faults.tracing import SYNCS, WRITES, Call

# What of the names and bytes that were not synced the disk happens to have kept.
Kept = Literal["nothing", "names", "bytes"]
KEPT: tuple[Kept, ...] = ("nothing", "names", "bytes")
REBUILT = "-shm"  # SQLite makes it anew


@dataclass(eq=False)
class _Node:
    """A file or a folder as the process sees it, and as the disk keeps it for certain."""

    is_folder: bool
    content: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    names: dict[str, "_Node"] = field(default_factory=dict)
    synced_names: dict[str, "_Node"] = field(default_factory=dict)

    def sync(self) -> None:
        self.synced, self.synced_names = bytes(self.content), dict(self.names)


class Disk:
    """What lies in a folder, all of it on the disk when this is made."""

    def __init__(self, folder: Path, *, called: Path) -> None:
        """Read what is there; the calls that are followed name a copy of it, `called` so."""
        self._folder = PurePath(called)
        self._root = _node_of(folder)
        self._places: dict[int, int] = {}  # where each descriptor goes on writing

    def follow(self, call: Call) -> None:
        """Let a call happen that succeeded."""
        if call.failed or not call.paths:
            return
        if call.name in ("lseek", "read"):
            self._move(call)
        elif all(PurePath(path).is_relative_to(self._folder) for path in call.paths):
            self._change(call)

    def _change(self, call: Call) -> None:
        path = call.paths[-1]
        if call.name in ("openat", "open", "creat"):
            self._open(call)
        elif call.name in ("mkdir", "mkdirat"):
            self._parent(path).names[PurePath(path).name] = _Node(is_folder=True)
        elif call.name.startswith("rename"):
            self._parent(path).names[PurePath(path).name] = self._take(call.paths[0])
        elif call.name.startswith("link"):
            self._parent(path).names[PurePath(path).name] = self._at(call.paths[0])
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            self._take(path)
        elif node := self._find(path):  # not of a file that is gone already
            self._change_file(node, call)

    def _change_file(self, node: _Node, call: Call) -> None:
        if call.name in SYNCS:
            node.sync()
        elif call.name == "ftruncate":
            size = call.last_number
            node.content[size:] = b""
            node.content.extend(bytes(size - len(node.content)))
        elif call.name == "pwrite64":
            _write(node, call.data, call.last_number)
        elif call.name in WRITES:
            place = self._places.get(call.descriptor, len(node.content))
            _write(node, call.data, place)
            self._places[call.descriptor] = place + len(call.data)
        elif call.name != "fallocate":
            raise NotImplementedError(f"{call.name} of {call.paths[-1]}: what that does to a disk is not written here")

    def _open(self, call: Call) -> None:
        path = call.paths[-1]
        node = self._find(path)
        if node is None and "O_CREAT" in call.flags:
            node = self._parent(path).names[PurePath(path).name] = _Node(is_folder=False)
        if node is not None and "O_TRUNC" in call.flags:
            node.content.clear()
        if "O_APPEND" in call.flags:
            self._places.pop(call.result, None)
        else:
            self._places[call.result] = 0

    def _move(self, call: Call) -> None:
        if call.descriptor in self._places:
            self._places[call.descriptor] = call.result + (self._places[call.descriptor] if call.name == "read" else 0)

    def sync(self) -> None:
        """Keep all there is."""
        _sync(self._root)

    def cut(self, kept: Kept, into: Path) -> None:
        """Write what the disk may hold by now into a folder."""
        _lay_out(self._root, kept, into)

    def _find(self, path: str) -> _Node | None:
        node: _Node | None = self._root
        for part in PurePath(path).relative_to(self._folder).parts:
            node = node.names.get(part) if node else None
        return node

    def _at(self, path: str) -> _Node:
        node = self._find(path)
        if node is None:
            raise FileNotFoundError(path)
        return node

    def _parent(self, path: str) -> _Node:
        return self._at(str(PurePath(path).parent))

    def _take(self, path: str) -> _Node:
        return self._parent(path).names.pop(PurePath(path).name)


def _node_of(path: Path) -> _Node:
    if path.is_dir():
        node = _Node(is_folder=True, names={each.name: _node_of(each) for each in path.iterdir()})
    else:
        node = _Node(is_folder=False, content=bytearray(path.read_bytes()))
    node.sync()
    return node


def _sync(node: _Node) -> None:
    node.sync()
    for child in node.names.values():
        _sync(child)


def _write(node: _Node, data: bytes, place: int) -> None:
    node.content.extend(bytes(max(0, place - len(node.content))))
    node.content[place : place + len(data)] = data


def _lay_out(node: _Node, kept: Kept, path: Path) -> None:
    if not node.is_folder:
        path.write_bytes(bytes(node.content) if kept == "bytes" else node.synced)
        path.chmod(0o600)
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, child in (node.names if kept == "names" else node.synced_names).items():
        if not name.endswith(REBUILT):
            _lay_out(child, kept, path / name)
