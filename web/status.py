"""The state of an installation, for whoever runs it: coverage, ingest, index, quality, software; as a page and as JSON.

Invariants: nothing here names a file, a folder or an input, and whatever has become of the index, it answers. Whether
readers may see it is a setting.
"""

import json
import platform
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path, PurePath

from archive.follows import FollowCounts
from archive.ingest_run import IngestRun
from archive.store import ArchiveStats
from index.coverage import Coverage, Unit, coverage
from web.conditional import ROOT
from web.holdings import better_library, disk_use, keyword_advice, keyword_library
from web.services import Services

LIBRARIES = ("Flask", "apsw", "faiss-cpu", "tantivy", "Whoosh", "numpy", "openvino")
MOST_BYTES = 1_000_000  # of the file that holds the quality; it has a few thousand


@dataclass(frozen=True, slots=True)
class Quality:
    """What `flask evaluate --self` measured last."""

    at: datetime
    queries: int
    documents: int
    modes: Mapping[str, Mapping[str, float]]
    changes_since: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the page tells."""

    degraded: bool
    serving: int | None  # the generation that answers; None: the archive itself does
    current: int | None
    previous: int | None
    pending: int
    stats: ArchiveStats
    stories: int
    saved_searches: int
    followed: FollowCounts
    keywords: str | None
    advice: str | None
    better_library: str | None  # to keep the keyword index
    model: str
    disk: Mapping[str, int]
    run: IngestRun | None
    reasons: Mapping[str, int]  # why inputs were rejected, of those that are remembered
    quality: Quality | None
    coverage: Coverage | None
    versions: Mapping[str, str]


def status(parts: Services, *, unit: Unit) -> Status:
    """Return the state as it is now, with the coverage by day or by week."""
    current, previous = parts.store.pointer()
    stats, run = parts.stats(), parts.store.last_run()
    with parts.serving.engine() as (engine, degraded):
        serving = engine.generation
    return Status(
        degraded=degraded,
        serving=serving,
        current=current.number if current else None,
        previous=previous.number if previous else None,
        pending=parts.store.count_changes(after=current.seq if current else 0),
        stats=stats,
        stories=parts.stories.count(),
        saved_searches=parts.alerts.count(),
        followed=parts.follows.counts(),
        keywords=keyword_library(parts),
        advice=keyword_advice(parts),
        better_library=better_library(parts),
        model=PurePath(parts.model_name()).name,  # of a folder the last part alone
        disk=disk_use(parts),
        run=run,
        reasons=Counter(rejection.reason for rejection in run.rejections) if run else {},
        quality=quality(parts),
        coverage=coverage(parts.browsing.contents(), unit=unit, today=parts.today()),
        versions=versions(),
    )


def quality(parts: Services) -> Quality | None:
    """Return what was measured last on the archive itself; None when nothing was, or it cannot be read."""
    file = parts.settings.data / "evaluations" / "self.json"
    try:
        with file.open("rb") as stream:
            kept = json.loads(stream.read(MOST_BYTES))
        modes = {
            str(mode): {str(name): float(value) for name, value in told.items()} for mode, told in kept["modes"].items()
        }
        return Quality(
            at=datetime.fromisoformat(kept["measured_at"]),
            queries=int(kept["queries"]),
            documents=int(kept["documents"]),
            modes=modes,
            changes_since=parts.store.count_changes(after=int(kept["seq"])),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


@cache
def versions() -> Mapping[str, str]:
    """Return the versions of this program and of what it runs on."""
    found = {"Backfile": _own_version(), "Python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:  # not every installation has every library
            continue
    return found


def _own_version() -> str:
    project = Path(ROOT / "pyproject.toml")
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]) if project.is_file() else "?"
