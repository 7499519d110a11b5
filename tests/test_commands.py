"""The commands over a real archive and index: what goes to which stream, exit statuses, one clear line on failure."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import flask.cli
import newsroom
import pytest
from click.testing import CliRunner, Result
from copied import story
from flask import Flask
from processes import PATIENCE, ROOT, Newsroom, wait_until
from sinks import Site, serving

from archive import VERSION
from archive.lock import exclusive
from archive.progress import Progress, silent
from archive.store import Store
from index.build import Builder, BuildReport
from index.engine import Vectors
from index.errors import ModelUnavailable
from index.evaluation.asking import SETTINGS
from index.listing import CUTOFFS, SORTS
from index.ranking import MODES
from index.search import Search
from web import create_app
from web.commands import register
from web.services import Services
from web.settings import Settings

FLOOD = newsroom.ORDINARY[0]
COMMANDS = [
    *("ingest", "follow", "fetch", "search", "export", "related", "reindex", "check", "stats", "remove", "erase"),
    *(
        "takedowns",
        "quarantine",
        "saved",
        "alerts",
        "evaluate",
        "backup",
        "rollback",
        "queries",
        "audit",
        "move-archive",
    ),
]
RESTORE = "restore"  # needs no archive, since it brings one back
GROUPS = ["token"]  # of commands


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An archive that no test changes."""
    with newsroom.application(tmp_path_factory.mktemp("data")) as app:
        yield app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """An archive of the test's own, in `tmp_path / "data"`."""
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    for number in range(12):
        services.store.put(newsroom.article(number))
    services.builder.update()
    yield create_app(services=services)
    services.close()


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder with two good articles and one bad line."""
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "good.txt").write_text("Title: A bridge reopens\n\nThe old bridge reopened.")
    (folder / "mixed.jsonl").write_text('{"title": "Rain", "body": "It rained."}\n{"title": "No text"}\n')
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A judged collection of a dozen articles."""
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    articles = [newsroom.article(number) for number in range(0, 30, 3)]
    rows = [{"_id": f"d{n}", "title": each.title, "text": each.body} for n, each in enumerate(articles)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "flood Millbrook"}\n{"_id": "q2", "text": "comet"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td0\t1\nq1\td1\t1\nq2\td7\t1\n")
    return folder


@pytest.fixture
def clusters(tmp_path: Path) -> Path:
    """Articles in clusters of one story each."""
    file = tmp_path / "clusters.jsonl"
    rows = [
        {"url": each.url, "title": each.title, "body": each.body, "cluster": str(number // 10)}
        for number, each in enumerate(newsroom.article(number) for number in range(30))
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])


def test_the_list_of_commands_says_what_each_does_in_a_whole_sentence(app: Flask) -> None:
    listed = run(app, "--help").stdout
    for name in (*COMMANDS, RESTORE, *GROUPS):
        (line,) = [line for line in listed.splitlines() if line.startswith(f"  {name} ")]
        assert line.endswith("."), line
        assert "..." not in line


def written(result: Result, status: int = 0) -> Any:  # noqa: ANN401 any JSON
    """Return the JSON on standard output, which must hold nothing else."""
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def failed(result: Result, *words: str) -> None:
    """Check that a command failed with one line on standard error."""
    assert result.exit_code == 1, result.output
    *_, line = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert result.stderr.count("Error") == 1
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)  # click ended it; nothing else was raised
    for word in words:
        assert word in line


# What is written, and where


def test_ingest_counts_what_it_did(app: Flask, news: Path) -> None:
    (news / "mixed.jsonl").write_text('{"title": "Rain", "body": "It rained."}\n')
    first = run(app, "ingest", news)
    assert first.exit_code == 0
    assert first.stdout == (
        "2 added, 0 updated, 0 unchanged, 0 rejected; 2 passages embedded; published generation 2, keywords by whoosh\n"
    )
    again = run(app, "ingest", news)
    assert again.stdout == "0 added, 0 updated, 2 unchanged, 0 rejected; 0 passages embedded; generation 2 stands\n"


def test_an_index_that_is_made_tidy_after_an_ingest_is_the_one_that_is_told_of(app: Flask, news: Path) -> None:
    builder = newsroom.services_of(app).builder

    class Worn(Builder):
        def update(self, progress: Progress = silent) -> BuildReport:
            return builder.update(progress)

        def tidy(self, progress: Progress = silent) -> BuildReport | None:
            return builder.rebuild(progress)

    newsroom.services_of(app).made["builder"] = Worn.__new__(Worn)
    told = written(run(app, "ingest", news, "--json"), status=1)
    assert (told["embedded"], told["generation"]) == (2, 3)


def test_ingest_names_what_it_rejects_and_exits_with_one(app: Flask, news: Path) -> None:
    ended = run(app, "ingest", news)
    assert ended.exit_code == 1
    assert ended.stdout.startswith("2 added, 0 updated, 0 unchanged, 1 rejected; ")
    assert f"rejected {news}/mixed.jsonl:2: no body" in ended.stderr
    assert "Error" not in ended.output


def test_ingest_writes_the_report_as_json(app: Flask, news: Path) -> None:
    report = written(run(app, "ingest", news, news / "nowhere", "--json"), status=1)
    assert {name: report[name] for name in ("added", "updated", "unchanged", "rejected_count")} == {
        "added": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected_count": 2,
    }
    assert {(each["source"], each["line"]) for each in report["rejected"]} == {
        (f"{news}/mixed.jsonl", 2),
        (f"{news}/nowhere", None),
    }
    assert all(each["reason"] for each in report["rejected"])
    assert (report["embedded"], report["generation"]) == (2, 2)


def test_ingest_and_reindex_look_for_copies(app: Flask, tmp_path: Path) -> None:
    rows = [{"url": f"https://{n}.example/", "title": f"Flood {n}", "body": story("flood")} for n in range(3)]
    (tmp_path / "wire.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:2]))
    before = written(run(app, "stats", "--json"))["copies"]
    run(app, "ingest", tmp_path / "wire.jsonl")
    newsroom.services_of(app).store.put(newsroom.article(70, body=story("fire")))
    (tmp_path / "wire.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = written(run(app, "ingest", tmp_path / "wire.jsonl", "--json"))
    newsroom.services_of(app).store.put(newsroom.article(71, body=story("fire")))
    run(app, "reindex")
    assert (before, report["copies"], written(run(app, "stats", "--json"))["copies"]) == (0, 3, 5)


def test_ingest_counts_the_rejections_it_does_not_name(app: Flask, news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.ingest.KEPT_REJECTIONS", 2)
    (news / "mixed.jsonl").write_text("[]\n" * 5)
    ended = run(app, "ingest", news)
    assert (ended.exit_code, "5 rejected" in ended.stdout) == (1, True)
    assert "and 3 more rejected: 3 for other reasons" in ended.stderr


def test_of_many_rejections_the_first_are_named_and_the_others_counted_by_reason(app: Flask, news: Path) -> None:
    bad = ["[]"] * 20 + ['{"title": "No text"}'] * 3 + [f'{{"body": "x", "title": {number}}}' for number in (1, 2)]
    (news / "mixed.jsonl").write_text("\n".join(bad))
    ended = run(app, "ingest", news)
    assert ended.stderr.count("rejected /") == 20
    assert f"rejected {news}/mixed.jsonl:20: " in ended.stderr
    assert re.search(r"^and 5 more rejected: 3 no body, 2 title is a number", ended.stderr, re.MULTILINE)
    assert len(written(run(app, "ingest", news, "--json"), status=1)["rejected"]) == 25


def test_help_begins_with_what_this_is_and_ends_with_examples(app: Flask) -> None:
    told = app.test_cli_runner().invoke(flask.cli.cli, ["--help"])
    assert told.exit_code == 0
    assert told.stdout.count("Usage: ") == 1
    assert told.stdout.split("\n\n")[1].strip() == (
        f"Backfile {VERSION}: a searchable news archive with semantic retrieval."
    )
    assert re.search(r"^Commands:$.*^  ingest .*^  Examples:$.*^    flask ingest seeds ", told.stdout, re.M | re.S)


def test_the_version_is_the_projects(shared: Flask) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert written(run(shared, "stats", "--json"))["version"] == VERSION == project["version"]


def test_what_comes_in_without_its_date_is_told_and_is_no_failure(app: Flask, tmp_path: Path) -> None:
    rows = ['"Ice",10/08/2016', '"Fog",31/12/2016', '"Hail",yesterday']
    (tmp_path / "days.csv").write_text("\n".join(["body,date", *rows]))
    ended = run(app, "ingest", tmp_path / "days.csv")
    assert (ended.exit_code, "3 added" in ended.stdout) == (0, True)
    assert "2 articles came in without a date: '10/08/2016', 'yesterday' may be several days or none" in ended.stderr
    assert written(run(app, "ingest", tmp_path / "days.csv", "--json"))["undated"] == 2


def test_what_is_withheld_counts_as_held(app: Flask, tmp_path: Path) -> None:
    item = {"uri": "urn:a.example:1", "pubstatus": "withheld", "headline": "Rain", "body_text": "It rained."}
    (tmp_path / "item.json").write_text(json.dumps(item))
    assert ", 1 held, " in run(app, "ingest", tmp_path / "item.json").stdout
    assert written(run(app, "stats", "--json"))["held"] == 1


def test_search_writes_the_object_of_the_endpoint(shared: Flask) -> None:
    query = "q=flood&mode=keyword&source=The+Ledger&from=2001-03-01&to=2001-03-31&sort=newest&page_size=2&page=2"
    options = ["--mode", "keyword", "--source", "The Ledger", "--from", "2001-03-01", "--to", "2001-03-31"]
    paging = ["--sort", "newest", "--page-size", "2", "--page", "2"]
    for extra, parameter in (([], ""), (["--explain"], "&explain=1")):
        by_command = written(run(shared, "search", "flood", *options, *paging, *extra, "--json"))
        by_endpoint = shared.test_client().get(f"/api/search?{query}{parameter}").get_json()
        for answer in (by_command, by_endpoint):
            answer.pop("took_ms")
            answer["links"].pop("self")
        assert by_command["results"]
        assert by_command["results"] == by_endpoint["results"]
        assert {**by_command, "links": 0} == {**by_endpoint, "links": 0}


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("--section", "Politics", "section"), ("--language", "de", "language"), ("--author", "Ben Marsh", "authors")],
)
def test_search_keeps_to_each_filter(shared: Flask, option: str, value: str, key: str) -> None:
    results = written(run(shared, "search", "report", option, value, "--cutoff", "off", "--json"))["results"]
    assert results
    assert all(result[key] == value or value in result[key] for result in results)


def test_a_filter_given_twice_means_either_value(shared: Flask) -> None:
    both = ["--section", "Politics", "--section", "Weather"]
    found = written(run(shared, "search", "report", *both, "--json", "--page-size", 100))
    assert {result["section"] for result in found["results"]} == {"Politics", "Weather"}


def test_search_lists_results_with_their_places(shared: Flask) -> None:
    first = run(shared, "search", "report", "--mode", "keyword").stdout
    assert re.match(r"(at least )?\d+ found in [\d.]+ ms\n\n1\. ", first)
    second = run(shared, "search", "report", "--mode", "keyword", "--page", 2).stdout
    assert re.search(r"^11\. ", second, re.MULTILINE)
    assert FLOOD.id in run(shared, "search", FLOOD.title).stdout


def test_search_explains_each_result_when_asked(shared: Flask) -> None:
    told = run(shared, "search", "flood zebra Millbrook", "--explain").stdout
    assert re.search(r"^   words: number 1, BM25 [\d.]+, weight \d+%, adds 0\.\d{3}$", told, re.MULTILINE)
    assert re.search(r"^   meaning: number \d+, cosine [\d.]+, weight \d+%, adds 0\.\d{3}$", told, re.MULTILINE)
    assert re.search(r"^   your words in it: flood \(title 1, text 1\), Millbrook \(", told, re.MULTILINE)
    assert "\n   nearest in meaning: The flood reaches Millbrook; people talk.\n" in told
    assert re.search(r"^   likelihood: About \d0% of such hits", told, re.MULTILINE)
    for result in re.split(r"^\d+\. ", told, flags=re.MULTILINE)[1:]:
        adds = [float(part) for part in re.findall(r"adds (\d\.\d+)$", result, re.MULTILINE)]
        assert re.search(rf"^   together: {sum(adds):.3f}$", result, re.MULTILINE)
    assert "BM25" not in run(shared, "search", FLOOD.title).stdout


def test_search_lists_all_results_of_one_search_as_json_lines(shared: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.search_command.MAX_PAGE_SIZE", 7)  # so that there are several pages
    ended = run(shared, "search", "report", "--all", "--json", "--explain")
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    whole = shared.test_client().get("/api/search?q=report&explain=1&page_size=100").get_json()
    assert results == whole["results"]
    assert len(results) == whole["total"]["value"] > 14


def test_search_numbers_all_results_through(shared: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.search_command.MAX_PAGE_SIZE", 7)
    listed = run(shared, "search", "report", "--all", "--page-size", 3).stdout
    places = [int(place) for place in re.findall(r"^(\d+)\. ", listed, re.MULTILINE)]
    assert places == list(range(1, len(places) + 1))
    assert listed.startswith(f"{len(places)} found in ")


@pytest.mark.parametrize(
    ("query", "mode", "said"),
    [
        ("flood zebra", "hybrid", "No article holds all your words. These hold most of them, or are near in meaning."),
        ("flood report zebra", "keyword", "No article holds all your words. These hold most of them."),
        ("deluge inundation", "hybrid", "None of your words occur. These articles are the nearest by meaning;"),
        ("flood Millbrook", "hybrid", ""),
    ],
)
def test_search_says_of_its_results_what_the_page_says(shared: Flask, query: str, mode: str, said: str) -> None:
    told = run(shared, "search", query, "--mode", mode).stdout.split("\n\n1. ")[0]
    told_of_matches = "".join(line for line in told.splitlines()[1:] if not line.startswith("did you mean"))
    assert told_of_matches.startswith(said)
    assert bool(told_of_matches) == bool(said)
    assert said in shared.test_client().get("/search", query_string={"q": query, "mode": mode}).text.replace(
        "<strong>", ""
    ).replace("</strong>", "")


def test_what_can_be_chosen_is_what_the_search_takes(shared: Flask) -> None:
    def chosen(command: str, option: str) -> tuple[str, ...]:
        (found,) = [each for each in shared.cli.commands[command].params if each.name == option]
        assert isinstance(found.type, click.Choice)
        return tuple(found.type.choices)

    assert chosen("search", "mode") == MODES
    assert chosen("search", "sort") == SORTS
    assert chosen("search", "cutoff") == CUTOFFS
    assert chosen("evaluate", "settings") == chosen("evaluate", "compare") == SETTINGS


def test_search_says_when_there_is_no_good_match_and_how_to_see_the_nearest(shared: Flask) -> None:
    nothing = run(shared, "search", "xyzzy plugh")
    assert (nothing.exit_code, nothing.stderr) == (0, "")
    assert re.match(r"0 found in [\d.]+ ms\nno good match: ", nothing.stdout)
    assert "`--cutoff off` lists the nearest" in nothing.stdout
    nearest = run(shared, "search", "xyzzy plugh", "--cutoff", "off").stdout
    assert "\n1. " in nearest
    assert "no good match" not in nearest


def test_search_says_what_was_probably_meant(app: Flask) -> None:
    services = newsroom.services_of(app)
    services.made["search"] = Search(
        store=services.store,
        serving=services.serving,
        embedder=lambda _: services.embedder,
        fusion="sum",
        speller={"fload": "flood"}.get,
    )
    assert "did you mean: flood\n" in run(app, "search", "fload").stdout
    assert "did you mean" not in run(app, "search", "flood").stdout
    assert written(run(app, "search", "fload", "--json"))["suggestion"] == "flood"


def test_page_size_follows_the_setting(tmp_path: Path) -> None:
    with newsroom.application(tmp_path, page_size=3) as app:
        assert len(written(run(app, "search", "report", "--json"))["results"]) == 3


def test_a_search_that_finds_nothing_is_no_failure(shared: Flask) -> None:
    ended = run(shared, "search", "zebra", "--mode", "keyword")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("0 found")


def test_related_writes_the_object_of_the_endpoint(shared: Flask) -> None:
    by_command = written(run(shared, "related", FLOOD.id, "--limit", 3, "--json"))
    assert by_command == shared.test_client().get(f"/api/articles/{FLOOD.id}/related?limit=3").get_json()
    assert len(by_command["results"]) == 3


def test_related_lists_articles_with_the_reason(shared: Flask) -> None:
    listed = run(shared, "related", FLOOD.id)
    assert len(re.findall(r"^\d\. The flood", listed.stdout, re.MULTILINE)) == 5
    reason = written(run(shared, "related", FLOOD.id, "--json"))["results"][0]["reason"]
    assert reason in listed.stdout


def test_without_an_index_answers_come_with_a_warning(app: Flask, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data" / "index")
    for arguments in (["search", "flood"], ["related", FLOOD.id]):
        ended = run(app, *arguments)
        assert ended.exit_code == 0
        assert "The flood" in ended.stdout
        assert "these answers are incomplete" in ended.stderr
        assert "these answers" not in ended.stdout
    assert written(run(app, "search", "flood", "--json"))["degraded"] is True


def test_reindex_restores_a_deleted_index_without_embedding(app: Flask, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data" / "index")
    made = written(run(app, "reindex", "--json"))
    assert made == {
        "generation": 2, "published": True, "articles": 12, "passages": 12, "embedded": 0, "keywords": "whoosh",
    }  # fmt: skip
    assert written(run(app, "search", "flood", "--json"))["degraded"] is False
    told = "published generation 3, keywords by whoosh: 12 articles, 12 passages, 0 embedded\n"
    assert run(app, "reindex").stdout == told


def test_check_says_that_all_is_well(app: Flask) -> None:
    assert run(app, "check").stdout == "no problems found\n"
    assert written(run(app, "check", "--json")) == {"ok": True, "problems": []}


def test_check_names_what_is_damaged_and_exits_with_one(app: Flask, tmp_path: Path) -> None:
    file = next((tmp_path / "data" / "index" / "gen-000001").rglob("*.vectors.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    plain = run(app, "check")
    failed(plain, "1 problem found")
    assert str(file) in plain.stdout
    assert "flask reindex" in plain.stdout
    as_json = run(app, "check", "--json")
    failed(as_json, "1 problem found")
    assert written(as_json, status=1)["ok"] is False
    assert str(file) in written(as_json, status=1)["problems"][0]
    assert run(app, "reindex").exit_code == run(app, "check").exit_code == 0


def test_stats_say_what_the_archive_holds(app: Flask) -> None:
    facts = written(run(app, "stats", "--json"))
    assert facts.pop("disk")["archive"] > 10_000
    assert facts == {
        "version": VERSION,
        "articles": 12, "removed": 0, "held": 0, "next_release": None, "versions": 12, "passages": 12,
        "embeddings": 12, "copies": 0, "sources": 3,
        "saved_searches": 0,
        "quarantine": 0,
        "followed": 0,
        "followed_failing": 0,
        "followed_gone": 0,
        "earliest": "2001-03-01T00:00:00Z", "latest": "2002-03-02T00:00:00Z", "seq": 12, "generation": 1,
        "pending_changes": 0, "previous_generation": None, "keywords": "whoosh", "advice": None, "last_ingest": None,
        "model": "meanings",
    }  # fmt: skip
    newsroom.services_of(app).store.put(newsroom.article(50))
    assert written(run(app, "stats", "--json"))["pending_changes"] == 1
    listed = run(app, "stats").stdout
    assert re.search(r"^articles +13$", listed, re.MULTILINE)
    assert re.search(r"^previous generation +none$", listed, re.MULTILINE)


def test_stats_of_an_archive_that_is_not_there_yet_are_zero(tmp_path: Path) -> None:
    app = create_app(services=Services(Settings(data=tmp_path / "new"), embedder=newsroom.MeaningEmbedder()))
    facts = written(run(app, "stats", "--json"))
    assert (facts["articles"], facts["generation"], facts["earliest"]) == (0, None, None)
    assert run(app, "check").exit_code == 0
    newsroom.services_of(app).close()


def test_remove_hides_an_article_for_good(app: Flask, tmp_path: Path) -> None:
    assert written(run(app, "remove", FLOOD.id, FLOOD.id, "--reason", "court order", "--json")) == {
        "removed": [FLOOD.id],
        "not_found": [],
        "copies": {},
    }
    page = {"title": FLOOD.title, "body": FLOOD.body, "url": FLOOD.url}
    (tmp_path / "again.jsonl").write_text(json.dumps(page) + "\n")
    assert written(run(app, "ingest", tmp_path / "again.jsonl", "--json"))["unchanged"] == 1
    assert FLOOD.id not in run(app, "search", FLOOD.title, "--json").stdout
    failed(run(app, "related", FLOOD.id), FLOOD.id)
    assert run(app, "check").exit_code == 0
    assert written(run(app, "stats", "--json"))["pending_changes"] == 0  # it is out of the index too
    reasons = newsroom.services_of(app).store.rows("SELECT reason FROM change WHERE kind = 'removed'")
    assert [row[0] for row in reasons] == ["court order"]


def test_remove_takes_out_what_is_there_and_names_what_is_not(app: Flask) -> None:
    ended = run(app, "remove", FLOOD.id, "0000000000000000", "--json")
    failed(ended, "0000000000000000")
    assert written(ended, status=1) == {"removed": [FLOOD.id], "not_found": ["0000000000000000"], "copies": {}}
    failed(run(app, "remove", FLOOD.id), FLOOD.id)  # it is gone already


def test_remove_need_not_wait_for_a_running_ingest(app: Flask, tmp_path: Path) -> None:
    with exclusive(tmp_path / "data" / "archive.lock"):
        ended = run(app, "remove", FLOOD.id)
    assert (ended.exit_code, ended.stdout) == (0, "1 removed\n")
    assert "hidden from now on" in ended.stderr
    assert FLOOD.id not in run(app, "search", FLOOD.title, "--json").stdout


class NoEmbedder(Services):
    """Services whose model cannot be opened."""

    @property
    def embedder(self) -> Any:  # noqa: ANN401 never returns
        raise ModelUnavailable("the model is gone: set BACKFILE_MODEL")


def test_remove_hides_even_when_the_index_cannot_be_updated(app: Flask, tmp_path: Path) -> None:
    blind = create_app(services=NoEmbedder(Settings(data=tmp_path / "data")))
    ended = run(blind, "remove", FLOOD.id, "--json")
    failed(ended, "hidden from now on, but still in the index", "the model is gone")
    assert written(ended, status=1)["removed"] == [FLOOD.id]
    assert FLOOD.id not in run(app, "search", FLOOD.title, "--json").stdout
    newsroom.services_of(blind).close()


def test_evaluate_measures_each_mode_and_leaves_the_archive_alone(app: Flask, collection: Path, tmp_path: Path) -> None:
    before = written(run(app, "stats", "--json"))
    before["disk"].pop("evaluations")
    report = written(run(app, "evaluate", collection, "--json"))
    assert (report["collection"], report["queries"], list(report["modes"])) == (
        "judged",
        2,
        ["hybrid", "keyword", "semantic"],
    )
    for measures in report["modes"].values():
        assert set(measures) == {"nDCG@10", "R@100", "RR"}
        assert all(0 < value <= 1 for value in measures.values())
    after = written(run(app, "stats", "--json"))
    assert after["disk"].pop("evaluations") > 0
    assert after == before
    assert (tmp_path / "data" / "evaluations" / "judged").is_dir()
    one = written(run(app, "evaluate", collection, "--mode", "keyword", "--json"))
    assert one["modes"] == {"keyword": report["modes"]["keyword"]}
    assert re.search(r"^judged: 2 judged\n  hybrid +nDCG@10 [01]\.\d{4} ", run(app, "evaluate", collection).stdout)


def test_evaluate_judges_by_the_split_it_is_given(app: Flask, collection: Path) -> None:
    (collection / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td7\t1\n")
    assert written(run(app, "evaluate", collection, "--split", "train", "--json"))["queries"] == 1
    failed(run(app, "evaluate", collection, "--split", "dev"), "dev.tsv", "--split")


def test_evaluate_measures_related_articles(app: Flask, clusters: Path) -> None:
    report = written(run(app, "evaluate", "--related", clusters, "--json"))
    assert report["nDCG@5"] == report["modes"]["hybrid"]["nDCG@5"] > 0.9
    assert set(report["modes"]) == {"hybrid", "keyword", "semantic"}
    assert "nDCG@5" in run(app, "evaluate", "--related", clusters).stdout


def test_progress_goes_to_standard_error_only(app: Flask, news: Path, collection: Path) -> None:
    for arguments, stages in (
        (["ingest", news], ["reading", "copies", "chunking", "embedding", "keyword index", "vector index"]),
        (["reindex"], ["chunking", "keyword index", "vector index"]),
        (["evaluate", collection], ["storing", "embedding", "searching, hybrid"]),
    ):
        ended = run(app, *arguments)
        for stage in stages:
            assert f"{stage}: " in ended.stderr
            assert f"{stage}: " not in ended.stdout


# Failures: one line, status 1, nothing on standard output


@pytest.mark.parametrize("arguments", [["ingest", "news"], ["reindex"]])
def test_a_second_one_at_a_time_is_refused_and_told_who_is_at_work(
    app: Flask, tmp_path: Path, arguments: list[str]
) -> None:
    with exclusive(tmp_path / "data" / "archive.lock"):
        ended = run(app, *arguments, "--json")
    failed(ended, f"process {os.getpid()} ", "try again")
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["related", "0000000000000000"], ["related", newsroom.WITHDRAWN.id], ["related", newsroom.EMBARGOED.id]],
)
def test_an_article_that_is_not_shown_has_no_related_ones(shared: Flask, arguments: list[str]) -> None:
    ended = run(shared, *arguments, "--json")
    failed(ended, arguments[1], "flask search")
    assert ended.stdout == ""


def arguments_of(command: str, folder: Path) -> list[str]:
    """Return what makes a command do something."""
    return {
        "ingest": ["ingest", str(ROOT / "seeds")],
        "search": ["search", "flood"],
        "related": ["related", FLOOD.id],
        "remove": ["remove", FLOOD.id],
        "evaluate": ["evaluate", str(ROOT / "seeds")],
        "backup": ["backup", str(folder / "backups")],
        "move-archive": ["move-archive", str(folder / "elsewhere.sqlite3")],
    }.get(command, [command])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("output", [[], ["--json"]])
def test_a_data_folder_that_is_a_file_fails_in_one_line(command: str, output: list[str], tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    app = create_app(services=Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder()))
    ended = run(app, *arguments_of(command, tmp_path), *output)
    failed(ended, str(tmp_path / "data"))
    assert ended.stdout == ""


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "evaluate"])
def test_a_damaged_database_fails_in_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "archive.sqlite3").write_bytes(b"not a database, whatever its name says" * 100)
    app = create_app(services=Services(Settings(data=tmp_path), embedder=newsroom.MeaningEmbedder()))
    ended = run(app, *arguments_of(command, tmp_path), "--json")
    failed(ended, "archive.sqlite3")
    assert ended.stdout == ""


def test_a_model_that_cannot_be_opened_stops_an_ingest_in_one_line_and_keeps_what_was_read(
    tmp_path: Path, news: Path
) -> None:
    app = create_app(services=NoEmbedder(Settings(data=tmp_path / "data")))
    failed(run(app, "ingest", news), "the model is gone")
    assert newsroom.services_of(app).store.stats().articles == 2
    newsroom.services_of(app).close()


def test_where_nothing_came_in_no_model_is_opened_and_nothing_is_published(tmp_path: Path) -> None:
    app = create_app(services=NoEmbedder(Settings(data=tmp_path / "data")))
    ended = run(app, "ingest", tmp_path / "nowhere", "http://127.0.0.1:9/")
    assert ended.exit_code == 1
    assert "2 rejected; 0 passages embedded; no generation yet" in ended.stdout
    assert newsroom.services_of(app).store.pointer() == (None, None)
    newsroom.services_of(app).close()


def test_where_nothing_came_in_what_waits_is_published_all_the_same(app: Flask, tmp_path: Path) -> None:
    assert "generation 1 stands" in run(app, "ingest", tmp_path / "nowhere").stdout
    newsroom.services_of(app).store.put(newsroom.article(70))
    assert "published generation 2" in run(app, "ingest", tmp_path / "nowhere").stdout


class FullDisk(newsroom.MeaningEmbedder):
    """An embedder during whose work the disk fills up."""

    def embed(self, texts: object) -> Vectors:
        raise OSError(28, "No space left on device", "/data/x")


def test_a_full_disk_fails_in_one_line(tmp_path: Path, news: Path) -> None:
    app = create_app(services=Services(Settings(data=tmp_path / "data"), embedder=FullDisk()))
    failed(run(app, "ingest", news), "/data/x: no space left on device")
    newsroom.services_of(app).close()


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("corpus.jsonl", '{"title": "x"}\n', "corpus.jsonl:1"),
        ("corpus.jsonl", "[]\n", "corpus.jsonl:1"),
        ("corpus.jsonl", "{\n", "corpus.jsonl"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1"),
        ("queries.jsonl", "{}\n", "queries.jsonl:1"),
        ("queries.jsonl", '{"_id": "other", "text": "x"}\n', "no query"),
        ("qrels/test.tsv", "head\nq1\td0\n", "test.tsv"),
        ("qrels/test.tsv", "head\nq1\td0\tmany\n", "test.tsv"),
    ],
)
def test_a_collection_that_cannot_be_used_fails_in_one_line(
    app: Flask, collection: Path, file: str, content: str, words: str
) -> None:
    (collection / file).write_text(content)
    ended = run(app, "evaluate", collection, "--json")
    failed(ended, words)
    assert ended.stdout == ""


def test_a_collection_without_its_files_fails_in_one_line(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    failed(run(app, "evaluate", tmp_path / "nothing"), "corpus.jsonl")
    (tmp_path / "lone.jsonl").write_text('{"body": "It rained.", "cluster": "1"}\n')
    failed(run(app, "evaluate", "--related", tmp_path / "lone.jsonl"), "cluster")


# Wrong usage: status 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ingest"], "PATH"),
        (["search"], "QUERY"),
        (["search", "a", "b"], "unexpected"),
        (["search", "a", "--mode", "best"], "--mode"),
        (["search", "a", "--sort", "random"], "--sort"),
        (["search", "a", "--page", "0"], "--page"),
        (["search", "a", "--page", "1000001"], "page must be"),
        (["search", "a", "--page", "2", "--all"], "--all lists every page"),
        (["search", "a", "--cutoff", "0.5"], "--cutoff"),
        (["search", "((((((a"], "Parentheses stand at most"),
        (["search", "a", "--page-size", "101"], "--page-size"),
        (["search", "a", "--from", "yesterday"], "from must be a day"),
        (["search", "a", "--from", "2020-01-02", "--to", "2020-01-01"], "to must be a day not before"),
        (["search", "a" * 2_001], "at most 2,000 characters"),
        (["search", "caf\udce9"], "UTF-8"),
        (["search", "a", "--source", "caf\udce9", "--json"], "UTF-8"),
        (["related"], "ID"),
        (["related", "\udce9"], "UTF-8"),
        (["related", "0", "--limit", "21"], "--limit"),
        (["reindex", "now"], "unexpected"),
        (["check", "--fast"], "--fast"),
        (["stats", "now"], "unexpected"),
        (["remove"], "ID"),
        (["remove", "\udce9"], "UTF-8"),
        (["evaluate"], "either"),
        (["evaluate", "seeds", "--related", "wsgi.py"], "either"),
        (["evaluate", "nowhere"], "nowhere"),
        (["evaluate", "--related", "seeds"], "seeds"),
        (["evaluate", "seeds", "--mode", "best"], "--mode"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_two(
    shared: Flask, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    ended = run(shared, *arguments)
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1].startswith("Error: ")
    assert words in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


# Help


def test_these_are_all_the_commands() -> None:
    app = Flask("bare")
    app.cli.commands.clear()
    register(app)
    assert sorted(app.cli.commands) == sorted([*COMMANDS, RESTORE, *GROUPS])


@pytest.mark.parametrize("command", [*COMMANDS, RESTORE])
def test_help_says_what_a_command_does_with_an_example(shared: Flask, command: str) -> None:
    told = run(shared, command, "--help")
    assert told.exit_code == 0
    assert re.search(rf"^ *Examples?:\n +flask {command}\b", told.stdout, re.MULTILINE)
    assert re.search(r"^ +--json +\S", told.stdout, re.MULTILINE) or command == "export"  # whose output is the answer
    for line in told.stdout.splitlines():
        option = re.match(r"  (--\S+)(.*)", line)
        assert not option or option[2].strip(), f"{option} says nothing"


# Settings


@pytest.mark.parametrize(
    "arguments", [[command] for command in (*COMMANDS, RESTORE)] + [["stats", "--help"], ["--help"], []]
)
def test_a_bad_setting_is_one_line_and_status_two_for_every_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILE_PAGE_SIZE", "many")
    monkeypatch.setenv("FLASK_APP", "web:create_app")
    monkeypatch.chdir(ROOT)
    ended = CliRunner().invoke(flask.cli.FlaskGroup(name="flask"), arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: BACKFILE_PAGE_SIZE='many' cannot be used")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDER", "gpu"),
        ("KEYWORDS", "lucene"),
        ("FUSION", "magic"),
        ("RECENCY", "1.1"),
        ("RECENCY", "nan"),
        ("PAGE_SIZE", "0"),
        ("SITE_NAME", "x" * 61),
    ],
)
def test_each_setting_refuses_what_it_cannot_use(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"BACKFILE_{name}", value)
    monkeypatch.setenv("FLASK_APP", "web:create_app")
    monkeypatch.chdir(ROOT)
    ended = CliRunner().invoke(flask.cli.FlaskGroup(name="flask"), ["stats"])
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"Error: BACKFILE_{name}={value!r} cannot be used")


def test_flask_itself_ends_in_one_line_when_a_setting_is_bad() -> None:
    environment = {**os.environ, "BACKFILE_FUSION": "magic"}
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("Error: BACKFILE_FUSION='magic' cannot be used")


# Real processes


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    room = Newsroom(tmp_path)
    room.write("first.jsonl", range(12))
    return room


def test_a_second_ingest_at_the_same_time_is_refused_with_the_pid_of_the_first(room: Newsroom) -> None:
    lock = room.data / "archive.lock"
    room.hold.touch()
    with room.start_ingest() as first:
        try:
            wait_until(lambda: lock.exists() and bool(lock.read_text()), first)
            second = room.run("ingest", str(room.folder / "news"), "--json")
            assert (second.returncode, second.stdout) == (1, "")
            assert second.stderr == (
                f"Error: process {first.pid} is changing this archive: try again when it has ended\n"
            )
        finally:
            first.kill()
            room.hold.unlink()
    assert room.ingest()["generation"] == 1  # the lock went with its holder


def test_a_terminal_shows_a_bar_and_standard_output_stays_json(room: Newsroom) -> None:
    controller, terminal = pty.openpty()
    ended = subprocess.run(
        room.ingest_command(),
        env=room.environment(),
        stdout=subprocess.PIPE,
        stderr=terminal,
        check=False,
        timeout=PATIENCE,
    )
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 65_536):
            shown += piece
    except OSError:  # Linux's way to say that the terminal is closed
        pass
    os.close(controller)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["added"] == 12
    assert b"embedding: 100%" in shown
    assert b"keyword index: 100%" in shown
    assert b"12/12" in shown


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(room: Newsroom) -> None:
    with subprocess.Popen(
        room.command("stats"), env=room.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.fixture
def heeded() -> Iterator[None]:
    """Let processes heed an interrupt as at a terminal: what a shell starts in the background inherits to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_a_command_interrupted_twice_ends_at_once_and_says_so_without_a_traceback(room: Newsroom) -> None:
    with room.start_ingest(most=0) as process:  # what is at hand comes to no end
        wait_until(lambda: bool(room.logged()), process)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any(line.startswith("stopping when") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (1, "")
    assert "Aborted!" in err
    assert "Traceback" not in err
    store = Store(room.data / "archive.sqlite3")
    assert store.check() == []
    store.close()


@pytest.mark.parametrize("query", ["-comet", "-source:unheard -language:de", "- comet"])
def test_a_query_may_begin_with_a_minus(shared: Flask, query: str) -> None:
    found = run(shared, "search", query, "--mode", "keyword", "--page-size", "3", "--json")
    assert found.exit_code == 0
    assert written(found)["query"] == query


def test_an_option_there_is_not_is_still_refused(shared: Flask) -> None:
    refused = run(shared, "search", "flood", "--moed", "keyword")
    assert refused.exit_code == 2
    assert "--moed" in refused.stderr


# Alerts


def test_an_ingest_judges_what_came_in_and_alerts_says_what_was_sent(tmp_path: Path) -> None:
    with serving(Site()) as site:
        settings = Settings(data=tmp_path / "data", site_url="https://archive.example.org", fetch_allow="127.0.0.0/8")
        parts = Services(settings, embedder=newsroom.MeaningEmbedder())
        app = create_app(services=parts)
        for name, path in (("Floods", "/hook"), ("Waters", "/down")):
            _, search = parts.alerts.save(name=name, question="q=flood", after_seq=0, most=9)
            parts.alerts.add_channel(search.id, "webhook", site.url(path))
        site.answers["/down"] = (500, {}, b"")
        news = tmp_path / "flood.txt"
        news.write_text("Title: The flood\n\nThe flood came in the night.\n")
        assert run(app, "ingest", str(news)).exit_code == 0
        assert [path for _, path, _, _ in site.asked] == ["/hook", "/down"]
        with parts.store.transaction() as connection:
            connection.execute("UPDATE delivery SET next_at = 0")
        result = run(app, "alerts")
        assert result.exit_code == 0
        assert "put off: webhook to 127.0.0.1, 'Waters', 1 article: the receiver answered 500" in result.stderr
        assert result.stdout == "0 saved searches judged, 0 alerts, 0 sent\n"
        site.answers.clear()
        with parts.store.transaction() as connection:
            connection.execute("UPDATE delivery SET next_at = 0")
        told = json.loads(run(app, "alerts", "--json").stdout)
        assert [(each["outcome"], each["name"], each["articles"]) for each in told["deliveries"]] == [
            ("sent", "Waters", 1)
        ]
        parts.close()


def test_what_hinders_alerts_is_no_failure_of_an_ingest_but_one_of_alerts(app: Flask, tmp_path: Path) -> None:
    parts: Services = app.extensions["backfile"]
    parts.alerts.save(name="Floods", question="q=flood", after_seq=0, most=9)
    news = tmp_path / "flood.txt"
    news.write_text("Title: The flood\n\nThe flood came in the night.\n")
    with exclusive(tmp_path / "data" / "alerts.lock"):
        ingested, alerted = run(app, "ingest", str(news)), run(app, "alerts")
    assert (ingested.exit_code, alerted.exit_code) == (0, 1)
    assert "alerts wait for `flask alerts`" in ingested.stderr


@pytest.mark.parametrize("given", ["5", "m", "1s", "99h", "5d"])
def test_an_interval_that_is_none_is_refused(app: Flask, given: str) -> None:
    assert run(app, "alerts", "--every", given).exit_code == 2
