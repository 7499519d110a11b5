"""The archive's addresses in full, for whoever reads them elsewhere: feeds, sitemaps, other sites, mail.

Invariant: this is the one place that knows under which address the site is reached.
"""

from urllib.parse import quote

from flask import Flask, current_app, has_request_context, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from web.hosts import request_host_url
from web.services import services
from web.settings import SettingsError


def register(app: Flask) -> None:
    """Let the templates of `app` write addresses in full, and forgive a slash at the end of one."""
    app.jinja_env.globals["absolute"] = absolute
    app.before_request(_without_slash)


def site_url() -> str:
    """Return the site's own address, without a slash at its end: as set, else as this request was sent to.

    Raises SettingsError outside of a request when it is not set.
    """
    if url := services().settings.site_url:
        return url
    if not has_request_context():
        raise SettingsError("BACKFILE_SITE_URL must be set: without it this site does not know its own address")
    return request_host_url()


def absolute(path: str) -> str:
    """Return the address in full of a `path` on this site, which begins with a slash."""
    return site_url() + path


def _without_slash() -> BaseResponse | None:
    """Lead from an address that is none to the same without the slash at its end, where that is one."""
    shorter = request.path.rstrip("/")
    if request.url_rule or shorter == request.path or "//" in shorter:  # two slashes would lead to another site
        return None
    adapter = current_app.create_url_adapter(request)
    if not shorter or adapter is None or not adapter.test(shorter):
        return None
    query = request.query_string.decode("latin-1")
    return redirect(quote(shorter) + (f"?{query}" if query else ""), 308)
