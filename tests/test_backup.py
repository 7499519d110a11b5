"""Backups: whole or not there, and what is restored is what was backed up, under load and whatever is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from newsroom import MeaningEmbedder, article, open_newsroom
from processes import ROOT

from archive.errors import ArchiveBusy, ArchiveDamaged
from archive.store import Store
from index import backups
from index.backing_up import Made, back_up
from index.backups import BackupError
from index.check import check
from index.restoring import choose, restore
from index.search import SearchRequest
from web import create_app
from web.services import Services
from web.settings import Settings

QUERIES = ("flood", "election", "comet bay", "report 7")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = open_newsroom(tmp_path / "data")
    yield services
    services.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def make(parts: Services, folder: Path, *, keep: int | None = None, seconds: int = 0) -> Made:
    """Make a backup; `seconds` makes another one of the same second possible by giving the last an earlier name."""
    made = back_up(folder, data=parts.settings.data, store=parts.store, ledger=parts.ledger, keep=keep)
    if not seconds:
        return made
    earlier = replace(made.backup, made_at=made.backup.made_at.replace(year=2000 + seconds))
    path = folder / backups.name_for(earlier.made_at)
    made.backup.path.rename(path)
    backups.write_manifest(path, earlier)
    return replace(made, backup=backups.read(path))


def rows(store: Store, *, until: int) -> dict[str, list[tuple[object, ...]]]:
    """Return every row that tells of changes up to `until`, by table."""
    ids = "SELECT article_id FROM change WHERE seq <= ?1"
    return {
        "change": list(store.rows("SELECT * FROM change WHERE seq <= ? ORDER BY seq", (until,))),
        "version": list(
            store.rows(
                "SELECT v.*, b.packed FROM version v JOIN body b USING (version_id) WHERE EXISTS (SELECT 1 FROM change"
                " WHERE article_id = v.article_id AND version = v.version AND seq <= ?1) ORDER BY 1",
                (until,),
            )
        ),
        "article": list(store.rows(f"SELECT * FROM article WHERE article_id IN ({ids}) ORDER BY 1", (until,))),
    }


def answers(parts: Services) -> list[list[tuple[str, float]]]:
    found = (parts.search.search(SearchRequest(query=query, page_size=50)) for query in QUERIES)
    return [[(result.article.id, round(result.score, 9)) for result in each.results] for each in found]


def reopened(folder: Path) -> Services:
    return Services(Settings(data=folder), embedder=MeaningEmbedder())


def problems(parts: Services) -> list[str]:
    return check(parts.generations, parts.store)


def test_a_drill_under_load_restores_the_rows_and_answers_of_one_moment(
    parts: Services, folder: Path, tmp_path: Path
) -> None:
    before, stop, errors = answers(parts), threading.Event(), []
    numbers = iter(range(1000, 100_000))

    def working(work: object) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.is_set():
                    work()  # type: ignore[operator]
            except Exception as error:
                errors.append(error)

        return threading.Thread(target=run)

    def ingest() -> None:
        for _ in range(5):
            parts.store.put(article(next(numbers), title="Late words", body="Nothing that is asked for."))
        parts.builder.update()

    threads = [working(ingest), working(lambda: answers(parts))]
    for thread in threads:
        thread.start()
    try:
        made = make(parts, folder)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    parts.store.put(article(2, title="Changed since"))  # what a restored archive must know nothing of
    chosen, passed_over = choose(folder)
    assert (chosen, passed_over) == (made.backup, [])
    restore(chosen, tmp_path / "drill", ledgers=[])
    there = reopened(tmp_path / "drill")
    assert problems(there) == []
    assert there.store.last_seq() == made.backup.seq
    kept, restored = rows(parts.store, until=made.backup.seq), rows(there.store, until=made.backup.seq)
    assert restored["change"] == kept["change"]
    assert restored["version"] == kept["version"]
    assert [row for row in restored["article"] if row[0] != article(2).id] == [
        row for row in kept["article"] if row[0] != article(2).id
    ]
    assert there.store.count_live() == made.backup.articles
    with there.serving.engine() as (engine, degraded):
        assert (engine.generation, degraded) == (made.backup.generation, False)
    assert [[id_ for id_, _ in each] for each in answers(there)] == [[id_ for id_, _ in each] for each in before]
    there.close()


def test_an_idle_archive_restored_answers_to_the_score(parts: Services, folder: Path, tmp_path: Path) -> None:
    make(parts, folder)
    restore(choose(folder)[0], tmp_path / "drill", ledgers=[])
    there = reopened(tmp_path / "drill")
    assert answers(there) == answers(parts)
    there.close()


def test_what_did_not_change_is_not_written_again(parts: Services, folder: Path) -> None:
    first = make(parts, folder, seconds=1)
    (folder / "unrelated").write_text("stays")
    again = make(parts, folder)
    assert again.copied < first.copied
    index = [name for name in again.backup.files if name.startswith("index/")]
    assert index
    assert all((again.backup.path / name).samefile(first.backup.path / name) for name in index)
    assert (folder / "unrelated").exists()


def test_on_another_disk_files_are_copied_and_that_is_said(parts: Services) -> None:
    here = parts.settings.data.stat().st_dev
    disks = [Path(name) for name in ("/tmp", "/var/tmp", "/dev/shm")]
    elsewhere = [disk for disk in disks if disk.is_dir() and disk.stat().st_dev != here]
    if not elsewhere:
        pytest.skip("there is one disk")
    with tempfile.TemporaryDirectory(dir=elsewhere[0]) as folder:
        made = make(parts, Path(folder))
        assert made.copied == made.backup.size
        assert any("no hard links" in note for note in made.notes)
        assert backups.problem_of(made.backup) is None


def test_a_file_that_was_damaged_in_the_backup_before_is_not_taken_from_it(parts: Services, folder: Path) -> None:
    first = make(parts, folder, seconds=1)
    name = next(name for name in first.backup.files if name.endswith(".vectors.npy"))
    flip(first.backup.path / name, shared=False)
    again = make(parts, folder)
    assert backups.problem_of(again.backup) is None
    assert backups.problem_of(first.backup) is not None


def test_so_many_are_kept_and_a_foreign_one_is_left_alone(parts: Services, folder: Path, tmp_path: Path) -> None:
    other = Services(Settings(data=tmp_path / "other"), embedder=MeaningEmbedder())
    other.store.put(article(1))
    foreign = make(other, folder, seconds=1)
    other.close()
    made = [make(parts, folder, seconds=2), make(parts, folder, seconds=3)]
    last = make(parts, folder, keep=2)
    assert last.deleted == [made[0].backup.path]
    assert {path.name for path in folder.iterdir()} == {
        *(each.backup.path.name for each in (foreign, made[1], last)),
        ".lock",
    }


def test_takedowns_hold_in_what_is_restored(parts: Services, folder: Path) -> None:
    make(parts, folder)
    parts.store.remove(article(7).id, reason="court order")
    data, ledger = parts.settings.data, parts.ledger.path
    kept = ledger.read_bytes()
    parts.close()
    restored = restore(choose(folder)[0], data, ledgers=[ledger])
    assert restored.put_aside is not None
    assert (restored.put_aside / backups.DATABASE).exists()
    assert ledger.read_bytes() == kept
    there = reopened(data)
    held = there.store.article(article(7).id)
    assert held is not None
    assert held.status == "removed"
    assert problems(there) == []
    there.close()


def test_a_ledger_that_does_not_go_on_from_the_backups_adds_what_it_knows(
    parts: Services, folder: Path, tmp_path: Path
) -> None:
    parts.store.remove(article(7).id, reason="court order")
    make(parts, folder)
    other = Services(Settings(data=tmp_path / "other"), embedder=MeaningEmbedder())
    other.store.put(article(8))
    other.store.remove(article(8).id)
    other.close()
    restore(choose(folder)[0], tmp_path / "drill", ledgers=[tmp_path / "other" / backups.LEDGER])
    there = reopened(tmp_path / "drill")
    assert {each.id for each in there.takedowns.all()} >= {article(7).id, article(8).id}
    assert there.ledger.read().problems == []
    there.close()


def flip(path: Path, *, shared: bool = True) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    if not shared:  # of two names of one file, this one alone
        path.unlink()
    path.write_bytes(content)


def test_a_damaged_backup_is_passed_over_for_the_one_before_and_said(
    parts: Services, folder: Path, tmp_path: Path
) -> None:
    first, second = make(parts, folder, seconds=1), make(parts, folder)
    flip(second.backup.path / backups.DATABASE, shared=False)
    chosen, passed_over = choose(folder)
    assert chosen == first.backup
    (said,) = passed_over
    assert "its SHA-256 differs" in said
    with pytest.raises(BackupError, match="SHA-256 differs"):
        choose(second.backup.path)
    flip(first.backup.path / backups.MANIFEST)
    with pytest.raises(BackupError, match="no whole backup"):
        choose(folder)
    assert [each.problem is None for each in backups.listed(folder)] == [True, False]  # sizes tell no flip


def test_a_manifest_that_says_something_else_is_not_believed(parts: Services, folder: Path) -> None:
    made = make(parts, folder).backup
    manifest = made.path / backups.MANIFEST
    said = manifest.read_text()
    manifest.write_text(said.replace(f'"articles": {made.articles}', f'"articles": {made.articles + 1}'))
    with pytest.raises(BackupError, match="it is damaged"):
        backups.read(made.path)


@pytest.mark.parametrize("seed", range(int(os.environ.get("BACKFILE_TEST_FLIPS", "12")) // 12))
def test_no_flip_in_a_backup_goes_unnoticed(parts: Services, folder: Path, seed: int) -> None:
    made, chance = make(parts, folder), random.Random(seed)
    for name in [backups.MANIFEST, *chance.sample(list(made.backup.files), 11)]:
        path = made.backup.path / name
        content = path.read_bytes()
        place = chance.randrange(len(content))
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        path.unlink()  # it may be the archive's own file by another name
        path.write_bytes(damaged)
        with pytest.raises(BackupError):
            choose(made.backup.path)
        path.write_bytes(content)
    choose(made.backup.path)


def test_a_damaged_archive_makes_no_backup_and_deletes_none(parts: Services, folder: Path) -> None:
    first = make(parts, folder, seconds=1)
    parts.store.database.flush(seconds=5)
    database = parts.settings.data / backups.DATABASE
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(size // 2)
        byte = file.read(1)[0]
        file.seek(size // 2)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(ArchiveDamaged, match="run `flask check`"):
        make(parts, folder, keep=1)
    assert [each.path for each in backups.listed(folder)] == [first.backup.path]
    assert not list(folder.glob(f"{backups.UNFINISHED}*"))


def test_a_damaged_index_is_left_out_and_said(parts: Services, folder: Path, tmp_path: Path) -> None:
    flip(next((parts.settings.data / "index").rglob("*.vectors.npy")))
    made = make(parts, folder)
    assert made.backup.generation is None
    assert "run `flask reindex`" in made.notes[0]
    restore(choose(folder)[0], tmp_path / "drill", ledgers=[])
    there = reopened(tmp_path / "drill")
    assert there.store.pointer() == (None, None)
    there.close()


def test_an_archive_in_use_is_not_replaced(parts: Services, folder: Path) -> None:
    make(parts, folder)
    script = (
        "import sys; from pathlib import Path; from index.restoring import choose, restore\n"
        "restore(choose(Path(sys.argv[1]))[0], Path(sys.argv[2]), ledgers=[])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(parts.settings.data)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ArchiveBusy.__name__ in ended.stderr
    assert "stop the server" in ended.stderr
    assert problems(parts) == []


def test_a_folder_that_is_no_place_for_a_backup_is_refused(parts: Services, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="inside the data folder"):
        make(parts, parts.settings.data / "backups")
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match="file"):
        make(parts, tmp_path / "file")


def test_a_restore_takes_no_folder_that_is_something_else(parts: Services, folder: Path, tmp_path: Path) -> None:
    make(parts, folder)
    chosen = choose(folder)[0]
    other = tmp_path / "letters"
    other.mkdir()
    (other / "letter.txt").write_text("dear all")
    with pytest.raises(BackupError, match="something else than an archive"):
        restore(chosen, other, ledgers=[])
    assert (other / "letter.txt").read_text() == "dear all"
    with pytest.raises(BackupError, match="among the backups"):
        restore(chosen, folder / "inside", ledgers=[])
    (other / "letter.txt").unlink()
    assert restore(chosen, other, ledgers=[]).put_aside is None, "an empty folder is as good as none"


KILLED = """
import os, signal, sys
from pathlib import Path
from archive.ledger import Ledger
from archive.store import Store
from index.backing_up import back_up
from index.restoring import choose, restore
folder, data, to, when = *map(Path, sys.argv[1:4]), int(sys.argv[4])
reports = 0
def progress(stage, done, total):
    global reports
    reports += 1
    if reports == when:
        os.kill(os.getpid(), signal.SIGKILL)
if to.name == "none":
    back_up(folder, data=data, store=Store(data / "archive.sqlite3"), ledger=Ledger(data / "takedowns.jsonl"),
            progress=progress)
else:
    restore(choose(folder)[0], to, ledgers=[], progress=progress)
"""


def killed(folder: Path, data: Path, to: Path, *, when: int) -> bool:
    """Run it in a process that is killed at its report of this number; return whether it came so far."""
    command = [sys.executable, "-c", KILLED, str(folder), str(data), str(to), str(when)]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode != 0


def test_a_backup_that_is_killed_is_no_backup_and_the_next_one_clears_up(parts: Services, folder: Path) -> None:
    first = make(parts, folder, seconds=1)
    for when in (1, 2, 12):
        assert killed(folder, parts.settings.data, Path("none"), when=when)
        assert [each.path for each in backups.listed(folder)] == [first.backup.path]
        assert list(folder.glob(f"{backups.UNFINISHED}*"))
    assert problems(parts) == []
    make(parts, folder)
    assert not list(folder.glob(f"{backups.UNFINISHED}*"))
    assert not list((parts.settings.data / "index").glob("backing-up-*"))
    assert len(backups.listed(folder)) == 2


def test_a_restore_that_is_killed_leaves_what_was_there(parts: Services, folder: Path) -> None:
    make(parts, folder)
    data = parts.settings.data
    parts.store.put(article(500, title="Since the backup"))
    parts.close()
    for when in (1, 9):
        assert killed(folder, data, data, when=when)
        there = reopened(data)
        assert there.store.article(article(500).id) is not None
        there.close()
    restored = restore(choose(folder)[0], data, ledgers=[])
    assert restored.put_aside is not None
    assert {path.name for path in data.parent.iterdir()} == {"data", restored.put_aside.name, "backups"}
    there = reopened(data)
    assert there.store.article(article(500).id) is None
    assert problems(there) == []
    there.close()


# The commands


@pytest.fixture
def app(parts: Services) -> Flask:
    return create_app(services=parts)


def test_the_commands_make_list_and_restore(app: Flask, parts: Services, folder: Path, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    made = json.loads(runner.invoke(args=["backup", str(folder), "--keep", "3", "--json"]).stdout)
    assert (made["seq"], made["generation"], made["deleted"]) == (parts.store.last_seq(), 1, [])
    assert parts.store.last_backup() == (folder, choose(folder)[0].made_at)
    listed = json.loads(runner.invoke(args=["backup", str(folder), "--list", "--json"]).stdout)
    assert [each["whole"] for each in listed["backups"]] == [True]
    assert made["backup"].split("/")[-1] in runner.invoke(args=["restore", str(folder), "--list"]).stdout
    runner.invoke(args=["remove", article(5).id])
    assert str(folder) in runner.invoke(args=["erase"]).stderr  # where its text still is
    restored = runner.invoke(args=["restore", str(folder), "--to", str(tmp_path / "drill"), "--json"])
    assert restored.exit_code == 0, restored.stderr
    told = json.loads(restored.stdout)
    assert (told["restored_to"], told["put_aside"]) == (str(tmp_path / "drill"), None)
    assert told["live"] == parts.store.count_live()  # what was removed since is removed there too


def test_a_command_that_cannot_says_why_in_one_line(app: Flask, tmp_path: Path) -> None:
    ended = app.test_cli_runner().invoke(args=["restore", str(tmp_path / "nothing")])
    assert ended.exit_code == 1
    assert "No such file or directory" in ended.stderr
    assert "Traceback" not in ended.output
