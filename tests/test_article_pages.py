"""Versions and what they changed, citations as files: pages, JSON, headers, and nothing of what may not be shown."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import HOSTILE, article

from web import versions
from web.services import Services

FIRST = article(
    93,
    title="First wording",
    body="It rained. The river rose.\n\nNobody was hurt.",
    section="Weather",
    authors=("A B",),
)
SECOND = article(93, title="Second wording", updated_at=datetime(2011, 1, 2, tzinfo=UTC))
THIRD = article(
    93, title="Second wording", body="It rained! The river rose fast.\n\nAll are well. Help came.", authors=()
)
ID = FIRST.id
GAPPED = article(97, title="Before the gap")
LATE = article(98, title="Waits for its time")
NASTY = article(95, title="Plain", body="Plain.")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data"), site_name="Test & Tribune") as app:
        store = app.extensions["backfile"].store
        store.put(FIRST)
        store.put(THIRD)
        store.put(NASTY)
        store.put(GAPPED)
        store.put(replace(GAPPED, title="A withheld wording", status="embargoed"))
        store.put(replace(GAPPED, title="After the gap", note="CORRECTS <b>name</b> in par 3"))
        store.put(replace(LATE, status="embargoed", embargoed_until=datetime.now(UTC) + timedelta(days=9)))
        store.put(replace(LATE, title="Usable at once"))
        store.put(article(95, title=HOSTILE[0], body=" ".join(HOSTILE), authors=HOSTILE[:2], source=HOSTILE[1]))
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def parts(app: Flask) -> Services:
    found = app.extensions["backfile"]
    assert isinstance(found, Services)
    return found


def numbers(client: FlaskClient) -> list[int]:
    return [entry["version"] for entry in client.get(f"/api/articles/{ID}").get_json()["versions"]]


# Versions


def test_every_version_is_listed_the_newest_first_with_what_it_changed(client: FlaskClient) -> None:
    page = client.get(f"/articles/{ID}/versions").text
    assert "4 versions" in page
    places = [page.index(f'/articles/{ID}/versions/{number}"') for number in (4, 3, 2, 1)]
    assert places == sorted(places)
    assert "Headline, authors and section changed, " in page or "Headline and authors changed, " in page
    assert "As it first came in." in page
    assert page.count("shown now") == 1
    assert "updated by its source on 2 January 2011" in page


def test_only_the_newest_of_many_are_compared_and_the_others_can_be(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_COMPARED", 1)
    client.application.extensions["backfile"].store.put(article(96, body="One."))
    for number in (2, 3):
        client.application.extensions["backfile"].store.put(article(96, body=f"One. And {number}."))
    page = client.get(f"/articles/{article(96).id}/versions").text
    assert page.count("1 sentence ") == 1
    assert page.count("/changes") == 2


def test_a_version_is_shown_as_it_came_in(client: FlaskClient, parts: Services) -> None:
    page = client.get(f"/articles/{ID}/versions/1").text
    assert "First wording" in page
    assert "Version 1 of 4" in page
    assert "This is not the version that is shown now." in page
    assert f"/articles/{ID}/versions/4/changes?against=1" in page
    given = client.get(f"/api/articles/{ID}/versions/1").get_json()
    kept = parts.store.version(ID, 1)
    assert kept is not None
    assert (given["title"], given["body"], given["version"], given["latest"]) == (kept.title, kept.body, 1, 4)
    assert given["links"]["changes"] is None
    assert client.get(given["links"]["page"]).status_code == 200
    assert client.get(given["links"]["article"]).get_json()["version"] == 4
    assert numbers(client) == [1, 2, 3, 4]


def test_what_changed_is_told_in_words_field_by_field_and_sentence_by_sentence(client: FlaskClient) -> None:
    page = client.get(f"/articles/{ID}/versions/4/changes").text
    assert "From version 3 to version 4" in page
    for told in (
        "<del>First wording</del>",
        "<ins>Second wording</ins>",
        "<del>A B</del>",
        ">nothing</span>",
        "<ins>fast.</ins>",
        "<ins>Help came.</ins>",
        'Added<span class="quiet">: </span>',
        'Changed<span class="quiet">: </span>',
        "1 sentence kept",
    ):
        assert told in page, told


def test_any_two_versions_can_be_compared_either_way(client: FlaskClient) -> None:
    given = client.get(f"/api/articles/{ID}/versions/4/changes").get_json()
    assert (given["version"], given["against"]) == (4, 3)
    assert {"field": "authors", "before": ["A B"], "after": []} in given["fields"]
    assert {"field": "title", "before": "First wording", "after": "Second wording"} in given["fields"]
    assert given["differences"]["kept"] == 1
    forth, back = (
        client.get(f"/api/articles/{ID}/versions/{one}/changes?against={other}").get_json()
        for one, other in ((4, 1), (1, 4))
    )
    assert [(field["before"], field["after"]) for field in forth["fields"]] == [
        (field["after"], field["before"]) for field in back["fields"]
    ]
    assert forth["differences"]["added"] == back["differences"]["cut"]
    same = client.get(f"/api/articles/{ID}/versions/4/changes?against=4").get_json()
    assert (same["fields"], same["differences"]["changed"]) == ([], 0)
    assert "Nothing but signs and spaces changed" in client.get(f"/articles/{ID}/versions/4/changes?against=4").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("versions/0", 404),
        ("versions/5", 404),
        ("versions/99999999999999999999", 404),
        ("versions/x", 404),
        ("versions/1/changes", 404),
        ("versions/2/changes?against=9", 404),
        ("versions/2/changes?against=x", 400),
    ],
)
def test_a_version_that_is_none_is_not_found_in_either_form(client: FlaskClient, path: str, status: int) -> None:
    page, given = client.get(f"/articles/{ID}/{path}"), client.get(f"/api/articles/{ID}/{path}")
    assert (page.status_code, given.status_code) == (status, status)
    assert page.mimetype == "text/html"
    assert given.mimetype == "application/problem+json"


@pytest.mark.parametrize(("hidden", "status"), [(newsroom.WITHDRAWN, 410), (newsroom.EMBARGOED, 404)])
def test_of_what_is_not_shown_nothing_is(client: FlaskClient, hidden: newsroom.Article, status: int) -> None:
    for path in ("versions", "versions/1", "versions/1/changes", "copies", "cite.bib", "cite.ris", "cite.json"):
        answer = client.get(f"/articles/{hidden.id}/{path}")
        assert answer.status_code == status, path
        assert hidden.title not in answer.text
    for path in ("versions/1", "versions/1/changes"):
        assert client.get(f"/api/articles/{hidden.id}/{path}").status_code == status


def test_what_a_version_holds_is_shown_as_text(client: FlaskClient) -> None:
    for path in ("versions", "versions/2", "versions/2/changes"):
        page = client.get(f"/articles/{NASTY.id}/{path}").text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("path", ["versions", "versions/1", "versions/2/changes", "cite.bib", "cite.json"])
def test_what_a_client_has_is_answered_shortly_until_there_is_another_version(tmp_path: Path, path: str) -> None:
    with newsroom.application(tmp_path) as app:
        client, corrected = app.test_client(), newsroom.CORRECTED
        tag = client.get(f"/articles/{corrected.id}/{path}").headers["ETag"]
        assert client.get(f"/articles/{corrected.id}/{path}", headers={"If-None-Match": tag}).status_code == 304
        app.extensions["backfile"].store.put(article(93, title="Third wording"))
        assert client.get(f"/articles/{corrected.id}/{path}", headers={"If-None-Match": tag}).status_code == 200


# Citations


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        ("bib", "application/x-bibtex; charset=utf-8", "@article{article-"),
        ("ris", "application/x-research-info-systems; charset=utf-8", "TY  - NEWS\r\n"),
        ("json", "application/vnd.citationstyles.csl+json", "["),
    ],
)
def test_a_citation_is_a_file_of_its_kind(client: FlaskClient, form: str, media_type: str, begins: str) -> None:
    answer = client.get(f"/articles/{ID}/cite.{form}")
    assert answer.content_type == media_type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="article-{ID}.{form}"'
    assert answer.text.startswith(begins)
    assert f"http://localhost/articles/{ID}/versions/4" in answer.text


def test_the_page_has_the_citation_in_words_and_leads_to_the_files(client: FlaskClient) -> None:
    page = client.get(f"/articles/{ID}").text
    assert "“Second wording.” The Ledger, 4 March 2010." in page
    assert "Archived in Test &amp; Tribune, version 4, http://localhost/articles/" in page
    for form in ("bib", "ris", "json"):
        assert f'href="/articles/{ID}/cite.{form}"' in page
    item = json.loads(client.get(f"/articles/{ID}/cite.json").text)[0]
    assert client.get(item["archive_location"]).status_code == 200


# What may not be shown, and what sources note


def test_numbers_that_are_missing_are_stepped_over(client: FlaskClient) -> None:
    given = client.get(f"/api/articles/{GAPPED.id}").get_json()
    assert [entry["version"] for entry in given["versions"]] == [1, 3]
    changes = client.get(given["versions"][1]["links"]["changes"]).get_json()
    assert (changes["version"], changes["against"]) == (3, 1)
    for path in ("versions", "versions/1", "versions/3", "versions/3/changes", ""):
        page = client.get(f"/articles/{GAPPED.id}/{path}".rstrip("/"))
        assert page.status_code == 200
        assert "A withheld wording" not in page.text
        for link in set(re.findall(rf'"(/articles/{GAPPED.id}/versions[^"]*)"', page.text)):
            assert client.get(link.replace("&amp;", "&")).status_code == 200, (path, link)


def test_what_is_the_only_version_to_be_seen_has_no_history(client: FlaskClient) -> None:
    given = client.get(f"/api/articles/{LATE.id}").get_json()
    assert [(entry["version"], entry["links"]["changes"]) for entry in given["versions"]] == [(2, None)]
    assert "All versions" not in client.get(f"/articles/{LATE.id}").text
    assert client.get(f"/articles/{LATE.id}/versions/2/changes").status_code == 404
    assert "What changed" not in client.get(f"/articles/{LATE.id}/versions").text


def test_what_a_source_notes_stands_with_its_version(client: FlaskClient) -> None:
    for path in ("", "/versions", "/versions/3", "/versions/3/changes"):
        assert "CORRECTS &lt;b&gt;name&lt;/b&gt; in par 3" in client.get(f"/articles/{GAPPED.id}{path}").text
    assert "The source notes" not in client.get(f"/articles/{GAPPED.id}/versions/1").text
    note = "CORRECTS <b>name</b> in par 3"
    given = client.get(f"/api/articles/{GAPPED.id}").get_json()
    assert (given["note"], [entry["note"] for entry in given["versions"]]) == (note, [None, note])
    for path in ("", "/changes"):
        assert client.get(f"/api/articles/{GAPPED.id}/versions/3{path}").get_json()["note"] == note
