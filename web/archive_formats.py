"""The archive to take away, in formats that others read: a line, a row or an entry an article.

Invariant: each is written piece by piece, and takes no more memory than one article. What is written here may be shown
to any reader: it is the shown version of what is not removed, embargoed or withheld. The archive's own format, which
holds everything, is `archive.readers.records.exchange`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from flask import url_for

from archive.article import Article, Edition
from index.snippet import snippet
from web.export import BOM, csv_cell, csv_line
from web.feed_formats import Entry, Feed, atom_in_pieces
from web.feeds import News, entry_of, last_change, urn_of
from web.payload import Json, instant
from web.services import Services
from web.urls import absolute

NINJS = {
    "name": "ninjs",
    "version": "3.1",
    "schema": "https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json",
}
COLUMNS = (
    "id", "url", "title", "source", "section", "authors", "language", "published_at", "updated_at", "body",
)  # fmt: skip

Editions = Iterable[Edition]


def json_line(value: Json) -> str:
    """Return an object as one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def ninjs_lines(parts: Services, editions: Editions) -> Iterator[str]:
    """Yield each article as a ninjs item, one a line."""
    return (json_line(ninjs_item(parts, edition)) for edition in editions)


def ninjs_item(parts: Services, edition: Edition) -> Json:
    """Return an article as a news item of IPTC's ninjs 3.1."""
    article = edition.article
    item: Json = {
        "uri": article.url or urn_of(parts, article.id),
        "standard": NINJS,
        "type": "text",
        "version": str(article.source_version or article.version),
        "contentCreated": instant(article.published_at),
        "versionCreated": instant(article.updated_at or article.published_at or edition.ingested_at),
        "pubStatus": "usable",
        "language": article.language,
        "edNote": article.note,
        "by": _byline(article.authors),
        "people": [{"rel": "author", "name": name} for name in article.authors] or None,
        "infoSources": [{"name": article.source}] if article.source else None,
        "subjects": [{"name": article.section, "literal": article.section}] if article.section else None,
        "headlines": None if article.derived_title else [{"role": "main", "value": article.title}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": article.body}],
        "altIds": [{"role": "backfile", "value": article.id}],
    }
    return {name: value for name, value in item.items() if value is not None}


def _byline(names: Sequence[str]) -> str | None:
    """Return the names as a byline, which is in English whatever a reader speaks: readers of ninjs take it apart."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or None


def csv_lines(_parts: Services, editions: Editions) -> Iterator[str]:
    """Yield a table whose columns `flask ingest` knows."""
    yield BOM + csv_line(COLUMNS)
    for edition in editions:
        yield csv_line([csv_cell(_column(edition.article, name)) for name in COLUMNS])


def _column(article: Article, name: str) -> object:
    if name in ("published_at", "updated_at"):
        return instant(getattr(article, name))
    if name == "title" and article.derived_title:
        return None
    value = getattr(article, name)
    return list(value) if isinstance(value, tuple) else value


def atom(parts: Services, editions: Editions) -> Iterator[str]:
    """Yield one feed of all articles with their whole texts. The site must know its own address."""
    site = parts.settings.site_name
    home = url_for("pages.home")
    feed = Feed(
        id=urn_of(parts, "export"),
        title=site,
        site=site,
        page=absolute(home),
        address=absolute(home),
        updated=last_change(parts),
        entries=(_entry(parts, edition) for edition in editions),
    )
    return atom_in_pieces(feed)


def _entry(parts: Services, edition: Edition) -> Entry:
    body = edition.article.body
    entry = entry_of(parts, News(edition.article, edition.ingested_at, snippet(body, None, words=()).text))
    return replace(entry, content=body)
