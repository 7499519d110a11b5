"""A saved search's matches as a feed: Atom (RFC 4287) or JSON Feed 1.1. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from archive.article import Article
from web.wording import label

ATOM = "http://www.w3.org/2005/Atom"
SUMMARY_CHARS = 400
# What XML 1.0 cannot hold, however it is written.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in a feed, its address here, and when it came into the feed."""

    url: str
    article: Article
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed: its own address, that of its page, and its entries, the latest first."""

    title: str
    url: str
    page: str
    since: datetime
    entries: Sequence[Entry]


def atom(feed: Feed) -> str:
    """Return the feed as Atom."""
    root = ElementTree.Element("feed", xmlns=ATOM)
    _text(root, "id", feed.url)
    _text(root, "title", feed.title)
    _text(root, "updated", _time(feed.entries[0].updated if feed.entries else feed.since))
    ElementTree.SubElement(root, "link", rel="self", type="application/atom+xml", href=feed.url)
    ElementTree.SubElement(root, "link", rel="alternate", type="text/html", href=feed.page)
    for entry in feed.entries:
        _entry(root, entry)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _entry(root: ElementTree.Element, entry: Entry) -> None:
    article = entry.article
    element = ElementTree.SubElement(root, "entry")
    _text(element, "id", entry.url)
    _text(element, "title", article.title)
    _text(element, "updated", _time(entry.updated))
    if article.published_at:
        _text(element, "published", _time(article.published_at))
    ElementTree.SubElement(element, "link", rel="alternate", type="text/html", href=entry.url)
    for name in article.authors or ((label(article.source),) if article.source else ()):
        _text(ElementTree.SubElement(element, "author"), "name", name)
    if not article.authors and not article.source:
        _text(ElementTree.SubElement(element, "author"), "name", "—")  # Atom asks for one
    _text(element, "summary", summary(article))


def json_feed(feed: Feed) -> str:
    """Return the feed as JSON Feed."""
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.page,
            "feed_url": feed.url,
            "items": [_item(entry) for entry in feed.entries],
        },
        ensure_ascii=False,
    )


def _item(entry: Entry) -> dict[str, object]:
    article = entry.article
    item: dict[str, object] = {
        "id": entry.url,
        "url": entry.url,
        "title": article.title,
        "content_text": summary(article),
        "authors": [{"name": name} for name in article.authors],
    }
    if article.published_at:
        item["date_published"] = _time(article.published_at)
    if article.language:
        item["language"] = article.language
    return item


def summary(article: Article) -> str:
    """Return the beginning of an article's text, cut at a word."""
    text = " ".join(article.body.split())
    if len(text) <= SUMMARY_CHARS:
        return text
    return text[:SUMMARY_CHARS].rsplit(" ", 1)[0] + " …"


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = _NO_XML.sub("", text)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


FEED_KINDS: Mapping[str, tuple[str, Callable[[Feed], str]]] = {
    "atom": ("application/atom+xml; charset=utf-8", atom),
    "json": ("application/feed+json; charset=utf-8", json_feed),
}
