from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient

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


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/browse/", "/browse"),
        ("/browse/2001/03/?sort=oldest", "/browse/2001/03?sort=oldest"),
        ("/search/?q=flood", "/search?q=flood"),
        ("/api/stories/1/", "/api/stories/1"),
    ],
)
def test_a_slash_at_the_end_leads_to_the_address_without(client: FlaskClient, path: str, target: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (308, target)


@pytest.mark.parametrize("path", ["/nothing/", "//evil.example/", "//evil.example/search/", "/search/syntax/x/"])
def test_a_slash_after_what_is_no_address_leads_nowhere(client: FlaskClient, path: str) -> None:
    answer = client.get("/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 404 or answer.headers["Location"].startswith("http://localhost/")


def test_a_browser_that_read_no_page_finds_the_icon(client: FlaskClient) -> None:
    assert client.get("/favicon.ico", follow_redirects=True).mimetype == "image/svg+xml"
