"""The search box in a real browser: completion, what it remembers, keys, results as one types; and without scripts."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from browsing import PHONE, WIDE, assert_fits, reading, served
from playwright.sync_api import Browser, Locator, Page, Route, expect

from index.completion import suggest as module

MOST = 5 * 1024  # bytes of the box's scripts as they are sent
BOX = ("search", "combobox", "kept", "keys", "ask")
STATIC = Path(__file__).resolve().parent.parent / "static"
BLOCKED = (
    """Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });"""
)
PHONES = """matchMedia = (query) => ({ matches: query === "(pointer: coarse)" });"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the application, its headlines read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_WAIT", 30)
        with newsroom.application(tmp_path_factory.mktemp("data")) as app, served(app) as address:
            app.test_client().get("/api/suggest?q=flood")
            yield address


def box(page: Page) -> Locator:
    return page.locator("#q")


def options(page: Page) -> Locator:
    return page.locator(".completions").get_by_role("option")


def active(page: Page) -> str | None:
    """Return the text of the option that the box says is active."""
    found: str | None = box(page).evaluate(
        "box => document.getElementById(box.getAttribute('aria-activedescendant'))?.querySelector('.text').textContent"
    )
    return found


def type_in(page: Page, text: str) -> None:
    box(page).focus()
    page.keyboard.type(text)


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def remember(page: Page, *texts: str) -> None:
    """Search for these, one after the other, from the front page."""
    for text in texts:
        page.goto("/")
        box(page).fill(text)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=*")


def test_the_scripts_of_the_box_are_small() -> None:
    assert sum(len(gzip.compress((STATIC / f"{name}.js").read_bytes(), 9)) for name in BOX) <= MOST


# Completion


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_completions_are_walked_by_keys_and_the_text_stays_as_typed(browser: Browser, site: str, width: int) -> None:
    with reading(browser, site, width=width) as page:
        page.goto("/")
        expect(page.get_by_role("combobox", name="Search the archive")).to_have_attribute("aria-expanded", "false")
        type_in(page, "council")
        expect(box(page)).to_have_attribute("aria-expanded", "true")
        count = options(page).count()
        assert count > 2
        expect(page.get_by_role("status").first).to_have_text(f"Completions: {count}")
        assert active(page) is None
        page.keyboard.press("ArrowDown")
        assert active(page) == "council election in Ostwick"
        expect(options(page).first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowUp")
        assert active(page) is None, "the box itself stands between the last and the first"
        page.keyboard.press("PageDown")
        last = active(page)
        assert last == options(page).last.locator(".text").inner_text()
        page.keyboard.press("ArrowDown")
        assert active(page) is None
        page.keyboard.press("PageDown")
        page.keyboard.press("PageUp")
        assert active(page) == "council election in Ostwick"
        page.keyboard.press("Home")
        assert active(page) is None
        assert box(page).evaluate("box => box.selectionStart") == 0
        expect(box(page)).to_have_value("council")
        assert_fits(page)


def test_enter_takes_a_phrase_and_without_one_searches_for_what_is_typed(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/")
        type_in(page, "council")
        expect(options(page).first).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=council+election+in+Ostwick")
        page.goto("/")
        type_in(page, "council")
        expect(options(page).nth(1)).to_be_visible()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=council")


def test_a_title_leads_to_its_article_by_a_click(browser: Browser, site: str) -> None:
    with reading(browser, site, width=PHONE) as page:
        page.goto("/")
        type_in(page, "letter without")
        option = options(page).filter(has_text=newsroom.UNDATED.title)
        option.click()
        expect(heading(page)).to_have_text(newsroom.UNDATED.title)


def test_escape_closes_then_clears_and_tab_leaves(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/")
        type_in(page, "council")
        expect(options(page).first).to_be_visible()
        page.keyboard.press("Escape")
        expect(box(page)).to_have_attribute("aria-expanded", "false")
        expect(box(page)).to_have_value("council")
        page.keyboard.press("Alt+ArrowDown")
        expect(options(page).first).to_be_visible()
        assert active(page) is None
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Search")).to_be_focused()
        expect(box(page)).to_have_attribute("aria-expanded", "false")
        box(page).focus()
        page.keyboard.press("Escape")
        expect(box(page)).to_have_value("")


def test_an_operator_is_found_by_its_beginning_then_its_values_with_counts(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/")
        type_in(page, "flood sou")
        expect(options(page).first).to_contain_text("source:")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(box(page)).to_have_value("flood source:")
        expect(page.locator(".tip")).to_contain_text("From this source")
        expect(options(page).filter(has_text="The Ledger")).to_contain_text(re.compile(r"\d+ articles"))
        page.keyboard.type("the l")
        expect(options(page)).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(box(page)).to_have_value('flood source:"The Ledger" ')
        page.keyboard.press("Enter")
        expect(page.locator(".hit").first).to_contain_text("The Ledger")


@pytest.mark.parametrize(("typed", "told"), [('"', "side by side"), ("flood -", "Without"), ("flo*", "begins so")])
def test_a_sign_is_explained_as_it_is_typed(browser: Browser, site: str, typed: str, told: str) -> None:
    with reading(browser, site, width=PHONE) as page:
        page.goto("/")
        type_in(page, typed)
        expect(page.locator(".tip")).to_contain_text(told)
        expect(page.get_by_role("status").first).to_contain_text(told)
        assert_fits(page)


def test_what_stands_after_the_caret_stays(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/")
        type_in(page, " comet")
        page.keyboard.press("Home")
        page.keyboard.type("source:the")
        expect(options(page)).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(box(page)).to_have_value('source:"The Ledger"  comet')


def test_an_answer_that_was_overtaken_is_not_shown_and_a_failure_says_nothing(browser: Browser, site: str) -> None:
    held: list[Route] = []
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.route("**/api/completions?q=coun", lambda route: held.append(route))
    page.goto("/")
    with page.expect_request("**/api/completions?q=coun"):
        type_in(page, "coun")
    page.keyboard.type("cil el")
    expect(options(page).first).to_be_visible()
    shown = options(page).all_inner_texts()
    held[0].abort()
    assert options(page).all_inner_texts() == shown

    page.route("**/api/completions?q=flood", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "completions" in request.url else None)
    with page.expect_response("**/api/completions?q=flood"):
        box(page).fill("flood")
    expect(options(page)).to_have_count(0)
    page.keyboard.type(" in")
    page.wait_for_timeout(200)
    assert len(asked) == 1, "whoever is told to come later does"
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_be_visible()
    context.close()


def test_a_composition_is_left_alone_until_it_ends(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=comet")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "q=" in request.url else None)
        box(page).fill("")
        composing = page.context.new_cdp_session(page)
        for text in ("f", "fl", "floo"):
            composing.send(
                "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
            )
        page.wait_for_timeout(300)
        assert asked == []
        expect(options(page)).to_have_count(0)
        composing.send("Input.insertText", {"text": "flood"})
        expect(box(page)).to_have_value("flood")
        expect(page).to_have_url(f"{site}/search?q=flood")
        assert any("completions" in url for url in asked)


# What it remembers


def test_searches_of_before_are_offered_first_and_removed_one_by_one_and_all_at_once(
    browser: Browser, site: str
) -> None:
    with reading(browser, site) as page:
        remember(page, "flood", "council", "comet", "flood")
        page.goto("/")
        box(page).focus()
        assert options(page).locator(".text").all_inner_texts() == ["flood", "comet", "council"]
        expect(options(page).last).to_contain_text("kept in this browser only")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Delete")
        assert options(page).locator(".text").all_inner_texts() == ["comet", "council"]
        options(page).first.locator(".cross").click()
        assert options(page).locator(".text").all_inner_texts() == ["council"]
        expect(box(page)).to_be_focused()
        page.keyboard.type("cou")
        expect(options(page).nth(1)).to_be_visible()
        expect(options(page).first).to_contain_text("searched before")
        box(page).fill("")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(options(page)).to_have_count(0)
        assert page.evaluate("localStorage.getItem('backfile.recent')") == "[]"
        expect(page).to_have_url(f"{site}/")


def test_nothing_breaks_where_the_browser_keeps_nothing(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.add_init_script(BLOCKED)
        remember(page, "flood")
        page.goto("/search?q=flood")
        page.keyboard.press("/")
        expect(box(page)).to_be_focused()
        box(page).fill("council e")
        expect(options(page).first).to_be_visible()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=council+e")


def test_what_is_kept_obeys_its_laws(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/")
        page.evaluate(
            """async () => {
                const { withRecent, without, matching, folded } = await import("/static/kept.js");
                const { stepped } = await import("/static/combobox.js");
                const check = (holds, law) => { if (!holds) throw new Error(law); };
                const words = ["Flood", "  flood ", "Gdańsk", "gdansk", "河", "a b", "", "x".repeat(300)];
                let list = [];
                for (let n = 0; n < 40; n += 1) {
                    const text = words[(n * 7) % words.length] + (n % 3);
                    list = withRecent(list, text);
                    check(list[0] === text.trim(), "the latest is first");
                    check(list.length <= 10, "at most ten");
                    check(new Set(list.map(folded)).size === list.length, "none twice");
                    check(!without(list, text).some((each) => folded(each) === folded(text)), "removed is gone");
                    check(matching(list, "").length === list.length, "all begin with nothing");
                    check(matching(list, text).every((each) => folded(each) !== folded(text)), "not what is typed");
                }
                check(withRecent(list, "  ").length === list.length, "nothing is not kept");
                check(matching(["the Gdańsk port"], "gdan").length === 1, "a later word, without its accent");
                check(matching(["undated"], "dat").length === 0, "not within a word");
                for (let count = 0; count < 6; count += 1)
                    for (let at = -1; at < count; at += 1) {
                        check(stepped(stepped(at, 1, count), -1, count) === at, "there and back");
                        let place = at;
                        for (let n = 0; n <= count; n += 1) place = stepped(place, 1, count);
                        check(place === at, "once around");
                    }
            }"""
        )


# Keys


def test_single_keys_lead_to_the_box_and_can_be_switched_off(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        page.keyboard.press("/")
        expect(box(page)).to_be_focused()
        expect(box(page)).to_have_value("flood")
        page.keyboard.type("/")
        expect(box(page)).to_have_value("/")
        page.get_by_role("link", name="Search tips").click()
        switch = page.get_by_role("dialog", name="Search tips").get_by_role("switch")
        expect(switch).to_be_checked()
        switch.uncheck()
        page.keyboard.press("Escape")
        page.goto("/search?q=flood")
        page.keyboard.press("/")
        page.keyboard.press("j")
        expect(page.locator("body")).to_be_focused()
        page.keyboard.press("Control+k")
        expect(box(page)).to_be_focused()
        page.goto("/search/syntax")
        expect(page.get_by_role("switch")).not_to_be_checked()
        page.get_by_role("switch").check()
        page.keyboard.press("/")
        expect(box(page)).not_to_be_focused()  # a switch is a field
        page.locator("h1").click()
        page.keyboard.press("/")
        expect(box(page)).to_be_focused()


def test_arrows_lead_from_the_box_through_the_results_and_back(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        links = page.locator(".hit h2 a")
        page.keyboard.press("/")
        page.keyboard.press("ArrowDown")
        expect(links.first).to_be_focused()
        page.keyboard.press("j")
        expect(links.nth(1)).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("k")
        expect(links.first).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(box(page)).to_be_focused()
        expect(box(page)).to_have_value("flood")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator(".story h1")).to_be_visible()


# Results as one types


def test_results_follow_and_back_leads_through_settled_searches_only(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood&mode=keyword&page=2")
        page.evaluate("window.still = true")
        box(page).fill("")
        type_in(page, "counc")
        expect(page).to_have_url(f"{site}/search?q=counc&mode=keyword")
        page.keyboard.type("il")
        expect(page).to_have_url(f"{site}/search?q=council&mode=keyword")
        expect(page).to_have_title("council · Backfile")
        expect(box(page)).to_be_focused()
        assert box(page).evaluate("box => box.selectionStart") == 7
        expect(page.get_by_role("status").nth(1)).to_have_text("10 articles")
        expect(page.locator("link[rel=prev]")).to_have_count(0)
        page.keyboard.press("Enter")
        box(page).fill("comet")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=comet&mode=keyword")

        page.go_back()
        expect(page).to_have_url(f"{site}/search?q=council&mode=keyword")
        expect(box(page)).to_have_value("council")
        expect(page.locator(".hit").first).to_contain_text("Ostwick")
        page.go_back()
        expect(page).to_have_url(f"{site}/search?q=flood&mode=keyword&page=2")
        expect(box(page)).to_have_value("flood")
        expect(page.get_by_role("status").nth(1)).to_contain_text("page 2")
        page.go_forward()
        expect(page.locator(".hit").first).to_contain_text("Ostwick")
        assert page.evaluate("window.still"), "all of it without leaving the page"


def test_leaving_the_box_settles_a_search_and_back_from_an_article_leads_to_it(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        box(page).fill("comet")
        expect(page).to_have_url(f"{site}/search?q=comet")
        page.keyboard.press("Escape")
        page.locator(".hit h2 a").nth(2).click()
        expect(page.locator(".story h1")).to_contain_text("comet")
        page.go_back()
        expect(box(page)).to_have_value("comet")
        expect(page.locator(".hit").first).to_contain_text("comet")
        page.go_back()
        expect(page.locator(".hit").first).to_contain_text("Millbrook")


def test_results_wait_for_the_value_of_a_filter_and_for_what_a_sign_stands_before(browser: Browser, site: str) -> None:
    unfinished = ["source:", "flood source:The", 'source:"The Le', "flood -", "flood OR ", "a | ", "(", "x NOT"]
    finished = ["flood", 'source:"The Ledger"', "source:Reuters ", "kirsk~", "elect*", "floor", "a (b)"]
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        judged = page.evaluate(
            "async (texts) => texts.filter((await import('/static/live.js')).isUnfinished)", [*unfinished, *finished]
        )
        assert judged == unfinished


def test_where_one_was_in_a_list_is_kept(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        page.evaluate("scrollTo(0, 400)")
        page.wait_for_function("scrollY === 400")
        page.evaluate("document.getElementById('q').focus({ preventScroll: true })")
        box(page).evaluate("box => { box.value = 'comet'; box.dispatchEvent(new InputEvent('input')); }")
        expect(page).to_have_url(f"{site}/search?q=comet")
        page.evaluate("scrollTo(0, 0)")
        page.go_back()
        expect(page.locator(".hit").first).to_contain_text("Millbrook")
        page.wait_for_function("scrollY === 400")


def test_a_link_within_the_page_is_no_other_search(browser: Browser, site: str) -> None:
    with reading(browser, site, width=PHONE) as page:
        page.goto("/search?q=flood")
        page.evaluate("document.querySelector('.hits').dataset.same = 'yes'")
        page.get_by_role("link", name="Narrow down").click()
        page.go_back()
        expect(page.locator(".hits")).to_have_attribute("data-same", "yes")


def test_half_a_word_that_finds_nothing_takes_the_results_away_only_in_the_end(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood&mode=keyword")
        with page.expect_response("**/search?q=xyzzy*"):
            box(page).fill("xyzzy")
        expect(page.locator(".hit").first).to_be_visible()
        expect(page.get_by_role("heading", name="No good match for “xyzzy”")).to_be_visible()


def test_a_slow_answer_that_was_overtaken_never_shows_and_a_failed_one_falls_back_to_a_plain_search(
    browser: Browser, site: str
) -> None:
    held: list[Route] = []
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto("/search?q=flood")
    page.route("**/search?q=counc", lambda route: held.append(route))
    with page.expect_request("**/search?q=counc"):
        box(page).fill("counc")
    box(page).fill("comet")
    expect(page).to_have_url(f"{site}/search?q=comet")
    held[0].continue_()
    expect(page.locator(".hit").first).to_contain_text("comet")

    page.route(
        "**/search?q=council",
        lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_(),
    )
    with page.expect_event("requestfailed"):
        box(page).fill("council")
    expect(page.locator(".hit").first).to_contain_text("comet")
    expect(page.locator(".stale")).to_have_text("These are still the results for “comet”.")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_contain_text("Ostwick")
    page.go_back()
    expect(page.locator(".hit").first).to_contain_text("Millbrook")
    context.close()


def test_a_search_that_is_refused_as_one_types_is_shown_as_what_it_is(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        page.goto("/search?q=flood")
        box(page).fill("(" * 30 + "flood")
        refused = page.get_by_role("heading", name="This search asks for too much")
        expect(refused).to_be_visible()
        expect(page.locator(".hit")).to_have_count(0)
        expect(page.get_by_role("search").get_by_role("status").nth(1)).to_have_text("This search asks for too much")
        box(page).fill("comet")
        expect(page.locator(".hit").first).to_contain_text("comet")
        expect(refused).to_have_count(0)


def test_results_of_other_words_say_so_without_a_network_and_follow_when_it_is_back(
    browser: Browser, site: str
) -> None:
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        page.goto("/search?q=flood&mode=keyword")
        context.set_offline(True)
        box(page).fill("comet")
        stale = page.locator(".stale")
        expect(stale).to_have_text("These are still the results for “flood”.")
        expect(page.get_by_role("search").get_by_role("status").nth(1)).to_have_text(stale.inner_text())
        box(page).fill("flood")
        expect(stale).to_have_count(0)
        box(page).fill("comet")
        expect(stale).to_have_count(1)
        context.set_offline(False)
        expect(page.locator(".hit").first).to_contain_text("comet")
        expect(stale).to_have_count(0)


def test_what_is_typed_before_the_script_has_come_is_followed_too(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site) as context:
        page, held = context.new_page(), list[Route]()
        page.route("**/live.js*", lambda route: held.append(route))
        page.goto("/search")
        box(page).fill("comet")
        expect(options(page).first).to_be_visible()
        assert len(held) == 1
        held[0].continue_()
        expect(page.locator(".hit").first).to_contain_text("comet")


def test_results_of_other_words_follow_once_a_busy_archive_is_free(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        page.goto("/search")
        busy = {"Retry-After": "1"}
        page.route("**/search?q=comet", lambda route: route.fulfill(status=503, headers=busy), times=1)
        box(page).fill("comet")
        expect(page.locator(".stale")).to_have_text("These are still the results from before.")
        expect(page.locator(".hit").first).to_contain_text("comet")


def test_a_day_that_is_not_applied_yet_stays_when_results_follow(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.goto("/search?q=flood")
        page.get_by_label("From").fill("2001-02-03")
        page.get_by_label("To").press_sequentially("04")  # no whole day yet
        page.evaluate("document.getElementById('q').value = 'report'")
        box(page).dispatch_event("input")
        expect(page).to_have_url(f"{site}/search?q=report")
        expect(page.get_by_label("From")).to_have_value("2001-02-03")
        expect(page.get_by_label("To")).to_be_focused()
        assert page.get_by_label("To").evaluate("field => field.validity.badInput"), "half a day is still there"
        page.keyboard.type("04052003")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=report&from=2001-02-03&to=2003-04-05")


def test_results_do_not_follow_where_data_are_to_be_saved_nor_on_the_front_page(browser: Browser, site: str) -> None:
    with reading(browser, site) as page:
        page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } });")
        for path in ("/search?q=flood", "/"):
            page.goto(path)
            asked: list[str] = []
            page.on(
                "request", lambda request, asked=asked: asked.append(request.url) if "/search?" in request.url else None
            )
            box(page).fill("council")
            expect(options(page).first).to_be_visible()
            page.wait_for_timeout(300)
            assert asked == []
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=council")


def test_on_a_phone_the_keyboard_goes_away_with_enter(browser: Browser, site: str) -> None:
    with reading(browser, site, width=PHONE) as page:
        page.add_init_script(PHONES)
        page.goto("/search?q=flood")
        box(page).fill("council")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{site}/search?q=council")
        expect(box(page)).not_to_be_focused()


# The card, and without scripts


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("scripts", ["on", "off"])
def test_the_tips_open_and_their_examples_search(browser: Browser, site: str, width: int, scripts: str) -> None:
    with reading(browser, site, width=width, scripts=scripts) as page:
        page.goto("/search?q=flood")
        page.get_by_role("link", name="Search tips").click()
        if scripts == "on":
            expect(page.get_by_role("dialog", name="Search tips")).to_be_visible()
            expect(page).to_have_url(f"{site}/search?q=flood")
            page.get_by_role("button", name="Close").click()
            expect(page.get_by_role("link", name="Search tips")).to_be_focused()
            page.get_by_role("link", name="Search tips").click()
        else:
            expect(page).to_have_url(f"{site}/search/syntax")
            expect(page.get_by_text("Keys", exact=True)).to_be_hidden()
        assert_fits(page)
        page.locator(".operators a", has_text="title:").click()
        expect(page.locator(".hit").first).to_be_visible()
        expect(box(page)).to_have_value(re.compile("^title:"))


def test_without_scripts_the_box_is_a_plain_form(browser: Browser, site: str) -> None:
    with reading(browser, site, width=PHONE, scripts="off") as page:
        page.goto("/search?q=flood&mode=keyword")
        expect(page.get_by_role("searchbox", name="Search the archive")).to_be_visible()
        assert page.get_by_role("listbox").count() == 0
        box(page).fill("council")
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(f"{site}/search?q=council&mode=keyword")
        page.go_back()
        expect(page).to_have_url(f"{site}/search?q=flood&mode=keyword")
