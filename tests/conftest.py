"""What several test files share, opened once a process: the real model, a browser, and the newsroom as pages.

`make test` runs the files in several processes, one file in one (pytest-xdist's `--dist loadfile`).
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from index.embedder import BUNDLED, Embedder, open_embedder

if TYPE_CHECKING:
    from milvus import MilvusServer
    from playwright.sync_api import Browser
    from postgres import Server

from web.services import Services
from web.units import long_day

IN_MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes that must be free there: a run leaves less than a tenth of it at any time
LONGEST = (
    "test_accessibility.py",
    "test_invariants.py",
    "test_several_hosts.py",
    "test_tasks.py",
    "test_search_box.py",
    "test_points.py",
    "test_seeded.py",
    "test_recovery.py",
    "test_translated_pages.py",
    "test_embedder.py",
    "test_upgrade.py",
    "test_browser.py",
)

# A law says nothing of time, and machines that run tests are busy.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")

# What is tested syncs every file it writes, tens of thousands in a run: most of the time would go to the disk.
if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM:
    os.environ["TMPDIR"] = str(IN_MEMORY)
    tempfile.tempdir = None  # asked for anew


long_day(date(2001, 3, 2))  # reads how days are written here, once: some tests count milliseconds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that in the end no process waits for another."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the converted model, the same one for all processes of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "models"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The bundled model, run by OpenVINO; the first process to need it converts it."""
    with (model_cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return open_embedder(BUNDLED, runtime="openvino", cache=model_cache)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the newsroom, to be read only: who changes the archive opens an application of its own."""
    with newsroom.application(tmp_path_factory.mktemp("newsroom")) as app:
        yield app


@pytest.fixture(scope="module")
def services(app: Flask) -> Services:
    """The parts that `app` works with."""
    return newsroom.services_of(app)


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
def postgres() -> "Iterator[Server]":
    """A PostgreSQL server, of this process alone."""
    from postgres import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def milvus() -> "Iterator[MilvusServer]":
    """A Milvus server, of this process alone."""
    from milvus import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium: a page in it is opened by `browsing.reading`."""
    from browsing import chromium

    with chromium() as browser:
        yield browser
