"""What unpacking one file may cost: one budget, handed down through all that lies in it, however deep.

News packs 3 to 10 times, the most repetitive tables perhaps 50; a bomb of gzip reaches 1,032, and one inside another
the product.
"""

from collections.abc import Callable

from archive.errors import SourceError

FREE_BYTES = 100_000_000  # 100 MB unpacked are let through whatever the ratio
MAX_RATIO = 100  # beyond them: unpacked bytes for each byte of the file that was read
MAX_MEMBERS = 5_000_000  # of one file: a crawl of a gigabyte has 100,000 records
MAX_WASTED_SECONDS = 600.0  # on members that crash their reader or never end: 20 of the longest


class BudgetSpent(SourceError):
    """The file costs more than any honest one: nothing more of it is read."""


class Budget:
    """Counts what one file costs. `position` tells how many of its bytes have been read."""

    def __init__(self, position: Callable[[], int]) -> None:
        """Begin with nothing spent."""
        self._position = position
        self._packed = 0
        self._unpacked = 0
        self._members = 0
        self._wasted = 0.0

    def unpack(self, size: int) -> None:
        """Count bytes that were unpacked, at any depth. Raises BudgetSpent when they are too many."""
        self._unpacked += size
        if self._unpacked > FREE_BYTES:
            self._packed = max(self._packed, self._position())  # reading goes back and forth in a zip archive
            if self._unpacked > MAX_RATIO * self._packed:
                raise BudgetSpent(
                    f"unpacks to over {FREE_BYTES // 1_000_000} MB and {MAX_RATIO} times its size, as attacks do: "
                    "unpack it yourself if you trust it"
                )

    def enter(self) -> None:
        """Count a member. Raises BudgetSpent when they are too many."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BudgetSpent(f"holds more than {MAX_MEMBERS:,} members, as attacks do: unpack it yourself")

    def waste(self, seconds: float) -> None:
        """Count time that led to nothing. Raises BudgetSpent when it is too much."""
        self._wasted += seconds
        if self._wasted > MAX_WASTED_SECONDS:
            raise BudgetSpent(
                f"took {MAX_WASTED_SECONDS / 60:.0f} minutes with members that cannot be read: what came before is in"
            )
