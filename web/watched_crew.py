"""The crew as a monitor sees it: who waits, who is worked on, for how long, and who is refused."""

from collections.abc import Callable
from typing import TypeVar

from web import metrics
from web.crew import Crew, Overloaded

T = TypeVar("T")


class WatchedCrew(Crew):
    """Works as a crew does, and counts it."""

    def do(self, work: Callable[[], T], *, who: str = "") -> T:
        """Return what `work` for a client returns, or raise what it raises, once its turn has come.

        Raises Overloaded.
        """
        with metrics.Turn() as turn:

            def begun() -> T:
                turn.begin()
                return work()

            try:
                return super().do(begun, who=who)
            except Overloaded:
                metrics.REFUSED.inc()
                raise
