"""The vectors of the last queries: made once, a bounded number of them, safe from several threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from index.engine import Vector
from index.recent import CAPACITY, Recent


def counting(asked: list[str]) -> Callable[[str], Vector]:
    """Return what makes a vector of a text, and writes down that it did."""

    def embed(text: str) -> Vector:
        asked.append(text)
        return np.full(4, len(text), dtype=np.float32)

    return embed


def test_the_same_text_is_embedded_once() -> None:
    asked: list[str] = []
    recent = Recent()
    vectors = [recent.vector("flood", counting(asked)) for _ in range(3)]
    assert asked == ["flood"]
    assert all(vector.tolist() == [5, 5, 5, 5] for vector in vectors)


def test_changing_a_vector_changes_none_that_is_handed_out_later() -> None:
    recent = Recent()
    for _ in range(3):
        vector = recent.vector("flood", counting([]))
        assert vector.tolist() == [5, 5, 5, 5]
        vector[:] = 0


def test_the_text_not_asked_for_longest_is_forgotten_first() -> None:
    asked: list[str] = []
    recent = Recent(capacity=2)
    for text in ("a", "bb", "a", "ccc", "a", "bb"):
        recent.vector(text, counting(asked))
    assert asked == ["a", "bb", "ccc", "bb"]


def test_what_is_remembered_is_bounded_to_some_hundred_kilobytes() -> None:
    recent = Recent()
    asked: list[str] = []
    for number in range(3 * CAPACITY):
        recent.vector(str(number), counting(asked))
    for number in range(2 * CAPACITY, 3 * CAPACITY):
        recent.vector(str(number), counting(asked))
    assert len(asked) == 3 * CAPACITY
    recent.vector(str(2 * CAPACITY - 1), counting(asked))
    assert len(asked) == 3 * CAPACITY + 1
    assert CAPACITY * 384 * 4 < 500_000


def test_a_slow_text_keeps_no_other_waiting() -> None:
    recent = Recent()
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str) -> Vector:
        begun.set()
        assert go_on.wait(timeout=10)
        return np.zeros(4, dtype=np.float32)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(recent.vector, "slow", slow)
        assert begun.wait(timeout=10)
        assert recent.vector("quick", counting([])).tolist() == [5, 5, 5, 5]
        go_on.set()
        assert waiting.result().tolist() == [0, 0, 0, 0]


def test_a_text_that_could_not_be_embedded_is_tried_again() -> None:
    recent = Recent()
    asked: list[str] = []

    def broken(text: str) -> Vector:
        raise RuntimeError("no")

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(recent.vector, "flood", broken).exception(), RuntimeError)
    recent.vector("flood", counting(asked))
    assert asked == ["flood"]
