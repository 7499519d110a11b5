"""What is no article: error pages, walls, paywalls' stubs, front pages and lists, as far as that is safe to tell.

Invariant: a page is refused by its own words or by several signs together, never by one that articles have too. Whoever
brings an article in can always give its text as a .txt file.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from archive.readers.pages.page_metadata import PageMetadata

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MIN_TEXT = 40  # characters: less is a menu entry or a cookie notice, not even a news flash
MAX_TITLE = 300  # characters looked at
ERROR_WORDS = 200  # an error page says less, and an article headed "404" says more
WALL_WORDS = 300  # so do the notices that stand in a page's place
STUB_WORDS = 60  # what is not free and no longer than this is a teaser: the shortest of such news are about 80 words
LIST_HEADINGS = 8  # headings that are links: articles lead to fewer others in such large letters, or have a date
LONG_PARAGRAPH = 200  # characters without links: articles consist of such, lists of teasers hardly ever
MAX_LONG_PARAGRAPHS = 3

_END = r"(?:\s*[^\w\s].*)?"  # the site's name may follow, but no words that make another sentence of it
_ERROR = re.compile(
    rf"(?:error\s*|http\s*)?(?:404|410|403|50[0-4])(?:\s+(?:not|page|error|gone|forbidden|bad|internal|service|gateway)\b.*)?{_END}"
    r"|(?:.*\W)?(?:(?:page|article|file|content|url|story)\s+(?:is\s+|was\s+|could\s+)?(?:can\s?not|not|no longer)\s+"
    r"(?:be\s+)?(?:found|available|exist)|not\s+found|no\s+such\s+page|page\s+(?:unavailable|missing)"
    r"|internal\s+server\s+error|bad\s+gateway|service\s+(?:temporarily\s+)?unavailable|error\s+(?:404|410|403|50[0-4])"
    r"|seite\s+nicht\s+gefunden|page\s+(?:introuvable|non\s+trouvée)|página\s+no\s+encontrada|página\s+não\s+encontrada"
    rf"|pagina\s+non\s+trovata|pagina\s+niet\s+gevonden|страница\s+не\s+найдена|الصفحة\s+غير\s+موجودة){_END}",
    re.IGNORECASE,
)
_WALL = re.compile(
    r"(?:are\s+you\s+(?:a\s+)?(?:robot|human)|(?:please\s+)?verify\s+(?:that\s+)?you\s+are\s+(?:a\s+)?human"
    r"|checking\s+your\s+browser|before\s+you\s+continue|we\s+(?:value|respect|care\s+about)\s+your\s+privacy"
    r"|(?:please\s+)?enable\s+(?:javascript|cookies))\b.*"
    r"|(?:just\s+a\s+moment|attention\s+required|access\s+(?:to\s+this\s+page\s+has\s+been\s+)?denied|security\s+check"
    r"|robot\s+check|pardon\s+our\s+interruption|your\s+privacy(?:\s+(?:choices|matters))?|log\s?in|sign\s?in|anmelden"
    rf"|(?:cookie|privacy)\s+(?:consent|settings|preferences|notice|choices)|consent|zustimmung|datenschutzeinstellungen){_END}",
    re.IGNORECASE,
)
_GIVE_TEXT = "give the article's text as a .txt file"


def why_no_article(page: "HtmlElement", said: PageMetadata, paragraphs: list[str], *, url: str | None) -> str | None:
    """Return why the page holds no article, or None when it seems to; `paragraphs` is what was found in it."""
    words = sum(len(paragraph.split()) for paragraph in paragraphs)
    window = page.find(".//title")
    titles = [said.title, " ".join(window.text_content()[:MAX_TITLE].split()) if window is not None else ""]
    if words < ERROR_WORDS and not said.says_article and any(map(_ERROR.fullmatch, titles)):
        return "an error page, no article: fetch it again, or leave it out"
    if words < WALL_WORDS and not said.says_article and any(map(_WALL.fullmatch, titles)):
        return f"a notice in the article's place (consent, log-in or robot check): {_GIVE_TEXT}"
    length = sum if said.says_article else max  # a list and a menu have many short lines, an article has a sentence
    if length([0, *map(len, paragraphs)]) < MIN_TEXT:
        return "no article text found in the page: give the text as a .txt file instead"
    if words < STUB_WORDS and not said.is_free:
        return f"only a few words of an article behind a paywall: {_GIVE_TEXT}"
    if not said.says_article and _is_list(page, url):
        return "a front page or a list of articles: give the articles' own pages"
    return None


def _is_list(page: "HtmlElement", url: str | None) -> bool:
    linked = sum(1 for tag in ("h1", "h2", "h3", "h4") for heading in page.iter(tag) if _is_linked(heading))
    if linked < LIST_HEADINGS and not _is_front(url, linked):
        return False
    return sum(_own_length(paragraph) >= LONG_PARAGRAPH for paragraph in page.iter("p")) <= MAX_LONG_PARAGRAPHS


def _is_front(url: str | None, linked: int) -> bool:
    return url is not None and not urlsplit(url).path.strip("/") and not urlsplit(url).query and linked > 1


def _is_linked(heading: "HtmlElement") -> bool:
    return next(heading.iter("a"), None) is not None or next(heading.iterancestors("a"), None) is not None


def _own_length(paragraph: "HtmlElement") -> int:
    return len(paragraph.text_content()) - sum(len(link.text_content()) for link in paragraph.iter("a"))
