"""Evaluation: measures worked out by hand on a collection of a few documents, and every bad line named."""

import json
from collections.abc import Iterable
from math import log2
from pathlib import Path

import pytest
from newsroom import CountingEmbedder, MeaningEmbedder, open_newsroom

from archive.errors import SourceError
from archive.readers.fields import article_from
from archive.store import Store
from index.calibration import THRESHOLD
from index.evaluate import (
    Chance,
    Parts,
    Plan,
    compare_runs,
    evaluate,
    evaluate_related,
    evaluate_self,
    trec_run,
)
from index.evaluation.asking import plain
from index.keywords.whoosh_index import WhooshFormat
from index.query import Term

CORPUS = [
    {"_id": "d1", "title": "Flood", "text": "flood flood flood water"},
    {"_id": "d2", "title": "", "text": "the inundation of the town"},
    {"_id": "d3", "title": "Flooding at last", "text": "nobody was surprised by it, least of all the mayor"},
    {"_id": "d4", "title": "Comet", "text": "a comet over the bay"},
    {"_id": "d5", "title": "Ballot", "text": "a ballot, at last"},
    {"_id": "d6", "title": "Only a title", "text": ""},
]
QUERIES = [{"_id": "q1", "text": "flood"}, {"_id": "q2", "text": '"comet -bay'}, {"_id": "q3", "text": "nothing"}]
# Words find d1 then d3 for q1, d4 for q2 (its bay counts, as prose), and nothing for q3.
QRELS = [("q1", "d3", 2), ("q1", "d2", 1), ("q2", "d4", 1), ("q3", "d5", 1)]


BY_WORDS = Plan(settings=["keyword"])
STORIES_TOLD = [
    {
        "url": f"https://a.example/{number}",
        "title": title,
        "body": f"{said} It was told in the town that evening, and people came from all around to see what there was.",
    }
    for number, (title, said) in enumerate(
        [
            ("Flood breaks the mill dam", "After the inundation a dam at the mill gave way."),
            ("Comet crosses winter sky", "Watchers saw a comet in the sky of winter, over the bay."),
            ("Ballot boxes lost overboard", "An election was spoilt when boxes fell from the ferry."),
            ("Orchard burns through the night", "Apple trees caught fire in an orchard and burned."),
            ("Brewery sold for a shilling", "Nobody would pay more than a shilling for the old brewery."),
            ("Trout return to river Wend", "Anglers counted trout again in the river, the Wend said."),
        ]
    )
]


@pytest.fixture
def parts() -> Parts:
    return Parts(embedder=CountingEmbedder(), keywords=WhooshFormat(), fusion="sum")


def lines(path: Path, rows: Iterable[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def judge(path: Path, rows: Iterable[tuple[str, str, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(told) + "\n", encoding="utf-8")


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    directory = tmp_path / "tiny"
    lines(directory / "corpus.jsonl", CORPUS)
    lines(directory / "queries.jsonl", QUERIES)
    judge(directory / "qrels" / "test.tsv", QRELS)
    return directory


# Measures


def test_the_measures_by_hand(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert (report.collection, report.queries) == ("tiny", 3)
    # q1: d1 is not relevant; d3, of grade 2, is second; d2, of grade 1, is not found. q2 is perfect, q3 finds nothing.
    gained, ideal = 2 / log2(3), 2 / log2(2) + 1 / log2(3)
    assert report.modes == {
        "keyword": {
            "nDCG@10": round((gained / ideal + 1 + 0) / 3, 4),
            "R@100": round((1 / 2 + 1 + 0) / 3, 4),
            "RR": round((1 / 2 + 1 + 0) / 3, 4),
        }
    }


def test_meaning_finds_what_words_do_not(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert list(report.modes) == ["hybrid", "keyword", "semantic"]
    assert report.modes["semantic"]["R@100"] == report.modes["hybrid"]["R@100"] == 1.0
    assert report.modes["keyword"]["R@100"] < 1.0


def test_the_split_that_is_asked_for_is_judged(collection: Path, parts: Parts, tmp_path: Path) -> None:
    judge(collection / "qrels" / "dev.tsv", [("q2", "d4", 1)])
    report = evaluate(collection, split="dev", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.queries == 1
    assert set(report.modes["keyword"].values()) == {1.0}


def test_judgements_of_queries_that_are_not_there_do_not_count(collection: Path, parts: Parts, tmp_path: Path) -> None:
    judge(collection / "qrels" / "test.tsv", [("q2", "d4", 1), ("q9", "d1", 1)])
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.queries == 1
    assert set(report.modes["keyword"].values()) == {1.0}


def test_judgements_without_a_heading_all_count(collection: Path, parts: Parts, tmp_path: Path) -> None:
    (collection / "qrels" / "test.tsv").write_text("q2\td4\t1\n\nq3\td5\t1\n")
    assert evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work").queries == 2


def test_a_document_without_text_is_there_under_its_title(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "corpus.jsonl", [*CORPUS, {"_id": "d7"}, {"_id": "d8", "title": "…", "text": "—"}])
    lines(collection / "queries.jsonl", [{"_id": "q1", "text": "only a title"}])
    judge(collection / "qrels" / "test.tsv", [("q1", "d6", 1)])
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.modes["keyword"]["RR"] == 1.0


def test_two_documents_of_the_same_text_are_two(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "corpus.jsonl", [{"_id": name, "text": "a flood"} for name in ("d1", "d2", "d3")])
    judge(collection / "qrels" / "test.tsv", [("q1", name, 1) for name in ("d1", "d2", "d3")])
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.modes["keyword"]["R@100"] == 1.0


def test_a_collection_may_be_the_folder_one_stands_in(
    collection: Path, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    monkeypatch.chdir(collection)
    assert evaluate(Path(), split="test", parts=parts, work=tmp_path / "again") == there


def test_a_judged_query_is_words_and_nothing_else() -> None:
    query = plain('"comet -bay source:x')
    assert query.wanted == (Term('"comet'), Term("-bay"), Term("source:x"))
    assert (query.required, query.excluded) == ((), ())


def test_a_query_without_words_finds_nothing(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "queries.jsonl", [{"_id": "q1", "text": ""}, {"_id": "q2", "text": "—"}])
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert set(report.modes["hybrid"].values()) == {0.0}


# How sure it is, and what else is told


def test_each_measure_of_each_setting_has_an_interval_around_it(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert {setting: set(edges) for setting, edges in report.intervals.items()} == {
        setting: set(measures) for setting, measures in report.modes.items()
    }
    for setting, measures in report.modes.items():
        for name, value in measures.items():
            low, high = report.intervals[setting][name]
            assert 0.0 <= low <= value <= high <= 1.0
    # Of q1, q2 and q3 with RR 1/2, 1 and 0: one of 27 resamples is all 0, another all 1, each more than 2.5%.
    assert report.intervals["keyword"]["RR"] == (0.0, 1.0)


def test_two_settings_are_compared_query_by_query(collection: Path, parts: Parts, tmp_path: Path) -> None:
    plan = Plan(settings=["keyword"], compare=("semantic", "keyword"))
    report = evaluate(collection, split="test", plan=plan, parts=parts, work=tmp_path / "work")
    assert list(report.modes) == ["keyword", "semantic"]
    assert report.comparison is not None
    assert report.comparison.settings == ("semantic", "keyword")
    found = report.comparison.contrasts["R@100"]
    assert found.difference == pytest.approx(report.modes["semantic"]["R@100"] - report.modes["keyword"]["R@100"])
    assert (found.wins, found.ties, found.losses) == (2, 1, 0)  # all find d4; words miss d2 of q1, and d5 of q3


def test_two_ways_of_fusion_are_two_settings(collection: Path, parts: Parts, tmp_path: Path) -> None:
    plan = Plan(settings=(), compare=("sum", "rrf"))
    report = evaluate(collection, split="test", plan=plan, parts=parts, work=tmp_path / "work")
    assert list(report.modes) == ["sum", "rrf"]
    hybrid = evaluate(collection, split="test", plan=Plan(settings=["hybrid"]), parts=parts, work=tmp_path / "work")
    assert hybrid.runs["hybrid"] == report.runs["sum"]
    other = Parts(embedder=parts.embedder, keywords=parts.keywords, fusion="rrf")
    hybrid = evaluate(collection, split="test", plan=Plan(settings=["hybrid"]), parts=other, work=tmp_path / "work")
    assert hybrid.runs["hybrid"] == report.runs["rrf"]


def test_a_run_holds_what_was_judged_and_a_row_what_came_of_it(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.runs == {"keyword": {"q1": ["d1", "d3"], "q2": ["d4"], "q3": []}}
    assert [(row.query_id, row.text, row.setting, row.rank, row.measures["RR"]) for row in report.rows] == [
        ("q1", "flood", "keyword", 2, 0.5),
        ("q2", '"comet -bay', "keyword", 1, 1.0),
        ("q3", "nothing", "keyword", None, 0.0),
    ]
    assert report.documents == len(CORPUS)


def test_the_cut_off_is_told_and_takes_nothing_out_of_a_ranking(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "queries.jsonl", [{"_id": "q1", "text": "flood"}, {"_id": "q2", "text": "unheard comet words"}])
    judge(collection / "qrels" / "test.tsv", [("q1", "d1", 1), ("q2", "d5", 1)])
    plan = Plan(settings=["semantic"])
    report = evaluate(collection, split="test", plan=plan, parts=parts, work=tmp_path / "work")
    cutoff = report.cutoff["semantic"]
    assert report.modes["semantic"]["R@100"] == 1.0
    assert {row.query_id: row.shown for row in report.rows} == {"q1": True, "q2": False}  # a ballot is no comet
    assert (cutoff.answered, cutoff.hidden, cutoff.share, cutoff.interval) == (2, 1, 0.5, (0.0, 1.0))
    assert cutoff.threshold == THRESHOLD


def test_a_query_whose_answer_is_not_found_has_none_to_lose(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert report.cutoff["keyword"].answered == 2
    assert [row.shown for row in report.rows][2] is None


def test_the_same_again_is_the_same_report(collection: Path, parts: Parts, tmp_path: Path) -> None:
    plan = Plan(compare=("hybrid", "keyword"), chance=Chance(seed=5))
    reports = [evaluate(collection, split="test", plan=plan, parts=parts, work=tmp_path / "work") for _ in range(2)]
    assert reports[0] == reports[1]


def test_what_was_passed_over_is_told(collection: Path, parts: Parts, tmp_path: Path) -> None:
    judge(collection / "qrels" / "test.tsv", [("q2", "d4", 1), ("q9", "d1", 1), ("q2", "d99", 1)])
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert [note.split(": ", 1)[1] for note in report.notes] == [
        "'q9' is not in queries.jsonl; 1 such judgement passed over",
        "'d99' is not in corpus.jsonl; 1 such judgement counted as never found",
    ]
    assert report.modes["keyword"]["R@100"] == 0.5


# Runs from elsewhere


def test_queries_that_neither_run_was_asked_are_left_out(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    for setting in ("semantic", "hybrid"):
        kept = {query_id: found for query_id, found in report.runs[setting].items() if query_id != "q1"}
        (tmp_path / f"{setting}.run").write_text(trec_run(kept, tag="x"))
    files = (tmp_path / "semantic.run", tmp_path / "hybrid.run")
    read = compare_runs(collection, split="test", files=files, chance=Chance())
    assert read.queries == 2
    assert read.notes == ("1 judged queries are in neither run, and are left out",)


def test_runs_are_measured_like_rankings(collection: Path, parts: Parts, tmp_path: Path) -> None:
    report = evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    for setting in ("keyword", "semantic"):
        (tmp_path / f"{setting}.run").write_text(trec_run(report.runs[setting], tag="x"))
    files = (tmp_path / "semantic.run", tmp_path / "keyword.run")
    read = compare_runs(collection, split="test", files=files, chance=Chance())
    assert read.modes == {f"{setting}.run": report.modes[setting] for setting in ("semantic", "keyword")}
    assert read.comparison is not None
    assert read.comparison.settings == ("semantic.run", "keyword.run")
    assert read.comparison.contrasts["R@100"].wins == 2
    assert read.notes == ("keyword.run: 1 of 3 judged queries are not in it, and count as 0",)
    assert read.cutoff == {}


def test_runs_of_one_name_are_told_apart_by_their_folders(collection: Path, tmp_path: Path) -> None:
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "hybrid.run").write_text("q2 Q0 d4 1 1 x\n")
    files = (tmp_path / "before" / "hybrid.run", tmp_path / "after" / "hybrid.run")
    read = compare_runs(collection, split="test", files=files, chance=Chance())
    assert list(read.modes) == [str(file) for file in files]


def test_a_run_on_another_collection_is_no_run_on_this_one(collection: Path, tmp_path: Path) -> None:
    (tmp_path / "a.run").write_text("x1 Q0 d4 1 1 x\n")
    with pytest.raises(SourceError, match=r"a\.run: it answers none of the judged queries"):
        compare_runs(collection, split="test", files=(tmp_path / "a.run", tmp_path / "a.run"), chance=Chance())


# The archive's own headlines


@pytest.fixture
def archive(tmp_path: Path) -> Store:
    store = Store(tmp_path / "archive.sqlite3")
    for row in STORIES_TOLD:
        store.put(article_from(row))
    return store


def test_an_article_is_found_by_the_headline_that_was_taken_from_it(
    archive: Store, parts: Parts, tmp_path: Path
) -> None:
    report = evaluate_self(archive, queries=3, parts=parts, work=tmp_path / "work")
    assert (report.collection, report.queries, report.documents) == ("self", 3, len(STORIES_TOLD))
    assert report.modes["keyword"]["RR"] == report.modes["hybrid"]["R@100"] == 1.0
    assert set(report.texts.values()) <= {row["title"] for row in STORIES_TOLD}
    assert all(row.rank == 1 for row in report.rows if row.setting == "keyword")
    assert isinstance(parts.embedder, CountingEmbedder)
    indexed = parts.embedder.texts[: len(STORIES_TOLD)]
    assert not [text for text in indexed for row in STORIES_TOLD if row["title"] in text]


def test_the_archive_itself_is_only_read(archive: Store, parts: Parts, tmp_path: Path) -> None:
    before = archive.stats()
    evaluate_self(archive, parts=parts, work=tmp_path / "work")
    assert archive.stats() == before


def test_the_most_telling_words_can_ask_as_well(archive: Store, parts: Parts, tmp_path: Path) -> None:
    report = evaluate_self(archive, asked="words", parts=parts, work=tmp_path / "work")
    bodies = {row["title"]: row["body"].lower() for row in STORIES_TOLD}
    for article_id, text in report.texts.items():
        words = text.lower().split()
        told = archive.live([article_id])[article_id]
        assert 0 < len(words) <= 4
        assert all(word in bodies[told.title] for word in words)


def test_another_draw_of_the_archive_embeds_no_article_again(archive: Store, parts: Parts, tmp_path: Path) -> None:
    evaluate_self(archive, queries=2, parts=parts, work=tmp_path / "work")
    assert isinstance(parts.embedder, CountingEmbedder)
    before = len(parts.embedder.batches)
    plan = Plan(settings=["keyword"], chance=Chance(seed=2))
    evaluate_self(archive, queries=3, plan=plan, parts=parts, work=tmp_path / "work")
    assert len(parts.embedder.batches) == before


def test_settings_are_compared_on_the_archive_itself(archive: Store, parts: Parts, tmp_path: Path) -> None:
    plan = Plan(settings=(), compare=("sum", "rrf"))
    report = evaluate_self(archive, plan=plan, parts=parts, work=tmp_path / "work")
    assert report.comparison is not None
    assert list(report.modes) == ["sum", "rrf"]


# An index of its own


def test_a_second_run_embeds_no_document_again(collection: Path, parts: Parts, tmp_path: Path) -> None:
    assert isinstance(parts.embedder, CountingEmbedder)
    first = evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work")
    assert len(parts.embedder.texts) == len(CORPUS)
    parts.embedder.batches.clear()
    assert evaluate(collection, split="test", plan=BY_WORDS, parts=parts, work=tmp_path / "work") == first
    assert parts.embedder.batches == []


def test_a_query_is_embedded_once_for_all_settings(collection: Path, parts: Parts, tmp_path: Path) -> None:
    assert isinstance(parts.embedder, CountingEmbedder)
    plan = Plan(compare=("sum", "rrf"))
    evaluate(collection, split="test", plan=plan, parts=parts, work=tmp_path / "work")
    assert parts.embedder.texts[len(CORPUS) :] == [query["text"] for query in QUERIES]


def test_a_document_that_leaves_and_comes_back_is_judged_like_any_other(
    collection: Path, parts: Parts, tmp_path: Path
) -> None:
    def measured() -> object:
        return evaluate(collection, split="test", parts=parts, work=tmp_path / "work").modes

    whole = measured()
    lines(collection / "corpus.jsonl", [row for row in CORPUS if row["_id"] not in ("d3", "d4")])
    assert measured() != whole
    lines(collection / "corpus.jsonl", CORPUS)
    assert measured() == whole


def test_a_document_whose_wording_is_changed_and_changed_back_is_judged_by_what_it_says(
    collection: Path, parts: Parts, tmp_path: Path
) -> None:
    def measured() -> object:
        return evaluate(collection, split="test", parts=parts, work=tmp_path / "work").modes

    whole = measured()
    lines(collection / "corpus.jsonl", [{**row, "title": "", "text": "Nothing of the kind."} for row in CORPUS])
    assert measured() != whole
    lines(collection / "corpus.jsonl", CORPUS)
    assert measured() == whole


def test_the_archive_is_not_touched(collection: Path, parts: Parts, tmp_path: Path) -> None:
    services = open_newsroom(tmp_path / "data")
    before, files = services.store.stats(), listed(tmp_path / "data" / "index")
    evaluate(collection, split="test", parts=parts, work=tmp_path / "data" / "evaluations" / "tiny")
    assert services.store.stats() == before
    assert listed(tmp_path / "data" / "index") == files
    services.close()


def listed(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_nothing_is_written_beside_the_collection(collection: Path, parts: Parts, tmp_path: Path) -> None:
    before = listed(collection)
    evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert listed(collection) == before


def test_progress_is_told_of_each_stage(collection: Path, parts: Parts, tmp_path: Path) -> None:
    told: dict[str, tuple[int, int | None]] = {}
    evaluate(
        collection,
        split="test",
        plan=BY_WORDS,
        parts=parts,
        work=tmp_path / "work",
        progress=lambda stage, done, total: told.update({stage: (done, total)}),
    )
    assert {"storing", "chunking", "embedding", "searching, keyword"} <= set(told)
    assert all(done == total for done, total in told.values())


# Bad files


@pytest.mark.parametrize(
    ("file", "content", "named"),
    [
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n{"_id": "b"\n', "corpus.jsonl:2: not JSON"),
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n\n[1]\n', "corpus.jsonl:3: not a JSON object"),
        ("corpus.jsonl", '{"text": "x"}\n', "corpus.jsonl:1: no `_id`"),
        ("corpus.jsonl", '{"_id": "a", "title": 3, "text": "x"}\n', "corpus.jsonl:1: title is a number"),
        ("corpus.jsonl", '{"_id": "?", "text": "…"}\n', "corpus.jsonl:1: no body"),
        ("corpus.jsonl", "[" * 100_000 + "\n", "corpus.jsonl:1: not JSON"),
        ("corpus.jsonl", b"\xff\xfe", "corpus.jsonl:1: byte 0xFF at position 1 is not UTF-8"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}\n{"_id": "q2"}\n', "queries.jsonl:2: no `text`"),
        ("queries.jsonl", '{"text": "x"}\n', "queries.jsonl:1: no `_id`"),
        ("queries.jsonl", "null\n", "queries.jsonl:1: not a JSON object"),
        ("queries.jsonl", "", "no query of queries.jsonl is judged in qrels/test.tsv"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "test.tsv:2: three columns"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\t0\td1\t1\n", "test.tsv:3: three columns"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1 d1 1\n", "test.tsv:2: three columns"),
        ("qrels/test.tsv", b"q1\t\xff\t1\n", "test.tsv:1: byte 0xFF at position 4 is not UTF-8"),
        ("qrels/test.tsv", "", "no query of queries.jsonl is judged"),
    ],
)
def test_a_bad_line_is_named_with_its_file(
    collection: Path, parts: Parts, tmp_path: Path, file: str, content: str | bytes, named: str
) -> None:
    (collection / file).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SourceError) as caught:
        evaluate(collection, split="test", parts=parts, work=tmp_path / "work")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(collection: Path, parts: Parts, tmp_path: Path, file: str) -> None:
    (collection / file).unlink()
    with pytest.raises(SourceError, match=f"{file}: No such file"):
        evaluate(collection, split="test", parts=parts, work=tmp_path / "work")


# Related articles


def story(number: int, cluster: object, text: str) -> dict[str, object]:
    row = {"url": f"https://a.example/{number}", "title": text.split(".")[0], "text": text, "cluster": cluster}
    return {name: value for name, value in row.items() if value is not None}


STORIES = [
    story(1, "flood", "The river rose. The flood reached the mill and the flood gates."),
    story(2, "flood", "Sandbags. An inundation of the mill."),
    story(3, "comet", "A comet passed. The comet was seen over the bay."),
    story(4, "comet", "Telescopes. The comet over the bay again."),
    story(5, None, "A flood of letters reached the mill about the bay."),
    story(6, None, "A ballot."),
]


def test_related_articles_are_those_of_a_cluster(parts: Parts, tmp_path: Path) -> None:
    lines(tmp_path / "clusters.jsonl", STORIES)
    report = evaluate_related(tmp_path / "clusters.jsonl", parts=parts, work=tmp_path / "work")
    assert (report.collection, report.queries) == ("clusters.jsonl", 4)
    assert all(set(measures) == {"nDCG@5", "P@5"} for measures in report.modes.values())
    assert report.modes["hybrid"]["nDCG@5"] > 0.6
    assert report.stories is not None
    low, high = report.stories.interval
    assert 0 < low <= report.stories.f1 <= high <= 1


def test_a_perfect_panel_measures_one(parts: Parts, tmp_path: Path) -> None:
    lines(tmp_path / "clusters.jsonl", [*STORIES[2:4], STORIES[5]])
    plan = Plan(settings=["hybrid"])
    report = evaluate_related(tmp_path / "clusters.jsonl", plan=plan, parts=parts, work=tmp_path / "work")
    assert report.modes == {"hybrid": {"nDCG@5": 1.0, "P@5": 0.2}}


def test_articles_of_no_cluster_are_no_cluster(parts: Parts, tmp_path: Path) -> None:
    lines(tmp_path / "clusters.jsonl", [STORIES[0], *STORIES[4:]])
    with pytest.raises(SourceError, match="no two articles share a `cluster`"):
        evaluate_related(tmp_path / "clusters.jsonl", parts=parts, work=tmp_path / "work")


def test_a_bad_article_is_named_with_its_line(parts: Parts, tmp_path: Path) -> None:
    lines(tmp_path / "clusters.jsonl", [STORIES[0], {"title": "No body", "cluster": "flood"}])
    with pytest.raises(SourceError, match=r"clusters.jsonl:2: no body"):
        evaluate_related(tmp_path / "clusters.jsonl", parts=parts, work=tmp_path / "work")


def test_the_model_that_is_given_is_the_one_that_is_measured(collection: Path, tmp_path: Path) -> None:
    class Blind(MeaningEmbedder):
        """Every text looks the same to it but for its length."""

        sha256 = "0" * 64

        def _sum(self, text: str) -> list[float]:
            return [1.0, len(text) / 1000, *([0.0] * 62)]

    whoosh = WhooshFormat()
    seeing, blind = (
        evaluate(
            collection,
            split="test",
            plan=Plan(settings=["semantic"]),
            parts=Parts(embedder=model, keywords=whoosh, fusion="sum"),
            work=tmp_path / "work",
        ).modes["semantic"]["nDCG@10"]
        for model in (MeaningEmbedder(), Blind())
    )
    assert blind < seeing
