"""What news agencies say of an item, whatever the format they say it in, and what becomes of it here.

Invariant: what may not be shown is never shown for want of understanding: an embargo that cannot be read lasts until
further notice, one without a time zone until the hour has struck everywhere, and an unknown status is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from archive.arrival import UNTIL_FURTHER_NOTICE
from archive.article import Article, Withdrawal
from archive.errors import SourceError
from archive.identity import article_id, guid_id
from archive.readers.dates import parse_date
from archive.readers.fields import article_from, is_web_address, language_tag
from archive.readers.normalise import has_words, one_line

MAX_BYTES = 30_000_000  # 30 MB of one document: a message with thousands of texts; its tree takes ten times as much
LAST_ZONE = timedelta(hours=12)  # behind UTC: where an hour strikes last
MAX_VERSION_DIGITS = 15  # some agencies count by the second: 20260301120000
FULL = 0.8  # a text with paragraphs is as good as one without that is longer by no more than this share
CANCELED = "canceled by its source"

STATUSES = ("usable", "embargoed", "withheld", "canceled")  # NITF and NewsML 1 have an embargo among them

_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[Tt ]?(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.I,
)
_ENDS_IN_ZONE = re.compile(r"(?:[+-]\d{4}|Z|UTC?|GMT|[ECMP][SD]T)\s*$")
_AUTHORITY = re.compile(
    r"(?:urn:newsml:|tag:|https?://(?:www\.)?)([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?=[:,/]|$)", re.IGNORECASE
)
_BY = re.compile(r"(?:by|von|par|por|av|af|door|texte?|tekst)\b:?\s+", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|und|et|y|och|og|en|e|&)\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One of the texts an item may carry, with its language where it is said."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an agency says of one item. `guid` is its globally unique name; empty texts are unknown.

    `embargo` is the moment until which it may not be shown; `created` and `changed` are its first version's and this
    version's.
    """

    guid: str | None
    headline: str = ""
    body: str = ""
    description: str = ""
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


def entry(item: Item) -> Article | Withdrawal:
    """Return what goes into the archive for `item`. Raises SourceError when there is nothing to read in it."""
    url = item.url if item.url and is_web_address(item.url) else None
    aliases = item.aliases
    if url:
        aliases += (article_id(url=url, source=None, source_id=None, text=""),)
    if item.status == "canceled" and item.guid:
        return Withdrawal(
            id=guid_id(item.guid),
            reason=item.note or CANCELED,
            source=item.source or _authority(item.guid),
            source_version=item.version,
            aliases=aliases,
        )
    published = item.created or item.changed
    fields: dict[str, object] = {
        "title": item.headline,
        "body": _words(item),
        "url": url,
        "source": item.source or _authority(item.guid),
        "section": item.section,
        "authors": list(item.authors),
        "language": item.language,
        "published_at": published.isoformat() if published else None,
        "updated_at": item.changed.isoformat() if item.changed and published and item.changed > published else None,
    }
    article = article_from(fields)
    held = item.status != "usable" or item.embargo is not None
    until = None if item.status == "withheld" or item.embargo == UNTIL_FURTHER_NOTICE else item.embargo
    return replace(
        article,
        id=guid_id(item.guid) if item.guid else article.id,
        status="embargoed" if held else "live",
        embargoed_until=until,
        source_version=item.version,
        note=item.note,
        aliases=aliases,
    )


def _authority(guid: str | None) -> str | None:
    """Return who gave a name: the host in `urn:newsml:agency.example:…`, `tag:agency.example,2026:…`, an address."""
    found = _AUTHORITY.match(guid or "")
    return found[1].lower() if found else None


def _words(item: Item) -> str:
    """Return what is read of an item: its text, else what describes it, else its headline, which is a news flash.

    An order to withhold may come with a note alone; it is kept in the text's place, and never shown.
    """
    texts = [_without_headline(item.body, item.headline), item.description, item.headline]
    if item.status == "withheld":
        texts.append(item.note or "")
    words = next((text for text in texts if has_words(text)), None)
    if words is None:
        raise SourceError("no text: neither a body nor a description nor a headline has words in it")
    return words


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


def status(name: str) -> str:
    """Return the publishing status of this name; nothing means usable.

    Raises SourceError for any other: whether such an item may be shown is unknown.
    """
    said = name.strip().lower() or "usable"
    if said not in STATUSES:
        raise SourceError(
            f"publishing status {name.strip()[:60]!r}: it must be usable, embargoed, withheld or canceled"
        )
    return said


def coded_status(code: str) -> str:
    """Return the publishing status that a code names after its scheme, in either spelling of canceled."""
    said = re.split(r"[:/#]", code.strip())[-1].lower()
    return status("canceled" if said == "cancelled" else said)


def moment(text: object) -> datetime | None:
    """Return the moment a date names, in UTC; None for what is no full date: that must not cost the article."""
    read = _moment(text)
    return read[0] if read else None


def embargo(text: object) -> datetime:
    """Return the end of an embargo; nothing, and what cannot be read, means until further notice.

    Without a time zone it ends when the hour has struck everywhere.
    """
    read = _moment(text)
    if read is None:
        return UNTIL_FURTHER_NOTICE
    end, has_zone = read
    return end if has_zone or end.year >= UNTIL_FURTHER_NOTICE.year else end + LAST_ZONE


def _moment(text: object) -> tuple[datetime, bool] | None:
    if not isinstance(text, str):
        return None
    found = _MOMENT.fullmatch(text.strip())
    try:
        if not found:
            return parse_date(text), _ENDS_IN_ZONE.search(text) is not None
        year, month, day, hour, minute, second, zone = found.groups(default="")
        zone = "Z" if zone.upper() in ("Z", "UTC", "GMT") else zone
        clock = f"T{hour}:{minute}:{second or '00'}{zone}" if hour else ""
        return parse_date(f"{year}-{month}-{day}{clock}"), bool(zone)
    except SourceError:
        return None


def whole_number(value: object) -> int | None:
    """Return a count of versions, or None for what is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value) if len(value.strip()) <= MAX_VERSION_DIGITS else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 10**MAX_VERSION_DIGITS else None
    return None


def names_in(byline: str) -> tuple[str, ...]:
    """Return who a byline names: without "By", and without what follows the names after a comma or a stroke."""
    text = _BY.sub("", one_line(byline), count=1) if _BY.match(one_line(byline)) else one_line(byline)
    parts = [part.strip() for part in re.split(r"\s*[,;/|]\s*", text)]
    listed = parts if _AND.search(parts[-1]) else parts[:1]
    names = [name.strip(" .,;:") for part in listed for name in _AND.split(part)]
    return tuple(dict.fromkeys(name for name in names if has_words(name)))


def language_of(*candidates: str | None) -> str | None:
    """Return the first of the candidates that is a language tag."""
    return next((tag for candidate in candidates if (tag := language_tag(candidate))), None)


def first_address(*candidates: object) -> str | None:
    """Return the first of the candidates that is an http or https address."""
    return next((text for text in candidates if isinstance(text, str) and is_web_address(text)), None)
