"""The command `flask alerts`: a round of alerts, or one every so often."""

from dataclasses import asdict

import click

from archive.errors import ArchiveError
from archive.progress import Stopped
from index.errors import SearchError
from web.alerting import Event, Round, run
from web.payload import Json
from web.services import Services, services
from web.stopping import check, pause, stoppable
from web.terminal import Failure, Interval, Reporter, as_json, command, write_json
from web.wording import articles

DAY = 24 * 60 * 60  # seconds


@command
@click.option(
    "--every", type=Interval(least=5, most=DAY), metavar="INTERVAL", help="Go on, one round each 30s, 5m, 1h …"
)
@as_json
def alerts(every: int | None, as_json: bool) -> None:
    """Judge new articles by the saved searches; send alerts.

    `flask ingest` does the same when it has published; this is for mail and webhooks that have to be tried again, and
    for an archive that several machines feed.

    \b
    Examples:
      flask alerts
      flask alerts --every 5m
    """
    parts = services()
    if not parts.settings.saved_searches:
        raise Failure("this archive keeps no saved searches: BACKFILE_SAVED_SEARCHES is 0")
    with stoppable():
        if every is None:
            _round(parts, as_json=as_json)
        while every is not None:
            try:
                _round(parts, as_json=as_json)
            except (ArchiveError, SearchError) as error:  # another process is at it, or the model is away: next time
                click.echo(str(error), err=True)
            pause(every)


def _round(parts: Services, *, as_json: bool) -> None:
    events: list[Event] = []

    def heard(event: Event) -> None:
        events.append(event)
        check()

    with Reporter() as progress:
        try:
            done = run(parts, progress=progress, say=heard)
        except Stopped:
            for event in events:
                print_event(event)
            raise
    if as_json:
        write_json(round_object(done, events))
    else:
        print_round(parts, done, events)


def print_round(parts: Services, done: Round, events: list[Event]) -> None:
    """Say what a round came to: what was sent on standard output, what was not on standard error."""
    for event in events:
        print_event(event)
    if done.judged.problems:
        click.echo(f"{done.judged.problems} saved searches can no longer be asked: their pages say why", err=True)
    if parts.settings.site_url is None and parts.alerts.due(limit=1):
        click.echo("nothing is sent: BACKFILE_SITE_URL must be set, so that alerts can name this site", err=True)
    judged = f"{done.judged.searches} saved searches judged, {done.judged.alerts} alerts"
    click.echo(f"{judged}, {done.counts.get('sent', 0)} sent")


def print_event(event: Event) -> None:
    """Say what became of one delivery."""
    about = "the question" if event.articles is None else articles(event.articles)
    what = f"{event.kind} to {event.to}, {event.name!r}, {about}"
    reason = f": {event.reason}" if event.reason else ""
    click.echo(f"{event.outcome.replace('_', ' ')}: {what}{reason}", err=event.outcome != "sent")


def round_object(done: Round, events: list[Event]) -> Json:
    """Return the same for scripts."""
    return {
        "searches": done.judged.searches,
        "alerts": done.judged.alerts,
        "problems": done.judged.problems,
        "deliveries": [asdict(event) for event in events],
    }
