"""Updating the vectors: what is merged and when, what stays, what it costs, and damage told before it is built upon."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from passages_made import DIMENSION, apply, identifier, ids_to, some, unit

from archive.packing import embedding_type, pack_embeddings
from index import vectors
from index.engine import Span
from index.errors import GenerationDamaged
from index.vectors import VectorIndex, Wear, count, in_chunks, wear
from index.vectors.segments import ARTICLE, SHORT_SPAN, SPAN

UPDATES = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 30), st.integers(0, 5), max_size=12), st.sets(st.integers(0, 30))),
    min_size=1,
    max_size=6,
)


def opened(directory: Path) -> VectorIndex:
    return VectorIndex(directory, dimension=DIMENSION, ids=ids_to(400))


def segments(directory: Path) -> list[int]:
    """Return how many passages each segment serves, largest first."""
    sizes = []
    for path in directory.glob("*.articles.npy"):
        counts = np.diff(np.load(path)["first"], append=len(np.load(beside(path, "spans"))))
        grave = beside(path, "dead")
        sizes.append(int(counts.sum() - (counts[np.load(grave)].sum() if grave.exists() else 0)))
    return sorted(sizes, reverse=True)


def beside(path: Path, part: str) -> Path:
    return path.with_name(path.name.replace("articles", part))


def hashes(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def bring(directory: Path, number: int, *, passages: int, large: int = 1_000_000) -> None:
    """Add one article of so many passages."""
    apply(directory, added=some(np.random.default_rng(number), number, passages=passages), large=large)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=25))
def test_each_segment_is_at_least_twice_the_next(tmp_path_factory: pytest.TempPathFactory, batches: list[int]) -> None:
    directory = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))
    for number, passages in enumerate(batches):
        bring(directory, number, passages=passages)
        sizes = segments(directory)
        assert all(one >= 2 * other for one, other in pairwise(sizes)), sizes
    assert sum(sizes) == sum(batches)


@pytest.mark.parametrize("counts", [[1] * 64, list(range(40, 0, -1)), list(range(1, 40))], ids=["same", "down", "up"])
def test_each_passage_is_copied_a_logarithmic_number_of_times(tmp_path: Path, counts: list[int]) -> None:
    written, known = 0, set[str]()
    for number, passages in enumerate(counts):
        bring(tmp_path, number, passages=passages)
        names = {path.name for path in tmp_path.glob("*.spans.npy")}
        written += sum(len(np.load(tmp_path / name)) for name in names - known)
        known = names
    total = sum(counts)
    assert written <= total * (np.log(total) / np.log(1.5) + 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_an_update_copies_no_more_than_a_constant_and_large_segments_stay(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int]
) -> None:
    directory, large = Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp())), 48
    for number, passages in enumerate(batches):
        before = hashes(directory)
        bring(directory, number, passages=passages, large=large)
        after = hashes(directory)
        written = sum(len(np.load(directory / name)) for name in after.keys() - before.keys() if "spans" in name)
        assert written <= passages + 2 * large
        assert {name for name in before if "codes" in name} <= after.keys()
    assert [size >= large for size in segments(directory)].count(True) == len(list(directory.glob("*.codes.faiss")))
    assert [size >= large for size in segments(directory)].count(False) <= np.log2(large) + 1
    assert sum(segments(directory)) == sum(batches)


def test_a_small_update_leaves_large_segments_alone(tmp_path: Path) -> None:
    bring(tmp_path, 1, passages=100)
    before = hashes(tmp_path)
    bring(tmp_path, 2, passages=3)
    assert before.items() <= hashes(tmp_path).items()
    assert segments(tmp_path) == [100, 3]


def test_a_segment_that_has_shrunk_is_merged_though_newer_ones_are_larger(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    apply(tmp_path, added=[item for n in range(100) for item in some(random, n)], large=90)
    bring(tmp_path, 200, passages=40, large=90)
    apply(tmp_path, removed=[identifier(n) for n in range(99)], added=some(random, 201), large=90)
    assert segments(tmp_path) == [40, 2]


def test_merging_leaves_dead_passages_behind(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    apply(tmp_path, added=[item for n in range(6) for item in some(random, n)])
    apply(tmp_path, removed=[identifier(0)], added=some(random, 9, passages=6))
    (table,) = tmp_path.glob("*.articles.npy")
    assert sorted(np.load(table)["id"].tolist()) == [identifier(n).encode() for n in (1, 2, 3, 4, 5, 9)]
    assert len(np.load(beside(table, "spans"))) == 11
    assert not list(tmp_path.glob("*.dead.npy"))


@pytest.mark.parametrize(
    ("longest", "dtype"),
    [(Span(9, 65_000, 65_535), SHORT_SPAN), (Span(9, 65_000, 65_536), SPAN), (Span(65_536, 0, 1), SPAN)],
)
def test_spans_take_half_where_they_can_and_come_out_as_they_went_in(
    tmp_path: Path, longest: Span, dtype: np.dtype[np.void]
) -> None:
    first, second = (Span(1, 10, 20), unit(1, 0, 0, 0)), (longest, unit(0, 1, 0, 0))
    for number, (span, vector) in enumerate((first, second)):
        apply(tmp_path, added=[(identifier(number), span, vector)])
    (table,) = tmp_path.glob("*.spans.npy")
    assert np.load(table).dtype == dtype
    for number, (span, vector) in enumerate((first, second)):
        assert opened(tmp_path).scores(vector, np.array([number])).spans.tolist() == [
            [span.version, span.start, span.end]
        ]


def test_all_articles_removed_leave_an_empty_index_without_segments(tmp_path: Path) -> None:
    bring(tmp_path, 1, passages=60, large=50)
    apply(tmp_path, removed=[identifier(1)], large=50)
    assert opened(tmp_path).nearest(unit(1, 0, 0, 0), depth=5).numbers.tolist() == []
    assert list(tmp_path.iterdir()) == []


def test_wear_and_counts_are_told_without_opening_the_index(tmp_path: Path) -> None:
    assert (count(tmp_path), wear(tmp_path)) == ((0, 0), Wear(segments=0, dead_passages=0, live_passages=0))
    random = np.random.default_rng(0)
    apply(tmp_path, added=[item for n in range(20) for item in some(random, n, passages=3)])
    apply(tmp_path, removed=[identifier(4), identifier(5)], added=some(random, 50, passages=2))
    assert count(tmp_path) == (19, 56)
    assert wear(tmp_path) == Wear(segments=2, dead_passages=6, live_passages=56)


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
        added = [
            item for n, passages in brought.items() for item in some(random, n, passages=passages, version=version)
        ]
        apply(linked, removed={identifier(n) for n in gone | set(brought)}, added=added, large=20)
        base = linked
    for directory, before in past.items():
        assert hashes(directory) == before
        opened(directory)
    assert not list(base.glob("*.new"))


def test_the_same_passages_make_the_same_files(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    added = [item for n in range(30) for item in some(random, n, passages=3)]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        apply(tmp_path / name, added=added, large=50)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "other")


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 7))
def test_chunks_hold_every_passage_in_order(counts: list[int], size: int) -> None:
    items = [item for n, passages in enumerate(counts) for item in some(np.random.default_rng(n), n, passages=passages)]
    packed = pack_embeddings(np.stack([vector for _, _, vector in items])) if items else []

    def once() -> Iterator[tuple[str, Span, bytes]]:
        yield from ((article, span, row) for (article, span, _), row in zip(items, packed, strict=True))

    chunks = list(in_chunks(once(), dimension=DIMENSION, size=size))
    assert all(1 <= len(chunk) <= size for chunk in chunks)
    ids = [id_ for chunk in chunks for id_ in np.repeat(chunk.articles["id"], chunk.counts).tolist()]
    assert ids == [article.encode() for article, _, _ in items]
    assert [tuple(row) for chunk in chunks for row in chunk.spans.tolist()] == [
        (span.version, span.start, span.end) for _, span, _ in items
    ]
    assert b"".join(chunk.packed.tobytes() for chunk in chunks) == b"".join(packed)


# Damage. A generation's hashes are verified before this; it is what stands between a bug there and a crash.


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two segments, the first with codes and a dead article."""
    random = np.random.default_rng(7)
    apply(tmp_path, added=[item for n in range(20) for item in some(random, n, passages=2)], large=40)
    apply(tmp_path, removed=[identifier(4)], added=some(random, 50, passages=2), large=30)
    assert segments(tmp_path) == [38, 2]
    return tmp_path


def test_the_folder_holds_what_its_description_says(directory: Path) -> None:
    assert vectors.__doc__ is not None
    parts = {line.split()[0] for line in vectors.__doc__.splitlines() if line.startswith("    SEGMENT.")}
    assert {path.name.replace("000001", "SEGMENT") for path in directory.glob("000001.*")} == parts
    assert {path.name.replace("000002", "SEGMENT") for path in directory.glob("000002.*")} == parts - {
        "SEGMENT.codes.faiss",
        "SEGMENT.dead.npy",
    }
    assert np.load(directory / "000001.dead.npy").tolist() == [4]


FILES = [
    f"000001.{part}" for part in ("vectors.npy", "spans.npy", "articles.npy", "sum.npy", "dead.npy", "codes.faiss")
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0, 1, 5, 40, -1])
def test_a_truncated_file_is_damage(directory: Path, name: str, left: int) -> None:
    content = (directory / name).read_bytes()
    (directory / name).write_bytes(content[:left])
    with pytest.raises(GenerationDamaged, match=r"000001.*run `flask reindex`"):
        opened(directory)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content", [b"junk" * 50, b"PK\x03\x04" + b"\0" * 60, b"\x80\x04K\x01."], ids=["junk", "zip", "pickle"]
)
def test_another_kind_of_file_is_damage(directory: Path, name: str, content: bytes) -> None:
    (directory / name).write_bytes(content)
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        opened(directory)


@pytest.mark.parametrize("part", ["vectors", "spans", "articles", "sum"])
def test_a_missing_file_is_damage(directory: Path, part: str) -> None:
    (directory / f"000002.{part}.npy").unlink()
    with pytest.raises(GenerationDamaged, match=r"000002: .*flask reindex"):
        opened(directory)


def firsts(*rows: int) -> NDArray[np.void]:
    table = np.zeros(len(rows), ARTICLE)
    table["first"] = rows
    return table


@pytest.mark.parametrize(
    ("part", "table"),
    [
        ("spans", np.zeros(39, SPAN)),
        ("spans", np.zeros(39, SHORT_SPAN)),
        ("spans", np.zeros(40, np.int64)),
        ("spans", np.zeros((40, 1), SPAN)),
        ("spans", np.array(7)),
        ("vectors", np.zeros(40, embedding_type(5))),
        ("vectors", np.zeros((40, 4), np.int8)),
        ("sum", np.zeros(5)),
        ("sum", np.zeros(4, np.float32)),
        ("articles", firsts(0, 2, 2, 4, 6, 8)),
        ("articles", firsts(0, 1, 2, 3, 4, 40)),
        ("articles", firsts(1, 2, 3, 4, 5, 6)),
        ("articles", firsts(0, 3, 2, 4, 5, 6)),
        ("articles", np.zeros(20, np.int64)),
        ("dead", np.array([20])),
        ("dead", np.array([-1])),
        ("dead", np.array([[1, 2]])),
        ("dead", np.array([0.5])),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.dtype.str}{value.shape}",
)
def test_tables_that_do_not_fit_each_other_are_damage(directory: Path, part: str, table: NDArray[np.generic]) -> None:
    np.save(directory / f"000001.{part}.npy", table)
    with pytest.raises(GenerationDamaged, match="do not match"):
        opened(directory)


def test_codes_of_other_vectors_are_damage(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    bring(other, 1, passages=41, large=41)
    shutil.copy(other / "000001.codes.faiss", directory / "000001.codes.faiss")
    with pytest.raises(GenerationDamaged, match="do not match"):
        opened(directory)


def test_vectors_of_another_dimension_are_damage(directory: Path) -> None:
    with pytest.raises(GenerationDamaged, match=r"4 dimensions, not 5: run `flask reindex`"):
        VectorIndex(directory, dimension=5, ids=ids_to(20))


def test_a_damaged_base_is_not_built_upon(directory: Path) -> None:
    (directory / "000002.vectors.npy").write_bytes(b"")
    with pytest.raises(GenerationDamaged):
        bring(directory, 99, passages=1)
