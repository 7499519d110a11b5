"""Articles and stories as cards on other people's pages: the cards themselves, and oEmbed 1.0, by which they are found.

Invariant: a card is the only page that may stand in somebody else's frame. It holds no script and no form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.exceptions import Gone, HTTPException, NotFound

from archive.article import Article
from index.snippet import snippet
from index.stories.reading import Told
from web import conditional, params, wording
from web.api import written
from web.feed_formats import xml_text
from web.security import FRAMED_POLICY
from web.services import STORY_ID, Services, StoryMerged, services, shown_article, shown_story
from web.urls import absolute, site_url

WIDTH, HEIGHT = 600, 240  # CSS pixels, where the asking page leaves room for them
CACHE_AGE = 3_600  # seconds for which a page may keep what it was told; a withdrawn article's card says so at once
OEMBED_TYPES = {"json": "application/json+oembed", "xml": "text/xml+oembed"}  # of the links by which it is discovered
EMBEDDABLE = ("pages.article", "pages.story")

blueprint = Blueprint("oembed", __name__)


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows."""

    title: str
    page: str
    kicker: str
    text: str
    by: str
    source: str | None
    language: str | None
    published: datetime | None


@blueprint.get("/articles/<article_id>/embed")
def article(article_id: str) -> Response:
    """Show an article as a card."""
    return _answer(lambda parts: shown_article(parts, article_id))


@blueprint.get(f"/stories/{STORY_ID}/embed")
def story(story_id: int) -> Response:
    """Show a story as a card."""
    return _answer(lambda parts: shown_story(parts, story_id))


@blueprint.get("/oembed")
def oembed() -> Response:
    """Say how the page at an address of this site is embedded."""
    form = params.single(request.args, "format") or "json"
    if form not in OEMBED_TYPES:
        abort(HTTPStatus.NOT_IMPLEMENTED, f"oEmbed is given as {' or '.join(OEMBED_TYPES)}.")
    url = params.single(request.args, "url")
    if not url:
        raise params.BadParameter("url", url, "the address of an article or a story of this site")
    width = min(WIDTH, params.pixels(request.args, "maxwidth", default=WIDTH))
    height = min(HEIGHT, params.pixels(request.args, "maxheight", default=HEIGHT))
    card, frame = _embedded(url)
    answer = {
        "version": "1.0",
        "type": "rich",
        "title": card.title,
        "author_name": card.by,
        "provider_name": services().settings.site_name,
        "provider_url": absolute("/"),
        "cache_age": CACHE_AGE,
        "html": _frame(card, frame, width=width, height=height),
        "width": width,
        "height": height,
    }
    if form == "json":
        return written(dict(answer))
    page = render_template("oembed.xml", fields=answer, text=xml_text)
    return Response(page.encode("utf-8", "replace"), content_type="text/xml; charset=utf-8")


def _embedded(url: str) -> tuple[Card, str]:
    """Return the card of the page at this address, and the card's own. Raises NotFound and Gone."""
    endpoint, values = _page_at(url)
    card = card_of(_shown(services(), endpoint, values))
    return card, absolute(f"{card.page}/embed")


def _shown(parts: Services, endpoint: str, values: dict[str, str | int]) -> Article | Told:
    if endpoint == "pages.article":
        return shown_article(parts, str(values["article_id"]))
    try:
        return shown_story(parts, int(values["story_id"]))
    except StoryMerged as merged:
        return shown_story(parts, merged.into)


def _page_at(url: str) -> tuple[str, dict[str, str | int]]:
    """Return which page is at an address, http or https. Raises NotFound for another site's, and other pages."""
    try:
        asked = urlsplit(url)
        if asked.scheme in {"http", "https"} and asked.netloc in {urlsplit(site_url()).netloc, request.host}:
            endpoint, values = current_app.url_map.bind("").match(asked.path)
            if endpoint in EMBEDDABLE:
                return endpoint, dict(values)
    except (ValueError, HTTPException):  # no address, no page of ours, or one that leads elsewhere
        pass
    raise NotFound("There is nothing to embed at this address.")


def _frame(card: Card, address: str, *, width: int, height: int) -> str:
    frame = Markup(
        '<iframe src="{}" width="{}" height="{}" title="{}" frameborder="0" loading="lazy"'
        ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
    )
    return str(frame.format(address, width, height, card.title))


def _answer(read: Callable[[Services], Article | Told]) -> Response:
    parts = services()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return _framed(kept)
    try:
        card = card_of(read(parts))
    except Gone as gone:  # where it stood in somebody's text
        return _framed(Response(render_template("card.html", card=None, why=gone.description), status=HTTPStatus.GONE))
    return _framed(conditional.validated(Response(render_template("card.html", card=card)), tag))


def _framed(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = FRAMED_POLICY
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def card_of(shown: Article | Told) -> Card:
    """Return the card of an article or a story."""
    return _of_article(shown) if isinstance(shown, Article) else _of_story(shown)


def _of_article(article: Article) -> Card:
    return Card(
        title=article.title,
        page=f"/articles/{article.id}",
        kicker=wording.section(article.section) if article.section else "",
        text=snippet(article.body, None, words=()).text,
        by=wording.byline(article.authors) or (wording.label(article.source) if article.source else ""),
        source=wording.label(article.source) if article.source else None,
        language=article.language,
        published=article.published_at,
    )


def _of_story(told: Told) -> Card:
    headed = told.headed
    return Card(
        title=headed.title,
        page=f"/stories/{headed.story.id}",
        kicker=gettext("Story"),
        text=wording.in_a_row(
            [wording.articles(headed.story.articles), wording.span_of(headed.story.first, headed.story.latest)]
        ),
        by=wording.named_outlets(headed.outlets) if headed.outlets else "",
        source=wording.named_outlets(headed.outlets) if headed.outlets else None,
        language=headed.language,
        published=headed.story.latest,
    )
