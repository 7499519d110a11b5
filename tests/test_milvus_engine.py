"""What a shared index says when there is more than its engine fetches: a lower bound, and never that it is all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from milvus import MilvusServer
from newsroom import MeaningEmbedder, article

from index.milvus import engine as milvus_engine
from index.query import parse
from index.ranking import Mode
from index.search import Search, SearchRequest, SearchResponse
from web.services import Services
from web.settings import Settings

FLOODS, COMETS = 30, 6
DAY = date(2020, 1, 1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, milvus: MilvusServer) -> Iterator[Services]:
    with made(Settings(data=tmp_path_factory.mktemp("shared"), milvus=milvus.url)) as services:
        yield services


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with made(Settings(data=tmp_path_factory.mktemp("local"))) as services:
        yield services


@contextmanager
def made(settings: Settings) -> Iterator[Services]:
    services = Services(settings, embedder=MeaningEmbedder())
    for number in range(FLOODS):
        comet = (
            " A comet of the north; comets, cometary, count and country. It was counting." if number < COMETS else ""
        )
        theatre = " In a theatre." if number == 0 else ""
        text = f"Flood and council {number}, councils and county{' of these' * (number % 2)}.{comet}{theatre}"
        services.store.put(article(number, title=f"The flood {number}", body=text))
    services.builder.update()
    yield services
    services.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch no more than this archive has too many of."""
    monkeypatch.setattr(milvus_engine, "MOST_HOLDING", 10)
    monkeypatch.setattr(milvus_engine, "MOST_NOMINATED", 4)
    monkeypatch.setattr(milvus_engine, "BESIDE", 2)


def asked(services: Services, request: SearchRequest) -> SearchResponse:
    search = Search(  # each time a new one: a list that was kept would be shown again
        store=services.store, serving=services.serving, embedder=services.models.embedder, fusion="sum"
    )
    return search.search(request)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_where_more_hold_the_words_than_are_fetched_the_total_is_a_lower_bound(shared: Services, mode: Mode) -> None:
    answer = asked(shared, SearchRequest(query="flood", mode=mode))
    assert not answer.degraded
    assert 0 < answer.total < FLOODS
    assert not answer.complete


@pytest.mark.usefixtures("few")
def test_where_all_that_hold_the_words_are_fetched_the_total_is_exact(shared: Services) -> None:
    answer = asked(shared, SearchRequest(query="comet", mode="keyword"))
    assert (answer.total, answer.complete) == (COMETS, True)


@pytest.mark.usefixtures("few")
def test_where_none_holds_every_word_and_more_hold_most_the_total_is_a_lower_bound(shared: Services) -> None:
    answer = asked(shared, SearchRequest(query="flood council unheard", mode="keyword"))
    assert not answer.degraded
    assert not answer.complete


def test_with_room_for_all_the_total_is_exact(shared: Services) -> None:
    answer = asked(shared, SearchRequest(query="flood", mode="keyword"))
    assert (answer.total, answer.complete) == (FLOODS, True)


@pytest.mark.parametrize("typed", ["the*", "thes*", "comet* the*"])
def test_a_prefix_of_a_stop_word_finds_what_holds_nothing_else_of_it(
    local: Services, shared: Services, typed: str
) -> None:
    here, there = (asked(services, SearchRequest(query=typed, mode="keyword")) for services in (local, shared))
    assert here.total > 1
    assert (there.total, there.complete) == (here.total, here.complete)


@pytest.mark.parametrize("typed", ["coun*", "coun* flood", "comet~ flood", "council~", "come* county", "counts~ comet"])
def test_what_stands_for_several_words_is_as_rare_as_the_articles_that_hold_any(
    local: Services, shared: Services, typed: str
) -> None:
    here, there = (services.search.rank(parse(typed, today=DAY), mode="keyword") for services in (local, shared))
    assert there.ids == here.ids
    assert there.candidates.keyword == pytest.approx(here.candidates.keyword)
    assert there.candidates.ceiling == pytest.approx(here.candidates.ceiling)


@pytest.mark.parametrize("typed", ["n*", " OR ".join(f"name{number}" for number in range(40)), 'source:"x" OR n*'])
@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_what_stands_for_a_hundred_words_is_answered_by_the_index(
    tmp_path_factory: pytest.TempPathFactory, milvus: MilvusServer, typed: str, mode: Mode
) -> None:
    many = Services(Settings(data=tmp_path_factory.mktemp("many"), milvus=milvus.url), embedder=MeaningEmbedder())
    for number in range(4):
        names = " ".join(f"name{each}" for each in range(number * 25, number * 25 + 25))
        many.store.put(article(number, body=f"The flood took {names}."))
    many.builder.update()
    answer = asked(many, SearchRequest(query=typed.replace("n*", "name*"), mode=mode))
    assert not answer.degraded
    assert answer.total == (4 if "*" in typed else 2)
    many.close()
