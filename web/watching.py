"""Each request is told of once, when its last byte is on its way: in the log as one event, and in the metrics.

Invariants: an answer that fails has one event, which holds the traceback and the id that its reader was told. No event
holds a query, an address of a reader, a header but the request's own id, or what opens a saved search. Without the
answer's address a reader cannot be told from another: who needs to know has a proxy that logs it.
"""

import logging
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from archive.journal import FIELDS
from web import metrics
from web.security import telling_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

Raised = tuple[type[BaseException], BaseException, TracebackType | None]
ID_HEADER = "X-Request-ID"
HARMLESS = re.compile(r"[A-Za-z0-9._-]{8,64}")  # an id that a proxy gave; any other is replaced
SEEN = "backfile.request"  # in the environment of a request: what is known of it so far
PROBES = ("/healthz", "/readyz", "/metrics")  # asked every few seconds: told of only when something is wrong
MOST_PATH = 500  # characters of a path in the log
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "DELETE", "PUT", "PATCH"})
OTHER = "other"  # a method that nothing here knows, or an address that no route has: labels must be few


_arrived = threading.local()  # `at`: when the next request of this thread came, where whoever serves us tells


class Seen:
    """One request, from its first byte to the last of its answer."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        """Take what is asked, and the id that came with it, where it is harmless."""
        given = environ.get("HTTP_X_REQUEST_ID", "")
        self.id = given if HARMLESS.fullmatch(given) else secrets.token_hex(8)
        self.began = _arrived.__dict__.pop("at", None) or time.perf_counter()
        self.method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else OTHER
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")  # as WSGI hands it over
        self.path = telling_path(path)[:MOST_PATH]
        self.route = OTHER
        self.status = HTTPStatus.INTERNAL_SERVER_ERROR.value  # unless it is answered
        self.error: Raised | None = None
        self.has_ended = False

    def end(self) -> None:
        """Tell of it, once: it has been sent to its end, or closed before."""
        if self.has_ended:
            return
        self.has_ended = True
        seconds = time.perf_counter() - self.began
        metrics.request_ended(self.method, self.route, self.status, seconds)
        if self.status < HTTPStatus.BAD_REQUEST and self.path in PROBES:
            return
        level = self._level()
        fields = {
            "event": "request",
            "id": self.id,
            "method": self.method,
            "path": self.path,
            "route": self.route,
            "status": self.status,
            "ms": round(seconds * 1000, 1),
        }
        told = (self.method, self.path, self.status)
        log.log(level, "%s %s: %d", *told, extra={FIELDS: fields}, exc_info=self.error)

    def _level(self) -> int:
        if self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return logging.INFO
        return logging.ERROR if self.error else logging.WARNING  # without one it was refused: there is too much to do


def queued() -> float:
    """Count a request that waits for a thread of the server; return the time, for `begun`."""
    metrics.WAITING.inc()
    return time.perf_counter()


def begun(at: float) -> None:
    """Count it no longer: this thread has the request, which takes its time from then."""
    metrics.WAITING.dec()
    _arrived.at = at


def given_up() -> None:
    """Count it no longer, and as refused."""
    metrics.WAITING.dec()
    metrics.REFUSED.inc()


def register(app: Flask) -> None:
    """Watch all requests to `app`, those too that what stands before it refuses: so this is registered last."""
    app.after_request(_routed)
    app.wsgi_app = _Watched(app.wsgi_app)  # type: ignore[method-assign]


def request_id() -> str:
    """Return the id of the request that is being handled, by which its event is found."""
    return _seen().id


def note_error(error: BaseException | None = None) -> None:
    """Keep what went wrong for the event of this request; by default what is being handled."""
    raised = (type(error), error, error.__traceback__) if error is not None else sys.exc_info()
    if raised[0] is not None and raised[1] is not None:
        _seen().error = (raised[0], raised[1], raised[2])


def _seen() -> Seen:
    seen = request.environ.get(SEEN)
    if not isinstance(seen, Seen):  # a request made up by a test, which no server handed over
        seen = request.environ[SEEN] = Seen(request.environ)
    return seen


def _routed(answer: Response) -> Response:
    """Note which route has answered."""
    if request.url_rule:
        _seen().route = request.url_rule.rule
    return answer


class _Watched:
    """The application, with each of its answers followed to the end."""

    def __init__(self, application: "WSGIApplication") -> None:
        """Take the application."""
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        seen = environ[SEEN] = Seen(environ)

        def begin(status: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
            seen.status = int(status.split(" ", 1)[0])
            return start_response(status, [*headers, (ID_HEADER, seen.id)], *more)  # type: ignore[arg-type]

        try:
            return _Answer(self._application(environ, begin), seen)
        except BaseException:
            seen.end()
            raise


class _Answer:
    """An answer on its way. Whoever sends it closes it, however that goes."""

    def __init__(self, pieces: Iterable[bytes], seen: Seen) -> None:
        """Take what is sent."""
        self._pieces, self._seen = pieces, seen

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is sent; what fails on the way is told in the event."""
        try:
            yield from self._pieces
        except Exception as error:
            self._seen.status = HTTPStatus.INTERNAL_SERVER_ERROR.value
            self._seen.error = (type(error), error, error.__traceback__)
            raise
        finally:
            self._seen.end()

    def close(self) -> None:
        """Tell of the request."""
        try:
            close: Callable[[], None] | None = getattr(self._pieces, "close", None)
            if close is not None:
                close()
        finally:
            self._seen.end()
