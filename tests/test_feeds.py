"""Feeds: what they say, that their ids last, and that they are what their formats ask for."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import feedparser
import newsroom
import pytest
from copied import report, story
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree

from archive.grouping import find_copies
from web.feed_formats import FORMATS, xml_text
from web.feeds import FEED_SIZE

ATOM = "{http://www.w3.org/2005/Atom}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FLOOD = newsroom.ORDINARY[0]
QUERIES = ("q=flood", "q=report&source=The+Ledger&from=2001-03-01&to=2003-12-31", "", "q=nasty", "q=nothing+such+xyzzy")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def tree(client: FlaskClient, path: str) -> Any:  # noqa: ANN401 an element
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.data, etree.XMLParser(resolve_entities=False, no_network=True))


def texts(element: Any, path: str) -> list[str]:  # noqa: ANN401
    return [each.text or "" for each in element.findall(path)]


def links(element: Any, rel: str) -> list[str]:  # noqa: ANN401
    return [link.get("href") for link in element.findall(f"{ATOM}link") if link.get("rel") == rel]


# What a feed follows


@pytest.mark.parametrize("form", FORMATS)
def test_a_feed_has_what_its_page_has_newest_first(client: FlaskClient, form: str) -> None:
    feed = client.get(f"/search.{form}?q=report&source=The+Ledger")
    assert feed.mimetype == FORMATS[form].media_type
    found = client.get("/api/search?q=report&source=The+Ledger&sort=newest&page_size=50").get_json()["results"]
    expected = [f"http://localhost{result['links']['page']}" for result in found]
    if form == "feed.json":
        assert [item["url"] for item in json.loads(feed.data)["items"]] == expected
    else:
        read = feedparser.parse(feed.data)
        assert not read.bozo
        assert [entry.link for entry in read.entries] == expected
        assert [entry.title for entry in read.entries] == [result["title"] for result in found]
    assert len(expected) > 5


def test_a_feed_can_be_asked_for_in_another_order_and_length(client: FlaskClient) -> None:
    best = client.get("/api/search?q=flood&page_size=3").get_json()["results"]
    feed = client.get("/search.feed.json?q=flood&sort=relevance&page_size=3").get_json()
    assert [item["title"] for item in feed["items"]] == [result["title"] for result in best]
    assert feed["feed_url"].endswith("/search.feed.json?q=flood&page_size=3&sort=relevance")


def test_only_good_matches_enter_a_feed(client: FlaskClient) -> None:
    everything = client.get("/api/search?q=flood+xyzzy&cutoff=off").get_json()["total"]["value"]
    followed = client.get("/search.feed.json?q=flood+xyzzy&cutoff=off").get_json()
    assert len(followed["items"]) < min(everything, FEED_SIZE)
    assert "cutoff" not in followed["feed_url"]


def test_the_title_says_the_query_and_its_filters(client: FlaskClient) -> None:
    title = client.get("/search.feed.json?q=flood&source=The+Ledger&from=2001-03-01").get_json()["title"]
    assert title == "flood, Source: The Ledger, From 1 March 2001 · Backfile"
    assert client.get("/search.feed.json").get_json()["title"] == "All articles · Backfile"


# Atom, by RFC 4287


@pytest.mark.parametrize("query", QUERIES)
def test_an_atom_feed_keeps_to_its_standard(client: FlaskClient, query: str) -> None:
    feed = tree(client, f"/search.atom?{query}")
    assert feed.tag == f"{ATOM}feed"
    for element in [feed, *feed.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        assert RFC3339.fullmatch(element.findtext(f"{ATOM}updated"))
        assert uuid.UUID(element.findtext(f"{ATOM}id")).version == 5
        assert len(links(element, "alternate")) == 1
        assert all(each.text for each in element.findall(f"{ATOM}author/{ATOM}name"))
    assert feed.findall(f"{ATOM}author")
    assert links(feed, "self") == [f"http://localhost/search.atom{'?' if query else ''}{query}"]
    ids = texts(feed, f"{ATOM}entry/{ATOM}id")
    assert len(set(ids)) == len(ids)
    assert all(
        href.startswith(("http://", "https://")) for each in feed.iter(f"{ATOM}link") for href in [each.get("href")]
    )


def test_an_undated_article_is_dated_by_when_it_came_in(client: FlaskClient) -> None:
    feed = tree(client, f"/search.atom?q={quote_plus(newsroom.UNDATED.title)}")
    entry = next(
        each for each in feed.findall(f"{ATOM}entry") if each.findtext(f"{ATOM}title") == newsroom.UNDATED.title
    )
    assert entry.find(f"{ATOM}published") is None
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated")).date() >= datetime(2026, 1, 1, tzinfo=UTC).date()
    assert entry.find(f"{ATOM}author") is None  # it has neither authors nor a source: the feed's holds


def test_a_correction_changes_when_an_entry_was_updated_and_not_its_id(client: FlaskClient) -> None:
    (entry,) = tree(client, "/search.atom?q=%22Second+wording%22").findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}updated") == "2011-01-02T00:00:00Z"
    assert entry.findtext(f"{ATOM}published") == "2010-03-04T00:00:00Z"


def test_what_no_xml_can_hold_is_left_out_and_the_rest_is_text(client: FlaskClient) -> None:
    feed = tree(client, f"/search.atom?q=nasty+%00%0B{quote_plus(newsroom.HOSTILE[0])}&page_size=100")
    feed = tree(client, "/search.atom?q=nasty&page_size=100")
    titles = texts(feed, f"{ATOM}entry/{ATOM}title")
    assert "Nasty <script>alert(1)</script>" in titles
    assert any("</title></style>" in title and "\0" not in title for title in titles)
    assert not [link for link in feed.iter(f"{ATOM}link") if link.get("href").startswith("javascript:")]
    assert xml_text("a\0b\x0b\ud800\ufffe\U0001f600\t") == "ab\U0001f600\t"


# RSS and JSON Feed


@pytest.mark.parametrize("query", QUERIES)
def test_an_rss_feed_keeps_to_its_standard(client: FlaskClient, query: str) -> None:
    channel = tree(client, f"/search.rss?{query}").find("channel")
    for name in ("title", "link", "description"):
        assert len(channel.findall(name)) == 1
    (own,) = channel.findall(f"{ATOM}link")
    assert (own.get("rel"), own.get("href")) == ("self", f"http://localhost/search.rss{'?' if query else ''}{query}")
    for item in channel.findall("item"):
        guid = item.find("guid")
        assert (guid.get("isPermaLink"), uuid.UUID(guid.text).version) == ("false", 5)
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", item.findtext("pubDate"))
        assert "<" not in item.findtext("description")  # it is HTML, in which the text's own are escaped


def test_a_json_feed_keeps_to_its_standard(client: FlaskClient) -> None:
    feed = client.get("/search.feed.json?q=nasty&page_size=100").get_json(force=True)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert {"title", "home_page_url", "feed_url", "items"} <= set(feed)
    for item in feed["items"]:
        assert {"id", "url", "content_text", "date_modified"} <= set(item)
        assert all(value is not None for value in item.values())
        assert all(set(author) == {"name"} for author in item["authors"])


def test_an_entry_is_the_same_in_every_format(client: FlaskClient) -> None:
    atom = texts(tree(client, "/search.atom?q=flood"), f"{ATOM}entry/{ATOM}id")
    rss = texts(tree(client, "/search.rss?q=flood"), "channel/item/guid")
    assert atom == rss == [item["id"] for item in client.get("/search.feed.json?q=flood").get_json()["items"]]


# Asked again


@pytest.mark.parametrize("form", FORMATS)
def test_a_reader_that_has_the_feed_gets_nothing_and_nothing_is_searched(app: Flask, form: str) -> None:
    client, services = app.test_client(), app.extensions["backfile"]
    services.warm_up()
    tag = client.get(f"/search.{form}?q=flood").headers["ETag"]
    searched = services.made.pop("search")
    services.made["search"] = None  # whoever searches fails
    try:
        again = client.get(f"/search.{form}?q=flood", headers={"If-None-Match": tag})
    finally:
        services.made["search"] = searched
    assert (again.status_code, again.data) == (304, b"")


def test_an_address_that_is_set_stands_in_the_feed_and_changes_no_id(app: Flask) -> None:
    client, services = app.test_client(), app.extensions["backfile"]
    before = client.get("/search.feed.json?q=flood").get_json()
    settings = services.settings
    services.settings = settings.model_copy(update={"site_url": "https://archive.example.org"})
    try:
        after = client.get("/search.feed.json?q=flood", base_url="http://evil.example").get_json()
    finally:
        services.settings = settings
    assert after["feed_url"] == "https://archive.example.org/search.feed.json?q=flood"
    assert [item["id"] for item in after["items"]] == [item["id"] for item in before["items"]]
    assert "evil" not in json.dumps(after)


def test_a_further_copy_of_a_text_is_no_news(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        client, services = app.test_client(), app.extensions["backfile"]
        text = story("dam")
        for number in range(2):
            services.store.put(report(number, text, source=f"Paper {number}", hours=number))
        find_copies(services.store)
        services.builder.update()
        before = client.get("/search.feed.json?sort=newest").get_json()["items"]
        services.store.put(report(2, text, source="Paper 2", hours=2))
        find_copies(services.store)
        services.builder.update()
        services.serving.catch_up()
        after = client.get("/search.feed.json?sort=newest").get_json()["items"]
        assert {item["id"] for item in after} == {item["id"] for item in before}
        every = client.get("/search.feed.json?copies=all").get_json()["items"]
        assert len({item["id"] for item in every}) == len(every) == len(after) + 2


# Other feeds


def test_a_story_can_be_followed(client: FlaskClient) -> None:
    listed = client.get("/api/stories").get_json()["stories"][0]
    told = client.get(listed["links"]["self"]).get_json()
    feed = tree(client, f"/stories/{listed['id']}.atom")
    assert feed.findtext(f"{ATOM}title") == f"{listed['title']} · Backfile"
    newest = [article["title"] for article in sorted(told["articles"], key=lambda each: each["published_at"] or "")][
        ::-1
    ]
    assert sorted(texts(feed, f"{ATOM}entry/{ATOM}title")) == sorted(newest)
    assert links(feed, "alternate") == [f"http://localhost{listed['links']['page']}"]
    assert all(texts(feed, f"{ATOM}entry/{ATOM}summary"))
    dates = texts(feed, f"{ATOM}entry/{ATOM}published")
    assert dates == sorted(dates, reverse=True)
    assert client.get("/stories/999999.atom").mimetype == "application/problem+json"


def test_what_follows_an_article_can_be_followed(client: FlaskClient) -> None:
    items = client.get(f"/articles/{FLOOD.id}/follow-ups.feed.json").get_json()["items"]
    assert items
    assert all(item["date_published"] > "2001-03-01T00:00:00Z" for item in items)
    withdrawn = client.get(f"/articles/{newsroom.WITHDRAWN.id}/follow-ups.rss")
    assert (withdrawn.status_code, withdrawn.mimetype) == (410, "application/problem+json")


@pytest.mark.parametrize("query", ["sort=best", "from=tomorrow", "q=((((((a"])
def test_a_search_that_cannot_be_read_is_a_problem(client: FlaskClient, query: str) -> None:
    refused = client.get(f"/search.atom?{query}")
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
