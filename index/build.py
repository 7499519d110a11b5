"""From the archive's changes to a published generation: cut, embed, build aside, publish.

Invariants: a generation is published whole or not at all. An update costs what changed, whatever the size of the
archive. What piles up that way is cleared by `tidy`, after the update has been published.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.models import NamedModel, refer
from archive.passages import chunking
from archive.progress import Progress, silent
from archive.store import PublishedGeneration, Store
from index.embedder import Embedder
from index.embeddings import Bulk, Embeddings
from index.errors import EngineAway, GenerationDamaged
from index.generation import Manifest
from index.generations import Generations


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What an update of the index did: `embedded` counts the passages that had no embedding yet."""

    generation: int | None
    published: bool
    articles: int
    passages: int
    embedded: int
    keywords: str | None  # the library of the keyword index, where there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A whole generation on the disk that nothing points to yet. `embedded` counts what it took."""

    published: PublishedGeneration
    manifest: Manifest
    previous: int | None  # the generation to fall back to
    embedded: int


class Builder:
    """Brings the index kept in `generations` up to date with `store`. One at a time: the caller holds the lock."""

    def __init__(
        self, generations: Generations, store: Store, embedder: Embedder, *, reference: str | None = None
    ) -> None:
        """Build with this embedder; `reference` says how it is opened, for whoever serves what is published."""
        self._generations = generations
        self._store = store
        self._embedder = embedder
        self._reference = reference
        self._chunking = chunking(embedder.sha256, embedder.max_tokens)

    def update(self, progress: Progress = silent) -> BuildReport:
        """Publish a generation that holds every change so far; nothing is done when the served one does."""
        current, _ = self._store.pointer()
        base = self._base(current)
        if base is None or current is None:
            return self.rebuild(progress)
        seq = self._store.last_seq()
        if base.seq == seq:
            self._retire()  # what a build that was stopped left behind
            return self._report(current.number, base, embedded=0, published=False)
        changed = sorted({change.article_id for change in self._store.changes(after=base.seq, until=seq)})
        embeddings = Embeddings(self._store, self._embedder)
        try:
            return self.serve(self._made(changed, embeddings, seq=seq, base=(current, base), progress=progress))
        except EngineAway:
            raise
        except Exception as error:
            # What was to be built upon is not what was published: said by its hashes, or by a library that read it.
            if not isinstance(error, GenerationDamaged) and self._is_whole(current):
                raise
            return self._rebuild(embeddings, progress)

    @property
    def model(self) -> NamedModel:
        """The model this builds by."""
        return NamedModel(sha256=self._embedder.sha256, name=self._embedder.name, reference=self._reference)

    def rebuild(self, progress: Progress = silent, *, bulk: Bulk | None = None) -> BuildReport:
        """Publish a generation made from the store alone; only passages without an embedding are embedded.

        By the embedder, or by what embeds `bulk` by the same model.
        """
        return self._rebuild(Embeddings(self._store, self._embedder, bulk=bulk), progress)

    def _rebuild(self, embeddings: Embeddings, progress: Progress) -> BuildReport:
        seq = self._store.last_seq()
        return self.serve(self._made(self._store.live_ids(), embeddings, seq=seq, base=None, progress=progress))

    def prepare(self, progress: Progress = silent, *, bulk: Bulk | None = None) -> Candidate:
        """Make a generation from the store alone, beside what is served. It stays until the next build unless served.

        What was embedded stays whatever becomes of it.
        """
        embeddings, seq = Embeddings(self._store, self._embedder, bulk=bulk), self._store.last_seq()
        return self._made(self._store.live_ids(), embeddings, seq=seq, base=None, progress=progress)

    def serve(self, candidate: Candidate) -> BuildReport:
        """Have it served from now on."""
        model_id = self._store.model_id(sha256=self._embedder.sha256, name=self._embedder.name)
        if self._reference is not None:
            refer(self._store, model_id=model_id, reference=self._reference)
        self._store.publish(candidate.published, previous=candidate.previous, model_id=model_id)
        self._retire()
        return self.report(candidate, published=True)

    def sweep(self) -> None:
        """Delete every generation that nothing points to."""
        self._retire()

    def report(self, candidate: Candidate, *, published: bool) -> BuildReport:
        """Return what building it came to."""
        return self._report(
            candidate.published.number, candidate.manifest, embedded=candidate.embedded, published=published
        )

    def renew(self, progress: Progress = silent) -> BuildReport:
        """Rebuild, and keep nothing of what was there before: neither a file of it nor a generation to fall back to.

        Raises OSError when something of it cannot be deleted.
        """
        report = self.rebuild(progress)
        self._store.give_up_previous()
        self._generations.clear(keep=report.generation)
        return report

    def tidy(self, progress: Progress = silent) -> BuildReport | None:
        """Make the index from the store again when updates have left too many segments or too much that is gone.

        An index that grows by small updates comes to that each time it has grown by some hundred thousand articles, or
        when a quarter of it was changed or removed: what it costs is spread over as many articles as it handles.
        """
        current, _ = self._store.pointer()
        base = self._base(current)
        return self.rebuild(progress) if base is not None and self._generations.is_worn(base) else None

    def _base(self, current: PublishedGeneration | None) -> Manifest | None:
        """Return the served generation's manifest if a new generation may be built upon it."""
        manifest = self._generations.base(current) if current else None
        if manifest is None:
            return None
        return manifest if (manifest.archive, manifest.chunking) == (self._store.uuid, self._chunking) else None

    def _made(
        self,
        article_ids: Sequence[str],
        embeddings: Embeddings,
        *,
        seq: int,
        base: tuple[PublishedGeneration, Manifest] | None,
        progress: Progress,
    ) -> Candidate:
        embeddings.make(article_ids, progress)
        published, manifest = self._generations.make(
            self._store,
            embeddings,
            article_ids,
            number=self._store.next_generation(),
            seq=seq,
            base=base,
            progress=progress,
        )
        return Candidate(
            published=published,
            manifest=manifest,
            previous=base[0].number if base else self._fallback(),
            embedded=embeddings.made,
        )

    def _retire(self) -> None:
        self._generations.retire(keep=[published.number for published in self._store.pointer() if published])

    def _fallback(self) -> int | None:
        """Return the number of the newest generation that is whole, the only kind to fall back to."""
        for published in self._store.pointer():
            if published is not None and self._is_whole(published):
                return published.number
        return None

    def _is_whole(self, published: PublishedGeneration) -> bool:
        try:
            self._generations.verified(published)
        except GenerationDamaged:
            return False
        return True

    def _report(self, number: int, manifest: Manifest, *, embedded: int, published: bool) -> BuildReport:
        return BuildReport(
            generation=number,
            published=published,
            articles=manifest.articles,
            passages=manifest.passages,
            embedded=embedded,
            keywords=manifest.keywords,
        )
