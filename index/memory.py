"""What becomes of memory that is freed, and how often it is looked for.

Of C libraries only glibc is asked (https://man7.org/linux/man-pages/man3/mallopt.3.html); elsewhere nothing happens.
"""

import ctypes
import gc
import itertools
from contextlib import suppress

WHOLE = 32  # calls, of which one looks through everything: an archive that is added to every minute, in ten minutes
_calls = itertools.count(1)
M_ARENA_MAX = -8  # glibc's malloc.h
YOUNG = 10_000  # objects made and kept since Python looked for cycles last; by itself it looks at 700
ARENAS = 2  # threads take turns with Python's lock nearly always when they allocate


def give_back() -> None:
    """Return freed memory to the system: to be called after something large was read or replaced.

    Reading an archive of 100,000 articles leaves 60 MB of holes between what is kept. Python's garbage collector is
    told to look for cycles among what comes from now on: looking through all that is kept, libraries and an index with
    its words and titles, takes a tenth of a second at 25,000 articles, in which every request would wait, every 150
    requests. It is done now and then all the same, for cycles among what was kept and was replaced since.
    """
    if next(_calls) % WHOLE == 0:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def share_arenas() -> None:
    """Have all threads allocate from a few places, to be called before there are any.

    Else each gets one of its own, up to eight a processor, and each keeps what its thread has freed.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def look_seldom() -> None:
    """Have Python look for cycles less often: a search makes hardly any, and looking took a fiftieth of its time."""
    gc.set_threshold(YOUNG)
