"""Models in use: opened once, held by who needs them, let go with the last; and refused when they are not sound."""

import gc
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from newsroom import MeaningEmbedder, OtherEmbedder, TwinEmbedder

from index.embedder import Embedder
from index.engine import Vectors
from index.errors import ModelMismatch, ModelUnavailable
from index.models import Models, prove


def test_a_model_is_opened_once_however_many_ask_and_only_when_it_is_needed() -> None:
    opened: list[str] = []

    def open_model(sha256: str) -> Embedder:
        opened.append(sha256)
        return MeaningEmbedder()

    models = Models(open_model)
    held = models.of(MeaningEmbedder.sha256)
    assert (opened, models.is_open(held.sha256), models.is_open(None)) == ([], False, False)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: models.embedder(MeaningEmbedder.sha256), range(32)))
    assert (len(found), opened, models.is_open(held.sha256)) == (1, [MeaningEmbedder.sha256], True)


def test_a_model_that_nobody_holds_any_more_is_let_go() -> None:
    models = Models(lambda _: MeaningEmbedder())
    held = models.of(MeaningEmbedder.sha256)
    embedder = weakref.ref(held.embedder())
    assert embedder() is not None
    del held
    gc.collect()
    assert embedder() is None
    assert not models.is_open(MeaningEmbedder.sha256)


def test_what_stands_in_the_place_of_a_model_is_not_taken_for_it_and_is_looked_at_again() -> None:
    there: list[Embedder] = [TwinEmbedder()]
    models = Models(lambda _: there[0])
    held = models.of(MeaningEmbedder.sha256)
    with pytest.raises(ModelMismatch, match="another model than twin"):
        held.embedder()
    there[0] = MeaningEmbedder()
    assert held.embedder().name == "meanings"


class Broken(MeaningEmbedder):
    """A model with something wrong with its vectors."""

    def __init__(self, wrong: float = 1.0, *, same: bool = False, longer: int = 0) -> None:
        self.wrong, self.same, self.longer = wrong, same, longer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return what is wrong."""
        vectors = super().embed(["one"] * len(texts) if self.same else texts) * np.float32(self.wrong)
        return np.pad(vectors, ((0, 0), (0, self.longer)))


@pytest.mark.parametrize("sound", [MeaningEmbedder(), OtherEmbedder(), TwinEmbedder()])
def test_a_sound_model_is_let_through(sound: Embedder) -> None:
    prove(sound)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Broken(float("nan")), "not finite or not of norm 1"),
        (Broken(float("inf")), "not finite or not of norm 1"),
        (Broken(0.5), "not finite or not of norm 1"),
        (Broken(same=True), "the same vector of different texts"),
        (Broken(longer=3), "vectors of 67 numbers, not 64"),
    ],
)
def test_a_broken_model_is_refused_before_anything_is_built(broken: Embedder, reason: str) -> None:
    with pytest.raises(ModelUnavailable, match=reason), np.errstate(invalid="ignore"):
        prove(broken)


def test_the_real_model_is_sound(real_embedder: Embedder) -> None:
    prove(real_embedder)
