"""Works out what an archive of so many passages needs: the tables of docs/scaling.md, for numbers of your own.

    python deploy/cluster/plan.py 10000000 100000000 1000000000

Invariant: every constant says where it is from. What stands as "assumed" was neither measured nor published, and is to
be replaced by a measurement before anything is bought.
"""

import argparse
from dataclasses import dataclass

# Measured by us, on two cores (benchmarks/RESULTS.md)
PASSAGES_AN_ARTICLE = 2.5  # 251,458 of 100,043
TEXT_BYTES = 1_750  # an article: 175 MB of 100,043
FILE_BYTES = 2_670  # an article in the archive's file, embeddings included: 267 MB
WORDS = 290  # an article, at six bytes a word
EMBEDDED = 83.5 / 2  # passages of 179 tokens a second and core, AVX-512 with bf16
ANSWERED = 47.0 / 2  # whole answers a second and core, two workers, sixteen clients
PROCESS_BYTES = 120e6  # Python, libraries and model (docs/operations.md, "Memory")
GROWN_BYTES = 1_640  # an article, unshared, in today's server: 234 MB at 10,000 articles, 382 at 100,043
WRITTEN = 100.0  # articles a second by the one writer of PostgreSQL (decision 69: "some hundred")

# Design
DIMENSIONS = 384
CATALOGUE_BYTES = 60  # an article, in each web process
STATISTICS_BYTES = 50  # a word of the vocabulary: "some tens"

# Published
HNSW_LINK_BYTES = 32 * 4  # Milvus, "Index Explained": 32 links of 4 bytes a vector
LIST_BYTES = 2  # the same: the list that a vector is in
RABITQ_BYTES = 3 * 4  # Milvus, "Bring Vector Compression to the Extreme": three numbers beside the bits of a vector
DISKANN_MEMORY = 0.125 + 0.125  # of the vectors. Milvus, "On-disk Index": PQCodeBudgetGBRatio, SearchCacheBudgetGBRatio
DISKANN_LINKS = 56  # the same: MaxDegree
HEAPS = (44, 0.49)  # vocabulary of Reuters' news by its words: Manning, Raghavan and Schütze, 5.1.1
HNSW_SEARCHES = 6_904 / 12  # a second and core, 1,000,000 vectors of 128 dimensions: Milvus 2.1 benchmark report
REFINED_SEARCHES = 864 / 8  # the same with 768 dimensions, recall .947: "Bring Vector Compression to the Extreme"
RABITQ_SEARCHES = 898 / 8  # the same, not refined, recall .76

# Assumed
SCALARS_BYTES = 100  # a row: ids, source, section, author, language, dates, as Milvus holds them for filters
POSTING_BYTES = 8  # a different word of an article in Milvus' sparse index
DIFFERENT_WORDS = 150  # of an article's 290
POSTGRES_TIMES = 2.0  # PostgreSQL's tables and indexes to the archive's file, room for VACUUM left out
NODE_GB = 128  # memory of a query node's machine
NODE_FILLED = 0.7  # of it, so that segments can be loaded and merged
COPIES = 2  # of the index in memory, so that one may be lost
HNSW_UP_TO = 30_000_000  # passages: 50 GB of vectors a copy
REFINED_UP_TO = 300_000_000  # 134 GB


@dataclass(frozen=True)
class Kind:
    """A kind of vector index, by what a vector takes in memory and on a query node's disk, in bytes."""

    name: str
    memory: float
    disk: float
    million: float | None  # core-seconds that one search of a million vectors takes, where somebody published it


RAW = DIMENSIONS * 4
BITS = DIMENSIONS / 8 + RABITQ_BYTES + LIST_BYTES
KINDS = [
    HNSW := Kind("HNSW", RAW + HNSW_LINK_BYTES, 0, (DIMENSIONS / 128) / HNSW_SEARCHES),
    Kind("IVF_SQ8", DIMENSIONS + LIST_BYTES, 0, None),
    REFINED := Kind("IVF_RABITQ, refined by SQ8", BITS + DIMENSIONS, 0, (DIMENSIONS / 768) / REFINED_SEARCHES),
    RABITQ := Kind("IVF_RABITQ", BITS, 0, (DIMENSIONS / 768) / RABITQ_SEARCHES),
    Kind("DISKANN", RAW * DISKANN_MEMORY, RAW + DISKANN_LINKS * 4, None),
]


def chosen(passages: int) -> Kind:
    """Return the kind of index that this page proposes for so many passages."""
    if passages <= HNSW_UP_TO:
        return HNSW
    return REFINED if passages <= REFINED_UP_TO else RABITQ


@dataclass(frozen=True)
class Plan:
    """What so many passages need. Sizes are in GB of a thousand million bytes."""

    passages: int
    kind: Kind

    @property
    def articles(self) -> float:
        """Return how many articles they are of."""
        return self.passages / PASSAGES_AN_ARTICLE

    @property
    def vectors(self) -> float:
        """Return what the vectors of one copy take in memory."""
        return self.passages * self.kind.memory / 1e9

    @property
    def words(self) -> float:
        """Return the same for the words of the articles."""
        return self.articles * DIFFERENT_WORDS * POSTING_BYTES / 1e9

    @property
    def scalars(self) -> float:
        """Return the same for what filters ask."""
        return self.passages * SCALARS_BYTES / 1e9

    @property
    def index(self) -> float:
        """Return what one copy of one generation takes in the memory of all query nodes."""
        return self.vectors + self.words + self.scalars

    @property
    def at_most(self) -> float:
        """Return what is in memory while a new generation is loaded beside the one that serves, in all copies."""
        return self.index * COPIES * 2

    @property
    def nodes(self) -> int:
        """Return how many query nodes hold that."""
        return max(COPIES, -int(-self.at_most // (NODE_GB * NODE_FILLED)))

    @property
    def vocabulary(self) -> float:
        """Return how many different words there are, by Heaps' law."""
        k, b = HEAPS
        return float(k * (self.articles * WORDS) ** b)

    @property
    def web(self) -> float:
        """Return what a web process keeps by the design."""
        kept = self.articles * CATALOGUE_BYTES + self.vocabulary * STATISTICS_BYTES
        return (PROCESS_BYTES + kept) / 1e9

    @property
    def web_today(self) -> float:
        """Return what it would be if it grew on as the server of one machine does."""
        return (PROCESS_BYTES + self.articles * GROWN_BYTES) / 1e9

    @property
    def postgres(self) -> float:
        """Return what the articles take on the disk of one PostgreSQL server."""
        return self.articles * FILE_BYTES * POSTGRES_TIMES / 1e9

    @property
    def search(self) -> float:
        """Return the core-seconds that one search of all vectors takes in Milvus."""
        return self.passages / 1e6 * (self.kind.million or 0)

    @property
    def core_days(self) -> float:
        """Return what embedding takes, in days of one core."""
        return self.passages / EMBEDDED / 86_400

    @property
    def writing_days(self) -> float:
        """Return how long one writer takes for all articles."""
        return self.articles / WRITTEN / 86_400


def size(gb: float) -> str:
    """Return a size with two digits that count."""
    if gb >= 1_000:
        return f"{gb / 1_000:.2g} TB"
    return f"{gb:.0f} GB" if gb >= 10 else f"{gb:.1f} GB"


def count(number: float) -> str:
    """Return a number with its thousands apart, or in millions."""
    return f"{number / 1e6:,.0f} million" if number >= 1e6 else f"{number:,.0f}"


def seconds(value: float) -> str:
    """Return core-seconds as one would say them."""
    return f"{value * 1_000:.0f} ms" if value < 1 else f"{value:.1f} s"


def days(value: float) -> str:
    """Return days, or hours where they are few."""
    hours = round(value * 24)
    if hours < 48:
        return "an hour" if hours <= 1 else f"{hours} hours"
    return f"{value:,.0f} days"


def table(title: str, rows: list[tuple[str, list[str]]], heads: list[str]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {title} | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def kinds() -> str:
    """Return the table of the kinds of index."""
    head = ["bytes of memory a passage", "bytes of disk on the node", "core-ms a search and million"]
    rows = [
        (
            kind.name,
            [
                f"{kind.memory:,.0f}",
                f"{kind.disk:,.0f}" if kind.disk else "",
                f"{kind.million * 1e3:.1f}" if kind.million else "",
            ],
        )
        for kind in KINDS
    ]
    return table("kind", rows, head)


def plans(sizes: list[int]) -> str:
    """Return the table of the plans."""
    made = [Plan(passages, chosen(passages)) for passages in sizes]
    rows = [
        ("articles", [count(plan.articles) for plan in made]),
        ("text", [size(plan.articles * TEXT_BYTES / 1e9) for plan in made]),
        ("**index in Milvus**", [plan.kind.name for plan in made]),
        ("its vectors", [size(plan.vectors) for plan in made]),
        ("its words", [size(plan.words) for plan in made]),
        ("its fields for filters", [size(plan.scalars) for plan in made]),
        ("one copy of one generation", [size(plan.index) for plan in made]),
        ("two copies of two generations", [size(plan.at_most) for plan in made]),
        (f"query nodes of {NODE_GB} GB", [f"{plan.nodes}" for plan in made]),
        ("**a search of all vectors**, in core time", [seconds(plan.search) for plan in made]),
        ("searches a second on 64 cores, at best", [f"{64 / plan.search:,.0f}" for plan in made]),
        ("**a web process**, by the design", [size(plan.web) for plan in made]),
        ("the same, if it grew on as today's does", [size(plan.web_today) for plan in made]),
        ("**PostgreSQL**, one copy on disk", [size(plan.postgres) for plan in made]),
        ("writing all articles, one after the other", [days(plan.writing_days) for plan in made]),
        ("**embedding**, on one core", [days(plan.core_days) for plan in made]),
        ("the same on 64 cores", [days(plan.core_days / 64) for plan in made]),
    ]
    return table("passages", rows, [count(passages) for passages in sizes])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What an archive of so many passages needs, as tables in Markdown.")
    parser.add_argument("passages", nargs="*", type=int, default=[10_000_000, 100_000_000, 1_000_000_000])
    given = parser.parse_args().passages
    print(f"{kinds()}\n\n{plans(given)}")


if __name__ == "__main__":
    main()
