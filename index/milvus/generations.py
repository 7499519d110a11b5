"""Generations of a shared index: which rows a collection holds up to which change, and what is known of them all.

An update writes into the collection that is served: an article's rows are deleted and written anew, and since what is
nominated is read again from the archive, nobody is shown what is not so. What makes it a generation of its own is the
change it reaches and its statistics; the archive's pointer publishes it, as it does any other. Of a model or another
way of cutting there is a new collection, filled beside the one that is served; the pointer, not an alias of Milvus,
says which is which, so that there is one truth, changed together with the archive.

Invariant: an update may be stopped anywhere and begun again: rows are replaced by key, and the statistics of what goes
out are kept before it goes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict

import numpy as np

from archive.article import Article
from archive.packing import unpack_embeddings
from archive.progress import Progress, silent
from archive.shared_index import BEGINNING, SharedIndex, StatisticsPart
from archive.store import PublishedGeneration, Store
from index.embeddings import BATCH_ARTICLES, Embeddings, batches
from index.engine import Span, Vectors
from index.errors import GenerationDamaged
from index.fallback import StoreEngine
from index.generation import FORMAT, Manifest
from index.milvus.engine import COLUMNS, WORDED, MilvusEngine
from index.milvus.filters import PASSAGES, among, both
from index.milvus.rows import Prepared, by_article, language_among, prepared, words_of
from index.milvus.server import Milvus
from index.milvus.standby import StandbyEngine
from index.milvus.statistics import SAMPLED, Part, Statistics, Words, unpacked

LIBRARY = "milvus"  # what a manifest names as the keyword library
MOST_GONE = 0.25  # of the articles may have been changed or removed before statistics are counted again
MOST_EXACT = 25_000  # articles, some 60,000 passages: as long as each can be looked at for a question
EXACT = "_exact"  # how the name of such a collection ends
MOST_PARTS = 64  # of the statistics, before they are merged into one


class MilvusGenerations:
    """The generations of one archive's index in Milvus. Safe to use from several threads."""

    def __init__(self, milvus: Milvus, store: Store) -> None:
        """Keep the rows in `milvus`, and what is known of them beside the archive in `store`."""
        self._milvus = milvus
        self._store = store
        self._shared = SharedIndex(store)
        self._parts: dict[tuple[str, int, int], Part] = {}  # those of the collection opened last: they do not change

    def manifest(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is. Raises GenerationDamaged when it is not what was published."""
        name, text = f"generation {published.number}", self._shared.manifest(published.number)
        if text is None:
            raise GenerationDamaged(f"{name} is not one of {self._milvus.name}: run `flask reindex`")
        if hashlib.sha256(text.encode()).digest() != published.manifest_sha256:
            raise GenerationDamaged(f"{name}: not the manifest that was published: run `flask reindex`")
        facts = json.loads(text)
        if facts.get("format") != FORMAT:
            raise GenerationDamaged(f"{name}: format {facts.get('format')}, not {FORMAT}: run `flask reindex`")
        return Manifest(**facts)

    def verified(self, published: PublishedGeneration) -> Manifest:
        """Return what a generation is. Raises GenerationDamaged also when its collection is gone; and EngineAway."""
        manifest = self.manifest(published)
        if not self._milvus.load(_collection(manifest)):
            raise GenerationDamaged(f"{self._milvus.name} has no collection {manifest.collection}: run `flask reindex`")
        return manifest

    def open(self, published: PublishedGeneration) -> MilvusEngine:
        """Open a generation. Raises GenerationDamaged, and EngineAway."""
        manifest = self.manifest(published)
        engine = self._opened(published, manifest)
        if engine.article_count != manifest.articles:
            engine.close()
            raise GenerationDamaged(
                f"{_collection(manifest)}: statistics of {engine.article_count} articles, not {manifest.articles}:"
                " run `flask reindex`"
            )
        return engine

    def reopen(self, published: PublishedGeneration, manifest: Manifest) -> StandbyEngine:
        """Open a generation to be served; what is known of its statistics already is not read again."""
        return StandbyEngine(self._opened(published, manifest), StoreEngine(self._store), self._milvus)

    def _opened(self, published: PublishedGeneration, manifest: Manifest) -> MilvusEngine:
        self.verified(published)
        collection = _collection(manifest)
        parts = {}
        for after, until in self._shared.spans(collection, until=manifest.seq):
            key = collection, after, until
            parts[key] = self._parts.get(key) or self._sum(collection, after)
        self._parts = parts
        return MilvusEngine(
            self._milvus,
            collection,
            Statistics(parts.values(), dimension=manifest.dimension),
            number=published.number,
            seq=manifest.seq,
            model_sha256=manifest.model_sha256,
        )

    def _sum(self, collection: str, after: int) -> Part:
        part = self._shared.part(collection, after=after)
        if part is None or part.come is None:  # another host has made the index again meanwhile
            raise GenerationDamaged(f"the statistics of {collection} have gone: run `flask reindex`")
        try:
            return unpacked(part.come).without(unpacked(part.gone))
        except ValueError as error:
            raise GenerationDamaged(f"{collection}: {error}: run `flask reindex`") from error

    def stamp(self, published: PublishedGeneration) -> object:  # noqa: ARG002
        """Return how often the server has come back: what could not be opened then is looked at again."""
        return self._milvus.returned

    def turn(self) -> AbstractContextManager[None]:
        """Wait for nobody: opening takes no processor."""
        return nullcontext()

    def base(self, published: PublishedGeneration) -> Manifest | None:
        """Return a generation's manifest if the next one may be built upon it. Raises EngineAway."""
        try:
            return self.verified(published)
        except GenerationDamaged:
            return None

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
        """Bring the collection of `base`, or a new one, up to change `seq`. Raises EngineAway."""
        dimension = embeddings.embedder.dimension
        is_small = len(article_ids) <= MOST_EXACT
        collection = _collection(base[1]) if base else f"{self._prefix}{number}{EXACT if is_small else ''}"
        after = base[1].seq if base else BEGINNING
        if base is None:
            self._milvus.create(collection, dimension=dimension, exact=is_small)
            gone = Part()
        else:
            self._go_forward(after)
            gone = self._going(collection, article_ids, after=after, until=seq)
        self._shared.put_part(collection, StatisticsPart(after, seq, gone.packed(), None))
        come = self._write(collection, store, embeddings, article_ids, is_new=base is None, progress=progress)
        self._milvus.flush(collection)
        self._shared.put_part(collection, StatisticsPart(after, seq, gone.packed(), come.packed()))
        if base is not None:
            self._merge(collection, until=after)
        before = base[1] if base else None
        manifest = Manifest(
            archive=store.uuid,
            seq=seq,
            model=embeddings.embedder.name,
            model_sha256=embeddings.embedder.sha256,
            chunking=embeddings.chunking,
            dimension=dimension,
            keywords=LIBRARY,
            articles=(before.articles if before else 0) + come.articles - gone.articles,
            passages=(before.passages if before else 0) + come.passages - gone.passages,
            gone=(before.gone if before else 0) + gone.articles,
            collection=collection,
        )
        text = json.dumps(asdict(manifest), sort_keys=True)
        self._shared.put_manifest(number, text)
        sha256 = hashlib.sha256(text.encode()).digest()
        return PublishedGeneration(number=number, seq=seq, manifest_sha256=sha256), manifest

    def _go_forward(self, after: int) -> None:
        """Give up a generation that a rollback left behind: rows and statistics are not what it is made of any more."""
        _, previous = self._store.pointer()
        if previous is not None and previous.seq > after:
            self._store.give_up_previous()

    def _going(self, collection: str, article_ids: Sequence[str], *, after: int, until: int) -> Part:
        """Return the statistics of what these articles have in the collection, as it was published.

        An update that was stopped has taken some of it out, and put other rows in; what it noted is gone on with.
        """
        noted = self._shared.part(collection, after=after)
        if noted is None:
            return self._counted(collection, article_ids)
        try:
            gone = unpacked(noted.gone)
        except ValueError as error:
            raise GenerationDamaged(f"{collection}: {error}: run `flask reindex`") from error
        since = self._store.changes(after=noted.until, until=until)
        before = {change.article_id for change in self._store.changes(after=after, until=noted.until)}
        gone.include(self._counted(collection, sorted({change.article_id for change in since} - before)))
        return gone

    def _counted(self, collection: str, article_ids: Sequence[str]) -> Part:
        """Return the statistics of what a collection holds of these articles."""
        part = Part()
        for some in batches(article_ids, BATCH_ARTICLES):
            rows = self._milvus.rows(collection, both([among("article", some), WORDED]), columns=COLUMNS)
            for _, own in by_article(rows):
                part.add(Words(*words_of(own), language_among(own[0]["names"])))
            part.passages += self._milvus.count(collection, both([among("article", some), PASSAGES]))
        return part

    def _write(
        self,
        collection: str,
        store: Store,
        embeddings: Embeddings,
        article_ids: Sequence[str],
        *,
        is_new: bool,
        progress: Progress,
    ) -> Part:
        """Replace the rows of these articles by those of what is shown of them; return the statistics of that."""
        part = Part()
        samples = _Samples()
        done = 0
        for some in batches(article_ids, BATCH_ARTICLES):
            articles = store.live(some)
            made = list(_prepared(articles, embeddings, some, samples))
            rows = [row for each in made for row in each.rows]
            self._milvus.put(collection, rows)
            if not is_new:  # afterwards: an article that is shown is found at every moment
                self._milvus.delete(collection, some, but=[row["pk"] for row in rows])
            for each in made:
                part.add(each.words)
            done += len(some)
            progress("shared index", done, len(article_ids))
        part.passages, part.summed = samples.passages, samples.passages
        part.total, part.sample = samples.total, b"".join(samples.kept)
        return part

    def _merge(self, collection: str, *, until: int) -> None:
        """Make one of the parts up to the generation before, once they are many: each is read by whoever serves."""
        spans = self._shared.spans(collection, until=until)
        if len(spans) > MOST_PARTS:
            whole = Part()
            for after, _ in spans:
                whole.include(self._sum(collection, after))
            self._shared.merge(collection, StatisticsPart(BEGINNING, until, Part().packed(), whole.packed()))

    def is_worn(self, manifest: Manifest) -> bool:
        """Tell whether vectors that have gone count for too much, or a collection has outgrown looking at each."""
        has_outgrown = _collection(manifest).endswith(EXACT) and manifest.articles > 2 * MOST_EXACT
        return has_outgrown or manifest.gone > MOST_GONE * (manifest.articles + manifest.gone)

    def retire(self, *, keep: Iterable[int]) -> None:
        """Delete every generation but these, and collections that none of them is in. Raises EngineAway."""
        kept = list(keep)
        manifests = [text for number in kept if (text := self._shared.manifest(number)) is not None]
        collections = {str(json.loads(text)["collection"]) for text in manifests}
        self._shared.retire(keep=kept, collections=collections)
        for collection in self._milvus.collections():
            if collection.startswith(self._prefix) and collection not in collections:
                self._milvus.drop(collection)

    def clear(self, *, keep: int | None) -> None:
        """Delete all there is but this generation. Raises EngineAway."""
        self.retire(keep=[] if keep is None else [keep])

    @property
    def _prefix(self) -> str:
        """How the names of this archive's collections begin."""
        return f"backfile_{self._store.uuid.replace('-', '')[:12]}_"


def _collection(manifest: Manifest) -> str:
    if manifest.collection is None:
        raise GenerationDamaged("this generation is in no collection: run `flask reindex`")
    return manifest.collection


class _Samples:
    """Some of the embeddings of an update, evenly over all, and the sum of all."""

    def __init__(self) -> None:
        self.passages = 0
        self.total = np.zeros(0)
        self.kept: list[bytes] = []
        self._step = 1

    def add(self, packed: Sequence[bytes], vectors: Vectors) -> None:
        """Count the embeddings of an article."""
        total = vectors.sum(axis=0, dtype=np.float64)
        self.total = total if not len(self.total) else self.total + total
        for each in packed:
            if self.passages % self._step == 0:
                self.kept.append(each)
            self.passages += 1
            if len(self.kept) > 2 * SAMPLED:
                self.kept = self.kept[::2]
                self._step *= 2


def _prepared(
    articles: dict[str, Article], embeddings: Embeddings, article_ids: Sequence[str], samples: _Samples
) -> Iterator[Prepared]:
    """Yield the shown ones of these articles as they go in."""
    dimension = embeddings.embedder.dimension
    passages: dict[str, list[tuple[Span, bytes]]] = {}
    for article_id, span, packed in embeddings.rows(article_ids, silent):
        passages.setdefault(article_id, []).append((span, packed))
    for article_id, article in sorted(articles.items()):
        own = passages.get(article_id, [])
        kept = [each for _, each in own]
        vectors = unpack_embeddings(kept, dimension=dimension)
        if own:
            samples.add(kept, vectors)
        yield prepared(article, [span for span, _ in own], vectors)
