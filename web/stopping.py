"""Ending a command that changes the archive when it is asked to (SIGTERM, Ctrl-C): where nothing is half done.

What is at hand is finished: an article, a batch of embeddings, a feed, a message. Asked a second time, the process ends
at once, which loses no more than that: whatever was acknowledged is in the archive already.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from archive.progress import Stopped

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK = 0.5  # seconds between two looks at whether a waiting command was asked to end

_asked: list[int] = []  # the signal that was, if one was


@contextmanager
def stoppable() -> Iterator[None]:
    """Let a first signal only be noted while this lasts, for `check` and `pause` to end the work."""
    if threading.current_thread() is not threading.main_thread():  # Python handles signals in that one alone
        yield
        return
    _asked.clear()
    before = {number: signal.signal(number, _note) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _asked.clear()


def _note(number: int, _: FrameType | None) -> None:
    _asked.append(number)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    click.echo("stopping when what is at hand is done; asked again, at once", err=True)


def check() -> None:
    """Raise Stopped when this process was asked to end."""
    if _asked:
        raise Stopped(_asked[0])


def pause(seconds: float) -> None:
    """Wait so long. Raises Stopped when this process is asked to end."""
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(LOOK, left))
        check()
