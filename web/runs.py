"""A run of `flask ingest` noted in the archive, for whoever asks later what the last one did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from archive.ingest_run import KEPT_REJECTIONS, IngestRun
from archive.store import Store

if TYPE_CHECKING:
    from archive.ingest import IngestReport


@dataclass
class Run:
    """A run at work. `report` is set once everything has been read."""

    report: "IngestReport | None" = None


@contextmanager
def noted_run(store: Store) -> Iterator[Run]:
    """Note that a run begins and, when it has done all it should, what it did: a run that fails keeps no end."""
    started, began = datetime.now(UTC), time.monotonic()
    run_id, run = store.begin_run(), Run()
    yield run
    if (report := run.report) is not None:
        store.end_run(
            run_id,
            IngestRun(
                started_at=started,
                seconds=time.monotonic() - began,
                added=report.added,
                updated=report.updated,
                unchanged=report.unchanged,
                rejected=report.rejected_count,
                rejections=tuple(report.rejected[:KEPT_REJECTIONS]),
            ),
        )
