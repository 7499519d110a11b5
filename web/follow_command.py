"""The command `flask follow`: feeds and sitemaps that `flask fetch` asks for news."""

from collections.abc import Sequence
from typing import BinaryIO

import click

from archive.errors import FetchError, SourceError
from archive.follows import Follow
from web import payload
from web.services import Services, services
from web.terminal import TEXT, Failure, Interval, as_json, command, span, write_json

LEAST, MOST = 60, 7 * 24 * 60 * 60  # seconds between two requests
DEFAULT_EVERY = 30 * 60  # seconds


@command
@click.argument("urls", type=TEXT, nargs=-1, metavar="[URL...]")
@click.option("--opml", type=click.File("rb"), help="Follow the feeds that this file lists, as feed readers write it.")
@click.option("--every", type=Interval(least=LEAST, most=MOST), metavar="INTERVAL", help="Ask each 15m, 1h, 1d … (30m)")
@click.option("--pause", "action", flag_value="pause", help="Ask these no more, until they are followed again.")
@click.option("--remove", "action", flag_value="remove", help="Follow these no more; what they brought stays.")
@click.option("--list", "action", flag_value="list", help="List all that is followed.")
@click.option("--export", "action", flag_value="export", help="Write all that is followed as OPML.")
@as_json
def follow(urls: tuple[str, ...], opml: BinaryIO | None, every: int | None, action: str | None, as_json: bool) -> None:
    """Follow feeds and sitemaps.

    `flask fetch` asks them for what is new. The address of a page will do where the page names its feed. Without an
    address, all that is followed is listed.

    \b
    Examples:
      flask follow https://news.example/
      flask follow https://news.example/sitemap.xml --every 1h
      flask follow --opml subscriptions.opml
      flask follow --pause https://news.example/feed.xml
    """
    parts = services()
    is_given = bool(urls or opml)
    if (action in ("list", "export") and is_given) or (action in ("pause", "remove") and (opml or not urls)):
        raise click.UsageError("--list and --export go alone, --pause and --remove with the addresses to end")
    if action == "export":
        click.echo(as_opml(parts.follows.follows()))
    elif action in ("pause", "remove"):
        _end(parts, urls, action, as_json=as_json)
    elif is_given:
        _begin(parts, urls, opml, every, as_json=as_json)
    elif as_json:
        write_json({"follows": [_object(each) for each in parts.follows.follows()]})
    else:
        for each in parts.follows.follows():
            click.echo(_line(each))


def _begin(parts: Services, urls: Sequence[str], opml: BinaryIO | None, every: int | None, *, as_json: bool) -> None:
    begun: list[str] = []
    problems: list[str] = []
    for url in urls:
        try:
            begun.append(_followed(parts, url, every))
        except (FetchError, SourceError) as problem:
            said = str(problem)
            problems.append(said if url in said else f"{url}: {said}")
    if opml is not None:
        begun += _subscribed(parts, opml, every, problems)
    if as_json:
        every_one = {each.url: each for each in parts.follows.follows()}
        write_json({"following": [_object(every_one[url]) for url in dict.fromkeys(begun)], "problems": problems})
    else:
        for url in begun:
            click.echo(f"following {url}")
    if problems:
        raise Failure("\n".join(problems))


def _followed(parts: Services, url: str, every: int | None) -> str:
    """Follow what there is at `url` and return its own address. Raises FetchError, and SourceError."""
    from archive.fetching import Fetching
    from archive.following import discovered
    from archive.readers.isolated.child import Children

    with Children() as children:
        found = discovered(parts.visits, Fetching(parts.visits, parts.follows, children), url)
    parts.follows.follow(found.url, every=every, default=DEFAULT_EVERY, title=found.title, kind=found.kind)
    for other in found.others:
        click.echo(f"the page names another feed: {other}", err=True)
    return found.url


def _subscribed(parts: Services, file: BinaryIO, every: int | None, problems: list[str]) -> list[str]:
    """Follow what an OPML file lists, unseen: the first `flask fetch` finds out what there is."""
    from archive.readers.feeds.opml import MAX_OPML_BYTES
    from archive.readers.isolated.child import Child

    with Child() as child:
        try:
            listed = child.content(file.read(MAX_OPML_BYTES + 1), url=file.name, content_type="").feeds
        except SourceError as problem:
            problems.append(f"{file.name}: {problem}")
            return []
    if not listed:
        problems.append(f"{file.name}: not a list of feeds (OPML)")
    for each in listed:
        parts.follows.follow(each.url, every=every, default=DEFAULT_EVERY, title=each.title)
    return [each.url for each in listed]


def _end(parts: Services, urls: Sequence[str], action: str, *, as_json: bool) -> None:
    end = parts.follows.pause if action == "pause" else parts.follows.unfollow
    missing = [url for url in urls if not end(url)]
    ended = [url for url in urls if url not in missing]
    if as_json:
        write_json({"paused" if action == "pause" else "removed": ended, "not_found": missing})
    else:
        for url in ended:
            click.echo(f"{'paused' if action == 'pause' else 'no longer following'} {url}")
    if missing:
        raise Failure("\n".join(_missing(parts, url) for url in missing))


def _missing(parts: Services, url: str) -> str:
    if parts.follows.is_gone(url):
        return f"{url} is gone and is not asked: `flask follow {url}` asks it again"
    return f"not followed: {url} (`flask follow` lists what is)"


def _line(follow: Follow) -> str:
    state = "failing" if follow.state == "active" and follow.failures else follow.state
    asked = payload.instant(follow.last_at) or "never asked"
    name = f"{follow.title} ({follow.url})" if follow.title else follow.url
    line = f"{state:8} {name}, every {span(follow.every)}, {asked}, {follow.found} found"
    return f"{line}: {follow.problem}" if follow.problem else line


def _object(follow: Follow) -> payload.Json:
    return {
        "url": follow.url,
        "title": follow.title,
        "kind": follow.kind,
        "state": follow.state,
        "every": follow.every,
        "next_at": payload.instant(follow.next_at),
        "last_at": payload.instant(follow.last_at),
        "failures": follow.failures,
        "problem": follow.problem,
        "found": follow.found,
    }


def as_opml(follows: Sequence[Follow]) -> str:
    """Return what is followed as OPML 2.0, which feed readers read."""
    from xml.etree import ElementTree as Xml

    root = Xml.Element("opml", version="2.0")
    Xml.SubElement(Xml.SubElement(root, "head"), "title").text = "Followed by Backfile"
    body = Xml.SubElement(root, "body")
    for each in follows:
        if each.kind != "sitemap" and each.state != "gone":
            name = each.title or each.url
            Xml.SubElement(body, "outline", type="rss", text=name, title=name, xmlUrl=each.url)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)
