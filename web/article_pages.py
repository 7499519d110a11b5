"""What belongs to an article beside its page: its versions and what they changed, its copies, its citations."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound

from archive.article import Article
from web import conditional, params
from web.api import json_answer
from web.citing import FORMATS, Citation
from web.copies import MOST_COMPARED, Member, members
from web.linked_data import description
from web.names import without_by
from web.paging import numbered_links
from web.payload import Json
from web.services import CopyGroup, Services, copies_of, services, shown_article
from web.urls import absolute
from web.versions import (
    Changes,
    Edition,
    VersionLine,
    changes_object,
    compared,
    edition_of,
    version_lines,
    version_object,
)
from web.wording import byline

T = TypeVar("T")
VERSION = "<int(max=999999999):number>"

blueprint = Blueprint("editions", __name__)


@blueprint.get("/articles/<article_id>/versions")
def versions(article_id: str) -> Response:
    """List the versions of an article, the newest first, each with what it changed."""
    parts = services()

    def read() -> tuple[Article, list[VersionLine]]:
        article = shown_article(parts, article_id)
        return article, version_lines(parts.store, article)

    return _page(read, lambda found: render_template("versions.html", article=found[0], lines=found[1]))


@blueprint.get(f"/articles/<article_id>/versions/{VERSION}")
def version(article_id: str, number: int) -> Response:
    """Show one version of an article."""
    parts = services()

    return _page(
        lambda: _edition(parts, article_id, number),
        lambda edition: render_template(
            "version.html",
            edition=edition,
            byline=byline([without_by(author) for author in edition.article.authors]),
            description=description(edition.article),
        ),
    )


@blueprint.get(f"/api/articles/<article_id>/versions/{VERSION}")
def version_json(article_id: str, number: int) -> Response:
    """Return one version of an article."""
    parts = services()
    return _json(lambda: _edition(parts, article_id, number), version_object)


@blueprint.get(f"/articles/<article_id>/versions/{VERSION}/changes")
def changes(article_id: str, number: int) -> Response:
    """Show what one version changed, of the one before or of the one that is asked for."""
    parts, asked = services(), params.against(request.args)
    return _page(
        lambda: _changes(parts, article_id, number, asked),
        lambda found: render_template("changes.html", shown=found[0], changes=found[1]),
    )


@blueprint.get(f"/api/articles/<article_id>/versions/{VERSION}/changes")
def changes_json(article_id: str, number: int) -> Response:
    """Return what one version changed, of the one before or of the one that is asked for."""
    parts, asked = services(), params.against(request.args)
    return _json(lambda: _changes(parts, article_id, number, asked), lambda found: changes_object(found[1]))


@blueprint.get("/articles/<article_id>/copies")
def copies(article_id: str) -> Response:
    """Show a page of an article's copies, each compared with the likely origin."""
    parts, number = services(), params.page_number(request.args)

    def read() -> tuple[Article, CopyGroup, list[Member]]:
        article = shown_article(parts, article_id)
        group = copies_of(parts, article_id, start=(number - 1) * MOST_COMPARED, most=MOST_COMPARED)
        if group is None or not group.articles:
            raise NotFound(gettext("This article has no copies in this archive, or no such page of them."))
        return article, group, members(group, this=article_id)

    def write(found: tuple[Article, CopyGroup, list[Member]]) -> str:
        article, group, listed = found
        path, size = url_for("editions.copies", article_id=article_id), MOST_COMPARED
        links = numbered_links(path, number=number, size=size, total=group.total, default_size=size)
        first = (number - 1) * MOST_COMPARED + 1
        return render_template(
            "copies.html", article=article, group=group, members=listed, links=links, number=number, first=first
        )

    return _page(read, write)


@blueprint.get("/articles/<article_id>/cite.bib", defaults={"form": "bib"})
@blueprint.get("/articles/<article_id>/cite.ris", defaults={"form": "ris"})
@blueprint.get("/articles/<article_id>/cite.json", defaults={"form": "json"})
def cite(article_id: str, form: str) -> Response:
    """Return the citation of an article as a file for a bibliography."""
    parts = services()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    article = shown_article(parts, article_id)
    chosen = FORMATS[form]
    answer = Response(chosen.write(citation_of(article)), content_type=chosen.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="article-{article_id}.{form}"'
    return conditional.validated(answer, tag)


def citation_of(article: Article) -> Citation:
    """Return the citation of an article as it is shown today. Today belongs to every tag, so it grows no older."""
    address = absolute(url_for("editions.version", article_id=article.id, number=article.version))
    return Citation(article, services().settings.site_name, address, datetime.now(UTC).date())


def _edition(parts: Services, article_id: str, number: int) -> Edition:
    return edition_of(parts.store, shown_article(parts, article_id), number)


def _changes(parts: Services, article_id: str, number: int, asked: int | None) -> tuple[Article, Changes]:
    shown = shown_article(parts, article_id)
    return shown, compared(parts.store, shown, number, asked)


def _page(read: Callable[[], T], write: Callable[[T], str]) -> Response:
    """Return a page of what is read from the archive alone, or 304."""
    parts = services()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    return conditional.validated(Response(write(read())), tag)


def _json(read: Callable[[], T], write: Callable[[T], Json]) -> Response:
    """Return the same as JSON."""
    parts = services()
    tag = conditional.archive_tag(parts)
    if kept := conditional.unchanged(tag):
        return kept
    published, _ = parts.store.pointer()
    generation = published.number if published else None
    return json_answer(write(read()), generation=generation, tag=tag)
