"""One run of an ingest, as the archive remembers it. A frozen value without behaviour."""

from dataclasses import dataclass
from datetime import datetime

from archive.article import Rejection

MOST_RUNS = 100  # that are remembered
KEPT_REJECTIONS = 20  # of a run; all are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRun:
    """When a run began, how long it took (None: it is at work, or was interrupted), and what became of its inputs."""

    started_at: datetime
    seconds: float | None
    added: int
    updated: int
    unchanged: int
    rejected: int
    rejections: tuple[Rejection, ...] = ()  # the first
