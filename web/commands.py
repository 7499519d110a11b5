"""The commands: `flask ingest`, `flask reindex` and the rest, as far as they have no files of their own.

Invariant: each exits 0 (all done), 1 (not all) or 2 (wrong usage).
"""

from typing import TYPE_CHECKING

import click
from flask import Flask

from archive.progress import Stopped
from web import params, payload
from web.alerts_command import alerts
from web.audit_command import audit
from web.backup_command import backup, restore
from web.check_command import check
from web.evaluate_command import evaluate
from web.export_command import export
from web.fetch_command import fetch
from web.follow_command import follow
from web.introduction import introduce
from web.move_command import move_archive
from web.printing import admit_gaps, print_result
from web.publishing import advise, alert, name_problems, publish
from web.quarantine_command import quarantine
from web.queries_command import queries
from web.reindex_command import reindex, rollback
from web.removal_commands import erase, remove, takedowns
from web.runs import noted_run
from web.saved_command import saved
from web.search_command import search
from web.services import services
from web.stats_command import stats
from web.stopping import stoppable
from web.terminal import TEXT, Reporter, as_json, command, write_json
from web.token_command import token

DEFAULT_LIMIT, MOST_LIMIT = 100, 100_000  # pages of one feed or sitemap

if TYPE_CHECKING:
    from archive.ingest import IngestReport
    from index.build import BuildReport


def register(app: Flask) -> None:
    """Give `app` its commands, and `flask --help` our words."""
    introduce()
    for each in (
        *(ingest, follow, fetch, quarantine, search, export, related, reindex, rollback, check, stats, backup, restore),
        move_archive,
        *(remove, erase, takedowns, token, audit, saved, queries, alerts, evaluate),
    ):
        app.cli.add_command(each)


@command
@click.argument("sources", nargs=-1, required=True, metavar="PATH|URL...")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Pages to fetch of each feed or sitemap.",
)
@as_json
def ingest(sources: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Take articles in from files, folders and addresses.

    Then a new index is published.

    Plain text, JSON Lines, CSV, HTML, feeds, agency formats and mail, also packed: gzip, zip, tar, mbox, WARC; a page,
    a feed, a sitemap or a packed file at an address. What cannot be read is named, with the reason; the rest goes in. A
    run that was interrupted resumes where it stopped when the same command is given again.

    \b
    Examples:
      flask ingest seeds
      flask ingest wire.jsonl.gz pages/ --json
      flask ingest https://news.example/2025/flood.html
    """
    from archive.fetching import Fetching
    from archive.ingest import ingest as read
    from archive.readers.isolated.child import Children

    parts = services()
    with stoppable(), parts.alone(), Reporter() as progress, noted_run(parts.store) as run:
        parts.store.release()
        with Children() as children:
            fetching = Fetching(parts.visits, parts.follows, children, most_pages=limit)
            report = read(
                sources,
                parts.store,
                fetch=fetching.address,
                children=children,
                quarantine=parts.quarantine,
                progress=progress,
            )
        name_problems(report)
        if report.stopped_by is not None:
            click.echo(f"{_counts(report)}; stopped: give the same command again to go on", err=True)
            raise Stopped(report.stopped_by)
        run.report = report
        built = publish(parts, progress, came_in=report.came_in)
    if as_json:
        write_json({**_ingest_object(report, built), "copies": parts.store.stats().copies})
    else:
        click.echo(_ingest_line(report, built))
    advise(parts)
    alert(parts)
    if report.rejected_count:
        click.get_current_context().exit(1)


def _ingest_object(report: "IngestReport", built: "BuildReport") -> payload.Json:
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "held": report.held,
        "withdrawn": report.withdrawn,
        "passed_over": report.passed_over,
        "undated": report.undated,
        "rejected": [payload.rejection_object(rejection) for rejection in report.rejected],
        "rejected_count": report.rejected_count,
        "embedded": built.embedded,
        "generation": built.generation,
        "keywords": built.keywords,
    }


def _counts(report: "IngestReport") -> str:
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    counts += f", {report.held} held" if report.held else ""
    counts += f", {report.withdrawn} withdrawn" if report.withdrawn else ""
    counts += f", {report.passed_over} passed over" if report.passed_over else ""
    return f"{counts}, {report.rejected_count} rejected"


def _ingest_line(report: "IngestReport", built: "BuildReport") -> str:
    published = f"published generation {built.generation}, keywords by {built.keywords}"
    standing = "no generation yet" if built.generation is None else f"generation {built.generation} stands"
    index = published if built.published else standing
    return f"{_counts(report)}; {built.embedded} passages embedded; {index}"


@command
@click.argument("article_id", type=TEXT, metavar="ID")
@click.option("--limit", type=click.IntRange(1, params.MAX_RELATED), default=params.DEFAULT_RELATED, show_default=True)
@as_json
def related(article_id: str, limit: int, as_json: bool) -> None:
    """List the articles related to one.

    They are found by meaning and by its most telling words.

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
