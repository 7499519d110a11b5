"""An archive moved from one kind of database to the other and back, whole, interrupted, and after it has changed."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom import article
from postgres import Server

import archive.moving
from archive.errors import ArchiveError
from archive.follows import Follows
from archive.ledger import Ledger
from archive.moving import UNFINISHED, Moved, is_unfinished, move
from archive.store import PublishedGeneration, Store, open_store
from archive.tokens import Tokens

ARTICLES = [article(number) for number in range(450)]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Store]:
    """An archive in SQLite with something in most of its tables."""
    store = Store(tmp_path / "archive.sqlite3", ledger=Ledger(tmp_path / "takedowns.jsonl"))
    for each in ARTICLES:
        store.put(each)
    store.remove(ARTICLES[0].id, reason="by court order")
    model = store.model_id(sha256="a" * 64, name="m")
    store.put_embeddings(model, [(bytes([number]) * 16, bytes(388)) for number in range(50)])
    store.publish(PublishedGeneration(number=3, seq=9, manifest_sha256=bytes(32)), previous=None, model_id=model)
    Tokens(store).create(name="desk", scope="takedown")
    yield store
    store.close()


@pytest.fixture
def there(postgres: Server) -> Iterator[Store]:
    store = open_store(postgres.new())
    yield store
    store.close()


def everything(store: Store) -> list[object]:
    """Return what a store says of all that is in it."""
    ids = store.live_ids()
    return [
        store.stats(),
        ids,
        store.live(ids),
        list(store.records()),
        store.pointer(),
        store.headlines(),
        store.check(),
    ]


def test_an_archive_is_the_same_after_it_was_moved_and_moved_back(here: Store, there: Store, tmp_path: Path) -> None:
    moved = move(here, there)
    assert everything(there) == everything(here)
    back = Store(tmp_path / "back" / "archive.sqlite3")
    again = move(there, back)
    assert everything(back) == everything(here)
    assert (moved.sha256, moved.rows) == (again.sha256, again.rows)
    assert moved.written == sum(moved.rows.values()) - 2, "where copies and stories begin stands in a new one too"
    back.close()


def test_what_is_written_afterwards_counts_on_from_what_was_moved(here: Store, there: Store) -> None:
    move(here, there)
    seq, known = here.last_seq(), ARTICLES[1]
    assert there.put(known) == "unchanged"
    there.remove(known.id)
    assert there.last_seq() == seq + 1
    there.put_embeddings(1, [(bytes([77]) * 16, bytes(388))])
    assert there.stats().embeddings == 51
    made, _ = Tokens(there).create(name="another", scope="takedown")
    assert made.id == 2
    assert there.next_generation() == 4


def test_a_copy_of_an_earlier_time_is_brought_up_to_date(here: Store, there: Store) -> None:
    first = move(here, there)
    here.remove(ARTICLES[2].id)
    here.change("DELETE FROM embedded WHERE text_hash = ?", (bytes([7]) * 16,))
    with pytest.raises(ArchiveError, match="holds this archive as it was before: --overwrite brings it up to date"):
        move(here, there)
    moved = move(here, there, overwrite=True)
    assert everything(there) == everything(here)
    assert 0 < moved.written < 10
    assert moved.deleted == 1
    assert moved.sha256 != first.sha256


def test_changes_that_the_source_does_not_have_are_never_lost(here: Store, there: Store) -> None:
    move(here, there)
    there.put(article(900))
    before = everything(there)
    for _ in range(2):
        with pytest.raises(ArchiveError, match="holds changes of articles that this archive does not"):
            move(here, there, overwrite=True)
        assert everything(there) == before
        here.put(article(901))  # as many, but others


def test_a_takedown_that_the_ledger_brought_is_no_change_that_the_source_lacks(here: Store, there: Store) -> None:
    move(here, there)
    for number in (5, 6):
        here.put(article(900 + number))
        here.remove(ARTICLES[number].id)
    there.remove(ARTICLES[5].id)
    move(here, there, overwrite=True)
    assert everything(there) == everything(here)
    there.remove(ARTICLES[7].id)
    with pytest.raises(ArchiveError, match="holds changes of articles that this archive does not"):
        move(here, there, overwrite=True)


def test_a_database_that_is_opened_for_a_move_says_so_from_its_first_moment_on(
    here: Store, postgres: Server, tmp_path: Path
) -> None:
    for place in (postgres.new(), tmp_path / "new.sqlite3"):
        opened = open_store(place, noted=UNFINISHED)
        assert is_unfinished(opened)
        move(here, opened)
        assert not is_unfinished(opened)
        opened.close()
        again = open_store(place, noted=UNFINISHED)
        assert not is_unfinished(again), "it holds something"
        again.close()


def test_nothing_is_moved_from_where_not_all_has_come(here: Store, there: Store) -> None:
    here.change("INSERT INTO meta (key, value) VALUES (?, '')", (UNFINISHED,))
    with pytest.raises(ArchiveError, match="that move is to be ended first"):
        move(here, there)
    assert there.last_seq() == 0


def test_a_row_that_took_the_number_of_one_that_went_takes_its_place(here: Store, there: Store) -> None:
    follows = Follows(here)
    for url in ("https://a.example/feed", "https://b.example/feed"):
        follows.follow(url, every=None, default=900)
    move(here, there)
    here.change("DELETE FROM follow WHERE url LIKE 'https://b%'")
    here.change("UPDATE follow SET url = 'https://b.example/feed'")
    follows.follow("https://a.example/feed", every=None, default=900)
    here.change("DELETE FROM embedded WHERE text_hash = ?", (bytes([3]) * 16,))
    here.change("DELETE FROM embedding WHERE embedding_id = 4")
    here.put_embeddings(1, [(bytes([3]) * 16, bytes(388))])
    move(here, there, overwrite=True)
    assert Follows(there).follows() == follows.follows()
    assert list(there.rows("SELECT * FROM embedded ORDER BY 1, 2")) == list(here.rows("SELECT * FROM embedded"))


def test_a_number_that_was_given_is_not_given_again(here: Store, there: Store, tmp_path: Path) -> None:
    tokens = Tokens(here)
    for _ in range(3):
        tokens.create(name="gone", scope="takedown")
    here.change("DELETE FROM token WHERE token_id > 1")
    move(here, there)
    back = Store(tmp_path / "back" / "archive.sqlite3")
    move(there, back)
    assert [Tokens(store).create(name="next", scope="takedown")[0].id for store in (here, there, back)] == [5, 5, 5]
    back.close()


def test_an_archive_is_not_moved_onto_itself_under_another_name(there: Store) -> None:
    there.put(ARTICLES[0])
    url = there.database.url  # type: ignore[attr-defined]  # PostgreSQL's
    same = open_store(url.replace("127.0.0.1", "localhost"))
    before = everything(there)
    with pytest.raises(ArchiveError, match="the archive is there already, under another name"):
        move(there, same, overwrite=True)
    assert everything(there) == before
    assert not is_unfinished(there)
    same.close()


def test_long_addresses_are_moved_too(here: Store, there: Store) -> None:
    url = "https://a.example/" + random.Random(1).randbytes(1_950).hex()
    Follows(here).follow(url, every=None, default=900)
    move(here, there)
    assert Follows(there).follow(url, every=None, default=900) is False
    assert [follow.url for follow in Follows(there).follows()] == [url]


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_move_that_is_interrupted_goes_on_where_it_was(
    here: Store, there: Store, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = archive.moving._write, 0

    def stopping(*arguments: object) -> int:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return whole(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(archive.moving, "_write", stopping)
        with pytest.raises(KeyboardInterrupt):
            move(here, there)
    assert is_unfinished(there)
    there.change("UPDATE version SET title = 'half' WHERE version_id = 1")
    moved = move(here, there)
    assert not is_unfinished(there)
    assert everything(there) == everything(here)
    assert moved.written <= sum(moved.rows.values())


def test_what_is_written_meanwhile_comes_over_in_another_round(here: Store, there: Store) -> None:
    written = iter([ARTICLES[3].id])

    def writing(stage: str, done: int, total: int | None) -> None:
        if (article_id := next(written, None)) is not None:
            here.remove(article_id)

    move(here, there, writing)
    assert everything(there) == everything(here)
    assert ARTICLES[3].id not in there.live_ids()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_database_that_holds_something_else_is_left_as_it_is(here: Store, there: Store, overwrite: bool) -> None:
    Follows(there).follow("https://a.example/feed", every=None, default=900)
    before = everything(there)
    with pytest.raises(ArchiveError, match="holds something else: give an empty database"):
        move(here, there, overwrite=overwrite)
    assert everything(there) == before
    assert len(Follows(there).follows()) == 1


def test_an_archive_that_never_rests_is_not_said_to_be_moved(here: Store, there: Store) -> None:
    numbers = iter(range(10_000))

    def writing(stage: str, done: int, total: int | None) -> None:
        here.change("INSERT INTO asked VALUES (?, '2001-01-01', '2001-01-01', 1)", (f"q={next(numbers)}",))

    with pytest.raises(ArchiveError, match="stop what writes to it"):
        move(here, there, writing)


def test_every_table_is_moved(here: Store, there: Store) -> None:
    moved: Moved = move(here, there)
    tables = here.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    assert set(moved.rows) == {name for (name,) in tables}
    for table in moved.rows:
        assert there.database.columns(table) == here.database.columns(table), table
