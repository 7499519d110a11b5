"""Searching: Backfile beside its peers over the same articles, queries in turn, each with its embedding, none cached.

    python -m benchmarks.search WORK/1000 WORK/10000 WORK/all
    python -m benchmarks.search WORK/1000 --only ours txtai LanceDB --queries 120

Each argument is a folder that `benchmarks.peers.prepare` made; what has no index there yet is built first (with
`--build`, that is all), one engine at a time. Ten articles are asked for: engines of passages are asked for 25. The
largest folder decides the checks. Judged quality is `benchmarks.quality`.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import WORK, Check, Series, Table, disk_bytes, median, percentile, ratios, report, told
from benchmarks.peers.corpus import Corpus, Size
from benchmarks.peers.talk import ENGINES, Answers, Engine, ask_in_turn, build, index_of, processes

BLOCK = 20  # queries an engine is asked before the next has its turn
PASSAGES = 25  # ten articles of two and a half passages
RATIO, TAIL = 0.4, 3.0  # the bars: of a peer's p50; of one's own p50
HYBRID = ("txtai", "LanceDB")
OURS = (
    ("ours", "the whole answer with total, facets, snippets and reasons"),
    ("ours, ranking alone", "the ten best articles alone"),
)
CURVES = ("ours", "txtai", "LanceDB")
MB = 1_000_000
NOTHING = 65_536  # bytes: a folder that holds no index


@dataclass(frozen=True, slots=True)
class Found:
    """What was found over one corpus."""

    corpus: Path
    size: Size
    answers: Mapping[str, Answers]
    builds: Mapping[str, dict[str, Any]]


def main() -> None:
    """Build, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--only", nargs="+", choices=[engine.name for engine in ENGINES], metavar="ENGINE")
    parser.add_argument("--queries", type=int, help="ask no more than so many of the 600")
    parser.add_argument("--build", action="store_true", help="build what is missing and ask nothing")
    asked = parser.parse_args()
    engines = [engine for engine in ENGINES if asked.only is None or engine.name in asked.only]
    for corpus in asked.corpora:
        for engine in engines:
            print(f"{corpus}: {engine.name}", flush=True)
            build(engine, corpus.resolve())
    if not asked.build:
        found = [measured(corpus.resolve(), engines, queries=asked.queries) for corpus in asked.corpora]
        is_whole = asked.only is None and asked.queries is None
        show(sorted(found, key=lambda one: one.size.articles), work=WORK if is_whole else WORK / "partial")


def measured(folder: Path, engines: Sequence[Engine], *, queries: int | None) -> Found:
    """Ask every engine the first `queries` queries of one corpus."""
    corpus = Corpus(folder)
    with processes(engines, folder) as started:
        answers = ask_in_turn(started, corpus.queries[:queries], block=BLOCK, passages=PASSAGES)
    builds = {engine.name: json.loads((index_of(engine, folder) / "build.json").read_text()) for engine in engines}
    for engine in engines:
        builds[engine.name]["disk"] = disk_bytes(index_of(engine, folder))
    return Found(folder, corpus.size, answers, builds)


def show(found: Sequence[Found], *, work: Path) -> None:
    """Report all of it; a run of some engines or queries stays out of the results."""
    largest = found[-1]
    report(
        "search",
        title="Searching, beside the peers",
        checks=checks(largest) if "ours" in largest.answers else [],
        tables=[*(query_table(one) for one in found), *(cost_table(one) for one in found), settings_table(largest)],
        series=[one for name in CURVES if name in largest.answers for one in curves(name, found)],
        notes=[
            f"Queries are asked in blocks of {BLOCK}, by turns; times are medians of the blocks' medians, with"
            " their quartiles; ratios are taken block by block. tantivy, bm25s and Whoosh embed nothing.",
            "Vectors were computed once and given to every engine, so build times contain no embedding.",
        ],
        work=work,
    )


def checks(found: Found) -> list[Check]:
    """Return what is to be shown of the largest archive: of whole answers, and of what the peers give, ten articles."""
    asked = f"{found.size.articles:,} articles: hybrid query"
    lines = [
        against(found, name, peer, title=f"{asked}, {what}, p50 of {peer}'s")
        for name, what in OURS
        if name in found.answers
        for peer in HYBRID
    ]
    ours = found.answers["ours"]
    tail = percentile(ours.seconds, 0.99) / median(ours.seconds)
    return [*lines, Check("p99 of its own p50", f"at most {TAIL:.0f} times", f"{tail:.2f}", tail <= TAIL)]


def against(found: Found, name: str, peer: str, *, title: str) -> Check:
    """Return how one of our ways to ask compares with a peer."""
    bar = f"at most {RATIO}"
    if peer not in found.answers:
        return Check(title, bar, "not asked", None)
    compared = block_ratios(found.answers[name], found.answers[peer])
    return Check(title, bar, told(compared), median(compared) <= RATIO)


def block_ratios(one: Answers, other: Answers) -> list[float]:
    """Return the ratio of the medians of each block that both were asked."""
    return ratios([median(block) for block in one.blocks], [median(block) for block in other.blocks])


def query_table(found: Found) -> Table:
    """Return how long queries took."""
    rows: list[list[str | int | float | None]] = []
    ours = found.answers.get("ours")
    for name, answers in found.answers.items():
        medians = [median(block) * 1000 for block in answers.blocks]
        ratio = told(block_ratios(ours, answers)) if ours and name != "ours" else None
        p99 = percentile(answers.seconds, 0.99) * 1000
        rows.append([name, told(medians), p99, p99 / median(answers.seconds) / 1000, ratio, len(answers.seconds)])
    title = f"Query time, {found.size.articles:,} articles"
    return Table(title, ["engine", "p50 ms", "p99 ms", "p99 / p50", "ours / its p50", "queries"], rows)


def cost_table(found: Found) -> Table:
    """Return what building and serving took."""
    rows: list[list[str | int | float | None]] = []
    for name, answers in found.answers.items():
        built = found.builds[name]
        cost: list[float | int | None] = [None] * 5
        if built["disk"] > NOTHING:
            rate, disk = found.size.articles / built["seconds"], built["disk"]
            work = built["cpu_seconds"] / found.size.articles * 1000 if "cpu_seconds" in built else None
            cost = [rate, work, round(built["peak"] / MB), round(disk / MB), disk / found.size.text_bytes]
        rows.append([name, *cost, round(answers.resident / MB), round(answers.unshared / MB), answers.opened])
    title = f"Building and serving, {found.size.articles:,} articles, {found.size.passages:,} passages"
    columns = [
        "built, articles/s",
        "CPU s / 1,000",
        "build peak MB",
        "disk MB",
        "disk / text",
        "resident MB",
        "unshared MB",
        "opened s",
    ]
    return Table(title, ["engine", *columns], rows)


def settings_table(found: Found) -> Table:
    """Return how every engine was set up."""
    rows = [
        [name, built["settings"], ", ".join(f"{library} {version}" for library, version in built["versions"].items())]
        for name, built in found.builds.items()
        if not name.endswith("alone")
    ]
    return Table("How they were set up", ["engine", "settings", "versions"], rows)


def curves(name: str, found: Sequence[Found]) -> list[Series]:
    """Return an engine's lines of the cost curve."""

    def points(value: dict[Path, float]) -> list[tuple[float, float]]:
        return [(one.size.articles, value[one.corpus]) for one in found]

    return [
        Series("query time", "ms", name, points({f.corpus: median(f.answers[name].seconds) * 1000 for f in found})),
        Series(
            "ingest rate",
            "articles/s",
            name,
            points({f.corpus: f.size.articles / f.builds[name]["seconds"] for f in found}),
        ),
        Series("memory", "MB", name, points({f.corpus: f.answers[name].resident / MB for f in found})),
        Series("disk", "MB", name, points({f.corpus: f.builds[name]["disk"] / MB for f in found})),
    ]


if __name__ == "__main__":
    main()
