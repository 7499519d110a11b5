"""Searches that are noted: only where that is wanted, what was asked alone, a bounded number, beside the requests."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from flask.testing import FlaskClient

from archive.asked import MOST_KEPT, Asked, AskedSearches
from archive.store import Store
from web import create_app
from web.asked import LONGEST
from web.noting import MOST_WAITING, Noting
from web.services import Services
from web.settings import Settings

DAY, LATER = date(2025, 3, 1), date(2025, 3, 2)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[AskedSearches]:
    store = Store(tmp_path / "archive.sqlite3")
    yield AskedSearches(store)
    store.close()


def test_the_same_search_is_one_with_its_days_and_how_often(asked: AskedSearches) -> None:
    asked.note({"q=flood": 2, "q=comet": 1}, on=DAY)
    asked.note({"q=flood": 3}, on=LATER)
    assert asked.latest() == [Asked("q=flood", DAY, LATER, 5), Asked("q=comet", DAY, DAY, 1)]
    assert asked.forget() == 2
    assert asked.latest() == []


def test_those_asked_longest_ago_make_room(asked: AskedSearches) -> None:
    asked.note({"q=old": 9}, on=DAY)
    asked.note({f"q={number}": 1 for number in range(MOST_KEPT)}, on=LATER)
    kept = asked.latest()
    assert len(kept) == MOST_KEPT
    assert "q=old" not in {each.question for each in kept}


def test_what_holds_words_that_are_erased_is_forgotten_however_it_is_written(asked: AskedSearches) -> None:
    asked.note({"q=%C3%BCber+den+Fluss+getreten": 1, "q=comet": 1}, on=DAY)
    assert asked.forget_holding({"über den Fluss".encode()}) == 1
    assert [each.question for each in asked.latest()] == ["q=comet"]


def test_a_request_only_counts_and_what_was_counted_is_written_at_once(asked: AskedSearches) -> None:
    noting = Noting(asked, today=lambda: DAY, every=3600)
    for _ in range(3):
        noting.note("q=flood")
    for number in range(2 * MOST_WAITING):
        noting.note(f"q={number}")
    assert asked.latest() == []
    noting.close()
    kept = asked.latest()
    assert (kept[0], len(kept)) == (Asked("q=flood", DAY, DAY, 3), MOST_WAITING)


def test_what_was_counted_is_written_by_itself(asked: AskedSearches) -> None:
    noting = Noting(asked, today=lambda: DAY, every=0.01)
    noting.note("q=flood")
    deadline = time.monotonic() + 60
    while not asked.latest():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    noting.close()


# By requests


def open_app(folder: Path, **settings: object) -> Flask:
    parts = Services(Settings(data=folder, **settings), open_model=newsroom.open_made_up, today=lambda: DAY)  # type: ignore[arg-type]
    parts.store.put(newsroom.article(1))
    parts.builder.update()
    return create_app(services=parts)


def noted(app: Flask) -> dict[str, int]:
    parts: Services = app.extensions["backfile"]
    if parts.settings.query_log == "on":
        parts.noting.write()
    return {each.question: each.times for each in parts.asked.latest()}


@pytest.fixture
def noting_app(tmp_path: Path) -> Iterator[Flask]:
    app = open_app(tmp_path, query_log="on")
    yield app
    app.extensions["backfile"].close()


def ask_around(client: FlaskClient) -> None:
    client.get("/search?q=flood&source=The+Ledger&sort=newest&page_size=5", headers={"User-Agent": "a reader"})
    client.get("/api/search?q=flood&source=The+Ledger")
    client.get("/api/search?q=comet&page=2")
    client.get("/search?q=flo", headers={"Sec-Fetch-Dest": "empty"})
    client.get("/search")
    client.get("/search?q=" + "x" * (LONGEST + 1))


def test_nothing_is_noted_unless_it_is_wanted(tmp_path: Path) -> None:
    app = open_app(tmp_path)
    ask_around(app.test_client())
    parts = app.extensions["backfile"]
    assert "noting" not in parts.made
    assert noted(app) == {}
    parts.close()


def test_what_is_asked_for_is_noted_and_nothing_else(noting_app: Flask) -> None:
    ask_around(noting_app.test_client())
    assert noted(noting_app) == {"q=flood&source=The+Ledger": 2}
    database = noting_app.extensions["backfile"].settings.data / "archive.sqlite3"
    kept = b"".join(file.read_bytes() for file in database.parent.glob("archive.sqlite3*"))
    assert b"a reader" not in kept
    assert b"127.0.0.1" not in kept


def test_the_command_lists_them_and_forgets_them(noting_app: Flask) -> None:
    ask_around(noting_app.test_client())
    noted(noting_app)
    runner = noting_app.test_cli_runner()
    listed = runner.invoke(args=["queries"])
    assert listed.stdout == "2025-03-01       2  q=flood&source=The Ledger\n"
    assert "1 searches; new ones are noted" in listed.stderr
    assert runner.invoke(args=["queries", "--forget"]).stdout == "1 forgotten\n"
    assert noted(noting_app) == {}


def test_erasing_an_article_forgets_the_searches_for_its_words(noting_app: Flask) -> None:
    parts: Services = noting_app.extensions["backfile"]
    secret = newsroom.article(2, body="The witness was Tobias Quellmann of Birkenallee 12, who saw it all. " * 3)
    parts.store.put(secret)
    parts.builder.update()
    noting_app.test_client().get("/api/search?q=The+witness+was+Tobias+Quellmann+of+Birkenallee+12%2C+who+saw")
    noting_app.test_client().get("/api/search?q=comet")
    assert len(noted(noting_app)) == 2
    runner = noting_app.test_cli_runner()
    erased = runner.invoke(args=["remove", secret.id, "--reason", "asked for"])
    assert erased.exit_code == 0, erased.stderr
    erased = runner.invoke(args=["erase", secret.id])
    assert erased.exit_code == 0, erased.stderr
    assert list(noted(noting_app)) == ["q=comet"]
