"""The commands `flask backup` and `flask restore`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive.errors import ArchiveError
from web import payload
from web.services import Services, services
from web.terminal import Reporter, as_json, command, write_json

if TYPE_CHECKING:
    from index.backups import Backup, Listed

FOLDER = click.Path(file_okay=False, path_type=Path)
listing = click.option("--list", "only_list", is_flag=True, help="Say what backups there are, and which are whole.")
MEGABYTE = 1_000_000  # bytes, as disks are sold


@command
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--keep", type=click.IntRange(1, 10_000), help="Delete all but so many of the latest, once it is made.")
@listing
@as_json
def backup(folder: Path, keep: int | None, only_list: bool, as_json: bool) -> None:
    """Make a backup of the archive in a folder.

    It is made beside a running server and a running ingest, as the archive is at one moment, and every file of it is
    verified. What the backup before has already is not written again. Interrupted, it leaves nothing behind that could
    be taken for a backup.

    \b
    Examples:
      flask backup /backup/backfile --keep 14
      flask backup /backup/backfile --list
    """
    from index.backing_up import back_up

    if only_list:
        _list(folder, as_json=as_json)
        return
    parts = services()
    with Reporter() as progress:
        made = back_up(
            folder, data=parts.settings.data, store=parts.store, ledger=parts.ledger, keep=keep, progress=progress
        )
    for note in made.notes:
        click.echo(note, err=True)
    if as_json:
        write_json(
            {
                **_object(made.backup),
                "copied_bytes": made.copied,
                "deleted": [str(path) for path in made.deleted],
                "notes": made.notes,
            }
        )
        return
    deleted = f"; {len(made.deleted)} earlier deleted" if made.deleted else ""
    click.echo(f"{made.backup.path}: {_said(made.backup)}, of which {_size(made.copied)} were written{deleted}")


@command
@click.argument("path", type=FOLDER, metavar="DIR[/TIME]")
@click.option("--to", "target", type=FOLDER, metavar="FOLDER", help="Restore into this folder, not the data folder.")
@listing
@as_json
def restore(path: Path, target: Path | None, only_list: bool, as_json: bool) -> None:
    """Bring a backup back, once every file of it is verified.

    It is the one named, or the latest in a folder that is whole. What stands in the data folder is put aside, and where
    is said; the server must be stopped. What was removed since holds: the ledger of takedowns does not go back.

    \b
    Examples:
      flask restore /backup/backfile
      flask restore /backup/backfile/2026-11-29T120000Z --to /srv/drill
    """
    from index.restoring import choose, restore

    if only_list:
        _list(path, as_json=as_json)
        return
    settings = services().settings
    if settings.archive is not None and target is None:
        raise ArchiveError(
            "BACKFILE_ARCHIVE says that a server keeps the articles: restore with --to FOLDER, and bring them there by"
            " `flask move-archive`"
        )
    target = target or settings.data
    own = [folder / "takedowns.jsonl" for folder in dict.fromkeys((target, settings.data))]
    with Reporter() as progress:
        chosen, problems = choose(path, progress)
        for problem in problems:
            click.echo(problem, err=True)
        restored = restore(chosen, target, ledgers=own, outside=settings.ledger, progress=progress)
    parts = Services(settings.model_copy(update={"data": target, "archive": None}))
    try:
        live = parts.store.count_live()  # opening it has done again what was taken down since
        again = len(parts.takedowns.all())
    finally:
        parts.close()
    if as_json:
        aside = str(restored.put_aside) if restored.put_aside else None
        write_json(
            {**_object(chosen), "restored_to": str(target), "put_aside": aside, "live": live, "takedowns": again,
             "notes": problems}
        )  # fmt: skip
        return
    if restored.put_aside:
        click.echo(f"what was in {target} is now in {restored.put_aside}", err=True)
    click.echo(f"{target}: restored from {chosen.path}: {live} articles are shown; {again} takedowns hold")
    if chosen.generation is None:
        click.echo("the backup has no index: run `flask reindex`", err=True)


def _list(folder: Path, *, as_json: bool) -> None:
    from index.backups import listed

    found = listed(folder)
    if as_json:
        write_json({"backups": [_listed_object(each) for each in found]})
        return
    for each in found:
        click.echo(f"{each.path.name}: {_said(each.backup) if each.backup else f'not whole: {each.problem}'}")
    if not found:
        click.echo(f"there are no backups in {folder}", err=True)


def _listed_object(each: "Listed") -> dict[str, object]:
    if each.backup is None:
        return {"backup": str(each.path), "whole": False, "problem": each.problem}
    return {**_object(each.backup), "whole": True, "problem": None}


def _object(backup: "Backup") -> dict[str, object]:
    return {
        "backup": str(backup.path),
        "made_at": payload.instant(backup.made_at),
        "archive": backup.archive,
        "seq": backup.seq,
        "articles": backup.articles,
        "generation": backup.generation,
        "files": len(backup.files),
        "bytes": backup.size,
    }


def _said(backup: "Backup") -> str:
    index = f"generation {backup.generation}" if backup.generation else "no index"
    return f"{backup.articles} articles, change {backup.seq}, {index}, {_size(backup.size)}"


def _size(count: int) -> str:
    return f"{count / MEGABYTE:,.1f} MB"
