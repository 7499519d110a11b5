"""What readers come for, done in a browser from the front page on, in five steps at most, whatever they read with.

A step is one deliberate action: a query typed and sent, a click, a thing taken along.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import newsroom
import pytest
from browsing import Scheme, assert_fits, served, watched
from copied import report, story
from playwright.sync_api import Browser, Locator, Page, expect

from archive.grouping import find_copies
from web import create_app

MOST_STEPS = 5
WIRE = replace(report(1, story("wire"), hours=1, source="The Wire"), title="Dockers end their strike")
TRIMMED = replace(report(2, story("wire", until=14), hours=5, source="The Local"), title="Dockers at work again")

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Way:
    """What somebody reads with."""

    width: int
    scripts: str
    scheme: Scheme

    def __str__(self) -> str:
        return f"{self.width}-scripts-{self.scripts}-{self.scheme}"


WAYS = (Way(360, "off", "light"), Way(768, "on", "dark"), Way(1440, "on", "light"), Way(1440, "off", "dark"))


class Reader:
    """Somebody at a page, whose steps are counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0

    def asks(self, query: str) -> None:
        """Type a query and press Enter."""
        self.steps += 1
        box = self.page.get_by_label("Search the archive")
        box.fill(query)
        box.press("Enter")
        expect(self.page).to_have_url(re.compile(r"/search\?.*q="))
        expect(box).to_have_value(query)
        assert_fits(self.page)

    def clicks(self, target: Locator) -> None:
        """Click on something of which there is one."""
        self.steps += 1
        target.click()
        assert_fits(self.page)

    def reads(self, title: str) -> None:
        """Open the article of this title, which is among the results."""
        self.clicks(self.page.locator(".hit").get_by_role("link", name=title, exact=True))
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def takes_address(self, link: Locator) -> str:
        """Copy where a link leads to."""
        self.steps += 1
        expect(link).to_be_visible()
        address = link.evaluate("link => link.href")
        assert isinstance(address, str)
        return address

    def takes_text(self, code: Locator) -> str:
        """Copy what is written somewhere."""
        self.steps += 1
        return code.inner_text()

    def takes_file(self, link: Locator) -> str:
        """Click on what is then saved, and return what is in it."""
        self.steps += 1
        with self.page.expect_download() as download:
            link.click()
        return download.value.path().read_text(encoding="utf-8-sig")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The newsroom, with a wire's report that somebody else cut."""
    parts = newsroom.open_newsroom(tmp_path_factory.mktemp("newsroom"))
    for each in (WIRE, TRIMMED):
        parts.store.put(each)
    find_copies(parts.store)
    parts.builder.update()
    newsroom.tell(parts)
    with served(create_app(services=parts)) as address:
        yield address
    parts.close()


@pytest.fixture(scope="module", params=WAYS, ids=str)
def opened(browser: Browser, archive: str, request: pytest.FixtureRequest) -> Iterator[tuple[Page, list[str]]]:
    """A page for each way to read, with what was complained of."""
    way: Way = request.param
    with watched(browser, archive, width=way.width, scripts=way.scripts, scheme=way.scheme) as page_and_complaints:
        yield page_and_complaints


@pytest.fixture
def reader(opened: tuple[Page, list[str]]) -> Iterator[Reader]:
    """Somebody at the front page, who is done after a few steps and has met no trouble."""
    page, complaints = opened
    complaints.clear()
    page.goto("/")
    assert_fits(page)
    reader = Reader(page)
    yield reader
    assert complaints == []
    assert 0 < reader.steps <= MOST_STEPS


def test_a_half_remembered_story_is_found_in_other_words(reader: Reader) -> None:
    reader.asks("inundation of a town")
    first = reader.page.locator(".hit h2 a").first
    expect(first).to_contain_text("The flood reaches Millbrook")
    title = first.inner_text()
    reader.clicks(first)
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(title)


def test_everything_that_one_source_wrote_on_a_subject_in_one_month_is_listed(reader: Reader) -> None:
    page = reader.page
    reader.clicks(page.get_by_role("link", name="Browse", exact=True))
    reader.clicks(page.get_by_role("main").get_by_role("link", name=re.compile(r"^2001\b")))
    reader.clicks(page.get_by_role("main").get_by_role("link", name=re.compile(r"^March\b")))
    reader.clicks(page.locator(".about").get_by_role("link", name=re.compile(r"^The Ledger\b")))
    reader.asks("flood")
    wanted = {
        each.title for each in newsroom.ORDINARY
        if each.source == "The Ledger" and "flood" in each.title and f"{each.published_at:%Y-%m}" == "2001-03"
    }  # fmt: skip
    assert len(wanted) > 1
    expect(page.locator(".hit")).to_have_count(len(wanted))
    assert set(page.locator(".hit h2").all_inner_texts()) == wanted


@pytest.mark.parametrize(
    ("beside", "number"), [("preceding", 4), ("following", 6)], ids=["what preceded it", "what came next"]
)
def test_the_report_next_to_an_article_in_its_story_is_read(reader: Reader, beside: str, number: int) -> None:
    reader.asks("flood report 5")
    reader.reads(newsroom.ORDINARY[5].title)
    here = reader.page.locator(".reports li[aria-current]")
    reader.clicks(here.locator(f"xpath={beside}-sibling::li[1]").get_by_role("link"))
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(newsroom.ORDINARY[number].title)


def test_who_else_reported_it_is_seen(reader: Reader) -> None:
    reader.asks("flood report 5")
    reader.reads(newsroom.ORDINARY[5].title)
    reader.clicks(reader.page.locator(".reports > p").get_by_role("link"))
    sources = set(reader.page.get_by_role("main").locator(".source").all_inner_texts())
    assert {"The Ledger", "Harbour News", "Radio Nine"} <= sources


def test_a_search_is_subscribed_to(reader: Reader) -> None:
    reader.asks("flood")
    feed = reader.page.request.get(reader.takes_address(reader.page.locator(".takeaway a[type*=atom]")))
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert f"<title>{newsroom.ORDINARY[5].title}</title>" in feed.text()


def test_a_search_is_saved_after_a_look_at_how_often_it_would_have_fired(reader: Reader) -> None:
    page = reader.page
    reader.asks("flood")
    reader.clicks(page.locator(".save"))
    expect(page.locator(".tested").get_by_role("heading", level=2)).to_have_text(re.compile(r"\d"))
    reader.clicks(page.get_by_role("main").get_by_role("button"))
    expect(page).to_have_url(re.compile(r"/saved/[\w-]{20,}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("flood")


def test_an_article_is_cited_as_bibtex(reader: Reader) -> None:
    reader.asks("flood report 5")
    reader.reads(newsroom.ORDINARY[5].title)
    reader.clicks(reader.page.locator(".cite > summary"))
    entry = reader.takes_file(reader.page.locator(".cite").get_by_role("link", name="BibTeX"))
    assert entry.startswith("@")
    assert newsroom.ORDINARY[5].title in entry


def test_a_search_is_cited_by_an_address_that_leads_to_it(reader: Reader) -> None:
    page = reader.page
    reader.asks("flood")
    found = page.locator(".hit h2").all_inner_texts()
    reader.clicks(page.locator(".cite > summary"))
    page.goto(reader.takes_address(page.locator(".cite").get_by_role("link")))
    assert page.locator(".hit h2").all_inner_texts() == found != []


def test_related_articles_are_taken_to_ones_own_site(reader: Reader) -> None:
    page = reader.page
    reader.clicks(page.get_by_role("contentinfo").locator("a[href='/embed']"))
    code = reader.takes_text(page.locator("code", has_text="<backfile-related"))
    address = re.search(r'src="([^"]+)"', code)
    assert address is not None
    script = page.request.get(address[1])
    assert script.ok
    assert "backfile-related" in script.text()


def test_the_articles_of_one_day_are_looked_through_without_a_query(reader: Reader) -> None:
    page = reader.page
    day = newsroom.ORDINARY[5]
    reader.clicks(page.get_by_role("link", name="Browse", exact=True))
    reader.clicks(page.get_by_role("main").get_by_role("link", name=re.compile(r"^2001\b")))
    reader.clicks(page.get_by_role("main").get_by_role("link", name=re.compile(r"^March\b")))
    reader.clicks(page.locator(".leaf").get_by_role("link", name=re.compile(r"^6\b")))
    expect(page.locator(".entries").get_by_role("heading")).to_have_text([day.title])
    reader.clicks(page.get_by_role("link", name=day.title, exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text(day.title)


def test_a_list_is_taken_along_as_csv(reader: Reader) -> None:
    reader.asks("flood")
    file = reader.takes_file(reader.page.locator(".takeaway").get_by_role("link", name="CSV"))
    titles = [row["title"] for row in csv.DictReader(io.StringIO(file))]
    assert titles[:10] == reader.page.locator(".hit h2").all_inner_texts()


def test_what_changed_between_two_versions_is_read(reader: Reader) -> None:
    reader.asks("second wording")
    reader.reads("Second wording")
    reader.clicks(reader.page.locator(".version").get_by_role("link").first)
    expect(reader.page.get_by_role("main").locator("del").first).to_have_text(re.compile("First"))


def test_a_copy_folded_behind_another_is_reached_and_seen_to_be_cut(reader: Reader) -> None:
    page = reader.page
    reader.asks("dockers strike")
    hit = page.locator(".hit", has=page.get_by_role("link", name=WIRE.title, exact=True))
    reader.clicks(hit.locator(".copies"))
    reader.reads(TRIMMED.title)
    reader.clicks(page.locator(".group [aria-current] summary").first)
    cut = story("wire", since=14).split(". ")
    expect(page.locator(".group [aria-current] del")).to_have_text([re.compile(sentence[:40]) for sentence in cut])
