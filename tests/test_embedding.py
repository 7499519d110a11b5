"""The element on a publisher's page: another origin, a strict CSP, a real browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import newsroom
import pytest
from browsing import PATIENCE, served
from flask import Flask, Response
from newsroom import article
from playwright.sync_api import Browser, Page, expect

FLOOD = article(0)
SHEET = """
backfile-related { --backfile-link: rgb(1, 2, 3); }
backfile-related::part(reason) { display: none; }
"""
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with newsroom.application(tmp_path_factory.mktemp("data")) as app, served(app) as address:
        yield address


@contextmanager
def published(archive: str, body: str, *, head: str = "") -> Iterator[str]:
    """Serve a page of another origin that allows the archive's script and data, and no style or script inside it."""
    app = Flask("publisher", static_folder=None)

    @app.get("/<path:name>")
    def page(name: str) -> Response:
        if name == "page.css":
            sheet = (
                "backfile-related { --backfile-link: rgb(1, 2, 3); } backfile-related::part(reason) { display: none; }"
            )
            return Response(sheet, content_type="text/css")
        script = f'<script src="{archive}/static/related.js" defer></script>'
        answer = Response(
            f'<!doctype html><html lang="en"><title>Ours</title><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="/page.css">{head}{script}<body>{body}'
        )
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; img-src data:; style-src 'self'; script-src {archive}; connect-src {archive};"
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
    archive: str, reading: Callable[[str], Page]
) -> None:
    with published(archive, f'<backfile-related article="{FLOOD.id}" limit="4"></backfile-related>') as site:
        page = reading(f"{site}/story.html")
        panel = page.locator("backfile-related")
        expect(panel.get_by_role("heading", name="Related articles")).to_be_visible()
        expect(panel.get_by_role("listitem")).to_have_count(4)
        expect(panel.get_by_role("heading", level=3).first).to_have_text("The same story")
        link = panel.get_by_role("link").first
        assert (link.get_attribute("href") or "").startswith("https://")  # the article's own address
        expect(link).to_have_css("color", "rgb(1, 2, 3)")
        expect(panel.locator(".reason, [part=reason]").first).to_be_hidden()


def test_the_page_s_own_address_says_which_article_it_is(archive: str, reading: Callable[[str], Page]) -> None:
    head = f'<link rel="canonical" href="{FLOOD.url}">'
    with published(archive, '<backfile-related links="archive"></backfile-related>', head=head) as site:
        page = reading(f"{site}/story.html?utm_source=mail")
        links = page.locator("backfile-related").get_by_role("link")
        expect(links).to_have_count(5)
        assert (links.first.get_attribute("href") or "").startswith(f"{archive}/articles/")


def test_hostile_titles_are_text_and_another_article_takes_the_panel_s_place(
    archive: str, reading: Callable[[str], Page]
) -> None:
    with published(archive, f'<backfile-related article="{FLOOD.id}" limit="20"></backfile-related>') as site:
        page = reading(f"{site}/story.html")
        panel = page.locator("backfile-related")
        expect(panel.get_by_role("listitem")).to_have_count(20)
        assert panel.evaluate("it => it.shadowRoot.querySelectorAll('script, img, svg, style').length") == 0
        first = panel.get_by_role("link").first
        before = first.inner_text()
        panel.evaluate("(it, id) => it.setAttribute('article', id)", article(12).id)
        expect(first).not_to_have_text(before)


def test_where_nothing_is_related_the_panel_takes_no_room_and_says_so(archive: str, browser: Browser) -> None:
    body = '<backfile-related url="https://nowhere.example/a"></backfile-related>'
    with published(archive, body) as site:
        page = browser.new_page()
        page.add_init_script("addEventListener('backfile-error', event => { window.told = event.detail.message; })")
        page.goto(f"{site}/story.html")
        expect(page.locator("backfile-related")).to_have_attribute("hidden", "")
        assert page.evaluate("window.told").startswith("404")
        expect(page.locator("backfile-related")).to_be_hidden()
        page.close()
