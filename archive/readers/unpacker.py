"""What is in a file, however it is packed: gzip, zip, tar, WARC and mbox are opened, one in another.

What has a parser in C, or could hang, is read by the `Child`; lines of records, tables and plain text are read here.

Invariants: nothing that lies in a file stops what lies beside it, but what would cost too much (`Budget`). What comes
out of a container is never the record of another archive, whatever it is called there.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from archive.article import Entry, Rejection
from archive.errors import SourceError
from archive.readers import BINARY_FORMATS, HEAD_BYTES, Reader, detect
from archive.readers.isolated.child import Child
from archive.readers.lines import MAX_RAW_BYTES, kept_raw
from archive.readers.packed import gzipped, mbox, tarred, warc, zipped
from archive.readers.packed.budget import Budget, BudgetSpent
from archive.readers.packed.member import Broken, Container, Member
from archive.readers.records import json_list, jsonl, own, table
from archive.readers.texts import text

CONTAINERS: tuple[Container, ...] = (warc, zipped, mbox, tarred)
IN_PROCESS: tuple[Reader, ...] = (
    own.read,
    jsonl.read,
    json_list.read,
    table.read,
    text.read,
)  # plain Python, and as a stream
MOST_NESTED = 4  # a page in a web archive, gzipped, in a zip archive
MAX_WHOLE_BYTES = 64_000_000  # of what the child reads: sitemaps may have 50 MB
SLOW_SECONDS = 2.0  # a member that took longer and was not read is counted as waste


class Unpacker:
    """Opens one file. `passed_over` counts what was in it and is no article, as folders, images and requests are."""

    def __init__(self, child: Child, budget: Budget) -> None:
        """Begin with nothing read."""
        self._child = child
        self._budget = budget
        self.passed_over = 0

    def entries(
        self, stream: BinaryIO, *, name: str, origin: str, url: str | None = None, is_named: bool = False
    ) -> Iterator[Entry]:
        """Yield what is in `stream`, called `origin` in rejections; `url` is where it was found, if on the web.

        `is_named` says that it is a file that the operator named: only then, and only where it is not packed with
        others, records of another archive are found in it. Raises OSError when the stream cannot be read.
        """
        try:
            yield from self._entries(Member(name=name, stream=stream, url=url), origin, depth=0, is_named=is_named)
        except SourceError as error:
            yield Rejection(source=origin, reason=str(error))

    def _entries(self, member: Member, origin: str, *, depth: int, is_named: bool = False) -> Iterator[Entry]:
        """Yield what is in `member`. Raises SourceError for what ends the whole of it."""
        stream = _peekable(member.stream)
        head = stream.peek(HEAD_BYTES)
        if head.startswith(gzipped.MAGIC):
            _check_depth(depth)
            unpacked = cast(BinaryIO, gzipped.Unpacked(cast(BinaryIO, stream), self._budget))
            inner = replace(member, name=member.name.removesuffix(".gz"), stream=unpacked)
            yield from self._entries(inner, origin, depth=depth + 1, is_named=is_named)
            return
        container = next((each for each in CONTAINERS if each.matches(head)), None)
        if container is None:
            yield from self._read(member, stream, head, origin, is_named=is_named)
            return
        _check_depth(depth)
        for found in container.members(cast(BinaryIO, stream), self._budget):
            self._budget.enter()
            if found is None:
                self.passed_over += 1
                continue
            inside = f"{origin}!{found.name}" if found.name else origin
            if isinstance(found, Broken):
                yield Rejection(source=inside, reason=found.reason)
                continue
            try:
                yield from self._entries(found, inside, depth=depth + 1)
            except BudgetSpent:
                raise
            except SourceError as error:
                yield Rejection(source=inside, reason=str(error))

    def _read(
        self, member: Member, stream: "io.BufferedReader[io.RawIOBase]", head: bytes, origin: str, *, is_named: bool
    ) -> Iterator[Entry]:
        """Yield what the reader of a member that is not packed finds."""
        name = member.hint or member.name
        try:
            reader = detect(head, name)
        except SourceError as error:
            if member.optional:
                self.passed_over += 1
            else:
                yield Rejection(source=origin, reason=str(error), raw=_kept(stream, head))
            return
        if reader == own.read and not is_named:  # it is believed in all it says: it could take articles away
            yield Rejection(source=origin, reason=own.NOT_BELIEVED)
            return
        if reader in IN_PROCESS:
            yield from reader(cast(BinaryIO, stream), origin)
            return
        raw = stream.read(MAX_WHOLE_BYTES + 1)
        if len(raw) > MAX_WHOLE_BYTES:
            raise SourceError(f"larger than {MAX_WHOLE_BYTES // 1_000_000} MB: split it")
        began = time.monotonic()
        found = self._child.read(raw, name=name, origin=origin, url=member.url, charset=member.charset)
        for entry in found:
            if isinstance(entry, Rejection) and entry.raw is None:
                yield replace(entry, raw=kept_raw(raw), size=len(raw))
            else:
                yield entry
        spent = time.monotonic() - began
        if spent > SLOW_SECONDS and found and isinstance(found[-1], Rejection):
            self._budget.waste(spent)


def holds_others(raw: bytes) -> bool:
    """Tell whether a whole file is a container, gzipped or not."""
    stream = io.BytesIO(raw)
    head = raw[:HEAD_BYTES]
    if head.startswith(gzipped.MAGIC):
        try:
            head = io.BufferedReader(gzipped.Unpacked(stream, Budget(stream.tell))).read(HEAD_BYTES)
        except SourceError:
            return False
    return any(each.matches(head) for each in CONTAINERS)


def _check_depth(depth: int) -> None:
    if depth >= MOST_NESTED:
        raise SourceError(f"packed more than {MOST_NESTED} deep, as attacks do: unpack it yourself if you trust it")


def _peekable(stream: BinaryIO) -> "io.BufferedReader[io.RawIOBase]":
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, stream), HEAD_BYTES)


def _kept(stream: "io.BufferedReader[io.RawIOBase]", head: bytes) -> bytes | None:
    """Return what no reader takes, where it is small and may be text: no new reader will ever take an image."""
    if any(head.startswith(magic) for magic, _ in BINARY_FORMATS):
        return None
    return kept_raw(stream.read(MAX_RAW_BYTES + 1))
