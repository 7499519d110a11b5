"""Searching an archive that holds copies: folded by default, and never out of reach."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from copied import name, report, story
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from newsroom import MeaningEmbedder

from archive.grouping import find_copies
from index.folding import COPYINGS, Copying
from index.listing import SORTS, Sort
from index.ranking import MODES, Mode
from index.search import SearchRequest, SearchResponse
from web import create_app
from web.services import Services
from web.settings import Settings

ARTICLES = [
    *(
        report(number, f"The flood rose. {story('flood')}", hours=20 - number, source=f"Paper {number % 2}")
        for number in range(1, 6)
    ),
    *(report(number, f"A flood of letters. {story('letters')}", hours=number, source="Paper 0") for number in (11, 12)),
    *(
        report(number, f"The flood, {number}. {story(str(number))}", hours=number, source="Paper 1")
        for number in (21, 22, 23)
    ),
    report(31, f"An election. {story('election')}", hours=31),
]
FLOODS = {name(number) for number in range(1, 6)}


def opened(folder: Path) -> Services:
    services = Services(Settings(data=folder), embedder=MeaningEmbedder())
    for each in ARTICLES:
        services.store.put(each)
    find_copies(services.store)
    services.builder.update()
    return services


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = opened(tmp_path_factory.mktemp("shared"))
    yield services
    services.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = opened(tmp_path)
    yield services
    services.close()


def asked(parts: Services, query: str = "flood", **request: object) -> SearchResponse:
    return parts.search.search(SearchRequest(query=query, **{"page_size": 100, **request}))  # type: ignore[arg-type]


def ids(answer: SearchResponse) -> list[str]:
    return [result.article.id for result in answer.results]


def test_one_of_a_group_is_shown_with_how_many_stand_behind_it(shared: Services) -> None:
    answer = asked(shared)
    assert (answer.total, answer.folded, len(answer.results)) == (10, 5, 5)
    (shown,) = [result for result in answer.results if result.article.id in FLOODS]
    assert shown.copies is not None
    assert (shown.copies.count, shown.copies.origin) == (4, name(5))
    assert {shown.article.id, *shown.copies.ids} == FLOODS
    assert [result.copies for result in answer.results if result.article.id == name(22)] == [None]
    assert sum(value.count for value in answer.facets.source) == answer.total


def test_all_are_shown_where_all_are_asked_for_in_the_same_order(shared: Services) -> None:
    folded, everything = asked(shared), asked(shared, copies="all")
    assert (everything.total, everything.folded, len(everything.results)) == (10, 0, 10)
    assert [id_ for id_ in ids(everything) if id_ in ids(folded)] == ids(folded)
    assert {result.copies.count for result in everything.results if result.copies} == {1, 4}
    assert everything.facets == folded.facets


def test_a_filter_finds_a_copy_that_is_folded_otherwise(shared: Services) -> None:
    for source, numbers in (("Paper 0", {2, 4}), ("Paper 1", {1, 3, 5})):
        answer = asked(shared, sources=(source,), sort="oldest")
        (shown,) = [result for result in answer.results if result.article.id in FLOODS]
        assert shown.article.id == name(max(numbers))  # the higher the number, the earlier
        assert shown.copies is not None
        assert {shown.article.id, *shown.copies.ids} == {name(number) for number in numbers}
        assert shown.copies.origin == name(5)
    assert asked(shared, '"flood rose" source:"paper 0"').folded == 1


@given(
    query=st.sampled_from(["", "flood", "flood -letters", "election", 'source:"paper 1"']),
    mode=st.sampled_from(MODES),
    sort=st.sampled_from(SORTS),
    copies=st.sampled_from(COPYINGS),
    size=st.integers(1, 12),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_paging_reaches_what_is_not_folded_each_once(
    shared: Services, query: str, mode: Mode, sort: Sort, copies: Copying, size: int
) -> None:
    request = SearchRequest(query=query, mode=mode, sort=sort, copies=copies, page_size=size)
    answer = first = shared.search.search(request)
    seen = ids(answer)
    while answer.cursor is not None:
        by_number = shared.search.search(replace(request, page=answer.request.page + 1))
        answer = shared.search.search(replace(request, cursor=answer.cursor))
        assert by_number.results == answer.results != []
        assert (answer.total, answer.folded) == (first.total, first.folded)
        seen += ids(answer)
    assert len(seen) == len(set(seen)) == first.total - first.folded
    assert shared.search.search(replace(request, page=answer.request.page + 1)).results == []
    everything = asked(shared, query, mode=mode, sort=sort, copies="all")
    assert set(seen) <= set(ids(everything))
    assert len(everything.results) == first.total


def test_where_what_stood_for_its_copies_is_withdrawn_the_next_one_comes_out(parts: Services) -> None:
    request = SearchRequest(query="flood", page_size=2)
    pages = [parts.search.search(request)]
    while pages[-1].cursor:
        pages.append(parts.search.search(replace(request, cursor=pages[-1].cursor)))
    where = next(at for at, page in enumerate(pages) if FLOODS & set(ids(page)))
    left = set(FLOODS)
    for count in (3, 2, 1, 0):
        (gone,) = left & set(ids(parts.search.search(replace(request, page=where + 1))))
        parts.store.remove(gone)
        left.discard(gone)
        again = parts.search.search(
            replace(request, page=where + 1, cursor=(where and pages[where - 1].cursor) or None)
        )
        (shown,) = [result for result in again.results if result.article.id in left]
        assert (again.total, again.folded) == (6 + count, 1 + count)
        assert shown.copies is None if count == 0 else shown.copies is not None and shown.copies.count == count
    afresh = asked(parts)
    assert (afresh.total, afresh.folded, len(afresh.results)) == (6, 1, 5)


def test_copies_found_later_are_folded_from_the_next_first_page_on(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for each in ARTICLES:
        services.store.put(each)
    services.builder.update()
    request = SearchRequest(query="flood", page_size=3)
    before = services.search.search(request)
    find_copies(services.store)
    second = services.search.search(replace(request, cursor=before.cursor))
    assert (before.folded, second.folded, second.total) == (0, 0, 10)
    assert services.search.search(request).folded == 5
    services.close()


def test_without_an_index_copies_are_folded_as_well(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for each in ARTICLES:
        services.store.put(each)
    find_copies(services.store)
    answer = asked(services)
    assert (answer.degraded, answer.total - answer.folded) == (True, len(answer.results))
    assert answer.folded == 5
    services.close()


# What the endpoint, the pages and the command make of it


@pytest.fixture(scope="module")
def client(shared: Services) -> FlaskClient:
    return create_app(services=shared).test_client()


def test_the_endpoint_says_what_is_folded_and_how_to_see_it(client: FlaskClient) -> None:
    folded = client.get("/api/search?q=flood&sort=oldest").get_json()
    assert (folded["total"]["value"], folded["folded"], len(folded["results"])) == (10, 5, 5)
    (shown,) = [result["copies"] for result in folded["results"] if result["id"] in FLOODS]
    assert (shown["count"], len(shown["ids"]), shown["origin"]) == (4, 4, name(5))
    everything = client.get("/api/search?q=flood&copies=all&page_size=4").get_json()
    assert (everything["total"]["value"], everything["folded"]) == (10, 0)
    assert "copies=all" in everything["links"]["next"]
    refused = client.get("/api/search?q=flood&copies=some")
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    assert refused.get_json()["expected"] == "folded or all"


def test_an_article_names_its_group_the_origin_first(client: FlaskClient) -> None:
    group = client.get(f"/api/articles/{name(3)}").get_json()["copies"]
    assert [each["id"] for each in group] == [name(number) for number in (5, 4, 3, 2, 1)]
    assert [each["origin"] for each in group] == [True, False, False, False, False]
    assert set(group[0]) == {"id", "title", "source", "published_at", "origin", "links"}
    assert client.get(f"/api/articles/{name(31)}").get_json()["copies"] == []


def test_the_page_offers_the_copies_of_a_result_and_all_of_them(client: FlaskClient) -> None:
    page = client.get("/search?q=flood").get_data(as_text=True)
    assert ">+4 copies</a>" in page
    assert ">+1 copy</a>" in page
    assert '5 copies folded: <a href="/search?q=flood&amp;copies=all">show all</a>' in page
    everything = client.get("/search?q=flood&copies=all").get_data(as_text=True)
    assert 'Every copy is listed: <a href="/search?q=flood">fold copies</a>' in everything
    assert "+4 copies" not in everything
    assert "copies folded" not in client.get("/search?q=election").get_data(as_text=True)


def test_a_page_is_made_anew_when_copies_were_found(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for each in ARTICLES:
        services.store.put(each)
    services.builder.update()
    client = create_app(services=services).test_client()
    before = client.get("/search?q=flood")
    tagged = {"If-None-Match": before.headers["ETag"]}
    assert client.get("/search?q=flood", headers=tagged).status_code == 304
    find_copies(services.store)
    assert client.get("/search?q=flood", headers=tagged).status_code == 200
    services.close()


def test_the_command_tells_of_copies_and_lists_them_all_when_asked(shared: Services) -> None:
    runner = create_app(services=shared).test_cli_runner()
    folded = runner.invoke(args=["search", "flood"]).stdout
    assert "5 copies folded; `--copies all` lists them too" in folded
    assert "· +4 copies" in folded
    everything = runner.invoke(args=["search", "flood", "--copies", "all", "--all", "--json"]).stdout
    assert len(everything.splitlines()) == 10
