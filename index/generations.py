"""Where the generations of an index are kept, whichever engine answers from them.

A generation is made whole before anything points to it; that the archive's pointer then names it is what publishes it.
`index.local_generations` keeps them in folders of this machine, `index.milvus.generations` on a server that several
machines share.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from archive.progress import Progress
from archive.store import PublishedGeneration, Store
from index.embeddings import Embeddings
from index.engine import JudgingEngine
from index.generation import Manifest


class WholeEngine(JudgingEngine, Protocol):
    """An engine that knows each article of its generation."""

    def article_ids(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids that are found by words and those found by meaning; they should be the same."""


class Generations(Protocol):
    """The generations of one archive's index. Safe to use from several threads."""

    def manifest(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is. Raises GenerationDamaged when it is not what was published."""

    def verified(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is, every part of it looked at. Raises GenerationDamaged as `manifest` does."""

    def open(self, published: PublishedGeneration) -> WholeEngine:
        """Open a generation, every part of it looked at. Raises GenerationDamaged, and EngineAway."""

    def reopen(self, published: PublishedGeneration, manifest: Manifest) -> WholeEngine:
        """Open a generation to be served; what it shares with the one opened before is not looked at again."""

    def stamp(self, published: PublishedGeneration) -> object:
        """Return, at no cost, what tells whether a generation has come or gone since it was looked at."""

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other process of this machine opens a generation, for a while."""

    def base(self, published: PublishedGeneration) -> Manifest | None:
        """Return a generation's manifest if the next one may be built upon it, as the settings are."""

    def make(
        self,
        store: Store,
        embeddings: Embeddings,
        article_ids: Sequence[str],
        *,
        number: int,
        seq: int,
        base: tuple[PublishedGeneration, Manifest] | None,
        progress: Progress,
    ) -> tuple[PublishedGeneration, Manifest]:
        """Make generation `number` of what these articles are at change `seq`, upon `base` or of them alone.

        What was embedded is in the store. Nothing points to the generation yet.
        """

    def is_worn(self, manifest: Manifest) -> bool:
        """Tell whether updates have left so much behind that the index should be made again."""

    def retire(self, *, keep: Iterable[int]) -> None:
        """Delete every generation but these, and what interrupted builds left behind."""

    def clear(self, *, keep: int | None) -> None:
        """Delete all there is but this generation. Raises OSError when something cannot be deleted, and EngineAway."""
