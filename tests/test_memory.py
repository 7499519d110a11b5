"""Memory that was freed goes back to the system, also from between what is kept, and threads keep little of it."""

import gc
import platform
import re
import subprocess
import sys
from pathlib import Path
from weakref import ref

import pytest

from benchmarks.measure import unshared_bytes
from index.memory import ARENAS, WHOLE, YOUNG, give_back, look_seldom

MB = 1_000_000
GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc is not asked")
MANY_THREADS = """
import ctypes, sys, threading
from web.app import create_app
from web.settings import Settings

create_app(Settings())
libc, together = ctypes.CDLL(None), threading.Barrier(8)

def allocate():
    piece = ctypes.create_string_buffer(100_000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w")))
libc.fflush(None)
"""


@GLIBC
def test_what_was_freed_between_what_is_kept_goes_back_to_the_system() -> None:
    pieces = [bytes(1_000) for _ in range(60_000)]
    kept = pieces[::50]
    pieces.clear()
    before = unshared_bytes()
    give_back()
    assert before - unshared_bytes() > 30 * MB
    assert len(kept) == 1_200


def test_what_is_kept_is_not_looked_through_for_garbage_again_and_garbage_is_not_kept() -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    gone, later = Ring(), Ring()
    was_gone, was_later = ref(gone), ref(later)
    del gone
    try:
        give_back()
        assert was_gone() is None
        assert gc.get_freeze_count() > len(gc.get_objects())
        del later  # which was kept when memory was given back
        for _ in range(WHOLE):
            give_back()
        assert was_later() is None
    finally:
        gc.unfreeze()


@GLIBC
def test_a_server_s_threads_share_two_arenas(tmp_path: Path) -> None:
    told = tmp_path / "malloc.xml"
    subprocess.run([sys.executable, "-c", MANY_THREADS, str(told)], check=True)
    assert len(re.findall("<heap nr=", told.read_text())) == ARENAS


def test_cycles_are_looked_for_seldom_and_found_all_the_same() -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    before = gc.get_threshold()
    try:
        look_seldom()
        gc.collect()
        first = ref(Ring())
        rings = [Ring() for _ in range(YOUNG // 2)]
        assert first() is not None
        rings += [Ring() for _ in range(YOUNG)]
        assert first() is None
    finally:
        gc.set_threshold(*before)
