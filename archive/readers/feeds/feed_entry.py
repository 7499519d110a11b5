"""What a feed says of an entry, whatever the format, made into an article; and whether that is the whole article.

Invariant: a date, an author or a language is one that the entry states, a language or Atom's author failing that the
feed's. An address is http or https and leads to this entry alone, or it does not decide which article this is.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.identity import alias, article_id, canonical_url
from archive.readers.fields import article_from, is_web_address
from archive.readers.lines import kept_raw
from archive.readers.markup import plain_line, plain_text
from archive.readers.normalise import body_text, has_words

MAX_FEED_BYTES = 20_000_000  # 20 MB: feeds are 100 KB; those of a whole site's past a few MB
MAX_ENTRIES = 20_000
SHORT_TEXT = 400  # characters: less is hardly a whole article, unless a feed marks it as one
LONG_TEXT = 2_000  # characters: what has as many is no summary, unless it is cut off

# How programs that cut a text off say so, at its end, in the languages in which they were seen.
_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[\s*…\s*\]|(?:continue reading|read (?:more|on|the (?:full|rest)[\w ]*)|full (?:story|article)|more"
    r"|keep reading|weiterlesen|mehr lesen|lire (?:la )?suite|lire plus|leer más|seguir leyendo|leia mais|leggi tutto"
    r"|continua a leggere|lees (?:meer|verder)|läs mer|les mer|læs mere|lue lisää|czytaj (?:więcej|dalej)|читать далее)"
    r"[^\w\n]*(?:→|»|>>?|…|\.\.\.)?)[\])\s]*$",
    re.IGNORECASE,
)
# What WordPress adds to each entry; no part of the article, and the same words in all of a site's.
_FOOTER = re.compile(r"(?:^|\n\n)(?:The post|Der Beitrag|L’article|La entrada|El artículo|O post) [^\n]{1,300} "
                     r"(?:appeared first on|first appeared on|erschien zuerst auf|est apparu en premier sur"
                     r"|se publicó primero en|apareceu primeiro em) [^\n]{1,200}$")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """An entry as an article, and whether its text seems to be only the beginning, or a summary, of the page."""

    article: Article
    is_summary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """What a feed holds. `pages` are links of entries that say nothing else, `links_next` leads to older entries."""

    title: str | None = None
    entries: tuple[FeedEntry, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    pages: tuple[str, ...] = ()
    links_next: str | None = None

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles of the entries, in the feed's order."""
        return tuple(entry.article for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one entry says, as it says it: texts may hold markup, the link may be of any scheme.

    `contents` are texts that the feed gives for whole ones, `summary` one that it does not.
    """

    title: str | None = None
    link: str | None = None
    guid: str | None = None
    contents: tuple[str, ...] = ()
    summary: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    authors: tuple[str, ...] = ()
    section: str | None = None
    language: str | None = None
    source: str | None = None


def feed_read(
    said: Iterable[Said],
    *,
    title: str | None,
    address: str | None,
    base: str | None,
    links_next: str | None,
    origin: str,
) -> FeedRead:
    """Return the entries as articles. `address` is what the feed calls its own place, in which its guids are unique.

    `base` is where links that are relative start from; `origin` names the input in rejections.
    """
    title = plain_line(title or "") or None
    given = list(said)
    entries: list[FeedEntry] = []
    rejections: list[Rejection] = []
    pages: list[str] = []
    links = [web_address(each.link, base=base) for each in given]
    names = _Names(links, given, scope=address or title)
    for number, (each, link) in enumerate(zip(given, links, strict=True), 1):
        if number > MAX_ENTRIES:
            reason = f"more than {MAX_ENTRIES:,} entries: the rest of its {len(given):,} is left out"
            rejections.append(Rejection(source=origin, reason=reason))
            break
        entry = _entry(each, link, feed_title=title)
        if isinstance(entry, FeedEntry):
            entries.append(replace(entry, article=names.named(entry.article, each.guid)))
        elif link and entry is None:
            pages.append(link)
        else:
            reason = str(entry or "it has neither a headline nor a text, nor a link to one")
            rejections.append(Rejection(source=origin, reason=f"entry {number}: {reason}"))
    return FeedRead(
        title=title,
        entries=tuple(entries),
        rejections=tuple(rejections),
        pages=tuple(pages),
        links_next=web_address(links_next, base=base),
    )


def read_feed(stream: BinaryIO, origin: str, entries: Callable[[bytes], FeedRead]) -> Iterator[Article | Rejection]:
    """Yield what `entries` makes of the bytes of `stream`: articles, then rejections; never nothing at all."""
    raw = stream.read(MAX_FEED_BYTES + 1)
    try:
        found = entries(raw)
    except SourceError as error:
        yield Rejection(source=origin, reason=str(error), raw=kept_raw(raw))
        return
    yield from found.articles
    yield from found.rejections
    if found.pages:
        reason = (
            f"entries that are links alone: {len(found.pages):,}; `flask follow` with the feed's address fetches them"
        )
        yield Rejection(source=origin, reason=reason)
    elif not found.entries and not found.rejections:
        yield Rejection(source=origin, reason="a feed without entries")


def web_address(link: str | None, *, base: str | None) -> str | None:
    """Return the http or https address that `link`, found at `base`, leads to, or None where it leads elsewhere."""
    link = re.sub(r"[\t\r\n]+ *", "", (link or "").strip())
    if not link:
        return None
    try:
        absolute = urljoin(base or "", link)
    except ValueError:
        return None
    return absolute if is_web_address(absolute) and not set(absolute) & set('<>"\0\x1b') else None


def _entry(said: Said, link: str | None, *, feed_title: str | None) -> FeedEntry | SourceError | None:
    """Return the entry, None where it has no words, the reason where it cannot be an article."""
    title = plain_line(said.title or "")
    contents = [_text(content) for content in said.contents]
    summary = _text(said.summary or "")
    body = max([*contents, summary], key=len)
    source = plain_line(said.source or "") or None
    if source:  # aggregators write the outlet's name behind its headline
        title = title.removesuffix(f" - {source}") or title
    if not has_words(body):
        if not has_words(title):
            return None
        body = title
    try:
        article = article_from(
            {
                "title": title,
                "body": body,
                "url": link,
                "source": source or feed_title,
                "section": plain_line(said.section or ""),
                "authors": [plain_line(author) for author in said.authors],
                "language": said.language,
            }
        )
    except SourceError as error:
        return error
    article = replace(article, published_at=said.published_at, updated_at=said.updated_at)
    return FeedEntry(article=article, is_summary=_is_summary(article, whole=body in contents))


def _text(markup: str) -> str:
    return _FOOTER.sub("", body_text(plain_text(markup))).strip()


def _is_summary(article: Article, *, whole: bool) -> bool:
    """Tell whether the body is not the whole article; `whole` says that the feed gave it as such."""
    body = article.body
    if body == article.title or _CUT_OFF.search(body[-200:]):
        return True
    return len(body) < (SHORT_TEXT if whole else LONG_TEXT)


class _Names:
    """By what the entries of one feed are known: links and guids, as far as each names one entry and no other."""

    def __init__(self, links: list[str | None], given: list[Said], *, scope: str | None) -> None:
        self._scope = scope
        found = list(zip(map(_canonical, links), given, strict=True))
        # An entry that stands in the feed twice is still one: what counts is how many different ones share a name.
        self._links = Counter(link for link, _ in {(link, said.guid or said.title) for link, said in found})
        self._guids = Counter(guid for guid, _ in {(said.guid, link or said.title) for link, said in found})

    def named(self, article: Article, guid: str | None) -> Article:
        """Return the article with its id and the id its guid gives it besides."""
        by_guid = alias(source=self._scope, source_id=guid) if guid and self._scope and self._guids[guid] == 1 else None
        if article.url and self._names_one(article.url):
            return replace(article, aliases=(by_guid,) if by_guid and by_guid != article.id else ())
        text = f"{article.title}\n\n{article.body}"
        return replace(article, id=by_guid or article_id(url=None, source=None, source_id=None, text=text))

    def _names_one(self, url: str) -> bool:
        parts = urlsplit(url)
        return self._links[_canonical(url)] == 1 and bool(parts.path.strip("/") or parts.query)


def _canonical(url: str | None) -> str | None:
    return canonical_url(url) if url else None
