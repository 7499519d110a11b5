"""JSON Feed, versions 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/): what RSS is, in JSON.

Invariant: a value of the wrong type is taken for one that is missing, and costs neither its item nor the rest.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.dates import stated_date
from archive.readers.feeds.feed_entry import MAX_FEED_BYTES, FeedRead, Said, feed_read, read_feed

_VERSION = re.compile(r'(?<!\\)"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version\\?/')

_Fields = Mapping[str, object]


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file is one object that names a version of JSON Feed."""
    return start.startswith("{") and _VERSION.search(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the feed's items as articles, then why any, or all, could not be."""
    return read_feed(stream, origin, lambda raw: entries(raw, base=None, origin=origin))


def entries(raw: bytes, *, base: str | None, charset: str | None = None, origin: str = "feed") -> FeedRead:
    """Return what the feed `raw`, which was found at the address `base`, holds; `charset` is what the server said.

    Raises SourceError when it is none.
    """
    if len(raw) > MAX_FEED_BYTES:
        raise SourceError(f"a feed larger than {MAX_FEED_BYTES // 1_000_000} MB: split it")
    try:
        feed = json.loads(decoded(raw, charset=charset))
    except json.JSONDecodeError as error:
        raise SourceError(f"not complete JSON ({error.msg} in line {error.lineno}): get the feed again") from error
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits, brackets nested without end
        raise SourceError("JSON beyond what can be read: a number too long or lists nested too deep") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise SourceError("not a JSON Feed: it has no list of items")
    home, own = _text(feed, "home_page_url"), _text(feed, "feed_url")
    return feed_read(
        [_item(item, feed) for item in items if isinstance(item, dict)],
        title=_text(feed, "title"),
        address=home or own or base,
        base=base or own or home,
        links_next=_text(feed, "next_url"),
        origin=origin,
    )


def _item(item: _Fields, feed: _Fields) -> Said:
    return Said(
        title=_text(item, "title"),
        link=_text(item, "url") or _text(item, "external_url") or _link_of(_text(item, "id")),
        guid=_text(item, "id"),
        contents=tuple(text for name in ("content_html", "content_text") if (text := _text(item, name))),
        summary=_text(item, "summary"),
        published_at=stated_date(_text(item, "date_published")),
        updated_at=stated_date(_text(item, "date_modified")),
        authors=_authors(item) or _authors(feed),
        section=next((tag for tag in _list(item, "tags") if isinstance(tag, str) and tag.strip()), None),
        language=_text(item, "language") or _text(feed, "language"),
    )


def _link_of(own_id: str | None) -> str | None:
    """Return an id that is an address: the format asks for that where there is one."""
    return own_id if own_id and re.match("https?://", own_id) else None


def _authors(values: _Fields) -> tuple[str, ...]:
    listed = [*_list(values, "authors"), values.get("author")]  # version 1.0 has but one
    return tuple(name for author in listed if isinstance(author, dict) and (name := _text(author, "name")))


def _text(values: _Fields, name: str) -> str | None:
    value = values.get(name)
    if name == "id" and isinstance(value, int | float) and not isinstance(value, bool):  # the format allows for that
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def _list(values: _Fields, name: str) -> list[object]:
    value = values.get(name)
    return value if isinstance(value, list) else []
