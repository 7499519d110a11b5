"""The elements on a publisher's page: another origin, a strict CSP, a real browser. And the page to copy them from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from browsing import NARROW, PATIENCE, WIDE, assert_fits, served
from browsing import reading as opened
from flask import Flask, Response
from newsroom import article
from playwright.sync_api import Browser, Page, expect

FLOOD = article(0)
LINKS = "it => [...it.shadowRoot.querySelectorAll('a')].map(link => link.href)"
SHEET = """
backfile-related { --backfile-link: rgb(1, 2, 3); }
backfile-related::part(reason) { display: none; }
"""
pytestmark = pytest.mark.browser


@pytest.fixture
def archive(site: str) -> str:
    """The archive's address, beside that of the site its elements stand on."""
    return site


@contextmanager
def published(archive: str, body: str, *, head: str = "") -> Iterator[str]:
    """Serve a page of another origin that allows the archive's script and data, and no style or script inside it."""
    app = Flask("publisher", static_folder=None)

    @app.get("/<path:name>")
    def page(name: str) -> Response:
        if name == "page.css":
            return Response(SHEET, content_type="text/css")
        script = "".join(
            f'<script src="{archive}/static/{name}.js" defer></script>' for name in ("related", "embed-search")
        )
        answer = Response(
            f'<!doctype html><html lang="en"><title>Ours</title><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="/page.css">{head}{script}<body>{body}'
        )
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; img-src data:; style-src 'self'; script-src {archive}; connect-src {archive};"
            f" frame-src {archive};"
            " require-trusted-types-for 'script'"
        )
        return answer

    with served(app) as address:
        yield address


@pytest.fixture
def reading(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open pages, and fail if anything was complained of, a broken policy above all."""
    context = browser.new_context()
    complaints: list[str] = []

    def opened(url: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield opened
    cookies = context.cookies()
    context.close()
    assert (complaints, cookies) == ([], [])


def test_the_panel_stands_on_a_page_of_another_origin_under_a_strict_policy(
    site: str, reading: Callable[[str], Page]
) -> None:
    with published(site, f'<backfile-related article="{FLOOD.id}" limit="4"></backfile-related>') as publisher:
        page = reading(f"{publisher}/story.html")
        panel = page.locator("backfile-related")
        expect(panel.get_by_role("heading", name="Related articles")).to_be_visible()
        expect(panel.get_by_role("listitem")).to_have_count(4)
        expect(panel.get_by_role("heading", level=3).first).to_have_text("Same event elsewhere")
        link = panel.get_by_role("link").first
        assert (link.get_attribute("href") or "").startswith("https://")  # the article's own address
        expect(link).to_have_css("color", "rgb(1, 2, 3)")
        expect(panel.locator(".reason, [part=reason]").first).to_be_hidden()


def test_the_page_s_own_address_says_which_article_it_is(site: str, reading: Callable[[str], Page]) -> None:
    head = f'<link rel="canonical" href="{FLOOD.url}">'
    with published(site, '<backfile-related links="archive"></backfile-related>', head=head) as publisher:
        page = reading(f"{publisher}/story.html?utm_source=mail")
        links = page.locator("backfile-related").get_by_role("link")
        expect(links).to_have_count(5)
        assert (links.first.get_attribute("href") or "").startswith(f"{site}/articles/")


def test_hostile_titles_are_text_and_another_article_takes_the_panel_s_place(
    site: str, reading: Callable[[str], Page]
) -> None:
    with published(site, f'<backfile-related article="{FLOOD.id}" limit="20"></backfile-related>') as publisher:
        page = reading(f"{publisher}/story.html")
        panel = page.locator("backfile-related")
        expect(panel.get_by_role("listitem")).to_have_count(20)
        assert panel.evaluate("it => it.shadowRoot.querySelectorAll('script, img, svg, style').length") == 0
        first = panel.get_by_role("link").first
        before = first.inner_text()
        panel.evaluate("(it, id) => it.setAttribute('article', id)", article(12).id)
        expect(first).not_to_have_text(before)


def test_where_nothing_is_related_the_panel_takes_no_room_and_says_so(site: str, browser: Browser) -> None:
    body = '<backfile-related url="https://nowhere.example/a"></backfile-related>'
    with published(site, body) as publisher:
        page = browser.new_page()
        page.add_init_script("addEventListener('backfile-error', event => { window.told = event.detail.message; })")
        page.goto(f"{publisher}/story.html")
        expect(page.locator("backfile-related")).to_have_attribute("hidden", "")
        assert page.evaluate("window.told").startswith("404")
        expect(page.locator("backfile-related")).to_be_hidden()
        page.close()


@pytest.mark.parametrize(("limit", "count"), [("abc", 5), ("", 5), ("2.5", 5), ("-5", 1), ("0", 1), ("1000", 20)])
def test_a_limit_that_is_none_is_the_usual_one_or_the_nearest(
    site: str, reading: Callable[[str], Page], limit: str, count: int
) -> None:
    with published(site, f'<backfile-related article="{FLOOD.id}" limit="{limit}"></backfile-related>') as publisher:
        page = reading(f"{publisher}/story.html")
        expect(page.locator("backfile-related").get_by_role("listitem")).to_have_count(count)


def test_of_what_can_be_no_article_nothing_is_asked(site: str, reading: Callable[[str], Page]) -> None:
    body = "".join(
        f"<backfile-related {named}></backfile-related>" for named in ('article="nonsense"', 'url="about:blank"')
    )
    with published(site, body) as publisher:
        page = reading(f"{publisher}/story.html")
        for panel in page.locator("backfile-related").all():
            expect(panel).to_have_attribute("hidden", "")


@pytest.mark.parametrize(
    ("language", "lane", "day"),
    [
        ("en", "Same event elsewhere", "2 March 2001"),
        ("en-US", "Same event elsewhere", "2 March 2001"),
        ("de", "Dasselbe Ereignis anderswo", "2. März 2001"),
        ("ar-SA", "الحدث نفسه في مواضع أخرى", "2 مارس 2001"),
    ],
)
def test_the_panel_speaks_and_dates_as_the_archive_s_own_pages_do(
    site: str, reading: Callable[[str], Page], language: str, lane: str, day: str
) -> None:
    body = f'<backfile-related article="{FLOOD.id}" lang="{language}"></backfile-related>'
    with published(site, body) as publisher:
        panel = reading(f"{publisher}/story.html").locator("backfile-related")
        expect(panel.get_by_role("heading", level=3).first).to_have_text(lane)
        expect(panel.locator("[part=provenance]").first).to_contain_text(day)


# The search box


def test_a_search_box_on_a_page_of_another_origin_finds_and_leads_to_all_results(
    archive: str, reading: Callable[[str], Page]
) -> None:
    body = '<backfile-search source="The Ledger|Harbour News" limit="3" label="Our archive"></backfile-search>'
    with published(archive, body) as site:
        page = reading(f"{site}/story.html")
        element = page.locator("backfile-search")
        box = element.get_by_role("combobox", name="Our archive")
        box.fill("flood")
        box.press("Enter")
        expect(element.get_by_role("listitem")).to_have_count(3)
        expect(element.get_by_role("status")).to_contain_text("articles")
        expect(element.locator("mark").first).to_have_text("flood")
        assert (element.get_by_role("link").first.get_attribute("href") or "").startswith("https://")
        every = element.get_by_role("link", name="by Backfile")
        expect(every).to_have_attribute("href", f"{archive}/search?q=flood&source=The+Ledger&source=Harbour+News")
        box.fill("xyzzy plugh")
        element.get_by_role("button", name="Search").click()
        expect(element.get_by_role("status")).to_have_text("No good match in the archive.")
        expect(element.get_by_role("listitem")).to_have_count(0)


def test_completions_are_gone_through_by_keys_and_taken_by_enter(archive: str, reading: Callable[[str], Page]) -> None:
    with published(archive, "<backfile-search></backfile-search>") as site:
        page = reading(f"{site}/story.html")
        element = page.locator("backfile-search")
        box = element.get_by_role("combobox")
        options = element.get_by_role("option")
        for _ in range(50):  # what is completed is read in the background, after a first answer
            box.fill("")
            box.press_sequentially("flo")
            page.wait_for_timeout(300)
            if options.count():
                break
        expect(box).to_have_attribute("aria-expanded", "true")
        box.press("ArrowDown")
        chosen = element.locator("[role=option][aria-selected=true]")
        expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
        box.press("Escape")
        expect(options).to_have_count(0)
        box.press_sequentially("o")
        box.press("Backspace")
        expect(options.first).to_be_visible()
        box.press("ArrowDown")
        taken = chosen.evaluate("it => it.firstChild.textContent")
        box.press("Enter")
        expect(box).to_have_value(taken)
        expect(element.get_by_role("listitem").first).to_be_visible()


def test_hostile_results_are_text_and_an_archive_that_does_not_answer_is_told_of(
    archive: str,
    browser: Browser,
) -> None:
    with published(archive, '<backfile-search query="nasty" limit="20"></backfile-search>') as site:
        page = browser.new_page()
        page.goto(f"{site}/story.html")
        element = page.locator("backfile-search")
        expect(element.get_by_role("listitem").first).to_be_visible()
        assert element.evaluate("it => it.shadowRoot.querySelectorAll('script, img, svg, style').length") == 0
        assert not [href for href in element.evaluate(LINKS) if not href.startswith("http")]
        page.route("**/api/search*", lambda route: route.abort())
        element.evaluate("it => it.setAttribute('query', 'flood')")
        expect(element.get_by_role("status")).to_contain_text("The archive did not answer")
        expect(element.get_by_role("listitem")).to_have_count(0)
        page.close()


def test_a_card_stands_in_another_site_s_frame_and_its_page_does_not(
    archive: str,
    browser: Browser,
) -> None:
    frames = f'<iframe src="{archive}/articles/{FLOOD.id}/embed"></iframe><iframe src="{archive}/"></iframe>'
    with published(archive, frames) as site:
        page = browser.new_page()
        page.goto(f"{site}/story.html")
        expect(page.frame_locator("iframe >> nth=0").get_by_role("heading", name=FLOOD.title)).to_be_visible()
        expect(page.frame_locator("iframe >> nth=1").get_by_role("heading", name="Backfile")).to_have_count(0)
        page.close()


# Our own pages


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_to_copy_from_shows_everything_at_work(archive: str, browser: Browser, width: int) -> None:
    with opened(browser, archive, width=width) as page:
        page.goto("/embed")
        expect(page.locator("backfile-related").get_by_role("listitem")).to_have_count(3)
        page.locator("backfile-search").get_by_role("combobox").fill("flood")
        page.keyboard.press("Enter")
        expect(page.locator("backfile-search").get_by_role("listitem")).to_have_count(3)
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
        assert f'src="{archive}/static/related.js"' in page.locator("code").nth(1).inner_text()
        assert_fits(page)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_api_is_tried_from_its_page(archive: str, browser: Browser, width: int) -> None:
    with opened(browser, archive, width=width) as page:
        page.goto("/api/docs")
        form = page.locator("form[data-template='/api/search']")
        form.get_by_label("q", exact=False).first.fill("it's a flood")
        form.get_by_text("More parameters").click()
        form.get_by_label("source").fill("The Ledger|Harbour News")
        expect(form.locator(".curl")).to_have_text(
            f"curl '{archive}/api/search?q=it%27s+a+flood&source=The+Ledger&source=Harbour+News'"
        )
        form.get_by_role("button", name="Send").click()
        expect(form.locator(".status")).to_contain_text("200")
        expect(form.locator(".headers")).to_contain_text("etag")
        expect(form.locator(".content")).to_contain_text('"query": "it\'s a flood"')
        one = page.locator("form[data-template='/api/articles/{id}']")
        one.get_by_label("id").fill(article(12).id)
        one.get_by_role("button", name="Send").click()
        expect(one.locator(".content")).to_contain_text(article(12).title)
        draft = page.locator("form[data-method='POST']")
        draft.get_by_role("button", name="Send").click()
        expect(draft.locator(".content")).to_contain_text('"results"')
        assert_fits(page)


def test_without_scripts_a_form_of_the_api_leads_to_its_answer(archive: str, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)  # whatever else a browser asks for beside JSON is its own affair
    page.goto(f"{archive}/api/docs")
    form = page.locator("form[data-template='/api/articles/{id}']")
    expect(form.get_by_label("id")).not_to_be_editable()
    form.get_by_role("button", name="Send").click()
    expect(page.locator("body")).to_contain_text('"derived_title"')
    page.close()
