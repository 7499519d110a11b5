"""The pages that go through the archive without a query: by year, month and day, by source, section and author."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from index.browsing import Listed
from index.names import Kind
from web import almanac, browse_reading, browse_urls, conditional, params
from web.browse_urls import BROWSE, NAMES_URLS, UNDATED, NamesLinks
from web.histogram import by_years, histogram
from web.paging import Links, numbered_links
from web.services import services

P = ParamSpec("P")

blueprint = Blueprint("browse", __name__, url_prefix=BROWSE)


def archive_page(view: Callable[P, str]) -> Callable[P, BaseResponse]:
    """Make a page that is read from the archive alone: it is not made again for who has it."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> BaseResponse:
        tag = conditional.archive_tag(services())
        return conditional.unchanged(tag) or conditional.validated(Response(view(*args, **kwargs)), tag)

    return answer


@blueprint.get("")
@archive_page
def overview() -> str:
    """Show the years, and the sources, sections and authors that most articles have."""
    parts = services()
    found = parts.browsing.overview()
    return render_template("browse.html", found=found, drawn=by_years(found.years, url_of=_years_url), urls=browse_urls)


@blueprint.get("/<int:year>")
def year(year: int) -> BaseResponse:
    """Show a year."""
    day = browse_reading.day_asked(year)
    return browse_reading.moved(browse_urls.year_url(day)) or _year(day)


@archive_page
def _year(day: date) -> str:
    """Show the months of a year, and every day of it as a strip."""
    found = browse_reading.year(services(), day)
    return render_template("browse_year.html", found=found, strip=almanac.strip(day.year, found.days), urls=browse_urls)


@blueprint.get("/<int:year>/<int:month>")
def month(year: int, month: int) -> BaseResponse:
    """Show a month."""
    day = browse_reading.day_asked(year, month)
    return browse_reading.moved(browse_urls.month_url(day)) or _month(day)


@archive_page
def _month(day: date) -> str:
    """Show a month as a leaf of a calendar."""
    found = browse_reading.month(services(), day)
    weeks = almanac.leaf(found.first, found.last, found.days)
    return render_template("browse_month.html", found=found, weeks=weeks, urls=browse_urls)


@blueprint.get("/<int:year>/<int:month>/<int:day>")
def day(year: int, month: int, day: int) -> BaseResponse:
    """Show a day."""
    asked = browse_reading.day_asked(year, month, day)
    return browse_reading.moved(browse_urls.day_url(asked)) or _day(asked)


@archive_page
def _day(day: date) -> str:
    """Show a day's articles."""
    found = browse_reading.one_day(services(), day, request.args)
    address = browse_urls.day_url(day)
    return render_template("browse_day.html", found=found, links=list_links(address, found.listed), urls=browse_urls)


@blueprint.get("/undated")
@archive_page
def undated() -> str:
    """Show the articles of unknown date."""
    found = browse_reading.undated(services(), request.args)
    return render_template("browse_undated.html", found=found, links=list_links(UNDATED, found), urls=browse_urls)


@blueprint.get("/sources", defaults={"kind": "source"})
@blueprint.get("/sections", defaults={"kind": "section"})
@blueprint.get("/authors", defaults={"kind": "author"})
@archive_page
def names(kind: Kind) -> str:
    """Show all sources, sections or authors."""
    found = browse_reading.names(services(), kind, request.args)
    lists = NamesLinks(found)
    links = lists.pages(path=NAMES_URLS[kind], default_size=browse_reading.NAMES)
    most = params.MAX_FILTER_CHARS
    return render_template("browse_names.html", found=found, lists=lists, links=links, most=most, urls=browse_urls)


@blueprint.get("/source", defaults={"kind": "source"})
@blueprint.get("/section", defaults={"kind": "section"})
@blueprint.get("/author", defaults={"kind": "author"})
@archive_page
def profile(kind: Kind) -> str:
    """Show what the archive holds of one source, section or author."""
    found = browse_reading.profile(services(), kind, request.args)

    def url_of(first: date, last: date) -> str:
        return browse_urls.searching(kind, found.name, first=first, last=last)

    drawn = histogram(found.published, url_of=url_of)
    return render_template("browse_profile.html", found=found, drawn=drawn, urls=browse_urls)


def list_links(path: str, listed: Listed) -> Links:
    """Return the links between the pages of a list of articles."""
    asked = [] if listed.order == "newest" else [("sort", listed.order)]
    number, size, total = listed.number, listed.size, listed.total
    return numbered_links(path, asked, number=number, size=size, total=total, default_size=browse_reading.ARTICLES)


def _years_url(first: date, last: date) -> str:
    """Return where a bar of the years leads: to its year, or to a search of the decade it stands for."""
    return browse_urls.year_url(first) if first.year == last.year else browse_urls.searching(first=first, last=last)
