"""How much one client may ask for: a bucket each, shared by all processes, of which every request takes what it costs.

Invariants: what says how the site is, and what is the same for everybody, costs nothing. A client that has no address
of its own (a socket, a program on this machine, and so a proxy that `BACKFILE_PROXY_HOPS` does not count) is not
limited, since it may be everybody.
"""

import math

from flask import Flask, Response, g, request
from flask_babel import gettext
from werkzeug.exceptions import TooManyRequests

from web.buckets import Rate, Taken
from web.clients import LOCAL, client
from web.doors import QUESTIONS
from web.hosts import PROBES
from web.services import services

BURST = 6.0  # seconds of what is allowed, at once
POLICY = "client"  # its name in the headers
PAGE = 1  # what most requests cost: a search, a page, an article
FREE = {  # endpoints, beside what monitors ask
    *("static", "favicon", "sitemap.robots", "openapi.openapi", "suggestions.description"),
}
DEAR = 10  # a list of thousands read to its end, a whole text embedded, three months of articles judged, a write
DEAR_ENDPOINTS = {"export.as_csv", "export.as_json_lines", "related.draft", "saved.new"}


def register(app: Flask) -> None:
    """Count the requests of each client of `app`, and refuse what is too much."""
    app.before_request(_count)
    app.after_request(_tell)


def cost() -> int:
    """Return what this request costs."""
    if request.endpoint in FREE or request.path in PROBES or request.method == "OPTIONS":
        return 0
    return DEAR if request.endpoint in DEAR_ENDPOINTS or request.method not in QUESTIONS else PAGE


def _count() -> None:
    parts, who, costs = services(), client(), cost()
    if not parts.settings.rate_limit or who == LOCAL or not costs:
        return
    rate = Rate(math.ceil(parts.settings.rate_limit * BURST), BURST)
    g.taken = taken = parts.buckets.take(f"{POLICY} {who}", rate, cost=min(costs, rate.most))
    if taken.wait:
        raise TooManyRequests(
            gettext("That was more than one reader asks for. Please try again shortly."),
            retry_after=math.ceil(taken.wait),
        )


def _tell(response: Response) -> Response:
    """Say how much is left (draft-ietf-httpapi-ratelimit-headers-10)."""
    taken: Taken | None = g.get("taken")
    if taken is not None:
        most = math.ceil(services().settings.rate_limit * BURST)
        until = math.ceil((most - taken.left) / most * BURST)
        response.headers["RateLimit-Policy"] = f'"{POLICY}";q={most};w={math.ceil(BURST)}'
        response.headers["RateLimit"] = f'"{POLICY}";r={taken.left};t={until}'
    return response
