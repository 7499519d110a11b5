"""What news agencies say of an item, whatever the format they say it in, and what becomes of it here.

Invariant: what may not be shown is never shown for want of understanding: an embargo that cannot be read lasts until
further notice, and one without a time zone until the hour has struck everywhere. Nor does anything stay shown for want
of it: an item that is refused, and says or may say that it must not be shown, holds the article that has its name.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from archive.arrival import UNTIL_FURTHER_NOTICE
from archive.article import Article, Entry, Rejection, Withdrawal
from archive.errors import SourceError
from archive.identity import article_id, guid_id
from archive.readers.agencies.values import first_address
from archive.readers.elements import bytes_of, line_number
from archive.readers.fields import article_from
from archive.readers.lines import kept_raw, read_whole
from archive.readers.normalise import has_words, one_line
from archive.readers.xml import parsed

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_BYTES = 30_000_000  # 30 MB of one document: a message with thousands of texts; its tree takes ten times as much
FULL = 0.8  # a text with paragraphs is as good as one without that is longer by no more than this share
CANCELED = "canceled by its source"
WITHHELD = "withheld by its source"

# Of headlines and descriptions that stand between the main headline and the text.
STANDFIRST_ROLES = frozenset(
    {"subheadline", "subhead", "subheading", "sub", "deck", "standfirst", "summary", "abstract", "lead", "intro"}
)
STATUSES = ("usable", "embargoed", "withheld", "canceled")  # NITF and NewsML 1 have an embargo among them

_AUTHORITY = re.compile(
    r"(?:urn:newsml:|tag:|https?://(?:www\.)?)([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?=[:,/]|$)", re.IGNORECASE
)
_KILL_NOTE = re.compile(r"(?:^\W*|[.:;!*+(]\s*)(?:MANDATORY KILL|BULLETIN KILL|WITHHOLD)\b")
_KILL_HEADLINE = re.compile(r"\W*(?:MANDATORY|BULLETIN) KILL\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One of the texts an item may carry, with its language where it is said."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an agency says of one item. `guid` is its globally unique name; empty texts are unknown.

    `standfirst` is what stands between headline and text, such as a sub-headline and a summary.
    `status` is the one it claims, in lower case, whether IPTC knows it or not. `embargo` is the moment until which it
    may not be shown; `created` and `changed` are its first version's and this version's.
    """

    guid: str | None
    headline: str = ""
    body: str = ""
    description: str = ""
    standfirst: str = ""
    authors: Sequence[str] = ()
    language: str | None = None
    section: str | None = None
    source: str | None = None
    url: str | None = None
    created: datetime | None = None
    changed: datetime | None = None
    version: int | None = None
    status: str = "usable"
    embargo: datetime | None = None
    note: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def has_text(self) -> bool:
        """Tell whether there is more to read than a headline."""
        return has_words(self.body) or has_words(self.description)

    @property
    def takes_back(self) -> bool:
        """Tell whether it takes back what may be shown, which it need not be valid for."""
        return self.status in ("withheld", "canceled")

    @property
    def is_withheld(self) -> bool:
        """Tell whether it must not be shown until further notice, by its status or in the words of the trade."""
        killed = _KILL_NOTE.search(self.note or "") or _KILL_HEADLINE.match(self.headline)
        return self.status == "withheld" or killed is not None

    @property
    def is_held(self) -> bool:
        """Tell whether it must not be shown now, or may have to be hidden: its status is unknown."""
        return self.status != "usable" or self.embargo is not None or self.is_withheld


def document(stream: BinaryIO, origin: str) -> "tuple[_Element, bytes] | Rejection":
    """Return the root of the XML document in `stream` and its bytes, or why there is none."""
    raw = b""
    try:
        raw = read_whole(stream, cap=MAX_BYTES)
        return parsed(raw), raw
    except SourceError as error:
        return Rejection(source=origin, reason=str(error), raw=kept_raw(raw))


def refusing(element: "_Element", origin: str) -> Callable[[str], Rejection]:
    """Return what makes of a reason the rejection of one element of a document."""

    def refused(reason: str) -> Rejection:
        raw = kept_raw(bytes_of(element))
        return Rejection(source=origin, line=line_number(element), reason=reason, raw=raw)

    return refused


def entries(order: Item, read: Callable[[], Item], refuse: Callable[[str], Rejection]) -> Iterator[Entry]:
    """Yield what becomes of an item, of which `order` says its name and whether it may be shown, and `read` the rest.

    What is refused is a rejection, and a hold as well unless the item is surely meant to be shown.
    """
    try:
        if order.status not in STATUSES:
            raise SourceError(
                f"publishing status {order.status[:60]!r}: it must be usable, embargoed, withheld or canceled"
            )
        yield _entry(read())
    except SourceError as error:
        yield refuse(str(error))
        if order.is_held and _names(order):
            yield _withdrawal(order, one_line(str(error)), for_good=False)


def _entry(item: Item) -> Article | Withdrawal:
    """Return what goes into the archive for `item`. Raises SourceError when there is nothing to read in it."""
    names = _names(item)
    if item.status == "canceled" and names:
        return _withdrawal(item, item.note or CANCELED, for_good=True)
    if item.is_withheld and names and not (item.has_text or has_words(item.headline)):
        return _withdrawal(item, item.note or WITHHELD, for_good=False)
    published = item.created or item.changed
    fields: dict[str, object] = {
        "title": item.headline,
        "body": _words(item),
        "url": first_address(item.url),
        "source": item.source or _authority(item.guid),
        "section": item.section,
        "authors": list(item.authors),
        "language": item.language,
        "published_at": published.isoformat() if published else None,
        "updated_at": item.changed.isoformat() if item.changed and published and item.changed > published else None,
    }
    article = article_from(fields)
    until = None if item.is_withheld or item.embargo == UNTIL_FURTHER_NOTICE else item.embargo
    return replace(
        article,
        id=guid_id(item.guid) if item.guid else article.id,
        status="embargoed" if item.is_held else "live",
        embargoed_until=until,
        source_version=item.version,
        note=item.note,
        aliases=names[1:],
    )


def _names(item: Item) -> tuple[str, ...]:
    """Return the ids by which the item is known, none where only its text tells it from others."""
    guid = (guid_id(item.guid),) if item.guid else ()
    url = first_address(item.url)
    return guid + item.aliases + ((article_id(url=url, source=None, source_id=None, text=""),) if url else ())


def _withdrawal(item: Item, reason: str, *, for_good: bool) -> Withdrawal:
    name, *aliases = _names(item)
    return Withdrawal(
        id=name,
        reason=reason,
        source=item.source or _authority(item.guid),
        source_version=item.version,
        updated_at=None if for_good else item.changed,
        aliases=tuple(aliases),
        for_good=for_good,
    )


def _authority(guid: str | None) -> str | None:
    """Return who gave a name: the host in `urn:newsml:agency.example:…`, `tag:agency.example,2026:…`, an address."""
    found = _AUTHORITY.match(guid or "")
    return found[1].lower() if found else None


def _words(item: Item) -> str:
    """Return what is read of an item: its text, else what describes it, else its headline, which is a news flash."""
    texts = [_without_headline(item.body, item.headline), item.description, item.headline]
    words = next((text for text in texts if has_words(text)), None)
    if words is None:
        raise SourceError("no text: neither a body nor a description nor a headline has words in it")
    return _below_standfirst(words, item)


def _below_standfirst(words: str, item: Item) -> str:
    """Return a text with the standfirst as its first paragraphs, but for what the text or the headline says itself."""
    said = one_line(f"{item.headline} {words}").casefold()
    leads = [lead for lead in item.standfirst.split("\n\n") if has_words(lead)]
    return "\n\n".join([*(lead for lead in leads if one_line(lead).casefold().rstrip(" .…") not in said), words])


def _without_headline(body: str, headline: str) -> str:
    opening, _, rest = body.partition("\n\n")
    return rest if has_words(rest) and one_line(opening) == one_line(headline) else body


def fullest(texts: Sequence[Text], language: str | None) -> str:
    """Return the fullest of the texts in the item's own language; of two equals the one with paragraphs."""
    own = [text for text in texts if has_words(text.text) and _is_same_language(text.language, language)]
    candidates = own or [text for text in texts if has_words(text.text)]
    if not candidates:
        return ""
    longest = max(candidates, key=_length)
    structured = [text for text in candidates if "\n\n" in text.text and _length(text) >= FULL * _length(longest)]
    return max(structured, key=_length, default=longest).text


def _length(text: Text) -> int:
    return len("".join(text.text.split()))


def _is_same_language(language: str | None, wanted: str | None) -> bool:
    if not language or not wanted:
        return True
    return language.lower().partition("-")[0] == wanted.lower().partition("-")[0]
