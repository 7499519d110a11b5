"""Where what can be browsed is found: the addresses of days and names, and what is said of one that holds nothing.

Invariant: a date has one address, with two digits a month and day; a name is a parameter, so that it may hold anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask_babel import lazy_gettext

from index.browsing import SORTINGS, NamesPage, Sorting
from index.contents import ORDERS, Order
from index.names import Kind
from index.search import SearchRequest
from web.paging import Links, numbered_links
from web.params import MAX_FILTER_CHARS, SearchUrls

BROWSE = "/browse"
UNDATED = f"{BROWSE}/undated"
SEARCH = "/search"
NAMES_URLS: dict[Kind, str] = {
    "source": f"{BROWSE}/sources",
    "section": f"{BROWSE}/sections",
    "author": f"{BROWSE}/authors",
}
ALL_NAMES: dict[Kind, object] = {
    "source": lazy_gettext("All sources"),
    "section": lazy_gettext("All sections"),
    "author": lazy_gettext("All authors"),
}
KIND_NAMES: dict[Kind, object] = {
    "source": lazy_gettext("Sources"),
    "section": lazy_gettext("Sections"),
    "author": lazy_gettext("Authors"),
}
DEFAULT_SORTING: dict[Kind, Sorting] = {"source": "count", "section": "count", "author": "name"}
SORTING_NAMES: dict[Sorting, object] = {"count": lazy_gettext("Most articles"), "name": lazy_gettext("By the alphabet")}
ORDER_NAMES: dict[Order, object] = {"newest": lazy_gettext("Newest"), "oldest": lazy_gettext("Oldest")}


def year_url(day: date) -> str:
    """Return the address of the year that a day lies in."""
    return f"{BROWSE}/{day.year:04d}"


def month_url(day: date) -> str:
    """Return the address of the month that a day lies in."""
    return f"{year_url(day)}/{day.month:02d}"


def day_url(day: date) -> str:
    """Return the address of a day."""
    return f"{month_url(day)}/{day.day:02d}"


def profile_url(kind: Kind, name: str) -> str | None:
    """Return the address of a name, None of one too long to be asked for."""
    return f"{BROWSE}/{kind}?{urlencode({'name': name})}" if len(name) <= MAX_FILTER_CHARS else None


def searching(
    kind: Kind | None = None,
    name: str = "",
    *,
    first: date | None = None,
    last: date | None = None,
    within: tuple[Kind, str] | None = None,
) -> str:
    """Return the search for the articles of a name, of a stretch of days and within another name, the newest first."""
    names = {f"{field}s": (value,) for field, value in ((kind, name), within or (None, "")) if field}
    request = SearchRequest(date_from=first, date_to=last, sort="newest", **names)  # type: ignore[arg-type]
    return SearchUrls(path=SEARCH).at(request)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one may go, under which name."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes one thing about a list."""

    url: str
    name: str
    is_chosen: bool
    count: int = 0


def link(day: date | None, url_of: Callable[[date], str], name_of: Callable[[date], str]) -> Link | None:
    """Return the link to the stretch of time that a day lies in, None for no day."""
    return Link(url_of(day), name_of(day)) if day else None


def orders(address: str, chosen: Order) -> list[Choice]:
    """Return the ways to order the articles at an address."""
    urls = {order: address if order == ORDERS[0] else f"{address}?sort={order}" for order in ORDERS}
    return [Choice(urls[order], str(ORDER_NAMES[order]), order == chosen) for order in ORDERS]


@dataclass(frozen=True, slots=True)
class NamesLinks:
    """What can be changed about a list of names: each link keeps the rest."""

    page: NamesPage

    def asked(self, **changed: str) -> list[tuple[str, str]]:
        """Return the parameters of the list, with these changed, as far as they differ from what is meant without."""
        asked = {"letter": self.page.letter, "q": self.page.text, "sort": self.page.sort, **changed}
        if asked["sort"] == DEFAULT_SORTING[self.page.kind]:
            asked["sort"] = ""
        return [(name, value) for name, value in asked.items() if value]

    def letters(self) -> list[Choice]:
        """Return the letters to choose from, and before them all of them."""
        every = {"": sum(self.page.letters.values()), **self.page.letters}
        return [
            Choice(self._at(letter=letter), letter, letter == self.page.letter, count)
            for letter, count in every.items()
        ]

    def sortings(self) -> list[Choice]:
        """Return the ways to sort the list."""
        return [
            Choice(self._at(sort=sort), str(SORTING_NAMES[sort]), sort == self.page.sort) for sort in reversed(SORTINGS)
        ]

    def without_text(self) -> str:
        """Return the list of all names."""
        return self._at(q="", letter="")

    def pages(self, *, default_size: int, path: str) -> Links:
        """Return the links between its pages."""
        page = self.page
        return numbered_links(
            path, self.asked(), number=page.number, size=page.size, total=page.total, default_size=default_size
        )

    def _at(self, **changed: str) -> str:
        path, asked = NAMES_URLS[self.page.kind], self.asked(**changed)
        return f"{path}?{urlencode(asked)}" if asked else path


class NothingThere(LookupError):
    """An address under /browse that holds nothing: what is said of it, and where something is."""

    def __init__(self, heading: str, *, links: Sequence[Link] = ()) -> None:
        """Keep what to say."""
        super().__init__(heading)
        self.heading = heading
        self.links = links
