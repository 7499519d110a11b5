"""The commands of takedowns: `flask remove`, `flask erase`, and `flask takedowns`, which lists them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archive.errors import ArchiveBusy, ArchiveError, ArticleNotFound
from index.errors import SearchError
from web import payload
from web.services import Services, services
from web.terminal import TEXT, Failure, Reporter, as_json, command, disk_problem, write_json

if TYPE_CHECKING:
    from archive.progress import Progress
    from archive.takedowns import Takedown
    from index.erasing import Erased

NAMED = 20  # articles named in one line


@command
@click.argument("article_ids", type=TEXT, nargs=-1, required=True, metavar="ID...")
@click.option("--reason", type=TEXT, help="Why, for the change log and the ledger.")
@as_json
def remove(article_ids: tuple[str, ...], reason: str | None, as_json: bool) -> None:
    """Withdraw articles: they are shown nowhere any more.

    They stay out when they are ingested again.

    The texts stay in the archive, where nobody sees them, until `flask erase`.

    \b
    Example:
      flask remove 0a1b2c3d4e5f6071 --reason "court order"
    """
    from archive.erasing import copies_of
    from archive.reason import clean_reason

    parts, reason = services(), clean_reason(reason)
    removed, missing = [], []
    for article_id in dict.fromkeys(article_ids):
        try:
            kept = parts.store.remove(article_id, reason=reason)
            removed.append(kept)
            _name_other(article_id, kept)
        except ArticleNotFound:
            missing.append(article_id)
    copies = copies_of(parts.store, removed)
    if as_json:
        write_json({"removed": removed, "not_found": missing, "copies": copies})
    else:
        click.echo(f"{len(removed)} removed")
        _name_copies(copies)
    problems = [str(ArticleNotFound(*missing))] if missing else []
    if removed:
        problems += _drop_from_index(parts)
    if problems:
        raise Failure("; ".join(problems))


def _name_other(asked: str, kept: str) -> None:
    if asked != kept:
        click.echo(f"{asked} is another id of {kept}", err=True)


def _name_copies(copies: dict[str, list[str]]) -> None:
    for article_id, others in copies.items():
        click.echo(f"copies of {article_id} are still shown: {' '.join(others)}", err=True)


def _drop_from_index(parts: Services) -> list[str]:
    """Publish an index without what was removed, or say why not: it is shown nowhere already, so this may wait."""
    try:
        with parts.alone(), Reporter() as progress:
            parts.builder.update(progress)
    except ArchiveBusy:
        click.echo("hidden from now on; another command is at work, the next `flask ingest` clears the index", err=True)
    except OSError as error:
        return [f"hidden from now on, but still in the index: {disk_problem(error)}"]
    except (ArchiveError, SearchError) as error:
        return [f"hidden from now on, but still in the index: {error}"]
    return []


@command
@click.argument("article_ids", type=TEXT, nargs=-1, metavar="[ID...]")
@as_json
def erase(article_ids: tuple[str, ...], as_json: bool) -> None:
    """Erase the texts of articles that were removed.

    All of them or those given are erased, and every file is searched for what is left.

    Their ids stay, which keeps them away. It can be stopped at any moment and run again. Backups, exports and whatever
    else lies outside of the data folder is not touched; nor are other articles that are copies, which are named.

    \b
    Examples:
      flask erase
      flask erase 0a1b2c3d4e5f6071 --json
    """
    from archive.erasing import copies_of

    parts = services()
    wanted = _to_erase(parts, article_ids)
    copies = copies_of(parts.store, wanted)
    erased = _erase(parts, wanted) if wanted else None
    if as_json:
        write_json(
            {
                "erased": [_object(takedown) for takedown in parts.takedowns.all() if takedown.id in wanted],
                "search": _search_object(erased),
                "copies": copies,
            }
        )
    else:
        _print_erased(parts, wanted, erased)
        _name_copies(copies)
    if erased and (last := parts.store.last_backup()):
        folder, at = last
        click.echo(
            f"backups made up to now keep these texts, such as those in {folder}, the last of {payload.instant(at)}:"
            " delete them in their time; one that is restored has them erased again",
            err=True,
        )
    if erased and not erased.search.verified:
        raise Failure(_unverified(erased))
    if erased and not as_json and parts.settings.ledger is None:
        click.echo(
            "the ledger of takedowns lies in the data folder: a copy of that folder made before, once restored, knows"
            " nothing of this; BACKFILE_LEDGER keeps it elsewhere",
            err=True,
        )


def _to_erase(parts: Services, article_ids: Sequence[str]) -> list[str]:
    """Return the articles to erase: those asked for, else all that were removed; without what is erased already."""
    from archive.erasing import pieces_of

    removed = {takedown.id: takedown for takedown in parts.takedowns.all()}
    if not article_ids:
        return [id_ for id_, takedown in removed.items() if takedown.erased_at is None]
    kept = {id_: parts.store.resolve(id_) or id_ for id_ in article_ids}
    for asked, id_ in kept.items():
        _name_other(asked, id_)
    wanted = list(dict.fromkeys(kept.values()))
    if unknown := [id_ for id_ in wanted if id_ not in removed]:
        raise Failure(f"not removed, so nothing is erased: {' '.join(unknown)}: run `flask remove` first")
    return [id_ for id_ in wanted if removed[id_].erased_at is None or pieces_of(parts.store, id_).versions]


def _erase(parts: Services, wanted: list[str]) -> "Erased":
    from index.erasing import Eraser

    with parts.alone(), Reporter() as progress:
        eraser = Eraser(
            data=parts.settings.data,
            store=parts.store,
            takedowns=parts.takedowns,
            renew_index=lambda: _renew(parts, progress),
            forget=lambda pieces: (parts.quarantine.purge(pieces), parts.asked.forget_holding(pieces)),
        )
        return eraser.erase(wanted, progress)


def _renew(parts: Services, progress: "Progress") -> None:
    """Make the index again, and leave nothing of one that was shared before a setting was changed."""
    from archive.shared_index import SharedIndex
    from web.holdings import left_in_milvus

    parts.builder.renew(progress)
    if (left := left_in_milvus(parts)) is not None:
        click.echo(left, err=True)
        SharedIndex(parts.store).retire(keep=(), collections=())


def _print_erased(parts: Services, wanted: list[str], erased: "Erased | None") -> None:
    if erased is None:
        click.echo("nothing to erase")
        return
    for takedown in parts.takedowns.all():
        if takedown.id in wanted:
            click.echo(f"{_line(takedown)}  versions {erased.versions[takedown.id]}")
    search = erased.search
    if search.verified and search.pieces:
        click.echo(f"verified: {search.files:,} files, {search.size:,} bytes, nothing found")
    elif search.verified:
        click.echo("there was no text to erase or to look for")
    if search.held_by:
        named, more = " ".join(search.held_by[:NAMED]), len(search.held_by) - NAMED
        also = f" and {more} more" if more > 0 else ""
        click.echo(f"other articles have words in common with these, which stay: {named}{also}", err=True)


def _unverified(erased: "Erased") -> str:
    """Say what was not searched for, and why."""
    said = []
    if erased.resumed:
        said.append(
            f"the texts of {' '.join(erased.resumed)} were blanked by an earlier run that was interrupted, so no words"
            " were left to look for: the database was written anew, but copies in other files could not be looked for"
        )
    if erased.too_short:
        said.append(f"the texts of {' '.join(erased.too_short)} are too short to be looked for in other files")
    return f"erased, but not verified: {'; '.join(said)}: see for yourself that the data folder holds none"


@command
@as_json
def takedowns(as_json: bool) -> None:
    """List what was removed, when and why.

    Each has its id and when its text was erased; with --json also what was searched then.

    \b
    Example:
      flask takedowns --json
    """
    parts = services()
    kept = parts.takedowns.all()
    if late := parts.ledger.read().began_late:
        click.echo(late, err=True)
    if as_json:
        write_json({"takedowns": [_object(takedown) for takedown in kept], "ledger": str(parts.ledger.path)})
        return
    for takedown in kept:
        click.echo(_line(takedown))
    click.echo(f"{len(kept)} takedowns; the ledger is {parts.ledger.path}", err=True)


def _line(takedown: "Takedown") -> str:
    erased = payload.instant(takedown.erased_at) if takedown.erased_at else "no"
    removed = payload.instant(takedown.removed_at)
    return f"{takedown.id}  removed {removed}  erased {erased}  {takedown.reason or ''}".rstrip()


def _object(takedown: "Takedown") -> payload.Json:
    return {
        "id": takedown.id,
        "removed_at": payload.instant(takedown.removed_at),
        "reason": takedown.reason,
        "erased_at": payload.instant(takedown.erased_at) if takedown.erased_at else None,
        "receipt": takedown.receipt,
    }


def _search_object(erased: "Erased | None") -> payload.Json | None:
    if erased is None:
        return None
    search = erased.search
    return {
        "verified": search.verified,
        "files": search.files,
        "bytes": search.size,
        "pieces": search.pieces,
        "found": 0,
        "held_by": list(search.held_by),
        "rewritten": search.rewritten,
        "resumed": list(erased.resumed),
    }
