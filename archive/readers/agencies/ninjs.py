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
from archive.readers.agencies.agency import (
    STANDFIRST_ROLES,
    Item,
    Text,
    embargo,
    entries,
    first_address,
    fullest,
    language_of,
    moment,
    names_in,
    status,
    version_number,
)
from archive.readers.agencies.published import ninjs_fault
from archive.readers.json_values import JSONValues
from archive.readers.lines import kept_raw
from archive.readers.markup import IN_AGENCIES, has_markup, plain_text
from archive.readers.normalise import body_text, has_words, one_line

Fields = Mapping[str, object]  # an item's properties, their names in lower case: generation 3 writes them in camel case

IDS = ("uri", "guid", "urn")
WRAPPERS = frozenset({"data", "items", "item", "newsitems", "entries", "results", "_items", "articles", "documents"})
PLURALS = {"headline": "headlines", "body": "bodies", "description": "descriptions"}  # from generation 2 on
MAX_NESTING = 4  # of items within items and of what wraps them
MAIN_ROLES = ("main", "", "headline", "text")  # in this order
NO_TEXT_ROLES = frozenset({"creditline", "credit", "writer", "byline", "slugline", "keywords"})
ALONE = frozenset({"text", "audio", "video", "picture", "graphic", "composite"})  # news with a headline alone
MAX_REASON_VALUE = 60

_OBJECT = re.compile(r"(?:\[\s*)*\{")
_ID = re.compile(r'"(?:uri|guid|urn)"\s*:\s*"', re.IGNORECASE)
_OWN_KEY = re.compile(
    r'"(?:pubstatus|version_?created|first_?created|content_?created|body_x?html|bodies|headlines|representation_?type'
    r'|renditions|usageterms|copyright_?holder|copyright_?notice|embargoed|ednote|\$standard|article_html)"\s*:',
    re.IGNORECASE,
)
_RECORD_KEY = re.compile(r'"(?:body|text|content)"\s*:')  # of the records that `jsonl` reads
_NITF = re.compile(r"<body\.content\b|\A\s*<(?:block|p|hl2)\b")
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
        order = _order(_lowered(value))
    except SourceError as error:
        yield refused(str(error))
        return
    yield from entries(order, lambda: _valid_item(value, order), refused)


def _valid_item(value: Mapping[str, object], order: Item) -> Item:
    item = _item(_lowered(value), order)
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
    fields = _lowered(value)
    return value.get("type") == "composite" and not (_has_words(fields, "body") or _has_words(fields, "headline"))


def _has_words(fields: Fields, name: str) -> bool:
    """Tell whether a property has words, in whatever generation; what is wrong with it is said where it is read."""
    try:
        return any(has_words(text.text) for text in _texts(fields, name, PLURALS[name]))
    except SourceError:
        return True


def _associated(value: Mapping[str, object], depth: int) -> Iterator[dict[str, object]]:
    """Yield what is associated with an item and carries a text of its own: articles, not pictures with captions."""
    found = _lowered(value).get("associations")
    inner = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    for each in inner if depth else []:
        if isinstance(each, dict):
            fields = _lowered(each)
            if _has_words(fields, "body") and any(fields.get(name) for name in IDS):
                yield each
            yield from _associated(each, depth - 1)


def _lowered(value: Mapping[str, object]) -> Fields:
    return {name.lower(): inner for name, inner in value.items()}


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
    language = language_of(_string(fields, "language"))
    bodies = _texts(fields, "body", "bodies") or _texts(fields, "article_html", "")
    return replace(
        order,
        headline=_headline(fields),
        body=fullest(bodies, language),
        description=fullest([*_texts(fields, "description", "descriptions"), *_texts(fields, "teaser", "")], language),
        standfirst=_standfirst(fields),
        authors=_authors(fields),
        language=language,
        section=_section(fields),
        created=_first_moment(fields, "firstpublished", "firstcreated", "contentcreated"),
    )


def _own_id(fields: Fields) -> str | None:
    for name in IDS:
        if (uri := _string(fields, name)) and uri.strip():
            return uri.strip()
    return None


def _string(fields: Fields, name: str) -> str | None:
    """Return a property that must be text where it is given."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise SourceError(f"{name} is not text: {str(value)[:MAX_REASON_VALUE]}")


def _first_moment(fields: Fields, *names: str) -> datetime | None:
    return next((found for name in names if (found := moment(fields.get(name)))), None)


def _headline(fields: Fields) -> str:
    headlines = _texts(fields, "headline", "headlines")
    return next((line for text in headlines if (line := one_line(text.text))), one_line(_string(fields, "title") or ""))


def _standfirst(fields: Fields) -> str:
    """Return the headlines and descriptions whose role says that they stand above the text, a paragraph each."""
    found = [("subheadline", fields.get("subheadline"))]
    for name in ("headline", "description"):
        found += [(own, fields[own]) for own in sorted(fields) if _role(own, name) in STANDFIRST_ROLES]
        listed = fields.get(PLURALS[name])
        values = [_lowered(value) for value in listed if isinstance(value, dict)] if isinstance(listed, list) else []
        found += [
            (str(value.get("contenttype") or ""), value.get("value"))
            for value in values
            if str(value.get("role") or "").lower() in STANDFIRST_ROLES
        ]
    return "\n\n".join(_text(value, kind).text for kind, value in found if isinstance(value, str) and has_words(value))


def _texts(fields: Fields, name: str, listed: str) -> list[Text]:
    """Return the texts of a property: of `body`, `body_text`, `body_xhtml`… in generation 1, of `bodies` in the later.

    The main one comes first. Raises SourceError when one is not text.
    """
    found: list[tuple[int, Text]] = []
    for own in sorted(fields):
        role = _role(own, name)
        if role is not None and role not in NO_TEXT_ROLES and fields[own] is not None:
            found.append((_rank(role), _text(_string(fields, own) or "", own)))
    values = fields.get(listed) if listed else None
    if values is not None and not isinstance(values, list):
        raise SourceError(f"{listed} is not a list")
    for value in values or []:
        if not isinstance(value, dict) or not isinstance(value.get("value", ""), str):
            raise SourceError(f"{listed} holds what is no text: {str(value)[:MAX_REASON_VALUE]}")
        own_fields = _lowered(value)
        role = str(own_fields.get("role") or "")
        if role.lower() not in NO_TEXT_ROLES:
            kind = f"{role} {own_fields.get('contenttype') or ''}"
            found.append((_rank(role), _text(str(own_fields.get("value") or ""), kind)))
    return [text for _, text in sorted(found, key=lambda each: each[0])]


def _role(own: str, name: str) -> str | None:
    """Return the role that generation 1 writes after a property's name, or None for another property."""
    if own == name:
        return ""
    return own[len(name) + 1 :] if re.match(f"{name}_[a-z0-9_]", own) else None


def _rank(role: str) -> int:
    return MAIN_ROLES.index(role.lower()) if role.lower() in MAIN_ROLES else len(MAIN_ROLES)


def _text(value: str, kind: str) -> Text:
    kind = kind.lower()
    is_other = ("xml" in kind or "nitf" in kind) and "html" not in kind
    if is_other:  # NITF is read; what else there may be is not for people
        return Text(text=plain_text(value, IN_AGENCIES) if _NITF.search(value) else "")
    if "plain" in kind or not (has_markup(value) or "html" in kind):
        return Text(text=body_text(value))
    if not has_markup(value):  # a blank line is all that can part paragraphs in it
        value = "".join(f"<p>{paragraph}</p>" for paragraph in re.split(r"\n\s*\n", value))
    return Text(text=plain_text(value, IN_AGENCIES))


# What is said about it


def _authors(fields: Fields) -> tuple[str, ...]:
    listed = fields.get("authors")
    names = _names(listed) if isinstance(listed, list) else []
    bylines = [_string(fields, "byline"), _string(fields, "by"), *_bylines(fields.get("bylines"))]
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
