"""How tests drive a real browser: Debian's chromium, by playwright.

The fixtures `browser` and `site` are in conftest.py. Playwright's synchronous interface opens once a thread, so one
browser serves the whole run, and each page has a context of its own, which shares nothing with another's.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE, NARROW = 1280, 390, 360  # CSS pixels
Scheme = Literal["light", "dark"]
PATIENCE = 10_000  # milliseconds, on a busy machine


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the browser; without one a run by hand skips, and CI fails."""
    if CHROMIUM is None:
        reason = "chromium is not installed: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve the application on this machine, and yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def reading(browser: Browser, site: str, *, width: int = WIDE, scripts: str = "on") -> Iterator[Page]:
    """Open a page, and fail if meanwhile anything was complained of or anything outside was asked for."""
    with watched(browser, site, width=width, scripts=scripts) as (page, complaints):
        yield page
    assert complaints == []


@contextmanager
def watched(
    browser: Browser, site: str, *, width: int, scripts: str, scheme: Scheme = "light"
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page with a list that takes down whatever is complained of and whatever is asked for outside."""
    complaints: list[str] = []
    viewport = ViewportSize(width=width, height=800)
    with browser.new_context(
        base_url=site, viewport=viewport, java_script_enabled=scripts == "on", color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # The icon is still being fetched when a test moves on: that it is then given up is nobody's fault.
        page.on("requestfailed", lambda request: complaints.extend(_complaint(request)))
        page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(site) else None)
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        yield page, complaints


def _complaint(request: Request) -> list[str]:
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


def assert_fits(page: Page) -> None:
    """Fail when the page is wider than its window.

    Its text is there before its stylesheet is, and whoever measures then makes the browser lay it out without.
    """
    page.wait_for_load_state("load")
    over = page.locator("html").evaluate("root => root.scrollWidth - root.clientWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"
