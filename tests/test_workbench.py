"""The workbench: exactly the articles it was given, nothing embedded twice, and no text left behind that had to go."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from newsroom import CountingEmbedder, OtherEmbedder, article

from archive.article import Article
from archive.packing import pack_text
from archive.store import Store
from index.evaluation.workbench import ARCHIVE, FORMER, Parts, workbench
from index.keywords.whoosh_index import WhooshFormat

SECRET = "Zugzwang"
ARTICLES = [article(number) for number in range(6)]


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


def built(work: Path, articles: Iterable[Article], embedder: CountingEmbedder) -> set[str]:
    """Build, and return the ids that are then searched."""
    parts = Parts(embedder=embedder, keywords=WhooshFormat(), fusion="sum")
    with workbench(articles, parts=parts, work=work, progress=lambda *_: None) as bench:
        assert bench.telling_words(ARTICLES[0].body, limit=2)
    store = Store(work / ARCHIVE)
    ids = set(store.live_ids())
    store.close()
    return ids


def test_a_second_run_embeds_nothing(tmp_path: Path, embedder: CountingEmbedder) -> None:
    assert built(tmp_path, ARTICLES, embedder) == {each.id for each in ARTICLES}
    assert len(embedder.texts) == len(ARTICLES)
    built(tmp_path, ARTICLES, embedder)
    assert len(embedder.texts) == len(ARTICLES)


def test_more_articles_embed_only_what_is_new(tmp_path: Path, embedder: CountingEmbedder) -> None:
    built(tmp_path, ARTICLES[:4], embedder)
    assert built(tmp_path, ARTICLES, embedder) == {each.id for each in ARTICLES}
    assert len(embedder.texts) == len(set(embedder.texts)) == len(ARTICLES)


def test_fewer_articles_and_then_all_of_them_embed_only_what_had_left(
    tmp_path: Path, embedder: CountingEmbedder
) -> None:
    built(tmp_path, ARTICLES, embedder)
    assert built(tmp_path, ARTICLES[:5], embedder) == {each.id for each in ARTICLES[:5]}
    assert len(embedder.texts) == len(ARTICLES)
    assert built(tmp_path, ARTICLES, embedder) == {each.id for each in ARTICLES}
    assert len(embedder.texts) == len(ARTICLES) + 1


def test_a_text_that_had_to_go_is_nowhere_in_the_folder(tmp_path: Path, embedder: CountingEmbedder) -> None:
    secret = replace(ARTICLES[5], body=f"{SECRET} was what he said.", title=f"{SECRET}!")
    built(tmp_path, [*ARTICLES[:5], secret], embedder)
    assert any(SECRET.encode() in file.read_bytes() for file in files(tmp_path))
    assert any(pack_text(secret.body)[6:] in file.read_bytes() for file in files(tmp_path))
    built(tmp_path, ARTICLES[:5], embedder)
    assert [file for file in files(tmp_path) if holds(file, secret)] == []
    built(tmp_path, [*ARTICLES[:5], secret], embedder)
    built(tmp_path, [*ARTICLES[:5], replace(secret, body="He said nothing.", title="Nothing")], embedder)
    assert [file for file in files(tmp_path) if holds(file, secret)] == []


def holds(file: Path, secret: Article) -> bool:
    content = file.read_bytes()
    return SECRET.lower().encode() in content.lower() or pack_text(secret.body)[6:] in content


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_work_that_was_stopped_in_the_middle_still_knows_what_was_embedded(tmp_path: Path) -> None:
    whole = CountingEmbedder()
    built(tmp_path, ARTICLES, whole)
    fresh = replace(ARTICLES[0], body="Quite another report.")
    with pytest.raises(RuntimeError, match="switched off"):
        built(tmp_path, [fresh, *ARTICLES[2:]], CountingEmbedder(fails_after=0))
    again = CountingEmbedder()
    assert built(tmp_path, [fresh, *ARTICLES[2:]], again) == {each.id for each in (ARTICLES[0], *ARTICLES[2:])}
    assert len(again.texts) == 1
    assert not (tmp_path / FORMER).exists()


def test_work_that_was_stopped_while_taking_over_begins_again(tmp_path: Path) -> None:
    built(tmp_path, ARTICLES, CountingEmbedder())
    (tmp_path / ARCHIVE).rename(tmp_path / FORMER)  # set aside, and nothing made in its place yet
    again = CountingEmbedder()
    built(tmp_path, ARTICLES[:3], again)
    assert again.texts == []


def test_a_second_change_before_the_first_was_done_keeps_the_fuller_database(tmp_path: Path) -> None:
    built(tmp_path, ARTICLES, CountingEmbedder())
    (tmp_path / ARCHIVE).rename(tmp_path / FORMER)
    begun = Store(tmp_path / ARCHIVE)
    begun.put(ARTICLES[5])
    begun.close()
    again = CountingEmbedder()
    assert built(tmp_path, ARTICLES[:3], again) == {each.id for each in ARTICLES[:3]}
    assert again.texts == []


def test_another_model_embeds_for_itself(tmp_path: Path, embedder: CountingEmbedder) -> None:
    built(tmp_path, ARTICLES, embedder)
    other = OtherEmbedder()
    built(tmp_path, ARTICLES[:5], other)
    assert len(other.texts) == 5
