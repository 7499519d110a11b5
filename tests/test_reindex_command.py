"""Another model beside the one that serves: what is told of it, changing over, and back; and whom updates follow."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import newsroom
import pytest
from click.testing import Result
from flask import Flask
from newsroom import CountingEmbedder, MeaningEmbedder, OtherEmbedder, TwinEmbedder

from archive.models import model_in_use
from index.embedder import BUNDLED, BUNDLED_SHA256, Embedder
from index.search import SearchRequest
from web import create_app
from web.saved import question_of
from web.services import Services
from web.settings import Settings


class Half(CountingEmbedder):
    """Another model of which a part was embedded when the machine stopped."""

    name, sha256 = "half", TwinEmbedder.sha256


class NotANumber(MeaningEmbedder):
    """A model whose weights are damaged."""

    def embed(self, texts: object) -> object:  # type: ignore[override]
        """Return nothing that can be compared."""
        return super().embed(texts) * float("nan")  # type: ignore[arg-type]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, Embedder]:
    """What some names open in this test, beside the newsroom's models."""
    mine: dict[str, Embedder] = {}
    for name in ("half", "damaged"):
        monkeypatch.setitem(newsroom.MODELS, name, lambda name=name: mine[name])
    return mine


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with newsroom.application(tmp_path / "data") as app:
        yield app


def parts_of(app: Flask) -> Services:
    parts: Services = app.extensions["backfile"]
    return parts


def run(app: Flask, *arguments: str, input: str | None = None) -> Result:  # noqa: A002 click's own name
    return app.test_cli_runner().invoke(args=list(arguments), input=input)


def done(app: Flask, *arguments: str) -> Result:
    result = run(app, *arguments)
    assert result.exit_code == 0, result.stderr
    return result


def told(app: Flask, *arguments: str) -> dict[str, object]:
    report = json.loads(done(app, *arguments, "--json").stdout)
    assert isinstance(report, dict)
    return report


def served(app: Flask) -> tuple[int | None, str | None, bool]:
    """Return which generation answers, by which model, and whether poorly."""
    parts = parts_of(app)
    parts.serving.catch_up()
    answer = parts.search.search(SearchRequest(query="inundation"))
    with parts.serving.engine() as (engine, _):
        return answer.generation, engine.model_sha256, answer.degraded


def another(app: Flask, **settings: object) -> Flask:
    """Open the archive as the next process does, whose settings may be others."""
    return create_app(
        services=Services(Settings(data=parts_of(app).settings.data, **settings), open_model=newsroom.open_made_up)  # type: ignore[arg-type]
    )


def judged(folder: Path, *, article_ids: list[str]) -> Path:
    """Write judged queries that only meaning answers: no article holds their words."""
    (folder / "qrels").mkdir(parents=True)
    queries = {"a": "inundation", "b": "deluge"}
    lines = [json.dumps({"_id": each, "text": text}) for each, text in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(lines))
    grades = [f"{query}\t{article}\t1" for query in queries for article in article_ids]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *grades]))
    return folder


FLOODS = [newsroom.article(number).id for number in range(10)]


# Evidence, then the change


def test_another_model_is_built_compared_and_served_and_updates_follow_it(app: Flask, tmp_path: Path) -> None:
    assert served(app) == (1, MeaningEmbedder.sha256, False)
    parts = parts_of(app)
    parts.asked.note({question_of(SearchRequest(query="flood source:ledger")): 2}, on=parts.today())
    folder = judged(tmp_path / "judged", article_ids=FLOODS)
    result = done(app, "reindex", "--model", "other", "--judged", str(folder), "--yes")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["queries", "unchanged", "overlap@10", "nDCG@10"]
    assert [line.split()[0] for line in lines[1:4]] == ["recent", "judged", "words"]
    assert " 1.000 to 1.000: +0.000" in lines[2]
    assert lines[-1].startswith("published generation 2, keywords by whoosh")
    assert lines[-1].endswith("`flask rollback` returns")
    assert served(app) == (2, OtherEmbedder.sha256, False)
    named = model_in_use(parts.store)
    assert named is not None
    assert (named.name, named.reference) == ("other", "other")
    following = another(app)
    parts_of(following).store.put(newsroom.article(300))
    report = parts_of(following).builder.update()
    assert (report.generation, report.embedded) == (3, 1)
    assert served(following) == (3, OtherEmbedder.sha256, False)
    assert served(app) == (3, OtherEmbedder.sha256, False)
    parts_of(following).close()


def test_what_appears_and_vanishes_is_told_with_its_question(app: Flask, tmp_path: Path) -> None:
    folder = judged(tmp_path / "judged", article_ids=FLOODS)
    result = run(app, "reindex", "--model", "quick", "--judged", str(folder), "--compare-only")
    assert result.exit_code == 0, result.stderr
    block = result.stdout[result.stdout.index("inundation (judged queries): overlap 0.") :].split("\n\n")[0]
    assert "\n  +  1  " in block
    assert "\n  -  " in block
    assert "The flood reaches Millbrook, report" in block
    told_all = told(app, "reindex", "--model", "quick", "--judged", str(folder), "--compare-only")
    comparison = told_all["comparison"]
    assert isinstance(comparison, dict)
    change = next(each for each in comparison["changed"] if each["query"] == "inundation")
    assert set(change["vanished"]) <= set(FLOODS)
    assert not set(change["appeared"]) & set(change["vanished"])
    assert (told_all["published"], served(app)[0]) == (False, 1)


def test_what_is_only_compared_leaves_nothing_but_its_embeddings(app: Flask) -> None:
    first = told(app, "reindex", "--model", "other", "--compare-only")
    assert first["embedded"]
    assert not first["published"]
    index = parts_of(app).settings.data / "index"
    assert [path.name for path in index.iterdir()] == ["gen-000001"]
    assert told(app, "reindex", "--model", "other", "--compare-only")["embedded"] == 0
    assert served(app) == (1, MeaningEmbedder.sha256, False)


def test_a_model_that_finds_worse_is_not_changed_over_to(app: Flask, tmp_path: Path) -> None:
    folder = judged(tmp_path / "judged", article_ids=FLOODS)
    arguments = ("reindex", "--model", "quick", "--judged", str(folder), "--yes")
    refused = run(app, *arguments)
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1].startswith("Error: not changed over: nDCG@10 falls by 1.000")
    assert served(app) == (1, MeaningEmbedder.sha256, False)
    done(app, *arguments, "--most-loss", "1")
    assert served(app)[0] == 2


def test_on_a_terminal_it_is_asked_and_elsewhere_it_has_to_be_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = run(app, "reindex", "--model", "twin")
    assert nobody.exit_code == 2
    assert "nobody can be asked here" in nobody.stderr
    monkeypatch.setattr("web.reindex_command._is_terminal", lambda: True)
    declined = run(app, "reindex", "--model", "twin", "--most-loss", "1", input="\n")
    assert declined.exit_code == 0
    assert "Change over to generation 2? [y/N]" in declined.stderr
    assert "not changed over" in declined.stdout
    assert served(app)[0] == 1
    accepted = run(app, "reindex", "--model", "twin", "--most-loss", "1", input="y\n")
    assert "published generation 2" in accepted.stdout
    assert served(app) == (2, TwinEmbedder.sha256, False)


@pytest.mark.parametrize("arguments", [["--yes"], ["--compare-only"], ["--model", "twin", "--yes", "--compare-only"]])
def test_options_that_say_nothing_together_are_refused(app: Flask, arguments: list[str]) -> None:
    assert run(app, "reindex", *arguments).exit_code == 2


def test_a_model_that_is_damaged_or_not_there_is_refused_before_anything_is_built(
    app: Flask, opened: dict[str, Embedder]
) -> None:
    opened["damaged"] = NotANumber()
    for name, reason in (("damaged", "not finite"), ("nowhere", "there is no model nowhere")):
        refused = run(app, "reindex", "--model", name, "--yes")
        assert refused.exit_code == 1
        assert reason in refused.stderr
    assert served(app) == (1, MeaningEmbedder.sha256, False)


def test_what_was_interrupted_goes_on_without_embedding_anything_twice(
    app: Flask, opened: dict[str, Embedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.embeddings.BATCH_PASSAGES", 8)
    opened["half"] = first = Half(fails_after=4)  # the two probes are batches as well
    assert isinstance(run(app, "reindex", "--model", "half", "--yes").exception, RuntimeError)
    assert served(app) == (1, MeaningEmbedder.sha256, False)
    opened["half"] = second = Half()
    done(app, "reindex", "--model", "half", "--most-loss", "1", "--yes")
    once = [text for batch in first.batches[2:] for text in batch]
    then = [text for batch in second.batches[2:] if len(batch) > 1 for text in batch]
    assert len(once) == 16
    assert not set(once) & set(then)


def test_where_what_is_served_cannot_be_asked_that_is_said_and_the_change_goes_on(app: Flask) -> None:
    shutil.rmtree(parts_of(app).settings.data / "index" / "gen-000001" / "vectors")
    result = done(app, "reindex", "--model", "other", "--yes")
    assert "nothing to compare with" in result.stderr
    assert served(app) == (2, OtherEmbedder.sha256, False)


# Which model an archive goes by


def test_the_setting_names_the_model_of_a_new_archive_and_of_no_other(app: Flask, tmp_path: Path) -> None:
    fresh = create_app(
        services=Services(Settings(data=tmp_path / "new", model="other"), open_model=newsroom.open_made_up)
    )
    parts_of(fresh).store.put(newsroom.article(1))
    parts_of(fresh).builder.update()
    assert served(fresh) == (1, OtherEmbedder.sha256, False)
    parts_of(fresh).close()
    news = tmp_path / "news.jsonl"
    news.write_text(json.dumps({"id": "n1", "source": "The Ledger", "title": "New", "body": "Something new."}))
    differing = another(app, model="other")
    result = done(differing, "ingest", str(news))
    assert "BACKFILE_MODEL names other, served is meanings" in result.stderr
    assert served(differing) == (2, MeaningEmbedder.sha256, False)
    parts_of(differing).close()


def test_a_reindex_alone_changes_to_what_the_setting_names_as_it_always_did(app: Flask) -> None:
    differing = another(app, model="other")
    result = done(differing, "reindex")
    assert "changing the model: BACKFILE_MODEL names other" in result.stderr
    assert served(differing) == (2, OtherEmbedder.sha256, False)
    assert "changing" not in done(differing, "reindex").stderr
    parts_of(differing).close()
    assert served(app) == (3, OtherEmbedder.sha256, False)  # which has no such setting


def test_an_archive_that_never_said_which_model_it_goes_by_is_asked_for_by_the_setting(app: Flask) -> None:
    parts_of(app).store.change("UPDATE generation SET model_id = NULL")
    parts_of(app).store.change("UPDATE model SET reference = NULL")
    assert parts_of(app).named_model is None
    done(app, "reindex", "--model", "other", "--yes")
    done(app, "rollback")
    named = model_in_use(parts_of(app).store)
    assert named is not None
    assert (named.name, named.reference) == ("meanings", "bundled")


def test_weights_that_were_exchanged_are_noticed_and_nothing_is_built_by_them(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(newsroom.MODELS, "bundled", TwinEmbedder)
    exchanged = another(app)
    parts_of(exchanged).store.put(newsroom.article(300))
    refused = run(exchanged, "reindex")
    assert refused.exit_code == 1
    assert "another model than twin" in refused.stderr
    assert served(exchanged) == (1, MeaningEmbedder.sha256, True)
    parts_of(exchanged).close()


# Back


def test_a_rollback_returns_with_the_old_model_and_updates_follow_that(app: Flask) -> None:
    done(app, "reindex", "--model", "other", "--yes")
    parts = parts_of(app)
    parts.store.put(newsroom.article(300))
    parts.store.remove(newsroom.article(3).id)
    assert served(app) == (2, OtherEmbedder.sha256, False)
    returned = done(app, "rollback").stdout.splitlines()
    assert returned[0].startswith("serving generation 1, meanings, of 0:00:")
    assert returned[0].endswith("instead of 2")
    assert "it lacks 3 changes" in returned[1]
    assert served(app) == (1, MeaningEmbedder.sha256, False)
    found = parts.search.search(SearchRequest(query="inundation", cutoff="off", page_size=100)).results
    assert newsroom.article(3).id not in {each.article.id for each in found}  # what is taken down stays down
    following = another(app)
    report = parts_of(following).builder.update()
    assert (report.generation, report.embedded) == (3, 1)
    assert served(following) == (3, MeaningEmbedder.sha256, False)
    parts_of(following).close()


def test_a_rollback_of_a_rollback_goes_forward_again(app: Flask) -> None:
    done(app, "reindex", "--model", "other", "--yes")
    assert told(app, "rollback")["generation"] == 1
    assert told(app, "rollback")["generation"] == 2
    assert served(app) == (2, OtherEmbedder.sha256, False)


def test_without_an_earlier_generation_there_is_nothing_to_return_to(app: Flask) -> None:
    refused = run(app, "rollback")
    assert refused.exit_code == 1
    assert "there is no earlier generation to return to" in refused.stderr
    done(app, "reindex", "--model", "other", "--yes")
    parts_of(app).builder_of(OtherEmbedder(), reference="other").renew()  # as an erasure does
    assert run(app, "rollback").exit_code == 1
    assert served(app)[1] == OtherEmbedder.sha256


def test_a_damaged_generation_is_not_returned_to(app: Flask) -> None:
    done(app, "reindex", "--model", "other", "--yes")
    spans = next((parts_of(app).settings.data / "index" / "gen-000001" / "vectors").glob("*.spans.npy"))
    spans.write_bytes(spans.read_bytes()[:-1] + b"?")
    refused = run(app, "rollback")
    assert refused.exit_code == 1
    assert "generation 1 cannot be returned to, generation 2 stays" in refused.stderr
    assert served(app) == (2, OtherEmbedder.sha256, False)


def test_a_generation_whose_model_is_gone_is_not_returned_to(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done(app, "reindex", "--model", "other", "--yes")
    monkeypatch.delitem(newsroom.MODELS, "bundled")
    later = another(app)
    refused = run(later, "rollback")
    assert refused.exit_code == 1
    assert "there is no model bundled" in refused.stderr
    assert served(later) == (2, OtherEmbedder.sha256, False)
    parts_of(later).close()


def test_a_check_says_that_the_model_is_gone(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    done(app, "reindex", "--model", "other", "--yes")
    done(app, "check")
    monkeypatch.delitem(newsroom.MODELS, "other")
    later = another(app)
    ended = run(later, "check")
    assert ended.exit_code == 1
    assert "searches go by words alone: there is no model other" in ended.output
    parts_of(later).close()


def test_a_copy_of_the_bundled_model_is_the_bundled_model(app: Flask) -> None:
    class Copy(MeaningEmbedder):
        sha256 = BUNDLED_SHA256

    assert parts_of(app).builder_of(Copy(), reference="/srv/copy")._reference == BUNDLED
    assert parts_of(app).builder_of(parts_of(app).embedder, reference="/srv/own")._reference == "/srv/own"


def test_what_the_setting_still_names_is_said(app: Flask) -> None:
    differing = another(app, model="other")
    done(differing, "reindex")
    assert "BACKFILE_MODEL names other" in done(differing, "rollback").stderr
    parts_of(differing).close()
