"""`flask evaluate`: what it prints, the JSON it promises, the files it writes, and what it refuses before it begins."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import newsroom
import pytest
from click.testing import Result
from flask import Flask

from archive.lock import exclusive
from index.calibration import THRESHOLD
from web import create_app
from web.services import Services
from web.settings import Settings

MEASURES = {"nDCG@10", "R@100", "RR"}
KEPT = ("seq", "model", "fusion", "recency", "ask_by", "seed")
SAID = "It was told in the town that evening, and people came from all around to see what there was."


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """An archive of twelve articles, each with a headline of its own, in `tmp_path / "data"`."""
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    for number in range(12):
        name = "".join("bcdfghklmn"[int(digit)] + "a" for digit in f"{number:03}")
        title, body = f"={name}um opens {name}ok to {name}ix", f"The {name}ok was opened, {name}um said. {SAID}"
        services.store.put(newsroom.article(number, title=title, body=body))
    services.builder.update()
    yield create_app(services=services)
    services.close()


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    articles = [newsroom.article(number) for number in range(0, 30, 3)]
    rows = [{"_id": f"d{n}", "title": each.title, "text": each.body} for n, each in enumerate(articles)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "flood Millbrook"}\n{"_id": "q2", "text": "comet"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td0\t1\nq1\td1\t1\nq2\td9\t1\n")
    return folder


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["evaluate", *(str(argument) for argument in arguments)])


def written(result: Result) -> Any:  # noqa: ANN401 any JSON
    """Return the JSON on standard output, which must hold nothing else."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(result: Result, *words: str) -> None:
    """Check that nothing was done but to say in one line what does not go together."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    *_, line = result.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


def evaluations(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "data" / "evaluations").glob("*")}


# JSON


def test_what_was_promised_is_there_with_what_has_been_added(app: Flask, collection: Path) -> None:
    report = written(run(app, collection, "--json"))
    assert (report["collection"], report["queries"], report["documents"]) == ("judged", 2, 10)
    assert list(report["modes"]) == list(report["intervals"]) == ["hybrid", "keyword", "semantic"]
    for mode, measures in report["modes"].items():
        assert set(measures) == set(report["intervals"][mode]) == MEASURES
        for name, value in measures.items():
            low, high = report["intervals"][mode][name]
            assert low <= value <= high
    assert report["chance"] == {"confidence": 0.95, "resamples": 10_000, "seed": 1}
    assert set(report["cutoff"]["hybrid"]) == {"threshold", "answered", "hidden", "share", "interval", "emptied"}
    assert report["cutoff"]["hybrid"]["threshold"] == THRESHOLD
    assert report["notes"] == []
    assert "comparison" not in report
    assert not MEASURES & set(report), "only the one measure of related articles stands outside the modes"


def test_a_comparison_says_by_how_much_how_surely_and_where(app: Flask, collection: Path) -> None:
    report = written(run(app, collection, "--compare", "keyword", "semantic", "--json"))
    assert list(report["modes"]) == ["keyword", "semantic"]
    comparison = report["comparison"]
    assert comparison["settings"] == ["keyword", "semantic"]
    assert set(comparison["measures"]) == MEASURES
    for name, found in comparison["measures"].items():
        assert set(found) == {"difference", "interval", "p", "wins", "ties", "losses"}
        means = [report["modes"][setting][name] for setting in ("keyword", "semantic")]
        assert found["difference"] == pytest.approx(means[0] - means[1], abs=1e-4)
        assert found["wins"] + found["ties"] + found["losses"] == 2
    for worst in comparison["worst"]:
        assert set(worst) == {"query", "text", "first", "second"}
        assert worst["first"] < worst["second"]


def test_modes_that_are_named_are_measured_beside_what_is_compared(app: Flask, collection: Path) -> None:
    report = written(run(app, collection, "--mode", "keyword", "--compare", "sum", "rrf", "--json"))
    assert list(report["modes"]) == ["keyword", "sum", "rrf"]


def test_another_seed_gives_other_edges_and_the_same_means(app: Flask, collection: Path) -> None:
    one, other = (written(run(app, collection, "--seed", seed, "--json")) for seed in (1, 2))
    assert one["modes"] == other["modes"]
    assert (one["chance"]["seed"], other["chance"]["seed"]) == (1, 2)


def test_related_articles_have_intervals_and_comparisons_too(app: Flask, tmp_path: Path) -> None:
    articles = [newsroom.article(number) for number in range(30)]
    rows = [
        {"url": each.url, "title": each.title, "body": each.body, "cluster": n // 10} for n, each in enumerate(articles)
    ]
    (tmp_path / "clusters.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = written(run(app, "--related", tmp_path / "clusters.jsonl", "--compare", "hybrid", "keyword", "--json"))
    assert report["nDCG@5"] == report["modes"]["hybrid"]["nDCG@5"]
    low, high = report["intervals"]["hybrid"]["nDCG@5"]
    assert low <= report["nDCG@5"] <= high
    assert set(report["comparison"]["measures"]) == {"nDCG@5", "P@5"}
    assert "cutoff" not in report
    assert set(report["stories"]) == {"B-cubed F1", "interval", "precision", "recall", "count"}
    told = run(app, "--related", tmp_path / "clusters.jsonl").stdout
    figure = r"[01]\.\d{4}"
    assert re.search(
        rf"^stories, \d+ of them: B-cubed F1 {figure} \[{figure}, {figure}\], precision {figure}", told, re.M
    )


def test_likeness_is_measured_beside_what_people_said(app: Flask, tmp_path: Path) -> None:
    """Of the second pair it is said that they are alike, and so they are: both tell of the election."""
    texts = [newsroom.article(number).body for number in (0, 10, 11, 20)]
    (tmp_path / "texts.txt").write_text("".join(" ".join(text.split()) + "\n" for text in texts))
    (tmp_path / "matrix.txt").write_text("1 .1 .1 .1\n0 1 .9 .1\n0 0 1 .1\n0 0 0 1\n")
    asked = ("--related", tmp_path / "texts.txt", "--similarities", tmp_path / "matrix.txt")
    report = written(run(app, *asked, "--background", tmp_path / "texts.txt", "--json"))
    assert set(report["modes"]) == {"hybrid", "keyword", "semantic"}
    assert report["Pearson"] == report["modes"]["hybrid"]["Pearson"] > 0.5
    low, high = report["intervals"]["hybrid"]["Pearson"]
    assert low <= report["Pearson"] <= high
    assert list(written(run(app, *asked, "--mode", "keyword", "--json"))["modes"]) == ["keyword"]


# For people


def test_the_table_has_a_line_a_mode_with_intervals(app: Flask, collection: Path) -> None:
    lines = run(app, collection).stdout.splitlines()
    figure = r"[01]\.\d{4} \[[01]\.\d{4}, [01]\.\d{4}\]"
    assert lines[0] == "judged: 2 judged"
    for line, mode in zip(lines[1:4], ("hybrid", "keyword", "semantic"), strict=True):
        assert re.fullmatch(rf"  {mode} +nDCG@10 {figure}  R@100 {figure}  RR {figure}", line)
    assert len({line.index("RR") for line in lines[1:4]}) == 1
    assert lines[4] == (
        "  10 articles searched; in brackets: 95% bootstrap intervals over the queries, 10,000 resamples, seed 1"
    )
    assert re.match(r"cut-off, hybrid: hides the best answer of \d of 2 queries, \d+\.\d% \[", lines[5])


def test_the_table_of_a_comparison_says_what_may_be_chance(app: Flask, collection: Path) -> None:
    told = run(app, collection, "--compare", "keyword", "semantic").stdout
    assert "\nkeyword minus semantic\n" in told
    assert re.search(
        r"^  nDCG@10   [+-]0\.\d{4} \[[+-]0\.\d{4}, [+-]\d\.\d{4}\]  p [01]\.\d{4}  \d better,", told, re.M
    )
    assert "this may be chance" in told


def test_what_was_passed_over_is_told_on_standard_error(app: Flask, collection: Path) -> None:
    with (collection / "qrels" / "test.tsv").open("a") as file:
        file.write("q9\td1\t1\n")
    ended = run(app, collection, "--json")
    assert written(ended)["notes"]
    assert re.search(r"^note: .*test.tsv:5: 'q9' is not in queries.jsonl", ended.stderr, re.M)


# Files


def test_each_query_is_written_down(app: Flask, collection: Path, tmp_path: Path) -> None:
    run(app, collection, "--per-query", tmp_path / "each.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "each.jsonl").read_text().splitlines()]
    assert [(row["setting"], row["query"]) for row in rows] == [
        (mode, query) for mode in ("hybrid", "keyword", "semantic") for query in ("q1", "q2")
    ]
    report = written(run(app, collection, "--json"))
    for mode, measures in report["modes"].items():
        for name, mean in measures.items():
            assert mean == pytest.approx(sum(row[name] for row in rows if row["setting"] == mode) / 2, abs=1e-4)


def test_a_name_that_ends_in_tsv_is_written_as_a_table(app: Flask, collection: Path, tmp_path: Path) -> None:
    (tmp_path / "each.tsv").write_text("what was there before")
    run(app, collection, "--per-query", tmp_path / "each.tsv")
    heading, *rows = (tmp_path / "each.tsv").read_text().splitlines()
    assert heading.startswith("query\ttext\tsetting\tnDCG@10")
    assert len(rows) == 6


def test_each_mode_has_a_run_in_a_folder_and_one_mode_alone_a_file(
    app: Flask, collection: Path, tmp_path: Path
) -> None:
    run(app, collection, "--run", tmp_path / "runs")
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"hybrid.run", "keyword.run", "semantic.run"}
    first = (tmp_path / "runs" / "hybrid.run").read_text().splitlines()[0].split(" ")
    assert (first[:2], first[3], first[5]) == (["q1", "Q0"], "1", "backfile-hybrid")
    run(app, collection, "--mode", "keyword", "--run", tmp_path / "alone")
    assert (tmp_path / "alone").read_text() == (tmp_path / "runs" / "keyword.run").read_text()
    run(app, collection, "--mode", "keyword", "--run", tmp_path / "runs")
    assert (tmp_path / "runs" / "keyword.run").is_file()


def test_figures_are_told_even_if_a_run_cannot_hold_the_ids(app: Flask, collection: Path, tmp_path: Path) -> None:
    text = (collection / "corpus.jsonl").read_text()
    (collection / "corpus.jsonl").write_text(text.replace('"d0"', '"d 0"'))
    ended = run(app, collection, "--run", tmp_path / "runs")
    assert ended.exit_code == 1
    assert "nDCG@10" in ended.stdout
    assert ended.stderr.splitlines()[-1].startswith("Error: a TREC run cannot hold the id 'd 0'")
    assert not (tmp_path / "runs").exists()


def test_two_runs_are_compared_without_searching(app: Flask, collection: Path, tmp_path: Path) -> None:
    measured = written(run(app, collection, "--run", tmp_path / "runs", "--json"))
    shelf = [tmp_path / "runs" / f"{mode}.run" for mode in ("hybrid", "keyword")]
    (collection / "corpus.jsonl").unlink()
    report = written(run(app, collection, "--compare-runs", *shelf, "--per-query", tmp_path / "each.tsv", "--json"))
    assert report["modes"] == {f"{mode}.run": measured["modes"][mode] for mode in ("hybrid", "keyword")}
    assert report["comparison"]["settings"] == ["hybrid.run", "keyword.run"]
    assert (tmp_path / "each.tsv").is_file()


def test_a_bad_run_fails_in_one_line(app: Flask, collection: Path, tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("q1 Q0 d1 1\n")
    ended = run(app, collection, "--compare-runs", tmp_path / "a.run", tmp_path / "a.run")
    assert ended.exit_code == 1
    assert ended.stderr.splitlines()[-1].startswith(f"Error: {tmp_path / 'a.run'}:1: six columns")


# The archive itself


def test_the_archive_is_measured_by_its_own_headlines(app: Flask, tmp_path: Path) -> None:
    report = written(run(app, "--self", "--queries", 5, "--json"))
    assert (report["collection"], report["queries"], report["documents"]) == ("self", 5, 12)
    assert report["modes"]["keyword"]["RR"] == 1.0
    assert run(app, "--self", "--queries", 5).stdout.startswith("self: 5 judged\n")


def test_what_was_found_is_kept_for_whoever_wants_to_show_it(app: Flask, tmp_path: Path) -> None:
    report = written(run(app, "--self", "--queries", 5, "--articles", 8, "--seed", 3, "--json"))
    kept = json.loads((tmp_path / "data" / "evaluations" / "self.json").read_text())
    assert {name: kept.pop(name) for name in KEPT} == {
        "seq": 12,
        "model": "meanings",
        "fusion": "sum",
        "recency": 0.0,
        "ask_by": "headline",
        "seed": 3,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", kept.pop("measured_at"))
    assert kept == report
    run(app, "--self", "--queries", 5, "--ask-by", "words", "--json")
    words = json.loads((tmp_path / "data" / "evaluations" / "self-words.json").read_text())
    assert words["ask_by"] == "words"
    assert json.loads((tmp_path / "data" / "evaluations" / "self.json").read_text())["seed"] == 3


def test_an_operator_can_compare_settings_on_the_archive(app: Flask) -> None:
    report = written(run(app, "--self", "--compare", "sum", "rrf", "--json"))
    assert report["comparison"]["settings"] == ["sum", "rrf"]


def test_no_headline_is_kept_that_may_have_to_go(app: Flask, tmp_path: Path) -> None:
    services = app.extensions["backfile"]
    services.store.put(newsroom.article(20, title="Inundation opens western harbour", body=f"A flood rose. {SAID}"))
    report = written(run(app, "--self", "--compare", "keyword", "semantic", "--json"))
    file = tmp_path / "data" / "evaluations" / "self.json"
    kept = json.loads(file.read_text())["comparison"]
    assert report["comparison"].pop("worst")
    assert kept == report["comparison"]
    assert "opens" not in file.read_text()


def test_runs_of_the_archive_made_at_different_times_are_compared(app: Flask, tmp_path: Path) -> None:
    draw = ["--self", "--queries", 5, "--articles", 8]
    report = written(run(app, *draw, "--run", tmp_path / "runs", "--json"))
    shelf = [tmp_path / "runs" / f"{mode}.run" for mode in ("hybrid", "semantic")]
    compared = written(run(app, *draw, "--compare-runs", *shelf, "--json"))
    assert compared["modes"] == {f"{mode}.run": report["modes"][mode] for mode in ("hybrid", "semantic")}
    assert "hybrid" in json.loads((tmp_path / "data" / "evaluations" / "self.json").read_text())["modes"]


def test_a_judged_collection_keeps_no_figures_of_the_archive(app: Flask, collection: Path, tmp_path: Path) -> None:
    run(app, collection)
    assert evaluations(tmp_path) == {"judged"}


def test_an_archive_that_is_empty_says_what_it_takes(tmp_path: Path) -> None:
    services = Services(Settings(data=tmp_path / "data"), embedder=newsroom.MeaningEmbedder())
    ended = run(create_app(services=services), "--self")
    assert ended.exit_code == 1
    assert "none of 0 articles" in ended.stderr.splitlines()[-1]
    services.close()


def test_a_second_evaluation_of_the_same_is_refused_while_one_runs(app: Flask, tmp_path: Path) -> None:
    with exclusive(tmp_path / "data" / "evaluations" / "self" / "lock"):
        ended = run(app, "--self", "--json")
    assert ended.exit_code == 1
    assert "try again" in ended.stderr.splitlines()[-1]


# What does not go together


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either"),
        (["judged", "--self"], "either"),
        (["--self", "--related", "judged/corpus.jsonl"], "either"),
        (["judged", "--similarities", "judged/corpus.jsonl"], "--related FILE"),
        (["--related", "judged/corpus.jsonl", "--background", "judged/corpus.jsonl"], "--similarities only"),
        (
            ["--related", *["judged/corpus.jsonl", "--similarities"], "judged/corpus.jsonl", "--run", "runs"],
            "no --compare, --per-query or --run",
        ),
        (["judged", "--queries", "5"], "--queries goes with --self"),
        (["judged", "--articles", "5"], "--articles goes with --self"),
        (["judged", "--ask-by", "words"], "--ask-by goes with --self"),
        (["--self", "--queries", "0"], "--queries"),
        (["--self", "--articles", "1"], "--articles"),
        (["judged", "--seed", "-1"], "--seed"),
        (["judged", "--mode", "best"], "--mode"),
        (["judged", "--compare", "hybrid"], "--compare"),
        (["judged", "--compare", "hybrid", "best"], "best"),
        (["judged", "--compare", "hybrid", "hybrid"], "twice"),
        (["judged", "--compare-runs", "judged/corpus.jsonl", "nowhere"], "nowhere"),
        (["--related", "judged/corpus.jsonl", "--compare-runs", *["judged/queries.jsonl"] * 2], "no --related"),
        (["judged", "--compare-runs", "judged/corpus.jsonl", "judged/queries.jsonl", "--run", "x"], "--run"),
        (["judged", "--compare-runs", *["judged/queries.jsonl"] * 2, "--mode", "keyword"], "--mode"),
        (["judged", "--per-query", "nowhere/each.tsv"], "nowhere"),
        (["judged", "--per-query", "judged"], "--per-query"),
        (["judged", "--per-query", "/dev/null"], "/dev/null"),
        (["judged", "--run", "nowhere/runs"], "nowhere"),
        (["judged", "--run", "judged/corpus.jsonl"], "is a file"),
        (["judged", "--run", "/dev/null", "--mode", "keyword"], "/dev/null"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_searched(
    app: Flask, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (collection / "corpus.jsonl").read_bytes()
    refused(run(app, *arguments), words)
    assert not (tmp_path / "data" / "evaluations").exists()
    assert (collection / "corpus.jsonl").read_bytes() == before
