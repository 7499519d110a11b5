"""What an address under /browse asks for, read from the archive; for the pages and for their JSON alike.

Invariant: what is not there raises `NothingThere` with the nearest that is, so nobody ends in a blind alley.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import NoReturn

from flask import redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from index.browsing import Listed, NamesPage, OneDay, Profile, Stretch
from index.names import Kind
from web import params
from web.browse_urls import (
    ALL_NAMES,
    BROWSE,
    DEFAULT_SORTING,
    NAMES_URLS,
    Link,
    NothingThere,
    day_url,
    month_url,
    year_url,
)
from web.services import Services
from web.units import long_day, month_name, year_name

ARTICLES = 30  # of a day on a page
NAMES = 100  # on a page
MONTHS = 12


def day_asked(year: int, month: int = 1, day: int = 1) -> date:
    """Return a day of the calendar. Raises NothingThere."""
    everything = Link(BROWSE, gettext("All years"))
    if not date.min.year <= year <= date.max.year:
        raise NothingThere(gettext("There is no such year"), links=[everything])
    first = date(year, 1, 1)
    of_year = Link(year_url(first), year_name(first))
    if not 1 <= month <= MONTHS:
        raise NothingThere(gettext("A year has twelve months"), links=[of_year, everything])
    first = date(year, month, 1)
    if not 1 <= day <= monthrange(year, month)[1]:
        heading = gettext("%(month)s does not have this day", month=month_name(first))
        raise NothingThere(heading, links=[Link(month_url(first), month_name(first)), of_year, everything])
    return date(year, month, day)


def moved(address: str) -> BaseResponse | None:
    """Return the way to `address`, a page's or that of its JSON, when this request came by another spelling of it."""
    own = request.path[: request.path.index(BROWSE)] + address
    if request.path == own:
        return None
    query = request.query_string.decode("latin-1")
    return redirect(f"{own}?{query}" if query else own, 301)


def year(parts: Services, day: date) -> Stretch:
    """Return the year of a day. Raises NothingThere."""
    found = parts.browsing.year(day.year)
    return found or _nothing(parts, day, day.replace(month=MONTHS, day=31), year_url, year_name)


def month(parts: Services, day: date) -> Stretch:
    """Return the month of a day. Raises NothingThere."""
    found = parts.browsing.month(day.year, day.month)
    last = day.replace(day=monthrange(day.year, day.month)[1])
    return found or _nothing(parts, day, last, month_url, month_name)


def one_day(parts: Services, day: date, args: params.Args) -> OneDay:
    """Return the page of a day that is asked for. Raises NothingThere and BadParameter."""
    order = params.order(args)
    number, size = params.list_page(args, page_size=ARTICLES)
    found = parts.browsing.day(day, order=order, number=number, size=size)
    return found or _nothing(parts, day, day, day_url, long_day)


def undated(parts: Services, args: params.Args) -> Listed:
    """Return the page of the articles without a date that is asked for. Raises BadParameter."""
    number, size = params.list_page(args, page_size=ARTICLES)
    return parts.browsing.undated(number=number, size=size)


def names(parts: Services, kind: Kind, args: params.Args) -> NamesPage:
    """Return the page of the names of a field that is asked for. Raises BadParameter."""
    number, size = params.list_page(args, page_size=NAMES)
    letter, text = params.letter(args), params.text(args)
    sort = params.sorting(args, default=DEFAULT_SORTING[kind])
    return parts.browsing.names(kind, letter=letter, text=text, sort=sort, number=number, size=size)


def profile(parts: Services, kind: Kind, args: params.Args) -> Profile:
    """Return the name that is asked for. Raises NothingThere and BadParameter."""
    name = params.name(args)
    if (found := parts.browsing.profile(kind, name)) is None:
        heading = gettext("No article with “%(name)s”", name=name)
        raise NothingThere(heading, links=[Link(NAMES_URLS[kind], str(ALL_NAMES[kind]))])
    return found


def _nothing(
    parts: Services, first: date, last: date, url_of: Callable[[date], str], name_of: Callable[[date], str]
) -> NoReturn:
    """Raise NothingThere with the nearest stretches of that length before and after that hold something."""
    contents = parts.browsing.contents()
    near = [day for day in (contents.before(first), contents.after(last)) if day is not None]
    raise NothingThere(
        gettext("No article from %(time)s", time=name_of(first)),
        links=[*(Link(url_of(day), name_of(day)) for day in near), Link(BROWSE, gettext("All years"))],
    )
