"""What an archive is kept in: which keyword library, which it should have, and how much disk."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from newsroom import MeaningEmbedder, article

from archive.store import Store
from index.keywords.choice import WHOOSH_ARTICLES
from web.holdings import disk_use, keyword_advice, keyword_library
from web.services import Services
from web.settings import Settings


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    for number in range(3):
        services.store.put(article(number))
    services.builder.update()
    yield services
    services.close()


class LargeStore(Store):
    """An archive that has grown to `articles`."""

    articles: int

    def count_live(self) -> int:
        return self.articles


def grown(parts: Services, articles: int) -> Services:
    store = LargeStore(parts.settings.data / "archive.sqlite3")
    store.articles = articles
    services = Services(parts.settings, embedder=MeaningEmbedder())
    services.made["store"] = store
    return services


def test_the_library_behind_the_generation_served_is_named(parts: Services) -> None:
    assert keyword_library(parts) == "whoosh"


def test_without_an_index_there_is_no_library_and_nothing_to_advise(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path / "new"), embedder=MeaningEmbedder())
    assert keyword_library(services) is None
    assert keyword_advice(services) is None
    services.close()


def test_a_lost_index_names_no_library(parts: Services) -> None:
    shutil.rmtree(parts.settings.data / "index")
    assert keyword_library(parts) is None


@pytest.mark.parametrize(("articles", "advised"), [(WHOOSH_ARTICLES, False), (WHOOSH_ARTICLES + 1, True)])
def test_an_archive_that_outgrew_its_library_is_told_what_moves_it(
    parts: Services, articles: int, advised: bool
) -> None:
    large = grown(parts, articles)
    advice = keyword_advice(large)
    assert (advice is not None) == advised
    if advice:
        assert "5,001 articles" in advice
        assert "`flask reindex` moves it to tantivy" in advice
    large.close()


def test_a_library_that_was_chosen_counts_more_than_the_size(parts: Services) -> None:
    chosen = Services(Settings(data=parts.settings.data, keywords="tantivy"), embedder=MeaningEmbedder())
    assert "moves it to tantivy" in (keyword_advice(chosen) or "")
    chosen.close()
    kept = Services(Settings(data=parts.settings.data, keywords="whoosh"), embedder=MeaningEmbedder())
    large = grown(kept, 1_000_000)
    assert keyword_advice(large) is None
    large.close()


def test_the_disk_is_told_by_part_and_a_shared_file_counts_once(tmp_path: Path) -> None:
    (tmp_path / "index" / "gen-000001").mkdir(parents=True)
    (tmp_path / "index" / "gen-000002").mkdir()
    file = tmp_path / "index" / "gen-000001" / "file"
    file.write_bytes(os.urandom(1_000_000))
    parts = Services(Settings(data=tmp_path), embedder=MeaningEmbedder())
    alone = disk_use(parts)
    os.link(file, tmp_path / "index" / "gen-000002" / "file")
    assert disk_use(parts) == alone
    assert alone["index"] >= 1_000_000
    assert (alone["models"], alone["evaluations"]) == (0, 0)
    parts.store.put(article(1, body=os.urandom(500_000).hex()))
    assert disk_use(parts)["archive"] >= alone["archive"] + 500_000
    parts.close()
