"""Folding a list: laws of which rows stand where."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.folding import ALONE, COPYINGS, Copying, Folding, fold

LISTS = st.lists(st.sampled_from([ALONE, ALONE, 7, 8, 9]), max_size=30)
KINDS = st.sampled_from(COPYINGS)


def made(groups: list[int], copies: Copying = "folded") -> Folding:
    return fold(np.array(groups, np.int64), copies)


def test_the_first_of_a_group_stands_where_it_stood_and_takes_the_others_along() -> None:
    found = made([ALONE, 8, ALONE, 7, 8, 8, 7])
    assert found.group.tolist() == [0, 1, 2, 3, 1, 1, 3]
    assert found.places == 4
    assert found.rows(slice(1, 3)).tolist() == [1, 2, 4, 5]
    assert found.leading(np.array([1, 2, 4, 5])).tolist() == [1, 2]
    assert found.leading(np.array([2, 4, 5])).tolist() == [4, 2], "where the first has gone the next stands for it"
    assert found.beside(np.array([6])).tolist() == [3, 6]


def test_where_all_are_listed_nothing_moves_and_one_still_knows_who_belongs_together() -> None:
    found = made([8, ALONE, 8], "all")
    assert (found.places, found.folded(np.ones(3, np.bool_))) == (3, 0)
    assert found.rows(slice(1, 9)).tolist() == [1, 2]
    assert found.beside(np.array([2])).tolist() == [0, 2]


@given(LISTS, st.integers(1, 5))
def test_the_places_hold_every_row_once_in_the_order_of_the_first_rows(groups: list[int], size: int) -> None:
    found = made(groups)
    pages = [found.rows(slice(start, start + size)) for start in range(0, found.places, size)]
    assert sorted(row for page in pages for row in page.tolist()) == list(range(len(groups)))
    leading = [row for page in pages for row in found.leading(page).tolist()]
    firsts = [row for row, group in enumerate(groups) if group == ALONE or group not in groups[:row]]
    assert leading == firsts


@given(LISTS, st.data(), KINDS)
def test_what_is_shown_and_what_is_folded_is_all_that_is_kept(
    groups: list[int], data: st.DataObject, copies: Copying
) -> None:
    found = made(groups, copies)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(groups), max_size=len(groups))), np.bool_)
    shown = found.leading(np.flatnonzero(keep))
    assert len(shown) + found.folded(keep) == keep.sum()
    kept = {groups[row] for row in np.flatnonzero(keep).tolist()} - {ALONE}
    assert kept <= {groups[row] for row in shown.tolist()}
