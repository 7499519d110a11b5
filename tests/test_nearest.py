"""Which articles may be alike enough for one story, however many are."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from index.engine import Candidates, Engine, Vectors, as_ids, unscored
from index.stories import nearest
from index.stories.nearest import CROWD, NEAREST, Nearest

DIMENSION = 16


def made(vectors: Vectors, days: list[float]) -> Nearest:
    """Return the articles of these vectors, published on these days."""
    ids = [f"{number:016}" for number in range(len(vectors))]

    def candidates(*_: object, **__: object) -> Candidates:
        return unscored(as_ids(ids), np.arange(len(ids)))

    def means(asked: Candidates) -> Vectors:
        return vectors[asked.numbers]

    engine = cast("Engine", SimpleNamespace(candidates=candidates, means=means))
    return Nearest(engine, dict(zip(ids, days, strict=True)))


def alike(count: int, *, spread: float, seed: int = 0) -> Vectors:
    """Return vectors of norm 1 that a model hardly tells apart: the less, the smaller the spread."""
    rng = np.random.default_rng(seed)
    vectors = 1.0 + spread * rng.standard_normal((count, DIMENSION))
    return cast("Vectors", (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32))


def pairs(found: Nearest, count: int) -> list[tuple[int, int]]:
    everything = np.arange(count)
    ones, others = found.among(everything, everything)
    return list(zip(ones.tolist(), others.tolist(), strict=True))


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("columns", [64, 1_000])
def test_a_crowd_is_told_apart_as_few_are(monkeypatch: pytest.MonkeyPatch, spread: float, columns: int) -> None:
    count = 300
    rng = np.random.default_rng(1)
    days = [float("nan") if number % 7 == 0 else float(rng.integers(0, 90)) for number in range(count)]
    articles = made(alike(count, spread=spread), days)
    monkeypatch.setattr(nearest, "COLUMNS", columns)
    monkeypatch.setattr(nearest, "CROWD", 10**9)
    few = pairs(articles, count)
    monkeypatch.setattr(nearest, "CROWD", 0)
    assert pairs(articles, count) == few
    assert len(few) == count * NEAREST


def test_of_a_crowd_no_more_are_listed_than_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 500
    assert count > CROWD
    articles = made(alike(count, spread=0.05), [0.0] * count)
    listed: list[int] = []
    compared = Nearest._compared

    def noted(self: Nearest, *given: Any) -> Any:  # noqa: ANN401 as what it stands for
        for each in compared(self, *given):
            listed.append(len(each[0]))
            yield each

    monkeypatch.setattr(Nearest, "_compared", noted)
    pairs(articles, count)
    assert listed == [count * NEAREST]
