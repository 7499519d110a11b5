"""Serving while the model changes: the next one is ready before its generation is taken up, the old one is let go."""

import gc
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder, TwinEmbedder, article, open_made_up

from index.embedder import Embedder
from index.engine import Vectors
from index.errors import ModelUnavailable
from index.search import SearchRequest
from web.services import Services
from web.settings import Settings


def publish(parts: Services, *numbers: int) -> None:
    for number in numbers:
        parts.store.put(article(number))
    parts.builder.update()


class NotingModel(MeaningEmbedder):
    """Says what it embeds, and can be kept from it."""

    def __init__(self, noted: list[tuple[str, str]]) -> None:
        self.noted = noted

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.noted += [(self.name, text) for text in texts]
        return super().embed(texts)


class NotingTwin(NotingModel, TwinEmbedder):
    """Another model, whose vectors are as long."""


class NotingShort(NotingModel):
    """Another model, whose vectors are shorter."""

    name, sha256, dimension = "short", "5" * 64, 32


class Shelf:
    """Opens models by name, as long as they are there, and remembers without holding them."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []
        self.there: dict[str, type[NotingModel]] = {"bundled": NotingModel, "twin": NotingTwin, "short": NotingShort}
        self.opened: list[weakref.ref[Embedder]] = []

    def __call__(self, reference: str) -> Embedder:
        if reference not in self.there:
            raise ModelUnavailable(f"there is no model {reference}")
        embedder = self.there[reference](self.noted)
        self.opened.append(weakref.ref(embedder))
        return embedder

    def alive(self) -> list[str]:
        gc.collect()
        return [embedder.name for each in self.opened if (embedder := each()) is not None]


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[Services, Shelf]]:
    shelf = Shelf()
    services = Services(Settings(data=tmp_path), open_model=open_made_up)
    publish(services, 1)
    services.close()
    services = Services(Settings(data=tmp_path), open_model=shelf)
    yield services, shelf
    services.close()


def change_to_the_twin(parts: Services) -> None:
    parts.builder_of(TwinEmbedder(), reference="twin").rebuild()


def search(parts: Services) -> tuple[int | None, bool]:
    found = parts.search.search(SearchRequest(query=f"flood {time.monotonic_ns()}"))
    return found.generation, found.degraded


def test_the_next_model_has_answered_before_its_generation_is_taken_up_and_the_old_one_is_let_go(
    changing: tuple[Services, Shelf],
) -> None:
    parts, shelf = changing
    assert search(parts) == (1, False)
    change_to_the_twin(parts)
    shelf.noted.clear()
    parts.serving.catch_up()
    assert shelf.noted == [("twin", "warm")]
    assert search(parts) == (2, False)
    assert {name for name, _ in shelf.noted} == {"twin"}
    assert shelf.alive() == ["twin"]
    assert parts.store.roll_back(to=1)
    parts.serving.catch_up()
    assert search(parts) == (1, False)
    assert shelf.alive() == ["meanings"]


def test_a_request_that_began_before_the_model_changed_ends_with_the_model_it_began_with(
    changing: tuple[Services, Shelf],
) -> None:
    parts, shelf = changing
    assert search(parts) == (1, False)
    with parts.serving.engine() as (engine, _):
        change_to_the_twin(parts)
        parts.serving.catch_up()
        assert search(parts) == (2, False)
        assert shelf.alive() == ["meanings", "twin"]
        opened = len(shelf.opened)
        assert parts.models.embedder(str(engine.model_sha256)).name == "meanings"
        assert len(shelf.opened) == opened
    assert shelf.alive() == ["twin"]


def test_a_list_that_is_paged_through_while_the_model_changes_stays_the_list_it_was(
    changing: tuple[Services, Shelf],
) -> None:
    parts, _ = changing
    for number in range(2, 8):
        parts.store.put(article(number))
    parts.builder_of(MeaningEmbedder(), reference="bundled").update()
    asked = SearchRequest(query="flood", page_size=3)
    first = parts.search.search(asked)
    parts.builder_of(NotingShort([]), reference="short").rebuild()
    parts.serving.catch_up()
    second = parts.search.search(replace(asked, page=2))
    assert (first.generation, second.generation, second.degraded) == (2, 2, False)
    listed = [result.article.id for result in (*first.results, *second.results)]
    assert len(listed) == len(set(listed)) == 6


def test_a_generation_whose_model_cannot_be_opened_is_not_taken_up_and_not_tried_all_the_time(
    changing: tuple[Services, Shelf], caplog: pytest.LogCaptureFixture
) -> None:
    parts, shelf = changing
    assert search(parts) == (1, False)
    twin = shelf.there.pop("twin")
    change_to_the_twin(parts)
    for _ in range(5):
        assert search(parts) == (1, False)
        if parts.serving._follower is not None:
            parts.serving._follower.join()
    assert caplog.text.count("the next generation is not served yet: there is no model twin") == 1
    shelf.there["twin"] = twin
    parts.serving._again_at = 0.0  # some seconds later
    assert search(parts) == (1, False)
    assert parts.serving._follower is not None
    parts.serving._follower.join()
    assert search(parts) == (2, False)


def test_what_embeds_nothing_opens_no_model(changing: tuple[Services, Shelf]) -> None:
    parts, shelf = changing
    parts.search.search(SearchRequest(query="flood", mode="keyword"))
    change_to_the_twin(parts)
    parts.serving.catch_up()
    parts.search.search(SearchRequest(query="flood", mode="keyword"))
    assert shelf.opened == []
    parts.serving.warm_up()
    assert shelf.alive() == ["twin"]
