"""Giving memory back: what was freed goes to the system, where the C library would keep it for later."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system: to be called after something large was read or replaced.

    Reading an archive of 100,000 articles leaves 60 MB of holes between what is kept. Only glibc is asked
    (https://man7.org/linux/man-pages/man3/malloc_trim.3.html); elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
