"""The speller in service: over generations, and over what was taken out of them."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder, article

from index.spelling.respelling import Respelling
from web.services import Services
from web.settings import Settings


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for number in range(8):
        services.store.put(article(number, title="The parliament in session", body="The parliament sat all day."))
    services.builder.update()
    yield services
    services.close()


def respelling(parts: Services) -> Respelling:
    return Respelling(parts.serving, in_headlines=lambda _: 0)


def test_a_typo_is_corrected_by_the_words_of_the_archive(parts: Services) -> None:
    assert respelling(parts).suggest("parliamant session") == "parliament session"
    assert respelling(parts).suggest("parliament") is None


def test_a_suggestion_that_would_find_nothing_either_is_not_made(parts: Services) -> None:
    parts.store.put(article(30, title="Gardens", body="Tomatoes grow in gardens."))
    parts.builder.update()
    assert respelling(parts).suggest("parliamant tomatoes") is None
    assert respelling(parts).suggest("parliamant the day") == "parliament the day"
    assert respelling(parts).suggest("parliamant source:ledger -tomatoes") == "parliament source:ledger -tomatoes"


def test_the_words_of_a_new_generation_are_known_soon_after(parts: Services) -> None:
    spelling = respelling(parts)
    assert spelling.suggest("earthquaek") is None
    for number in range(10, 16):
        parts.store.put(article(number, title="An earthquake", body="The earthquake was felt for miles."))
    parts.builder.update()
    parts.serving.catch_up()
    spelling.suggest("earthquaek")  # may still go by the words before; it has the new ones loaded
    spelling.close()
    assert spelling.suggest("earthquaek") == "earthquake"


def test_a_word_that_went_with_its_articles_is_not_suggested_even_by_the_words_before(parts: Services) -> None:
    spelling = respelling(parts)
    assert spelling.suggest("parliamant") == "parliament"
    for number in range(8):
        parts.store.remove(article(number).id)
    parts.store.put(article(20))
    parts.builder.update()
    parts.serving.catch_up()
    assert spelling.suggest("parliamant") is None
    spelling.close()


def test_nobody_waits_for_new_words_while_there_are_old_ones(parts: Services) -> None:
    spelling = respelling(parts)
    spelling.suggest("warm")
    parts.store.put(article(20))
    parts.builder.update()
    parts.serving.catch_up()
    goes_on = threading.Event()
    with parts.serving.engine() as (engine, _):
        read = engine.words

        def slowly() -> Mapping[str, int]:
            goes_on.wait(60)
            return read()

        engine.words = slowly  # type: ignore[method-assign]
        assert spelling.suggest("parliamant") == "parliament"
        goes_on.set()
        spelling.close()


def test_once_begun_in_the_background_nobody_waits_even_for_the_first_words(parts: Services) -> None:
    spelling = respelling(parts)
    goes_on = threading.Event()
    with parts.serving.engine() as (engine, _):
        read = engine.words

        def slowly() -> Mapping[str, int]:
            goes_on.wait(60)
            return read()

        engine.words = slowly  # type: ignore[method-assign]
        spelling.begin()
        assert spelling.suggest("parliamant") is None
        assert spelling.generation is None
        goes_on.set()
        spelling.close()
    assert spelling.generation == 1
    assert spelling.suggest("parliamant") == "parliament"


def test_without_an_index_nothing_is_suggested(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path / "empty"), embedder=MeaningEmbedder())
    assert respelling(services).suggest("parliamant") is None
    services.close()
