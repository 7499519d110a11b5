"""The command `flask move-archive`: the articles from one database into another."""

import time
from collections.abc import Iterator
from pathlib import Path

import click

from archive.errors import ArchiveError
from web.services import Services, services
from web.settings import database_url
from web.terminal import TEXT, Reporter, as_json, command, write_json


@command
@click.argument("target", type=TEXT, metavar="TARGET")
@click.option("--overwrite", is_flag=True, help="TARGET holds this archive as it was before: bring it up to date.")
@as_json
def move_archive(target: str, overwrite: bool, as_json: bool) -> None:
    """Copy the archive to a PostgreSQL server, or back into a file.

    Every row is compared, again and again until both hold the same; so a move that was interrupted goes on where it
    was. The archive as it is stays and serves meanwhile. Afterwards set BACKFILE_ARCHIVE to the new address, or unset
    it for the file, and start the server again: what is written between the two is in the old one alone.

    TARGET is an address such as postgresql://backfile@db.example.org/archive, of a database that exists and is empty,
    or the path of a file. With --overwrite it may hold this archive as it was before, but no change of an article that
    this one does not have; what else was written there alone is lost. A password belongs into ~/.pgpass or PGPASSWORD,
    where no list of processes shows it.

    \b
    Examples:
      flask move-archive postgresql://backfile@db.example.org/archive
      flask move-archive $BACKFILE_DATA/archive.sqlite3
    """
    from archive.moving import UNFINISHED, move
    from archive.store import open_store

    parts, began = services(), time.monotonic()
    where = _place(target)
    if where == (parts.settings.archive or parts.database_file.resolve()):
        raise ArchiveError("the archive is there already: nothing to move")
    with parts.alone(), Reporter() as progress:
        there = open_store(where, noted=UNFINISHED)
        try:
            with there.database.alone(parts.lock.name):
                moved = move(parts.store, there, progress, overwrite=overwrite)
        finally:
            there.close()
    rows, seconds = sum(moved.rows.values()), time.monotonic() - began
    if as_json:
        write_json(
            {
                "target": there.database.name,
                "rows": moved.rows,
                "written": moved.written,
                "deleted": moved.deleted,
                "sha256": moved.sha256,
                "took_seconds": round(seconds, 1),
            }
        )
        return
    click.echo(
        f"{there.database.name}: {rows:,} rows of {len(moved.rows)} tables, the same in both (SHA-256 {moved.sha256});"
        f" {moved.written:,} were written, {moved.deleted:,} deleted"
    )
    for line in _next_steps(where, there.database.name, parts):
        click.echo(line, err=True)


def _next_steps(where: Path | str, name: str, parts: Services) -> Iterator[str]:
    """Yield what is left to be done by whoever runs this."""
    if isinstance(where, str):
        yield f"set BACKFILE_ARCHIVE to {name} and start the server again"
        if parts.settings.archive is None:
            yield (
                f"then rename {parts.database_file}: without the setting, commands would go on with it, over the same"
                " index"
            )
    elif where == parts.database_file.resolve():
        yield "unset BACKFILE_ARCHIVE and start the server again"
    else:
        yield f"it is a copy: BACKFILE_DATA says that the archive's file is {parts.database_file}"


def _place(target: str) -> Path | str:
    """Return where TARGET is: an address of PostgreSQL, or a file. Raises ArchiveError for any other address."""
    if "://" not in target:
        return Path(target).resolve()
    try:
        return database_url(target)
    except ValueError as error:
        raise ArchiveError(f"TARGET cannot be used: {error}") from None
