"""The law of stories: told one by one, in any order, they are what telling them from scratch gives; and their names."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.story import Event
from index.likeness import likeness, nearness, portrait
from index.stories.group import TIME, UNDATED, Group
from index.stories.linkage import linkage
from index.stories.naming import named
from index.stories.region import Pairs, region, told

THRESHOLD = 0.5
Likenesses = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Points:
    """A cluster of points whose likenesses are given."""

    members: frozenset[str]
    likenesses: Likenesses

    def __len__(self) -> int:
        return len(self.members)

    def joined(self, other: "Points") -> "Points":
        return Points(self.members | other.members, self.likenesses)

    def total(self, other: "Points") -> float:
        pairs = [(min(a, b), max(a, b)) for a in self.members for b in other.members]
        return sum(self.likenesses.get(pair, 0.0) for pair in pairs)


class Told:
    """Stories told so far, and the graph of the articles that have arrived."""

    def __init__(self, likenesses: Likenesses) -> None:
        self.likenesses = likenesses
        self.arrived: set[str] = set()
        self.stories: list[list[str]] = []
        self.walked: list[int] = []

    def neighbours(self, articles: Sequence[str]) -> Pairs:
        self.walked.append(len(articles))
        return {
            pair: value
            for pair, value in self.likenesses.items()
            if value >= THRESHOLD and set(pair) <= self.arrived and set(pair) & set(articles)
        }

    def among(self, articles: Sequence[str]) -> Pairs:
        return {pair: value for pair, value in self.neighbours(articles).items() if set(pair) <= set(articles)}

    def siblings(self, articles: Set[str]) -> Set[str]:
        return {other for story in self.stories for other in story if set(story) & set(articles)}

    def take(self, articles: Sequence[str], *, most: int = 1000) -> set[str]:
        """Tell the stories again after these have arrived, and return which articles were looked at."""
        self.arrived.update(articles)
        reached, pairs = region(articles, self, most=most)
        clusters = {article: Points(frozenset({article}), self.likenesses) for article in reached}
        untouched = [story for story in self.stories if not set(story) & reached]
        self.stories = sorted(untouched + told(pairs, clusters, threshold=THRESHOLD))
        return reached


@st.composite
def archives(draw: st.DrawFn) -> tuple[Likenesses, list[str]]:
    """Likenesses of up to a dozen articles, many of them equal, and an order of arrival."""
    articles = [f"a{number:02}" for number in range(draw(st.integers(1, 12)))]
    values = st.sampled_from([0.0, 0.25, 0.375, 0.5, 0.625, 0.75, 1.0])
    likenesses = {pair: draw(values) for pair in combinations(articles, 2)}
    return likenesses, draw(st.permutations(articles))


@given(archives(), st.integers(1, 4))
def test_however_articles_arrive_the_stories_are_those_told_from_scratch(
    archive: tuple[Likenesses, list[str]], batch: int
) -> None:
    likenesses, order = archive
    scratch, arriving = Told(likenesses), Told(likenesses)
    scratch.take(order)
    for start in range(0, len(order), batch):
        arriving.take(order[start : start + batch])
    assert arriving.stories == scratch.stories


@given(archives())
def test_stories_are_alike_within_and_not_between(archive: tuple[Likenesses, list[str]]) -> None:
    likenesses, order = archive
    stories = Told(likenesses)
    stories.take(order)
    groups = [Points(frozenset(story), likenesses) for story in stories.stories]
    assert sorted(article for story in stories.stories for article in story) == sorted(order)
    for one, other in combinations(groups, 2):
        assert one.total(other) / (len(one) * len(other)) < THRESHOLD
    for group in groups:
        if len(group) == 2:
            assert likenesses[min(group.members), max(group.members)] >= THRESHOLD


def plain(likenesses: Sequence[tuple[int, int, float]], *, points: int) -> list[list[int]]:
    """Return what average linkage finds the slow way, looking at every pair of clusters each time."""
    table = {(one, other): value for one, other, value in likenesses}
    clusters = [[point] for point in range(points)]
    while True:
        best = max(
            (
                (np.mean([table.get((min(p, q), max(p, q)), 0) for p in a for q in b]), -a[0], -b[0])
                for a, b in combinations(sorted(clusters), 2)
            ),
            default=(0, 0, 0),
        )
        if best[0] < THRESHOLD:
            return sorted(clusters)
        one, other = (next(c for c in clusters if c[0] == -first) for first in best[1:])
        clusters = [*(c for c in clusters if c not in (one, other)), sorted(one + other)]


@given(archives())
def test_looking_only_at_clusters_with_a_pair_alike_enough_misses_none(archive: tuple[Likenesses, list[str]]) -> None:
    likenesses, order = archive
    numbers = {article: number for number, article in enumerate(sorted(order))}
    pairs = {(numbers[a], numbers[b]): value for (a, b), value in likenesses.items()}
    clusters = [Points(frozenset({article}), likenesses) for article in sorted(order)]
    near = {pair: value for pair, value in pairs.items() if value >= THRESHOLD}
    slow = plain([(one, other, value) for (one, other), value in pairs.items()], points=len(order))
    assert linkage(clusters, near, threshold=THRESHOLD) == slow


def test_a_walk_that_would_go_too_far_ends_and_tells_whole_stories() -> None:
    chain = [f"a{number:02}" for number in range(10)]
    likenesses = dict.fromkeys(combinations(chain, 2), 0.0)
    likenesses |= dict.fromkeys(pairwise(chain), 0.5)
    stories = Told(likenesses)
    stories.take(chain)
    assert stories.stories[0] == ["a00", "a01"]
    stories.walked.clear()
    assert stories.take(["a00"], most=4) == {"a00", "a01", "a02", "a03", "a04", "a05"}
    assert stories.stories == [["a00", "a01"], ["a02", "a03"], ["a04", "a05"], ["a06", "a07"], ["a08", "a09"]]


words = st.dictionaries(st.integers(0, 9), st.floats(0.01, 1), min_size=1, max_size=6)
days = st.one_of(st.none(), st.floats(0, 20_000))
articles = st.tuples(words, st.integers(0, 1000), days)


def group(drawn: tuple[dict[int, float], int, float | None]) -> Group:
    terms, seed, moment = drawn
    vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
    return Group.of(portrait(vector / np.linalg.norm(vector), terms, moment=moment))


@given(articles, articles)
def test_two_reports_are_as_like_as_articles_are_less_what_their_time_apart_takes(
    one: tuple[dict[int, float], int, float | None], other: tuple[dict[int, float], int, float | None]
) -> None:
    portraits = []
    for terms, seed, moment in (one, other):
        vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
        portraits.append(portrait(vector / np.linalg.norm(vector), terms, moment=moment))
    apart = np.nan if one[2] is None or other[2] is None else one[2] - other[2]
    late = TIME * (1 - nearness(np.array([apart]), unknown=UNDATED)[0])
    assert group(one).total(group(other)) == pytest.approx(likeness(*portraits) - late, abs=1e-5)


@given(st.lists(articles, min_size=1, max_size=5), st.lists(articles, min_size=1, max_size=5))
def test_groups_are_as_like_as_all_their_pairs_sum_up_to(
    here: list[tuple[dict[int, float], int, float | None]], there: list[tuple[dict[int, float], int, float | None]]
) -> None:
    sums = []
    for drawn in (here, there):
        total = group(drawn[0])
        for each in drawn[1:]:
            total = total.joined(group(each))
        sums.append(total)
    pairs = sum(group(one).total(group(other)) for one in here for other in there)
    assert sums[0].total(sums[1]) == pytest.approx(pairs, abs=1e-4)


def test_a_cluster_goes_on_with_the_story_it_shares_most_with_and_of_equals_the_older() -> None:
    stories, events = named({"a": 7, "b": 7, "c": 4, "d": 4}, [["a", "b", "c", "d"]], following=9)
    assert stories == dict.fromkeys("abcd", 4)
    assert events == [Event(7, "merged", 4, 4)]


def test_of_two_clusters_of_one_story_the_larger_part_keeps_its_number() -> None:
    stories, events = named(dict.fromkeys("abcde", 3), [["a", "b"], ["c", "d", "e"], ["f", "g"]], following=9)
    assert stories == {"a": 9, "b": 9, "c": 3, "d": 3, "e": 3, "f": 10, "g": 10}
    assert events == [Event(9, "split", 3, 2), Event(10, "founded", None, 2)]


def test_a_story_that_falls_apart_into_single_articles_ends() -> None:
    assert named({"a": 1, "b": 1}, [["a"], ["b"]], following=2) == ({}, [Event(1, "ended", None, 0)])


clusterings = st.lists(st.integers(0, 4), min_size=10, max_size=10).map(
    lambda drawn: [[a for a, c in zip("abcdefghij", drawn, strict=True) if c == cluster] for cluster in range(5)]
)


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 4)), clusterings)
def test_every_story_that_begins_or_is_no_more_has_one_event(old: dict[str, int], clusters: list[list[str]]) -> None:
    stories, events = named(old, clusters, following=5)
    before, after = set(old.values()), set(stories.values())
    assert {event.story for event in events if event.kind in ("founded", "split")} == after - before
    assert {event.story for event in events if event.kind in ("merged", "ended")} == before - after
    assert len(events) == len({event.story for event in events})
    assert all(event.other in after for event in events if event.kind == "merged")
    for cluster in clusters:
        assert len({stories.get(article) for article in cluster}) <= 1
    assert len(after) == sum(len(cluster) > 1 for cluster in clusters)


@given(clusterings)
def test_telling_the_same_again_changes_no_number(clusters: list[list[str]]) -> None:
    first, _ = named({}, clusters, following=1)
    assert named(first, clusters, following=6) == (first, [])
