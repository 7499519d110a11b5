"""Snippets: for any body, what is shown is of the body and what is marked are the words."""

import time
from collections.abc import Collection
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.readers.normalise import ELLIPSIS
from index.analysis import analyse, spans
from index.snippet import LENGTH, Excerpt, Range, _densest, snippet, terms_of

WORDS = frozenset({"flood", "comet", "3", "は", "cafe"})
PIECES = st.sampled_from(
    [
        *("flood", "Floods", "comet", "café", "cafe\u0301", "3", "3.5", "percent", "U.S.", "Mr.", "town", "river"),
        *(" ", " ", " ", "\n\n", "\n", "  ", "\u00a0", "\u2003", ".", ". ", "? ", "!” ", ", ", "—", "-", "(", "…"),
        *("は水", "。", "ﬁ", "\u0301", "\ud800", "\x00", "x" * 90, "’s", "E.g. "),
    ]
)
BODIES = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=200)
LENGTHS = st.integers(20, 300)
STORY = (
    "The river rose all night. By dawn the lower streets stood under water, and boats went from door to door. "
    "Nobody was hurt. Prices of sandbags rose by 3.5 percent in a week, said Mr. Hallam of the U.S. embassy. "
    "A comet passed as well; few looked up. The mayor thanked the volunteers who had come from four counties. "
    "Later the flood went down. Schools open again on Monday, the county said."
)


def squeezed(text: str) -> str:
    return "".join(text.split())


def shown_text(text: str) -> str:
    return text.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS).removesuffix(" ")


def shown_of(
    body: str, passage: Range | None, *, words: Collection[str], length: int = LENGTH
) -> tuple[str, tuple[Range, ...]]:
    """Return the text and the marks of a snippet that is asked for without a sentence."""
    found = snippet(body, passage, words=words, length=length)
    assert found.sentence is None
    return found.text, found.highlights


def bare_words(text: str) -> set[str]:
    return {word.strip(".,;") for word in text.split()}


# For any body


@given(body=BODIES, length=LENGTHS)
@settings(max_examples=400, deadline=None)
def test_every_mark_lies_in_the_text_and_is_one_of_the_words(body: str, length: int) -> None:
    text, marks = shown_of(body, None, words=WORDS, length=length)
    for start, end in marks:
        assert 0 <= start < end <= len(text)
        terms = analyse(text[start:end])
        assert len(terms) == 1
        assert terms[0] in WORDS
    borders = [place for mark in marks for place in mark]
    assert borders == sorted(borders)


@given(body=BODIES, length=LENGTHS, cut=st.tuples(st.integers(0, 400), st.integers(0, 400)))
@settings(max_examples=400, deadline=None)
def test_the_text_is_a_piece_of_the_passage_but_for_white_space_and_ellipses(
    body: str, length: int, cut: tuple[int, int]
) -> None:
    start, end = sorted(min(place, len(body)) for place in cut)
    text, _ = shown_of(body, (start, end), words=WORDS, length=length)
    piece = squeezed(text)
    assert any(
        squeezed(candidate) in squeezed(body[start:end])
        for candidate in (piece, piece.removeprefix(ELLIPSIS), piece.removesuffix(ELLIPSIS), shown_text(piece))
    )


@given(body=BODIES, length=LENGTHS)
@settings(max_examples=400, deadline=None)
def test_the_length_is_kept_and_no_white_space_stands_in_a_row_or_at_an_end(body: str, length: int) -> None:
    text, _ = shown_of(body, None, words=WORDS, length=length)
    assert len(text) <= length + 2 * len(ELLIPSIS) + 1
    assert text == text.strip()
    if ELLIPSIS not in body:
        assert shown_text(text) == shown_text(text).strip()
    assert not any(a.isspace() and b.isspace() for a, b in pairwise(text))
    assert not any(character.isspace() and character != " " for character in text)


@given(body=BODIES, length=LENGTHS)
@settings(max_examples=300, deadline=None)
def test_every_word_of_the_piece_that_matches_is_marked(body: str, length: int) -> None:
    text, marks = shown_of(body, None, words=WORDS, length=length)
    inner = [mark[1:] for mark in spans(text)[1:-1] if mark[0] in WORDS]  # at an end a word may be cut
    assert set(inner) <= set(marks)


@given(body=BODIES, length=LENGTHS)
@settings(max_examples=300, deadline=None)
def test_where_a_word_occurs_one_is_marked(body: str, length: int) -> None:
    _, marks = shown_of(body, None, words=WORDS, length=length)
    short = any(term in WORDS and end - start <= 20 for term, start, end in spans(body))
    assert bool(marks) or not short


@given(words=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60))
@settings(max_examples=300, deadline=None)
def test_the_stretch_has_as_many_different_words_as_any(words: list[str]) -> None:
    matches, place = [], 0
    for word in words:
        place += 1 + (len(matches) * 7919) % 90
        matches.append((word, place, place + 1 + len(matches) % 3))
        place = matches[-1][2]
    counted = [
        (len({term for term, _, right in matches[number:] if right - begin <= LENGTH}), -begin)
        for number, (_, begin, _) in enumerate(matches)
    ]
    most, begin = max(counted)
    found = _densest(matches, LENGTH)
    assert found is not None
    start, end = found
    assert (start, end - start <= LENGTH) == (-begin, True)
    assert len({term for term, left, right in matches if start <= left and right <= end}) == most


def test_the_stretch_with_most_words_is_marked_whole_although_it_begins_with_a_sentence() -> None:
    lead = "Nothing to see in this one at all. " * 8
    filler = "and so it went on and on " * 9
    body = f"{lead}The old man of the village by the sea spoke of a comet {filler}and a flood. Then he slept."
    text, marks = shown_of(body, None, words={"comet", "flood"})
    assert [text[start:end] for start, end in marks] == ["comet", "flood"]


def test_a_word_that_counts_is_not_lost_to_a_cut_behind_it() -> None:
    body = f"comet {'a ' * 20}flood-stricken towns, and more of them."
    text, marks = shown_of(body, None, words={"comet", "flood"}, length=55)
    assert [text[start:end] for start, end in marks] == ["comet", "flood"]


# Where it begins and ends


@pytest.mark.parametrize(
    ("before", "begins"),
    [
        ("The river rose.", True),
        ("Why?", True),
        ("He said “no.”", True),
        ("(It did.)", True),
        ("Prices rose by 3.5", False),
        ("Mr.", False),
        ("the U.S.", False),
        ("said John F.", False),
        ("a town,", False),
        ("A", False),
        ("It was", False),
        ("A heading\n", True),
        ("A line of verse", False),
    ],
)
def test_a_piece_begins_without_an_ellipsis_at_a_sentence_only(before: str, begins: bool) -> None:
    body = f"{before}\nPercent of the town is under water."
    start = len(before) + 1
    text, _ = shown_of(body, (start, len(body)), words=())
    assert text.startswith(ELLIPSIS) != begins
    assert shown_text(text) == "Percent of the town is under water."


def test_a_sentence_goes_on_in_small_letters() -> None:
    body = "“Why?” asked the mayor of the drowned town."
    assert shown_of(body, (7, len(body)), words=())[0].startswith(ELLIPSIS)


def test_chinese_and_japanese_sentences_begin_without_a_space() -> None:
    body = "水が引いた。学校は月曜に始まる"
    assert shown_of(body, (6, len(body)), words=())[0] == "学校は月曜に始まる"
    assert shown_of(body, (3, len(body)), words=())[0] == "…いた。学校は月曜に始まる"


@given(body=BODIES, length=LENGTHS)
@example(body="Word " * 60 + "rose by 3.5 percent flood and so on " + "word " * 60, length=100)
@settings(max_examples=400, deadline=None)
def test_without_an_ellipsis_nothing_before_the_piece_is_left_unfinished(body: str, length: int) -> None:
    text, marks = shown_of(body, None, words=WORDS, length=length)
    if not text or text.startswith(ELLIPSIS) or squeezed(body).startswith(squeezed(text.removesuffix(ELLIPSIS))):
        return
    piece = squeezed(text.removesuffix(ELLIPSIS))
    places = [at for at in range(1, len(body)) if not body[at].isspace() and squeezed(body[at:]).startswith(piece)]
    ends = [body[:at].rstrip() for at in places]
    assert any(
        end.rstrip("\"'”’»)]』」）")[-1:] in tuple(".!?…。！？") or body[len(end) : at].count("\n") > 1
        for end, at in zip(ends, places, strict=True)
    )
    assert marks


def test_the_whole_body_has_no_ellipsis() -> None:
    assert shown_of("  A short one. \n\n Really.\n", None, words=())[0] == "A short one. Really."


def test_a_piece_is_cut_between_words_and_says_so_at_each_end() -> None:
    for word in ("comet", "flood", "mayor", "percent"):
        for length in range(30, 140, 7):
            text, marks = shown_of(STORY, None, words=set(analyse(word)), length=length)
            assert [text[start:end] for start, end in marks] == [word]
            assert bare_words(shown_text(text)) <= bare_words(STORY)
            assert text.endswith(ELLIPSIS) != STORY.endswith(shown_text(text))
            if not text.startswith(ELLIPSIS):
                assert shown_text(text).split()[0] in {"The", "By", "Nobody", "Prices", "A", "Later", "Schools"}


@pytest.mark.parametrize("end", [".", "!", "?”", ".)"])
def test_an_ellipsis_after_a_sentence_stands_apart(end: str) -> None:
    first = f"The river rose in the night{end}"
    body = f"{first} Nobody was hurt."
    assert shown_of(body, (0, len(first)), words=())[0] == f"{first} {ELLIPSIS}"
    assert shown_of(body, (0, len(first) - len(end)), words=())[0] == f"The river rose in the night{ELLIPSIS}"


def test_a_word_far_into_the_body_is_shown_from_its_sentence_on() -> None:
    text, marks = shown_of(STORY, None, words={"flood"}, length=120)
    assert text == "Later the flood went down. Schools open again on Monday, the county said."
    assert [text[start:end] for start, end in marks] == ["flood"]


def test_without_words_the_passage_is_shown_from_its_beginning() -> None:
    start = STORY.index("A comet")
    text, marks = shown_of(STORY, (start, len(STORY)), words={"absent"}, length=60)
    assert text == "A comet passed as well; few looked up. The mayor thanked the…"
    assert marks == ()


def test_words_outside_the_passage_do_not_draw_the_piece_away() -> None:
    end = STORY.index("Nobody")
    text, marks = shown_of(STORY, (0, end), words={"flood", "door"}, length=200)
    assert text.startswith("The river rose")
    assert [text[left:right] for left, right in marks] == ["door", "door"]
    start = STORY.index("Later")
    text, marks = shown_of(STORY, (start, len(STORY)), words={"flood", "door"}, length=200)
    assert text.startswith("Later the flood")
    assert [text[left:right] for left, right in marks] == ["flood"]


# With the sentence that is meant

RIVER = "The river rose all night."
COMET = "A comet passed as well; few looked up."
THANKS = "The mayor thanked the volunteers who had come from four counties."


def place_of(piece: str, body: str = STORY) -> Range:
    return body.index(piece), body.index(piece) + len(piece)


def marked_sentence(shown: Excerpt) -> str | None:
    return shown.text[slice(*shown.sentence)] if shown.sentence else None


PLACES = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted)


@given(body=BODIES, length=LENGTHS, cut=PLACES, sentence=PLACES, share=st.none() | st.floats(0, 1))
@settings(max_examples=400, deadline=None)
def test_with_any_sentence_the_text_is_of_the_passage_and_the_marks_are_right(
    body: str, length: int, cut: list[int], sentence: list[int], share: float | None
) -> None:
    start, end = (min(place, len(body)) for place in cut)
    left, right = (min(place, len(body)) for place in sentence)
    shown = snippet(body, (start, end), words=WORDS, sentence=(left, right), share=share, length=length)
    piece = squeezed(shown.text)
    candidates = (piece, piece.removeprefix(ELLIPSIS), piece.removesuffix(ELLIPSIS), squeezed(shown_text(shown.text)))
    assert any(candidate in squeezed(body[start:end]) for candidate in candidates)
    assert len(shown.text) <= length + 2 * len(ELLIPSIS) + 1
    assert all(len(found := analyse(shown.text[a:b])) == 1 and found[0] in WORDS for a, b in shown.highlights)
    if shown.sentence is not None:
        assert 0 <= shown.sentence[0] < shown.sentence[1] <= len(shown.text)
        assert squeezed(shown.text[slice(*shown.sentence)]) in squeezed(body[left:right])


@given(body=BODIES, length=LENGTHS, sentence=PLACES)
@example(body=f"{RIVER} {COMET}”", length=len(COMET), sentence=[len(RIVER) + 1, len(RIVER) + 1 + len(COMET)])
@settings(max_examples=400, deadline=None)
def test_for_a_hit_by_meaning_a_sentence_that_fits_is_shown_whole(body: str, length: int, sentence: list[int]) -> None:
    left, right = (min(place, len(body)) for place in sentence)
    right = left + len(body[left:right].rstrip(" \n\u00a0\u2003,;:-\u2013\u2014"))
    text = body[left:right]
    if text and text == text.strip() and len(text) <= length:
        shown = snippet(body, None, words=WORDS, sentence=(left, right), share=0.0, length=length)
        assert squeezed(marked_sentence(shown) or "") == squeezed(text)


@given(body=BODIES, length=LENGTHS, sentence=PLACES)
@settings(max_examples=300, deadline=None)
def test_for_a_hit_by_words_a_sentence_costs_no_word(body: str, length: int, sentence: list[int]) -> None:
    left, right = (min(place, len(body)) for place in sentence)
    plain = snippet(body, None, words=WORDS, length=length)
    shown = snippet(body, None, words=WORDS, sentence=(left, right), share=1.0, length=length)
    counts = [len({analyse(found.text[a:b])[0] for a, b in found.highlights}) for found in (plain, shown)]
    assert counts[1] >= counts[0]


def test_a_hit_by_meaning_shows_the_sentence_though_words_stand_elsewhere() -> None:
    shown = snippet(STORY, None, words={"comet", "flood"}, sentence=place_of(THANKS), share=0.2, length=100)
    assert marked_sentence(shown) == THANKS
    assert shown.text == f"{THANKS} Later the flood went down. Schools{ELLIPSIS}"
    assert [shown.text[a:b] for a, b in shown.highlights] == ["flood"]


def test_a_hit_by_words_shows_the_words_though_the_sentence_stands_elsewhere() -> None:
    shown = snippet(STORY, None, words={"flood", "school"}, sentence=place_of(COMET), share=0.9, length=100)
    assert [shown.text[a:b] for a, b in shown.highlights] == ["flood", "Schools"]
    assert shown.sentence is None


def test_a_hit_by_words_shows_the_sentence_where_it_has_as_many_of_them() -> None:
    shown = snippet(STORY, None, words={"river", "comet"}, sentence=place_of(COMET), share=0.9, length=60)
    assert marked_sentence(shown) == COMET
    assert [shown.text[a:b] for a, b in shown.highlights] == ["comet"]


def test_who_does_not_know_the_share_has_it_counted_where_the_words_stand_closest() -> None:
    many = snippet(STORY, None, words={"flood", "school", "absent"}, sentence=place_of(COMET), length=100)
    few = snippet(STORY, None, words={"flood", "absent", "gone"}, sentence=place_of(COMET), length=60)
    assert (many.sentence, marked_sentence(few)) == (None, COMET)


def test_a_sentence_near_the_beginning_is_shown_with_what_is_before_it() -> None:
    shown = snippet(STORY, None, words=(), sentence=place_of("Nobody was hurt."), length=140)
    assert shown.text.startswith(RIVER)
    assert marked_sentence(shown) == "Nobody was hurt."


def test_of_a_sentence_too_long_to_show_it_is_the_part_with_the_words() -> None:
    long = f"It began {'and it went on ' * 30}until the comet and the flood came {'and went on ' * 30}at last."
    body = f"{RIVER} {long} {COMET}"
    shown = snippet(body, None, words={"comet", "flood", "river"}, sentence=place_of(long, body), share=0.0)
    assert [shown.text[a:b] for a, b in shown.highlights] == ["comet", "flood"]
    assert marked_sentence(shown) == shown_text(shown.text)
    assert snippet(body, None, words=(), sentence=place_of(long, body)).text.startswith("It began and")


def test_a_sliver_of_the_sentence_is_not_marked() -> None:
    dawn = place_of("By dawn the lower streets stood under water, and boats went from door to door.")
    sliver, half = (
        snippet(STORY, None, words={"river", "rose", "night"}, sentence=dawn, share=1.0, length=length)
        for length in (45, 70)
    )
    assert (sliver.text, sliver.sentence) == (f"{RIVER} By dawn the lower{ELLIPSIS}", None)
    assert marked_sentence(half) == "By dawn the lower streets stood under water"


def test_a_sentence_outside_the_passage_is_not_shown() -> None:
    start, end = place_of(RIVER)
    shown = snippet(STORY, (start, end), words=(), sentence=place_of(COMET))
    assert (shown.text, shown.sentence) == (f"{RIVER} {ELLIPSIS}", None)


@pytest.mark.parametrize("body", ["flood " * 60_000, "flood, comet. " * 30_000, "x" * 400_000, "は" * 100_000])
def test_time_grows_with_the_body_and_no_faster(body: str) -> None:
    started = time.process_time()
    snippet(body, None, words={"flood", "comet", "は"})
    assert time.process_time() - started < 2.0


def test_a_text_is_analysed_once_for_all_that_look_at_it_where_its_language_elides_nothing() -> None:
    text = "The mayor of Linz opened l'hôpital."
    assert terms_of(text) is terms_of(text, "en") is terms_of(text, "de-AT")
    assert "l'hôpital" in [text[start:end] for _, start, end in terms_of(text)]
    assert "hôpital" in [text[start:end] for _, start, end in terms_of(text, "fr")]
