"""What an answer is taken for, and what it is taken apart into."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from archive.article import Article, Rejection
from archive.errors import SourceError
from archive.readers.isolated.child import Child
from archive.readers.isolated.web_content import MOST_UNPACKED, Kind, WebContent

CHILD = Child()  # begun when it is first asked
URL = "https://news.example/2025/place"
TEXT = "The river rose through the night and the town slept little. " * 40
PAGE = f"<!doctype html><html><head><title>Flood</title></head><body><article><h1>Flood</h1><p>{TEXT}</p></article>"
RSS = '<rss version="2.0"><channel><title>The Ledger</title>{}</channel></rss>'
ITEM = f"<item><title>Flood</title><link>/a</link><description>{TEXT}</description></item>"
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>L</title><entry><title>F</title><link href="/a"/></entry></feed>'
)
JSON = (
    '{"version": "https://jsonfeed.org/version/1.1", "title": "L", "items": [{"id": "1", "url": "/a", "title": "F"}]}'
)
MAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://news.example/a</loc></url></urlset>'
)
INDEX = MAP.replace("urlset", "sitemapindex").replace("url>", "sitemap>")


@pytest.fixture(scope="module", autouse=True)
def _child() -> Iterator[None]:
    with CHILD:
        yield


def content(text: str | bytes, *, content_type: str = "", url: str = URL) -> WebContent:
    raw = text.encode() if isinstance(text, str) else text
    return CHILD.content(raw, url=url, content_type=content_type)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PAGE, "page"),
        (RSS.format(ITEM), "feed"),
        (ATOM, "feed"),
        (JSON, "feed"),
        (MAP, "sitemap"),
        (INDEX, "index"),
        ('{"title": "Flood", "body": "It rose."}\n', "file"),
        ("Title: Flood\n\nIt rose.", "file"),
    ],
)
@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream; charset=utf-8"])
def test_what_it_is_shows_in_itself_and_not_in_its_type(text: str, kind: Kind, content_type: str) -> None:
    assert content(text, content_type=content_type).kind == kind


def test_what_begins_like_nothing_is_a_page_when_it_is_said_to_be_one() -> None:
    fragment = f"<div><h1>Flood</h1><p>{TEXT}</p></div>"
    assert content(fragment, content_type="text/html; charset=utf-8").kind == "page"
    with pytest.raises(SourceError):
        content(b"\x89PNG\r\n\x1a\n", content_type="image/png")
    with pytest.raises(SourceError, match="empty"):
        content("")


def test_the_encoding_that_the_server_names_counts() -> None:
    page = PAGE.replace("Flood", "Überschwemmung")
    (article,) = content(page.encode("iso-8859-1"), content_type="text/html; charset=ISO-8859-1").entries
    assert isinstance(article, Article)
    assert article.title == "Überschwemmung"


def test_a_file_that_is_packed_is_unpacked_within_bounds() -> None:
    assert content(gzip.compress(MAP.encode()), url="https://news.example/map.xml.gz").kind == "sitemap"
    with pytest.raises(SourceError, match="larger than"):
        content(gzip.compress(MAP.encode() + bytes(MOST_UNPACKED)))
    with pytest.raises(SourceError, match="damaged"):
        content(gzip.compress(MAP.encode() * 100)[:-20])


def test_an_entry_s_hash_changes_with_what_is_said_of_it_and_not_with_the_feed_s_name() -> None:
    def said(feed: str) -> bytes:
        (item,) = content(feed).items
        return item.said

    first = said(RSS.format(ITEM))
    assert said(RSS.format(ITEM).replace("The Ledger", "The Ledger, renamed")) == first
    assert said(RSS.format(ITEM.replace("Flood", "Floods"))) != first
    assert said(RSS.format(ITEM.replace("slept", "did not sleep"))) != first
    assert said(RSS.format(ITEM.replace("</item>", "<pubDate>Sat, 01 Mar 2025 09:00:00 GMT</pubDate></item>"))) != first


def test_an_entry_that_cannot_be_read_is_said_and_the_others_are_there() -> None:
    found = content(RSS.format(f"{ITEM}<item></item>"))
    assert len(found.items) == 1
    assert [isinstance(entry, Rejection) for entry in found.entries] == [True]


def test_a_sitemap_s_pages_come_newest_first_with_what_it_says_of_the_news() -> None:
    news = (
        "<n:news><n:publication><n:name>The Ledger</n:name><n:language>en</n:language></n:publication>"
        "<n:publication_date>2025-03-02T08:00:00+01:00</n:publication_date><n:title>Flood</n:title></n:news>"
    )
    urls = {
        "undated": "",
        "old": "<lastmod>2024-12-31</lastmod>",
        "news": news,
        "new": "<lastmod>2025-03-02T07:30:00Z</lastmod>",
    }
    listed = "".join(f"<url><loc>https://news.example/{name}</loc>{said}</url>" for name, said in urls.items())
    found = content(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="urn:n">{listed}</urlset>')
    assert [(item.url or "").rpartition("/")[2] for item in found.items] == ["new", "news", "old", "undated"]
    about = found.items[1].about
    assert about is not None
    assert (about.title, about.source, about.language) == ("Flood", "The Ledger", "en")
    assert about.published_at == datetime(2025, 3, 2, 7, tzinfo=UTC)
    assert {item.holds for item in found.items} == {"nothing"}


def test_a_page_s_feeds_are_told_in_its_order_each_once_and_only_those_on_the_web() -> None:
    links = (
        '<base href="/base/"><link rel="stylesheet" href="/a.css">'
        '<link REL="Alternate" TYPE="application/RSS+XML" href="feed">'
        '<link rel="alternate" type="application/atom+xml" href="https://other.example/atom">'
        '<link rel="alternate" type="application/rss+xml" href="feed"><link rel="alternate" hreflang="de" href="/de">'
        '<link rel="alternate" type="application/feed+json" href="javascript:alert(1)"><link rel="alternate">'
        '<link rel="alternate" type="application/rss+xml" href="http://[::1">'
    )
    found = content(PAGE.replace("</head>", f"{links}</head>"))
    assert found.links == ("https://news.example/base/feed", "https://other.example/atom")
    assert content(PAGE).links == ()
    front = content(f"<!doctype html><html><head>{links}</head><body><nav>News</nav></body></html>")
    assert [isinstance(entry, Rejection) for entry in front.entries] == [True], "no article, and yet"
    assert front.links == found.links


def test_half_a_character_in_a_feed_costs_nothing() -> None:
    found = content(JSON.replace('"L"', r'"L\ud800"').replace('"F"', r'"F\udfff"'))
    assert (found.kind, len(found.items)) == ("feed", 1)


def test_an_archive_s_export_is_not_believed_when_it_comes_from_a_site() -> None:
    with pytest.raises(SourceError, match="believed only as a file of its own"):
        content('{"backfile": 1, "articles": 1}\n{"id": "0a1b2c3d4e5f6071"}\n')
