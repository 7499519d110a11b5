"""The workbench: an archive and an index of an evaluation's own, kept in a folder so that nothing is embedded twice.

Invariant: the workbench holds exactly the articles it was given. When something has to go (it left the collection, was
reworded or withdrawn), the database is made anew, so that no text stays behind in it; embeddings are taken over.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from archive.article import Article
from archive.identity import content_hash
from archive.passages import chunking, cut
from archive.progress import Progress
from archive.store import Store
from index.build import Builder
from index.embedder import Embedder, embed_query
from index.embeddings import BATCH_ARTICLES
from index.engine import Vector, Vectors
from index.fusion import Method
from index.keywords import KeywordFormat
from index.keywords.choice import Setting
from index.likeness import Portrait
from index.local_generations import LocalGenerations
from index.pieces import Pieces
from index.portraits import Portraits
from index.related import Related
from index.search import Search
from index.serving import Serving
from index.stories.telling import tell_stories

ARCHIVE = "archive.sqlite3"
FORMER = "former.sqlite3"  # the database before this one, until its embeddings have been taken over


@dataclass(frozen=True, slots=True)
class Parts:
    """What an evaluation builds its own index with."""

    embedder: Embedder
    keywords: KeywordFormat
    fusion: Method
    recency: float = 0.0  # what the newest article gains, as `index.search.Search` takes it


class Workbench:
    """What is measured: the real search and the real panel over the articles that were given."""

    def __init__(self, store: Store, serving: Serving, parts: Parts) -> None:
        """Search what `serving` serves; whoever made the parts closes them."""
        self._store = store
        self._serving = serving
        self._parts = parts
        self._embedder = Remembering(parts.embedder)

    def search(self, fusion: Method | None = None) -> Search:
        """Return the search, merging the legs by `fusion` if given."""
        return Search(
            store=self._store,
            serving=self._serving,
            embedder=lambda _: self._embedder,
            fusion=fusion or self._parts.fusion,
            recency=self._parts.recency,
        )

    def related(self, fusion: Method | None = None) -> Related:
        """Return the related articles, merging the legs by `fusion` if given."""
        fusion = fusion or self._parts.fusion
        return Related(store=self._store, serving=self._serving, embedder=lambda _: self._embedder, fusion=fusion)

    def portraits(self, articles: Sequence[Article]) -> list[Portrait]:
        """Return the portraits of some of the articles."""
        with self._serving.engine() as (engine, _):
            return Portraits(self._store, self._parts.embedder).portraits(engine, articles)

    def stories(self) -> Mapping[str, int]:
        """Tell the stories of the articles, and return the story of each that is in one."""
        with self._serving.engine() as (engine, _):
            tell_stories(self._store, engine)
        return self._store.stories_of(self._store.live_ids())

    def telling_words(self, text: str, *, limit: int) -> list[str]:
        """Return the words of `text` that tell it best from the other articles, most telling first."""
        with self._serving.engine() as (engine, _):
            return [word for word, _ in engine.telling_terms(text, limit=limit)]


class Remembering:
    """An embedder that embeds each text once, in however many settings or archives it is asked for it."""

    def __init__(self, embedder: Embedder) -> None:
        """Embed by this embedder."""
        self.name, self.sha256 = embedder.name, embedder.sha256
        self.dimension, self.max_tokens = embedder.dimension, embedder.max_tokens
        self._embedder = embedder
        self._kept: dict[str, Vector] = {}
        self._asked: dict[str, Vector] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of these texts."""
        new = list(dict.fromkeys(text for text in texts if text not in self._kept))
        if new:
            self._kept.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._kept[text] for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Return the vector of one query, as the embedder makes it."""
        if text not in self._asked:
            self._asked[text] = embed_query(self._embedder, text)
        return self._asked[text]

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return where each token stands."""
        return self._embedder.token_spans(text)

    def pieces(self, words: Sequence[str]) -> Pieces | None:
        """Return the pieces of these words."""
        return self._embedder.pieces(words)


@contextmanager
def workbench(articles: Iterable[Article], *, parts: Parts, work: Path, progress: Progress) -> Iterator[Workbench]:
    """Open the workbench under `work` over these articles, indexed. What was embedded there before is not again."""
    wanted = {article.id: article for article in articles}
    with _opened(work, wanted, progress) as store:
        _take_over(work, store, parts.embedder)
        formats, library = {parts.keywords.name: parts.keywords}, cast(Setting, parts.keywords.name)
        generations = LocalGenerations(work / "index", formats=formats, keywords=library)
        Builder(generations, store, parts.embedder).update(progress)
        serving = Serving(generations, store)
        try:
            yield Workbench(store, serving, parts)
        finally:
            serving.close()


@contextmanager
def _opened(work: Path, wanted: Mapping[str, Article], progress: Progress) -> Iterator[Store]:
    """Open a store that shows exactly what is wanted, beside what was there before if it had to be set aside."""
    store = Store(work / ARCHIVE)
    try:
        if not _filled(store, wanted, progress):
            store.close()
            _set_aside(work)
            store = Store(work / ARCHIVE)
            _filled(store, wanted, progress)
        yield store
    finally:
        store.close()


def _filled(store: Store, wanted: Mapping[str, Article], progress: Progress) -> bool:
    """Put in what is wanted, and tell whether the store now shows that and nothing else."""
    if not set(store.live_ids()) <= set(wanted):
        return False
    for done, article in enumerate(wanted.values(), start=1):
        store.put(article)
        progress("storing", done, len(wanted))
    shown = store.live(list(wanted))
    return len(shown) == len(wanted) == store.stats().versions and all(
        content_hash(shown[article_id]) == content_hash(article) for article_id, article in wanted.items()
    )


def _set_aside(work: Path) -> None:
    if (work / FORMER).exists():  # an attempt was stopped: the older one is the fuller one
        _delete(work / ARCHIVE)
    else:
        for suffix in ("", "-wal", "-shm"):
            if (file := work / (ARCHIVE + suffix)).exists():
                file.rename(work / (FORMER + suffix))


def _delete(database: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _take_over(work: Path, store: Store, embedder: Embedder) -> None:
    """Keep, of the database that was set aside, the embeddings of what is still there; then delete it."""
    if not (work / FORMER).exists():
        return
    former = Store(work / FORMER)
    models = [each.model_id(sha256=embedder.sha256, name=embedder.name) for each in (former, store)]
    method = chunking(embedder.sha256, embedder.max_tokens)
    ids = store.live_ids()
    for start in range(0, len(ids), BATCH_ARTICLES):
        passages = [
            passage
            for article in store.live(ids[start : start + BATCH_ARTICLES]).values()
            for passage in cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)
        ]
        store.put_passages(passages, chunking=method)
        kept = former.embeddings(models[0], list({passage.text_hash for passage in passages}))
        store.put_embeddings(models[1], list(kept.items()))
    former.close()
    _delete(work / FORMER)
