"""The pages in a real browser: Debian's chromium, driven by playwright."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import newsroom
import pytest
from copied import report, story
from flask import Flask
from playwright.sync_api import Browser, Page, Request, Route, expect, sync_playwright
from werkzeug.serving import make_server

from archive.grouping import find_copies
from web import create_app
from web.services import Services
from web.settings import Settings

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE, NARROW = 1280, 390, 360  # CSS pixels
PATIENCE = 10_000  # milliseconds, on a busy machine
SLOW = 0.3  # seconds that a stylesheet takes: the rest of the page is long there

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the application, served on this machine."""
    with newsroom.application(tmp_path_factory.mktemp("data")) as app, served(app) as address:
        yield address


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve the application on this machine, and yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "chromium is not installed: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def reading(browser: Browser, site: str, *, width: int = WIDE, scripts: str = "on") -> Iterator[Page]:
    """Open a page, and fail if meanwhile anything was complained of or anything outside was asked for."""
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts == "on",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # The icon is still being fetched when a test moves on: that it is then given up is nobody's fault.
    page.on("requestfailed", lambda request: complaints.extend(_complaint(request)))
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(site) else None)
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    yield page
    context.close()
    assert complaints == []


def _complaint(request: Request) -> list[str]:
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


def assert_fits(page: Page) -> None:
    """Fail when the page is wider than its window.

    Its text is there before its stylesheet is, and whoever measures then makes the browser lay it out without.
    """
    page.wait_for_load_state("load")
    over = page.locator("html").evaluate("root => root.scrollWidth - root.clientWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"


def test_nothing_of_a_page_is_shown_before_its_stylesheet_is_there(browser: Browser, site: str) -> None:
    def late(route: Route) -> None:
        time.sleep(SLOW)
        route.continue_()

    with reading(browser, site) as page:
        page.route("**/*.css", late)
        page.goto("/search?q=flood")
        expect(page.locator(".hit").first).to_be_visible()
        page.wait_for_function("performance.getEntriesByType('paint').length > 0")
        styled, shown = page.evaluate(
            """() => [performance.getEntriesByType('resource').find(each => each.name.endsWith('.css')).responseEnd,
                      performance.getEntriesByType('paint')[0].startTime]"""
        )
        assert shown >= styled


@pytest.mark.parametrize("scripts", ["on", "off"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_reader_finds_an_article_goes_to_a_related_one_and_comes_back(
    browser: Browser, site: str, width: int, scripts: str
) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/")
        assert_fits(page)
        page.get_by_label("Search the archive").fill("flood in Millbrook")
        page.keyboard.press("Enter")

        expect(page).to_have_url(f"{site}/search?q=flood+in+Millbrook")
        expect(page.get_by_label("Search the archive")).to_have_value("flood in Millbrook")
        assert_fits(page)
        page.locator(".why summary").first.click()
        expect(page.locator(".why table").first).to_be_visible()
        assert_fits(page)
        first = page.locator(".hit h2 a").first
        title = first.inner_text()
        first.click()

        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        assert_fits(page)
        panel = page.get_by_role("complementary", name="Related articles")
        beside = panel.bounding_box()
        story = page.locator(".story").bounding_box()
        assert beside is not None
        assert story is not None
        assert (beside["x"] >= story["x"] + story["width"]) == (width == WIDE), "beside on a desk, below on a phone"
        related = panel.get_by_role("link").first
        other = related.inner_text()
        related.click()

        expect(page.get_by_role("heading", level=1)).to_have_text(other)
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.get_by_role("link", name="Back to the results").click()
        expect(page).to_have_url(f"{site}/search?q=flood+in+Millbrook")


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_reader_narrows_down_and_takes_the_filter_away(browser: Browser, site: str, width: int) -> None:
    with reading(browser, site, width=width) as page:
        page.goto("/search?q=report&mode=keyword")
        before = page.locator(".found").inner_text()
        page.get_by_role("complementary", name="Narrow down").get_by_role("link", name="The Ledger").click()
        expect(page.locator(".found")).not_to_have_text(before)
        page.get_by_role("link", name="Source: The Ledger").click()
        expect(page.locator(".found")).to_have_text(before)


@pytest.mark.parametrize("scripts", ["on", "off"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_bar_of_the_histogram_leads_to_its_days(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=report&mode=keyword")
        drawing = page.locator(".histogram").bounding_box()
        assert drawing is not None
        columns = [column.bounding_box() for column in page.locator(".histogram .column").all()]
        assert len(columns) == 4
        for column in columns:
            assert column is not None
            assert column["height"] >= 2
            assert drawing["x"] <= column["x"] < column["x"] + column["width"] <= drawing["x"] + drawing["width"] + 1
        page.locator(".histogram a").first.click()
        expect(page).to_have_url(f"{site}/search?q=report&mode=keyword&from=2001-01-01&to=2001-12-31")
        expect(page.locator(".found")).to_have_text("10 articles")


def test_the_histogram_is_a_list_for_those_who_do_not_see_or_point(browser: Browser, site: str) -> None:
    with reading(browser, site, scripts="off") as page:
        page.goto("/search?q=report&mode=keyword")
        aside = page.get_by_role("complementary", name="Narrow down")
        assert aside.get_by_role("link", name="2002").count() == 0, "the drawing is not read out, the list is closed"
        aside.get_by_text("By the year, as a list").focus()
        page.keyboard.press("Enter")
        aside.get_by_role("link", name="2002 10").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=report&mode=keyword&from=2002-01-01&to=2002-12-31")


def test_without_a_good_match_the_nearest_are_one_click_away(browser: Browser, site: str) -> None:
    with reading(browser, site, width=PHONE, scripts="off") as page:
        page.goto("/search?q=xyzzy+plugh")
        expect(page.get_by_role("heading", name="No good match for “xyzzy plugh”")).to_be_visible()
        expect(page.get_by_label("Search the archive")).to_have_value("xyzzy plugh")
        assert_fits(page)
        page.get_by_role("link", name="see the nearest articles anyway").click()
        expect(page.locator(".hit").first).to_be_visible()
        expect(page.get_by_role("status").first).to_contain_text("probably none of them is relevant")
        page.get_by_role("link", name="Show good matches only").click()
        expect(page).to_have_url(f"{site}/search?q=xyzzy+plugh")


def test_days_are_chosen_without_a_script(browser: Browser, site: str) -> None:
    with reading(browser, site, scripts="off") as page:
        page.goto("/search?q=report&mode=keyword")
        page.get_by_label("From").fill("2001-03-01")
        page.get_by_label("To", exact=True).fill("2001-03-02")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".found")).to_have_text("2 articles")


@pytest.mark.parametrize("width", [NARROW, 600, 900, 1920])
def test_no_page_is_wider_than_its_window(browser: Browser, site: str, width: int) -> None:
    long = "Donaudampfschifffahrt" * 8
    with reading(browser, site, width=width) as page:
        for path in ("/", "/search?q=report", f"/search?q={long}&source={long}", f"/articles/{newsroom.NASTY[0].id}"):
            page.goto(path)
            assert_fits(page)


def test_hostile_text_runs_nothing(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        for path in ("/search?q=nasty&page_size=100", *(f"/articles/{article.id}" for article in newsroom.NASTY)):
            page.goto(path)
            assert page.locator("main script, main img, main iframe, main svg:not(.histogram)").count() == 0
        for text in newsroom.HOSTILE:
            page.goto("/search")
            page.get_by_label("Search the archive").fill(text.replace("\0", ""))
            page.keyboard.press("Enter")
            page.wait_for_url("**/search?q=*")


def test_the_search_box_is_one_key_away_and_the_content_one_tab(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Control+k")
        expect(page.get_by_label("Search the archive")).to_be_focused()


def test_an_article_prints_without_what_surrounds_it(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto(f"/articles/{newsroom.ORDINARY[0].id}")
        page.emulate_media(media="print")
        expect(page.locator(".body")).to_be_visible()
        for around in (".masthead", ".related", ".colophon"):
            expect(page.locator(around)).to_be_hidden()


@pytest.mark.parametrize("scripts", ["on", "off"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_stories_are_read_from_the_front_page_on(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/")
        page.get_by_role("link", name="Stories").first.click()
        expect(page.get_by_role("heading", name="Stories", level=1)).to_be_visible()
        assert_fits(page)
        page.locator(".hits h2 a").first.click()
        expect(page.get_by_role("heading", name="Day by day")).to_be_visible()
        assert_fits(page)
        page.locator(".timeline a").first.click()
        page.get_by_role("link", name="Part of a story").click()
        expect(page.get_by_role("heading", name="Day by day")).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_what_a_copy_added_and_cut_unfolds_and_fits(browser: Browser, tmp_path: Path, width: int) -> None:
    parts = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    parts.store.put(report(1, f"The flood came. {story('flood')}", hours=1, source="The Wire"))
    parts.store.put(report(2, f"{'Water' * 30} all around, a flood. {story('flood')}", hours=2, source="The Local"))
    find_copies(parts.store)
    parts.builder.update()
    with served(create_app(services=parts)) as address, reading(browser, address, width=width) as page:
        page.goto("/search?q=flood")
        page.get_by_role("link", name="+1 copy").click()
        expect(page.locator(".hit")).to_have_count(2)
        page.get_by_role("link", name="Headline 2").click()
        group = page.get_by_role("region", name="Copies")
        expect(group.get_by_text("likely the origin", exact=True)).to_have_count(1)
        expect(group.locator("ins")).to_be_hidden()
        group.get_by_text("What differs").click()
        expect(group.locator("ins")).to_be_visible()
        expect(group.locator("del")).to_have_text("The flood came.")
        expect(group.locator(".kept p").first).to_be_hidden()
        assert_fits(page)
    parts.close()


# Saved searches


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, "on"), (PHONE, "off")])
def test_a_search_is_saved_found_again_and_deleted(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=flood&section=Weather")
        page.get_by_role("link", name="Save this search").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Save this search")
        assert_fits(page)
        page.get_by_label("Name").fill("Floods of old")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Floods of old")
        assert_fits(page)
        own = page.url.partition("?")[0]
        if scripts == "on":
            page.goto("/saved")
            page.get_by_role("link", name="Floods of old").click()
            expect(page).to_have_url(own)
        page.get_by_label("Name").fill("Deluges")
        page.get_by_role("button", name="Rename").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Deluges")
        if scripts == "on":
            page.goto("/saved")
            expect(page.get_by_role("link", name="Deluges")).to_be_visible()  # by its new name
            page.goto(own)
        page.get_by_text("Delete", exact=True).click()
        page.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Deleted")
        page.goto("/saved")
        assert_fits(page)
        if scripts == "on":
            expect(page.get_by_text("This browser remembers none.")).to_be_visible()


def test_a_browser_forgets_a_saved_search_when_it_is_told_to(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/saved/new?q=flood")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Forget this link in this browser").click()
        expect(page.get_by_role("button", name="Remember this link in this browser")).to_be_visible()
        page.goto("/saved")
        expect(page.get_by_text("This browser remembers none.")).to_be_visible()
        page.go_back()
        page.get_by_role("button", name="Remember this link in this browser").click()
        page.goto("/saved")
        page.get_by_role("button", name="Forget: flood").click()
        expect(page.get_by_text("This browser remembers none.")).to_be_visible()
