"""Collections as they lie on disk: what is passed over and told, and what stops the reading."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from archive.errors import SourceError
from index.evaluation.collection import read_clusters, read_collection, read_judgements

HEADING = "query-id\tcorpus-id\tscore\n"


def lines(path: Path, rows: Iterable[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "tiny"
    lines(directory / "corpus.jsonl", [{"_id": f"d{number}", "text": f"text {number}"} for number in range(3)])
    lines(directory / "queries.jsonl", [{"_id": f"q{number}", "text": f"query {number}"} for number in (2, 1, 0)])
    (directory / "qrels").mkdir()
    (directory / "qrels" / "test.tsv").write_text(f"{HEADING}q2\td1\t2\nq1\td0\t1\nq1\td2\t0\n")
    return directory


def test_only_judged_queries_are_asked_in_the_order_of_their_ids(folder: Path) -> None:
    collection = read_collection(folder, split="test")
    assert dict(collection.judged.queries) == {"q1": "query 1", "q2": "query 2"}
    assert list(collection.judged.queries) == list(collection.judged.qrels) == ["q1", "q2"]
    assert collection.judged.qrels == {"q1": {"d0": 1, "d2": 0}, "q2": {"d1": 2}}
    assert collection.judged.notes == ()
    assert sorted(collection.names.values()) == ["d0", "d1", "d2"]


def test_judgements_of_what_is_not_there_are_told_with_the_first_of_their_lines(folder: Path) -> None:
    path = folder / "qrels" / "test.tsv"
    path.write_text(f"{HEADING}q2\td1\t2\nq9\td1\t1\nq8\td1\t1\nq2\td9\t1\n")
    judged = read_collection(folder, split="test").judged
    assert judged.notes == (
        f"{path}:3: 'q9' is not in queries.jsonl; 2 such judgements passed over",
        f"{path}:5: 'd9' is not in corpus.jsonl; 1 such judgement counted as never found",
    )
    assert judged.qrels == {"q2": {"d1": 2, "d9": 1}}


def test_judgements_alone_are_read_without_the_documents(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    assert read_judgements(folder, split="test").qrels == {"q1": {"d0": 1, "d2": 0}, "q2": {"d1": 2}}


def test_a_mark_of_byte_order_and_windows_line_ends_do_not_matter(folder: Path) -> None:
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        text = (folder / name).read_text()
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_collection(folder, split="test").judged.qrels["q2"] == {"d1": 2}


def test_half_a_character_in_a_query_is_no_text_and_in_an_id_it_is_refused(folder: Path) -> None:
    lines(folder / "queries.jsonl", [{"_id": "q1", "text": "a\ud800b"}])
    assert read_judgements(folder, split="test").queries == {"q1": "a\ufffdb"}
    lines(folder / "queries.jsonl", [{"_id": "q1\ud800", "text": "x"}])
    with pytest.raises(SourceError, match=r"queries.jsonl:1: `_id` cannot be written down"):
        read_judgements(folder, split="test")


def test_the_line_that_is_not_utf_8_is_named(folder: Path) -> None:
    with (folder / "queries.jsonl").open("ab") as file:
        file.write(b'{"_id": "q7", "text": "caf\xe9"}\n')
    with pytest.raises(SourceError, match=r"queries.jsonl:4: byte 0xE9 at position 27 is not UTF-8"):
        read_judgements(folder, split="test")


def test_a_file_of_clusters_asks_by_articles_for_their_companions(tmp_path: Path) -> None:
    rows = [{"url": f"https://a.example/{n}", "title": f"T{n}", "body": f"b{n}", "cluster": n // 2} for n in range(5)]
    lines(tmp_path / "clusters.jsonl", rows)
    collection = read_clusters(tmp_path / "clusters.jsonl")
    articles = {each.title: each.id for each in collection.articles}
    assert collection.judged.qrels == {
        articles[one]: {articles[other]: 1} for one, other in (("T0", "T1"), ("T1", "T0"), ("T2", "T3"), ("T3", "T2"))
    }
    assert collection.judged.queries[articles["T3"]] == "T3"
    assert articles["T4"] not in collection.judged.queries


def test_a_file_of_clusters_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none.jsonl: No such file.*--related"):
        read_clusters(tmp_path / "none.jsonl")
