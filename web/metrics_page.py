"""`/metrics`, in Prometheus' text format: what `web/metrics.py` counts, and how the archive and the processes do.

Invariants: nothing here names an article, an input, a file or a reader. Who is behind a proxy is not local: by default
only programs of this machine that ask directly are answered. An archive that cannot be read leaves its figures out and
says so by one of its own.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path, PurePath

from flask import Blueprint, Flask, Response, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from werkzeug.exceptions import NotFound

from archive.errors import ArchiveError
from archive.vitals import vitals
from index.errors import SearchError
from web import metrics
from web.holdings import disk_use, keyword_library
from web.services import Services, services
from web.status import versions

METRICS = "/metrics"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via", re.IGNORECASE)  # headers that proxies add

blueprint = Blueprint("metrics", __name__)


def register(app: Flask) -> None:
    """Add it to `app`."""
    app.register_blueprint(blueprint)


@blueprint.get(METRICS)
def page() -> Response:
    """Return all figures."""
    parts = services()
    if parts.settings.metrics == "off" or (parts.settings.metrics == "local" and not is_local()):
        raise NotFound
    state = CollectorRegistry()
    state.register(_State(parts))
    answer = Response(metrics.exposed() + generate_latest(state), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def is_local() -> bool:
    """Tell whether a program of this machine asks, and no proxy for somebody else."""
    try:
        is_loopback = ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return is_loopback and not any(FORWARDED.fullmatch(name) for name, _ in request.headers)


class _State(Collector):
    """What is looked up when it is asked for: it is the same whichever process looks."""

    def __init__(self, parts: Services) -> None:
        """Take the parts that know."""
        self._parts = parts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every figure."""
        yield from _processes()
        yield from _disk(self._parts)
        try:
            known = [*_archive(self._parts), *_index(self._parts), *_last_ingest(self._parts)]
        except (ArchiveError, SearchError):
            yield _gauge("archive_readable", "Whether the archive can be read: 1, or 0.", 0)
            return
        yield _gauge("archive_readable", "Whether the archive can be read: 1, or 0.", 1)
        yield from known


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"backfile_{name}", said, value=value)


def _labelled(name: str, said: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"backfile_{name}", said, labels=[label])
    for value, figure in values.items():
        family.add_metric([value], figure)
    return family


def _moment(name: str, said: str, at: datetime | None) -> Iterator[GaugeMetricFamily]:
    """Yield a time in Unix's seconds; nothing where there is none, as Prometheus wants it."""
    if at is not None:
        yield _gauge(f"{name}_timestamp_seconds", said, at.timestamp())


def _archive(parts: Services) -> Iterator[GaugeMetricFamily]:
    found = vitals(parts.store)
    yield _gauge("articles", "Articles that are shown.", found.articles)
    yield _gauge("pending_changes", "Changes of the archive that the published index does not hold.", found.pending)
    since = found.pending_since.timestamp() if found.pending_since else None
    age = max(0.0, time.time() - since) if since is not None else 0.0
    yield _gauge("ingest_lag_seconds", "How long the first of them has waited; 0 when none does.", age)
    yield _gauge("quarantined_inputs", "Inputs that could not be read and are kept.", parts.quarantine.count())
    yield _gauge("alerts_waiting", "Messages about alerts that wait to be sent.", found.waiting_alerts)
    yield from _moment("next_embargo_end", "When what is embargoed next may be shown.", found.next_release)
    if found.generation is not None and found.published_at is not None:
        yield _gauge("generation", "The number of the published generation.", found.generation)
        yield _gauge(
            "generation_age_seconds", "Since it was published.", max(0.0, time.time() - found.published_at.timestamp())
        )


def _index(parts: Services) -> Iterator[GaugeMetricFamily]:
    with parts.serving.engine() as (_, degraded):
        yield _gauge("degraded", "Whether answers are poorer than they should be: 1, or 0.", int(degraded))
    built = {
        "version": versions()["Backfile"],
        "model": PurePath(parts.model_name()).name,
        "keywords": keyword_library(parts) or "none",
    }
    info = GaugeMetricFamily("backfile_build_info", "What is at work; always 1.", labels=list(built))
    info.add_metric(list(built.values()), 1)
    yield info


def _last_ingest(parts: Services) -> Iterator[GaugeMetricFamily]:
    if (run := parts.store.last_run()) is None:
        return
    yield from _moment("last_ingest_start", "When the last ingest began.", run.started_at)
    yield _gauge("last_ingest_finished", "Whether it came to its end: 1, or 0.", int(run.seconds is not None))
    if run.seconds is not None:
        yield _gauge("last_ingest_duration_seconds", "How long it took.", run.seconds)
    counts = {"added": run.added, "updated": run.updated, "unchanged": run.unchanged, "rejected": run.rejected}
    yield _labelled("last_ingest_inputs", "What became of its inputs.", "outcome", counts)


def _disk(parts: Services) -> Iterator[GaugeMetricFamily]:
    yield _labelled("disk_bytes", "What the archive and what is made of it take.", "part", disk_use(parts))
    with suppress(OSError):  # the folder is not there yet
        free = shutil.disk_usage(parts.settings.data).free
        yield _gauge("disk_free_bytes", "What is free on the disk that holds them.", free)


def _processes() -> Iterator[GaugeMetricFamily]:
    """Yield what this process takes, or all workers together: memory that they share is counted for each."""
    own = [each for each in map(_process, metrics.processes()) if each is not None]
    yield _gauge("workers", "Processes that answer.", len(own))
    for place, (name, said) in enumerate(
        (
            ("resident_memory_bytes", "Memory that they hold, with files that are mapped."),
            ("open_fds", "Files, pipes and connections that they have open."),
            ("threads", "Their threads."),
        )
    ):
        yield _gauge(name, said, sum(each[place] for each in own))


def _process(pid: int) -> tuple[int, int, int] | None:
    """Return the resident bytes, open files and threads of a process; None when it has just ended."""
    folder = Path(f"/proc/{pid}")
    try:
        resident = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
        return resident, len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir()))
    except (OSError, IndexError, ValueError):
        return None
