"""Which way a text runs, and what pages say of it."""

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from web.direction import direction, interface, language_tag


@pytest.mark.parametrize(
    "language", ["ar", "ar-EG", "he", "iw", "fa", "ur-PK", "yi", "ps", "ckb", "AR", "az-Arab-IR", "uz-arab"]
)
def test_languages_that_run_from_the_right(language: str) -> None:
    assert direction(language) == "rtl"


@pytest.mark.parametrize("language", ["en", "en-GB", "de", "zh-Hant", "ja", "az", "ks-Deva", "ur-Latn", "ku", "arn"])
def test_languages_that_run_from_the_left(language: str) -> None:
    assert direction(language) == "ltr"


@pytest.mark.parametrize(
    "language", [None, "", "und", "mul", "zxx", "und-Latn", "x", "Arabic", 'en" onload="x', "ar_EG"]
)
def test_of_a_language_that_is_not_known_the_browser_decides(language: str | None) -> None:
    assert direction(language) == "auto"
    assert language_tag(language) is None


@pytest.mark.parametrize(
    ("locale", "language", "runs"), [("en", "en", "ltr"), ("de_AT", "de", "ltr"), ("ar", "ar", "rtl")]
)
def test_a_page_says_which_language_it_speaks(locale: str, language: str, runs: str) -> None:
    app = Flask("bare")
    Babel(app)
    with app.test_request_context(), force_locale(locale):
        assert (interface().language, interface().direction) == (language, runs)
