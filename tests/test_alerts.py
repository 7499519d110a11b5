"""The definition of an alert, over the sample articles: what fires is what a search narrowed to the article lists."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from copied import report, story
from newsroom import MeaningEmbedder, OtherEmbedder, QuickEmbedder
from processes import ROOT

from archive.alerts import SavedSearch
from archive.article import Article
from archive.grouping import find_copies
from archive.ingest import ingest
from index.alerts import (
    BACK_TEST,
    BackTest,
    Fired,
    Judge,
    NotJudged,
    NotSaved,
    back_test,
    check_saved,
    each_once,
    fire,
)
from index.embedder import Embedder
from index.errors import ModelMismatch
from index.query import QueryRefused
from index.ranking import MODES
from index.search import SearchRequest
from web.saved import asked_by, question_of
from web.services import Services
from web.settings import Settings

PAIRS = 500
TODAY = date(2026, 11, 29)
QUERIES = (
    "land swap rejected by the Kremlin", "flood", "who won the election", "prices rise", "nothing of the sort quux",
    '"prime minister"', "court -football", "the of and", "elect*", "minster~ resigns", "storm OR harvest",
    "after:2020 grain", "river water people lost their homes", "q7 3 9", "rocket launch from the coast", "2024 summit",
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The sample articles, each with an author of its own, by whom a search can be narrowed to it alone."""
    services = Services(Settings(data=tmp_path_factory.mktemp("alerts")), embedder=QuickEmbedder())
    ingest([ROOT / "seeds"], services.store)
    for one in services.store.live(services.store.live_ids()).values():
        services.store.put(replace(one, authors=(author_of(one.id),)))
    find_copies(services.store)
    services.builder.update()
    yield services
    services.close()


def author_of(article_id: str) -> str:
    return f"Author {article_id}"


def judged(services: Services, request: SearchRequest, article_ids: Sequence[str]) -> set[str]:
    services.serving.catch_up()
    with services.serving.engine() as (engine, _):
        return Judge(engine, lambda _: services.embedder, today=TODAY).fires(request, article_ids)


def round_of(services: Services) -> Fired:
    services.serving.catch_up()
    with services.serving.engine() as (engine, _):
        judge = Judge(engine, lambda _: services.embedder)
        return fire(services.store, services.alerts, judge, until=engine.seq, read=asked_by)


def saved(services: Services, request: SearchRequest, *, after_seq: int = 0) -> SavedSearch:
    question = question_of(request)
    return services.alerts.save(name="A search", question=question, after_seq=after_seq, most=100)[1]


def fired_ids(services: Services, search: SavedSearch) -> list[str]:
    return [alert.article_id for alert in services.alerts.alerts(search.id, limit=1000)]


# The definition


def test_an_alert_fires_exactly_where_a_search_narrowed_to_the_article_lists_it(parts: Services) -> None:
    chance = random.Random(46)
    ids = parts.store.live_ids()
    by_request = {
        request: judged(parts, request, ids)
        for query in QUERIES
        for mode in MODES
        for request in (SearchRequest(query=query, mode=mode), SearchRequest(query=query, mode=mode, languages=("en",)))
    }
    yes = [(request, id_) for request, passing in by_request.items() for id_ in sorted(passing)]
    no = [(request, id_) for request, passing in by_request.items() for id_ in ids if id_ not in passing]
    pairs = [(*pair, True) for pair in chance.sample(yes, PAIRS // 2)]
    pairs += [(*pair, False) for pair in chance.sample(no, PAIRS - len(pairs))]
    for request, article_id, fires in pairs:
        found = parts.search.search(replace(request, authors=(author_of(article_id),)))
        assert [result.article.id for result in found.results] == ([article_id] if fires else []), (request, article_id)


def test_who_is_judged_together_changes_nothing(parts: Services) -> None:
    ids = parts.store.live_ids()
    for mode in MODES:
        request = SearchRequest(query=QUERIES[0], mode=mode)
        together = judged(parts, request, ids)
        apart = {id_ for id_ in ids if judged(parts, request, [id_])}
        assert together == apart


def test_most_articles_are_judged_without_a_search(parts: Services) -> None:
    """Of what is far off, what it shows itself is enough: nothing is looked for."""
    ids = parts.store.live_ids()
    with parts.serving.engine() as (engine, _):
        judge = Judge(engine, lambda _: parts.embedder, today=TODAY)
        fired = sum(bool(judge.fires(SearchRequest(query=query), [id_])) for query in QUERIES[:5] for id_ in ids)
        assert judge.searched - fired < len(ids)  # of five times as many pairs


def test_filters_alone_fire_for_all_they_let_through(parts: Services) -> None:
    ids = parts.store.live_ids()
    assert judged(parts, SearchRequest(authors=(author_of(ids[3]),)), ids) == {ids[3]}
    assert judged(parts, SearchRequest(languages=("xx",)), ids) == set()


def test_an_article_the_index_does_not_hold_does_not_fire(parts: Services) -> None:
    assert judged(parts, SearchRequest(languages=("en",)), ["0" * 16, "f" * 16]) == set()


@pytest.mark.parametrize("query", ["", "!!", '""'])
def test_a_search_for_everything_is_not_saved(query: str) -> None:
    with pytest.raises(NotSaved) as refused:
        check_saved(SearchRequest(query=query), today=TODAY)
    assert refused.value.reason == "everything"


@pytest.mark.parametrize("query", ["flood on:yesterday", 'flood after:"last week"', "before:march storm"])
def test_days_that_are_others_tomorrow_are_not_saved(query: str) -> None:
    with pytest.raises(NotSaved) as refused:
        check_saved(SearchRequest(query=query), today=TODAY)
    assert refused.value.reason == "relative dates"


def test_named_days_are_saved_and_limits_of_the_language_hold() -> None:
    check_saved(SearchRequest(query="flood after:2024 2016"), today=TODAY)
    check_saved(SearchRequest(sources=("The Ledger",)), today=TODAY)
    with pytest.raises(QueryRefused):
        check_saved(SearchRequest(query="a" * 5000), today=TODAY)


def test_without_an_index_or_with_another_model_nothing_is_judged(parts: Services) -> None:
    empty = Services(Settings(data=parts.settings.data / "empty"), embedder=QuickEmbedder())
    with empty.serving.engine() as (engine, _), pytest.raises(NotJudged):
        Judge(engine, lambda _: empty.embedder)
    empty.close()
    with parts.serving.engine() as (engine, _), pytest.raises(ModelMismatch):
        Judge(engine, lambda _: MeaningEmbedder()).fires(SearchRequest(query="flood"), parts.store.live_ids())


# Looking back


def looked_back(services: Services, request: SearchRequest, *, today: date = TODAY) -> BackTest:
    services.serving.catch_up()
    with services.serving.engine() as (engine, _):
        judge = Judge(engine, lambda _: services.embedder, today=TODAY)
        return back_test(request, services.store, judge, catalogue=services.search.catalogue, today=today)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("query", [QUERIES[0], "court -football", "elect*"])
def test_looking_back_counts_what_following_the_changes_fires(parts: Services, query: str, mode: str) -> None:
    request = SearchRequest(query=query, mode=mode)  # type: ignore[arg-type]
    tested = looked_back(parts, request)
    assert tested.days == BACK_TEST.days
    search = saved(parts, request)
    round_of(parts)
    shown = parts.store.live(fired_ids(parts, search))
    in_time = {id_ for id_, one in shown.items() if one.published_at and tested.first <= one.published_at.date()}
    assert len(tested.article_ids) == len(set(tested.article_ids))
    assert set(tested.article_ids) == {id_ for id_ in in_time if _day(shown[id_]) <= tested.last}
    parts.alerts.delete(search.id)


def _day(one: Article) -> date:
    assert one.published_at is not None
    return one.published_at.date()


def test_looking_back_ends_with_the_newest_article_that_is_not_of_the_future(small: Services) -> None:
    small.store.put(replace(report(1, "The flood came."), published_at=datetime(2019, 3, 1, 23, tzinfo=UTC)))
    small.store.put(replace(report(2, "The flood went."), published_at=datetime(9999, 1, 1, tzinfo=UTC)))
    small.builder.update()
    tested = looked_back(small, SearchRequest(query="flood"))
    assert (tested.first, tested.last) == (date(2018, 12, 2), date(2019, 3, 1))
    assert tested.article_ids == [report(1, "").id]


# Following the changes


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path_factory.mktemp("small")), embedder=MeaningEmbedder())
    yield services
    services.close()


def came_in(services: Services, *articles: Article) -> None:
    for one in articles:
        services.store.put(one)
    find_copies(services.store)
    services.builder.update()


FLOOD = SearchRequest(query="flood")


def test_an_article_fires_once_and_a_later_version_that_passes_first_fires_then(small: Services) -> None:
    came_in(small, report(1, "The flood came in the night."), report(2, "A quiet day at the harbour."))
    search = saved(small, FLOOD)
    assert round_of(small) == Fired(1, 1, 0)
    assert round_of(small) == Fired()
    came_in(small, report(1, "The flood came in the night, and went."), report(2, "After a quiet day the flood came."))
    assert round_of(small) == Fired(1, 1, 0)
    assert fired_ids(small, search) == [report(2, "").id, report(1, "").id]


def test_neither_another_model_nor_a_new_index_makes_old_articles_fire(small: Services) -> None:
    came_in(small, report(1, "The flood came in the night."))
    search = saved(small, FLOOD)
    round_of(small)
    before = fired_ids(small, search)
    small.builder.rebuild()
    assert round_of(small) == Fired()
    other: Embedder = OtherEmbedder()
    moved = Services(small.settings, embedder=other)
    moved.builder.update()
    assert round_of(moved) == Fired()
    came_in(moved, report(3, "Another flood came."))
    assert round_of(moved).alerts == 1
    assert fired_ids(moved, search)[1:] == before
    moved.close()


def test_what_changed_after_the_index_was_made_waits_for_the_next_one(small: Services) -> None:
    came_in(small, report(1, "A quiet day."), report(2, "The flood came."))
    search = saved(small, FLOOD)
    small.store.put(report(1, "The flood came to the quiet."))
    small.store.put(report(2, "Nothing came after all."))
    assert round_of(small) == Fired(1, 0, 0)
    small.builder.update()
    assert round_of(small) == Fired(1, 1, 0)
    assert fired_ids(small, search) == [report(1, "").id]


def test_copies_count_once_unless_every_copy_is_asked_for(small: Services) -> None:
    text = f"The flood came. {story('flood')}"
    once, each = saved(small, FLOOD), saved(small, replace(FLOOD, copies="all"))
    came_in(small, report(1, text, hours=1), report(2, f"Here too. {text}", hours=2))
    round_of(small)
    came_in(small, report(3, text, hours=3), report(4, "Another flood, far away.", hours=4))
    round_of(small)
    assert len(fired_ids(small, once)) == 2
    assert len(fired_ids(small, each)) == 4
    assert len(looked_back(small, FLOOD).article_ids) == 2
    assert len(looked_back(small, replace(FLOOD, copies="all")).article_ids) == 4


def test_of_copies_the_first_stays() -> None:
    assert each_once(["a", "b", "c", "d"], {"a": 1, "c": 1, "d": 2}) == ["a", "b", "d"]


def test_a_paused_search_judges_nothing_and_passes_over_what_came_meanwhile(small: Services) -> None:
    came_in(small, report(1, "The first flood."))
    search = saved(small, FLOOD)
    small.alerts.pause(search.id)
    assert round_of(small) == Fired()
    small.alerts.resume(search.id, after_seq=small.store.last_seq())
    came_in(small, report(2, "The second flood."))
    round_of(small)
    assert fired_ids(small, search) == [report(2, "").id]


def test_withdrawn_articles_are_in_no_list_of_matches(small: Services) -> None:
    came_in(small, report(1, "The flood came."), report(2, "The flood went."))
    search = saved(small, FLOOD)
    round_of(small)
    small.store.remove(report(1, "").id)
    assert fired_ids(small, search) == [report(2, "").id]
    assert small.alerts.count_alerts(search.id) == 1


def test_a_search_that_can_be_asked_no_more_says_so_and_keeps_no_other_waiting(small: Services) -> None:
    came_in(small, report(1, "The flood came."))
    small.alerts.save(name="Old", question="mode=other", after_seq=0, most=9)
    good = saved(small, FLOOD)
    assert round_of(small) == Fired(2, 1, 1)
    (bad,) = small.alerts.behind(1)
    assert "mode must be" in (bad.problem or "")
    assert len(fired_ids(small, good)) == 1


def test_a_round_that_another_process_made_first_changes_nothing(small: Services) -> None:
    came_in(small, report(1, "The flood came."))
    search = saved(small, FLOOD)
    assert round_of(small).alerts == 1
    assert small.alerts.fire(search, {report(1, "").id: 1}, until=1) == 0
    again = replace(search, after_seq=small.store.last_seq())
    assert small.alerts.fire(again, {report(1, "").id: 1}, until=again.after_seq + timedelta(days=1).days) == 0
    assert len(fired_ids(small, search)) == 1
