"""What several test files share, opened once a run: the real model, a browser, and the newsroom as pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.embedder import BUNDLED, Embedder, open_embedder

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The bundled model, run by OpenVINO."""
    return open_embedder(BUNDLED, runtime="openvino", cache=model_cache)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the newsroom, to be read only: who changes the archive opens an application of its own."""
    with newsroom.application(tmp_path_factory.mktemp("newsroom")) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


@pytest.fixture(scope="session")
def site(app: Flask) -> Iterator[str]:
    """The address of `app`, served on this machine."""
    from browsing import served

    with served(app) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium: a page in it is opened by `browsing.reading`."""
    from browsing import chromium

    with chromium() as browser:
        yield browser
