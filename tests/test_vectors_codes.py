"""The semantic leg where codes nominate: what they find, with filters and without, and that scores stay exact."""

import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passages_made import Brute, Item, apply, crowd, identifier, ids_to, recall

from index.engine import Mask, Vector
from index.vectors import VectorIndex

ARTICLES = 5000
DIMENSION = 47  # no whole number of codes
FEW = 1600  # passages, of 10,000


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Return 10,000 passages of 5,000 articles."""
    return crowd(np.random.default_rng(1), articles=ARTICLES, dimension=DIMENSION)


@pytest.fixture(scope="module")
def folder(items: Sequence[Item], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments with codes and one without, some articles dead."""
    directory = tmp_path_factory.mktemp("coded")
    apply(directory, added=items[:7000], large=1000)
    apply(directory, added=items[7000:9500], large=1000)
    apply(directory, added=items[9500:], large=1000)
    apply(directory, removed=[identifier(n) for n in range(0, ARTICLES, 50)], dimension=DIMENSION)
    assert len(list(directory.glob("*.codes.faiss"))) == 2
    assert len(list(directory.glob("*.vectors.npy"))) == 3
    return directory


@pytest.fixture(scope="module")
def live(items: Sequence[Item]) -> Brute:
    return Brute([item for item in items if int(item[0], 16) % 50], numbers=ARTICLES)


@pytest.fixture(scope="module")
def asked(items: Sequence[Item]) -> list[Vector]:
    """Return vectors somewhere near those of the archive."""
    random = np.random.default_rng(2)
    made = [vector + random.normal(size=DIMENSION) / 10 for _, _, vector in items[::250]]
    return [(vector / np.linalg.norm(vector)).astype(np.float32) for vector in made]


def opened(directory: Path, *, few: int = FEW) -> VectorIndex:
    return VectorIndex(directory, dimension=DIMENSION, ids=ids_to(ARTICLES), few=few)


def mean_recall(
    index: VectorIndex, brute: Brute, asked: Sequence[Vector], *, depth: int, within: Mask | None = None
) -> float:
    """Return the share of the best `depth` articles that the index nominates, over these queries."""
    found = [recall(index, query, brute.best(query), depth=depth, within=within) for query in asked]
    return float(np.mean(found))


def share(part: float) -> Mask:
    return np.random.default_rng(3).random(ARTICLES) < part


@pytest.fixture(scope="module")
def astray(items: Sequence[Item], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with codes of other vectors: what is still found there was found without codes."""
    directory, other = tmp_path_factory.mktemp("astray"), tmp_path_factory.mktemp("other")
    shutil.copytree(folder, directory, dirs_exist_ok=True)
    names = sorted(path.name for path in folder.glob("*.codes.faiss"))
    for name, rows in zip(names, (slice(0, 7000), slice(7000, 9500)), strict=True):
        turned = [(article, span, -vector) for article, span, vector in items[rows]]
        apply(other, added=turned, large=1000)
        (made,) = other.glob("*.codes.faiss")
        made.rename(directory / name)
        for path in other.iterdir():
            path.unlink()
    return directory


def test_codes_nominate_nearly_all_of_the_best(
    folder: Path, astray: Path, live: Brute, asked: Sequence[Vector]
) -> None:
    assert mean_recall(opened(folder), live, asked, depth=10) >= 0.99
    assert mean_recall(opened(folder), live, asked, depth=300) >= 0.93
    assert mean_recall(opened(astray), live, asked, depth=10) < 0.3  # so it was codes that nominated


@pytest.mark.parametrize(("part", "few", "by_chance"), [(0.5, 1600, 0.3), (0.2, 160, 0.35)])
def test_codes_nominate_as_well_among_what_a_filter_leaves(
    folder: Path, astray: Path, live: Brute, asked: Sequence[Vector], part: float, few: int, by_chance: float
) -> None:
    assert mean_recall(opened(folder, few=few), live, asked, depth=10, within=share(part)) >= 0.99
    assert mean_recall(opened(astray, few=few), live, asked, depth=10, within=share(part)) < by_chance


@pytest.mark.parametrize(("part", "few"), [(0.1, 1600), (0.02, 16)])
def test_where_a_filter_leaves_few_all_of_them_are_scored(
    astray: Path, live: Brute, asked: Sequence[Vector], part: float, few: int
) -> None:
    for depth in (10, 1000):
        found = mean_recall(opened(astray, few=few), live, asked, depth=depth, within=share(part))
        assert found == 1.0


def test_a_filter_that_leaves_the_farther_half_is_searched_to_the_end(
    folder: Path, live: Brute, asked: Sequence[Vector]
) -> None:
    index = opened(folder)
    for query in asked:
        best = live.best(query)
        assert recall(index, query, best, depth=10, within=best < np.median(best)) >= 0.9


def test_what_is_nominated_is_scored_exactly(folder: Path, live: Brute, asked: Sequence[Vector]) -> None:
    index = opened(folder)
    for query in asked:
        best = live.best(query)
        found = index.nearest(query, depth=50)
        scores = index.scores(query, found.numbers)
        assert scores.best == pytest.approx(best[found.numbers], abs=1e-5)
        assert len(found.numbers) == 50
        assert found.beyond is not None
        assert found.beyond <= scores.best.min() + 1e-6
        assert np.isclose(best, found.beyond, atol=1e-5).any()


def test_the_same_question_has_the_same_answer_from_every_thread(
    folder: Path, live: Brute, asked: Sequence[Vector]
) -> None:
    index = opened(folder)
    expected = [index.nearest(query, depth=30).numbers.tolist() for query in asked]
    found: list[list[list[int]]] = []

    def search() -> None:
        found.append([index.nearest(query, depth=30).numbers.tolist() for query in asked])

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(40, 600), st.floats(0, 1), st.sampled_from([10, 100]))
def test_codes_and_scan_agree_and_where_all_is_nominated_to_the_last_article(
    tmp_path_factory: pytest.TempPathFactory, seed: int, articles: int, part: float, depth: int
) -> None:
    random = np.random.default_rng(seed)
    items = crowd(random, articles=articles, dimension=DIMENSION)
    coded, plain = (Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp())) for _ in range(2))
    apply(coded, added=items, large=40)
    apply(plain, added=items)
    one, other = (VectorIndex(path, dimension=DIMENSION, ids=ids_to(articles), few=16) for path in (coded, plain))
    queries = random.normal(size=(8, DIMENSION)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for within in (None, random.random(articles) < part):
        agreeing = asked = 0
        for query in queries:
            ours, exact = (index.nearest(query, depth=depth, within=within) for index in (one, other))
            assert len(ours.numbers) == len(exact.numbers)
            agreeing += int(np.isin(exact.numbers, ours.numbers).sum())
            asked += len(exact.numbers)
            if depth == 100:  # then four hundred are asked for, a quarter and more of all: every passage is scored
                assert ours.numbers.tolist() == exact.numbers.tolist()
                assert ours.beyond == pytest.approx(exact.beyond, abs=1e-6)
        assert agreeing >= 0.7 * asked  # of all together: one query in a hundred, of nothing but noise, finds less
