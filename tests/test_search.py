"""Search: what comes back for a request, and that every number in it is true."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsroom import EMBARGOED, UNDATED, WITHDRAWN, MeaningEmbedder, OtherEmbedder, article, open_newsroom

from archive.article import Article
from index.analysis import analyse
from index.embedder import Embedder
from index.errors import ModelUnavailable
from index.fusion import WEIGHTS, fuse
from index.query import parse
from index.search import (
    MODES,
    SORTS,
    Facets,
    FacetValue,
    Mode,
    Month,
    Result,
    Search,
    SearchRequest,
    Sort,
    facets_of,
    result_of,
)
from web.services import Services
from web.settings import Settings

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
    answer = results(newsroom, query, mode=mode)
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
    assert set(found(newsroom, query, **filters)) == wanted  # type: ignore[arg-type]


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
    for query in ("", "…", "-nasty", "source:ledger"):
        assert found(newsroom, query) == found(newsroom, query, sort="newest")
    assert {result.score for result in results(newsroom)} == {0.0}


# Pages


@given(
    query=st.sampled_from(["", "flood", "report people", "-flood", "nasty", "source:unheard"]),
    mode=st.sampled_from(MODES),
    sort=st.sampled_from(SORTS),
    page_size=st.integers(1, 50),
)
@settings(max_examples=60, deadline=None)
def test_paging_reaches_everything_counted_each_once(
    newsroom: Services, query: str, mode: Mode, sort: Sort, page_size: int
) -> None:
    request = SearchRequest(query=query, mode=mode, sort=sort, page_size=page_size)
    seen: list[str] = []
    for page in range(1, ALL + 2):
        answer = newsroom.search.search(replace(request, page=page))
        assert (answer.request.page, answer.facets) == (page, newsroom.search.search(request).facets)
        seen += [result.article.id for result in answer.results]
        if len(answer.results) < page_size:
            break
    assert len(seen) == len(set(seen)) == answer.total
    assert newsroom.search.search(replace(request, page=page + 1)).results == []
    assert seen == found(newsroom, query, mode=mode, sort=sort)


def test_a_search_that_was_cut_short_says_so(newsroom: Services) -> None:
    assert newsroom.search.rank(parse("report"), mode="keyword", depth=100).complete
    cut = newsroom.search.rank(parse("report"), mode="keyword", depth=5)
    assert (cut.complete, len(cut.fused)) == (False, 5)
    assert not newsroom.search.rank(parse("report"), mode="hybrid", depth=5).complete
    assert newsroom.search.rank(parse("source:ledger"), mode="hybrid", depth=1).complete


# Facets


def test_facets_add_up_over_everything_found(newsroom: Services) -> None:
    for query in ("", "flood", "nasty", "unheard source:unheard"):
        answer = newsroom.search.search(SearchRequest(query=query, page_size=1))
        articles = [result.article for result in results(newsroom, query)]
        facets = answer.facets
        for counted, values in (
            (facets.source, [one.source for one in articles]),
            (facets.section, [one.section for one in articles]),
            (facets.language, [one.language for one in articles]),
            (facets.author, [name for one in articles for name in one.authors]),
        ):
            assert {value.value: value.count for value in counted} == Counter(value for value in values if value)
            assert [(-value.count, value.value) for value in counted] == sorted((-v.count, v.value) for v in counted)
        assert sum(month.count for month in facets.published) == sum(one.published_at is not None for one in articles)


def test_a_facet_is_what_its_filter_finds(newsroom: Services) -> None:
    answer = newsroom.search.search(SearchRequest(query="flood"))
    for value in answer.facets.source:
        assert len(found(newsroom, "flood", sources=(value.value,))) == value.count
    for month in answer.facets.published:
        assert len(found(newsroom, "flood", date_from=month.start, date_to=month.end)) == month.count


def test_months_run_from_their_first_day_to_their_last() -> None:
    days = [(2023, 12, 31), (2024, 2, 29), (2024, 2, 1), (1, 1, 1), (9999, 12, 31)]
    facets = facets_of([article(n, published_at=datetime(*day, tzinfo=UTC)) for n, day in enumerate(days)])
    assert facets.published == [
        Month(start=date(1, 1, 1), end=date(1, 1, 31), count=1),
        Month(start=date(2023, 12, 1), end=date(2023, 12, 31), count=1),
        Month(start=date(2024, 2, 1), end=date(2024, 2, 29), count=2),
        Month(start=date(9999, 12, 1), end=date(9999, 12, 31), count=1),
    ]
    assert facets_of([]) == Facets(source=[], section=[], author=[], language=[], published=[])


# What is shown


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


def test_explained_numbers_are_those_the_score_is_made_of(newsroom: Services) -> None:
    answer = results(newsroom, "the council flood in Ostwick")
    weights = {(result.keyword.weight, result.semantic.weight) for result in answer}
    assert len(weights) == 1
    by_words, by_meaning = weights.pop()
    assert by_words + by_meaning == pytest.approx(1.0, abs=1e-3)
    assert 0 < by_words < WEIGHTS[0]  # one word of three is missing everywhere: words are trusted less
    best_words = max(result.keyword.score or 0.0 for result in answer)
    best_meaning = max(result.semantic.score or 0.0 for result in answer)
    for result in answer:
        cosine = result.semantic.score or 0.0
        legs = (result.keyword.score or 0.0) / best_words, max(cosine / best_meaning, cosine)
        assert result.score == pytest.approx(by_words * legs[0] + by_meaning * legs[1], abs=1e-3)


def test_explained_ranks_are_those_of_each_leg_alone(newsroom: Services) -> None:
    query = "the council flood in Ostwick"
    for leg, mode in (("keyword", "keyword"), ("semantic", "semantic")):
        ranking = newsroom.search.rank(parse(query), mode=mode).fused
        alone = {item.hit.article_id: place for place, item in enumerate(ranking, start=1)}
        for result in results(newsroom, query):
            assert getattr(result, leg).rank == alone.get(result.article.id)
            assert (getattr(result, leg).score is None) == (result.article.id not in alone)


def test_a_rank_beyond_the_depth_is_not_told(newsroom: Services) -> None:
    with newsroom.serving.engine() as (engine, _):
        hits = engine.candidates(parse("report"), None, depth=50)
    ranked = fuse(hits, method="sum").ranked
    told = [
        result_of(item, article(1), words=frozenset(), weights=(1.0, 0.0), depth=3).keyword.rank for item in ranked[:5]
    ]
    assert told == [1, 2, 3, None, None]


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


def no_model() -> Embedder:
    raise ModelUnavailable("the model cannot be found: see docs/operations.md")


def test_without_a_model_words_answer_and_the_answer_is_degraded(newsroom: Services) -> None:
    blind = Search(store=newsroom.store, serving=newsroom.serving, embedder=no_model, fusion="sum")
    check_blind(newsroom, blind)


def test_vectors_of_another_model_are_not_searched(newsroom: Services) -> None:
    other = Search(store=newsroom.store, serving=newsroom.serving, embedder=OtherEmbedder, fusion="sum")
    check_blind(newsroom, other)


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

    def load() -> Embedder:
        loaded.append("once")
        return MeaningEmbedder()

    search = Search(store=newsroom.store, serving=newsroom.serving, embedder=load, fusion="sum")
    search.search(SearchRequest(query="flood", mode="keyword"))
    search.search(SearchRequest(query="source:ledger"))
    assert loaded == []
    search.search(SearchRequest(query="flood"))
    assert loaded == ["once"]


@pytest.mark.parametrize("mode", MODES)
def test_without_an_index_the_store_answers_in_every_mode(parts: Services, mode: Mode) -> None:
    indexed = set(found(parts, "flood", mode="keyword"))
    shutil.rmtree(parts.settings.data / "index")
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


def test_facets_count_names_once_an_article() -> None:
    one: Article = article(2)
    assert facets_of([one, one]).author == [
        FacetValue(value="Ada Quill", count=2),
        FacetValue(value="Ben Marsh", count=2),
    ]
