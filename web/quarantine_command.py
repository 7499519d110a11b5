"""The command `flask quarantine`: what could not be read, to be looked at, tried again or thrown away."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from web import payload
from web.publishing import advise, alert, name_problems, publish
from web.services import Services, services
from web.terminal import Failure, Reporter, as_json, command, write_json

if TYPE_CHECKING:
    from archive.quarantine import Held

MOST_ID = 2**63 - 1  # what SQLite can count to
NUMBER = click.IntRange(1, MOST_ID)


@command
@click.argument("ids", nargs=-1, type=NUMBER, metavar="[ID...]")
@click.option("--show", is_flag=True, help="Write the input itself to standard output.")
@click.option("--retry", is_flag=True, help="Read these, or all, again, and publish what goes in.")
@click.option("--drop", is_flag=True, help="Delete these.")
@click.option("--all", "every", is_flag=True, help="With --drop: delete everything.")
@as_json
def quarantine(ids: tuple[int, ...], show: bool, retry: bool, drop: bool, every: bool, as_json: bool) -> None:
    """List what could not be read, show it or try it again.

    Each has its id, where it was, its size, when it was rejected last, and why.

    An input of up to 1 MB is kept itself, of a larger one its name. What a newer version of this program can read goes
    in with --retry and leaves the list.

    \b
    Examples:
      flask quarantine
      flask quarantine 17 --show > page.html
      flask quarantine --retry
      flask quarantine 17 18 --drop
    """
    if show + retry + drop > 1:
        raise click.UsageError("--show, --retry and --drop: give one of them")
    if every and (not drop or ids):
        raise click.UsageError("--all goes with --drop alone, and without ids")
    if (show and len(ids) != 1) or (drop and not ids and not every):
        raise click.UsageError("--show takes one id" if show else "--drop takes ids, or --all")
    parts = services()
    found = parts.quarantine.held(ids)
    missing = sorted(set(ids) - {each.id for each in found})
    if show:
        _show(parts, found)
    elif drop:
        _drop(parts, ids, as_json=as_json)
    elif retry:
        _retry(parts, found, as_json=as_json)
    else:
        _list(found, as_json=as_json)
    if missing:
        raise Failure(f"not in quarantine: {', '.join(map(str, missing))}")


def _list(found: "list[Held]", *, as_json: bool) -> None:
    if as_json:
        write_json({"quarantine": [_object(each) for each in found]})
        return
    for each in found:
        size = f"{each.size:,} bytes" + ("" if each.is_kept else ", not kept")
        often = f", {each.times} times" if each.times > 1 else ""
        click.echo(f"{each.id}  {_place(each)}  {size}  {payload.instant(each.last_at)}{often}  {each.reason}")
    click.echo(f"{len(found)} in quarantine", err=True)


def _show(parts: Services, found: "list[Held]") -> None:
    for each in found:
        content = parts.quarantine.content(each)
        if content is None:
            raise Failure(f"{_place(each)} was too large to be kept")
        click.echo(content, nl=False)


def _drop(parts: Services, ids: tuple[int, ...], *, as_json: bool) -> None:
    dropped = parts.quarantine.drop(ids) if ids else parts.quarantine.drop_all()
    left = parts.quarantine.count()
    if as_json:
        write_json({"dropped": dropped, "quarantine": left})
    else:
        click.echo(f"{dropped} dropped, {left} left")


def _retry(parts: Services, found: "list[Held]", *, as_json: bool) -> None:
    from archive.retrying import retry

    with parts.alone(), Reporter() as progress:
        report = retry(found, parts.quarantine, parts.store, progress=progress)
        name_problems(report)
        built = publish(parts, progress, came_in=report.came_in)
    left = parts.quarantine.count()
    counts = {"added": report.added, "updated": report.updated, "unchanged": report.unchanged, "held": report.held,
              "withdrawn": report.withdrawn, "rejected_count": report.rejected_count}  # fmt: skip
    if as_json:
        write_json({**counts, "generation": built.generation, "quarantine": left})
    else:
        click.echo(
            f"{report.added} added, {report.updated} updated, {report.rejected_count} rejected again, {left} left"
        )
    advise(parts)
    alert(parts)
    if report.rejected_count:
        click.get_current_context().exit(1)


def _place(each: "Held") -> str:
    return each.source if each.line is None else f"{each.source}:{each.line}"


def _object(each: "Held") -> payload.Json:
    moments = {"first_at": payload.instant(each.first_at), "last_at": payload.instant(each.last_at)}
    return {**asdict(each), **moments}
