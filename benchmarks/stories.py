"""Are stories told well, and alike however articles arrive? Over labelled events, by the bundled model.

    python -m benchmarks.stories CLUSTERS.jsonl                 (300 articles on a slow processor: five minutes)
    python -m benchmarks.stories CLUSTERS.jsonl --batch 1 --seeds 5

The file is what `flask evaluate --related` takes: articles with a `cluster` each. It is ingested into archives of their
own in a temporary folder, each text being embedded once: all articles at once, a few at a time in the order of their
dates, and a few at a time shuffled. An index is published and stories are told after each few.
"""

import argparse
import random
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from archive.article import Article
from archive.store import Store
from benchmarks.measure import Check, Table, report
from index.build import Builder
from index.embedder import BUNDLED, Embedder, open_embedder
from index.evaluation.clusters import adjusted_rand, bcubed
from index.evaluation.collection import Collection, read_clusters
from index.evaluation.workbench import Remembering
from index.local_generations import LocalGenerations
from index.serving import Serving
from index.stories.telling import tell_stories
from web.keyword_formats import KeywordFormats

WELL, ALIKE = 0.92, 0.9  # the bars: B-cubed F1, and adjusted Rand index with what is told from scratch
EARLY = datetime(1, 1, 1, tzinfo=UTC)


def main() -> None:
    """Tell, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--batch", type=int, default=10, help="articles that arrive together")
    parser.add_argument("--seeds", type=int, default=3, help="how often they arrive shuffled")
    asked = parser.parse_args()
    collection = read_clusters(asked.file)
    articles = sorted(collection.articles, key=lambda article: (article.published_at or EARLY, article.id))
    arrivals: dict[str, list[Sequence[Article]]] = {
        "from scratch": [articles],
        "by date": batches(articles, asked.batch),
    }
    for seed in range(asked.seeds):
        shuffled = random.Random(seed).sample(articles, len(articles))
        arrivals[f"shuffled, seed {seed}"] = batches(shuffled, asked.batch)
    with tempfile.TemporaryDirectory() as folder:
        embedder = Remembering(open_embedder(BUNDLED, runtime="openvino", cache=Path(folder) / "models"))
        told = {
            name: stories(Path(folder) / str(number), arrival, embedder)
            for number, (name, arrival) in enumerate(arrivals.items())
        }
    show(collection, told)


def batches(articles: Sequence[Article], size: int) -> list[Sequence[Article]]:
    """Return the articles, so many at a time."""
    return [articles[start : start + size] for start in range(0, len(articles), size)]


def stories(folder: Path, arrivals: Sequence[Sequence[Article]], embedder: Embedder) -> dict[str, int]:
    """Return the story of each article that is in one, after they have all arrived."""
    store, formats = Store(folder / "archive.sqlite3"), KeywordFormats()
    generations = LocalGenerations(folder / "index", formats=formats)
    builder = Builder(generations, store, embedder)
    serving = Serving(generations, store)
    try:
        for arrival in arrivals:
            for article in arrival:
                store.put(article)
            builder.update()
            serving.catch_up()
            with serving.engine() as (engine, _):
                tell_stories(store, engine)
        return store.stories_of(store.live_ids())
    finally:
        serving.close()
        store.close()


def show(collection: Collection, told: dict[str, dict[str, int]]) -> None:
    """Report how well each telling agrees with the labels, and with what is told from scratch."""
    labelled = {article: min(article, *grades) for article, grades in collection.judged.qrels.items()}
    alone: dict[str, str | int] = {article: article for article in collection.names}
    (_, scratch), *_ = told.items()
    well = {name: bcubed(found, labelled) for name, found in told.items()}
    alike = {name: adjusted_rand({**alone, **found}, {**alone, **scratch}) for name, found in told.items()}
    rows = [
        (name, *well[name], alike[name], len(set(found.values())), max(map(list(found.values()).count, found.values())))
        for name, found in told.items()
    ]
    columns = ["arrival", "precision", "recall", "B-cubed F1", "adjusted Rand", "stories", "largest"]
    worst, least = min(f1 for *_, f1 in well.values()), min(alike.values())
    checks = [
        Check("stories are those of the labels", f"B-cubed F1 of {WELL} or more", f"{worst:.3f}", worst >= WELL),
        Check("alike however they arrive", f"adjusted Rand of {ALIKE} or more", f"{least:.3f}", least >= ALIKE),
    ]
    title = f"Stories of {collection.name}: {len(collection.names):,} articles"
    report("stories", title=title, checks=checks, tables=[Table("Told", columns, rows)])


if __name__ == "__main__":
    main()
