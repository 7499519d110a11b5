"""Request parameters in, a `SearchRequest` out, and back again into a URL.

Invariant: a value that cannot be used is refused by name, never corrected in silence. A blank value is an absent one,
because a form sends its empty fields.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal, cast
from urllib.parse import quote_plus

from babel.lists import format_list
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from index.browsing import SORTINGS, Sorting
from index.contents import ORDERS, Order
from index.coverage import UNITS, Unit
from index.folding import COPYINGS, Copying
from index.frozen import read_cursor
from index.listing import CUTOFFS, SORTS, Cutoff, Sort
from index.names import OTHER
from index.ranking import MODES, Mode
from index.search import SearchRequest
from web import units
from web.settings import MAX_PAGE_SIZE

MAX_FILTER_CHARS = 200  # of one filter value; the longest real names of outlets and authors stay far below
MAX_FILTER_VALUES = 20  # of one filter
MAX_PAGE = 1_000_000  # as many results as one search lists; a far page costs no more than the first
MAX_RELATED = 20
MAX_PIXELS = 100_000
DEFAULT_RELATED = 5

PARAMETERS = ("q", "mode", "source", "section", "author", "language", "from", "to", "sort", "cutoff", "copies")
ORDER = {name: place for place, name in enumerate((*PARAMETERS, "page", "page_size", "cursor"))}  # in a URL
QUOTED = 4_096  # values whose form in a URL is remembered
MAX_VERSION = 999_999_999
Marking = Literal["on", "off"]
MARKINGS: tuple[Marking, ...] = ("on", "off")

Args = MultiDict[str, str]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadParameter(ValueError):
    """One request parameter that cannot be used: its name, the value as sent, and what was expected instead."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        """Keep the three parts; the message puts them into one sentence."""
        super().__init__(f"{name} must be {expected}")
        self.name = name
        self.value = value
        self.expected = expected


def search_request(args: Args, *, page_size: int) -> SearchRequest:
    """Return the search that `args` asks for, `page_size` results a page unless they say. Raises BadParameter."""
    date_from, date_to = _day(args, "from"), _day(args, "to")
    if date_from and date_to and date_to < date_from:
        raise BadParameter("to", args["to"], gettext("a day not before %(day)s", day=date_from.isoformat()))
    return SearchRequest(
        query=single(args, "q"),  # its limits are the query language's own
        mode=cast(Mode, _one_of(args, "mode", MODES)),
        sources=_values(args, "source"),
        sections=_values(args, "section"),
        authors=_values(args, "author"),
        languages=_values(args, "language"),
        date_from=date_from,
        date_to=date_to,
        sort=cast(Sort, _one_of(args, "sort", SORTS)),
        cutoff=cast(Cutoff, _one_of(args, "cutoff", CUTOFFS)),
        copies=cast(Copying, _one_of(args, "copies", COPYINGS)),
        page=_whole_number(args, "page", default=1, most=MAX_PAGE),
        page_size=_whole_number(args, "page_size", default=page_size, most=MAX_PAGE_SIZE),
        cursor=_cursor(args),
    )


def with_dates_in_order(args: Args) -> tuple[Args, bool]:
    """Return `args` with `from` and `to` exchanged when they stand the wrong way round, and whether they did.

    Raises BadParameter.
    """
    date_from, date_to = _day(args, "from"), _day(args, "to")
    if not (date_from and date_to and date_to < date_from):
        return args, False
    turned = MultiDict(args)
    turned["from"], turned["to"] = date_to.isoformat(), date_from.isoformat()
    return turned, True


def is_first_page(wanted: SearchRequest) -> bool:
    """Return whether a search is for the archive as it is; a further page is one of a list made before."""
    return wanted.page == 1 and wanted.cursor is None


def explain(args: Args) -> Literal["0", "1"]:
    """Return "1" when the answer is to say how each leg scored each result. Raises BadParameter."""
    return cast(Literal["0", "1"], _one_of(args, "explain", ("0", "1")))


def body(args: Args) -> Literal["0", "1"]:
    """Return "1" when the texts of articles are wanted too. Raises BadParameter."""
    return cast(Literal["0", "1"], _one_of(args, "body", ("0", "1")))


def marking(args: Args) -> Marking:
    """Return whether an article's page marks what was searched for. Raises BadParameter."""
    return cast(Marking, _one_of(args, "marks", MARKINGS))


def against(args: Args) -> int | None:
    """Return the version that another one is to be compared with, when that is said. Raises BadParameter."""
    return _whole_number(args, "against", default=0, most=MAX_VERSION) or None


def related_limit(args: Args, *, default: int = DEFAULT_RELATED) -> int:
    """Return how many related articles are asked for. Raises BadParameter."""
    return _whole_number(args, "limit", default=default, most=MAX_RELATED)


def pixels(args: Args, name: Literal["maxwidth", "maxheight"], *, default: int) -> int:
    """Return how many pixels there is room for. Raises BadParameter."""
    return _whole_number(args, name, default=default, most=MAX_PIXELS)


def order(args: Args) -> Order:
    """Return in which order a day's articles are asked for. Raises BadParameter."""
    return cast(Order, _one_of(args, "sort", ORDERS))


def sorting(args: Args, *, default: Sorting) -> Sorting:
    """Return by what a list of names is to be sorted. Raises BadParameter."""
    return cast(Sorting, _one_of(args, "sort", sorted(SORTINGS, key=lambda choice: choice != default)))


def letter(args: Args) -> str:
    """Return the letter whose names are asked for, empty for all. Raises BadParameter."""
    text = single(args, "letter")
    if len(text) > 1 and text != OTHER:
        raise BadParameter("letter", text, gettext("one letter, or %(other)s", other=OTHER))
    return text if text == OTHER else text.upper()[:1]


def text(args: Args) -> str:
    """Return what names are to hold, empty for all. Raises BadParameter."""
    return _limited(args, "q")


def name(args: Args) -> str:
    """Return the name that is asked for. Raises BadParameter."""
    if not (value := _limited(args, "name")):
        raise BadParameter("name", value, gettext("the name of a source, a section or an author"))
    return value


def _limited(args: Args, name: str) -> str:
    value = single(args, name)
    if len(value) > MAX_FILTER_CHARS:
        raise BadParameter(name, value, gettext("at most %(most)s characters", most=MAX_FILTER_CHARS))
    return value


def unit(args: Args) -> Unit:
    """Return by what length of time coverage is asked for. Raises BadParameter."""
    return cast(Unit, _one_of(args, "by", UNITS))


def page_number(args: Args) -> int:
    """Return which page is asked for. Raises BadParameter."""
    return _whole_number(args, "page", default=1, most=MAX_PAGE)


def list_page(args: Args, *, page_size: int) -> tuple[int, int]:
    """Return which page of a list is asked for, and how many stand on one. Raises BadParameter."""
    return page_number(args), _whole_number(args, "page_size", default=page_size, most=MAX_PAGE_SIZE)


def _cursor(args: Args) -> str | None:
    text = single(args, "cursor")
    if text and read_cursor(text) is None:
        raise BadParameter("cursor", text, gettext("the cursor of an earlier answer, unchanged"))
    return text or None


def _values(args: Args, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value.strip() for value in args.getlist(name) if value.strip()))
    if len(values) > MAX_FILTER_VALUES:
        raise BadParameter(name, values[-1], gettext("given at most %(most)s times", most=MAX_FILTER_VALUES))
    for value in values:
        if len(value) > MAX_FILTER_CHARS:
            raise BadParameter(name, value, gettext("at most %(most)s characters", most=MAX_FILTER_CHARS))
    return values


def single(args: Args, name: str) -> str:
    """Return the value of one that is given once, empty where it is not given. Raises BadParameter for several."""
    given = args.getlist(name)
    if len(given) > 1:
        raise BadParameter(name, ", ".join(given), gettext("given once"))
    return given[0].strip() if given else ""


def _one_of(args: Args, name: str, choices: Sequence[str]) -> str:
    value = single(args, name) or choices[0]
    if value not in choices:
        raise BadParameter(name, value, format_list([*choices], "or", locale=units.locale()))
    return value


def _day(args: Args, name: str) -> date | None:
    text = single(args, name)
    if not text:
        return None
    try:
        if not _DAY.fullmatch(text):  # fromisoformat alone takes week dates and dates without hyphens too
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise BadParameter(name, text, gettext("a day such as 2025-02-13")) from None


def _whole_number(args: Args, name: str, *, default: int, most: int) -> int:
    text = single(args, name)
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise BadParameter(name, text, gettext("a whole number from 1 to %(most)s", most=units.number(most)))
    return int(text)


def _written(pairs: Sequence[tuple[str, str]]) -> str:
    return "&".join([f"{name}={_quoted(value)}" for name, value in pairs])


@lru_cache(maxsize=QUOTED)
def _quoted(value: str) -> str:
    """Return a value as it stands in a URL; the links of one page are made of the same few values."""
    return quote_plus(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchUrls:
    """Writes searches as URLs under `path`: only what differs from the defaults, always in the same order.

    A cursor says where its page begins, so no page number stands beside it. `page_size` is what a URL means when it
    does not say; `extra` is added to each.
    """

    path: str
    page_size: int = 10
    extra: Mapping[str, str] = field(default_factory=dict)

    def pairs(self, request: SearchRequest) -> list[tuple[str, str]]:
        """Return the parameters that ask for `request`, as a form's hidden fields need them."""
        pairs = [
            ("q", request.query),
            ("mode", request.mode if request.mode != MODES[0] else ""),
            *(("source", value) for value in request.sources),
            *(("section", value) for value in request.sections),
            *(("author", value) for value in request.authors),
            *(("language", value) for value in request.languages),
            ("from", request.date_from.isoformat() if request.date_from else ""),
            ("to", request.date_to.isoformat() if request.date_to else ""),
            ("sort", request.sort if request.sort != SORTS[0] else ""),
            ("cutoff", request.cutoff if request.cutoff != CUTOFFS[0] else ""),
            ("copies", request.copies if request.copies != COPYINGS[0] else ""),
            ("page", str(request.page) if request.page != 1 and not request.cursor else ""),
            ("page_size", str(request.page_size) if request.page_size != self.page_size else ""),
            ("cursor", request.cursor or ""),
        ]
        return [pair for pair in pairs if pair[1]] + list(self.extra.items())

    def at(self, request: SearchRequest) -> str:
        """Return the relative URL of `request`."""
        query = _written(self.pairs(request))
        return f"{self.path}?{query}" if query else self.path

    def adding(self, name: str, request: SearchRequest) -> Callable[[str], str]:
        """Return what gives the URL of `request` with one more value of a parameter.

        A page has links for hundreds of values, which differ in nothing else.
        """
        pairs = self.pairs(request)
        before = [pair for pair in pairs if ORDER.get(pair[0], len(ORDER)) <= ORDER[name]]
        first, last = (_written(some) for some in (before, pairs[len(before) :]))
        start, end = f"{self.path}?{first}{'&' if first else ''}{name}=", f"{'&' if last else ''}{last}"
        return lambda value: f"{start}{_quoted(value)}{end}"
