"""The headers on every response. Stored text is escaped where it is written; these hold if an escape is ever missed."""

import re

from flask import Flask, Response, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A card that other sites show in a frame: nothing in it acts, so nothing can be clicked under false pretences.
FRAMED_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",  # an outlet may see who sends readers, never what they sought
}
# What other sites' pages may read: the API, which gives everybody the same. Nothing here knows a cookie.
OPEN_TO_ALL = ("/api/", "/oembed")
# Pages whose address is the key to them: nobody keeps them, nor is told their address, whatever the answer is.
BEHIND_KEYS = re.compile(r"/(saved|alerts)(/|$)")
KEY = re.compile(r"(?<=^/saved/)[^/]+|(?<=/confirm/)[^/]+|(?<=/stop/)[^/]+")
KEPT_BY_NOBODY = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


def register(app: Flask) -> None:
    """Send the headers with every response of `app`."""
    app.after_request(_protect)


def telling_path(path: str) -> str:
    """Return the path of a request as a log may have it: without what would open a saved search."""
    return KEY.sub("…", path)


def _protect(response: Response) -> Response:
    if BEHIND_KEYS.match(request.path):
        response.headers.update(KEPT_BY_NOBODY)
    is_shared = request.path.startswith(OPEN_TO_ALL) and request.method != "DELETE"  # no page acts in a person's name
    for name, value in (HEADERS | SHARED if is_shared else HEADERS).items():
        response.headers.setdefault(name, value)
    return response
