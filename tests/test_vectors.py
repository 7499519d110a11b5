"""The semantic leg against brute force, on real FAISS files."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import isnan
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index import vectors
from index.engine import Span, Vector
from index.errors import GenerationDamaged
from index.vectors import ROW, VectorIndex, as_rows, in_chunks, update

DIMENSION = 4
Item = tuple[str, Span, Vector]


@dataclass(frozen=True)
class PassageScore:
    """An article's best passage, and what the next best adds."""

    article_id: str
    cosine: float
    span: Span
    second: float | None = field(default=None, compare=False)


def found_by(
    index: VectorIndex,
    query: Vector,
    *,
    depth: int,
    within: Collection[str] | None = None,
    also: Collection[str] = (),
) -> list[PassageScore]:
    """Return what the index nominates, best first."""
    found = index.candidates(query, depth=depth, within=within, also=also)
    assert list(found.ids) == sorted(found.ids)
    rows = zip(found.ids, found.best.tolist(), found.spans.tolist(), found.second.tolist(), strict=True)
    scores = [
        PassageScore(id_, best, Span(*span), None if isnan(second) else second) for id_, best, span, second in rows
    ]
    return sorted(scores, key=lambda score: (-score.cosine, score.article_id))


def identifier(number: int) -> str:
    return f"{number:016x}"


def unit(*numbers: float) -> Vector:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def some(random: np.random.Generator, article: int, *, passages: int = 1, version: int = 1) -> list[Item]:
    """Return an article's passages. Half of all vectors are of sixteen directions, whose cosines are exact and tie."""
    spans = [Span(version, n, n + 1) for n in range(passages)]
    made = [random.choice([random.choice([-0.5, 0.5], DIMENSION), unit(*random.normal(size=DIMENSION))]) for _ in spans]
    return [(identifier(article), span, vector.astype(np.float32)) for span, vector in zip(spans, made, strict=True)]


def apply(directory: Path, *, removed: Collection[str] = (), added: Sequence[Item] = ()) -> None:
    update(directory, dimension=DIMENSION, removed=removed, added=in_chunks(added, size=7))


def opened(directory: Path) -> VectorIndex:
    return VectorIndex(directory, dimension=DIMENSION)


def brute_force(items: Sequence[Item], query: Vector) -> list[PassageScore]:
    """Return every article with the best of its passages, best first, ties by id and by position."""
    ranked = sorted((-float(vector @ query), article, span.start, span) for article, span, vector in items)
    best: dict[str, PassageScore] = {}
    for cosine, article, _, span in ranked:
        if article not in best:
            best[article] = PassageScore(article, -cosine, span)
        elif best[article].second is None:
            best[article] = replace(best[article], second=-cosine)
    return list(best.values())


def same(found: Sequence[PassageScore], expected: Sequence[PassageScore]) -> bool:
    """Return whether articles and passages are the same in this order, and the cosines but for rounding."""
    pairs = list(zip(found, expected, strict=False))
    return [(score.article_id, score.span) for score in found] == [
        (score.article_id, score.span) for score in expected
    ] and all(
        abs(one.cosine - other.cosine) < 1e-6
        and (one.second is None) == (other.second is None)
        and abs((one.second or 0) - (other.second or 0)) < 1e-6
        for one, other in pairs
    )


def segments(directory: Path) -> list[int]:
    """Return how many passages each segment serves, largest first."""
    sizes = []
    for path in directory.glob("*.faiss"):
        grave = path.with_suffix(".dead.npy")
        dead = len(np.load(grave)) if grave.exists() else 0
        sizes.append(len(np.load(path.with_suffix(".passages.npy"))) - dead)
    return sorted(sizes, reverse=True)


def hashes(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


# An update: articles to bring in anew (with so many passages), and articles to remove.
UPDATES = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 30), st.integers(0, 5), max_size=12), st.sets(st.integers(0, 30))),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(UPDATES, st.integers(0, 2**32 - 1), st.integers(1, 40), st.sets(st.integers(0, 35)))
def test_after_any_updates_ranking_equals_brute_force(
    tmp_path_factory: pytest.TempPathFactory,
    updates: list[tuple[dict[int, int], set[int]]],
    seed: int,
    depth: int,
    chosen: set[int],
) -> None:
    directory = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    random = np.random.default_rng(seed)
    kept: dict[str, list[Item]] = {}
    for version, (brought, gone) in enumerate(updates, start=1):
        added = {n: some(random, n, passages=count, version=version) for n, count in brought.items()}
        removed = {identifier(n) for n in gone | set(brought)}
        kept = {article: items for article, items in kept.items() if article not in removed}
        kept |= {identifier(n): items for n, items in added.items() if items}
        apply(directory, removed=removed, added=[item for items in added.values() for item in items])
    index, query = opened(directory), unit(1, 1, -1, 1)
    items = [item for group in kept.values() for item in group]
    expected = brute_force(items, query)
    assert same(found_by(index, query, depth=depth), expected[:depth])
    within = {identifier(n) for n in chosen}
    inside = [score for score in expected if score.article_id in within]
    assert same(found_by(index, query, depth=depth, within=within), inside[:depth])
    assert same(found_by(index, query, depth=0, also=within), inside)
    also = {score.article_id for score in found_by(index, query, depth=depth, within=set(kept) - within, also=within)}
    outside = [score.article_id for score in expected if score.article_id not in within]
    assert also == set(outside[:depth]) | {score.article_id for score in inside}
    left_out = [score.cosine for score in expected[depth:]]
    beyond = index.candidates(query, depth=depth).beyond
    assert beyond == pytest.approx(max(left_out), abs=1e-6) if left_out else beyond is None
    assert index.article_ids() == set(kept)
    assert len(index) == len(items)


@pytest.mark.parametrize("batch", [300, 40])
def test_of_more_equal_articles_than_asked_for_the_first_by_id_are_ranked(tmp_path: Path, batch: int) -> None:
    random = np.random.default_rng(5)
    numbers = random.permutation(300)
    for start in range(0, 300, batch):
        equal = [(identifier(n), Span(1, 0, 1), unit(1, 1, 1, 1)) for n in numbers[start : start + batch]]
        apply(tmp_path, added=equal)
    index = opened(tmp_path)
    for depth in (1, 10, 150):  # FAISS keeps its best by other means from 100 on
        ranked = found_by(index, unit(1, 1, 1, 1), depth=depth)
        assert [score.article_id for score in ranked] == [identifier(n) for n in range(depth)]


def test_one_article_of_many_passages_does_not_crowd_out_the_rest(tmp_path: Path) -> None:
    long = [(identifier(1), Span(1, n, n + 1), unit(1, 0, 0, n / 1000)) for n in range(500)]
    short = [(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in (2, 3)]
    apply(tmp_path, added=long + short)
    ranked = found_by(opened(tmp_path), unit(1, 0, 0, 0), depth=3)
    assert [score.article_id for score in ranked] == [identifier(n) for n in (1, 2, 3)]
    assert ranked[0].span == Span(1, 0, 1)


def test_a_filter_finds_articles_however_far_down_they_are(tmp_path: Path) -> None:
    apply(tmp_path, added=[(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in range(1000)])
    index = opened(tmp_path)
    last = {identifier(998), identifier(999)}
    ranked = found_by(index, unit(1, 0, 0, 0), depth=5, within=last)
    assert [score.article_id for score in ranked] == sorted(last)
    assert found_by(index, unit(1, 0, 0, 0), depth=5, within=set()) == []
    assert found_by(index, unit(1, 0, 0, 0), depth=5, within={identifier(5000)}) == []


def test_what_is_near_is_the_hundredth_of_all_passages_that_comes_nearest(tmp_path: Path) -> None:
    items = [(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in range(500)]
    apply(tmp_path, added=items[:400])
    apply(tmp_path, added=items[400:])
    cosines = [float(vector @ unit(1, 1, 0, 0)) for _, _, vector in items]
    near = opened(tmp_path).candidates(unit(1, 1, 0, 0), depth=1, within={identifier(3)}).nearest
    assert near == pytest.approx(np.quantile(cosines, 0.99), abs=1e-6)


def test_a_passage_s_common_ground_is_its_mean_cosine_with_all(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    items = [item for n in range(12) for item in some(random, n, passages=2)]
    apply(tmp_path, added=items[:20])
    apply(tmp_path, added=items[20:])
    found = opened(tmp_path).candidates(unit(1, 2, 0, -1), depth=5)
    vectors = np.stack([vector for _, _, vector in items])
    best = {(article, span.start): vector for article, span, vector in items}
    for article, span, common in zip(found.ids, found.spans.tolist(), found.common.tolist(), strict=True):
        assert common == pytest.approx(float((vectors @ best[article, span[1]]).mean()), abs=1e-6)


def test_likeness_is_the_cosine_with_the_mean_of_the_passages_named(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    items = [item for n in range(12) for item in some(random, n, passages=2)]
    apply(tmp_path, added=items[:20])
    apply(tmp_path, added=items[20:])
    index = opened(tmp_path)
    found = index.candidates(unit(1, 2, 0, -1), depth=20)
    best = {(article, span.start): vector for article, span, vector in items}
    rows = [best[article, span[1]] for article, span in zip(found.ids, found.spans.tolist(), strict=True)]
    mean = rows[2] + rows[11]
    expected = np.stack(rows) @ (mean / np.linalg.norm(mean))
    assert index.likeness(found.passages, to=found.passages[[2, 11]]) == pytest.approx(expected, abs=1e-6)
    assert index.likeness(np.array([-1, -1]), to=found.passages[:1]).tolist() == [0.0, 0.0]
    assert index.likeness(found.passages, to=np.array([-1])).tolist() == [0.0] * len(rows)


def test_removed_articles_are_found_by_no_door(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    apply(tmp_path, added=[item for n in range(20) for item in some(random, n, passages=3)])
    apply(tmp_path, removed=[identifier(3)])
    index, query = opened(tmp_path), unit(1, 1, 1, 1)
    everything = {score.article_id for score in found_by(index, query, depth=100)}
    assert everything == {identifier(n) for n in range(20) if n != 3} == index.article_ids()
    assert found_by(index, query, depth=5, within=[identifier(3)]) == []
    assert found_by(index, query, depth=0, also=[identifier(3)]) == []
    assert len(index) == 57


def test_removals_add_up(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    apply(tmp_path, added=[item for n in range(9) for item in some(random, n)])
    for n in range(3):
        apply(tmp_path, removed=[identifier(n)])
    assert opened(tmp_path).article_ids() == {identifier(n) for n in range(3, 9)}


def test_a_new_version_replaces_the_old_one(tmp_path: Path) -> None:
    apply(tmp_path, added=[(identifier(1), Span(1, 0, 9), unit(1, 0, 0, 0)), *some(np.random.default_rng(0), 2)])
    apply(tmp_path, removed=[identifier(1)], added=[(identifier(1), Span(2, 4, 8), unit(0, 1, 0, 0))])
    index = opened(tmp_path)
    assert found_by(index, unit(1, 0, 0, 0), depth=5, within=[identifier(1)]) == [
        PassageScore(identifier(1), 0.0, Span(2, 4, 8))
    ]


def test_an_empty_folder_is_an_empty_index(tmp_path: Path) -> None:
    apply(tmp_path, removed=[identifier(1)])
    index = opened(tmp_path)
    assert len(index) == 0
    assert index.article_ids() == frozenset()
    assert found_by(index, unit(1, 0, 0, 0), depth=5) == []
    assert found_by(index, unit(1, 0, 0, 0), depth=0, also=[identifier(1)]) == []


def test_all_articles_removed_leave_an_empty_index_without_segments(tmp_path: Path) -> None:
    apply(tmp_path, added=some(np.random.default_rng(0), 1, passages=9))
    apply(tmp_path, removed=[identifier(1)])
    assert found_by(opened(tmp_path), unit(1, 0, 0, 0), depth=5) == []
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=25))
def test_each_segment_is_at_least_twice_the_next(tmp_path_factory: pytest.TempPathFactory, batches: list[int]) -> None:
    directory = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    for number, count in enumerate(batches):
        apply(directory, added=some(np.random.default_rng(0), number, passages=count))
        sizes = segments(directory)
        assert all(one >= 2 * other for one, other in pairwise(sizes)), sizes
    assert sum(sizes) == sum(batches)


@pytest.mark.parametrize("counts", [[1] * 64, list(range(40, 0, -1)), list(range(1, 40))], ids=["same", "down", "up"])
def test_each_passage_is_copied_a_logarithmic_number_of_times(tmp_path: Path, counts: list[int]) -> None:
    written, known = 0, set[str]()
    for number, count in enumerate(counts):
        apply(tmp_path, added=some(np.random.default_rng(0), number, passages=count))
        names = {path.name for path in tmp_path.glob("*.faiss")}
        written += sum(len(np.load(tmp_path / name.replace("faiss", "passages.npy"))) for name in names - known)
        known = names
    total = sum(counts)
    assert written <= total * (np.log(total) / np.log(1.5) + 1)


def test_a_small_update_leaves_large_segments_alone(tmp_path: Path) -> None:
    apply(tmp_path, added=some(np.random.default_rng(0), 1, passages=100))
    before = hashes(tmp_path)
    apply(tmp_path, removed=[identifier(2)], added=some(np.random.default_rng(0), 2, passages=3))
    assert before.items() <= hashes(tmp_path).items()
    assert segments(tmp_path) == [100, 3]


def test_a_segment_that_has_shrunk_is_merged_though_newer_ones_are_larger(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    apply(tmp_path, added=[item for n in range(100) for item in some(random, n)])
    apply(tmp_path, added=some(random, 200, passages=40))
    apply(tmp_path, removed=[identifier(n) for n in range(99)], added=some(random, 201))
    assert segments(tmp_path) == [40, 2]


def test_merging_leaves_dead_passages_behind(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    apply(tmp_path, added=[item for n in range(6) for item in some(random, n)])
    apply(tmp_path, removed=[identifier(0)], added=some(random, 9, passages=6))
    (table,) = tmp_path.glob("*.passages.npy")
    assert sorted(np.load(table)["article"].tolist()) == sorted(
        identifier(n).encode() for n in [1, 2, 3, 4, 5] + [9] * 6
    )
    assert not list(tmp_path.glob("*.dead.npy"))


@settings(max_examples=30, deadline=None)
@given(UPDATES)
def test_an_update_never_writes_into_a_file_that_is_there(
    tmp_path_factory: pytest.TempPathFactory, updates: list[tuple[dict[int, int], set[int]]]
) -> None:
    """Each update works on hard links to the one before, as a generation does; every original must stay as it is."""
    random, past = np.random.default_rng(3), dict[Path, dict[str, str]]()
    base = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    for version, (brought, gone) in enumerate(updates, start=1):
        linked = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
        for path in base.iterdir():
            os.link(path, linked / path.name)
        past[base] = hashes(base)
        added = [item for n, count in brought.items() for item in some(random, n, passages=count, version=version)]
        apply(linked, removed={identifier(n) for n in gone | set(brought)}, added=added)
        base = linked
    for directory, before in past.items():
        assert hashes(directory) == before
        opened(directory)
    assert not list(base.glob("*.new"))


# Damage. A generation's hashes are verified before this; it is what stands between a bug there and a crash.


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two segments, the first with two dead rows."""
    random = np.random.default_rng(7)
    apply(tmp_path, added=[item for n in range(20) for item in some(random, n, passages=2)])
    apply(tmp_path, removed=[identifier(4)], added=some(random, 50, passages=2))
    assert segments(tmp_path) == [38, 2]
    return tmp_path


@pytest.mark.parametrize("name", ["000001.faiss", "000001.passages.npy", "000001.dead.npy"])
@pytest.mark.parametrize("left", [0, 1, 5, 40, -1])
def test_a_truncated_file_is_damage(directory: Path, name: str, left: int) -> None:
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[:left])
    with pytest.raises(GenerationDamaged, match=r"000001: .*run `flask reindex`"):
        opened(directory)


@pytest.mark.parametrize("name", ["000001.faiss", "000001.passages.npy", "000001.dead.npy"])
@pytest.mark.parametrize(
    "content", [b"junk" * 50, b"PK\x03\x04" + b"\0" * 60, b"\x80\x04K\x01."], ids=["junk", "zip", "pickle"]
)
def test_another_kind_of_file_is_damage(directory: Path, name: str, content: bytes) -> None:
    (directory / name).write_bytes(content)
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        opened(directory)


def test_a_missing_passage_table_is_damage(directory: Path) -> None:
    (directory / "000002.passages.npy").unlink()
    with pytest.raises(GenerationDamaged, match=r"000002: .*flask reindex"):
        opened(directory)


@pytest.mark.parametrize(
    "table",
    [
        as_rows([(identifier(1), Span(1, 0, 1))]),
        np.zeros(40, dtype=np.int64),
        np.zeros((40, 1), dtype=ROW),
        np.array(7),
    ],
    ids=["short", "numbers", "two-dimensional", "scalar"],
)
def test_a_passage_table_that_does_not_fit_its_vectors_is_damage(directory: Path, table: NDArray[np.generic]) -> None:
    np.save(directory / "000001.passages.npy", table)
    with pytest.raises(GenerationDamaged, match="do not match"):
        opened(directory)


@pytest.mark.parametrize("dead", [[40], [-1], [[1, 2]], [0.5]], ids=str)
def test_a_grave_of_rows_that_are_not_there_is_damage(directory: Path, dead: list[object]) -> None:
    np.save(directory / "000001.dead.npy", np.array(dead))
    with pytest.raises(GenerationDamaged, match="do not match"):
        opened(directory)


def test_vectors_of_another_measure_are_damage(directory: Path) -> None:
    euclidean = faiss.IndexFlatL2(DIMENSION)
    euclidean.add(np.zeros((40, DIMENSION), dtype=np.float32))
    faiss.write_index(euclidean, str(directory / "000001.faiss"))
    with pytest.raises(GenerationDamaged, match="do not match"):
        opened(directory)


def test_vectors_of_another_dimension_are_damage(directory: Path) -> None:
    with pytest.raises(GenerationDamaged, match=r"4 dimensions, not 5: run `flask reindex`"):
        VectorIndex(directory, dimension=5)


def test_a_damaged_base_is_not_built_upon(directory: Path) -> None:
    (directory / "000002.faiss").write_bytes(b"")
    with pytest.raises(GenerationDamaged):
        apply(directory, added=some(np.random.default_rng(0), 99))


# The rest


def test_several_threads_search_at_once(directory: Path) -> None:
    index = opened(directory)
    queries = [unit(1, n, -n, 2) for n in range(8)]
    expected = [found_by(index, query, depth=9) for query in queries]
    found: list[list[list[PassageScore]]] = []

    def search() -> None:
        found.append([found_by(index, query, depth=9) for query in queries])

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 7))
def test_chunks_hold_every_passage_in_order(counts: list[int], size: int) -> None:
    items = [item for n, count in enumerate(counts) for item in some(np.random.default_rng(n), n, passages=count)]

    def once() -> Iterator[Item]:
        yield from items

    chunks = list(in_chunks(once(), size=size))
    assert all(1 <= len(rows) == len(matrix) <= size for rows, matrix in chunks)
    rows = [row for table, _ in chunks for row in table.tolist()]
    assert rows == [(article.encode(), span.version, span.start, span.end) for article, span, _ in items]
    made = [row for _, matrix in chunks for row in matrix]
    assert all(np.array_equal(row, vector) for row, (_, _, vector) in zip(made, items, strict=True))


def test_the_folder_holds_what_its_description_says(directory: Path) -> None:
    assert sorted(path.name for path in directory.iterdir()) == [
        "000001.dead.npy",
        "000001.faiss",
        "000001.passages.npy",
        "000002.faiss",
        "000002.passages.npy",
    ]
    assert vectors.__doc__ is not None
    assert np.load(directory / "000001.dead.npy").tolist() == [8, 9]
