"""The links of a results page: ways to search, orders, filters to add, filters to take away.

Invariant: every link is a whole search as a URL and starts at the first page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.search import MODES, SORTS, FacetValue, Result, SearchRequest, SearchResponse
from web.params import SearchUrls
from web.wording import MODE_NAMES, SORT_NAMES, label, long_day, periods

FILTER_NAMES = {"sources": "Source", "sections": "Section", "authors": "Author", "languages": "Language"}
SHOWN_VALUES = 8  # of a facet, before "more"


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes one thing about the search."""

    name: str
    url: str
    chosen: bool = False
    hint: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Facet:
    """One list of filters: the first few values, and the rest for who asks for more."""

    title: str
    first: Sequence[Choice]
    rest: Sequence[Choice]


class ResultsView:
    """What the results page shows besides the results, so that its template holds no logic."""

    def __init__(self, found: SearchResponse, urls: SearchUrls) -> None:
        """Keep what was found and how its searches are written as URLs."""
        self._found = found
        self._first = replace(found.request, page=1)
        self._urls = urls

    def article_url(self, article_id: str) -> str:
        """Return an article's address, with the way back to these very results."""
        return replace(self._urls, path=f"/articles/{article_id}").at(self._found.request)

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
        """Return the orders."""
        return [
            Choice(SORT_NAMES[sort], self._at(replace(self._first, sort=sort)), sort == self._first.sort)
            for sort in SORTS
        ]

    def goes_by_meaning_alone(self) -> bool:
        """Return whether words were looked for and none of them stands in what is shown."""
        results = self._found.results
        return bool(results) and self._first.mode == "hybrid" and all(_holds_no_word(result) for result in results)

    def chips(self) -> list[Choice]:
        """Return the filters in force; each link takes one away."""
        asked = self._first
        chips = [
            Choice(f"{name}: {label(value)}", self._at(_without(asked, value, field)))
            for field, name in FILTER_NAMES.items()
            for value in getattr(asked, field)
        ]
        if asked.date_from:
            chips.append(Choice(f"From {long_day(asked.date_from)}", self._at(replace(asked, date_from=None))))
        if asked.date_to:
            chips.append(Choice(f"To {long_day(asked.date_to)}", self._at(replace(asked, date_to=None))))
        return chips

    def without_filters(self) -> str:
        """Return the same query with no filter."""
        return self._at(_bare(self._first))

    def in_other_mode(self) -> Choice | None:
        """Return the widest way to search, when this is not it."""
        return None if self._first.mode == MODES[0] else self.modes()[0]

    def facets(self) -> list[Facet]:
        """Return the filters there are to choose from, most frequent first and months newest first."""
        facets = self._found.facets
        lists = [
            Facet("Source", *self._split(self._values(facets.source, "sources"))),
            Facet("Section", *self._split(self._values(facets.section, "sections"))),
            Facet("Published", *self._split(self._periods())),
        ]
        return [facet for facet in lists if facet.first]

    def hidden_fields(self) -> list[tuple[str, str]]:
        """Return what a new query keeps: the way to search, the order and the filters."""
        return self._urls.pairs(replace(self._first, query=""))

    def hidden_fields_beside_dates(self) -> list[tuple[str, str]]:
        """Return what new dates keep: everything but the dates."""
        return self._urls.pairs(replace(self._first, date_from=None, date_to=None))

    def _at(self, request: SearchRequest) -> str:
        return self._urls.at(request)

    def _split(self, choices: list[Choice]) -> tuple[list[Choice], list[Choice]]:
        return choices[:SHOWN_VALUES], choices[SHOWN_VALUES:]

    def _values(self, values: Sequence[FacetValue], field: str) -> list[Choice]:
        asked: tuple[str, ...] = getattr(self._first, field)
        return [
            Choice(
                label(facet.value),
                self._at(_toggled(self._first, facet.value, field)),
                chosen=facet.value in asked,
                count=facet.count,
            )
            for facet in values
        ]

    def _periods(self) -> list[Choice]:
        asked = self._first
        return [
            Choice(
                period.name,
                self._at(replace(asked, date_from=period.start, date_to=period.end)),
                chosen=(asked.date_from, asked.date_to) == (period.start, period.end),
                count=period.count,
            )
            for period in periods(self._found.facets.published)
        ]


def _holds_no_word(result: Result) -> bool:
    return result.keyword.score is None and result.semantic.score is not None


def _without(request: SearchRequest, value: str, field: str) -> SearchRequest:
    kept = tuple(other for other in getattr(request, field) if other != value)
    return _with_values(request, kept, field)


def _toggled(request: SearchRequest, value: str, field: str) -> SearchRequest:
    asked: tuple[str, ...] = getattr(request, field)
    return _without(request, value, field) if value in asked else _with_values(request, (*asked, value), field)


def _with_values(request: SearchRequest, values: tuple[str, ...], field: str) -> SearchRequest:
    changes: dict[str, tuple[str, ...]] = {field: values}
    return replace(request, **changes)  # type: ignore[arg-type]  # only the four fields of values come here


def _bare(request: SearchRequest) -> SearchRequest:
    return replace(request, sources=(), sections=(), authors=(), languages=(), date_from=None, date_to=None)
