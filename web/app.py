"""`create_app`: settings and services go in, a Flask application comes out. Nothing is opened before it is needed."""

from pathlib import Path

from flask import Flask
from flask_babel import Babel

from web import api, channels, commands, compression, errors, pages, related, saved, security, suggestions
from web.services import EXTENSION, Services
from web.settings import Settings, load_settings
from web.terminal import clear_settings

STATIC = Path(__file__).resolve().parent.parent / "static"
MAX_BODY = 512 * 1024  # bytes; a draft of 80,000 words. Werkzeug sets no limit


def create_app(settings: Settings | None = None, *, services: Services | None = None) -> Flask:
    """Return the application. Without arguments it reads the environment; tests pass their own parts.

    Raises SettingsError when a `BACKFILE_*` variable has a value that cannot be used.
    """
    if services is None:
        with clear_settings():
            services = Services(settings or load_settings())
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the contract's order is the readable one
    app.extensions[EXTENSION] = services
    Babel(app)
    pages.register(app)
    app.register_blueprint(api.blueprint)
    app.register_blueprint(related.blueprint)
    saved.register(app)
    channels.register(app)
    suggestions.register(app)
    commands.register(app)
    errors.register(app)
    security.register(app)
    compression.register(app)
    return app
