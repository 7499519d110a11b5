"""An article's page for who comes from results: marks, the way on; and what it says to machines."""

import json
import re
from collections.abc import Iterator

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from newsroom import article

from web.services import Services

FLOOD = newsroom.ORDINARY[0]
RESULTS = "q=flood+Millbrook&mode=keyword&page_size=4"
ARABIC = article(97, title="فيضان", body="جاء الماء.", language="ar", authors=("محمد علي",), published_at=None)
HOURS = article(98, title="At nine", published_at=newsroom.datetime(2011, 3, 1, 9, 5, tzinfo=newsroom.UTC))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        for each in (ARABIC, HOURS):
            app.extensions["backfile"].store.put(each)
        app.extensions["backfile"].builder.update()
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'<a rel="{rel}" href="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else None


# Coming from results


def test_a_reader_goes_through_all_results_from_article_to_article_and_back(client: FlaskClient) -> None:
    results = client.get(f"/search?{RESULTS}").text
    listed = re.findall(r'<h2><a href="(/articles/[^"]*)"', results)
    path, met = listed[0].replace("&amp;", "&"), []
    total = client.get(f"/api/search?{RESULTS}").get_json()["total"]["value"]
    while path:
        page = client.get(path).text
        met.append(path.partition("?")[0])
        assert f"<span>{len(met)} of {total}</span>" in page
        number = (len(met) - 1) // 4 + 1
        back = re.search(r'class="back" href="([^"]*)"', page)
        assert back
        assert back[1].replace("&amp;", "&") == "/search?q=flood+Millbrook&mode=keyword" + (
            f"&page={number}&page_size=4" if number > 1 else "&page_size=4"
        )
        before, path = link(page, "prev"), link(page, "next") or ""
        assert (before or "").partition("?")[0] == (met[-2] if len(met) > 1 else "")
    assert len(met) == len(set(met)) == total
    found = [
        client.get(f"/api/search?{RESULTS}&page={page + 1}").get_json()["results"] for page in range(total // 4 + 1)
    ]
    assert met == [result["links"]["page"] for page in found for result in page]


def test_the_words_are_marked_with_a_way_to_them_and_one_to_be_rid_of_them(client: FlaskClient) -> None:
    page = client.get(f"/articles/{FLOOD.id}?q=floods+in+Millbrook").text
    assert '<mark id="match-1"><a href="#matches"' in page
    assert "1 place matches" in page
    assert '<a href="#match-1">' in page
    assert '<span class="sense" id="sense">' in page
    off = f"/articles/{FLOOD.id}?q=floods+in+Millbrook&amp;marks=off"
    assert off in page
    plain = client.get(off.replace("&amp;", "&")).text
    assert "<mark" not in plain
    assert 'class="sense"' not in plain
    assert f'href="/articles/{FLOOD.id}?q=floods+in+Millbrook"' in plain
    assert "&amp;marks=off" in (re.search(r'rel="next" href="([^"]*)"', plain) or [""])[0]
    assert "marks=off" not in (re.search(r'class="back" href="([^"]*)"', plain) or [""])[0]


@pytest.mark.parametrize("query", ["", "?q=", "?q=xyzzy", "?marks=maybe&q=flood", "?q=((((((flood", "?from=x&q=flood"])
def test_without_a_search_that_can_be_read_nothing_is_marked(client: FlaskClient, query: str) -> None:
    page = client.get(f"/articles/{FLOOD.id}{query}")
    assert page.status_code == 200
    assert "<mark" not in page.text
    assert "#match-1" not in page.text


def test_an_article_beside_its_search_has_a_way_back_and_no_place(client: FlaskClient) -> None:
    page = client.get(f"/articles/{newsroom.GERMAN.id}?q=flood&mode=keyword").text
    assert "Back to the results for “flood”" in page
    assert 'class="steps"' not in page


def test_the_way_back_of_a_long_query_is_short(client: FlaskClient) -> None:
    page = client.get(f"/articles/{FLOOD.id}?q={'flood+' * 40}").text
    assert "flood …”" in page or "floo…”" in page or "…”" in page
    assert "Back to all results" in client.get(f"/articles/{FLOOD.id}?sort=oldest").text


def test_a_tag_tells_the_list_a_reader_came_from_apart_from_a_newer_one(app: Flask, client: FlaskClient) -> None:
    parts = app.extensions["backfile"]
    assert isinstance(parts, Services)
    path = f"/articles/{FLOOD.id}?q=flood&mode=keyword"
    client.get("/search?q=flood&mode=keyword")
    tag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    parts.store.put(article(99, title="The flood reaches Ostwick"))
    parts.builder.update()
    parts.serving.catch_up()
    old = client.get(path, headers={"If-None-Match": tag})
    assert old.status_code == 200
    client.get("/search?q=flood&mode=keyword")
    assert client.get(path, headers={"If-None-Match": old.headers["ETag"]}).status_code == 200, "another list by now"


# What it says


def test_json_ld_says_what_the_endpoint_says(client: FlaskClient) -> None:
    for each in (newsroom.ORDINARY[2], newsroom.CORRECTED, newsroom.UNDATED, HOURS, ARABIC, *newsroom.NASTY):
        page = client.get(f"/articles/{each.id}").text
        told = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
        assert len(told) == 1
        said, given = json.loads(told[0]), client.get(f"/api/articles/{each.id}").get_json()
        assert (said["headline"], said.get("inLanguage")) == (given["title"], given["language"])
        assert (said["identifier"], said["version"]) == (given["id"], given["version"])
        assert said.get("articleSection") == given["section"]
        assert said.get("publisher", {}).get("name") == given["source"]
        assert said.get("isBasedOn") == (None if (given["url"] or "").startswith("javascript") else given["url"])
        assert said["url"] == f"http://localhost{given['links']['page']}"
        for name, field in (("datePublished", "published_at"), ("dateModified", "updated_at")):
            assert said.get(name) == (given[field].removesuffix("T00:00:00Z") if given[field] else None)
        if each not in newsroom.NASTY:
            assert [author["name"] for author in said.get("author", [])] == given["authors"]


def test_the_front_page_says_how_it_is_searched(client: FlaskClient) -> None:
    page = client.get("/").text
    said = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)[0])
    target = said["potentialAction"]["target"]["urlTemplate"]
    assert said["@type"] == "WebSite"
    assert client.get(target.replace("{search_term_string}", "flood")).status_code == 200
    assert '<meta name="description"' in page


def test_the_head_describes_the_article(client: FlaskClient) -> None:
    page = client.get(f"/articles/{FLOOD.id}?q=flood").text
    assert f'<link rel="canonical" href="http://localhost/articles/{FLOOD.id}">' in page
    assert '<meta name="description" content="Report 0 begins here. The flood reaches Millbrook; people talk.' in page
    for name in ("type", "title", "description", "url", "site_name"):
        assert f'<meta property="og:{name}" content="' in page


def test_the_hour_is_told_with_its_zone_where_the_source_gave_one(client: FlaskClient) -> None:
    assert (
        '<time datetime="2011-03-01T09:05Z">1 March 2011, 09:05 UTC</time>' in client.get(f"/articles/{HOURS.id}").text
    )
    assert '<time datetime="2001-03-01">1 March 2001</time>' in client.get(f"/articles/{FLOOD.id}").text


def test_an_article_written_from_right_to_left_is_shown_so(client: FlaskClient) -> None:
    page = client.get(f"/articles/{ARABIC.id}").text
    assert '<article class="story" lang="ar" dir="rtl">' in page
    assert '<h1 class="usual">' in page
    assert '<p class="byline" lang="en" dir="ltr">By <a href="/search?author=' in page
    assert '<span class="badge">Arabic</span>' in page
