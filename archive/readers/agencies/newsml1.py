"""NewsML 1.0 to 1.2: news items with components within components, and NITF, XHTML or plain text at the bottom.

Invariant: an item that is wrong costs itself alone. The name of an item is the one it has in NewsML-G2 as well,
`urn:newsml:provider:date:id`, without the revision, so that a later revision finds the earlier one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Entry, Rejection
from archive.errors import SourceError
from archive.readers.agencies import nitf
from archive.readers.agencies.agency import Item, Text, document, entries, fullest, refusing
from archive.readers.agencies.values import coded_status, embargo, language_of, moment, names_in, version_number
from archive.readers.elements import (
    XML_LANG,
    attribute,
    descendants,
    every,
    first,
    line,
    lines_at,
    local_name,
    raw_text,
)
from archive.readers.markup import IN_AGENCIES, element_text, has_markup, plain_text
from archive.readers.normalise import body_text
from archive.readers.xml import root_of

if TYPE_CHECKING:
    from lxml.etree import _Element

ROOT = "NewsML"
BODY_ROLES = frozenset({"body", "main", "text", "maintext", "story", "article"})
CAPTION_ROLES = frozenset({"caption", "abstract", "summary", "description", "lead"})
ROLES_BESIDE = frozenset(
    ("stylesheet", "headline", "subheadline", "contact", "byline", "dateline", "keywords", "credit")
)

_REVISION = re.compile(r":\d+[NUA]?$")
_CODE = re.compile(r"[\d:.-]+")


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the root is `NewsML`."""
    return root_of(start)[0] == ROOT


def read(stream: BinaryIO, origin: str) -> Iterator[Entry]:
    """Yield what becomes of every news item in `stream`."""
    found = document(stream, origin)
    if isinstance(found, Rejection):
        yield found
        return
    root, _ = found
    news_items = list(every(root, "NewsItem"))
    if not news_items:
        yield Rejection(source=origin, reason="a NewsML document without a NewsItem")
    for news in news_items:
        yield from _entries(news, root, origin)


def _entries(news: "_Element", root: "_Element", origin: str) -> Iterator[Entry]:
    refused = refusing(news, origin)
    order = _order(news, root)
    if order.guid:
        yield from entries(order, lambda: _item(news, root, order), refused)
    else:
        yield refused("NewsItem without an Identification: nothing says which item it is")


def _order(news: "_Element", root: "_Element") -> Item:
    """Return which item it is and whether it may be shown, whatever is wrong with the rest."""
    said, held_until = _status(news)
    return Item(
        guid=_guid(news),
        source=_source(news, root),
        changed=moment(line(first(news, "NewsManagement/ThisRevisionCreated"))),
        version=version_number(line(first(news, "Identification/NewsIdentifier/RevisionId"))),
        status=said,
        embargo=held_until,
        note=" ".join([*lines_at(news, "NewsManagement/Instruction/Comment"), *lines_at(news, "Comment")]) or None,
    )


def _item(news: "_Element", root: "_Element", order: Item) -> Item:
    if first(news, "Update") is not None:
        raise SourceError("changes to an earlier revision instead of the item itself: send the whole item")
    contents = list(_contents(news))
    captions = [content for content in contents if content.role in CAPTION_ROLES]
    bodies = [content for content in contents if content.role in BODY_ROLES] or [
        content for content in contents if content.role not in CAPTION_ROLES | ROLES_BESIDE
    ]
    languages = [each.get("FormalName") for each in descendants(news, "Language")]
    language = language_of(*languages, news.get(XML_LANG), root.get(XML_LANG))
    chosen = fullest([content.text for content in bodies], language)
    holder = next((content.element for content in bodies if content.text.text == chosen), None)
    inner = [] if holder is None else list(descendants(holder, "nitf"))
    around = list(_around(holder, news))
    return replace(
        order,
        headline=_nearest_line(around, news, "HeadLine") or next(filter(None, map(nitf.headline, inner)), ""),
        body=chosen,
        description=fullest([content.text for content in captions], language),
        standfirst=next(filter(None, map(nitf.standfirst, inner)), ""),
        authors=names_in(_nearest_line(around, news, "ByLine"))
        or next(filter(None, map(nitf.authors, inner)), ())
        or tuple(_parties(news, "Creator")),
        language=language or next(filter(None, map(nitf.language, inner)), None),
        section=_section(news),
        created=moment(line(first(news, "NewsManagement/FirstCreated"))),
    )


def _guid(news: "_Element") -> str | None:
    name = "Identification/NewsIdentifier"
    parts = [line(first(news, f"{name}/{part}")) for part in ("ProviderId", "DateId", "NewsItemId")]
    if all(parts):
        return ":".join(["urn:newsml", *parts])
    return _REVISION.sub("", line(first(news, f"{name}/PublicIdentifier"))) or None


def _status(news: "_Element") -> tuple[str, datetime | None]:
    """Return the publishing status and the end of the embargo: when the status will change to usable."""
    name = attribute(news, "NewsManagement/Status", "FormalName").lower()
    change = first(news, "NewsManagement/StatusWillChange")
    future = "" if change is None else attribute(change, "FutureStatus", "FormalName").lower()
    opens = line(first(change, "DateAndTime")) if change is not None and future == "usable" else ""
    if opens and name in ("embargoed", "withheld"):
        return "embargoed", embargo(opens)
    return coded_status(name), None


# The text


@dataclass(frozen=True, slots=True)
class _Content:
    """A piece of content with the role and in the language of the component it lies in."""

    element: "_Element"
    role: str
    text: Text


def _contents(news: "_Element") -> Iterator[_Content]:
    """Yield the item's contents; a component without a role or language has those of the one around it."""
    pending: list[tuple[_Element, str, str | None]] = [(news, "", None)]
    while pending:
        element, role, language = pending.pop()
        if local_name(element) == "DataContent":
            text = Text(text=_text(element), language=element.get(XML_LANG) or language)
            yield _Content(element, role, text)
            continue
        role = attribute(element, "Role", "FormalName").replace(" ", "").lower() or role
        language = attribute(element, "DescriptiveMetadata/Language", "FormalName") or language
        pending += [(child, role, language) for child in reversed(element)]


def _text(content: "_Element") -> str:
    articles = list(descendants(content, "nitf"))
    if articles:
        return "\n\n".join(text for each in articles if (text := nitf.body(each)))
    if len(content):
        return element_text(content)
    text = raw_text(content)
    return plain_text(text, IN_AGENCIES) if has_markup(text) else body_text(text)


def _around(element: "_Element | None", news: "_Element") -> "Iterator[_Element]":
    """Yield the elements that `element` lies in, the nearest first, up to the item."""
    while element is not None and element is not news:
        element = element.getparent()
        if element is not None:
            yield element


def _nearest_line(around: "list[_Element]", news: "_Element", name: str) -> str:
    """Return the line of this name of the nearest component around, else the item's first."""
    near = (text for each in around for text in lines_at(each, f"NewsLines/{name}"))
    anywhere = (text for each in descendants(news, name) if (text := line(each)))
    return next(near, "") or next(anywhere, "")


# What is said about it


def _parties(news: "_Element", role: str) -> "list[str]":
    found = [each for holder in descendants(news, role) for each in every(holder, "Party")]
    return [name for each in found if (name := each.get("FormalName", "").strip())]


def _section(news: "_Element") -> str | None:
    """Return the first subject or genre that has a name and not only a code."""
    names = [each.get("FormalName", "") for each in descendants(news, "Subject", "SubjectMatter", "Genre")]
    return next((name for name in names if name and not _CODE.fullmatch(name)), None)


def _source(news: "_Element", root: "_Element") -> str | None:
    providers = _parties(news, "Provider")
    sender = attribute(root, "NewsEnvelope/SentFrom/Party", "FormalName")
    return next(filter(None, [*providers, sender, line(first(news, "Identification/NewsIdentifier/ProviderId"))]), None)
