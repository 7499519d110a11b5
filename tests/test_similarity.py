"""Judged likeness: what is read, what is refused with its place, and a correlation that is the textbook's."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archive.errors import SourceError
from index.evaluation.chance import Chance
from index.evaluation.similarity import pearson, pearson_interval, read_similarities

TEXTS = "The river rose over the mill.\nThe mill was flooded.\nA comet passed over the bay.\n"
MATRIX = "1 .9 .1\n0 1 .2\n0 0 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts.txt").write_text(TEXTS)
    (tmp_path / "matrix.txt").write_text(MATRIX)
    return tmp_path


def test_texts_and_their_matrix_are_read_in_order(folder: Path) -> None:
    rated = read_similarities(folder / "texts.txt", folder / "matrix.txt")
    assert [article.body for article in rated.articles] == TEXTS.splitlines()
    assert len({article.id for article in rated.articles}) == 3
    assert rated.likeness[0, 1] == 0.9
    assert rated.background == ()


def test_articles_may_be_json_and_others_may_stand_behind_them(folder: Path) -> None:
    (folder / "more.txt").write_text('{"title": "Comet", "text": "A comet again."}\nWords of no account.\n')
    rated = read_similarities(folder / "texts.txt", folder / "matrix.txt", background=folder / "more.txt")
    assert [article.title for article in rated.background] == ["Comet", "Words of no account."]


@pytest.mark.parametrize(
    ("texts", "matrix", "told"),
    [
        (TEXTS, "1 x .1\n0 1 .2\n0 0 1", r"matrix.txt:1: not a row of numbers"),
        (TEXTS, "1 .9 .1\n0 1\n0 0 1", r"row 2 has 2 numbers, of 3 rows"),
        (TEXTS, "1 .9\n0 1", "no likeness of three articles or more"),
        (TEXTS, "1 .5 .5\n0 1 .5\n0 0 1", "differs from pair to pair"),
        (TEXTS, "1 nan .5\n0 1 .5\n0 0 1", "no likeness"),
        ("One text.", MATRIX, "3 rows for the 1 articles"),
        (TEXTS + "...", MATRIX, r"texts.txt:4: no body"),
        (TEXTS + "{", MATRIX, r"texts.txt:4: "),
        ("\xa3".encode("latin1"), MATRIX, "is not UTF-8: convert the file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(folder: Path, texts: str | bytes, matrix: str, told: str) -> None:
    (folder / "texts.txt").write_bytes(texts if isinstance(texts, bytes) else texts.encode())
    (folder / "matrix.txt").write_text(matrix)
    with pytest.raises(SourceError, match=told):
        read_similarities(folder / "texts.txt", folder / "matrix.txt")


squares = arrays(np.float64, (6, 6), elements=st.floats(-1, 1).map(lambda number: round(number, 3)))


@given(squares, squares)
def test_the_correlation_is_that_of_the_pairs_above_the_diagonal(one: np.ndarray, other: np.ndarray) -> None:
    above = np.triu_indices(6, 1)
    if np.ptp(one[above]) and np.ptp(other[above]):
        assert pearson(one, other) == pytest.approx(np.corrcoef(one[above], other[above])[0, 1], abs=1e-9)
    assert pearson(one, other) == pytest.approx(pearson(np.triu(one, 1), np.triu(other, 1)), abs=1e-9)


def test_an_interval_holds_the_correlation_and_is_the_same_from_the_same_seed() -> None:
    draws = np.random.default_rng(5)
    one = draws.normal(size=(30, 30))
    other = one + draws.normal(size=(30, 30))
    chance = Chance(seed=3, resamples=300)
    low, high = pearson_interval(one, other, chance)
    assert low < pearson(one, other) < high
    assert (low, high) == pearson_interval(one, other, chance)
    assert pearson_interval(one, one, chance) == (1.0, 1.0)
