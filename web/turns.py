"""Turns: each request is worked on whole by the crew, from its address to its answer, or is refused at once.

Python runs one thread at a time. Were requests read, refused and written by the threads that speak HTTP, those who ask
most would take the interpreter from those who search; so all of it is work, and counts for whoever asked for it.

Invariants: monitors and files take no turn, and neither do writes, which may have to wait for another writer. What a
refusal says is the same for everybody: it is made once a language, and the application is not asked for it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from web import errors, languages
from web.clients import turn_taker
from web.crew import Overloaded
from web.doors import QUESTIONS
from web.hosts import PROBES
from web.security import BEHIND_KEYS, EMBEDDED
from web.services import EXTENSION, Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DRAFTS = "/api/related"  # POSTed to, as a text fits into no address; nothing is written
FILES = "/static/"
PAGES, KEYED, DATA, LENT = "/search", "/saved/refused", "/api/stats", "/api/search"  # one of each kind of address


def register(app: Flask) -> None:
    """Have requests to `app` take turns."""
    app.wsgi_app = _Turns(app, app.wsgi_app)  # type: ignore[method-assign]


class _Turns:
    """A WSGI application whose requests take turns."""

    def __init__(self, app: Flask, inner: "WSGIApplication") -> None:
        self._app = app
        self._inner = inner
        self._refusals: dict[tuple[str, str], Response] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not _takes_a_turn(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")):
            return self._inner(environ, start_response)
        parts = cast(Services, self._app.extensions[EXTENSION])
        try:
            return parts.crew.do(lambda: self._inner(environ, start_response), who=turn_taker(environ))
        except Overloaded:
            return self._refusal(environ)(environ, start_response)

    def _refusal(self, environ: "WSGIEnvironment") -> Response:
        language, like = self._kind(environ)
        made = self._refusals.get((language, like))
        if made is None:
            with self._app.test_request_context(like, headers={"Accept-Language": language}):
                made = self._refusals[language, like] = self._app.process_response(errors.overloaded())
        return made

    def _kind(self, environ: "WSGIEnvironment") -> tuple[str, str]:
        """Return the language of a refusal, and an address whose refusals look like it."""
        path = environ.get("PATH_INFO", "")
        if not errors.is_for_a_program(path):
            return languages.best(Request(environ).accept_languages), KEYED if BEHIND_KEYS.match(path) else PAGES
        try:
            endpoint, _ = self._app.url_map.bind_to_environ(environ).match()
        except HTTPException:  # no such address, or one that leads elsewhere
            return "en", DATA
        return "en", LENT if endpoint in EMBEDDED else DATA


def is_quick(path: str) -> bool:
    """Tell whether this is for a monitor, or a file."""
    return path in PROBES or path.startswith(FILES)


def _takes_a_turn(method: str, path: str) -> bool:
    return not is_quick(path) if method in QUESTIONS else path == DRAFTS
