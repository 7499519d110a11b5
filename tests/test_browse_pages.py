"""The pages under /browse and their JSON: true to the search, safe for any name, and never a blind alley."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_api import ROOT, body_of, keys_of
from test_pages import Page, page_of

from web import create_app
from web.services import Services
from web.settings import Settings

TALE = "A/B ünd «C» & 100%?#=+"
DATED = {"published_at": datetime(2016, 3, 14, 9, 30, tzinfo=UTC)}
LONG = "L" * 300
ODD = [
    newsroom.article(400, source=TALE, section="x/y", authors=("Ünal, Zoë", "村上春樹"), **DATED),
    newsroom.article(401, source=LONG, authors=(LONG,), published_at=datetime(2016, 3, 20, tzinfo=UTC)),
    newsroom.article(402, source="the LEDGER", published_at=datetime(2016, 12, 31, 23, 59, tzinfo=UTC)),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    services = newsroom.open_newsroom(tmp_path_factory.mktemp("data"))
    for each in ODD:
        services.store.put(each)
    services.builder.update()
    yield create_app(services=services)
    services.close()


def browsed(client: FlaskClient, path: str) -> dict[str, Any]:
    return body_of(client.get(f"/api/browse{path}"))


def total(client: FlaskClient, **asked: str) -> int:
    """Return how many articles a search for just that finds."""
    value = body_of(client.get(f"/api/search?{urlencode(asked)}"))["total"]["value"]
    assert isinstance(value, int)
    return value


# True to the search


def test_all_counts_of_time_are_those_of_a_search_for_the_same_days(client: FlaskClient) -> None:
    whole = browsed(client, "")
    assert whole["count"] == total(client)
    assert sum(year["count"] for year in whole["years"]) + whole["undated"] == whole["count"]
    for year in whole["years"]:
        assert total(client, **{"from": year["from"], "to": year["to"]}) == year["count"]
    months = browsed(client, "/2016")["months"]
    assert [(month["from"], month["count"]) for month in months] == [("2016-03-01", 2), ("2016-12-01", 1)]
    for month in months:
        days = body_of(client.get(month["links"]["self"]))["days"]
        assert sum(day["count"] for day in days) == month["count"]
        for day in days:
            assert body_of(client.get(day["links"]["self"]))["total"] == day["count"]
            assert total(client, **{"from": day["from"], "to": day["to"]}) == day["count"]


@pytest.mark.parametrize("kind", ["source", "section", "author"])
def test_all_counts_of_names_are_those_of_a_search_with_the_filter(client: FlaskClient, kind: str) -> None:
    found = browsed(client, f"/{kind}s?sort=count")
    assert found["total"] == len(found["names"]) > 5
    assert found["names"] == sorted(found["names"], key=lambda name: -name["count"])
    for name in found["names"]:
        if len(name["name"]) < 200:
            assert total(client, **{kind: name["name"]}) == name["count"], name
            profile = body_of(client.get(name["links"]["self"]))
            assert (profile["name"], profile["count"]) == (name["name"], name["count"])
            assert sum(period["count"] for period in profile["published"]) == name["count"]
            assert page_of(client, name["links"]["page"]).text.count(" articles") + 1


def test_names_beside_a_year_and_on_a_profile_lead_to_searches_that_find_just_as_many(client: FlaskClient) -> None:
    for path in ("/browse/2001", "/browse/2001/03", "/browse/2001/03/02", "/browse/source?name=The+Ledger"):
        page = client.get(path).text
        tallies = re.findall(
            r'<a href="(/search\?[^"]+)"><span class="value">[^<]+</span> <span class="count">([\d,]+)<', page
        )
        assert len(tallies) > 2
        for url, count in tallies:
            found = body_of(client.get("/api" + url.replace("&amp;", "&")))
            assert found["total"]["value"] == int(count), url


def test_spellings_that_a_filter_does_not_tell_apart_are_one_source(client: FlaskClient) -> None:
    names = {name["name"]: name["count"] for name in browsed(client, "/sources")["names"]}
    assert "the LEDGER" not in names
    assert names["The Ledger"] == total(client, source="The Ledger")
    assert page_of(client, "/browse/source?name=the+ledger").text.count("The Ledger")


# Every page and its twin


@pytest.mark.parametrize(
    "path",
    [
        "/browse",
        "/browse/2016",
        "/browse/2016/03",
        "/browse/2016/03/14",
        "/browse/2001/03/02?sort=oldest&page_size=1&page=2",
        "/browse/undated",
        "/browse/sources",
        "/browse/authors?letter=A&q=quill&sort=count",
        f"/browse/source?{urlencode({'name': TALE})}",
    ],
)
def test_each_page_names_its_twin_and_is_not_made_again_for_who_has_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    page = Page(answer)
    twin = next(link["href"] for link in page.all("link") if link.get("type") == "application/json")
    assert twin is not None
    assert json.loads(client.get(twin).text)
    for asked in (path, f"/api{path}"):
        tag = client.get(asked).headers["ETag"]
        assert client.get(asked, headers={"If-None-Match": tag}).status_code == 304
    assert len(page.all("h1")) == 1


def test_pages_of_a_day_follow_each_other_and_end_where_it_ends(client: FlaskClient) -> None:
    seen, url = [], "/api/browse/2001/03/02?page_size=1&sort=oldest"
    while url:
        answer = client.get(url)
        body = body_of(answer)
        seen += [article["id"] for article in body["articles"]]
        url = body["links"]["next"]
        assert ('rel="next"' in answer.headers.get("Link", "")) == bool(url)
    assert len(seen) == len(set(seen)) == body["total"]
    beyond = client.get("/browse/2001/03/02?page=9")
    assert "Go to the last page" in beyond.text


def test_a_day_knows_the_days_beside_it_that_have_articles(client: FlaskClient) -> None:
    page = page_of(client, "/browse/2016/03/14")
    beside = {link["rel"]: link["href"] for link in page.all("a") if link.get("rel") in ("prev", "next")}
    assert beside["next"] == "/browse/2016/03/20"
    assert re.fullmatch(r"/browse/20\d\d/\d\d/\d\d", beside["prev"] or "")
    assert "09:30" in page.text
    assert "Monday" in page.text


def test_a_month_is_a_calendar_that_begins_on_monday(client: FlaskClient) -> None:
    page = client.get("/browse/2016/03").text
    assert re.findall(r'<abbr title="(\w+)">', page)[0] == "Monday"
    assert page.count('<td class="beyond">') == 4  # March 2016 is from a Tuesday to a Thursday
    assert re.search(r'<td class="level-2"><a href="/browse/2016/03/14"><span class="number">14</span>', page)


# Any name, any address


def test_any_name_has_an_address_that_leads_to_it(client: FlaskClient) -> None:
    for kind, name in (("source", TALE), ("section", "x/y"), ("author", "Ünal, Zoë"), ("author", "村上春樹")):
        page = page_of(client, f"/browse/{kind}?name={quote(name)}")
        assert name in page.text
        assert f'"{name}"' in json.dumps(browsed(client, f"/{kind}?name={quote(name)}"), ensure_ascii=False)


def test_a_name_too_long_to_be_asked_for_is_listed_without_a_link(client: FlaskClient) -> None:
    found = next(name for name in browsed(client, "/sources")["names"] if name["name"] == LONG)
    assert found["links"] == {"self": None, "page": None}
    assert LONG[:100] in page_of(client, "/browse/sources").text
    assert client.get(f"/browse/source?name={LONG}").status_code == 400


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("/browse/2016/3", "/browse/2016/03"),
        ("/browse/2016/3/14?sort=oldest", "/browse/2016/03/14?sort=oldest"),
        ("/browse/02016", "/browse/2016"),
        ("/api/browse/2016/03/9", "/api/browse/2016/03/09"),
        ("/browse/985", "/browse/0985"),
    ],
)
def test_a_date_has_one_address_and_others_lead_to_it(client: FlaskClient, asked: str, canonical: str) -> None:
    answer = client.get(asked)
    assert (answer.status_code, answer.headers["Location"]) == (301, canonical)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/browse/2016/03/15", ["/browse/2016/03/14", "/browse/2016/03/20", "/browse"]),
        ("/browse/2016/05", ["/browse/2016/03", "/browse/2016/12", "/browse"]),
        ("/browse/1066", ["/browse/2000", "/browse"]),
        ("/browse/2016/02/30", ["/browse/2016/02", "/browse/2016", "/browse"]),
        ("/browse/2016/13", ["/browse/2016", "/browse"]),
        ("/browse/0", ["/browse"]),
        ("/browse/99999999999999999999", ["/browse"]),
        ("/browse/source?name=nobody", ["/browse/sources"]),
    ],
)
def test_where_there_is_nothing_the_nearest_is_named(client: FlaskClient, path: str, leads_to: list[str]) -> None:
    page = page_of(client, path, status=404)
    assert [href for href in page.hrefs() if href in leads_to][-len(leads_to) :] == leads_to or all(
        href in page.hrefs() for href in leads_to
    )
    problem = client.get(f"/api{path}")
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")
    assert [near["page"] for near in problem.get_json()["nearest"]] == leads_to


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/browse/2016/03/14?sort=best", "sort"),
        ("/browse/2016/03/14?page=0", "page"),
        ("/browse/sources?sort=newest", "sort"),
        ("/browse/authors?letter=AB", "letter"),
        ("/browse/author", "name"),
        ("/browse/authors?page_size=101", "page_size"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(client: FlaskClient, path: str, parameter: str) -> None:
    assert client.get(path).status_code == 400
    problem = client.get(f"/api{path}")
    assert (problem.status_code, problem.get_json()["parameter"]) == (400, parameter)


def test_hostile_names_stay_text(client: FlaskClient) -> None:
    for path in ("/browse", "/browse/sources", "/browse/sections", "/browse/authors", "/browse/2020"):
        page = client.get(path).text
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
        assert "<svg/onload" not in page
    for name in newsroom.HOSTILE[:3]:
        page = client.get(f"/browse/section?{urlencode({'name': name})}").text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_refusal_of_a_list_is_not_taken_for_one_of_a_search(client: FlaskClient) -> None:
    refused = page_of(client, "/browse/authors?q=quill&page=0", status=400)
    assert [box["value"] for box in refused.all("input")] == [""]
    assert "page must be a whole number" in refused.text


def test_every_field_is_documented(client: FlaskClient) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    paths = ("", "/2016", "/2016/03", "/2016/03/14", "/undated", "/authors", "/source?name=The+Ledger", "/2016/05")
    answers = [client.get(f"/api/browse{path}").get_json() for path in paths]
    assert [name for name in sorted(keys_of(answers)) if f"`{name}`" not in text] == []


# The archive as it is at the moment


def test_what_is_withdrawn_is_gone_from_every_page_at_once(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    alone, other = newsroom.article(1, **DATED, source="Only Once"), newsroom.article(2)
    for each in (alone, other, newsroom.article(3, status="embargoed", **DATED)):
        services.store.put(each)
    client = create_app(services=services).test_client()
    assert browsed(client, "/2016/03/14")["total"] == 1
    tag = client.get("/browse").headers["ETag"]
    services.store.remove(alone.id)
    assert client.get("/browse/2016/03/14").status_code == 404
    assert client.get("/browse/source?name=Only+Once").status_code == 404
    again = client.get("/browse", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert "Only Once" not in again.text
    services.close()


def test_an_empty_archive_can_be_browsed(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    client = create_app(services=services).test_client()
    for path in ("/browse", "/browse/undated", "/browse/sources", "/browse/sections", "/browse/authors", "/status"):
        page_of(client, path)
    assert "empty" in client.get("/browse").text
    assert client.get("/browse/2016").status_code == 404
    services.close()
