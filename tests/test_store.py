"""The store's contract, on real databases, with real threads, processes, failing disks and flipped bits."""

import dataclasses
import hashlib
import itertools
import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from disks import Disk
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from newsroom import article
from postgres import Server

from archive import sqlite_database
from archive import store as module
from archive.arrival import UNTIL_FURTHER_NOTICE
from archive.article import TEXT_HASH_BYTES, Article, Passage, Withdrawal
from archive.errors import ArchiveBusy, ArchiveDamaged, ArchiveError, ArticleNotFound, ContradictionError
from archive.packing import pack_text
from archive.postgres_database import PostgresDatabase
from archive.readers.records.exchange import record_from, record_object
from archive.store import Progress, PublishedGeneration, Store
from archive.story import Event, Telling

RICH = article(
    1,
    title="Überschwemmung 🌊 in Millbrook",
    body="First.\n\nSecond “quoted” \u0000 text.",
    authors=("Ada Quill", 'Ben "B" Marsh'),
    published_at=datetime(2016, 8, 10, 9, 30, 1, 5, tzinfo=UTC),
    updated_at=datetime(2016, 8, 11, tzinfo=UTC),
    derived_title=True,
)
BARE = Article(id="b" * 16, title="Bare", body="")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive" / "archive.db"


@pytest.fixture
def sqlite(path: Path) -> Iterator[Store]:
    """An archive in SQLite, for what is of its file."""
    opened = Store(path)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    """An archive in each of the databases: what is true of the one is true of the other."""
    opened = at(path if request.param == "sqlite" else request.getfixturevalue("postgres").new())
    yield opened
    opened.close()


def at(place: Path | str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
    """Open the archive at a path, or at the address of a PostgreSQL database."""
    return Store(PostgresDatabase(place) if isinstance(place, str) else place, clock=clock)


def again(store: Store) -> Store:
    """Open an archive once more."""
    return at(store.database.url if isinstance(store.database, PostgresDatabase) else store.database.path)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def text_hash(text: str) -> bytes:
    return digest(text)[:TEXT_HASH_BYTES]


def passage(of: Article, ordinal: int, *, start: int = 0, end: int = 5) -> Passage:
    return Passage(
        article_id=of.id,
        version=of.version,
        ordinal=ordinal,
        start=start,
        end=end,
        text_hash=text_hash(f"{of.id}{start}{end}"),
    )


# Articles and versions


@pytest.mark.parametrize("given", [RICH, BARE], ids=["rich", "bare"])
def test_an_article_comes_back_as_it_was_put(store: Store, given: Article) -> None:
    assert store.put(given) == "added"
    assert store.article(given.id) == given
    assert store.live([given.id]) == {given.id: given}
    assert store.article("f" * 16) is None
    assert store.live(["f" * 16]) == {}
    assert store.versions("f" * 16) == []


def test_every_version_comes_back_as_long_as_the_article_may_be_shown(store: Store) -> None:
    corrected = dataclasses.replace(RICH, title="Corrected", body="Another text.", version=2)
    for given in (RICH, corrected):
        store.put(given)
    assert [store.version(RICH.id, number) for number in (0, 1, 2, 3)] == [None, RICH, corrected, None]
    assert store.version("f" * 16, 1) is None
    store.remove(RICH.id)
    assert store.version(RICH.id, 1) is None


def test_a_listing_says_of_what_is_shown_everything_but_the_texts(store: Store) -> None:
    hidden = article(2)
    for given in (RICH, BARE, hidden):
        store.put(given)
    store.remove(hidden.id)
    listings = store.listings([RICH.id, BARE.id, hidden.id, "f" * 16])
    assert set(listings) == {RICH.id, BARE.id}
    for given in (RICH, BARE):
        assert dataclasses.asdict(listings[given.id]).items() <= dataclasses.asdict(given).items()


def test_only_another_content_makes_another_version(store: Store) -> None:
    assert [store.put(RICH), store.put(RICH), store.put(dataclasses.replace(RICH, version=9))] == [
        "added",
        "unchanged",
        "unchanged",
    ]
    changed = dataclasses.replace(RICH, title="Corrected", updated_at=datetime(2016, 8, 12, tzinfo=UTC))
    assert store.put(changed) == "updated"
    assert store.put(RICH) == "unchanged"  # an old file read again does not undo a correction
    assert store.article(RICH.id) == dataclasses.replace(changed, version=2)
    back = dataclasses.replace(RICH, updated_at=datetime(2016, 8, 13, tzinfo=UTC))
    assert store.put(back) == "updated"  # back to the first wording, and says when
    assert store.article(RICH.id) == dataclasses.replace(back, version=3)
    history = store.versions(RICH.id)
    assert [(entry.version, entry.title, entry.updated_at) for entry in history] == [
        (1, RICH.title, RICH.updated_at),
        (2, "Corrected", changed.updated_at),
        (3, RICH.title, back.updated_at),
    ]
    assert all(abs(datetime.now(UTC) - entry.ingested_at) < timedelta(minutes=5) for entry in history)


def test_each_change_is_logged_once_in_order(store: Store) -> None:
    assert store.last_seq() == 0
    assert store.changes(after=0, until=99) == []
    store.put(RICH)
    store.put(BARE)
    store.put(RICH)
    store.put(dataclasses.replace(RICH, title="Corrected"))
    store.remove(BARE.id, reason="a court order")
    store.put(BARE)
    log = store.changes(after=0, until=99)
    assert [(change.seq, change.article_id, change.version, change.kind) for change in log] == [
        (1, RICH.id, 1, "added"),
        (2, BARE.id, 1, "added"),
        (3, RICH.id, 2, "updated"),
        (4, BARE.id, 1, "removed"),
    ]
    assert store.last_seq() == 4
    assert store.changes(after=1, until=3) == log[1:3]
    assert store.changes(after=4, until=99) == []
    assert all(change.at.tzinfo is not None for change in log)


def test_a_takedown_hides_at_once_and_holds_whatever_arrives_later(store: Store) -> None:
    store.put(RICH)
    store.remove(RICH.id)
    assert store.live([RICH.id]) == {}
    assert store.live_ids() == store.newest(9) == store.scan(["millbrook"], limit=9, among=9) == []
    assert store.put(dataclasses.replace(RICH, title="Back again")) == "unchanged"
    kept = store.article(RICH.id)
    assert kept is not None
    assert (kept.status, kept.title) == ("removed", RICH.title)
    assert len(store.versions(RICH.id)) == 1


@pytest.mark.parametrize("again", [True, False])
def test_what_is_not_there_cannot_be_removed(store: Store, again: bool) -> None:
    if again:
        store.put(RICH)
        store.remove(RICH.id)
    seq = store.last_seq()
    with pytest.raises(ArticleNotFound, match=RICH.id):
        store.remove(RICH.id)
    assert store.last_seq() == seq


def test_an_embargoed_article_is_kept_and_not_shown(store: Store) -> None:
    store.put(dataclasses.replace(RICH, status="embargoed"))
    assert store.live([RICH.id]) == {}
    assert store.live_ids() == store.newest(9) == store.scan(["millbrook"], limit=9, among=9) == []
    assert store.put(dataclasses.replace(RICH, title="Released")) == "added"
    assert store.live_ids() == [RICH.id]


def test_the_newest_come_first_ties_by_id_and_undated_ones_do_not_come(store: Store) -> None:
    base = datetime(2016, 8, 10, tzinfo=UTC)
    times = [
        None,
        base,
        base,
        base + timedelta(microseconds=1),
        base + timedelta(seconds=1),
        base - timedelta(days=9999),
    ]
    articles = [article(n, published_at=time) for n, time in enumerate(times)]
    for each in articles:
        store.put(each)
    expected = sorted((a for a in articles if a.published_at), key=lambda a: (-a.published_at.timestamp(), a.id))
    assert store.newest(9) == expected
    assert store.newest(2) == expected[:2]
    store.put(dataclasses.replace(expected[-1], published_at=base + timedelta(days=1)))
    assert store.newest(1)[0].id == expected[-1].id


def test_thousands_of_ids_are_looked_up_in_one_call(store: Store) -> None:
    for n in range(3):
        store.put(article(n))
    ids = [article(0).id, *(f"{n:016x}" for n in range(1300)), article(2).id]
    assert set(store.live(ids)) == {article(0).id, article(2).id}


def test_statistics_count_what_is_shown(store: Store) -> None:
    assert store.stats() == module.ArchiveStats(
        articles=0,
        removed=0,
        versions=0,
        passages=0,
        embeddings=0,
        copies=0,
        sources=0,
        earliest=None,
        latest=None,
        seq=0,
    )
    for n in (0, 1, 2, 10):
        store.put(article(n))
    store.put(article(0, title="Corrected"))
    store.remove(article(10).id)
    store.put_passages([passage(article(1), 0)], chunking="c")
    store.put_embeddings(store.model_id(sha256="a", name="m"), [(text_hash("x"), b"1234")])
    store.put_copies([[article(1).id, article(2).id], [article(0).id, article(10).id]], judged=[], after=0, until=6)
    assert store.stats() == module.ArchiveStats(
        articles=3,
        removed=1,
        versions=5,
        passages=1,
        embeddings=1,
        copies=2,
        sources=3,
        earliest=article(0).published_at,
        latest=article(2).published_at,
        seq=6,
    )


# Copies


def test_a_signature_belongs_to_a_version_and_the_one_that_is_shown_counts(store: Store) -> None:
    for n in (1, 2, 3):
        store.put(article(n))
    store.remove(article(3).id)
    unsigned = dict(store.unsigned([article(n).id for n in (1, 2, 3, 4)]))
    assert sorted(unsigned.values()) == sorted(article(n).body for n in (1, 2))
    store.put_signatures([(version_id, b"s" * 48) for version_id in unsigned])
    store.put_signatures([(version_id, b"t" * 48) for version_id in unsigned])
    both = [article(n).id for n in (1, 2)]
    assert store.signatures() == (both, b"s" * 96)
    assert list(store.unsigned(both)) == []
    store.put(article(1, body="Corrected."))
    assert store.signatures() == ([article(2).id], b"s" * 48)
    assert [body for _, body in store.unsigned(both)] == ["Corrected."]


def test_groups_are_kept_from_one_change_to_another_once(store: Store) -> None:
    assert store.copy_groups() == (0, {})
    assert store.put_copies([["a", "b"], ["c", "d"]], judged=["x"], after=0, until=5)
    assert not store.put_copies([["a", "c"]], judged=[], after=0, until=7)
    seq, groups = store.copy_groups()
    assert (seq, store.copies_seq()) == (5, 5)
    assert (groups["a"] == groups["b"], groups["a"] == groups["c"]) == (True, False)
    assert store.put_copies([["b", "c"]], judged=["a", "d"], after=5, until=9)
    assert list(store.copy_groups()[1]) == ["b", "c"]


def test_a_group_is_what_is_shown_of_it_the_earliest_first(store: Store) -> None:
    undated = [article(n, published_at=None) for n in (5, 4)]
    for each in (*undated, article(2), article(1), article(3)):
        store.put(each)
    group = [article(n).id for n in (1, 2, 3, 4, 5)]
    store.put_copies([group], judged=[], after=0, until=5)
    in_order = [article(n).id for n in (1, 2, 3, 5, 4)]
    assert store.copies_of(group) == dict.fromkeys(group, in_order)
    store.remove(article(1).id)
    assert store.copies_of([article(1).id, article(4).id]) == {article(4).id: in_order[1:]}
    for n in (2, 3, 4):
        store.remove(article(n).id)
    assert store.copies_of(group) == {}


# Scanning


def test_a_scan_counts_words_and_a_titles_thrice(store: Store) -> None:
    in_title = article(1, title="Flood", body="Nothing.")
    in_body = article(2, title="News", body="A FLOOD and a storm.")
    in_both = article(3, title="flood and storm", body="flood")
    other = article(4, title="News", body="Sun.")
    for each in (in_title, in_body, in_both, other):
        store.put(each)
    found = store.scan(["flood", "storm"], limit=9, among=9)
    assert found == [(in_both.id, 7.0), (in_title.id, 3.0), (in_body.id, 2.0)]
    assert store.scan(["flood", "storm"], limit=1, among=9) == found[:1]


def test_equal_scores_of_a_scan_are_ordered_by_id(store: Store) -> None:
    for n in range(9):
        store.put(article(n, body="flood", title="x"))
    assert store.scan(["flood"], limit=5, among=9) == [(i, 1.0) for i in sorted(article(n).id for n in range(9))[:5]]


@pytest.mark.parametrize("word", ["100%", "a_b", "back\\slash", "it's", '"', "%", "_", "\\"])
def test_a_scan_takes_every_character_literally(store: Store, word: str) -> None:
    store.put(article(1, title="x", body=f"before {word} after"))
    store.put(article(2, title="x", body="100 percent, aXb, backXslash, its"))
    assert store.scan([word], limit=9, among=9) == [(article(1).id, 1.0)]


def test_a_scan_takes_hundreds_of_words(store: Store) -> None:
    store.put(article(1, title="x", body="w499"))
    assert store.scan([f"w{n}w" for n in range(499)] + ["w499"], limit=9, among=9) == [(article(1).id, 1.0)]


def test_without_words_a_scan_gives_the_newest(store: Store) -> None:
    for n in range(4):
        store.put(article(n))
    assert store.scan([], limit=2, among=9) == [(article(3).id, 0.0), (article(2).id, 0.0)]


# Arrivals


def test_it_is_known_when_the_version_that_is_shown_came_in(store: Store) -> None:
    store.put(RICH)
    first = store.came_in([RICH.id])[RICH.id]
    store.put(dataclasses.replace(RICH, body="Told anew."))
    assert store.came_in([RICH.id, BARE.id])[RICH.id] == store.versions(RICH.id)[1].ingested_at >= first
    store.remove(RICH.id)
    assert store.came_in([RICH.id]) == {}


def test_arrivals_are_listed_once_in_their_order_and_a_correction_moves_none(store: Store) -> None:
    articles = [article(n) for n in (5, 3, 9, 1, 7)]
    for each in articles:
        store.put(each)
    store.put(dataclasses.replace(articles[1], title="Corrected"))
    store.put(article(8, status="embargoed"))
    store.remove(articles[2].id)
    first = store.arrivals(after=0, limit=2)
    rest = store.arrivals(after=first[-1][0], limit=10)
    assert [id_ for _, id_, _ in first + rest] == [articles[n].id for n in (0, 1, 3, 4)]
    assert first[1][2] == store.versions(articles[1].id)[1].ingested_at
    assert [number for number, _, _ in first + rest] == [1, 2, 4, 5]
    assert [span for span, _ in store.arrival_spans(size=2)] == [0, 1, 2]
    assert [span for span, _ in store.arrival_spans(size=1)] == [0, 1, 3, 4]


# Passages, embeddings, generations


def test_passages_belong_to_one_version_and_one_way_of_cutting(store: Store) -> None:
    store.put(RICH)
    made = [passage(RICH, n, start=n, end=n + 3) for n in range(4)]
    store.put_passages(made[::-1], chunking="c1")
    store.put_passages(made, chunking="c1")
    assert store.passages(RICH, chunking="c1") == made
    assert store.passages(RICH, chunking="c2") == []
    assert store.passages(dataclasses.replace(RICH, version=2), chunking="c1") == []


@pytest.mark.parametrize(
    "wrong",
    [
        passage(BARE, 0),
        passage(RICH, 1, start=5, end=5),
        passage(RICH, 1, start=-1),
        dataclasses.replace(passage(RICH, 1), text_hash=b"short"),
        passage(RICH, 0, start=9, end=10),
        passage(RICH, 2),
    ],
    ids=["of no article", "empty", "before the body", "short hash", "numbered twice", "a number left out"],
)
def test_a_wrong_passage_is_refused_and_none_of_its_call_is_kept(store: Store, wrong: Passage) -> None:
    store.put(RICH)
    with pytest.raises((ContradictionError, ValueError)):
        store.put_passages([passage(RICH, 0), wrong], chunking="c")
    assert store.passages(RICH, chunking="c") == []


def test_passages_of_many_versions_are_kept_and_found_in_one_call(store: Store) -> None:
    changed = dataclasses.replace(RICH, title="Changed", version=2)
    for each in (RICH, changed, article(2), article(3)):
        store.put(each)
    made = {each.id: [passage(each, n, start=n, end=n + 3) for n in range(3)] for each in (changed, article(2))}
    store.put_passages([one for passages in made.values() for one in passages[::-1]], chunking="c")
    store.put_passages([passage(RICH, 0)], chunking="c")
    asked = [(RICH.id, 2), (article(2).id, 1), (article(3).id, 1), ("f" * 16, 1)]
    assert store.cut(asked, chunking="c") == made
    assert store.cut([(RICH.id, 1)], chunking="c") == {RICH.id: [passage(RICH, 0)]}
    assert store.cut(asked, chunking="other") == store.cut([], chunking="c") == {}
    assert store.stats().passages == 7


def test_damaged_passages_count_as_not_cut_and_are_replaced(store: Store) -> None:
    store.put(RICH)
    made = [passage(RICH, n, start=n, end=n + 3) for n in range(3)]
    store.put_passages(made, chunking="c")
    store.change("UPDATE passages SET packed = ?", (bytes(72),))
    assert store.passages(RICH, chunking="c") == []
    (problem,) = store.check()
    assert "passages of row 1 of the versions: it differs from its checksum: run `flask reindex`" in problem
    store.put_passages(made, chunking="c")
    assert store.passages(RICH, chunking="c") == made
    assert store.check() == []


def test_a_filing_says_of_every_changed_article_where_it_is_listed_and_since_when(store: Store) -> None:
    for given in (RICH, BARE, article(2), article(3)):
        store.put(given)
    store.put(article(2, section="Changed"))
    store.remove(article(3).id)
    ids = [row[0] for row in store.filings(after=0)]
    assert ids == sorted([RICH.id, BARE.id, article(2).id, article(3).id])
    assert {row[0]: row[1:4] for row in store.filings(after=3)} == {
        article(2).id: (5, 1, article(2).source),
        article(3).id: (6, 0, article(3).source),
    }
    (rich,) = (row for row in store.filings(after=0) if row[0] == RICH.id)
    assert rich == (
        *(RICH.id, 1, 1, RICH.source, RICH.section, json.dumps(RICH.authors, ensure_ascii=False), "en"),
        "2016-08-10T09:30:01.000005+00:00",
    )
    assert store.filings(after=6) == []
    assert store.count_live() == 3


def test_embeddings_are_kept_by_model_and_text(store: Store) -> None:
    one, other = store.model_id(sha256="a", name="m"), store.model_id(sha256="b", name="m")
    assert one != other
    assert store.model_id(sha256="a", name="renamed") == one
    vectors = {text_hash(str(n)): bytes([n % 251] * 8) for n in range(1200)}
    store.put_embeddings(one, list(vectors.items()))
    store.put_embeddings(one, [(text_hash("0"), b"another!")])
    wanted = [*vectors, text_hash("unknown")]
    assert store.embeddings(one, wanted) == vectors
    assert store.embedded(one, wanted) == set(vectors)
    assert store.embeddings(other, wanted) == {}
    assert store.embedded(other, wanted) == set()


def test_a_damaged_embedding_is_left_out_reported_and_replaced(store: Store) -> None:
    model = store.model_id(sha256="a", name="m")
    store.put_embeddings(model, [(text_hash("1"), b"vector-1"), (text_hash("2"), b"vector-2")])
    store.change("UPDATE embedding SET packed = ? WHERE embedding_id = 1", (b"\0",))
    both = [text_hash("1"), text_hash("2")]
    assert store.embeddings(model, both) == {text_hash("2"): b"vector-2"}
    (problem,) = store.check()
    assert "embedding 1: it differs from its checksum: run `flask reindex`" in problem
    store.put_embeddings(model, [(text_hash("1"), b"vector-1")])
    assert store.embeddings(model, both) == {text_hash("1"): b"vector-1", text_hash("2"): b"vector-2"}
    assert store.check() == []


def test_publishing_moves_the_pointer_or_changes_nothing(store: Store) -> None:
    assert store.pointer() == (None, None)
    assert store.next_generation() == 1
    made = [PublishedGeneration(number=n, seq=n * 10, manifest_sha256=digest(str(n))) for n in (1, 2, 5)]
    store.publish(made[0], previous=None)
    assert store.pointer() == (made[0], None)
    store.publish(made[1], previous=1)
    store.publish(made[2], previous=2)
    assert store.pointer() == (made[2], made[1])
    assert store.next_generation() == 6
    for generation, previous in ((made[1], None), (dataclasses.replace(made[0], number=6), 4)):
        with pytest.raises(ContradictionError):
            store.publish(generation, previous=previous)
    assert store.pointer() == (made[2], made[1])
    assert store.next_generation() == 6
    reopened = again(store)
    assert reopened.pointer() == (made[2], made[1])
    reopened.close()


# Opening and closing


def test_a_reopened_archive_is_the_same_archive(path: Path) -> None:
    first = Store(path)
    first.put(RICH)
    first.close()
    second = Store(path)
    assert second.uuid == first.uuid
    assert second.article(RICH.id) == RICH
    assert second.put(RICH) == "unchanged"
    second.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # the log is written back when it closes
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_schema_newer_than_the_program_is_not_touched(path: Path) -> None:
    Store(path).close()
    alter(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged, match="schema 99 is newer than this program: upgrade"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, but a text of some length. " * 40, b"SQLite format 3\0" + b"x" * 5000]
)
def test_what_is_no_database_is_damage(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match="cannot open the archive"):
        Store(path)
    assert path.read_bytes() == content


def test_a_folder_in_the_databases_place_is_damage(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(ArchiveDamaged, match="cannot open the archive"):
        Store(path)


def test_many_that_open_a_new_archive_at_once_open_the_same_one(path: Path) -> None:
    start, opened = threading.Barrier(6), list[Store]()

    def open_it() -> None:
        start.wait()
        opened.append(Store(path))

    in_threads(*[open_it] * 6)
    assert len({each.uuid for each in opened}) == 1
    assert len(opened) == 6
    for each in opened:
        each.close()


# Threads


def in_threads(*calls: object) -> None:
    """Run every call in a thread of its own and raise the first error there was."""
    errors: list[BaseException] = []

    def run(call: object) -> None:
        try:
            call()  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_read_whole_versions_while_others_write(store: Store) -> None:
    ids = [article(n).id for n in range(3)]
    written = threading.Event()

    def write(number: int) -> None:
        for version in range(40):
            store.put(article(number, title=f"{number}/{version}", body=f"{number}/{version}"))

    def write_all() -> None:
        try:
            in_threads(*[lambda n=n: write(n) for n in range(3)])
        finally:
            written.set()

    def read() -> None:
        seq, newest = 0, dict.fromkeys(ids, 0)
        while not written.is_set():
            shown = store.live(ids)
            for each in shown.values():
                assert each.title == each.body == each.title.split("/")[0] + f"/{each.version - 1}"
                assert each.version >= newest[each.id]
                newest[each.id] = each.version
            last = store.last_seq()
            assert last >= max(seq, sum(each.version for each in shown.values()))
            assert len(store.changes(after=0, until=last)) == last
            seq = last

    in_threads(write_all, read, read)
    assert store.last_seq() == 120
    assert store.check() == []


def test_readers_do_not_wait_for_a_writer_and_a_second_writer_is_told(
    path: Path, sqlite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.put(RICH)
    monkeypatch.setattr("archive.sqlite_database.BUSY_TIMEOUT_MS", 30)
    second = Store(path)
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE version SET title = 'half'")
    assert sqlite.article(RICH.id) == RICH
    assert second.article(RICH.id) == RICH
    with pytest.raises(ArchiveBusy, match="try again"):
        second.put(BARE)
    other.execute("ROLLBACK")
    assert second.put(BARE) == "added"
    other.close()
    second.close()


def test_a_writer_waits_for_another_process_to_finish(path: Path, sqlite: Store) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    waiting = threading.Timer(0.1, lambda: other.execute("COMMIT"))
    waiting.start()
    assert sqlite.put(RICH) == "added"
    waiting.join()
    other.close()


def open_files(path: Path) -> int:
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return sum(str(link.readlink()).startswith(str(path)) for link in links)


def test_a_thread_that_ended_leaves_no_connection_open(path: Path, sqlite: Store) -> None:
    sqlite.put(RICH)
    sqlite.live_ids()
    before, during = open_files(path), list[int]()

    def read() -> None:
        sqlite.live_ids()
        during.append(open_files(path))

    for _ in range(20):
        in_threads(read)
    assert min(during) > before
    assert open_files(path) <= before + 2  # SQLite keeps a file open for the next connection


def test_closing_closes_the_connections_of_every_thread(path: Path) -> None:
    store, read, closed = Store(path), threading.Event(), threading.Event()

    def reader() -> None:
        store.live_ids()
        read.set()
        closed.wait(10)

    thread = threading.Thread(target=reader)
    thread.start()
    read.wait(10)
    store.close()
    assert open_files(path) == 0
    closed.set()
    thread.join()


# The disk


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.remove()


def test_what_put_returned_from_is_on_the_disk(disk: Disk, path: Path) -> None:
    store = Store(path)
    for n in range(3):
        disk.calls.clear()
        store.put(article(n))
        assert disk.calls[-1] == f"sync {path}-wal"
        assert disk.calls.count(f"write {path}") == 0
    store.close()


def put_failed(store: Store, given: Article) -> str | None:
    """Return what the store told of its failure to keep `given`, or None when it did not fail."""
    try:
        store.put(given)
    except ArchiveError as error:
        return str(error)
    return None


def test_a_full_disk_is_told_as_such(disk: Disk, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(path)
    disk.fails_after = 0
    with pytest.raises(ArchiveError, match="the disk is full: free some space"):
        store.put(RICH)
    disk.error = apsw.IOError
    with pytest.raises(ArchiveDamaged, match="failing disk: run `flask check`"):
        store.put(RICH)
    monkeypatch.setattr(
        "archive.sqlite_database.LEAST_FREE", 1 << 62
    )  # as SQLite tells of shared memory that cannot grow
    with pytest.raises(ArchiveError, match="the disk is full: free some space"):
        store.put(RICH)
    disk.fails_after = None
    store.close()


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
def test_a_write_that_fails_anywhere_leaves_nothing_and_the_next_one_works(
    disk: Disk, path: Path, error: type[apsw.Error]
) -> None:
    store = Store(path)
    store.put(RICH)
    before = (store.article(RICH.id), store.last_seq(), store.stats())
    disk.error, failures = error, 0
    while failures < 100:
        disk.calls.clear()
        disk.fails_after = failures
        if put_failed(store, dataclasses.replace(RICH, title="Corrected")) is None:
            break
        disk.fails_after = None
        failures += 1
        assert (store.article(RICH.id), store.last_seq(), store.stats()) == before
    disk.fails_after = None
    assert 3 < failures < 100
    assert (store.last_seq(), store.check()) == (2, [])
    store.close()


KILLED = """
import os, sys
from pathlib import Path
from archive.article import Article
from archive.store import Store
store = Store(Path(sys.argv[1]))
store.put(Article(id="a" * 16, title="kept", body="kept"))
Store._log = lambda *_, **__: os.kill(os.getpid(), 9)
store.put(Article(id="a" * 16, title="lost", body=os.urandom(6_000_000).hex()))  # too much to hold
"""


def test_a_process_killed_within_a_transaction_leaves_what_was_before(path: Path) -> None:
    root = Path(__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, check=False)
    assert ended.returncode == -9
    assert path.with_name(path.name + "-wal").stat().st_size > 5_000_000  # it had begun to write
    store = Store(path)
    assert [entry.title for entry in store.versions("a" * 16)] == ["kept"]
    assert (store.last_seq(), store.check()) == (1, [])
    store.close()


def test_an_error_within_a_transaction_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(RICH)

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_log", fail)
        with pytest.raises(KeyboardInterrupt):
            store.put(dataclasses.replace(RICH, title="Corrected"))
        with pytest.raises(KeyboardInterrupt):
            store.remove(RICH.id)
    assert store.article(RICH.id) == RICH
    assert len(store.versions(RICH.id)) == store.last_seq() == 1
    assert store.put(BARE) == "added"


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    with pytest.raises(ContradictionError), store.transaction() as connection:  # noqa: PT012
        store._log(connection, RICH.id, version=1, kind="added")
        # The reference to a version is looked at when the transaction commits.
        connection.execute("INSERT INTO article (article_id, version, status) VALUES ('x', 1, 'live')")
    assert store.last_seq() == 0
    assert store.put(RICH) == "added"


def test_erased_text_is_gone_from_the_file(path: Path) -> None:
    store = Store(path)
    secret = article(1, title="A secret nobody may find. " * 1000, body=random.Random(1).randbytes(9000).hex())
    store.put(secret)
    with store.transaction() as connection:
        connection.execute("UPDATE version SET title = ''")
        connection.execute("UPDATE body SET packed = X''")
    store.close()
    left = path.read_bytes()
    assert b"secret nobody" not in left
    assert pack_text(secret.body)[100:200] not in left


def test_the_database_is_in_wal_mode_and_keeps_its_references(sqlite: Store, path: Path) -> None:
    outside = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert outside.pragma("journal_mode") == "wal"
    outside.close()
    inside = {name: sqlite.database._writer.pragma(name) for name in ("synchronous", "foreign_keys", "secure_delete")}
    assert inside == {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


# Damage


def alter(path: Path, sql: str, *bindings: object) -> None:
    """Change the database behind the store's back."""
    other = apsw.Connection(str(path))
    other.execute(sql, bindings)  # type: ignore[arg-type]
    other.close()


def flip(path: Path, place: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@pytest.fixture
def full(path: Path) -> Path:
    """An archive of two articles, one of them in two versions, and two vectors, with nothing left in its log."""
    store = Store(path)
    store.put(dataclasses.replace(RICH, title="First wording"))
    store.put(RICH)
    store.put(article(2, published_at=None))
    store.put_embeddings(
        store.model_id(sha256="a", name="m"), [(text_hash("1"), b"vector-1" * 9), (text_hash("2"), b"v-2" * 9)]
    )
    store.put_passages([passage(article(2), n, start=n, end=n + 9) for n in range(5)], chunking="c")
    assert store.check() == []
    store.close()
    return path


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("First wording", f"article {RICH.id} version 1"),
        (pack_text(RICH.body)[4:20], "row 2 of the versions"),
        ("Ada Quill", f"article {RICH.id} version "),
        ('["Ada', "version"),
        ("🌊", "version"),
        ("https://outlet2.example/2", f"article {article(2).id} version 1"),
        ("2016-08-11T00", "version"),
        ("vector-1", "embedding 1: "),
        (passage(article(2), 1, start=1, end=10).text_hash, "passages of row 3 of the versions: it differs"),
    ],
)
def test_a_flipped_bit_is_found_and_the_row_named(full: Path, text: str | bytes, named: str) -> None:
    place = full.read_bytes().rindex(text.encode() if isinstance(text, str) else text)
    for bit in range(8):
        flip(full, place, bit)
        store = Store(full)
        problems = store.check()
        store.close()
        flip(full, place, bit)
        assert any(problem.startswith("page ") and problem.count("checksum") for problem in problems)
        assert any(named in problem or "row " in problem or ", of " in problem for problem in problems)


def shown(store: Store) -> tuple[object, dict[bytes, bytes]]:
    """Return everything a reader or a build can get from the archive of `full`, and the vectors."""
    ids = [RICH.id, article(2).id]
    vectors = store.embeddings(store.model_id(sha256="a", name="m"), [text_hash("1"), text_hash("2")])
    cut = store.passages(article(2), chunking="c")
    return (store.live_ids(), [store.article(i) for i in ids], store.newest(9), cut), vectors


def test_a_flipped_bit_in_the_head_of_a_row_is_found(full: Path) -> None:
    store, found = Store(full), 0
    expected = shown(store)
    store.close()
    vector = full.read_bytes().index(b"vector-1" * 9)
    for place in range(
        vector - TEXT_HASH_BYTES - 8, vector - TEXT_HASH_BYTES
    ):  # between the row's length and its text hash: types and lengths
        for bit in range(8):
            flip(full, place, bit)
            store = Store(full)
            problems = store.check()
            assert problems or shown(store) == expected, (place, bit)
            found += bool(problems)
            store.close()
            flip(full, place, bit)
    assert found == 64


def test_what_check_lets_pass_is_as_it_was_wherever_a_bit_flips(full: Path) -> None:
    store = Store(full)
    expected = shown(store)
    store.close()
    content, chance, found = full.read_bytes(), random.Random(4), 0
    used = [place for place, byte in enumerate(content) if byte]
    for place in chance.sample(used, 120):
        flip(full, place, chance.randrange(8))
        try:
            store = Store(full)
            problems = store.check()
            if not problems:
                texts, vectors = shown(store)
                assert texts == expected[0], place
                assert vectors.items() <= expected[1].items(), place  # one whose text hash was hit is made again
            found += bool(problems)
            store.close()
        except ArchiveDamaged:
            found += 1
        full.write_bytes(content)
    assert found == 120  # not one


@pytest.mark.parametrize(
    "change",
    [
        "authors = '[\"x'",
        "authors = 'null'",
        "title = CAST(X'FF41' AS TEXT)",
        "published_at = 'yesterday'",
        "url = 'https://other.example'",
    ],
)
def test_an_unreadable_row_hides_no_other_and_reading_it_is_an_error_of_the_archive(full: Path, change: str) -> None:
    alter(full, f"UPDATE version SET {change} WHERE article_id = ? AND version = 2", RICH.id)
    alter(full, "UPDATE version SET title = 'altered' WHERE article_id = ?", article(2).id)
    store = Store(full)
    problems = store.check()
    assert any(article(2).id in problem for problem in problems)
    assert any(f"{RICH.id} version 2" in problem or "row 2 " in problem for problem in problems)
    with pytest.raises(ArchiveDamaged, match="flask check"):
        store.article(RICH.id)
    store.put(article(3))
    assert set(store.live([RICH.id, article(2).id, article(3).id])) == {article(3).id}  # what is damaged is not shown
    store.close()


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        (f"DELETE FROM change WHERE article_id = '{RICH.id}'", "1 articles have no entry in the change log"),
        (f"UPDATE article SET version = 1 WHERE article_id = '{RICH.id}'", f"article {RICH.id}: what is shown"),
        ("UPDATE article SET published_at = NULL", f"article {RICH.id}: what is shown"),
        ("DELETE FROM version WHERE version = 2", "broken reference"),
    ],
)
def test_rows_that_do_not_agree_are_found(full: Path, sql: str, named: str) -> None:
    alter(full, sql)
    store = Store(full)
    problems = store.check()
    store.close()
    assert any(named in problem for problem in problems), problems


def test_a_torn_page_is_reported_and_does_not_stop_the_check(full: Path) -> None:
    content = full.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    place = content.rindex(b"First wording") // size * size
    full.write_bytes(content[:place] + b"\xaa" * size + content[place + size :])
    store = Store(full)
    problems = store.check()
    assert any(problem.startswith("database: ") for problem in problems)
    with pytest.raises(ArchiveDamaged, match="flask check"):
        store.article(RICH.id)
    store.close()


# The whole, against a dictionary


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOREVER = UNTIL_FURTHER_NOTICE


@dataclasses.dataclass
class Held:
    """A version, and until when it may not be shown."""

    article: Article
    until: datetime | None


@dataclasses.dataclass
class Kept:
    """What the model remembers of an article."""

    versions: list[Held] = dataclasses.field(default_factory=list)
    is_removed: bool = False
    is_withheld: bool = False

    @property
    def open(self) -> list[Held]:
        """Return the versions that may be shown as far as their own embargo goes."""
        return [held for held in self.versions if held.until is None]

    @property
    def shown(self) -> Article | None:
        """Return what readers see."""
        return None if self.is_removed or self.is_withheld or not self.open else self.open[-1].article


class StoreMachine(RuleBasedStateMachine):
    """Anything that can become of articles, against a plain dictionary.

    The model says in other words than `archive.arrival` what IPTC's statuses mean: what is usable is shown, what is
    embargoed from its time on, what is withheld not until it is usable again, and what was taken away never.
    """

    numbers = st.integers(0, 3)
    names = st.lists(st.sampled_from(["a" * 16, "b" * 16, article(0).id, article(1).id]), max_size=2)
    source_versions = st.one_of(st.none(), st.integers(1, 3))

    @initialize()
    def begin(self) -> None:
        self.place = self.new_place()
        self.now = NOON
        self.store = at(self.place, clock=lambda: self.now)
        self.model: dict[str, Kept] = {}
        self.names_of: dict[str, str] = {}
        self.log: list[tuple[str, int, str]] = []

    new_place: Callable[[], Path | str]

    @rule(
        number=numbers,
        title=st.sampled_from(["One", "Two", "Flood"]),
        day=st.one_of(st.none(), st.integers(1, 2)),
        hours=st.one_of(st.just("usable"), st.just("withheld"), st.integers(-1, 4)),
        source_version=source_versions,
        names=names,
    )
    def put(
        self, number: int, title: str, day: int | None, hours: int | str, source_version: int | None, names: list[str]
    ) -> None:
        published = datetime(2020, 1, day, tzinfo=UTC) if day else None
        until = NOON + timedelta(hours=hours) if isinstance(hours, int) else None
        new = article(
            number,
            title=title,
            published_at=published,
            source_version=source_version,
            status="live" if hours == "usable" else "embargoed",
            embargoed_until=until,
            aliases=tuple(names),
        )
        wish = None if hours == "usable" or (until and until <= self.now) else until or FOREVER
        key = self.named(new.id, names)
        assert self.store.put(new) == self.arrive(key, dataclasses.replace(new, id=key), wish)

    def named(self, id_: str, names: list[str]) -> str:
        """Return the id under which it is kept, and remember what else it is called."""
        called = [id_, *names]
        key = next((name if name in self.model else self.names_of[name] for name in called if self.knows(name)), id_)
        for name in called:
            if name != key and not self.knows(name):
                self.names_of[name] = key
        return key

    def knows(self, name: str) -> bool:
        return name in self.model or name in self.names_of

    def arrive(self, key: str, new: Article, wish: datetime | None) -> str:
        """Let it arrive in the model, and say what becomes of it."""
        kept = self.model.setdefault(key, Kept())
        known = [held.article for held in kept.versions]
        heard = [each.source_version for each in known if each.source_version is not None]
        if kept.is_removed or (new.source_version is not None and max(heard, default=0) > new.source_version):
            return "unchanged"
        was_open = bool(kept.open)
        if not any(same_content(each, new) for each in known):
            new = dataclasses.replace(new, version=len(known) + 1, status="live", embargoed_until=None, aliases=())
            kept.versions.append(Held(new, wish))
        elif not same_content(known[-1], new):
            return "unchanged"
        else:
            newest = kept.versions[-1]
            is_seen = newest.until is None and not kept.is_withheld
            is_said = newest.until == wish if newest.until else wish == FOREVER and kept.is_withheld
            if is_said or (is_seen and wish != FOREVER):
                return "unchanged"
            if wish != FOREVER or newest.until:
                newest.until = wish
        if wish is None:
            kept.is_withheld = False
        elif wish == FOREVER:
            kept.is_withheld = True
            for held in kept.versions:
                held.until = held.until and FOREVER
        outcome = "held" if wish else "updated" if was_open else "added"
        self.log.append((key, len(kept.versions), outcome))
        return outcome

    @rule(hours=st.integers(0, 2))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def release(self) -> None:
        released = []
        for key in sorted(self.model):
            kept = self.model[key]
            before, was_open = kept.shown, bool(kept.open)
            due = [held for held in kept.versions if held.until and held.until <= self.now]
            for held in due:
                held.until = None
                kept.is_withheld = False
            if kept.shown != before and kept.shown:
                released.append(key)
                self.log.append((key, kept.shown.version, "updated" if was_open else "added"))
        assert self.store.release() == released

    @rule(number=numbers, source_version=source_versions, names=names)
    def withdraw(self, number: int, source_version: int | None, names: list[str]) -> None:
        id_ = article(number).id
        withdrawal = Withdrawal(id=id_, reason="kill", source_version=source_version, aliases=tuple(names))
        key = self.named(id_, names)
        kept = self.model.get(key)
        if kept is None:
            self.model[key] = Kept([Held(Article(id=key, title="", body=""), None)], is_removed=True)
            self.log.append((key, 1, "held"))
            assert self.store.withdraw(withdrawal)
            return
        heard = [held.article.source_version or 0 for held in kept.versions]
        if kept.is_removed or (source_version is not None and source_version < max(heard)):
            assert not self.store.withdraw(withdrawal)
            return
        assert self.store.withdraw(withdrawal)
        self.take_away(key)

    @rule(number=numbers, source_version=source_versions, day=st.one_of(st.none(), st.integers(1, 2)), names=names)
    def hold(self, number: int, source_version: int | None, day: int | None, names: list[str]) -> None:
        said = datetime(2020, 1, day, tzinfo=UTC) if day else None
        id_ = article(number).id
        held = Article(id="", title="", body="", note="wait", source_version=source_version, updated_at=said)
        key = self.named(id_, names)
        outcome = self.arrive(key, dataclasses.replace(held, id=key), FOREVER)
        withdrawal = Withdrawal(
            id=id_,
            reason="wait",
            source_version=source_version,
            updated_at=said,
            aliases=tuple(names),
            for_good=False,
        )
        assert self.store.withdraw(withdrawal) == (outcome == "held")

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        id_ = self.names_of.get(article(number).id, article(number).id)
        if id_ not in self.model or self.model[id_].is_removed:
            with pytest.raises(ArticleNotFound):
                self.store.remove(id_)
            return
        self.store.remove(id_, reason="asked for")
        self.take_away(id_)

    def take_away(self, key: str) -> None:
        kept = self.model[key]
        self.log.append((key, (kept.shown or kept.versions[-1].article).version, "removed"))
        kept.is_removed = True

    @precondition(lambda self: self.log)
    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = at(self.place, clock=lambda: self.now)

    @invariant()
    def everything_agrees(self) -> None:
        keys = list(self.model)
        live = {key: kept.shown for key, kept in self.model.items() if kept.shown}
        assert self.store.live(keys) == live
        assert self.store.live_ids() == sorted(live)
        statuses = {key: "removed" if kept.is_removed else "live" if kept.shown else "embargoed"
                    for key, kept in self.model.items()}  # fmt: skip
        assert {key: found.status for key in keys if (found := self.store.article(key))} == statuses
        dated = sorted((each for each in live.values() if each.published_at), key=lambda each: each.id)
        assert self.store.newest(9) == sorted(dated, key=lambda each: each.published_at, reverse=True)
        assert [key for key, _ in self.store.scan(["flood"], limit=9, among=9)] == sorted(
            live, key=lambda key: (-(3 * (live[key].title == "Flood") + ("flood" in live[key].body.lower())), key)
        )[: len(self.store.scan(["flood"], limit=9, among=9))]
        for key, kept in self.model.items():
            assert [entry.title for entry in self.store.versions(key)] == [held.article.title for held in kept.open]
            seen = kept.open if kept.shown else []
            numbers = range(1, len(kept.versions) + 1)
            assert [each for n in numbers if (each := self.store.version(key, n))] == [held.article for held in seen]
        waiting = [held.until for kept in self.model.values() for held in kept.versions if held.until]
        assert self.store.next_release() == min((until for until in waiting if until < FOREVER), default=None)
        held = [
            kept
            for kept in self.model.values()
            if not kept.is_removed and (not kept.shown or kept.open != kept.versions)
        ]
        assert self.store.count_held() == len(held)
        assert {name: self.store.resolve(name) for name in self.names_of} == self.names_of
        log = self.store.changes(after=0, until=self.store.last_seq())
        assert [(change.article_id, change.version, change.kind) for change in log] == self.log
        assert [change.seq for change in log] == list(range(1, len(log) + 1))

    def teardown(self) -> None:
        assert self.store.check() == []
        other = at(self.new_place(), clock=lambda: self.now)
        records = list(self.store.records())
        for record in records:
            assert other.restore(record_from(record_object(record))) != "differs"
        assert list(other.records()) == records
        assert other.check() == []
        other.close()
        self.store.close()


def same_content(one: Article, other: Article) -> bool:
    said = {"id": "", "version": 1, "status": "live", "embargoed_until": None}
    return dataclasses.replace(one, **said) == dataclasses.replace(other, **said)


def agree_with_a_dictionary(new_place: Callable[[], Path | str], *, examples: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    machine = type("InThisPlace", (StoreMachine,), {"new_place": staticmethod(new_place)})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=20, deadline=None))


def test_any_arrivals_and_removals_agree_with_a_dictionary(tmp_path: Path) -> None:
    numbers = itertools.count()
    agree_with_a_dictionary(lambda: tmp_path / f"{next(numbers)}.db", examples=25)


def test_any_arrivals_and_removals_in_postgresql_do_so_too(postgres: Server) -> None:
    agree_with_a_dictionary(postgres.new, examples=8)


# Stories


def told(store: Store, *stories: tuple[int, list[Article]], events: list[Event] | None = None) -> None:
    for _, articles in stories:
        for each in articles:
            store.put(each)
    of = {each.id: story for story, articles in stories for each in articles}
    begun = [Event(story, "founded", None, len(articles)) for story, articles in stories]
    store.tell(of, begun if events is None else events, seq=store.last_seq(), model_sha256="m")


def test_stories_are_listed_by_their_latest_article_and_undated_ones_last(store: Store) -> None:
    undated = [article(number, published_at=None) for number in (40, 41)]
    told(store, (1, undated), (2, [article(1), article(2)]), (3, [article(3), article(4), article(50)]))
    assert [(story.id, story.articles) for story in store.stories()] == [(3, 3), (2, 2), (1, 2)]
    assert store.stories()[1].first == article(1).published_at
    assert store.stories()[1].latest == article(2).published_at
    assert store.stories()[2].latest is None


def test_only_what_is_shown_is_reported_in_the_order_of_time(store: Store) -> None:
    hidden = article(5, status="embargoed")
    told(store, (1, [article(7), article(6, published_at=None), article(2), hidden, article(3)]))
    store.remove(article(3).id)
    assert [report.id for report in store.reports([1])] == [article(2).id, article(7).id, article(6).id]
    assert [story.articles for story in store.stories()] == [3]
    assert len(store.articles_of([1])) == 5


def test_a_story_of_one_shown_article_is_not_listed(store: Store) -> None:
    told(store, (1, [article(1), article(2)]))
    store.remove(article(1).id)
    assert store.stories() == []


def test_a_number_is_never_given_twice(store: Store) -> None:
    assert store.next_story() == 1
    told(store, (1, [article(1), article(2)]))
    store.tell(dict.fromkeys([article(1).id, article(2).id]), [Event(1, "ended", None, 0)], seq=2, model_sha256="m")
    assert store.stories_of([article(1).id]) == {}
    assert store.next_story() == 2
    assert [event.kind for event, _ in store.story_events(1)] == ["founded", "ended"]


def test_what_is_told_is_told_whole_or_not_at_all(store: Store) -> None:
    told(store, (1, [article(1), article(2)]))
    before = store.telling()
    with pytest.raises(ContradictionError):
        store.tell({article(1).id: 2, "nowhere": 2}, [Event(2, "founded", None, 2)], seq=9, model_sha256="m")
    assert store.telling() == before == Telling(2, "m", 1)
    assert store.stories_of([article(1).id]) == {article(1).id: 1}


def test_progress_is_what_each_part_says_of_itself(store: Store) -> None:
    nothing = Progress(seq=0, at=None, telling=store.telling(), copies_seq=store.copies_seq(), published=None)
    assert store.progress() == nothing
    told(store, (1, [article(1), article(2)]))
    served = PublishedGeneration(number=1, seq=2, manifest_sha256=digest("1"))
    store.publish(served, previous=None)
    (last,) = store.changes(after=store.last_seq() - 1, until=store.last_seq())
    assert last.seq == 2
    expected = Progress(
        seq=2, at=last.at, telling=Telling(2, "m", 1), copies_seq=store.copies_seq(), published=store.pointer()[0]
    )
    assert expected.published == served
    assert store.progress() == expected


# SQLite itself


@pytest.mark.parametrize(("failures", "is_told"), [(1, False), (sqlite_database.wal.LOOKS, True)])
def test_a_log_that_cannot_be_read_once_is_looked_at_again(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, failures: int, is_told: bool
) -> None:
    read, left = sqlite_database.wal.read, iter(range(failures))

    def failing(log: Path, *, after: int = 0) -> object:
        if next(left, None) is not None:
            raise OSError(5, "Input/output error")
        return read(log, after=after)

    store = Store(path)
    store.put(article(1))
    monkeypatch.setattr(sqlite_database.wal, "read", failing)
    store.close()
    assert ("is damaged" in caplog.text) == is_told


def test_an_archive_that_is_closed_twice_is_closed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(path)
    store.put(article(1))
    store.close()
    store.close()
    assert caplog.records == []


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2"])
def test_an_sqlite_with_the_wal_reset_defect_is_refused_and_what_to_install_is_said(
    path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(ArchiveError, match=f"SQLite {version} .*pip install --force-reinstall --only-binary apsw"):
        Store(path)
    assert not path.exists()
