"""Looking through the archive in a real browser, with and without scripts, at the desk and on a phone."""

import pytest
from browsing import NARROW, PHONE, WIDE, assert_fits, reading
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, "on"), (PHONE, "off")])
def test_a_reader_goes_from_the_front_page_to_a_day_and_on_to_the_next(
    browser: Browser, site: str, width: int, scripts: str
) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/")
        assert_fits(page)
        page.get_by_role("link", name="Browse").click()
        for link, heading in (("2001 10", "2001"), ("March 10", "March 2001"), ("2 1 article", "2 March 2001")):
            assert_fits(page)
            page.locator("main").get_by_role("link", name=link, exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert_fits(page)
        page.get_by_role("navigation", name="Before and after").get_by_role("link", name="3 March 2001").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("3 March 2001")
        page.get_by_role("navigation", name="Where you are").get_by_role("link", name="Browse").click()
        expect(page).to_have_url(f"{site}/browse")


@pytest.mark.parametrize(("width", "scripts"), [(WIDE, "off"), (PHONE, "on")])
def test_a_reader_finds_an_author_by_part_of_a_name_and_searches_within(
    browser: Browser, site: str, width: int, scripts: str
) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/browse")
        page.get_by_role("link", name="All authors").click()
        assert_fits(page)
        page.get_by_label("Names with").fill("quill")
        page.get_by_role("button", name="Filter").click()
        page.get_by_role("link", name="Ada Quill").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Ada Quill")
        assert_fits(page)
        page.get_by_label("Search the archive").fill("flood")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=flood&author=Ada+Quill")
        expect(page.locator(".hit").first).to_be_visible()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_page_at_a_glance_fits_its_window(browser: Browser, site: str, width: int) -> None:
    with reading(browser, site, width=width) as page:
        for path in ("/", "/browse", "/browse/2020/01", "/browse/sources", "/browse/authors", "/browse/2020/01/01",
                     "/browse/source?name=The+Ledger", "/browse/undated", "/status", "/status?by=week"):  # fmt: skip
            page.goto(path)
            assert_fits(page)
