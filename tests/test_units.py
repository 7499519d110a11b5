"""What of a query scores, and how much a repeat weighs."""

from hypothesis import given
from hypothesis import strategies as st

from index.keywords.units import Beginning, Cluster, Run, Similar, Wanted, units
from index.matching import telling
from index.query import AllOf, AnyOf, Clause, FieldValue, Fuzzy, Near, Not, Phrase, Prefix, Published, Query, Term

TEXTS = st.lists(st.sampled_from(["the", "of", "sea", "U.S.-Talks", "?"]), min_size=1, max_size=3).map(" ".join)
PLAIN: st.SearchStrategy[Clause] = st.one_of(
    st.builds(Term, TEXTS),
    st.builds(Phrase, TEXTS),
    st.builds(Near, TEXTS, st.just(2)),
    st.sampled_from([Prefix("the"), Fuzzy("sea"), FieldValue("source", "bbc"), Not(Term("sea"))]),
)
GROUPS = st.lists(PLAIN, min_size=1, max_size=2).map(tuple)
CLAUSES = st.lists(st.one_of(PLAIN, st.builds(AnyOf, GROUPS), st.builds(AllOf, GROUPS)), max_size=3).map(tuple)


def test_each_kind_of_clause_makes_a_unit_named_as_it_was_typed() -> None:
    query = Query(
        wanted=(Term("U.S.-Talks", 2.0), AnyOf((Prefix("Runn"), Fuzzy("Kúrsk"))), AllOf((Term("sea"),))),
        required=(Phrase("White House"), Near("tax reform", 5), AnyOf((Phrase("land"), FieldValue("source", "bbc")))),
    )
    assert units(query) == {
        Run(("us",)): Wanted("U.S.", 2.0),
        Run(("talk",)): Wanted("Talks", 2.0),
        Beginning("runn"): Wanted("Runn*", 1.0),
        Similar("kursk"): Wanted("Kúrsk~", 1.0),
        Run(("sea",)): Wanted("sea", 1.0),
        Run(("white", "hous")): Wanted('"White House"', 1.0),
        Cluster(Run(("reform", "tax")), 5): Wanted('"tax reform"~5', 1.0),
        Run(("land",)): Wanted('"land"', 1.0),
    }


def test_a_repeat_weighs_twice_and_keeps_its_first_name() -> None:
    query = Query(wanted=(Term("Talks"), Term("talking", 2.0)), required=(Near("a b", 2), Near("b a", 2)))
    assert list(units(query).values()) == [Wanted("Talks", 3.0), Wanted('"a b"~2', 2.0)]


def test_filters_and_what_is_excluded_score_nothing() -> None:
    filters = (FieldValue("title", "kursk"), Published(), Not(Term("kursk")), AnyOf((Not(Phrase("kursk land")),)))
    assert units(Query(required=filters, excluded=(Term("kursk"),))) == {}


def test_a_clause_that_holds_no_word_scores_nothing() -> None:
    assert units(Query(wanted=(Term("?"), Prefix("a b"), Fuzzy("!")), required=(Phrase("?"), Near("!", 2)))) == {}


def test_stop_words_on_their_own_score_only_when_there_is_nothing_else() -> None:
    assert list(units(Query(wanted=(Term("the"), Term("of"))))) == [Run(("the",)), Run(("of",))]
    assert list(units(Query(wanted=(Term("the"), Term("sea")), required=(Phrase("of"),)))) == [Run(("sea",))]
    assert list(units(Query(wanted=(Term("the"),), required=(Phrase("to be"),)))) == [Run(("to", "be"))]
    assert list(units(Query(wanted=(Term("the"), Prefix("the"))))) == [Beginning("the")]


def test_a_near_of_one_word_is_that_word() -> None:
    assert list(units(Query(required=(Near("Talks", 3),)))) == [Run(("talk",))]


@given(wanted=CLAUSES, required=CLAUSES)
def test_what_scores_is_what_tells(wanted: tuple[Clause, ...], required: tuple[Clause, ...]) -> None:
    # A prefix holds a word here, as whatever the parser makes does.
    query = Query(wanted=wanted, required=required)
    assert units(query) == units(Query(wanted=telling(query), required=required))
