"""From the archive's changes to a published generation: cut, embed, build aside, publish.

Invariants: a generation is published whole or not at all. What did not change is linked from the generation before. An
update costs what changed, whatever the size of the archive: neither index merges more than a constant. What piles up
that way is cleared by `tidy`, after the update has been published.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from archive.article import Article
from archive.models import refer
from archive.passages import chunking
from archive.progress import Progress, silent
from archive.store import PublishedGeneration, Store
from index import generation
from index.embedder import Embedder
from index.embeddings import BATCH_ARTICLES, Embeddings, batches
from index.errors import GenerationDamaged
from index.generation import Manifest, Stamp
from index.keywords import KeywordFormat
from index.keywords.choice import Setting, choose

MOST_FILES = 256  # of a generation whose segments are not too many to search one after the other
MOST_GONE = 0.25  # of what the files hold may belong to articles that were changed or removed, before it is cleared


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
    """Brings the index under `root` up to date with `store`. One at a time: the caller holds the archive's lock."""

    def __init__(
        self,
        *,
        root: Path,
        store: Store,
        embedder: Embedder,
        formats: Mapping[str, KeywordFormat],
        keywords: Setting = "auto",
        reference: str | None = None,
    ) -> None:
        """Build with this embedder, and with whichever of the keyword libraries is set or suits the archive's size.

        `reference` says how the embedder is opened, for whoever serves what is published.
        """
        self._root = root
        self._store = store
        self._embedder = embedder
        self._formats = formats
        self._setting: Setting = keywords
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
            return self.serve(self._made(changed, embeddings, seq=seq, base=(current.number, base), progress=progress))
        except Exception as error:
            # What was to be built upon is not what was published: said by its hashes, or by a library that read it.
            if not isinstance(error, GenerationDamaged) and self._manifest(current, known=lambda _: {}) is not None:
                raise
            return self._rebuild(embeddings, progress)

    def rebuild(self, progress: Progress = silent) -> BuildReport:
        """Publish a generation made from the store alone; only passages without an embedding are embedded."""
        return self._rebuild(Embeddings(self._store, self._embedder), progress)

    def _rebuild(self, embeddings: Embeddings, progress: Progress) -> BuildReport:
        seq = self._store.last_seq()
        return self.serve(self._made(self._store.live_ids(), embeddings, seq=seq, base=None, progress=progress))

    def prepare(self, progress: Progress = silent) -> Candidate:
        """Make a generation from the store alone, beside what is served. It stays until the next build unless served.

        What was embedded stays whatever becomes of it.
        """
        embeddings, seq = Embeddings(self._store, self._embedder), self._store.last_seq()
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
        generation.clear(self._root, keep=report.generation)
        return report

    def tidy(self, progress: Progress = silent) -> BuildReport | None:
        """Make the index from the store again when updates have left too many segments or too much that is gone.

        An index that grows by small updates comes to that each time it has grown by some hundred thousand articles, or
        when a quarter of it was changed or removed: what it costs is spread over as many articles as it handles.
        """
        current, _ = self._store.pointer()
        base = self._base(current)
        if base is None or not (len(base.files) > MOST_FILES or base.gone > MOST_GONE * (base.articles + base.gone)):
            return None
        return self.rebuild(progress)

    def _base(self, current: PublishedGeneration | None) -> Manifest | None:
        """Return the served generation's manifest if a new generation may share its files."""
        manifest = self._manifest(current, known=attrgetter("known")) if current else None
        if manifest is None or manifest.keywords not in self._formats:
            return None
        is_as_set = self._setting in ("auto", manifest.keywords)
        made_like = (manifest.archive, manifest.chunking) == (self._store.uuid, self._chunking)
        return manifest if is_as_set and made_like else None

    def _made(
        self,
        article_ids: Sequence[str],
        embeddings: Embeddings,
        *,
        seq: int,
        base: tuple[int, Manifest] | None,
        progress: Progress,
    ) -> Candidate:
        embeddings.make(article_ids, progress)
        number = self._store.next_generation()
        directory = generation.path_of(self._root, base[0]) if base else None
        with generation.workspace(self._root, base=directory) as aside:
            filling = _Filling(aside, base[1] if base else None, article_ids, progress)
            manifest = self._fill(filling, embeddings, seq=seq)
            known: dict[str, str] = {}
            if base and directory:
                generation.verify_replaced(aside, directory, base[1])
                known = generation.unchanged(aside, directory, base[1])
            target = generation.path_of(self._root, number)
            sha256 = generation.seal(aside, manifest, target=target, known=known)
        return Candidate(
            published=PublishedGeneration(number=number, seq=seq, manifest_sha256=sha256),
            manifest=manifest,
            previous=base[0] if base else self._fallback(),
            embedded=embeddings.made,
        )

    def _fill(self, filling: "_Filling", embeddings: Embeddings, *, seq: int) -> Manifest:
        from index import vectors  # loads FAISS

        aside, base, article_ids = filling.aside, filling.base, filling.article_ids
        library = base.keywords if base else choose(self._setting, articles=len(article_ids))
        keywords = self._formats[library]
        if base is None:
            keywords.create(aside / "keywords")
        keywords.update(aside / "keywords", removed=article_ids, added=self._articles(article_ids, filling.progress))
        rows = vectors.in_chunks(embeddings.rows(article_ids, filling.progress), dimension=self._embedder.dimension)
        vectors.update(aside / "vectors", dimension=self._embedder.dimension, removed=article_ids, added=rows)
        articles, passages = vectors.count(aside / "vectors")
        return Manifest(
            archive=self._store.uuid,
            seq=seq,
            model=self._embedder.name,
            model_sha256=self._embedder.sha256,
            chunking=embeddings.chunking,
            dimension=self._embedder.dimension,
            keywords=library,
            articles=articles,
            passages=passages,
            gone=base.gone + base.articles + len(self._store.shown(article_ids)) - articles if base else 0,
        )

    def _articles(self, article_ids: Sequence[str], progress: Progress) -> Iterator[Article]:
        done = 0
        for batch in batches(article_ids, BATCH_ARTICLES):
            found = self._store.live(batch)
            yield from (found[article_id] for article_id in sorted(found))
            done += len(batch)
            progress("keyword index", done, len(article_ids))

    def _retire(self) -> None:
        generation.retire(self._root, keep=[published.number for published in self._store.pointer() if published])

    def _fallback(self) -> int | None:
        """Return the number of the newest generation on disk that is whole, the only kind to fall back to."""
        for published in self._store.pointer():
            if published is not None and self._manifest(published, known=lambda _: {}) is not None:
                return published.number
        return None

    def _manifest(
        self, published: PublishedGeneration, *, known: Callable[[Manifest], Mapping[Stamp, str]]
    ) -> Manifest | None:
        """Return a generation's manifest if its files are what was published, those `known` from it not being read."""
        directory, sha256 = generation.path_of(self._root, published.number), published.manifest_sha256
        try:
            manifest = generation.read_manifest(directory, sha256=sha256)
            return generation.verify(directory, sha256=sha256, known=known(manifest))
        except GenerationDamaged:
            return None

    def _report(self, number: int, manifest: Manifest, *, embedded: int, published: bool) -> BuildReport:
        return BuildReport(
            generation=number,
            published=published,
            articles=manifest.articles,
            passages=manifest.passages,
            embedded=embedded,
            keywords=manifest.keywords,
        )


@dataclass(frozen=True)
class _Filling:
    """What a generation is made of: the directory, what it is built upon, and the articles that are put in anew."""

    aside: Path
    base: Manifest | None
    article_ids: Sequence[str]
    progress: Progress
