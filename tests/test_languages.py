"""Which language answers whom, and how an answer says so."""

from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient

from web import create_app
from web.languages import LOCALES
from web.settings import Settings, SettingsError, load_settings

ARTICLE = f"/articles/{newsroom.article(0).id}"


def asking(languages: str) -> dict[str, str]:
    return {"Accept-Language": languages}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("ar-EG", "ar"),
        ("fr-FR, ar;q=0.5, en;q=0.1", "ar"),
        ("fr", "en"),
        ("en-GB,de;q=0.9", "en"),
        ("de-AT,en;q=0.9", "de"),
        ("de;q=0,ar;q=0.1", "ar"),
        ("*", "en"),
        ("", "en"),
        ("nonsense;;q=x", "en"),
    ],
)
def test_a_reader_is_answered_in_the_first_language_there_is(client: FlaskClient, asked: str, spoken: str) -> None:
    answer = client.get("/", headers=asking(asked))
    direction = "rtl" if spoken == "ar" else "ltr"
    assert f'<html lang="{spoken}" dir="{direction}">' in answer.text
    assert answer.headers["Content-Language"] == spoken
    assert "Accept-Language" in answer.headers["Vary"]


def test_each_language_is_spoken(client: FlaskClient) -> None:
    said = {language: client.get("/stories", headers=asking(language)).text for language in LOCALES}
    assert [word in said[language] for language, word in (("en", "Stories"), ("de", "Geschichten"), ("ar", "القصص"))]
    assert "Geschichten" in said["de"]
    assert "القصص" in said["ar"]
    assert "<h1>Stories</h1>" in said["en"]


@pytest.mark.parametrize("path", ["/", "/search?q=flood", ARTICLE, "/stories", "/browse", "/search/syntax"])
def test_a_tag_holds_for_its_own_language_alone(client: FlaskClient, path: str) -> None:
    german = client.get(path, headers=asking("de"))
    tag = german.headers["ETag"]
    again = client.get(path, headers={**asking("de"), "If-None-Match": tag})
    assert (again.status_code, again.headers["Vary"]) == (304, german.headers["Vary"])
    other = client.get(path, headers={**asking("ar"), "If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["ETag"] != tag


@pytest.mark.parametrize("path", ["/api/search?q=flood", f"/api{ARTICLE}", f"/api{ARTICLE}/related", "/api/nothing"])
def test_programs_are_answered_in_english_whoever_asks(client: FlaskClient, path: str) -> None:
    english, german = client.get(path, headers=asking("en")), client.get(path, headers=asking("de"))
    assert german.headers.get("ETag") == english.headers.get("ETag")
    assert "Accept-Language" not in german.headers.get("Vary", "")
    assert "Content-Language" not in german.headers


def test_a_reason_is_english_to_programs_and_the_readers_on_the_page(client: FlaskClient) -> None:
    found = client.get(f"/api{ARTICLE}/related", headers=asking("de")).json
    assert found is not None
    assert any("day" in result["reason"] for result in found["results"])
    panel = client.get(f"{ARTICLE}/related", headers=asking("de")).text
    assert "anderes Medium" in panel
    assert "other outlet" not in panel


def test_what_the_search_box_shows_is_for_its_reader(client: FlaskClient) -> None:
    answer = client.get("/api/completions?q=source:", headers=asking("de"))
    assert answer.json is not None
    assert answer.json["tip"]["meaning"] == "Aus dieser Quelle"
    assert "Accept-Language" in answer.headers["Vary"]


def test_errors_are_told_in_the_readers_language_on_pages_and_in_english_to_programs(client: FlaskClient) -> None:
    assert "Diese Seite gibt es nicht" in client.get("/nothing", headers=asking("de")).text
    assert "Klammern stehen höchstens 4 tief" in client.get("/search?q=(((((a)))))", headers=asking("de")).text
    refused = client.get("/search?page=0", headers=asking("de")).text
    assert "steht für <code>page</code> der Wert <code>0</code>; erwartet wird: eine ganze Zahl von 1" in refused
    problem = client.get("/api/search?page=0", headers=asking("de")).json
    assert problem is not None
    assert problem["detail"] == "page must be a whole number from 1 to 1,000,000"


@pytest.fixture
def settled(tmp_path: Path) -> Iterator[FlaskClient]:
    app = create_app(Settings(data=tmp_path, language="ar"))
    with app.test_client() as client:
        yield client


def test_an_installation_can_settle_on_one_language(settled: FlaskClient) -> None:
    answer = settled.get("/", headers=asking("de"))
    assert '<html lang="ar" dir="rtl">' in answer.text
    assert answer.headers["Content-Language"] == "ar"
    assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_a_language_there_is_none_of_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_LANGUAGE", "fr")
    with pytest.raises(SettingsError, match="BACKFILE_LANGUAGE"):
        load_settings()


def test_days_and_numbers_are_written_as_the_language_does(client: FlaskClient) -> None:
    pages = {language: client.get(ARTICLE, headers=asking(language)).text for language in LOCALES}
    assert ">1 March 2001</time>" in pages["en"]
    assert ">1. März 2001</time>" in pages["de"]
    assert ">1 مارس 2001</time>" in pages["ar"]
