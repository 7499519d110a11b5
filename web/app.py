"""`create_app`: settings and services go in, a Flask application comes out. Nothing is opened before it is needed."""

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from index.memory import look_seldom, share_arenas
from web import (
    alternates,
    api,
    api_docs,
    article_pages,
    browse,
    browse_api,
    channels,
    commands,
    completions,
    compression,
    doors,
    embedding,
    errors,
    export,
    feeds,
    health,
    hosts,
    languages,
    logs,
    metrics_page,
    oembed,
    pages,
    rates,
    related,
    releases,
    saved,
    security,
    sitemap,
    static_files,
    status_page,
    suggestions,
    syntax,
    takedown,
    turns,
    urls,
    watching,
)
from web.services import EXTENSION, Services
from web.settings import Settings, load_settings
from web.terminal import clear_settings

F = TypeVar("F", bound=Callable[..., object])
_Raised = tuple[type, BaseException, TracebackType | None]
MAX_BODY = 512 * 1024  # bytes; a draft of 80,000 words. Werkzeug sets no limit
MAX_FORM = 64 * 1024  # bytes; whatever else is sent


class _Application(Flask):
    def ensure_sync(self, func: F) -> F:
        """Return what is to be called. Nothing here is a coroutine; Flask would look at a dozen functions a request."""
        return func

    def log_exception(self, exc_info: "_Raised | tuple[None, None, None]") -> None:
        """Keep an exception for the event of its request."""
        watching.note_error(exc_info[1])

    def handle_exception(self, e: Exception) -> Response:
        """Answer for an error that nobody expected, also where that cannot be told on a page."""
        try:
            return super().handle_exception(e)
        except Exception:  # the page cannot be made
            return errors.bare()


def create_app(settings: Settings | None = None, *, services: Services | None = None) -> Flask:
    """Return the application. Without arguments it reads the environment; tests pass their own parts.

    Raises SettingsError when a `BACKFILE_*` variable has a value that cannot be used.
    """
    share_arenas()  # a server has some fifty threads
    look_seldom()
    if services is None:
        with clear_settings():
            settings = settings or load_settings()
            logs.configure(settings.log)
            services = Services(settings)
    app = _Application(__name__, static_folder=None)  # web/static_files.py serves them
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the contract's order is the readable one
    app.extensions[EXTENSION] = services
    turns.register(app)
    if hops := services.settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.before_request(_bound_body)
    hosts.register(app, services.settings)
    rates.register(app)
    releases.register(app)
    languages.register(app)
    static_files.register(app)
    pages.register(app)
    app.register_blueprint(api.blueprint)
    health.register(app)
    metrics_page.register(app)
    app.register_blueprint(takedown.blueprint)
    app.register_blueprint(related.blueprint)
    app.register_blueprint(feeds.blueprint)
    app.register_blueprint(export.blueprint)
    app.register_blueprint(oembed.blueprint)
    app.register_blueprint(embedding.blueprint)
    app.register_blueprint(api_docs.blueprint)
    sitemap.register(app)
    urls.register(app)
    alternates.register(app)
    app.register_blueprint(browse.blueprint)
    app.register_blueprint(browse_api.blueprint)
    status_page.register(app)
    app.register_blueprint(article_pages.blueprint)
    saved.register(app)
    channels.register(app)
    suggestions.register(app)
    completions.register(app)
    syntax.register(app)
    commands.register(app)
    errors.register(app)
    security.register(app)
    compression.register(app)
    doors.register(app)
    watching.register(app)
    return app


def _bound_body() -> None:
    """Take no more from a client than the route it asks has use for."""
    if request.endpoint != "related.draft":
        request.max_content_length = MAX_FORM
