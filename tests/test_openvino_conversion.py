"""The converted model on disk: verified before it is used, made again when damaged, true to torch."""

import json
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from openvino import Model, Type

from index import openvino_conversion
from index.embedder import BUNDLED, Embedder, ModelSource, checked, open_embedder
from index.openvino_conversion import FORMAT, is_whole, tabulate
from index.openvino_model import CompiledModel, Weights
from index.openvino_weights import in_eight_bits
from index.tokens import Tokenizer

pytestmark = pytest.mark.model


@pytest.fixture
def made(model_cache: Path, real_embedder: Embedder) -> Path:
    """The folder of the conversion that the tests share: to be read only."""
    assert real_embedder
    return next(model_cache.glob("*-openvino"))


def linked(source: Path, target: Path) -> Path:
    """Return a folder with links to the files of another."""
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).symlink_to(file)
    return target


def damaged(file: Path) -> None:
    """Put in the place of a linked file a copy in which one bit is another."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x01
    file.unlink()
    file.write_bytes(content)


def test_a_damaged_conversion_is_made_again(
    made: Path,
    real_embedder: Embedder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = linked(made, tmp_path / made.name)
    monkeypatch.setattr(openvino_conversion, "tabulate", partial(tabulate, most=0))  # the table takes longest
    damaged(folder / "model.bin")
    with caplog.at_level("INFO"):
        again = open_embedder(BUNDLED, runtime="openvino", cache=tmp_path)
    assert "converting" in caplog.text
    texts = ["The river rose again.", "🌊"]
    assert np.allclose(again.embed(texts), real_embedder.embed(texts), atol=1e-2)


def test_a_conversion_is_whole_with_all_its_files_as_they_were(made: Path, tmp_path: Path) -> None:
    assert is_whole(linked(made, tmp_path / "same"))
    for name in ("model.xml", "model.bin", "pieces.npy", "tokenizer.json"):
        lacking, changed = linked(made, tmp_path / "lacking" / name), linked(made, tmp_path / "changed" / name)
        (lacking / name).unlink()
        damaged(changed / name)
        assert (name, is_whole(lacking), is_whole(changed)) == (name, False, False)


def test_a_conversion_of_another_format_or_without_its_facts_is_not_whole(made: Path, tmp_path: Path) -> None:
    facts = json.loads((made / "conversion.json").read_text())
    for label, content in (("older", json.dumps({**facts, "format": FORMAT - 1})), ("cut off", '{"format":')):
        folder = linked(made, tmp_path / label)
        (folder / "conversion.json").unlink()
        assert not is_whole(folder)
        (folder / "conversion.json").write_text(content)
        assert not is_whole(folder)


def test_the_bundled_weights_are_not_read_again_once_they_are_converted(
    model_cache: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashed(source: ModelSource) -> None:
        raise AssertionError("90 MB were read for nothing")

    monkeypatch.setattr(ModelSource, "verify", hashed)
    assert open_embedder(BUNDLED, runtime="openvino", cache=model_cache).dimension == 384


def test_weights_are_kept_in_half_the_bytes(made: Path) -> None:
    assert (made / "model.bin").stat().st_size < 46_000_000  # 22.7 million weights


def test_a_large_vocabulary_gets_no_table(made: Path, tmp_path: Path) -> None:
    folder = linked(made, tmp_path / "model")
    (folder / "pieces.npy").unlink()
    tabulate(folder, limit=256, most=30_521)
    assert not (folder / "pieces.npy").exists()


def test_what_a_text_is_padded_with_changes_nothing(made: Path) -> None:
    """The light masks hide the padding in every layer."""
    model = CompiledModel(made, threads=1, streams=1)
    tokens = Tokenizer(made, limit=256).ids(["A comet was seen over the bay."])
    alone, together = model.infer(tokens, length=16), model.infer([*tokens, [101, *[7592] * 200, 102]], length=208)
    assert np.sum(alone[0] * together[0]) > 0.999


def test_the_light_masks_were_put_in(made: Path) -> None:
    """Else the model masks pairs of tokens, which is right and slower."""
    graph = (made / "model.xml").read_text(encoding="utf-8")
    assert graph.count('type="SoftMax"') == 6
    assert graph.count('type="ScaledDotProductAttention"') == 0


def test_light_weights_mean_the_same_in_a_quarter_of_the_bytes(made: Path) -> None:
    whole, light = (CompiledModel(made, threads=1, streams=1, weights=kind) for kind in get_args(Weights))
    asked = ["who won the election of 2016", "crew trapped under the sea", "land swap rejected by the Kremlin"]
    for tokens in Tokenizer(made, limit=256).ids(asked):
        one, other = (checked(model.infer([tokens], length=len(tokens)))[0] for model in (whole, light))
        assert np.dot(one, other) > 0.9995


def test_matrices_of_constants_that_widen_are_kept_as_whole_numbers_and_nothing_else_is_changed() -> None:
    from openvino import Core
    from openvino import opset13 as ops

    weights = np.array([[0.5, -1.0], [0.25, 2.0], [0.0, 0.0]], np.float32)
    rows, others = ops.parameter([-1, 2], Type.f32), ops.parameter([-1, 2], Type.f32)
    by_weights = ops.matmul(rows, ops.constant(weights), False, True)
    narrowed = ops.matmul(by_weights, ops.constant(np.ones((1, 3), np.float32)), False, True)
    model = Model([by_weights, ops.matmul(rows, others, False, True), narrowed], [rows, others])
    light = in_eight_bits(model)
    kept = [node.get_element_type().to_string() for node in light.get_ordered_ops() if "Constant" in str(node)]
    assert kept.count("i8") == 1
    asked = [np.array([[1.0, 1.0]], np.float32), np.array([[3.0, 4.0]], np.float32)]
    found = Core().compile_model(light, "CPU")(asked)
    assert np.allclose(found[0], asked[0] @ weights.T, atol=0.02)
    assert np.allclose(found[1], 7.0)
    assert np.allclose(found[2], found[0].sum(), atol=0.02)
