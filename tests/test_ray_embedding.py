"""Embedding on a Ray cluster: what a lost node costs, whether vectors are those made here, what is said of problems.

BACKFILE_TEST_RAY=articles.jsonl takes 5,000 articles of that file for the node that is lost half-way, which takes some
minutes; -rP shows what it found.
"""

import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import newsroom
import numpy as np
import pytest
import rays
from click.testing import Result
from flask import Flask

from archive.article import Article
from archive.packing import unpack_embeddings
from archive.readers.records import jsonl
from index.embedder import BUNDLED, BUNDLED_SHA256, Embedder
from index.embeddings import Packed, Text, packed_by
from index.errors import ClusterUnavailable, ModelMismatch, ModelUnavailable
from index.ray_embedding import (
    IN_FLIGHT,
    Places,
    RayEmbedding,
    RemoteModel,
    RoundFailed,
    arriving,
    joined,
    opened,
    packed_of,
    places,
)
from web.services import Services
from web.settings import Settings

NEWS = os.environ.get("BACKFILE_TEST_RAY")
BLOCK = 4 if NEWS is None else 256
MOST_LETTERS = 600  # of such an article: a passage or so
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # it warns of its own settings


def texts(number: int) -> list[Text]:
    made = [f"Report {each}: the river rose at Millbrook, and {each * 7} people left." for each in range(number)]
    return [(hashlib.sha256(text.encode()).digest()[:16], text) for text in made]


# Two nodes


@pytest.fixture(scope="module")
def cluster(
    model_cache: Path, real_embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[rays.Cluster]:
    """Two nodes of one processor, which find the model converted."""
    home = tmp_path_factory.mktemp("home")
    (home / ".cache" / "backfile").mkdir(parents=True)
    (home / ".cache" / "backfile" / "models").symlink_to(model_cache)
    with pytest.MonkeyPatch.context() as patch, rays.running(home=home) as running:
        for name, value in {**rays.LOOPBACK, "HOME": str(home)}.items():  # where its token is
            patch.setenv(name, value)
        yield running


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with newsroom.application(tmp_path / "data") as app:
        yield app


def reindexed(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["reindex", *arguments], catch_exceptions=False)


def test_a_model_that_is_another_one_on_a_node_embeds_nothing(
    app: Flask, cluster: rays.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)  # what `auto` is, where it is set
    newsroom.services_of(app).store.put(newsroom.article(60, body="Something that has no embedding yet."))
    told = reindexed(app, "--ray", "auto")
    assert (told.exit_code, told.stdout) == (1, "")
    first, *_, last = told.stderr.splitlines()
    assert first == "embedding on Ray at auto: nodes 2, GPUs 0"
    assert last.startswith(f"Error: node 127.0.0.1: bundled has weights of SHA-256 {BUNDLED_SHA256[:12]}… there and")
    assert last.endswith("here: put the same model on every node")


def articles() -> Iterator[Article]:
    """Yield some that were made up, or as many as the issue of this asks for, real ones cut short."""
    if NEWS is None:
        yield from map(newsroom.article, range(100, 220))
        return
    with Path(NEWS).open("rb") as file:
        read = (one for one in jsonl.read(file, NEWS) if isinstance(one, Article))
        yield from (replace(one, body=one.body[:MOST_LETTERS]) for one in islice(read, 5000))


def test_a_node_lost_half_way_costs_at_most_the_blocks_in_flight_and_the_vectors_are_those_made_here(
    cluster: rays.Cluster, real_embedder: Embedder, model_cache: Path, tmp_path: Path
) -> None:
    for each in model_cache.glob("*-openvino"):
        (tmp_path / each.name).symlink_to(each)
    model = RemoteModel(reference=BUNDLED, sha256=BUNDLED_SHA256, runtime="openvino", cache=tmp_path)
    away = RayEmbedding(cluster.address, model, block=BLOCK, worker=rays.Counting)
    given: list[Text] = []

    def noted(texts: Iterator[Text]) -> Generator[list[Packed], None, None]:
        given.extend(texts)
        yield from away(iter(given))

    lost: list[int] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding" and total and done >= total / 2 and not lost:
            lost.append(done)
            cluster.lose_a_node()

    services = Services(Settings(data=tmp_path / "data"), embedder=real_embedder)
    for article in articles():
        services.store.put(article)
    handler = signal.getsignal(signal.SIGTERM)
    report = services.builder.rebuild(progress, bulk=noted)
    assert (report.embedded, len(lost)) == (len(given), 1)
    assert signal.getsignal(signal.SIGTERM) is handler
    twice = sum(rays.counted(tmp_path)) - len(given)
    assert 0 <= twice <= IN_FLIGHT * BLOCK
    model_id = services.store.model_id(sha256=real_embedder.sha256, name=real_embedder.name)
    kept = services.store.embeddings(model_id, [text_hash for text_hash, _ in given])
    theirs, ours = (
        unpack_embeddings([of[text_hash] for text_hash, _ in given], dimension=real_embedder.dimension)
        for of in (kept, dict(packed_by(real_embedder, given)))
    )
    difference = float(np.abs(theirs - ours).max())
    print(
        f"{report.articles} articles, {len(given)} passages in blocks of {BLOCK}; node lost after {lost[0]};", end=" "
    )
    print(f"{twice} begun twice; largest difference {difference:.6f}")
    assert difference <= 1e-3
    services.close()


# One that breaks down, or never comes: doubles of the library


class Nodes:
    """A double of ray that only knows its nodes; each look takes the next of `seen`, the last one for good."""

    def __init__(self, *seen: set[str]) -> None:
        self._seen = list(seen)

    def nodes(self) -> list[dict[str, Any]]:
        now = self._seen.pop(0) if len(self._seen) > 1 else self._seen[0]
        return [{"NodeID": name, "Alive": True} for name in now]


class Blocks:
    """A double of a dataset: blocks, and what happens then."""

    def __init__(self, *blocks: str, then: Callable[[], object]) -> None:
        self._blocks, self._then = blocks, then

    def iter_batches(self, **_: object) -> Iterator[str]:
        yield from self._blocks
        self._then()


def broken() -> None:
    raise RuntimeError("ray::Worker.submit()\n  File x.py\nRuntimeError: the lights went out\n")


def waiting() -> None:
    time.sleep(1)


def test_blocks_are_taken_as_they_come_until_there_are_no_more() -> None:
    assert list(arriving(Nodes({"a"}), Blocks("1", "2", then=lambda: None))) == ["1", "2"]


def test_whatever_ray_fails_by_ends_the_round_after_what_came() -> None:
    blocks = arriving(Nodes({"a"}), Blocks("1", then=broken))
    assert next(blocks) == "1"
    with pytest.raises(RoundFailed, match=r"^RuntimeError: the lights went out$"):
        next(blocks)


def test_a_round_that_waits_for_what_was_lost_is_given_up() -> None:
    blocks = arriving(Nodes({"a", "b"}, {"a"}), Blocks("1", then=waiting), patience=0.1)
    assert next(blocks) == "1"
    with pytest.raises(RoundFailed, match="a node was lost"):
        next(blocks)


def test_a_round_that_is_only_slow_is_waited_for_and_new_nodes_are_no_reason_to_stop() -> None:
    assert list(arriving(Nodes({"a"}, {"a", "b"}), Blocks("1", then=waiting), patience=0.1)) == ["1"]


class Rounds(RayEmbedding):
    """Embeds in rounds of which some fail: each takes so many texts, and may bring some of them."""

    def __init__(self, *brings: int) -> None:
        self._brings = iter(brings)

    def _round(self, left: dict[bytes, str], more: Iterator[Text]) -> Iterator[list[Packed]]:
        left.update(more)
        brought = next(self._brings)
        for text_hash in list(left)[:brought]:
            yield [(text_hash, left.pop(text_hash).encode())]
        if left:
            raise RoundFailed("the lights went out")


def test_what_has_not_come_back_is_handed_out_again_and_only_that() -> None:
    given = texts(10)
    came = [pair for block in Rounds(4, 0, 0, 5, 0, 1)(iter(given)) for pair in block]
    assert came == [(text_hash, text.encode()) for text_hash, text in given]


def test_rounds_that_bring_nothing_are_not_gone_on_with_for_ever() -> None:
    with pytest.raises(ClusterUnavailable, match="brought nothing 3 times in a row: the lights went out"):
        list(Rounds(2, 0, 0, 0)(iter(texts(10))))


# Places and models


def node(*, alive: bool = True, **resources: float) -> dict[str, Any]:
    return {"NodeID": "n", "Alive": alive, "Resources": resources}


def test_a_model_is_opened_on_each_gpu_and_where_there_is_none_on_each_node_with_processors() -> None:
    nodes = [node(CPU=16.0, GPU=2.0), node(CPU=8.0), node(memory=1.0), node(alive=False, CPU=4.0, GPU=8.0)]
    assert places(nodes, runtime="auto") == Places(nodes=2, gpus=2, threads=8)
    assert [places(nodes, runtime=runtime).models for runtime in ("auto", "torch", "openvino")] == [2, 2, 2]
    assert places(nodes[1:], runtime="auto").models == 1
    with pytest.raises(ClusterUnavailable, match="no node of Ray offers a processor"):
        places(nodes[2:], runtime="auto")


class Table(dict[str, list[Any]]):
    """A double of a table that came back."""

    column_names = property(list)


def test_a_node_that_had_no_use_of_its_model_is_believed() -> None:
    class Said(str):
        def as_py(self) -> str:
            return self

    with pytest.raises(ModelUnavailable, match=r"node 10.0.0.7: no such model"):
        packed_of(Table(problem=[Said("node 10.0.0.7: no such model")]))


@pytest.mark.model
def test_a_model_is_opened_where_it_is_the_one_and_nowhere_else(model_cache: Path, real_embedder: Embedder) -> None:
    model = RemoteModel(reference=BUNDLED, sha256=BUNDLED_SHA256, runtime="openvino", cache=model_cache)
    assert opened(model, has_gpu=False).name == "all-MiniLM-L6-v2"
    another = RemoteModel(reference=BUNDLED, sha256="0" * 64, runtime="openvino", cache=model_cache)
    with pytest.raises(ModelMismatch, match="put the same model on every node"):
        opened(another, has_gpu=False)


# What is said


def test_where_ray_is_not_installed_one_line_says_how_it_is(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # what Python takes for a library that is not there
    told = reindexed(app, "--ray", "auto")
    assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
    assert told.stderr.startswith("Error: Ray is not installed (")
    assert told.stderr.endswith("): `pip install -r requirements-ray.txt`\n")


@pytest.mark.parametrize("address", ["{free}", "nowhere", "127.0.0.1:port", "ray://127.0.0.1:{free}"])
def test_an_address_at_which_nothing_answers_is_one_line(app: Flask, address: str) -> None:
    pytest.importorskip("ray", reason=rays.MISSING)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = reindexed(app, "--ray", address.format(free=f"127.0.0.1:{port}" if address[0] == "{" else port))
    assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
    assert told.stderr.startswith("Error: no Ray answers at ")
    assert told.stderr.endswith("give HOST:PORT of its head, as `ray start` printed it\n")


class Refusing:
    """A double of ray that cannot connect."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def init(self, *_: object, **__: object) -> None:
        raise self._error

    def shutdown(self) -> None:
        """Nothing was opened."""


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        (
            "auto",
            ConnectionError("Could not find any: set RAY_ADDRESS"),
            "no Ray runs on this machine: start it by `ray start`",
        ),
        ("h:1", ConnectionError("ray client"), "Ray at h:1 cannot be used .ray client.: every node needs the same"),
        ("h:1", RuntimeError("Version mismatch: 3.12\nand"), r"used \(Version mismatch: 3.12\): every node needs the"),
        ("auto", ValueError(), r"Ray at auto cannot be used \(ValueError\)"),
    ],
)
def test_a_cluster_that_cannot_be_joined_is_one_line(address: str, error: Exception, said: str) -> None:
    with pytest.raises(ClusterUnavailable, match=said):
        joined(Refusing(error), address)
