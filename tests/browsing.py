"""A real browser at a page: Debian's chromium, driven by playwright, and the application served for it."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import Browser, Page, Request
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
PATIENCE = 10_000  # milliseconds, on a busy machine


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
    context = browser.new_context(
        base_url=site,
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts == "on",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # The icon is still being fetched when a test moves on: that it is then given up is nobody's fault.
    page.on("requestfailed", lambda request: complaints.extend(_complaint(request)))
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(site) else None)
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    yield page
    context.close()
    assert complaints == []


def _complaint(request: Request) -> list[str]:
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


def assert_fits(page: Page) -> None:
    """Fail when the page is wider than its window.

    Its text is there before its stylesheet is, and whoever measures then makes the browser lay it out without.
    """
    page.wait_for_load_state("load")
    over = page.locator("html").evaluate("root => root.scrollWidth - root.clientWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"
