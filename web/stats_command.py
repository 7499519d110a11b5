"""The command `flask stats`: how much the archive holds, what serves it, and what it takes on the disk."""

from collections.abc import Iterator
from dataclasses import asdict

import click

from archive import VERSION
from archive.ingest_run import IngestRun
from web import payload
from web.holdings import disk_use, keyword_advice, keyword_library
from web.services import Services, services
from web.terminal import as_json, command, write_json

MEGABYTE = 1_000_000  # bytes, as disks are sold


@command
@as_json
def stats(as_json: bool) -> None:
    """Say how much the archive holds and what is served.

    Also what it takes on the disk.

    \b
    Example:
      flask stats --json
    """
    parts = services()
    run = parts.store.last_run()
    facts, disk, advice = _facts(parts), disk_use(parts), keyword_advice(parts)
    if as_json:
        write_json({**facts, "disk": disk, "advice": advice, "last_ingest": run and _run_object(run)})
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):20} {'none' if value is None else value}")
    for name, value in disk.items():
        click.echo(f"{f'disk, {name}':20} {value / MEGABYTE:,.1f} MB")
    for line in _run_lines(run) if run else ():
        click.echo(line)
    if advice:
        click.echo(advice, err=True)


def _facts(parts: Services) -> payload.Json:
    counted = parts.store.stats()
    current, previous = parts.store.pointer()
    followed = parts.follows.counts()
    return {
        "version": VERSION,
        "articles": counted.articles,
        "removed": counted.removed,
        "held": parts.store.count_held(),
        "next_release": payload.instant(parts.store.next_release()),
        "versions": counted.versions,
        "passages": counted.passages,
        "embeddings": counted.embeddings,
        "copies": counted.copies,
        "sources": counted.sources,
        "saved_searches": parts.alerts.count(),
        "quarantine": parts.quarantine.count(),
        "followed": followed.active,
        "followed_failing": followed.failing,
        "followed_gone": followed.gone,
        "earliest": payload.instant(counted.earliest),
        "latest": payload.instant(counted.latest),
        "seq": counted.seq,
        "generation": current.number if current else None,
        "pending_changes": parts.store.count_changes(after=current.seq if current else 0),
        "previous_generation": previous.number if previous else None,
        "keywords": keyword_library(parts),
        "model": parts.model_name() if current else None,
    }


def _run_object(run: IngestRun) -> payload.Json:
    rejections = [payload.rejection_object(rejection) for rejection in run.rejections]
    return {**asdict(run), "started_at": payload.instant(run.started_at), "rejections": rejections}


def _run_lines(run: IngestRun) -> Iterator[str]:
    """Yield what the last ingest did, and why it rejected what it did."""
    taken = "not ended" if run.seconds is None else f"{run.seconds:.1f} s"
    yield f"{'last ingest':20} {payload.instant(run.started_at)}, {taken}"
    yield f"{'':20} {run.added} added, {run.updated} updated, {run.unchanged} unchanged, {run.rejected} rejected"
    for rejection in run.rejections:
        place = rejection.source if rejection.line is None else f"{rejection.source}:{rejection.line}"
        yield f"{'':20} rejected {place}: {rejection.reason}"
