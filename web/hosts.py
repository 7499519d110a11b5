"""Under which names the site answers, and what an answer that repeats a name may be used for.

Invariants: where the site's names are known, any other gets a 400. Where they are not, any is answered to; but unless
the site knows its address (`BACKFILE_SITE_URL`), whatever repeats the name is for that client alone, and no shared
cache keeps it.
"""

import json
import re
from collections.abc import Iterable, Set
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from web.settings import Settings, host_names

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}  # whoever looks after the site asks it there
PROBES = {"/healthz", "/readyz", "/metrics"}  # asked by address, and repeat nothing
HOST = re.compile(r"([a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{0,5})?", re.ASCII | re.IGNORECASE)
REFUSAL = {
    "type": "about:blank",
    "title": HTTPStatus.BAD_REQUEST.phrase,
    "status": HTTPStatus.BAD_REQUEST.value,
    "detail": "This site does not answer under that name.",
}


def register(app: Flask, settings: Settings) -> None:
    """Refuse requests to `app` under names that are not its own, before anything is made of them."""
    app.wsgi_app = _Checked(app.wsgi_app, own_names(settings))  # type: ignore[method-assign]
    app.after_request(_keep_apart)


def own_names(settings: Settings) -> Set[str]:
    """Return the names that are the site's, in small letters and without ports; none where all are."""
    named = host_names(settings.hosts or "")
    own = _name(urlsplit(settings.site_url or "").netloc)
    return {*named, *filter(None, [own]), *LOOPBACK} if named else set()


def request_host_url() -> str:
    """Return the site's address as this request has it, without a slash at its end."""
    g.repeats_host = True
    return request.host_url.rstrip("/")


class _Checked:
    """A WSGI application that is asked under its own names alone."""

    def __init__(self, app: "WSGIApplication", names: Set[str]) -> None:
        self._app = app
        self._names = names

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host: str | None = environ.get("HTTP_HOST")
        if host is not None and not self._is_ours(_name(host), environ.get("PATH_INFO", "")):
            body = json.dumps(REFUSAL).encode()
            headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
            start_response("400 Bad Request", [*headers, ("Cache-Control", "no-store")])
            return [body]
        return self._app(environ, start_response)

    def _is_ours(self, name: str, path: str) -> bool:
        return bool(name) and (not self._names or name in self._names or path in PROBES)


def _name(host: str) -> str:
    """Return the name in a `Host` header; empty when that is none."""
    found = HOST.fullmatch(host)
    return found[1].lower() if found else ""


def _keep_apart(response: Response) -> Response:
    if g.get("repeats_host") and "no-store" not in response.headers.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "private, no-cache"
    return response
