"""The command `flask export`: the archive to take away, or what a search finds of it.

Invariants: it is read as it stands at one moment, and written piece by piece. A file is replaced whole or not at all.
"""

import gzip
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, cast

import click
from flask import current_app

from archive.article import Edition, Record
from archive.progress import Progress
from archive.readers.records.exchange import as_first_version, first_line, record_object, shown_edition, with_sum
from index.files import replacing
from index.query import QueryRefused
from web import archive_formats, params
from web.archive_formats import json_line
from web.search_options import filters, request_args
from web.services import Services, services
from web.terminal import TEXT, Reporter, command
from web.urls import site_url

OWN = "jsonl"
STAGE = "exporting"  # the stage that is reported, in articles
Write = Callable[[Services, Iterator[Edition]], Iterator[str]]
FORMATS: Mapping[str, Write] = {
    "ninjs": archive_formats.ninjs_lines,
    "csv": archive_formats.csv_lines,
    "atom": archive_formats.atom,
}


@command
@click.argument("query", type=TEXT, default="")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write to this file, which is replaced whole; one that ends in .gz is packed.")  # fmt: skip
@click.option("--format", "form", type=click.Choice([OWN, *FORMATS]), default=OWN, show_default=True,
              help="jsonl is the archive's own, which `flask ingest` restores to the row.")  # fmt: skip
@click.option("--versions", type=click.Choice(["all", "shown"]),
              help="All, with what may not be shown (jsonl's default), or what readers see now.")  # fmt: skip
@click.option("--gzip", "packed", is_flag=True, help="Pack with gzip, whatever the file is called.")
@filters
def export(
    query: str, output: Path | None, form: str, versions: Literal["all", "shown"] | None, packed: bool, **given: object
) -> None:
    """Write the archive to take away, or what a search finds.

    JSON Lines is the archive's own format: every version, what is embargoed, and of what was removed that it was, so
    `flask ingest` makes the same archive of it. ninjs, CSV and Atom hold what readers see now.

    \b
    Examples:
      flask export -o archive.jsonl.gz
      flask export --source "Meridian Wire" --from 2025-01-01 --format ninjs > wire.jsonl
      flask export "grain deal" --format csv -o deal.csv
    """
    parts = services()
    if form != OWN and versions == "all":
        raise click.UsageError(f"--versions all: {form} holds what is shown now; leave --format out for all versions")
    shown_only = versions == "shown" or form != OWN
    with ExitStack() as opened:
        if form == "atom":
            opened.enter_context(current_app.test_request_context(base_url=site_url()))
        opened.enter_context(parts.store.snapshot())
        ids = _listed(parts, request_args({"query": query, **given}))
        progress = opened.enter_context(Reporter())
        total = _count(parts, ids, shown_only=shown_only)
        records = _reported(_records(parts, ids, shown_only=shown_only), total, progress)
        if form == OWN:
            lines = _own_lines(records, total, shown_only=shown_only)
        else:
            lines = FORMATS[form](parts, map(shown_edition, records))
        file = opened.enter_context(_opened(output, packed=packed or (output is not None and output.suffix == ".gz")))
        for line in lines:
            file.write(line.encode("utf-8", "replace"))


def _listed(parts: Services, args: params.Args) -> list[str] | None:
    """Return the articles that a search with these parameters lists; None where all are asked for."""
    if not any(args.values()):
        return None
    try:
        found = parts.search.whole(params.search_request(args, page_size=1))
    except (params.BadParameter, QueryRefused) as error:
        raise click.UsageError(str(error)) from error
    if found.degraded or not found.complete:
        click.echo("more articles may match than are exported: the index could not tell", err=True)
    return found.ids()


def _count(parts: Services, ids: Sequence[str] | None, *, shown_only: bool) -> int:
    if ids is not None:
        return len(parts.store.shown(ids)) if shown_only else len(ids)
    return parts.store.count_live() if shown_only else parts.store.count_records()


def _records(parts: Services, ids: Sequence[str] | None, *, shown_only: bool) -> Iterator[Record]:
    records = parts.store.records(ids)
    return (record for record in records if record.status == "live") if shown_only else records


def _reported(records: Iterator[Record], total: int, progress: Progress) -> Iterator[Record]:
    progress(STAGE, 0, total)
    for done, record in enumerate(records, start=1):
        yield record
        progress(STAGE, done, total)


def _own_lines(records: Iterator[Record], total: int, *, shown_only: bool) -> Iterator[str]:
    yield json_line(first_line(articles=total, exported_at=datetime.now(UTC)))
    for record in records:
        yield json_line(with_sum(record_object(as_first_version(record) if shown_only else record)))


@contextmanager
def _opened(output: Path | None, *, packed: bool) -> Iterator[BinaryIO]:
    """Lend the file to write to: standard output where none is named. A pipe or device is written to as it is."""
    with ExitStack() as opened:
        file: BinaryIO = sys.stdout.buffer
        if output is not None:
            is_special = output.exists() and not output.is_file()
            file = opened.enter_context(output.open("wb") if is_special else replacing(output))
        if packed:
            file = cast(BinaryIO, opened.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)))
        yield file
