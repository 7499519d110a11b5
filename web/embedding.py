"""The page on which other sites see what they can take over, and from which they copy it."""

from flask import Blueprint, Response, render_template, url_for

from archive.article import Article
from index.stories.reading import Headed
from web import conditional
from web.oembed import HEIGHT, WIDTH
from web.security import POLICY
from web.services import Services, services
from web.urls import absolute

FRAMING_POLICY = f"{POLICY}; frame-src 'self'"  # a card stands in a frame here
SCRIPTS = ("embed-search", "related")  # under addresses without a version: whoever copies one gets what is mended later

blueprint = Blueprint("embedding", __name__)


@blueprint.get("/embed")
def page() -> Response:
    """Show the elements and cards at work, each with the code that puts it on a page."""
    parts = services()
    tag = conditional.search_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    article = shown_in(parts)
    shown = render_template(
        "embed.html",
        article=article,
        scripts={name: absolute(f"/static/{name}.js") for name in SCRIPTS},
        card=absolute(url_for("oembed.article", article_id=article.id)) if article else None,
        width=WIDTH,
        height=HEIGHT,
    )
    answer = Response(shown)
    answer.headers["Content-Security-Policy"] = FRAMING_POLICY
    return conditional.validated(answer, tag) if tag else answer


def shown_in(parts: Services) -> Article | None:
    """Return an article to show things with: one of the latest story, since much is related to it; else the newest."""
    listed = parts.stories.page(number=1, size=1).stories
    return _of_story(parts, listed[0]) if listed else next(iter(parts.store.newest(1)), None)


def _of_story(parts: Services, headed: Headed) -> Article | None:
    reports = parts.store.reports([headed.story.id])
    return next(iter(parts.store.live([report.id for report in reports[:1]]).values()), None)
