"""A model run by torch: everywhere, and in half precision on a GPU where torch finds one.

Invariant: the weights are those of the model's identity; they are hashed before they are loaded.
"""

import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np

from index.embedder import ModelSource, checked
from index.engine import Vector, Vectors
from index.errors import ModelUnavailable
from index.packs import Pack, Tokens, packs, padded, slices
from index.recent import Recent
from index.tokens import Tokenizer

PACK_TOKENS = {"cpu": 6_144, "cuda": 131_072}  # 32 full passages; on a GPU enough that starting kernels costs little
SLICE_TEXTS = 256  # tokenised by one thread at a time
STRETCH_SLICES = 32  # sorted by length together; the next stretch is tokenised while this one runs


class TorchEmbedder:
    """A model run by sentence-transformers' modules on torch, on the `device` named or the best there is."""

    def __init__(self, source: ModelSource, *, device: str | None = None) -> None:
        """Load the model. Raises ModelUnavailable when sentence-transformers cannot."""
        source.verify()
        self.model = in_its_precision(_loaded(source, device))
        self.device = self.model.device
        self.name = source.name
        self.sha256 = source.sha256
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self.limit = int(self.model.max_seq_length or 512)
        self._pack_tokens = PACK_TOKENS.get(self.device.type, PACK_TOKENS["cpu"])
        self._tokenizer = Tokenizer(source.folder, limit=self.limit)
        self.max_tokens = self._tokenizer.room
        self._tokenizing = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="tokenising")
        self._recent = Recent()
        self._lock = threading.Lock()

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token of `text` starts and ends, in characters."""
        return self._tokenizer.spans(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of norm 1 for each text, in order; one text alone is remembered for a while."""
        if len(texts) == 1:
            return self._recent.vector(texts[0], self._alone)[None]
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        first = 0
        for tokens in self._tokenised(texts):
            vectors[first : first + len(tokens)] = self.run(tokens)
            first += len(tokens)
        return checked(vectors)

    def pieces(self, words: Sequence[str]) -> None:
        """Return None: where torch has to run the model, no table is made."""

    def _alone(self, text: str) -> Vector:
        vector: Vector = checked(self.run(self._tokenizer.ids([text])))[0]
        return vector

    def _tokenised(self, texts: Sequence[str]) -> Iterator[list[list[int]]]:
        """Yield the tokens of `texts` a stretch at a time, those of the next ones being made meanwhile."""
        made = [self._tokenizing.submit(self._tokenizer.ids, part) for part in slices(texts, SLICE_TEXTS)]
        for first in range(0, len(made), STRETCH_SLICES):
            yield list(chain.from_iterable(part.result() for part in made[first : first + STRETCH_SLICES]))

    def run(self, tokens: Tokens) -> Vectors:
        """Return the model's rows for these texts. A GPU is handed every pack before the first result is fetched."""
        import torch

        planned = list(packs([len(text) for text in tokens], tokens=self._pack_tokens, limit=self.limit))
        vectors = np.empty((len(tokens), self.dimension), dtype=np.float32)
        with self._lock, torch.inference_mode():
            made = [self._forward(pack, tokens) for pack in planned]
            for pack, rows in zip(planned, made, strict=True):
                vectors[pack.texts] = rows.cpu().numpy()
        return vectors

    def _forward(self, pack: Pack, tokens: Tokens) -> Any:  # noqa: ANN401 a tensor: torch is not imported up here
        import torch

        ids, mask = padded([tokens[number] for number in pack.texts], length=pack.length)
        features = {
            "input_ids": torch.from_numpy(ids).to(self.device, non_blocking=True),
            "attention_mask": torch.from_numpy(mask).to(self.device, non_blocking=True),
        }
        return torch.nn.functional.normalize(self.model(features)["sentence_embedding"].float(), dim=1)


def in_its_precision(model: Any) -> Any:  # noqa: ANN401 the library has no types
    """Return `model` in half precision when it is on a GPU, which multiplies that several times as fast."""
    return model.half() if model.device.type == "cuda" else model


def _loaded(source: ModelSource, device: str | None) -> Any:  # noqa: ANN401 the library has no types
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = SentenceTransformer(
            str(source.folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelUnavailable(f"{source.folder}: not a sentence-transformers model: {error}") from error
    return model.eval()
