"""NewsML-G2: news items, alone or many in a news message, with XHTML, NITF or plain text inside.

Invariant: an item that is wrong costs itself alone. Packages list other items and are passed over in a message;
concepts, knowledge, plans and catalogs are no articles. Names of elements count without their namespace, and of coded
values the part after the colon, as every scheme for them keeps IPTC's own codes there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Entry, Rejection
from archive.errors import SourceError
from archive.readers.agencies import nitf
from archive.readers.agencies.agency import STANDFIRST_ROLES, Item, Text, document, entries, fullest, refusing
from archive.readers.agencies.published import newsml_g2_fault
from archive.readers.agencies.values import (
    coded_status,
    embargo,
    first_address,
    language_of,
    moment,
    names_in,
    version_number,
)
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
from archive.readers.normalise import body_text, one_line
from archive.readers.xml import root_of

if TYPE_CHECKING:
    from lxml.etree import _Element

MESSAGE, PACKAGE, NEWS = "newsMessage", "packageItem", "newsItem"
NO_ARTICLES = {
    PACKAGE: "a package: it lists other items and has no text of its own",
    "conceptItem": "a concept: vocabulary, not an article",
    "knowledgeItem": "a set of concepts: vocabulary, not an article",
    "planningItem": "a plan of coverage, not an article",
    "catalogItem": "a catalog of vocabularies, not an article",
    "catalog": "a catalog of vocabularies, not an article",
}
ROOTS = frozenset({MESSAGE, NEWS, *NO_ARTICLES})
SAID_BY_SIGNAL = frozenset({"correction", "update", "recast", "writethru", "retraction", "refile"})
NO_TEXTS = frozenset({"audio", "video", "image", "application/pdf"})
ABSTRACT = frozenset({"", "abstract"})  # the kinds of subjects that name a topic; others are people, places, events


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the root is an item of NewsML-G2 or a message of them."""
    return root_of(start)[0] in ROOTS


def read(stream: BinaryIO, origin: str) -> Iterator[Entry]:
    """Yield what becomes of every news item in `stream`."""
    found = document(stream, origin)
    if isinstance(found, Rejection):
        yield found
        return
    root, _ = found
    if local_name(root) != MESSAGE:
        yield from _entries(root, origin)
        return
    items = list(every(root, "itemSet/*"))
    if not items:
        yield Rejection(source=origin, reason="a news message without items")
    has_news = any(local_name(each) == NEWS for each in items)
    for each in items:
        if local_name(each) != PACKAGE or not has_news:
            yield from _entries(each, origin)


def _entries(element: "_Element", origin: str) -> Iterator[Entry]:
    refused = refusing(element, origin)
    name = local_name(element)
    if name != NEWS:
        yield refused(NO_ARTICLES.get(name, f"{name[:60]}: no item that NewsML-G2 has"))
        return
    meta = first(element, "itemMeta")
    if not element.get("guid", "").strip():
        yield refused("newsItem without a guid: nothing says which item it is")
    elif meta is None:
        yield refused("newsItem without itemMeta: nothing says when it was made and whether it may be shown")
    else:
        order = _order(element, meta)
        yield from entries(order, lambda: _valid_item(element, order), refused)


def _valid_item(news: "_Element", order: Item) -> Item:
    item = _item(news, order)
    fault = None if item.has_text or item.takes_back else newsml_g2_fault(news)
    if fault:
        raise SourceError(f"not valid NewsML-G2: {fault}")
    return item


def _order(news: "_Element", meta: "_Element") -> Item:
    """Return which item it is and whether it may be shown, whatever is wrong with the rest."""
    content = first(news, "contentMeta")
    embargoed = first(meta, "embargoed")
    return Item(
        guid=one_line(news.get("guid", "")),
        source=_source(news, meta, content),
        url=_address(news, meta, content),
        changed=_moment(meta, "versionCreated"),
        version=version_number(news.get("version")),
        status=coded_status(_code(meta, "pubStatus")),
        embargo=None if embargoed is None else embargo(line(embargoed)),
        note=_note(meta),
    )


def _item(news: "_Element", order: Item) -> Item:
    content = first(news, "contentMeta")
    inner = [element for place in every(news, "contentSet/inlineXML") for element in descendants(place, "nitf")]
    language = _language(news, content)
    texts = [*_texts(news)]
    created = _moment(news, "itemMeta/firstCreated")
    return replace(
        order,
        headline=_headline(content, language) or next(filter(None, map(nitf.headline, inner)), "") or _title(news),
        body=fullest(texts, language),
        description=fullest(_descriptions(content), language) or next(filter(None, map(nitf.abstract, inner)), ""),
        standfirst=_standfirst(content, language) or next(filter(None, map(nitf.standfirst, inner)), ""),
        authors=_authors(content) or next(filter(None, map(nitf.authors, inner)), ()),
        language=language or next(filter(None, map(nitf.language, inner)), None),
        section=_section(content, language),
        created=created or (_moment(content, "contentCreated") if content is not None else None),
    )


def _moment(parent: "_Element", path: str) -> datetime | None:
    return moment(line(first(parent, path)))


def _code(parent: "_Element", path: str) -> str:
    found = first(parent, path)
    if found is None:
        return ""
    return found.get("qcode") or found.get("uri") or found.get("literal") or line(found)


def _tail(code: str) -> str:
    return code.rstrip("/").replace("/", ":").rpartition(":")[2]


# The text


def _texts(news: "_Element") -> Iterator[Text]:
    for holder in every(news, "contentSet/*"):
        kind = (holder.get("contenttype") or "").lower()
        if local_name(holder) == "inlineXML":
            text = _inline_text(holder)
        elif local_name(holder) == "inlineData" and not holder.get("encoding") and not _is_media(kind):
            text = raw_text(holder)
            text = plain_text(text, IN_AGENCIES) if has_markup(text) else body_text(text)
        else:
            continue
        language = holder.get(XML_LANG) or next((each.get(XML_LANG) for each in holder if each.get(XML_LANG)), None)
        yield Text(text=text, language=language)


def _is_media(kind: str) -> bool:
    return kind in NO_TEXTS or kind.partition("/")[0] in NO_TEXTS


def _inline_text(holder: "_Element") -> str:
    """Return the article in inline XML; data, such as results or events, has no paragraphs and is no text."""
    articles = [each for each in holder.iter() if local_name(each) == "nitf"]
    if articles:
        return "\n\n".join(text for each in articles if (text := nitf.body(each)))
    if next(descendants(holder, "p", "pre", "body", "div"), None) is None:
        return ""
    return element_text(holder)


def _headline(content: "_Element | None", language: str | None) -> str:
    """Return the main headline in the item's language: the one whose role says so, else one without a role."""
    found = [] if content is None else [each for each in every(content, "headline") if line(each)]
    own = [each for each in found if _is_in(each, language)] or found

    def rank(headline: "_Element") -> int:
        role = _role(headline)
        return ("main", "", "headline", "title").index(role) if role in ("main", "", "headline", "title") else 4

    return line(min(own, key=rank)) if own else ""


def _standfirst(content: "_Element | None", language: str | None) -> str:
    """Return the headlines and descriptions whose role says that they stand above the text, a paragraph each."""
    found = [] if content is None else [*every(content, "headline"), *every(content, "description")]
    leads = [element_text(each) for each in found if _role(each) in STANDFIRST_ROLES and _is_in(each, language)]
    return "\n\n".join(filter(None, leads))


def _role(element: "_Element") -> str:
    return _tail((element.get("role") or element.get("roleuri") or "").lower())


def _title(news: "_Element") -> str:
    titles = [each for place in every(news, "contentSet/inlineXML") for each in descendants(place, "title")]
    return next((text for each in titles if (text := line(each))), line(first(news, "itemMeta/title")))


def _is_in(element: "_Element", language: str | None) -> bool:
    own = element.get(XML_LANG)
    return not own or not language or own.lower()[:2] == language.lower()[:2]


def _descriptions(content: "_Element | None") -> list[Text]:
    found = [] if content is None else every(content, "description")
    return [Text(text=element_text(each), language=each.get(XML_LANG)) for each in found]


# What is said about it


def _language(news: "_Element", content: "_Element | None") -> str | None:
    said = [] if content is None else list(every(content, "language"))
    own = [each.get("tag") for each in sorted(said, key=lambda each: each.get("role") is not None)]
    inline = [each.get(XML_LANG) for each in every(news, "contentSet/*")]
    named = [] if content is None else [each.get(XML_LANG) for each in every(content, "headline")]
    return language_of(*own, *inline, news.get(XML_LANG), *named)


def _authors(content: "_Element | None") -> tuple[str, ...]:
    if content is None:
        return ()
    bylines = [name for text in lines_at(content, "by") for name in names_in(text)]
    creators = [line(first(each, "name")) for each in every(content, "creator")]
    return tuple(dict.fromkeys(filter(None, bylines or creators)))


def _section(content: "_Element | None", language: str | None) -> str | None:
    """Return the first topic that has a name, else the genre's."""
    if content is None:
        return None
    subjects = [each for each in every(content, "subject") if _tail(each.get("type") or "") in ABSTRACT]
    for each in [*subjects, *every(content, "genre")]:
        names = [*every(each, "name"), *every(each, "mainConcept/name")]
        own = [name for name in names if _is_in(name, language)] or names
        if own and line(own[0]):
            return line(own[0])
    return None


def _source(news: "_Element", meta: "_Element", content: "_Element | None") -> str | None:
    """Return who sent it: the provider's name or code, else the holder of the rights, else where it comes from."""
    names = [
        *lines_at(meta, "provider/name"),
        _tail(attribute(meta, "provider", "qcode") or attribute(meta, "provider", "literal")),
        *lines_at(news, "rightsInfo/copyrightHolder/name"),
        *([] if content is None else lines_at(content, "infoSource/name")),
        _host(attribute(meta, "provider", "uri")),
    ]
    return next(filter(None, names), None)


def _host(uri: str) -> str:
    return uri.partition("//")[2].partition("/")[0]


def _address(news: "_Element", meta: "_Element", content: "_Element | None") -> str | None:
    links = [each.get("href") for each in every(meta, "link") if _tail(each.get("rel") or "") == "canonical"]
    others = [] if content is None else [line(each) for each in every(content, "altId")]
    pages = [each.get("href") for each in every(meta, "altRep") if "html" in (each.get("contenttype") or "")]
    return first_address(*links, *others, *pages, news.get("guid"))


def _note(meta: "_Element") -> str | None:
    notes = lines_at(meta, "edNote")
    signals = [_tail(each.get("qcode") or each.get("uri") or "") for each in every(meta, "signal")]
    said = [signal for signal in dict.fromkeys(signals) if signal in SAID_BY_SIGNAL]
    return " ".join(notes) or ", ".join(said) or None
