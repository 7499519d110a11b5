"""Sitemaps and their indexes (https://www.sitemaps.org/protocol.html), and Google's news sitemaps: lists of pages.

A sitemap holds no texts. As a file it is refused with what to do; `listed` tells whoever fetches which pages it names.
Invariant: an address is http or https; a sitemap that is cut off or broken gives what stands before and after.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.dates import stated_date
from archive.readers.feeds.feed_entry import web_address
from archive.readers.feeds.xml_repair import repaired_xml
from archive.readers.fields import language_tag
from archive.readers.markup import plain_line
from archive.readers.xml import mended, root_of

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_SITEMAP_BYTES = 52_428_800  # 50 MiB unpacked: the protocol's own limit
MAX_ADDRESSES = 50_000  # the protocol's own limit, too

_ROOTS = ("urlset", "sitemapindex")
_START = re.compile(rf"<\?xml\s|<!DOCTYPE\s|<(?:[\w.-]+:)?(?:{'|'.join(_ROOTS)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a news sitemap says of an article, in the article's own terms."""

    title: str | None = None
    source: str | None = None
    language: str | None = None
    published_at: datetime | None = None
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An address in a sitemap, when it last changed as the sitemap writes it, and what it says of the news there."""

    url: str
    lastmod: str | None = None
    news: News | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SitemapRead:
    """What a sitemap lists: pages, in its order, or of an index other sitemaps, the newest first."""

    pages: tuple[Listed, ...] = ()
    sitemaps: tuple[Listed, ...] = ()


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file is a sitemap or an index of sitemaps by its root."""
    return root_of(start)[0].lower() in _ROOTS


def read(stream: BinaryIO, origin: str) -> Iterator[Rejection]:
    """Yield the reason why no article is in a sitemap, and how to get those it lists."""
    raw = stream.read(MAX_SITEMAP_BYTES + 1)
    try:
        found = listed(raw)
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error))
        return
    what = f"{len(found.sitemaps):,} other sitemaps" if found.sitemaps else f"{len(found.pages):,} pages"
    reason = f"a sitemap, which holds no texts: it lists {what}; `flask follow` with its address fetches them"
    yield Rejection(source=origin, reason=reason)


def listed(raw: bytes, *, charset: str | None = None) -> SitemapRead:
    """Return what the sitemap `raw` lists; `charset` is what the server said. Raises SourceError when it is none."""
    if len(raw) > MAX_SITEMAP_BYTES:
        raise SourceError("a sitemap larger than 50 MB, which the protocol does not allow: split it")
    text = decoded(raw, charset=charset)
    start = _START.search(text)
    if not start:
        raise SourceError("not a sitemap: neither urlset nor sitemapindex")
    root = mended(repaired_xml(text[start.start() :]).encode("utf-8", "replace"))
    pages, sitemaps = [], []
    for element in root.iter("{*}url", "{*}sitemap"):
        entry = _listed(element)
        if entry and _name(element) == "sitemap":
            sitemaps.append(entry)
        elif entry:
            pages.append(entry)
        if len(pages) + len(sitemaps) == MAX_ADDRESSES:
            break
    sitemaps.sort(key=lambda each: each.lastmod or "", reverse=True)
    return SitemapRead(pages=tuple(pages), sitemaps=tuple(sitemaps))


def _listed(element: "_Element") -> Listed | None:
    url = web_address(_text(element, "loc"), base=None)
    if url is None:
        return None
    news = element.find("{*}news")
    return Listed(url=url, lastmod=_text(element, "lastmod"), news=_news(news) if news is not None else None)


def _news(news: "_Element") -> News:
    publication = news.find("{*}publication")
    of = publication if publication is not None else news
    keywords = (_text(news, "keywords") or "").split(",")
    return News(
        title=plain_line(_text(news, "title") or "") or None,
        source=plain_line(_text(of, "name") or "") or None,
        language=language_tag(_text(of, "language")),
        published_at=stated_date(_text(news, "publication_date")),
        keywords=tuple(dict.fromkeys(word for keyword in keywords if (word := plain_line(keyword)))),
    )


def _name(element: "_Element") -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: "_Element", name: str) -> str | None:
    """Return the text of the child of this name, whatever its namespace, None where there is none."""
    child = element.find(f"{{*}}{name}")
    return "".join(map(str, child.itertext())).strip() or None if child is not None else None
