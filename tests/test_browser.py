"""The pages in a real browser, with scripts and without, from phones to desks."""

import re
import time
from pathlib import Path

import newsroom
import pytest
from browsing import NARROW, PHONE, WIDE, assert_fits, reading, served
from copied import report, story
from playwright.sync_api import Browser, Route, expect

from archive.grouping import find_copies
from web import create_app
from web.services import Services
from web.settings import Settings

SLOW = 0.3  # seconds that a stylesheet takes: the rest of the page is long there

pytestmark = pytest.mark.browser


def test_nothing_of_a_page_is_shown_before_its_stylesheet_is_there(browser: Browser, site: str) -> None:
    def late(route: Route) -> None:
        time.sleep(SLOW)
        route.continue_()

    with reading(browser, site) as page:
        page.route("**/*.css*", late)
        page.goto("/search?q=flood")
        expect(page.locator(".hit").first).to_be_visible()
        page.wait_for_function("performance.getEntriesByType('paint').length > 0")
        styled, shown = page.evaluate(
            """() => [
                performance.getEntriesByType('resource').find(each => each.name.includes('/backfile.css')).responseEnd,
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


@pytest.mark.parametrize("scripts", ["on", "off"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_reader_narrows_down_and_takes_the_filter_away(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=report&mode=keyword")
        before = page.locator(".found").inner_text()
        summary = page.locator(".narrow > summary")
        aside = page.get_by_role("complementary", name="Narrow down")
        value = aside.get_by_role("link", name=re.compile("^The Ledger"))
        if width == WIDE:
            expect(summary).to_be_hidden()
        else:
            expect(value).to_be_hidden()
            summary.click()
        value.click()
        expect(page.locator(".found")).not_to_have_text(before)
        one = page.locator(".found").inner_text()
        if width == PHONE:
            expect(summary).to_have_text("Narrow down (1)")
            summary.click()
        aside.get_by_role("link", name=re.compile("^Radio Nine")).click()
        expect(page.get_by_role("link", name="Source: Radio Nine")).to_be_visible()
        expect(page.locator(".found")).not_to_have_text(one)
        assert_fits(page)
        page.get_by_role("link", name="Remove all").click()
        expect(page.locator(".found")).to_have_text(before)


def test_a_value_is_left_out_and_taken_in_again(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=report&mode=keyword")
        before = page.locator(".found").inner_text()
        page.get_by_role("link", name="Leave out The Ledger").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Search the archive")).to_have_value('report -source:"The Ledger"')
        expect(page.get_by_text("The Ledger", exact=True)).to_have_count(0)
        page.get_by_role("link", name="Not Source: The Ledger").click()
        expect(page.locator(".found")).to_have_text(before)


@pytest.mark.parametrize("scripts", ["on", "off"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_bar_of_the_histogram_leads_to_its_days(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=report&mode=keyword")
        assert_fits(page)
        drawing = page.locator(".histogram").bounding_box()
        results = page.locator(".list").bounding_box()
        assert drawing is not None
        assert results is not None
        assert drawing["y"] + drawing["height"] < results["y"], "over the results"
        assert drawing["height"] < (80 if width == WIDE else 40)
        columns = [column.bounding_box() for column in page.locator(".histogram .column").all()]
        assert len(columns) == 4
        for column in columns:
            assert column is not None
            assert column["height"] >= 2
            assert drawing["x"] <= column["x"] < column["x"] + column["width"] <= drawing["x"] + drawing["width"] + 1
        page.locator(".histogram a").first.click()
        expect(page).to_have_url(f"{site}/search?q=report&mode=keyword&from=2001-01-01&to=2001-12-31")
        expect(page.locator(".found")).to_have_text("10 articles")


TWO_YEARS = "/search?q=report&mode=keyword&from=2002-01-01&to=2003-12-31"


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_one_draws_over_bars_to_zoom_in_and_zooms_out_again(browser: Browser, site: str, width: int) -> None:
    with reading(browser, site, width=width) as page:
        page.goto("/search?q=report&mode=keyword")
        expect(page.locator(".pointed")).to_have_text("Draw over bars to zoom in")
        slots = [slot.bounding_box() for slot in page.locator(".histogram .slot").all()]
        height = page.locator(".when").evaluate("when => when.offsetHeight")
        second, third = slots[1], slots[2]
        assert second is not None
        assert third is not None
        page.mouse.move(third["x"] + third["width"] / 2, third["y"] + 5)
        expect(page.locator(".pointed")).to_have_text("2003: 10 articles")
        page.mouse.down()
        page.mouse.move(second["x"] + second["width"] / 2, second["y"] + 8, steps=4)
        expect(page.locator(".pointed")).to_have_text("2002 to 2003: 20 articles")
        assert page.locator(".when").evaluate("when => when.offsetHeight") == height, "nothing moves meanwhile"
        page.mouse.up()
        expect(page).to_have_url(site + TWO_YEARS)
        expect(page.locator(".found")).to_have_text("20 articles")
        page.get_by_role("link", name="Zoom out: 2000s").click()
        expect(page).to_have_url(re.compile("from=2000-01-01&to=2009-12-31"))


def test_to_who_points_with_a_finger_no_drawing_is_offered(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto("/search?q=report&mode=keyword")
        expect(page.locator("svg.histogram")).to_have_attribute("role", "listbox")
        expect(page.locator(".pointed")).to_have_text("Each bar leads to its days")


def test_bars_are_one_stop_of_the_keyboard_and_chosen_with_shift(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=report&mode=keyword")
        bars = page.get_by_role("listbox", name="Articles by the year").get_by_role("option")
        expect(bars).to_have_count(4)
        assert [bar.get_attribute("tabindex") for bar in bars.all()] == ["0", "-1", "-1", "-1"]
        bars.first.focus()
        page.keyboard.press("ArrowRight")
        expect(bars.nth(1)).to_be_focused()
        page.keyboard.press("Shift+ArrowRight")
        assert [bar.get_attribute("aria-selected") for bar in bars.all()] == ["false", "true", "true", "false"]
        page.keyboard.press("Escape")
        expect(page.locator(".pointed")).to_have_text("2003: 10 articles")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Enter")
        expect(page).to_have_url(site + TWO_YEARS)


def test_the_histogram_is_a_table_for_those_who_do_not_see_or_point(browser: Browser, site: str) -> None:
    with reading(browser, site, scripts="off") as page:
        page.goto("/search?q=report&mode=keyword")
        when = page.get_by_role("region", name="Published by the year")
        assert when.get_by_role("link").count() == 0, "the drawing is not read out, the table is closed"
        when.get_by_text("As a table").focus()
        page.keyboard.press("Enter")
        table = when.get_by_role("table", name="Articles by the year")
        expect(table.get_by_role("row", name="2002 10")).to_be_visible()
        expect(table.get_by_role("columnheader")).to_have_text(["Year", "Articles"])
        table.get_by_role("link", name="2002").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=report&mode=keyword&from=2002-01-01&to=2002-12-31")


def test_keys_go_through_the_results_and_past_what_stands_before_them(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=report&mode=keyword")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
        page.keyboard.press("Enter")
        titles = page.locator(".hit h2 a")
        page.keyboard.press("j")
        expect(titles.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(titles.nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(titles.nth(0)).to_be_focused()
        page.keyboard.press("Control+k")
        page.keyboard.type("j")
        expect(page.get_by_label("Search the archive")).to_have_value("j")


def test_what_a_way_to_search_does_is_said_where_one_points(browser: Browser, site: str) -> None:
    with reading(browser, site, scripts="off") as page:
        page.goto("/search?q=flood")
        words = page.get_by_text("Only articles in which your words occur.")
        expect(words).to_be_hidden()
        page.get_by_role("navigation", name="Search by").get_by_role("link", name="Words").focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")  # now the focus is one of the keyboard
        expect(words).to_be_visible()
        expect(page.locator(".hints .now")).to_be_hidden()


def test_ways_to_search_stand_in_a_row_and_are_folded_on_a_phone(browser: Browser, site: str) -> None:
    for width in (WIDE, PHONE):
        with reading(browser, site, width=width, scripts="off") as page:
            page.goto("/search?q=flood")
            words = page.get_by_role("navigation", name="Search by").get_by_role("link", name="Words")
            folded = page.locator(".ways > summary")
            if width == PHONE:
                found, save = page.locator(".found"), page.get_by_role("link", name="Save this search")
                assert (save.bounding_box() or {})["y"] < (folded.bounding_box() or {})["y"]
                expect(found).to_be_visible()
                expect(save).to_have_text("Save", use_inner_text=True)
                expect(words).to_be_hidden()
                expect(folded).to_have_text(re.compile(r"Search by Both\s*Order Best match"))
                folded.click()
            else:
                expect(folded).to_be_hidden()
            words.click()
            expect(page).to_have_url(f"{site}/search?q=flood&mode=keyword")


def test_a_search_is_copied_as_a_citation(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/search?q=report&mode=keyword")
        page.get_by_text("Cite or share this search").click()
        page.get_by_role("button", name="Copy").nth(1).click()
        expect(page.get_by_role("button", name="Copied")).to_have_count(1)
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.endswith(f"{site}/search?q=report&mode=keyword")
        assert "search for “report”: " in copied


def test_scripts_take_hold_of_results_that_followed_what_is_typed_and_of_those_one_comes_back_to(
    browser: Browser, site: str
) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood&mode=keyword")
        page.get_by_label("Search the archive").fill("report")
        expect(page).to_have_url(f"{site}/search?q=report&mode=keyword")
        for _ in range(2):
            expect(page.locator(".pointed")).to_have_text("Draw over bars to zoom in")
            expect(page.get_by_role("listbox", name="Articles by the year").get_by_role("option")).to_have_count(4)
            expect(page.locator(".cite button")).to_have_count(2)
            page.locator(".hit h2 a").first.focus()
            page.keyboard.press("j")
            expect(page.locator(".hit h2 a").nth(1)).to_be_focused()
            page.go_back()
            page.go_forward()  # before the page is there
            page.get_by_text("Cite or share this search").click()
        page.go_back()
        expect(page.locator(".hit").first).to_contain_text("Millbrook")
        expect(page.locator(".pointed")).to_have_text("Draw over bars to zoom in")
        expect(page.get_by_role("button", name="Copy", include_hidden=True)).to_have_count(2)


def test_a_long_list_of_filters_is_searched_by_typing(browser: Browser, tmp_path: Path) -> None:
    parts = Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder())
    for number in range(20):
        parts.store.put(newsroom.article(number, authors=(f"Zoë Author{number}", f"Åsa Writer{number}")))
    parts.builder.update()
    with served(create_app(services=parts)) as address, reading(browser, address) as page:
        page.goto("/search")
        more = page.locator(".rest", has_text="32 more")
        more.locator("summary").click()
        more.get_by_role("searchbox", name="Find an author").fill("asa writer19")
        expect(more.get_by_role("listitem")).to_have_count(1)
        more.get_by_role("searchbox").fill("nobody")
        expect(more.get_by_role("status")).to_have_text("None so named")
    parts.close()


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
            assert page.locator("main script, main img, main iframe, main svg:not(.histogram, .ticks)").count() == 0
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
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_reader_goes_from_match_to_match_from_result_to_result_and_cites(
    browser: Browser, site: str, width: int, scripts: str
) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=flood+Millbrook&page_size=2")
        titles = page.locator(".hit h2 a").all_inner_texts()
        page.locator(".hit h2 a").first.click()
        page.get_by_role("link", name="First match").click()
        expect(page).to_have_url(re.compile("#match-1$"))
        page.keyboard.press("Tab")
        expect(page.locator("#match-1 a")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("#matches$"))
        page.get_by_role("link", name="Without marks").click()
        expect(page.locator("mark")).to_have_count(0)
        page.get_by_role("link", name="Mark what I searched for").click()
        expect(page.locator("mark").first).to_be_visible()
        assert_fits(page)

        page.get_by_role("navigation", name="Results").get_by_role("link", name="Next result").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(titles[1])
        page.get_by_role("link", name="Next result").click()
        expect(page.get_by_role("navigation", name="Results")).to_contain_text("3 of ")
        page.get_by_role("link", name="Back to the results").click()
        expect(page).to_have_url(f"{site}/search?q=flood+Millbrook&page=2&page_size=2")
        page.go_back()

        page.get_by_text("Cite this article").click()
        expect(page.locator("#citation")).to_be_visible()
        assert_fits(page)
        copy = page.get_by_role("button", name="Copy")
        if scripts == "off":
            expect(copy).to_be_hidden()
            return
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copy.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#citation").text_content()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_what_a_correction_changed_is_two_links_away(browser: Browser, site: str, width: int) -> None:
    with reading(browser, site, width=width, scripts="off") as page:
        page.goto(f"/articles/{newsroom.CORRECTED.id}")
        page.get_by_role("link", name="What changed").click()
        expect(page.locator("del")).to_have_text("First wording")
        expect(page.locator("ins").first).to_have_text("Second wording")
        assert_fits(page)
        page.get_by_role("link", name="All versions").click()
        assert_fits(page)
        page.get_by_role("link", name="Version 1").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("First wording")
        assert_fits(page)


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
