"""A live blog's text from what its JSON-LD says of each update (https://schema.org/LiveBlogPosting).

To a search for the one text of a page each update is an article of its own: headings, times and the order get lost.
Invariant: the order is the page's, which has the newest first as a rule; a time is one that the page states.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archive.readers.dates import stated_date
from archive.readers.markup import plain_text
from archive.readers.normalise import one_line
from archive.readers.pages.headline import folded
from archive.readers.pages.linked_data import Update

if TYPE_CHECKING:
    from lxml.html import HtmlElement

KNOWN_BY = 60  # letters and digits of an update, enough to find it on the page
MAX_SEEN = 1_000_000  # letters and digits of a page in which updates are looked for; long ones have 100,000

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)[\d:.,]*\s*(Z$|[+-]00:?00$)?", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "noscript", "template"})


def live_text(page: "HtmlElement", updates: Sequence[Update], about: str) -> list[str]:
    """Return the paragraphs of the page's live blog; none where it has none.

    What stands above the updates comes first, or what JSON-LD says `about` them all.
    """
    told = [(update, text) for update in updates if (text := paragraphs(update.body))]
    if not told:
        return []
    seen = folded("".join(_seen(page)))[:MAX_SEEN]
    starts = [folded(" ".join(text))[:KNOWN_BY] for _, text in told]
    places = [seen.find(start) for start in starts]
    if min(places) >= 0:
        told = [told[at] for at in sorted(range(len(told)), key=places.__getitem__)]
    days = {update.published[:10] for update, _ in told}
    lines = _standfirst(page, tuple(filter(None, starts))) or paragraphs(about)
    for update, text in told:
        lines += _entry(update, text, _time(update.published, with_day=len(days) > 1))
    return lines


def paragraphs(body: str) -> list[str]:
    """Return the text that JSON-LD gives, in paragraphs; some of it holds markup."""
    text = plain_text(body) if "</p>" in body else body
    return [line for each in text.split("\n") if (line := one_line(each))]


def _entry(update: Update, text: list[str], time: str) -> list[str]:
    """Return an update under its time and its headline, unless the text begins with that."""
    heading = update.headline.rstrip("…. ")
    if not heading or folded(" ".join(text)).startswith(folded(heading)):
        return [" — ".join(filter(None, (time, text[0]))), *text[1:]]
    return [" — ".join(filter(None, (time, update.headline))), *text]


def _time(written: str, *, with_day: bool) -> str:
    """Return the time of day as it was where the page was written."""
    found = _TIME.match(written)
    if not found or not stated_date(written):
        return ""
    day, time, zone = found.groups()
    return f"{f'{day} ' if with_day else ''}{time}{' UTC' if zone else ''}"


def _standfirst(page: "HtmlElement", starts: tuple[str, ...]) -> list[str]:
    """Return the paragraphs between the page's main heading and the first update, which begins with one of `starts`."""
    lines: list[str] = []
    is_below = False
    for element in page.iter("h1", "p"):
        text = one_line(element.text_content())
        if element.tag == "h1":
            is_below, lines = True, []
        elif is_below and folded(text).startswith(starts):
            return lines
        elif is_below and text:
            lines.append(text)
    return []


def _seen(page: "HtmlElement") -> Iterator[str]:
    for element in page.iter():
        if isinstance(element.tag, str) and element.tag not in _UNSEEN:
            yield element.text or ""
        yield element.tail or ""
