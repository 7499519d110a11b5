"""The command `flask fetch`: asks what is followed for news, and publishes it; once, or every so often."""

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Never

import click

from archive.errors import ArchiveBusy, ArchiveError
from index.errors import SearchError
from web import payload
from web.publishing import advise, alert, is_published, name_problems, publish
from web.runs import noted_run
from web.services import Services, services
from web.stopping import check, pause, stoppable
from web.terminal import Interval, Reporter, as_json, command, span, write_json

if TYPE_CHECKING:
    from archive.fetching import PageProblem
    from archive.following import Asked
    from archive.ingest import IngestReport
    from index.build import BuildReport

LEAST, MOST = 5, 24 * 60 * 60  # seconds between two rounds
NAMED_PAGES = 20  # of one feed, that could not be had


@command
@click.option(
    "--every", type=Interval(least=LEAST, most=MOST), metavar="INTERVAL", help="Go on, one round each 5m, 1h …"
)
@as_json
def fetch(every: int | None, as_json: bool) -> None:
    """Ask what is followed for news, and publish it.

    Only feeds and sitemaps that are due are asked. What was embargoed until now appears as well. A feed that fails is
    asked again later; that is no failure of the command. It may be ended at any time: nothing is lost, and nothing
    comes in twice.

    \b
    Examples:
      flask fetch
      flask fetch --every 5m
    """
    parts = services()
    with stoppable():
        if every is None:
            _round(parts, as_json=as_json)
        else:
            _rounds(parts, every, as_json=as_json)


def _rounds(parts: Services, every: int, *, as_json: bool) -> Never:
    """Go on, whatever becomes of one round, until this is to end."""
    while True:
        began = parts.follows.now()
        try:
            _round(parts, as_json=as_json)
        except (ArchiveError, SearchError) as error:  # another process is at it, or the model is away: the next time
            click.echo(str(error), err=True)
        pause(pause_before_next(parts, began + timedelta(seconds=every)))


def pause_before_next(parts: Services, next_round: datetime) -> float:
    """Return the seconds until the next round, or until something embargoed may be shown, if that is sooner."""
    release = parts.store.next_release()
    until = min(next_round, release) if release else next_round
    return max(1.0, (until - parts.follows.now()).total_seconds())


def _round(parts: Services, *, as_json: bool) -> None:
    """Ask and publish. Raises ArchiveBusy when another process is asking."""
    from archive.fetching import Fetching
    from archive.following import Follower
    from archive.readers.isolated.child import Children

    with parts.alone(parts.settings.data / "fetch.lock"), Children() as children:
        released = parts.store.release()
        fetching = Fetching(parts.visits, parts.follows, children)
        follower = Follower(parts.store, parts.follows, parts.visits, fetching, parts.quarantine)
        asked = follower.round(partial(_heard, as_json=as_json))
    built = _published(parts, asked)
    if as_json:
        write_json(
            {
                "asked": [_object(each) for each in asked],
                "released": released,
                "generation": built.generation if built else None,
            }
        )
    else:
        if released:
            click.echo(f"{len(released)} shown that were embargoed until now")
        click.echo(
            f"{len(asked)} asked; " + (f"published generation {built.generation}" if built else "nothing to publish")
        )


def _published(parts: Services, asked: "list[Asked]") -> "BuildReport | None":
    """Publish what came in, if anything did, or is left of another round; return None when there was nothing to do."""
    report = _sum(asked)
    name_problems(report)
    if is_published(parts):
        return None
    try:
        with parts.alone(), Reporter() as progress, noted_run(parts.store) as run:
            run.report = report
            built = publish(parts, progress)
    except ArchiveBusy as busy:
        click.echo(f"what came in is published by the next round: {busy}", err=True)
        return None
    advise(parts)
    alert(parts)
    return built


def _sum(asked: "list[Asked]") -> "IngestReport":
    from archive.ingest import IngestReport

    total = IngestReport()
    for each in asked:
        total.add(each.report)
    return total


def _heard(asked: "Asked", *, as_json: bool) -> None:
    """Say what became of one. Raises Stopped when this is to end."""
    if not as_json:
        _say(asked)
    check()


def _say(asked: "Asked") -> None:
    """Say in one line what became of one that is followed."""
    name = f"{asked.title} ({asked.url})" if asked.title else asked.url
    parts = [f"{asked.outcome.replace('_', ' ')}: {name}"]
    if asked.moved_to:
        parts.append(f"moved for good to {asked.moved_to}")
    if asked.outcome == "new":
        parts.append(_counts(asked))
    if asked.problem:
        again = f"; asked again in {span(round(asked.again_in / 60) * 60 or 60)}" if asked.again_in else ""
        parts.append(f"{asked.problem}{again}")
    if asked.left:
        parts.append(f"{asked.left} left for the next rounds")
    click.echo(", ".join(parts), err=asked.outcome in ("failed", "gone"))
    for page in asked.pages[:NAMED_PAGES]:
        click.echo(f"  {_page(page)}", err=True)
    if len(asked.pages) > NAMED_PAGES:
        click.echo(f"  and {len(asked.pages) - NAMED_PAGES} more pages not fetched", err=True)


def _page(page: "PageProblem") -> str:
    kept = ["the feed's summary stands for it"] if page.has_summary else []
    then = "; ".join([*kept, *(["tried again in the next rounds"] if page.again else [])])
    return f"not fetched {page.url}: {page.reason}" + (f" ({then})" if then else "")


def _counts(asked: "Asked") -> str:
    report = asked.report
    named = {"added": report.added, "updated": report.updated, "held": report.held, "withdrawn": report.withdrawn}
    return ", ".join(f"{count} {name}" for name, count in named.items() if count)


def _object(asked: "Asked") -> payload.Json:
    report = asked.report
    return {
        "url": asked.url,
        "title": asked.title,
        "outcome": asked.outcome,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "held": report.held,
        "withdrawn": report.withdrawn,
        "rejected": [payload.rejection_object(each) for each in report.rejected],
        "rejected_count": report.rejected_count,
        "left": asked.left,
        "pages": [
            {"url": each.url, "problem": each.reason, "summary": each.has_summary, "again": each.again}
            for each in asked.pages
        ],
        "moved_to": asked.moved_to,
        "problem": asked.problem,
        "again_in": asked.again_in,
    }
