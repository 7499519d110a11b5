"""Readers beside hostile clients, for a few seconds; `benchmarks/hostile_load.py` goes on for longer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import ROOT, TESTS, Newsroom

from benchmarks.hostile_load import Site, beside, growth, serving

SECONDS = 5.0
MOST_P95 = 2.0  # seconds; one on a machine that does nothing else
MOST_GROWTH = 45_000_000  # bytes: what a first thousand requests fill (16 MB or 30), and 20 kB for each


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    room = Newsroom(tmp_path_factory.mktemp("room"))
    room.write("first.jsonl", range(40))
    room.ingest()
    return room.data


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{TESTS}")


@pytest.fixture
def site(data: Path, path: None) -> Iterator[Site]:
    with serving(data, application="newsroom_wsgi:app", rate_limit="3") as site:
        yield site


def test_readers_are_served_beside_clients_that_do_their_worst(site: Site) -> None:
    worker = site.worker
    told = beside(site, hostile=25, ordinary=5, seconds=SECONDS, pause=0.4)
    assert set(told.ordinary) == {200}, told.ordinary
    assert len(told.seconds) >= 15
    assert told.quantile(0.95) <= MOST_P95
    assert told.hostile[429] > 0, told.hostile
    assert site.worker == worker


def test_a_server_that_is_asked_much_does_not_grow(site: Site) -> None:
    before, after, told = growth(site, requests=800)
    assert after - before <= MOST_GROWTH
    assert set(told) <= {200, 301, 400, 404, 413, 503}
