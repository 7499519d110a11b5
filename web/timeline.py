"""The dates of a search: when what was found appeared, and the way from a stretch of days to a longer one. Pure.

Invariant: every link is a whole search as a URL and starts at the first page of a new list.
"""

from dataclasses import replace
from datetime import date

from flask_babel import gettext

from index.facets import Facets
from index.search import SearchRequest
from web.filters import Choice
from web.histogram import UNITS, Histogram, histogram
from web.params import SearchUrls

WIDER = [unit for unit in UNITS if unit.name in ("month", "year", "decade")]  # what one zooms out to, shortest first


def timeline(counted: Facets, request: SearchRequest, urls: SearchUrls) -> Histogram:
    """Return when the articles were published; each bar leads to its days alone, of those that were asked for."""

    def url_of(start: date, end: date) -> str:
        first, last = max(start, request.date_from or start), min(end, request.date_to or end)
        if last < first:  # an article that was found and has another date since
            first, last = start, end
        return urls.at(replace(request, date_from=first, date_to=last))

    return histogram(counted.published, url_of=url_of)


def zoomed_out(request: SearchRequest, urls: SearchUrls) -> Choice | None:
    """Return the search of the next longer stretch of time: its whole month, year or decade, at last all dates.

    None where no date is asked for.
    """
    first, last = request.date_from, request.date_to
    if first is None and last is None:
        return None
    for unit in WIDER:
        if not (first and last):
            break
        start, end = unit.around(first)
        if last <= end and (start, end) != (first, last):
            wider = replace(request, date_from=start, date_to=end)
            return Choice(gettext("Zoom out: %(span)s", span=unit.label(start)), urls.at(wider))
    return Choice(gettext("Zoom out: all dates"), urls.at(replace(request, date_from=None, date_to=None)))
