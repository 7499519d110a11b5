"""The quarantine: what cannot be read is kept as it was, listed, tried again, thrown away, and bounded."""

import gzip
import hashlib
import io
import json
import os
import random
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import apsw
import newsroom
import pytest
from click.testing import Result
from flask import Flask

from archive.article import Rejection
from archive.errors import ArchiveDamaged
from archive.ingest import ingest
from archive.quarantine import MAX_TOGETHER, Notes, Quarantine
from archive.readers import fields
from archive.retrying import retry
from archive.store import Store
from web import create_app
from web.services import Services
from web.settings import Settings

PAGE = b"<!doctype html><html><body><p>Short.</p></body></html>"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "archive" / "archive.db")
    yield opened
    opened.close()


@pytest.fixture
def quarantine(store: Store) -> Quarantine:
    return Quarantine(store, megabytes=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "news"
    made.mkdir()
    return made


def rejection(number: int, raw: bytes | None = None) -> Rejection:
    return Rejection(source=f"file{number}", line=number, reason="because", raw=raw)


def contents(quarantine: Quarantine) -> dict[str, bytes | None]:
    return {Path(each.source).name: quarantine.content(each) for each in quarantine.held()}


# What is kept


def test_what_cannot_be_read_is_kept_byte_for_byte(folder: Path, store: Store, quarantine: Quarantine) -> None:
    line = json.dumps({"title": "No text"})
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.jsonl", line + "\n" + json.dumps({"body": "It rained."}))
        archive.writestr("b.html", PAGE)
    files = {
        "lines.jsonl": f'{{"body": "It snowed."}}\n{line[:9]}\n'.encode(),
        "table.csv": b'title,body\nOne,It hailed.\nTwo\n"Three,open\nFour,It blew.\n',
        "latin.txt": "Un été à la mer é é é é é é ".encode() + b"\xe9",
        "page.html": PAGE + b"\n",
        "packed.zip": inner.getvalue(),
        "unknown.xyz": b"some words",
        "photo.txt": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "empty.txt": b"",
        "large.txt": b"\xc3\xa9" * 600_000 + b"\xe9",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    report = ingest([folder, folder / "missing"], store, quarantine=quarantine)
    kept = {f"{Path(each.source).name}:{each.line or ''}": quarantine.content(each) for each in quarantine.held()}
    assert kept == {
        "lines.jsonl:2": line[:9].encode(),
        "table.csv:3": b"title,body\nTwo",
        "table.csv:4": b'title,body\n"Three,open',
        "latin.txt:1": files["latin.txt"],
        "page.html:": PAGE + b"\n",
        "packed.zip!a.jsonl:1": line.encode(),
        "packed.zip!b.html:": PAGE,
        "unknown.xyz:": b"some words",
        "photo.txt:": None,
        "empty.txt:": None,
        "large.txt:1": None,
    }
    sizes = {Path(each.source).name: each.size for each in quarantine.held()}
    assert (sizes["large.txt"], sizes["latin.txt"]) == (1_200_001, len(files["latin.txt"]))
    assert report.rejected_count == len(kept) + 4
    assert all(each.raw is None for each in report.rejected)


def test_the_same_input_of_one_file_is_one_row_and_of_two_files_two(
    folder: Path, store: Store, quarantine: Quarantine
) -> None:
    (folder / "a.html").write_bytes(PAGE)
    (folder / "b.csv").write_text("title,body\nOne\n")
    ingest([folder], store, quarantine=quarantine)
    (folder / "c.csv").write_text("title,body\nOne\n")
    ingest([folder], store, quarantine=quarantine)
    held = quarantine.held()
    assert [(Path(each.source).name, each.times) for each in held] == [("a.html", 2), ("b.csv", 2), ("c.csv", 1)]
    assert held[0].last_at > held[0].first_at
    assert quarantine.problems() == []


def test_what_was_kept_by_an_older_version_is_still_what_it_was(store: Store, quarantine: Quarantine) -> None:
    quarantine.note([(rejection(1, b"one"), 3)])
    with store.transaction() as connection:
        connection.execute("UPDATE quarantine SET digest = ?", (hashlib.sha256(b"one").digest(),))
    assert quarantine.problems() == []
    assert quarantine.content(quarantine.held()[0]) == b"one"


def test_what_is_too_large_to_be_kept_has_its_own_size(folder: Path, store: Store, quarantine: Quarantine) -> None:
    damaged = "é".encode() * 600_000 + b"\xe9"
    (folder / "a.txt.gz").write_bytes(gzip.compress(damaged))
    page = b"<!doctype html><html><body>" + b"<!-- -->" * 150_000
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", damaged)
        archive.writestr("page.html", page)
    ingest([folder], store, quarantine=quarantine)
    assert [(each.size, each.is_kept) for each in quarantine.held()] == [
        (len(damaged), False),
        (len(damaged), False),
        (len(page), False),
    ]


def test_without_a_quarantine_or_room_for_one_nothing_is_kept(folder: Path, store: Store) -> None:
    (folder / "a.html").write_bytes(PAGE)
    none = Quarantine(store, megabytes=0)
    assert ingest([folder], store, quarantine=none).rejected_count == 1
    assert ingest([folder], store).rejected_count == 1
    assert none.count() == 0


def test_all_of_it_stays_within_its_bound_and_the_oldest_goes_first(store: Store, quarantine: Quarantine) -> None:
    noise = random.Random(3)
    for number in range(6):
        quarantine.note([(rejection(number, noise.randbytes(300_000)), 300_000)])
    assert [each.line for each in quarantine.held()] == [3, 4, 5]
    first = quarantine.held()[0]
    content = quarantine.content(first)
    quarantine.note([(rejection(3, content), 300_000)])  # rejected again: it is not the oldest any more
    quarantine.note([(rejection(6, noise.randbytes(300_000)), 300_000)])
    assert [each.line for each in quarantine.held()] == [3, 5, 6]
    quarantine.note([(rejection(number), 5) for number in range(10, 9_000)])
    assert store.one("SELECT sum(kept) FROM quarantine")[0] <= 1_000_000


def test_many_rejections_are_noted_some_at_a_time_and_all_in_the_end(quarantine: Quarantine) -> None:
    with Notes(quarantine) as notes:
        for number in range(MAX_TOGETHER + 1):
            notes.add(rejection(number), 1)
        assert quarantine.count() == MAX_TOGETHER
    assert quarantine.count() == len(notes.noted) == MAX_TOGETHER + 1


def test_what_was_kept_and_is_damaged_is_found(store: Store, quarantine: Quarantine, tmp_path: Path) -> None:
    quarantine.note([(rejection(1, b"one"), 3), (rejection(2, b"two"), 3)])
    assert quarantine.problems() == []
    connection = apsw.Connection(str(tmp_path / "archive" / "archive.db"))
    connection.execute("UPDATE quarantine SET packed = (SELECT packed FROM quarantine WHERE id = 1) WHERE id = 2")
    connection.close()
    assert ["quarantine 2" in problem for problem in quarantine.problems()] == [True]
    with pytest.raises(ArchiveDamaged, match="quarantine 2 is not what was kept"):
        quarantine.content(quarantine.held([2])[0])


# What leaves it


def test_what_can_be_read_after_a_fix_goes_in_and_leaves(
    folder: Path, store: Store, quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.jsonl").write_text('{"title": "One", "wording": "It rained."}\n{"title": "Two"}\n')
    (folder / "large.txt").write_bytes(b"\xc3\xa9" * 600_000 + b"\xe9")
    (folder / "gone.txt").write_bytes(b"\xc3\xa8" * 600_000 + b"\xe8")
    ingest([folder], store, quarantine=quarantine)
    assert quarantine.count() == 4
    before = retry(quarantine.held(), quarantine, store)
    assert (before.added, before.rejected_count, quarantine.count()) == (0, 4, 4)
    monkeypatch.setattr(fields, "BODY", (*fields.BODY, "wording"))
    (folder / "large.txt").write_text("Title: Three\n\nIt snowed.")
    (folder / "gone.txt").unlink()
    report = retry(quarantine.held(), quarantine, store)
    assert sorted(article.title for article in store.live(store.live_ids()).values()) == ["One", "Three"]
    assert (report.added, report.rejected_count) == (2, 2)
    assert sorted((Path(each.source).name, each.line, each.times) for each in quarantine.held()) == [
        ("a.jsonl", 2, 3),
        ("gone.txt", 1, 2),
    ]
    assert {each.reason for each in report.rejected} >= {"no such file any more, and too large to have been kept"}


def test_what_is_mended_where_it_lies_leaves_once_it_is_ingested(
    folder: Path, store: Store, quarantine: Quarantine
) -> None:
    (folder / "a.jsonl").write_text('{"title": "One"}\n{"title": "Two"}\n')
    (folder / "b.html").write_bytes(PAGE)
    (folder / "c.jsonl").write_text('{"title": "Three"}\n')
    with zipfile.ZipFile(folder / "d.zip", "w") as archive:
        archive.writestr("a.html", PAGE)
    ingest([folder], store, quarantine=quarantine)
    assert quarantine.count() == 5
    (folder / "a.jsonl").write_text(
        '{"body": "A new line."}\n{"title": "Two"}\n{"title": "One", "body": "It rained."}\n'
    )
    with zipfile.ZipFile(folder / "d.zip", "w") as archive:
        archive.writestr("a.txt", "It snowed.")
    (folder / "b.html").write_bytes(PAGE.replace(b"Short", b"Shorter"))
    ingest([folder / "a.jsonl", folder / "b.html", folder / "d.zip"], store, quarantine=quarantine)
    assert [(Path(each.source).name, each.line) for each in quarantine.held()] == [
        ("a.jsonl", 2),
        ("b.html", None),
        ("c.jsonl", 1),
        ("b.html", None),  # what is wrong is the whole of it: as it was, and as it is
    ]


def test_where_the_file_has_changed_since_a_retry_says_what_it_read(
    folder: Path, store: Store, quarantine: Quarantine
) -> None:
    file = folder / "a.jsonl"
    file.write_text('{"title": "One"}\n')
    ingest([file], store, quarantine=quarantine)
    assert "changed since" not in retry(quarantine.held(), quarantine, store).rejected[0].reason
    file.write_text('{"title": "One", "body": "It rained."}\n')
    os.utime(file, (time.time() + 60, time.time() + 60))
    for _ in range(2):
        (rejected,) = retry(quarantine.held(), quarantine, store).rejected
        assert rejected.reason.startswith("no body: ")
        assert rejected.reason.endswith("; the kept copy was read; the file has changed since: ingest it")
    assert ingest([file], store, quarantine=quarantine).added == 1
    assert quarantine.count() == 0


def test_a_page_of_a_crawl_keeps_its_address_when_it_is_tried_again(store: Store, quarantine: Quarantine) -> None:
    text = "The old bridge over the river reopened on Monday after two years of repairs, the council said."
    page = f"<article><h1>Bridge reopens</h1><p>{text}</p></article>".encode()
    source = "crawl.warc.gz!http://a.example/1 (byte 1,166)"
    quarantine.note([(Rejection(source=source, reason="because", raw=page), len(page))])
    assert retry(quarantine.held(), quarantine, store).added == 1
    (found,) = store.live(store.live_ids()).values()
    assert (found.url, found.title) == ("http://a.example/1", "Bridge reopens")
    assert quarantine.count() == 0


def test_what_a_person_wants_erased_is_found_whatever_holds_it(quarantine: Quarantine) -> None:
    quarantine.note(
        [
            (rejection(1, "Zoë Quill was here".encode()), 1),
            (rejection(2, json.dumps({"x": "Zoë Quill"}).encode()), 1),
            (rejection(3, b"nobody"), 1),
            (Rejection(source="Zoë Quill.html", reason="because"), 1),
            (Rejection(source="x", reason="'Zoë Quill' is not a full ISO"), 1),
        ]
    )
    assert quarantine.purge(["Zoë Quill".encode()]) == 4
    assert [each.line for each in quarantine.held()] == [3]
    assert quarantine.purge([b"\xff\xfe"]) == 0


def test_what_came_from_one_file_is_dropped_but_for_what_is_wrong_in_it_still(quarantine: Quarantine) -> None:
    sources = ["a.zip", "a.zip!b.html", "a.zip!c.zip!d", "a.zip!e", "a.zip2", "b.zip"]
    quarantine.note([(Rejection(source=source, reason="because"), 1) for source in sources])
    still = quarantine.held()[3].id
    assert quarantine.drop_mended("a.zip", but={still}) == 3
    assert [each.source for each in quarantine.held()] == ["a.zip!e", "a.zip2", "b.zip"]
    assert quarantine.drop([each.id for each in quarantine.held()]) == 3


# The command


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    yield create_app(services=services)
    services.close()


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


def test_the_command_lists_shows_retries_and_drops(app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.jsonl").write_text('{"title": "One", "wording": "It rained."}\n{"title": "Two"}\n')
    assert run(app, "ingest", folder).exit_code == 1
    listed = run(app, "quarantine")
    assert listed.exit_code == 0
    assert f"{folder}/a.jsonl:2  16 bytes  " in listed.stdout
    assert "2 in quarantine" in listed.stderr
    told = json.loads(run(app, "quarantine", "--json").stdout)["quarantine"]
    assert [(each["id"], each["line"], each["size"], each["is_kept"], each["times"]) for each in told] == [
        (1, 1, 41, True, 1),
        (2, 2, 16, True, 1),
    ]
    assert run(app, "quarantine", 2, "--show").stdout == '{"title": "Two"}'
    assert json.loads(run(app, "stats", "--json").stdout)["quarantine"] == 2

    monkeypatch.setattr(fields, "BODY", (*fields.BODY, "wording"))
    tried = run(app, "quarantine", "--retry", "--json")
    assert tried.exit_code == 1
    counts = json.loads(tried.stdout)
    assert (counts["added"], counts["rejected_count"], counts["quarantine"]) == (1, 1, 1)
    assert "rain" in run(app, "search", "rained").stdout
    assert run(app, "quarantine", 2, "--drop").stdout == "1 dropped, 0 left\n"
    assert run(app, "quarantine", "--drop", "--all", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--show"], 2),
        (["1", "2", "--show"], 2),
        (["--drop"], 2),
        (["--all"], 2),
        (["1", "--drop", "--all"], 2),
        (["--retry", "--drop", "1"], 2),
        (["0"], 2),
        (["x"], 2),
        (["99"], 1),
        (["99", "--show"], 1),
        (["99", "--drop"], 1),
    ],
)
def test_the_command_says_what_it_does_not_take(app: Flask, arguments: list[str], status: int) -> None:
    ended = run(app, "quarantine", *arguments)
    assert ended.exit_code == status
    assert "Traceback" not in ended.output
    assert ended.stderr
