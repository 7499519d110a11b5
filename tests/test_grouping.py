"""Looking for copies in an archive: what belongs together, whatever happens to it and wherever the search is killed."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from copied import FIRST, grouped, name, report, story
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_copies import cases

from archive import grouping
from archive.article import Article
from archive.grouping import find_copies
from archive.store import Store

ROOT = Path(__file__).resolve().parent.parent
WIRE = ROOT.parent / "shared" / "data" / "news" / "wire-1987.jsonl.gz"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "archive.sqlite3")
    yield opened
    opened.close()


def fill(store: Store, *articles: Article) -> None:
    for each in articles:
        store.put(each)
    find_copies(store)


FLOOD = (
    report(1, story("flood"), hours=5),
    report(2, story("flood", until=9), hours=2),
    report(3, "A local lead. " + story("flood", since=1), hours=9),
)


def test_copies_are_grouped_with_the_earliest_as_the_origin(store: Store) -> None:
    fill(store, *FLOOD, report(4, story("fire"), hours=1), report(5, story("fire"), hours=0), report(6, story("calm")))
    assert grouped(store) == {(2, 1, 3), (5, 4)}
    assert store.copies_of([name(6), "unknown"]) == {}
    assert store.stats().copies == 5


def test_the_undated_come_last_and_then_what_came_in_last(store: Store) -> None:
    fill(store, report(9, story("flood")), report(8, story("flood")), report(7, story("flood"), hours=3))
    assert grouped(store) == {(7, 9, 8)}


def test_a_copy_that_comes_later_joins_its_group_and_may_join_two(store: Store) -> None:
    first, second = story("flood", until=8), story("flood", since=8)
    fill(store, report(1, first, hours=1), report(2, first, hours=2))
    fill(store, report(3, second, hours=3), report(4, second, hours=4))
    assert grouped(store) == {(1, 2), (3, 4)}
    fill(store, report(5, first + " " + second, hours=5))
    assert grouped(store) == {(1, 2, 3, 4, 5)}


def test_an_article_that_changed_is_judged_anew_and_so_is_what_it_leaves(store: Store) -> None:
    first, second = story("flood", until=8), story("flood", since=8)
    fill(store, report(1, first, hours=1), report(2, first + second, hours=2), report(3, second, hours=3))
    assert grouped(store) == {(1, 2, 3)}
    fill(store, report(2, story("fire"), hours=2), report(4, story("fire"), hours=4))
    assert grouped(store) == {(2, 4)}
    fill(store, report(2, first, hours=2, section="Weather"))
    assert grouped(store) == {(1, 2)}


def test_a_removed_origin_is_followed_by_the_next_at_once(store: Store) -> None:
    fill(store, *FLOOD)
    store.remove(name(2))
    assert grouped(store) == {(1, 3)}
    assert store.copies_of([name(2)]) == {}
    store.remove(name(1))
    assert grouped(store) == set()
    assert store.stats().copies == 0
    find_copies(store)
    assert store.copy_groups()[1] == {}


def test_an_embargoed_copy_is_no_copy_until_it_is_shown(store: Store) -> None:
    fill(store, FLOOD[0], report(2, story("flood"), hours=1, status="embargoed"))
    assert grouped(store) == set()
    fill(store, report(2, story("flood") + " Now it is out.", hours=1))
    assert grouped(store) == {(2, 1)}


def test_a_second_look_finds_nothing_to_do(store: Store) -> None:
    fill(store, *FLOOD)
    before = store.copy_groups()
    heard: list[tuple[str, int, int | None]] = []
    find_copies(store, progress=lambda *told: heard.append(told))
    assert (store.copy_groups(), heard) == (before, [])


def test_progress_counts_articles_to_the_end(store: Store) -> None:
    for each in FLOOD:
        store.put(each)
    heard: list[tuple[str, int, int | None]] = []
    find_copies(store, progress=lambda *told: heard.append(told))
    assert {stage for stage, _, _ in heard} == {"copies"}
    assert heard[-1] == ("copies", 3, 3)


@pytest.mark.parametrize("body", ["", "\u0000" * 100_000, "flood " * 150_000, "...", "水" * 10_000])
def test_any_text_is_a_copy_of_itself_and_of_no_other(store: Store, body: str) -> None:
    fill(store, report(1, body, hours=1), report(2, body, hours=2), report(3, story("flood")), report(4, story("fire")))
    assert grouped(store) <= {(1, 2)}


def test_texts_without_words_are_not_copies_of_each_other(store: Store) -> None:
    fill(store, report(1, "", hours=1), report(2, "...", hours=2), report(3, "—", hours=3))
    assert grouped(store) == set()


# Interruptions, and others at work


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "remove", "look"]),
        st.integers(0, 7),
        st.sampled_from(["flood", "fire", "calm"]),
        st.sampled_from([(0, 16), (0, 9), (2, 16), (7, 16)]),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_step_by_step_one_comes_to_groups_of_real_copies_that_leave_none_out(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str, tuple[int, int]]]
) -> None:
    store = Store(tmp_path_factory.mktemp("steps") / "archive.sqlite3")
    for what, number, text, (since, until) in steps:
        if what == "put":
            store.put(report(number, story(text, since=since, until=until), hours=number, section=f"{since}"))
        elif what == "remove" and name(number) in store.live_ids():
            store.remove(name(number))
        elif what == "look":
            find_copies(store)
    find_copies(store)
    at_once = Store(tmp_path_factory.mktemp("once") / "archive.sqlite3")
    for each in store.live(store.live_ids()).values():
        at_once.put(each)
    find_copies(at_once)
    assert {frozenset(group) for group in grouped(store)} == {frozenset(group) for group in grouped(at_once)}
    store.close()
    at_once.close()


def test_small_steps_find_what_one_step_finds(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "STEP", 2)
    monkeypatch.setattr(grouping, "SIGNED", 1)
    monkeypatch.setattr(grouping, "JUDGED", 1)
    fill(store, *FLOOD, *(report(number, story(f"{number // 3}"), hours=number) for number in range(10, 22)))
    assert grouped(store) == {(2, 1, 3), (10, 11), (12, 13, 14), (15, 16, 17), (18, 19, 20)}


KILLED = """
import os, sys
from pathlib import Path
from archive import grouping
from archive.store import Store
store, stops, calls = Store(Path(sys.argv[1])), int(sys.argv[2]), 0
grouping.STEP, grouping.SIGNED = 4, 2
def once_more(method):
    def called(self, *args, **kwargs):
        global calls
        calls += 1
        if calls == stops:
            os.kill(os.getpid(), 9)
        return method(self, *args, **kwargs)
    return called
for name in ("put_signatures", "put_copies", "copies_seq", "signatures"):
    setattr(Store, name, once_more(getattr(Store, name)))
grouping.find_copies(store)
"""


@pytest.mark.parametrize("stops", [1, 2, 4, 5, 7, 9])
def test_who_is_killed_anywhere_goes_on_and_comes_to_the_same(store: Store, tmp_path: Path, stops: int) -> None:
    for each in (*FLOOD, *(report(number, story("fire"), hours=number) for number in (11, 12))):
        store.put(each)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "archive.sqlite3"), str(stops)]
    ended = subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=False)
    assert ended.returncode == -signal.SIGKILL
    find_copies(store)
    assert grouped(store) == {(2, 1, 3), (11, 12)}
    assert store.check() == []


def test_what_another_process_has_kept_meanwhile_stands(store: Store, tmp_path: Path) -> None:
    for each in FLOOD:
        store.put(each)
    other = Store(tmp_path / "archive.sqlite3")

    def at_work(_stage: str, _done: int, _total: int | None) -> None:
        find_copies(other)

    find_copies(store, progress=at_work)
    assert grouped(store) == {(2, 1, 3)}
    assert not store.put_copies([[name(1), name(2)]], judged=[], after=0, until=1)
    assert grouped(store) == {(2, 1, 3)}
    other.close()


# What is found in what others wrote, and in what we wrote for it


def test_of_the_cases_written_for_it_copies_and_origins_are_right(store: Store) -> None:
    """Some are hard on purpose: a copy dated by the day alone, an undated origin."""
    numbers = {}
    for case in cases():
        for place, kind in enumerate(("origin", "copy", "independent")):
            number = 3 * int(str(case["case"])) + place
            numbers[name(number)] = (case["case"], kind)
            date = case[kind]["published_at"]
            hours = None if date is None else (datetime.fromisoformat(date) - FIRST).total_seconds() / 3600
            store.put(report(number, case[kind]["text"], hours=hours))
    find_copies(store)
    groups = store.copies_of(store.live_ids())
    found = {frozenset(group) for group in groups.values()}
    pairs = {frozenset((a, b)) for group in found for a in group for b in group if a != b}
    wanted = {frozenset((name(3 * n), name(3 * n + 1))) for n in range(len(cases()))}
    assert 2 * len(pairs & wanted) / (len(pairs) + len(wanted)) >= 0.95
    origins = [numbers[group[0]][1] for group in {tuple(group) for group in groups.values()}]
    assert origins.count("origin") >= 0.9 * len(wanted)


@pytest.mark.skipif(not WIRE.exists(), reason="../shared/data/news is not here: see its README.md")
def test_every_exact_duplicate_of_a_wire_is_grouped(store: Store) -> None:
    with gzip.open(WIRE, "rt", encoding="utf-8") as lines:
        bodies = [json.loads(line)["body"] for line in lines]
    same: dict[str, list[int]] = {}
    for number, body in enumerate(bodies):
        same.setdefault(body, []).append(number)
    twins = [numbers for numbers in same.values() if len(numbers) > 1]
    others = random.Random(1).sample(range(len(bodies)), 500)
    chosen = {*others, *(number for numbers in twins for number in numbers)}
    fill(store, *(report(number, bodies[number], hours=number) for number in sorted(chosen)))
    groups = store.copies_of(store.live_ids())
    assert len(twins) > 250
    for numbers in twins:
        assert {name(number) for number in numbers} <= set(groups[name(numbers[0])])
