"""ninjs 1.0 to 3.1, IPTC's news in JSON, and what agencies and their systems make of it.

Invariant: one item that is wrong costs itself alone. An item with a text is read whatever else it holds; of what
decides whether and as what it is shown (its uri, status, headline and text) the types must be right. An item that has
only a headline must be valid in one of the published schemas.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

from archive.article import Entry, Rejection
from archive.errors import SourceError
from archive.readers.agencies.agency import Item, entries, fullest
from archive.readers.agencies.ninjs_texts import Fields, has_words_in, headline, lowered, standfirst, string, texts
from archive.readers.agencies.published import ninjs_fault
from archive.readers.agencies.values import (
    embargo,
    first_address,
    language_of,
    moment,
    names_in,
    status,
    version_number,
)
from archive.readers.json_values import JSONValues
from archive.readers.lines import kept_raw
from archive.readers.normalise import has_words, one_line

IDS = ("uri", "guid", "urn")
WRAPPERS = frozenset({"data", "items", "item", "newsitems", "entries", "results", "_items", "articles", "documents"})
MAX_NESTING = 4  # of items within items and of what wraps them
ALONE = frozenset({"text", "audio", "video", "picture", "graphic", "composite"})  # news with a headline alone

_OBJECT = re.compile(r"(?:\[\s*)*\{")
_ID = re.compile(r'"(?:uri|guid|urn)"\s*:\s*"', re.IGNORECASE)
_OWN_KEY = re.compile(
    r'"(?:pubstatus|version_?created|first_?created|content_?created|body_x?html|bodies|headlines|representation_?type'
    r'|renditions|usageterms|copyright_?holder|copyright_?notice|embargoed|ednote|\$standard|article_html)"\s*:',
    re.IGNORECASE,
)
_RECORD_KEY = re.compile(r'"(?:body|text|content)"\s*:')  # of the records that `jsonl` reads
_FOREIGN = re.compile(r'"(?:https?://jsonfeed\.org|@context"|\$schema"\s*:)')


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file holds objects with a uri and what ninjs alone has, or nothing that others read."""
    if not _OBJECT.match(start) or not _ID.search(start) or _FOREIGN.search(start[:2000]):
        return False
    return _OWN_KEY.search(start) is not None or _RECORD_KEY.search(start) is None


def read(stream: BinaryIO, origin: str) -> Iterator[Entry]:
    """Yield what becomes of every item in `stream`: an object, a list, or objects one after the other."""
    for line, text, value in JSONValues(stream):
        raw = kept_raw(text.encode("utf-8", "surrogateescape"))
        if isinstance(value, SourceError):
            yield Rejection(source=origin, line=line, reason=str(value), raw=raw)
            continue
        for found in _items(value, MAX_NESTING):
            yield from _entries(found, origin, line, raw)


def _items(value: object, depth: int) -> Iterator[object]:
    """Yield the items in `value`: itself, or those in the lists that wrap them."""
    if isinstance(value, list) and depth:
        for each in value:
            yield from _items(each, depth - 1)
        return
    if isinstance(value, dict) and depth and not any(name in IDS for name in map(str.lower, value)):
        wrapped = [
            inner for name, inner in value.items() if name.lower() in WRAPPERS and isinstance(inner, list | dict)
        ]
        if wrapped:
            for inner in wrapped:
                yield from _items(inner, depth - 1)
            return
    yield value


def _entries(value: object, origin: str, line: int, raw: bytes | None) -> Iterator[Entry]:
    """Yield the item and the whole articles associated with it. One that only holds others is passed over."""
    inner: list[Entry] = []
    if isinstance(value, dict):
        inner = [found for each in _associated(value, MAX_NESTING) for found in _entry(each, origin, line, raw)]
    for own in _entry(value, origin, line, raw):
        if not (inner and isinstance(own, Rejection) and isinstance(value, dict) and _is_package(value)):
            yield own
    yield from inner


def _entry(value: object, origin: str, line: int, raw: bytes | None) -> Iterator[Entry]:
    def refused(reason: str) -> Rejection:
        return Rejection(source=origin, line=line, reason=reason, raw=raw)

    if not isinstance(value, dict):
        yield refused("not an object: an item of ninjs is one")
        return
    try:
        order = _order(lowered(value))
    except SourceError as error:
        yield refused(str(error))
        return
    yield from entries(order, lambda: _valid_item(value, order), refused)


def _valid_item(value: Mapping[str, object], order: Item) -> Item:
    item = _item(lowered(value), order)
    if not (item.has_text or item.takes_back):
        fault = ninjs_fault(value)
        if fault:
            raise SourceError(f"not valid ninjs: {fault}")
        _check_headline_alone(value, item)
    return item


def _check_headline_alone(value: Mapping[str, object], item: Item) -> None:
    kind = value.get("type", "text")
    if kind not in ALONE and has_words(item.headline):
        raise SourceError(f"type {kind}: with nothing but a headline it is no article")


def _is_package(value: Mapping[str, object]) -> bool:
    fields = lowered(value)
    return value.get("type") == "composite" and not (has_words_in(fields, "body") or has_words_in(fields, "headline"))


def _associated(value: Mapping[str, object], depth: int) -> Iterator[dict[str, object]]:
    """Yield what is associated with an item and carries a text of its own: articles, not pictures with captions."""
    found = lowered(value).get("associations")
    inner = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    for each in inner if depth else []:
        if isinstance(each, dict):
            fields = lowered(each)
            if has_words_in(fields, "body") and any(fields.get(name) for name in IDS):
                yield each
            yield from _associated(each, depth - 1)


# An item


def _order(fields: Fields) -> Item:
    """Return which item it is and whether it may be shown, whatever is wrong with the rest."""
    guid = _own_id(fields)
    if guid is None:
        raise SourceError("uri is missing: nothing says which item it is")
    said, embargoed, note = (fields.get(name) for name in ("pubstatus", "embargoed", "ednote"))
    return Item(
        guid=guid,
        source=_source(fields),
        url=first_address(fields.get("url"), *_canonical(fields), guid),
        changed=_first_moment(fields, "versioncreated", "version_created", "updated"),
        version=version_number(fields.get("version")),
        status=status("" if said is None else str(said)),
        embargo=embargo(embargoed) if embargoed not in (None, "") else None,
        note=(one_line(note) or None) if isinstance(note, str) else None,
    )


def _item(fields: Fields, order: Item) -> Item:
    language = language_of(string(fields, "language"))
    bodies = texts(fields, "body", "bodies") or texts(fields, "article_html", "")
    return replace(
        order,
        headline=headline(fields),
        body=fullest(bodies, language),
        description=fullest([*texts(fields, "description", "descriptions"), *texts(fields, "teaser", "")], language),
        standfirst=standfirst(fields),
        authors=_authors(fields),
        language=language,
        section=_section(fields),
        created=_first_moment(fields, "firstpublished", "firstcreated", "contentcreated"),
    )


def _own_id(fields: Fields) -> str | None:
    for name in IDS:
        if (uri := string(fields, name)) and uri.strip():
            return uri.strip()
    return None


def _first_moment(fields: Fields, *names: str) -> datetime | None:
    return next((found for name in names if (found := moment(fields.get(name)))), None)


# What is said about it


def _authors(fields: Fields) -> tuple[str, ...]:
    listed = fields.get("authors")
    names = _names(listed) if isinstance(listed, list) else []
    bylines = [string(fields, "byline"), string(fields, "by"), *_bylines(fields.get("bylines"))]
    named = [name for byline in bylines if byline for name in names_in(byline)]
    return tuple(dict.fromkeys(named or names))


def _bylines(value: object) -> list[str]:
    each = value if isinstance(value, list) else []
    return [by for byline in each if isinstance(byline, dict) and isinstance(by := byline.get("by"), str)]


def _section(fields: Fields) -> str | None:
    for name in ("service", "category", "categories", "rubrics", "subject", "subjects", "genre", "genres"):
        names = _names(fields.get(name))
        if names:
            return names[0]
    return None


def _source(fields: Fields) -> str | None:
    for name in ("source", "provider", "copyrightholder", "infosource", "infosources", "creditline"):
        names = _names(fields.get(name))
        if names:
            return names[0]
    return None


def _names(value: object) -> list[str]:
    """Return the names in a text, an object with a name, or a list of either."""
    if isinstance(value, str):
        return [name] if (name := one_line(value)) else []
    if isinstance(value, dict):
        return _names(value.get("name")) if isinstance(value.get("name"), str) else []
    return [name for each in value for name in _names(each)] if isinstance(value, list) else []


def _canonical(fields: Fields) -> list[object]:
    links = fields.get("links") or fields.get("link")
    listed = links if isinstance(links, list) else [links]
    found = [each.get("href") for each in listed if isinstance(each, dict) and each.get("rel") == "canonical"]
    altids = fields.get("altids")
    if isinstance(altids, list):
        return [*found, *(each.get("value") for each in altids if isinstance(each, dict))]
    return [*found, *altids.values()] if isinstance(altids, dict) else [*found]
