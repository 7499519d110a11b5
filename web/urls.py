"""The archive's addresses in full, for whoever reads them elsewhere: feeds, sitemaps, other sites, mail.

Invariant: this is the one place that knows under which address the site is reached.
"""

from flask import has_request_context, request

from web.services import services
from web.settings import SettingsError


def site_url() -> str:
    """Return the site's own address, without a slash at its end: as set, else as this request was sent to.

    Raises SettingsError outside of a request when it is not set.
    """
    if url := services().settings.site_url:
        return url
    if not has_request_context():
        raise SettingsError("BACKFILE_SITE_URL must be set: without it this site does not know its own address")
    return request.host_url.rstrip("/")


def absolute(path: str) -> str:
    """Return the address in full of a `path` on this site, which begins with a slash."""
    return site_url() + path
