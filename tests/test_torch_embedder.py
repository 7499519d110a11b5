"""Running the model on torch: packs shared with OpenVINO, stretches in order, half precision on a GPU only."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from index import torch_embedder
from index.embedder import BUNDLED, open_embedder
from index.torch_embedder import PACK_TOKENS, TorchEmbedder, in_its_precision

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> TorchEmbedder:
    opened = open_embedder(BUNDLED, runtime="torch", cache=tmp_path_factory.mktemp("models"))
    assert isinstance(opened, TorchEmbedder)
    return opened


class Claiming(torch.nn.Module):
    """A model on the processor that claims to be elsewhere."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.weights = torch.nn.Linear(2, 2)
        self.device = torch.device(device)


@pytest.mark.parametrize(
    ("device", "precision"), [("cpu", torch.float32), ("mps", torch.float32), ("cuda", torch.float16)]
)
def test_precision_is_halved_on_a_gpu_only(device: str, precision: torch.dtype) -> None:
    assert in_its_precision(Claiming(device)).weights.weight.dtype == precision


def test_it_runs_where_torch_finds_best(embedder: TorchEmbedder) -> None:
    assert embedder.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert PACK_TOKENS["cuda"] > 10 * PACK_TOKENS["cpu"]


def test_stretches_come_back_in_order_each_tokenised_once(
    embedder: TorchEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_embedder, "SLICE_TEXTS", 2)
    monkeypatch.setattr(torch_embedder, "STRETCH_SLICES", 2)
    texts = [f"Report {number}: {'rain, ' * (number * 7 % 5)}" for number in range(11)]
    ran: list[int] = []

    def watched(tokens: Sequence[Sequence[int]]) -> np.ndarray:
        ran.append(len(tokens))
        return run(tokens)

    run = embedder.run
    monkeypatch.setattr(embedder, "run", watched)
    vectors = embedder.embed(texts)
    assert ran == [4, 4, 3]
    monkeypatch.undo()
    assert np.sum(vectors * embedder.embed(texts), axis=1).min() > 0.9999
