"""Takedown that can be trusted: fifty articles with a canary in everything that can be read of them are removed and
erased beside a server at work, and no page, feed, suggestion or byte under the data folder has the canary afterwards;
nor after an older backup of the whole folder has been put back.
"""

import fcntl
import gzip
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from flask import Flask
from newsroom import MeaningEmbedder
from newsroom import article as ordinary
from processes import PATIENCE, Newsroom, server, wait_until

from archive import erasing
from archive.article import Article, Rejection, Withdrawal
from archive.grouping import find_copies
from archive.identity import article_id
from archive.ingest_run import IngestRun
from archive.ledger import Ledger
from archive.lock import exclusive
from archive.packing import unpack_text
from archive.progress import silent
from archive.quarantine import Quarantine
from archive.store import Store
from archive.takedowns import Takedowns
from index.check import check
from index.erasing import Eraser, NotErased
from web import create_app
from web.services import Services
from web.settings import Settings

CANARY = "quillonvellmarsh"
SENTENCE = f"Nobody had heard the heron of {CANARY} sing before that night."
REMOVED = 50


def canary(number: int, *, edition: int = 1, **changes: object) -> Article:
    """Return an article that has the canary in everything; each fifth has the text of the one before it."""
    url = f"https://{CANARY}.example/{number}"
    same = number - (number % 5 == 1)
    fields: dict[str, object] = {
        "id": article_id(url=url, source=None, source_id=None, text=""),
        "url": url,
        "title": f"The flood of {CANARY}, report {same}, edition {edition}",
        "body": f"Report {same} of the flood, edition {edition}. {SENTENCE}\n\n"
        + " ".join(f"On day {day} the water stood {day * same % 97} hands high at the mill." for day in range(30))
        + f"\n\n{SENTENCE}",
        "source": f"The {CANARY} Courier",
        "section": f"Section {CANARY}",
        "authors": (f"Ada {CANARY}", f"Ben {CANARY} Marsh"),
        "language": "en",
        "published_at": datetime(2001, 3, 1, tzinfo=UTC) + timedelta(days=number),
        "note": f"Corrects the {CANARY} of edition {edition}",
    }
    return Article(**{**fields, **changes})  # type: ignore[arg-type]


CANARIES = [canary(number) for number in range(REMOVED)]
IDS = [each.id for each in CANARIES]


@dataclass
class Room(Newsroom):
    """A newsroom whose ledger lies outside of its data folder."""

    keywords: str = "whoosh"

    @property
    def ledger(self) -> Path:
        return self.folder / "takedowns.jsonl"

    def environment(self, *, pause: float = 0.0, most: int | None = None) -> dict[str, str]:
        own = {"BACKFILE_LEDGER": str(self.ledger), "BACKFILE_KEYWORDS": self.keywords, "BACKFILE_ROBOTS": "allow"}
        return super().environment(pause=pause, most=most) | own

    def opened(self) -> Services:
        settings = Settings(data=self.data, ledger=self.ledger, keywords=self.keywords, robots="allow")  # type: ignore[arg-type]
        return Services(settings, embedder=MeaningEmbedder())

    def fill(self) -> None:
        """Have an archive with the canaries, some in two versions, among other articles, indexed twice."""
        services = self.opened()
        for each in [*CANARIES, *(ordinary(number) for number in range(20))]:
            services.store.put(each)
        find_copies(services.store)
        services.builder.update()
        for number in range(0, REMOVED, 3):
            services.store.put(canary(number, edition=2))
        refused = (Rejection(source="news.jsonl", reason=f"not a date: {SENTENCE}", line=3),)
        run = IngestRun(
            started_at=datetime.now(UTC), seconds=1, added=1, updated=0, unchanged=0, rejected=1, rejections=refused
        )
        services.store.end_run(services.store.begin_run(), run)
        for line, raw in enumerate((json.dumps({"title": SENTENCE}).encode(), b'{"title": "Another story"}'), start=1):
            services.quarantine.note([(Rejection(source="news.jsonl", reason="no body", line=line, raw=raw), len(raw))])
        services.builder.update()
        work = self.data / "evaluations" / "self"
        work.mkdir(parents=True)
        (work / "texts.txt").write_text(SENTENCE)
        services.close()


def files_with(word: str, folder: Path) -> list[str]:
    """Return the files that hold a word, in whatever case."""
    wanted = word.lower().encode()
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and wanted in path.read_bytes().lower()]


def texts(data: Path) -> str:
    """Return all that can be read in the database, its packed bodies unpacked."""
    store = Store(data / "archive.sqlite3")
    tables = [name for (name,) in store.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = [repr(row) for table in tables for row in store.rows(f"SELECT * FROM {table}")]
    bodies = [unpack_text(packed) for (packed,) in store.rows("SELECT packed FROM body")]
    assert Quarantine(store, megabytes=1).count() == 1, "the input without the words"
    store.close()
    return "\n".join([*rows, *bodies]).lower()


def assert_gone(room: Room) -> None:
    """Look into every byte under the data folder, and at what SQLite makes of them."""
    assert files_with(CANARY, room.data) == []
    assert CANARY not in texts(room.data)
    assert [path for id_ in IDS[:3] for path in files_with(id_, room.data / "index")] == []
    assert files_with(CANARY, room.ledger.parent) == [], "nor in the ledger"


def asked(address: str, path: str, **headers: str) -> tuple[int, str]:
    request = Request(address + path, headers=headers)
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


PATHS = (
    "/", "/search?q=heron", f"/search?q={CANARY}", f"/api/search?q={CANARY}&mode=keyword", "/api/search?q=flood",
    "/search?q=flood&sort=newest&copies=all", f"/search.atom?q={CANARY}", "/search.csv?q=flood",
    "/search.jsonl?q=flood&body=1", f"/api/suggest?q={CANARY[:5]}", f"/api/completions?q=author:{CANARY[:5]}",
    f"/api/completions?q={CANARY[:6]}", "/browse/authors", "/browse/sources", "/browse/sections", "/browse/2001/03",
    "/api/browse/authors", "/stories", "/api/stories", "/sitemaps/1.xml", "/api/search?q=quilonvellmarsh",
    "/api/related?url=https://quillonvellmarsh.example/1",
)  # fmt: skip
OF_ONE = ("", "/versions", "/versions/1", "/related", "/copies", "/embed", "/follow-ups.atom", "/cite.bib", ".json")


def shows(address: str) -> list[str]:
    """Return the paths that show the canary, without what merely repeats the question."""
    found = []
    for path in [*PATHS, *(f"/articles/{IDS[4]}{more}" for more in OF_ONE), f"/api/articles/{IDS[4]}"]:
        _, text = asked(address, path)
        if "The flood of quill" in text or "heron of quill" in text or f"Ada {CANARY}" in text or IDS[4] in links(text):
            found.append(path)
    return found


def links(text: str) -> str:
    """Return a page without the address it was asked at, which an error repeats."""
    return "\n".join(line for line in text.splitlines() if "instance" not in line and "canonical" not in line)


@dataclass
class Reader:
    """Somebody who goes on asking a server."""

    address: str
    statuses: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Reader":
        self._thread = threading.Thread(target=self.read)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    def read(self) -> None:
        while not self.over.is_set():
            for path in ("/api/search?q=flood", "/readyz", "/search?q=water", f"/articles/{IDS[7]}"):
                try:
                    self.statuses.append(asked(self.address, path)[0])
                except OSError as error:
                    self.problems.append(f"{path}: {error}")


@pytest.mark.parametrize("keywords", ["whoosh", "tantivy"])
def test_fifty_articles_are_gone_from_everything_and_stay_gone_after_an_old_backup(
    tmp_path: Path, keywords: str
) -> None:
    room = Room(tmp_path / "room", keywords=keywords)
    room.fill()
    backup = tmp_path / "backup"
    shutil.copytree(room.data, backup)
    assert files_with(CANARY, room.data)

    with server(room) as (address, process):
        assert shows(address)
        asked(address, "/api/suggest?q=flo")
        with Reader(address) as reader:
            removed = room.run("remove", *IDS, "--reason", "court order", "--json")
            assert removed.returncode == 0, removed.stderr
            assert shows(address) == []
            erased = room.run("erase", "--json")
            assert erased.returncode == 0, erased.stderr
            assert shows(address) == []
            wait_until(lambda: json.loads(asked(address, "/readyz")[1])["generation"] == 4, process)
        assert (set(reader.statuses), reader.problems) == ({200, 410}, [])
        report = json.loads(erased.stdout)
        assert {each["id"] for each in report["erased"]} == set(IDS)
        assert all(each["erased_at"] and each["reason"] == "court order" for each in report["erased"])
        assert report["search"]["pieces"] > REMOVED * 10
        assert report["search"]["files"] > 5
        assert shows(address) == []
        assert asked(address, f"/articles/{IDS[0]}")[0] == 410
        assert_gone(room)
    with_services_is_whole(room)

    shutil.rmtree(room.data)
    shutil.copytree(backup, room.data)
    assert files_with(CANARY, room.data)
    with server(room) as (address, process):
        assert shows(address) == []
        assert asked(address, f"/articles/{IDS[0]}")[0] == 410
        assert_gone(room)
        wait_until(lambda: json.loads(asked(address, "/readyz")[1])["status"] == "ok", process)
        assert shows(address) == []
        assert_gone(room)
    with_services_is_whole(room)


def with_services_is_whole(room: Room) -> None:
    services = room.opened()
    assert check(services.generations, services.store) == []
    assert services.store.count_live() == 20
    assert len(services.takedowns.all()) == REMOVED
    assert [services.store.put(each) for each in CANARIES[:2]] == ["unchanged"] * 2, "a takedown holds"
    services.close()


# Step by step, in one process


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with the canaries, of which the first ten are removed."""
    room = Room(tmp_path_factory.mktemp("filled"))
    room.fill()
    services = room.opened()
    for each in IDS[:10]:
        services.store.remove(each, reason="court order")
    services.close()
    return room.folder


@pytest.fixture
def room(filled: Path, tmp_path: Path) -> Room:
    shutil.copytree(filled, tmp_path / "room")
    return Room(tmp_path / "room")


@pytest.fixture
def services(room: Room) -> Iterator[Services]:
    services = room.opened()
    yield services
    services.close()


def eraser_of(services: Services) -> Eraser:
    return Eraser(
        data=services.settings.data,
        store=services.store,
        takedowns=services.takedowns,
        renew_index=services.builder.renew,
    )


def readable(services: Services, article: str) -> list[str]:
    """Return what can still be read of an article."""
    rows = services.store.rows(
        "SELECT title, url, source, section, authors, note, packed FROM version JOIN body USING (version_id)"
        " WHERE article_id = ?",
        (article,),
    )
    return [text for *fields, packed in rows for text in (*fields, unpack_text(packed)) if text and text != "[]"]


class Killed(BaseException):
    """The process was killed."""


STEPS = (
    "archive.takedowns.Takedowns.note_erasing",
    "index.build.Builder.renew",
    "index.generation.clear",
    "archive.erasing.blank",
    "archive.erasing._blank",
    "archive.sqlite_database.SqliteDatabase.flush",
    "archive.byte_search.Needles.found_in",
    "archive.takedowns.Takedowns.note_erased",
    "archive.ledger.Ledger.add",
)


@pytest.mark.parametrize("step", STEPS)
def test_erasing_that_was_killed_is_finished_by_running_it_again(
    step: str, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = room.opened()
    assert killed.store.count_live() == 60  # opened, so that what follows is of the erasing alone

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(step, kill)
        with pytest.raises(Killed):
            eraser_of(killed).erase(IDS[:10])
    assert [each.erased_at for each in killed.takedowns.all()] == [None] * 10, "nobody was told that it is done"
    killed.close()

    again = room.opened()
    erased = eraser_of(again).erase(IDS[:10])
    assert all(each.erased_at for each in again.takedowns.all())
    assert set(again.ledger.read().erased) == set(IDS[:10])
    assert [readable(again, each) for each in IDS[:10]] == [[]] * 10
    assert check(again.generations, again.store) == []
    assert len(list((room.data / "index").iterdir())) == 1
    assert erased.search.rewritten == bool(erased.resumed)
    assert erased.search.verified == (not erased.resumed)
    again.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed, so no system call can be killed")
@pytest.mark.parametrize("call", ["rename", "unlinkat", "ftruncate"])
def test_erasing_killed_in_a_system_call_is_finished_by_running_it_again(call: str, room: Room) -> None:
    strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:signal=KILL:when=1",
    ]
    ended = subprocess.run(
        [*strace, *room.command("erase")], env=room.environment(), capture_output=True, check=False, timeout=PATIENCE
    )
    assert ended.returncode == -signal.SIGKILL
    again = room.run("erase", "--json")
    report = json.loads(again.stdout)
    assert again.returncode == int(not report["search"]["verified"]), again.stderr
    assert {each["id"] for each in report["erased"]} == set(IDS[:10])
    services = room.opened()
    assert [readable(services, each) for each in IDS[:10]] == [[]] * 10
    assert check(services.generations, services.store) == []
    services.close()


def test_what_other_articles_have_in_common_with_one_stays_theirs_and_is_named(services: Services) -> None:
    services.store.put(ordinary(70, title="The heron", body=canary(20).body))
    services.store.remove(IDS[20])
    erased = eraser_of(services).erase([IDS[20]])
    assert ordinary(70).id in erased.search.held_by
    assert services.store.article(ordinary(70).id)
    assert readable(services, IDS[20]) == []
    copies = erasing.copies_of(services.store, [IDS[0], ordinary(1).id])
    assert IDS[11] in copies[IDS[0]], "it is alike, and shown"
    assert IDS[1] not in copies[IDS[0]], "it was removed as well"
    assert ordinary(1).id not in copies


def test_embeddings_go_with_the_last_article_that_has_the_text(services: Services) -> None:
    kept = services.store.stats().embeddings
    shared = {p.text_hash for p in services.store.passages(canary(11), chunking=services.builder._chunking)}
    services.store.remove(IDS[10])
    eraser_of(services).erase([IDS[10]])
    model = services.store.model_id(sha256=MeaningEmbedder.sha256, name=MeaningEmbedder.name)
    assert services.store.embedded(model, sorted(shared)) == shared
    services.store.remove(IDS[11])
    eraser_of(services).erase([IDS[11]])
    assert services.store.embedded(model, sorted(shared)) == set()
    assert services.store.stats().embeddings < kept


def test_nothing_is_erased_as_long_as_another_file_has_the_words_however_often_it_is_tried(
    services: Services, room: Room
) -> None:
    line = json.dumps({"body": canary(3).body}, ensure_ascii=False).encode()
    copies = [room.data / "backup-of-archive.sqlite3", room.data / "export.jsonl", room.data / "export.jsonl.gz"]
    services.store.database.flush(seconds=PATIENCE)
    shutil.copy(room.data / "archive.sqlite3", copies[0])
    copies[1].write_bytes(line)
    copies[2].write_bytes(gzip.compress(line))
    runner = app_of(services).test_cli_runner()
    while copies:
        refused = runner.invoke(args=["erase"])
        assert refused.exit_code == 1
        assert all(str(path) in refused.output for path in copies), refused.output
        assert "nothing is erased yet" in refused.output
        assert readable(services, IDS[3])
        copies.pop().unlink()
    assert services.takedowns.unfinished() == set()
    done = runner.invoke(args=["erase"])
    assert done.exit_code == 0, done.output
    assert "verified: " in done.output
    assert readable(services, IDS[3]) == []
    first = services.takedowns.all()[0]
    assert first.receipt is not None
    assert first.receipt["verified"] is True
    assert runner.invoke(args=["erase"]).output.startswith("nothing to erase")
    assert runner.invoke(args=["erase", IDS[3]]).output.startswith("nothing to erase"), "its receipt stays"
    assert services.takedowns.all()[0] == first


def test_who_has_nothing_to_look_for_never_says_that_nothing_was_found(services: Services, room: Room) -> None:
    services.takedowns.note_erasing(IDS[:10])
    erasing.blank(services.store, IDS[:10])  # and then it was killed
    (room.data / "export.jsonl").write_text(canary(3).body)
    ended = app_of(services).test_cli_runner().invoke(args=["erase", "--json"])
    assert ended.exit_code == 1
    report = json.loads(ended.stdout)
    assert (report["search"]["verified"], report["search"]["rewritten"]) == (False, True)
    assert "erased, but not verified" in ended.stderr
    assert all(id_ in ended.stderr for id_ in IDS[:10])
    assert {each.receipt["verified"] for each in services.takedowns.all() if each.receipt} == {False}
    assert services.takedowns.unfinished() == set()


@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_source_says_of_its_withdrawal_goes_with_the_text_and_stands_nowhere_else(
    is_known: bool, services: Services, room: Room
) -> None:
    said = "Kill the tale of the green lighthouse keeper, who never danced"
    if is_known:
        services.store.put(ordinary(70))
    assert services.store.withdraw(Withdrawal(id=ordinary(70).id, reason=said, source="wire"))
    assert said.encode() not in room.ledger.read_bytes()
    (listed,) = [each for each in services.takedowns.all() if each.id == ordinary(70).id]
    assert listed.reason == "taken back by its source"
    eraser_of(services).erase([ordinary(70).id])
    assert files_with(said, room.folder) == []
    assert list(services.store.rows("SELECT reason FROM change WHERE article_id = ?", (IDS[0],)))[-1] == (
        "court order",
    ), "of another article"


def test_words_too_few_to_be_told_from_others_are_not_called_verified(services: Services) -> None:
    services.store.put(ordinary(70, title="Rain", body="It rains.", url=None))
    services.store.remove(ordinary(70).id)
    ended = app_of(services).test_cli_runner().invoke(args=["erase", ordinary(70).id])
    assert ended.exit_code == 1
    assert "too short" in ended.output
    assert "nothing found" not in ended.output


def test_who_goes_on_reading_the_write_ahead_log_is_waited_for_and_then_named(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.erasing.FLUSH_SECONDS", 0.2)
    monkeypatch.setattr("archive.sqlite_database.BUSY_TIMEOUT_MS", 100)
    other = Store(services.settings.data / "archive.sqlite3")
    reading = other.rows("SELECT article_id FROM article")
    next(reading)
    short = Services(services.settings, embedder=MeaningEmbedder())
    with pytest.raises(NotErased, match="write-ahead log"):
        eraser_of(short).erase(IDS[:10])
    list(reading)
    assert eraser_of(short).erase(IDS[:10]).search.verified
    other.close()
    short.close()


def test_a_command_that_holds_the_lock_erases_again_what_a_backup_brought_back(
    services: Services, room: Room, filled: Path
) -> None:
    eraser_of(services).erase(IDS[:10])
    services.close()
    shutil.rmtree(room.data)
    shutil.copytree(filled / "data", room.data)
    again = room.opened()
    with exclusive(again.lock):
        assert [readable(again, each) for each in IDS[:10]] == [[]] * 10
    assert list((room.data / "index").iterdir()) == [], "until it is made anew"
    again.close()


def test_while_another_process_is_at_work_what_a_backup_brought_back_is_hidden_at_least(
    services: Services, room: Room, filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    eraser_of(services).erase(IDS[:10])
    services.close()
    shutil.rmtree(room.data)
    shutil.copytree(filled / "data", room.data)
    with (room.data / "archive.lock").open("a+") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        busy = room.opened()
        assert not set(busy.store.live_ids()) & set(IDS[:10])
        assert "hidden, but not erased again" in caplog.text
        busy.close()
    later = room.opened()
    assert readable(later, IDS[0]) == []
    later.close()


def test_only_what_was_removed_is_erased(services: Services) -> None:
    refused = app_of(services).test_cli_runner().invoke(args=["erase", IDS[30]])
    assert refused.exit_code == 1
    assert "run `flask remove` first" in refused.output
    assert services.store.article(IDS[30]) is not None


def test_takedowns_are_listed_with_their_receipts(services: Services) -> None:
    runner = app_of(services).test_cli_runner()
    assert runner.invoke(args=["erase", IDS[0], "--json"]).exit_code == 0
    listed = json.loads(runner.invoke(args=["takedowns", "--json"]).stdout)["takedowns"]
    first = next(each for each in listed if each["id"] == IDS[0])
    assert first["erased_at"]
    assert first["reason"] == "court order"
    assert first["receipt"]["files"] > 5
    assert sum(each["erased_at"] is not None for each in listed) == 1
    assert runner.invoke(args=["takedowns"]).output.count("court order") == 10


def app_of(services: Services) -> Flask:
    return create_app(services=services)


def test_a_search_of_the_files_leaves_the_locks_of_the_database_in_place(tmp_path: Path) -> None:
    store = Store(tmp_path / "archive.sqlite3")
    store.put(ordinary(1))
    eraser = Eraser(
        data=tmp_path,
        store=store,
        takedowns=Takedowns(store, Ledger(tmp_path / "takedowns.jsonl")),
        renew_index=lambda: None,
    )
    eraser._search(frozenset({b"sixteen bytes or more"}), eraser._files(), silent)
    script = "import sys, pathlib, archive.lock; archive.lock.refuse_if_open(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(tmp_path / "archive.sqlite3")]
    ended = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert "another process has it open" in ended.stderr
    store.close()
