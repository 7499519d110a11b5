"""The search box of the browser: suggestions in its format, and the description by which it finds them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.etree import ElementTree

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import HOSTILE

from index.completion import suggest as module
from index.query import MAX_QUERY_CHARS
from web.suggestions import MAX_SHORT_NAME, short_name

NAMESPACE = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
MAX_ICON = 10_000  # bytes
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_WAIT", 30)
        with newsroom.application(tmp_path_factory.mktemp("data"), site_name='The "Hallam" & Sons Chronicle') as app:
            app.test_client().get("/api/suggest?q=flood")
            yield app


def suggest(client: FlaskClient, typed: str) -> tuple[list[str], list[str], list[str]]:
    answer = client.get(f"/api/suggest?q={quote(typed)}")
    assert answer.status_code == 200
    echoed, texts, descriptions, urls = answer.get_json(force=True)
    assert echoed == typed
    assert len(texts) == len(descriptions) == len(urls)
    return texts, descriptions, urls


# Suggestions


def test_suggestions_have_the_form_that_browsers_read(client: FlaskClient) -> None:
    answer = client.get("/api/suggest?q=council+e")
    assert answer.headers["Content-Type"] == "application/x-suggestions+json"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    echoed, texts, descriptions, urls = json.loads(answer.data)
    assert echoed == "council e"
    assert texts[0] == "council election in Ostwick"
    assert descriptions[0] == "10 headlines"
    assert urls[0] == "http://localhost/search?q=council+election+in+Ostwick"


def test_a_title_leads_to_its_article_and_says_where_it_is_from(client: FlaskClient) -> None:
    wanted = newsroom.ORDINARY[9]
    texts, descriptions, urls = suggest(client, "flood rea")
    at = texts.index(wanted.title)
    assert descriptions[at] == f"{wanted.source}, 10 March 2001"
    assert urls[at] == f"http://localhost/articles/{wanted.id}"
    assert client.get(urls[at]).status_code == 200


def test_a_title_without_source_and_day_has_no_description(client: FlaskClient) -> None:
    texts, descriptions, _ = suggest(client, "letter without")
    assert (texts, descriptions) == ([newsroom.UNDATED.title], [""])


def test_every_suggestion_leads_to_a_page(client: FlaskClient) -> None:
    for typed in ("flood", "council", "com", "nasty", "hochw"):
        assert all(client.get(url).status_code == 200 for url in suggest(client, typed)[2])


@pytest.mark.parametrize("typed", ["withdrawn", "tomorrow", "first wording"])
def test_what_is_not_shown_is_not_suggested(client: FlaskClient, typed: str) -> None:
    assert suggest(client, typed)[0] == []


@pytest.mark.parametrize(
    "typed", ["", " ", "source:", '"', "zebra", "\ud800".encode("utf-8", "replace").decode(), *HOSTILE]
)
def test_any_text_is_answered(client: FlaskClient, typed: str) -> None:
    suggest(client, typed)


def test_no_q_is_an_empty_one(client: FlaskClient) -> None:
    assert client.get("/api/suggest").get_json(force=True) == ["", [], [], []]


def test_a_text_that_is_too_long_is_refused_by_name(client: FlaskClient) -> None:
    assert client.get(f"/api/suggest?q={'x' * MAX_QUERY_CHARS}").status_code == 200
    refused = client.get(f"/api/suggest?q={'x' * (MAX_QUERY_CHARS + 1)}")
    assert refused.status_code == 400
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["parameter"] == "q"


# The description


def described(client: FlaskClient) -> ElementTree.Element:
    answer = client.get("/opensearch.xml")
    assert (answer.status_code, answer.mimetype) == (200, "application/opensearchdescription+xml")
    return ElementTree.fromstring(answer.data)


def test_the_description_keeps_to_opensearch(client: FlaskClient) -> None:
    root = described(client)
    assert root.tag == f"{{{NAMESPACE['o']}}}OpenSearchDescription"
    assert root.findtext("o:ShortName", namespaces=NAMESPACE) == 'The "Hallam" &'
    assert "Hallam" in str(root.findtext("o:Description", namespaces=NAMESPACE))
    assert {url.get("type") for url in root.findall("o:Url", NAMESPACE)} == {
        "text/html",
        "application/x-suggestions+json",
        "application/json",
        "application/atom+xml",
        "application/rss+xml",
        "application/opensearchdescription+xml",
    }


def test_every_address_in_the_description_leads_somewhere(client: FlaskClient) -> None:
    for url in described(client).findall("o:Url", NAMESPACE):
        template = str(url.get("template"))
        assert template.startswith("http://localhost/")
        filled = re.sub(r"\{\w+\?\}", "", template.replace("{searchTerms}", quote_plus("flood & fire")))
        assert "{" not in filled
        answer = client.get(filled)
        assert (answer.status_code, answer.mimetype) == (200, url.get("type"))


def test_the_icon_is_there_and_small(client: FlaskClient) -> None:
    image = described(client).find("o:Image", NAMESPACE)
    assert image is not None
    with client.get(str(image.text)) as icon:
        assert (icon.status_code, icon.mimetype) == (200, image.get("type"))
        assert len(icon.data) <= MAX_ICON


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Backfile", "Backfile"),
        ("Exactly sixteen.", "Exactly sixteen."),
        ("The Hallam Weekly Chronicle", "The Hallam"),
        ("Hochwasserarchivdienst", "Hochwasserarchiv"),
        ("  Radio   Nine ", "Radio Nine"),
    ],
)
def test_a_long_name_is_cut_at_a_word(name: str, short: str) -> None:
    assert short_name(name) == short
    assert len(short) <= MAX_SHORT_NAME


def test_both_are_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert "## `GET /api/suggest`" in text
    assert "| `/opensearch.xml` |" in text
