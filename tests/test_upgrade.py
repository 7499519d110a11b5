"""An archive of the first schema, opened by this program: all of it is still there, whatever happens meanwhile."""

import gc
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import apsw
import numpy as np
import pytest
from copied import story
from disks import Disk
from newsroom import article

from archive import sqlite
from archive.article import TEXT_HASH_BYTES, Article, Passage
from archive.errors import ArchiveDamaged, ArchiveError
from archive.grouping import find_copies
from archive.identity import content_hash
from archive.packing import unpack_embeddings
from archive.store import PublishedGeneration, Store

DIMENSION = 12
TEXTS = random.Random(5)
VERSIONS = [
    article(1, title="First wording", body="Überschwemmung 🌊 \u0000\n\n" + TEXTS.randbytes(9000).hex()),
    article(1, title="Second wording", version=2),
    article(2, body=""),
    article(3, status="removed", derived_title=True),
    article(4, status="embargoed", published_at=None, source=None, authors=('Ada "A" Quill',)),
    *(article(number, body=f"Report {number}. " * 40) for number in range(10, 40)),
]
SHOWN = {each.id: each for each in VERSIONS}  # the newest version of each
CHUNKINGS = ("first way", "second way")
GENERATIONS = [PublishedGeneration(number=n, seq=n, manifest_sha256=bytes([n]) * 32) for n in (1, 3)]
UUID = "7d4f3f3e-0000-4000-8000-000000000001"


ALERT_TABLES = ("delivery", "channel", "alert", "saved_search", "mail_question", "mail_refusal", "quarantine")
FOLLOW_TABLES = ("follow", "page", "robots", "busy_host", "told")
TAKEDOWN_TABLES = ("takedown", "audit", "token", "token_failure", "refusal")
ASKED_TABLES = ("asked",)
SHARED_TABLES = ("shared_generation", "shared_statistics")
ALERTS = 37 * 4096  # bytes of those tables, of aliases and embargoes, and their indexes, all empty but for a takedown


def text_hash(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def vectors() -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    drawn = np.random.default_rng(3).normal(size=(30, DIMENSION))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype("<f4")


def passages(of: Article, *, parts: int) -> list[Passage]:
    return [
        Passage(article_id=of.id, version=of.version, ordinal=n, start=n, end=n + 7, text_hash=text_hash(n))
        for n in range(parts)
    ]


def write_first_schema(path: Path) -> None:
    """Make an archive as the first release wrote it."""
    path.parent.mkdir(parents=True)
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.execute((resources.files("archive") / "schema" / "001_archive.sql").read_text(encoding="utf-8"))
    connection.pragma("user_version", 1)
    with connection:
        connection.execute("INSERT INTO meta VALUES ('uuid', ?)", (UUID,))
        for each in VERSIONS:
            write_version(connection, each)
        for each in SHOWN.values():
            row = (each.id, each.version, each.status, iso(each.published_at))
            connection.execute("INSERT INTO article VALUES (?, ?, ?, ?)", row)
        write_embeddings(connection)
        for each in GENERATIONS:
            row = (each.number, each.seq, each.manifest_sha256, "2020-01-01T00:00:00+00:00")
            connection.execute("INSERT INTO generation VALUES (?, ?, ?, ?)", row)
        connection.execute("UPDATE pointer SET generation = 3, previous = 1")
    connection.close()


def iso(time: object) -> str | None:
    return time.isoformat() if time else None  # type: ignore[attr-defined]


def write_version(connection: apsw.Connection, each: Article) -> None:
    row = (
        *(each.id, each.version, each.url, each.source, each.section, each.title, json.dumps(each.authors)),
        *(each.language, iso(each.published_at), iso(each.updated_at), each.derived_title),
        *("2020-01-01T00:00:00+00:00", content_hash(each), each.body),
    )
    connection.execute("INSERT INTO version VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", row)
    change = (each.id, each.version, "added" if each.version == 1 else "updated")
    connection.execute("INSERT INTO change (article_id, version, kind, at) VALUES (?, ?, ?, '2020-01-01')", change)
    for parts, chunking in enumerate(CHUNKINGS, start=2):
        for passage in passages(each, parts=parts)[::-1]:
            cut = (each.id, each.version, chunking, passage.ordinal, passage.start, passage.end, passage.text_hash)
            connection.execute(
                'INSERT INTO passage (article_id, version, chunking, ordinal, start, "end", text_hash)'
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                cut,
            )


def write_embeddings(connection: apsw.Connection) -> None:
    for model, name in ((1, "minilm"), (2, "other")):
        connection.execute("INSERT INTO model VALUES (?, ?, ?)", (model, f"{model}" * 64, name))
        for number, vector in enumerate(vectors()):
            row = (model, text_hash(number), vector.tobytes(), hashlib.sha256(vector.tobytes()).digest()[:8])
            connection.execute("INSERT INTO embedding (model_id, text_hash, vector, checksum) VALUES (?, ?, ?, ?)", row)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "archive.sqlite3"
    write_first_schema(made)
    return made


def schema_of(path: Path) -> int:
    connection = apsw.Connection(str(path))
    version = int(connection.pragma("user_version"))
    connection.close()
    return version


def assert_all_is_there(store: Store) -> None:
    assert store.check() == []
    assert store.uuid == UUID
    assert {id_: store.article(id_) for id_ in SHOWN} == SHOWN
    assert [entry.title for entry in store.versions(VERSIONS[0].id)] == ["First wording", "Second wording"]
    first = store.one("SELECT b.packed FROM body b JOIN version v USING (version_id) WHERE v.title = 'First wording'")
    assert store.stats().versions == len(VERSIONS) - 1  # one is embargoed
    assert first is not None
    assert store.live_ids() == sorted(each.id for each in SHOWN.values() if each.status == "live")
    assert [change.article_id for change in store.changes(after=0, until=99)] == [each.id for each in VERSIONS]
    for parts, chunking in enumerate(CHUNKINGS, start=2):
        for each in VERSIONS:
            expected = [replace(p, text_hash=p.text_hash[:TEXT_HASH_BYTES]) for p in passages(each, parts=parts)]
            assert store.passages(each, chunking=chunking) == expected
    for model, name in ((1, "minilm"), (2, "other")):
        assert store.model_id(sha256=f"{model}" * 64, name=name) == model
        hashes = [text_hash(number)[:TEXT_HASH_BYTES] for number in range(len(vectors()))]
        kept = store.embeddings(model, hashes)
        unpacked = unpack_embeddings([kept[digest] for digest in hashes], dimension=DIMENSION)
        assert np.sum(unpacked * vectors(), axis=1) == pytest.approx(1, abs=1e-3)
    assert store.pointer() == (GENERATIONS[1], GENERATIONS[0])


def test_everything_of_an_archive_of_the_first_schema_is_there(path: Path) -> None:
    before = path.stat().st_size
    assert path.read_bytes()[20] == 0
    store = Store(path)
    assert_all_is_there(store)
    assert store.put(replace(VERSIONS[1], version=1)) == "unchanged"
    assert store.put(article(1, title="Third wording")) == "updated"
    assert [change.seq for change in store.changes(after=len(VERSIONS), until=99)] == [len(VERSIONS) + 1]
    assert [removed for (removed,) in store.rows("SELECT article_id FROM takedown")] == [VERSIONS[3].id]
    assert store.next_generation() == 4
    store.close()
    assert path.stat().st_size < before + ALERTS
    assert (path.read_bytes()[20], sqlite.damaged_pages(path)) == (sqlite.CHECKSUM, [])  # where there were no checksums
    again = Store(path)
    assert again.check() == []
    again.close()


def test_a_vector_that_was_damaged_is_not_taken_over_and_damaged_text_is_still_found(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE embedding SET vector = ? WHERE embedding_id IN (1, 2)", (vectors()[7].tobytes(),))
    connection.execute(
        "UPDATE embedding SET vector = ?, checksum = ? WHERE embedding_id = 3",
        (bytes(48), hashlib.sha256(bytes(48)).digest()[:8]),  # no vector at all, and nothing tells it but its norm
    )
    connection.execute("UPDATE version SET body = 'x' || body WHERE title = 'First wording'")
    connection.close()
    store = Store(path)
    (problem,) = store.check()
    assert f"article {VERSIONS[0].id} version 1: the text differs" in problem
    hashes = [text_hash(number)[:TEXT_HASH_BYTES] for number in range(30)]
    assert store.embedded(1, hashes) == set(hashes[3:])
    assert store.embedded(2, hashes) == set(hashes)
    store.close()


def test_a_body_that_is_no_text_any_more_keeps_no_other_article_from_being_brought_over(path: Path) -> None:
    damaged, whole, *_ = (each for each in SHOWN.values() if each.status == "live")
    connection = apsw.Connection(str(path))
    connection.execute(
        "UPDATE version SET body = CAST(x'ff41' AS TEXT) WHERE article_id = ? AND version = ?",
        (damaged.id, damaged.version),
    )
    connection.close()
    store = Store(path)
    with pytest.raises(ArchiveDamaged, match=damaged.id):
        store.article(damaged.id)
    assert store.article(whole.id) == whole
    (problem,) = store.check()
    assert "of the versions: the text differs" in problem or damaged.id in problem
    store.close()


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    gc.freeze()  # what is there by now is left out of every collection: with a model loaded each took .1 s
    yield made
    gc.unfreeze()
    made.remove()


def failed_opening(disk: Disk, path: Path, *, after: int) -> str:
    """Open the archive on a disk that fails after so many calls; return what was told, nothing if it went well."""
    disk.calls.clear()
    disk.fails_after = after
    try:
        store = Store(path)
    except ArchiveError as problem:
        return str(problem)
    finally:
        disk.fails_after = None
        gc.collect()  # the connection that could not be used
    store.close()
    return ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # SQLite closing on that disk
@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_an_upgrade_that_fails_at_any_write_leaves_the_old_archive(
    disk: Disk, path: Path, error: type[apsw.Error]
) -> None:
    disk.error = error
    told = []
    for failures in range(0, 400, 3):
        told.append(failed_opening(disk, path, after=failures))
        if schema_of(path) != 1:
            break
    assert len(told) > 10
    if error is apsw.FullError:
        assert all("the disk is full: free some space" in problem for problem in told[2:-1])
    store = Store(path)  # the shortening of the file may have failed: then it is only larger
    assert_all_is_there(store)
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from archive import sqlite_database as database
calls = 0
def packed(*row):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return real(*row)
real, database.{function} = database.{function}, packed
database.SqliteDatabase(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(("function", "call"), [("packed_text", 1), ("packed_text", 20), ("packed_embedding", 50)])
def test_an_upgrade_that_is_killed_is_begun_again(path: Path, function: str, call: int) -> None:
    script = KILLED.replace("{function}", function)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path), str(call)], cwd=Path(__file__).parents[1], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert schema_of(path) == 1
    store = Store(path)
    assert_all_is_there(store)
    store.close()


def test_who_opens_an_archive_while_another_upgrades_it_waits(path: Path) -> None:
    script = "import sys; from pathlib import Path; from archive.store import Store; Store(Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", script, str(path)]
    root, environment = Path(__file__).parents[1], dict(os.environ)
    both = [subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [(b"", 0)] * 3
    store = Store(path)
    assert_all_is_there(store)
    store.close()


def test_an_archive_of_the_second_schema_gets_room_for_copies_and_stories_and_is_not_written_anew(path: Path) -> None:
    Store(path).close()
    connection = apsw.Connection(str(path))
    for table in (
        *("signature", "copy", "story_article", "story_log", "telling", "ingest_run"),
        *ALERT_TABLES,
        *FOLLOW_TABLES,
        *TAKEDOWN_TABLES,
        *ASKED_TABLES,
        *SHARED_TABLES,
    ):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("ALTER TABLE model DROP COLUMN reference")
    connection.execute("ALTER TABLE generation DROP COLUMN model_id")
    connection.execute("DELETE FROM meta WHERE key = 'copies'")
    connection.execute("DROP TABLE alias; DROP INDEX version_embargo")
    for column in ("embargoed_until", "source_version", "note"):
        connection.execute(f"ALTER TABLE version DROP COLUMN {column}")
    connection.pragma("user_version", 2)
    connection.execute(
        "CREATE TABLE empty (filling BLOB); INSERT INTO empty VALUES (zeroblob(1000000)); DROP TABLE empty"
    )
    connection.close()
    size = path.stat().st_size
    store = Store(path)
    assert_all_is_there(store)
    assert (store.copies_seq(), store.stats().copies) == (0, 0)
    assert (store.telling().seq, store.stories()) == (0, [])
    for number in (70, 71):
        store.put(article(number, body=story("flood")))
    find_copies(store)
    assert (store.copies_seq(), store.stats().copies) == (store.last_seq(), 2)
    store.close()
    assert path.stat().st_size >= size
