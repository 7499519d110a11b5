"""What narrows a search down: filters to add with how many articles each leaves, filters in force to take away. Pure.

A count is of the values as articles have them, letter for letter, while a filter finds more: it goes by neither case
nor accents, and a language takes its kinds with it (`en` finds en-GB too).

Invariant: every link is a whole search as a URL and starts at the first page of a new list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from flask_babel import gettext, lazy_gettext

from index.facets import Facets, FacetValue
from index.query import FieldName
from index.search import Outline, SearchRequest
from web.exclusions import excluding, exclusions, without_exclusions
from web.params import SearchUrls
from web.units import long_day
from web.wording import found_line, in_a_row, label, language_name, section, span_of_days

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
    without: str = ""  # the search that leaves this value out
    without_said: str = ""  # what that does, in words


@dataclass(frozen=True, slots=True)
class Facet:
    """One list of filters: the first few values, the rest for who asks for more, and those that have no value.

    `find` names the box in which one of a long list is looked for; none where the list is short.
    """

    title: str
    first: Sequence[Choice]
    rest: Sequence[Choice]
    without: str
    without_count: int
    find: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of filter: its name, and what an article without it is said to have."""

    title: str
    field: FieldName  # of the query language
    find: str
    without: str = ""  # nothing where such articles are not counted


KINDS: dict[FilterName, Kind] = {
    "sources": Kind(lazy_gettext("Source"), "source", lazy_gettext("Find a source"), lazy_gettext("No source")),
    "sections": Kind(lazy_gettext("Section"), "section", lazy_gettext("Find a section"), lazy_gettext("No section")),
    "authors": Kind(lazy_gettext("Author"), "author", lazy_gettext("Find an author")),
    "languages": Kind(
        lazy_gettext("Language"), "language", lazy_gettext("Find a language"), lazy_gettext("Language unknown")
    ),
}
NAME_OF_FIELD: dict[str, FilterName] = {kind.field: name for name, kind in KINDS.items()}
DATES = "dates"  # beside those, as one filter


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
    """Return the same query with no filter, nor a value left out."""
    words = without_exclusions(request.query)
    return replace(
        request, query=words, sources=(), sections=(), authors=(), languages=(), date_from=None, date_to=None
    )


def without_each(request: SearchRequest) -> dict[str, SearchRequest]:
    """Return, by the name of each filter in force, the search without it; dates are one filter."""
    others: dict[str, SearchRequest] = {name: _with(request, name, ()) for name in KINDS if values_of(request, name)}
    if request.date_from or request.date_to:
        return {**others, DATES: replace(request, date_from=None, date_to=None)}
    return others


def ways_out(request: SearchRequest, urls: SearchUrls, outlines: Mapping[str, Outline]) -> list[Choice]:
    """Return the searches without one of the filters that find something, each named by what it does without."""
    return [
        Choice(_said(request, name), urls.at(other), count=outlines[name].total, hint=found_line(outlines[name]))
        for name, other in without_each(request).items()
        if name in outlines and outlines[name].total
    ]


def chips(request: SearchRequest, urls: SearchUrls) -> list[Choice]:
    """Return the filters in force; each link takes one away."""
    chips = [
        Choice(_filter(kind, _shown(name, value)), urls.at(_toggled(request, value, name)))
        for name, kind in KINDS.items()
        for value in values_of(request, name)
    ]
    if request.date_from:
        chips.append(Choice(_from(request.date_from), urls.at(replace(request, date_from=None))))
    if request.date_to:
        chips.append(Choice(_to(request.date_to), urls.at(replace(request, date_to=None))))
    for field, value, rest in exclusions(request.query):
        name = NAME_OF_FIELD[field]
        said = gettext("Not %(kind)s: %(value)s", kind=KINDS[name].title, value=_shown(name, value))
        chips.append(Choice(said, urls.at(replace(request, query=rest))))
    return chips


def facets(
    counted: Facets, request: SearchRequest, urls: SearchUrls, *, outlines: Mapping[str, Outline]
) -> list[Facet]:
    """Return the lists that have something to choose, the values in force first, then the most frequent.

    A list that has a value in force shows what the search without that filter finds, which `outlines` tell: each count
    is of the articles that choosing the value adds.
    """
    lists = {name: _values(outlines[name].facets if name in outlines else counted, name) for name in KINDS}
    return [
        _facet(name, values, request, urls)
        for name, values in lists.items()
        if values and (len(values) > 1 or values_of(request, name) or name == "authors")
    ]


def _facet(name: FilterName, values: Sequence[FacetValue], request: SearchRequest, urls: SearchUrls) -> Facet:
    kind = KINDS[name]
    write = _Writer(name, request, urls)
    choices = [write.choice(facet.value, facet.count) for facet in values if facet.value is not None]
    choices.sort(key=lambda choice: not choice.chosen)
    first, rest = choices[:SHOWN_VALUES], choices[SHOWN_VALUES:]
    without = sum(facet.count for facet in values if facet.value is None)
    return Facet(kind.title, first, rest, kind.without, without, kind.find if len(rest) > SHOWN_VALUES else "")


class _Writer:
    """Writes the choices of one filter. What they have in common is prepared once: a page has hundreds of them."""

    def __init__(self, name: FilterName, request: SearchRequest, urls: SearchUrls) -> None:
        self._name = name
        self._request = request
        self._urls = urls
        self._chosen = values_of(request, name)
        self._field = KINDS[name].field
        self._with = urls.adding(self._field, request)
        self._asking = urls.adding("q", replace(request, query=""))
        self._leave_out = gettext("Leave out %(value)s")

    def choice(self, value: str, count: int) -> Choice:
        """Return the choice of one value, which so many articles have."""
        shown = _shown(self._name, value)
        if value in self._chosen:
            url = self._urls.at(_toggled(self._request, value, self._name))
            return Choice(shown, url, chosen=True, count=count)
        query = excluding(self._request.query, self._field, value)
        return Choice(
            shown,
            self._with(value),
            count=count,
            without=self._asking(query) if query else "",
            without_said=self._leave_out % {"value": shown} if query else "",
        )


def _values(counted: Facets, name: FilterName) -> Sequence[FacetValue]:
    values: dict[FilterName, Sequence[FacetValue]] = {
        "sources": counted.source,
        "sections": counted.section,
        "authors": counted.author,
        "languages": counted.language,
    }
    return values[name]


def _shown(name: FilterName, value: str) -> str:
    if name == "languages":
        return language_name(value)
    return section(value) if name == "sections" else label(value)


def _said(request: SearchRequest, name: str) -> str:
    """Return one filter in words: its values."""
    if name == DATES:
        return _dates(request)
    kind: FilterName = next(each for each in KINDS if each == name)
    return _filter(KINDS[kind], in_a_row(_shown(kind, value) for value in values_of(request, kind)))


def _dates(request: SearchRequest) -> str:
    first, last = request.date_from, request.date_to
    if first and last:
        return span_of_days(first, last)
    return _from(first) if first else _to(last) if last else ""


def _from(day: date) -> str:
    return str(gettext("From %(day)s", day=long_day(day)))


def _to(day: date) -> str:
    return str(gettext("To %(day)s", day=long_day(day)))


def _filter(kind: Kind, value: str) -> str:
    return str(gettext("%(kind)s: %(value)s", kind=kind.title, value=value))


def _toggled(request: SearchRequest, value: str, name: FilterName) -> SearchRequest:
    asked = values_of(request, name)
    kept = tuple(other for other in asked if other != value)
    return _with(request, name, kept if value in asked else (*asked, value))


def _with(request: SearchRequest, name: FilterName, values: tuple[str, ...]) -> SearchRequest:
    changed: dict[str, tuple[str, ...]] = {name: values}
    return replace(request, **changed)  # type: ignore[arg-type]  # a name of these four, and values as it has them
