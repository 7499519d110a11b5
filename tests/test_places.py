"""Where phrases and nears stand, compared with going through the texts term by term."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keywords import places
from index.keywords.places import CODE_BYTES, Codes, Texts, clusters, code, coded, counted, runs

TEXT = st.lists(st.sampled_from("abcd"), max_size=10)
ARTICLES = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4)
WANTED = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


def codes_of(articles: Sequence[tuple[list[str], list[str]]]) -> Codes:
    return np.frombuffer(b"".join(coded(title, body) for title, body in articles), "<u8")


@given(ARTICLES, WANTED)
def test_a_run_is_counted_in_each_text_as_often_as_it_begins(
    articles: list[tuple[list[str], list[str]]], wanted: list[str]
) -> None:
    codes = codes_of(articles)
    expected = [
        [sum(text[at : at + len(wanted)] == wanted for at in range(len(text))) for text in article]
        for article in articles
    ]
    assert counted(codes, runs(codes, wanted)).tolist() == expected


@given(ARTICLES, WANTED, st.integers(0, 5))
def test_a_cluster_is_counted_in_each_text_as_often_as_a_shortest_stretch_ends(
    articles: list[tuple[list[str], list[str]]], wanted: list[str], distance: int
) -> None:
    codes, width = codes_of(articles), len(wanted) + distance
    expected = [[len(shortest(text, wanted, width)) for text in article] for article in articles]
    assert counted(codes, clusters(codes, wanted, width=width)).tolist() == expected


def shortest(text: list[str], wanted: list[str], width: int) -> set[tuple[int, int]]:
    """Return the stretches that hold all that is wanted and within which no other does."""
    complete = {
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if end - start <= width and not Counter(wanted) - Counter(text[start:end])
    }
    return {one for one in complete if not any(one[0] <= s and e <= one[1] for s, e in complete - {one})}


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
@given(articles=st.lists(st.tuples(TEXT, TEXT), max_size=8), data=st.data())
def test_texts_are_given_whole_and_in_order_however_many_at_a_time(
    at_once: int, articles: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    wanted = sorted(data.draw(st.sets(st.sampled_from(range(len(articles))))) if articles else [])
    texts = Texts(codes_of(articles), np.array([len(title) + len(body) + 2 for title, body in articles], np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "CODES_AT_ONCE", at_once)
        given_ = list(texts.of(np.array(wanted, np.int64)))
    assert [number for some, _ in given_ for number in some.tolist()] == wanted
    for some, codes in given_:
        assert codes.tobytes() == codes_of([articles[number] for number in some.tolist()]).tobytes()


def test_a_code_tells_terms_apart_and_is_never_the_end_of_a_text() -> None:
    found = {code(f"term{number}") for number in range(100_000)}
    assert len(found) == 100_000
    assert bytes(CODE_BYTES) not in found
    assert {len(one) for one in found} == {CODE_BYTES}
