"""The headers on every response. Stored text is escaped where it is written; these hold if an escape is ever missed."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from flask import Flask, Response, request

from web.services import services

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
# Whatever is no page: should a browser take it for one, it is one of nobody, in which nothing runs.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
PAGE = "text/html"
CLOSED = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")  # of no use to any of our pages
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",  # an outlet may see who sends readers, never what they sought
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in CLOSED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000"  # seconds, a year, the shortest of ASVS 3.4.1; subdomains are not ours to speak for
# What other sites' pages ask for, by elements and cards. It gives everybody the same; nothing here knows a cookie.
EMBEDDED = frozenset(
    {"api.search", "suggestions.suggest", "related.by_id", "related.by_url", "related.draft", "oembed.oembed"}
)
# What stands in their pages: files, and cards in frames of no origin, whose style sheet is one of those files.
LENT = EMBEDDED | {"static", "favicon", "oembed.article", "oembed.story"}
SHARED = {"Access-Control-Allow-Origin": "*"}
ASKED_BEFORE = {  # a draft is the one question with a body, which a browser asks leave for
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
DRAFTS = "/api/related"
# Pages whose address is the key to them: nobody keeps them, nor is told their address, whatever the answer is.
BEHIND_KEYS = re.compile(r"/(saved|alerts)(/|$)")
KEY = re.compile(r"(?<=^/saved/)[^/]+|(?<=/confirm/)[^/]+|(?<=/stop/)[^/]+")
BREAKING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # what begins a line of its own, or speaks to a terminal
KEPT_BY_NOBODY = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def register(app: Flask) -> None:
    """Send the headers with every response of `app`."""
    app.after_request(_protect)


def telling_path(path: str) -> str:
    """Return the path of a request as a log may have it: on one line, without what would open a saved search."""
    return BREAKING.sub(lambda sign: f"%{ord(sign[0]):02X}", KEY.sub("…", path))


def _protect(response: Response) -> Response:
    if BEHIND_KEYS.match(request.path):
        response.headers.update(KEPT_BY_NOBODY)
    if request.endpoint in EMBEDDED:
        response.headers.update(SHARED)
        if request.method == "OPTIONS" and request.path == DRAFTS:
            response.headers.update(ASKED_BEFORE)
    if request.endpoint in LENT:
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    said = {
        name.lower() for name, _ in response.headers
    }  # all at once: each look at a header reads through all of them
    response.headers.extend([each for each in _expected(response) if each[0].lower() not in said])
    return response


def _expected(response: Response) -> Iterator[tuple[str, str]]:
    """Yield the headers of a response on which nothing says otherwise."""
    if response.status_code != HTTPStatus.NOT_MODIFIED:  # what a browser has already keeps the policy it came with
        yield "Content-Security-Policy", POLICY if response.mimetype == PAGE else DATA_POLICY
    if (services().settings.site_url or "").startswith("https:"):
        yield "Strict-Transport-Security", HTTPS_ONLY
    yield from HEADERS.items()
