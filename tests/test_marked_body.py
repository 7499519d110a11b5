"""A body with marks: the text stays what it is, and there is a way from match to match."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from newsroom import HOSTILE

from web import wording
from web.marked_body import marked_body

BODY = "One flood came.\n\nThen <b>nothing</b> came & went.\n \n\nA flood again."
FAR = f"flood and flood.\n\n{'Nothing. ' * 60}\n\nflood"


def places(body: str, word: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(word, body)]


def test_without_marks_it_is_its_paragraphs_escaped() -> None:
    assert marked_body(BODY).paragraphs == [Markup.escape(text) for text in wording.paragraphs(BODY)]
    assert marked_body("").paragraphs == []


def test_marks_near_each_other_are_one_place_and_each_place_leads_to_the_next() -> None:
    found = marked_body(FAR, places(FAR, "flood"))
    assert found.places == 2
    first, _, last = found.paragraphs
    assert first == (
        '<mark id="match-1"><a href="#match-2" title="Next match, 2 of 2">flood</a></mark> and <mark>flood</mark>.'
    )
    assert last == (
        '<mark id="match-2"><a href="#matches" title="The last match: back to the beginning">flood</a></mark>'
    )


def test_the_sentence_can_be_linked_to_and_holds_its_marks() -> None:
    start = BODY.index("A flood")
    found = marked_body(BODY, places(BODY, "flood"), (start, len(BODY)))
    assert found.has_sentence
    assert found.paragraphs[2] == '<span class="sense" id="sense">A <mark>flood</mark> again.</span>'


def test_what_goes_beyond_a_paragraph_is_closed_there_and_named_once() -> None:
    whole = (4, len(BODY) - 1)
    html = Markup().join(marked_body(BODY, [(4, 30)], whole).paragraphs)
    assert html.count('id="match-1"') == html.count('id="sense"') == 1
    assert html.count("<mark") == html.count("</mark>") == 2
    assert html.count("<span") == html.count("</span>") == 3


RANGES = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=8)


@given(
    st.text(max_size=60) | st.sampled_from(HOSTILE),
    RANGES,
    st.none() | st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_the_text_of_the_paragraphs_is_that_of_the_body(
    text: str, steps: list[tuple[int, int]], sentence: tuple[int, int] | None
) -> None:
    body = f"{text}\n\n{text}"
    marks, at = [], 0
    for gap, length in steps:
        start = at + gap
        if start + length <= len(body):
            marks.append((start, start + length))
            at = start + length
    inside = tuple(sorted(sentence)) if sentence else None
    found = marked_body(body, marks, inside if inside and inside[0] < inside[1] <= len(body) else None)
    bare = [Markup(re.sub(r"</?(?:mark|a|span)\b[^>]*>", "", paragraph)).unescape() for paragraph in found.paragraphs]
    assert bare == wording.paragraphs(body)
