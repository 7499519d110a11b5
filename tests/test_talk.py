"""Engines are asked in turn, a block each, by a process of their own; one that fails is named."""

import json
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.corpus import Corpus, Size
from benchmarks.peers.peer import articles_for, first_of_each
from benchmarks.peers.talk import Engine, EngineFailed, ask_in_turn, build, index_of, processes

ENGINE = """
    import json, os, sys, time
    _, action, corpus, index = sys.argv[-4:]
    if action == "build":
        if os.path.basename(index) == "unbuildable":
            sys.exit(3)
        assert not os.path.exists(index)
        os.makedirs(index)
        open(index + "/build.json", "w").write(json.dumps({"threads": os.environ["OMP_NUM_THREADS"]}))
        sys.exit()
    for line in sys.stdin:
        asked = json.loads(line)
        if "die" in asked["queries"]:
            sys.exit(1)
        if asked["queries"]:
            with open(corpus + "/order", "a") as order:
                print(os.path.basename(index), *asked["queries"], file=order)
        second = 0.9 if os.path.basename(index) == "slow" else 0.001
        found = [[query, str(asked["passages"])] for query in asked["queries"]]
        print(json.dumps({"seconds": [second] * len(found), "found": found, "resident": 7, "unshared": 5}), flush=True)
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return what stands in for an engine's Python: it runs the engine above, whatever module is asked for."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{textwrap.dedent(ENGINE)}")
    script.chmod(0o755)
    return script


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "index").mkdir(parents=True)
    return folder


def engine(name: str, python: Path) -> Engine:
    return Engine(name, f"module:{name}", python, name)


def test_every_engine_is_asked_a_block_in_turn_and_each_goes_first(python: Path, corpus: Path) -> None:
    with processes([engine("a", python), engine("b", python)], corpus) as started:
        answers = ask_in_turn(started, ["1", "2", "3", "4", "5", "6", "left over"], block=2, passages=25)
    assert (corpus / "order").read_text().splitlines() == ["a 1 2", "b 1 2", "b 3 4", "a 3 4", "a 5 6", "b 5 6"]
    assert answers["a"].found == [[query, "25"] for query in ("3", "4", "5", "6")]  # the first block warms up
    assert [len(block) for block in answers["b"].blocks] == [2, 2]
    assert (answers["b"].resident, answers["b"].unshared) == (7, 5)


def test_a_slow_engine_is_asked_a_quarter_of_each_block(python: Path, corpus: Path) -> None:
    with processes([engine("quick", python), engine("slow", python)], corpus) as started:
        answers = ask_in_turn(started, [str(n) for n in range(16)], block=8, passages=1)
    assert (len(answers["quick"].seconds), len(answers["slow"].seconds)) == (8, 2)


def test_an_engine_that_ends_is_named(python: Path, corpus: Path) -> None:
    with pytest.raises(EngineFailed, match="mortal"), processes([engine("mortal", python)], corpus) as started:
        started["mortal"].ask(["die"], passages=1)


def test_an_index_is_built_once_with_two_threads_and_begun_anew_when_it_was_left_unfinished(
    python: Path, corpus: Path
) -> None:
    one = engine("a", python)
    index = index_of(one, corpus)
    (index / "half").mkdir(parents=True)
    build(one, corpus)
    assert json.loads((index / "build.json").read_text()) == {"threads": "2"}
    assert not (index / "half").exists()
    (index / "kept").touch()
    build(one, corpus)
    assert (index / "kept").exists()


def test_an_index_that_cannot_be_built_is_named(python: Path, corpus: Path) -> None:
    with pytest.raises(EngineFailed, match="unbuildable"):
        build(engine("unbuildable", python), corpus)


def test_an_article_stands_where_its_best_passage_stands() -> None:
    assert first_of_each(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]
    assert articles_for(25) == 10


def test_a_corpus_is_whole_once_its_size_is_written(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path)
    (tmp_path / "passages.jsonl").write_text('{"id": "a-0", "article": "a", "text": "words"}\n')
    np.save(tmp_path / "vectors.npy", np.ones((1, 2), np.float32))
    assert not corpus.is_whole
    corpus.close(Size(articles=1, passages=1, text_bytes=5), ["two words", "one"])
    assert corpus.is_whole
    assert corpus.size == Size(articles=1, passages=1, text_bytes=5)
    assert corpus.queries == ["two words", "one"]
    assert [passage["text"] for passage in corpus.passages()] == ["words"]
    assert corpus.vectors.shape == (1, 2)
