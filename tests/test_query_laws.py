"""What holds of every query: laws checked over generated texts.

The suite checks some thousands; `python -m tests.test_query_laws 50000` checks as many as one likes.
"""

import sys
from collections.abc import Callable, Iterable
from datetime import date

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index.analysis import analyse
from index.query import (
    MAX_DEPTH,
    MAX_QUERY_CHARS,
    MAX_WORDS,
    AllOf,
    AnyOf,
    Clause,
    Fuzzy,
    Not,
    Phrase,
    Prefix,
    Query,
    QueryRefused,
    Term,
    has_words,
    parse,
    texts,
)

TODAY = date(2016, 3, 9)

TRICKY = ['"', "“", "«", "-", "–", "−", ":", "title:", "source:", "AFTER:", "before:", "on:", "2016", "2016-02", "-31"]
TRICKY += ["(", ")", "((", "))", " OR ", " AND ", " NOT ", " | ", "*", "~", "~1", "~2", '"~5', "elect*", "kursk~"]
TRICKY += ["march ", "last ", "week", "9999", "0000", "war", "the", "ｘ", "（", "習", "foo:bar", "''", "１", " ", "\t"]
TRICKY += ["\0", "\ud800", "\u200b", "\u202e", "\u0301", ":)", "x" * 300, "\ufdfa"]
PIECES = st.lists(st.sampled_from(TRICKY) | st.text(max_size=5), max_size=40).map("".join)
LONG = st.lists(st.sampled_from(TRICKY), min_size=1).map(
    lambda some: ("".join(some) * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS]
)


def parsed_or_refused(text: str) -> Query | None:
    try:
        return parse(text, today=TODAY)
    except QueryRefused:
        return None


def depth(clauses: Iterable[Clause]) -> int:
    return max(map(_depth, clauses), default=0)


def _depth(clause: Clause) -> int:
    match clause:
        case AnyOf(clauses) | AllOf(clauses):
            return 1 + depth(clauses)
        case Not(inner):
            return 1 + depth([inner])
    return 1


def any_text_parses_or_is_refused_for_a_limit(text: str) -> None:
    query = parsed_or_refused(text)
    if query is None:
        return
    wanted = list(texts((*query.wanted, *query.required)))
    assert query == parsed_or_refused(text)
    assert bool(query.text) == bool(wanted) == has_words(query)
    assert all(map(analyse, wanted))
    assert sum(len(analyse(text)) for text in wanted) <= MAX_WORDS
    assert depth((*query.wanted, *query.required, *query.excluded)) <= 3 * (MAX_DEPTH + 1)
    assert not {"\0", "\u202e"} & set(query.text)
    query.text.encode()


def law(examples: int) -> Callable[[], None]:
    """Return the check over that many generated texts."""
    checked = given(text=PIECES | st.text() | LONG)(any_text_parses_or_is_refused_for_a_limit)
    return settings(max_examples=examples, deadline=None)(checked)


test_any_text_parses_or_is_refused_for_a_limit = law(1_000)


@given(st.lists(st.text(alphabet="abcdéßx-1’.", min_size=1).filter(lambda word: word[0] != "-" and analyse(word))))
def test_the_text_of_plain_words_parses_to_itself(plain: list[str]) -> None:
    query = parse(" ".join(plain), today=TODAY)
    assert parse(query.text, today=TODAY) == query


# Queries that are made to mean something: what they are to find is known without the parser.

WORDS = ("alpha", "beta", "gamma", "delta")
ARTICLES = [frozenset(word for place, word in enumerate(WORDS) if number >> place & 1) for number in range(16)]
Wish = tuple[str, Callable[[frozenset[str]], bool]]  # how it is typed, and which articles (sets of words) it finds


def _holding(word: str, form: str) -> Wish:
    return form.format(word), lambda article: word in article


def _without(wish: Wish, sign: str) -> Wish:
    typed, finds = wish
    return f"{sign}({typed})", lambda article: not finds(article)


def _all(wishes: list[Wish], between: str) -> Wish:
    return between.join(f"({typed})" for typed, _ in wishes), lambda article: all(finds(article) for _, finds in wishes)


def _any(wishes: list[Wish], between: str) -> Wish:
    return between.join(f"({typed})" for typed, _ in wishes), lambda article: any(finds(article) for _, finds in wishes)


WISHES = st.recursive(
    st.builds(_holding, st.sampled_from(WORDS), st.sampled_from(["{0}", '"{0}"', "{0}*", "{0}~", "({0})"])),
    lambda inner: st.one_of(
        st.builds(_without, inner, st.sampled_from(["-", "NOT ", "NOT -"])),
        st.builds(_all, st.lists(inner, min_size=1, max_size=3), st.sampled_from([" ", " AND "])),
        st.builds(_any, st.lists(inner, min_size=1, max_size=3), st.sampled_from([" OR ", " | ", "|"])),
    ),
    max_leaves=6,
)


def _finds(query: Query, article: frozenset[str]) -> bool:
    holds = all(_holds(clause, article) for clause in (*query.wanted, *query.required))
    return holds and not any(_holds(clause, article) for clause in query.excluded)


def _holds(clause: Clause, article: frozenset[str]) -> bool:
    match clause:
        case Term(text) | Phrase(text) | Prefix(text) | Fuzzy(text):
            return text in article
        case AnyOf(clauses):
            return any(_holds(inner, article) for inner in clauses)
        case AllOf(clauses):
            return all(_holds(inner, article) for inner in clauses)
        case Not(inner):
            return not _holds(inner, article)
    raise AssertionError(clause)


@given(WISHES)
@settings(max_examples=500)
def test_a_query_finds_what_its_words_signs_and_parentheses_say(wish: Wish) -> None:
    typed, finds = wish
    query = parsed_or_refused(f"alpha ({typed})")
    assume(query is not None)
    assert query is not None
    assert [_finds(query, article) for article in ARTICLES] == [
        "alpha" in article and finds(article) for article in ARTICLES
    ]


OUT = ["-{0}", "NOT {0}", '-"{0} {1}"', '-"{0} {1}"~4', "-{0}*", "-{0}~", "-({0} {1})", "-({0} OR -{1})", "-(({0}) {1}"]
OUT += ["NOT ({0} | {1})", "-title:{0}", "-source:({0} OR {1})", "source:{0}", '"mm" OR -{0}', "title:({0} -{1})"]
IN = ["{0}", '"{0} {1}"', '"{0} {1}"~4', "{0} OR {1}", "({0} {1}) OR {0}", "{0}~", "AND {0}", "({0})", "-(-{0}) {1}"]


def _typed(forms: list[str], letter: str) -> st.SearchStrategy[str]:
    words = st.integers(4, 9).map(lambda count: letter * count)
    return st.builds(lambda form, first, second: form.format(first, second), st.sampled_from(forms), words, words)


@given(st.lists(_typed(OUT, "x") | _typed(IN, "m"), max_size=8))
def test_what_is_excluded_or_a_filter_never_reaches_the_text(parts: list[str]) -> None:
    query = parsed_or_refused(" ".join(parts))
    assume(query is not None)
    assert query is not None
    assert "x" not in query.text
    assert not any("x" in text for text in texts((*query.wanted, *query.required)))


if __name__ == "__main__":
    law(int(sys.argv[1]))()
