"""How often something may be done, counted for all processes of this machine: token buckets in a file.

The file has a fixed number of slots of 16 bytes, mapped into memory by everybody who counts. A slot holds a name, as a
keyed hash, and when its bucket will be full again, by the clock that all processes of a machine share; that one moment
is all there is to know of a bucket (the "theoretical arrival time" of ATM's generic cell rate algorithm, ITU-T I.371).
A name has eight slots to choose from. Where all are taken the one that is full soonest goes, so what was used most is
remembered longest.

Invariants: nobody is refused for what is in the file by accident. A moment further off than a bucket takes to fill, as
after a restart of the machine, is none. Without a file, as on a full disk, each process
counts for itself.
"""

import fcntl
import hashlib
import logging
import math
import mmap
import os
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAGIC = b"bf-rate1"
KEY_BYTES = 16
SETS = 8_192  # of eight slots: one megabyte, and a day of most sites' readers
SLOT = struct.Struct("<Qd")
SLOTS = struct.Struct("<" + "Qd" * 8)
HEADER = 64  # bytes
SIZE = HEADER + SETS * SLOTS.size


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and then one by one as many again in so many seconds."""

    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking: after how many seconds it may be done (0.0: now), and how many more may be done at once."""

    wait: float
    left: int


class Buckets:
    """Token buckets by name. Safe to use from several threads, and processes that name the same file."""

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Count in this file, made when it is not there; without one, for this process alone."""
        self._clock = clock
        self._alone = threading.Lock()
        self._file: int | None = None
        try:
            self._file = _opened(path) if path else None
        except OSError as error:
            log.warning("requests are counted by each process for itself: %s", error.strerror)
        if self._file is None:
            self._slots = mmap.mmap(-1, SIZE)
            self._slots[: len(MAGIC) + KEY_BYTES] = MAGIC + secrets.token_bytes(KEY_BYTES)
        else:
            self._slots = mmap.mmap(self._file, SIZE)
        self._key = self._slots[len(MAGIC) : len(MAGIC) + KEY_BYTES]

    def take(self, name: str, rate: Rate, *, cost: int = 1) -> Taken:
        """Do something of this cost now, if it may be done; or tell how long to wait, which costs nothing."""
        hashed = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), key=self._key, digest_size=8).digest())
        at = HEADER + hashed % SETS * SLOTS.size
        each = rate.seconds / rate.most
        with self._lock():
            now = self._clock()
            found = SLOTS.unpack_from(self._slots, at)
            place = _place(found, hashed)
            full_at = found[place + 1] if found[place] == hashed else now
            missing = full_at - now if 0 < full_at - now <= rate.seconds else 0.0  # seconds until the bucket is full
            wait = missing + cost * each - rate.seconds
            if wait > 0:
                return Taken(wait, left_of(rate, missing))
            missing += cost * each
            SLOT.pack_into(self._slots, at + place // 2 * SLOT.size, hashed, now + missing)
        return Taken(0.0, left_of(rate, missing))

    def close(self) -> None:
        """Let go of the file."""
        self._slots.close()
        if self._file is not None:
            os.close(self._file)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self._alone:  # a lock on a file holds between processes, and not between the threads of one
            if self._file is None:
                yield
                return
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    """Open the file, and make it what it should be when it is not."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX)
        if os.fstat(file).st_size != SIZE or os.pread(file, len(MAGIC), 0) != MAGIC:
            os.ftruncate(file, SIZE)
            os.posix_fallocate(file, 0, SIZE)  # a page that the disk has no room for would end the process
            os.pwrite(file, bytes(SIZE), 0)
            os.pwrite(file, MAGIC + secrets.token_bytes(KEY_BYTES), 0)
        fcntl.lockf(file, fcntl.LOCK_UN)
    except OSError:
        os.close(file)
        raise
    return file


def _place(found: tuple[float, ...], hashed: int) -> int:
    """Return where in a set the slot of this name is, or the one that it may take."""
    for place in range(0, len(found), 2):
        if found[place] == hashed:
            return place
    return min(range(0, len(found), 2), key=lambda place: found[place + 1])


def left_of(rate: Rate, missing: float) -> int:
    """Return how many times more something may be done at once, of a bucket that is full in so many seconds."""
    return max(0, math.floor((rate.seconds - missing) * rate.most / rate.seconds + 1e-6))
