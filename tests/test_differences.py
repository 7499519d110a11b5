"""What a copy keeps, cuts, adds and changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.differences import MOST_SENTENCES, Differences, Part, differences

RIVER = "The river rose overnight."
BRIDGE = "Two bridges at Millbrook were shut by the police at dawn."
MAYOR = "The mayor asked people to stay indoors."
SENTENCES = st.lists(st.sampled_from([RIVER, BRIDGE, MAYOR, "Nobody was hurt.", "It rained on.", "¡¡¡"]), max_size=12)


def kinds(found: Differences) -> list[str]:
    return [piece.kind for piece in found.pieces]


def test_what_is_kept_cut_and_added_stands_in_order() -> None:
    found = differences(f"{RIVER} {BRIDGE}\n\n{MAYOR}", f"Our reporter saw it all. {RIVER} {MAYOR}")
    assert kinds(found) == ["added", "kept", "cut", "kept"]
    assert [piece.after for piece in found.pieces] == ["Our reporter saw it all.", RIVER, None, MAYOR]
    assert [piece.before for piece in found.pieces] == [None, RIVER, BRIDGE, MAYOR]
    assert (found.count("kept"), found.count("changed"), found.complete) == (2, 0, True)


def test_a_changed_sentence_says_which_words() -> None:
    (piece,) = differences(BRIDGE, "Two bridges at Millbrook were closed by police at dawn.").pieces
    assert piece.kind == "changed"
    assert piece.parts == (
        Part("kept", "Two bridges at Millbrook were "),
        Part("cut", "shut "),
        Part("added", "closed "),
        Part("kept", "by "),
        Part("cut", "the "),
        Part("kept", "police at dawn."),
    )


def test_quotation_marks_case_and_line_breaks_are_no_difference() -> None:
    assert kinds(differences('He said: "Go\nhome now."', "He said: “Go home now.”")) == ["kept"]


def test_a_sentence_said_in_other_words_is_one_cut_and_one_added() -> None:
    assert sorted(kinds(differences(RIVER, "Water levels went up in the small hours of Sunday."))) == ["added", "cut"]


@given(SENTENCES, SENTENCES)
def test_the_pieces_make_up_both_texts(before: list[str], after: list[str]) -> None:
    found = differences("\n\n".join(before), "\n\n".join(after))
    assert [piece.before for piece in found.pieces if piece.before is not None] == before
    assert [piece.after for piece in found.pieces if piece.after is not None] == after
    for piece in found.pieces:
        assert piece.kind == {(True, False): "cut", (False, True): "added"}.get(
            (piece.before is not None, piece.after is not None), "changed" if piece.parts else "kept"
        )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a " * 500_000, "a " * 500_001),
        ("a. " * 300_000, "b. " * 300_000),
        (
            "".join(f"Line {n} of the form. " for n in range(9_000)),
            "".join(f"Line {n} of a form. " for n in range(9_000)),
        ),
        ("\u0000" * 1_000_000, "x" * 1_000_000),
    ],
)
def test_a_huge_text_is_compared_at_its_beginning_only_and_says_so(one: str, other: str) -> None:
    found = differences(one, other)
    assert not found.complete
    assert len(found.pieces) <= 2 * MOST_SENTENCES


def test_nothing_compared_with_nothing_is_nothing() -> None:
    assert differences("", " \n") == Differences([], complete=True)
