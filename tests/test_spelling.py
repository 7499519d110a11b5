"""What a query may have been meant to say, on real slips and real names, by the words of an archive of 25,045 articles.

In `spelling/`: `misspellings.tsv` holds mistyped queries and what was meant, `unknown_names.txt` names and words which
that archive does not hold or hardly holds, `word_counts.tsv` how many of its articles hold each word near one of those.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import words
from index.query import Near, Phrase, QueryRefused, Term, leaves, parse
from index.spelling.speller import MAX_COUNTED, MAX_STRANGE, MAX_TYPED_WORDS, Speller, plain_words

DATA = Path(__file__).parent / "spelling"
HEADLINES = {"white house": 139, "supreme court": 116, "new york": 79, "north korea": 66, "wall street": 51}


def rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


COUNTS = {word: int(count) for word, count in rows("word_counts.tsv")}
MISSPELLINGS = [(typed, meant) for typed, meant in rows("misspellings.tsv")]
NAMES = [name for (name,) in rows("unknown_names.txt")]
SMALL = {"the": 20_000, "government": 4_000, "shutdown": 300, "hillary": 1_000, "hilary": 11, "clinton": 2_000}


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller(COUNTS, in_headlines=lambda phrase: HEADLINES.get(phrase, 0))


def company(**pairs: int) -> "Company":
    return Company({frozenset(pair.split("_")): count for pair, count in pairs.items()})


class Company:
    """Counts articles from a table of words that stand together, and remembers what it was asked."""

    def __init__(self, counts: dict[frozenset[str], int]) -> None:
        self.counts = counts
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, together: Sequence[str]) -> int:
        self.asked.append(tuple(together))
        return self.counts.get(frozenset(together), 0)


# On real slips and real names


def test_at_least_85_of_100_slips_are_put_right(speller: Speller) -> None:
    held = [(typed, meant) for typed, meant in MISSPELLINGS if all(COUNTS.get(word, 99) >= 3 for word in words(meant))]
    assert len(held) >= 180
    wrong = [(typed, speller.suggest(typed), meant) for typed, meant in held if speller.suggest(typed) != meant]
    assert len(wrong) <= 0.15 * len(held), wrong
    assert sum(1 for _, suggested, _ in wrong if suggested) <= 0.02 * len(held), wrong


@pytest.mark.parametrize("write", [str, str.lower], ids=["as written", "in small letters"])
def test_at_most_5_of_100_unknown_names_are_taken_for_slips(speller: Speller, write: type[str]) -> None:
    taken = [(name, speller.suggest(write(name))) for name in NAMES if speller.suggest(write(name))]
    assert len(NAMES) >= 170
    assert len(taken) <= 0.05 * len(NAMES), taken


def test_what_was_meant_is_itself_left_alone(speller: Speller) -> None:
    assert [(meant, speller.suggest(meant)) for _, meant in MISSPELLINGS if speller.suggest(meant)] == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("goverment", "government"),
        ("impeachement", "impeachment"),
        ("Obmaa", "Obama"),
        ("Netenyahu", "Netanyahu"),
        ("Massachusets", "Massachusetts"),
        ("Zelenksy", "Zelensky"),
        ("Mitch McConell", "Mitch McConnell"),
        ("GOVERMENT", "GOVERNMENT"),
        ("Obmaa's", "Obama's"),
    ],
)
def test_a_slip_is_put_right_in_the_capitals_it_was_typed_in(speller: Speller, typed: str, meant: str) -> None:
    assert speller.suggest(typed) == meant


@pytest.mark.parametrize("name", ["Merz", "Starmer", "Meloni", "Albanese", "Lukashenka", "Macron", "Kittilä", "Aespa"])
def test_a_name_is_left_alone(speller: Speller, name: str) -> None:
    assert speller.suggest(name) is None


def test_a_capital_calls_for_more_certainty() -> None:
    speller = Speller({"the": 20_000, "hostile": 60})
    assert speller.suggest("hostille") == "hostile"
    doubtful = Speller({"the": 20_000, "matter": 20})
    assert (doubtful.suggest("mattur"), doubtful.suggest("Mattur")) == ("matter", None)


# What of a query is corrected


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ('"supreme cuort" nominee', '"supreme court" nominee'),
        ("“supreme cuort”", "“supreme court”"),
        ('"supreme cuort"~5', '"supreme court"~5'),
        ("source:Goverment oil prodution", "source:Goverment oil production"),
        ('author:"Jon Goverment" prodution', 'author:"Jon Goverment" production'),
        ("section:(goverment OR prodution) prodution", "section:(goverment OR prodution) production"),
        ("after:goverment prodution", "after:goverment production"),
        ("-goverment prodution", "-goverment production"),
        ('-"goverment prodution" prodution', '-"goverment prodution" production'),
        ("goverm* prodution", "goverm* production"),
        ("goverment~ prodution", "goverment~ production"),
        ("(goverment OR prodution)", "(government OR production)"),
        ("  goverment,  prodution!", "  government,  production!"),
        ("re:goverment", "re:government"),
        ("goverment~1 prodution", "goverment~1 production"),
        ("-(a (goverment c) goverment) prodution", "-(a (goverment c) goverment) production"),
        ("source:(a (b) goverment) prodution", "source:(a (b) goverment) production"),
        ("(a -(goverment) prodution)", "(a -(goverment) production)"),
        ("prodution NOT goverment", "production NOT goverment"),
        ('NOT "goverment prodution" prodution', 'NOT "goverment prodution" production'),
        ("NOT (goverment OR prodution) prodution", "NOT (goverment OR prodution) production"),
        ("NOT OR goverment prodution", "NOT OR goverment production"),
        ("source：goverment prodution", "source：goverment production"),
        ("−goverment prodution", "−goverment production"),
        ("-〝goverment a〟 prodution", "-〝goverment a〟 production"),
        ("-(a :) goverment) prodution", "-(a :) goverment) production"),
    ],
)
def test_operators_filters_and_exclusions_stay_as_typed(speller: Speller, typed: str, suggested: str) -> None:
    assert speller.suggest(typed) == suggested


@given(st.text(max_size=60))
def test_any_text_is_answered_and_only_its_words_change(text: str) -> None:
    suggested = Speller(SMALL).suggest(text)
    assert suggested != text
    assert all(words(text[word.start : word.end]) == [word.folded] for word in plain_words(text))


@pytest.mark.parametrize("text", ["author:a uth", "AUTHOR:A UTH", "-author:a uth", 'author:"a" uth', '""  -a uth'])
def test_a_word_is_found_where_it_stands_and_not_in_the_name_of_a_filter(text: str) -> None:
    assert [(word.start, word.end) for word in plain_words(text)] == [(len(text) - 3, len(text))]


def test_how_far_apart_words_may_stand_is_no_word() -> None:
    assert [word.folded for word in plain_words('"foo bar"~3 foo~1 bar')] == ["foo", "bar", "bar"]


PIECES = [
    *("a", "b", "c", "fg", "x-y", "f(x)", "h(i", ":)", "-", "-a", "-b", "a~", "a~1", "a*", "source:", "source:b"),
    *("(", ")", "-(", "source:(", '"', '"~3', '-"', 'source:"', "NOT", "OR", "|", " ", "  ", "\n", "a) ", "title:("),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
def test_only_words_that_are_looked_for_are_corrected(pieces: list[str], between: str) -> None:
    text = between.join(pieces)
    try:
        query = parse(text, today=date(2020, 1, 1))
    except QueryRefused:
        return
    sought = (leaf.text for leaf in leaves((*query.wanted, *query.required)) if isinstance(leaf, Term | Phrase | Near))
    wanted = Counter(word for text in sought for word in words(text))
    typed = Counter(word.folded for word in plain_words(text) if word.folded not in ("not", "or"))
    assert typed <= wanted


@given(
    st.lists(
        st.sampled_from(["goverment", "shutdwon", "-x", '"', "(", ")", "OR", "source:", "clintn", "~5"]), max_size=9
    )
)
def test_what_is_offered_is_what_one_gets(pieces: list[str]) -> None:
    speller = Speller(SMALL)
    suggested = speller.suggest(" ".join(pieces))
    if suggested is not None:
        assert speller.suggest(suggested) is None


def test_long_texts_and_texts_in_another_language_are_left_alone(speller: Speller) -> None:
    assert speller.suggest("goverment " + "the " * (MAX_TYPED_WORDS - 1)) is not None
    assert speller.suggest("goverment " + "the " * MAX_TYPED_WORDS) is None
    strange = ["qwxzvk", "zzvkqj", "xxkqzv", "vvqkzj", "kkqzxv", "jjqzkx"]
    assert speller.suggest(" ".join(["goverment", *strange[: MAX_STRANGE - 1]])) is not None
    assert speller.suggest(" ".join(["goverment", *strange])) is None


def test_nothing_is_suggested_of_nothing() -> None:
    assert Speller({}).suggest("goverment") is None
    assert Speller({}, in_headlines=lambda phrase: 0).suggest("face book") is None
    assert Speller(SMALL).suggest("") is None
    assert Speller(SMALL).suggest('-"goverment" source:x') is None


# The company of other words


def test_of_two_likely_words_the_one_that_stands_with_the_others_is_meant() -> None:
    counts = {"the": 20_000, "putting": 1_000, "putin": 200, "vladimir": 200}
    assert Speller(counts).suggest("vladimir puttin") != "vladimir putin"
    together = company(vladimir_putin=120, vladimir_putting=8)
    assert Speller(counts, together=together).suggest("vladimir puttin") == "vladimir putin"


def test_a_doubtful_word_that_never_stands_with_the_others_is_not_offered() -> None:
    counts = {"the": 20_000, "matter": 20, "parliament": 400}
    assert Speller(counts).suggest("parliament mattur") == "parliament matter"
    assert Speller(counts, together=company()).suggest("parliament mattur") is None


def test_a_word_few_articles_hold_is_a_misprint_where_another_stands_far_oftener() -> None:
    together = company(hilary_clinton=8, hillary_clinton=900)
    assert Speller(SMALL, together=together).suggest("hilary clinton") == "hillary clinton"
    assert Speller(SMALL, together=together).suggest("Hilary Clintn") == "Hillary Clinton"
    often = company(hilary_clinton=10, hillary_clinton=60)
    assert Speller(SMALL, together=often).suggest("hilary clinton") is None


def test_a_misprint_alone_must_be_far_rarer() -> None:
    assert Speller({**SMALL, "goverment": 10}).suggest("goverment") == "government"
    assert Speller({**SMALL, "goverment": 60}).suggest("goverment") is None
    assert Speller(SMALL).suggest("hilary") is None


def test_a_query_that_finds_something_is_left_alone_unless_the_other_finds_far_more() -> None:
    counts = {**SMALL, "goverment": 4}
    pairs = {"shutdown_goverment": 1, "shutdown_government": 250}
    assert Speller(counts, together=company(**pairs)).suggest("shutdown goverment") == "shutdown government"
    own = {**pairs, "the_x": 1, "clinton_shutdown_goverment": 1, "clinton_shutdown_government": 3}
    assert Speller(counts, together=company(**own)).suggest("clinton shutdown goverment") is None


def test_a_query_puts_few_questions_each_once() -> None:
    together = company()
    Speller(COUNTS, together=together).suggest(
        "goverment congres presidental impeachement comittee electorial shutdown"
    )
    assert 0 < len(together.asked) == len(set(together.asked)) <= MAX_COUNTED


# Words run together or torn apart


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("whitehouse", "white house"),
        ("Supremecourt nominee", "Supreme Court nominee"),
        ("northkorea", "north korea"),
        ("face book privacy", "facebook privacy"),
        ("Obama care", "Obamacare"),
    ],
)
def test_words_are_parted_and_joined_as_the_archive_writes_them(speller: Speller, typed: str, suggested: str) -> None:
    assert speller.suggest(typed) == suggested


def test_words_are_parted_only_where_headlines_hold_both_side_by_side() -> None:
    counts = {**COUNTS, "black": 3_000, "burn": 200}
    assert Speller(counts, in_headlines=lambda phrase: 4 * (phrase == "black burn")).suggest("blackburn") is None
    assert (
        Speller(counts, in_headlines=lambda phrase: 5 * (phrase == "black burn")).suggest("blackburn") == "black burn"
    )
    assert Speller(counts).suggest("whitehouse") is None


def test_words_are_not_joined_that_headlines_hold_side_by_side_or_a_sign_parts() -> None:
    speller = Speller({**COUNTS}, in_headlines=lambda phrase: 3 * (phrase == "face book"))
    assert speller.suggest("face book") is None
    silent = Speller({**COUNTS}, in_headlines=lambda phrase: 0)
    assert silent.suggest("face book") == "facebook"
    assert silent.suggest('"face" book') is None
    assert silent.suggest("face, book") is None


# Cost


def test_a_query_is_answered_within_20_ms_by_200_000_words() -> None:
    letters = "etaoinshrdlu"
    many = {
        f"{a}{b}{c}{word}"[:20]: 5 for word in list(COUNTS)[:120] for a in letters for b in letters for c in letters
    }
    speller = Speller({**many, **COUNTS})
    assert len(speller.words) > 190_000
    spent = []
    for typed, _ in MISSPELLINGS[::5]:
        began = time.thread_time()
        speller.suggest(typed)
        spent.append(time.thread_time() - began)
    assert sorted(spent)[len(spent) * 9 // 10] < 0.02


def test_threads_get_the_same_answers(speller: Speller) -> None:
    typed = [query for query, _ in MISSPELLINGS[:40]]
    wanted = [speller.suggest(query) for query in typed]
    got: dict[int, list[str | None]] = {}
    threads = [
        threading.Thread(target=lambda n=n: got.update({n: [speller.suggest(query) for query in typed]}))  # type: ignore[misc]
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(got.values()) == [wanted] * 4
