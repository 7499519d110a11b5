"""The command `flask check`: is everything whole, and with `--repair` what can be made again is made again."""

import click

from archive.errors import ArchiveDamaged, ArchiveError
from archive.lock import exclusive, refuse_if_open
from archive.progress import Progress
from index.errors import SearchError
from web.publishing import tell
from web.services import Services, services
from web.terminal import Failure, Reporter, as_json, command, write_json


@command
@click.option("--repair", is_flag=True, help="Make again what can be made again. The server must be stopped.")
@as_json
def check(repair: bool, as_json: bool) -> None:
    """Check every row and file of the archive and the index.

    Each is compared with its hash, and the archive with the index.

    With --repair the index, embeddings, copies and stories are made again where they are damaged, and the database is
    written anew where pages of it are. Articles cannot be made again: what is damaged of them is named, and nothing of
    it is changed.

    \b
    Examples:
      flask check && echo all is well
      flask check --repair
    """
    parts = services()
    repaired = _repair(parts) if repair else []
    problems = _problems(parts)
    ledger = parts.ledger.read()
    if as_json:
        write_json({"ok": not problems, "problems": problems, **({"repaired": repaired} if repair else {})})
    if late := ledger.began_late:
        click.echo(late, err=True)
    for line in [] if as_json else [*repaired, *problems]:
        click.echo(line)
    if problems:
        left = " that cannot be repaired" if repair else ""
        raise Failure(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found{left}")
    if not as_json:
        click.echo("no problems found")


def _problems(parts: Services) -> list[str]:
    from index.check import check

    problems = check(parts.generations, parts.store)
    return [*problems, *_model_problems(parts), *parts.quarantine.problems(), *parts.ledger.read().problems]


def _model_problems(parts: Services) -> list[str]:
    """Say where the model of what is served cannot be opened; what cannot be read of the archive is told elsewhere."""
    try:
        named = parts.named_model
        if named is not None and named.reference is not None:
            parts.models.embedder(named.sha256)
    except ArchiveError:
        return []
    except SearchError as error:
        return [f"searches go by words alone: {error}"]
    return []


def _repair(parts: Services) -> list[str]:
    """Repair what can be, and say what was done."""
    from archive.repairing import keep_what_can_be_read

    database = parts.database_file
    parts.close()
    is_file = parts.settings.archive is None  # which may be too damaged to be opened, so nothing asks it for its lock
    with exclusive(parts.lock) if is_file else parts.alone(), Reporter() as progress:
        refuse_if_open(database)
        said = []
        if is_file:
            said = [kept] if (kept := keep_what_can_be_read(database)) else []
            said += _rewrite(parts)
        if said or _problems(parts):
            said += _make_again(parts, progress)
    return said


def _rewrite(parts: Services) -> list[str]:
    """Write the database anew where pages of it are damaged."""
    from archive.repairing import rewrite
    from archive.sqlite import damaged_pages

    database = parts.database_file
    pages = damaged_pages(database) if database.exists() else []
    if not pages:
        return []
    parts.close()
    try:
        rewritten = rewrite(database)
    except ArchiveDamaged as error:
        return [f"the database stays as it is: {error}"]
    lost = f", but for some rows of {', '.join(rewritten.incomplete)}, which are made again" * bool(
        rewritten.incomplete
    )
    return [f"{len(pages)} damaged pages: the database was written anew{lost}; the old one is {rewritten.put_aside}"]


def _make_again(parts: Services, progress: Progress) -> list[str]:
    """Make copies, index and stories again."""
    from archive.grouping import find_copies, problems_of_copies

    said = []
    try:
        if problems_of_copies(parts.store):
            parts.store.forget_copies()
            said.append("copies were looked for again")
        find_copies(parts.store, progress=progress)
        built = parts.builder.renew(progress)
        said.append(f"the index was made again: generation {built.generation}")
        tell(parts, progress)
    except (ArchiveError, SearchError) as error:
        said.append(f"the index was not made again: {error}")
    return said
