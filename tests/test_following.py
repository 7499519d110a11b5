"""What is followed, asked over real sockets on this machine: what the sites see, and what comes into the archive.

Time is the test's own: a pause is added up and not waited for.
"""

import gzip
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from sinks import Site, serving

from archive.article import Article, Rejection
from archive.database import Connection
from archive.errors import SourceError
from archive.fetch import Fetcher
from archive.fetching import MOST_ATTEMPTS, Fetching, PageProblem
from archive.following import Asked, Follower, discovered
from archive.follows import Follows
from archive.identity import article_id
from archive.ingest import IngestReport, ingest
from archive.quarantine import Notes, Quarantine
from archive.readers.isolated.child import Child, Children
from archive.readers.records.own import NOT_BELIEVED
from archive.retrying import retry
from archive.store import Store
from archive.visits import PAUSE, Visits, left_alone

HOUR, DAY = 3600, 24 * 3600
FORBIDDEN = "news.example: its robots.txt does not let us fetch this page"
EVERY = HOUR
START = datetime(2025, 3, 1, 12, tzinfo=UTC)
LONG = "The river rose through the night and the town slept little. " * 40


@dataclass
class Clock:
    """A time that passes when somebody waits for it."""

    now: datetime = START

    def time(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """An archive that follows feeds of a site which answers under any name below `example`."""

    site: Site
    clock: Clock
    store: Store
    follows: Follows
    fetcher: Fetcher
    children: Children
    moments: list[datetime] = field(default_factory=list)  # of each request

    def url(self, path: str, host: str = "news.example") -> str:
        return self.site.url(path, host=host)

    def follow(self, path: str, host: str = "news.example") -> str:
        url = self.url(path, host)
        self.follows.follow(url, every=EVERY, default=EVERY)
        return url

    def round(self, *, after: float = EVERY, most_pages: int = 100) -> dict[str, Asked]:
        """Make a round as a process of its own does, and return what became of each, by its path."""
        self.clock.sleep(after)
        visits = Visits(self.fetcher, self.follows, clock=self.clock.seconds, sleep=self.clock.sleep)
        fetching = Fetching(visits, self.follows, self.children, most_pages=most_pages)
        done = Follower(self.store, self.follows, visits, fetching, self.quarantine).round()
        return {asked.url.partition(f":{self.site.port}")[2]: asked for asked in done}

    def one(self, *, after: float = EVERY, most_pages: int = 100) -> Asked:
        (asked,) = self.round(after=after, most_pages=most_pages).values()
        return asked

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.store, megabytes=1)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.site.asked]

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """Return the headers of each request for this path."""
        return [headers for _, asked, headers, _ in self.site.asked if asked == path]

    def article(self, path: str, host: str = "news.example") -> Article:
        url = self.url(path, host)
        found = self.store.article(article_id(url=url, source=None, source_id=None, text=""))
        assert found is not None, path
        return found


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children() as children:
        yield children


@pytest.fixture
def desk(tmp_path: Path, children: Children) -> Iterator[Desk]:
    clock = Clock()
    store = Store(tmp_path / "archive.sqlite3", clock=clock.time)
    with serving(Site()) as site:
        meanings = {"inside.example": ["10.0.0.1"], "10.0.0.1": ["10.0.0.1"]}
        fetcher = Fetcher(
            allow=["127.0.0.0/8"], resolve=lambda host, _port: meanings.get(host, ["127.0.0.1"]), seconds=1.0
        )
        made = Desk(site, clock, store, Follows(store, clock=clock.time), fetcher, children)
        site.before = lambda: made.moments.append(clock.now)
        site.answers["/robots.txt"] = (404, {}, b"")
        yield made
    store.close()


def entry(path: str, *, text: str = LONG, title: str = "The river rises", more: str = "") -> str:
    return f"<item><title>{title}</title><link>{path}</link><description>{text}</description>{more}</item>"


def rss(*entries: str, title: str = "The Ledger") -> bytes:
    inside = "".join(entries)
    return f'<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{title}</title>{inside}</channel></rss>'.encode()


def page(*, title: str = "The river rises", text: str = LONG, head: str = "") -> bytes:
    paragraphs = "".join(f"<p>{text} Paragraph {number}.</p>" for number in range(3))
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1>{paragraphs}"
        "</article></body></html>"
    ).encode()


HTML = {"Content-Type": "text/html; charset=utf-8"}


# What feeds bring


def test_new_entries_come_in_and_what_has_not_changed_costs_nothing(desk: Desk) -> None:
    desk.follow("/feed")
    said = {"ETag": '"one"', "Last-Modified": "Sat, 01 Mar 2025 10:00:00 GMT"}
    desk.site.answers["/feed"] = (200, said, rss(entry("/a"), entry("/b", title="A comet")))
    first = desk.one()
    assert (first.outcome, first.report.added, first.title) == ("new", 2, "The Ledger")
    assert desk.article("/b").title == "A comet"
    desk.site.answers["/feed"] = (304, {}, b"")
    assert desk.one().outcome == "unchanged"
    first_headers, second_headers = desk.asked_for("/feed")
    assert "If-None-Match" not in first_headers
    assert (second_headers["If-None-Match"], second_headers["If-Modified-Since"]) == ('"one"', said["Last-Modified"])
    assert desk.paths == ["/feed", "/feed"]
    (followed,) = desk.follows.follows()
    assert (followed.title, followed.kind, followed.found) == ("The Ledger", "feed", 2)


def test_nothing_is_asked_before_its_time(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a")))
    desk.one(after=0)
    assert desk.round(after=EVERY / 2) == {}
    assert desk.one(after=EVERY / 2).outcome == "unchanged"
    assert len(desk.paths) == 2


def test_an_edited_entry_is_a_new_version_and_one_that_vanishes_stays(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a"), entry("/b")))
    desk.one()
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text=f"Corrected: {LONG}"), entry("/c")))
    second = desk.one()
    assert (second.report.added, second.report.updated, second.report.unchanged) == (1, 1, 0)
    assert desk.article("/a").version == 2
    assert desk.article("/a").body.startswith("Corrected")
    assert desk.article("/b").status == "live"
    assert desk.store.count_live() == 3


def test_the_same_bytes_without_validators_are_not_read_again(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a")))
    desk.one()
    again = desk.one()
    assert (again.outcome, again.report) == ("unchanged", IngestReport())


# Trouble


def test_what_is_gone_is_said_once_and_never_asked_again(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (410, {}, b"")
    gone = desk.one()
    assert (gone.outcome, gone.problem) == ("gone", "news.example answered 410: it is gone for good")
    assert desk.round(after=30 * DAY) == {}
    assert desk.paths == ["/feed"]
    assert [each.state for each in desk.follows.follows()] == ["gone"]


@pytest.mark.parametrize("status", [404, 403, 500, 502])
def test_what_fails_is_asked_later_and_later_to_a_day_and_stays_followed(desk: Desk, status: int) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (status, {}, b"")
    waits = []
    for _ in range(8):
        failed = desk.one(after=1.1 * DAY)
        assert (failed.outcome, failed.problem) == ("failed", f"news.example answered {status}")
        assert failed.again_in is not None
        waits.append(failed.again_in)
    expected = [2 * EVERY, 4 * EVERY, 8 * EVERY, 16 * EVERY, *[DAY] * 4]
    assert all(wait <= waited <= 1.1 * wait for wait, waited in zip(expected, waits, strict=True)), waits
    assert desk.follows.counts().failing == 1
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a")))
    assert desk.one(after=1.1 * DAY).outcome == "new"
    (followed,) = desk.follows.follows()
    assert (followed.state, followed.failures, followed.problem) == ("active", 0, None)


def test_an_answer_that_is_none_is_a_failure_and_the_others_are_asked(desk: Desk) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    closing = {"Transfer-Encoding": "chunked", "Connection": "close"}
    desk.site.answers |= {
        "/short": (200, {"Content-Length": "9999"}, rss(entry("/a"))),
        "/cut": (200, closing, b"fff\r\n<rss"),
        "/bomb": (200, {"Content-Encoding": "gzip"}, bomb),
        "/large": (200, {"Content-Length": "99999999"}, b""),
        "/loop": (302, {"Location": "/loop"}, b""),
        "/inside": (302, {"Location": "http://10.0.0.1/"}, b""),
        "/page": (200, HTML, page()),
        "/broken": (200, {}, b"<rss><channel><item>"),
        "/image": (200, {}, b"\x89PNG\r\n\x1a\n"),
        "/empty": (200, {}, b""),
        "/good": (200, {}, rss(entry("/b"))),
    }
    for path in desk.site.answers.keys() - {"/robots.txt"}:
        desk.follow(path)
    done = desk.round()
    assert done.pop("/good").outcome == "new"
    assert {path: asked.outcome for path, asked in done.items()} == dict.fromkeys(done, "failed")
    said = {path: asked.problem or "" for path, asked in done.items()}
    assert "ends before it should" in said["/short"] or "no answer in time" in said["/short"]
    assert "larger than 20,000,000 bytes" in said["/bomb"]
    assert "larger than 20,000,000 bytes" in said["/large"]
    assert "redirects" in said["/loop"]
    assert "not on the public internet" in said["/inside"]
    assert "a page and no feed" in said["/page"]
    assert desk.store.count_live() == 1


def test_a_slow_answer_is_given_up(desk: Desk) -> None:
    desk.follow("/feed")
    slow = threading.Event()
    desk.site.before = lambda: slow.wait(5) and None
    asked = desk.one()
    slow.set()
    assert (asked.outcome, asked.problem) == ("failed", "news.example: no answer in time")


def test_a_host_that_asks_to_be_left_alone_is_with_all_its_feeds_whatever_process_asks(desk: Desk) -> None:
    for path in ("/one", "/two"):
        desk.follow(path)
    desk.follow("/other", host="other.example")
    desk.site.answers["/one"] = (429, {"Retry-After": str(3 * HOUR)}, b"")
    desk.site.answers["/other"] = (200, {}, rss(entry("/b")))
    done = desk.round()
    assert {path: asked.outcome for path, asked in done.items()} == {
        "/one": "failed", "/two": "put_off", "/other": "new"
    }  # fmt: skip
    assert (done["/one"].again_in or 0) >= 3 * HOUR
    assert done["/two"].problem == "news.example asks to be left alone until 16:00 UTC (3 hours)"
    assert list(desk.round(after=2 * HOUR)) == ["/other"]
    desk.site.answers["/one"] = desk.site.answers["/two"] = (200, {}, rss(entry("/a")))
    assert set(desk.round(after=2 * HOUR)) == {"/one", "/two", "/other"}
    assert desk.paths.count("/two") == 1


def test_a_day_is_the_longest_a_host_can_ask_for(desk: Desk) -> None:
    desk.follow("/feed")
    until = format_datetime(START + timedelta(days=400), usegmt=True)
    said = {"Retry-After": until, "Date": format_datetime(START, usegmt=True)}
    desk.site.answers["/feed"] = (503, said, b"")
    assert desk.one().again_in == DAY


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (20, "12:00 UTC (less than a minute)"),
        (59, "12:00 UTC (1 minute)"),
        (90, "12:01 UTC (2 minutes)"),
        (3596, "12:59 UTC (1 hour)"),
        (DAY, "2025-03-02 12:00 UTC (24 hours)"),
    ],
)
def test_until_when_a_host_is_left_alone_is_said_as_people_say_it(seconds: int, said: str) -> None:
    assert left_alone("news.example", seconds, now=START) == f"news.example asks to be left alone until {said}"


# Addresses


def test_a_feed_that_has_moved_for_good_is_asked_at_its_new_address(desk: Desk) -> None:
    old = desk.follow("/old")
    desk.site.answers["/old"] = (301, {"Location": "/new"}, b"")
    desk.site.answers["/new"] = (200, {}, rss(entry("/a")))
    assert desk.one().moved_to == desk.url("/new")
    assert [each.url for each in desk.follows.follows()] == [desk.url("/new")]
    desk.one()
    assert desk.paths == ["/old", "/new", "/new"]
    desk.follows.follow(old, every=EVERY, default=EVERY)
    desk.round()
    states = {each.url: (each.state, each.problem) for each in desk.follows.follows()}
    assert states[old] == ("gone", f"moved to {desk.url('/new')}, which is followed")


@pytest.mark.parametrize(("status", "led_to"), [(302, rss(entry("/a"))), (301, page())])
def test_one_that_is_elsewhere_for_now_or_nowhere_keeps_its_address(desk: Desk, status: int, led_to: bytes) -> None:
    old = desk.follow("/old")
    desk.site.answers["/old"] = (status, {"Location": "/new"}, b"")
    desk.site.answers["/new"] = (200, {}, led_to)
    assert desk.one().moved_to is None
    assert [each.url for each in desk.follows.follows()] == [old]


def test_a_validator_that_cannot_be_sent_back_is_left_out(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {"ETag": '"\xfc"', "Last-Modified": "a\r\n b"}, rss(entry("/a")))
    desk.one()
    assert desk.one().outcome == "unchanged"
    assert [headers.get("If-None-Match") for headers in desk.asked_for("/feed")] == [None, None]


def test_entries_that_share_a_page_are_what_the_feed_says_of_them(desk: Desk) -> None:
    desk.follow("/feed")
    entries = [
        entry(f"/live#{number}", text=f"Post {number}.", title=f"Post {number}", more=f"<guid>{number}</guid>")
        for number in range(3)
    ]
    desk.site.answers["/feed"] = (200, {}, rss(*entries))
    assert desk.one().report.added == 3
    assert desk.paths == ["/feed"]


def test_what_is_paused_is_not_asked_until_it_is_followed_again(desk: Desk) -> None:
    url = desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a")))
    assert desk.follows.pause(url)
    assert desk.round() == {}
    assert not desk.follows.follow(url, every=None, default=1)
    assert desk.one().outcome == "new"
    assert [each.every for each in desk.follows.follows()] == [EVERY]
    assert desk.follows.unfollow(url)
    assert not desk.follows.unfollow(url)
    assert desk.store.count_live() == 1


# Pages


def test_where_a_feed_gives_a_summary_the_page_gives_the_text(desk: Desk) -> None:
    desk.follow("/feed")
    more = "<dc:creator>Ada Quill</dc:creator><pubDate>Sat, 01 Mar 2025 09:00:00 GMT</pubDate>"
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.", more=more)))
    desk.site.answers["/a"] = (200, HTML | {"ETag": '"p1"'}, page())
    asked = desk.one()
    assert (asked.report.added, asked.left) == (1, 0)
    article = desk.article("/a")
    assert "Paragraph 2" in article.body
    assert (article.authors, article.published_at) == (("Ada Quill",), datetime(2025, 3, 1, 9, tzinfo=UTC))
    assert article.version == 1
    assert desk.paths == ["/feed", "/robots.txt", "/a"]


def test_a_page_is_fetched_once_and_again_only_when_what_is_said_of_it_has_changed(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (200, HTML | {"ETag": '"p1"'}, page())
    desk.one()
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), title="The Ledger, renamed"))
    desk.one()
    assert desk.paths.count("/a") == 1
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose again.")))
    desk.site.answers["/a"] = (200, HTML, page(text=f"Again. {LONG}"))
    assert desk.one().report.updated == 1
    assert desk.article("/a").body.startswith("Again.")
    assert [headers.get("If-None-Match") for headers in desk.asked_for("/a")] == [None, '"p1"']
    assert desk.paths.count("/robots.txt") == 1  # within a day


def test_what_robots_txt_forbids_is_not_fetched_and_the_summary_goes_in(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /\nUser-agent: backfile\nDisallow: /a\n")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), entry("/b", text="A comet.")))
    desk.site.answers["/b"] = (200, HTML, page())
    asked = desk.one()
    assert asked.report.added == 2
    assert asked.pages == (PageProblem(url=desk.url("/a"), reason=FORBIDDEN, has_summary=True, again=False),)
    assert desk.paths == ["/feed", "/robots.txt", "/b"]
    assert desk.article("/a").body == "It rose."
    assert "Paragraph 2" in desk.article("/b").body
    assert desk.one().outcome == "unchanged"
    (followed,) = desk.follows.follows()
    assert followed.problem == f"1 page not fetched, the last {desk.url('/a')}: {FORBIDDEN}"


def test_a_page_that_robots_txt_forbids_is_said_of_a_sitemap_as_of_a_feed(desk: Desk) -> None:
    desk.follow("/map.xml")
    desk.site.answers["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /a\n")
    desk.site.answers["/map.xml"] = (200, {}, sitemap((desk.url("/a"), "2025-02-01"), (desk.url("/b"), "2025-01-01")))
    desk.site.answers["/b"] = (500, {}, b"")
    asked = desk.one()
    assert (asked.report.rejected, asked.left) == ([], 1)
    assert asked.pages == (
        PageProblem(url=desk.url("/a"), reason=FORBIDDEN, has_summary=False, again=False),
        PageProblem(url=desk.url("/b"), reason="news.example answered 500", has_summary=False, again=True),
    )


def test_a_redirect_of_a_page_is_held_to_the_other_site_s_robots_txt(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (302, {"Location": desk.url("/private", host="other.example")}, b"")

    def answer() -> None:
        host = desk.site.asked[-1][2]["Host"]
        forbidden = host.startswith("other")
        desk.site.answers["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /\n") if forbidden else (404, {}, b"")

    desk.site.before = answer
    desk.one()
    assert desk.paths == ["/feed", "/robots.txt", "/a", "/robots.txt"]


def test_of_a_site_whose_robots_txt_fails_no_page_is_fetched_for_now(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/robots.txt"] = (500, {}, b"")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (200, HTML, page())
    assert desk.one().left == 1
    assert "/a" not in desk.paths
    desk.site.answers["/robots.txt"] = (404, {}, b"")
    assert desk.one(after=2 * HOUR).report.updated == 1


def test_a_page_that_cannot_be_had_is_tried_again_in_later_rounds(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {"ETag": '"f"'}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (500, {}, b"")
    first = desk.one()
    assert (first.report.added, first.left) == (1, 1)
    assert desk.article("/a").body == "It rose."
    desk.site.answers["/a"] = (200, HTML, page())
    second = desk.one()
    assert (second.report.updated, second.left) == (1, 0)
    assert (desk.article("/a").version, "Paragraph 2" in desk.article("/a").body) == (2, True)
    desk.one()
    conditions = [headers.get("If-None-Match") for headers in desk.asked_for("/feed")]
    assert conditions == [None, None, '"f"'], "as long as something is left, the feed is asked for as a whole"


def test_a_page_is_tried_so_often_and_no_more(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (500, {}, b"")
    for _ in range(MOST_ATTEMPTS + 3):
        desk.one()
    assert desk.paths.count("/a") == MOST_ATTEMPTS
    assert desk.article("/a").version == 1


def test_a_page_that_holds_no_article_is_not_tried_again(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), entry("/b", text="A comet.")))
    desk.site.answers["/a"] = (403, {}, b"")
    desk.site.answers["/b"] = (200, HTML, b"<!doctype html><html><body>Hello</body></html>")
    assert (desk.one().left, desk.store.count_live()) == (0, 2)


def test_once_a_page_s_text_is_there_no_summary_takes_its_place(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (200, HTML, page())
    desk.one()
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose again.")))
    desk.site.answers["/a"] = (500, {}, b"")
    desk.one()
    assert "Paragraph 2" in desk.article("/a").body
    assert desk.article("/a").version == 1


# Sitemaps


def sitemap(*pages: tuple[str, str]) -> bytes:
    urls = "".join(f"<url><loc>{url}</loc><lastmod>{lastmod}</lastmod></url>" for url, lastmod in pages)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()


def test_a_sitemap_s_pages_come_in_the_newest_first_so_many_at_once(desk: Desk) -> None:
    desk.follow("/map.xml")
    days = {"/a": "2025-02-01", "/b": "2025-02-03", "/c": "2025-02-02"}
    desk.site.answers["/map.xml"] = (200, {}, sitemap(*((desk.url(path), day) for path, day in days.items())))
    for path in days:
        desk.site.answers[path] = (200, HTML, page(title=f"On {path}", text=f"{path} {LONG}"))
    first = desk.one(most_pages=2)
    assert (first.report.added, first.left) == (2, 1)
    assert desk.paths == ["/map.xml", "/robots.txt", "/b", "/c"]
    assert desk.one(most_pages=2).report.added == 1
    later = {**days, "/b": "2025-02-09"}
    desk.site.answers["/map.xml"] = (200, {}, sitemap(*((desk.url(path), day) for path, day in later.items())))
    desk.one()
    assert desk.paths[-1] == "/b"
    assert [desk.paths.count(path) for path in days] == [1, 2, 1]
    (followed,) = desk.follows.follows()
    assert followed.kind == "sitemap"


def test_a_page_is_asked_for_once_whoever_names_it_and_again_when_one_of_them_says_something_new(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose.")))
    desk.site.answers["/a"] = (200, HTML, page())
    desk.one()
    desk.follow("/map.xml")
    desk.site.answers["/map.xml"] = (200, {}, sitemap((desk.url("/a"), "2025-02-01")))
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), title="The Ledger, renamed"))
    desk.round()
    assert desk.paths.count("/a") == 1
    later = desk.clock.now.isoformat()
    desk.site.answers["/map.xml"] = (200, {}, sitemap((desk.url("/a"), later)))
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), title="The Ledger"))
    for title in ("The Ledger", "Ledger", "The Ledger"):
        desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose."), title=title))
        desk.round()
    assert desk.paths.count("/a") == 2, "for what the sitemap says"
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", text="It rose again.")))
    desk.round()
    assert desk.paths.count("/a") == 3, "for what the feed says"


def test_pages_never_asked_for_come_before_those_that_changed(desk: Desk) -> None:
    desk.follow("/map.xml")
    days = ["2025-02-03", "2025-02-02", "2025-02-01"]
    for number in range(3):
        desk.site.answers[f"/{number}"] = (200, HTML, page(text=f"{number} {LONG}"))
    for moment in ("T01:00:00Z", "T02:00:00Z", "T03:00:00Z"):  # a site that says that all has changed, each time
        pages = [(desk.url(f"/{number}"), day + moment) for number, day in enumerate(days)]
        desk.site.answers["/map.xml"] = (200, {}, sitemap(*pages))
        desk.one(most_pages=1)
    assert [path for path in desk.paths if path[1:].isdigit()] == ["/0", "/1", "/2"]


def test_an_index_leads_to_its_newest_sitemaps_packed_or_not(desk: Desk) -> None:
    desk.follow("/index.xml")
    maps = {"/old.xml": "2024-01-01", "/new.xml.gz": "2025-02-01"}
    listed = "".join(
        f"<sitemap><loc>{desk.url(path)}</loc><lastmod>{day}</lastmod></sitemap>" for path, day in maps.items()
    )
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</sitemapindex>'
    desk.site.answers["/index.xml"] = (200, {}, index.encode())
    desk.site.answers["/old.xml"] = (200, {}, sitemap((desk.url("/a"), "2024-01-01")))
    desk.site.answers["/new.xml.gz"] = (200, {}, gzip.compress(sitemap((desk.url("/b"), "2025-02-01"))))
    for path in ("/a", "/b"):
        desk.site.answers[path] = (200, HTML, page(text=f"{path} {LONG}"))
    desk.site.answers["/old.xml"][1]["ETag"] = '"o"'
    assert desk.one().report.added == 2
    assert desk.paths == ["/index.xml", "/robots.txt", "/new.xml.gz", "/b", "/old.xml", "/a"]
    desk.site.asked.clear()
    desk.site.answers["/new.xml.gz"] = (
        200,
        {},
        sitemap((desk.url("/b"), "2025-02-01"), (desk.url("/c"), "2025-02-02")),
    )
    desk.site.answers["/c"] = (200, HTML, page(text=f"/c {LONG}"))
    desk.site.answers["/old.xml"] = (304, {}, b"")
    again = desk.one()
    assert (again.report.added, again.left) == (1, 0), "though the index itself is as it was"
    assert desk.paths == ["/index.xml", "/new.xml.gz", "/c", "/old.xml"]
    assert desk.asked_for("/old.xml")[0]["If-None-Match"] == '"o"'


def test_a_sitemap_of_an_index_that_cannot_be_had_is_said_and_the_others_are_read(desk: Desk) -> None:
    desk.follow("/index.xml")
    listed = "".join(f"<sitemap><loc>{desk.url(path)}</loc></sitemap>" for path in ("/gone.xml", "/map.xml"))
    index = f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</sitemapindex>'
    desk.site.answers |= {
        "/index.xml": (200, {}, index.encode()),
        "/gone.xml": (404, {}, b""),
        "/map.xml": (200, {}, sitemap((desk.url("/a"), "2025-02-01"), (desk.url("/b"), "2025-01-01"))),
        "/a": (200, HTML, page(text=f"/a {LONG}")),
    }
    asked = desk.one(most_pages=1)
    assert (asked.report.added, asked.left) == (1, 2), "the other page, and the sitemap"
    assert [each.reason for each in asked.report.rejected] == ["news.example answered 404"]
    assert "/b" not in desk.paths


# Politeness


def summaries(count: int) -> bytes:
    return rss(*(entry(f"/{number}", text=f"Report {number}.") for number in range(count)))


@pytest.mark.parametrize(("robots", "pause"), [(b"", PAUSE), (b"User-agent: *\nCrawl-delay: 7\n", 7.0)])
def test_between_two_requests_to_a_host_there_is_a_pause(desk: Desk, robots: bytes, pause: float) -> None:
    desk.follow("/feed")
    desk.site.answers["/robots.txt"] = (200, {}, robots)
    desk.site.answers["/feed"] = (200, {}, summaries(4))
    for number in range(4):
        desk.site.answers[f"/{number}"] = (200, HTML, page(text=f"{number} {LONG}"))
    desk.one()
    between = [(after - before).total_seconds() for before, after in zip(desk.moments, desk.moments[1:], strict=False)]
    assert len(between) == 5
    assert between == pytest.approx([PAUSE, *([pause] * 4)])


def test_hosts_are_asked_side_by_side(desk: Desk) -> None:
    together = threading.Barrier(2)
    desk.site.before = lambda: together.wait(timeout=5) and None
    desk.fetcher = Fetcher(allow=["127.0.0.0/8"], resolve=lambda _host, _port: ["127.0.0.1"])
    for host in ("one.example", "two.example"):
        for path in (f"/first-{host}", f"/second-{host}"):
            desk.follow(path, host=host)
            desk.site.answers[path] = (200, {}, rss(entry(f"/{path}-entry")))
    assert {asked.outcome for asked in desk.round().values()} == {"new"}


def test_a_host_is_asked_by_one_connection_at_a_time(desk: Desk) -> None:
    open_now, most = threading.Semaphore(1), []

    def before() -> None:
        most.append(open_now.acquire(blocking=False))

    desk.site.before, desk.site.after = before, open_now.release
    visits = Visits(desk.fetcher, desk.follows, clock=desk.clock.seconds, sleep=desk.clock.sleep)
    threads = [
        threading.Thread(target=visits.named, args=(desk.url(f"/{number}"),), kwargs={"most_bytes": 99})
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [True] * 8


def test_after_one_page_was_refused_for_want_of_time_the_others_of_its_host_wait(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, summaries(5))
    for number in range(5):
        desk.site.answers[f"/{number}"] = (429, {}, b"")
    first = desk.one()
    assert (first.report.added, first.left) == (5, 5), "their summaries are in"
    assert desk.paths == ["/feed", "/robots.txt", "/0"]
    for number in range(5):
        desk.site.answers[f"/{number}"] = (200, HTML, page(title=f"Report {number}", text=f"{number} {LONG}"))
    assert desk.one().report.updated == 5


# Interruptions


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whenever_it_is_ended_the_next_round_goes_on_and_nothing_comes_twice(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It is ended before and after each transaction there is; both leave on the disk what a kill would leave."""
    desk.site.answers["/feed"] = (
        200,
        {"ETag": '"f"'},
        rss(entry("/0", text="It rose."), entry("/1"), entry("/2", text="A comet.")),
    )
    for path in ("/0", "/2"):
        desk.site.answers[path] = (200, HTML, page(title=f"On {path}", text=f"{path} {LONG}"))
    desk.follow("/feed")
    desk.one()
    whole = {path: desk.article(path) for path in ("/0", "/1", "/2")}
    real, ended = Store.transaction, []
    for step in range(1, 20):
        count = 0
        desk.store.close()
        desk.store = Store(tmp_path / f"{moment}-{step}.sqlite3", clock=desk.clock.time)
        desk.follows = Follows(desk.store, clock=desk.clock.time)
        desk.follow("/feed")

        @contextmanager
        def ending(store: Store, last: int = step) -> Iterator[Connection]:
            nonlocal count
            count += 1
            if count == last and moment == "before":
                raise KilledError
            with real(store) as connection:
                yield connection
            if count == last:
                raise KilledError

        monkeypatch.setattr(Store, "transaction", ending)
        try:
            desk.one()
        except KilledError:
            ended.append(step)
        monkeypatch.undo()
        desk.one()
        assert {path: desk.article(path) for path in whole} == whole, step
        assert desk.store.last_seq() == len(whole), step
        desk.site.asked.clear()
        desk.one()
        assert [headers.get("If-None-Match") for headers in desk.asked_for("/feed")] == ['"f"']
        assert desk.paths == ["/feed"]
        if ended[-1:] != [step]:
            break
    assert len(ended) == 7, "robots.txt, three articles, two pages, the feed"


class KilledError(Exception):
    """The process is no more."""


# What cannot be read


def test_a_feed_that_kills_its_reader_or_hangs_it_costs_itself_and_delays_no_other(desk: Desk) -> None:
    deadly = Children(lambda: Child(detect="hostile:detect_or_die", folders=[Path(__file__).parent], seconds=3))
    for name in ("hang", "crash", "fine"):
        desk.follow(f"/{name}", f"{name}.example")
        title = {"fine": "The Ledger"}.get(name, f"The Ledger ({name})")
        desk.site.answers[f"/{name}"] = (200, {}, rss(entry(f"/{name}/a"), title=title))
    with deadly:
        desk.children = deadly
        asked = desk.round()
    assert list(asked)[-1] == "/hang", "the others waited for it"
    assert asked["/hang"].problem == "takes more than 3 seconds to read"
    assert asked["/crash"].problem == "makes its reader crash (SIGSEGV)"
    assert {each.url: each.problem for each in desk.follows.follows() if each.failures} == {
        asked[path].url: asked[path].problem for path in ("/hang", "/crash")
    }
    assert asked["/fine"].report.added == 1
    held = {each.source: each for each in desk.quarantine.held()}
    assert {asked[path].url for path in ("/hang", "/crash")} == held.keys()
    assert desk.quarantine.content(held[asked["/crash"].url]) == desk.site.answers["/crash"][2]


def test_what_a_feed_leads_to_and_cannot_be_read_goes_into_quarantine_and_comes_out_of_it(desk: Desk) -> None:
    desk.follow("/map.xml")
    desk.site.answers["/map.xml"] = (200, {}, sitemap((desk.url("/a"), "2025-02-01")))
    desk.site.answers["/a"] = (200, HTML, b"<!doctype html><html><body><nav>News</nav></body></html>")
    assert desk.one().report.rejected_count == 1
    (held,) = desk.quarantine.held()
    assert (held.source, desk.quarantine.content(held)) == (desk.url("/a"), desk.site.answers["/a"][2])


def test_the_language_of_what_a_feed_and_the_quarantine_bring_is_guessed(desk: Desk) -> None:
    german = "Der Fluss stieg in der Nacht, und die Stadt schlief wenig, sagte der Bürgermeister am Morgen. " * 6
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a", title="Hochwasser in der Stadt", text=german)))
    desk.site.answers["/a"] = (404, {}, b"")
    desk.one()
    assert desk.article("/a").language == "de"
    again = page(title="Hochwasser an der Küste", text=german).replace(b"<html>", b"<html><!-- again -->")
    with Notes(desk.quarantine) as notes:
        notes.add(Rejection(source=desk.url("/b"), reason="once", raw=again))
    assert retry(desk.quarantine.held(), desk.quarantine, desk.store).added == 1
    assert desk.article("/b").language == "de"
    assert desk.quarantine.count() == 0


# What is named


def brought(
    desk: Desk, sources: Sequence[str | Path], *, most_pages: int = 100, children: Children | None = None
) -> IngestReport:
    children = children or desk.children
    visits = Visits(desk.fetcher, desk.follows, clock=desk.clock.seconds, sleep=desk.clock.sleep)
    fetching = Fetching(visits, desk.follows, children, most_pages=most_pages)
    return ingest(sources, desk.store, fetch=fetching.address, children=children, quarantine=desk.quarantine)


def test_files_and_addresses_are_read_by_one_process(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    start = Child._started
    monkeypatch.setattr(Child, "_started", lambda child: begun.append(child) or start(child))
    (tmp_path / "saved.html").write_bytes(page(title="Saved long ago"))
    desk.site.answers["/live"] = (200, HTML, page(title="Read just now"))
    with Children() as children:
        report = brought(desk, [tmp_path, desk.url("/live")], children=children)
    assert (report.added, len(begun)) == (2, 1)


def test_a_page_a_feed_a_sitemap_and_a_file_are_ingested_together(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Title: A letter\n\nDear editor.")
    canonical = f'<link rel="canonical" href="{desk.url("/story")}">'
    desk.site.answers |= {
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /amp\n"),
        "/amp": (200, HTML, page(head=canonical)),
        "/feed": (200, {}, rss(entry("/full"), entry("/short", text="It rose."))),
        "/short": (200, HTML, page(text=f"Short. {LONG}")),
        "/map.xml": (200, {}, sitemap((desk.url("/mapped"), "2025-02-01"), (desk.url("/older"), "2025-01-01"))),
        "/mapped": (200, HTML, page(text=f"Mapped. {LONG}")),
    }
    sources = [
        desk.url("/amp"),
        file,
        desk.url("/feed"),
        desk.url("/map.xml"),
        desk.url("/missing"),
        "http://inside.example/",
    ]
    desk.site.answers["/missing"] = (404, {}, b"")
    report = brought(desk, sources, most_pages=1)
    assert report.added == 5
    assert [(rejection.source, rejection.reason) for rejection in report.rejected] == [
        (desk.url("/missing"), "news.example answered 404"),
        ("http://inside.example/", "inside.example is not on the public internet (10.0.0.1): see BACKFILE_FETCH_ALLOW"),
    ]
    assert desk.article("/story").url == desk.url("/story"), "the address is the page's own"
    assert "Paragraph 2" in desk.article("/short").body
    assert "/older" not in desk.paths
    again = brought(desk, sources[:4])
    assert (again.added, again.updated) == (1, 0), "the page that was left, and nothing else"


def test_a_page_leads_to_its_feed(desk: Desk) -> None:
    links = "".join(
        f'<link rel="alternate" type="application/{kind}+xml" href="{path}">'
        for kind, path in (("rss", "/feed"), ("atom", "/comments"))
    )
    desk.site.answers["/"] = (200, HTML, page(head=links))
    desk.site.answers["/bare"] = (200, HTML, page())
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a")))
    visits = Visits(desk.fetcher, desk.follows, clock=desk.clock.seconds, sleep=desk.clock.sleep)
    fetching = Fetching(visits, desk.follows, desk.children)
    found = discovered(visits, fetching, desk.url("/"))
    assert (found.url, found.title, found.kind) == (desk.url("/feed"), "The Ledger", "feed")
    assert found.others == (desk.url("/comments"),)
    assert discovered(visits, fetching, desk.url("/feed")).url == desk.url("/feed")
    with pytest.raises(SourceError, match="names no feed"):
        discovered(visits, fetching, desk.url("/bare"))


# Files that hold others

LETTER = b"Title: A letter\n\nDear editor, the river has risen again, and nobody says why."
EXPORT = b'{"backfile": 1, "articles": 0}\n'


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_packed_file_at_an_address_is_unpacked(desk: Desk) -> None:
    message = b"From a@b.example Thu Jan  1 00:00:00 2026\nSubject: A comet\n\nIt came close, and everybody saw it.\n"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        info = tarfile.TarInfo("c.html")
        info.size = len(page(title="In a tar"))
        archive.addfile(info, io.BytesIO(page(title="In a tar")))
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page(title="In a crawl")
    crawl = (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/1\r\n"
        b"Content-Type: application/http\r\nContent-Length: %d\r\n\r\n" % len(http)
    ) + http
    packed = {
        "/export.zip": zipped(a=LETTER, b=b"\x89PNG\r\n"),
        "/list.mbox": message,
        "/pages.tar.gz": tar.getvalue(),
        "/crawl.warc.gz": gzip.compress(crawl),
    }
    for path, body in packed.items():
        desk.site.answers[path] = (200, {"Content-Type": "application/octet-stream"}, body)
    report = brought(desk, [desk.url(path) for path in packed])
    assert (report.added, [each.source for each in report.rejected]) == (4, [f"{desk.url('/export.zip')}!b"])


def test_a_bomb_at_an_address_is_stopped_by_the_budget_of_files(desk: Desk) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", b"x" * 110_000_000)
        archive.writestr("b.txt", LETTER)
    desk.site.answers["/bomb.zip"] = (200, {}, made.getvalue())
    report = brought(desk, [desk.url("/bomb.zip")])
    assert report.added == 0
    assert "as attacks do" in report.rejected[-1].reason


@pytest.mark.parametrize("body", [EXPORT, gzip.compress(EXPORT, mtime=0), zipped(a=EXPORT)])
def test_another_archive_s_export_at_an_address_is_refused(desk: Desk, body: bytes) -> None:
    desk.site.answers["/export"] = (200, {}, body)
    (rejection,) = brought(desk, [desk.url("/export")]).rejected
    assert rejection.reason == NOT_BELIEVED


def test_a_packed_file_that_a_feed_leads_to_is_not_opened(desk: Desk) -> None:
    desk.follow("/feed")
    desk.site.answers["/feed"] = (200, {}, rss(entry("/a.zip", text="It rose.")))
    desk.site.answers["/a.zip"] = (200, {}, zipped(a=LETTER))
    assert desk.one().report.added == 1, "what the feed itself says"
    assert desk.article("/a.zip").body == "It rose."
