"""A model converted from torch for OpenVINO, once, and kept beside the archive with its hashes.

A conversion is a folder: the model's graph and weights, its tokeniser, the table of its word pieces (`index.pieces`),
and `conversion.json`, which is written last and holds what a reader needs and the SHA-256 of every file.
Weights are kept in float16, half the bytes to hash and to map; the processor multiplies in bfloat16 or float32.

Invariant: a conversion that is used agreed with torch when it was made, and its files still have the hashes they had.
"""

import hashlib
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from index.embedder import ModelSource, checked
from index.errors import ModelUnavailable
from index.files import file_sha256
from index.openvino_model import CompiledModel, Weights, cores
from index.packs import rounded
from index.pieces import MAX_VOCABULARY, make_table, save_table
from index.tokens import Tokenizer

FORMAT = 4  # of the folder; 4 keeps the table of pieces in 8 bits. One of another format is made anew
MODEL, TABLE, FACTS = "model.xml", "pieces.npy", "conversion.json"
CONVERSION_COSINE = 0.999  # a converted model must agree with torch at least this well, bfloat16 included
PROBES = ("Parliament votes tonight.", "The river rose again after " + "a week of heavy rain in the north, " * 12)
MASKED = -1e4  # added to the score of what is masked: nothing is left of it after the softmax, and bfloat16 holds it


@dataclass(frozen=True)
class Conversion:
    """A converted model on disk, verified."""

    folder: Path
    limit: int
    dimension: int
    table: Path | None
    queries: Weights  # what queries run on: light weights where those agreed with torch as well


def converted(source: ModelSource, cache: Path) -> Conversion:
    """Return the converted model, converting it when `cache` has none that is whole.

    Raises ModelUnavailable when it cannot be converted, or the conversion does not agree with torch.
    """
    folder = cache / f"{source.sha256[:16]}-openvino"
    if not is_whole(folder):
        _convert(source, folder)
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    table = folder / TABLE if TABLE in facts["files"] else None
    return Conversion(
        folder=folder,
        limit=int(facts["limit"]),
        dimension=int(facts["dimension"]),
        table=table,
        queries="light" if facts["light"] else "whole",
    )


def is_whole(folder: Path) -> bool:
    """Return whether `folder` holds a conversion of this format, every file as it was made."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return (
            facts["format"] == FORMAT
            and facts.pop("sum") == _sum(facts)
            and all(file_sha256(folder / name) == digest for name, digest in facts["files"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def write_facts(made: Path, *, limit: int, dimension: int, light: bool) -> None:
    """Write down what a reader needs to know, with the hash of every file there and of what is written itself."""
    files = {file.name: file_sha256(file) for file in sorted(made.iterdir())}
    facts = {"format": FORMAT, "limit": limit, "dimension": dimension, "light": light, "files": files}
    (made / FACTS).write_text(json.dumps({**facts, "sum": _sum(facts)}, indent=1), encoding="utf-8")


def _sum(facts: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _convert(source: ModelSource, folder: Path) -> None:
    from index.torch_embedder import TorchEmbedder

    reference = TorchEmbedder(source, device="cpu")
    logging.getLogger(__name__).info("converting %s for OpenVINO, once", source.name)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="converting-") as made_in:
        made = Path(made_in) / folder.name
        made.mkdir()
        shutil.copy(source.folder / "tokenizer.json", made)
        light = _save_one_that_agrees(reference, made)
        tabulate(made, limit=reference.limit)
        write_facts(made, limit=reference.limit, dimension=reference.dimension, light=light)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _save_one_that_agrees(reference: Any, made: Path) -> bool:  # noqa: ANN401 the file that uses torch imports it late
    """Save the model with light masks, or, where those say something else than its own, as it was traced.

    Return whether it also agrees with torch on light weights.
    """
    import openvino

    model = _traced(reference)
    wanted = reference.embed(PROBES)
    tokenizer = Tokenizer(made, limit=reference.limit)
    for variant in (_with_light_masks(model.clone()), model):
        openvino.save_model(variant, made / MODEL, compress_to_fp16=True)
        whole, light = (
            float(np.sum(_probed(made, tokenizer, reference.limit, weights) * wanted, axis=1).min())
            for weights in get_args(Weights)
        )
        if whole >= CONVERSION_COSINE:
            return light >= CONVERSION_COSINE
    raise ModelUnavailable(f"{reference.name} converted to OpenVINO differs from torch: cosine {whole:.4f}")


def _probed(made: Path, tokenizer: Tokenizer, limit: int, weights: Weights) -> Any:  # noqa: ANN401 vectors
    """Return the vectors of the probes, run together: the short one is mostly padding."""
    tokens = tokenizer.ids(PROBES)
    length = rounded(max(map(len, tokens)), limit=limit)
    return checked(CompiledModel(made, threads=1, streams=1, weights=weights).infer(tokens, length=length))


def _traced(reference: Any) -> Any:  # noqa: ANN401 an OpenVINO model
    import openvino
    import torch

    class WholePipeline(torch.nn.Module):
        """Token ids and mask in, finished embedding out."""

        def __init__(self, pipeline: Callable[..., Any]) -> None:
            super().__init__()
            self.pipeline = pipeline

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = self.pipeline({"input_ids": input_ids, "attention_mask": attention_mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    example = torch.ones((2, 16), dtype=torch.long)
    try:
        with warnings.catch_warnings():  # the tracer warns of every branch of the model; the probes are the real check
            warnings.simplefilter("ignore")
            return openvino.convert_model(
                WholePipeline(reference.model),
                example_input={"input_ids": example, "attention_mask": example},
            )
    except Exception as error:  # the converter raises whatever its tracer and torch raise
        raise ModelUnavailable(f"{reference.name} cannot be converted: {error}") from error


def _with_light_masks(model: Any) -> Any:  # noqa: ANN401 an OpenVINO model
    """Mask attention by a row of numbers a text, not a truth value for every pair of its tokens: 7% faster.

    Right where every token sees every other of its text. Where a model masks more, its probes will not agree.
    """
    from openvino import opset13 as ops

    mask = ops.convert(model.input("attention_mask").get_node(), "f32")
    hidden = ops.multiply(ops.subtract(ops.constant(np.float32(1)), mask), ops.constant(np.float32(MASKED)))
    row = ops.unsqueeze(hidden, ops.constant(np.array([1, 2])))  # (texts, 1, 1, tokens)
    for attention in model.get_ordered_ops():
        if attention.get_type_name() == "ScaledDotProductAttention" and attention.get_input_size() == 5:
            query, key, value, _, scale = (attention.input_value(number) for number in range(5))
            scores = ops.matmul(ops.multiply(query, scale), key, False, True)
            attended = ops.matmul(ops.softmax(ops.add(scores, row), -1), value, False, False)
            for user in attention.output(0).get_target_inputs():
                user.replace_source_output(attended.output(0))
    model.validate_nodes_and_infer_types()
    return model


def tabulate(folder: Path, *, limit: int, most: int = MAX_VOCABULARY) -> None:
    """Make the table of pieces beside a converted model: some seconds; none for a vocabulary of over `most` pieces."""
    tokenizer = Tokenizer(folder, limit=limit)
    vocabulary = tokenizer.vocabulary()
    if len(vocabulary) <= most:
        before, after = tokenizer.marks()
        texts = [[*before, piece, *after] for piece in range(max(vocabulary.values()) + 1)]
        model = CompiledModel(folder, threads=cores(), streams=1)
        length = len(texts[0])
        table = make_table(texts, vocabulary=vocabulary, infer=lambda batch: model.infer(batch, length=length))
        save_table(table, folder / TABLE)
