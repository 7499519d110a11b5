"""What sitemaps and lists of feeds tell whoever fetches, and what they are told who ingest them as files."""

import io
from datetime import UTC, datetime

import pytest
from reader_contract import SITEMAP, within
from shared_data import shared

from archive.article import Rejection
from archive.errors import SourceError
from archive.readers import detect
from archive.readers.feeds import opml, sitemap
from archive.readers.feeds.opml import Subscription, subscriptions
from archive.readers.feeds.sitemap import Listed, News, listed

NEWS = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc> https://courier.example/a?x=1&y=2 </loc><lastmod>2016-08-11</lastmod><news:news>
<news:publication><news:name>The Courier</news:name><news:language>en</news:language></news:publication>
<news:publication_date>2016-08-10T09:30:00+02:00</news:publication_date>
<news:title>Bridge &amp;amp; road <![CDATA[<b>reopen</b>]]></news:title>
<news:keywords>Bridges, roads, Bridges</news:keywords>
</news:news></url>
<url><loc>javascript:alert(1)</loc></url><url><loc>/relative</loc></url><url><lastmod>2016</lastmod></url>
<url><loc>https://courier.example/b</loc></url></urlset>"""
INDEX = """<?xml version="1.0" encoding="UTF-8"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://courier.example/2015.xml.gz</loc><lastmod>2015-12-31</lastmod></sitemap>
<sitemap><loc>https://courier.example/pages.xml</loc></sitemap>
<sitemap><loc>https://courier.example/2016.xml.gz</loc><lastmod>2016-08-10T09:30:00Z</lastmod></sitemap></sitemapindex>"""


def refusal(raw: bytes) -> str:
    (rejection,) = sitemap.read(io.BytesIO(raw), "input")
    assert isinstance(rejection, Rejection)
    return rejection.reason


def test_a_news_sitemap_lists_pages_with_what_it_says_of_them() -> None:
    first, second = listed(NEWS.encode()).pages
    assert first == Listed(
        url="https://courier.example/a?x=1&y=2",
        lastmod="2016-08-11",
        news=News(
            title="Bridge & road reopen",
            source="The Courier",
            language="en",
            published_at=datetime(2016, 8, 10, 7, 30, tzinfo=UTC),
            keywords=("Bridges", "roads"),
        ),
    )
    assert second == Listed(url="https://courier.example/b")


def test_an_index_lists_its_sitemaps_the_newest_first() -> None:
    found = listed(INDEX.encode())
    assert [each.url.rpartition("/")[2] for each in found.sitemaps] == ["2016.xml.gz", "2015.xml.gz", "pages.xml"]
    assert found.pages == ()


def test_a_sitemap_as_a_file_says_what_it_lists_and_how_to_get_that() -> None:
    assert refusal(NEWS.encode()) == (
        "a sitemap, which holds no texts: it lists 2 pages; `flask follow` with its address fetches them"
    )
    assert "3 other sitemaps" in refusal(INDEX.encode())


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_sitemap_is_known_in_every_encoding(codec: str) -> None:
    raw = INDEX.encode(codec)
    assert detect(raw, "a.xml") == sitemap.read
    assert len(listed(raw).sitemaps) == 3


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        (SITEMAP[: SITEMAP.index(b"</loc>") + 12], 1),  # cut off
        (SITEMAP.replace(b"</url>", b""), 1),
        (SITEMAP.replace(b"bridge", b"a&b=\x08&nbsp;"), 1),
        (SITEMAP.replace(b"<urlset", b"<!DOCTYPE urlset [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><urlset"), 1),
        (SITEMAP.replace(b"http://www.sitemaps.org", b"https://www.google.com"), 1),
        (SITEMAP.replace(b"<loc>https", b"<loc>ftp"), 0),
        (b"<urlset>", 0),
    ],
)
def test_of_a_broken_sitemap_what_is_whole_is_listed(raw: bytes, count: int) -> None:
    assert len(listed(raw).pages) == count


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\0\0"])
def test_what_is_no_sitemap_is_refused(raw: bytes) -> None:
    with pytest.raises(SourceError, match="not a sitemap"):
        listed(raw)


def test_a_sitemap_lists_no_more_than_the_protocol_allows() -> None:
    url = b"<url><loc>https://courier.example/%d</loc></url>"
    with within(20):
        found = listed(b"<urlset>" + b"".join(url % number for number in range(50_100)) + b"</urlset>")
    assert len(found.pages) == 50_000


def test_the_collected_news_sitemaps_are_read_whole() -> None:
    pages = [listed(file.read_bytes()).pages for file in sorted(shared("formats/sitemaps").glob("*.xml"))]
    assert [len(each) for each in pages] == [2, 7]
    for page in (*pages[0], *pages[1]):
        assert page.news is not None
        assert page.news.title
        assert page.news.published_at
        assert page.news.source in ("The Ozark Gazette", "The Flightline")


# Lists of feeds


OPML = """<?xml version="1.0" encoding="utf-8"?><opml version="2.0"><body>
<outline text="The Courier" title="The Courier &amp;amp; Sons" type="rss" xmlUrl="https://courier.example/feed"/>
<outline text="Abroad"><outline text="Der Bote" XMLURL="https://bote.example/atom"/>
<outline text="again" xmlUrl="https://courier.example/feed"/></outline>
<outline text="Le Monde & co" xmlurl="https://monde.example/rss?a=1&b=2" category="/France/Paris,News"/>
<outline text="bad" xmlUrl="file:///etc/passwd"/><outline text="a page" htmlUrl="https://x.example/"/></body></opml>"""


def test_a_list_of_feeds_names_each_feed_once_with_its_folder() -> None:
    assert subscriptions(OPML.encode()) == [
        Subscription(url="https://courier.example/feed", title="The Courier & Sons"),
        Subscription(url="https://bote.example/atom", title="Der Bote", category="Abroad"),
        Subscription(url="https://monde.example/rss?a=1&b=2", title="Le Monde & co", category="France/Paris"),
    ]


def test_a_list_of_feeds_as_a_file_says_how_to_follow_them() -> None:
    assert detect(OPML.encode("utf-16"), "feeds.xml") == opml.read
    (rejection,) = opml.read(io.BytesIO(OPML.encode()), "input")
    assert rejection.reason == (
        "a list of 3 feeds (OPML), which holds no texts: `flask follow --opml` with this file follows them"
    )


@pytest.mark.parametrize("raw", [b"", b"<html>", b"<opmlx>", b"<opml" + b" " * 6_000_000])
def test_what_is_no_list_of_feeds_is_refused(raw: bytes) -> None:
    with pytest.raises(SourceError, match="list of feeds"):
        subscriptions(raw)


def test_folders_in_folders_without_end_end() -> None:
    with within(10):
        assert len(subscriptions(b"<opml>" + b'<outline xmlUrl="https://a.example/f">' * 50_000)) <= 1
