"""How long work tells whoever started it how far it is.

Whoever shows a bar or a line decides how often to draw: a report may come after every article.
"""

from typing import Protocol


class Stopped(Exception):
    """Raised by whoever is told of progress, to end the work here, where nothing is half done."""

    def __init__(self, signal: int) -> None:
        """Keep the signal that asked for it."""
        super().__init__("stopped")
        self.signal = signal


class Progress(Protocol):
    """Told after each step: `done` of `total` in the stage's own unit, which the function that reports names."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take one report. `total` is None where it cannot be known."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Show nothing."""
