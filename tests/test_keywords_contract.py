"""What every keyword index must do, whichever library is behind it; BM25 is written out once more in plain Python."""

import hashlib
import math
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.article import Article
from index.analysis import STOP_TERMS, analyse
from index.errors import GenerationDamaged
from index.keywords import KeywordFormat, KeywordIndex
from index.keywords.scoring import K1, TITLE_WEIGHT, B
from index.keywords.whoosh_index import WhooshFormat
from index.query import AnyOf, Clause, FieldValue, Phrase, Published, Query, Term, parse

FORMATS: list[KeywordFormat] = [WhooshFormat()]
VOCABULARY = ["army", "border", "convoy", "drone", "east", "kursk", "land", "the", "of", "be", "U.S.", "Zelenskyy’s"]
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)
SHARED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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


def found(index: KeywordIndex, query: str | Query) -> list[str]:
    return [id_ for id_, _ in index.rank(parse(query) if isinstance(query, str) else query, depth=100)]


# The same thing, written without an index.


def occurrences(terms: Sequence[str], wanted: Sequence[str]) -> int:
    """Count how often `wanted` stands in `terms`, without overlaps."""
    count = place = 0
    while place + len(wanted) <= len(terms):
        here = list(terms[place : place + len(wanted)]) == list(wanted)
        count += here
        place += len(wanted) if here else 1
    return count


def frequency(one: Article, wanted: Sequence[str]) -> float:
    return occurrences(analyse(one.body), wanted) + TITLE_WEIGHT * occurrences(analyse(one.title), wanted)


def length(one: Article) -> float:
    body, title = ([t for t in analyse(text) if t not in STOP_TERMS] for text in (one.body, one.title))
    return len(body) + TITLE_WEIGHT * len(title)


def expected_scores(articles: Sequence[Article], query: Query) -> dict[str, float]:
    units = [[term] for clause in query.wanted if isinstance(clause, Term) for term in analyse(clause.text)]
    units += [analyse(clause.text) for clause in query.required if isinstance(clause, Phrase)]
    units = [unit for unit in units if len(unit) > 1 or unit[0] not in STOP_TERMS] or units
    mean = sum(map(length, articles)) / len(articles) or 1.0
    scores = dict.fromkeys([one.id for one in articles], 0.0)
    for unit in units:
        idf = 0.0
        for term in unit:
            holding = sum(frequency(one, [term]) > 0 for one in articles)
            idf += math.log(1 + (len(articles) - holding + 0.5) / (holding + 0.5))
        for one in articles:
            tf = frequency(one, unit)
            scores[one.id] += idf * tf / (tf + K1 * (1 - B + B * length(one) / mean)) if tf else 0.0
    return scores


def holds(one: Article, clause: Clause) -> bool:
    if isinstance(clause, Term | Phrase):
        return frequency(one, analyse(clause.text)) > 0
    if isinstance(clause, AnyOf):
        return any(holds(one, inner) for inner in clause.clauses)
    assert isinstance(clause, FieldValue)
    return one.source == clause.value


CORPORA = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["bbc", "cnn", None])), min_size=1, max_size=14)
QUERIES = st.lists(
    st.sampled_from(VOCABULARY)
    | st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"')
    | st.sampled_from(["source:bbc", "-source:cnn", "-drone", '-"kursk land"', "unheard"]),
    min_size=1,
    max_size=5,
).map(" ".join)


@given(
    corpus=CORPORA,
    text=QUERIES,
    cuts=st.lists(st.integers(0, 14), max_size=4),
    gone=st.sets(st.integers(0, 13), max_size=4),
    depth=st.integers(1, 5),
)
@SHARED
def test_rank_scores_and_select_agree_with_plain_bm25_however_segments_lie(
    kind: KeywordFormat,
    corpus: list[tuple[str, str, str | None]],
    text: str,
    cuts: list[int],
    gone: set[int],
    depth: int,
) -> None:
    articles = [article(f"{n:02}", body, title=title, source=source) for n, (title, body, source) in enumerate(corpus)]
    borders = [0, *sorted(cuts), len(articles)]
    batches = [articles[start:end] for start, end in pairwise(borders)]
    kept = [one for number, one in enumerate(articles) if number not in gone]
    query = parse(text)
    with TemporaryDirectory() as directory:
        index = build(kind, Path(directory), *batches, [], removed=[f"{n:02}" for n in gone])
        ranked, scores, selected = (
            index.rank(query, depth=depth),
            index.scores(query, ["00", "01", "02", "03", "99"]),
            index.select(query),
        )
        assert index.all_ids() == {one.id for one in kept}
        index.close()

    scored = expected_scores(kept, query) if kept else {}
    assert scores == pytest.approx({id_: score for id_, score in scored.items() if id_ in {"00", "01", "02", "03"}})
    allowed = {
        one.id
        for one in kept
        if all(holds(one, clause) for clause in query.required)
        and not any(holds(one, clause) for clause in query.excluded)
    }
    assert selected == (allowed if query.required or query.excluded else None)
    assert ranked == sorted(ranked, key=lambda pair: (-pair[1], pair[0]))
    assert dict(ranked) == pytest.approx({id_: scored[id_] for id_, _ in ranked if id_ in allowed})
    # which of two equal scores comes first in the fifteenth digit is not held against an engine
    best = sorted((scored[id_] for id_ in allowed if scored[id_] > 0), reverse=True)[:depth]
    assert [score for _, score in ranked] == pytest.approx(best)


def test_equal_scores_are_ordered_by_id_and_cut_at_the_depth(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, *([article(id_, "kursk")] for id_ in "dbca"))
    assert [id_ for id_, _ in index.rank(parse("kursk"), depth=3)] == ["a", "b", "c"]
    assert index.rank(parse("kursk"), depth=0) == []


def test_of_many_the_best_are_returned(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article(str(n), "kursk " * n + "land " * (9 - n)) for n in (3, 1, 8, 5, 7, 2)])
    assert [id_ for id_, _ in index.rank(parse("kursk"), depth=4)] == ["8", "7", "5", "3"]


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
    plain, heavy = (index.scores(Query(wanted=(Term("east", weight),)), ["a"])["a"] for weight in (1.0, 3.0))
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
        ("language:en", ["a"]),
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
    assert index.select(parse(query)) == frozenset(ids)
    assert sorted(found(index, f"kursk {query}")) == ids


def test_filters_do_not_change_scores(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk", source="bbc"), article("b", "kursk kursk")])
    assert index.scores(parse("kursk source:bbc"), ["a", "b"]) == index.scores(parse("kursk"), ["a", "b"])


def test_any_of_holds_with_one_and_ranks_by_all(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "east"), article("b", "east west"), article("c", "north")])
    either = AnyOf((Term("east"), Phrase("east west")))
    assert found(index, Query(required=(either,))) == ["b", "a"]
    assert index.select(Query(excluded=(either,))) == frozenset("c")
    assert index.select(Query(required=(AnyOf(()),))) == frozenset()


def test_a_clause_that_holds_no_word_matches_nothing(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk")])
    assert index.select(Query(required=(Phrase("?!"),))) == frozenset()
    assert index.select(Query(excluded=(Term("?!"), FieldValue("title", "?!")))) == frozenset("a")
    assert index.select(Query(required=(Published(),))) == frozenset()


def test_without_words_there_is_no_ranking_and_no_selection(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(kind, tmp_path, [article("a", "kursk")])
    assert index.rank(parse("-east"), depth=5) == []
    assert index.select(parse("kursk")) is None
    assert index.scores(parse(""), ["a", "unknown"]) == {"a": 0.0}


def test_an_empty_index_answers(kind: KeywordFormat, tmp_path: Path) -> None:
    kind.create(tmp_path)
    index = kind.open(tmp_path)
    assert index.rank(parse('kursk "white house" after:2016'), depth=5) == []
    assert index.select(parse("source:bbc")) == frozenset()
    assert index.all_ids() == frozenset()
    assert index.telling_terms("kursk", limit=5) == []


def test_a_removed_article_is_nowhere(kind: KeywordFormat, tmp_path: Path) -> None:
    index = build(
        kind, tmp_path, [article("a", "kursk", source="bbc"), article("b", "kursk")], [], removed=["a", "never"]
    )
    assert found(index, "kursk") == ["b"]
    assert index.select(parse("source:bbc")) == frozenset()
    assert index.scores(parse("kursk"), ["a"]) == {}
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
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in directory.iterdir()}


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
        '"drone east"',
        "-kursk",
    ]
    index = build(kind, tmp_path, articles[:120], articles[120:])
    alone = [(index.rank(parse(text), depth=10), index.select(parse(text))) for text in texts]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns thousands of times as often as they would
    try:
        for _ in range(5):
            shared = kind.open(tmp_path)  # that remembers nothing yet
            with ThreadPoolExecutor(8) as pool:
                answers = pool.map(lambda text: (shared.rank(parse(text), depth=10), shared.select(parse(text))), texts)  # noqa: B023
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
    expected = expected_scores([article("a", body), article("b", "kursk")], parse("kursk"))
    assert index.scores(parse("kursk"), ["a", "b"]) == pytest.approx(expected)
