"""RSS of every version and Atom, with feedparser, which gets bytes only and so can neither open nor fetch anything.

feedparser cleans no markup here and decodes no character sets: `markup` and `charset` do. Mail addresses of authors are
taken out before, since it knows only those with a short end and breaks the names beside others. Of a feed that is not
well formed the broken part is lost; feedparser's second, lenient parser has a bound of its own: it is much slower.
"""

import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO
from xml.parsers import expat  # the text comes without a document type, in which all that is dangerous stands

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.feeds.feed_dates import feed_date
from archive.readers.feeds.feed_entry import MAX_FEED_BYTES, FeedRead, Said, feed_read, read_feed, web_address
from archive.readers.feeds.xml_repair import repaired_xml
from archive.readers.fields import language_tag
from archive.readers.xml import root_of

MAX_TAGS = 600_000  # the starts and ends of elements in a feed: of its entries 20,000 with 15 elements each
MAX_BROKEN_CHARS = 2_000_000  # of a feed that is not well formed
MAX_JUNK_CHARS = 2_000  # before the feed: what a program printed there by mistake

_JUNK = re.compile(rf"[^{{\[][\s\S]{{0,{MAX_JUNK_CHARS}}}?\n[ \t\ufeff]*(?=<\?xml\s|<(?:\w+:)?(?:rss|feed|RDF)\s)")
_START = re.compile(r"<\?xml\s|<!DOCTYPE\s|<(?:\w+:)?(?:rss|feed|channel|rdf)\b", re.IGNORECASE)
_RSS_IN_RDF = re.compile(r"purl\.org/rss/|my\.netscape\.com/|purl\.org/net/rss", re.IGNORECASE)
_CHANNEL = re.compile(r"<(?:item|title|channel)\b", re.IGNORECASE)
_PLACE = re.compile(r"https?://", re.IGNORECASE)
_Values = dict[str, Any]  # what feedparser gives: read with `dict.get`, since its own `get` gives other fields
_PODCAST = "http://www.itunes.com/"  # the scheme feedparser gives keywords of podcasts, which are no categories
_EMAIL = re.compile(r"[\w.+%-]+@[\w.-]+")
_AUTHOR = re.compile(r"<(?:\w+:)?(?:author|creator|managingEditor)\b[^<>]{0,200}>"
                     r"(?:[^<]{0,500}|<!\[CDATA\[[^\]]{0,500}\]\]>)(?=</)")  # fmt: skip
_NOTHING_IN = re.compile(r"\(\s*\)|<\s*>")


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file is a feed by its root, before which a declaration, comments and some junk may stand."""
    name, attributes = root_of(start)
    if name in ("", "br", "b", "p", "div", "pre") and (junk := _JUNK.match(start)):
        start = start[junk.end() :]
        name, attributes = root_of(start)
    if name.lower() in ("rss", "feed"):
        return True
    if name == "RDF":
        return bool(_RSS_IN_RDF.search(attributes))
    return name.lower() == "channel" and bool(_CHANNEL.search(start))


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the feed's entries as articles, then why any, or all, could not be."""
    return read_feed(stream, origin, lambda raw: entries(raw, base=None, origin=origin))


def entries(raw: bytes, *, base: str | None, charset: str | None = None, origin: str = "feed") -> FeedRead:
    """Return what the feed `raw`, which was found at the address `base`, holds; `charset` is what the server said.

    Raises SourceError when it is no feed, or cannot be taken apart.
    """
    if len(raw) > MAX_FEED_BYTES:
        raise SourceError(f"a feed larger than {MAX_FEED_BYTES // 1_000_000} MB: split it")
    text = decoded(raw, charset=charset)
    start = _START.search(text)
    if not start:
        raise SourceError("not a feed: neither RSS nor Atom")
    parsed = _parsed(repaired_xml(text[start.start() :]))
    channel = parsed["feed"]
    is_atom = str(parsed.get("version") or "").startswith("atom")
    own = next((link for rel in ("self", "alternate") if (link := _link(channel, rel))), None) or _said(channel, "link")
    base = base or web_address(own, base=None) or None
    return feed_read(
        [_entry(entry, channel, is_atom=is_atom) for entry in parsed["entries"]],
        title=_said(channel, "title"),
        address=_said(channel, "link") or _said(channel, "id") or own or base,
        base=base,
        links_next=_link(channel, "next"),
        origin=origin,
    )


def _parsed(xml: str) -> _Values:
    """Return what feedparser makes of `xml`."""
    import feedparser  # imported here: it takes a while, which commands that read no feed need not wait for

    if xml.count("<") > MAX_TAGS:
        raise SourceError(f"a feed of more than {MAX_TAGS:,} elements: split it")
    raw = _AUTHOR.sub(lambda author: _EMAIL.sub("", author[0]), xml).encode("utf-8", "replace")
    checker = expat.ParserCreate("utf-8")
    try:
        checker.Parse(raw, True)
    except expat.ExpatError as error:
        if len(xml) > MAX_BROKEN_CHARS:
            reason = f"not well-formed XML ({expat.ErrorString(error.code)}, line {error.lineno})"
            raise SourceError(f"{reason}, and too large to be read nevertheless") from error
    try:
        parsed: _Values = feedparser.parse(io.BytesIO(raw), sanitize_html=False, resolve_relative_uris=False)
        return parsed
    except Exception as error:  # it names no errors of its own, and a feed must not stop an ingest
        raise SourceError(f"the feed cannot be taken apart ({type(error).__name__})") from error


def _entry(entry: _Values, channel: _Values, *, is_atom: bool) -> Said:
    contents = tuple(dict.fromkeys(_texts(entry)))
    summary = _said(entry, "summary")
    published, updated = _date(entry, "published"), _date(entry, "updated")
    if not is_atom and published is None:  # RSS 1.0 and others have but one date, Dublin Core's
        published, updated = updated, None
    return Said(
        title=_said(entry, "title"),
        link=_entry_link(entry),
        guid=_said(entry, "id"),
        contents=contents,
        summary=None if summary in contents else summary,
        published_at=published,
        updated_at=updated,
        authors=_authors(entry) or (_authors(channel) if is_atom else ()),
        section=_section(entry),
        language=_language(entry, channel),
        source=_said(dict.get(entry, "source"), "title"),
    )


def _said(values: object, name: str) -> str | None:
    """Return the text of this name, None where there is none or no text."""
    value = dict.get(values, name) if isinstance(values, dict) else None
    return value.strip() or None if isinstance(value, str) else None


def _texts(entry: _Values) -> Iterator[str]:
    for content in dict.get(entry, "content") or ():
        kind = _said(content, "type") or "text/plain"
        if (kind.startswith("text/") or kind.endswith(("html", "+xml"))) and (text := _said(content, "value")):
            yield text


def _link(values: _Values, rel: str) -> str | None:
    links = dict.get(values, "links") or ()
    return next((href for link in links if _said(link, "rel") == rel and (href := _said(link, "href"))), None)


def _entry_link(entry: _Values) -> str | None:
    """Return where the entry says it stands: its guid too, unless that is said to be none."""
    guid = _said(entry, "id")
    found = _said(entry, "feedburner_origlink") or _said(entry, "link") or _link(entry, "alternate")
    if found and (found != guid or _PLACE.match(found)):  # a relative link counts, a name taken for one does not
        return found
    return guid if guid and _PLACE.match(guid) and dict.get(entry, "guidislink") is None else None


def _date(entry: _Values, name: str) -> datetime | None:
    return feed_date(_said(entry, name), dict.get(entry, f"{name}_parsed"))


def _authors(values: _Values) -> tuple[str, ...]:
    """Return the names of those who wrote it; a mail address alone is no name."""
    listed = [_said(author, "name") for author in dict.get(values, "authors") or ()]
    written = [name for name in listed if name] or [_said(values, "author") or ""]
    return tuple(name for author in written if (name := _name(author)))


def _name(author: str) -> str:
    """Return the name in "mail (Name)", "Name <mail>" and "By Name"."""
    name = _NOTHING_IN.sub("", _EMAIL.sub("", author)).strip(" \t<>,;")
    if name.startswith("(") and name.endswith(")"):
        name = name[1:-1].strip()
    return re.sub(r"^(?:By|Von|Par|Por)\s+(?=[^\W\d_])", "", name)


def _section(entry: _Values) -> str | None:
    """Return the first category that is a word for readers, not the address of a scheme."""
    for tag in dict.get(entry, "tags") or ():
        word = _said(tag, "label") or _said(tag, "term")
        if word and not _PLACE.match(word) and _said(tag, "scheme") != _PODCAST:
            return word
    return None


def _language(entry: _Values, channel: _Values) -> str | None:
    contents = dict.get(entry, "content") or ()
    details = [*contents, dict.get(entry, "summary_detail"), dict.get(entry, "title_detail")]
    said = [_said(entry, "language"), *(_said(detail, "language") for detail in details), _said(channel, "language")]
    return next((tag for each in said if (tag := language_tag(each))), None)
