"""Expressions of Milvus: what is joined, and what is one call."""

from index.milvus.filters import ALL, Filter, both, containing, either, holding_term

FLOOD, COMET, LEDGER = holding_term("flood"), holding_term("comet"), containing("names", ["source:ledger"])
DATED = Filter("published > 3")


def test_terms_that_are_all_wanted_are_one_call() -> None:
    assert both([FLOOD, COMET, FLOOD]).text == 'array_contains_all(terms, ["flood", "comet"])'
    assert both([FLOOD, FLOOD]) == FLOOD
    assert both([FLOOD, DATED, COMET]).text == '(published > 3) and (array_contains_all(terms, ["flood", "comet"]))'
    assert both([FLOOD, LEDGER]).text == (
        '(array_contains(terms, "flood")) and (array_contains(names, "source:ledger"))'
    )


def test_terms_one_of_which_is_wanted_are_one_call_however_they_are_grouped() -> None:
    any_of = either([FLOOD, either([COMET, FLOOD])])
    assert any_of.text == 'array_contains_any(terms, ["flood", "comet"])'
    assert either([FLOOD, FLOOD]) == FLOOD
    assert either([any_of, DATED]).text == f"(published > 3) or ({any_of.text})"


def test_a_choice_beside_what_is_wanted_as_well_stays_a_choice() -> None:
    choice = either([FLOOD, COMET])
    assert both([choice, FLOOD]).text == f'({choice.text}) and (array_contains(terms, "flood"))'
    assert both([choice]).text == choice.text


def test_what_is_joined_is_exact_only_where_all_is() -> None:
    inexact = Filter(COMET.text, is_exact=False)
    assert both([FLOOD, LEDGER]).is_exact
    assert either([FLOOD, LEDGER]).is_exact
    assert not both([FLOOD, inexact]).is_exact
    assert not either([FLOOD, inexact]).is_exact


def test_what_leaves_everything_in_narrows_nothing_and_widens_all() -> None:
    assert both([ALL, FLOOD]) == FLOOD
    assert either([ALL, FLOOD]).text is None
