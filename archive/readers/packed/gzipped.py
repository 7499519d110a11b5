"""gzip, unwrapped as it is read, member by member.

Invariant: memory stays within one buffer, and whatever is wrong with the compressed file comes out as SourceError after
all that could be unpacked before it. Whoever reads on after that is given the next member that can be found.
"""

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

from archive.errors import SourceError
from archive.readers.packed.budget import Budget, BudgetSpent

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC = b"\x1f\x8b"
_MEMBER = MAGIC + b"\x08"  # deflate, the only method there is
_BLOCK = 1 << 16
_SEEN_BYTES = 2 * _BLOCK
_MOST_DAMAGED = 1_000  # members in one file: then the rest is left, since looking for the next one costs time
_WITH_HEADER = 16 + zlib.MAX_WBITS


class Unpacked(io.RawIOBase):
    """The unpacked bytes of the gzip file `packed`, which stays open when this is closed."""

    def __init__(self, packed: BinaryIO, budget: Budget) -> None:
        """Begin where `packed` stands."""
        self._packed = packed
        self._budget = budget
        self._block = b""  # read, and not unpacked yet
        self._seen = b""  # of this member, packed, with what is not unpacked yet: the next one may begin in it
        self._damaged = 0  # members
        self._inflate = zlib.decompressobj(_WITH_HEADER)
        self._inside = True  # a member, and not between two
        self._failure: SourceError | None = None
        self._is_damaged = False  # since the last byte that came out

    def readable(self) -> bool:
        """Say yes: this is for reading."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill `buffer`, less only at the end or before a failure. Raises SourceError when the file is damaged."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and self._failure is None:
            try:
                piece = self._piece(len(view) - filled)
            except SourceError as error:  # kept until what came before is read
                self._failure = error
                break
            if not piece:
                break
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        if self._failure is not None and not filled:
            failure = self._failure
            if not isinstance(failure, BudgetSpent):
                self._failure = None
            raise failure
        return filled

    def _piece(self, size: int) -> bytes:
        """Return some bytes, none at the end."""
        while True:
            if not self._inside and not self._begin_member():
                return b""
            if not self._block:
                self._block = self._packed.read(_BLOCK)
                self._seen = (self._seen + self._block)[-_SEEN_BYTES:]
                if not self._block:
                    self._inside = False
                    raise _damaged("it ends in the middle")
            try:
                piece = self._inflate.decompress(self._block, size)
            except zlib.error as error:
                self._look_further()
                if not self._is_damaged:
                    self._is_damaged = True
                    raise _damaged(str(error)) from error
                continue
            self._block = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._block = self._inflate.unused_data
                self._inside = False
            if piece:
                self._is_damaged = False
                self._budget.unpack(len(piece))
                return piece

    def _begin_member(self) -> bool:
        """Begin the next member, if there is one. Zeros after the last one are padding."""
        self._block = self._block.lstrip(b"\0")
        while not self._block:
            block = self._packed.read(_BLOCK)
            if not block:
                return False
            self._block = block.lstrip(b"\0")
        self._inflate = zlib.decompressobj(_WITH_HEADER)
        self._seen = self._block
        self._inside = True
        return True

    def _look_further(self) -> None:
        """Go to where the next member may begin: damage shows late, so perhaps in what was unpacked as part of this."""
        self._inside = False
        self._damaged += 1
        block, start = self._seen, 1
        if self._damaged > _MOST_DAMAGED:
            raise BudgetSpent("the gzip file is damaged in very many places: get it again; what came before is in")
        while (found := block.find(_MEMBER, start)) < 0:
            kept = block[-len(_MEMBER) + 1 :]  # it may begin here
            more = self._packed.read(_BLOCK)
            if not more:
                self._block = b""
                return
            block, start = kept + more, 0
        self._block = block[found:]


def _damaged(detail: str) -> SourceError:
    return SourceError(f"the gzip file is damaged or cut off ({detail}): get it again; what came before is in")
