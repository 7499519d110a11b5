"""Texts kept as hashes of their terms, and how they are read again."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keywords import places
from index.keywords.hashed import CODE_BYTES, Codes, Texts, code, coded
from index.keywords.places import END, OTHER

TEXT = st.lists(st.sampled_from("abcd"), max_size=10)


def codes_of(articles: Sequence[tuple[list[str], list[str]]]) -> Codes:
    return np.frombuffer(b"".join(coded(title, body) for title, body in articles), "<u8")


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
@given(articles=st.lists(st.tuples(TEXT, TEXT), max_size=8), data=st.data())
def test_texts_are_given_whole_and_in_order_however_many_at_a_time(
    at_once: int, articles: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    wanted = sorted(data.draw(st.sets(st.sampled_from(range(len(articles))))) if articles else [])
    texts = Texts(codes_of(articles), np.array([len(title) + len(body) + 2 for title, body in articles], np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "PLACES_AT_ONCE", at_once)
        given_ = list(texts.of(np.array(wanted, np.int64), "ca"))
    assert [number for some, _ in given_ for number in some.tolist()] == wanted
    marks = {"c": 1, "a": 2}
    for some, given_marks in given_:
        expected = [
            mark
            for number in some.tolist()
            for text in articles[number]
            for mark in [*(marks.get(one, OTHER) for one in text), END]
        ]
        assert given_marks.tolist() == expected


def test_a_code_tells_terms_apart_and_is_never_the_end_of_a_text() -> None:
    found = {code(f"term{number}") for number in range(100_000)}
    assert len(found) == 100_000
    assert bytes(CODE_BYTES) not in found
    assert {len(one) for one in found} == {CODE_BYTES}
