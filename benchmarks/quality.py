"""Judged quality among distractors: Backfile beside txtai and LanceDB over one corpus, each in its hybrid search.

    python -m benchmarks.quality WORK/mixed COLLECTION [COLLECTION ...]

WORK/mixed is a folder that `benchmarks.peers.prepare` made with `--collection` for each of these; what has no index
there yet is built first. Every judged query is asked as the words it is; engines of passages are asked for 250, that
is, for 100 articles. Differences are given with their 95% intervals.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Check, Table, report
from benchmarks.peers.corpus import Corpus
from benchmarks.peers.talk import ENGINES, Engine, build, processes
from index.engine import Floats
from index.evaluation.chance import Chance, interval
from index.evaluation.collection import Collection, read_collection
from index.evaluation.measures import Run, figures

MEASURE = "nDCG@10"
PASSAGES = 250  # a hundred articles
OURS, PEERS = "ours, ranking alone", ("txtai", "LanceDB")
SPLIT = "test"


def main() -> None:
    """Ask and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--only", nargs="+", default=[OURS, *PEERS], metavar="ENGINE")
    parser.add_argument("--build", action="store_true", help="build what is missing and ask nothing")
    asked = parser.parse_args()
    folder = asked.corpus.resolve()
    engines = [engine for engine in ENGINES if engine.name in asked.only]
    for engine in engines:
        build(engine, folder)
    if asked.build:
        return
    collections = [read_collection(directory, split=SPLIT) for directory in asked.collections]
    measured = {collection.name: judged(folder, engines, collection) for collection in collections}
    articles = Corpus(folder).size.articles
    report(
        "quality",
        title=f"Judged quality among {articles:,} articles",
        checks=[one for name, values in measured.items() for one in checks(name, values)],
        tables=[table(measured)],
    )


def judged(folder: Path, engines: Sequence[Engine], collection: Collection) -> Mapping[str, Floats]:
    """Return every engine's figure for each query, in the order of the queries' ids."""
    texts = collection.judged.queries
    values = {}
    with processes(engines, folder) as started:
        for name, process in started.items():
            found = process.ask(list(texts.values()), passages=PASSAGES)["found"]
            # an article of the archive that no collection knows keeps its own id, and is judged irrelevant
            run: Run = {
                query_id: [collection.names.get(article_id, article_id) for article_id in ids]
                for query_id, ids in zip(texts, found, strict=True)
            }
            values[name] = figures(run, collection.judged.qrels, [MEASURE])[MEASURE]
    return values


def checks(collection: str, values: Mapping[str, Floats]) -> list[Check]:
    """Return whether ours is no lower than each peer's."""
    lines = []
    for peer in PEERS:
        if peer in values and OURS in values:
            ours, theirs = float(values[OURS].mean()), float(values[peer].mean())
            low, high = interval(values[OURS] - values[peer], Chance())
            told = f"{ours:.4f} to {theirs:.4f}, difference {ours - theirs:+.4f} ({low:+.4f} to {high:+.4f})"
            lines.append(
                Check(f"{collection}: {MEASURE} no lower than {peer}'s", "at least equal", told, ours >= theirs)
            )
    return lines


def table(measured: Mapping[str, Mapping[str, Floats]]) -> Table:
    """Return every mean."""
    engines = list(next(iter(measured.values())))
    rows: list[list[str | int | float | None]] = []
    for name, values in measured.items():
        rows.append([name, len(values[engines[0]]), *(float(values[engine].mean()) for engine in engines)])
    return Table(f"{MEASURE}, hybrid", ["collection", "queries", *engines], rows)


if __name__ == "__main__":
    main()
