"""The table of word pieces: directions by meaning, lengths by weight, and what a broken piece does to the others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from index.embedder import BUNDLED, _locate
from index.engine import Vectors
from index.pieces import BATCH_PIECES, PieceTable, WordPieces, make_table, save_table
from index.tokens import Tokenizer

WORDS = ["[CLS]", "!", "the", "of", *(f"word{number}" for number in range(96))]
VOCABULARY = {word: number for number, word in enumerate(WORDS)}
VECTORS = np.random.default_rng(7).normal(size=(len(WORDS), 8)).astype(np.float32) + 3


def texts(vocabulary: dict[str, int]) -> list[list[int]]:
    return [[101, piece, 102] for piece in sorted(vocabulary.values())]


def infer(batch: Sequence[Sequence[int]]) -> Vectors:
    assert all((text[0], text[-1]) == (101, 102) for text in batch)
    found: Vectors = VECTORS[[text[1] for text in batch]]
    return found


def lengths(table: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(table.astype(np.float32), axis=1))


def test_the_more_frequent_a_piece_the_less_it_weighs() -> None:
    weights = lengths(make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=infer))
    assert (np.diff(weights[VOCABULARY["the"] :]) > 0).all()
    assert 0 < weights[VOCABULARY["the"]] < weights[-1] / 50
    assert weights.max() <= 1


def test_marks_and_punctuation_before_the_first_word_weigh_as_little_as_that() -> None:
    weights = lengths(make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=infer))
    assert np.allclose(weights[:2], weights[VOCABULARY["the"]], rtol=1e-2)


def test_a_vocabulary_without_english_words_is_weighed_from_its_first_piece_on() -> None:
    vocabulary = {f"x{number}": number for number in range(50)}
    weights = lengths(make_table(texts(vocabulary), vocabulary=vocabulary, infer=infer))
    assert (np.diff(weights) > 0).all()


def test_what_all_pieces_share_is_taken_away() -> None:
    table = make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=infer).astype(np.float32)
    centred = VECTORS - VECTORS.mean(axis=0)
    cosines = np.sum(table * centred, axis=1) / np.linalg.norm(table, axis=1) / np.linalg.norm(centred, axis=1)
    assert np.allclose(cosines, 1, atol=1e-3)


def test_a_large_vocabulary_goes_through_the_model_in_batches_and_in_order() -> None:
    vocabulary = {f"x{number}": number for number in range(2 * BATCH_PIECES + 5)}
    sizes = []

    def counted(batch: Sequence[Sequence[int]]) -> Vectors:
        sizes.append(len(batch))
        return np.array([[text[1], 1.0] for text in batch], dtype=np.float32)

    table = make_table(texts(vocabulary), vocabulary=vocabulary, infer=counted)
    assert sizes == [BATCH_PIECES, BATCH_PIECES, 5]
    assert np.sign(table[[0, -1], 0]).tolist() == [-1, 1]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_piece_that_the_model_makes_nothing_of_spoils_no_other(broken: float) -> None:
    def breaking(batch: Sequence[Sequence[int]]) -> Vectors:
        vectors = infer(batch).copy()
        vectors[40] = broken
        return vectors

    whole = make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=infer).astype(np.float32)
    table = make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=breaking).astype(np.float32)
    assert not table[40].any()
    others = np.arange(len(table)) != 40
    cosines = np.sum(table * whole, axis=1)[others] / (lengths(table) * lengths(whole))[others]
    assert cosines.min() > 0.99


def test_a_table_is_read_from_disk_piece_by_piece_in_the_order_asked(tmp_path: Path) -> None:
    table = make_table(texts(VOCABULARY), vocabulary=VOCABULARY, infer=infer)
    save_table(table, tmp_path / "pieces.npy")
    opened = PieceTable(tmp_path / "pieces.npy")
    found = opened.vectors([5, 3, 5])
    assert found.dtype == np.float32
    steps = np.abs(table[[5, 3, 5]]).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - table[[5, 3, 5]]) <= 0.51 * steps).all()
    assert opened.vectors([]).shape == (0, 8)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pieces.npy").write_bytes(b"not a table")
    with pytest.raises(ValueError, match="magic"):
        PieceTable(tmp_path / "pieces.npy")


def test_an_array_of_another_kind_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pieces.npy", VECTORS.astype(np.float16))
    with pytest.raises(ValueError, match="not a table of pieces"):
        PieceTable(tmp_path / "pieces.npy")


def test_a_piece_of_no_weight_is_nothing_but_zeros_when_it_is_read(tmp_path: Path) -> None:
    save_table(np.stack([np.zeros(8), VECTORS[0]]).astype(np.float32), tmp_path / "table.npy")
    found = PieceTable(tmp_path / "table.npy").vectors([0, 1])
    assert not found[0].any()
    assert found[1].any()


def test_each_word_is_cut_once_however_it_is_written() -> None:
    cut: list[str] = []

    def letters(words: Sequence[str]) -> list[list[int]]:
        cut.extend(words)
        return [list(map(ord, word)) for word in words]

    pieces = WordPieces(letters, fold=str.lower)
    assert [bytes(ids).decode() for ids in pieces(["To", "be", "or", "to"])] == ["to", "be", "or", "to"]
    assert pieces([]) == []
    pieces(["be", "it"])
    assert sorted(cut) == ["be", "it", "or", "to"]


@pytest.mark.model
def test_words_cut_together_have_the_pieces_each_has_alone() -> None:
    tokenizer = Tokenizer(_locate(BUNDLED).folder, limit=256)
    words = ["The", "flood's", "tstfowing!", "Überschwemmung", "水水", "...", "\u200b", "U.S.-China", "$3.50", "naïve"]
    assert tokenizer.pieces(words) == [tokenizer.pieces([word])[0] for word in words]
    assert tokenizer.pieces([]) == []
    assert (tokenizer.fold("Flood"), tokenizer.pieces(["Flood"])) == ("flood", tokenizer.pieces(["flood"]))
