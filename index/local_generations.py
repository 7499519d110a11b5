"""Generations in folders of this machine (`index.generation` says what is in one), made by linking what did not change.

Invariants: an update costs what changed, whatever the size of the archive: neither index merges more than a constant.
Nothing is opened before its hashes have been verified.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from archive.article import Article
from archive.progress import Progress
from archive.store import PublishedGeneration, Store
from index import generation
from index.embeddings import BATCH_ARTICLES, Embeddings, batches
from index.errors import GenerationDamaged
from index.generation import Manifest, Stamp
from index.keywords import KeywordFormat
from index.keywords.choice import Setting, choose
from index.local import LocalEngine

MOST_FILES = 256  # of a generation whose segments are not too many to search one after the other
MOST_GONE = 0.25  # of what the files hold may belong to articles that were changed or removed, before it is cleared
TURN_SECONDS = 2.0  # that a process waits for those that open a generation before it


class LocalGenerations:
    """The generations under one folder. Safe to use from several threads."""

    def __init__(self, root: Path, *, formats: Mapping[str, KeywordFormat], keywords: Setting = "auto") -> None:
        """Keep them under `root`, with whichever of the keyword libraries is set or suits the archive's size."""
        self._root = root
        self._formats = formats
        self._setting: Setting = keywords
        self._known: dict[Stamp, str] = {}  # the hashes of the files of the generation that was served last

    def manifest(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is. Raises GenerationDamaged when it is not what was published."""
        return generation.read_manifest(self._folder(published), sha256=published.manifest_sha256)

    def verified(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is, every file of it read."""
        return generation.verify(self._folder(published), sha256=published.manifest_sha256)

    def open(self, published: PublishedGeneration) -> LocalEngine:
        """Open a generation, every file of it read. Raises GenerationDamaged when it is not what was published."""
        return self._opened(published, self.verified(published))

    def reopen(self, published: PublishedGeneration, manifest: Manifest) -> LocalEngine:
        """Open a generation to be served; files that it shares with the one opened before are not read again."""
        folder = self._folder(published)
        generation.verify(folder, sha256=published.manifest_sha256, known=self._known)
        known = generation.stamps(folder, manifest)
        engine = self._opened(published, manifest)
        self._known = known
        return engine

    def _opened(self, published: PublishedGeneration, manifest: Manifest) -> LocalEngine:
        from index.vectors import VectorIndex  # loads FAISS, which a process that answers no query does without

        folder = self._folder(published)
        if manifest.keywords not in self._formats:
            raise GenerationDamaged(f"{folder}: unknown keyword engine {manifest.keywords!r}: run `flask reindex`")
        keywords = self._formats[manifest.keywords].open(folder / "keywords")
        try:
            vectors = VectorIndex(folder / "vectors", dimension=manifest.dimension, ids=keywords.ids)
        except BaseException:
            keywords.close()
            raise
        return LocalEngine(
            number=published.number,
            seq=manifest.seq,
            keywords=keywords,
            vectors=vectors,
            model_sha256=manifest.model_sha256,
        )

    def stamp(self, published: PublishedGeneration) -> tuple[int, int] | None:
        """Return what tells one manifest of this generation from another, None where there is none."""
        try:
            status = (self._folder(published) / generation.MANIFEST).stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other process opens a generation, for a while: all at once would take all processors."""
        try:
            folder = os.open(self._root, os.O_RDONLY)
        except FileNotFoundError:
            yield
            return
        until = time.monotonic() + TURN_SECONDS
        try:
            while not _is_locked(folder) and time.monotonic() < until:
                time.sleep(0.01)
            yield
        finally:
            os.close(folder)  # which lets the next one in

    def base(self, published: PublishedGeneration) -> Manifest | None:
        """Return the manifest of a generation that is whole if a new one may share its files."""
        try:
            manifest = self.manifest(published)
            generation.verify(self._folder(published), sha256=published.manifest_sha256, known=manifest.known)
        except GenerationDamaged:
            return None
        is_as_set = self._setting in ("auto", manifest.keywords)
        return manifest if is_as_set and manifest.keywords in self._formats else None

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
        """Make generation `number` of these articles, beside it links to what did not change in `base`."""
        folder = self._folder(base[0]) if base else None
        with generation.workspace(self._root, base=folder) as aside:
            manifest = self._fill(
                aside, store, embeddings, article_ids, seq=seq, base=base[1] if base else None, progress=progress
            )
            known: dict[str, str] = {}
            if base and folder:
                generation.verify_replaced(aside, folder, base[1])
                known = generation.unchanged(aside, folder, base[1])
            sha256 = generation.seal(aside, manifest, target=generation.path_of(self._root, number), known=known)
        return PublishedGeneration(number=number, seq=seq, manifest_sha256=sha256), manifest

    def _fill(
        self,
        aside: Path,
        store: Store,
        embeddings: Embeddings,
        article_ids: Sequence[str],
        *,
        seq: int,
        base: Manifest | None,
        progress: Progress,
    ) -> Manifest:
        from index import vectors  # loads FAISS

        library = base.keywords if base else choose(self._setting, articles=len(article_ids))
        keywords = self._formats[library]
        if base is None:
            keywords.create(aside / "keywords")
        added = articles_of(store, article_ids, progress)
        keywords.update(aside / "keywords", removed=article_ids, added=added)
        dimension = embeddings.embedder.dimension
        rows = vectors.in_chunks(embeddings.rows(article_ids, progress), dimension=dimension)
        vectors.update(aside / "vectors", dimension=dimension, removed=article_ids, added=rows)
        articles, passages = vectors.count(aside / "vectors")
        return Manifest(
            archive=store.uuid,
            seq=seq,
            model=embeddings.embedder.name,
            model_sha256=embeddings.embedder.sha256,
            chunking=embeddings.chunking,
            dimension=dimension,
            keywords=library,
            articles=articles,
            passages=passages,
            gone=base.gone + base.articles + len(store.shown(article_ids)) - articles if base else 0,
        )

    def is_worn(self, manifest: Manifest) -> bool:
        """Tell whether updates have left too many segments or too much that is gone."""
        return len(manifest.files) > MOST_FILES or manifest.gone > MOST_GONE * (manifest.articles + manifest.gone)

    def retire(self, *, keep: Iterable[int]) -> None:
        """Delete every generation but these, and what interrupted builds left behind."""
        generation.retire(self._root, keep=keep)

    def clear(self, *, keep: int | None) -> None:
        """Delete all there is but this generation. Raises OSError when something cannot be deleted."""
        generation.clear(self._root, keep=keep)

    def _folder(self, published: PublishedGeneration) -> Path:
        return generation.path_of(self._root, published.number)


def articles_of(store: Store, article_ids: Sequence[str], progress: Progress) -> Iterator[Article]:
    """Yield what is shown of these articles, in order."""
    done = 0
    for batch in batches(article_ids, BATCH_ARTICLES):
        found = store.live(batch)
        yield from (found[article_id] for article_id in sorted(found))
        done += len(batch)
        progress("keyword index", done, len(article_ids))


def _is_locked(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another has it, or this disk knows no locks
        return False
    return True
