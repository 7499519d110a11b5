"""Building: what is published when, what is embedded once, and what a stopped build leaves behind."""

import gc
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import date
from pathlib import Path

import apsw
import numpy as np
import pytest
from newsroom import CountingEmbedder, OtherEmbedder, article

from archive.article import Article
from archive.passages import chunking
from archive.store import PublishedGeneration
from index import embeddings, generation, local_generations
from index.build import Builder
from index.check import check
from index.embedder import embed_query
from index.embeddings import Packed, Text, batches, packed_by
from index.engine import Vector, Vectors
from index.generation import Manifest
from index.keywords import choice
from index.local_generations import LocalGenerations
from index.query import Query, parse
from web.services import Services
from web.settings import Settings


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    yield services
    services.close()


def embedder(parts: Services) -> CountingEmbedder:
    assert isinstance(parts.embedder, CountingEmbedder)
    return parts.embedder


def put(parts: Services, *numbers: int) -> None:
    for number in numbers:
        parts.store.put(article(number))


def root(parts: Services) -> Path:
    return parts.settings.data / "index"


def builder(parts: Services, model: CountingEmbedder) -> Builder:
    return Builder(parts.generations, parts.store, model)


def served(parts: Services) -> PublishedGeneration:
    current, _ = parts.store.pointer()
    assert current is not None
    return current


def directory(parts: Services) -> Path:
    return generation.path_of(root(parts), served(parts).number)


def manifest(parts: Services) -> Manifest:
    return generation.read_manifest(directory(parts), sha256=served(parts).manifest_sha256)


def indexed(parts: Services) -> set[str]:
    """Return the ids in the index, after checking that it is whole."""
    assert check(parts.generations, parts.store) == []
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, degraded):
        assert not degraded
        by_words, by_meaning = engine.article_ids()  # type: ignore[attr-defined]
    assert by_words == by_meaning
    return set(by_words)


def ids(*numbers: int) -> set[str]:
    return {article(number).id for number in numbers}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return each file with what tells whether it is the very same one, untouched."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != generation.MANIFEST]
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


# Publishing


def test_the_first_update_publishes_everything_and_says_how_much(parts: Services) -> None:
    put(parts, *range(12))
    report = parts.builder.update()
    assert (report.generation, report.published, report.articles, report.embedded) == (1, True, 12, 12)
    assert report.passages == manifest(parts).passages == 12
    assert (served(parts).number, served(parts).seq) == (1, 12)
    assert indexed(parts) == ids(*range(12))


def test_an_update_without_changes_publishes_and_embeds_nothing(parts: Services) -> None:
    put(parts, 1, 2)
    parts.builder.update()
    before = files(root(parts))
    embedder(parts).batches.clear()
    put(parts, 1, 2)  # unchanged
    report = parts.builder.update()
    assert (report.generation, report.published, report.articles, report.embedded) == (1, False, 2, 0)
    assert embedder(parts).batches == []
    assert files(root(parts)) == before


def test_an_empty_archive_is_published_once(parts: Services) -> None:
    assert parts.builder.update().published
    assert not parts.builder.update().published
    assert indexed(parts) == set()


def test_a_manifest_says_what_the_generation_was_made_from(parts: Services) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    told, model = manifest(parts), embedder(parts)
    assert (told.archive, told.seq, told.articles) == (parts.store.uuid, 3, 3)
    assert (told.model, told.model_sha256, told.dimension) == (model.name, model.sha256, model.dimension)
    assert (told.chunking, told.keywords) == (chunking(model.sha256, model.max_tokens), "whoosh")


def test_progress_reaches_the_end_of_each_stage(parts: Services) -> None:
    put(parts, *range(5))
    told: dict[str, list[tuple[int, int | None]]] = {}
    parts.builder.update(lambda stage, done, total: told.setdefault(stage, []).append((done, total)))
    assert list(told) == ["chunking", "embedding", "keyword index", "vector index"]
    for reports in told.values():
        assert reports[-1] == (5, 5)
        assert [done for done, _ in reports] == sorted({done for done, _ in reports})


def test_the_two_last_generations_stay_and_older_ones_and_leftovers_go(parts: Services) -> None:
    for number in range(4):
        put(parts, number)
        (root(parts) / "building-left").mkdir(parents=True)
        parts.builder.update()
    assert sorted(path.name for path in root(parts).iterdir()) == ["gen-000003", "gen-000004"]
    current, previous = parts.store.pointer()
    assert (current and current.number, previous and previous.number) == (4, 3)


# Embedding once


def test_only_new_passages_are_embedded(parts: Services) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    embedder(parts).batches.clear()
    put(parts, 4)
    assert parts.builder.update().embedded == 1
    assert [text.splitlines()[0] for text in embedder(parts).texts] == [article(4).title]


def test_a_changed_paragraph_leaves_the_other_passages_alone(parts: Services) -> None:
    paragraphs = [" ".join(f"Word{part} of number {n} is here." for n in range(20)) for part in range(6)]
    parts.store.put(article(1, body="\n\n".join(paragraphs)))
    first = parts.builder.update().embedded
    assert first > 4
    embedder(parts).batches.clear()
    parts.store.put(article(1, body="\n\n".join(paragraphs).replace("Word5 of number 9 ", "Word5 of letter 9 ")))
    report = parts.builder.update()
    assert report.passages == first
    assert report.embedded in (1, 2)  # where two passages overlap, both hold it
    assert all("of letter 9" in text for text in embedder(parts).texts)


def test_one_text_of_many_articles_is_embedded_once(parts: Services) -> None:
    for number in range(6):
        parts.store.put(article(number, title="The same", body="The very same words."))
    report = parts.builder.update()
    assert (report.articles, report.passages, report.embedded) == (6, 6, 1)
    assert len(embedder(parts).texts) == 1


def test_a_rebuild_embeds_nothing_again(parts: Services) -> None:
    put(parts, *range(8))
    parts.builder.update()
    embedder(parts).batches.clear()
    report = parts.builder.rebuild()
    assert (report.published, report.generation, report.embedded, report.articles) == (True, 2, 0, 8)
    assert embedder(parts).batches == []
    assert indexed(parts) == ids(*range(8))


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_build_that_was_stopped_goes_on_where_it_stopped(
    tmp_path: Path, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "BATCH_PASSAGES", 4)
    broken, whole = CountingEmbedder(fails_after=batches), CountingEmbedder()
    services = Services(Settings(data=tmp_path), embedder=broken)
    put(services, *range(18))
    with pytest.raises(RuntimeError, match="switched off"):
        services.builder.update()
    assert services.store.pointer() == (None, None)
    assert len(broken.texts) == 4 * batches
    report = builder(services, whole).update()
    assert report.embedded == len(whole.texts) == 18 - 4 * batches
    assert not set(whole.texts) & set(broken.texts)
    assert max(map(len, whole.batches)) == 4
    assert indexed(services) == ids(*range(18))
    services.close()


def test_what_embeds_elsewhere_gives_back_in_any_order_and_what_came_before_it_broke_down_is_kept(
    parts: Services,
) -> None:
    put(parts, *range(18))
    elsewhere = CountingEmbedder()

    def backwards(texts: Iterator[Text]) -> Generator[list[Packed], None, None]:
        for given in reversed(list(batches(texts, 4))):
            yield packed_by(elsewhere, given)[::-1]
            if len(elsewhere.batches) == 2:
                raise RuntimeError("the machine was switched off")

    with pytest.raises(RuntimeError, match="switched off"):
        parts.builder.rebuild(bulk=backwards)
    assert parts.store.pointer() == (None, None)
    told: list[int] = []
    report = parts.builder.rebuild(lambda stage, done, _: told.append(done) if stage == "embedding" else None,
                                   bulk=backwards)  # fmt: skip
    assert (report.embedded, len(elsewhere.texts), len(set(elsewhere.texts))) == (12, 18, 18)
    assert told == [4, 8, 12]
    assert (embedder(parts).batches, indexed(parts)) == ([], ids(*range(18)))


def test_a_build_that_was_stopped_leaves_what_was_served_in_service(parts: Services) -> None:
    put(parts, 1)
    parts.builder.update()
    before = files(root(parts))
    put(parts, 2)
    with pytest.raises(RuntimeError, match="switched off"):
        builder(parts, CountingEmbedder(fails_after=0)).update()
    assert (served(parts).number, files(root(parts))) == (1, before)
    parts.builder.update()
    assert indexed(parts) == ids(1, 2)


@pytest.mark.parametrize("stage", ["chunking", "keyword index"])
def test_a_kept_vector_that_has_gone_bad_is_made_again(parts: Services, stage: str) -> None:
    put(parts, 1, 2)
    parts.builder.update()
    embedder(parts).batches.clear()
    at_the_end_of(parts, stage, lambda: spoil_embeddings(parts))
    assert len(embedder(parts).texts) == 2
    parts.builder.rebuild()
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        found = engine.candidates(Query(), lambda: embed_query(embedder(parts), article(1).title), depth=5)
    assert len(found.ids) == 2
    assert np.isfinite(found.semantic).all()


def at_the_end_of(parts: Services, stage: str, event: Callable[[], object]) -> None:
    """Rebuild, and let something happen when a stage has ended."""

    def progress(told: str, done: int, total: int | None) -> None:
        if (told, done) == (stage, total):
            event()

    parts.builder.rebuild(progress)


def test_the_text_of_one_version_is_never_embedded_as_that_of_another(parts: Services) -> None:
    put(parts, 1)
    parts.builder.update()
    newer = article(2, title="Zebras", body="Zebras in a row.")
    parts.store.put(article(2))
    at_the_end_of(parts, "chunking", lambda: parts.store.put(newer))
    parts.store.put(article(2, updated_at=article(2).published_at))  # the first text again
    parts.builder.update()
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        found = engine.candidates(Query(), lambda: vector_of(parts, article(2)), depth=5)
    assert found.semantic[found.ids.index(article(2).id)] == pytest.approx(1.0, abs=1e-3)


def vector_of(parts: Services, one: Article) -> Vector:
    vector: Vector = embedder(parts).embed([f"{one.title}\n{one.body}"])[0]
    return vector


def spoil_embeddings(parts: Services) -> None:
    """Flip bits in every kept vector, as a bad disk would."""
    connection = apsw.Connection(str(parts.settings.data / "archive.sqlite3"))
    connection.execute("UPDATE embedding SET packed = zeroblob(length(packed))")
    connection.close()


# Changes


def test_changed_and_removed_articles_leave_the_index(parts: Services) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    parts.store.remove(article(1).id)
    parts.store.put(article(2, title="Quite another matter", body="Zebras."))
    report = parts.builder.update()
    assert (report.articles, report.passages, report.embedded) == (2, 2, 1)
    assert indexed(parts) == ids(2, 3)
    assert found(parts, "zebras") == ids(2)
    assert found(parts, "flood") == ids(3)


def test_every_article_can_leave(parts: Services) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    for number in (1, 2, 3):
        parts.store.remove(article(number).id)
    report = parts.builder.update()
    assert (report.articles, report.passages) == (0, 0)
    assert indexed(parts) == set()
    put(parts, 4)
    parts.builder.update()
    assert indexed(parts) == ids(4)


def test_an_article_that_is_not_to_be_shown_yet_is_not_indexed(parts: Services) -> None:
    put(parts, 1)
    parts.store.put(article(2, status="embargoed"))
    parts.builder.update()
    assert indexed(parts) == ids(1)


def found(parts: Services, text: str) -> set[str]:
    parts.serving.catch_up()
    with parts.serving.engine() as (engine, _):
        return set(engine.candidates(parse(text, today=date(2020, 1, 1)), None, depth=50).ids)


def test_adding_one_article_to_three_hundred_leaves_the_old_files_linked_and_untouched(parts: Services) -> None:
    put(parts, *range(300))
    parts.builder.update()
    old_directory, old = directory(parts), files(directory(parts))
    put(parts, 300)
    report = parts.builder.update()
    new = files(directory(parts))
    assert directory(parts) != old_directory
    assert report.embedded == 1
    assert files(old_directory) == old
    linked = {name for name in old if new.get(name) == old[name]}
    assert {Path(name).suffix for name in linked} >= {".npy", ".trm", ".pst"}
    assert all((directory(parts) / name).samefile(old_directory / name) for name in linked)
    assert {name for name in old if name not in linked} <= {name for name in old if name.endswith(".toc")}
    assert bytes_of(directory(parts), new.keys() - linked) < bytes_of(directory(parts), linked) / 10
    assert indexed(parts) == ids(*range(301))


def bytes_of(folder: Path, names: "set[str]") -> int:
    return sum((folder / name).stat().st_size for name in names)


def test_many_small_updates_do_not_pile_up_segments(parts: Services) -> None:
    for number in range(20):
        put(parts, number)
        parts.builder.update()
    assert len(list((directory(parts) / "vectors").glob("*.vectors.npy"))) <= 5
    assert indexed(parts) == ids(*range(20))


class BusyNewsroom(CountingEmbedder):
    """While it embeds, articles change, come and go."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not self.batches:
            self._services.store.put(article(1, title="Changed meanwhile", body="Zebras."))
            self._services.store.remove(article(2).id)
            put(self._services, 4)
        return super().embed(texts)


def test_what_changes_during_a_build_is_caught_up_by_the_next(parts: Services) -> None:
    put(parts, 1, 2, 3)
    busy = BusyNewsroom(parts)
    first = builder(parts, busy).update()
    assert first.published
    assert served(parts).seq == 3
    assert check(parts.generations, parts.store) == []
    second = builder(parts, busy).update()
    assert second.published
    assert served(parts).seq == 6
    assert indexed(parts) == ids(1, 3, 4)
    assert found(parts, "zebras") == ids(1)
    assert len(set(busy.texts)) == len(busy.texts)


# When the served generation cannot be built upon


def spoil(parts: Services) -> None:
    file = next(path for path in directory(parts).rglob("*.vectors.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def lose_a_file(parts: Services) -> None:
    next(path for path in directory(parts).rglob("*.trm")).unlink()


def lose_the_folder(parts: Services) -> None:
    root(parts).rename(parts.settings.data / "elsewhere")


def add_a_file(parts: Services) -> None:
    (directory(parts) / "keywords" / "planted.pickle").write_bytes(b"cos")


@pytest.mark.parametrize("harm", [spoil, lose_a_file, lose_the_folder, add_a_file])
def test_a_damaged_or_missing_generation_is_built_anew_from_the_store(parts: Services, harm: object) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    embedder(parts).batches.clear()
    harm(parts)  # type: ignore[operator]
    report = parts.builder.update()
    assert (report.published, report.generation, report.articles, report.embedded) == (True, 2, 3, 0)
    assert embedder(parts).batches == []
    assert indexed(parts) == ids(1, 2, 3)


def test_another_model_is_built_anew_and_the_old_vectors_stay_for_the_old_one(parts: Services) -> None:
    put(parts, 1, 2, 3)
    parts.builder.update()
    other = OtherEmbedder()
    report = builder(parts, other).update()
    assert (report.published, report.articles, report.embedded) == (True, 3, len(other.texts))
    assert (manifest(parts).model_sha256, manifest(parts).dimension) == (other.sha256, other.dimension)
    embedder(parts).batches.clear()
    assert parts.builder.update().embedded == 0
    assert manifest(parts).model_sha256 == embedder(parts).sha256
    assert indexed(parts) == ids(1, 2, 3)


class ShortSighted(CountingEmbedder):
    """The same model with room for fewer tokens, so that articles are cut otherwise."""

    max_tokens = 30


def test_passages_cut_otherwise_are_not_mixed_with_the_old_ones(parts: Services) -> None:
    for number in (1, 2, 3):
        parts.store.put(article(number, body=" ".join(f"Word{n} stands here." for n in range(30))))
    before = parts.builder.update()
    report = builder(parts, ShortSighted()).update()
    assert report.published
    assert report.passages > before.passages
    assert manifest(parts).chunking == chunking(ShortSighted.sha256, 30)
    assert manifest(parts).passages == report.passages


def test_an_index_of_another_archive_is_not_built_upon(
    parts: Services, tmp_path_factory: pytest.TempPathFactory
) -> None:
    put(parts, 1, 2)
    parts.builder.update()
    strange = Services(Settings(data=tmp_path_factory.mktemp("other")), embedder=CountingEmbedder())
    put(strange, 3)
    strange.store.publish(served(parts), previous=None)
    root(parts).rename(root(strange))
    assert strange.builder.update().published
    assert indexed_ids(strange) == ids(3)
    strange.close()


def indexed_ids(parts: Services) -> set[str]:
    with parts.serving.engine() as (engine, _):
        return set(engine.article_ids()[0])  # type: ignore[attr-defined]


def test_a_generation_whose_publication_was_never_written_down_is_replaced(parts: Services) -> None:
    put(parts, 1)
    parts.builder.update()
    left = generation.path_of(root(parts), 2)
    left.mkdir()
    (left / "half").write_text("written")
    put(parts, 2)
    assert parts.builder.update().generation == 2
    assert not (left / "half").exists()
    assert indexed(parts) == ids(1, 2)


# Costs


def hashed_files(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the files that are read for their hash from now on, as they are."""
    read: list[Path] = []
    hashed = generation.file_sha256

    def noting(path: Path) -> str:
        read.append(path)
        return hashed(path)

    monkeypatch.setattr(generation, "file_sha256", noting)
    return read


def test_an_update_reads_for_their_hashes_only_what_it_makes_and_what_it_makes_it_from(
    parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(parts, *range(300))
    parts.builder.update()
    old = directory(parts)
    put(parts, 300)
    read = hashed_files(monkeypatch)
    parts.builder.update()
    made = {path for path in directory(parts).rglob("*") if path.is_file() and path.stat().st_nlink == 1}
    gone = {path for path in old.rglob("*") if path.is_file() and path.stat().st_nlink == 1}
    assert {path.name for path in read} == {path.name for path in made | gone} - {generation.MANIFEST}
    assert sum(path.stat().st_size for path in old.rglob("*.npy")) > 0
    assert not any(path.name.endswith((".vectors.npy", ".trm")) for path in gone)


def test_what_the_disk_lost_of_a_file_is_not_carried_into_the_one_it_is_merged_into(parts: Services) -> None:
    put(parts, 1)
    parts.builder.update()
    embedder(parts).batches.clear()
    file = next(directory(parts).rglob("*.vectors.npy"))
    status, content = file.stat(), bytearray(file.read_bytes())
    content[-20] ^= 4
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # nothing but its content tells it
    put(parts, 2, 3)
    report = parts.builder.update()
    assert (report.generation, report.articles, report.embedded) == (2, 3, 2)
    assert not any(path.is_dir() and path.name.startswith("building") for path in root(parts).iterdir())
    assert manifest(parts).gone == 0  # made from the store, not from what was there
    assert indexed(parts) == ids(1, 2, 3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves open what it cannot read
def test_a_base_that_decayed_so_that_no_library_can_read_it_is_made_anew(parts: Services) -> None:
    put(parts, 1)
    parts.builder.update()
    embedder(parts).batches.clear()
    for file in (directory(parts) / "keywords").iterdir():
        status = file.stat()
        file.write_bytes(bytes(status.st_size))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    put(parts, 2)
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        report = parts.builder.update()
        gc.collect()  # Whoosh leaves a table of contents open that it cannot read: else another test is told of it
    assert (report.generation, report.articles, report.embedded) == (2, 2, 1)
    assert indexed(parts) == ids(1, 2)


@pytest.mark.parametrize(("changed", "is_due"), [(2, False), (3, True)])
def test_an_index_of_which_a_quarter_is_gone_is_made_anew_after_it_was_published(
    parts: Services, changed: int, is_due: bool
) -> None:
    put(parts, *range(8))
    parts.builder.update()
    for number in range(changed):
        parts.store.put(article(number, title="Quite another matter"))
        assert parts.builder.update().generation == number + 2
        assert manifest(parts).gone == number + 1
    embedder(parts).batches.clear()
    report = parts.builder.tidy()
    assert (report is not None) == is_due
    if report:
        assert (report.generation, report.articles, report.embedded) == (changed + 2, 8, 0)
        assert manifest(parts).gone == 0
    assert parts.builder.tidy() is None
    assert indexed(parts) == ids(*range(8))


def test_an_index_of_too_many_files_is_made_anew(parts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    put(parts, *range(40))
    parts.builder.update()
    few = len(manifest(parts).files)
    monkeypatch.setattr(local_generations, "MOST_FILES", few)
    assert parts.builder.tidy() is None
    put(parts, 40)
    parts.builder.update()
    assert len(manifest(parts).files) > few
    assert parts.builder.tidy() is not None
    assert len(manifest(parts).files) == few
    assert parts.builder.tidy() is None
    assert indexed(parts) == ids(*range(41))


def test_nothing_is_tidied_before_there_is_an_index(parts: Services) -> None:
    put(parts, 1)
    assert parts.builder.tidy() is None
    assert parts.store.pointer() == (None, None)


def test_a_larger_archive_changes_its_keyword_library_at_the_next_rebuild_and_keeps_it(
    parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "WHOOSH_ARTICLES", 5)
    put(parts, *range(4))
    assert parts.builder.update().keywords == "whoosh"
    put(parts, *range(4, 12))
    assert parts.builder.update().keywords == manifest(parts).keywords == "whoosh"
    embedder(parts).batches.clear()
    assert parts.builder.rebuild().keywords == manifest(parts).keywords == "tantivy"
    put(parts, 12)
    assert parts.builder.update().keywords == "tantivy"
    assert len(embedder(parts).texts) == 1
    assert indexed(parts) == ids(*range(13))


def test_what_is_set_is_used_whatever_the_size_and_built_anew_where_it_is_not(parts: Services) -> None:
    put(parts, 1, 2)
    assert parts.builder.update().keywords == "whoosh"
    model = embedder(parts)
    generations = LocalGenerations(root(parts), formats=parts.formats, keywords="tantivy")
    as_set = Builder(generations, parts.store, model)
    report = as_set.update()
    assert (report.keywords, report.published, report.embedded) == ("tantivy", True, 0)
    assert not as_set.update().published
    assert indexed(parts) == ids(1, 2)


def test_no_more_articles_are_held_than_one_batch(parts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (local_generations, embeddings):
        monkeypatch.setattr(module, "BATCH_ARTICLES", 5)
    put(parts, *range(23))
    asked: list[int] = []
    live = parts.store.live
    monkeypatch.setattr(parts.store, "live", lambda ids: asked.append(len(ids)) or live(ids))
    parts.builder.update()
    assert max(asked) == 5
    asked.clear()
    parts.builder.rebuild()
    assert sum(asked) == 23  # each text is read once, for the keywords: passages and vectors are there
