"""The command `flask queries`: the searches that were noted, and forgetting them."""

from urllib.parse import unquote_plus

import click

from archive.asked import Asked
from web import payload
from web.services import services
from web.terminal import as_json, command, write_json


@command
@click.option("--forget", is_flag=True, help="Forget all of them.")
@as_json
def queries(forget: bool, as_json: bool) -> None:
    """List the searches that were asked lately.

    They are noted where BACKFILE_QUERY_LOG is `on`, to try another model on: what was asked, on which days, how often.

    \b
    Examples:
      flask queries
      flask queries --forget
    """
    asked = services().asked
    if forget:
        forgotten = asked.forget()
        if as_json:
            write_json({"forgotten": forgotten})
        else:
            click.echo(f"{forgotten} forgotten")
        return
    kept = asked.latest()
    if as_json:
        write_json({"queries": [_object(each) for each in kept]})
        return
    for each in kept:
        click.echo(f"{each.last_on}  {each.times:>6}  {unquote_plus(each.question)}")
    noted = "noted" if services().settings.query_log == "on" else "not noted: BACKFILE_QUERY_LOG is off"
    click.echo(f"{len(kept)} searches; new ones are {noted}", err=True)


def _object(asked: Asked) -> payload.Json:
    days = {"first_on": asked.first_on.isoformat(), "last_on": asked.last_on.isoformat()}
    return {"question": asked.question, **days, "times": asked.times}
