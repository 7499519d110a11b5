"""What every engine must do, and what the one with an index must find: compared with reading everything."""

import os
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise, permutations
from math import isnan

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from milvus import NO_CLUSTER, CurrentServer, MilvusServer
from milvus import running as running_milvus
from newsroom import MeaningEmbedder, article
from test_keywords_contract import expected_scores

from archive.article import Article
from archive.packing import pack_embeddings, unpack_embeddings
from archive.passages import cut, embedding_text, title_context
from archive.store import Store
from index import fallback
from index.analysis import STOP_TERMS, analyse, fold
from index.embedder import embed_query
from index.engine import Candidates, Engine, Span, Vector, Vectors
from index.fallback import StoreEngine
from index.matching import holds_all
from index.milvus.standby import StandbyEngine
from index.query import AnyOf, Clause, FieldValue, Phrase, Published, Query, Term, without_filters
from index.query import parse as parsed
from web.services import Services
from web.settings import Settings

WORDS = ["flood", "Floods", "inundation", "election", "ballots", "comet", "council", "Москва", "москва", "café"]
COMMON = ["the", "of", "be", "and"]
NAMES = ["U.S.", "Zelenskyy’s"]
FILTERS = [
    *("source:ledger", "source:LEDGER", "-source:ledger", 'source:"radio nine"', "section:politics", "author:ada"),
    *("-author:ada", "language:de", "after:2010", "before:2012-06", "-after:2015", "title:flood", "-title:comet"),
    *('title:"flood council"', "-flood", "-Москва", '-"comet flood"', "-the", "-unheard", "source:unheard"),
]
QUERIES = st.lists(
    st.sampled_from([*WORDS, *NAMES, *COMMON, "unheard", "…"])
    | st.lists(st.sampled_from([*WORDS, *COMMON]), min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"')
    | st.sampled_from(FILTERS),
    max_size=5,
).map(" ".join)


TODAY = date(2020, 1, 1)


def parse(text: str) -> Query:
    return parsed(text, today=TODAY)


@dataclass(frozen=True)
class Hit:
    """One row of the candidates."""

    article_id: str
    keyword: float
    coverage: float
    holds_all: bool
    holds_most: bool
    semantic: float | None
    second: float | None
    best: Span | None


def hits_of(answer: Candidates) -> list[Hit]:
    columns = (answer.keyword, answer.coverage, answer.holds_all, answer.holds_most, answer.semantic, answer.second)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Hit(
            id_,
            keyword,
            coverage,
            whole,
            most,
            *(None if isnan(cosine) else cosine for cosine in cosines),
            answer.span(row),
        )
        for row, (id_, (keyword, coverage, whole, most, *cosines)) in enumerate(zip(answer.ids, rows, strict=True))
    ]


def selected(answer: Candidates) -> Candidates:
    """Return what the filters leave."""
    return answer.kept(np.flatnonzero(answer.selected))


class Everything(dict[str, Article]):
    def __repr__(self) -> str:
        return f"{len(self)} articles"


class Passages(dict[str, tuple[list[tuple[int, int]], Vectors]]):
    def __repr__(self) -> str:
        return f"passages of {len(self)} articles"


MANY = 500  # deeper than the archive
CLOSE = 1e-5  # two ways of adding up the same cosine differ by less
# `BACKFILE_TEST_ENGINES=all` tries the current Milvus, and a cluster where one is named, with fewer examples: minutes.
ALL = os.environ.get("BACKFILE_TEST_ENGINES") == "all"
SERVERS = ["milvus", *(["milvus 3", "cluster"] if ALL else [])]
QUICK = settings(max_examples=6 if ALL else 80, deadline=None)


def made_up(number: int) -> Article:
    chance = random.Random(number)
    words = [*WORDS, *COMMON, *NAMES]
    sentences = [
        " ".join(chance.choices(words, k=chance.randint(3, 12))) + "." for _ in range(chance.choice([1, 2, 40]))
    ]
    published = datetime(2008, 1, 1, tzinfo=UTC) + timedelta(days=chance.randint(0, 3000))
    return article(
        number,
        title=" ".join(chance.choices(words, k=4)),
        body=" ".join(sentences),
        source=chance.choice(["Ledger", "Radio Nine", None]),
        section=chance.choice(["Politics", "Science"]),
        authors=tuple(chance.sample(["Ada", "Bén", "Cy"], k=chance.randint(0, 2))),
        language=chance.choice(["en", "de"]),
        published_at=None if number % 7 == 0 else published,
    )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """An archive of four segments, with articles changed and removed after they were indexed."""
    with made(Settings(data=tmp_path_factory.mktemp("contract"))) as services:
        yield services


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Services]]:
    """Gives the same archive with its index on a server, written by the same updates."""
    with ExitStack() as left:

        @cache
        def opened(server: str) -> Services:
            token = ""
            if server == "cluster":
                address, token = (
                    os.environ.get("BACKFILE_TEST_MILVUS"),
                    os.environ.get("BACKFILE_TEST_MILVUS_TOKEN", ""),
                )
                if address is None:
                    pytest.skip(NO_CLUSTER)
            else:
                kind = CurrentServer if server == "milvus 3" else MilvusServer
                address = left.enter_context(running_milvus(kind)).url
            folder = tmp_path_factory.mktemp("shared")
            return left.enter_context(made(Settings(data=folder, milvus=address, milvus_token=token)))

        yield opened


@contextmanager
def made(settings: Settings) -> Iterator[Services]:
    services = Services(settings, embedder=MeaningEmbedder())
    for batch in (range(40), range(40, 52), range(52, 56)):
        for number in batch:
            services.store.put(made_up(number))
        services.builder.update()
    for number in (3, 41):
        services.store.remove(made_up(number).id)
    services.store.put(article(5, title="Comet", body="A comet and the election.", source="Ledger"))
    services.builder.update()
    yield services
    services.close()


ENGINES: Mapping[str, Callable[[Services], Engine]] = {
    "local": lambda parts: parts.serving.engine().__enter__()[0],
    "store": lambda parts: StoreEngine(parts.store),
}


@pytest.fixture(scope="module", params=[*ENGINES, *SERVERS])
def engine(request: pytest.FixtureRequest, parts: Services, shared: Callable[[str], Services]) -> Engine:
    if request.param in SERVERS:
        return ENGINES["local"](shared(request.param))
    return ENGINES[request.param](parts)


@pytest.fixture(scope="module", params=["local", *SERVERS])
def local(request: pytest.FixtureRequest, parts: Services, shared: Callable[[str], Services]) -> Engine:
    if request.param in SERVERS:
        return ENGINES["local"](shared(request.param))
    return ENGINES["local"](parts)


@pytest.fixture(scope="module")
def everything(parts: Services) -> Everything:
    return Everything(parts.store.live(parts.store.live_ids()))


# The same thing, written without an engine.


def in_order(terms: list[str], wanted: list[str]) -> bool:
    return f" {' '.join(wanted)} " in f" {' '.join(terms)} "


def holds(one: Article, clause: Clause) -> bool:
    if isinstance(clause, Term | Phrase):
        return any(in_order(analyse(text), analyse(clause.text)) for text in (one.title, one.body))
    if isinstance(clause, AnyOf):
        return any(holds(one, inner) for inner in clause.clauses)
    if isinstance(clause, Published):
        at = one.published_at
        return at is not None and (clause.start or at) <= at and (clause.end is None or at < clause.end)
    assert isinstance(clause, FieldValue)
    if clause.field == "title":
        return in_order(analyse(one.title), analyse(clause.value))
    named = {"source": [one.source], "section": [one.section], "author": one.authors, "language": [one.language]}
    return fold(clause.value) in [fold(value) for value in named[clause.field] if value]


def allowed(articles: Mapping[str, Article], query: Query) -> set[str]:
    return {
        id_
        for id_, one in articles.items()
        if all(holds(one, clause) for clause in query.required)
        and not any(holds(one, clause) for clause in query.excluded)
    }


def ranks_by_words(query: Query) -> bool:
    return bool(query.wanted) or any(isinstance(clause, Phrase) for clause in query.required)


def worded(articles: Mapping[str, Article], query: Query) -> set[str]:
    """Return what holds a word or phrase that scores: stop words do where there is nothing else."""
    units = [[term] for clause in query.wanted if isinstance(clause, Term) for term in analyse(clause.text)]
    units += [analyse(clause.text) for clause in query.required if isinstance(clause, Phrase)]
    units = [unit for unit in units if len(unit) > 1 or unit[0] not in STOP_TERMS] or units
    return {
        id_
        for id_, one in articles.items()
        if any(in_order(analyse(text), unit) for unit in units for text in (one.title, one.body))
    }


def cosines(passages: Passages, vector: Vector) -> dict[str, dict[tuple[int, int], float]]:
    """Return each passage's cosine, by article and place."""
    return {
        id_: dict(zip(places, (vectors @ vector).tolist(), strict=True)) for id_, (places, vectors) in passages.items()
    }


def embedded(articles: Mapping[str, Article]) -> Passages:
    embedder = MeaningEmbedder()
    found = Passages()
    for id_, one in articles.items():
        places = [(p.start, p.end) for p in cut(one, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)]
        context = title_context(one, embedder.token_spans)
        made = embedder.embed([embedding_text(context, one.body[start:end]) for start, end in places])
        vectors = unpack_embeddings(pack_embeddings(made), dimension=made.shape[1])  # as they are kept
        found[id_] = places, vectors
    return found


# Every engine


@given(text=QUERIES)
@example('inundation "of the"')
@QUICK
def test_filters_phrases_and_exclusions_bind_and_nothing_that_holds_the_words_is_missed(
    engine: Engine, everything: Everything, text: str
) -> None:
    query = parse(text)
    answer = selected(engine.candidates(query, None, depth=MANY))
    found = set(answer.ids)
    assert found <= allowed(everything, query)
    if ranks_by_words(query):
        assert found >= allowed(everything, query) & worded(everything, query)
    else:
        assert found == allowed(everything, query)
        assert all(hit.keyword == 0.0 and hit.semantic is None and hit.best is None for hit in hits_of(answer))
    assert answer.beyond is None


@given(text=QUERIES, depth=st.integers(1, 60))
@QUICK
def test_hits_come_ordered_by_id_each_once(engine: Engine, text: str, depth: int) -> None:
    ids = engine.candidates(parse(text), None, depth=depth).ids
    assert all(before < after for before, after in pairwise(ids))


@given(text=QUERIES, depth=st.integers(1, 60))
@QUICK
def test_an_answer_that_calls_itself_complete_is(engine: Engine, everything: Everything, text: str, depth: int) -> None:
    query = parse(text)
    answer = selected(engine.candidates(query, None, depth=depth))
    wanted = allowed(everything, query)
    if ranks_by_words(query):
        wanted &= worded(everything, query)
        assert sum(not (hit.holds_all or hit.holds_most) for hit in hits_of(answer)) <= depth
    if answer.beyond is None:
        assert set(answer.ids) >= wanted
    else:
        # one that does not know where words stand takes what holds them for what may hold a phrase
        assert len(wanted) >= depth or isinstance(engine, StoreEngine | StandbyEngine)


@given(text=QUERIES)
@QUICK
def test_no_score_is_above_the_ceiling(engine: Engine, text: str) -> None:
    answer = engine.candidates(parse(text), None, depth=MANY)
    assert all(0.0 <= hit.keyword <= answer.ceiling for hit in hits_of(answer))


def test_with_filters_alone_every_article_they_select_comes_whatever_the_depth_undated_ones_too(
    engine: Engine, everything: Everything
) -> None:
    for query in (Query(), parse("section:politics"), parse("-source:ledger")):
        answer = engine.candidates(query, None, depth=1)
        assert set(answer.ids) == allowed(everything, query)
        assert answer.beyond is None
        assert any(everything[hit.article_id].published_at is None for hit in hits_of(answer))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("москва", "МОСКВА говорит"),
        ("Москва", "москва говорит"),
        ("café", "Café Central"),
        ("ÉCLAIR", "éclair"),
        ("flooding", "Flooded"),
        ("policies", "a Policy"),
        ('"to be or not to be"', "To be, or not to be"),
    ],
)
def test_capitals_accents_and_word_forms_do_not_hide_an_article(
    tmp_path_factory: pytest.TempPathFactory, typed: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    services = Services(Settings(data=folder), embedder=MeaningEmbedder())
    services.store.put(article(1, title="One", body=f"{text}.", published_at=None))
    services.store.put(article(10))
    services.builder.update()
    for make in ENGINES.values():
        assert make(services).candidates(parse(typed), None, depth=9).ids == [article(1).id]
    services.close()


def test_a_phrase_of_no_words_stands_nowhere(engine: Engine, everything: Everything) -> None:
    wordless = Phrase("…")
    assert engine.candidates(Query(wanted=(Term("flood"),), required=(wordless,)), None, depth=MANY).ids == []
    excluded = engine.candidates(Query(excluded=(wordless,)), None, depth=MANY)
    assert set(excluded.ids) == set(everything)


def test_a_title_filter_of_several_words_wants_them_in_a_row(engine: Engine, everything: Everything) -> None:
    found = 0
    for first, second in permutations(WORDS, 2):
        query = parse(f'title:"{first} {second}"')
        ids = selected(engine.candidates(query, None, depth=MANY)).ids
        assert set(ids) == allowed(everything, query)
        found += len(ids)
    assert found


def test_telling_terms_are_words_of_the_text_that_tell(engine: Engine) -> None:
    text = "The policies of the council; policies, policies! Floods and the councils of Москва."
    told = engine.telling_terms(text, limit=3)
    assert 0 < len(told) <= 3
    assert all(0.0 < weight <= 1.0 for _, weight in told)
    assert told[0][1] == 1.0
    assert [weight for _, weight in told] == sorted((weight for _, weight in told), reverse=True)
    for word, _ in told:
        assert word in text
        assert len(analyse(word)) == 1
        assert analyse(word)[0] not in STOP_TERMS
    assert engine.telling_terms(text, limit=0) == []
    assert engine.telling_terms("", limit=5) == []


def test_without_an_index_the_most_frequent_words_tell_as_they_are_written(parts: Services) -> None:
    told = StoreEngine(parts.store).telling_terms("Policies, policies and a policy; the council’s flood", limit=2)
    assert told == [("Policies", 1.0), ("council", pytest.approx(1 / 3))] or told == [
        ("policies", 1.0),
        ("council", pytest.approx(1 / 3)),
    ]


def test_each_candidate_has_a_mean_vector_or_none(engine: Engine) -> None:
    found = engine.candidates(parse("flood"), None, depth=20)
    means = engine.means(found)
    assert means.shape == (len(found), MeaningEmbedder.dimension if engine.model_sha256 else 0)
    assert np.linalg.norm(means, axis=1) == pytest.approx(np.ones(len(found)) if engine.model_sha256 else 0)


def test_threads_get_what_one_alone_gets(engine: Engine) -> None:
    queries = [parse(text) for text in ("flood", "comet -election", '"the flood"', "source:ledger council", "café of")]
    alone = [engine.candidates(query, None, depth=20) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: engine.candidates(query, None, depth=20), queries * 10))
    assert [hits_of(answer) for answer in together] == [hits_of(answer) for answer in alone] * 10


def test_an_engine_says_which_generation_and_model_it_answers_from(engine: Engine, parts: Services) -> None:
    from_index = not isinstance(engine, StoreEngine)
    current, _ = parts.store.pointer()
    assert current is not None
    assert engine.generation == (current.number if from_index else None)
    assert engine.model_sha256 == (MeaningEmbedder.sha256 if from_index else None)


# The engine with an index


@pytest.fixture(scope="module")
def passages(everything: Everything) -> Passages:
    return embedded(everything)


@given(
    text=QUERIES, meant=st.sampled_from(["flood", "ballot council", "the comet of москва"]), depth=st.integers(1, 70)
)
@QUICK
def test_the_union_of_both_legs_is_scored_on_both(
    local: Engine, everything: Everything, passages: Passages, text: str, meant: str, depth: int
) -> None:
    query, vector = parse(text), embed_query(MeaningEmbedder(), meant)
    answer = selected(local.candidates(query, lambda: vector, depth=depth))
    within = allowed(everything, query)
    by_place = cosines(Passages({id_: passages[id_] for id_ in within}), vector)
    meaning = {id_: max(places.values()) for id_, places in by_place.items()}
    words = expected_scores(list(everything.values()), query) if ranks_by_words(query) else {}
    for hit in hits_of(answer):
        assert hit.semantic == pytest.approx(meaning[hit.article_id], abs=CLOSE)
        assert hit.keyword == pytest.approx(words.get(hit.article_id, 0.0))
        others = sorted(by_place[hit.article_id].values(), reverse=True)[1:2]
        assert hit.second == (pytest.approx(others[0], abs=CLOSE) if others else None)
        assert hit.holds_all == (ranks_by_words(query) and holds_all(query, everything[hit.article_id]))
        assert not (hit.holds_most and any(other.holds_all for other in hits_of(answer)))
        assert hit.best is not None
        assert hit.best.version == everything[hit.article_id].version
        assert by_place[hit.article_id][hit.best.start, hit.best.end] == pytest.approx(hit.semantic, abs=CLOSE)
    found = set(answer.ids)
    kept = {id_: score for id_, score in words.items() if id_ in within and score > 0}
    last_word, last_meaning = (
        sorted(leg.values(), reverse=True)[:depth][-1] if leg else np.inf for leg in (kept, meaning)
    )
    holding = {hit.article_id for hit in hits_of(answer) if hit.holds_all or hit.holds_most}
    # at the border either of two equals may be taken
    assert found >= {id_ for id_, score in kept.items() if score > last_word + CLOSE or len(kept) <= depth}
    assert found >= {id_ for id_, score in meaning.items() if score > last_meaning + CLOSE or len(meaning) <= depth}
    assert all(
        kept.get(id_, -np.inf) >= last_word - CLOSE or meaning.get(id_, -np.inf) >= last_meaning - CLOSE
        for id_ in found - holding
    )
    missed_words, missed_meaning = set(kept) - found, set(meaning) - found
    assert (answer.beyond is None) == (not missed_words and not missed_meaning)
    if answer.beyond is not None:
        coverage, cosine = answer.beyond
        assert all(meaning[id_] <= cosine + CLOSE for id_ in missed_meaning)
        everyone = local.candidates(query, lambda: vector, depth=MANY)
        held = dict(zip(everyone.ids, everyone.coverage.tolist(), strict=True))
        assert all(held[id_] <= coverage + CLOSE for id_ in missed_words)


def test_meaning_alone_nominates_when_there_are_no_words(local: Engine, everything: Everything) -> None:
    vector = embed_query(MeaningEmbedder(), "flood")
    answer = selected(local.candidates(parse("section:politics"), lambda: vector, depth=3))
    assert len(answer.ids) == 3
    assert all(everything[hit.article_id].section == "Politics" and hit.keyword == 0.0 for hit in hits_of(answer))


@given(text=QUERIES, depth=st.integers(1, 70))
@QUICK
def test_a_filter_changes_nothing_about_the_articles_it_leaves(local: Engine, text: str, depth: int) -> None:
    query, vector = parse(text), embed_query(MeaningEmbedder(), "flood")
    bare = without_filters(query)
    if not ranks_by_words(bare):
        return
    with_filters, without = (
        local.candidates(query, lambda: vector, depth=depth),
        local.candidates(bare, lambda: vector, depth=depth),
    )
    known = {hit.article_id: hit for hit in hits_of(without)}
    for hit in hits_of(with_filters):
        if hit.article_id in known:
            before = known[hit.article_id]
            assert replace(hit, semantic=before.semantic, second=before.second) == before
            # How many rows are multiplied at once decides in which order a product is added up.
            assert (hit.semantic, hit.second) == pytest.approx((before.semantic, before.second), abs=1e-6)


def test_a_filter_that_selects_nothing_finds_nothing_on_either_leg(local: Engine) -> None:
    vector = embed_query(MeaningEmbedder(), "flood")
    answer = selected(local.candidates(parse("flood source:unheard"), lambda: vector, depth=5))
    assert (list(answer.ids), answer.beyond) == ([], None)


def test_the_index_holds_the_live_articles_on_both_legs(parts: Services, everything: Everything) -> None:
    with parts.serving.engine() as (engine, _):
        assert engine.article_ids() == (set(everything), set(everything))  # type: ignore[attr-defined]


# The engine without one


def test_however_many_articles_there_are_each_is_asked_whether_filters_select_it(
    parts: Services, everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "BATCH_ARTICLES", 7)
    query = parse("section:politics")
    ids = StoreEngine(parts.store).candidates(query, None, depth=1).ids
    assert ids == sorted(allowed(everything, query))


def test_what_an_or_finds_by_its_filter_alone_is_found_without_an_index_too(
    parts: Services, everything: Everything
) -> None:
    query = parse("unheard OR section:politics")
    answer = StoreEngine(parts.store).candidates(query, None, depth=1)
    assert set(answer.ids) == allowed(everything, query) != set()
    assert answer.holds_all.all()


def test_more_articles_that_hold_the_words_than_are_looked_at_are_not_called_all(parts: Services) -> None:
    answer = StoreEngine(parts.store).candidates(parse("flood"), None, depth=1)
    assert answer.beyond is not None
    assert len(answer.ids) > 1  # whatever holds everything is there, as far as the scan went


@pytest.mark.parametrize("text", ["Москва flood", "Čapek", "flood"])
def test_coverage_without_an_index_is_a_share_of_what_is_wanted(
    parts: Services, everything: Everything, text: str
) -> None:
    query = parse(text)
    answer = StoreEngine(parts.store).candidates(query, None, depth=MANY)
    assert answer.terms == len(text.split())
    for id_, coverage in zip(answer.ids, answer.coverage.tolist(), strict=True):
        terms = set(analyse(f"{everything[id_].title} {everything[id_].body}"))
        assert coverage == pytest.approx(len(terms & set(analyse(text))) / answer.terms)


def test_the_store_shows_what_it_holds_now(tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("now") / "archive.sqlite3")
    engine = StoreEngine(store)
    for number in (0, 1):
        store.put(article(number))
    assert len(engine.candidates(parse("flood"), None, depth=5).ids) == 2
    store.remove(article(0).id)
    assert engine.candidates(parse("flood"), None, depth=5).ids == [article(1).id]
    assert engine.candidates(Query(), None, depth=5).ids == [article(1).id]
    store.close()
