"""NITF 3.x, with its namespace or a document type or neither: one article a file, or inside the NewsML formats.

Invariant: the article is known by its doc-id, which stays when a new version comes. A `date.release` later than the
date of issue is an embargo; many write the same moment into both.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Entry, Rejection
from archive.readers.agencies.agency import Item, document, entries
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
)
from archive.readers.lines import kept_raw
from archive.readers.markup import element_text
from archive.readers.normalise import one_line
from archive.readers.xml import root_of

if TYPE_CHECKING:
    from lxml.etree import _Element


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the root is `nitf`."""
    return root_of(start)[0] == "nitf"


def read(stream: BinaryIO, origin: str) -> Iterator[Entry]:
    """Yield the article in `stream`, or why there is none."""
    found = document(stream, origin)
    if isinstance(found, Rejection):
        yield found
        return
    nitf, raw = found
    order = _order(nitf)
    yield from entries(
        order, lambda: _item(nitf, order), lambda reason: Rejection(source=origin, reason=reason, raw=kept_raw(raw))
    )


def _order(nitf: "_Element") -> Item:
    """Return which article it is and whether it may be shown, whatever is wrong with the rest."""
    guid, aliases = _identity(nitf)
    released = attribute(nitf, "head/docdata/date.release", "norm")
    issued = moment(attribute(nitf, "head/docdata/date.issue", "norm"))
    opens = moment(released)
    is_held = bool(released) and not (issued and opens and opens <= issued)
    printed = moment(attribute(nitf, "head/pubdata", "date.publication"))
    messages = [each.get("info", "") for each in every(nitf, "head/docdata/ed-msg")]
    return Item(
        guid=guid,
        aliases=aliases,
        source=_source(nitf),
        url=attribute(nitf, "head/pubdata", "ex-ref"),
        created=issued or opens or printed,
        changed=moment(attribute(nitf, "head/revision-history", "norm")),
        version=version_number(attribute(nitf, "head/docdata/du-key", "version")),
        status=coded_status(attribute(nitf, "head/docdata", "management-status")),
        embargo=embargo(released) if is_held else None,
        note=one_line(" ".join(messages)) or None,
    )


def _item(nitf: "_Element", order: Item) -> Item:
    return replace(
        order,
        headline=headline(nitf),
        body=body(nitf),
        description=abstract(nitf),
        standfirst=standfirst(nitf),
        authors=authors(nitf),
        language=language(nitf),
        section=_section(nitf),
    )


def headline(nitf: "_Element") -> str:
    """Return the main headline, else the document's title."""
    heads = ("body/body.head/hedline/hl1", "body/body.head/hedline/hl2", "head/title")
    return next((text for path in heads for text in lines_at(nitf, path)), "")


def body(nitf: "_Element") -> str:
    """Return the text of the article."""
    contents = list(every(nitf, "body/body.content"))
    contents = contents or [each for each in every(nitf, "body/*") if local_name(each) not in ("body.head", "body.end")]
    return "\n\n".join(text for content in contents if (text := element_text(content)))


def abstract(nitf: "_Element") -> str:
    """Return the summary that stands before the text."""
    found = first(nitf, "body/body.head/abstract")
    return "" if found is None else element_text(found)


def standfirst(nitf: "_Element") -> str:
    """Return the headlines below the main one and the summary, a paragraph each."""
    below = lines_at(nitf, "body/body.head/hedline/hl2") if lines_at(nitf, "body/body.head/hedline/hl1") else []
    return "\n\n".join(filter(None, [*below, abstract(nitf)]))


def authors(nitf: "_Element") -> tuple[str, ...]:
    """Return who wrote it: the people the byline names, else the byline without their titles."""
    people: list[str] = []
    for byline in every(nitf, "body/body.head/byline"):
        named = [line(person) for person in descendants(byline, "person")]
        titles = [line(title) for title in descendants(byline, "byttl", "location", "virtloc")]
        text = line(byline)
        for title in titles:
            text = text.replace(title, "").strip(" ,;") or title
        people += [name for each in named or [text] for name in names_in(each)]
    return tuple(dict.fromkeys(people))


def language(nitf: "_Element") -> str | None:
    """Return the language that the text, or the document, says it is in."""
    places = [first(nitf, "body/body.content"), first(nitf, "body"), nitf]
    return language_of(*(place.get(XML_LANG) or place.get("lang") for place in places if place is not None))


def _identity(nitf: "_Element") -> tuple[str | None, tuple[str, ...]]:
    """Return the article's globally unique name, and its other ids. A local id counts together with who gave it."""
    registrar = attribute(nitf, "head/docdata/doc-id", "regsrc")
    own = attribute(nitf, "head/docdata/doc-id", "id-string")
    if own:
        return (own if ":" in own or not registrar else f"{registrar}:{own}"), ()
    key = attribute(nitf, "head/docdata/du-key", "key")
    part = attribute(nitf, "head/docdata/du-key", "part")
    source = _source(nitf)
    return (":".join(filter(None, (source, key, part))) if key and source else None), ()


def _section(nitf: "_Element") -> str | None:
    subject = attribute(nitf, "head/tobject/tobject.subject", "tobject.subject.type")
    position = attribute(nitf, "head/pubdata", "position.section")
    sections = (
        meta.get("content", "")
        for meta in every(nitf, "head/meta")
        if (meta.get("name") or "").lower() in ("section", "category", "ressort")
    )
    return position or next(filter(None, sections), None) or subject or None


def _source(nitf: "_Element") -> str | None:
    distributor = line(first(nitf, "body/body.head/distributor"))
    holder = attribute(nitf, "head/docdata/doc.copyright", "holder")
    paper = attribute(nitf, "head/pubdata", "name")
    return distributor or paper or holder or attribute(nitf, "head/docdata/doc-id", "regsrc") or None
