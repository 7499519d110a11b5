"""The options by which commands choose articles: those of a search."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from werkzeug.datastructures import MultiDict

from web.terminal import TEXT

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = (
    click.option("--source", type=TEXT, multiple=True, help="Only this source (repeatable: any of them)."),
    click.option("--section", type=TEXT, multiple=True, help="Only this section (repeatable)."),
    click.option("--author", type=TEXT, multiple=True, help="Only this author (repeatable)."),
    click.option("--language", type=TEXT, multiple=True, help="Only this language, a tag or a name (repeatable)."),
    click.option("--from", "from_", type=TEXT, metavar="DAY", help="Published on this day or later (YYYY-MM-DD)."),
    click.option("--to", type=TEXT, metavar="DAY", help="Published on this day or before (YYYY-MM-DD)."),
)


def filters(command: F) -> F:
    """Give a command the options that narrow a search."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def request_args(given: dict[str, object]) -> MultiDict[str, str]:
    """Return the options as the request parameters of the endpoint, so that both obey the same rules."""
    pairs: list[tuple[str, str]] = []
    for name, value in given.items():
        name = {"query": "q", "from_": "from"}.get(name, name)
        values = value if isinstance(value, tuple) else (value,)
        pairs += [(name, str(one)) for one in values if one is not None]
    return MultiDict(pairs)
