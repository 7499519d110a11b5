"""Memory that was freed goes back to the system, also from between what is kept."""

import platform

import pytest

from benchmarks.measure import unshared_bytes
from index.memory import give_back

MB = 1_000_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc is not asked")
def test_what_was_freed_between_what_is_kept_goes_back_to_the_system() -> None:
    pieces = [bytes(1_000) for _ in range(60_000)]
    kept = pieces[::50]
    pieces.clear()
    before = unshared_bytes()
    give_back()
    assert before - unshared_bytes() > 30 * MB
    assert len(kept) == 1_200
