"""Running the converted model: what is compiled when, that queries wait behind nothing, and that serving is light."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from index.embedder import BUNDLED, Embedder, embed_query, open_embedder
from index.engine import Vectors
from index.openvino_embedder import OpenVinoEmbedder
from index.openvino_model import CompiledModel, widened
from index.packs import Tokens

pytestmark = pytest.mark.model
ROOT = Path(__file__).parent.parent


@pytest.fixture
def fresh(model_cache: Path, real_embedder: Embedder) -> OpenVinoEmbedder:
    """The same model, opened anew: nothing is compiled yet."""
    assert real_embedder
    opened = open_embedder(BUNDLED, runtime="openvino", cache=model_cache)
    assert isinstance(opened, OpenVinoEmbedder)
    return opened


class WatchedModel:
    """A model that writes down what it was asked to run."""

    def __init__(self, model: CompiledModel) -> None:
        self.shapes: list[tuple[int, int]] = []
        self._model = model

    def infer(self, tokens: Tokens, *, length: int) -> Vectors:
        self.shapes.append((len(tokens), length))
        return self._model.infer(tokens, length=length)


def test_what_was_read_from_bfloat16_is_the_number_it_was() -> None:
    numbers = np.array([[1.0, -0.5], [0.15625, 3.0e-5]], dtype=np.float32)
    kept = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    assert np.allclose(widened(kept.view(np.float16)), numbers, rtol=2**-7)


def test_opening_it_compiles_nothing_and_a_query_only_what_queries_need(fresh: OpenVinoEmbedder) -> None:
    assert (fresh.queries, fresh.bulk) == (None, None)
    embed_query(fresh, "flood")
    assert fresh.queries is not None
    assert fresh.bulk is None


def test_bulk_needs_no_model_for_queries(fresh: OpenVinoEmbedder) -> None:
    fresh.embed(["flood", "election"])
    assert fresh.queries is None
    assert fresh.bulk is not None


def test_a_query_is_run_once_and_by_itself_padded_to_a_common_length(fresh: OpenVinoEmbedder) -> None:
    embed_query(fresh, "warm")
    watched = fresh.queries = WatchedModel(fresh.queries)  # type: ignore[assignment, arg-type]
    for _ in range(3):
        embed_query(fresh, "a comet over the bay")
    embed_query(fresh, "who won the long election of the north after all")
    assert watched.shapes == [(1, 8), (1, 12)]  # 7 and 12 tokens, the model's own marks included


def test_queries_are_answered_while_bulk_is_under_way(fresh: OpenVinoEmbedder) -> None:
    fresh.embed(["warm", "warmer"])
    entered, go_on = threading.Event(), threading.Event()

    class Held:
        def embed(self, texts: list[str]) -> Vectors:
            entered.set()
            assert go_on.wait(timeout=30)
            return np.eye(len(texts), fresh.dimension, dtype=np.float32)

    fresh.bulk = Held()  # type: ignore[assignment]
    ingest = threading.Thread(target=fresh.embed, args=(["a", "b"],))
    ingest.start()
    assert entered.wait(timeout=30)
    assert embed_query(fresh, "asked meanwhile").shape == (384,)
    assert ingest.is_alive()
    go_on.set()
    ingest.join(timeout=30)


def test_several_threads_at_once_get_the_vectors_of_their_own_texts(real_embedder: Embedder) -> None:
    texts = [f"Report {number}: the river rose again." * (1 + number % 5) for number in range(24)]
    wanted = real_embedder.embed(texts)
    found: dict[int, Vectors] = {}

    def ask(first: int) -> None:
        found[first] = real_embedder.embed(texts[first : first + 6])

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(0, 24, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.sum(found[first] * wanted[first : first + 6], axis=1).min() > 0.999 for first in found)
    assert sorted(found) == [0, 6, 12, 18]


def loaded_in_another_process(model_cache: Path, script: str) -> str:
    opened = f"e = open_embedder('bundled', runtime='openvino', cache=Path({str(model_cache)!r}))"
    told = f"import sys; from pathlib import Path; from index.embedder import open_embedder\n{opened}\n{script}"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_converted_model_runs_without_torch_and_what_comes_with_it(
    model_cache: Path, real_embedder: Embedder
) -> None:
    assert real_embedder
    script = (
        "e.embed(['x']); e.embed(['x', 'y']); e.pieces(['x']);"
        "print(sorted({'torch', 'transformers', 'sentence_transformers', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    assert loaded_in_another_process(model_cache, script) == "[]"


def test_a_process_that_only_answers_queries_stays_small(model_cache: Path, real_embedder: Embedder) -> None:
    """It holds 90 MB of its own, and maps the weights, which processes share; before, it held twice that."""
    assert real_embedder
    script = (
        "e.embed(['who won the election of 2016']); e.pieces(['flood']);"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('RssAnon')][0])"
    )
    assert int(loaded_in_another_process(model_cache, script)) < 160 * 1024
