"""Cards in other people's frames, and oEmbed, by which they are found."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree, html
from newsroom import article

FLOOD = newsroom.ORDINARY[0]
PAGE = f"http://localhost/articles/{FLOOD.id}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def told(client: FlaskClient, url: str, more: str = "") -> dict[str, Any]:
    answer = client.get(f"/oembed?url={quote(url, safe='')}{more}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json"), answer.text
    body = answer.get_json()
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize(
    "url", [PAGE, f"{PAGE}?q=flood#top", PAGE.replace("http:", "https:"), "http://localhost/stories/1"]
)
def test_an_article_and_a_story_can_be_embedded(client: FlaskClient, url: str) -> None:
    answer = told(client, url)
    assert (answer["version"], answer["type"], answer["provider_name"]) == ("1.0", "rich", "Backfile")
    (frame,) = html.fragments_fromstring(answer["html"])
    assert frame.tag == "iframe"
    assert (frame.get("width"), frame.get("height")) == (str(answer["width"]), str(answer["height"]))
    assert frame.get("title") == answer["title"]
    assert "allow-scripts" not in frame.get("sandbox")
    assert client.get(frame.get("src")).status_code == 200


def test_it_keeps_to_the_room_there_is(client: FlaskClient) -> None:
    answer = told(client, PAGE, "&maxwidth=320&maxheight=90")
    assert (answer["width"], answer["height"]) == (320, 90)
    assert (told(client, PAGE, "&maxwidth=5000")["width"], told(client, PAGE, "&maxwidth=")["width"]) == (600, 600)


def test_xml_says_the_same(client: FlaskClient) -> None:
    answer = client.get(f"/oembed?url={PAGE}&format=xml")
    assert answer.mimetype == "text/xml"
    fields = {child.tag: child.text for child in etree.fromstring(answer.data)}
    assert fields == {name: str(value) for name, value in told(client, PAGE).items()}
    for nasty in newsroom.NASTY:
        etree.fromstring(client.get(f"/oembed?format=xml&url=http://localhost/articles/{nasty.id}").data)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{PAGE}&format=yaml", 501),
        ("", 400),
        (f"{PAGE}&maxwidth=wide", 400),
        (f"http://elsewhere.example/articles/{FLOOD.id}", 404),
        (f"ftp://localhost/articles/{FLOOD.id}", 404),
        ("http://localhost/search?q=flood", 404),
        ("http://localhost/nothing", 404),
        ("http://[", 404),
        (f"http://localhost/articles/{newsroom.WITHDRAWN.id}", 410),
        (f"http://localhost/articles/{newsroom.EMBARGOED.id}", 404),
        ("http://localhost/stories/999", 404),
    ],
)
def test_what_cannot_be_embedded_is_answered_as_the_standard_says(client: FlaskClient, url: str, status: int) -> None:
    refused = client.get(f"/oembed?url={url}")
    assert (refused.status_code, refused.mimetype) == (status, "application/problem+json")


@pytest.mark.parametrize("path", [f"/articles/{FLOOD.id}", "/stories/1"])
def test_a_page_says_how_it_is_embedded(client: FlaskClient, path: str) -> None:
    page = html.fromstring(client.get(path).text)
    for media_type, mimetype in (("application/json+oembed", "application/json"), ("text/xml+oembed", "text/xml")):
        (href,) = page.xpath(f"//link[@type='{media_type}']/@href")
        assert href.startswith("http://localhost/oembed?")
        assert client.get(href).mimetype == mimetype
    assert not html.fromstring(client.get("/articles/0000000000000000").text).xpath("//link[contains(@type, 'oembed')]")


# Cards


def test_only_a_card_may_stand_in_another_s_frame_and_it_holds_nothing_that_acts(client: FlaskClient) -> None:
    for path in (f"/articles/{FLOOD.id}/embed", "/stories/1/embed", f"/articles/{newsroom.WITHDRAWN.id}/embed"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "frame-ancestors *" in policy
        assert "script-src" not in policy
    for path in ("/", f"/articles/{FLOOD.id}", "/search?q=flood", "/stories/1", "/articles/0000000000000000/embed"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]
    for nasty in newsroom.NASTY:
        card = html.fromstring(client.get(f"/articles/{nasty.id}/embed").text)
        assert not card.xpath("//script | //form | //img | //*[@style] | //*[@onload or @onerror]")
        assert all(link.get("target") == "_blank" for link in card.xpath("//a"))


def test_a_card_of_what_was_withdrawn_says_so(client: FlaskClient) -> None:
    gone = client.get(f"/articles/{newsroom.WITHDRAWN.id}/embed")
    assert gone.status_code == 410
    assert "This article was withdrawn." in gone.text
    assert "Withdrawn words" not in gone.text


def test_a_card_that_a_page_has_already_costs_nothing(client: FlaskClient) -> None:
    path = f"/articles/{article(3).id}/embed"
    again = client.get(path, headers={"If-None-Match": client.get(path).headers["ETag"]})
    assert again.status_code == 304
    assert "frame-ancestors *" in again.headers["Content-Security-Policy"]
