"""What a command does when something has come into the archive: find copies, publish an index, tell stories, alert."""

import logging
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from archive.errors import ArchiveError
from index.errors import SearchError
from web.alerting import Event
from web.alerting import run as run_alerts
from web.alerts_command import print_event
from web.holdings import keyword_advice, keyword_library
from web.services import Services
from web.terminal import Reporter

if TYPE_CHECKING:
    from archive.ingest import IngestReport
    from archive.progress import Progress
    from index.build import BuildReport

log = logging.getLogger(__name__)

MOST_NAMED = 20  # rejections that are named; --json and the quarantine have all
MOST_KINDS = 10  # reasons by which the others are counted
_PARTICULAR = re.compile(r"(['\"<(]).*?['\">)]|\b0x\w+|\b\d[\d,.]*\b")

ALERT_SECONDS = 30.0  # that an ingest begins to send alerts: it has other things to do than wait for slow receivers


def publish(parts: Services, progress: "Progress", *, came_in: int = 1) -> "BuildReport":
    """Publish what has changed in the archive since the last time, and return what that came to.

    Where nothing came in and nothing has changed, the embedder is not opened, which takes long.
    """
    from archive.grouping import find_copies

    if not came_in and (standing := _standing(parts)):
        return standing
    find_copies(parts.store, progress=progress)
    built = parts.builder.update(progress)
    tidied = parts.builder.tidy(progress)  # seldom anything: what came in is published already
    tell(parts, progress)
    return replace(tidied, embedded=built.embedded) if tidied else built


def is_published(parts: Services) -> bool:
    """Tell whether what is published holds every change there is."""
    current, _ = parts.store.pointer()
    return parts.store.last_seq() == (current.seq if current else 0)


def _standing(parts: Services) -> "BuildReport | None":
    """Return what is published if it holds every change there is."""
    from index.build import BuildReport

    if not is_published(parts):
        return None
    current, _ = parts.store.pointer()
    counted = parts.store.stats()
    return BuildReport(
        generation=current.number if current else None,
        published=False,
        articles=counted.articles,
        passages=counted.passages,
        embedded=0,
        keywords=keyword_library(parts),
    )


def tell(parts: Services, progress: "Progress") -> None:
    """Tell the stories that the published articles make."""
    from index.stories.telling import tell_stories

    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        tell_stories(parts.store, engine, progress)


def alert(parts: Services) -> None:
    """Judge what came in by the saved searches and send alerts; what hinders that is no failure of the ingest."""
    if not parts.settings.saved_searches or not parts.alerts.count():
        return
    events: list[Event] = []
    try:
        with Reporter() as progress:
            done = run_alerts(parts, progress=progress, say=events.append, seconds=ALERT_SECONDS)
        for event in events:
            if event.outcome not in {"sent", "dropped"}:
                print_event(event)
        if done.waiting:
            click.echo(f"messages left for `flask alerts`, for want of time: {done.waiting}", err=True)
    except (ArchiveError, SearchError) as error:
        click.echo(f"alerts wait for `flask alerts`: {error}", err=True)
    except Exception as error:  # what is in the archive is in it, whatever becomes of its alerts
        log.exception("alerts failed")
        click.echo(f"alerts wait for `flask alerts`: {type(error).__name__}", err=True)


def advise(parts: Services) -> None:
    """Say what would serve this archive better, if anything would, and which setting is not followed."""
    if other := parts.other_model():
        served = parts.model_name()
        click.echo(f"BACKFILE_MODEL names {other}, served is {served}: `flask reindex --model` changes it", err=True)
    if advice := keyword_advice(parts):
        click.echo(advice, err=True)


def name_problems(report: "IngestReport") -> None:
    """Say what was rejected and why, the first by name, of the others how many for which reason; what is undated."""
    for rejection in report.rejected[:MOST_NAMED]:
        place = rejection.source if rejection.line is None else f"{rejection.source}:{rejection.line}"
        click.echo(f"rejected {place}: {rejection.reason}", err=True)
    if left := report.rejected_count - len(report.rejected[:MOST_NAMED]):
        click.echo(f"and {left} more rejected: {_tally(report, left)}", err=True)
    if report.undated:
        written = ", ".join(repr(date) for date in report.unread_dates)
        click.echo(
            f"{report.undated} came in without a date: what they give may be several days or none, such as {written};"
            " write 2016-08-10 and ingest them again",
            err=True,
        )


def _tally(report: "IngestReport", left: int) -> str:
    """Count by their reason those that are `left` unnamed, the most frequent first."""
    kinds = Counter(_kind_of(rejection.reason) for rejection in report.rejected[MOST_NAMED:])
    named = kinds.most_common(MOST_KINDS)
    others = left - sum(count for _, count in named)
    counted = [f"{count} {kind}" for kind, count in named] + ([f"{others} for other reasons"] if others else [])
    return ", ".join(counted)


def _kind_of(reason: str) -> str:
    """Return a reason without what to do, and without what differs from one input to the next."""
    return _PARTICULAR.sub("…", reason.partition(": ")[0])
