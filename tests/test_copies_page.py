"""A group of copies on the article's page and at the endpoint: what each added, cut and changed, as plain text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from copied import name, report, story
from flask.testing import FlaskClient
from newsroom import HOSTILE, MeaningEmbedder

from archive.article import Article
from archive.grouping import find_copies
from web import api, article_pages, copies, create_app, reading, services
from web.copies import copies_object, members
from web.services import CopyGroup, Services
from web.settings import Settings

FIRST, REST = story("flood", until=1), story("flood", since=1)
CHANGED = REST.replace(REST.split()[1], "otherwise")
ORIGIN = report(1, f"{FIRST} {REST}", hours=1, source="The Wire", language="de")
LOCAL = report(2, f"People here saw it. {REST}", hours=2, source="The Local")
EDITED = report(3, f"{FIRST} {CHANGED}", hours=3)
SAME = report(4, ORIGIN.body, hours=4)
NASTY = report(5, f"{ORIGIN.body} {' '.join(HOSTILE)}", hours=5, source=HOSTILE[0])
ALONE = report(6, story("calm"), hours=6)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    parts = Services(Settings(data=tmp_path_factory.mktemp("data")), embedder=MeaningEmbedder())
    for each in (LOCAL, EDITED, SAME, NASTY, ALONE, ORIGIN):
        parts.store.put(each)
    find_copies(parts.store)
    parts.builder.update()
    yield create_app(services=parts).test_client()
    parts.close()


def group(*articles: Article) -> CopyGroup:
    return CopyGroup(articles[0], articles, len(articles))


def test_each_is_compared_with_the_origin_in_one_line_and_in_full() -> None:
    origin, local, edited, same = members(group(ORIGIN, LOCAL, EDITED, SAME), this=LOCAL.id)
    assert (origin.is_origin, origin.differences, origin.summary, origin.stretches) == (True, None, "", [])
    assert (local.summary, local.is_this) == ("1 sentence added, 1 sentence cut", True)
    assert [(stretch.kind, len(stretch.pieces)) for stretch in local.stretches] == [
        ("cut", 1),
        ("added", 1),
        ("kept", 15),
    ]
    assert edited.summary == "1 sentence changed"
    assert same.summary == "word for word the same"


def test_of_a_large_group_the_first_are_compared_and_the_one_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MOST_COMPARED", 1)
    found = members(group(ORIGIN, LOCAL, EDITED, SAME), this=SAME.id)
    assert [member.differences is not None for member in found] == [False, True, False, True]


def test_of_a_group_of_hundreds_the_first_are_given_and_the_one_being_read(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_MEMBERS", 2)
    for each, numbers in ((SAME, [1, 2, 4]), (ORIGIN, [1, 2])):
        given = client.get(f"/api/articles/{each.id}").get_json()["copies"]
        assert [member["id"] for member in given] == [name(number) for number in numbers]


def test_the_endpoint_gives_the_group_and_every_sentence(client: FlaskClient) -> None:
    given = client.get(f"/api/articles/{LOCAL.id}/copies").get_json()
    assert (given["id"], given["origin"]) == (LOCAL.id, ORIGIN.id)
    assert [each["id"] for each in given["copies"]] == [name(number) for number in (1, 2, 3, 4, 5)]
    assert [each["origin"] for each in given["copies"]] == [True, False, False, False, False]
    assert given["copies"][0]["differences"] is None
    local = given["copies"][1]["differences"]
    assert {kind: local[kind] for kind in ("complete", "kept", "added", "cut", "changed")} == {
        "complete": True, "kept": 15, "added": 1, "cut": 1, "changed": 0,
    }  # fmt: skip
    assert local["sentences"][:2] == [
        {"kind": "cut", "before": FIRST, "after": None},
        {"kind": "added", "before": None, "after": "People here saw it."},
    ]
    assert given["total"] == 5
    assert client.get(f"/api/articles/{ALONE.id}/copies").get_json() == copies_object(ALONE.id, None)
    assert copies_object(ALONE.id, None) == {"id": ALONE.id, "origin": None, "total": 0, "copies": []}
    assert client.get("/api/articles/0123456789abcdef/copies").status_code == 404


def test_a_large_group_is_counted_and_comes_page_by_page_each_time_compared_with_the_origin(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(article_pages, "MOST_COMPARED", 2)
    monkeypatch.setattr(reading, "LISTED_COPIES", 2)
    monkeypatch.setattr(services, "MOST_MEMBERS", 2)
    monkeypatch.setattr(api, "MOST_MEMBERS", 2)
    page = client.get(f"/articles/{SAME.id}").get_data(as_text=True)
    assert f'<a href="/articles/{SAME.id}/copies">All 5 articles of this group</a>' in page
    met: list[str] = []
    for number in (1, 2, 3):
        listed = client.get(f"/articles/{SAME.id}/copies?page={number}").get_data(as_text=True)
        assert "5 articles that share a text" in listed
        assert listed.count("What differs") == (1 if number < 2 else 2 if number < 3 else 1)
        assert (f"copies?page={number + 1}" in listed) == (number < 3)
        titles = re.findall(r'<div[^>]*>(?:<a href="/articles/\w+">)?(Headline \d)', listed)
        given = client.get(f"/api/articles/{LOCAL.id}/copies?page={number}").get_json()
        assert titles == [member["title"] for member in given["copies"]]
        assert given["total"] == 5
        met += titles
    assert met == [f"Headline {number}" for number in (1, 2, 3, 4, 5)]
    assert client.get(f"/articles/{SAME.id}/copies?page=4").status_code == 404
    assert client.get(f"/articles/{ALONE.id}/copies").status_code == 404
    assert client.get(f"/articles/{SAME.id}/copies?page=x").status_code == 400


def test_the_page_lists_the_group_with_the_origin_marked(client: FlaskClient) -> None:
    page = client.get(f"/articles/{LOCAL.id}").get_data(as_text=True)
    section = page.partition('<section class="group"')[2].partition("</section>")[0]
    assert section.count("likely the origin</strong>") == 1
    assert section.index("likely the origin</strong>") < section.index("People here saw it.")
    assert f"<del>{FIRST}</del>" in section
    assert "<ins>People here saw it.</ins>" in section
    assert "15 sentences kept" in section
    assert "<ins>otherwise </ins>" in section
    assert f'<div lang="de" dir="ltr"><a href="/articles/{ORIGIN.id}">' in section
    assert 'class="group"' not in client.get(f"/articles/{ALONE.id}").get_data(as_text=True)


def test_what_a_copy_holds_is_shown_as_text(client: FlaskClient) -> None:
    page = client.get(f"/articles/{NASTY.id}").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7 * 7 }}" in page.partition('<section class="group"')[2]


def test_what_was_withdrawn_leaves_the_group_at_once(tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for each in (ORIGIN, LOCAL, SAME):
        parts.store.put(each)
    find_copies(parts.store)
    parts.builder.update()
    client = create_app(services=parts).test_client()
    parts.store.remove(ORIGIN.id)
    assert client.get(f"/api/articles/{SAME.id}/copies").get_json()["origin"] == LOCAL.id
    assert client.get(f"/api/articles/{ORIGIN.id}/copies").status_code == 410
    parts.store.remove(LOCAL.id)
    assert client.get(f"/api/articles/{SAME.id}/copies").get_json()["copies"] == []
    parts.close()
