"""What one search may cost: words of texts looked through, the same whether they are remembered or not."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import newsroom
import pytest
from flask.testing import FlaskClient

from archive import store as store_module
from index import budget as module
from index import fallback
from index.budget import NEAR, Budget, budget, measured, spend
from index.fallback import StoreEngine
from index.query import QueryRefused, parse


def test_what_is_spent_is_spent_of_everything_around_it() -> None:
    with budget(10) as outer:
        with measured() as inner:
            spend(7)
        assert (inner.spent, outer.spent) == (7, 7)
    spend(1_000_000)  # nobody has bounded this


def test_a_single_part_may_cost_what_it_must_and_a_second_one_no_more() -> None:
    spent = Budget(10)
    spent.spend(50)
    spent.paid("first phrase", 50)
    with pytest.raises(QueryRefused, match="looked through") as refused:
        spent.spend(1)
    assert refused.value.limit == "work"


def test_near_words_are_bounded_alone_too() -> None:
    spent = Budget(10)
    spent.spend(10 * NEAR, is_near=True)
    with pytest.raises(QueryRefused, match="looked through"):
        spent.spend(1, is_near=True)
    Budget(10).spend(1_000)  # a phrase is not


def test_what_is_remembered_costs_what_it_cost_and_once() -> None:
    spent = Budget(10)
    for _ in range(5):
        spent.pay("first phrase", 6)
    assert spent.spent == 6
    with pytest.raises(QueryRefused):
        spent.pay("second phrase", 6)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    with newsroom.application(tmp_path, keywords="tantivy") as app, app.test_client() as client:
        yield client


PHRASES = '"begins here" "people talk" "report begins"~5'


@pytest.mark.parametrize("path", ["/api/search", "/saved/new"])
def test_too_many_phrases_for_an_archive_are_refused_however_often_they_are_asked(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert client.get(path, query_string={"q": PHRASES}).status_code == 200
    monkeypatch.setattr(module, "MOST_WORDS", 5)
    for _ in range(2):
        answer = client.get(path, query_string={"q": PHRASES + " flood"})
        assert answer.status_code == 400
        assert "looked through" in answer.text
    assert client.get(path, query_string={"q": '"people talk"'}).status_code == 200, "one phrase is always looked for"
    assert client.get(path, query_string={"q": "election flood people talk"}).status_code == 200, "words cost nothing"


def test_the_refusal_names_its_limit(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WORDS", 5)
    answer = client.get("/api/search", query_string={"q": PHRASES})
    assert answer.json["limit"] == "work"
    page = client.get("/search", query_string={"q": PHRASES})
    assert (page.status_code, "leave some out" in page.text) == (400, True)


def test_without_an_index_the_latest_articles_of_a_large_archive_are_read_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    score = store_module._score
    monkeypatch.setattr(store_module, "_score", lambda title, *rest: read.append(title) or score(title, *rest))
    monkeypatch.setattr(fallback, "LOOKED_AT", 3)
    with newsroom.application(tmp_path) as app:
        store = app.extensions["backfile"].store
        latest = {article.title for article in store.newest(3)}
        for asked in ("the a of to", "-source:nobody"):
            found = StoreEngine(store).candidates(parse(asked, today=date(2025, 1, 1)), None, depth=100)
            assert len(found) <= 3
            assert found.beyond == (1.0, -1.0), "there may be more"
    assert set(read) == latest


def test_a_small_archive_is_read_whole(tmp_path: Path) -> None:
    with newsroom.application(tmp_path) as app:
        store = app.extensions["backfile"].store
        found = StoreEngine(store).candidates(parse("-source:nobody", today=date(2025, 1, 1)), None, depth=100)
        assert found.ids == store.live_ids()
        assert found.beyond is None
