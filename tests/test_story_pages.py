"""Stories as they are read: the pages, the same as JSON, and the line on an article's page."""

import re
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient
from test_pages import page_of

from archive.story import Event
from web.services import Services

REPORTS = [*newsroom.ORDINARY[:10], newsroom.CORRECTED, newsroom.UNDATED]  # of one story, in the order of time
FLOOD = REPORTS[0]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture
def parts(app: Flask) -> Services:
    parts: Services = app.extensions["backfile"]
    return parts


def story_of(parts: Services, article_id: str) -> int:
    return parts.store.stories_of([article_id])[article_id]


# JSON


def test_a_story_has_its_articles_in_the_order_of_time(client: FlaskClient, parts: Services) -> None:
    number = story_of(parts, FLOOD.id)
    story = client.get(f"/api/stories/{number}").get_json()
    assert list(story) == [
        "id",
        "title",
        "count",
        "first",
        "latest",
        "outlets",
        "key_terms",
        "articles",
        "log",
        "links",
    ]
    assert [each["id"] for each in story["articles"]] == [each.id for each in REPORTS]
    assert (story["id"], story["count"]) == (number, 12)
    assert story["title"] in [each["title"] for each in story["articles"]]
    assert (story["first"], story["latest"]) == ("2001-03-01T00:00:00Z", "2010-03-04T00:00:00Z")
    assert story["outlets"] == [
        {"value": "The Ledger", "count": 5},
        {"value": "Harbour News", "count": 3},
        {"value": "Radio Nine", "count": 3},
    ]
    assert {"flood", "Millbrook"} <= set(story["key_terms"])
    assert [(event["kind"], event["other"], event["articles"]) for event in story["log"]] == [
        ("founded", None, 13)
    ]  # one was withdrawn since
    assert story["links"] == {"self": f"/api/stories/{number}", "page": f"/stories/{number}"}


def test_an_article_names_its_story(client: FlaskClient, parts: Services) -> None:
    number = story_of(parts, FLOOD.id)
    links = {"self": f"/api/stories/{number}", "page": f"/stories/{number}"}
    assert client.get(f"/api/articles/{FLOOD.id}").get_json()["story"] == {"id": number, "articles": 12, "links": links}
    assert client.get(f"/api/articles/{newsroom.GERMAN.id}").get_json()["story"] is None


def test_stories_are_listed_the_latest_first_page_by_page(client: FlaskClient) -> None:
    whole = client.get("/api/stories").get_json()
    listed = []
    path = "/api/stories?page_size=2"
    while path:
        response = client.get(path)
        page = response.get_json()
        assert ('rel="next"' in response.headers.get("Link", "")) == bool(page["links"]["next"])
        listed += page["stories"]
        path = page["links"]["next"]
    assert listed == whole["stories"]
    assert whole["total"] == len(listed) >= 3
    latest = [story["latest"] for story in listed]
    assert latest == sorted(latest, reverse=True)
    assert whole["links"] == {"self": "/api/stories", "next": None, "prev": None}


def test_a_page_beyond_the_last_leads_back(client: FlaskClient) -> None:
    page = client.get("/api/stories?page=900").get_json()
    assert (page["stories"], page["links"]["prev"]) == ([], "/api/stories")
    assert "The stories end before page 900" in page_of(client, "/stories?page=900").text


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=101"])
def test_a_page_that_cannot_be_is_refused(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/stories?{query}")
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert client.get(f"/stories?{query}").status_code == 400


@pytest.mark.parametrize("number", ["999999", "9" * 30, "x", "-1"])
def test_a_story_that_never_was_is_not_found(client: FlaskClient, number: str) -> None:
    response = client.get(f"/api/stories/{number}")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert client.get(f"/stories/{number}").status_code == 404


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, parts: Services) -> None:
    number = story_of(parts, FLOOD.id)
    for path in (f"/api/stories/{number}", "/api/stories", f"/stories/{number}", "/stories", f"/articles/{FLOOD.id}"):
        tag = client.get(path).headers["ETag"]
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
        telling = parts.store.telling()
        parts.store.tell({}, [], seq=telling.seq, model_sha256=telling.model_sha256)
        changed = client.get(path, headers={"If-None-Match": tag})
        assert changed.status_code == (304 if changed.headers["ETag"] == tag else 200)
        assert path.startswith("/api") or changed.status_code == 200  # a page may have told of the old stories


# Pages


def test_the_page_of_a_story_tells_it_day_by_day(client: FlaskClient, parts: Services) -> None:
    page = page_of(client, f"/stories/{story_of(parts, FLOOD.id)}")
    days = [attributes["datetime"] for attributes in page.all("time")]
    assert days[:11] == [*(f"2001-03-{day:02}" for day in range(1, 11)), "2010-03-04"]
    assert "12 articles 3 outlets 1 March 2001 to 4 March 2010" in page.text
    assert f"undated {newsroom.UNDATED.title}" in page.text
    assert f"First report {FLOOD.title}" in page.text
    assert "Latest report Second wording" in page.text
    assert {f"/articles/{each.id}" for each in REPORTS} <= set(page.hrefs())
    assert "/search?q=flood" in page.hrefs()


def test_the_list_leads_to_each_story_and_the_front_page_to_the_list(client: FlaskClient, parts: Services) -> None:
    assert f"/stories/{story_of(parts, FLOOD.id)}" in page_of(client, "/stories").hrefs()
    assert "/stories" in page_of(client, "/").hrefs()
    assert "/stories" in page_of(client, "/search?q=flood").hrefs()


def test_an_article_leads_to_its_story(client: FlaskClient, parts: Services) -> None:
    page = page_of(client, f"/articles/{FLOOD.id}")
    assert "Part of a story: 12 articles from 3 outlets" in page.text
    assert f"/stories/{story_of(parts, FLOOD.id)}" in page.hrefs()
    assert "Part of a story" not in page_of(client, f"/articles/{newsroom.GERMAN.id}").text


def test_results_and_related_articles_name_their_story_as_the_article_does(client: FlaskClient) -> None:
    own = client.get(f"/api/articles/{FLOOD.id}").get_json()["story"]
    found = client.get("/api/search?q=flood+Millbrook&page_size=100").get_json()["results"]
    named = {each["id"]: each["story"] for each in found}
    assert named[FLOOD.id] == own
    assert {each.id for each in REPORTS[:10]} <= {id_ for id_, story in named.items() if story == own}
    related = client.get(f"/api/articles/{FLOOD.id}/related").get_json()["results"]
    assert [each["story"] for each in related if each["lane"] == "same_story"].count(own) > 0
    german = client.get("/api/search?q=Hochwasser").get_json()["results"]
    assert [each["story"] for each in german if each["id"] == newsroom.GERMAN.id] == [None]


def test_an_article_stands_among_the_reports_next_to_it_in_time(client: FlaskClient, parts: Services) -> None:
    ids = [report.id for report in REPORTS]
    for place, each in enumerate(REPORTS):
        around = parts.stories.around(each.id)
        assert around is not None
        first = min(max(place - 3, 0), 5)
        assert [report.id for report in around.reports] == ids[first : first + 7]
    assert parts.stories.around(newsroom.GERMAN.id) is None
    page = page_of(client, f"/articles/{REPORTS[4].id}")
    assert [element for element in page.all("li") if element.get("aria-current") == "page"] == [
        {"aria-current": "page"}
    ]
    assert "5 March 2001 This article Harbour News" in page.text
    assert "The whole story, 12 articles" in page.text


def test_hostile_headlines_stay_text(client: FlaskClient, parts: Services) -> None:
    together = {article.id: 999 for article in newsroom.NASTY}
    telling = parts.store.telling()
    parts.store.tell(together, [Event(999, "founded", None, 7)], seq=telling.seq, model_sha256=telling.model_sha256)
    for path in ("/stories/999", "/stories"):
        page = page_of(client, path)
        assert "alert(1)" in page.text
        assert [element for element in page.all("script") if "src" not in element] == []
        assert page.all("svg") == page.all("img") == []
        assert not re.search(r"\b49\b", page.text)


# What changes


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[FlaskClient, Services]]:
    with newsroom.application(tmp_path) as app, app.test_client() as client:
        yield client, app.extensions["backfile"]


def test_what_is_withdrawn_is_in_no_story_at_once(changing: tuple[FlaskClient, Services]) -> None:
    client, parts = changing
    number = story_of(parts, FLOOD.id)
    parts.store.remove(FLOOD.id)
    assert client.get(f"/api/stories/{number}").get_json()["count"] == 11
    assert "Part of a story: 11 articles from 3 outlets" in page_of(client, "/search?q=flood+Millbrook").text
    assert FLOOD.title not in page_of(client, f"/stories/{number}").text
    for each in REPORTS[1:11]:
        parts.store.remove(each.id)
    assert client.get(f"/stories/{number}").status_code == 404
    assert number not in [story["id"] for story in client.get("/api/stories").get_json()["stories"]]
    assert client.get(f"/api/articles/{REPORTS[11].id}").get_json()["story"] is None


def test_of_copies_an_article_has_one_beside_it_and_none_of_its_own(changing: tuple[FlaskClient, Services]) -> None:
    _, parts = changing
    ids = [report.id for report in REPORTS]
    until = parts.store.last_seq()
    parts.store.put_copies([ids[3:6], [ids[6], ids[8]]], judged=ids, after=parts.store.copies_seq(), until=until)
    around = parts.stories.around(ids[4])
    assert around is not None
    assert [report.id for report in around.reports] == [*ids[:3], ids[4], ids[6], ids[7], ids[9]]


def test_a_merged_story_leads_to_the_one_it_went_into(changing: tuple[FlaskClient, Services]) -> None:
    client, parts = changing
    number = story_of(parts, FLOOD.id)
    events = [Event(700, "founded", None, 2), Event(701, "founded", None, 2), Event(702, "founded", None, 2)]
    events += [Event(700, "merged", 701, 4), Event(701, "merged", number, 10), Event(702, "ended", None, 0)]
    parts.store.tell({}, events, seq=1, model_sha256=None)
    response = client.get("/api/stories/700")
    assert (response.status_code, response.mimetype) == (301, "application/problem+json")
    assert response.get_json()["merged_into"] == response.headers["Location"] == f"/api/stories/{number}"
    assert client.get("/stories/700").headers["Location"] == f"/stories/{number}"
    assert client.get("/stories/700.atom").headers["Location"] == f"/stories/{number}.atom"
    assert client.get("/stories/700/embed").headers["Location"] == f"/stories/{number}/embed"
    assert client.get("/stories/702").status_code == 404


def test_without_stories_the_list_says_so(changing: tuple[FlaskClient, Services]) -> None:
    client, parts = changing
    parts.store.tell(dict.fromkeys(parts.store.live_ids()), [], seq=1, model_sha256=None)
    assert "No stories yet" in page_of(client, "/stories").text
    assert client.get("/api/stories").get_json()["total"] == 0
