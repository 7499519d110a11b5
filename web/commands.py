"""The commands: `flask ingest`, `flask reindex` and the rest; `search`, `stats` and `evaluate` have files of their own.

Invariant: each exits 0 (all done), 1 (not all) or 2 (wrong usage).
"""

import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click
from flask import Flask

from archive.errors import ArchiveError
from archive.lock import exclusive
from index.errors import SearchError
from web import params, payload
from web.alerting import Event
from web.alerting import run as run_alerts
from web.alerts_command import alerts, print_event
from web.evaluate_command import evaluate
from web.holdings import keyword_advice
from web.printing import admit_gaps, print_result
from web.removal_commands import erase, remove, takedowns
from web.runs import noted_run
from web.saved_command import saved
from web.search_command import search
from web.services import Services, services
from web.stats_command import stats
from web.terminal import TEXT, Failure, Reporter, as_json, command, write_json
from web.token_command import token

if TYPE_CHECKING:
    from archive.ingest import IngestReport
    from archive.progress import Progress
    from index.build import BuildReport

log = logging.getLogger(__name__)

ALERT_SECONDS = 30.0  # that an ingest begins to send alerts: it has other things to do than wait for slow receivers


def register(app: Flask) -> None:
    """Give `app` its commands."""
    for each in (
        *(ingest, search, related, reindex, check, stats, remove, erase, takedowns, token),
        *(saved, alerts, evaluate),
    ):
        app.cli.add_command(each)


@command
@click.argument("sources", nargs=-1, required=True, metavar="PATH...")
@as_json
def ingest(sources: tuple[str, ...], as_json: bool) -> None:
    """Read articles from files and folders into the archive, then publish a new index.

    Plain text, JSON Lines, CSV and HTML, each also gzipped. What cannot be read is named, with the reason; the rest
    goes in. A run that was interrupted resumes where it stopped when the same command is given again.

    \b
    Examples:
      flask ingest seeds
      flask ingest wire.jsonl.gz pages/ --json
    """
    from archive.grouping import find_copies
    from archive.ingest import ingest as read

    parts = services()
    with exclusive(parts.lock), Reporter() as progress, noted_run(parts.store) as run:
        parts.store.release()
        report = run.report = read(sources, parts.store, progress=progress)
        _name_rejections(report)
        find_copies(parts.store, progress=progress)
        built = parts.builder.update(progress)
        tidied = parts.builder.tidy(progress)  # seldom anything: what came in is published already
        _tell_stories(parts, progress)
    built = replace(tidied, embedded=built.embedded) if tidied else built
    if as_json:
        write_json({**_ingest_object(report, built), "copies": parts.store.stats().copies})
    else:
        click.echo(_ingest_line(report, built))
    _advise(parts)
    _alert(parts)
    if report.rejected_count:
        click.get_current_context().exit(1)


def _tell_stories(parts: Services, progress: "Progress") -> None:
    from index.stories.telling import tell_stories

    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        tell_stories(parts.store, engine, progress)


def _alert(parts: Services) -> None:
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


def _advise(parts: Services) -> None:
    if advice := keyword_advice(parts):
        click.echo(advice, err=True)


def _name_rejections(report: "IngestReport") -> None:
    for rejection in report.rejected:
        place = rejection.source if rejection.line is None else f"{rejection.source}:{rejection.line}"
        click.echo(f"rejected {place}: {rejection.reason}", err=True)
    if report.rejected_count > len(report.rejected):
        click.echo(f"and {report.rejected_count - len(report.rejected)} more rejected", err=True)


def _ingest_object(report: "IngestReport", built: "BuildReport") -> payload.Json:
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "held": report.held,
        "withdrawn": report.withdrawn,
        "rejected": [payload.rejection_object(rejection) for rejection in report.rejected],
        "rejected_count": report.rejected_count,
        "embedded": built.embedded,
        "generation": built.generation,
        "keywords": built.keywords,
    }


def _ingest_line(report: "IngestReport", built: "BuildReport") -> str:
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    counts += f", {report.held} embargoed" if report.held else ""
    counts += f", {report.withdrawn} withdrawn" if report.withdrawn else ""
    published = f"published generation {built.generation}, keywords by {built.keywords}"
    index = published if built.published else f"generation {built.generation} stands"
    return f"{counts}, {report.rejected_count} rejected; {built.embedded} passages embedded; {index}"


@command
@click.argument("article_id", type=TEXT, metavar="ID")
@click.option("--limit", type=click.IntRange(1, params.MAX_RELATED), default=params.DEFAULT_RELATED, show_default=True)
@as_json
def related(article_id: str, limit: int, as_json: bool) -> None:
    """List the articles related to one, by meaning and by its most telling words.

    \b
    Example:
      flask related 0a1b2c3d4e5f6071
    """
    response = services().related.related(article_id, limit=limit)
    if as_json:
        write_json(payload.related_object(response))
        return
    admit_gaps(response)
    for place, result in enumerate(response.results, start=1):
        print_result(place, result)


@command
@as_json
def reindex(as_json: bool) -> None:
    """Build the index again from the archive alone, and publish it. Kept embeddings are not made again.

    \b
    Example:
      flask reindex
    """
    from archive.grouping import find_copies

    parts = services()
    with exclusive(parts.lock), Reporter() as progress:
        find_copies(parts.store, progress=progress)
        built = parts.builder.rebuild(progress)
        _tell_stories(parts, progress)
    if as_json:
        write_json(asdict(built))
    else:
        click.echo(
            f"published generation {built.generation}, keywords by {built.keywords}: {built.articles} articles,"
            f" {built.passages} passages, {built.embedded} embedded"
        )


@command
@as_json
def check(as_json: bool) -> None:
    """Check the archive and the index: every row and file against its hash, and the one against the other.

    \b
    Example:
      flask check && echo all is well
    """
    from index.check import check as problems_of

    parts = services()
    problems = problems_of(parts.settings.data / "index", parts.store, formats=parts.formats)
    problems += parts.ledger.read().problems
    if as_json:
        write_json({"ok": not problems, "problems": problems})
    for problem in [] if as_json else problems:
        click.echo(problem)
    if problems:
        raise Failure(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
    if not as_json:
        click.echo("no problems found")
