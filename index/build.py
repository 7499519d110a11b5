"""From the archive's changes to a published generation: cut, embed, build aside, publish.

Invariants: each batch of embeddings is kept in the store as soon as it is made, so work that was interrupted is not
done twice. A generation is published whole or not at all. What did not change is linked from the generation before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from archive.article import Article, Passage
from archive.passages import chunking, cut, embedding_text, title_context
from archive.progress import Progress, silent
from archive.store import PublishedGeneration, Store
from index import generation
from index.embedder import Embedder
from index.engine import Span, Vector
from index.errors import GenerationDamaged
from index.generation import Manifest
from index.keywords import KeywordFormat

BATCH_PASSAGES = 256  # embedded, then kept: two to ten seconds of work are at stake in a crash
BATCH_ARTICLES = 200  # articles read from the store at once


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What an update of the index did. `embedded` counts passages that had no embedding yet."""

    generation: int | None
    published: bool
    articles: int
    passages: int
    embedded: int


class Builder:
    """Brings the index under `root` up to date with `store`. One at a time: the caller holds the archive's lock."""

    def __init__(self, *, root: Path, store: Store, embedder: Embedder, keywords: KeywordFormat) -> None:
        """Build with this embedder and this keyword library."""
        self._root = root
        self._store = store
        self._embedder = embedder
        self._keywords = keywords
        self._chunking = chunking(embedder.sha256, embedder.max_tokens)
        self._model_id = store.model_id(sha256=embedder.sha256, name=embedder.name)

    def update(self, progress: Progress = silent) -> BuildReport:
        """Publish a generation that holds every change so far; nothing is done when the served one does."""
        current, _ = self._store.pointer()
        base = self._base(current)
        if base is None or current is None:
            return self.rebuild(progress)
        seq = self._store.last_seq()
        if base.seq == seq:
            self._retire()  # what a build that was stopped left behind
            return BuildReport(
                generation=current.number, published=False, articles=base.articles, passages=base.passages, embedded=0
            )
        changed = {change.article_id for change in self._store.changes(after=base.seq, until=seq)}
        return self._publish(sorted(changed), seq=seq, base=(current.number, base), progress=progress)

    def rebuild(self, progress: Progress = silent) -> BuildReport:
        """Publish a generation made from the store alone; only passages without an embedding are embedded."""
        seq = self._store.last_seq()
        return self._publish(self._store.live_ids(), seq=seq, base=None, progress=progress)

    def _base(self, current: PublishedGeneration | None) -> Manifest | None:
        """Return the served generation's manifest if a new generation may share its files."""
        manifest = self._manifest(current) if current else None
        if manifest is None:
            return None
        made_like = (manifest.archive, manifest.chunking, manifest.keywords)
        return manifest if made_like == (self._store.uuid, self._chunking, self._keywords.name) else None

    def _publish(
        self, article_ids: Sequence[str], *, seq: int, base: tuple[int, Manifest] | None, progress: Progress
    ) -> BuildReport:
        embedded = self._embed(self._cut(article_ids, progress), progress)
        number = self._store.next_generation()
        directory = generation.path_of(self._root, base[0]) if base else None
        with generation.workspace(self._root, base=directory) as aside:
            manifest = self._fill(aside, article_ids, seq=seq, is_new=base is None, progress=progress)
            known = generation.unchanged(aside, directory, base[1]) if base and directory else {}
            target = generation.path_of(self._root, number)
            sha256 = generation.seal(aside, manifest, target=target, known=known)
        previous = base[0] if base else self._fallback()  # a base has been verified
        self._store.publish(PublishedGeneration(number=number, seq=seq, manifest_sha256=sha256), previous=previous)
        self._retire()
        return BuildReport(
            generation=number,
            published=True,
            articles=manifest.articles,
            passages=manifest.passages,
            embedded=embedded,
        )

    def _retire(self) -> None:
        generation.retire(self._root, keep=[published.number for published in self._store.pointer() if published])

    def _fallback(self) -> int | None:
        """Return the number of the newest generation on disk that is whole, the only kind to fall back to."""
        for published in self._store.pointer():
            if published is not None and self._manifest(published) is not None:
                return published.number
        return None

    def _manifest(self, published: PublishedGeneration) -> Manifest | None:
        try:
            return generation.verify(generation.path_of(self._root, published.number), sha256=published.manifest_sha256)
        except GenerationDamaged:
            return None

    def _articles(self, article_ids: Sequence[str]) -> Iterator[Article]:
        for start in range(0, len(article_ids), BATCH_ARTICLES):
            found = self._store.live(article_ids[start : start + BATCH_ARTICLES])
            yield from (found[article_id] for article_id in sorted(found))

    def _cut(self, article_ids: Sequence[str], progress: Progress) -> list[tuple[str, list[Passage]]]:
        """Cut what is not cut yet; return the passages without an embedding, by article."""
        missing: list[tuple[str, list[Passage]]] = []
        queued: set[bytes] = set()
        for done, article in enumerate(self._articles(article_ids), start=1):
            passages = self._passages(article)
            hashes = [passage.text_hash for passage in passages]
            known = self._store.embedded(self._model_id, hashes) | queued
            fresh = list({p.text_hash: p for p in passages if p.text_hash not in known}.values())
            if fresh:
                missing.append((article.id, fresh))
                queued.update(passage.text_hash for passage in fresh)
            progress("chunking", done, len(article_ids))
        return missing

    def _passages(self, article: Article) -> list[Passage]:
        passages = self._store.passages(article, chunking=self._chunking)
        if not passages:
            passages = cut(article, token_spans=self._embedder.token_spans, max_tokens=self._embedder.max_tokens)
            self._store.put_passages(passages, chunking=self._chunking)
        return passages

    def _embed(self, missing: Sequence[tuple[str, list[Passage]]], progress: Progress) -> int:
        total = sum(len(passages) for _, passages in missing)
        done = 0
        for batch in _in_batches(self._texts(missing)):
            vectors = self._embedder.embed([text for _, text in batch]).astype("<f4")
            kept = [(digest, vector.tobytes()) for (digest, _), vector in zip(batch, vectors, strict=True)]
            self._store.put_embeddings(self._model_id, kept)
            done += len(batch)
            progress("embedding", done, total)
        return done

    def _texts(self, missing: Sequence[tuple[str, list[Passage]]]) -> Iterator[tuple[bytes, str]]:
        wanted = dict(missing)
        for article in self._articles(list(wanted)):
            context = title_context(article, self._embedder.token_spans)
            for passage in wanted[article.id]:
                if passage.version == article.version:  # else a newer version came in: the next update embeds that
                    yield passage.text_hash, embedding_text(context, article.body[passage.start : passage.end])

    def _fill(self, aside: Path, article_ids: Sequence[str], *, seq: int, is_new: bool, progress: Progress) -> Manifest:
        from index import vectors

        if is_new:
            self._keywords.create(aside / "keywords")
        counted = _counted(self._articles(article_ids), "keyword index", len(article_ids), progress)
        self._keywords.update(aside / "keywords", removed=article_ids, added=counted)
        counted = _counted(self._articles(article_ids), "vector index", len(article_ids), progress)
        rows = vectors.in_chunks(row for article in counted for row in self._rows(article))
        vectors.update(aside / "vectors", dimension=self._embedder.dimension, removed=article_ids, added=rows)
        index = vectors.VectorIndex(aside / "vectors", dimension=self._embedder.dimension)
        return Manifest(
            archive=self._store.uuid,
            seq=seq,
            model=self._embedder.name,
            model_sha256=self._embedder.sha256,
            chunking=self._chunking,
            dimension=self._embedder.dimension,
            keywords=self._keywords.name,
            articles=len(index.article_ids()),
            passages=len(index),
        )

    def _rows(self, article: Article) -> Iterator[tuple[str, Span, Vector]]:
        passages = self._store.passages(article, chunking=self._chunking)
        kept = self._store.embeddings(self._model_id, [passage.text_hash for passage in passages])
        vectors = self._mended(article, passages, kept)
        for passage in passages:
            span = Span(version=passage.version, start=passage.start, end=passage.end)
            yield article.id, span, np.frombuffer(vectors[passage.text_hash], dtype="<f4")

    def _mended(
        self, article: Article, passages: Sequence[Passage], kept: Mapping[bytes, bytes]
    ) -> Mapping[bytes, bytes]:
        """Return `kept` with what is missing from it (a vector that failed its checksum) made again."""
        lost = [passage for passage in passages if passage.text_hash not in kept]
        if not lost:
            return kept
        context = title_context(article, self._embedder.token_spans)
        texts = [embedding_text(context, article.body[passage.start : passage.end]) for passage in lost]
        made = self._embedder.embed(texts).astype("<f4")
        return {**kept, **{passage.text_hash: row.tobytes() for passage, row in zip(lost, made, strict=True)}}


def _in_batches(texts: Iterable[tuple[bytes, str]]) -> Iterator[list[tuple[bytes, str]]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, BATCH_PASSAGES)):
        yield batch


def _counted(articles: Iterable[Article], stage: str, total: int, progress: Progress) -> Iterator[Article]:
    for done, article in enumerate(articles, start=1):
        yield article
        progress(stage, done, total)
