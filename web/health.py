"""What machines ask to know how this one does: `/healthz`, whether it lives, and `/readyz`, whether it can answer.

Invariant: neither waits in the queue of searches, and the first touches nothing that could be broken or slow, so that a
process is not ended for what a restart would not mend.
"""

from http import HTTPStatus

from flask import Blueprint, Flask, Response

from archive.errors import ArchiveError
from index.errors import SearchError
from web.api import written
from web.errors import problem
from web.payload import Json
from web.services import Services, services
from web.watching import note_error

ALIVE, READY = "/healthz", "/readyz"
RETRY_AFTER = 5  # seconds; what warms up is done by then

blueprint = Blueprint("health", __name__)


def register(app: Flask) -> None:
    """Add both to `app`."""
    app.register_blueprint(blueprint)


@blueprint.get(ALIVE)
def healthz() -> Response:
    """Say that this process answers."""
    return _fresh(written({"status": "ok"}))


@blueprint.get(READY)
def readyz() -> Response:
    """Say whether a search can be answered, and from which generation."""
    parts = services()
    if parts.is_leaving():
        return _not_ready("This server is being stopped.")
    if parts.is_warming:
        return _not_ready("The index and the model are being opened.")
    try:
        return _fresh(written(_readiness(parts)))
    except (ArchiveError, SearchError) as error:
        note_error(error)
        return _not_ready("The archive cannot be read.")


def _readiness(parts: Services) -> Json:
    current, _ = parts.store.pointer()
    with parts.serving.engine() as (engine, degraded):
        return {
            "status": "degraded" if degraded else "ok",
            "generation": engine.generation,
            "degraded": degraded,
            "articles": parts.store.count_live(),
            "pending_changes": parts.store.count_changes(after=current.seq if current else 0),
        }


def _not_ready(reason: str) -> Response:
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, reason)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return _fresh(answer)


def _fresh(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
