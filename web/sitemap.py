"""What search engines are told: whether they may index the articles, and where all of them are.

Invariant: by default nothing is to be indexed. Texts are their publishers'; whoever runs an archive has to choose.
A sitemap lists arrivals, so that only the last one ever grows and no article changes its place.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, render_template, url_for
from werkzeug.exceptions import NotFound

from web import conditional
from web.services import Services, services
from web.urls import absolute

SPAN = 50_000  # addresses in one sitemap; the most there may be (sitemaps.org, protocol 0.9)
BATCH = 1_000  # read at once, so that a slow reader holds nothing open
MEDIA_TYPE = "application/xml"
CLOSED = "User-agent: *\nDisallow: /\n"
# Results and data are not for search engines: there is no end to them, and each article has its page.
OPEN = """User-agent: *
Disallow: /search
Disallow: /api/
Disallow: /oembed
Disallow: /articles/*/
Disallow: /stories/*/

Sitemap: {sitemap}
"""
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

blueprint = Blueprint("sitemap", __name__)


def register(app: Flask) -> None:
    """Add the routes to `app`, and to its templates whether pages may be indexed."""
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"robots": services().settings.robots})


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Say what may be crawled (RFC 9309)."""
    is_open = services().settings.robots == "allow"
    rules = OPEN.format(sitemap=absolute(url_for("sitemap.index"))) if is_open else CLOSED
    return Response(rules, content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def index() -> Response:
    """List the sitemaps."""
    parts = _open_parts()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    spans = parts.store.arrival_spans(size=SPAN)
    maps = [(absolute(url_for("sitemap.span", number=number + 1)), _instant(at)) for number, at in spans]
    page = render_template("sitemap_index.xml", maps=maps, namespace=NAMESPACE)
    return conditional.validated(Response(page, content_type=MEDIA_TYPE), tag)


@blueprint.get("/sitemaps/<int(min=1, max=1000000):number>.xml")
def span(number: int) -> Response:
    """List the articles of one sitemap, as they are read."""
    parts = _open_parts()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    first = (number - 1) * SPAN
    if not _batch(parts, first, until=first + SPAN, limit=1):
        raise NotFound("There is no such sitemap.")
    lines = _lines(parts, first, until=first + SPAN, pages=absolute("/articles/"))
    return conditional.validated(Response(lines, content_type=MEDIA_TYPE), tag)


def _open_parts() -> Services:
    parts = services()
    if parts.settings.robots != "allow":
        raise NotFound("This archive is not indexed by search engines: it has no sitemap.")
    return parts


def _lines(parts: Services, after: int, *, until: int, pages: str) -> Iterator[str]:
    """Yield a sitemap piece by piece. An article's id is hex digits: there is nothing to escape."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{NAMESPACE}">\n'
    while batch := _batch(parts, after, until=until, limit=BATCH):
        yield "".join(f"<url><loc>{pages}{id_}</loc><lastmod>{_instant(at)}</lastmod></url>\n" for _, id_, at in batch)
        after = batch[-1][0]
    yield "</urlset>\n"


def _batch(parts: Services, after: int, *, until: int, limit: int) -> list[tuple[int, str, datetime]]:
    return [arrival for arrival in parts.store.arrivals(after=after, limit=limit) if arrival[0] <= until]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
