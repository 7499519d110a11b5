"""The semantic leg against brute force, on real files, as far as it scans: nothing here has codes."""

import tempfile
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passages_made import DIMENSION, Item, apply, as_kept, identifier, ids_to, some, unit

from index.engine import Ints, Mask, Span, Vector
from index.vectors import VectorIndex

NUMBERS = 40  # articles that the generation knows, in most tests


@dataclass(frozen=True)
class PassageScore:
    """An article's best passage, and what the next best adds."""

    number: int
    cosine: float
    span: Span
    second: float | None = field(default=None, compare=False)


def opened(directory: Path, *, numbers: int = NUMBERS) -> VectorIndex:
    return VectorIndex(directory, dimension=DIMENSION, ids=ids_to(numbers))


def only(numbers: Collection[int], *, of: int = NUMBERS) -> Mask:
    mask = np.zeros(of, np.bool_)
    mask[list(numbers)] = True
    return mask


def found_by(index: VectorIndex, query: Vector, *, depth: int, within: Mask | None = None) -> list[PassageScore]:
    """Return what the index nominates, scored, best first."""
    return scored(index, query, index.nearest(query, depth=depth, within=within).numbers)


def scored(index: VectorIndex, query: Vector, numbers: Ints) -> list[PassageScore]:
    assert numbers.tolist() == sorted(set(numbers.tolist()))
    found = index.scores(query, numbers)
    rows = zip(found.numbers.tolist(), found.best.tolist(), found.spans.tolist(), found.second.tolist(), strict=True)
    scores = [PassageScore(n, best, Span(*span), None if isnan(second) else second) for n, best, span, second in rows]
    return sorted(scores, key=lambda score: (-score.cosine, score.number))


def brute_force(items: Sequence[Item], query: Vector) -> list[PassageScore]:
    """Return every article with the best of its passages, best first, ties by number and by position."""
    vectors = as_kept(np.stack([vector for _, _, vector in items])) if items else []
    rows = zip(items, vectors, strict=True)
    ranked = sorted((-float(vector @ query), int(article, 16), span.start, span) for (article, span, _), vector in rows)
    best: dict[int, PassageScore] = {}
    for cosine, number, _, span in ranked:
        if number not in best:
            best[number] = PassageScore(number, -cosine, span)
        elif best[number].second is None:
            best[number] = replace(best[number], second=-cosine)
    return list(best.values())


def same(found: Sequence[PassageScore], expected: Sequence[PassageScore]) -> bool:
    """Return whether articles and passages are the same in this order, and the cosines but for rounding."""
    pairs = list(zip(found, expected, strict=False))
    return [(score.number, score.span) for score in found] == [
        (score.number, score.span) for score in expected
    ] and all(
        abs(one.cosine - other.cosine) < 1e-6
        and (one.second is None) == (other.second is None)
        and abs((one.second or 0) - (other.second or 0)) < 1e-6
        for one, other in pairs
    )


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
    kept: dict[int, list[Item]] = {}
    for version, (brought, gone) in enumerate(updates, start=1):
        added = {n: some(random, n, passages=count, version=version) for n, count in brought.items()}
        kept = {number: items for number, items in kept.items() if number not in gone | set(brought)}
        kept |= {number: items for number, items in added.items() if items}
        removed = {identifier(n) for n in gone | set(brought)}
        apply(directory, removed=removed, added=[item for items in added.values() for item in items])
    index, query = opened(directory), unit(1, 1, -1, 1)
    items = [item for group in kept.values() for item in group]
    expected = brute_force(items, query)
    assert same(found_by(index, query, depth=depth), expected[:depth])
    inside = [score for score in expected if score.number in chosen]
    assert same(found_by(index, query, depth=depth, within=only(chosen)), inside[:depth])
    assert same(scored(index, query, np.array(sorted(chosen), np.int64)), inside)
    for within, ranked in ((None, expected), (only(chosen), inside)):
        beyond = index.nearest(query, depth=depth, within=within).beyond
        left_out = [score.cosine for score in ranked[depth:]]
        assert beyond == pytest.approx(max(left_out), abs=1e-6) if left_out else beyond is None
    assert index.article_ids() == {identifier(number) for number in kept}
    assert len(index) == len(items)


@pytest.mark.parametrize("batch", [300, 40])
def test_of_more_equal_articles_than_asked_for_the_first_by_number_are_ranked(tmp_path: Path, batch: int) -> None:
    numbers = np.random.default_rng(5).permutation(300)
    for start in range(0, 300, batch):
        equal = [(identifier(n), Span(1, 0, 1), unit(1, 1, 1, 1)) for n in numbers[start : start + batch]]
        apply(tmp_path, added=equal)
    index = VectorIndex(tmp_path, dimension=DIMENSION, ids=ids_to(300), few=160)  # ten are nominated, and their equals
    for depth in (1, 10, 150):
        assert index.nearest(unit(1, 1, 1, 1), depth=depth).numbers.tolist() == list(range(depth))


def test_one_article_of_many_passages_does_not_crowd_out_the_rest(tmp_path: Path) -> None:
    long = [(identifier(1), Span(1, n, n + 1), unit(1, 0, 0, n / 1000)) for n in range(500)]
    short = [(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in (2, 3)]
    apply(tmp_path, added=long + short)
    index = VectorIndex(tmp_path, dimension=DIMENSION, ids=ids_to(NUMBERS), few=160)
    ranked = found_by(index, unit(1, 0, 0, 0), depth=3)
    assert [score.number for score in ranked] == [1, 2, 3]
    assert ranked[0].span == Span(1, 0, 1)


@pytest.mark.parametrize("few", [1, 10_000], ids=["nominated", "scored one and all"])
def test_a_filter_finds_articles_however_far_down_they_are(tmp_path: Path, few: int) -> None:
    apply(tmp_path, added=[(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in range(1000)])
    index, query = VectorIndex(tmp_path, dimension=DIMENSION, ids=ids_to(1000), few=few), unit(1, 0, 0, 0)
    for last in ({998, 999}, set(range(500, 1000))):
        found = index.nearest(query, depth=5, within=only(last, of=1000))
        assert set(found.numbers.tolist()) <= last
        assert len(found.numbers) == min(5, len(last))
    assert index.nearest(query, depth=5, within=only((), of=1000)).numbers.tolist() == []
    assert index.nearest(query, depth=5, within=only((), of=1000)).beyond is None


def test_the_spread_is_what_the_hundredth_of_all_passages_that_comes_nearest_exceeds(tmp_path: Path) -> None:
    items = [(identifier(n), Span(1, 0, 1), unit(1, n, 0, 0)) for n in range(500)]
    apply(tmp_path, added=items[:400])
    apply(tmp_path, added=items[400:], removed=[identifier(n) for n in range(10)])
    cosines = as_kept(np.stack([vector for _, _, vector in items[10:]])) @ unit(1, 1, 0, 0)
    assert opened(tmp_path, numbers=500).spread(unit(1, 1, 0, 0)) == pytest.approx(np.quantile(cosines, 0.99), abs=1e-6)


def test_of_many_passages_the_spread_is_told_from_a_sample_of_all_of_them(tmp_path: Path) -> None:
    angles = np.linspace(0, np.pi, 9000)
    items = [(identifier(n), Span(1, 0, 1), unit(np.cos(at), np.sin(at), 0, 0)) for n, at in enumerate(angles)]
    apply(tmp_path, added=items)
    index, query = opened(tmp_path, numbers=9000), unit(0, 1, 0, 0)
    assert index.spread(query) == pytest.approx(np.quantile(np.sin(angles), 0.99), abs=1e-3)


def test_a_passage_s_common_ground_is_its_mean_cosine_with_all_that_are_served(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    items = [item for n in range(14) for item in some(random, n, passages=2)]
    apply(tmp_path, added=items[:20])
    apply(tmp_path, added=items[20:])
    apply(tmp_path, removed=[identifier(12), identifier(13)])
    found = opened(tmp_path).scores(unit(1, 2, 0, -1), np.arange(12))
    vectors = as_kept(np.stack([vector for _, _, vector in items[:24]]))
    best = {(article, span.start): row for row, (article, span, _) in enumerate(items[:24])}
    for number, span, common in zip(found.numbers, found.spans.tolist(), found.common, strict=True):
        vector = vectors[best[identifier(number), span[1]]]
        assert common == pytest.approx(float((vectors @ vector).mean()), abs=1e-6)


def test_likeness_is_the_cosine_with_the_mean_of_the_passages_named(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    items = [item for n in range(12) for item in some(random, n, passages=2)]
    apply(tmp_path, added=items[:20])
    apply(tmp_path, added=items[20:])
    index = opened(tmp_path)
    found = index.scores(unit(1, 2, 0, -1), np.arange(12))
    best = {(article, span.start): vector for article, span, vector in items}
    spans = zip(found.numbers.tolist(), found.spans.tolist(), strict=True)
    rows = as_kept(np.stack([best[identifier(number), span[1]] for number, span in spans]))
    mean = rows[2] + rows[11]
    expected = rows @ (mean / np.linalg.norm(mean))
    assert index.likeness(found.passages, to=found.passages[[2, 11]]) == pytest.approx(expected, abs=1e-6)
    assert index.likeness(np.array([-1, -1]), to=found.passages[:1]).tolist() == [0.0, 0.0]
    assert index.likeness(found.passages, to=np.array([-1])).tolist() == [0.0] * len(rows)


def test_an_article_s_mean_vector_weighs_its_lead_double_and_is_none_where_it_has_no_passage(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    items = [item for n in range(6) for item in some(random, n, passages=1 + n % 3)]
    apply(tmp_path, added=items)
    apply(tmp_path, removed=[identifier(4)])
    means = opened(tmp_path).means(np.array([5, 0, 4, 2]))
    for row, number in ((0, 5), (1, 0), (3, 2)):
        own = sorted((span.start, tuple(vector)) for article, span, vector in items if article == identifier(number))
        passages = as_kept(np.array([vector for _, vector in own], np.float32))
        total = passages.sum(axis=0) + passages[0]
        assert means[row] == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    assert not means[2].any()


def test_removed_articles_are_found_by_no_door(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    apply(tmp_path, added=[item for n in range(20) for item in some(random, n, passages=3)])
    apply(tmp_path, removed=[identifier(3)])
    index, query = opened(tmp_path), unit(1, 1, 1, 1)
    assert set(index.nearest(query, depth=100).numbers.tolist()) == set(range(20)) - {3}
    assert index.article_ids() == {identifier(n) for n in range(20) if n != 3}
    assert index.nearest(query, depth=5, within=only([3])).numbers.tolist() == []
    assert index.scores(query, np.array([3])).numbers.tolist() == []
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
    found = found_by(opened(tmp_path), unit(1, 0, 0, 0), depth=5, within=only([1]))
    assert found == [PassageScore(1, 0.0, Span(2, 4, 8))]


def test_an_article_that_the_generation_does_not_know_is_not_nominated_but_told_of(tmp_path: Path) -> None:
    apply(tmp_path, added=[item for n in range(9) for item in some(np.random.default_rng(0), n)])
    index = VectorIndex(tmp_path, dimension=DIMENSION, ids=np.delete(ids_to(9), 4))
    assert index.nearest(unit(1, 0, 0, 0), depth=20).numbers.tolist() == list(range(8))
    assert identifier(4) in index.article_ids()
    assert (
        len(VectorIndex(tmp_path, dimension=DIMENSION, ids=ids_to(0)).nearest(unit(1, 0, 0, 0), depth=5).numbers) == 0
    )


def test_an_empty_folder_is_an_empty_index(tmp_path: Path) -> None:
    apply(tmp_path, removed=[identifier(1)])
    index, query = opened(tmp_path), unit(1, 0, 0, 0)
    assert len(index) == 0
    assert index.article_ids() == frozenset()
    assert index.nearest(query, depth=5).numbers.tolist() == []
    assert index.nearest(query, depth=5, within=only([1])).beyond is None
    assert index.scores(query, np.array([1])).numbers.tolist() == []
    assert index.spread(query) == 0.0
    assert list(tmp_path.iterdir()) == []


def test_several_threads_search_at_once(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    apply(tmp_path, added=[item for n in range(40) for item in some(random, n, passages=2)])
    index = opened(tmp_path)
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
