"""Whole records: out of one archive, through the file's own format, and into another, equal to the row."""

import io
import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from newsroom import article

from archive.article import Record, Rejection, Withdrawal
from archive.errors import SourceError
from archive.ingest import ingest
from archive.readers import detect
from archive.readers.records import own
from archive.readers.records.exchange import as_first_version, first_line, record_from, record_object
from archive.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = {
    "article": "SELECT * FROM article WHERE status <> 'removed' ORDER BY article_id",
    "version": "SELECT v.* FROM version v JOIN article a USING (article_id) WHERE a.status <> 'removed' ORDER BY 1",
    "body": "SELECT b.* FROM body b JOIN version USING (version_id) JOIN article a USING (article_id)"
    " WHERE a.status <> 'removed' ORDER BY 1",
    "alias": "SELECT * FROM alias ORDER BY alias",
    "change": "SELECT seq, c.article_id, c.version, kind, at,"
    " iif(status = 'removed' AND kind <> 'removed', NULL, reason)"
    " FROM change c JOIN article USING (article_id) ORDER BY seq",
    "removed": "SELECT article_id, version, status FROM article WHERE status = 'removed' ORDER BY 1",
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[Store]]:
    stores = [Store(tmp_path / f"{name}.sqlite3", clock=lambda: NOON) for name in ("one", "other")]
    yield stores
    for store in stores:
        assert store.check() == []
        store.close()


def fill(store: Store, *, articles: int = 60) -> None:
    """Put what an archive can come to hold: versions, embargoes, withheld and removed articles, kills, other names."""
    chance = random.Random(1)
    given = [article(number, aliases=(f"{number:016x}",)) for number in range(articles)]
    for each in given:
        held = chance.random() < 0.2
        until = NOON + timedelta(hours=chance.randrange(1, 9)) if chance.random() < 0.5 else None
        store.put(replace(each, status="embargoed" if held else "live", embargoed_until=until if held else None))
    for _ in range(articles):
        each = chance.choice(given)
        version = chance.randrange(1, 9)
        held = chance.random() < 0.3
        store.put(
            replace(
                each,
                title=f"{each.title}, corrected {version} times \u2028 🌊",
                source_version=version,
                note=f"CORRECTS par {version}",
                status="embargoed" if held else "live",
                embargoed_until=NOON + timedelta(hours=version) if held and version > 3 else None,
            )
        )
    for each in chance.sample(given, articles // 10):
        store.withdraw(Withdrawal(id=each.id, reason="kill"))
    store.withdraw(Withdrawal(id="f" * 16, reason="kill"))


def written(records: Sequence[Record]) -> bytes:
    first = first_line(articles=len(records), exported_at=NOON)
    return b"".join(json.dumps(each).encode() + b"\n" for each in [first, *map(record_object, records)])


def tables(store: Store) -> dict[str, list[object]]:
    return {name: list(store.rows(sql)) for name, sql in TABLES.items()}


def test_an_archive_comes_back_equal_to_the_row(opened: list[Store], tmp_path: Path) -> None:
    one, other = opened
    fill(one)
    file = tmp_path / "export.jsonl"
    file.write_bytes(written(list(one.records())))
    report = ingest([file], other)
    assert report.rejected == []
    assert 0 not in (report.added, report.held, report.withdrawn)
    assert tables(other) == tables(one)
    assert list(other.records()) == list(one.records())
    again = ingest([file], other)
    assert (again.unchanged, again.added + again.updated + again.held + again.withdrawn) == (61, 0)
    assert tables(other) == tables(one)


def test_an_import_that_was_interrupted_goes_on(opened: list[Store]) -> None:
    one, other = opened
    fill(one)
    records = list(one.records())
    for record in [*records[:20], *records]:
        other.restore(record)
    assert tables(other) == tables(one)


def test_of_what_was_removed_no_text_leaves_the_archive(opened: list[Store]) -> None:
    one, _ = opened
    secret = replace(article(1), title="Secret title", body="Secret body.", note="Secret note", section="Secret")
    one.put(secret)
    one.remove(secret.id, reason="a court order")
    text = written(list(one.records())).decode()
    assert "Secret" not in text
    assert "a court order" in text


def test_what_is_there_stays_and_what_follows_it_is_added(opened: list[Store]) -> None:
    one, other = opened
    first, corrected = article(1), replace(article(1), title="Corrected", note="CORRECTS a name")
    other.put(article(2))
    for store in opened:
        store.put(first)
    one.put(corrected)
    (record,) = one.records()
    assert [other.restore(record), other.restore(record)] == ["updated", "unchanged"]
    assert other.live([first.id])[first.id] == replace(corrected, version=2)
    assert [entry.ingested_at for entry in other.versions(first.id)][1:] == [one.versions(first.id)[1].ingested_at]
    assert [change.kind for change in other.changes(after=0, until=9)] == ["added", "added", "updated"]
    assert one.restore(next(iter(other.records([first.id])))) == "unchanged"


def test_of_another_history_nothing_is_taken_and_the_line_is_named(opened: list[Store], tmp_path: Path) -> None:
    one, other = opened
    one.put(replace(article(1), title="Forged", aliases=("a" * 16,)))
    other.put(article(1))
    before = tables(other)
    file = tmp_path / "export.jsonl"
    file.write_bytes(written(list(one.records())))
    (rejection,) = ingest([file], other).rejected
    assert (rejection.source, rejection.line) == (str(file), 2)
    assert rejection.reason.startswith(f"article {article(1).id} has other versions here")
    assert tables(other) == before


def test_a_takedown_travels_and_none_is_undone(opened: list[Store]) -> None:
    one, other = opened
    for store in opened:
        store.put(article(1))
    (live,) = one.records()
    one.remove(article(1).id, reason="a court order")
    (removed,) = one.records()
    assert [other.restore(removed), other.restore(removed), other.restore(live)] == [
        "withdrawn",
        "unchanged",
        "unchanged",
    ]
    assert other.live_ids() == []


def test_an_article_that_is_known_by_another_name_is_the_same(opened: list[Store]) -> None:
    one, other = opened
    other.put(article(1))
    one.put(replace(article(1), id="a" * 16, aliases=(article(1).id,)))
    (record,) = one.records()
    assert other.restore(record) == "unchanged"
    assert other.resolve("a" * 16) == article(1).id
    assert other.live_ids() == [article(1).id]


def test_whoever_reads_the_log_by_its_numbers_misses_no_record(opened: list[Store]) -> None:
    one, other = opened
    fill(one)
    seen: set[str] = set()
    seq = 0
    for record in one.records():
        other.restore(record)
        seen.update(other.last_changes(after=seq))
        assert other.last_seq() > seq
        seq = other.last_seq()
    assert seen == {record.id for record in one.records()}


def test_a_record_of_what_is_shown_is_one_first_version(opened: list[Store]) -> None:
    one, other = opened
    one.put(article(1))
    one.put(replace(article(1), title="Corrected", note="CORRECTS a name"))
    (record,) = one.records()
    assert other.restore(as_first_version(record)) == "added"
    assert [entry.title for entry in other.versions(article(1).id)] == ["Corrected"]


def test_a_record_from_anywhere_but_a_file_that_was_named_is_not_believed(opened: list[Store], tmp_path: Path) -> None:
    one, other = opened
    one.put(article(1))
    other.put(article(1))
    one.remove(article(1).id)
    file = tmp_path / "export.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("export.jsonl", written(list(one.records())))
    report = ingest([file], other)
    assert [each.reason.split(":")[0] for each in report.rejected] == [
        "an archive's own export is believed only as a file of its own"
    ]
    assert other.live_ids() == [article(1).id]


def test_an_export_that_was_cut_off_says_so() -> None:
    (rejection,) = own.read(io.BytesIO(b'{"backfile": 1, "articles": 2}\n'), "a")
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "ends after 0 of 2 articles: the file is not whole"


@pytest.mark.parametrize("head", [b'{"backfile": 1, "articles": 0}', b'{"backfile":1}', b'{"backfile": 7}\n'])
def test_an_export_is_known_by_its_first_line_whatever_its_name(head: bytes) -> None:
    assert detect(head, "news.txt") is own.read


def test_an_export_of_a_later_program_is_refused_whole() -> None:
    found = list(own.read(io.BytesIO(b'{"backfile": 7}\n{"backfile": "article"}\n'), "a"))
    assert [each.reason for each in found if isinstance(each, Rejection)] == [
        "an export of version 7, this program reads 1: upgrade Backfile"
    ]


EDITION = {"version": 1, "title": "T", "body": "B", "ingested_at": "2026-03-01T12:00:00+00:00"}
CHANGE = {"version": 1, "kind": "added", "at": "2026-03-01T12:00:00+00:00"}
LINE = {
    "backfile": "article",
    "id": "a" * 16,
    "status": "live",
    "version": 1,
    "versions": [EDITION],
    "changes": [CHANGE],
}


def test_a_line_needs_no_more_than_this() -> None:
    assert record_from(LINE).editions[0].article.title == "T"


@pytest.mark.parametrize(
    "wrong",
    [
        {"backfile": 1},
        {"id": "A" * 16},
        {"id": "a" * 15},
        {"id": 7},
        {"status": "lost"},
        {"version": 2},
        {"version": True},
        {"versions": []},
        {"versions": [EDITION, EDITION]},
        {"versions": [7]},
        {"versions": [{**EDITION, "title": None}]},
        {"versions": [{**EDITION, "body": "\ud800"}]},
        {"versions": [{**EDITION, "body": "x" * 2_000_001}]},
        {"versions": [{**EDITION, "url": "javascript:alert(1)"}]},
        {"versions": [{**EDITION, "language": "<b>"}]},
        {"versions": [{**EDITION, "ingested_at": "2026-03-01"}]},
        {"versions": [{**EDITION, "published_at": "0001-01-01T00:00:00+09:00"}]},
        {"versions": [{**EDITION, "embargoed_until": "2027-01-01T00:00:00Z"}]},
        {"versions": [{**EDITION, "authors": [7]}]},
        {"versions": [{**EDITION, "row": 0}]},
        {"aliases": ["x"]},
        {"changes": []},
        {"changes": [{**CHANGE, "version": 2}]},
        {"changes": [{**CHANGE, "kind": "erased"}]},
        {"changes": [{**CHANGE, "seq": 2**63}]},
        {"changes": [{**CHANGE, "seq": 2}, {**CHANGE, "seq": 1}]},
        {"status": "removed", "version": 2},
    ],
)
def test_a_line_that_no_archive_could_have_written_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SourceError):
        record_from({**LINE, **wrong})
