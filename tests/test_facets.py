"""Facets: that the counts add up, whatever is counted."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import article

from archive.article import Article
from archive.store import Store
from index.catalogue import Catalogue, Shelf
from index.engine import as_ids
from index.facets import MOST_AUTHORS, Facets, FacetValue, Period, facets_of


def shelf_of(folder: Path, articles: Sequence[Article]) -> Shelf:
    store = Store(folder / "archive.sqlite3")
    for one in articles:
        store.put(one)
    shelf = Catalogue(store).shelf()
    store.close()
    return shelf


def counted(folder: Path, articles: Sequence[Article]) -> Facets:
    shelf = shelf_of(folder, articles)
    return facets_of(shelf, np.flatnonzero(shelf.shown))


def on(*days: date | None) -> list[Article]:
    moments = [None if day is None else datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC) for day in days]
    return [article(number, published_at=moment) for number, moment in enumerate(moments)]


def test_a_language_counts_its_kinds_as_the_filter_takes_them(tmp_path: Path) -> None:
    languages = ["en", "de", "de", "en-GB", "en-GB", "en-US", "pt-BR", None]
    articles = [article(number, language=language) for number, language in enumerate(languages)]
    assert [(each.value, each.count) for each in counted(tmp_path, articles).language] == [
        ("en", 4), ("de", 2), ("en-GB", 2), ("en-US", 1), ("pt-BR", 1), (None, 1)
    ]  # fmt: skip


MAYBE = st.none() | st.sampled_from(["A", "B", "C"])
DAYS = st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(MAYBE, MAYBE, MAYBE, DAYS), max_size=12))
def test_the_counts_of_a_field_of_one_value_add_up_to_the_number_of_articles(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, str | None, str | None, date | None]]
) -> None:
    articles = [
        article(
            number,
            source=source,
            section=section,
            language=language,
            published_at=datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None,
        )
        for number, (source, section, language, day) in enumerate(rows)
    ]
    facets = counted(tmp_path_factory.mktemp("facets"), articles)
    for field in (facets.source, facets.section, facets.language, facets.published):
        assert sum(bucket.count for bucket in field) == len(articles)
        assert all(bucket.count > 0 for bucket in field)
    assert {value.value: value.count for value in facets.source} == Counter(one.source for one in articles)
    for period in facets.published:
        inside = [one for one in articles if _inside(one, period)]
        assert len(inside) == period.count
    dated = [period for period in facets.published if period.start]
    assert [period.start for period in dated] == sorted(period.start for period in dated if period.start)


def _inside(one: Article, period: Period) -> bool:
    if one.published_at is None or period.start is None or period.end is None:
        return one.published_at is None and period.start is None
    return period.start <= one.published_at.date() <= period.end


def test_values_come_most_frequent_first_then_by_name_and_those_without_one_last(tmp_path: Path) -> None:
    sections = ["B", "C", None, "A", "C", None, None, "B"]
    facets = counted(tmp_path, [article(number, section=section) for number, section in enumerate(sections)])
    assert list(facets.section) == [
        FacetValue(value="B", count=2),
        FacetValue(value="C", count=2),
        FacetValue(value="A", count=1),
        FacetValue(value=None, count=3),
    ]


def test_an_article_counts_for_each_of_its_authors_and_the_most_frequent_hundred_are_listed(tmp_path: Path) -> None:
    crowd = [article(number, authors=("Ada", f"Author {number:03}")) for number in range(MOST_AUTHORS + 5)]
    facets = counted(tmp_path, crowd)
    assert facets.author[0] == FacetValue(value="Ada", count=MOST_AUTHORS + 5)
    assert len(facets.author) == MOST_AUTHORS


def test_two_months_are_counted_by_the_day_then_by_the_week_and_longer_times_by_the_month(tmp_path: Path) -> None:
    first = date(2016, 2, 28)
    by_day = counted(tmp_path / "days", on(first, first, first + timedelta(days=61)))
    assert list(by_day.published) == [
        Period(start=first, end=first, count=2),
        Period(start=date(2016, 4, 29), end=date(2016, 4, 29), count=1),
    ]
    by_week = counted(tmp_path / "weeks", on(first, first, first + timedelta(days=62), first + timedelta(days=427)))
    assert [(period.start, period.end, period.count) for period in by_week.published] == [
        (date(2016, 2, 22), date(2016, 2, 28), 2),  # the first day is a Sunday
        (date(2016, 4, 25), date(2016, 5, 1), 1),
        (date(2017, 4, 24), date(2017, 4, 30), 1),
    ]
    by_month = counted(tmp_path / "months", on(first, first, first + timedelta(days=428), None))
    assert list(by_month.published) == [
        Period(start=date(2016, 2, 1), end=date(2016, 2, 29), count=2),
        Period(start=date(2017, 5, 1), end=date(2017, 5, 31), count=1),
        Period(start=None, end=None, count=1),
    ]


def test_the_last_week_there_is_ends_with_the_calendar(tmp_path: Path) -> None:
    facets = counted(tmp_path, on(date(9999, 9, 1), date(9999, 12, 31)))
    assert (facets.published[-1].start, facets.published[-1].end) == (date(9999, 12, 27), date(9999, 12, 31))


def test_the_first_and_the_last_month_there_are_can_be_counted(tmp_path: Path) -> None:
    facets = counted(tmp_path, on(date(1, 1, 1), date(1900, 5, 5), date(9999, 12, 31)))
    assert [(period.start, period.end) for period in facets.published] == [
        (date(1, 1, 1), date(1, 1, 31)),
        (date(1900, 5, 1), date(1900, 5, 31)),
        (date(9999, 12, 1), date(9999, 12, 31)),
    ]


def test_only_the_rows_asked_for_are_counted(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, [article(0, source="A"), article(1, source="B")])
    assert list(facets_of(shelf, shelf.rows(as_ids([article(1).id]))).source) == [FacetValue(value="B", count=1)]
    assert facets_of(shelf, np.empty(0, np.int64)) == Facets(
        source=[], section=[], author=[], language=[], published=[]
    )
