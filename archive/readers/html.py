"""A saved news page: trafilatura finds the article in it, the page's own tags say when and where it appeared.

Invariant: a date is taken only where the page states it. trafilatura's own date is never used: where a page has none it
searches the text and the address for one.
"""

import importlib
import logging
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.dates import parse_date
from archive.readers.fields import article_from, is_web_address, language_tag
from archive.readers.lines import read_whole
from archive.readers.normalise import one_line

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_HTML_BYTES = 10_000_000  # 10 MB: parsing takes many times as much memory; news pages are under 1 MB
MIN_TEXT = 40  # characters: less is a menu entry or a cookie notice, not even a news flash

# In order of trust; names are compared in lower case with a tag's property, name or itemprop.
PUBLISHED_TAGS = (
    "article:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "pubdate",
    "publish-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date",
    "date",
)
UPDATED_TAGS = ("article:modified_time", "article:modified", "datemodified", "og:updated_time", "dcterms.modified")
SECTION_TAGS = ("article:section", "articlesection", "parsely-section")
LANGUAGE_TAGS = ("content-language", "inlanguage", "og:locale", "dc.language")

_HTML = re.compile(
    r"(?:<\?xml[^>]*>\s*)?+(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins as a page does."""
    return _HTML.match(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the one article in `stream`, or why there is none."""
    try:
        yield article_from(_fields(read_whole(stream, cap=MAX_HTML_BYTES)))
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error))


def _fields(raw: bytes) -> dict[str, object]:
    """Return what the page says. Raises SourceError when no article can be found in it."""
    page, text, described = _extracted(raw)
    title = one_line(described.title or "")
    paragraphs = [line for line in text.split("\n") if line.strip()]
    if paragraphs and one_line(paragraphs[0]) == title:  # the headline is kept once
        del paragraphs[0]
    if sum(map(len, paragraphs)) < MIN_TEXT:
        raise SourceError("no article text found in the page: give the text as a .txt file instead")
    return {
        "title": title,
        "body": "\n\n".join(paragraphs),
        "url": _address(page),
        "source": described.sitename,
        "section": next(iter(_tags(page, SECTION_TAGS)), None),
        "authors": described.author,
        "language": _language(page),
        "published_at": _published(page),
        "updated_at": _first_date(_tags(page, UPDATED_TAGS)),
    }


def _extracted(raw: bytes) -> tuple["HtmlElement", str, Any]:
    """Return the page's tree, the article's text with a paragraph a line, and trafilatura's view of the metadata."""
    # Imported here: it takes 200 ms, which commands that read no page need not wait for.
    trafilatura = importlib.import_module("trafilatura")
    metadata = importlib.import_module("trafilatura.metadata")
    for name in ("trafilatura", "htmldate"):  # what they would log is said in the rejection
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        page = trafilatura.load_html(raw)
        if page is None:
            raise SourceError("not a readable HTML page")
        described = metadata.extract_metadata(page, extensive=False)
        # Favouring precision: F1 .964 against .960 on 181 pages with hand-made gold text.
        document = trafilatura.bare_extraction(page, include_comments=False, favor_precision=True)
        return page, (document.text or "") if document else "", described
    except SourceError:
        raise
    except Exception as error:  # the libraries name no errors of their own, and a page must not stop an ingest
        raise SourceError(f"the page cannot be taken apart ({type(error).__name__}: {error})"[:300]) from error


def _tags(page: "HtmlElement", names: Sequence[str]) -> list[str]:
    """Return the non-empty contents of the page's meta tags with these names, in the order of `names`."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for tag in page.iter("meta"):
        content = (tag.get("content") or "").strip()
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = (tag.get(attribute) or "").strip().lower()
            if content and name in found:
                found[name].append(content)
    return [content for name in names for content in found[name]]


def _published(page: "HtmlElement") -> str | None:
    """Return the date the page states for itself, or None when it states none, or several without saying which."""
    stated = _first_date(_tags(page, PUBLISHED_TAGS))
    if stated:
        return stated
    marked, times = set(), set()
    for element in page.iter():
        own = element.get("datetime") or element.get("content") or ""
        if element.get("itemprop") == "datePublished" or (element.tag == "time" and element.get("pubdate") is not None):
            marked.add(_date(own))
        elif element.tag == "time":
            times.add(_date(own))
    # Several different dates are those of related articles, comments or events: none of them is surely this page's.
    for candidates in (marked - {None}, times - {None}):
        if candidates:
            return candidates.pop() if len(candidates) == 1 else None
    return None


def _first_date(candidates: Sequence[str]) -> str | None:
    return next((date for candidate in candidates if (date := _date(candidate))), None)


def _date(text: str) -> str | None:
    """Return the date in one spelling, or None where it is none: a page's broken tag does not cost its article."""
    try:
        return parse_date(text).isoformat()
    except SourceError:
        return None


def _address(page: "HtmlElement") -> str | None:
    """Return the address the page gives for itself, unless it is the site's front page: some sites name that on all."""
    links = [tag.get("href") or "" for tag in page.iter("link") if (tag.get("rel") or "").lower() == "canonical"]
    for candidate in [*links, *_tags(page, ("og:url",))]:
        address = candidate.strip()
        if is_web_address(address) and (urlsplit(address).path.strip("/") or urlsplit(address).query):
            return address
    return None


def _language(page: "HtmlElement") -> str | None:
    root = page.getroottree().getroot()
    candidates = [root.get("lang") or "", *_tags(page, LANGUAGE_TAGS)]
    return next((tag for candidate in candidates if (tag := language_tag(candidate))), None)
