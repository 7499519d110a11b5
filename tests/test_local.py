"""The engine of one machine: what each leg is asked, how often, and on which thread."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
from newsroom import MeaningEmbedder, article

from index import local
from index.embedder import embed_query
from index.engine import Mask, Meaning, Vector
from index.errors import ModelUnavailable
from index.local import LocalEngine
from index.query import Query
from index.query import parse as parsed
from web.services import Services
from web.settings import Settings


class Asked:
    """Passes every question on, and remembers it with the thread that asked."""

    def __init__(self, real: object) -> None:
        self.real = real
        self.names: list[str] = []
        self.threads: list[tuple[str, int]] = []
        self.arguments: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> object:
        value = getattr(self.real, name)
        if not callable(value):
            return value

        def ask(*args: object, **kwargs: object) -> object:
            self.names.append(name)
            self.threads.append((name, threading.get_ident()))
            self.arguments.append((name, args, kwargs))
            return value(*args, **kwargs)

        return ask

    def counts(self) -> Counter[str]:
        return Counter(self.names)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path_factory.mktemp("local")), embedder=MeaningEmbedder())
    for number in range(40):
        services.store.put(article(number))
    services.builder.update()
    yield services
    services.close()


@pytest.fixture
def legs(services: Services) -> Iterator[tuple[LocalEngine, Asked, Asked]]:
    with services.serving.engine() as (engine, _):
        assert isinstance(engine, LocalEngine)
        keywords, vectors = Asked(engine._keywords), Asked(engine._vectors)
        asked = LocalEngine(number=1, seq=1, keywords=keywords, vectors=vectors, model_sha256="")  # type: ignore[arg-type]
        yield asked, keywords, vectors
        asked._beside.shutdown()


def parse(text: str) -> Query:
    return parsed(text, today=date(2020, 1, 1))


def meant(text: str = "flood") -> Meaning:
    vector = embed_query(MeaningEmbedder(), text)
    return lambda: vector


def test_without_filters_each_leg_is_asked_once(legs: tuple[LocalEngine, Asked, Asked]) -> None:
    engine, keywords, vectors = legs
    engine.candidates(parse("flood council"), meant(), depth=5)
    assert vectors.counts() == {"nearest": 1, "spread": 1, "scores": 2}
    assert [keywords.counts()[name] for name in ("rank", "holding", "evidence", "coverage_beyond")] == [1, 1, 1, 1]
    assert keywords.names.index("prepare") < keywords.names.index("evidence")


def test_filters_ask_each_leg_once_more_for_what_they_leave_out(legs: tuple[LocalEngine, Asked, Asked]) -> None:
    engine, keywords, vectors = legs
    found = engine.candidates(parse("flood source:ledger"), meant(), depth=5)
    assert vectors.counts() == {"nearest": 2, "spread": 1, "scores": 2}
    assert keywords.counts()["rank"] == 2
    within: list[Mask | None] = [asked["within"] for name, _, asked in vectors.arguments if name == "nearest"]
    assert within[0] is not None
    assert within[1] is None
    assert (found.selected == within[0][found.numbers]).all()


def test_only_candidates_are_scored_by_meaning_each_once(legs: tuple[LocalEngine, Asked, Asked]) -> None:
    engine, _, vectors = legs
    found = engine.candidates(parse("comet"), meant("election"), depth=3)
    worded, near = [args[1] for name, args, _ in vectors.arguments if name == "scores"]
    assert sorted([*worded.tolist(), *near.tolist()]) == found.numbers.tolist()
    assert len(worded) > 0
    assert len(near) > 0
    assert len(found) < 40


def test_the_semantic_leg_is_asked_beside_the_keyword_leg_and_its_vector_made_there(
    legs: tuple[LocalEngine, Asked, Asked],
) -> None:
    engine, keywords, vectors = legs
    made: list[int] = []

    def meaning() -> Vector:
        made.append(threading.get_ident())
        return meant()()

    engine.candidates(parse("flood"), meaning, depth=5)
    own = threading.get_ident()
    assert len(made) == 1
    assert made[0] != own
    assert {name for name, thread in vectors.threads if thread != own} == {"nearest"}
    assert {thread for _, thread in keywords.threads} == {own}


def test_without_words_or_filters_no_leg_ranks(legs: tuple[LocalEngine, Asked, Asked]) -> None:
    engine, keywords, vectors = legs
    assert len(engine.candidates(parse(""), None, depth=5)) == 40
    assert keywords.names == ["select"]
    assert vectors.names == []


def test_of_too_many_that_hold_the_words_the_best_and_the_nearest_are_scored_by_meaning(
    legs: tuple[LocalEngine, Asked, Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, keywords, vectors = legs
    whole = engine.candidates(parse("report"), meant(), depth=4)
    assert len(whole) == 40
    assert not np.isnan(whole.semantic).any()
    monkeypatch.setattr(local, "MOST_BY_MEANING", 10)
    found = engine.candidates(parse("report"), meant(), depth=4)
    asked = [args[1] for name, args, _ in vectors.arguments if name == "scores"]
    scored = np.sort(np.concatenate(asked[-2:]))
    best = keywords.real.rank(parse("report"), depth=10).numbers  # type: ignore[attr-defined]
    nearest = vectors.real.nearest(meant()(), depth=4).numbers  # type: ignore[attr-defined]
    assert set(scored.tolist()) == {*best.tolist(), *nearest.tolist()}
    assert found.numbers.tolist() == whole.numbers.tolist()
    assert found.holds_all.tolist() == whole.holds_all.tolist()
    assert found.keyword.tolist() == whole.keyword.tolist()
    assert np.flatnonzero(~np.isnan(found.semantic)).tolist() == scored.tolist()
    assert found.semantic[scored].tolist() == pytest.approx(whole.semantic[scored].tolist())


def test_a_vector_that_cannot_be_made_is_told_to_whoever_asked(legs: tuple[LocalEngine, Asked, Asked]) -> None:
    def fails() -> Vector:
        raise ModelUnavailable("the weights are damaged")

    with pytest.raises(ModelUnavailable, match="damaged"):
        legs[0].candidates(parse("flood"), fails, depth=5)


def test_numbers_are_places_among_the_ids_of_the_generation(services: Services) -> None:
    with services.serving.engine() as (engine, _):
        found = engine.candidates(parse("flood"), meant(), depth=5)
        again = engine.candidates(parse("comet"), None, depth=5)
    assert found.all_ids is again.all_ids  # one array for all answers: the catalogue goes by it
    assert found.ids == [found.all_ids[number].decode() for number in found.numbers.tolist()]
    assert found.ids_of(np.array([2, 0])) == [found.ids[2], found.ids[0]]
    assert sorted(services.store.live_ids()) == [id_.decode() for id_ in found.all_ids.tolist()]


def test_a_closed_engine_leaves_no_thread_behind(services: Services) -> None:
    services.serving.close()
    before = set(threading.enumerate())
    with services.serving.engine() as (engine, _):
        engine.candidates(parse("flood"), meant(), depth=5)
        helpers = set(threading.enumerate()) - before
        assert helpers
        services.serving.close()
    assert not any(helper.is_alive() for helper in helpers)
