"""The query language: what a user types and what it asks for."""

import contextlib
import time
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest

from index.analysis import analyse
from index.query import (
    FIELDS,
    MAX_CLAUSES,
    MAX_DEPTH,
    MAX_DISTANCE,
    MAX_PHRASE_WORDS,
    MAX_QUERY_CHARS,
    MAX_WORDS,
    AllOf,
    AnyOf,
    Clause,
    FieldValue,
    Fuzzy,
    Near,
    Not,
    Phrase,
    Prefix,
    Published,
    Query,
    QueryRefused,
    Term,
    has_words,
    leaves,
    narrow,
    texts,
)
from index.query import parse as parse_on

TODAY = date(2016, 3, 9)  # a Wednesday


def parse(text: str) -> Query:
    return parse_on(text, today=TODAY)


def words(*typed: str) -> tuple[Term, ...]:
    return tuple(Term(text) for text in typed)


def any_of(*typed: str) -> AnyOf:
    return AnyOf(words(*typed))


def all_of(*typed: str) -> AllOf:
    return AllOf(words(*typed))


def day(year: int, month: int = 1, date: int = 1) -> datetime:
    return datetime(year, month, date, tzinfo=UTC)


# Words and phrases


def test_words_are_wanted() -> None:
    assert parse("Kursk  land\treturn?") == Query(text="Kursk land return?", wanted=words("Kursk", "land", "return?"))


def test_a_phrase_is_required_and_part_of_the_text() -> None:
    expected = Query(text="talks white house", wanted=words("talks"), required=(Phrase("white house"),))
    assert parse('talks "white  house"') == expected


@pytest.mark.parametrize(
    "typed", ["“white house”", "„white house“", "«white house»", "»white house«", "＂white house＂", '"white\nhouse"']
)
def test_every_kind_of_double_quote_makes_a_phrase(typed: str) -> None:
    assert parse(typed).required == (Phrase("white house"),)


def test_a_quote_without_its_partner_is_not_there() -> None:
    assert parse('"white house') == parse("white house")
    assert parse('"white house" "talks').wanted == words("talks")
    assert parse('"" kursk " "') == parse("kursk")


def test_near_words_are_required_within_their_distance() -> None:
    expected = Query(text="near kursk talks", wanted=words("near"), required=(Near("kursk talks", 5),))
    assert parse('near "kursk  talks"~5') == expected
    assert parse('"a b"~0').required == (Near("a b", 0),)


@pytest.mark.parametrize("typed", ['"kursk"~5', '"kursk"~', '"kursk"~99'])
def test_one_word_is_near_nothing_and_a_phrase(typed: str) -> None:
    assert parse(typed) == Query(text="kursk", required=(Phrase("kursk"),))


def test_a_phrase_with_a_tilde_and_no_distance_is_a_phrase() -> None:
    assert parse('"white house"~').required == (Phrase("white house"),)
    assert parse('"white house"~5km').required == (Phrase("white house"),)


LOOKALIKES = ["C++", "AT&T", "U.S.-China", "10:30", "jane.doe@example.org", "f(x)", "foo:bar", "a|b", "x=y*2", "*.py"]
LOOKALIKES += ["http://example.org/~jane/a*b?q=(1)&r=-2", "https://en.example.org/Foo_(bar)", "**bold**", "rock'n'roll"]
LOOKALIKES += [
    "3.14",
    "--force",
    "R&D",
    "#metoo",
    "$5",
    "state-of-the-art*",
    "~jane",
    "file~backup",
    "習近平*",
    "title:",
]


@pytest.mark.parametrize("typed", LOOKALIKES)
def test_what_only_looks_like_an_operator_is_a_word(typed: str) -> None:
    assert parse(f"news {typed}") == Query(text=f"news {typed}", wanted=words("news", typed))


@pytest.mark.parametrize("typed", [":-)", ":(", ";)", "=))", "(:", ":-(", "¯\\_(ツ)_/¯", "-_-", "*", "~", "()", "&"])
def test_a_smiley_or_a_lone_sign_leaves_the_words_as_they_are(typed: str) -> None:
    query = parse(f"war {typed} peace")
    assert [text for text in texts(query.wanted) if text in ("war", "peace")] == ["war", "peace"]
    assert (query.required, query.excluded) == ((), ())


def test_a_smiley_closes_no_group() -> None:
    assert parse("war (peace :) OR truce) now").wanted == words("war", "peace", "truce", "now")


# Exclusions


@pytest.mark.parametrize(
    ("typed", "clause"),
    [
        ("-war", Term("war")),
        ("NOT war", Term("war")),
        ("AND NOT war", Term("war")),
        ("NOT -war", Term("war")),
        ("−war", Term("war")),
        ("‐war", Term("war")),
        ("－war", Term("war")),
        ('-"civil war"', Phrase("civil war")),
        ('NOT "civil war"', Phrase("civil war")),
        ('-"civil war"~3', Near("civil war", 3)),
        ("-terror*", Prefix("terror")),
        ("-terrorism~", Fuzzy("terrorism")),
        ("-source:bbc", FieldValue("source", "bbc")),
        ('-source:"BBC News"', FieldValue("source", "BBC News")),
        ("-before:2016", Published(end=day(2017))),
        ("-(war)", Term("war")),
        ("-(civil war)", all_of("civil", "war")),
        ("-(war OR strife)", any_of("war", "strife")),
        ("NOT (war OR strife)", any_of("war", "strife")),
        ("-(civil -war)", AllOf((Term("civil"), Not(Term("war"))))),
        ("-source:(bbc OR cnn)", AnyOf((FieldValue("source", "bbc"), FieldValue("source", "cnn")))),
    ],
)
def test_a_minus_or_not_excludes(typed: str, clause: Clause) -> None:
    assert parse(f"peace {typed}") == Query(text="peace", wanted=words("peace"), excluded=(clause,))


def test_several_exclusions_each_exclude() -> None:
    assert parse("peace -war -strife -source:bbc -source:cnn").excluded == (
        *words("war", "strife"),
        FieldValue("source", "bbc"),
        FieldValue("source", "cnn"),
    )


def test_a_query_of_exclusions_only_wants_and_requires_nothing() -> None:
    assert parse("-war") == Query(excluded=words("war"))


@pytest.mark.parametrize("typed", ["well-known", "a–war", "– war", "–war", "a - war", "--war", "war-", '"spider"-man'])
def test_a_dash_elsewhere_excludes_nothing(typed: str) -> None:
    assert parse(typed).excluded == ()
    assert parse(typed).wanted


@pytest.mark.parametrize(
    "headline",
    [
        "Staffer did NOT send e-mails",
        "Merkel Says She Will NOT Change Policy",
        "FED NOT EXPECTED TO ACT IN MARKETS",
        "SALE OR MERGER LIKELY SAYS THE BOARD",
        "BANK AND STORE DO NOT AGREE ON TERMS OF THE LOAN",
    ],
)
def test_a_headline_that_shouts_is_words(headline: str) -> None:
    query = parse(headline)
    assert query.text.replace(" AND", "") == headline.replace(" AND", "")
    assert (query.required, query.excluded) == ((), ())
    assert all(isinstance(clause, Term) for clause in query.wanted)


def test_names_in_capitals_are_no_headline() -> None:
    assert parse("NATO NOT EU") == parse("NATO -EU")
    assert parse("NATO OR EU OR UN OR WHO OR IMF").wanted == (any_of("NATO", "EU", "UN", "WHO", "IMF"),)
    assert parse("中国 NOT 日本").excluded == words("日本")


# OR, AND, parentheses


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("war OR peace", (any_of("war", "peace"),)),
        ("war | peace", (any_of("war", "peace"),)),
        ("war || peace", (any_of("war", "peace"),)),
        ("war OR peace OR truce", (any_of("war", "peace", "truce"),)),
        ("long war OR peace now", (Term("long"), any_of("war", "peace"), Term("now"))),
        ("(long war) OR peace now", (AnyOf((all_of("long", "war"), Term("peace"))), Term("now"))),
        ("(war OR peace) (talks OR truce)", (any_of("war", "peace"), any_of("talks", "truce"))),
        ("(war OR peace)(talks OR truce)", (any_of("war", "peace"), any_of("talks", "truce"))),
        ("(war OR peace)|truce", (any_of("war", "peace", "truce"),)),
        ("(war OR (peace OR truce))", (any_of("war", "peace", "truce"),)),
        ("war AND peace", words("war", "peace")),
        ("war AND peace OR truce", (Term("war"), any_of("peace", "truce"))),
        ("long (war peace) now", words("long", "war", "peace", "now")),
        ("((war)) ()", words("war")),
        ("(war OR peace), now", (any_of("war", "peace"), Term("now"))),
        ("（war OR peace）", (any_of("war", "peace"),)),
        ("war or peace", words("war", "or", "peace")),
        ("elect* OR negotiate~", (AnyOf((Prefix("elect"), Fuzzy("negotiate"))),)),
        ("(see f(x) OR g(x)) now", (Term("see"), any_of("f(x)", "g(x)"), Term("now"))),
    ],
)
def test_or_joins_its_neighbours_and_parentheses_make_one_of_several(typed: str, wanted: tuple[Clause, ...]) -> None:
    query = parse(typed)
    assert query.wanted == wanted
    assert (query.required, query.excluded) == ((), ())


@pytest.mark.parametrize(
    ("typed", "required"),
    [
        ('war OR "white house"', AnyOf((Term("war"), Phrase("white house")))),
        ('war OR "white house"~2', AnyOf((Term("war"), Near("white house", 2)))),
        ("war OR source:bbc", AnyOf((Term("war"), FieldValue("source", "bbc")))),
        ("war OR on:2016", AnyOf((Term("war"), Published(day(2016), day(2017))))),
        ("war OR -peace", AnyOf((Term("war"), Not(Term("peace"))))),
        ("war OR NOT peace", AnyOf((Term("war"), Not(Term("peace"))))),
        ("war OR (peace -treaty)", AnyOf((Term("war"), AllOf((Term("peace"), Not(Term("treaty"))))))),
        ('"white house"|"blue house"', AnyOf((Phrase("white house"), Phrase("blue house")))),
    ],
)
def test_a_group_that_holds_more_than_words_binds(typed: str, required: Clause) -> None:
    query = parse(typed)
    assert query.required == (required,)
    assert (query.wanted, query.excluded) == ((), ())
    assert query.text == " ".join(texts([required]))


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("war (peace", "war peace"),
        ("war) peace", "war peace"),
        ("((war peace", "war peace"),
        ("war))) peace", "war peace"),
        (")war peace(", "war peace"),
        ("war AND AND peace", "war peace"),
        ("war ) ( peace", "war peace"),
        ("war OR OR peace", "war OR peace"),
        ("war OR | peace", "war OR peace"),
        ("war OR AND peace", "war OR peace"),
        ("(war OR peace", "war OR peace"),
        ("-(war OR peace", "-(war OR peace)"),
        ("war OR (peace", "war OR peace"),
        ("NOT NOT war", "-war"),
        ("-(-(war", "-(-war)"),
    ],
)
def test_what_is_unbalanced_or_doubled_changes_nothing(typed: str, plain: str) -> None:
    def terms(query: Query) -> list[object]:
        return [analysed(query.wanted), query.required, analysed(query.excluded)]

    def analysed(clauses: Iterable[Clause]) -> list[object]:
        return [analyse(clause.text) if isinstance(clause, Term) else clause for clause in clauses]

    assert terms(parse(typed)) == terms(parse(plain))


@pytest.mark.parametrize("typed", ["portland OR", "OR portland", "AND portland", "portland NOT", "(portland OR)", "OR"])
def test_a_connective_with_nothing_to_connect_is_a_word(typed: str) -> None:
    query = parse(typed)
    assert query.wanted == words(*typed.strip("()").split())
    assert (query.required, query.excluded) == ((), ())


# Filters


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_filters(name: str) -> None:
    assert parse(f"{name}:Value").required == (FieldValue(name, "Value"),)  # type: ignore[arg-type]
    assert parse(f'{name.upper()}:"Two  Words"').required == (FieldValue(name, "Two Words"),)  # type: ignore[arg-type]
    assert parse(f"{name}:x").text == ""


def test_values_of_one_field_mean_any_of_them_and_two_fields_mean_both() -> None:
    query = parse("source:bbc section:world source:cnn")
    either = AnyOf((FieldValue("source", "bbc"), FieldValue("source", "cnn")))
    assert query.required == (either, FieldValue("section", "world"))
    for typed in ("source:(bbc OR cnn)", "source:(bbc cnn)", "source:bbc OR source:cnn", "source:bbc (source:cnn)"):
        assert parse(typed).required == (either,)
    assert parse("source:((bbc) OR (cnn))").required == (either,)
    third = AnyOf((*either.clauses, FieldValue("source", "The Times")))
    assert parse('source:bbc source:(cnn OR "The Times")').required == (third,)


def test_words_of_a_title_are_all_wanted() -> None:
    both = (FieldValue("title", "budget"), FieldValue("title", "deal"))
    assert parse("title:budget title:deal").required == both
    assert parse("title:(budget deal)").required == both
    assert parse("title:(budget OR deal)").required == (AnyOf(both),)
    assert parse("title:(budget -deal)") == Query(required=both[:1], excluded=both[1:])


def test_full_width_operators_are_operators() -> None:
    assert parse("ｓｏｕｒｃｅ：ｂｂｃ").required == (FieldValue("source", "bbc"),)
    assert parse("ｅｌｅｃｔ＊　ｎｅｇｏｔｉａｔｅ～") == parse("elect* negotiate~")
    assert parse("＂ａ　ｂ＂～３").required == (Near("a b", 3),)
    assert parse("ａ｜ｂ ａ　｜　ｂ").wanted == (Term("a|b"), any_of("a", "b"))


@pytest.mark.parametrize(
    "typed",
    ["foo:bar", "10:30", "source:", "source: ", "(source:)", 'title:"?!"', "title:?!", "source:()", "after:(2016)"],
)
def test_what_is_no_filter_is_words(typed: str) -> None:
    query = parse(f"news {typed}")
    assert query.required == ()
    assert query.wanted[0] == Term("news")


def test_letters_that_are_only_like_those_of_a_filter_are_words() -> None:
    assert parse("sectİon:world").wanted == words("sectİon:world")
    assert parse("ſource:bbc").required == (FieldValue("source", "bbc"),)  # in full-width folding, a long s is an s


# Dates


@pytest.mark.parametrize(
    ("typed", "published"),
    [
        ("after:2016", Published(start=day(2016))),
        ("after:2016-03", Published(start=day(2016, 3))),
        ("after:2016-03-05", Published(start=day(2016, 3, 5))),
        ('after:"2016-03-05"', Published(start=day(2016, 3, 5))),
        ("before:2016", Published(end=day(2017))),
        ("before:2016-03", Published(end=day(2016, 4))),
        ("before:2016-12", Published(end=day(2017))),
        ("before:2016-12-31", Published(end=day(2017))),
        ("before:2016-02-29", Published(end=day(2016, 3))),
        ("before:9999", Published()),
        ("on:2016", Published(day(2016), day(2017))),
        ("on:2016-03-05", Published(day(2016, 3, 5), day(2016, 3, 6))),
        ("on:yesterday", Published(day(2016, 3, 8), day(2016, 3, 9))),
        ('on:"last week"', Published(day(2016, 2, 29), day(2016, 3, 7))),
        ('before:"march 2015"', Published(end=day(2015, 4))),
        ("after:2016-03 before:2016-03", Published(day(2016, 3), day(2016, 4))),
        ("after:2015 after:2016 before:2018 before:2017", Published(day(2016), day(2018))),
        ("after:2017 before:2015", Published(day(2017), day(2016))),
        ("on:2016 after:2016-03", Published(day(2016, 3), day(2017))),
        ("(on:2016 after:2016-03)", Published(day(2016, 3), day(2017))),
        ("(after:2015 before:2016) on:2016-03", Published(day(2016, 3), day(2016, 4))),
    ],
)
def test_dates_are_inclusive_and_make_one_clause(typed: str, published: Published) -> None:
    assert parse(typed) == Query(required=(published,))


def test_several_days_mean_any_of_them() -> None:
    days = AnyOf((Published(day(2015), day(2016)), Published(day(2017), day(2018))))
    assert parse("on:2015 on:2017").required == (days,)
    assert parse("on:2015 OR on:2017 before:2017-06").required == (days, Published(end=day(2017, 7)))


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("before:march 2015 election", 'before:"march 2015" election'),
        ("on:5 march 2015 election", "on:2015-03-05 election"),
        ("on:March 5, 2015 election", "on:2015-03-05 election"),
        ("on:last week election", 'on:"last week" election'),
        ("after:3 days ago", 'after:"3 days ago"'),
        ("after:the 5th of march 2015", "after:2015-03-05"),
        ("on:5 march election", 'on:"5 march" election'),
        ("(after:march 2015) election", "after:2015-03 election"),
        ("-on:march 2015", "-on:2015-03"),
    ],
)
def test_a_date_of_several_words_needs_no_quotes(typed: str, same: str) -> None:
    assert parse(typed) == parse(same)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("after:march 5 dead", ("5", "dead")),  # a march is a date already, and no year completes it
        ("after:2016 march", ("march",)),
        ("after:yesterday 1492", ("1492",)),
        ('after:march "2016"', ()),
        ("after:march -2016", ()),
    ],
)
def test_words_that_do_not_complete_a_date_are_words(typed: str, left: tuple[str, ...]) -> None:
    assert parse(typed).wanted == words(*left)


@pytest.mark.parametrize("typed", ["after:2016-13", "after:2015-02-29", "before:0000", "on:sale", "after:20161"])
def test_an_impossible_date_is_words(typed: str) -> None:
    assert parse(typed).wanted == words(typed)


# Prefixes and fuzzy words


@pytest.mark.parametrize(
    ("typed", "clause"),
    [
        ("elect*", Prefix("elect")),
        ("Gdań*", Prefix("gdan")),
        ("O'Nei*", Prefix("onei")),
        ("201*", Prefix("201")),
        ("el*", Term("el")),
        ("A*", Term("A")),
        ("negotiate~", Fuzzy("negotiate")),
        ("Négotiate~1", Fuzzy("Négotiate")),
        ("kurs~", Fuzzy("kurs")),
        ("war~", Term("war")),
        ("war~1", Term("war")),
        ("war~2", Term("war")),
        ("kursk~0", Term("kursk")),
    ],
)
def test_a_prefix_has_three_letters_and_a_fuzzy_word_four(typed: str, clause: Clause) -> None:
    assert parse(typed).wanted == (clause,)


def test_a_prefix_is_embedded_only_where_there_is_nothing_else() -> None:
    assert parse("kursk negoti*").text == "kursk"
    assert parse("negoti* OR (elect* kursk~)").text == "kursk"
    assert parse("negoti* elect*").text == "negoti elect"
    assert parse(":) negoti*").text == ":) negoti"


# Characters


@pytest.mark.parametrize("unseen", ["\u202e", "\u2066", "\u200e", "\ufeff", "\u2060", "\u00ad"])
def test_what_is_not_seen_is_dropped(unseen: str) -> None:
    typed = f'kursk -{unseen}war {unseen}source:{unseen}bbc {unseen}"white{unseen} house"'
    assert parse(typed) == parse('kursk -war source:bbc "white house"')


@pytest.mark.parametrize("blank", ["\0", "\ud800", "\x1f", "\u00a0", "\u3000", "\u2003", "\u200b", "\u2028", "\u0085"])
def test_what_separates_words_is_a_space(blank: str) -> None:
    assert parse(f"kursk{blank}-war{blank}{blank}source:bbc") == parse("kursk -war source:bbc")


def test_joiners_stay_in_their_words() -> None:
    assert parse("می\u200cخواهم").wanted == words("می\u200cخواهم")


def test_accents_beyond_what_any_script_writes_are_dropped() -> None:
    stacked = "ka" + "\u0301" * 1_900
    assert len(parse(stacked).text) < 20
    assert analyse(parse(stacked).text) == ["ka"]
    assert parse("Gdańsk") == parse("Gdan\u0301sk")


# Limits


@pytest.mark.parametrize(
    ("limit", "allowed", "beyond"),
    [
        ("characters", "kursk " * 500 + " " * (MAX_QUERY_CHARS - 3_000) + "", "a" * (MAX_QUERY_CHARS + 1)),
        ("characters", "a" * MAX_QUERY_CHARS, " " * (MAX_QUERY_CHARS + 1)),
        ("characters", "\ufdfa" * 150, "\ufdfa" * 300),
        ("words", "x " * MAX_WORDS, "x " * (MAX_WORDS + 1)),
        ("words", "習" * MAX_WORDS, "習" * (MAX_WORDS + 1)),
        ("words", "-x-" + "y-" * (MAX_WORDS - 1), "-x-" + "y-" * MAX_WORDS),
        ("operators", "-x " * MAX_CLAUSES, "-x " * (MAX_CLAUSES + 1)),
        ("operators", '"x" ' * MAX_CLAUSES, '"x" ' * (MAX_CLAUSES + 1)),
        ("operators", "source:x " * MAX_CLAUSES, "source:x " * (MAX_CLAUSES + 1)),
        ("operators", "after:2016 " * MAX_CLAUSES, "after:2016 " * (MAX_CLAUSES + 1)),
        ("operators", "abc* " * MAX_CLAUSES, "abc* " * (MAX_CLAUSES + 1)),
        ("operators", "abcd~ " * MAX_CLAUSES, "abcd~ " * (MAX_CLAUSES + 1)),
        ("operators", "(a OR b) " * MAX_CLAUSES, "(a OR b) " * (MAX_CLAUSES + 1)),
        ("operators", "-(a b) " * MAX_CLAUSES, "-(a b) " * (MAX_CLAUSES + 1)),
        ("operators", '"x y" ' * (MAX_CLAUSES // 2), '"x y" ' * (MAX_CLAUSES // 2) + "-x"),
        ("operators", '"x y"~2 ' * (MAX_CLAUSES // 2), '"x y"~2 ' * (MAX_CLAUSES // 2) + "-x"),
        ("operators", '-"x" ' * MAX_CLAUSES, '-"x" ' * (MAX_CLAUSES + 1)),
        ("operators", "(a) " * 100 + " OR b" * 100, "-(" + '"a" ' * (MAX_CLAUSES + 1)),
        ("phrase", '"' + "x " * MAX_PHRASE_WORDS + '"', '"' + "x " * (MAX_PHRASE_WORDS + 1) + '"'),
        ("phrase", '"' + "x " * MAX_PHRASE_WORDS + '"~3', '-"' + "x " * (MAX_PHRASE_WORDS + 1) + '"~3'),
        ("distance", f'"x y"~{MAX_DISTANCE}', f'"x y"~{MAX_DISTANCE + 1}'),
        ("distance", '"x y"~00', '"x y"~' + "9" * 1_900),
        ("depth", "(a " * MAX_DEPTH, "(a " * (MAX_DEPTH + 1)),
        ("depth", "a " + "((((b OR c) d))) " * 3, "(" * 1_000 + "a" + ")" * 900),
        ("edits", "kursk~1", "kursk~2"),
        ("edits", "kursk~01", "kursk~" + "9" * 1_900),
    ],
)
def test_a_limit_is_allowed_and_beyond_it_refused(limit: str, allowed: str, beyond: str) -> None:
    parse(allowed[:MAX_QUERY_CHARS])
    with pytest.raises(QueryRefused) as refused:
        parse(beyond)
    assert refused.value.limit == limit


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x" * 2_345, ["2,000", "2,345"]),
        ("x " * 600, ["512", "600"]),
        ("-x " * 20, ["16", "20"]),
        ('"' + "x " * 18 + '"', ["16", "18"]),
        ('"x y"~40', ["20"]),
        ("(" * 9 + "x", ["4"]),
        ("kursk~3", ["one", "3", "kursk~"]),
    ],
)
def test_a_refusal_says_the_limit_and_what_was_typed(typed: str, said: list[str]) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse(typed)
    assert all(part in str(refused.value) for part in said)


def test_parentheses_that_group_nothing_are_no_operators() -> None:
    parse("(a) (b c) " * 100)


def test_a_question_of_two_hundred_words_is_read_whole() -> None:
    assert len(parse(" ".join(f"word{number}" for number in range(200))).wanted) == 200


# What takes longest to put in order, to cut, to nest or to look up; the marks are in the wrong order
_MARKS = sorted(map(chr, range(0x300, 0x370)), key=unicodedata.combining, reverse=True)
_SLOW = ["a", '"', '"a" ', '"a', "-a ", "(", ")", "()", "(a)", "f(x) ", "source:a ", "source:(", "on:a ", "on:march "]
_SLOW += ["after:last ", "OR ", "a OR ", "NOT ", "abc* ", "abcd~1 ", "~", "*", ":)", "\0", "\u202e", "習", "1,", "U."]


@pytest.mark.parametrize("piece", [*_SLOW, "".join(marks for marks in _MARKS for _ in range(18)), "\ufdfa", "\u0344"])
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * MAX_QUERY_CHARS)[:MAX_QUERY_CHARS]
    taken = []
    for _ in range(3):  # what else this process has to do, such as collecting garbage, it does not do each time
        started = time.process_time()
        with contextlib.suppress(QueryRefused):
            parse(text)
        taken.append(time.process_time() - started)
    assert min(taken) < 0.1  # it takes at most 10 ms where nothing else runs


def test_a_megabyte_is_refused_before_it_is_read() -> None:
    taken = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises(QueryRefused):
            parse('"a" ' * 250_000)
        taken.append(time.process_time() - started)
    assert min(taken) < 0.02


# Narrowing and what a query holds


def test_narrow_requires_more_and_leaves_the_query_alone() -> None:
    query = parse('"white house" talks')
    narrowed = narrow(query, FieldValue("source", "bbc"), Published(start=day(2016)))
    assert narrowed.required == (Phrase("white house"), FieldValue("source", "bbc"), Published(start=day(2016)))
    assert narrowed.wanted == query.wanted
    assert query.required == (Phrase("white house"),)


def test_the_texts_of_clauses_are_what_they_want_in_order() -> None:
    query = parse('war (peace OR "white house" OR (elect* negotiate~ -treaty)) -truce source:bbc "a b"~3')
    assert list(texts((*query.wanted, *query.required))) == ["war", "peace", "white house", "elect", "negotiate", "a b"]
    assert list(leaves([AnyOf((Term("war"), Not(Term("peace")))), FieldValue("title", "x")])) == [
        Term("war"),
        FieldValue("title", "x"),
    ]


@pytest.mark.parametrize("typed", ["war", '"war peace"', "elect*", "source:bbc OR war", '"war peace"~3', "a -b"])
def test_a_query_with_anything_to_rank_by_has_words(typed: str) -> None:
    assert has_words(parse(typed))


@pytest.mark.parametrize("typed", ["", "?!", "source:bbc", "-war", "on:2016 -source:bbc", "title:war", "-(war -peace)"])
def test_a_query_of_filters_and_exclusions_has_none(typed: str) -> None:
    assert not has_words(parse(typed))
    assert parse(typed).text == ""


def test_a_bare_year_is_the_word_or_the_year_of_publication() -> None:
    year = Published(datetime(2007, 1, 1, tzinfo=UTC), datetime(2008, 1, 1, tzinfo=UTC))
    query = parse("iphone 2007")
    assert query.wanted == (Term("iphone"), AnyOf((Term("2007"), year)))
    assert (query.required, query.text) == ((), "iphone 2007")
    for other in ("iphone 1492", "iphone 20071", "iphone 2007th", '"2007"'):
        assert not any(isinstance(clause, AnyOf) for clause in parse(other).wanted)
