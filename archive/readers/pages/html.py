"""A news page: its tags say what the article is (`page_metadata`), trafilatura finds its text.

Invariant: a date is taken only where the page states it. trafilatura's own date is never used: where a page has none it
searches the text and the address for one.
"""

import importlib
import logging
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.charset import decoded
from archive.readers.fields import article_from
from archive.readers.lines import kept_raw
from archive.readers.markup import BETWEEN_CELLS
from archive.readers.normalise import one_line
from archive.readers.pages.headline import folded
from archive.readers.pages.live_blog import live_text, paragraphs
from archive.readers.pages.page_kind import why_no_article
from archive.readers.pages.page_metadata import PageMetadata, described, people

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_HTML_BYTES = 10_000_000  # 10 MB: parsing takes many times as much memory; news pages are under 1 MB
MAX_ELEMENTS = 100_000  # taking them apart takes up to 15 s; of 181 news pages the largest has 1,600
PARAGRAPH = 80  # characters: shorter ones are captions, credits and menus as often as text
MISSED_SHARE = 0.3  # of the page's paragraphs: with less, the strict search has taken something else for the article
LINKED_SHARE = 0.9  # of a list's letters
LONGER_BODY = 1.5  # JSON-LD's text is taken where it is so many times as long as what was found

_HTML = re.compile(
    r"(?:<\?xml[^>]*>\s*)?+(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_DATE = re.compile(
    r"\s*\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|published|updated|posted)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_LEADS_AWAY = re.compile(
    r"(?:read(?:\s+(?:more|also|next))?|also\s+read|related(?:\s+(?:articles?|stories|story|coverage|news))?|see\s+(?:also|more)"
    r"|more(?:\s+(?:on\s+this|from|on).{0,40})?|don[’']t\s+miss|watch(?:\s+(?:also|more|now))?|recommended|click\s+here"
    r"|lesen\s+sie\s+auch|mehr\s+zum\s+thema|lire\s+aussi|à\s+lire\s+aussi|leggi\s+anche|lee\s+también|leia\s+(?:mais|também)"
    r"|lees\s+ook|läs\s+också|читайте\s+также|اقرأ\s+أيضا)\s*:.{0,250}",
    re.IGNORECASE,
)
_RULE = re.compile(r"[|:\s–—_*=-]+")  # between the head of a table and its rows, or paragraphs
_ASKS = re.compile(
    r"(?:sign\s+up|subscribe|follow|like\s+us|e-?mail|write\s+to|contact|reach\s+(?:out|the|him|her)|get\s+the\s+latest|download"
    r"|listen\s+to|have\s+a\s+tip|send\s+tips|click\s+here)\b.{0,250}|(?:copyright|©).{0,200}|.{0,200}all\s+rights\s+reserved\.?",
    re.IGNORECASE,
)


def matches(_head: bytes, start: str) -> bool:
    """Tell whether the file begins as a page does."""
    return _HTML.match(start) is not None


def read(stream: BinaryIO, origin: str) -> Iterator[Article | Rejection]:
    """Yield the one article in `stream`, or why there is none."""
    yield page(stream.read(MAX_HTML_BYTES + 1), url=None, charset=None, origin=origin)


def page(raw: bytes, *, url: str | None, charset: str | None, origin: str | None = None) -> Article | Rejection:
    """Return the article in a page, or why there is none.

    `url` is where it was fetched from: the article's address where the page names none of its own, and the only site
    whose addresses it may name. `charset` is the encoding the server named. `origin` names the page in a rejection.
    """
    try:
        if len(raw) > MAX_HTML_BYTES:
            raise SourceError(f"larger than {MAX_HTML_BYTES // 1_000_000} MB, too much for one page")
        return article_from(_fields(decoded(raw, charset=charset), url))
    except SourceError as error:
        return Rejection(source=origin or url or "page", reason=str(error), raw=kept_raw(raw))


def _fields(text: str, url: str | None) -> dict[str, object]:
    """Return what the page says. Raises SourceError when no article can be found in it."""
    try:
        tree = _tree(text)
        said = described(tree, url=url)
        title, authors = (said.title, list(said.authors)) if said.title and said.authors else _completed(tree, said)
        body = _paragraphs(tree, title, said)
        reason = why_no_article(tree, said, body, url=url)
    except SourceError:
        raise
    except Exception as error:  # the libraries name no errors of their own, and a page must not stop an ingest
        raise SourceError(f"the page cannot be taken apart ({type(error).__name__}: {error})"[:300]) from error
    if reason:
        raise SourceError(reason)
    return {
        "title": title,
        "body": "\n\n".join(body),
        "url": said.url,
        "source": said.source,
        "section": said.section,
        "authors": authors,
        "language": said.language,
        "published_at": said.published_at,
        "updated_at": said.updated_at,
    }


def _tree(text: str) -> "HtmlElement":
    # Imported here: it takes 200 ms, which commands that read no page need not wait for.
    tree: HtmlElement | None = importlib.import_module("trafilatura").load_html(text)
    for name in ("trafilatura", "htmldate"):  # what they would log is said in the rejection
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if tree is None:
        raise SourceError("not a readable HTML page")
    if sum(1 for _ in tree.iter()) > MAX_ELEMENTS:
        raise SourceError(
            f"more than {MAX_ELEMENTS:,} elements, too many for one article: give its text as a .txt file"
        )
    return tree


def _completed(tree: "HtmlElement", said: PageMetadata) -> tuple[str, list[str]]:
    """Return title and authors, as printed on the page where its tags lack them: trafilatura knows many bylines."""
    seen = importlib.import_module("trafilatura.metadata").extract_metadata(tree, extensive=False)
    byline = [_DATE.sub("", part) for part in (seen.author or "").split(";")]
    return said.title or one_line(seen.title or ""), list(said.authors) or people(byline)


def _paragraphs(tree: "HtmlElement", title: str, said: PageMetadata) -> list[str]:
    """Return the article's text, a paragraph, list item or table row each."""
    _drop_link_lists(tree)
    _unname_pieces(tree)
    # Favouring precision: F1 .976 against .968 on 181 pages with hand-made gold text.
    lines = _found(tree, favor_precision=True)
    stands = sum(len(text) for each in tree.iter("p") if len(text := each.text_content().strip()) >= PARAGRAPH)
    if sum(map(len, lines)) < MISSED_SHARE * stands:
        lines = max(lines, _found(tree, favor_precision=False), key=lambda found: sum(map(len, found)))
    kept = _without_notices(lines, title)
    live = live_text(tree, said.updates, said.body)
    if live and _words(live) >= _words(kept):
        return live
    told = paragraphs(said.body)
    return told if _words(told) > LONGER_BODY * _words(kept) else kept


def _found(tree: "HtmlElement", *, favor_precision: bool) -> list[str]:
    library = importlib.import_module("trafilatura")
    document = library.bare_extraction(tree, include_comments=False, favor_precision=favor_precision)
    return [text for line in (document.text or "").split("\n") if (text := _row(line.strip()))] if document else []


def _row(line: str) -> str:
    """Return a line as it is, and of a table's row, which the library draws with strokes, its cells."""
    if len(line) < 2 or line[0] != "|" or line[-1] != "|" or _RULE.fullmatch(line):
        return line
    return BETWEEN_CELLS.join(cell for part in line.split("|") if (cell := part.strip()))


def _drop_link_lists(tree: "HtmlElement") -> None:
    """Take out lists of which every item is a link: they lead to other articles."""
    for links in [each for each in tree.iter("ul", "ol") if _is_all_links(each)]:
        links.drop_tree()


def _is_all_links(listing: "HtmlElement") -> bool:
    items = [text for item in listing.iterchildren("li") if (text := folded(item.text_content()))]
    linked = sum(len(folded(link.text_content())) for link in listing.iter("a"))
    return len(items) > 1 and linked >= LINKED_SHARE * sum(map(len, items))


def _unname_pieces(tree: "HtmlElement") -> None:
    """Take the class from boxes that hold a piece each of one text, as advertisements between them make them.

    Such a class is that of an article's text, and one box would be taken for all of it. The boxes have the same tag and
    class, lie in the same article, and at least two of them hold two paragraphs or more.
    """
    boxes: dict[tuple[HtmlElement, str, str], list[tuple[HtmlElement, int]]] = {}
    for element in tree.iter("div", "section"):
        long = sum(1 for child in element.iterchildren("p") if len(child.text_content()) >= PARAGRAPH)
        around = next(element.iterancestors("article"), None)
        if long and around is not None and (kind := element.get("class")):
            boxes.setdefault((around, element.tag, kind), []).append((element, long))
    for pieces in boxes.values():
        if sum(long > 1 for _, long in pieces) > 1:
            for piece, _ in pieces:
                del piece.attrib["class"]


def _without_notices(lines: Iterable[str], title: str) -> list[str]:
    """Return the lines without the headline, which is kept once, and without what leads to other articles."""
    kept = [line for line in lines if not _LEADS_AWAY.fullmatch(line) and not _RULE.fullmatch(line)]
    while kept and folded(kept[0]) == folded(title):
        del kept[0]
    while len(kept) > 1 and _ASKS.fullmatch(kept[-1]):
        del kept[-1]
    return kept


def _words(lines: Iterable[str]) -> int:
    return sum(len(line.split()) for line in lines)
