"""The table of contents beside the articles it is of: days, names, and what is shown at the moment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import article

from archive.article import Article
from archive.store import Store
from index.analysis import fold
from index.browsing import Browsing
from index.catalogue import Catalogue
from index.names import Named, letter_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "archive.sqlite3")
    yield store
    store.close()


def browsing(store: Store, articles: Sequence[Article]) -> Browsing:
    for each in articles:
        store.put(each)
    return Browsing(store, Catalogue(store))


def on(number: int, *when: int, **changes: object) -> Article:
    return article(number, published_at=datetime(*when, tzinfo=UTC), **changes)  # type: ignore[arg-type, misc]


SPELT = st.sampled_from(["The Sun", "the sun", "The_Sun", "Le Soleil", "Le Soléil", " ", "Ж"])
DATED = st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59), timezones=st.just(UTC))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SPELT, st.lists(SPELT, max_size=3), DATED, st.booleans()), max_size=12))
def test_counts_are_those_of_the_articles_shown_whatever_is_in_the_archive(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, list[str], datetime | None, bool]]
) -> None:
    store = Store(tmp_path_factory.mktemp("data") / "archive.sqlite3")
    articles = [
        article(number, source=source, authors=tuple(authors), published_at=at, status="live" if live else "embargoed")
        for number, (source, authors, at, live) in enumerate(rows)
    ]
    contents = browsing(store, articles).contents()
    live = [each for each in articles if each.status == "live"]
    assert contents.total == len(live)
    assert len(contents.undated) == sum(each.published_at is None for each in live)
    days = Counter(each.published_at.date() for each in live if each.published_at)
    assert {period.start: period.count for period in contents.by_day(date.min, date.max)} == days
    years = Counter(day.year for day in days.elements())
    assert {period.start.year: period.count for period in contents.by_year if period.start} == years
    sources = Counter(fold(each.source or "") for each in live if fold(each.source or ""))
    assert {fold(each.name): each.count for each in contents.names("source").top(limit=99)} == sources
    authors = Counter(name for each in live for name in {fold(author) for author in each.authors} if name)
    assert {fold(each.name): each.count for each in contents.names("author").top(limit=99)} == authors
    store.close()


def test_a_name_stands_under_the_spelling_most_articles_have(store: Store) -> None:
    spelt = ["THE SUN", "The Sun", "The Sun"]
    contents = browsing(store, [article(n, source=name) for n, name in enumerate(spelt)]).contents()
    assert contents.names("source").top(limit=99) == [Named("The Sun", 3)]


def test_names_are_found_however_they_are_spelt_and_not_by_a_part(store: Store) -> None:
    looked = browsing(store, [article(1, source="Le Monde", authors=("Zoë Ünal",))])
    found = looked.profile("author", "zoe  unal")
    assert found is not None
    assert (found.name, found.count) == ("Zoë Ünal", 1)
    assert looked.profile("author", "zoe") is None
    assert looked.profile("source", "") is None


def test_a_withdrawn_article_leaves_and_a_corrected_one_moves_at_once(store: Store) -> None:
    looked = browsing(store, [on(1, 2016, 3, 14), on(2, 2016, 3, 14)])
    assert looked.contents().total == 2
    store.remove(article(1).id)
    store.put(on(2, 2017, 1, 1))
    assert looked.day(date(2016, 3, 14), order="newest", number=1, size=10) is None
    assert [period.count for period in looked.contents().by_year] == [1]
    assert looked.contents().first == date(2017, 1, 1)


def test_a_day_is_listed_page_by_page_either_way_and_knows_the_days_beside_it(store: Store) -> None:
    hours = [on(number, 2016, 3, 14, number) for number in range(5)]
    looked = browsing(store, [*hours, on(8, 2016, 3, 1), on(9, 2018, 1, 1)])
    newest = looked.day(date(2016, 3, 14), order="newest", number=1, size=3)
    assert newest is not None
    assert [each.id for each in newest.listed.articles] == [hours[4].id, hours[3].id, hours[2].id]
    assert (newest.before, newest.after) == (date(2016, 3, 1), date(2018, 1, 1))
    oldest = looked.day(date(2016, 3, 14), order="oldest", number=2, size=3)
    assert oldest is not None
    assert [each.id for each in oldest.listed.articles] == [hours[3].id, hours[4].id]
    assert oldest.listed.total == 5


def test_the_first_and_the_last_day_of_the_calendar_can_be_browsed(store: Store) -> None:
    looked = browsing(store, [on(1, 1, 1, 1), on(2, 9999, 12, 31, 23)])
    first, last = looked.year(1), looked.month(9999, 12)
    assert first is not None
    assert last is not None
    assert (first.before, first.after) == (None, date(9999, 12, 31))
    assert (last.before, last.after) == (date(1, 1, 1), None)


def test_names_are_narrowed_by_letter_and_by_what_they_hold(store: Store) -> None:
    names = ["“Ada” Quill", "ada king", "Émile Zola", "Żaneta", "7 Days", "村上春樹", "Жанна"]
    looked = browsing(store, [article(n, authors=(name,)) for n, name in enumerate(names)])
    every = looked.names("author", letter="", text="", sort="name", number=1, size=10)
    assert every.letters == {"A": 2, "E": 1, "Z": 1, "Ж": 1, "other": 2}
    assert [each.name for each in every.names[:4]] == ["7 Days", "ada king", "“Ada” Quill", "Émile Zola"]
    narrowed = looked.names("author", letter="A", text="qu", sort="name", number=1, size=10)
    assert [each.name for each in narrowed.names] == ["“Ada” Quill"]
    second = looked.names("author", letter="", text="", sort="name", number=2, size=5)
    assert len(second.names) == second.total - 5
    assert letter_of("") == "other"


def test_an_archive_without_articles_has_nothing_to_browse(store: Store) -> None:
    looked = browsing(store, [])
    found = looked.overview()
    assert (found.count, found.first, found.years) == (0, None, [])
    assert all(not top.names for top in found.tops)
    assert looked.undated(number=1, size=10).articles == []
    assert looked.contents().before(date(2000, 1, 1)) is None
