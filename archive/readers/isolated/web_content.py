"""What an answer from the network holds: an article's page, a feed's entries, a sitemap's addresses, or a file.

Whoever fetches asks the process that may die (`child`), in which all of this runs.
"""

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Literal
from urllib.parse import urlsplit

from archive.article import Article, Entry, Rejection
from archive.errors import SourceError
from archive.identity import article_id
from archive.readers import HEAD_BYTES, Reader
from archive.readers.dates import stated_date
from archive.readers.feeds import feed, json_feed, opml, sitemap
from archive.readers.feeds.feed_entry import FeedRead, web_address
from archive.readers.packed import gzipped
from archive.readers.packed.budget import Budget
from archive.readers.pages import html
from archive.readers.records import own

Kind = Literal["page", "feed", "sitemap", "index", "file"]
Holds = Literal["text", "summary", "nothing"]

MOST_UNPACKED = 60_000_000  # bytes: 50 MB is the most that a sitemap may have
PAGE_TYPES = ("text/html", "application/xhtml+xml")
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a feed or sitemap says `about` an article, whether it `holds` its text, and where its page is.

    `said` is a hash of what is said of it, by which one sees that it has changed; `changed_at`: when, as it says.
    """

    url: str | None
    said: bytes
    about: Article | None = None
    holds: Holds = "nothing"
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContent:
    """What was found: `entries` of a page or file, `items` of a feed or sitemap.

    `links` are those of a page to its feeds, the main one first, or of an index to its sitemaps, the newest first.
    `feeds` are those that a list of feeds names.
    """

    kind: Kind
    title: str | None = None
    entries: tuple[Entry, ...] = ()
    items: tuple[Item, ...] = ()
    links: tuple[str, ...] = ()
    feeds: tuple[opml.Subscription, ...] = ()


def content_of(raw: bytes, *, url: str, content_type: str, find: Callable[[bytes, str], Reader]) -> WebContent:
    """Return what `raw`, which came from `url`, holds: by its own beginning, whatever its type is said to be.

    `find` finds readers, as `archive.readers.detect` does. Raises SourceError when none takes it.
    """
    raw, stated = _unpacked(raw), _stated(content_type)
    charset = stated.get_content_charset()
    name = "page.html" if stated.get_content_type() in PAGE_TYPES else urlsplit(url).path
    reader = find(raw[:HEAD_BYTES], name)
    if reader is feed.read:
        return _of_feed(feed.entries(raw, base=url, charset=charset, origin=url))
    if reader is json_feed.read:
        return _of_feed(json_feed.entries(raw, base=url, charset=charset, origin=url))
    if reader is sitemap.read:
        return _of_sitemap(sitemap.listed(raw, charset=charset))
    if reader is opml.read:
        feeds = opml.subscriptions(raw)
        return WebContent(kind="file", entries=(opml.no_article(feeds, url),), feeds=tuple(feeds))
    if reader is own.read:
        raise SourceError(own.NOT_BELIEVED)
    if reader is html.read:
        return _of_page(raw, url=url, charset=charset)
    return WebContent(kind="file", entries=tuple(reader(io.BytesIO(raw), url)))


def _unpacked(raw: bytes) -> bytes:
    """Return what a file that is packed in itself holds, as sitemaps often are."""
    if not raw.startswith(gzipped.MAGIC):
        return raw
    packed = io.BytesIO(raw)
    unpacked = io.BufferedReader(gzipped.Unpacked(packed, Budget(packed.tell))).read(MOST_UNPACKED + 1)
    if len(unpacked) > MOST_UNPACKED:
        raise SourceError(f"larger than {MOST_UNPACKED // 1_000_000} MB when it is unpacked")
    return unpacked


def _stated(content_type: str) -> Message:
    message = Message()
    message["Content-Type"] = content_type
    return message


def _of_page(raw: bytes, *, url: str, charset: str | None) -> WebContent:
    """Return a page's article, or why it holds none: it may lead to feeds nevertheless."""
    entry: Article | Rejection
    try:
        entry = html.page(raw, url=url, charset=charset, origin=url)
    except SourceError as error:
        entry = Rejection(source=url, reason=str(error))
    return WebContent(kind="page", entries=(entry,), links=_feeds_of(raw, url=url))


def _of_feed(read: FeedRead) -> WebContent:
    items = [_of_entry(each.article, holds="summary" if each.is_summary else "text") for each in read.entries]
    items += [Item(url=page, said=_hash(page)) for page in read.pages]
    return WebContent(kind="feed", title=read.title, entries=read.rejections, items=tuple(items))


def _of_entry(article: Article, *, holds: Holds) -> Item:
    times = [time.isoformat() if time else None for time in (article.published_at, article.updated_at)]
    return Item(
        url=article.url,
        said=_hash(article.title, article.body, *times),
        about=article,
        holds=holds,
        changed_at=article.updated_at or article.published_at,
    )


def _of_sitemap(listed: sitemap.SitemapRead) -> WebContent:
    if listed.sitemaps:
        return WebContent(kind="index", links=tuple(each.url for each in listed.sitemaps))
    newest_first = sorted({each.url: each for each in listed.pages}.values(), key=_age)  # each once
    return WebContent(kind="sitemap", items=tuple(map(_of_listed, newest_first)))


def _age(listed: sitemap.Listed) -> float:
    """Return how old what is listed is, in seconds before 1970: what is undated is older than anything."""
    stated = _stated_change(listed)
    return -stated.timestamp() if stated else math.inf


def _stated_change(listed: sitemap.Listed) -> datetime | None:
    return stated_date(listed.lastmod) or (listed.news.published_at if listed.news else None)


def _of_listed(listed: sitemap.Listed) -> Item:
    said = _hash(listed.lastmod, listed.news.title if listed.news else None)
    if (news := listed.news) is None:
        return Item(url=listed.url, said=said, changed_at=_stated_change(listed))
    about = Article(
        id=article_id(url=listed.url, source=None, source_id=None, text=""),
        title=news.title or "",
        body="",
        source=news.source,
        language=news.language,
        published_at=news.published_at,
    )
    return Item(url=listed.url, said=said, about=about, changed_at=_stated_change(listed))


def _feeds_of(raw: bytes, *, url: str) -> tuple[str, ...]:
    """Return the feeds that a page names, in its order, which has the main one first."""
    from lxml import etree
    from lxml import html as parser  # imported here: whoever only asks for contents need not wait for it

    try:
        page = parser.document_fromstring(raw)
    except (etree.LxmlError, ValueError):
        return ()
    base = next((found for each in page.iter("base") if (found := web_address(each.get("href"), base=url))), url)
    links = [each for each in page.iter("link") if "alternate" in (each.get("rel") or "").lower().split()]
    feeds = [each.get("href") for each in links if (each.get("type") or "").strip().lower() in FEED_TYPES]
    return tuple(dict.fromkeys(found for href in feeds if (found := web_address(href, base=base))))


def _hash(*said: str | None) -> bytes:
    return hashlib.sha256("\n".join(each or "" for each in said).encode("utf-8", "surrogatepass")).digest()
