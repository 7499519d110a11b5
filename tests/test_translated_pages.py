"""The pages in German and in Arabic, in a browser: nothing of another language is left over, and all of it fits."""

import re
from collections.abc import Iterator
from functools import cache

import newsroom
import pytest
from browsing import NARROW, WIDE
from flask import Flask
from gates import too_wide, violations
from playwright.sync_api import Browser, Page

from web.services import services

pytestmark = pytest.mark.browser

ARTICLE = newsroom.article(0)
PATHS = {
    "home": "/",
    "results": "/search?q=flood&source=The+Ledger&from=2001-01-01",
    "nothing found": "/search?q=xyzzy+plugh",
    "article": f"/articles/{ARTICLE.id}?q=flood",
    "versions": f"/articles/{newsroom.CORRECTED.id}/versions",
    "stories": "/stories",
    "story": "/stories/1",
    "browse": "/browse",
    "a day": "/browse/2001/03/01",
    "names": "/browse/authors",
    "status": "/status",
    "search tips": "/search/syntax",
    "for other sites": "/embed",
    "nothing there": "/nothing",
    "a refused parameter": "/search?page=x",
    "saving a search": "/saved/new?q=flood",
}
TECHNICAL = frozenset(  # and the words of the queries above
    re.findall(
        r"\w+",
        """backfile atom feed json lines bibtex csl ris rss csv html openapi oembed webhook content security policy
        ctrl shift delete enter esc whoosh tantivy apsw faiss cpu flask numpy openvino meanings python hashed
        last week yesterday and not name page xyzzy plugh ndcg recall mrr""",
    )
)
ADDRESS = re.compile(r"https?://\S+")
OWN_TEXTS = """() => {
  const speaks = document.documentElement.lang, said = [];
  const others = "code, kbd, pre, script, noscript, .operators a, .examples a";
  const isOwn = element => element.closest("[lang]").lang === speaks && !element.closest(others);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: element, data } = texts.currentNode;
    if (data.trim() && isOwn(element)) said.push(data.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [data-hint], [data-name]")) {
    for (const name of ["aria-label", "title", "placeholder", "data-hint"]) {
      if (element.getAttribute(name) && isOwn(element)) said.push(element.getAttribute(name));
    }
  }
  return said;
}"""


@pytest.fixture(scope="module", params=["de", "ar"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A browser whose reader knows this language."""
    context = browser.new_context(locale=request.param, viewport={"width": NARROW, "height": 900})
    yield context.new_page()
    context.close()


@cache
def words_of_the_archive(app: Flask) -> frozenset[str]:
    """Return every word that the articles bring themselves."""
    with app.app_context():
        articles = services().store.newest(1_000)
    texts = [
        " ".join(filter(None, [each.title, each.body, each.source, each.section, each.url, *each.authors]))
        for each in articles
    ]
    return frozenset(re.findall("[a-z]+", " ".join(texts).lower()))


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_page_speaks_its_readers_language_and_fits(app: Flask, site: str, page: Page, path: str) -> None:
    language = page.evaluate("navigator.language")
    page.set_viewport_size({"width": NARROW, "height": 900})
    page.goto(site + path)
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    own = page.evaluate(OWN_TEXTS)
    assert len(own) > 10
    if language == "ar":  # whatever is in Latin letters is the archive's own, or the name of a thing
        known = words_of_the_archive(app) | TECHNICAL
        left = {text for text in own if set(re.findall("[a-z]{3,}", ADDRESS.sub("", text).lower())) - known}
    else:
        left = {text for text in own if text in english_alone()}
    assert not left
    assert not too_wide(page)
    assert not violations(page)
    page.set_viewport_size({"width": WIDE, "height": 900})
    assert not too_wide(page)


@cache
def english_alone() -> frozenset[str]:
    """Return the messages that German says otherwise, of those that are shown as they are."""
    from test_translations import catalogue

    said = ((message.id, message.string) for message in catalogue("de") if message.id)
    return frozenset(message for message, german in said if isinstance(message, str) and message != german)
