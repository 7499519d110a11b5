"""zip archives, member by member. Nothing is written anywhere under a member's name.

The directory at the end is read first, so an archive inside another file is copied to a temporary file without a name.
"""

import io
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from archive.errors import SourceError
from archive.readers.by_name import is_hidden, is_no_article
from archive.readers.packed.budget import Budget
from archive.readers.packed.member import Broken, Found, Member, printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_DIRECTORY_BYTES = 16_000_000  # 100,000 to 200,000 members, 100 MB of memory
MAX_NESTED_BYTES = 1_000_000_000  # of an archive inside another file
COPY_BYTES = 1 << 20
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others unpack without a bound on memory
ENCRYPTED = 0x1
OFFICE = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
# What the library raises for bytes that are no zip archive; it has one error of its own and lets the others through.
_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
           IndexError, KeyError, OverflowError)  # fmt: skip


def matches(head: bytes) -> bool:
    """Tell whether the file begins as an archive with or without members does."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def members(stream: BinaryIO, budget: Budget) -> Iterator[Found]:
    """Yield the members in the order of the directory."""
    if stream.seekable():
        yield from _members(stream, budget)
        return
    with tempfile.TemporaryFile() as copy:
        size = 0
        while piece := stream.read(COPY_BYTES):
            size += len(piece)
            if size > MAX_NESTED_BYTES:
                raise SourceError(f"a zip archive of over {MAX_NESTED_BYTES // 1_000_000} MB inside another file")
            copy.write(piece)
        copy.seek(0)
        yield from _members(cast(BinaryIO, copy), budget)


def _members(stream: BinaryIO, budget: Budget) -> Iterator[Found]:
    try:
        archive = zipfile.ZipFile(cast("io.BufferedReader", _Bounded(stream)))
    except _ERRORS as error:
        raise SourceError(f"the zip archive is damaged or cut off ({_said(error)}): get it again") from error
    with archive:
        listed = archive.infolist()
        if listed and listed[0].filename in OFFICE:
            raise SourceError("not text: looks like an office document or a program")
        for info in listed:
            yield _member(archive, info, budget)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Found:
    name = printable(info.filename)
    mode = info.external_attr >> 16
    if info.filename.endswith("/") or is_hidden(info.filename) or is_no_article(info.filename):
        return None
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Broken(name=name, reason="a link or a device, which is not followed")
    if info.flag_bits & ENCRYPTED:
        return Broken(name=name, reason="is encrypted: unpack it with its password first")
    if info.compress_type not in READABLE:
        return Broken(name=name, reason="packed by a method that is not read here: pack it again with deflate")
    try:
        opened = archive.open(info)
    except _ERRORS as error:
        return Broken(name=name, reason=f"damaged in the zip archive ({_said(error)})")
    return Member(name=name, stream=cast(BinaryIO, _Unpacked(opened, budget)))


def _said(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:100]


class _Unpacked(io.RawIOBase):
    """A member's bytes, each of them counted."""

    def __init__(self, member: IO[bytes], budget: Budget) -> None:
        self._member = member
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            piece = self._member.read(min(len(view), COPY_BYTES))
        except _ERRORS as error:
            raise SourceError(f"damaged in the zip archive ({_said(error)}): what came before is in") from error
        self._budget.unpack(len(piece))
        view[: len(piece)] = piece
        return len(piece)


class _Bounded(io.RawIOBase):
    """The archive's file, of which no more is read at once than a directory may have."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size if 0 <= size <= MAX_DIRECTORY_BYTES else MAX_DIRECTORY_BYTES + 1)
        if len(data) > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its directory is larger than any honest one")
        return data
