"""`create_app`: settings and services go in, a Flask application comes out. Nothing is opened before it is needed."""

from types import TracebackType

from flask import Flask

from index.memory import share_arenas
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
    languages,
    logs,
    metrics_page,
    oembed,
    pages,
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
    urls,
    watching,
)
from web.services import EXTENSION, Services
from web.settings import Settings, load_settings
from web.terminal import clear_settings

_Raised = tuple[type, BaseException, TracebackType | None]
MAX_BODY = 512 * 1024  # bytes; a draft of 80,000 words. Werkzeug sets no limit


class _Application(Flask):
    def log_exception(self, exc_info: "_Raised | tuple[None, None, None]") -> None:
        """Keep an exception for the event of its request."""
        watching.note_error(exc_info[1])


def create_app(settings: Settings | None = None, *, services: Services | None = None) -> Flask:
    """Return the application. Without arguments it reads the environment; tests pass their own parts.

    Raises SettingsError when a `BACKFILE_*` variable has a value that cannot be used.
    """
    share_arenas()  # a server has some fifty threads
    if services is None:
        with clear_settings():
            settings = settings or load_settings()
            logs.configure(settings.log)
            services = Services(settings)
    app = _Application(__name__, static_folder=None)  # web/static_files.py serves them
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the contract's order is the readable one
    app.extensions[EXTENSION] = services
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
