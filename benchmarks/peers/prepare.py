"""Make the common input of all engines from a data folder: articles, passages, their embeddings, queries.

    python -m benchmarks.peers.prepare DATA OUT --articles 10000
    python -m benchmarks.peers.prepare DATA OUT --collection ../data/fnc1 --collection ../data/scifact

DATA is a data folder whose articles are embedded; a copy, for it is opened as the site opens it. Without --articles all
of them are taken; fewer are drawn so that 1,000 are among the 10,000, and queries are drawn from the first 1,000. A
COLLECTION is a judged one in BEIR's layout, whose documents are put among the articles. What is there stays.
"""

import argparse
import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archive.article import Article, Passage
from archive.packing import unpack_embeddings
from archive.passages import chunking, cut, embedding_text, title_context
from archive.store import Store
from benchmarks.peers.corpus import Corpus, Size
from benchmarks.peers.queries import queries_from
from index.embedder import Embedder
from index.evaluation.collection import read_collection
from web.services import Services
from web.settings import Settings

QUERIES = 600
ASKED_ABOUT = 1_000  # articles that queries are drawn from
BATCH = 200  # articles read, and texts embedded, at once
SEED = 4


@dataclass(frozen=True, slots=True)
class Source:
    """Where passages and embeddings come from: the archive's where it has them, else made here."""

    store: Store
    embedder: Embedder

    def passages(self, article: Article) -> list[Passage]:
        """Return an article's passages."""
        embedder = self.embedder
        kept = self.store.passages(article, chunking=chunking(embedder.sha256, embedder.max_tokens))
        return kept or cut(article, token_spans=embedder.token_spans, max_tokens=embedder.max_tokens)

    def vectors(self, hashes: Sequence[bytes], texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row of norm 1 for each text."""
        model = self.store.model_id(sha256=self.embedder.sha256, name=self.embedder.name)
        kept = self.store.embeddings(model, list(dict.fromkeys(hashes)))
        fresh = {digest: text for digest, text in zip(hashes, texts, strict=True) if digest not in kept}
        rows = dict(zip(kept, unpack_embeddings(list(kept.values()), dimension=self.embedder.dimension), strict=True))
        if fresh:
            rows |= zip(fresh, self.embedder.embed(list(fresh.values())), strict=True)
        return np.stack([rows[digest] for digest in hashes]).astype(np.float32)


def main() -> None:
    """Read the command line, and prepare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--articles", type=int)
    parser.add_argument("--collection", type=Path, action="append", default=[])
    asked = parser.parse_args()
    corpus = Corpus(asked.out)
    if corpus.is_whole:
        print(f"{asked.out} is there")
        return
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    prepare(asked.data, corpus, articles=asked.articles, collections=asked.collection)


def prepare(data: Path, corpus: Corpus, *, articles: int | None, collections: Sequence[Path]) -> None:
    """Write the common input."""
    services = Services(Settings(data=data))
    source = Source(services.store, services.embedder)
    shutil.copytree(data / "models", corpus.folder / "models")  # a conversion is not made once for each size
    ids = services.store.live_ids()
    random.Random(SEED).shuffle(ids)
    ids = ids[:articles]
    some = list(services.store.live(ids[:ASKED_ABOUT]).values())
    fields = [{"title": article.title, "body": article.body} for article in sorted(some, key=lambda one: one.id)]
    size = write(corpus, chosen(services.store, ids, collections), source)
    corpus.close(size, queries_from(fields, count=QUERIES))
    services.close()
    print(f"{corpus.folder}: {size.articles:,} articles, {size.passages:,} passages")


def chosen(store: Store, ids: Sequence[str], collections: Sequence[Path]) -> Iterator[list[Article]]:
    """Yield the archive's articles, then those of the collections, some at a time."""
    for start in range(0, len(ids), BATCH):
        yield list(store.live(ids[start : start + BATCH]).values())
    for directory in collections:
        split = sorted((directory / "qrels").glob("*.tsv"))[0].stem
        documents = list(read_collection(directory, split=split).articles)
        for start in range(0, len(documents), BATCH):
            yield documents[start : start + BATCH]


def write(corpus: Corpus, batches: Iterator[list[Article]], source: Source) -> Size:
    """Write articles, passages and vectors, and return how much that was."""
    articles = passages = text_bytes = 0
    kept: list[NDArray[np.float32]] = []
    folder = corpus.folder
    with (
        (folder / "articles.jsonl").open("w", encoding="utf-8") as article_file,
        (folder / "passages.jsonl").open("w", encoding="utf-8") as passage_file,
    ):
        for batch in batches:
            hashes, texts = [], []
            for article in batch:
                print(json.dumps(fields_of(article), ensure_ascii=False), file=article_file)
                context = title_context(article, source.embedder.token_spans)
                for passage in source.passages(article):
                    text = embedding_text(context, article.body[passage.start : passage.end])
                    print(json.dumps(row_of(passage, text), ensure_ascii=False), file=passage_file)
                    hashes.append(passage.text_hash)
                    texts.append(text)
                text_bytes += len(article.title.encode()) + len(article.body.encode())
            if texts:
                kept.append(source.vectors(hashes, texts))
            articles += len(batch)
            passages += len(texts)
    np.save(folder / "vectors.npy", np.concatenate(kept))
    return Size(articles=articles, passages=passages, text_bytes=text_bytes)


def row_of(passage: Passage, text: str) -> dict[str, object]:
    """Return a passage and its text, as JSON has it."""
    name = f"{passage.article_id}-{passage.ordinal}"
    return {"id": name, "article": passage.article_id, "text": text, "start": passage.start, "end": passage.end}


def fields_of(article: Article) -> dict[str, object]:
    """Return what an article says of itself, as JSON has it."""
    return {
        "id": article.id,
        "title": article.title,
        "body": article.body,
        "url": article.url,
        "source": article.source,
        "section": article.section,
        "authors": article.authors,
        "language": article.language,
        "published_at": article.published_at.isoformat() if article.published_at else None,
        "derived_title": article.derived_title,
    }


if __name__ == "__main__":
    main()
