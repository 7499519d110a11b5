"""Where a link may lead: the web, and nowhere else. Pure.

Invariant: an address that was stored is written as a link, or handed to somebody who may make it one, through here
alone, whatever was checked when it came in.
"""

from urllib.parse import urlsplit


def outside_link(url: str | None) -> str | None:
    """Return `url` when a browser may be sent there: absolute http or https. Else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None
