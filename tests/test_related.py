"""Related articles: never itself, never what is not shown, and every lane and reason true."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from newsroom import EMBARGOED, UNDATED, WITHDRAWN, CountingEmbedder, OtherEmbedder, article, open_newsroom

from archive.article import Article
from archive.errors import ArticleNotFound
from archive.grouping import find_copies
from index.analysis import STOP_TERMS, analyse
from index.embedder import Embedder
from index.errors import ModelUnavailable
from index.lanes import lane_of
from index.models import OpenByIdentity
from index.portraits import UNKEPT_CHARS
from index.ranking import MODES, Mode
from index.related import Related
from index.results import Result
from web.services import Services
from web.settings import Settings

ALL = 100
FLOODS = [article(number).id for number in range(10)]
NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = open_newsroom(tmp_path_factory.mktemp("related"))
    yield services
    services.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Services]:
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    for number in (0, 1, 2, 10, 11, 20):
        services.store.put(article(number))
    services.builder.update()
    yield services
    services.close()


def related(parts: Services, number: int, *, mode: Mode = "hybrid", limit: int = ALL) -> list[Result]:
    return list(parts.related.related(article(number).id, limit=limit, mode=mode).results)


def ids(results: list[Result]) -> list[str]:
    return [result.article.id for result in results]


def at(days: float) -> Article:
    return article(1, published_at=NOON + timedelta(days=days))


# What is found


@pytest.mark.parametrize("mode", MODES)
def test_the_story_comes_first_and_never_the_article_itself(newsroom: Services, mode: Mode) -> None:
    for number in (0, 4, 9):
        found = ids(related(newsroom, number, mode=mode))
        assert article(number).id not in found
        assert set(found[:5]) <= {*FLOODS, UNDATED.id, *(article(n).id for n in range(90, 95))}
        assert len(found) == len(set(found))


def test_as_many_as_asked_and_the_best_of_them(newsroom: Services) -> None:
    assert ids(related(newsroom, 3, limit=4)) == ids(related(newsroom, 3))[:4]
    assert related(newsroom, 3, limit=0) == []
    scores = [(-result.score, result.article.id) for result in related(newsroom, 3)]
    assert scores == sorted(scores)


def test_meaning_relates_what_shares_no_word(parts: Services) -> None:
    parts.store.put(article(50, title="Inundation", body="Deluge, inundation, deluge.", source="Elsewhere"))
    parts.builder.update()
    assert article(50).id in ids(related(parts, 0, mode="semantic"))[:4]
    assert article(50).id not in ids(related(parts, 0, mode="keyword"))


def test_what_is_not_shown_is_never_related(newsroom: Services) -> None:
    for mode in MODES:
        assert {WITHDRAWN.id, EMBARGOED.id}.isdisjoint(ids(related(newsroom, 0, mode=mode)))
    for hidden in (WITHDRAWN, EMBARGOED):
        with pytest.raises(ArticleNotFound):
            newsroom.related.related(hidden.id, limit=5)
    with pytest.raises(ArticleNotFound, match="no article 0000000000000000"):
        newsroom.related.related("0" * 16, limit=5)


def test_a_takedown_holds_at_once(parts: Services) -> None:
    assert article(1).id in ids(related(parts, 0))
    parts.store.remove(article(1).id)
    assert article(1).id not in ids(related(parts, 0))
    assert ids(related(parts, 0, limit=1)) == [article(2).id]  # the next one takes its place


def test_an_article_alone_in_the_archive_has_no_relations(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    services.store.put(article(1))
    services.builder.update()
    for mode in MODES:
        assert related(services, 1, mode=mode) == []
    services.close()


@pytest.mark.parametrize("mode", MODES)
def test_strangers_do_not_fill_a_panel(parts: Services, mode: Mode) -> None:
    parts.store.put(article(40, title="Zither", body="Quixotic jabberwocks vex zymurgists."))
    parts.builder.update()
    assert related(parts, 40, mode=mode) == []


# By which vector


def test_a_kept_embedding_is_not_made_again(parts: Services) -> None:
    model = parts.embedder
    assert isinstance(model, CountingEmbedder)
    model.batches.clear()
    assert related(parts, 0)
    assert model.batches == []


def test_without_kept_embeddings_the_article_is_embedded_and_the_answer_is_the_same(parts: Services) -> None:
    before = related(parts, 0)
    connection = apsw.Connection(str(parts.settings.data / "archive.sqlite3"))
    connection.execute("DELETE FROM embedding")
    connection.close()
    model = parts.embedder
    assert isinstance(model, CountingEmbedder)
    model.batches.clear()
    after = related(parts, 0)
    assert ids(after) == ids(before)
    assert [result.score for result in after] == pytest.approx(
        [result.score for result in before], abs=1e-3
    )  # kept in 8 bits
    assert len(model.texts) == 1


def test_a_reader_never_waits_for_a_whole_book_to_be_embedded(parts: Services) -> None:
    parts.store.put(article(80, title="The flood reaches Millbrook", body="The flood rose again. " * 20_000))
    model = parts.embedder
    assert isinstance(model, CountingEmbedder)
    model.batches.clear()
    assert set(ids(related(parts, 80))[:3]) == {article(number).id for number in (0, 1, 2)}
    assert sum(map(len, model.texts)) < 3 * UNKEPT_CHARS


def test_an_article_newer_than_the_index_has_relations_as_it_is_now(parts: Services) -> None:
    parts.store.put(article(0, title="Council election in Ostwick", body="The council election, the election, again."))
    assert set(ids(related(parts, 0, mode="semantic"))[:2]) == {article(10).id, article(11).id}
    parts.store.put(article(60, title="Comet over the bay", body="A comet, again, over the bay."))
    assert ids(related(parts, 60))[0] == article(20).id


def test_an_article_of_no_words_but_its_title_is_related_by_that(parts: Services) -> None:
    parts.store.put(article(70, title="The flood reaches Millbrook", body=""))
    assert set(ids(related(parts, 70))[:3]) == {article(number).id for number in (0, 1, 2)}


def no_model(_: str) -> Embedder:
    raise ModelUnavailable("the model cannot be found: see docs/operations.md")


@pytest.mark.parametrize("embedder", [no_model, lambda _: OtherEmbedder()])
def test_without_the_right_model_words_relate_and_the_answer_is_degraded(
    newsroom: Services, embedder: OpenByIdentity
) -> None:
    blind = Related(store=newsroom.store, serving=newsroom.serving, embedder=embedder, fusion="sum")
    by_words = newsroom.related.related(article(0).id, limit=5, mode="keyword")
    for mode in ("hybrid", "semantic"):
        answer = blind.related(article(0).id, limit=5, mode=mode)  # type: ignore[arg-type]
        assert answer.degraded
        assert (answer.generation, answer.results) == (by_words.generation, by_words.results)
        assert all((r.keyword.weight, r.semantic.weight) == (1.0, 0.0) for r in answer.results)
    assert not by_words.degraded


def test_without_an_index_the_store_relates(parts: Services) -> None:
    shutil.rmtree(parts.settings.data / "index")
    parts.serving.catch_up()
    answer = parts.related.related(article(0).id, limit=2)
    assert (answer.degraded, answer.generation) == (True, None)
    assert set(ids(list(answer.results))) == {article(1).id, article(2).id}
    for result in answer.results:
        assert result.reason is not None
        named = mentioned(str(result.reason))
        assert named
        assert all(word in f"{article(0).title} {article(0).body}" for word in named)


# Why


def test_function_words_relate_nothing_however_rare_their_language_is(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path), embedder=CountingEmbedder())
    weather = "Der Regen fällt auf die Felder, und die Bauern freuen sich nicht mehr, weil er zu lange dauert."
    music = "Die Oper beginnt, der Vorhang geht auf, und weil es sich nicht mehr lohnt, singt die Diva zu Hause."
    again = "Regen auf Felder: Bauern klagen."
    for number in range(60, 90):
        services.store.put(article(number))
    for number, title, body in ((200, "Wetter", weather), (201, "Musik", music), (202, "Ernte", again)):
        services.store.put(article(number, title=title, body=body, language="de"))
    services.builder.update()
    found = ids(related(services, 200, mode="keyword"))
    services.close()
    assert article(202).id in found
    assert article(201).id not in found


def mentioned(reason: str) -> list[str]:
    """Return the words that a reason says both articles hold."""
    return reason.split(": ", 1)[1].split(", ") if ": " in reason else []


def terms(one: Article) -> set[str]:
    return set(analyse(f"{one.title}\n{one.body}"))


@pytest.mark.parametrize("mode", MODES)
def test_every_reason_and_lane_is_true(newsroom: Services, mode: Mode) -> None:
    named = 0
    for number in (0, 12, 25):
        this = article(number)
        assert this.published_at is not None
        for result in related(newsroom, number, mode=mode):
            other, reason = result.article, str(result.reason)
            for word in mentioned(reason):
                named += 1
                assert set(analyse(word)) <= terms(this) & terms(other) - STOP_TERMS
            assert ("other outlet" in reason) == bool(other.source and other.source != this.source)
            told = reason.split(": ")[0]
            dated = other.published_at is not None
            assert dated == told.endswith(("earlier", "later", "same day"))
            assert result.lane == lane_of(this, other, cosine=result.semantic.score)
            if dated and told.endswith(("earlier", "later")):
                assert told.endswith("later") == (other.published_at > this.published_at)  # type: ignore[operator]
    assert named > 5


def test_a_score_is_the_sum_of_its_parts(newsroom: Services) -> None:
    answer = related(newsroom, 0)
    weights = {(result.keyword.weight, result.semantic.weight) for result in answer}
    assert len(weights) == 1
    assert sum(weights.pop()) == pytest.approx(1.0)
    for result in answer:
        parts = result.keyword.part + result.semantic.part + sum(result.parts.values())
        assert result.score == pytest.approx(parts)


def test_what_has_no_date_is_in_no_lane_of_time_and_its_reason_names_none(newsroom: Services) -> None:
    answer = newsroom.related.related(UNDATED.id, limit=5)
    assert len(answer.results) == 5
    for result in answer.results:
        assert result.lane == "other"
        assert not str(result.reason).split(": ")[0].endswith(("earlier", "later", "same day"))


def test_what_is_near_in_time_gains_and_a_leg_alone_knows_no_time(newsroom: Services) -> None:
    for result in related(newsroom, 0):
        assert (result.parts.get("time", 0.0) > 0) == (result.article.published_at is not None)
    for mode in ("keyword", "semantic"):
        assert all("time" not in result.parts for result in related(newsroom, 0, mode=mode))


# Copies


def test_of_copies_one_is_shown_and_says_how_many_stand_behind_it(parts: Services) -> None:
    body = " ".join(f"The flood at Millbrook took house {n} and the mill's wheel number {n * 7}." for n in range(40))
    texts = {91: body, 92: body, 93: body + " One more sentence was added by the Ledger."}
    for number, text in texts.items():
        parts.store.put(article(number, title=f"The flood reaches Millbrook, part {number}", body=text))
    find_copies(parts.store)
    parts.builder.update()
    copies = {article(number).id for number in texts}
    found = related(parts, 0)
    (shown,) = (result for result in found if result.article.id in copies)
    assert shown.copies is not None
    assert {shown.article.id, *shown.copies.ids} == copies
    assert shown.copies.count == 2
    assert copies.isdisjoint(ids(related(parts, 91)))  # nor is an article related to its own copies
    parts.store.remove(shown.copies.origin)
    assert len([result for result in related(parts, 0) if result.article.id in copies]) == 1


# What is not in the archive


def test_a_draft_has_the_relations_of_the_article_it_becomes_and_nothing_of_it_is_kept(newsroom: Services) -> None:
    kept = newsroom.store.stats()
    draft = replace(article(0), id="")
    answer = newsroom.related.related_to(draft, limit=6)
    assert answer.article_id is None
    assert ids(list(answer.results))[0] == article(0).id
    assert set(ids(list(answer.results))[1:]) <= set(ids(related(newsroom, 0)))
    assert newsroom.store.stats() == kept
