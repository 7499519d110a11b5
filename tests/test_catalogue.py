"""The catalogue beside the store it mirrors, whatever is put, changed or removed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import article

from archive.store import Filing, Store
from index.catalogue import NAMED, NOT_SHOWN, UNNAMED, Catalogue, Shelf
from index.engine import as_ids
from index.moments import EPOCH, UNDATED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "archive.sqlite3")
    yield store
    store.close()


def filed(shelf: Shelf, article_id: str) -> dict[str, object] | None:
    """Return what the shelf says of an article."""
    row = int(shelf.rows(as_ids([article_id]))[0])
    if row == NOT_SHOWN:
        return None
    named = {name: _named(shelf, name, int(shelf.codes[name][row])) for name in NAMED}
    codes = shelf.authors[shelf.first_author[row] : shelf.first_author[row] + shelf.author_count[row]]
    authors = tuple(shelf.values["author"][code] for code in codes.tolist())
    return {**named, "authors": authors, "published": int(shelf.published[row])}


def _named(shelf: Shelf, name: str, code: int) -> str | None:
    return None if code == UNNAMED else shelf.values[name][code]


def told(store: Store, article_id: str) -> dict[str, object] | None:
    """Return the same from the store."""
    listing = store.listings([article_id]).get(article_id)
    if listing is None:
        return None
    at = listing.published_at
    published = UNDATED if at is None else round((at - EPOCH).total_seconds() * 1_000_000)
    return {**{name: getattr(listing, name) for name in NAMED}, "authors": listing.authors, "published": published}


CHANGES = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(["put", "correct", "undated", "remove", "look"])), max_size=30
)


@settings(max_examples=40, deadline=None)
@given(CHANGES)
def test_it_says_what_the_store_says_after_any_changes(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    store = Store(tmp_path_factory.mktemp("mirror") / "archive.sqlite3")
    catalogue = Catalogue(store)
    for step, (number, change) in enumerate(changes):
        if change == "look":
            catalogue.shelf()
        elif change == "remove":
            if store.live([article(number).id]):
                store.remove(article(number).id)
        else:
            wording = {} if change == "put" else {"title": f"Wording {step}", "section": f"Section {step % 3}"}
            undated = {"published_at": None, "source": None} if change == "undated" else {}
            store.put(article(number, **wording, **undated))
    shelf = catalogue.shelf()
    for number in range(10):
        assert filed(shelf, article(number).id) == told(store, article(number).id)
    assert shelf.seq == store.last_seq()
    assert int(shelf.shown.sum()) == len(store.live_ids())
    store.close()


def test_a_shelf_that_was_handed_out_never_changes(store: Store) -> None:
    catalogue = Catalogue(store)
    store.put(article(0))
    before = catalogue.shelf()
    expected = filed(before, article(0).id)
    store.put(article(0, section="Another", title="Another wording"))
    store.put(article(1))
    after = catalogue.shelf()
    assert filed(before, article(0).id) == expected
    assert filed(before, article(1).id) is None
    assert filed(after, article(0).id) != expected
    assert filed(after, article(1).id) is not None


def test_it_knows_the_last_change_of_each_article_from_the_first_look_on(store: Store) -> None:
    for number in range(3):
        store.put(article(number))
    store.put(article(1, title="Another wording"))
    shelf = Catalogue(store).shelf()
    ids = [article(number).id for number in range(3)]
    assert shelf.changed[shelf.rows(as_ids(ids))].tolist() == [1, 4, 3]


class CountingStore(Store):
    """A store that counts the articles whose filing it reads."""

    read = 0

    def filings(self, *, after: int) -> list[Filing]:
        """Read them."""
        found = super().filings(after=after)
        self.read += len(found)
        return found


def test_it_reads_only_what_changed(tmp_path: Path) -> None:
    store = CountingStore(tmp_path / "archive.sqlite3")
    catalogue = Catalogue(store)
    for number in range(5):
        store.put(article(number))
    catalogue.shelf()
    catalogue.shelf()
    assert store.read == 5
    store.put(article(3, title="Another wording"))
    catalogue.shelf()
    assert store.read == 6
    store.close()


def test_the_rows_of_a_generation_are_those_of_its_articles_that_are_shown(store: Store) -> None:
    for number in range(5):
        store.put(article(number))
    all_ids = as_ids(sorted(article(number).id for number in range(7)))  # two were never met
    catalogue = Catalogue(store)
    store.remove(article(2).id)
    shelf = catalogue.shelf()
    numbers = np.arange(len(all_ids))
    assert catalogue.rows(shelf, all_ids, numbers).tolist() == shelf.rows(all_ids).tolist()
    assert (shelf.rows(all_ids) == NOT_SHOWN).sum() == 3
    store.put(article(6))
    later = catalogue.shelf()
    assert catalogue.rows(later, all_ids, numbers[2:5]).tolist() == later.rows(all_ids)[2:5].tolist()
    assert (later.rows(all_ids) == NOT_SHOWN).sum() == 2
    assert catalogue.rows(later, all_ids, numbers).tolist() == later.rows(all_ids).tolist()
    assert catalogue.rows(shelf, all_ids, numbers).tolist() == shelf.rows(all_ids).tolist()  # met by a later shelf


def test_the_articles_of_a_generation_are_looked_up_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        store.put(article(number))
    looked_up: list[int] = []
    known = Shelf.known
    monkeypatch.setattr(Shelf, "known", lambda shelf, ids: looked_up.append(len(ids)) or known(shelf, ids))
    catalogue = Catalogue(store)
    generations = [as_ids(sorted(article(number).id for number in range(count))) for count in (4, 5)]
    for _ in range(3):
        for all_ids in generations:
            catalogue.rows(catalogue.shelf(), all_ids, np.arange(3))
    assert looked_up == [5, 4, 5]  # filling the shelf, then each generation


def test_the_authors_of_a_changed_article_are_its_new_ones(store: Store) -> None:
    catalogue = Catalogue(store)
    store.put(article(1, authors=("Ada", "Ben")))
    store.put(article(2, authors=("Cy",)))
    catalogue.shelf()
    store.put(article(1, authors=("Cy", "Dee", "Ada"), title="Another wording"))
    shelf = catalogue.shelf()
    assert [filed(shelf, article(number).id)["authors"] for number in (1, 2)] == [  # type: ignore[index]
        ("Cy", "Dee", "Ada"),
        ("Cy",),
    ]
