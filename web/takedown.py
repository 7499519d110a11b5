"""A takedown by a program: `DELETE /api/articles/ID`, by whoever holds a token for it."""

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from archive.errors import ArticleNotFound
from archive.reason import clean_reason
from web.api import written
from web.errors import problem
from web.params import BadParameter, single
from web.payload import instant
from web.services import services
from web.tokens import TAKEDOWN, address, needs

if TYPE_CHECKING:
    from archive.database import Connection
    from archive.tokens import Token

log = logging.getLogger(__name__)

MAX_REASON = 1_000  # characters

blueprint = Blueprint("takedown", __name__)


@blueprint.delete("/api/articles/<article_id>")
@needs(TAKEDOWN)
def remove(token: "Token", article_id: str) -> Response:
    """Withdraw an article, as `flask remove` does, and say what was done. Its text is erased by `flask erase`."""
    parts, reason = services(), _reason()
    article_id = parts.store.resolve(article_id) or article_id  # asked for by another of its ids
    taken = parts.takedowns.one(article_id)
    if taken is not None:
        removed_at = instant(taken.removed_at)
        return problem(HTTPStatus.GONE, "This article was removed before.", id=article_id, removed_at=removed_at)

    def note(connection: "Connection", removed: str) -> None:
        parts.tokens.note_deed(connection, token, "remove", removed, client=address())

    try:
        parts.store.remove(article_id, reason=reason, note=note)
    except ArticleNotFound:
        return problem(HTTPStatus.NOT_FOUND, "There is no such article in this archive.")
    log.warning("article %s removed by token %d (%s)", article_id, token.id, token.name)
    taken = parts.takedowns.one(article_id)
    removed_at = instant(taken.removed_at) if taken else None
    return written(
        {"id": article_id, "status": "removed", "removed_at": removed_at, "reason": reason, "token": token.name}
    )


def _reason() -> str | None:
    """Return why, from the body or the address. Raises BadParameter."""
    given: object = single(request.args, "reason") or None
    if request.get_data():
        body = _body()
        given = body.get("reason", given)
    if given is not None and (not isinstance(given, str) or len(given) > MAX_REASON):
        raise BadParameter("reason", str(given), f"a text of at most {MAX_REASON} characters")
    if given is not None and not _is_text(given):
        raise BadParameter(
            "reason", given.encode("ascii", "backslashreplace").decode(), "a text without half characters"
        )
    return clean_reason(given)


def _is_text(given: str) -> bool:
    """Tell whether this is text: JSON can say a half of a character (a lone surrogate), which nothing can keep."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _body() -> dict[str, object]:
    try:
        body = request.get_json(force=True)
    except BadRequest:
        body = None
    if not isinstance(body, dict):
        raise BadParameter("body", "", 'a JSON object such as {"reason": "court order"}')
    return body
