"""SQLite's write-ahead log, read by itself: whether what was committed is still in it (https://sqlite.org/walformat.html).

SQLite takes the first frame that differs from its checksum for the end of the log, because that is what a crash leaves.
So a frame that a disk has lost would take everything committed behind it away, and nobody would hear of it. What tells
the two apart is what follows: frames of a transaction are written only when those of the one before are on the disk.

Invariant: nothing here opens the database or its shared memory, whose locks belong to SQLite.
"""

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">8I")  # magic, version, page size, checkpoint, two salts, two checksums
FRAME = 24  # bytes before each page: its number, pages after a commit or 0, two salts, two checksums
MAGIC = 0x377F0682  # with checksums over numbers as this machine writes them; one more: in the other order
SMALLEST, LARGEST = 1 << 9, 1 << 16  # bytes of a page
AT_ONCE = 4096  # frames that are read together
LOOKS, PAUSE = 3, 0.05  # at what looks damaged, and the seconds between
Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Log:
    """The frames in the file, in order: which are as they were written, which end a transaction, which are of this log.

    Behind the frames of this log lie those of logs before, with other salts.
    """

    whole: NDArray[np.bool_]
    commits: NDArray[np.bool_]
    is_ours: NDArray[np.bool_]
    header_is_whole: bool

    def lost(self) -> str | None:
        """Say what of it was committed and cannot be read, None when nothing is."""
        if not self.header_is_whole:
            return "its header is damaged"
        damaged = np.flatnonzero(~self.whole)
        if not len(damaged):
            return None
        first = int(damaged[0])
        ends = np.flatnonzero(self.commits & self.is_ours & (np.arange(len(self.whole)) >= first))
        if not len(ends) or not self.is_ours[ends[0] + 1 :].any():
            return None  # the last transaction: whoever wrote it had not come to its end
        return f"frame {first + 1} of {len(self.whole)} is damaged, and more was committed behind it"

    def holds(self, frames: int) -> bool:
        """Tell whether the first `frames` of these are there as they were written."""
        return frames <= 0 or (self.header_is_whole and len(self.whole) >= frames and bool(self.whole[:frames].all()))


NOTHING: NDArray[np.bool_] = np.zeros(0, np.bool_)
EMPTY = Log(NOTHING, NOTHING, NOTHING, header_is_whole=True)


def lost(path: Path) -> str | None:
    """Say what of the log at `path` was committed and cannot be read, None when nothing is.

    It is looked at again, for somebody may have been beginning it anew just then.
    """
    for _ in range(LOOKS):
        problem = read(path).lost()
        if problem is None:
            return None
        time.sleep(PAUSE)
    return problem


def read(path: Path, *, after: int = 0) -> Log:
    """Return what the log at `path` holds behind its first `after` frames; nothing of one never written to."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return EMPTY
    with file:
        header = file.read(HEADER.size)
        if os.fstat(file.fileno()).st_size < HEADER.size + FRAME:
            return EMPTY
        magic, _, size, _, *salts, first, second = HEADER.unpack(header)
        order = ">" if magic & 1 else "<"
        numbers = np.frombuffer(header[:-8], f"{order}u4").astype(np.uint32)
        is_sound = magic & ~1 == MAGIC and SMALLEST <= size <= LARGEST and not size & (size - 1)
        sums = _sums(numbers[None], np.zeros(1, np.uint32), np.zeros(1, np.uint32))
        if not is_sound or [int(each[0]) for each in sums] != [first, second]:
            return Log(NOTHING, NOTHING, NOTHING, header_is_whole=False)
        before = np.array([first, second], np.uint32)
        if after:
            file.seek(HEADER.size + (after - 1) * (FRAME + size))
            before = np.frombuffer(file.read(FRAME).ljust(FRAME, b"\0"), ">u4")[4:].astype(np.uint32)
        file.seek(HEADER.size + after * (FRAME + size))
        parts = []
        while count := len(content := file.read(AT_ONCE * (FRAME + size))) // (FRAME + size):
            frames = np.frombuffer(content, np.uint8, count=count * (FRAME + size)).reshape(count, -1)
            heads = np.ascontiguousarray(frames[:, :FRAME]).view(">u4").astype(np.uint32)
            is_ours = (heads[:, 2:4] == np.array(salts, np.uint32)).all(axis=1)
            parts.append((_are_whole(frames, heads, before, order) & is_ours, heads[:, 1] > 0, is_ours))
            before = heads[-1, 4:]
    whole, commits, ours = (
        (np.concatenate([NOTHING, *each]) for each in zip(*parts, strict=True)) if parts else (NOTHING,) * 3
    )
    return Log(whole, commits, ours, header_is_whole=True)


def _are_whole(frames: NDArray[np.uint8], heads: Numbers, before: Numbers, order: str) -> NDArray[np.bool_]:
    """Tell of each frame whether it has its checksum, which goes on from that of the frame before."""
    summed = np.concatenate([frames[:, :8], frames[:, FRAME:]], axis=1).view(f"{order}u4").astype(np.uint32)
    starts = np.vstack([before[None], heads[:-1, 4:]])
    found = np.stack(_sums(summed, starts[:, 0].copy(), starts[:, 1].copy()), axis=1)
    same: NDArray[np.bool_] = (found == heads[:, 4:]).all(axis=1)
    return same


def _sums(rows: Numbers, first: Numbers, second: Numbers) -> tuple[Numbers, Numbers]:
    """Go on with each row's two sums over its numbers, two by two."""
    columns = np.ascontiguousarray(rows.T)
    for place in range(0, len(columns), 2):
        first += columns[place] + second
        second += columns[place + 1] + first
    return first, second
