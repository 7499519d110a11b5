"""The gates themselves: each finds what it is there to find."""

from collections.abc import Iterator

import pytest
from browsing import PATIENCE
from gates import complaints, faint, moving, shifted, too_wide, unreachable, violations
from playwright.sync_api import Browser, Page

GOOD = """<!doctype html><html lang="en"><title>Good</title><body><main><h1>Good</h1>
<p><a href="#first">The first place to go to</a></p><p><a href="#second">The second place to go to</a></p></main>"""
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 600, "height": 600})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def with_style(style: str) -> str:
    return GOOD.replace("<body>", f"<style>{style}</style><body>")


def test_a_good_page_passes_all(page: Page) -> None:
    with complaints(page, "about:") as heard:
        page.set_content(GOOD)
        gates = (violations, faint, shifted, too_wide, moving, unreachable)
        assert [found for gate in gates for found in gate(page)] == heard == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('<img src="data:,">', "image-alt"),
        ('<p style="color: #999">Pale</p>', "color-contrast"),
        ('<button style="height: 9px; padding: 0; font-size: 5px; border: 0">a</button>' * 2, "target-size"),
        ("<h4>Too deep</h4>", "heading-order"),
        ("<input>", "label"),
        ('<p lang="nonsense">?</p>', "valid-lang"),
    ],
)
def test_axe_finds_what_is_not_accessible(page: Page, body: str, rule: str) -> None:
    page.set_content(GOOD.replace("</main>", f"{body}</main>"))
    assert rule in [found.split(":")[0] for found in violations(page)]


def test_pale_words_are_found_by_their_colour_alone(page: Page) -> None:
    page.set_content(with_style("h1 { color: #aaa }"))
    assert [found.split(":")[0] for found in faint(page)] == ["color-contrast"]


def test_a_shift_is_found(page: Page) -> None:
    page.set_content(GOOD)
    page.evaluate(
        """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
            document.querySelector("h1").style.paddingBottom = "200px";
            requestAnimationFrame(done);
        })))"""
    )
    assert shifted(page)


def test_what_is_too_wide_is_found(page: Page) -> None:
    page.set_content(with_style("h1 { width: 700px }"))
    assert too_wide(page)


@pytest.mark.parametrize(
    "style", ["a { transition: color 1s }", "h1 { animation: x 1s } @keyframes x { to { opacity: 0 } }"]
)
def test_what_moves_is_found(page: Page, style: str) -> None:
    page.set_content(with_style(style))
    assert moving(page)


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("a { outline: 0 !important }", "focus is not seen"),
        ("main { display: flex; flex-direction: column-reverse }", "out of order"),
        ("p { display: inline } main { display: flex; flex-direction: row-reverse }", "out of order"),
    ],
)
def test_a_walk_by_keys_finds_what_is_lost(page: Page, style: str, said: str) -> None:
    page.set_content(with_style(style))
    assert said in "\n".join(unreachable(page))


def test_a_walk_by_keys_finds_what_it_cannot_reach(page: Page) -> None:
    page.set_content(GOOD)
    page.evaluate("""() => document.querySelector("a").addEventListener("keydown", event => event.preventDefault())""")
    assert "not reached" in "\n".join(unreachable(page))


def test_complaints_are_heard(page: Page) -> None:
    with complaints(page, "about:") as heard:
        page.set_content(GOOD)
        page.evaluate("() => console.warn('not well')")
        page.evaluate("() => fetch('http://127.0.0.1:1/').catch(() => {})")
    assert [heard[0], heard[1]] == ["warning: not well", "asked of others: http://127.0.0.1:1/"]
