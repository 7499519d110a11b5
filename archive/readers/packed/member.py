"""What lies in a file that holds others: its members, as the modules that walk such files find them.

Invariant: a member's name is for people to read. It never reaches the file system.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from archive.errors import SourceError
from archive.readers.packed.budget import Budget

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SKIP_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member: its bytes, and what is known of them. `stream` is read before the next member is asked for.

    `hint` is a file name by which its format is known, where `name` is none. `url` is where it was found and `charset`
    what its server said of its text. Where `optional`, what no reader takes is passed over.
    """

    name: str
    stream: BinaryIO
    hint: str | None = None
    url: str | None = None
    charset: str | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A member that cannot be read, or the place where one should be, with the reason."""

    reason: str
    name: str | None = None


Found = Member | Broken | None
"""None is what is passed over: a folder, an image, an answer that says that there is nothing."""


class Container(Protocol):
    """A module of this package that walks one kind of file with members."""

    def matches(self, head: bytes, /) -> bool:
        """Tell whether a file that begins with `head` is of this kind."""
        ...

    def members(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Found]:
        """Yield the members in their order. Raises SourceError for what makes the rest of the file unreadable."""
        ...


class Part(io.RawIOBase):
    """The next `size` bytes of `stream` as a stream of their own."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Begin where `stream` stands."""
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        """Say yes: this is for reading."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill `buffer`, less only at the end. Raises SourceError when there is less than there should be."""
        view = memoryview(buffer).cast("B")
        piece = self._stream.read(min(len(view), self._left))
        if not piece and self._left and view:
            self._left = 0
            raise SourceError("is cut off: what came before is in")
        view[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def skip(self) -> None:
        """Pass over what is left."""
        while self._left and (piece := self._stream.read(min(SKIP_BYTES, self._left))):
            self._left -= len(piece)


def printable(name: str) -> str:
    """Return a member's name as it can be shown: on one line, and of some length."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return shown if len(shown) <= 200 else f"{shown[:100]}\N{HORIZONTAL ELLIPSIS}{shown[-99:]}"
