"""What a browser's own search box uses: suggestions while one types, and the description that tells it of them.

Both keep to OpenSearch 1.1, whose readers are other people's programs; hence addresses in full.
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, render_template, request, url_for

from archive.article import Listing
from index.completion.suggest import MAX_SUGGESTIONS, Suggestion
from index.query import MAX_QUERY_CHARS
from web.params import BadParameter
from web.services import Services, services
from web.units import long_day
from web.urls import absolute
from web.wording import headlines, in_a_row

SUGGESTIONS_TYPE = "application/x-suggestions+json"
DESCRIPTION_TYPE = "application/opensearchdescription+xml"
MAX_SHORT_NAME = 16  # characters; OpenSearch 1.1, ShortName
DESCRIPTION_AGE = 86_400  # seconds for which a browser may keep the description

blueprint = Blueprint("suggestions", __name__)


def register(app: Flask) -> None:
    """Add the routes to `app`, and to its templates the name under which a browser offers this archive."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals["opensearch_name"] = short_name


@blueprint.get("/api/suggest")
def suggest() -> Response:
    """Complete what is being typed."""
    typed, parts = typed_so_far(), services()
    found, listings = suggestions(parts, typed)
    answer = [
        typed,
        [item.text for item in found],
        [_description(item, listings) for item in found],
        [_url(item) for item in found],
    ]
    written = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    response = Response(written.encode("utf-8", "replace"), content_type=SUGGESTIONS_TYPE)
    response.headers["Cache-Control"] = "no-cache"  # a title that is withdrawn is not to live on in a cache
    return response


def suggestions(
    parts: Services, typed: str, *, limit: int = MAX_SUGGESTIONS
) -> tuple[Sequence[Suggestion], Mapping[str, Listing]]:
    """Return up to `limit` suggestions, and of their articles what a list says of each."""
    found = parts.suggest.suggest(typed, limit=limit)
    return found, parts.store.listings([item.article_id for item in found if item.article_id])


def typed_so_far() -> str:
    """Return what the request asks to complete. Raises BadParameter for what is too long to be a query."""
    typed = request.args.get("q", "")
    if len(typed) > MAX_QUERY_CHARS:
        raise BadParameter("q", typed, f"at most {MAX_QUERY_CHARS:,} characters (this has {len(typed):,})")
    return typed


def origin(listing: Listing | None) -> str:
    """Return where an article is from and when, as far as that is known."""
    day = long_day(listing.published_at) if listing and listing.published_at else None
    return in_a_row(part for part in (listing.source if listing else None, day) if part)


def _description(suggestion: Suggestion, listings: Mapping[str, Listing]) -> str:
    listing = listings.get(suggestion.article_id or "")
    if listing is None and suggestion.headlines:
        return headlines(suggestion.headlines)
    return origin(listing)


def _url(suggestion: Suggestion) -> str:
    if suggestion.article_id:
        return absolute(url_for("pages.article", article_id=suggestion.article_id))
    return absolute(f"{url_for('pages.search')}?{urlencode({'q': suggestion.text}, errors='replace')}")


@blueprint.get("/opensearch.xml")
def description() -> Response:
    """Describe the search, so that a browser can offer it in its own search box."""
    name = short_name(services().settings.site_name)
    page = render_template("opensearch.xml", short_name=name, address=absolute("/"))
    response = Response(page, content_type=DESCRIPTION_TYPE)
    response.headers["Cache-Control"] = f"max-age={DESCRIPTION_AGE}"
    return response


def short_name(site_name: str) -> str:
    """Return as much of the site's name as a browser takes, whole words where it can be.

    The title of the `<link rel="search">` that leads to the description must be the same.
    """
    name = " ".join(site_name.split())
    if len(name) <= MAX_SHORT_NAME:
        return name
    cut = name[: MAX_SHORT_NAME + 1]
    return cut.rpartition(" ")[0] or cut[:MAX_SHORT_NAME]
