"""A whole archive that several machines can share: articles in PostgreSQL, index in Milvus."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from flask import Flask
from milvus import MilvusServer
from milvus import running as running_milvus
from newsroom import article, services_of
from postgres import Server
from test_postgres_archive import CHANGING, NASTY, QUESTIONS, opened, run

MORE = (
    "/api/search?q=flood+-election&mode=hybrid",
    "/api/search?q=%22council+election%22&explain=1",
    "/api/search?q=flo*+OR+comet&mode=keyword",
    "/api/search?q=title:flood+-source:%22radio+nine%22",
    "/api/search?q=report&from=2002-01-01&to=2003-12-31&sort=newest",
    "/api/search?q=-language:en",
    "/api/search?q=the+people+near+water&mode=semantic",
    "/api/search?q=electin~",
)
NAMED = re.compile(r'"keywords":"\w+"|index_bytes":\d+|"disk":\{[^}]*\}')
BACK_SECONDS = 15  # that a server which is back may take to be noticed, on a busy machine


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The newsroom, in files."""
    with newsroom.application(tmp_path_factory.mktemp("file"), nasty=NASTY) as app:
        yield app


@pytest.fixture(scope="module")
def shared(postgres: Server, milvus: MilvusServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The same on servers."""
    folder = tmp_path_factory.mktemp("shared")
    with newsroom.application(folder, nasty=NASTY, archive=postgres.new(), milvus=milvus.url) as app:
        yield app


@pytest.mark.parametrize("path", [*QUESTIONS, *MORE])
def test_an_answer_is_the_same_wherever_articles_and_index_are(file: Flask, shared: Flask, path: str) -> None:
    ours, theirs = file.test_client().get(path), shared.test_client().get(path)
    assert (theirs.status_code, theirs.mimetype) == (200, ours.mimetype)
    assert alike(theirs.text) == alike(ours.text)


def alike(text: str) -> str:
    """Return an answer without what differs by right; scores to four places, as sums are rounded differently."""
    text = NAMED.sub("", CHANGING.sub("", text))
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number.group()):.4f}", text)


def test_no_index_is_made_on_this_machine(shared: Flask) -> None:
    assert not list((services_of(shared).settings.data / "index").glob("gen-*"))


def test_another_host_shows_what_one_has_taken_in_and_removed(
    postgres: Server, milvus: MilvusServer, tmp_path: Path
) -> None:
    address = postgres.new()
    one = opened(tmp_path / "one", archive=address, milvus=milvus.url)
    other = opened(tmp_path / "other", archive=address, milvus=milvus.url)
    source = tmp_path / "news.jsonl"
    source.write_text('{"title": "Lighthouse keeper retires", "text": "The lighthouse of Ostwick has no keeper."}\n')
    assert run(one, "ingest", str(source)).exit_code == 0
    found = other.test_client().get("/api/search?q=lighthouse").json
    assert [result["title"] for result in found["results"]] == ["Lighthouse keeper retires"]
    source.write_text('{"title": "Keeper found", "text": "A new keeper of the lighthouse was found."}\n')
    assert run(other, "ingest", str(source)).exit_code == 0
    until = time.monotonic() + BACK_SECONDS
    while (total := one.test_client().get("/api/search?q=lighthouse").json["total"]["value"]) != 2:
        assert time.monotonic() < until, total
        time.sleep(0.05)
    gone = found["results"][0]["id"]
    removed = run(one, "remove", gone)
    assert removed.exit_code == 0, removed.output
    assert [each["title"] for each in other.test_client().get("/api/search?q=lighthouse").json["results"]] == [
        "Keeper found"
    ]
    assert run(other, "check").exit_code == 0
    for app in (one, other):
        services_of(app).close()


def test_commands_say_what_a_shared_index_cannot_do_and_what_it_leaves_behind(
    milvus: MilvusServer, tmp_path: Path
) -> None:
    app = opened(tmp_path, milvus=milvus.url)
    for number in (1, 2):
        services_of(app).store.put(article(number))
        assert run(app, "reindex").exit_code == 0
    services_of(app).store.put(article(3))
    services_of(app).builder.update()
    refused = run(app, "rollback")
    assert refused.exit_code == 1
    assert "there is nothing to return to" in refused.stderr
    assert "`flask reindex` moves it" not in run(app, "stats").output
    services_of(app).close()
    alone = opened(tmp_path)
    for _ in range(2):
        told = run(alone, "reindex")
        assert told.exit_code == 0
        assert "the texts are in Milvus, too" in told.stderr
    assert run(alone, "remove", article(1).id).exit_code == 0
    erased = run(alone, "erase")
    assert erased.exit_code == 0, erased.output
    assert "the texts are in Milvus, too" in erased.stderr
    assert "Milvus" not in run(alone, "reindex").stderr
    services_of(alone).close()


def test_while_milvus_is_away_words_find_articles_and_answers_say_so_and_it_comes_back(tmp_path: Path) -> None:
    with running_milvus() as server:
        app = opened(tmp_path, milvus=server.url)
        source = tmp_path / "news.jsonl"
        source.write_text('{"title": "Lighthouse keeper retires", "text": "The lighthouse of Ostwick is dark."}\n')
        assert run(app, "ingest", str(source)).exit_code == 0
        client = app.test_client()
        assert not client.get("/api/search?q=lighthouse").json["degraded"]
        server.kill()
        for path in ("/api/search?q=lighthouse", "/api/search?q=lighthouse&page_size=3", "/search?q=lighthouse+keeper"):
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            assert "Lighthouse keeper retires" in answer.text
        assert client.get("/api/search?q=lighthouse+dark").json["degraded"]
        source.write_text('{"title": "Keeper found", "text": "A new keeper of the lighthouse was found."}\n')
        failed = run(app, "ingest", str(source))
        assert failed.exit_code != 0
        assert "Milvus at" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert client.get("/api/search?q=keeper+lighthouse").json["total"]["value"] == 2  # it is in the archive
        server.start()
        until = time.monotonic() + BACK_SECONDS
        while client.get("/api/search?q=lighthouse+ostwick").json["degraded"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert run(app, "reindex").exit_code == 0
        found = client.get("/api/search?q=the+lighthouse").json
        assert (found["total"]["value"], found["degraded"]) == (2, False)
        assert run(app, "check").exit_code == 0
        services_of(app).close()


def test_while_milvus_is_away_every_page_is_there(tmp_path: Path) -> None:
    with running_milvus() as server, newsroom.application(tmp_path, nasty=NASTY, milvus=server.url) as app:
        client = app.test_client()
        shown = client.get("/api/search?q=flood").json["results"][0]["links"]
        server.kill()
        pages = ("/", "/stories", "/api/stories", "/stories/1", "/search?q=flood+people", "/search?q=source:ledger")
        for path in (*pages, shown["page"], shown["self"], shown["related"], "/browse", "/status", "/api/stats"):
            assert client.get(path).status_code == 200, path
        assert client.get(shown["related"]).json["degraded"]
        assert client.get(shown["related"]).json["results"]


def test_without_the_library_a_server_answers_from_the_archive_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    app = opened(tmp_path, milvus="http://127.0.0.1:9")
    services_of(app).store.put(article(1))
    assert app.test_client().get("/api/search?q=flood").json["total"]["value"] == 1
    failed = run(app, "reindex")
    assert failed.exit_code != 0
    assert "`pip install -r requirements-milvus.txt`" in failed.stderr
    services_of(app).close()


def test_a_host_that_starts_while_milvus_is_away_answers_and_goes_over_to_it(tmp_path: Path) -> None:
    with running_milvus() as server:
        app = opened(tmp_path, milvus=server.url)
        services_of(app).store.put(article(1))
        assert run(app, "reindex").exit_code == 0
        services_of(app).close()
        server.kill()
        again = opened(tmp_path, milvus=server.url)
        answer = again.test_client().get("/api/search?q=flood").json
        assert (answer["total"]["value"], answer["degraded"]) == (1, True)
        assert again.test_client().get("/readyz").status_code in (200, 503)
        server.start()
        until = time.monotonic() + BACK_SECONDS
        while again.test_client().get("/api/search?q=flood").json["degraded"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        services_of(again).close()
