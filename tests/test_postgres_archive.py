"""An archive whose articles PostgreSQL keeps, through the front door: the same answers, commands and guarantees."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from click.testing import Result
from flask import Flask
from postgres import Server, running

from archive.moving import UNFINISHED
from web import create_app
from web.services import Services
from web.settings import Settings, SettingsError, load_settings

QUESTIONS = (
    "/api/search?q=flood+Millbrook",
    "/api/search?q=report&sort=oldest&page=2&page_size=5&explain=1",
    "/api/search?q=report&mode=keyword&source=The+Ledger&cutoff=off",
    "/api/search?q=a+comet+over+the+water&mode=semantic",
    "/api/search?q=%22council+election%22+-report&author=Ada+Quill",
    "/api/search?from=2001-03-01&to=2002-12-31",
    f"/api/articles/{newsroom.CORRECTED.id}",
    f"/api/articles/{newsroom.CORRECTED.id}/versions/1",
    f"/api/articles/{newsroom.ORDINARY[3].id}/related",
    "/api/stories",
    "/api/stories/1",
    "/api/browse",
    "/api/browse/2002/03",
    "/api/browse/undated",
    "/api/browse/sources",
    "/api/browse/author?name=Ada+Quill",
    "/api/stats",
    "/api/completions?q=flo",
    "/search.csv?q=report",
    "/search.jsonl?q=flood",
    "/search.feed.json?q=comet",
)
CHANGING = re.compile(r'"took_ms":[\d.]+|"(?:ingested_|built_)?at":"[^"]+"|bytes":\d+|urn:uuid:[0-9a-f-]+')


NASTY = [nasty for nasty in newsroom.NASTY if "\0" not in nasty.title]  # which no reader lets in


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The newsroom, in a file."""
    with newsroom.application(tmp_path_factory.mktemp("file"), nasty=NASTY) as app:
        yield app


@pytest.fixture(scope="module")
def server(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The same in PostgreSQL."""
    with newsroom.application(tmp_path_factory.mktemp("server"), nasty=NASTY, archive=postgres.new()) as app:
        yield app


def opened(folder: Path, **settings: object) -> Flask:
    """Open the application over an archive that is there, or a new one."""
    services = Services(Settings(data=folder, **settings), open_model=newsroom.open_made_up)  # type: ignore[arg-type]
    return create_app(services=services)


@pytest.mark.parametrize("path", QUESTIONS)
def test_an_answer_is_the_same_wherever_the_articles_are(file: Flask, server: Flask, path: str) -> None:
    ours, theirs = file.test_client().get(path), server.test_client().get(path)
    assert (theirs.status_code, theirs.mimetype) == (ours.status_code, ours.mimetype) == (200, ours.mimetype)
    assert CHANGING.sub("", theirs.text) == CHANGING.sub("", ours.text)


def test_no_file_of_sqlite_is_made(server: Flask) -> None:
    data = newsroom.services_of(server).settings.data
    assert not list(data.glob("*.sqlite3*"))
    assert (data / "index").is_dir()


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


def test_the_commands_work_on_it(postgres: Server, tmp_path: Path) -> None:
    news = tmp_path / "news.jsonl"
    lines = [
        {"id": str(number), "title": f"Flood {number}", "body": f"Water in street {number}."} for number in range(9)
    ]
    news.write_text("".join(json.dumps(line) + "\n" for line in lines))
    app = create_app(
        services=Services(Settings(data=tmp_path / "data", archive=postgres.new()), open_model=newsroom.open_made_up)
    )
    ingested = run(app, "ingest", str(news), "--json")
    assert (ingested.exit_code, json.loads(ingested.stdout)["added"]) == (0, 9)
    assert json.loads(run(app, "ingest", str(news), "--json").stdout)["unchanged"] == 9
    found = json.loads(run(app, "search", "flood", "--json").stdout)
    assert found["total"]["value"] == 9
    gone = found["results"][0]["id"]
    assert run(app, "remove", gone, "--reason", "by court order").exit_code == 0
    assert json.loads(run(app, "search", "flood", "--json").stdout)["total"]["value"] == 8
    erased = run(app, "erase", gone)
    assert erased.exit_code == 0, erased.stderr
    assert run(app, "check").exit_code == 0
    refused = run(app, "backup", str(tmp_path / "backups"))
    assert refused.exit_code == 1
    assert "back it up by pg_dump" in refused.stderr
    newsroom.services_of(app).close()


def test_an_archive_moves_there_and_back_by_commands(postgres: Server, tmp_path: Path) -> None:
    data, url = tmp_path / "data", postgres.new()
    with newsroom.application(data, nasty=NASTY) as app:
        before = app.test_client().get("/api/search?q=report").text
        moved = run(app, "move-archive", url, "--json")
        assert moved.exit_code == 0, moved.stderr
        assert json.loads(moved.stdout)["deleted"] == 0
        said = run(app, "move-archive", url, "--overwrite").stderr
        assert f"then rename {data / 'archive.sqlite3'}" in said
        copied = run(app, "move-archive", str(tmp_path / "copy.sqlite3"))
        assert (
            f"it is a copy: BACKFILE_DATA says that the archive's file is {data / 'archive.sqlite3'}" in copied.stderr
        )
        again = json.loads(run(app, "move-archive", url, "--overwrite", "--json").stdout)
        assert (again["written"], again["deleted"], again["sha256"]) == (0, 0, json.loads(moved.stdout)["sha256"])
        refused = run(app, "move-archive", str(data / "archive.sqlite3"))
        assert (refused.exit_code, "it is there already" in refused.stderr or "is there already" in refused.stderr) == (
            1,
            True,
        )
        assert run(app, "move-archive", "mysql://host/name").exit_code == 1
    there = opened(data, archive=url)
    assert CHANGING.sub("", there.test_client().get("/api/search?q=report").text) == CHANGING.sub("", before)
    newsroom.services_of(there).store.remove(newsroom.ORDINARY[5].id)
    assert "--overwrite brings it up to date" in run(there, "move-archive", str(data / "archive.sqlite3")).stderr
    back = run(there, "move-archive", str(data / "archive.sqlite3"), "--overwrite")
    assert back.exit_code == 0, back.stderr
    assert "the same in both (SHA-256 " in back.stdout
    assert "unset BACKFILE_ARCHIVE" in back.stderr
    newsroom.services_of(there).close()
    home = Services(Settings(data=data), open_model=newsroom.open_made_up)
    assert newsroom.ORDINARY[5].id not in home.store.live_ids()
    assert home.store.check() == []
    home.close()


def test_nobody_serves_from_an_archive_that_is_half_moved(postgres: Server, tmp_path: Path) -> None:
    url = postgres.new()
    services = newsroom.open_newsroom(tmp_path / "data", nasty=NASTY, archive=url)
    services.store.change("INSERT INTO meta (key, value) VALUES (?, '')", (UNFINISHED,))
    services.close()
    app = opened(tmp_path / "data", archive=url)
    assert "not all of it is: run `flask move-archive` again" in run(app, "stats").stderr
    assert app.test_client().get("/api/search?q=flood").status_code == 503
    newsroom.services_of(app).close()


def test_a_password_in_the_address_is_written_nowhere(tmp_path: Path, postgres: Server) -> None:
    url = postgres.new().replace("backfile@", "backfile:secret-word@")
    with newsroom.application(tmp_path / "data", nasty=NASTY, archive=url) as app:
        for arguments in (["stats"], ["check"], ["backup", str(tmp_path / "b")], ["move-archive", url]):
            ended = run(app, *arguments)
            assert "secret-word" not in ended.stdout + ended.stderr, arguments
        for path in ("/api/status", "/metrics", "/status", "/readyz"):
            assert "secret-word" not in app.test_client().get(path).text
    assert "secret-word" not in repr(Settings(data=tmp_path, archive=url))


def test_what_is_erased_is_in_no_file_of_a_table(postgres: Server, tmp_path: Path) -> None:
    data, url, secret = tmp_path / "data", postgres.new(), "Quizzical zebras of Zanzibar vexed"
    with newsroom.application(data, nasty=[newsroom.article(700, title=secret)]) as app:
        assert run(app, "move-archive", url).exit_code == 0
    assert postgres.holds(secret.encode())
    there = opened(data, archive=url)
    gone = newsroom.article(700).id
    assert run(there, "remove", gone).exit_code == 0
    refused = run(there, "erase", gone)
    assert (refused.exit_code, "archive.sqlite3: delete it" in refused.stderr) == (1, True), "it was moved from there"
    assert "nothing is erased yet" in refused.stderr
    for file in data.glob("archive.sqlite3*"):
        file.unlink()
    erased = run(there, "erase", gone)
    assert erased.exit_code == 0, erased.stderr
    assert not postgres.holds(secret.encode())
    assert run(there, "check").exit_code == 0
    newsroom.services_of(there).close()


def test_a_backup_is_not_restored_over_an_archive_that_a_server_keeps(postgres: Server, tmp_path: Path) -> None:
    with newsroom.application(tmp_path / "data", nasty=NASTY) as app:
        assert run(app, "backup", str(tmp_path / "backups")).exit_code == 0
    there = opened(tmp_path / "other", archive=postgres.new())
    refused = run(there, "restore", str(tmp_path / "backups"))
    assert refused.exit_code == 1
    assert "restore with --to FOLDER" in refused.stderr
    assert run(there, "restore", str(tmp_path / "backups"), "--to", str(tmp_path / "drill")).exit_code == 0
    newsroom.services_of(there).close()


@pytest.mark.parametrize(
    "address",
    [
        "mysql://backfile:secret-word@host/archive",
        "postgresql://backfile:secret/word@host/archive",
        "postgresql://host",
        "postgresql://host/one/two",
        "postgresql:///archive?password=secret-word",
        "postgresql://host:port/archive",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILE_ARCHIVE", address)
    with pytest.raises(SettingsError, match=r"BACKFILE_ARCHIVE cannot be used: .*it must be postgresql://") as refused:
        load_settings()
    assert "secret" not in str(refused.value)


def test_while_the_server_is_away_requests_are_told_so_and_then_go_on(tmp_path: Path) -> None:
    with running() as server, newsroom.application(tmp_path, nasty=NASTY, archive=server.new()) as app:
        client = app.test_client()
        assert client.get("/api/search?q=flood").status_code == 200
        server.stop()
        for path in ("/api/search?q=comet", f"/api/articles/{newsroom.ORDINARY[3].id}", "/readyz", "/"):
            answer = client.get(path)
            assert answer.status_code == 503, (path, answer.text)
            assert "127.0.0.1" not in answer.text
        assert client.get("/healthz").status_code == 200
        server.start()
        deadline = time.monotonic() + 10
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
        assert client.get("/api/search?q=comet").get_json()["total"]["value"] > 0
        assert client.get("/readyz").status_code == 200
