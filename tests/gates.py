"""What every page has to pass in a browser. Each check returns what it found wrong; nothing found is good.

The scripts run in the page by way of the debugger, which no content security policy concerns.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Error, Page, Request

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WITHIN_A_FIELD = 8  # stops of the Tab key inside one field for a day

RUN_AXE = """only => axe.run({
  runOnly: only,
  resultTypes: ["violations"],
  preload: false,
  iframes: false, // what stands in a frame is a page of its own
}).then(found => found.violations.map(({ id, nodes }) =>
  `${id}: ${nodes.map(node => node.html.slice(0, 160)).join(" | ")}`))"""

# What was noted before is handed over later, and nothing at all where there was none: the shifts come with the page's
# own arrival, which is always noted.
SHIFT = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {
  const noted = new PerformanceObserver(list =>
    done(list.getEntriesByType("layout-shift").reduce((sum, shift) => sum + shift.value, 0)));
  noted.observe({ type: "navigation", buffered: true });
  noted.observe({ type: "layout-shift", buffered: true });
})))"""

MOVING = """() => [
  ...document.getAnimations().map(each => `an animation of ${each.animationName ?? each.transitionProperty}`),
  ...[...document.querySelectorAll("*")].filter(each => {
    const style = getComputedStyle(each);
    return style.animationName !== "none" || style.transitionDuration.split(", ").some(time => time !== "0s");
  }).map(each => `${each.localName} moves`)].slice(0, 5)"""

TOO_WIDE = """root => {
  if (root.scrollWidth <= root.clientWidth) return [];
  const all = [...document.querySelectorAll("body *")];
  const over = all.filter(each => each.getBoundingClientRect().right > root.clientWidth).slice(0, 3);
  return [`${root.scrollWidth - root.clientWidth} px too wide: ${over.map(each => each.outerHTML.slice(0, 80))}`];
}"""

# Notes each element as it is focused: which of those that can be it is, where, and whether one sees it.
BEGIN_WALK = """() => {
  const kinds = "a[href], button, input, select, textarea, summary, [tabindex]";
  const can = each => each.tabIndex >= 0 && !each.disabled && each.type !== "hidden" &&
    each.checkVisibility({ visibilityProperty: true });
  const could = [...document.querySelectorAll(kinds)].filter(can);
  const said = each => each.outerHTML.slice(0, 100);
  const outlined = each => each && each.localName !== "main" && each.localName !== "body" &&
    (getComputedStyle(each).outlineStyle !== "none" || outlined(each.parentElement));
  document.body.tabIndex = -1;
  document.body.focus(); // from the beginning, wherever the last walk ended
  document.body.removeAttribute("tabindex");
  window.walking?.abort();
  window.walking = new AbortController();
  window.walk = { expected: could.map(said), met: [] };
  document.addEventListener("focusin", event => {
    const place = could.indexOf(event.target);
    if (window.walk.met.some(step => step.place === place)) return;
    const { left, top, right, bottom } = event.target.getBoundingClientRect();
    window.walk.met.push({
      place, said: said(event.target), seen: outlined(event.target), skips: event.target.matches(".skip"),
      rtl: getComputedStyle(document.documentElement).direction === "rtl",
      left: left + scrollX, right: right + scrollX, top: top + scrollY, bottom: bottom + scrollY,
    });
  }, { signal: window.walking.signal });
  return could.length;
}"""
END_WALK = """() => {
  const { expected, met } = window.walk;
  const wrong = [];
  expected.forEach((said, place) => {
    if (!met.some(step => step.place === place)) wrong.push(`not reached: ${said}`);
  });
  met.forEach((step, at) => {
    if (step.place < 0) wrong.push(`reached, though it could not be: ${step.said}`);
    if (!step.seen) wrong.push(`focus is not seen: ${step.said}`);
    const before = met[at - 1];
    if (!before || before.skips) return;
    const beside = step.rtl ? step.right <= before.left + 2 : step.left >= before.right - 2;
    const upwards = step.bottom <= before.top + 2 && !beside;
    const sameRow = Math.min(step.bottom, before.bottom) - Math.max(step.top, before.top) > 8;
    const backwards = sameRow && (step.rtl ? step.left >= before.right : step.right <= before.left);
    if (upwards || backwards) wrong.push(`out of order: ${before.said} then ${step.said}`);
  });
  return wrong;
}"""


@cache
def axe() -> str:
    """Return the text of axe-core."""
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return what axe finds by all its rules."""
    return _axe(page, {"type": "tag", "values": TAGS})


def faint(page: Page) -> list[str]:
    """Return what axe finds of colours, the one rule that another theme can break."""
    return _axe(page, {"type": "rule", "values": ["color-contrast"]})


def _axe(page: Page, only: dict[str, object]) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe())
    found: list[str] = page.evaluate(RUN_AXE, only)
    return found


def shifted(page: Page) -> list[str]:
    """Return whether anything moved while the page was loading."""
    shift = page.evaluate(SHIFT)
    return [f"the layout shifted by {shift}"] if shift else []


def too_wide(page: Page) -> list[str]:
    """Return what reaches beyond the window."""
    found: list[str] = page.locator("html").evaluate(TOO_WIDE)
    return found


def moving(page: Page) -> list[str]:
    """Return what moves although the reader asks for less of that, as the page's context does."""
    found: list[str] = page.evaluate(MOVING)
    return found


def unreachable(page: Page) -> list[str]:
    """Walk through the page by the Tab key; return what it does not reach, in what order it jumps, where it is lost."""
    stops = page.evaluate(BEGIN_WALK)
    dates = page.locator("input[type=date]").count()
    for _ in range(stops + dates * WITHIN_A_FIELD):
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate(END_WALK)
    return found


@contextmanager
def complaints(page: Page, site: str) -> Iterator[list[str]]:
    """Give a list that fills with what the console says and what is asked of anybody else."""
    heard: list[str] = []

    def console(message: ConsoleMessage) -> None:
        is_refusal = "server responded with a status of 4" in message.text and message.location["url"] == page.url
        if not is_refusal:  # a page that says so is what was asked for
            heard.append(f"{message.type}: {message.text}")

    def error(raised: Error) -> None:
        heard.append(str(raised))

    def asked(request: Request) -> None:
        if not request.url.startswith(site):
            heard.append(f"asked of others: {request.url}")

    page.on("console", console)
    page.on("pageerror", error)
    page.on("request", asked)
    yield heard
    page.remove_listener("console", console)
    page.remove_listener("pageerror", error)
    page.remove_listener("request", asked)
