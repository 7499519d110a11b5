"""The command `flask saved`: the saved searches there are, and clearing out those that nobody uses."""

from dataclasses import asdict

import click

from archive.alerts import Held
from web import payload
from web.services import services
from web.terminal import Failure, as_json, command, write_json

MOST_ID = 2**63 - 1  # what SQLite can count to


@command
@click.option("--remove", "remove_id", type=click.IntRange(1, MOST_ID), metavar="ID", help="Delete this one.")
@click.option(
    "--unused",
    type=click.IntRange(1, 36_500),
    metavar="DAYS",
    help="Delete those that send no alerts and that nobody has opened for so long.",
)
@as_json
def saved(remove_id: int | None, unused: int | None, as_json: bool) -> None:
    """List the saved searches and their alerts.

    Each has its id, when it was opened last, where alerts are sent, and its name.

    \b
    Examples:
      flask saved
      flask saved --remove 17
      flask saved --unused 180
    """
    if remove_id is not None and unused is not None:
        raise click.UsageError("--remove deletes one and --unused many: give one of them")
    kept = services().alerts
    if remove_id is None and unused is None:
        _list(kept.held(), as_json=as_json)
        return
    removed = kept.delete_unused(days=unused) if unused is not None else kept.delete(remove_id or 0)
    if as_json:
        write_json({"removed": removed, "saved_searches": kept.count()})
    else:
        click.echo(f"{removed} removed, {kept.count()} left")
    if remove_id is not None and not removed:
        raise Failure(f"there is no saved search {remove_id}")


def _list(held: list[Held], *, as_json: bool) -> None:
    if as_json:
        write_json({"saved_searches": [_object(each) for each in held]})
        return
    for each in held:
        counts = f"{each.alerts} alerts  {each.channels} channels"
        click.echo(f"{each.id}  opened {each.opened_at.date()}  {counts}  {each.name}")
    click.echo(f"{len(held)} saved searches", err=True)


def _object(each: Held) -> payload.Json:
    moments = {"created_at": payload.instant(each.created_at), "opened_at": payload.instant(each.opened_at)}
    return {**asdict(each), **moments}
