"""What can be browsed, as JSON: each page under /browse has its twin under /api/browse, with the same parameters."""

from collections.abc import Callable, Sequence
from datetime import date

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as BaseResponse

from archive.article import Article
from index.browsing import Listed, Stretch, Top
from index.facets import Period
from index.names import Kind
from web import browse_reading, browse_urls, conditional
from web.api import header_of, json_answer
from web.browse import list_links
from web.browse_urls import BROWSE, NAMES_URLS, UNDATED, NamesLinks
from web.paging import Links
from web.payload import Json, article_links, named_article
from web.services import services

API = "/api"

blueprint = Blueprint("browse_api", __name__, url_prefix=API + BROWSE)


@blueprint.get("")
def overview() -> Response:
    """Return the years, and the sources, sections and authors that most articles have."""
    parts = services()
    found = parts.browsing.overview()
    return _answer(
        {
            "count": found.count,
            "first": _day(found.first),
            "last": _day(found.last),
            "undated": found.undated,
            "years": [_period(period, browse_urls.year_url(_start(period))) for period in found.years],
            **_tops(found.tops),
        }
    )


@blueprint.get("/<int:year>")
def year(year: int) -> BaseResponse:
    """Return a year: its months and its days."""
    day = browse_reading.day_asked(year)
    if elsewhere := browse_reading.moved(browse_urls.year_url(day)):
        return elsewhere
    found = browse_reading.year(services(), day)
    months = [_period(period, browse_urls.month_url(_start(period))) for period in found.months if period.count]
    links = _beside(found.before, found.after, browse_urls.year_url)
    return _answer({**_stretch(found), "months": months, **_days(found), "links": links})


@blueprint.get("/<int:year>/<int:month>")
def month(year: int, month: int) -> BaseResponse:
    """Return a month and its days."""
    day = browse_reading.day_asked(year, month)
    if elsewhere := browse_reading.moved(browse_urls.month_url(day)):
        return elsewhere
    found = browse_reading.month(services(), day)
    links = _beside(found.before, found.after, browse_urls.month_url)
    return _answer({**_stretch(found), **_days(found), "links": links})


@blueprint.get("/<int:year>/<int:month>/<int:day>")
def day(year: int, month: int, day: int) -> BaseResponse:
    """Return a page of a day's articles."""
    asked = browse_reading.day_asked(year, month, day)
    address = browse_urls.day_url(asked)
    if elsewhere := browse_reading.moved(address):
        return elsewhere
    found = browse_reading.one_day(services(), asked, request.args)
    links = list_links(API + address, found.listed)
    beside = _beside(found.before, found.after, browse_urls.day_url)
    body = {"day": found.day.isoformat(), **_listed(found.listed), **_tops(found.tops)}
    return _answer({**body, "links": {**links, **beside}}, links)


@blueprint.get("/undated")
def undated() -> Response:
    """Return a page of the articles of unknown date."""
    found = browse_reading.undated(services(), request.args)
    links = list_links(API + UNDATED, found)
    return _answer({**_listed(found), "links": links}, links)


@blueprint.get("/sources", defaults={"kind": "source"})
@blueprint.get("/sections", defaults={"kind": "section"})
@blueprint.get("/authors", defaults={"kind": "author"})
def names(kind: Kind) -> Response:
    """Return a page of all sources, sections or authors."""
    found = browse_reading.names(services(), kind, request.args)
    links = NamesLinks(found).pages(path=API + NAMES_URLS[kind], default_size=browse_reading.NAMES)
    body: Json = {
        "total": found.total,
        "page": found.number,
        "page_size": found.size,
        "unnamed": found.unnamed,
        "letters": [{"value": letter, "count": count} for letter, count in found.letters.items()],
        "names": [_name(kind, each.name, each.count) for each in found.names],
        "links": links,
    }
    return _answer(body, links)


@blueprint.get("/source", defaults={"kind": "source"})
@blueprint.get("/section", defaults={"kind": "section"})
@blueprint.get("/author", defaults={"kind": "author"})
def profile(kind: Kind) -> Response:
    """Return what the archive holds of one source, section or author."""
    found = browse_reading.profile(services(), kind, request.args)
    return _answer(
        {
            **_name(kind, found.name, found.count),
            "undated": found.undated,
            "first": _article(found.first) if found.first else None,
            "last": _article(found.last) if found.last else None,
            "published": [
                {"from": _day(period.start), "to": _day(period.end), "count": period.count}
                for period in found.published
            ],
            **_tops(found.tops),
            "articles": [_article(article) for article in found.newest],
        }
    )


def _answer(body: Json, links: Links | None = None) -> Response:
    parts = services()
    published, _ = parts.store.pointer()
    answer = json_answer(body, generation=published.number if published else None, tag=conditional.archive_tag(parts))
    if links and (value := header_of(links)):
        answer.headers["Link"] = value
    return answer


def _stretch(found: Stretch) -> Json:
    return {"from": found.first.isoformat(), "to": found.last.isoformat(), "count": found.count, **_tops(found.tops)}


def _days(found: Stretch) -> Json:
    return {"days": [_period(period, browse_urls.day_url(_start(period))) for period in found.days]}


def _period(period: Period, address: str) -> Json:
    return {
        "from": _day(period.start),
        "to": _day(period.end),
        "count": period.count,
        "links": {"self": API + address, "page": address},
    }


def _beside(before: date | None, after: date | None, url_of: Callable[[date], str]) -> Json:
    """Return where the nearest stretches with articles are, before and after this one."""
    return {"before": API + url_of(before) if before else None, "after": API + url_of(after) if after else None}


def _listed(found: Listed) -> Json:
    return {
        "total": found.total,
        "page": found.number,
        "page_size": found.size,
        "articles": [_article(article) for article in found.articles],
    }


def _article(article: Article) -> Json:
    return {**named_article(article), "links": article_links(article.id)}


def _tops(tops: Sequence[Top]) -> Json:
    return {NAMES_URLS[top.kind].rpartition("/")[2]: _top(top) for top in tops}


def _top(top: Top) -> Json:
    return {"total": top.total, "names": [_name(top.kind, each.name, each.count) for each in top.names]}


def _name(kind: Kind, name: str, count: int) -> Json:
    page = browse_urls.profile_url(kind, name)
    return {"name": name, "count": count, "links": {"self": API + page if page else None, "page": page}}


def _start(period: Period) -> date:
    assert period.start is not None  # noqa: S101 of a period that came from a calendar
    return period.start


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
