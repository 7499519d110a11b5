"""tar archives, member by member, in one pass.

The headers are walked here, and only read by the library: it would keep all of them, and take long names of any length
into memory.
"""

import io
import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from archive.errors import SourceError
from archive.readers.by_name import is_hidden, is_no_article
from archive.readers.packed.budget import Budget
from archive.readers.packed.member import Broken, Found, Member, Part, printable

BLOCK = tarfile.BLOCKSIZE
MAX_NAME_BYTES = 65_536  # of a long name, or of the fields of a member
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_FIELDS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_LONG_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_PAX = re.compile(rb"\d+ (path|size)=([^\n]*)\n")


def matches(head: bytes) -> bool:
    """Tell whether the file begins with the header of a member."""
    return len(head) >= BLOCK and head[0] != 0 and _header(head[:BLOCK]) is not None


def members(stream: BinaryIO, _budget: Budget) -> Iterator[Found]:
    """Yield the members as they come. After a damaged header, the walk goes on at the next whole one."""
    offset = 0
    is_lost = False
    name: str | None = None  # of the next member, where it is long
    size: int | None = None
    while block := stream.read(BLOCK):
        if len(block) < BLOCK:
            yield Broken(reason="the tar archive is cut off: what came before is in")
            return
        header = _header(block)
        if header is None or header.size < 0:
            if not any(block):
                return
            if not is_lost:
                yield Broken(reason=f"the tar archive is damaged at byte {offset:,}")
            is_lost = True
            offset += BLOCK
            continue
        is_lost = False
        actual = header.size if size is None or header.type not in _FILES else size
        part = Part(stream, actual)
        if header.type in _LONG_NAMES or header.type in _FIELDS:
            told = _told(part, actual)
            if header.type == tarfile.GNUTYPE_LONGNAME:
                name = told.rstrip(b"\0").decode("utf-8", "replace")
            elif header.type == tarfile.XHDTYPE:
                fields = dict(_PAX.findall(told))
                name = fields[b"path"].decode("utf-8", "replace") if b"path" in fields else name
                size = int(fields[b"size"]) if fields.get(b"size", b"").isdigit() else None
        else:
            yield _member(header, name or header.name, part)
            name = size = None
        part.skip()
        padding = -actual % BLOCK
        stream.read(padding)
        offset += BLOCK + actual + padding


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None


def _told(part: Part, size: int) -> bytes:
    if size > MAX_NAME_BYTES:
        raise SourceError("a name in the tar archive is longer than any honest one")
    return io.BufferedReader(part, MAX_NAME_BYTES).read()


def _member(header: tarfile.TarInfo, name: str, part: Part) -> Found:
    if header.isdir() or is_hidden(name) or is_no_article(name):
        return None
    if header.type not in _FILES:
        return Broken(name=printable(name), reason="a link, a device or a file with holes, which is not read")
    return Member(name=printable(name), stream=cast(BinaryIO, part))
