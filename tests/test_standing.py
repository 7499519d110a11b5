"""An article's place in the list it was found in, and its neighbours: what paging through that list shows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import pytest
from copied import name, report, story
from newsroom import MeaningEmbedder

from archive.article import Article
from archive.grouping import find_copies
from index.frozen import FrozenSets
from index.query import QueryRefused
from index.search import SearchRequest
from index.standing import Neighbour, beside
from web.services import Services
from web.settings import Settings

FLOODS = [
    report(number, f"The flood rose. {story('flood') if number < 3 else story(str(number))}", hours=number)
    for number in range(1, 9)
]
CALM = report(20, f"It was calm. {story('calm')}", hours=20)
ASKED = SearchRequest(query="flood", page_size=3)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for each in (*FLOODS, CALM):
        services.store.put(each)
    find_copies(services.store)
    services.builder.update()
    yield services
    services.close()


def listed(parts: Services, asked: SearchRequest) -> list[Article]:
    """Return the articles of all pages of the list, in order."""
    pages = (parts.search.search(replace(asked, page=number)).results for number in count(1))
    return [result.article for page in takewhile(len, pages) for result in page]


@pytest.mark.parametrize("asked", [ASKED, replace(ASKED, copies="all"), replace(ASKED, query="", sort="newest")])
def test_each_has_the_place_and_the_neighbours_that_paging_shows(parts: Services, asked: SearchRequest) -> None:
    articles = listed(parts, asked)
    ids = [None, *(article.id for article in articles), None]
    for place, article in enumerate(articles, start=1):
        here = parts.search.standing(replace(asked, page=2), article)
        assert (here.place, here.places, here.complete) == (place, len(articles), True)
        assert here.previous == (Neighbour(ids[place - 1] or "", place - 1) if ids[place - 1] else None)
        assert here.next == (Neighbour(ids[place + 1] or "", place + 1) if ids[place + 1] else None)


def test_the_sentence_is_that_of_the_result(parts: Services) -> None:
    for result in parts.search.search(ASKED).results:
        sentence = parts.search.standing(ASKED, result.article).sentence
        assert sentence is not None
        assert " ".join(result.article.body[slice(*sentence)].split()) == result.sentence


def test_a_copy_that_is_folded_stands_at_the_place_of_its_group(parts: Services) -> None:
    shown = {article.id for article in listed(parts, ASKED)}
    folded, standing_for = (FLOODS[0], FLOODS[1]) if FLOODS[1].id in shown else (FLOODS[1], FLOODS[0])
    here, there = parts.search.standing(ASKED, folded), parts.search.standing(ASKED, standing_for)
    assert (here.place, here.previous, here.next) == (there.place, there.previous, there.next)


def test_an_article_that_was_not_found_has_no_place_and_no_neighbours(parts: Services) -> None:
    here = parts.search.standing(replace(ASKED, mode="keyword"), CALM)
    assert (here.place, here.previous, here.next, here.places) == (None, None, None, 7)
    unknown = report(99, "The flood.")
    assert parts.search.standing(ASKED, unknown).place is None


def test_what_was_withdrawn_is_stepped_over(parts: Services) -> None:
    articles = listed(parts, ASKED)
    parts.store.remove(articles[2].id)
    before, after = (parts.search.standing(ASKED, articles[place]) for place in (1, 3))
    assert before.next == Neighbour(articles[3].id, 4)
    assert after.previous == Neighbour(articles[1].id, 2)


def test_it_goes_by_the_list_the_reader_came_from_until_that_is_gone(parts: Services) -> None:
    articles = listed(parts, ASKED)
    assert parts.search.outdated(ASKED) is None
    parts.store.put(report(9, f"The flood, the flood, the flood. {story('9')}", hours=9))
    parts.builder.update()
    parts.serving.catch_up()
    token = parts.search.outdated(ASKED)
    assert token is not None
    here = parts.search.standing(ASKED, articles[0])
    assert (here.place, here.places) == (1, len(articles))
    parts.search._sets = FrozenSets()
    assert parts.search.outdated(ASKED) is None
    assert parts.search.standing(ASKED, articles[0]).places == len(articles) + 1


def test_a_list_is_not_made_again_while_it_is_kept(parts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = listed(parts, ASKED)
    monkeypatch.setattr(parts.search, "rank", lambda *_, **__: pytest.fail("searched again"))
    assert parts.search.standing(ASKED, articles[3]).place == 4


def test_a_query_beyond_a_limit_is_refused(parts: Services) -> None:
    with pytest.raises(QueryRefused):
        parts.search.standing(SearchRequest(query="((((((flood"), FLOODS[0])


def test_neighbours_of_a_place_that_is_not_shown_itself_stand_around_it() -> None:
    shown, ids = np.array([2, 3, 5]), [name(number) for number in (2, 3, 5)]
    assert beside(4, shown, ids) == (Neighbour(name(3), 4), Neighbour(name(5), 6))
    assert beside(3, shown, ids) == (Neighbour(name(2), 3), Neighbour(name(5), 6))
    assert beside(2, shown, ids) == (None, Neighbour(name(3), 4))
    assert beside(9, shown, ids) == (Neighbour(name(5), 6), None)
    assert beside(0, np.array([], np.int64), []) == (None, None)
