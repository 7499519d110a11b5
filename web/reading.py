"""An article's page: what is read for it, and what a reader who came from a list of results is told and offered.

Invariant: what does not come of the article itself (place in a list, marks, related articles) is left out where it
cannot be had; the article is shown all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode, urlsplit

from flask_babel import get_locale, gettext
from markupsafe import Markup

from archive.article import Article
from index.marking import marks
from index.query import Query, QueryRefused
from index.related import RelatedResponse
from index.search import SearchRequest
from index.snippet import Range
from index.standing import Neighbour, Standing
from index.stories.reading import Around
from web import units, wording
from web.copies import Member, members
from web.filters import Choice
from web.links import outside_link
from web.marked_body import MarkedBody, marked_body
from web.names import without_by
from web.params import Marking, SearchUrls
from web.related import RELATED_ON_PAGE, Panel, lanes_of
from web.services import Services, copies_of, shown_article

SEARCH_PATH = "/search"
LISTED_COPIES = 6  # on the article's own page; the others are a link away
LONGEST_QUERY = 60  # characters of it that are repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The search that a reader came from, as the article's own address carries it, and whether its words are marked."""

    search: SearchRequest
    marking: Marking
    page_size: int  # what an address means that does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the archive and the index hold for one page."""

    article: Article
    copies: Sequence[Member]  # the first of its group, compared with the likely origin
    copies_total: int
    around: Around | None
    related: RelatedResponse
    standing: Standing | None
    marks: Sequence[Range]  # what the search looked for, in characters of the body
    titles: dict[str, str]  # of the results before and after
    has_history: bool  # an earlier version of it may be shown too

    @property
    def degraded(self) -> bool:
        """Return whether the page may be better the next time."""
        return self.related.degraded or (self.standing is not None and self.standing.degraded)


def read(parts: Services, article_id: str, asked: Asked | None) -> Read:
    """Read an article and what stands beside it. Raises NotFound and Gone."""
    article = shown_article(parts, article_id)
    group = copies_of(parts, article_id, most=LISTED_COPIES, also=[article_id])
    around = parts.stories.around(article_id)
    beside = len(around.reports) if around else 0
    standing = _standing(parts, asked, article)
    ends = [end.id for end in (standing.previous, standing.next) if end] if standing else []
    return Read(
        article=article,
        copies=members(group, this=article_id) if group else (),
        copies_total=group.total if group else 0,
        around=around,
        related=parts.related.related(article_id, limit=RELATED_ON_PAGE + beside),
        standing=standing,
        marks=_marks(standing.query, article) if asked and standing and asked.marking == "on" else (),
        titles=parts.store.titles(ends) if ends else {},
        has_history=article.version > 1 and len(parts.store.versions(article_id)) > 1,
    )


def _marks(query: Query, article: Article) -> Sequence[Range]:
    return marks(query, article.body, language=article.language)


def _standing(parts: Services, asked: Asked | None, article: Article) -> Standing | None:
    if asked is None:
        return None
    try:
        return parts.search.standing(asked.search, article)
    except QueryRefused:  # a mangled link still shows its article
        return None


@dataclass(frozen=True, slots=True)
class MarksLine:
    """What is said of the marks above the text: how many places match, and the address with marks or without."""

    places: int
    has_sentence: bool
    url: str
    is_on: bool


class ArticleView:
    """What the article's page shows, so that its template holds no logic."""

    def __init__(self, read: Read, asked: Asked | None) -> None:
        """Take what was read, and the search that the reader came from."""
        self._read = read
        self._asked = asked if read.standing else None
        self.article = read.article
        self.has_history = read.has_history

    # Where the reader comes from

    @property
    def query(self) -> str:
        """Return what was searched for."""
        return self._asked.search.query if self._asked else ""

    @property
    def back(self) -> Choice | None:
        """Return the way back to the results, to the page that this article stands on."""
        if self._asked is None:
            return None
        query = wording.shortened(self.query, LONGEST_QUERY)
        name = gettext("Back to the results for “%(query)s”", query=query) if query else gettext("Back to all results")
        return Choice(name, _url(self._asked, SEARCH_PATH, self._place))

    @property
    def place(self) -> str:
        """Return the place among the results: 4 of 42; empty of an article that is none of them."""
        standing = self._read.standing
        if standing is None or standing.place is None:
            return ""
        numbers = {"place": units.number(standing.place), "places": units.number(standing.places)}
        exact: str = gettext("%(place)s of %(places)s", **numbers)
        return exact if standing.complete else str(gettext("%(place)s of at least %(places)s", **numbers))

    @property
    def previous(self) -> Choice | None:
        """Return the result before this one; the hint is its headline."""
        return self._neighbour(self._read.standing.previous if self._read.standing else None)

    @property
    def next(self) -> Choice | None:
        """Return the result after this one."""
        return self._neighbour(self._read.standing.next if self._read.standing else None)

    def _neighbour(self, neighbour: Neighbour | None) -> Choice | None:
        if self._asked is None or neighbour is None or neighbour.id not in self._read.titles:
            return None
        url = _url(self._asked, _path(neighbour.id), neighbour.place)
        return Choice("", url, hint=self._read.titles[neighbour.id])

    @property
    def _place(self) -> int | None:
        return self._read.standing.place if self._read.standing else None

    # The text

    @cached_property
    def body(self) -> MarkedBody:
        """Return the text, with what the search looked for marked."""
        is_on = self._asked is not None and self._asked.marking == "on"
        sentence = self._read.standing.sentence if self._read.standing and is_on else None
        return marked_body(self.article.body, self._read.marks, sentence)

    @property
    def marks(self) -> MarksLine | None:
        """Return what is said of the marks, None where nothing was looked for or nothing of it is in the text."""
        if self._asked is None or not self.query:
            return None
        is_on = self._asked.marking == "on"
        if is_on and not (self.body.places or self.body.has_sentence):
            return None
        asked = replace(self._asked, marking="off" if is_on else "on")
        url = _url(asked, _path(self.article.id), self._place)
        return MarksLine(self.body.places, self.body.has_sentence, url, is_on)

    # What is known of it

    @property
    def byline(self) -> Markup:
        """Return the authors as one phrase, each a link to all articles of theirs."""
        links = [
            Markup('<a href="{}">{}</a>').format(_filter("author", author), without_by(author))
            for author in self.article.authors
        ]
        return wording.filled(gettext("By %(names)s", names="{names}"), names=_joined(links)) if links else Markup()

    @property
    def source(self) -> Choice | None:
        """Return the source, with all articles of it."""
        source = self.article.source
        return Choice(wording.label(source), _filter("source", source)) if source else None

    @property
    def section(self) -> Choice | None:
        """Return the section, with all articles of it."""
        section = self.article.section
        return Choice(wording.section(section), _filter("section", section)) if section else None

    @property
    def original(self) -> Choice | None:
        """Return where the article was published, named by its host."""
        url = outside_link(self.article.url)
        return Choice((urlsplit(url).hostname or "").removeprefix("www."), url) if url else None

    @property
    def language(self) -> str:
        """Return the name of the language when it is not the one that the pages speak."""
        tag = self.article.language
        if not tag or tag.lower().replace("_", "-").partition("-")[0] == get_locale().language:
            return ""
        return wording.language_name(tag)

    @property
    def minutes(self) -> int:
        """Return how long it takes to read."""
        return wording.reading_minutes(self.article.body)

    # What stands beside it

    @property
    def around(self) -> Around | None:
        """Return the story it is part of, and its reports next in time."""
        return self._read.around

    @property
    def copies(self) -> Sequence[Member]:
        """Return the first of its copies."""
        return self._read.copies

    @property
    def origin(self) -> Article | None:
        """Return the article that they are likely taken from."""
        return next((member.article for member in self._read.copies if member.is_origin), None)

    @property
    def copies_total(self) -> int:
        """Return how many articles its group of copies has."""
        return self._read.copies_total

    @cached_property
    def panel(self) -> Panel:
        """Return what is related, without what already stands on the page as part of the story."""
        told = {report.id for report in self._read.around.reports} if self._read.around else set()
        others = [result for result in self._read.related.results if result.article.id not in told]
        return lanes_of(replace(self._read.related, results=others[:RELATED_ON_PAGE]))


def _path(article_id: str) -> str:
    return f"/articles/{article_id}"


def _url(asked: Asked, path: str, place: int | None) -> str:
    """Return the search under this path, on the page that holds the result at this place."""
    search = asked.search
    if place is not None:
        search = replace(search, cursor=None, page=(place - 1) // search.page_size + 1)
    extra = {"marks": "off"} if asked.marking == "off" and path != SEARCH_PATH else {}
    return SearchUrls(path=path, page_size=asked.page_size, extra=extra).at(search)


def _filter(name: str, value: str) -> str:
    return f"{SEARCH_PATH}?{urlencode({name: value}, errors='replace')}"


def _joined(links: Sequence[Markup]) -> Markup:
    """Return links as one phrase: A, B and C."""
    if len(links) < 2:
        return Markup().join(links)
    return Markup(wording.byline([f"{{{place}}}" for place in range(len(links))])).format(*links)  # noqa: S704 "{0} and {1}"
