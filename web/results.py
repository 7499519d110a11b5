"""A results page beside its results: ways to search, orders, what is to be said of the answer, ways forward. Pure.

Invariant: every link is a whole search as a URL and starts at the first page of a new list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from index.listing import SORTS, Sort
from index.ranking import MODES
from index.results import Result
from index.search import SearchRequest, SearchResponse
from web.filters import Choice, Facet, chips, facets, timeline, without_filters
from web.histogram import Histogram
from web.params import SearchUrls
from web.reasons import Why, why
from web.wording import MODE_NAMES, SORT_NAMES, count_of


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know about the answer before reading it, and where to go from there."""

    strong: str
    text: str
    link: Choice | None = None


DEGRADED = Notice(
    "Search is not at full strength.",
    "The archive itself is whole, but these results may go by words alone, come in a rougher order, or miss the"
    " latest articles.",
)
LIST_GONE = Notice(
    "This list of results was kept for a while and is gone.",
    "Here is the first page of the same search, as the archive stands now.",
)
LIST_UNKNOWN = Notice(
    LIST_GONE.strong,
    "Its address does not say what was searched for: these are all articles of the archive.",
)
NO_WORD = Notice(
    "None of your words occur.",
    "These articles are the nearest by meaning; if none is the one you look for, the archive may not hold it.",
)
RELAXED = Notice("No article holds all your words.", "These hold most of them, or are near in meaning.")
RELAXED_WORDS = Notice("No article holds all your words.", "These hold most of them.")
ALL_LISTED = Notice("All that comes near is listed,", "also what is probably not relevant.")
DOUBTFUL = Notice("These are the nearest articles,", "although probably none of them is relevant.")


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

    def __init__(self, found: SearchResponse, urls: SearchUrls, *, notices: Sequence[Notice] = ()) -> None:
        """Keep what was found, how its searches are written as URLs, and what else is to be said above it."""
        self._found = found
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
        """Return the ways to search."""
        return [
            Choice(
                MODE_NAMES[mode].name,
                self._at(replace(self._first, mode=mode)),
                chosen=mode == self._first.mode,
                hint=MODE_NAMES[mode].hint,
            )
            for mode in MODES
        ]

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
            back = Choice("Show good matches only", self._at(replace(self._first, cutoff="on")))
            is_whole = matching in (ALL_LISTED, DOUBTFUL)
            notices.append(replace(matching, link=back) if is_whole else matching)
        return notices

    def copies(self) -> Choice | None:
        """Return how copies are dealt with in this list, when there are any, and the search that does otherwise."""
        if self._first.copies == "all":
            return Choice("fold copies", self._at(replace(self._first, copies="folded")), hint="Every copy is listed")
        if not self._found.folded:
            return None
        hint = f"{count_of(self._found.folded, 'copy', 'copies')} folded"
        return Choice("show all", self._at(replace(self._first, copies="all")), hint=hint)

    def copies_of(self, result: Result) -> Choice | None:
        """Return how many copies stand behind a result, and the search that lists them."""
        if result.copies is None or self._first.copies == "all":
            return None
        name = f"+{count_of(result.copies.count, 'copy', 'copies')}"
        return Choice(name, self._at(replace(self._first, copies="all")), hint="List every copy")

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
        return facets(self._found.facets, self._first, self._urls)

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
