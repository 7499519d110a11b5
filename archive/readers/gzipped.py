"""gzip, unwrapped as it is read, with a guard against files that grow without end when unpacked.

Invariant: memory stays within one buffer, and whatever is wrong with the compressed file comes out as SourceError after
all that could be unpacked before it.
"""

import gzip
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

from archive.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"\x1f\x8b"
FREE_BYTES = 100_000_000  # 100 MB unpacked are let through whatever the ratio
MAX_RATIO = 200  # beyond them: news packs 3 to 10 times, the most repetitive tables perhaps 100, a bomb 1,032


class Unpacked(io.RawIOBase):
    """The unpacked bytes of the gzip file `packed`, which stays open when this is closed."""

    def __init__(self, packed: BinaryIO) -> None:
        """Begin where `packed` stands."""
        self._packed = packed
        self._gzip = gzip.GzipFile(fileobj=packed, mode="rb")
        self._size = 0
        self._failure: SourceError | None = None

    def readable(self) -> bool:
        """Say yes: this is for reading."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill `buffer`, less only at the end. Raises SourceError when the file is damaged or grows too much."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._failure is None:
            piece = self._piece(len(view) - filled)
            if not piece:
                break
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        if self._failure is not None and not filled:
            raise self._failure
        return filled

    def _piece(self, size: int) -> bytes:
        """Return some bytes, none at the end or at a failure; the failure is kept until what came before is read."""
        try:
            piece = self._gzip.read1(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self._failure = SourceError(
                f"the gzip file is damaged or cut off ({error}): get it again; what came before is in"
            )
            return b""
        self._size += len(piece)
        if self._size > max(FREE_BYTES, MAX_RATIO * self._packed.tell()):
            self._failure = SourceError(
                f"unpacks to over {FREE_BYTES // 1_000_000} MB and {MAX_RATIO} times its size, as attacks do: "
                "unpack it yourself if you trust it"
            )
            return b""
        return piece
