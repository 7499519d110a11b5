"""What a command does when something has come into the archive: find copies, publish an index, tell stories, alert."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from archive.errors import ArchiveError
from index.errors import SearchError
from web.alerting import Event
from web.alerting import run as run_alerts
from web.alerts_command import print_event
from web.holdings import keyword_advice
from web.services import Services
from web.terminal import Reporter

if TYPE_CHECKING:
    from archive.ingest import IngestReport
    from archive.progress import Progress
    from index.build import BuildReport

log = logging.getLogger(__name__)

ALERT_SECONDS = 30.0  # that an ingest begins to send alerts: it has other things to do than wait for slow receivers


def publish(parts: Services, progress: "Progress") -> "BuildReport":
    """Publish what has changed in the archive since the last time, and return what that came to."""
    from archive.grouping import find_copies

    find_copies(parts.store, progress=progress)
    built = parts.builder.update(progress)
    tidied = parts.builder.tidy(progress)  # seldom anything: what came in is published already
    tell(parts, progress)
    return replace(tidied, embedded=built.embedded) if tidied else built


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
    """Say what would serve this archive better, if anything would."""
    if advice := keyword_advice(parts):
        click.echo(advice, err=True)


def name_rejections(report: "IngestReport") -> None:
    """Say what was rejected and why."""
    for rejection in report.rejected:
        place = rejection.source if rejection.line is None else f"{rejection.source}:{rejection.line}"
        click.echo(f"rejected {place}: {rejection.reason}", err=True)
    if report.rejected_count > len(report.rejected):
        click.echo(f"and {report.rejected_count - len(report.rejected)} more rejected", err=True)
