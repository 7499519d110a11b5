"""Packing: what goes in comes out, and what is damaged is told."""

import hashlib
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from archive import packing
from archive.packing import (
    PASSAGE,
    embedding_type,
    guarded,
    pack_embeddings,
    pack_passages,
    pack_text,
    quantised,
    unguarded,
    unpack_embeddings,
    unpack_passages,
    unpack_text,
)

Vectors = NDArray[np.float32]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PASSAGES = st.lists(
    st.tuples(st.integers(0, 2**31), st.integers(1, 999), st.binary(min_size=16, max_size=16)).map(
        lambda row: (row[0], row[0] + row[1], row[2])
    )
)
DIMENSION = 24
VECTORS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.just(DIMENSION)), elements=st.floats(-1, 1, width=32)
).filter(lambda drawn: bool(np.all(np.linalg.norm(drawn, axis=1) > 0.01)))


@given(TEXTS)
def test_a_text_comes_out_as_it_went_in(text: str) -> None:
    assert unpack_text(pack_text(text)) == text


def test_a_short_text_is_packed_better_than_without_the_words() -> None:
    text = "The president of the United States said that the government would not be able to do it this year."
    assert len(pack_text(text)) < 0.6 * len(zlib.compress(text.encode()))


def test_the_words_are_those_that_archives_were_packed_over() -> None:
    digest = hashlib.sha256(packing.WORDS).hexdigest()
    assert digest == "5cd7b1eb68873772b1fd0da3567f572f14b04246733fe2ec3c45e6d9709defb8", "no archive could be read"


def test_a_text_packed_without_the_words_is_read_too() -> None:
    assert unpack_text(zlib.compress(b"It rained.")) == "It rained."


@pytest.mark.parametrize(
    "damaged", [b"", b"no text", None, "text", pack_text("It rained.")[:-1], pack_text("x") + b"!"]
)
def test_what_is_no_packed_text_is_told(damaged: object) -> None:
    with pytest.raises(ValueError, match="text"):
        unpack_text(damaged)


@given(st.binary(max_size=40), st.integers(0, 2**20))
def test_a_flipped_bit_of_what_is_guarded_is_told(content: bytes, place: int) -> None:
    kept = bytearray(guarded(content))
    assert unguarded(bytes(kept)) == content
    kept[place // 8 % len(kept)] ^= 1 << place % 8
    with pytest.raises(ValueError, match="checksum"):
        unguarded(bytes(kept))


@given(PASSAGES)
def test_passages_come_out_as_they_went_in(passages: list[tuple[int, int, bytes]]) -> None:
    packed = pack_passages(passages)
    assert len(packed) == PASSAGE.size * len(passages)
    found = unpack_passages(packed, article_id="a", version=3)
    assert [(one.start, one.end, one.text_hash) for one in found] == passages
    assert [(one.article_id, one.version, one.ordinal) for one in found] == [("a", 3, n) for n in range(len(passages))]


def unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(VECTORS)
def test_an_embedding_keeps_its_direction_and_its_norm(drawn: Vectors) -> None:
    vectors = unit(drawn)
    packed = pack_embeddings(vectors)
    assert {len(one) for one in packed} == {DIMENSION + 4} == {embedding_type(DIMENSION).itemsize}
    unpacked = unpack_embeddings(packed, dimension=DIMENSION)
    assert np.linalg.norm(unpacked, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.all(np.abs(unpacked - vectors) <= 1.5 * np.abs(vectors).max(axis=1, keepdims=True) / 127)
    assert pack_embeddings(unpacked) == packed  # so that nothing is lost by going through it twice


def test_the_highest_value_of_a_vector_takes_the_highest_step() -> None:
    steps, scales = quantised(unit(np.array([[3.0, -4.0, 0.0], [0.0, 0.0, 1.0]], np.float32)))
    assert steps.tolist() == [[95, -127, 0], [0, 0, 127]]
    assert scales == pytest.approx([1 / np.hypot(95, 127), 1 / 127])


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [3.0, 4.0], [np.nan, 1.0], [np.inf, 0.0]])
def test_what_is_no_direction_is_not_packed(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="norm is not 1"):
        pack_embeddings(np.array([[1.0, 0.0], wrong], np.float32))


def test_embeddings_of_another_dimension_are_told() -> None:
    packed = pack_embeddings(np.eye(4, dtype=np.float32))
    with pytest.raises(ValueError, match=r"dimension|size"):
        unpack_embeddings(packed, dimension=3)
