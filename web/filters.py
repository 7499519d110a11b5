"""What narrows a search down: filters to add with how many articles each leaves, filters in force to take away. Pure.

A count is of the values as articles have them, letter for letter, while a filter finds more: it goes by neither case
nor accents, and a language takes its kinds with it (`en` finds en-GB too).

Invariant: every link is a whole search as a URL and starts at the first page of a new list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from index.facets import Facets, FacetValue
from index.search import SearchRequest
from web.histogram import Histogram, histogram
from web.params import SearchUrls
from web.wording import label, language_name, long_day

FilterName = Literal["sources", "sections", "authors", "languages"]
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
    """One list of filters: the first few values, the rest for who asks for more, and those that have no value."""

    title: str
    first: Sequence[Choice]
    rest: Sequence[Choice]
    without: str
    without_count: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of filter: its name, and what an article without it is said to have."""

    title: str
    without: str = ""  # nothing where such articles are not counted


KINDS: dict[FilterName, Kind] = {
    "sources": Kind("Source", "No source"),
    "sections": Kind("Section", "No section"),
    "authors": Kind("Author"),
    "languages": Kind("Language", "Language unknown"),
}


def values_of(request: SearchRequest, name: FilterName) -> tuple[str, ...]:
    """Return the values of one filter that are in force."""
    values: dict[FilterName, tuple[str, ...]] = {
        "sources": request.sources,
        "sections": request.sections,
        "authors": request.authors,
        "languages": request.languages,
    }
    return values[name]


def without_filters(request: SearchRequest) -> SearchRequest:
    """Return the same query with no filter."""
    return replace(request, sources=(), sections=(), authors=(), languages=(), date_from=None, date_to=None)


def chips(request: SearchRequest, urls: SearchUrls) -> list[Choice]:
    """Return the filters in force; each link takes one away."""
    chips = [
        Choice(f"{kind.title}: {_shown(name, value)}", urls.at(_toggled(request, value, name)))
        for name, kind in KINDS.items()
        for value in values_of(request, name)
    ]
    if request.date_from:
        chips.append(Choice(f"From {long_day(request.date_from)}", urls.at(replace(request, date_from=None))))
    if request.date_to:
        chips.append(Choice(f"To {long_day(request.date_to)}", urls.at(replace(request, date_to=None))))
    return chips


def facets(counted: Facets, request: SearchRequest, urls: SearchUrls) -> list[Facet]:
    """Return the lists that have something to choose, most frequent values first."""
    lists: list[tuple[FilterName, Sequence[FacetValue]]] = [
        ("sources", counted.source),
        ("sections", counted.section),
        ("authors", counted.author),
        ("languages", counted.language),
    ]
    return [
        _facet(name, values, request, urls)
        for name, values in lists
        if values and (len(values) > 1 or values_of(request, name) or name == "authors")
    ]


def timeline(counted: Facets, request: SearchRequest, urls: SearchUrls) -> Histogram:
    """Return when the articles were published; each bar leads to its days alone, of those that were asked for."""

    def url_of(start: date, end: date) -> str:
        first, last = max(start, request.date_from or start), min(end, request.date_to or end)
        if last < first:  # an article that was found and has another date since
            first, last = start, end
        return urls.at(replace(request, date_from=first, date_to=last))

    return histogram(counted.published, url_of=url_of)


def _facet(name: FilterName, values: Sequence[FacetValue], request: SearchRequest, urls: SearchUrls) -> Facet:
    asked = values_of(request, name)
    choices = [
        Choice(
            _shown(name, facet.value),
            urls.at(_toggled(request, facet.value, name)),
            chosen=facet.value in asked,
            count=facet.count,
        )
        for facet in values
        if facet.value is not None
    ]
    without = sum(facet.count for facet in values if facet.value is None)
    return Facet(KINDS[name].title, choices[:SHOWN_VALUES], choices[SHOWN_VALUES:], KINDS[name].without, without)


def _shown(name: FilterName, value: str) -> str:
    return language_name(value) if name == "languages" else label(value)


def _toggled(request: SearchRequest, value: str, name: FilterName) -> SearchRequest:
    asked = values_of(request, name)
    kept = tuple(other for other in asked if other != value)
    values: dict[str, tuple[str, ...]] = {name: kept if value in asked else (*asked, value)}
    return replace(request, **values)  # type: ignore[arg-type]  # a name of these four, and values as it has them
