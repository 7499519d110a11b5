"""What every keyword index must do, whichever library is behind it.

What a clause means is compared with `index.matching`; scores and coverage are written out once more in plain Python.
"""

import hashlib
import math
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.article import Article
from index.analysis import STOP_TERMS, analyse, stem, words
from index.engine import Ints, Mask
from index.errors import GenerationDamaged
from index.function_words import without_function_words
from index.inflection import bare, language_of
from index.keywords import KeywordFormat, KeywordIndex
from index.keywords.scoring import K1, TITLE_WEIGHT, B
from index.keywords.tantivy_index import TantivyFormat
from index.keywords.whoosh_index import WhooshFormat
from index.matching import Meant, holds, holds_all, one_edit_apart, telling
from index.query import (
    MAX_EXPANSIONS,
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
    parse,
    texts,
)

FORMATS: list[KeywordFormat] = [WhooshFormat(), TantivyFormat()]
VOCABULARY = ["army", "border", "convoy", "drone", "east", "kursk", "land", "the", "of", "be", "U.S.", "Zelenskyy’s"]
FORMS = [*VOCABULARY, "armies", "drones", "droned", "eats", "eastern", "kursks", "Łand", "bands",
         "Häuser", "Haus", "Hauses", "élue", "élu", "journaux", "journal"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FORMS), max_size=12).map(" ".join)
SHARED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TODAY = date(2026, 1, 1)
SINGLE = 1e-5  # an engine may add scores up in single precision


@pytest.fixture(params=FORMATS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> KeywordFormat:
    return request.param  # type: ignore[no-any-return]


def article(id_: str, body: str = "", *, title: str = "", **fields: object) -> Article:
    return Article(id=id_, title=title, body=body, **fields)  # type: ignore[arg-type]


def build(
    kind: KeywordFormat, directory: Path, *batches: Iterable[Article], removed: Sequence[str] = ()
) -> KeywordIndex:
    """Index the batches, each as an update of its own, the last of which removes."""
    kind.create(directory)
    for batch in batches[:-1]:
        kind.update(directory, removed=[], added=batch)
    kind.update(directory, removed=removed, added=batches[-1])
    return kind.open(directory)


def read(text: str) -> Query:
    return parse(text, today=TODAY)


def parsed(query: str | Query) -> Query:
    return read(query) if isinstance(query, str) else query


def at(index: KeywordIndex, *ids: str) -> Ints:
    """The numbers of these articles, all of which are there."""
    places = index.ids.tolist()
    return np.array([places.index(id_.encode()) for id_ in ids], np.int64)


def named(index: KeywordIndex, which: Mask | Ints | None) -> list[str] | None:
    """The ids that a mask or numbers stand for."""
    return None if which is None else [id_.decode() for id_ in index.ids[which].tolist()]


def found(index: KeywordIndex, query: str | Query, *, depth: int = 100) -> list[str]:
    return named(index, index.rank(parsed(query), depth=depth).numbers) or []


def selected(index: KeywordIndex, query: str | Query) -> set[str] | None:
    ids = named(index, index.select(parsed(query)))
    return None if ids is None else set(ids)


def held(index: KeywordIndex, query: str | Query) -> set[str]:
    return set(named(index, index.holding(parsed(query))) or [])


def scores(index: KeywordIndex, query: str | Query, *ids: str) -> list[float]:
    return index.evidence(parsed(query), at(index, *ids)).scores.tolist()


def coverage(index: KeywordIndex, query: str | Query, *ids: str) -> list[float]:
    return index.evidence(parsed(query), at(index, *ids)).coverage.tolist()


# The same thing, written without an index.

Unit = tuple[str, tuple[str, ...], int]  # the kind, its words, folded, the distance


def units_of(clauses: Iterable[Clause]) -> Iterable[tuple[Unit, float]]:
    for clause in clauses:
        match clause:
            case Term(text, weight):
                yield from ((("run", (word,), 0), weight) for word in words(text))
            case Phrase(text):
                yield ("run", tuple(words(text)), 0), 1.0
            case Near(text, distance):
                near = tuple(sorted(words(text)))
                yield (("near", near, distance) if near[1:] else ("run", near, 0)), 1.0
            case Prefix(text) | Fuzzy(text):
                yield (type(clause).__name__, (text,), 0), 1.0
            case AnyOf(inner) | AllOf(inner):
                yield from units_of(inner)


def units(query: Query) -> list[tuple[Unit, float]]:
    """What scores: of stop words on their own nothing, unless there is nothing else."""
    everything = list(units_of((*query.wanted, *query.required)))
    return [
        pair
        for pair in everything
        if pair[0][0] != "run" or not {*map(stem, pair[0][1])} <= STOP_TERMS or pair[0][1][1:]
    ] or (everything)


def occurrences(one: Article, text: str, unit: Unit) -> int:
    kind, wanted, distance = unit
    meant = Meant.of(" ".join(wanted), language_of(one.language))
    text = bare(meant.language, text)
    terms, width = [*map(meant.said, analyse(text), words(text))], len(wanted) + distance
    if kind == "run":
        return sum(terms[at : at + len(wanted)] == meant.terms for at in range(len(terms)))
    if kind == "Prefix":
        return sum(word.startswith(wanted[0]) for word in words(text))
    if kind == "Fuzzy":
        return sum(one_edit_apart(wanted[0], word) or stem(wanted[0]) == stem(word) for word in words(text))
    complete = {
        (start, end)
        for start in range(len(terms))
        for end in range(start + 1, min(start + width, len(terms)) + 1)
        if not Counter(meant.terms) - Counter(terms[start:end])
    }
    return sum(
        not any(other != one and one[0] <= other[0] and other[1] <= one[1] for other in complete) for one in complete
    )


def frequency(one: Article, unit: Unit) -> float:
    return occurrences(one, one.body, unit) + TITLE_WEIGHT * occurrences(one, one.title, unit)


def length(one: Article) -> float:
    body, title = ([t for t in analyse(text) if t not in STOP_TERMS] for text in (one.body, one.title))
    return len(body) + TITLE_WEIGHT * len(title)


def idf(articles: Sequence[Article], holding: int) -> float:
    return math.log(1 + (len(articles) - holding + 0.5) / (holding + 0.5))


def rarity(articles: Sequence[Article], unit: Unit) -> float:
    parts = [("run", (word,), 0) for word in unit[1]] if unit[0] in ("run", "near") else [unit]
    return sum(idf(articles, sum(frequency(one, part) > 0 for one in articles)) for part in parts)


def expected_scores(articles: Sequence[Article], query: Query) -> dict[str, float]:
    mean = sum(map(length, articles)) / len(articles) or 1.0
    scores = dict.fromkeys([one.id for one in articles], 0.0)
    for unit, weight in units(query):
        highest = weight * rarity(articles, unit)
        for one in articles:
            tf = frequency(one, unit)
            scores[one.id] += highest * tf / (tf + K1 * (1 - B + B * length(one) / mean)) if tf else 0.0
    return scores


def weight(articles: Sequence[Article], clause: Clause) -> float:
    """How much a clause counts in the coverage."""
    match clause:
        case AllOf(inner):
            return sum(weight(articles, one) for one in inner)
        case AnyOf():
            holding = sum(holds(Query(required=(clause,)), one) for one in articles)
            return idf(articles, holding) if any(texts((clause,))) else 0.0
        case Term(text, times):
            return times * rarity(articles, ("run", tuple(words(text)), 0))
        case _:
            return sum(rarity(articles, unit) for unit, _ in units_of((clause,)))


def expected_coverage(articles: Sequence[Article], query: Query) -> dict[str, float]:
    weights = [(clause, weight(articles, clause)) for clause in (*telling(query), *query.required)]
    total = sum(one for _, one in weights) or 1.0
    return {
        one.id: sum(share for clause, share in weights if holds(Query(required=(clause,)), one)) / total
        for one in articles
    }


WORDS = st.sampled_from(FORMS)
ANY_WORD = (
    WORDS.map(Term)
    | st.sampled_from(["U.S.-drone", "the-land", "unheard"]).map(lambda text: Term(text, 2.0))
    | st.sampled_from(["dro", "eas", "arm", "kur", "thing"]).map(Prefix)
    | st.sampled_from(["kursk", "lands", "esat", "army", "drnes", "bordr"]).map(Fuzzy)
)
BINDING = (
    st.lists(WORDS, min_size=1, max_size=3).map(" ".join).map(Phrase)
    | st.builds(Near, st.lists(WORDS, min_size=1, max_size=3).map(" ".join), st.integers(0, 4))
    | st.builds(FieldValue, st.just("source"), st.sampled_from(["bbc", "CNN"]))
    | st.builds(FieldValue, st.just("language"), st.sampled_from(["en", "en-GB", "e"]))
    | st.builds(FieldValue, st.just("title"), WORDS)
    | st.builds(Published, st.just(datetime(2016, 1, 1, tzinfo=UTC)), st.none())
)


def groups(clauses: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    several = st.lists(clauses, min_size=1, max_size=3).map(tuple)
    return several.map(AnyOf) | several.map(AllOf)


ANY = st.recursive(ANY_WORD | BINDING, lambda inner: groups(inner) | inner.map(Not), max_leaves=4)
QUERIES = st.builds(
    Query,
    wanted=st.lists(ANY_WORD | groups(ANY_WORD), max_size=4).map(tuple),
    required=st.lists(ANY, max_size=2).map(tuple),
    excluded=st.lists(ANY, max_size=1).map(tuple),
)
ARTICLES = st.builds(
    dict,
    title=TEXTS,
    body=TEXTS,
    source=st.sampled_from(["bbc", "cnn", None]),
    language=st.sampled_from(["en", "en-GB", "de", "de-AT", "fr", None]),
    published_at=st.sampled_from([datetime(2016, 1, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC), None]),
)


@given(
    corpus=st.lists(ARTICLES, min_size=1, max_size=12),
    query=QUERIES,
    cuts=st.lists(st.integers(0, 12), max_size=3),
    gone=st.sets(st.integers(0, 11), max_size=4),
    depth=st.integers(1, 5),
)
@SHARED
def test_every_answer_agrees_with_the_articles_themselves_however_segments_lie(
    kind: KeywordFormat, corpus: list[Mapping[str, object]], query: Query, cuts: list[int], gone: set[int], depth: int
) -> None:
    articles = [Article(id=f"{number:02}", **fields) for number, fields in enumerate(corpus)]  # type: ignore[arg-type]
    batches = [articles[start:end] for start, end in pairwise([0, *sorted(cuts), len(articles)])]
    kept = [one for number, one in enumerate(articles) if number not in gone]
    ids = [one.id for one in kept]
    with TemporaryDirectory() as directory:
        index = build(kind, Path(directory), *batches, [], removed=[f"{n:02}" for n in gone])
        assert index.all_ids() == set(ids)
        check_selection(index, kept, query)
        check_ranking(index, kept, query, depth)
        check_evidence(index, kept, query)
        check_words(index, kept, is_exact=not gone)
        index.close()


def check_selection(index: KeywordIndex, kept: Sequence[Article], query: Query) -> None:
    if query.required or query.excluded:
        assert selected(index, query) == {one.id for one in kept if holds(query, one)}
    else:
        assert index.select(query) is None
    assert held(index, query) == ({one.id for one in kept if holds_all(query, one)} if has_words(query) else set())
    most = set(named(index, index.holding_most(query)) or [])
    assert most == (most_of(kept, query) if has_words(query) else set())


def most_of(kept: Sequence[Article], query: Query) -> set[str]:
    """Return what holds at least half of the wanted clauses that anything holds."""
    held = {one.id: [holds(Query(required=(clause,)), one) for clause in telling(query)] for one in kept}
    occurring = sum(map(any, zip(*held.values(), strict=True)))
    return {one.id for one in kept if holds(query, one) and sum(held[one.id]) >= max(1, (occurring + 1) // 2)}


def check_ranking(index: KeywordIndex, kept: Sequence[Article], query: Query, depth: int) -> None:
    scored = expected_scores(kept, query) if kept else {}
    allowed = {one.id for one in kept if holds(query, one)}
    answer = index.rank(query, depth=depth)
    ranked = list(zip(named(index, answer.numbers) or [], answer.scores.tolist(), strict=True))
    assert ranked == sorted(ranked, key=lambda pair: (-pair[1], pair[0]))
    assert dict(ranked) == pytest.approx({id_: scored[id_] for id_, _ in ranked if id_ in allowed}, rel=SINGLE)
    # which of two equal scores comes first in the fifteenth digit is not held against an engine
    best = sorted((scored[id_] for id_ in allowed if scored[id_] > 0), reverse=True)[:depth]
    assert [score for _, score in ranked] == pytest.approx(best, rel=SINGLE)
    covered = expected_coverage(kept, query) if kept else {}
    beyond = [covered[id_] for id_ in allowed - {id_ for id_, _ in ranked} if scored[id_] > 0]
    reached = index.coverage_beyond(query, answer.numbers)
    assert reached == (pytest.approx(max(beyond)) if beyond else None)


def check_evidence(index: KeywordIndex, kept: Sequence[Article], query: Query) -> None:
    ids = [one.id for one in reversed(kept)]
    evidence = index.evidence(query, at(index, *ids))
    scored, covered = (expected_scores(kept, query), expected_coverage(kept, query)) if kept else ({}, {})
    assert evidence.scores.tolist() == pytest.approx([scored.get(id_, 0.0) for id_ in ids])
    assert evidence.coverage.tolist() == pytest.approx([covered.get(id_, 0.0) for id_ in ids])
    assert evidence.scores.max(initial=0.0) <= index.ceiling(query) + 1e-9
    assert index.ceiling(query) == pytest.approx(sum(times * rarity(kept, unit) for unit, times in units(query)))
    explained = index.explain(query, [*ids, "unknown"])
    assert explained["unknown"] == []
    assert [sum(part.score for part in explained[id_]) for id_ in ids] == pytest.approx(evidence.scores.tolist())
    asked = [unit for unit, _ in units(query)]
    for one in kept:
        frequencies = {(occurrences(one, one.title, unit), occurrences(one, one.body, unit)) for unit in asked}
        assert {(part.title, part.body) for part in explained[one.id]} == frequencies - {(0, 0)}
    counts = {sum(frequency(one, unit) > 0 for one in kept) for unit in asked}
    assert set(index.terms(query).values()) == counts


def check_words(index: KeywordIndex, kept: Sequence[Article], *, is_exact: bool) -> None:
    expected = Counter(word for one in kept for word in {*words(one.title), *words(one.body)})
    assert list(index.words()) == sorted(expected)
    assert all(count >= expected[word] for word, count in index.words().items())
    assert not is_exact or index.words() == expected


def test_equal_scores_are_ordered_by_id_and_cut_at_the_depth(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, *([article(id_, "kursk")] for id_ in "dbca"))
    assert found(index, "kursk", depth=4) == ["a", "b", "c", "d"]
    best = found(index, "kursk", depth=3)  # which of them is left out is the library's choice
    assert best == sorted(best)
    assert len(best) == 3
    assert found(index, "kursk", depth=0) == []


def test_of_many_the_best_are_returned(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article(str(n), "kursk " * n + "land " * (9 - n)) for n in (3, 1, 8, 5, 7, 2)])
    assert found(index, "kursk", depth=4) == ["8", "7", "5", "3"]


def test_a_phrase_needs_its_words_side_by_side_in_order(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind,
        tmp_path,
        [
            article("side", "The White House, it said."),
            article("apart", "The white old house"),
            article("turned", "House white"),
            article("longer", "The house of white housekeeping"),
            article("across", "House of cards", title="All in white"),
            article("title", title="White-House talks"),
        ],
    )
    assert sorted(found(index, '"white house"')) == ["side", "title"]
    assert found(index, 'cards -"white house"') == ["across"]


def test_a_phrase_of_stop_words_is_found(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "To be, or not to be"), article("b", "Not to be or to be")])
    assert found(index, '"to be or not to be"') == ["a"]


def test_stop_words_rank_only_when_there_is_nothing_else(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "the kursk"), article("b", "the the the east")])
    assert found(index, "the kursk") == ["a"]
    assert found(index, "the") == ["b", "a"]


def test_a_word_in_the_title_weighs_more(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("body", "kursk", title="land"), article("title", "land", title="kursk")])
    assert found(index, "kursk") == ["title", "body"]


def test_a_weight_multiplies_a_words_score(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk east"), article("b", "kursk west")])
    plain, heavy = (scores(index, Query(wanted=(Term("east", weight),)), "a")[0] for weight in (1.0, 3.0))
    assert heavy == pytest.approx(3 * plain)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("source:guardian", ["a"]),
        ('source:"ＴＨＥ  guardian"', ["b"]),
        ("author:doe", []),
        ('author:"jané DOE"', ["a", "b"]),
        ('author:"john roe"', ["b"]),
        ("section:world section:sport", ["a", "b"]),
        ("section:world source:guardian", ["a"]),
        ("language:en", ["a", "b"]),
        ("language:EN-gb", ["b"]),
        ("language:e", []),
        ("language:en-US", []),
        ("title:talks", ["a"]),
        ('title:"talks peace"', []),
        ("-section:world", ["b", "c"]),
        ("after:2016-03-02", ["b"]),
        ("before:2016-03-01", ["a"]),
        ("after:2016 before:2016-03", ["a", "b"]),
        ("-after:2016-03-02", ["a", "c"]),
    ],
)
def test_a_filter_selects(kind: KeywordFormat, tmp_path: Path, query: str, ids: list[str]) -> None:
    last_of_march_1 = datetime(2016, 3, 2, tzinfo=UTC) - timedelta(microseconds=1)
    index = build(
        kind,
        tmp_path,
        [
            article(
                "a",
                "kursk",
                title="Peace talks",
                source="Guardian",
                section="World",
                authors=("Jane Doe",),
                language="en",
                published_at=last_of_march_1,
            ),
            article(
                "b",
                "kursk talks",
                source="The Guardian",
                section="Sport",
                authors=("Jané Doe", "John Roe"),
                language="en-GB",
                published_at=datetime(2016, 3, 2, tzinfo=UTC),
            ),
            article("c", "kursk"),
        ],
    )
    assert selected(index, query) == frozenset(ids)
    assert sorted(found(index, f"kursk {query}")) == ids


def test_filters_do_not_change_scores(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk", source="bbc"), article("b", "kursk kursk")])
    assert scores(index, "kursk source:bbc", "a", "b") == scores(index, "kursk", "a", "b")
    assert coverage(index, "kursk source:bbc", "a", "b") == [1.0, 1.0]


def test_any_of_holds_with_one_and_ranks_by_all(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "east"), article("b", "east west"), article("c", "north")])
    either = AnyOf((Term("east"), Phrase("east west")))
    assert found(index, Query(required=(either,))) == ["b", "a"]
    assert selected(index, Query(excluded=(either,))) == frozenset("c")
    assert selected(index, Query(required=(AnyOf(()),))) == frozenset()


def test_a_prefix_finds_the_words_that_begin_so_and_not_what_shares_their_stem(
    kind: KeywordFormat, tmp_path: Path
) -> None:
    index = build(kind, tmp_path, [article("a", "running"), article("b", "run"), article("c", "", title="Runnîng")])
    assert found(index, "runni*") == ["c", "a"]
    assert found(index, "runnin") == []
    assert sorted(found(index, "runs")) == ["a", "b", "c"]
    assert selected(index, "-runni*") == {"b"}


def test_a_prefix_scores_as_one_word_wherever_it_stands(kind: KeywordFormat, tmp_path: Path) -> None:
    forms = build(
        kind,
        made(tmp_path / "forms"),
        [article("a", "drone drones east"), article("b", "dromedary"), article("c", "land")],
    )
    one = build(
        kind, made(tmp_path / "one"), [article("a", "drone drone east"), article("b", "drone"), article("c", "land")]
    )
    assert scores(forms, "dro*", "a", "b", "c") == pytest.approx(scores(one, "drone", "a", "b", "c"))


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def test_a_prefix_of_too_many_words_is_refused_by_name_and_number(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", " ".join(f"kur{number}" for number in range(MAX_EXPANSIONS + 1)))])
    asked: list[Callable[[Query], object]] = [
        index.select,
        index.holding,
        index.matched_terms,
        index.ceiling,
        lambda query: index.rank(query, depth=5),
        lambda query: index.evidence(query, at(index, "a")),
    ]
    for ask in asked:
        with pytest.raises(
            QueryRefused, match=rf"kur\* stands for {MAX_EXPANSIONS + 1} words .* add a letter"
        ) as refused:
            ask(Query(wanted=(Prefix("kur"),), required=(Prefix("kur"),)))
        assert refused.value.limit == "expansions"
    assert found(index, "kur1*") == ["a"]


def test_the_forms_of_a_word_are_one_expansion(kind: KeywordFormat, tmp_path: Path) -> None:
    body = " ".join(f"{word} {word}s" for word in (f"kur{a}{b}" for a in "bcdfghjklm" for b in "bcdfghjklm"))
    index = build(kind, tmp_path, [article("a", body)])
    assert len(index.words()) == 200
    assert found(index, "kur*") == ["a"]


@pytest.mark.parametrize("typed", ["krsk", "kurssk", "kurzk", "ukrsk", "kursk", "KÚRSK"])
def test_a_fuzzy_word_finds_what_is_one_edit_away(kind: KeywordFormat, tmp_path: Path, typed: str) -> None:
    index = build(kind, tmp_path, [article("a", "Kursk"), article("b", "kur"), article("c", "kiirsk kursker")])
    assert found(index, Query(wanted=(Fuzzy(typed),))) == ["a"]


def test_a_fuzzy_word_finds_all_that_the_word_itself_does(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "drones"), article("b", "droning"), article("c", "drove")])
    assert held(index, "drone") == {"a", "b"}
    assert held(index, "drone~") == {"a", "b", "c"}
    assert held(index, "dronin~") == {"b"}


def test_a_fuzzy_word_counts_each_place_once(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk kursks kurks", title="kursk kursl")])
    (part,) = index.explain(read("kursk~"), ["a"])["a"]
    assert (part.title, part.body) == (2, 3)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ('"drone kursk"~0', ["a", "b"]),
        ('"kursk drone"~1', ["a", "b", "c"]),
        ('"kursk drone"~2', ["a", "b", "c", "d"]),
        ('"drone drone"~9', ["e"]),
        ('"drone land drone"~9', ["e"]),
        ('"drone land land"~9', []),
        ('"the drone"~0', ["d"]),
    ],
)
def test_a_near_needs_its_words_within_the_distance_in_one_field(
    kind: KeywordFormat, tmp_path: Path, typed: str, ids: list[str]
) -> None:
    index = build(
        kind,
        tmp_path,
        [
            article("a", "drone kursk"),
            article("b", "east", title="Kursk drones"),
            article("c", "kursk east drone"),
            article("d", "kursk of the drone"),
            article("e", "drone land drone east"),
            article("f", "kursk", title="drone"),
        ],
    )
    assert selected(index, typed) == set(ids)
    assert sorted(found(index, typed)) == ids


def test_a_near_in_a_large_body_is_found_in_no_time(kind: KeywordFormat, tmp_path: Path) -> None:
    body = "of the " * 150_000
    index = build(kind, tmp_path, [article("a", body + "kursk"), article("b", "the kursk of")])
    started = time.process_time()
    assert selected(index, Query(required=(Near("kursk the of the", 20),))) == {"a"}
    assert index.explain(Query(required=(Near("of the", 20),)), ["a"])["a"][0].body == 299_999
    assert time.process_time() - started < 1.0


def test_a_word_with_a_hyphen_is_held_by_both_its_words_but_excludes_only_itself(
    kind: KeywordFormat, tmp_path: Path
) -> None:
    index = build(
        kind, tmp_path, [article("a", "China and the U.S."), article("b", "U.S.-China"), article("c", "China")]
    )
    assert held(index, "U.S.-China") == {"a", "b"}
    assert selected(index, Query(excluded=(Term("U.S.-China"),))) == {"a", "c"}


def test_what_is_held_leaves_stop_words_aside_beside_others(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk"), article("b", "the kursk of"), article("c", "the")])
    assert held(index, "the kursk") == held(index, "the-kursk") == {"a", "b"}
    assert held(index, "the (of OR kursk)") == {"a", "b"}
    assert held(index, "the of") == {"b"}
    assert held(index, 'the "kursk"') == {"a", "b"}
    assert held(index, "the kursk -of") == {"a"}
    assert held(index, "source:bbc") == frozenset()


def test_coverage_is_the_share_by_rarity(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind,
        tmp_path,
        [article("a", "kursk land the"), article("b", "land"), article("c", "land east"), article("d", "sea")],
    )
    assert coverage(index, "the kursk land", "a", "b", "d") == pytest.approx(
        [1.0, coverage(index, "kursk land", "b")[0], 0]
    )
    rare, common = coverage(index, "kursk land", "a", "b")
    assert rare == 1.0 > 0.5 > common > 0
    assert coverage(index, "kursk unheard", "a")[0] < 0.5 < coverage(index, "kursk east", "a")[0] + 1e-9
    assert coverage(index, '"kursk land" sea', "a")[0] > 0.5
    assert coverage(index, "(kursk OR east) land", "a", "c", "b") == pytest.approx(
        [1.0, 1.0, coverage(index, "(kursk OR east) land", "b")[0]]
    )
    assert coverage(index, "gibberish words", "a") == [0.0]


def test_removed_articles_make_no_clause_more_common(kind: KeywordFormat, tmp_path: Path) -> None:
    either = AnyOf((Phrase("kursk land"), Not(Term("sea"))))
    query = Query(wanted=(Term("east"),), required=(either,))
    alive = [article("a", "kursk land"), article("b", "sea"), article("c", "sea east")]
    gone = [article(f"gone{number}", "land") for number in range(2)]
    index = build(kind, made(tmp_path / "removed"), [*gone, *alive], [], removed=[one.id for one in gone])
    fresh = build(kind, made(tmp_path / "fresh"), alive)
    assert coverage(index, query, "a", "b", "c") == pytest.approx(coverage(fresh, query, "a", "b", "c"))


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("the Talks", {"talk"}),
        ('"white house" -land', {"white", "hous"}),
        ('"to be"', {"to", "be"}),
        ("the", {"the"}),
        ('(kursk OR "the border") -(land OR east)', {"kursk", "border"}),
        ("runn* lnad~", {"run", "runner", "lnad", "land"}),
        ('"land kursk"~2 source:bbc after:2016', {"land", "kursk"}),
        ("(land OR -kursk)", {"land"}),
        ("unheard*", set()),
    ],
)
def test_the_matched_terms_are_what_a_snippet_marks(
    kind: KeywordFormat, tmp_path: Path, typed: str, terms: set[str]
) -> None:
    index = build(kind, tmp_path, [article("a", "running runner the land")])
    assert index.matched_terms(read(typed)) == terms


def test_what_scores_is_named_as_it_was_typed_and_counted_where_it_stands(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind, tmp_path, [article("a", "U.S. talks, talking of U.S. drones", title="Talks on land"), article("b", "sea")]
    )
    query = read('Talk U.S.-China dro* lamd~ "talks on" "drones talks"~5 the -sea')
    parts = index.explain(query, ["b", "a", "unknown"])
    assert {part.text: (part.title, part.body) for part in parts["a"]} == {
        "Talk": (1, 2),
        "U.S.": (0, 2),
        "dro*": (0, 1),
        "lamd~": (1, 0),
        '"talks on"': (1, 0),
        '"drones talks"~5': (0, 1),
    }
    assert sum(part.score for part in parts["a"]) == pytest.approx(scores(index, query, "a")[0])
    assert parts["b"] == parts["unknown"] == []
    assert index.terms(query) == {
        "Talk": 1, "U.S.": 1, "China": 0, "dro*": 1, "lamd~": 1, '"talks on"': 1, '"drones talks"~5': 1
    }  # fmt: skip


def test_the_words_are_folded_and_those_of_the_living(kind: KeywordFormat, tmp_path: Path) -> None:
    articles = [article("a", "Łódź, running"), article("b", "the running secret", title="Secrets"), article("c", "the")]
    index = build(kind, tmp_path, articles, [article("d", "secret")])
    assert dict(index.words()) == {"lodz": 1, "running": 2, "secret": 2, "secrets": 1, "the": 2}
    kind.update(tmp_path, removed=["b", "d"], added=[])
    index = kind.open(tmp_path)
    assert set(index.words()) == {"lodz", "running", "the"}
    assert index.words() is index.words()


def test_a_word_whose_first_and_last_article_are_gone_is_still_a_word(kind: KeywordFormat, tmp_path: Path) -> None:
    articles = [article(f"{number:04}", "kursk" if number in {0, 700, 1_400} else "land") for number in range(1_401)]
    articles += [article("dead", "lost"), article("deader", "lost"), article("deadest", "lost")]
    build(kind, tmp_path, articles).close()
    kind.update(tmp_path, removed=["0000", "1400", "dead", "deader", "deadest"], added=[])
    index = kind.open(tmp_path)
    assert set(index.words()) == {"kursk", "land"}
    assert found(index, "kurs*") == ["0700"]


def test_a_clause_that_holds_no_word_matches_nothing(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk")])
    assert selected(index, Query(required=(Phrase("?!"),))) == frozenset()
    assert selected(index, Query(excluded=(Term("?!"), FieldValue("title", "?!")))) == frozenset("a")
    assert selected(index, Query(required=(Published(),))) == frozenset()
    nothing = (Prefix("?"), Prefix("two words"), Fuzzy(""), Fuzzy("two words"), Near("!", 3), AnyOf(()))
    assert [selected(index, Query(required=(clause,))) for clause in nothing] == [frozenset()] * len(nothing)
    assert [held(index, Query(wanted=(clause, Term("kursk")))) for clause in nothing] == [frozenset()] * len(nothing)
    assert index.matched_terms(Query(wanted=nothing)) == frozenset()


def test_without_words_there_is_no_ranking_and_no_selection(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk")])
    assert found(index, "-east") == []
    assert selected(index, "kursk") is None
    assert scores(index, "", "a") == coverage(index, "", "a") == [0.0]
    assert held(index, "-east") == frozenset()


def test_an_empty_index_answers(kind: KeywordFormat, tmp_path: Path) -> None:
    kind.create(tmp_path)
    index = kind.open(tmp_path)
    assert found(index, 'kursk "white house" after:2016') == []
    assert selected(index, "source:bbc") == frozenset()
    assert index.all_ids() == frozenset()
    assert index.telling_terms("kursk", limit=5) == []


def test_a_removed_article_is_nowhere(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind, tmp_path, [article("a", "kursk", source="bbc"), article("b", "kursk")], [], removed=["a", "never"]
    )
    assert found(index, "kursk") == ["b"]
    assert selected(index, "source:bbc") == frozenset()
    assert index.all_ids() == {"b"}


def test_an_added_article_replaces_the_one_of_its_id(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "east")], [article("a", "west"), article("a", "never")], removed=["a"])
    assert (found(index, "west"), found(index, "east never")) == (["a"], [])
    again = article("a", "north")
    kind.update(tmp_path, removed=[], added=[again])
    assert found(kind.open(tmp_path), "east west north") == ["a"]


def test_what_was_opened_stays_as_it_was(kind: KeywordFormat, tmp_path: Path) -> None:
    directory = tmp_path / "index"
    directory.mkdir()
    index = build(kind, directory, [article("a", "kursk")])
    kind.update(directory, removed=["a"], added=[article("b", "kursk")])
    assert found(index, "kursk") == ["a"]
    assert found(kind.open(directory), "kursk") == ["b"]


def test_an_update_in_a_hard_linked_copy_leaves_the_original_untouched(kind: KeywordFormat, tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    copy.mkdir()
    articles = [article(f"{number:02}", f"kursk east {number}") for number in range(40)]
    build(kind, original, *([one] for one in articles)).close()
    before = hashes(original)
    for file in original.iterdir():
        os.link(file, copy / file.name)
    for number in range(8):  # enough to merge segments that both directories share
        kind.update(copy, removed=[f"{number:02}"], added=[article(f"new{number}", "kursk west")])
    assert hashes(original) == before
    assert len(found(kind.open(original), "kursk")) == len(found(kind.open(copy), "kursk")) == 40
    assert kind.open(original).all_ids() != kind.open(copy).all_ids()


def hashes(directory: Path) -> dict[str, str]:
    """Return what the files are; locks come and go, and belong to no generation."""
    files = [file for file in directory.iterdir() if not file.name.upper().endswith("LOCK")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_one_more_article_leaves_the_large_files_shared(kind: KeywordFormat, tmp_path: Path) -> None:
    build(kind, tmp_path, [article(f"{number:04}", f"kursk {number}") for number in range(1_200)]).close()
    before = {file.stat().st_ino for file in tmp_path.iterdir() if file.stat().st_size > 10_000}
    kind.update(tmp_path, removed=["0001"], added=[article("one", "more")])
    assert before
    assert before <= {file.stat().st_ino for file in tmp_path.iterdir()}


def test_many_small_updates_leave_few_files(kind: KeywordFormat, tmp_path: Path) -> None:
    build(kind, tmp_path, *([article(f"{number:03}", "kursk")] for number in range(64))).close()
    assert len(list(tmp_path.iterdir())) < 100


def test_threads_get_the_answers_that_one_alone_gets(kind: KeywordFormat, tmp_path: Path) -> None:
    random_words = random.Random(7)
    articles = [article(f"{n:03}", " ".join(random_words.choices(VOCABULARY, k=30))) for n in range(200)]
    texts = [" ".join(random_words.sample(VOCABULARY, 3)) for _ in range(40)] + [
        '"kursk land"',
        '"drone east"~3',
        "-kursk",
        "dro*",
        "kurks~",
    ]
    index = build(kind, tmp_path, articles[:120], articles[120:])
    alone = [(found(index, text), selected(index, text)) for text in texts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns thousands of times as often as they would
    try:
        for _ in range(5):
            shared = kind.open(tmp_path)  # that remembers nothing yet
            with ThreadPoolExecutor(8) as pool:
                answers = pool.map(lambda text: (found(shared, text), selected(shared, text)), texts)  # noqa: B023
                assert list(answers) == alone
    finally:
        sys.setswitchinterval(interval)


def test_telling_terms_are_rare_but_not_unique_and_make_themselves_again(kind: KeywordFormat, tmp_path: Path) -> None:
    articles = [article(f"{number:03}", f"budget Generations only{number}") for number in range(190)]
    articles += [article(f"x{number:03}", f"budget sanctions lone{number}") for number in range(20)]
    index = build(kind, tmp_path, articles)
    text = "The Sanctions and sanctions’ budget of generations: lone3 unheard. Sanctions!"
    telling = index.telling_terms(text, limit=5)
    assert telling == [("Sanctions", 1.0)]
    assert index.telling_terms(text, limit=0) == []
    assert found(index, Query(wanted=tuple(Term(word, weight) for word, weight in telling)))[0].startswith("x")


def test_a_telling_term_is_named_as_the_text_names_it_most(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "sanction"), article("b", "sanctioned"), article("c", "land")])
    assert index.telling_terms("Sanctions: Sanctioning’s SANCTIONING’S Sanctioning’s", limit=1) == [
        ("Sanctioning", 1.0)
    ]


def test_the_more_telling_term_comes_first(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind, tmp_path, [article(str(n), "kursk" if n < 2 else "kursk land" if n < 4 else "land") for n in range(9)]
    )
    terms = index.telling_terms("land kursk kursk", limit=2)
    assert [term for term, _ in terms] == ["kursk", "land"]
    assert terms[0][1] == 1.0 > terms[1][1] > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh leaves a damaged file open
def test_a_damaged_index_says_so_when_it_is_opened(kind: KeywordFormat, tmp_path: Path) -> None:
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        kind.open(tmp_path)
    build(kind, tmp_path, [article("a", "kursk")]).close()
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(GenerationDamaged, match="flask reindex"):
        kind.open(tmp_path)


def test_a_failed_update_changes_nothing_and_does_not_lock_out_the_next(kind: KeywordFormat, tmp_path: Path) -> None:
    def failing() -> Iterable[Article]:
        yield article("b", "kursk")
        raise OSError(28, "No space left on device")

    build(kind, tmp_path, [article("a", "kursk")]).close()
    with pytest.raises(OSError, match="No space"):
        kind.update(tmp_path, removed=["a"], added=failing())
    assert found(kind.open(tmp_path), "kursk") == ["a"]
    kind.update(tmp_path, removed=[], added=[article("c", "kursk")])
    assert found(kind.open(tmp_path), "kursk") == ["a", "c"]


def test_an_update_that_ran_out_of_space_does_not_lock_out_the_next(kind: KeywordFormat, tmp_path: Path) -> None:
    build(kind, tmp_path, [article("a", "kursk")]).close()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # no file can grow beyond
    try:
        with pytest.raises(OSError, match="too large"):
            kind.update(tmp_path, removed=["a"], added=[article("b", "kursk " * 20_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found(kind.open(tmp_path), "kursk") == ["a"]
    kind.update(tmp_path, removed=[], added=[article("c", "kursk")])
    assert found(kind.open(tmp_path), "kursk") == ["a", "c"]


def test_odd_texts_go_in_and_are_found(kind: KeywordFormat, tmp_path: Path) -> None:
    odd = article(
        "a", "x" * 100_000 + " kursk\0\ud800 習近平 \n\n", title="\n", source="\ud800 \n", authors=("", "A\tB")
    )
    index = build(kind, tmp_path, [odd, article("b")])
    assert found(index, "kursk") == found(index, '"近平"') == found(index, 'author:"a b" kursk') == ["a"]


def test_frequencies_are_those_of_the_text(kind: KeywordFormat, tmp_path: Path) -> None:
    body = "kursk " * 5 + "east " * 3 + "east kursk"
    index = build(kind, tmp_path, [article("a", body), article("b", "kursk")])
    assert Counter(analyse(body)) == {"kursk": 6, "east": 4}
    expected = expected_scores([article("a", body), article("b", "kursk")], read("kursk"))
    assert scores(index, "kursk", "a", "b") == pytest.approx([expected["a"], expected["b"]])


GERMAN = article("de", "Die Wähler verlassen ihre Häuser am Tag der Wahl.", title="Wahlen im Süden", language="de-AT")
FRENCH = article("fr", "Les élections nationales, selon plusieurs journaux de l’État.", language="fr")
RUSSIAN = article("ru", "Жители российских городов ждут новых выборов.", language="ru")
ARABIC = article("ar", "أعلنت الحكومة موعد الانتخابات", language="ar")
ENGLISH = article("en", "The hauser of Waldorf, a wahl and a journal; national haus.", language="en")
UNKNOWN = article("xx", "Häuser und journaux", language=None)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("Haus", ["de", "en"]),
        ("hausern", ["de"]),
        ("Häuser", ["de", "en", "xx"]),
        ("Wahl", ["de", "en"]),
        ("election", ["fr"]),
        ("journal", ["en", "fr"]),
        ("nationaux", ["fr"]),
        ("d'états", ["fr"]),
        ("état", ["fr"]),
        ('"de l\'état"', ["fr"]),
        ('"journal d\'états"', []),
        ("российский город", ["ru"]),
        ("новый", ["ru"]),
        ("выборы", ["ru"]),
        ("انتخابات", ["ar"]),
        ("حكومات", ["ar"]),
        ('"im Süden"', ["de"]),
        ('"Tage der Wahlen"', ["de"]),
        ('"élection nationale"', ["fr"]),
        ('"nationale élection"', []),
        ("title:wahl", ["de"]),
        ('title:"wahl im"', ["de"]),
        ('"wahlen haus"~9', ["de"]),
        ('"haus wahlen"~1', []),
        ("haus -wahl", []),
        ("haus language:de", ["de"]),
        ("haus language:en", ["en"]),
    ],
)
def test_a_word_stands_for_its_forms_in_articles_of_its_language_and_no_others(
    kind: KeywordFormat, tmp_path: Path, query: str, ids: list[str]
) -> None:
    articles = [GERMAN, FRENCH, RUSSIAN, ARABIC, ENGLISH, UNKNOWN]
    index = build(kind, tmp_path, articles)
    wanted = parsed(query)
    has_rank = has_words(wanted)
    assert sorted(found(index, query) if has_rank else selected(index, query) or ()) == ids
    assert set(ids) <= {one.id for one in articles if holds(wanted, one)}
    if has_rank:
        assert held(index, query) == {one.id for one in articles if holds_all(wanted, one)}


def test_a_word_with_other_forms_in_a_language_scores_as_one_word(kind: KeywordFormat, tmp_path: Path) -> None:
    articles = [article("a", "Haus Häuser Hauses", language="de"), article("b", "Haus Haus Haus", language="de")]
    index = build(kind, tmp_path, articles)
    assert scores(index, "haus", "a", "b") == pytest.approx([expected_scores(articles, read("haus"))["a"]] * 2)
    assert index.terms(read("haus")) == {"haus": 2}
    assert index.matched_terms(read("haus")) == {"haus", "hauser"}


def test_neighbouring_words_in_other_forms_are_neighbours_still(kind: KeywordFormat, tmp_path: Path) -> None:
    apart = article("a", "neue und so weiter und so fort ein Haus", language="de")
    beside = article("b", "die neuen Häuser und so weiter und so", language="de")
    index = build(kind, tmp_path, [apart, beside, article("c", "neuen Häuser", language="en")])
    pairs = index.evidence(read("neues haus"), at(index, "a", "b", "c")).pairs
    assert pairs[1] > 0
    assert pairs[[0, 2]].tolist() == [0.0, 0.0]


def test_forms_are_those_of_the_living(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [GERMAN, ENGLISH], [], removed=["de"])
    assert found(index, "haus") == ["en"]
    assert index.matched_terms(read("wahl")) == {"wahl"}


def test_an_index_knows_the_languages_of_the_living(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [GERMAN, FRENCH, RUSSIAN], [], removed=["fr"])
    assert index.languages == {"de", "ru"}


def test_english_stands_for_whatever_has_no_forms(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [GERMAN, UNKNOWN, article("ja", "東京", language="ja")])
    assert index.languages == {"de", "en"}


def test_function_words_of_another_language_neither_score_nor_count(kind: KeywordFormat, tmp_path: Path) -> None:
    german = [article("a", "Die Wahl in der Stadt", language="de"), article("b", "Wahl, Stadt", language="de")]
    english = [article("c", "They die hard in the city", language="en"), article("d", "Der Spiegel", language="en")]
    index = build(kind, tmp_path, [*german, *english])
    query = without_function_words(read("die Wahl in der Stadt"), index.languages)
    assert index.terms(query) == {"Wahl": 2, "Stadt": 2}
    assert index.matched_terms(query) == {"wahl", "stadt"}
    assert sorted(found(index, query)) == ["a", "b"]
    assert held(index, query) == {"a", "b"} == {one.id for one in german + english if holds_all(query, one)}
    assert index.evidence(query, at(index, "b")).pairs > 0
    assert index.terms(without_function_words(read("die hard"), index.languages)) == {"die": 2, "hard": 1}
    assert found(index, without_function_words(read('"in der Stadt"'), index.languages)) == ["a"]


def test_function_words_do_not_tell_an_article_from_others(kind: KeywordFormat, tmp_path: Path) -> None:
    text = "Die Regierung und der Rat, die nicht mit uns tagen"
    german = [article(id_, f"{text} {id_}", language="de") for id_ in ("eins", "zwei")]
    english = [article(f"e{n}", "They die hard in Germany", language="en") for n in range(20)]
    index = build(kind, tmp_path, [*german, *english])
    told = {word for word, _ in index.telling_terms(text, limit=20, language="de-AT")}
    assert told == {"Regierung", "Rat", "tagen"}
    assert "die" in {word.lower() for word, _ in index.telling_terms(text, limit=20, language="en")}
    assert "der" not in {word for word, _ in index.telling_terms(text, limit=20)}
    folder = tmp_path / "untouched"
    folder.mkdir()
    untouched = build(kind, folder, [article(one.id, one.body) for one in german + english])
    assert "der" in {word for word, _ in untouched.telling_terms(text, limit=20)}


def test_what_an_apostrophe_joins_to_a_word_hides_nothing_that_tells(kind: KeywordFormat, tmp_path: Path) -> None:
    french = [article(id_, "L’élection de l'État", language="fr") for id_ in ("a", "b")]
    index = build(kind, tmp_path, french)
    assert {word for word, _ in index.telling_terms(french[0].body, limit=5, language="fr")} == {"élection", "État"}


def test_of_an_archive_in_english_nothing_is_asked_about_forms(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [ENGLISH, UNKNOWN, article("gb", "journaux", language="en-GB")])
    assert found(index, "journal") == ["en"]
    assert found(index, "haus") == ["en"]
    assert sorted(found(index, "Häuser")) == ["en", "xx"]
