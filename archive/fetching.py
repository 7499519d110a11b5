"""From an address to articles: a page, the entries of a feed with the pages they summarise, the pages of a sitemap.

Invariants: an entry's page is fetched once, whoever names it, and again only when what one says of it has changed.
Where a page cannot be had, what the feed itself says goes in, and the page is tried again a few times. Only what is in
the archive is noted as done, so a process that is killed loses nothing and doubles nothing.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from archive.article import Article, Entry, Rejection
from archive.errors import FetchError, SourceError
from archive.fetch import Fetched
from archive.follows import Follows, Page, PageState, Validators, host_of
from archive.identity import canonical_url
from archive.ingest import Take
from archive.readers.feeds.feed_entry import MAX_FEED_BYTES
from archive.readers.isolated.child import Children
from archive.readers.isolated.web_content import Item, WebContent
from archive.readers.lines import kept_raw
from archive.readers.packed.budget import Budget
from archive.readers.pages.html import MAX_HTML_BYTES
from archive.readers.unpacker import Unpacker, holds_others
from archive.visits import NotAsked, Visits

MOST_FEED_BYTES = MAX_FEED_BYTES  # of a feed, a sitemap or a file
MOST_PAGES = 100  # of one feed or sitemap, in one go
MOST_SITEMAPS = 10  # of an index of them, in one go: the newest
MOST_ATTEMPTS = 5  # to fetch a page
WORTH_RETRYING = {404, 408, 425}  # beside 5xx: an entry may be announced before its page is there


class Unreadable(SourceError):
    """What came cannot be read. `raw` is what came, where it is small enough to be kept."""

    def __init__(self, reason: str, raw: bytes) -> None:
        """Say why, and of what."""
        super().__init__(reason)
        self.raw = kept_raw(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageProblem:
    """A page that could not be had. `has_summary`: what the feed says stands for it; `again`: later rounds try it."""

    url: str
    reason: str
    has_summary: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """How much of what was found is `left` for another time, and the pages that could not be had."""

    left: int
    problems: tuple[PageProblem, ...]


class Fetching:
    """Brings in what is at addresses. Safe to use from several threads."""

    def __init__(self, visits: Visits, follows: Follows, children: Children, *, most_pages: int = MOST_PAGES) -> None:
        """Take what makes requests, remembers and reads, and how many pages are fetched of one feed at once."""
        self._visits = visits
        self._children = children
        self._follows = follows
        self._most_pages = most_pages
        self._is_stopped = False

    def stop(self) -> None:
        """Begin no further page; what is left is left for the next time."""
        self._is_stopped = True

    def address(self, url: str, take: Take) -> None:
        """Have `take` what is at `url`, or why there is nothing."""
        try:
            answer = self._visits.named(url, most_bytes=MOST_FEED_BYTES)
            if _is_good(answer) and holds_others(answer.body):
                self._unpack(answer, take)
            else:
                for problem in self.take(self.checked(answer), take, teller=url).problems:
                    if not problem.has_summary:
                        take(Rejection(source=problem.url, reason=problem.reason))
        except (FetchError, SourceError) as error:
            take(_rejection(url, error))

    def _unpack(self, answer: Fetched, take: Take) -> None:
        """Have `take` what is in a file that holds others."""
        stream = io.BytesIO(answer.body)
        name = urlsplit(answer.url).path.rpartition("/")[2]
        with self._children.one() as child:
            for entry in Unpacker(child, Budget(stream.tell)).entries(stream, name=name, origin=answer.url):
                take(entry)

    def checked(self, answer: Fetched) -> WebContent:
        """Return what an answer holds. Raises FetchError when it is none, SourceError when it cannot be read."""
        if not _is_good(answer):
            is_passing = answer.status >= 500 or answer.status in WORTH_RETRYING
            raise FetchError(f"{host_of(answer.url)} answered {answer.status}", retry=is_passing)
        content_type = answer.headers.get("content-type", "")
        with self._children.one() as child:
            try:
                found = child.content(answer.body, url=answer.url, content_type=content_type)
            except SourceError as error:
                raise Unreadable(str(error), answer.body) from error
        return found if found.kind == "feed" else replace(found, entries=_kept(found.entries, answer.body))

    def take(self, found: WebContent, take: Take, *, teller: str) -> Taken:
        """Have `take` what was found at the address `teller`, and the pages it leads to."""
        for entry in found.entries:
            take(entry)
        allowance = _Allowance(teller, self._most_pages)
        sitemaps = found.links[:MOST_SITEMAPS] if found.kind == "index" else ()
        left = sum(self._sitemap(url, take, allowance) for url in sitemaps)
        left += self._items(found.items, take, allowance)
        return Taken(left, tuple(allowance.problems))

    def _sitemap(self, url: str, take: Take, allowance: "_Allowance") -> int:
        """Go through one sitemap of an index, unless it is as it was when nothing of it was left."""
        known = self._follows.page(url, teller=allowance.teller)
        validators = known.validators if known and known.state == "done" else Validators()
        try:
            answer = self._visits.found(url, most_bytes=MOST_FEED_BYTES, headers=validators.headers())
            if answer.status == 304:
                return 0
            left = self._items(self.checked(answer).items, take, allowance)
        except (FetchError, SourceError) as error:
            take(_rejection(url, error))
            return 1
        state: PageState = "waiting" if left else "done"
        said = hashlib.sha256(answer.body).digest()
        page = Page(said=said, state=state, has_text=False, failures=0, validators=validators_of(answer))
        self._follows.keep_page(url, page, teller=allowance.teller)
        return left

    def _items(self, items: Sequence[Item], take: Take, allowance: "_Allowance") -> int:
        """Go through what is said of pages, those never asked for first."""
        left = 0
        known = {item.url: self._follows.page(item.url, teller=allowance.teller) for item in items if item.url}
        shared = _shared(items)
        for item in sorted(items, key=lambda item: item.url is not None and known[item.url] is not None):
            page = known[item.url] if item.url else None
            if item.about is not None and (item.holds == "text" or item.url is None or item.url in shared):
                take(item.about)
            elif item.url and page and _is_as_it_was(page, item):
                if not page.was_told:
                    self._follows.note_told(item.url, item.said, teller=allowance.teller)
            elif item.url:
                if allowance.pages > 0 and not self._is_stopped:
                    allowance.pages -= 1
                    left += self._page(item, item.url, page, take, allowance)
                else:
                    left += 1
                    self._summary(item, page, take)
        return left

    def _page(self, item: Item, url: str, known: Page | None, take: Take, allowance: "_Allowance") -> bool:
        """Have `take` the article on a page, or failing that what was said of it; return whether to try again."""
        had_text = known is not None and known.has_text
        try:
            article, validators = self._article(url, known.validators if known and had_text else Validators())
        except (FetchError, SourceError) as error:
            before = known.failures if known and known.said == item.said else 0
            failures = before if isinstance(error, NotAsked) else before + 1
            is_waiting = isinstance(error, FetchError) and error.retry and failures < MOST_ATTEMPTS
            self._summary(item, known, take)
            has_summary = item.holds == "summary"
            if isinstance(error, Unreadable) and not has_summary:
                take(_rejection(url, error))  # what came is kept, to be read by a better reader
            else:
                allowance.problems.append(
                    PageProblem(url=url, reason=str(error), has_summary=has_summary, again=is_waiting)
                )
            state: PageState = "waiting" if is_waiting else "given_up"
            validators = known.validators if known else Validators()
        else:
            if article is not None:
                take(_with(article, item.about))
            had_text, failures, state, is_waiting = True, 0, "done", False
        self._follows.keep_page(
            url,
            Page(said=item.said, state=state, has_text=had_text, failures=failures, validators=validators),
            teller=allowance.teller,
        )
        return is_waiting

    @staticmethod
    def _summary(item: Item, known: Page | None, take: Take) -> None:
        """Have `take` what the feed itself says, unless the archive has more already."""
        if item.about is not None and item.holds == "summary" and not (known and known.has_text):
            take(item.about)

    def _article(self, url: str, validators: Validators) -> tuple[Article | None, Validators]:
        """Return the article on a page, None when it has not changed. Raises FetchError and SourceError for none."""
        answer = self._visits.found(url, most_bytes=MAX_HTML_BYTES, headers=validators.headers())
        if answer.status == 304:
            return None, validators
        entries = self.checked(answer).entries
        if len(entries) != 1 or not isinstance(entries[0], Article | Rejection):
            raise Unreadable("not one article's page", answer.body)
        if isinstance(entries[0], Rejection):
            raise Unreadable(entries[0].reason, answer.body)
        return entries[0], validators_of(answer)


@dataclass(slots=True)
class _Allowance:
    """Who names the pages, how many may still be fetched, and those that could not be had."""

    teller: str
    pages: int
    problems: list[PageProblem] = field(default_factory=list)


def _is_as_it_was(page: Page, item: Item) -> bool:
    """Tell whether a page need not be asked for again: nothing else is said of it than before.

    Who names it for the first time says it in its own way, and counts only where it says that it has changed since.
    """
    if page.state == "waiting":
        return False
    is_old = page.at is not None and (item.changed_at is None or item.changed_at <= page.at)
    return page.said == item.said or (is_old and not page.was_told)


def _is_good(answer: Fetched) -> bool:
    return 200 <= answer.status < 300


def _kept(entries: Sequence[Entry], raw: bytes) -> tuple[Entry, ...]:
    """Return the entries, rejections with the bytes of what came: a feed's are read again whenever it changes."""
    return tuple(
        replace(each, raw=kept_raw(raw)) if isinstance(each, Rejection) and each.raw is None else each
        for each in entries
    )


def _rejection(url: str, error: FetchError | SourceError) -> Rejection:
    return Rejection(source=url, reason=str(error), raw=error.raw if isinstance(error, Unreadable) else None)


def _shared(items: Sequence[Item]) -> set[str]:
    """Return the addresses at which there are several entries: the page there is no single one's, as of a live blog."""
    pages = Counter(canonical_url(item.url) for item in items if item.url and item.holds != "nothing")
    return {item.url for item in items if item.url and pages[canonical_url(item.url)] > 1}


def validators_of(answer: Fetched) -> Validators:
    """Return how to ask whether an answer has changed; what cannot be sent back is left out."""
    said = (answer.headers.get(name, "") for name in ("etag", "last-modified"))
    etag, last_modified = (each if each.isascii() and each.isprintable() else None for each in said)
    return Validators(etag=etag or None, last_modified=last_modified or None)


def _with(page: Article, said: Article | None) -> Article:
    """Return a page's article, with what the feed says where the page says nothing; it is known by both's names."""
    if said is None:
        return page
    names = dict.fromkeys([said.id, *said.aliases, *page.aliases])
    return replace(
        page,
        title=(page.derived_title and said.title) or page.title,
        derived_title=page.derived_title and (said.derived_title or not said.title),
        source=page.source or said.source,
        section=page.section or said.section,
        authors=page.authors or said.authors,
        language=page.language or said.language,
        published_at=page.published_at or said.published_at,
        updated_at=page.updated_at or said.updated_at,
        aliases=tuple(name for name in names if name != page.id),
    )
