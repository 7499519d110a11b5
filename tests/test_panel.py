"""The panel anywhere: by address, for a draft of which nothing is kept, as a fragment, and from other sites' pages."""

import json
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import GERMAN, article

FLOOD = article(0)
DRAFT = {"title": "The flood reaches Millbrook", "text": "The flood rose again over Millbrook and the dam gave way."}


def ids(answer: dict) -> list[str]:
    return [result["id"] for result in answer["results"]]


# By address


def test_an_article_is_known_by_its_address_however_a_reader_came_there(client: FlaskClient) -> None:
    by_id = client.get(f"/api/articles/{FLOOD.id}/related").get_json()
    assert FLOOD.url is not None
    assert client.get("/api/related", query_string={"url": FLOOD.url + "?utm_source=mail#top"}).get_json() == by_id
    assert len(client.get("/api/related", query_string={"url": FLOOD.url, "limit": 2}).get_json()["results"]) == 2


@pytest.mark.parametrize(
    ("url", "status"),
    [("", 400), ("javascript:alert(1)", 400), ("/articles/1", 400), ("https://nowhere.example/a", 404)],
)
def test_an_address_that_is_none_or_not_in_the_archive_is_a_problem(client: FlaskClient, url: str, status: int) -> None:
    answer = client.get("/api/related", query_string={"url": url})
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert url in answer.get_json()["detail"] or status == 400


def test_a_draft_of_no_sense_has_no_relatives(client: FlaskClient) -> None:
    assert client.post("/api/related", json={"title": "asdkfj qwpoeiru zxmcnv"}).get_json()["results"] == []


# A draft


def test_a_draft_has_relations_and_nothing_of_it_is_kept(app: Flask, client: FlaskClient) -> None:
    data = app.extensions["backfile"].settings.data
    before = {file: file.read_bytes() for file in Path(data).rglob("*") if file.is_file() and "-shm" not in file.name}
    answer = client.post("/api/related", json=DRAFT | {"text": "Quernstone " + DRAFT["text"]})
    assert answer.status_code == 200
    assert answer.get_json()["id"] is None
    assert all("flood" in result["title"] for result in answer.get_json()["results"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    after = {file: file.read_bytes() for file in before}
    assert after == before
    assert not any(b"Quernstone" in content for content in after.values())


def test_a_date_and_an_outlet_decide_lanes_and_reasons(client: FlaskClient) -> None:
    undated = client.post("/api/related", json=DRAFT).get_json()
    assert {result["lane"] for result in undated["results"]} == {"other"}
    later = client.post("/api/related", json=DRAFT | {"published_at": "2031-01-01", "source": "Draft Desk"}).get_json()
    for result in later["results"]:
        assert result["lane"] == ("background" if result["published_at"] else "other")
        assert "other outlet" in result["reason"] or not result["source"]


def test_a_headline_alone_will_do_and_as_many_come_as_asked(client: FlaskClient) -> None:
    answer = client.post("/api/related", json={"title": DRAFT["title"], "limit": 3}).get_json()
    assert len(ids(answer)) == 3


def test_a_draft_of_an_address_in_the_archive_is_not_related_to_itself(client: FlaskClient) -> None:
    answer = client.post("/api/related", json={"title": FLOOD.title, "text": FLOOD.body, "url": FLOOD.url, "limit": 20})
    assert FLOOD.id not in ids(answer.get_json())


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("", "one JSON object"),
        ("[]", "one JSON object"),
        ("{", "one JSON object"),
        ("[" * 100_000, "one JSON object"),
        ("{}", "a text or a title with words in it"),
        (json.dumps({"text": "..."}), "a text or a title with words in it"),
        (json.dumps({"title": "Words", "text": 5}), "text must be text in quotes"),
        (json.dumps({"title": 5}), "title must be text in quotes"),
        (json.dumps({"title": "Words", "url": "javascript:1"}), "url must be the http or https address"),
        (json.dumps({"text": "words", "limit": 0}), "limit must be"),
        (json.dumps({"text": "words", "limit": True}), "limit must be"),
        (json.dumps({"text": "words", "published_at": "soon"}), "published_at must be a date"),
        (json.dumps({"text": "words", "colour": "red"}), "colour must be left out"),
    ],
)
def test_a_draft_that_cannot_be_used_is_a_problem_that_says_why(client: FlaskClient, sent: str, told: str) -> None:
    answer = client.post("/api/related", data=sent, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert told in answer.get_json()["detail"]


def test_a_draft_must_be_json_and_no_longer_than_a_draft_is(client: FlaskClient) -> None:
    assert client.post("/api/related", data="title=x").status_code == 415
    assert client.post("/api/related", json={"text": "x" * 600_000}).status_code == 413


# The fragment


def test_the_fragment_is_the_panel_of_the_article_page_alone(client: FlaskClient) -> None:
    page = client.get(f"/articles/{GERMAN.id}").text  # in no story, whose reports a page does not name twice
    fragment = client.get(f"/articles/{GERMAN.id}/related")
    assert fragment.text.strip().startswith("<aside")
    assert fragment.text.strip().endswith("</aside>")
    assert fragment.text.replace("http://localhost/", "/").strip() in page
    assert fragment.headers["X-Robots-Tag"] == "noindex"
    assert (
        client.get(f"/articles/{GERMAN.id}/related", headers={"If-None-Match": fragment.headers["ETag"]}).status_code
        == 304
    )
    assert client.get("/articles/0000000000000000/related").status_code == 404
    assert client.get(f"/articles/{newsroom.WITHDRAWN.id}/related").status_code == 410
