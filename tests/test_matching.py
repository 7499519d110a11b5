"""What each clause asks of an article: the reference that every engine is compared with."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from index.analysis import analyse
from index.matching import holds, holds_all, one_edit_apart, only_word, telling
from index.query import AllOf, AnyOf, Clause, FieldValue, Fuzzy, Near, Not, Phrase, Prefix, Published, Query, Term

NOON = datetime(2016, 3, 2, 12, tzinfo=UTC)
SHELLED = Article(
    id="a",
    title="Kursk shelled again",
    body="The U.S. said on Monday that the border near Kursk was shelled; Łódź runners looked on. Said who?",
    source="The Guardian",
    section="World",
    authors=("Jané Doe", "John Roe"),
    language="en-GB",
    published_at=NOON,
)


@pytest.mark.parametrize(
    ("clause", "is_held"),
    [
        (Term("shelling"), True),
        (Term("kursk-shelled"), True),
        (Term("shelled-kursk"), False),
        (Term("?"), False),
        (Prefix("runn"), True),
        (Prefix("RUNN"), True),
        (Prefix("running"), False),
        (Prefix("lod"), True),
        (Prefix("ursk"), False),
        (Prefix("kursk sh"), False),
        (Prefix("?"), False),
        (Fuzzy("kurskk"), True),
        (Fuzzy("korsk"), True),
        (Fuzzy("krusk"), True),
        (Fuzzy("krsuk"), False),
        (Fuzzy("shelling"), True),
        (Fuzzy("shellings"), True),
        (Fuzzy("?"), False),
        (Phrase("near Kursk was"), True),
        (Phrase("again the"), False),
        (Phrase("?"), False),
        (Near("shelled border", 2), False),
        (Near("shelled border", 3), True),
        (Near("shelled near border", 1), False),
        (Near("shelled near border", 2), True),
        (Near("kursk again", 1), True),
        (Near("kursk again", 0), False),
        (Near("said said", 20), True),
        (Near("said said said", 20), False),
        (Near("again us", 9), False),
        (Near("?", 9), False),
        (FieldValue("title", "shelled AGAIN"), True),
        (FieldValue("title", "border"), False),
        (FieldValue("source", "ＴＨＥ  guardian"), True),
        (FieldValue("source", "guardian"), False),
        (FieldValue("section", "world"), True),
        (FieldValue("author", "jane doe"), True),
        (FieldValue("author", "doe"), False),
        (FieldValue("language", "EN"), True),
        (FieldValue("language", "en-gb"), True),
        (FieldValue("language", "en-US"), False),
        (FieldValue("language", "e"), False),
        (Published(NOON, None), True),
        (Published(None, NOON), False),
        (Published(None, None), True),
        (AnyOf((Term("absent"), Prefix("bord"))), True),
        (AnyOf(()), False),
        (AllOf((Term("kursk"), Term("absent"))), False),
        (AllOf((Term("kursk"), Not(Term("absent")))), True),
        (Not(AnyOf((Term("absent"), Term("kursk")))), False),
    ],
)
def test_a_clause_binds_as_required_and_as_excluded(clause: Clause, is_held: bool) -> None:
    assert holds(Query(required=(clause,)), SHELLED) == is_held
    assert holds(Query(excluded=(clause,)), SHELLED) != is_held


def test_an_article_without_date_source_or_language_holds_none() -> None:
    bare = Article(id="b", title="", body="")
    clauses = [Published(None, None), FieldValue("source", ""), FieldValue("language", "en"), FieldValue("author", "")]
    assert not any(holds(Query(required=(clause,)), bare) for clause in clauses)


def test_words_wanted_do_not_bind_but_all_are_asked_for() -> None:
    query = Query(wanted=(Term("absent"), Term("kursk")))
    assert holds(query, SHELLED)
    assert not holds_all(query, SHELLED)
    assert holds_all(Query(wanted=(Term("border"), Term("kursk"))), SHELLED)
    assert not holds_all(Query(wanted=(Term("kursk"),), excluded=(Term("border"),)), SHELLED)


def test_wanted_words_joined_by_a_hyphen_may_stand_apart() -> None:
    assert holds_all(Query(wanted=(Term("border-shelled"),)), SHELLED)
    assert not holds_all(Query(wanted=(Term("border-absent"),)), SHELLED)


@pytest.mark.parametrize(
    ("query", "clauses"),
    [
        (Query(wanted=(Term("the"), Term("kursk", 2.0))), (Term("kursk", 2.0),)),
        (Query(wanted=(Term("the"), Term("of"))), (Term("the"), Term("of"))),
        (Query(wanted=(Term("the"),), required=(Phrase("kursk"),)), ()),
        (Query(wanted=(Term("the"),), required=(Phrase("to be"),)), ()),
        (Query(wanted=(Term("the"),), required=(Phrase("to"), FieldValue("source", "bbc"))), (Term("the"),)),
        (Query(wanted=(Term("the"),), excluded=(Term("kursk"),)), (Term("the"),)),
        (Query(wanted=(Term("the"), Prefix("the"))), (Prefix("the"),)),
        (Query(wanted=(Term("U.S.-China", 3.0),)), (AllOf((Term("U.S.", 3.0), Term("China", 3.0))),)),
        (Query(wanted=(Term("state-of-the-union"),)), (AllOf((Term("state"), Term("union"))),)),
        (Query(wanted=(AnyOf((Term("the"), Term("kursk"))), AllOf((Term("of"),)))), (AnyOf((Term("kursk"),)),)),
        (Query(wanted=(Term("?"), AnyOf(()), Term("kursk"))), (Term("?"), AnyOf(()), Term("kursk"))),
    ],
)
def test_what_is_wanted_is_each_word_on_its_own_without_stop_words_unless_all_are(
    query: Query, clauses: tuple[Clause, ...]
) -> None:
    assert telling(query) == clauses


@pytest.mark.parametrize(
    ("text", "word"), [("Łódź", "lodz"), ("U.S.", "us"), ("Kursk’s", "kursk"), ("a b", ""), ("a-b", ""), ("?", "")]
)
def test_only_one_word_is_taken_folded(text: str, word: str) -> None:
    assert only_word(text) == word


SHORT = st.text("abc", max_size=5)


def edits(word: str) -> set[str]:
    pairs = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    left_out = {before + after[1:] for before, after in pairs if after}
    put_in = {before + letter + after for before, after in pairs for letter in "abc"}
    replaced = {before + letter + after[1:] for before, after in pairs if after for letter in "abc"}
    exchanged = {before + after[1] + after[0] + after[2:] for before, after in pairs if len(after) > 1}
    return (left_out | put_in | replaced | exchanged) - {word}


@given(SHORT, SHORT)
def test_one_edit_is_one_letter_put_in_left_out_replaced_or_two_exchanged(one: str, other: str) -> None:
    assert one_edit_apart(one, other) == one_edit_apart(other, one) == (other in edits(one))


@given(SHORT, st.data())
def test_every_edit_is_known(word: str, data: st.DataObject) -> None:
    if made := sorted(edits(word)):
        assert one_edit_apart(word, data.draw(st.sampled_from(made)))


@given(
    st.lists(st.sampled_from("abcx"), max_size=9),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
    st.integers(0, 4),
)
def test_a_near_holds_where_some_stretch_of_the_text_has_all_its_words(
    text: list[str], wanted: list[str], distance: int
) -> None:
    terms, width = analyse(" ".join(text)), len(wanted) + distance
    stretches = (terms[start : start + width] for start in range(len(terms)))
    expected = any(not Counter(wanted) - Counter(stretch) for stretch in stretches)
    article = Article(id="a", title="", body=" ".join(text))
    assert holds(Query(required=(Near(" ".join(wanted), distance),)), article) == expected
