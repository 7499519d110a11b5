"""A feed and how it is written: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1. Atom and RSS have templates of their own.

Invariant: what goes into a feed is text. It is escaped where it is written, and holds no character that XML cannot.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

from flask import render_template, stream_template
from markupsafe import escape

from web.payload import Json, instant

JSON_FEED = "https://jsonfeed.org/version/1.1"
# Whatever XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), and what no text should: lone surrogates.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")  # what xml:lang may say (RFC 5646, as XML Schema has it)


def xml_text(text: str) -> str:
    """Return `text` without the characters that XML cannot hold."""
    return _NO_XML.sub("", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: an article. `id` is a URI that never changes, `page` and `original` are addresses in full.

    `content` is the whole text, where a feed brings it.
    """

    id: str
    title: str
    page: str
    updated: datetime
    published: datetime | None
    summary: str
    content: str | None = None
    original: str | None = None
    authors: Sequence[str] = ()
    source: str | None = None
    section: str | None = None
    language: str | None = None

    @property
    def people(self) -> Sequence[str]:
        """Whom the text is by: its authors, else its source."""
        return self.authors or ([self.source] if self.source else [])

    @property
    def lang(self) -> str | None:
        """The language as XML may say it."""
        return self.language if self.language and _LANGUAGE.fullmatch(self.language) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed: `address` is its own, `page` that of the page that shows the same."""

    id: str
    title: str
    site: str
    page: str
    address: str
    updated: datetime
    entries: Iterable[Entry] = field(default_factory=tuple)


def atom(feed: Feed) -> str:
    """Return the feed as Atom."""
    return render_template("feed.atom.xml", feed=feed, instant=instant, text=xml_text)


def atom_in_pieces(feed: Feed) -> Iterator[str]:
    """Yield the feed as Atom piece by piece, however many entries there are."""
    return stream_template("feed.atom.xml", feed=feed, instant=instant, text=xml_text)


def rss(feed: Feed) -> str:
    """Return the feed as RSS 2.0. A description is HTML there, so the text is escaped once more."""

    def html(text: str) -> str:
        return str(escape(xml_text(text)))

    return render_template("feed.rss.xml", feed=feed, rfc822=rfc822, text=xml_text, html=html)


def rfc822(moment: datetime) -> str:
    """Return a time as mail, and RSS, write it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def json_feed(feed: Feed) -> str:
    """Return the feed as JSON Feed."""
    body: Json = {
        "version": JSON_FEED,
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.address,
        "authors": [{"name": feed.site}],
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _item(entry: Entry) -> Json:
    item: Json = {
        "id": entry.id,
        "url": entry.page,
        "external_url": entry.original,
        "title": entry.title,
        "content_text": entry.summary,
        "date_published": instant(entry.published),
        "date_modified": instant(entry.updated),
        "authors": [{"name": name} for name in entry.people],
        "tags": [entry.section] if entry.section else None,
        "language": entry.lang,
    }
    return {name: value for name, value in item.items() if value is not None}  # the format knows no null


class Format(NamedTuple):
    """A format: its media type, its name to people, and what writes it."""

    media_type: str
    name: str
    write: Callable[[Feed], str]


FORMATS: Mapping[str, Format] = {  # by the end of an address
    "atom": Format("application/atom+xml", "Atom", atom),
    "rss": Format("application/rss+xml", "RSS", rss),
    "feed.json": Format("application/feed+json", "JSON Feed", json_feed),
}
