"""What several test files share, opened once a run: the real model, with its conversion, and the browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import ARGUMENTS, CHROMIUM
from playwright.sync_api import Browser, sync_playwright

from index.embedder import BUNDLED, Embedder, open_embedder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The bundled model, run by OpenVINO."""
    return open_embedder(BUNDLED, runtime="openvino", cache=model_cache)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "chromium is not installed: `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
