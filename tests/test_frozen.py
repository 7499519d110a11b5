"""Frozen sets: which are kept, for how long, and what a cursor says."""

from dataclasses import dataclass
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import frozen
from index.frozen import KEPT_SECONDS, FrozenSets, cursor_of, read_cursor, token_of


@dataclass(frozen=True)
class Kept:
    """A set that takes so many bytes."""

    token: str
    nbytes: int = 10


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_latest_set_of_a_question_is_found_and_earlier_ones_by_name_still() -> None:
    sets = FrozenSets[Kept]()
    sets.keep("question", Kept("first"))
    sets.keep("other", Kept("another"))
    sets.keep("question", Kept("second"))
    assert sets.latest("question") == Kept("second")
    assert sets.named("first") == Kept("first")
    assert sets.latest("unheard") is None


def test_a_set_expires_some_time_after_it_was_last_used() -> None:
    clock = Clock()
    sets = FrozenSets[Kept](clock=clock)
    sets.keep("question", Kept("one"))
    clock.now = KEPT_SECONDS
    assert sets.named("one") == Kept("one")
    clock.now = 2 * KEPT_SECONDS
    assert sets.latest("question") == Kept("one")
    clock.now = 3 * KEPT_SECONDS + 1
    assert sets.latest("question") is None
    assert sets.named("one") is None


def test_the_sets_used_least_recently_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "MOST_SETS", 3)
    sets = FrozenSets[Kept]()
    for token in "abc":
        sets.keep(token, Kept(token))
    sets.named("a")
    sets.keep("d", Kept("d"))
    assert [sets.latest(token) is not None for token in "abcd"] == [True, False, True, True]


def test_sets_give_way_to_the_memory_they_take_but_never_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "MOST_BYTES", 100)
    sets = FrozenSets[Kept]()
    for token in ("a", "b", "c"):
        sets.keep(token, Kept(token, nbytes=40))
    assert [sets.latest(token) is not None for token in "abc"] == [False, True, True]
    sets.keep("big", Kept("big", nbytes=500))
    assert [sets.latest(token) is not None for token in ("b", "c", "big")] == [False, False, True]
    sets.keep("a", Kept("a", nbytes=40))
    assert sets.latest("big") is None
    assert sets.latest("a") is not None


def test_a_set_kept_again_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "MOST_BYTES", 100)
    sets = FrozenSets[Kept]()
    for _ in range(10):
        sets.keep("a", Kept("a", nbytes=40))
    sets.keep("b", Kept("b", nbytes=40))
    assert sets.latest("a") is not None


def test_forgotten_questions_take_no_room_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "MOST_SETS", 4)
    sets = FrozenSets[Kept]()
    for number in range(1000):
        sets.keep(number, Kept(str(number)))
    assert len(sets._latest) <= 9


def test_threads_may_keep_and_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "MOST_SETS", 5)
    sets = FrozenSets[Kept]()
    failures: list[Exception] = []

    def use(thread: int) -> None:
        try:
            for number in range(500):
                token = str((thread * 7 + number) % 11)
                sets.keep(token, Kept(token))
                sets.latest(token)
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=use, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 10**9 - 1))
def test_a_cursor_says_what_it_was_made_of(token: str, start: int) -> None:
    assert read_cursor(cursor_of(token, start)) == (token, start)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    found = read_cursor(text)
    assert found is None or cursor_of(*found) == text or text.split("-")[1].startswith("0")


def test_a_token_is_the_same_for_the_same_parts_only() -> None:
    assert token_of("a", 1) == token_of("a", 1)
    assert len({token_of("a", 1), token_of("a", 2), token_of("a1"), token_of("\ud800")}) == 4
