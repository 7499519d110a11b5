"""A results page beside its results: ways to search, orders, what is to be said of the answer, ways forward. Pure.

Invariant: every link is a whole search as a URL and starts at the first page of a new list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from math import ceil

from flask_babel import gettext, lazy_gettext, ngettext

from index.listing import SORTS, Sort
from index.ranking import MODES, Mode
from index.results import Result
from index.search import Outline, SearchRequest, SearchResponse
from web import units
from web.filters import Choice, Facet, chips, facets, ways_out, without_filters
from web.histogram import Histogram
from web.page_numbers import page_numbers
from web.params import MAX_PAGE, SearchUrls
from web.reasons import Why, why
from web.timeline import timeline, zoomed_out
from web.units import long_day
from web.wording import MODE_NAMES, SORT_NAMES, found_line, in_a_row, more_copies

PAGE_SIZES = (10, 25, 50, 100)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know about the answer before reading it, and where to go from there."""

    strong: str
    text: str
    link: Choice | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A search as it is quoted: its address, and a line that says what it found on which day."""

    url: str
    text: str


DEGRADED = Notice(
    lazy_gettext("Search is not at full strength."),
    lazy_gettext(
        "The archive itself is whole, but these results may go by words alone, come in a rougher order, or miss the"
        " latest articles."
    ),
)
LIST_GONE = Notice(
    lazy_gettext("This list of results was kept for a while and is gone."),
    lazy_gettext("Here is the first page of the same search, as the archive stands now."),
)
LIST_UNKNOWN = Notice(
    LIST_GONE.strong,
    lazy_gettext("Its address does not say what was searched for: these are all articles of the archive."),
)
NO_WORD = Notice(
    lazy_gettext("None of your words occur."),
    lazy_gettext(
        "These articles are the nearest by meaning; if none is the one you look for, the archive may not hold it."
    ),
)
RELAXED = Notice(
    lazy_gettext("No article holds all your words."), lazy_gettext("These hold most of them, or are near in meaning.")
)
RELAXED_WORDS = Notice(lazy_gettext("No article holds all your words."), lazy_gettext("These hold most of them."))
DATES_EXCHANGED = Notice(
    lazy_gettext("The first day was later than the last."), lazy_gettext("The two were exchanged.")
)
ALL_LISTED = Notice(lazy_gettext("All that comes near is listed,"), lazy_gettext("also what is probably not relevant."))
DOUBTFUL = Notice(
    lazy_gettext("These are the nearest articles,"), lazy_gettext("although probably none of them is relevant.")
)


OTHER_MODES: dict[Mode, str] = {
    "keyword": lazy_gettext("Both also finds those that say it otherwise."),
    "semantic": lazy_gettext("Words keeps to those in which your own occur."),
}


def how_well(found: SearchResponse) -> Notice | None:
    """Return what is to be said of how well the articles listed match, when something is.

    It goes by the whole list, so that it is the same on each page.
    """
    if not found.results:
        return None
    if found.request.cutoff == "off" and found.request.query:
        return DOUBTFUL if found.doubtful else ALL_LISTED
    if found.by_meaning_alone:
        return NO_WORD
    if found.relaxed:
        return RELAXED_WORDS if found.request.mode == "keyword" else RELAXED
    return None


class ResultsView:
    """What the results page shows, so that its template holds no logic."""

    def __init__(
        self,
        found: SearchResponse,
        urls: SearchUrls,
        *,
        notices: Sequence[Notice] = (),
        outlines: Mapping[str, Outline] | None = None,
    ) -> None:
        """Keep what was found, how its searches are written as URLs, and what else is to be said above it.

        `outlines` are of the searches without one filter, by its name.
        """
        self._found = found
        self._outlines = outlines or {}
        self._first = replace(found.request, page=1, cursor=None)
        self._urls = urls
        self._more = notices

    @property
    def first_number(self) -> int:
        """Return the place of the page's first result."""
        return (self._found.request.page - 1) * self._found.request.page_size + 1

    def article_url(self, article_id: str) -> str:
        """Return an article's address, with the way back to these very results."""
        return replace(self._urls, path=f"/articles/{article_id}").at(replace(self._found.request, cursor=None))

    def why(self, result: Result) -> Why | None:
        """Return why a result was found."""
        return why(result, self._first.mode)

    def modes(self) -> list[Choice]:
        """Return the ways to search; the hint of the one in force says how much of the list another would keep."""
        return [
            Choice(
                MODE_NAMES[mode].name,
                self._at(replace(self._first, mode=mode)),
                chosen=mode == self._first.mode,
                hint=self._hint() if mode == self._first.mode else MODE_NAMES[mode].hint,
            )
            for mode in MODES
        ]

    def _hint(self) -> str:
        hint = MODE_NAMES[self._first.mode].hint
        if self._first.mode != "hybrid":
            return f"{hint} {OTHER_MODES[self._first.mode]}"
        holding, total = self._found.holding, self._found.total
        if not holding:
            return hint
        if holding == total:
            said: str = ngettext(
                "Words and meaning together; this article matches all your words.",
                "Words and meaning together; all of these articles match all your words.",
                total,
            )
            return said
        most: str = ngettext(
            "Words and meaning together; %(count)s of these %(total)s articles matches all your words.",
            "Words and meaning together; %(count)s of these %(total)s articles match all your words.",
            holding,
            count=units.number(holding),
            total=units.number(total),
        )
        return most

    def sorts(self) -> list[Choice]:
        """Return the orders; without a query there is no best match, and the newest come first."""
        asked: Sort = self._first.sort
        if not self._first.query and asked == "relevance":
            asked = "newest"
        return [
            Choice(SORT_NAMES[sort], self._at(replace(self._first, sort=sort)), sort == asked)
            for sort in SORTS
            if sort != "relevance" or self._first.query
        ]

    @cached_property
    def notices(self) -> list[Notice]:
        """Return what is to be said above the results."""
        notices = [*self._more]
        if self._found.degraded:
            notices.append(DEGRADED)
        if matching := how_well(self._found):
            back = Choice(gettext("Show good matches only"), self._at(replace(self._first, cutoff="on")))
            is_whole = matching in (ALL_LISTED, DOUBTFUL)
            notices.append(replace(matching, link=back) if is_whole else matching)
        return notices

    def copies(self) -> Choice | None:
        """Return how copies are dealt with in this list, when there are any, and the search that does otherwise."""
        if self._first.copies == "all":
            url = self._at(replace(self._first, copies="folded"))
            return Choice(gettext("fold copies"), url, hint=gettext("Every copy is listed:"))
        if not self._found.folded:
            return None
        number = self._found.folded
        hint = ngettext("%(number)s copy folded:", "%(number)s copies folded:", number, number=units.number(number))
        return Choice(gettext("show all"), self._at(replace(self._first, copies="all")), hint=hint)

    def copies_of(self, result: Result) -> Choice | None:
        """Return how many copies stand behind a result, and the search that lists them."""
        if result.copies is None or self._first.copies == "all":
            return None
        name = more_copies(result.copies.count)
        return Choice(name, self._at(replace(self._first, copies="all")), hint=gettext("List every copy"))

    def marks_words(self) -> bool:
        """Return whether a word is marked on this page."""
        return any(result.snippet.highlights for result in self._found.results)

    def marks_sentences(self) -> bool:
        """Return whether a sentence is marked on this page, so that the marks want explaining."""
        return any(result.snippet.sentence for result in self._found.results)

    def suggestion(self) -> Choice | None:
        """Return the search that was probably meant."""
        text = self._found.suggestion
        return Choice(text, self._at(replace(self._first, query=text, cutoff="on"))) if text else None

    def chips(self) -> list[Choice]:
        """Return the filters in force; each link takes one away."""
        return chips(self._first, self._urls)

    def without_filters(self) -> str:
        """Return the same query with no filter."""
        return self._at(without_filters(self._first))

    def in_other_mode(self) -> Choice | None:
        """Return the widest way to search, when this is not it."""
        return None if self._first.mode == MODES[0] else self.modes()[0]

    def anyway(self) -> str | None:
        """Return the search that lists the nearest articles, relevant or not, when some were held back."""
        if not self._found.no_good_match or self._first.cutoff == "off":
            return None
        return self._at(replace(self._first, cutoff="off"))

    def facets(self) -> list[Facet]:
        """Return the filters there are to choose from."""
        return facets(self._found.facets, self._first, self._urls, outlines=self._outlines)

    def ways_out(self) -> list[Choice]:
        """Return the searches without one of the filters that find something."""
        return ways_out(self._first, self._urls, self._outlines)

    def zoomed_out(self) -> Choice | None:
        """Return the search of a longer stretch of time, where dates are asked for."""
        return zoomed_out(self._first, self._urls)

    def pages(self) -> list[Choice]:
        """Return the pages to go to directly, none where there is but one; a gap has no URL."""
        request = self._found.request
        places = self._found.total - self._found.folded
        last = min(max(ceil(places / request.page_size), request.page), MAX_PAGE)
        if last == 1 or request.page > last:
            return []
        return [
            Choice(units.number(number), self._at(replace(self._first, page=number)), chosen=number == request.page)
            if number
            else Choice("…", "")
            for number in page_numbers(request.page, last)
        ]

    def page_sizes(self) -> list[Choice]:
        """Return how many results a page may have, where that makes a difference."""
        if self._found.total - self._found.folded <= PAGE_SIZES[0]:
            return []
        now = self._first.page_size
        return [
            Choice(f"{size}", self._at(replace(self._first, page_size=size)), chosen=size == now)
            for size in sorted({*PAGE_SIZES, now})
        ]

    def citation(self, *, site: str, root: str, today: date) -> Citation:
        """Return how the search is quoted: what it found `today` at `site`, whose addresses begin with `root`."""
        url = root.rstrip("/") + self._at(replace(self._first, page_size=self._urls.page_size))
        asked = gettext("“%(query)s”", query=self._first.query) if self._first.query else gettext("all articles")
        search = in_a_row([asked, *(chip.name for chip in self.chips())])
        text = gettext(
            "%(site)s, search for %(search)s: %(found)s on %(day)s. %(url)s",
            site=site,
            search=search,
            found=found_line(self._found),
            day=long_day(today),
            url=url,
        )
        return Citation(url, text)

    @cached_property
    def timeline(self) -> Histogram:
        """Return when the articles found were published."""
        return timeline(self._found.facets, self._first, self._urls)

    def hidden_fields(self) -> list[tuple[str, str]]:
        """Return what a new query keeps: the way to search, the order and the filters."""
        return kept_fields(self._first, self._urls)

    def hidden_fields_beside_dates(self) -> list[tuple[str, str]]:
        """Return what new dates keep: everything but the dates."""
        return self._urls.pairs(replace(self._first, date_from=None, date_to=None))

    def _at(self, request: SearchRequest) -> str:
        return self._urls.at(request)


def kept_fields(request: SearchRequest, urls: SearchUrls) -> list[tuple[str, str]]:
    """Return what a new query keeps of an old search, as a form's hidden fields."""
    return urls.pairs(replace(request, query="", cutoff="on", page=1, cursor=None))
