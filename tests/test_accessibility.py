"""Every page in every state passes every gate, on a phone and on a desk, light and dark, with scripts and without.

A new page needs one line in `STATES`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import newsroom
import pytest
from browsing import PATIENCE, served
from copied import name, report, story
from flask import Flask
from gates import complaints, faint, moving, shifted, too_wide, unreachable, violations
from newsroom import article
from playwright.sync_api import Browser, Page

from archive.grouping import find_copies
from web import create_app
from web.services import Services
from web.settings import Settings

PHONE, TABLET, DESK = 360, 768, 1440  # CSS pixels
SMALLEST, ENLARGED = 320, 640  # WCAG 2.2, 1.4.10; a window of 1,280 at 200%
HEIGHT = 900

ARABIC = article(
    301, title="الفيضان يصل إلى البلدة", body="وصلت المياه إلى البلدة.\n\nقال السكان إنهم رأوها.", language="ar"
)
UNKNOWN = article(302, title="מכתב בלי שפה", body="המים עולים.", language=None)
ENDLESS = article(303, title="Endlessness " * 400, body="A very long headline.")
PROSE = article(
    304, title="Prose", body="The river had been rising since the morning, and nobody in the town slept. " * 20
)
FIRST_STORY = 1
PRINTED = {"/search?q=flood": "h1", f"/articles/{PROSE.id}": ".body", f"/stories/{FIRST_STORY}": ".timeline"}
EDGES = """all => all.map(each => each.getBoundingClientRect()).map(({ left, right }) =>
  ({ right, middle: (left + right) / 2 }))"""
LETTERS_A_LINE = """paragraph => {
  const range = document.createRange();
  range.selectNodeContents(paragraph);
  const lines = new Set([...range.getClientRects()].map(rect => Math.round(rect.top)));
  return paragraph.textContent.length / lines.size;
}"""


@dataclass(frozen=True, slots=True)
class State:
    """A page in one of its states."""

    name: str
    path: str
    archive: Literal["full", "mirrored", "empty", "unindexed"] = "full"
    is_walked: bool = (
        True  # by the Tab key: what stands in frames and shadow roots has stops that the walk does not know
    )


STATES = [
    State("home", "/"),
    State("home, empty archive", "/", "empty"),
    State("results", "/search?q=flood"),
    State("all articles", "/search?sort=newest"),
    State("filtered", "/search?q=report&mode=keyword&source=The+Ledger&section=Weather&from=2001-01-01"),
    State("not all words", "/search?q=flood+comet+ballot+council"),
    State("near in meaning alone", "/search?q=inundation+deluge"),
    State("no match", "/search?q=xyzzy+plugh"),
    State("nearest anyway", "/search?q=xyzzy+plugh&cutoff=off"),
    State("copies folded", "/search?q=Headline"),
    State("beyond the last page", "/search?q=flood&page=90"),
    State("results, empty archive", "/search?q=flood", "empty"),
    State("results, not at full strength", "/search?q=flood", "unindexed"),
    State("bad parameter", "/search?q=flood&page=x"),
    State("refused query", f"/search?q={'flood+' * 400}"),
    State("article", f"/articles/{newsroom.ORDINARY[0].id}?q=flood"),
    State("article with versions", f"/articles/{newsroom.CORRECTED.id}"),
    State("article with copies", f"/articles/{name(2)}"),
    State("article from right to left", f"/articles/{ARABIC.id}"),
    State("article of unknown language", f"/articles/{UNKNOWN.id}"),
    State("article with an endless headline", f"/articles/{ENDLESS.id}"),
    State("article, hostile", f"/articles/{newsroom.NASTY[0].id}"),
    State("article with marks, from results", f"/articles/{newsroom.ORDINARY[1].id}?q=flood+in+Millbrook&mode=hybrid"),
    State("versions", f"/articles/{newsroom.CORRECTED.id}/versions"),
    State("earlier version", f"/articles/{newsroom.CORRECTED.id}/versions/1"),
    State("what changed", f"/articles/{newsroom.CORRECTED.id}/versions/2/changes"),
    State("copies", f"/articles/{name(2)}/copies"),
    State("card of an article", f"/articles/{newsroom.ORDINARY[0].id}/embed"),
    State("card of a story", f"/stories/{FIRST_STORY}/embed"),
    State("withdrawn", f"/articles/{newsroom.WITHDRAWN.id}"),
    State("stories", "/stories"),
    State("stories, empty archive", "/stories", "empty"),
    State("story", f"/stories/{FIRST_STORY}"),
    State("browse", "/browse"),
    State("browse, empty archive", "/browse", "empty"),
    State("year", "/browse/2001"),
    State("month", "/browse/2001/03"),
    State("day", "/browse/2001/03/01"),
    State("undated", "/browse/undated"),
    State("sources", "/browse/sources"),
    State("authors of a letter", "/browse/authors?letter=A"),
    State("profile", "/browse/author?name=Ada+Quill"),
    State("status", "/status"),
    State("status, empty archive", "/status", "empty"),
    State("search tips", "/search/syntax"),
    State("for other sites", "/embed", is_walked=False),
    State("the API", "/api/docs"),
    State("saved searches", "/saved"),
    State("search to be saved", "/saved/new?q=flood"),
    State("nothing there", "/nothing"),
    State("home, from right to left", "/", "mirrored"),
    State("results, from right to left", "/search?q=flood&source=The+Ledger", "mirrored"),
    State("article, from right to left", f"/articles/{newsroom.ORDINARY[0].id}?q=flood", "mirrored"),
    State("month, from right to left", "/browse/2001/03", "mirrored"),
    State("story, from right to left", f"/stories/{FIRST_STORY}", "mirrored"),
]
OPENED = {  # by scripts or a click: the page, what is clicked, what is typed, and what is then there
    "the bars as a table": ("/search?q=flood", ".when summary", "", ".when table"),
    "completions": ("/search?sort=newest", "#q", "sou", ".completions"),
    "search tips beside a search": ("/search?q=flood", ".to-tips a", "", "dialog.tips-here"),
}
every_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
pytestmark = pytest.mark.browser


def full(folder: Path) -> Services:
    """Return the newsroom with copies, a text from right to left, one in no known language, and an endless headline."""
    services = newsroom.open_newsroom(folder)
    first, rest = story("storm", until=1), story("storm", since=1)
    kept = [
        report(1, f"{first} {rest}", hours=1, source="The Wire"),
        report(2, f"Seen here. {rest}", hours=2, source="The Local"),
    ]
    for each in (*kept, ARABIC, UNKNOWN, ENDLESS, PROSE):
        services.store.put(each)
    find_copies(services.store)
    services.builder.update()
    newsroom.tell(services)
    return services


def mirrored(services: Services) -> Flask:
    """Return the application as it is when its pages speak Arabic."""
    app = create_app(services=services)
    app.extensions["babel"].locale_selector = lambda: "ar"
    return app


def empty(folder: Path) -> Services:
    return Services(Settings(data=folder), embedder=newsroom.MeaningEmbedder())


def unindexed(folder: Path) -> Services:
    services = empty(folder)
    services.store.put(newsroom.ORDINARY[0])
    return services


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of the archives."""
    with ExitStack() as stack:
        addresses = {}
        for open_archive in (full, empty, unindexed):
            services = open_archive(tmp_path_factory.mktemp("data"))
            stack.callback(services.close)
            addresses[open_archive.__name__] = stack.enter_context(served(create_app(services=services)))
            if open_archive is full:
                addresses["mirrored"] = stack.enter_context(served(mirrored(services)))
        yield addresses


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def page_without_scripts(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def open_at(page: Page, width: int, address: str) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto(address)


def walked(page: Page, state: State) -> list[str]:
    return unreachable(page) if state.is_walked else []


@every_state
def test_a_page_passes(page: Page, archives: dict[str, str], state: State) -> None:
    site = archives[state.archive]
    with complaints(page, site) as heard:
        page.emulate_media(color_scheme="light")
        open_at(page, DESK, site + state.path)
        wrong = shifted(page)
        open_at(page, PHONE, site + state.path)  # anew: what moves, moves while the page is loading
        wrong += shifted(page) + too_wide(page) + violations(page) + walked(page, state) + moving(page)
        page.set_viewport_size({"width": DESK, "height": HEIGHT})
        wrong += violations(page) + walked(page, state)
        page.emulate_media(color_scheme="dark")
        wrong += faint(page)
    assert "\n".join(wrong + heard) == ""


@pytest.mark.parametrize("opened", OPENED)
def test_what_opens_passes(page: Page, archives: dict[str, str], opened: str) -> None:
    path, clicked, typed, there = OPENED[opened]
    wrong = []
    with complaints(page, archives["full"]) as heard:
        for width in (PHONE, DESK):
            open_at(page, width, archives["full"] + path)
            page.locator(clicked).first.click()
            page.keyboard.type(typed)
            page.locator(there).first.wait_for()
            wrong += too_wide(page) + violations(page) + moving(page)
        page.emulate_media(color_scheme="dark")
        wrong += faint(page)
        page.emulate_media(color_scheme="light")
    assert "\n".join(wrong + heard) == ""


@every_state
def test_a_page_fits_every_window_and_passes_without_scripts(
    page_without_scripts: Page, archives: dict[str, str], state: State
) -> None:
    page, site = page_without_scripts, archives[state.archive]
    wrong = []
    with complaints(page, site) as heard:
        open_at(page, SMALLEST, site + state.path)
        for width in (SMALLEST, ENLARGED, TABLET, DESK):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            wrong += [f"at {width}: {found}" for found in too_wide(page)]
    assert "\n".join(wrong + heard) == ""


def test_lines_of_an_article_have_sixty_to_seventy_five_letters(page: Page, archives: dict[str, str]) -> None:
    open_at(page, DESK, f"{archives['full']}/articles/{PROSE.id}")
    length: float = page.locator(".body p").first.evaluate(LETTERS_A_LINE)
    assert 60 <= length <= 75


@pytest.mark.parametrize("width", [SMALLEST, PHONE, TABLET, DESK])
def test_the_places_of_the_masthead_stand_in_one_row(page: Page, archives: dict[str, str], width: int) -> None:
    open_at(page, width, f"{archives['full']}/stories")
    tops = {round(place.bounding_box()["y"]) for place in page.locator(".sections a").all()}  # type: ignore[index]
    assert len(tops) == 1


def test_an_endless_headline_ends_in_a_list_and_is_whole_in_its_article(page: Page, archives: dict[str, str]) -> None:
    for path in ("/", "/search?q=Endlessness"):
        open_at(page, PHONE, archives["full"] + path)
        link = page.locator(f'a[href^="/articles/{ENDLESS.id}"]').first
        assert link.bounding_box()["height"] < 200  # type: ignore[index]
    link.click()
    assert page.locator("h1").inner_text() == ENDLESS.title.strip()


def test_a_text_runs_as_its_language_does(page: Page, archives: dict[str, str]) -> None:
    for each, heading in ((ARABIC, "rtl"), (UNKNOWN, "rtl"), (newsroom.GERMAN, "ltr")):
        open_at(page, DESK, f"{archives['full']}/articles/{each.id}")
        assert page.locator("html").get_attribute("dir") == "ltr"
        for part in ("h1", ".body p"):
            assert page.locator(part).first.evaluate("each => getComputedStyle(each).direction") == heading, part
        edges = page.locator(".story header, .story .day").evaluate_all(EDGES)
        assert (edges[1]["right"] > edges[0]["middle"]) == (heading == "rtl"), "the line of its source is on its side"


def test_a_page_that_speaks_a_language_from_right_to_left_is_mirrored(page: Page, archives: dict[str, str]) -> None:
    open_at(page, DESK, f"{archives['mirrored']}/search?q=report&mode=keyword&page_size=5")
    edges = page.locator(".list, .facets, .wordmark, .search").evaluate_all(EDGES)
    wordmark, box, results, filters = (each["middle"] for each in edges)
    assert wordmark > box
    assert results > filters
    for turned in (".arrow", ".histogram"):
        assert (
            page.locator(turned).first.evaluate("each => getComputedStyle(each).transform")
            == "matrix(-1, 0, 0, 1, 0, 0)"
        )


def test_a_page_printed_in_the_dark_is_black_on_white(page: Page, archives: dict[str, str]) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    for path, shown in PRINTED.items():
        open_at(page, DESK, archives["full"] + path)
        page.locator(shown).first.wait_for()
        assert page.locator("body").evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 255, 255)"
        assert (
            page.locator(".masthead, .colophon, .facets, .related, .why, .switch").evaluate_all(
                "all => all.filter(each => each.checkVisibility()).length"
            )
            == 0
        )
    page.emulate_media(media="screen", color_scheme="light")


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(0, 0, 0)")])
def test_who_asks_for_more_contrast_gets_it(
    page: Page, archives: dict[str, str], scheme: Literal["light", "dark"], ground: str
) -> None:
    page.emulate_media(color_scheme=scheme, contrast="more")
    open_at(page, DESK, f"{archives['full']}/search?q=flood")
    assert page.locator("body").evaluate("each => getComputedStyle(each).backgroundColor") == ground
    assert violations(page) == []
    page.emulate_media(color_scheme="light", contrast="no-preference")


def test_with_forced_colours_what_is_chosen_and_what_is_drawn_can_still_be_told(
    page: Page, archives: dict[str, str]
) -> None:
    page.emulate_media(forced_colors="active")
    open_at(page, DESK, f"{archives['full']}/search?q=report&mode=keyword")
    chosen, other = (page.locator(f".switch a{which}").first for which in ("[aria-current]", ":not([aria-current])"))
    line = "each => getComputedStyle(each).textDecorationLine"
    assert (chosen.evaluate(line), other.evaluate(line)) == ("underline", "none")
    column, ground = page.locator(".histogram .column").first, page.locator("body")
    assert column.evaluate("each => getComputedStyle(each).fill") != ground.evaluate(
        "each => getComputedStyle(each).backgroundColor"
    )
    page.emulate_media(forced_colors="none")
