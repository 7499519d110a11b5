"""The figures of this process that a monitor watches, counted as things happen; `web/metrics_page.py` shows them.

Where gunicorn has several workers, each writes its figures to files that all of them share, and whoever is asked adds
them up: `gunicorn.conf.py` makes the folder and names it in the environment before this file is imported.

Invariant: labels come from closed lists (routes, methods, statuses, legs). What a reader types is never one.
"""

import os
import time
from pathlib import Path
from types import TracebackType

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from index import timing

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the library's own name for the folder
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
LEG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

disable_created_metrics()  # type: ignore[no-untyped-call]  # as many series again, which nobody asks for
registry = CollectorRegistry()
REQUESTS = Counter(
    "backfile_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
)  # the library adds _total
REQUEST_SECONDS = Histogram(
    "backfile_http_request_duration_seconds",
    "From a request's arrival to the last byte of its answer.",
    ["method", "route"],
    buckets=REQUEST_BUCKETS,
    registry=registry,
)
SEARCH_SECONDS = Histogram(
    "backfile_search_duration_seconds",
    "Of searches, by leg; the legs work side by side, and 'whole' holds them all.",
    ["leg"],
    buckets=LEG_BUCKETS,
    registry=registry,
)
AT_WORK = Gauge(
    "backfile_crew_requests_at_work", "Requests worked on now.", multiprocess_mode="livesum", registry=registry
)
WAITING = Gauge(
    "backfile_crew_requests_waiting", "Requests that wait for their turn.", multiprocess_mode="livesum",
    registry=registry,
)  # fmt: skip
WAITED = Histogram(
    "backfile_crew_wait_seconds", "How long requests waited for their turn.", buckets=REQUEST_BUCKETS, registry=registry
)
REFUSED = Counter(
    "backfile_crew_refused_requests", "Requests refused because too many waited, or for too long.", registry=registry
)
for _leg in timing.LEGS:  # a leg that nobody has used yet is 0, not missing
    SEARCH_SECONDS.labels(_leg)


def request_ended(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request."""
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)


def leg_ended(leg: timing.Leg, seconds: float) -> None:
    """Count a leg of a search."""
    SEARCH_SECONDS.labels(leg).observe(seconds)


timing.listen(leg_ended)


class Turn:
    """A request's turn at the crew: it waits, then it is worked on, or it is given up."""

    def __enter__(self) -> "Turn":
        """Begin to wait."""
        self._since = time.perf_counter()
        self._now = WAITING
        WAITING.inc()
        return self

    def begin(self) -> None:
        """Be worked on from now on."""
        WAITED.observe(time.perf_counter() - self._since)
        WAITING.dec()
        self._now = AT_WORK
        AT_WORK.inc()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._now.dec()


def exposed() -> bytes:
    """Return the figures in Prometheus' text format: of this process, or of all workers together."""
    if SHARED not in os.environ:
        return generate_latest(registry)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


def processes() -> list[int]:
    """Return the processes that count here: this one, or all workers that live."""
    files = Path(os.environ[SHARED]).glob("gauge_livesum_*.db") if SHARED in os.environ else ()
    return sorted({os.getpid(), *(int(file.stem.rpartition("_")[2]) for file in files)})
