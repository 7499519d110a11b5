"""Search: what comes back for a request, and that every number in it is true."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import (
    EMBARGOED,
    UNDATED,
    WITHDRAWN,
    CountingEmbedder,
    MeaningEmbedder,
    OtherEmbedder,
    article,
    open_newsroom,
)

from index.analysis import analyse
from index.calibration import THRESHOLD
from index.embedder import Embedder
from index.engine import Vectors
from index.errors import CursorExpired, ModelUnavailable
from index.listing import CUTOFFS, SORTS, Cutoff, Sort
from index.query import Query
from index.query import parse as parsed
from index.ranking import MODES, Mode
from index.results import Result
from index.search import Search, SearchRequest
from web.services import Services
from web.settings import Settings

TODAY = date(2020, 1, 1)
ALL = 100  # more than the newsroom holds
FLOODS = {article(number).id for number in range(10)}


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = open_newsroom(tmp_path_factory.mktemp("search"))
    yield services
    services.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    """A small archive for a test that changes it."""
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for number in range(12):
        services.store.put(article(number))
    services.builder.update()
    yield services
    services.close()


def parse(text: str) -> Query:
    return parsed(text, today=TODAY)


def results(parts: Services, query: str = "", **request: object) -> list[Result]:
    return list(parts.search.search(SearchRequest(query=query, page_size=ALL, **request)).results)  # type: ignore[arg-type]


def found(parts: Services, query: str = "", **request: object) -> list[str]:
    return [result.article.id for result in results(parts, query, **request)]


# Modes


def test_words_find_words_meaning_finds_meaning_and_both_find_both(newsroom: Services) -> None:
    assert found(newsroom, "inundation", mode="keyword") == []
    assert set(found(newsroom, "inundation", mode="semantic")[:10]) == FLOODS
    assert set(found(newsroom, "inundation", mode="hybrid")[:10]) == FLOODS
    assert found(newsroom, "elbe", mode="keyword") == found(newsroom, "elbe")[:1]


def test_a_mode_shows_only_its_own_leg(newsroom: Services) -> None:
    by_words = results(newsroom, "flood council", mode="keyword")
    assert all(result.semantic.score is None and result.keyword.score for result in by_words)
    assert all((result.keyword.weight, result.semantic.weight) == (1.0, 0.0) for result in by_words)
    by_meaning = results(newsroom, "flood council", mode="semantic")
    assert all(result.keyword.score is None and result.semantic.score is not None for result in by_meaning)
    assert all((result.keyword.weight, result.semantic.weight) == (0.0, 1.0) for result in by_meaning)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "query",
    ['"council election"', "flood -ostwick", 'people source:"the ledger"', "-flood", "title:comet", "comet after:2003"],
)
def test_what_a_query_demands_binds_in_every_mode(newsroom: Services, mode: Mode, query: str) -> None:
    answer = results(newsroom, query, mode=mode, cutoff="off")
    assert answer
    demanded = parse(query)
    for one in (result.article for result in answer):
        text = f"{one.title}\n{one.body}".lower()
        if query.startswith('"'):
            assert "council election" in text
        elif "-" in query:
            assert demanded.excluded[0].text not in text  # type: ignore[union-attr]
        elif "source:" in query:
            assert one.source == "The Ledger"
        elif "title:" in query:
            assert "comet" in one.title.lower()
        else:
            assert one.published_at is not None
            assert one.published_at.year >= 2003


# Filters


@pytest.mark.parametrize("query", ["", "flood"])
@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"sources": ("the ledger",)}, lambda one: one.source == "The Ledger"),
        ({"sources": ("The Ledger", "Radio Nine")}, lambda one: one.source in {"The Ledger", "Radio Nine"}),
        ({"sections": ("POLITICS",)}, lambda one: one.section == "Politics"),
        ({"authors": ("Ben Marsh",)}, lambda one: "Ben Marsh" in one.authors),
        ({"languages": ("de",)}, lambda one: one.language == "de"),
        ({"languages": ("german",)}, lambda one: one.language == "de"),
        (
            {"sources": ("The Ledger",), "sections": ("Weather",)},
            lambda one: (one.source, one.section) == ("The Ledger", "Weather"),
        ),
        ({"sources": ("Nobody",)}, lambda one: False),
        (
            {"date_from": date(2001, 3, 3), "date_to": date(2001, 3, 5)},
            lambda one: one.published_at and date(2001, 3, 3) <= one.published_at.date() <= date(2001, 3, 5),
        ),
        (
            {"date_from": date(2003, 3, 2)},
            lambda one: one.published_at and one.published_at.date() >= date(2003, 3, 2),
        ),
        ({"date_to": date(2001, 3, 2)}, lambda one: one.published_at and one.published_at.date() <= date(2001, 3, 2)),
        ({"date_from": date(2005, 1, 1), "date_to": date(2004, 1, 1)}, lambda one: False),
        ({"date_from": date.min, "date_to": date.max}, lambda one: one.published_at is not None),
    ],
)
def test_filters_take_what_holds_and_nothing_else(
    newsroom: Services, filters: object, holds: object, query: str
) -> None:
    everything = newsroom.store.live(newsroom.store.live_ids())
    wanted = {id_ for id_, one in everything.items() if holds(one)}  # type: ignore[operator]
    assert set(found(newsroom, query, cutoff="off", **filters)) == wanted  # type: ignore[arg-type]
    assert set(found(newsroom, query, **filters)) <= wanted  # type: ignore[arg-type]


def test_the_last_day_counts_to_its_end(parts: Services) -> None:
    late = datetime(2020, 5, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    parts.store.put(article(50, published_at=late))
    parts.store.put(article(51, published_at=late + timedelta(microseconds=1)))
    parts.builder.update()
    assert found(parts, date_from=date(2020, 5, 1), date_to=date(2020, 5, 1)) == [article(50).id]


def test_typed_and_chosen_filters_both_bind(newsroom: Services) -> None:
    both = {article(number).id for number in (0, 3, 6, 9, 93)}
    assert set(found(newsroom, 'source:"the ledger"', sections=("Weather",))) == both
    assert set(found(newsroom, "section:weather", sources=("The Ledger",))) == both
    assert found(newsroom, 'source:"the ledger"', sources=("Radio Nine",)) == []


# Order


def test_relevance_falls_and_equals_go_by_id(newsroom: Services) -> None:
    for mode in MODES:
        answer = results(newsroom, "flood in the council", mode=mode)
        keys = [(-result.score, result.article.id) for result in answer]
        assert len(keys) > 5
        assert keys == sorted(keys)


@pytest.mark.parametrize("query", ["", "report"])
def test_newest_and_oldest_first_the_undated_last_either_way(newsroom: Services, query: str) -> None:
    newest, oldest = (results(newsroom, query, sort=sort) for sort in ("newest", "oldest"))
    dates = [result.article.published_at for result in newest]
    dated = [at for at in dates if at]
    assert dated == sorted(dated, reverse=True)
    assert [result.article.published_at for result in oldest if result.article.published_at] == sorted(dated)
    assert UNDATED.id in {result.article.id for result in newest}
    undated = dates.count(None)
    for answer in (newest, oldest):
        assert all(result.article.published_at is None for result in answer[-undated:])
        assert [r.article.id for r in answer[-undated:]] == sorted(r.article.id for r in answer[-undated:])
    assert {result.article.id for result in newest} == set(found(newsroom, query))


def test_the_same_moment_goes_by_id(parts: Services) -> None:
    for number in range(60, 66):
        body = "A flood. " * (number % 7) + "Nothing else."
        parts.store.put(article(number, body=body, published_at=datetime(2022, 1, 1, tzinfo=UTC)))
    parts.builder.update()
    ids = sorted(article(number).id for number in range(60, 66))
    assert [id_ for id_ in found(parts, "flood", mode="keyword") if id_ in ids] != ids
    for query in ("", "flood"):
        assert found(parts, query, sort="newest")[:6] == found(parts, query, sort="oldest")[-6:] == ids


def test_without_words_the_newest_come_first(newsroom: Services) -> None:
    for query in ("", " ", "-nasty", "source:ledger"):
        assert found(newsroom, query) == found(newsroom, query, sort="newest")
    assert {result.score for result in results(newsroom)} == {0.0}


# Pages


@given(
    query=st.sampled_from(["", "flood", "report people", "-flood", "nasty", "source:unheard", "unheard of flood"]),
    mode=st.sampled_from(MODES),
    sort=st.sampled_from(SORTS),
    cutoff=st.sampled_from(CUTOFFS),
    page_size=st.integers(1, 50),
)
@settings(max_examples=60, deadline=None)
def test_paging_by_number_and_by_cursor_reaches_everything_counted_each_once(
    newsroom: Services, query: str, mode: Mode, sort: Sort, cutoff: Cutoff, page_size: int
) -> None:
    request = SearchRequest(query=query, mode=mode, sort=sort, cutoff=cutoff, page_size=page_size)
    seen: list[str] = []
    page, answer = 1, newsroom.search.search(request)
    first = answer
    while True:
        seen += [result.article.id for result in answer.results]
        assert (answer.request.page, answer.facets, answer.total) == (page, first.facets, first.total)
        if answer.cursor is None:
            break
        page += 1
        by_cursor = newsroom.search.search(replace(request, cursor=answer.cursor))
        answer = newsroom.search.search(replace(request, page=page))
        assert by_cursor.results == answer.results != []
        assert (by_cursor.request.page, by_cursor.cursor) == (page, answer.cursor)
    assert len(seen) == len(set(seen)) == first.total
    assert newsroom.search.search(replace(request, page=page + 1)).results == []
    assert seen == found(newsroom, query, mode=mode, sort=sort, cutoff=cutoff)


def test_articles_that_come_in_while_one_pages_neither_repeat_nor_drop_a_row(parts: Services) -> None:
    request = SearchRequest(query="flood", page_size=3)
    first = parts.search.search(request)
    by_number, by_cursor = [first], [first]
    for number in range(3, 10):
        parts.store.put(article(200 + number, title="The flood, the flood, the flood", body="Flood " * number))
        parts.builder.update()
        if by_number[-1].cursor:
            by_number.append(parts.search.search(replace(request, page=len(by_number) + 1)))
        if by_cursor[-1].cursor:
            by_cursor.append(parts.search.search(replace(request, cursor=by_cursor[-1].cursor)))
    pages = [[result.article.id for answer in walk for result in answer.results] for walk in (by_number, by_cursor)]
    assert pages[0] == pages[1]
    assert len(pages[0]) == len(set(pages[0])) == first.total
    assert {answer.generation for answer in by_number} == {first.generation}
    parts.serving.catch_up()
    afresh = parts.search.search(request)
    assert afresh.generation != first.generation
    assert afresh.total == first.total + 7


def test_an_article_withdrawn_while_one_pages_leaves_a_gap_and_moves_nothing(parts: Services) -> None:
    request = SearchRequest(query="flood", page_size=4)
    before = parts.search.search(request)
    second = parts.search.search(replace(request, page=2))
    gone = second.results[1].article
    parts.store.remove(gone.id)
    again = parts.search.search(replace(request, cursor=before.cursor))
    assert [result.article.id for result in again.results] == [
        result.article.id for result in second.results if result.article.id != gone.id
    ]
    assert again.total == before.total - 1
    assert sum(value.count for value in again.facets.source) == again.total


def test_an_article_changed_while_one_pages_must_still_keep_to_the_query(parts: Services) -> None:
    request = SearchRequest(query='"the flood reaches" -comet', page_size=3, mode="keyword")
    before = parts.search.search(request)
    second = parts.search.search(replace(request, page=2))
    changed, excluded = second.results[0].article, second.results[1].article
    parts.store.put(replace(changed, title="Corrected", body="It was not a flood."))
    parts.store.put(replace(excluded, body=f"{excluded.body} A comet was seen."))
    again = parts.search.search(replace(request, cursor=before.cursor))
    assert [result.article.id for result in again.results] == [result.article.id for result in second.results[2:]]
    afresh = set(found(parts, request.query, mode="keyword"))
    assert afresh == set(found(parts, "flood", mode="keyword")) - {changed.id, excluded.id}


def test_a_cursor_of_a_list_that_is_no_longer_kept_says_so(parts: Services) -> None:
    answer = parts.search.search(SearchRequest(query="flood", page_size=2))
    another = Search(store=parts.store, serving=parts.serving, embedder=lambda _: MeaningEmbedder(), fusion="sum")
    with pytest.raises(CursorExpired, match="begin again"):
        another.search(SearchRequest(cursor=answer.cursor))
    for cursor in ("nonsense", "", f"{'0' * 16}-2"):
        with pytest.raises(CursorExpired, match="begin again"):
            another.search(SearchRequest(query="flood", cursor=cursor))
    parts.store.put(article(77))
    later = Search(store=parts.store, serving=parts.serving, embedder=lambda _: MeaningEmbedder(), fusion="sum")
    with pytest.raises(CursorExpired, match="begin again"):
        later.search(SearchRequest(query="flood", cursor=answer.cursor))


def test_another_process_makes_a_list_again_while_the_archive_is_the_same(parts: Services) -> None:
    request = SearchRequest(query="flood", page_size=3)
    first = parts.search.search(request)
    second = parts.search.search(replace(request, cursor=first.cursor))
    another = Search(store=parts.store, serving=parts.serving, embedder=lambda _: MeaningEmbedder(), fusion="sum")
    elsewhere = another.search(replace(request, cursor=first.cursor))
    assert (elsewhere.results, elsewhere.cursor, elsewhere.total) == (second.results, second.cursor, second.total)


def test_a_cursor_goes_with_its_own_search_or_alone(parts: Services) -> None:
    request = SearchRequest(query="flood", page_size=3)
    cursor = parts.search.search(request).cursor
    second = parts.search.search(replace(request, page=2))
    alone = parts.search.search(SearchRequest(cursor=cursor, page_size=3))
    assert alone.results == second.results
    assert (alone.request.query, alone.request.page) == ("flood", 2)
    for other in (replace(request, query="comet"), replace(request, mode="keyword"), replace(request, sort="newest")):
        with pytest.raises(CursorExpired, match="another search"):
            parts.search.search(replace(other, cursor=cursor))


def test_the_same_question_of_an_archive_that_did_not_change_is_answered_without_searching(parts: Services) -> None:
    request = SearchRequest(query="flood")
    first = parts.search.search(request)
    shutil.rmtree(parts.settings.data / "models", ignore_errors=True)
    embedder = CountingEmbedder()
    search = Search(store=parts.store, serving=parts.serving, embedder=lambda _: embedder, fusion="sum")
    for _ in range(3):
        again = search.search(replace(request, page_size=7))
        assert [result.article.id for result in again.results] == [result.article.id for result in first.results][:7]
    assert embedder.texts == ["flood"]
    parts.store.put(article(77))
    search.search(request)
    assert embedder.texts == ["flood", "flood"]


def test_a_list_that_was_cut_short_says_so(newsroom: Services) -> None:
    assert newsroom.search.rank(parse("report"), mode="keyword", depth=100).candidates.beyond is None
    cut = newsroom.search.rank(parse("report"), mode="semantic", depth=5)
    assert cut.candidates.beyond is not None
    assert len(cut.ids) == 5
    assert newsroom.search.rank(parse("source:ledger"), mode="hybrid", depth=1).candidates.beyond is None


def test_of_a_list_that_is_kept_only_what_is_listed_takes_memory(newsroom: Services) -> None:
    search = Search(store=newsroom.store, serving=newsroom.serving, embedder=lambda _: MeaningEmbedder(), fusion="sum")
    listed = search.search(SearchRequest(query="flood"))
    ranking = search.rank(parse("flood"), mode="hybrid")
    assert len(ranking.candidates) > listed.total
    [entry] = search._sets._by_token.values()
    assert len(entry.found.ranking.candidates) == len(entry.found.filed) == listed.total
    assert entry.found.nbytes <= 300 * listed.total
    everything = search.search(SearchRequest())
    _, entry = search._sets._by_token.values()
    assert entry.found.nbytes <= 32 * everything.total + 200  # nothing ranks them


# What is relevant enough to be shown


def test_an_article_that_holds_every_word_is_listed_however_far_its_meaning(newsroom: Services) -> None:
    holding = set(found(newsroom, "wrote report", mode="keyword"))
    assert len(holding) > 20
    assert holding <= set(found(newsroom, "wrote report"))


def test_words_are_all_wanted(newsroom: Services) -> None:
    both = {
        one.id
        for one in newsroom.store.live(newsroom.store.live_ids()).values()
        if {"flood", "report"} <= set(analyse(f"{one.title} {one.body}"))
    }
    assert set(found(newsroom, "flood report", mode="keyword")) == both
    assert len(both) >= 10
    answer = newsroom.search.search(SearchRequest(query="flood report", mode="keyword"))
    assert (answer.relaxed, answer.complete) == (False, True)


def test_when_no_article_holds_all_words_those_with_most_are_listed_and_the_answer_says_so(newsroom: Services) -> None:
    answer = newsroom.search.search(SearchRequest(query="flood Millbrook elbe", mode="keyword", page_size=ALL))
    assert answer.relaxed
    assert {result.article.id for result in answer.results} >= FLOODS
    assert not newsroom.search.search(SearchRequest(query="unheardof", mode="keyword")).relaxed


def test_what_the_archive_does_not_hold_is_no_good_match(newsroom: Services) -> None:
    for mode in MODES:
        answer = newsroom.search.search(SearchRequest(query="qwxz vbnm", mode=mode))
        assert (answer.total, answer.no_good_match, list(answer.results)) == (0, True, [])
        assert answer.complete
        nearest = newsroom.search.search(SearchRequest(query="qwxz vbnm", mode=mode, cutoff="off"))
        assert bool(nearest.results) == (mode != "keyword")
    assert not newsroom.search.search(SearchRequest(query="source:unheard")).no_good_match


@pytest.mark.parametrize("query", ["…", "((((((()))))))", "?!?", "- | -", "👻 👻", '"…"'])
def test_what_says_nothing_finds_nothing(newsroom: Services, query: str) -> None:
    answer = newsroom.search.search(SearchRequest(query=query, cutoff="off"))
    assert (answer.total, answer.no_good_match) == (0, True)


def test_the_threshold_hides_what_is_less_probable_and_nothing_else(newsroom: Services) -> None:
    request = SearchRequest(query="inundation of the valley", mode="semantic", page_size=ALL)
    everything = newsroom.search.search(replace(request, cutoff="off")).results
    shown = newsroom.search.search(request).results
    assert [result.article.id for result in shown] == [
        result.article.id for result in everything if (result.probability or 0.0) >= THRESHOLD
    ]
    assert 0 < len(shown) < len(everything)


def test_what_an_or_finds_by_its_filter_alone_is_listed_last(newsroom: Services) -> None:
    listed = found(newsroom, 'comet OR source:"The Ledger"', mode="keyword")
    with_word = found(newsroom, "comet", mode="keyword")
    assert set(listed[: len(with_word)]) == set(with_word)
    from_ledger = {id_ for id_, one in newsroom.store.live(listed).items() if one.source == "The Ledger"}
    assert set(listed[len(with_word) :]) == from_ledger - set(with_word) != set()


def test_what_is_said_of_a_list_is_said_of_all_of_it(newsroom: Services) -> None:
    def asked(query: str, **request: object) -> tuple[bool, bool]:
        answer = newsroom.search.search(SearchRequest(query=query, page_size=1, **request))  # type: ignore[arg-type]
        return answer.by_meaning_alone, answer.doubtful

    assert asked("inundation") == (True, False)
    assert asked("inundation", page=5) == (True, False)
    assert asked("flood") == (False, False)
    assert asked("flood", cutoff="off", sort="oldest") == (False, False)
    assert asked("qwxz vbnm", cutoff="off") == (True, True)
    assert asked("source:ledger", cutoff="off") == (False, False)
    assert asked("inundation", mode="semantic") == (False, False)


def test_a_list_found_while_the_model_was_away_is_not_the_one_found_with_it(newsroom: Services) -> None:
    away = [True]

    def embedder(_: str) -> Embedder:
        if away[0]:
            raise ModelUnavailable("away")
        return MeaningEmbedder()

    search = Search(store=newsroom.store, serving=newsroom.serving, embedder=embedder, fusion="sum")
    request = SearchRequest(query="flood people", page_size=3)
    blind = search.search(request)
    away[0] = False
    seeing = search.search(request)
    assert (blind.degraded, seeing.degraded) == (True, False)
    assert blind.cursor != seeing.cursor
    assert search.search(SearchRequest(cursor=blind.cursor)).degraded


# Another spelling


def test_a_query_that_found_little_is_looked_up_for_another_spelling(newsroom: Services) -> None:
    asked: list[str] = []

    def speller(text: str) -> str | None:
        asked.append(text)
        return text.replace("flod", "flood") if "flod" in text else None

    search = Search(
        store=newsroom.store,
        serving=newsroom.serving,
        embedder=lambda _: MeaningEmbedder(),
        fusion="sum",
        speller=speller,
    )
    assert search.search(SearchRequest(query="flod millbrook")).suggestion == "flood millbrook"
    assert search.search(SearchRequest(query="flood millbrook")).suggestion is None
    assert search.search(SearchRequest(query="")).suggestion is None
    assert asked == ["flod millbrook"]


def test_a_list_that_was_made_is_looked_up_again_when_the_speller_has_learnt(newsroom: Services) -> None:
    known: list[str] = []
    search = Search(
        store=newsroom.store,
        serving=newsroom.serving,
        embedder=lambda _: MeaningEmbedder(),
        fusion="sum",
        speller=lambda _: known[0] if known else None,
    )
    assert search.search(SearchRequest(query="flod millbrook")).suggestion is None
    known.append("flood millbrook")
    assert search.search(SearchRequest(query="flod millbrook")).suggestion == "flood millbrook"


# Recency


def test_newer_articles_gain_a_bounded_part_when_that_is_wanted(newsroom: Services) -> None:
    plain = {result.article.id: result for result in results(newsroom, "report people", cutoff="off")}
    search = Search(
        store=newsroom.store, serving=newsroom.serving, embedder=lambda _: MeaningEmbedder(), fusion="sum", recency=0.2
    )
    answer = search.search(SearchRequest(query="report people", cutoff="off", page_size=ALL)).results
    dates = [one.published_at for one in newsroom.store.live(newsroom.store.live_ids()).values() if one.published_at]
    newest = max(dates)
    for result in answer:
        part = result.parts["recency"]
        at = result.article.published_at
        age = (newest - at) / timedelta(days=365) if at else inf
        assert part == pytest.approx(0.2 * 2**-age)
        assert result.score == pytest.approx(plain[result.article.id].score + part)
    assert "recency" not in plain[answer[0].article.id].parts


# Facets


def test_facets_add_up_over_everything_found(newsroom: Services) -> None:
    for query in ("", "flood", "nasty", "unheard source:unheard"):
        for mode in MODES:
            answer = newsroom.search.search(SearchRequest(query=query, mode=mode, page_size=1))
            articles = [result.article for result in results(newsroom, query, mode=mode)]
            facets = answer.facets
            for counted, values in (
                (facets.source, [one.source for one in articles]),
                (facets.section, [one.section for one in articles]),
                (facets.language, [one.language for one in articles]),
            ):
                assert {value.value: value.count for value in counted} == Counter(values)
                assert sum(value.count for value in counted) == answer.total
            assert {value.value: value.count for value in facets.author} == Counter(
                name for one in articles for name in one.authors
            )
            assert sum(period.count for period in facets.published) == answer.total


@pytest.mark.parametrize("query", ["flood", "inundation people", "flood Millbrook elbe", '"the flood" comet', ""])
@pytest.mark.parametrize("mode", MODES)
def test_a_facet_is_what_its_filter_leaves(newsroom: Services, query: str, mode: Mode) -> None:
    answer = newsroom.search.search(SearchRequest(query=query, mode=mode))
    all_of_it = {result.article.id: result for result in results(newsroom, query, mode=mode)}
    for field, values in (("sources", answer.facets.source), ("sections", answer.facets.section)):
        for value in values:
            if value.value is not None:
                left = results(newsroom, query, mode=mode, **{field: (value.value,)})
                assert len(left) == value.count
                for result in left:
                    before = all_of_it[result.article.id]
                    assert (result.score, result.probability) == (before.score, before.probability)
    for period in answer.facets.published:
        if period.start and period.end:
            days = {"date_from": period.start, "date_to": period.end}
            assert len(found(newsroom, query, mode=mode, **days)) == period.count


# What is shown


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_an_outline_says_what_the_search_says_and_reads_no_article(
    newsroom: Services, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = SearchRequest(query="flood Millbrook", mode=mode, sections=("Weather",), page=3)
    whole = newsroom.search.search(replace(request, page=1))
    monkeypatch.setattr(newsroom.store, "live", None)
    outline = newsroom.search.outline(request)
    assert (outline.total, outline.complete, outline.facets) == (whole.total, whole.complete, whole.facets)


def test_how_many_of_the_list_hold_every_word_is_what_words_alone_find(newsroom: Services) -> None:
    both = newsroom.search.search(SearchRequest(query="flood Millbrook"))
    words = newsroom.search.search(SearchRequest(query="flood Millbrook", mode="keyword"))
    assert both.holding == words.total == words.holding
    assert newsroom.search.search(SearchRequest(query="flood", mode="semantic")).holding is None
    assert newsroom.search.search(SearchRequest()).holding is None


def test_a_takedown_holds_at_once(parts: Services) -> None:
    gone = article(1)
    assert gone.id in found(parts, "flood")
    before = parts.search.search(SearchRequest(query="flood"))
    parts.store.remove(gone.id)
    after = parts.search.search(SearchRequest(query="flood"))
    assert gone.id not in found(parts, "flood")
    assert after.generation == before.generation
    assert after.total == before.total - 1
    assert sum(value.count for value in after.facets.source) == after.total
    assert gone.id not in found(parts)


def test_withdrawn_and_embargoed_articles_are_never_shown(newsroom: Services) -> None:
    for mode in MODES:
        shown = set(found(newsroom, "withdrawn tomorrow words", mode=mode))
        assert shown.isdisjoint({WITHDRAWN.id, EMBARGOED.id})


def test_an_article_that_changed_since_it_was_indexed_is_shown_as_it_is_now(parts: Services) -> None:
    changed = article(1, title="Corrected", body="Short now, and about a flood.")
    parts.store.put(changed)
    for mode in MODES:
        shown = {result.article.id: result for result in results(parts, "flood Millbrook", mode=mode)}[changed.id]
        assert (shown.article.title, shown.article.version) == ("Corrected", 2)
        assert shown.snippet.text == changed.body
        assert [shown.snippet.text[start:end] for start, end in shown.snippet.highlights] == ["flood"]


def test_an_old_passage_is_not_looked_for_in_a_new_text(parts: Services) -> None:
    long = " ".join(f"Sentence {n} says nothing much at all." for n in range(60)) + " The deluge took the mill."
    parts.store.put(article(70, body=long))
    parts.builder.update()
    parts.store.put(article(70, body="Withdrawn: there was no deluge."))
    shown = {result.article.id: result for result in results(parts, "inundation", mode="semantic")}[article(70).id]
    assert shown.snippet.text == "Withdrawn: there was no deluge."


def test_highlights_are_the_words_asked_for(newsroom: Services) -> None:
    for result in results(newsroom, "flooding the reports", mode="keyword")[:20]:
        marked = [result.snippet.text[start:end] for start, end in result.snippet.highlights]
        assert {term for word in marked for term in analyse(word)} <= {"flood", "report"}
        assert marked


def test_the_snippet_is_of_the_passage_that_means_it(parts: Services) -> None:
    long = " ".join(f"Sentence {n} says nothing much at all." for n in range(60)) + " The deluge took the mill."
    parts.store.put(article(70, body=long))
    parts.builder.update()
    shown = {result.article.id: result for result in results(parts, "inundation", mode="semantic")}[article(70).id]
    assert not shown.snippet.text.startswith("Sentence 0")
    assert len(shown.snippet.text) < 300


# Why


@pytest.mark.parametrize("query", ["the council flood in Ostwick", "flood", '"the flood" people', "flo* comeet~", "x"])
@pytest.mark.parametrize("mode", MODES)
def test_a_score_is_the_sum_of_its_parts(newsroom: Services, query: str, mode: Mode) -> None:
    for result in results(newsroom, query, mode=mode, cutoff="off"):
        parts = result.keyword.part + result.semantic.part + sum(result.parts.values())
        assert result.score == pytest.approx(parts, abs=1e-12)
        assert result.keyword.weight + result.semantic.weight == pytest.approx(1.0)


@pytest.mark.parametrize("query", ["the council flood in Ostwick", '"the flood" people', "flo* peeple~"])
def test_the_words_found_add_up_to_the_keyword_score_and_stand_where_they_are_said_to(
    newsroom: Services, query: str
) -> None:
    answer = results(newsroom, query)
    assert answer
    for result in answer:
        assert sum(term.score for term in result.terms) == pytest.approx(result.keyword.score or 0.0)
        for term in result.terms:
            assert term.title + term.body > 0
            if term.text == "flood":
                assert term.title == analyse(result.article.title).count("flood")
                assert term.body == analyse(result.article.body).count("flood")


def test_explaining_asks_for_no_second_embedding(newsroom: Services) -> None:
    embedder = CountingEmbedder()
    search = Search(store=newsroom.store, serving=newsroom.serving, embedder=lambda _: embedder, fusion="sum")
    assert search.search(SearchRequest(query="flood comet")).results[0].terms
    assert "flood comet" in embedder.texts
    assert embedder.texts.count("flood comet") == 1


def test_explained_ranks_are_those_of_each_leg_alone(newsroom: Services) -> None:
    query = "the council flood in Ostwick"
    for leg, mode in (("keyword", "keyword"), ("semantic", "semantic")):
        ranking = newsroom.search.rank(parse(query), mode=mode)
        alone = {article_id: place for place, article_id in enumerate(ranking.ids, start=1)}
        for result in results(newsroom, query):
            assert getattr(result, leg).rank == alone.get(result.article.id)
            assert (getattr(result, leg).score is None) == (result.article.id not in alone)


def test_the_sentence_that_means_it_is_marked_in_the_snippet(parts: Services) -> None:
    before = " ".join(f"Sentence {n} says nothing much at all." for n in range(3))
    parts.store.put(article(70, title="Letters", body=f"{before} A great deluge took the old mill. More of the same."))
    parts.builder.update()
    shown = {result.article.id: result for result in results(parts, "inundation", mode="semantic", cutoff="off")}
    excerpt = shown[article(70).id].snippet
    assert excerpt.sentence is not None
    start, end = excerpt.sentence
    assert excerpt.text[start:end] == "A great deluge took the old mill."
    assert shown[article(70).id].sentence == "A great deluge took the old mill."
    by_words = results(parts, "flood", mode="keyword")
    assert all(result.snippet.sentence is None for result in by_words)


def test_the_other_fusion_can_be_chosen(tmp_path: Path) -> None:
    services = open_newsroom(tmp_path, fusion="rrf")
    answer = results(services, "flood")
    first = answer[0]
    assert (first.keyword.rank, first.semantic.rank) == (1, 1) or first.score < 1 / 61
    for result in answer:
        legs = (result.keyword.rank, result.semantic.rank)
        assert result.score == pytest.approx(sum(0.5 / (60 + rank) for rank in legs if rank), abs=1e-6)
    services.close()


# When something is missing


def no_model(_: str) -> Embedder:
    raise ModelUnavailable("the model cannot be found: see docs/operations.md")


def test_without_a_model_words_answer_and_the_answer_is_degraded(newsroom: Services) -> None:
    blind = Search(store=newsroom.store, serving=newsroom.serving, embedder=no_model, fusion="sum")
    check_blind(newsroom, blind)


def test_vectors_of_another_model_are_not_searched(newsroom: Services) -> None:
    other = Search(store=newsroom.store, serving=newsroom.serving, embedder=lambda _: OtherEmbedder(), fusion="sum")
    check_blind(newsroom, other)


class BrokenEmbedder(MeaningEmbedder):
    """A model that opens, and then makes nothing."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Fail, as damaged weights do."""
        raise ModelUnavailable("the model made a vector that is not finite")


def test_a_model_that_fails_when_it_is_asked_leaves_the_words_to_answer(newsroom: Services) -> None:
    broken = Search(store=newsroom.store, serving=newsroom.serving, embedder=lambda _: BrokenEmbedder(), fusion="sum")
    check_blind(newsroom, broken)


def check_blind(newsroom: Services, blind: Search) -> None:
    by_words = newsroom.search.search(SearchRequest(query="flood", mode="keyword"))
    for mode in ("hybrid", "semantic"):
        answer = blind.search(SearchRequest(query="flood", mode=mode))  # type: ignore[arg-type]
        assert answer.degraded
        assert answer.generation == by_words.generation
        assert answer.results == by_words.results
        assert answer.total == by_words.total > 0
    assert not blind.search(SearchRequest(query="flood", mode="keyword")).degraded
    assert not blind.search(SearchRequest(query="")).degraded


def test_the_model_is_loaded_when_meaning_is_first_asked_for(newsroom: Services) -> None:
    loaded: list[str] = []

    def load(_: str) -> Embedder:
        loaded.append("once")
        return MeaningEmbedder()

    search = Search(store=newsroom.store, serving=newsroom.serving, embedder=load, fusion="sum")
    search.search(SearchRequest(query="flood", mode="keyword"))
    search.search(SearchRequest(query="source:ledger"))
    assert loaded == []
    search.search(SearchRequest(query="flood"))
    assert loaded


@pytest.mark.parametrize("mode", MODES)
def test_without_an_index_the_store_answers_in_every_mode(parts: Services, mode: Mode) -> None:
    indexed = set(found(parts, "flood", mode="keyword"))
    shutil.rmtree(parts.settings.data / "index")
    parts.serving.catch_up()
    answer = parts.search.search(SearchRequest(query="flood -ostwick", mode=mode, page_size=ALL))
    assert (answer.degraded, answer.generation) == (True, None)
    assert {result.article.id for result in answer.results} == indexed
    assert all(result.semantic.score is None and result.keyword.score for result in answer.results)
    assert all(result.snippet.highlights for result in answer.results)
    assert set(found(parts, mode=mode)) == set(parts.store.live_ids())


@given(text=st.text(max_size=60) | st.text(alphabet='flood "-:source*~[]()^\\', max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_searched_for(newsroom: Services, text: str) -> None:
    for mode in MODES:
        answer = newsroom.search.search(SearchRequest(query=text, mode=mode))
        assert len(answer.results) == min(answer.total, 10)
