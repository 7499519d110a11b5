"""Embargoed articles appear at their time: before a request is answered, what is due by then is shown.

Invariant: a request is answered whatever becomes of that.
"""

import logging

from flask import Flask, request

from archive.errors import ArchiveError
from web.services import services

log = logging.getLogger(__name__)

UNTOUCHED = ("static", "health.healthz")  # endpoints that read nothing of the archive


def register(app: Flask) -> None:
    """Let every request to `app` but those that read nothing of it see what is due."""
    app.before_request(_show_due)


def _show_due() -> None:
    if request.endpoint in UNTOUCHED:
        return
    try:
        services().releases.show_due()
    except ArchiveError as error:  # the request itself says what cannot be read
        log.warning("what is embargoed until now is not shown yet: %s", error)
