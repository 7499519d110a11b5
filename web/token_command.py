"""The command `flask token`: who may change the archive by a program."""

import click
from flask.cli import with_appcontext

from archive.tokens import Token
from web import payload
from web.services import services
from web.terminal import TEXT, Failure, as_json, clear_errors, write_json
from web.tokens import SCOPES

MOST_ID = 2**63 - 1  # what SQLite can count to
MAX_NAME = 100
MOST_DAYS = 36_500


@click.group()
def token() -> None:
    """Make, list and revoke tokens for programs.

    By a token a program may change the archive.

    \b
    Examples:
      flask token create --scope takedown --name "legal desk" --expires 365
      flask token list
      flask token revoke 1
    """


@token.command()
@click.option("--scope", type=click.Choice(SCOPES), required=True, help="What may be done by it.")
@click.option("--name", type=TEXT, required=True, help="Whose it is, for the list and the log.")
@click.option("--expires", type=click.IntRange(1, MOST_DAYS), metavar="DAYS", help="After which it holds no more.")
@as_json
@with_appcontext
def create(scope: str, name: str, expires: int | None, as_json: bool) -> None:
    """Make a token and write it out, this once: nobody can find it out again."""
    name = " ".join(name.split())[:MAX_NAME]
    if not name:
        raise click.UsageError("--name must say whose the token is")
    with clear_errors():
        made, secret = services().tokens.create(name=name, scope=scope, days=expires)
    if as_json:
        write_json({**_object(made), "token": secret})
        return
    click.echo(secret)
    click.echo(f"token {made.id} for {made.name}: keep it now, it is not shown again", err=True)


@token.command("list")
@as_json
@with_appcontext
def list_(as_json: bool) -> None:
    """List the tokens: id, scope, when each was made, used last, ends or was revoked, and whose it is."""
    with clear_errors():
        kept = services().tokens.all()
    if as_json:
        write_json({"tokens": [_object(each) for each in kept]})
        return
    for each in kept:
        state = f"revoked {each.revoked_at.date()}" if each.revoked_at else f"used {each.used_on or 'never'}"
        if each.expires_at and not each.revoked_at:
            state += f"  until {each.expires_at.date()}"
        click.echo(f"{each.id}  {each.scope}  made {each.created_at.date()}  {state}  {each.name}")
    click.echo(f"{len(kept)} tokens", err=True)


@token.command()
@click.argument("token_id", type=click.IntRange(1, MOST_ID), metavar="ID")
@as_json
@with_appcontext
def revoke(token_id: int, as_json: bool) -> None:
    """Let nobody do anything more by this token."""
    with clear_errors():
        revoked = services().tokens.revoke(token_id)
    if as_json:
        write_json({"revoked": revoked})
    if not revoked:
        raise Failure(f"there is no token {token_id} that holds")
    if not as_json:
        click.echo(f"token {token_id} revoked")


def _object(each: Token) -> payload.Json:
    return {
        "id": each.id,
        "name": each.name,
        "scope": each.scope,
        "created_at": payload.instant(each.created_at),
        "used_on": each.used_on,
        "revoked_at": payload.instant(each.revoked_at),
        "expires_at": payload.instant(each.expires_at),
    }
