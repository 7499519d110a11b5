"""Evaluation: measures worked out by hand on a collection of a few documents, and every bad line named."""

import json
from collections.abc import Iterable
from math import log2
from pathlib import Path

import pytest
from newsroom import CountingEmbedder, MeaningEmbedder, open_newsroom

from archive.errors import SourceError
from index.evaluate import Parts, evaluate, evaluate_related, plain
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
    report = evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work")
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
    report = evaluate(collection, split="dev", modes=["keyword"], parts=parts, work=tmp_path / "work")
    assert report.queries == 1
    assert set(report.modes["keyword"].values()) == {1.0}


def test_judgements_of_queries_that_are_not_there_do_not_count(collection: Path, parts: Parts, tmp_path: Path) -> None:
    judge(collection / "qrels" / "test.tsv", [("q2", "d4", 1), ("q9", "d1", 1)])
    report = evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work")
    assert report.queries == 1
    assert set(report.modes["keyword"].values()) == {1.0}


def test_judgements_without_a_heading_all_count(collection: Path, parts: Parts, tmp_path: Path) -> None:
    (collection / "qrels" / "test.tsv").write_text("q2\td4\t1\n\nq3\td5\t1\n")
    assert evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work").queries == 2


def test_a_document_without_text_is_there_under_its_title(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "corpus.jsonl", [*CORPUS, {"_id": "d7"}, {"_id": "d8", "title": "…", "text": "—"}])
    lines(collection / "queries.jsonl", [{"_id": "q1", "text": "only a title"}])
    judge(collection / "qrels" / "test.tsv", [("q1", "d6", 1)])
    report = evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work")
    assert report.modes["keyword"]["RR"] == 1.0


def test_two_documents_of_the_same_text_are_two(collection: Path, parts: Parts, tmp_path: Path) -> None:
    lines(collection / "corpus.jsonl", [{"_id": name, "text": "a flood"} for name in ("d1", "d2", "d3")])
    judge(collection / "qrels" / "test.tsv", [("q1", name, 1) for name in ("d1", "d2", "d3")])
    report = evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work")
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


# An index of its own


def test_a_second_run_embeds_no_document_again(collection: Path, parts: Parts, tmp_path: Path) -> None:
    assert isinstance(parts.embedder, CountingEmbedder)
    first = evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work")
    assert len(parts.embedder.texts) == len(CORPUS)
    parts.embedder.batches.clear()
    assert evaluate(collection, split="test", modes=["keyword"], parts=parts, work=tmp_path / "work") == first
    assert parts.embedder.batches == []


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
        modes=["keyword"],
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
        ("corpus.jsonl", b"\xff\xfe", "corpus.jsonl: not UTF-8"),
        ("queries.jsonl", '{"_id": "q1", "text": "x"}\n{"_id": "q2"}\n', "queries.jsonl:2: no `text`"),
        ("queries.jsonl", '{"text": "x"}\n', "queries.jsonl:1: no `_id`"),
        ("queries.jsonl", "null\n", "queries.jsonl:1: not a JSON object"),
        ("queries.jsonl", "", "no query of queries.jsonl is judged in qrels/test.tsv"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "test.tsv:2: three columns"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\t0\td1\t1\n", "test.tsv:3: three columns"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1 d1 1\n", "test.tsv:2: three columns"),
        ("qrels/test.tsv", b"q1\t\xff\t1\n", "test.tsv: not UTF-8"),
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
    assert all(set(measures) == {"nDCG@5"} for measures in report.modes.values())
    assert report.modes["hybrid"]["nDCG@5"] > 0.6


def test_a_perfect_panel_measures_one(parts: Parts, tmp_path: Path) -> None:
    lines(tmp_path / "clusters.jsonl", [*STORIES[2:4], STORIES[5]])
    report = evaluate_related(tmp_path / "clusters.jsonl", modes=["hybrid"], parts=parts, work=tmp_path / "work")
    assert report.modes == {"hybrid": {"nDCG@5": 1.0}}


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
            modes=["semantic"],
            parts=Parts(embedder=model, keywords=whoosh, fusion="sum"),
            work=tmp_path / "work",
        ).modes["semantic"]["nDCG@10"]
        for model in (MeaningEmbedder(), Blind())
    )
    assert blind < seeing
