"""How long the legs of a search take, told to whoever listens: a monitor's figures, without the index knowing any.

Invariant: nobody listening costs a search nothing that can be measured, and what a listener does is short.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

Leg = Literal["query embedding", "keyword", "semantic", "whole"]
LEGS: tuple[Leg, ...] = get_args(Leg)
Listener = Callable[[Leg, float], None]  # told the seconds

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Tell `listener` of every leg from now on, in the thread that worked on it."""
    if listener not in _listeners:
        _listeners.append(listener)


@contextmanager
def timed(leg: Leg) -> Iterator[None]:
    """Tell how long what is done inside takes, whatever becomes of it."""
    began = time.perf_counter()
    try:
        yield
    finally:
        taken = time.perf_counter() - began
        for listener in _listeners:
            listener(leg, taken)
