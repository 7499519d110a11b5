from pathlib import Path

import newsroom
import pytest

from web import create_app
from web.services import Services
from web.settings import Settings, SettingsError
from web.urls import absolute


def test_an_address_in_full_is_the_request_s_own_where_none_is_set(tmp_path: Path) -> None:
    app = create_app(services=Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder()))
    with app.test_request_context(base_url="http://news.example:8000"):
        assert absolute("/search?q=a") == "http://news.example:8000/search?q=a"
    with app.app_context(), pytest.raises(SettingsError, match="BACKFILE_SITE_URL"):
        absolute("/")


def test_the_address_that_is_set_holds_whatever_host_a_request_names(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, site_url="https://archive.example.org/")
    app = create_app(services=Services(settings, embedder=newsroom.MeaningEmbedder()))
    with app.test_request_context(base_url="http://evil.example"):
        assert absolute("/articles/1") == "https://archive.example.org/articles/1"
    with app.app_context():
        assert absolute("/") == "https://archive.example.org/"
