"""Articles cut into passages and embedded, for one model, all of it kept in the store.

Invariants: what was cut or embedded once is not again. Each batch of embeddings is kept as soon as it is made, so work
that was interrupted goes on where it stopped. The memory used does not grow with the texts: only the hashes of what is
still to be embedded are held, 100 bytes or so a passage.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Protocol, TypeVar

from archive.article import Article, Passage
from archive.packing import pack_embeddings
from archive.passages import chunking, cut, embedding_text, title_context
from archive.progress import Progress
from archive.store import Store
from index.embedder import Embedder
from index.engine import Span

BATCH_PASSAGES = 1024  # embedded, then kept: a few seconds of work are at stake in a crash
BATCH_ARTICLES = 200  # articles read from the store at once

T = TypeVar("T")
Text = tuple[bytes, str]  # a text hash and its text
Packed = tuple[bytes, bytes]  # a text hash and its embedding, packed


class Bulk(Protocol):
    """Embeds many texts, here or elsewhere. It takes more of `texts` when it has room for them, in this thread."""

    def __call__(self, texts: Iterator[Text]) -> Generator[list[Packed], None, None]:
        """Yield the embedding of each text once, some at a time as they are made, in any order."""


class Here:
    """Embeds in this process, batch by batch."""

    def __init__(self, embedder: Embedder) -> None:
        """Embed by this model."""
        self._embedder = embedder

    def __call__(self, texts: Iterator[Text]) -> Generator[list[Packed], None, None]:
        """Yield the embeddings of one batch after the other."""
        for batch in batches(texts, BATCH_PASSAGES):
            yield packed_by(self._embedder, batch)


def packed_by(embedder: Embedder, texts: Sequence[Text]) -> list[Packed]:
    """Return the embeddings of these texts, in order."""
    packed = pack_embeddings(embedder.embed([text for _, text in texts]))
    return list(zip([text_hash for text_hash, _ in texts], packed, strict=True))


class Embeddings:
    """The passages and vectors of a store's articles. `made` counts those that were embedded through this object."""

    def __init__(self, store: Store, embedder: Embedder, *, bulk: Bulk | None = None) -> None:
        """Cut as this embedder does, and have it embed, or whatever embeds `bulk` by the same model."""
        self._store = store
        self.embedder = embedder
        self._bulk = bulk or Here(embedder)
        self._model_id = store.model_id(sha256=embedder.sha256, name=embedder.name)
        self.chunking = chunking(embedder.sha256, embedder.max_tokens)
        self.made = 0

    def make(self, article_ids: Sequence[str], progress: Progress) -> None:
        """Cut and embed what is not yet of these articles."""
        unfinished, missing = self._cut(article_ids, progress)
        total, done = len(missing), 0
        with closing(self._bulk(self._texts(unfinished, missing))) as lots:
            for made in lots:
                self._keep(made)
                done += len(made)
                progress("embedding", done, total)

    def _cut(self, article_ids: Sequence[str], progress: Progress) -> tuple[list[str], set[bytes]]:
        """Return the articles that have passages without an embedding, and the hashes of those."""
        unfinished: list[str] = []
        missing: set[bytes] = set()
        done = 0
        for batch in batches(article_ids, BATCH_ARTICLES):
            passages = self._passages(batch)
            hashes = {passage.text_hash for pieces in passages.values() for passage in pieces}
            fresh = hashes - missing - self._store.embedded(self._model_id, list(hashes))
            unfinished += [id_ for id_ in sorted(passages) if any(p.text_hash in fresh for p in passages[id_])]
            missing |= fresh
            done += len(batch)
            progress("chunking", done, len(article_ids))
        return unfinished, missing

    def _passages(self, article_ids: Sequence[str]) -> dict[str, list[Passage]]:
        """Return the passages of what is shown of these articles, having cut what was not."""
        passages = self._store.cut(self._store.shown(article_ids).items(), chunking=self.chunking)
        uncut = self._store.live([id_ for id_ in article_ids if id_ not in passages])
        made = {article.id: self._pieces(article) for article in uncut.values()}
        self._store.put_passages([piece for pieces in made.values() for piece in pieces], chunking=self.chunking)
        return passages | made

    def _pieces(self, article: Article) -> list[Passage]:
        return cut(article, token_spans=self.embedder.token_spans, max_tokens=self.embedder.max_tokens)

    def _texts(self, article_ids: Sequence[str], missing: set[bytes]) -> Iterator[Text]:
        """Yield what is `missing`, once each; what has a newer version meanwhile is left to the next update."""
        for batch in batches(article_ids, BATCH_ARTICLES):
            articles = self._store.live(batch)
            versions = [(article.id, article.version) for article in articles.values()]
            passages = self._store.cut(versions, chunking=self.chunking)
            for article_id in sorted(passages):
                wanted = [passage for passage in passages[article_id] if passage.text_hash in missing]
                wanted = list({passage.text_hash: passage for passage in wanted}.values())
                missing.difference_update(passage.text_hash for passage in wanted)
                yield from self._texts_of(articles[article_id], wanted)

    def _texts_of(self, article: Article, passages: Sequence[Passage]) -> Iterator[Text]:
        if passages:
            context = title_context(article, self.embedder.token_spans)
            for passage in passages:
                yield passage.text_hash, embedding_text(context, article.body[passage.start : passage.end])

    def _keep(self, made: Sequence[Packed]) -> None:
        self._store.put_embeddings(self._model_id, made)
        self.made += len(made)

    def rows(self, article_ids: Sequence[str], progress: Progress) -> Iterator[tuple[str, Span, bytes]]:
        """Yield every passage of what is shown of these articles, with its packed embedding; articles in order."""
        done = 0
        for batch in batches(article_ids, BATCH_ARTICLES):
            passages = self._store.cut(self._store.shown(batch).items(), chunking=self.chunking)
            hashes = {passage.text_hash for pieces in passages.values() for passage in pieces}
            kept = self._store.embeddings(self._model_id, list(hashes))
            for article_id in sorted(passages):
                yield from self._rows_of(passages[article_id], kept)
            done += len(batch)
            progress("vector index", done, len(article_ids))

    def _rows_of(self, passages: Sequence[Passage], kept: dict[bytes, bytes]) -> Iterator[tuple[str, Span, bytes]]:
        self._mend(passages, kept)
        for passage in passages:
            if passage.text_hash in kept:
                span = Span(version=passage.version, start=passage.start, end=passage.end)
                yield passage.article_id, span, kept[passage.text_hash]

    def _mend(self, passages: Sequence[Passage], kept: dict[bytes, bytes]) -> None:
        """Make the vectors again that are missing from `kept`, because they failed their checksum."""
        lost = {passage.text_hash: passage for passage in passages if passage.text_hash not in kept}
        for article in self._store.live([passages[0].article_id]).values() if lost else ():
            if article.version == passages[0].version:
                made = packed_by(self.embedder, list(self._texts_of(article, list(lost.values()))))
                self._keep(made)
                kept.update(made)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items, some at a time."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
