"""The headers on every response. Stored text is escaped where it is written; these hold if an escape is ever missed."""

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
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}


def register(app: Flask) -> None:
    """Send the headers with every response of `app`."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in (HEADERS | SHARED if request.path.startswith(OPEN_TO_ALL) else HEADERS).items():
        response.headers.setdefault(name, value)
    return response
