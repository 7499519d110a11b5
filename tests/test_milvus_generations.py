"""What a collection holds after updates that were stopped anywhere, and how a broken adapter shows."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from milvus import NO_CLUSTER, CurrentServer, MilvusServer
from milvus import running as running_milvus
from newsroom import MeaningEmbedder, article

from archive.article import Article
from archive.packing import pack_embeddings
from archive.shared_index import SharedIndex
from archive.store import PublishedGeneration, Store, open_store
from index.build import Builder
from index.check import check
from index.embeddings import Embeddings
from index.engine import Candidates, Engine
from index.errors import EngineAway, GenerationDamaged
from index.generation import Manifest
from index.milvus.engine import MilvusEngine
from index.milvus.filters import ALL, Filter
from index.milvus.generations import MilvusGenerations
from index.milvus.rows import Row
from index.milvus.server import Found, Milvus
from index.milvus.statistics import Part, Statistics, Words, unpacked
from index.milvus.vectors import passages_of
from index.query import Query
from index.query import parse as parsed
from web.services import Services
from web.settings import Settings

WRITES = ("create", "put", "delete", "flush", "drop")
TYPED = (
    *("flood", "council election", '"comet over the bay"', "flood -council", "source:ledger report", "title:flood"),
    *("-source:ledger", "after:2003", "flo* people", "elecktion~", "author:ada comet", "report 12"),
)


class Stopped(BaseException):
    """The process is killed."""


class Mortal(Milvus):
    """A client whose process is killed at the n-th call that writes: before it, or once it has been carried out."""

    def __init__(self, address: str, *, dies_at: int, after: bool = False) -> None:
        super().__init__(address)
        self._left = dies_at
        self._after = after

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        return self._counting(found) if name in WRITES else found

    def _counting(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Stopped
            done = method(*arguments, **named)
            if self._left == 0:
                raise Stopped
            return done

        return call


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "archive.sqlite3")
    yield store
    store.close()


def builder(store: Store, milvus: Milvus) -> Builder:
    return Builder(MilvusGenerations(milvus, store), store, MeaningEmbedder())


def opened(store: Store, milvus: Milvus) -> MilvusEngine:
    current, _ = store.pointer()
    assert current is not None
    return MilvusGenerations(milvus, store).open(current)


def parse(typed: str) -> Query:
    return parsed(typed, today=date(2020, 1, 1))


def put(store: Store, *numbers: int) -> None:
    for number in numbers:
        store.put(article(number))


def rewritten(number: int) -> Article:
    return replace(article(number), title=f"Rewritten {number}", body="The harbour was closed, and opened again.")


def contents(milvus: Milvus, collection: str) -> dict[str, Mapping[str, Any]]:
    """Return every row of a collection by its key."""
    columns = ("pk", "article", "published", "version", "start", "end", "words", "text", "terms", "names")
    found = list(milvus.scan(collection, ALL, columns=columns))
    rows = {row["pk"]: {name: row[name] if name != "terms" else sorted(row[name]) for name in columns} for row in found}
    assert len(rows) == len(found)
    return rows


def total(store: Store, collection: str) -> tuple[object, ...]:
    """Return what the statistics of a collection come to."""
    shared = SharedIndex(store)
    parts = [shared.part(collection, after=after) for after, _ in shared.spans(collection, until=store.last_seq())]
    made = [unpacked(part.come).without(unpacked(part.gone)) for part in parts if part and part.come]
    found = Statistics(made, dimension=MeaningEmbedder.dimension)
    lengths = (found.articles, found.passages, found.title_length, found.body_length, found.languages)
    return (*lengths, dict(found.words), dict(found.terms))


def collection_of(store: Store, milvus: Milvus) -> str:
    current, _ = store.pointer()
    assert current is not None
    return str(MilvusGenerations(milvus, store).manifest(current).collection)


def change(store: Store) -> None:
    """Change, remove and add articles."""
    store.put(rewritten(3))
    store.remove(article(4).id)
    put(store, 7, 8)


@pytest.mark.parametrize("after", [False, True], ids=["before-a-write", "after-a-write"])
def test_an_update_that_is_killed_at_any_write_is_gone_on_with_and_nothing_is_lost_or_counted_twice(
    store: Store, milvus: MilvusServer, tmp_path: Path, after: bool
) -> None:
    whole = Milvus(milvus.url)
    put(store, *range(7))
    builder(store, whole).update()
    change(store)
    killed = 0
    for dies_at in range(1, 50):
        store.put(replace(article(5), body=f"Version {dies_at} of it."))  # and the archive goes on meanwhile
        try:
            builder(store, Mortal(milvus.url, dies_at=dies_at, after=after)).update()
        except Stopped:
            killed += 1
        else:
            break
    assert killed >= 3
    builder(store, whole).update()
    collection = collection_of(store, whole)
    rows, told = contents(whole, collection), total(store, collection)
    builder(store, whole).rebuild()
    anew = collection_of(store, whole)
    assert anew != collection
    assert rows == contents(whole, anew)
    assert told == total(store, anew)
    assert check(MilvusGenerations(whole, store), store) == []


def test_after_a_rollback_updates_count_nothing_twice(store: Store, milvus: MilvusServer) -> None:
    whole = Milvus(milvus.url)
    put(store, *range(7))
    builder(store, whole).update()
    change(store)
    builder(store, whole).update()
    current, previous = store.pointer()
    assert current is not None
    assert previous is not None
    assert store.roll_back(to=previous.number)
    put(store, 9)
    store.put(replace(article(7), body="Another version of it."))
    builder(store, whole).update()
    collection = collection_of(store, whole)
    rows, told = contents(whole, collection), total(store, collection)
    builder(store, whole).rebuild()
    anew = collection_of(store, whole)
    assert (rows, told) == (contents(whole, anew), total(store, anew))


def test_a_rebuild_that_is_killed_at_any_write_leaves_what_is_served_as_it_was(
    store: Store, milvus: MilvusServer
) -> None:
    whole = Milvus(milvus.url)
    put(store, *range(4))
    builder(store, whole).update()
    before, rows = store.pointer(), contents(whole, collection_of(store, whole))
    for dies_at in (1, 2, 3):
        with pytest.raises(Stopped):
            builder(store, Mortal(milvus.url, dies_at=dies_at)).rebuild()
        assert store.pointer() == before
        assert contents(whole, collection_of(store, whole)) == rows
    builder(store, whole).rebuild()
    assert contents(whole, collection_of(store, whole)) == rows


def test_collections_that_no_generation_is_in_are_dropped_and_those_of_other_archives_stay(
    store: Store, milvus: MilvusServer, tmp_path: Path
) -> None:
    whole = Milvus(milvus.url)
    other = open_store(tmp_path / "other.sqlite3")
    put(other, 1)
    builder(other, whole).update()
    theirs = collection_of(other, whole)
    put(store, 1)
    for _ in range(4):
        builder(store, whole).rebuild()
    mine = [name for name in whole.collections() if name.startswith("backfile_") and name != theirs]
    assert len([name for name in mine if store.uuid.replace("-", "")[:12] in name]) == 2  # served, and to fall back to
    builder(store, whole).renew()
    assert len([name for name in whole.collections() if store.uuid.replace("-", "")[:12] in name]) == 1
    assert theirs in whole.collections()
    other.close()


def test_a_manifest_that_was_altered_is_not_served(store: Store, milvus: MilvusServer) -> None:
    put(store, 1)
    builder(store, Milvus(milvus.url)).update()
    current, _ = store.pointer()
    assert current is not None
    store.change("UPDATE shared_generation SET manifest = replace(manifest, 'meanings', 'others')")
    with pytest.raises(GenerationDamaged, match="not the manifest"):
        MilvusGenerations(Milvus(milvus.url), store).manifest(current)


def test_an_article_too_long_for_one_row_is_found_by_its_last_words_and_given_whole(
    store: Store, milvus: MilvusServer
) -> None:
    filler = " ".join(f"word{number % 3000}" for number in range(40_000))
    store.put(replace(article(1), body=f"{filler} zyzzyva at the very end", title="A long one"))
    put(store, 2)
    builder(store, Milvus(milvus.url)).update()
    engine = opened(store, Milvus(milvus.url))
    for typed in ("zyzzyva", '"very end"', '"word2999 word0"', "zyzzyva -harbour"):
        assert found(engine, typed).ids == [article(1).id], typed
    engine.close()


def found(engine: MilvusEngine, typed: str) -> Candidates:
    answer = engine.candidates(parse(typed), None, depth=100)
    return answer.kept(answer.selected.nonzero()[0])


def test_a_server_that_is_killed_between_any_two_steps_has_lost_nothing(tmp_path: Path, store: Store) -> None:
    with running_milvus() as server:
        for step in range(4):
            put(store, 3 * step, 3 * step + 1)
            builder(store, Milvus(server.url)).update()
            server.kill()
            put(store, 3 * step + 2)
            with pytest.raises(EngineAway):
                builder(store, Impatient(server.url)).update()
            server.start()
            builder(store, Milvus(server.url)).update()  # what was flushed, then what is inserted, then asked for
            engine = opened(store, Milvus(server.url))
            assert len(found(engine, "report").ids) == 3 * (step + 1)
            engine.close()
        assert check(MilvusGenerations(Milvus(server.url), store), store) == []


class Impatient(Milvus):
    """A client that does not wait for a server that is away."""

    def load(self, collection: str) -> bool:
        raise EngineAway("no answer")


def _asked(address: str, data: Path, typed: str, answers: "multiprocessing.Queue[list[str]]") -> None:
    services = Services(Settings(data=data, milvus=address), embedder=MeaningEmbedder())
    with services.serving.engine() as (engine, _):
        answers.put(engine.candidates(parse(typed), None, depth=9).ids)
    services.close()


def test_a_process_that_was_spawned_reads_the_same(tmp_path: Path, milvus: MilvusServer) -> None:
    services = Services(Settings(data=tmp_path, milvus=milvus.url), embedder=MeaningEmbedder())
    put(services.store, *range(12))
    services.builder.update()
    spawn = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[list[str]] = spawn.Queue()
    reader = spawn.Process(target=_asked, args=(milvus.url, tmp_path, "flood", answers))
    reader.start()
    told = answers.get(timeout=60)
    reader.join()
    with services.serving.engine() as (engine, _):
        assert told == engine.candidates(parse("flood"), None, depth=9).ids
    services.close()


# A broken adapter


class FilterIgnored(Milvus):
    def _search(self, collection: str, field: str, data: object, within: Filter, **named: object) -> list[Found]:
        return super()._search(collection, field, data, ALL, **named)

    def rows(self, collection: str, within: Filter, **named: object) -> list[Row]:
        return super().rows(collection, ALL, **named)

    def scan(self, collection: str, within: Filter, **named: object) -> Iterator[Row]:
        return super().scan(collection, ALL, **named)

    def count(self, collection: str, within: Filter) -> int:
        return super().count(collection, ALL)


class DeletesNothing(Milvus):
    def delete(self, collection: str, article_ids: Sequence[str], *, but: Sequence[str] = ()) -> None:
        pass


class WithoutWords(Milvus):
    def best_by_words(self, *arguments: object, **named: object) -> list[Found]:
        return []


class WithoutMeaning(Milvus):
    def nearest(self, *arguments: object, **named: object) -> list[Found]:
        return []


class DoublesRows(Milvus):
    def put(self, collection: str, rows: Sequence[Row]) -> None:
        super().put(collection, rows)
        super().put(collection, [{**row, "pk": row["pk"] + "0"} for row in rows])


class SkipsChanges(MilvusGenerations):
    def make(
        self, store: Store, embeddings: Embeddings, article_ids: Sequence[str], **named: object
    ) -> tuple[PublishedGeneration, Manifest]:
        return super().make(store, embeddings, article_ids[1:], **named)


BROKEN: Mapping[str, Callable[[Store, str], MilvusGenerations]] = {
    "filter ignored": lambda store, url: MilvusGenerations(FilterIgnored(url), store),
    "delete a no-op": lambda store, url: MilvusGenerations(DeletesNothing(url), store),
    "words dropped": lambda store, url: MilvusGenerations(WithoutWords(url), store),
    "meaning dropped": lambda store, url: MilvusGenerations(WithoutMeaning(url), store),
    "seq skipped": lambda store, url: SkipsChanges(Milvus(url), store),
    "upsert doubled": lambda store, url: MilvusGenerations(DoublesRows(url), store),
}


def differences(store: Store, generations: MilvusGenerations, local: Services) -> list[str]:
    """Return in what a shared index differs from the local one over the same articles, and what a check finds."""
    current, _ = store.pointer()
    assert current is not None
    engine = generations.open(current)
    told = list(check(generations, store))
    for typed in TYPED:
        for mode in ("keyword", "hybrid"):
            with local.serving.engine() as (whole, _):
                ours, theirs = (asked(each, typed, mode) for each in (whole, engine))
            if ours != theirs:
                told.append(f"{mode} {typed}")
    engine.close()
    return told


def asked(engine: Engine, typed: str, mode: str) -> list[tuple[object, ...]]:
    query = parse(typed)
    vector = MeaningEmbedder().embed([query.text or "x"])[0]
    answer = engine.candidates(query, (lambda: vector) if mode == "hybrid" and query.text else None, depth=100)
    answer = answer.kept(answer.selected.nonzero()[0])
    rows = zip(answer.ids, answer.keyword.tolist(), answer.semantic.tolist(), answer.holds_all.tolist(), strict=True)
    found = [(id_, round(words, 4), str(round(cosine, 3)), whole) for id_, words, cosine, whole in rows]
    return [*found, (engine.count_holding(query),)]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path / "local"), embedder=MeaningEmbedder())
    put(services.store, *range(24))
    services.builder.update()
    change(services.store)
    services.builder.update()
    yield services
    services.close()


def filled(store: Store, generations: MilvusGenerations) -> None:
    """Write what `local` holds, by the same updates."""
    put(store, *range(24))
    Builder(generations, store, MeaningEmbedder()).update()
    change(store)
    Builder(generations, store, MeaningEmbedder()).update()


@pytest.fixture(params=["core 2.5", "3.x", "cluster"])
def any_server(request: pytest.FixtureRequest) -> Iterator[Milvus]:
    """Each server that an index may be on."""
    if request.param == "cluster":
        if (address := os.environ.get("BACKFILE_TEST_MILVUS")) is None:
            pytest.skip(NO_CLUSTER)
        yield Milvus(address, os.environ.get("BACKFILE_TEST_MILVUS_TOKEN", ""))
        return
    with running_milvus(CurrentServer if request.param == "3.x" else MilvusServer) as server:
        milvus = Milvus(server.url)
        yield milvus
        milvus.close()


def test_whichever_server_it_is_a_whole_adapter_differs_in_nothing(
    store: Store, any_server: Milvus, local: Services
) -> None:
    generations = MilvusGenerations(any_server, store)
    filled(store, generations)
    assert differences(store, generations, local) == []


class Approximate(Milvus):
    """A server whose index leaves out every second passage of those it is asked about."""

    def nearest(
        self, collection: str, vector: Sequence[float], within: Filter, *, limit: int, columns: Sequence[str] = ()
    ) -> list[Found]:
        found = super().nearest(collection, vector, within, limit=limit, columns=columns)
        return found[::2] if " in [" in (within.text or "") else found


def test_passages_that_an_index_leaves_out_are_fetched(store: Store, milvus: MilvusServer, local: Services) -> None:
    generations = MilvusGenerations(Approximate(milvus.url), store)
    filled(store, generations)
    assert differences(store, generations, local) == []


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_adapter_is_caught(store: Store, milvus: MilvusServer, local: Services, broken: str) -> None:
    generations = BROKEN[broken](store, milvus.url)
    filled(store, generations)
    assert differences(store, generations, local) != []


def test_a_server_that_comes_back_empty_is_caught_and_filled_again(store: Store, local: Services) -> None:
    with running_milvus() as server:
        generations = MilvusGenerations(Milvus(server.url), store)
        filled(store, generations)
        server.kill()
        server.wipe()
        server.start()
        current, _ = store.pointer()
        assert current is not None
        with pytest.raises(GenerationDamaged, match="has no collection"):
            MilvusGenerations(Milvus(server.url), store).open(current)
        generations = MilvusGenerations(Milvus(server.url), store)
        assert any("flask reindex" in problem for problem in check(generations, store))
        Builder(generations, store, MeaningEmbedder()).update()
        assert differences(store, generations, local) == []


@pytest.mark.parametrize(
    "kind",
    [
        MilvusServer,
        # Its IDF is that of each segment: a rare word of a fresh segment counts as one that every article holds.
        pytest.param(CurrentServer, marks=pytest.mark.xfail(strict=True, reason="milvus-lite 3: IDF of a segment")),
    ],
    ids=["core 2.5", "3.x"],
)
def test_an_article_that_has_just_come_in_is_nominated_in_its_place(store: Store, kind: type[MilvusServer]) -> None:
    with running_milvus(kind) as server:
        milvus = Milvus(server.url)
        for number in range(40):
            store.put(replace(article(number), title="Report", body="The lighthouse." if number == 7 else "A report."))
        builder(store, milvus).update()
        store.put(replace(article(50), title="Zyzzyva", body="Zyzzyva, and again zyzzyva."))
        builder(store, milvus).update()
        named = milvus.best_by_words(collection_of(store, milvus), ["zyzzyva", "lighthous"], ALL, limit=50)
        assert named[0].article == article(50).id
        milvus.close()


def test_a_rollback_is_not_undone_once_something_was_written_and_nothing_counts_twice(
    store: Store, milvus: MilvusServer
) -> None:
    whole = Milvus(milvus.url)
    put(store, *range(6))
    builder(store, whole).update()
    put(store, 6, 7)
    builder(store, whole).update()
    _, previous = store.pointer()
    assert previous is not None
    assert store.roll_back(to=previous.number)
    put(store, 8)
    with pytest.raises(Stopped):
        builder(store, Mortal(milvus.url, dies_at=2)).update()
    assert store.pointer()[1] is None
    builder(store, whole).update()
    assert opened(store, whole).article_count == 9


def test_many_parts_of_the_statistics_are_merged_and_come_to_the_same(
    store: Store, milvus: MilvusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Milvus(milvus.url)
    monkeypatch.setattr("index.milvus.generations.MOST_PARTS", 3)
    for number in range(9):
        put(store, number)
        store.put(replace(article(0), body=f"Version {number} of it."))
        builder(store, whole).update()
    collection = collection_of(store, whole)
    assert len(SharedIndex(store).spans(collection, until=store.last_seq())) <= 4
    told = total(store, collection)
    builder(store, whole).rebuild()
    assert told == total(store, collection_of(store, whole))


def test_what_goes_out_and_comes_in_again_moves_neither_the_mean_nor_the_nearest_hundredth() -> None:
    chance = np.random.default_rng(4)
    vectors = chance.normal(size=(1000, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    packed = pack_embeddings(vectors)
    whole = Part(passages=1000, summed=1000, total=vectors.sum(axis=0), sample=b"".join(packed))
    less = Part(passages=500)
    again = Part(passages=5, summed=5, total=vectors[:5].sum(axis=0), sample=b"".join(packed[:5])).without(less)
    asked = vectors[7].astype(np.float32)
    before, after = (Statistics(parts, dimension=64) for parts in ([whole], [whole, again]))
    assert after.quantile(asked, 0.99) == pytest.approx(before.quantile(asked, 0.99), abs=0.02)
    assert np.linalg.norm(after.mean) == pytest.approx(np.linalg.norm(before.mean), abs=0.02)


def test_passages_of_an_article_that_was_written_anew_meanwhile_are_nobody_elses() -> None:
    row = {"version": 1, "start": 0, "end": 3}
    found = [Found(id_, f"{id_}/0", cosine, row) for id_, cosine in (("a", 0.1), ("b", 0.9), ("z", 0.8))]
    told = passages_of(found, np.array([b"a", b"c"], "S16"))
    assert (told.owners.tolist(), told.cosines.tolist()) == ([0], [0.1])


def test_a_part_of_the_statistics_is_unpacked_as_it_was_and_damage_is_told() -> None:
    part = Part()
    part.add(Words(["a", "title"], ["some", "title", "words"], "en"))
    again = unpacked(part.packed())
    assert (again.words, again.terms, again.languages) == (part.words, part.terms, part.languages)
    assert (again.articles, again.title_length, again.body_length) == (1, 1, 2)
    with pytest.raises(ValueError, match="damaged statistics"):
        unpacked(part.packed()[:-3])
