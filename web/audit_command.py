"""The command `flask audit`: what was changed over HTTP, by which token, from where; and how often one was refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import click

from archive.tokens import Deed, Token
from web import payload
from web.services import services
from web.terminal import as_json, command, write_json

REFUSED = {
    "none": "without a token",
    "unknown": "with a token that there is not",
    "revoked": "with one that was revoked",
    "expired": "with one that has expired",
    "scope": "with one of another scope",
}


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    action: str
    token: Token
    article_id: str | None = None
    client: str | None = None


@command
@as_json
def audit(as_json: bool) -> None:
    """Show what was done by tokens, and who was refused.

    First things first: tokens that were made and revoked, then what was done by each, from which address, to which
    article. Of those who were refused only the sums of each day are kept. Whoever is locked out is not counted.

    \b
    Examples:
      flask audit
      flask audit --json
    """
    tokens = services().tokens
    events = sorted(_events(tokens.all(), tokens.deeds()), key=lambda event: event.at)
    refusals = tokens.refusals()
    if as_json:
        told = [{"day": day, "why": why, "times": times} for day, why, times in refusals]
        write_json({"events": [_object(event) for event in events], "refusals": told})
        return
    for event in events:
        to_what = (
            f"  {event.article_id}  from {event.client or 'an address that was not noted'}" if event.article_id else ""
        )
        click.echo(
            f"{event.at:%Y-%m-%d %H:%M:%S}  {event.action}  token {event.token.id} ({event.token.name}){to_what}"
        )
    for day, why, times in refusals:
        click.echo(f"{day}  refused  {times} times {REFUSED[why]}")
    click.echo(f"{len(events)} events, {sum(times for *_, times in refusals)} requests refused", err=True)


def _events(tokens: list[Token], deeds: list[Deed]) -> Iterator[_Event]:
    known = {token.id: token for token in tokens}
    for token in tokens:
        yield _Event(token.created_at, "token made", token)
        if token.revoked_at:
            yield _Event(token.revoked_at, "token revoked", token)
    for deed in deeds:
        yield _Event(deed.at, deed.action, known[deed.token_id], deed.article_id, deed.client)


def _object(event: _Event) -> payload.Json:
    return {
        "at": payload.instant(event.at),
        "action": event.action,
        "token": {"id": event.token.id, "name": event.token.name, "scope": event.token.scope},
        "article_id": event.article_id,
        "client": event.client,
    }
