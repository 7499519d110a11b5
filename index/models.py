"""The models in use: each opened when it is first needed, shared by all who need it, given up with the last of them.

A generation has vectors of one model. Whoever serves it holds that model, so that a query is always embedded by the
model whose vectors it is compared with, and the weights of another are let go when nobody serves a generation of it.
"""

import threading
import weakref
from collections.abc import Callable

import numpy as np

from index.embedder import NORM_TOLERANCE, Embedder, embed_query
from index.errors import ModelMismatch, ModelUnavailable

OpenByIdentity = Callable[[str], Embedder]
PROBES = ("The river rose after a week of heavy rain.", "Parliament votes on the budget tonight.", "a")
TOLD_APART = 0.9999  # cosine above which two texts that have nothing in common are taken for one


class Model:
    """One model, opened when it is first needed. Safe to use from several threads."""

    def __init__(self, sha256: str, open_model: OpenByIdentity) -> None:
        """Take its identity and what opens it."""
        self.sha256 = sha256
        self._open = open_model
        self._lock = threading.Lock()
        self._opened: Embedder | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has been needed."""
        return self._opened is not None

    def embedder(self) -> Embedder:
        """Return what embeds by it. Raises ModelUnavailable, and ModelMismatch when another was opened in its place."""
        opened = self._opened  # looked at without the lock: what is ready never waits
        if opened is None:
            with self._lock:
                opened = self._opened
                if opened is None:
                    self._opened = opened = of_identity(self._open(self.sha256), self.sha256)
        return opened

    def warm(self) -> None:
        """Open it and have it answer once, so that no reader's query is the first."""
        embed_query(self.embedder(), "warm")


class Models:
    """The models that somebody holds, by identity. Safe to use from several threads."""

    def __init__(self, open_model: OpenByIdentity, *, given: Embedder | None = None) -> None:
        """Open by `open_model`, which is told the identity of the model that is wanted; one that is `given` is open."""
        self._open = open_model
        self._given = given
        self._lock = threading.Lock()
        self._held: weakref.WeakValueDictionary[str, Model] = weakref.WeakValueDictionary()

    def of(self, sha256: str) -> Model:
        """Return the model of this identity, for whoever asks to hold."""
        with self._lock:
            found = self._held.get(sha256)
            if found is None:
                found = self._held[sha256] = Model(sha256, self._open)
            return found

    def embedder(self, sha256: str) -> Embedder:
        """Return what embeds by the model of this identity. Raises ModelUnavailable and ModelMismatch."""
        return self.of(sha256).embedder()

    def is_open(self, sha256: str | None) -> bool:
        """Tell whether the model of this identity is held and open."""
        if self._given is not None and self._given.sha256 == sha256:
            return True
        found = self._held.get(sha256) if sha256 is not None else None
        return found is not None and found.is_open


def of_identity(embedder: Embedder, sha256: str) -> Embedder:
    """Return the embedder when it is the model of this identity, else raise ModelMismatch."""
    if embedder.sha256 != sha256:
        raise ModelMismatch(
            f"the index holds vectors of another model than {embedder.name} of SHA-256 {embedder.sha256[:12]}…:"
            " put back the one it was made by, or run `flask reindex --model`"
        )
    return embedder


def prove(embedder: Embedder) -> None:
    """Raise ModelUnavailable unless the model makes vectors that can be searched: before hours are spent on it."""
    alone, together = embed_query(embedder, PROBES[0]), embedder.embed(PROBES)
    vectors = np.vstack([alone, together])
    if vectors.shape != (len(PROBES) + 1, embedder.dimension):
        raise ModelUnavailable(f"{embedder.name} makes vectors of {vectors.shape[1]} numbers, not {embedder.dimension}")
    if not np.all(np.abs(np.linalg.norm(vectors, axis=1) - 1) < NORM_TOLERANCE):  # a NaN compares false
        raise ModelUnavailable(f"{embedder.name} makes vectors that are not finite or not of norm 1")
    if float(together[0] @ together[1]) > TOLD_APART:
        raise ModelUnavailable(f"{embedder.name} makes the same vector of different texts: its weights are damaged")
