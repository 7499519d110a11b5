"""What is made of JSON Feed, 1.0 and 1.1."""

import io
import json
from datetime import UTC, datetime

import pytest
from shared_data import shared

from archive.article import Article, Entry, Rejection
from archive.identity import alias, article_id
from archive.readers import detect
from archive.readers.feeds import json_feed
from archive.readers.records import jsonl

FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "The Courier",
    "home_page_url": "https://courier.example/",
}


def read(*items: object, **more: object) -> list[Entry]:
    raw = json.dumps({**FEED, **more, "items": items}).encode()
    return list(json_feed.read(io.BytesIO(raw), "input"))


def only(item: dict[str, object], **more: object) -> Article:
    (article,) = read(item, **more)
    assert isinstance(article, Article), article
    return article


def test_an_item_gives_all_it_states() -> None:
    article = only(
        {
            "id": "17",
            "url": "/bridge",
            "title": "Bridge &amp; road <b>reopen</b><script>x()</script>",
            "content_html": "<p>The old bridge.</p><script>steal()</script><p>Cars passed.</p>",
            "content_text": "The old bridge.",
            "date_published": "2016-08-10T09:30:00+02:00",
            "date_modified": "2016-08-11T09:30:00Z",
            "authors": [{"name": "Jane Doe"}, {"url": "https://a.example"}, {"name": "John Roe"}],
            "tags": ["Local", "Roads"],
            "language": "en",
        },
        language="de",
    )
    assert article == Article(
        id=article_id(url="https://courier.example/bridge", source=None, source_id=None, text=""),
        url="https://courier.example/bridge",
        title="Bridge & road reopen",
        body="The old bridge.\n\nCars passed.",
        source="The Courier",
        section="Local",
        authors=("Jane Doe", "John Roe"),
        language="en",
        published_at=datetime(2016, 8, 10, 7, 30, tzinfo=UTC),
        updated_at=datetime(2016, 8, 11, 9, 30, tzinfo=UTC),
    )
    assert article.aliases == (alias(source="https://courier.example/", source_id="17"),)


def test_version_1_has_one_author_and_the_feed_speaks_for_its_items() -> None:
    assert only({"title": "One", "author": {"name": "Jane Doe"}}).authors == ("Jane Doe",)
    article = only({"title": "One"}, author={"name": "The desk"}, language="fr")
    assert (article.authors, article.language) == (("The desk",), "fr")


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ({"external_url": "https://ledger.example/1"}, "https://ledger.example/1"),
        ({"id": "https://courier.example/1"}, "https://courier.example/1"),
        ({"id": "tag:courier.example,2016:1"}, None),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": ["https://courier.example/1"]}, None),
    ],
)
def test_a_link_is_a_web_address_or_none(item: dict[str, object], url: str | None) -> None:
    assert only({"title": "One", **item}).url == url


def test_a_number_may_be_an_id() -> None:
    assert only({"id": 17, "title": "One"}).id == only({"id": "17", "title": "Two"}).id


def test_what_is_of_the_wrong_type_is_passed_over() -> None:
    entries = read(
        {"title": 5, "content_html": ["a"]}, "no item", {"title": "One", "tags": "Local", "authors": {"name": "x"}}
    )
    assert [type(entry) for entry in entries] == [Article, Rejection]
    assert entries[0] == only({"title": "One"})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"version": "https://jsonfeed.org/version/1", "items": [{"title": "One"', "not complete JSON"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": {}}', "no list of items"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": []}', "a feed without entries"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 200_000, "nested too deep"),
        (b'{"version": "https://jsonfeed.org/version/1", "n": ' + b"9" * 10_000 + b"}", "a number too long"),
    ],
)
def test_what_cannot_be_read_says_why(raw: bytes, words: str) -> None:
    (rejection,) = json_feed.read(io.BytesIO(raw), "input")
    assert isinstance(rejection, Rejection)
    assert words in rejection.reason


def test_a_json_feed_is_known_by_its_version_and_records_that_only_name_it_are_records() -> None:
    spread = json.dumps({**FEED, "items": []}, indent=4).replace("/", "\\/")
    assert detect(spread.encode(), "feed.json") == json_feed.read
    record = json.dumps({"title": "One", "body": json.dumps(FEED)})
    assert detect(record.encode(), "a.jsonl") == jsonl.read


def test_the_collected_json_feed_is_read() -> None:
    (file,) = shared("formats/feeds").rglob("*.json")
    raw = file.read_bytes()
    assert detect(raw, "feed") == json_feed.read
    second, hello = json_feed.entries(raw, base=None).articles
    assert (second.title, second.body, second.authors) == ("post 2", "This is a second item.", ("me",))
    assert (hello.title, hello.body, hello.authors) == ("Hello, world!", "Hello, world!", ("you",))
