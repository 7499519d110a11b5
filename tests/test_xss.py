"""A real browser reads an archive of which every field is a script: nothing of it runs, and no policy has to step in.

Two things stand between a script in an article and a reader: what is stored is escaped, and the policy of every page
lets nothing but our own scripts run. Each is tried with the other taken away, and once both are, so that it is known
that these scripts would run.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import hostile_archive
import pytest
from browsing import PATIENCE, served
from flask import Flask
from hostile_archive import ALL, EVERY, PAYLOADS, WORDS
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from web import create_app
from web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RESULTS = [f"/search?q={quote(WORDS)}&mode=keyword&page_size=100&page={page}" for page in range(1, 8)]
TAKEN_AWAY = {"Content-Security-Policy", "Cross-Origin-Opener-Policy"}
HOOKS = """
window.pwned = () => window.ran(location.href);
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = window.pwned;
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused(`${event.effectiveDirective} ${event.blockedURI} on ${location.href}: ${event.sample}`));
"""
# Reads many addresses at once, in frames; nothing may be framed but where the policy is taken away.
READ = """async (addresses) => {
  const queue = [...addresses];
  const read = (address) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.addEventListener("load", () => setTimeout(done, 20, frame));
    setTimeout(done, 5000, frame); // what is taken for a download loads nothing
    frame.src = address;
    document.body.append(frame);
  }).then((frame) => frame.remove());
  await Promise.all(Array.from({ length: 6 }, async () => { while (queue.length) await read(queue.shift()); }));
}"""

pytestmark = pytest.mark.browser


class WithoutPolicy:
    """The application as it would be without its policy."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self._inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: object) -> Callable[[bytes], object]:
            kept = [(name, value) for name, value in headers if name not in TAKEN_AWAY]
            return start_response(status, kept, *more)  # type: ignore[arg-type]

        return self._inner(environ, start)  # type: ignore[arg-type]


@dataclass
class Seen:
    """What happened in a browser that should not have."""

    ran: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # by a policy
    asked: list[str] = field(default_factory=list)  # of other hosts
    said: list[str] = field(default_factory=list)  # in the console


@contextmanager
def watching(browser: Browser, site: str, *others: str) -> Iterator[tuple[Page, Seen]]:
    """Open a page in which every script of an article would be noticed, and nobody outside is reached."""
    seen = Seen()

    def asked(request: Request) -> None:
        if not request.url.startswith((site, *others, "data:", "blob:", "about:")):
            seen.asked.append(request.url)

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            seen.said.append(message.text)

    with browser.new_context(base_url=site, accept_downloads=False) as context:
        context.expose_binding("ran", lambda _, where: seen.ran.append(where))
        context.expose_binding("refused", lambda _, what: seen.refused.append(what))
        context.add_init_script(HOOKS)
        context.on("dialog", lambda dialog: (seen.ran.append(dialog.message), dialog.dismiss()))
        context.on("request", asked)
        context.on("console", said)
        context.route(lambda url: not url.startswith((site, *others)), lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        yield page, seen


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = hostile_archive.open_archive(tmp_path_factory.mktemp("hostile"))
    yield services
    services.close()


@pytest.fixture(scope="module")
def ids(services: Services) -> list[str]:
    return services.store.live_ids()


@pytest.fixture(scope="module")
def site(services: Services) -> Iterator[str]:
    """The archive as it is."""
    with served(create_app(services=services)) as address:
        yield address


@pytest.fixture(scope="module")
def without_policy(services: Services) -> Iterator[str]:
    app = create_app(services=services)
    app.wsgi_app = WithoutPolicy(app.wsgi_app)  # type: ignore[assignment]
    with served(app) as address:
        yield address


def unescaped(services: Services) -> Flask:
    """Return the application as it would be if no template escaped anything."""
    app = create_app(services=services)
    app.jinja_env.autoescape = False
    return app


def belonging(ids: list[str]) -> list[str]:
    """Return addresses of everything that belongs to an article, each of another one, as many as are read."""
    kinds = ("", "/versions", "/versions/1", "/versions/1/changes", "/copies", "/embed", "/related", "")
    return [
        f"/articles/{id_}{kinds[place % len(kinds)]}?q={quote(WORDS)}"
        for place, id_ in enumerate(ids[:: max(1, EVERY)])
    ]


def test_on_no_page_does_anything_run_and_no_policy_has_to_step_in(
    browser: Browser, site: str, services: Services, ids: list[str]
) -> None:
    story = services.stories.page(number=1, size=1).stories[0].story.id
    pages = [
        "/", RESULTS[0], RESULTS[3], "/browse", "/browse/sources", "/browse/authors?page=2", "/browse/sections",
        f"/browse/source?name={quote(f'Outlet {PAYLOADS[0]}')}", "/browse/2020", "/browse/2020/01",
        "/browse/2020/01/02", "/stories", f"/stories/{story}", "/status", "/embed", "/api/docs", "/search/syntax",
        "/saved", f"/saved/new?q={quote(PAYLOADS[0])}", f"/search?q={quote(PAYLOADS[31])}&source={quote(PAYLOADS[1])}",
        f"/search?from={quote(PAYLOADS[2])}&q=x#{quote(PAYLOADS[3])}", f"/{quote(PAYLOADS[4])}",
        *belonging(ids)[: None if ALL else 16],
    ]  # fmt: skip
    with watching(browser, site) as (page, seen):
        for address in pages:
            page.goto(address)
    assert seen == Seen()


def test_without_its_policy_nothing_runs_either(browser: Browser, without_policy: str, ids: list[str]) -> None:
    lists = [
        *RESULTS, "/", "/browse", "/stories", "/status", "/embed", "/api/docs",
        *(f"/browse/{kind}?page={page}" for kind in ("sources", "sections", "authors") for page in (1, 2, 3, 4)),
        *(f"/search.{form}?q={quote(WORDS)}" for form in ("atom", "rss", "feed.json")),
        f"/api/search?q={quote(WORDS)}&page_size=100", "/opensearch.xml", "/sitemap.xml", "/api/openapi.json",
    ]  # fmt: skip
    asked = [
        f"/search?q={quote(payload, errors='replace')}&page_size=1#{quote(payload, errors='replace')}"
        for payload in PAYLOADS[:: EVERY // 2 + 1]
    ]
    with watching(browser, without_policy) as (page, seen):
        page.goto("/robots.txt")  # a page of nothing, to stand around the others
        page.evaluate(READ, [*lists, *belonging(ids), *asked])
    assert (seen.ran, seen.asked) == ([], [])


def test_with_no_escape_at_all_the_policy_holds(browser: Browser, services: Services, ids: list[str]) -> None:
    with served(unescaped(services)) as site, watching(browser, site) as (page, seen):
        for address in (*RESULTS[:3], *belonging(ids)[:12], "/browse/sections"):
            page.goto(address, wait_until="commit")
            page.wait_for_load_state("load")
    assert seen.ran == []
    assert len(seen.refused) > 100, "many a script was there, and was not let in"


def test_with_neither_these_scripts_would_run(browser: Browser, services: Services) -> None:
    app = unescaped(services)
    app.wsgi_app = WithoutPolicy(app.wsgi_app)  # type: ignore[assignment]
    with served(app) as site, watching(browser, site) as (page, seen):
        page.goto("/robots.txt")
        page.evaluate(READ, RESULTS[:4])
    assert len(seen.ran) > 20


def test_what_one_types_completes_to_text_and_results_follow_as_text(browser: Browser, site: str) -> None:
    with watching(browser, site) as (page, seen):
        page.goto("/search?q=flood")
        box = page.get_by_label("Search the archive")
        for typed in ("Hostile 1", "Hostile 12", 'source:"Outlet', 'author:"By', "section:", *PAYLOADS[27:240:40]):
            with page.expect_response(lambda answer: "/api/completions?" in answer.url):
                box.fill(typed.replace("\n", " "))
        with page.expect_response(lambda answer: "/search?" in answer.url):
            box.fill("hostile pwned script")
        expect(page.locator(".hit").first).to_be_visible()
        for payload in PAYLOADS[:6]:
            box.fill(payload)
            page.keyboard.press("Enter")
            page.wait_for_url("**/search?q=*")
        box.fill("")
        expect(page.get_by_role("option").first).to_be_visible()  # what was searched for before
        page.keyboard.press("Escape")
        page.locator(".to-tips a").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
    assert (seen.ran, seen.refused, seen.asked) == ([], [], [])


def test_on_a_page_of_another_site_without_any_policy_elements_and_cards_are_text(
    browser: Browser, site: str, ids: list[str]
) -> None:
    days = (("2020-01-01", "2020-01-04"), ("2020-01-05", "2020-01-08"), ("2020-01-09", "2020-01-14"))
    later = (("2020-07-19", "2020-07-22"), ("2020-07-23", "2020-07-27"))
    elements = "".join(
        f'<backfile-search query="{WORDS}" limit="100" mode="keyword" from="{first}" to="{last}"></backfile-search>'
        for first, last in days + later
    ) + "".join(f'<backfile-related article="{id_}" limit="20"></backfile-related>' for id_ in ids[:: len(ids) // 8])
    scripts = "".join(f'<script src="{site}/static/{name}.js" defer></script>' for name in ("related", "embed-search"))
    publisher = Flask("publisher", static_folder=None)
    publisher.get("/")(lambda: f'<!doctype html><link rel="icon" href="data:,">{scripts}<body>{elements}')
    with served(publisher) as address, watching(browser, address, site) as (page, seen):
        page.goto("/")
        for number in range(len(days + later)):
            expect(page.locator("backfile-search").nth(number).get_by_role("listitem").nth(20)).to_be_attached()
        found = page.evaluate(
            """() => [...document.querySelectorAll("backfile-search, backfile-related")].map(({ shadowRoot }) => ({
                 items: shadowRoot.querySelectorAll("li[part=item]").length,
                 others: shadowRoot.querySelectorAll("script, img, svg, style, iframe, object, embed").length,
                 links: [...shadowRoot.querySelectorAll("a")].filter((link) => !/^https?:$/.test(link.protocol)).length,
               }))"""
        )
        assert sum(each["items"] for each in found) > 300
        assert sum(each["others"] + each["links"] for each in found) == 0
        page.evaluate(
            """async ([site, ids]) => {
                 for (const id of ids) {
                   const asked = `${site}/oembed?url=${encodeURIComponent(`${site}/articles/${id}`)}`;
                   const { html } = await (await fetch(asked)).json();
                   const place = document.createElement("div");
                   document.body.prepend(place);
                   place.innerHTML = html; // as those do who take it
                 }
               }""",
            [site, ids[::12]],
        )
        expect(page.frame_locator("iframe >> nth=0").get_by_role("heading")).to_be_visible()
    assert (seen.ran, seen.refused, seen.asked) == ([], [], [])
    assert not [said for said in seen.said if "BLOCKED" in said], "a frame of no origin is lent its style sheet"
