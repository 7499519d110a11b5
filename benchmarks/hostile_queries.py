"""How long the endpoint takes for queries that nobody means well, over an archive of real size.

    PYTHONPATH=. python benchmarks/hostile_queries.py DATA [COUNT]

DATA is a data folder that `flask ingest` made. Queries are generated (a fixed seed) from the archive's own words, every
operator, and signs of all kinds; a list of the worst we know of comes first. Prints the median, the 99th percentile and
the slowest, each as a multiple of the median of plain searches for two words, and the queries that were slowest.
"""

import random
import statistics
import sys
import time
from pathlib import Path

from flask.testing import FlaskClient

from index.query import MAX_CLAUSES, MAX_QUERY_CHARS
from web import create_app
from web.services import Services
from web.settings import Settings

STOP = [
    *("the", "of", "to", "and", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not"),
    *("he", "his", "but", "at", "are", "this", "have", "from", "they", "we"),
]
WORST = [
    " ".join(f'"{" ".join(STOP[n : n + 3])}"~20' for n in range(MAX_CLAUSES // 2)),
    " ".join(f'"{" ".join(STOP[n : n + 6])}"' for n in range(MAX_CLAUSES // 2)),
    " ".join(f"{word}~" for word in ["that", "with", "from", "they", "have", "this", "were", "said", "will", "been"]),
    " ".join(f"-{word}" for word in STOP[:MAX_CLAUSES]),
    " OR ".join(STOP * 10),
    "(" * 4 + "a OR b" + ")" * 4,
    "(" * 1000 + "a" + ")" * 900,
    "a " * (MAX_QUERY_CHARS // 2),
    "x" * MAX_QUERY_CHARS,
    "e\u0301" * (MAX_QUERY_CHARS // 2),
    "pre* con* sta* int*",
    '"' * MAX_QUERY_CHARS,
    "after:" * 300,
    "\u202e\u0000\ufeff trump",
]
OPERATORS = [
    '"',
    "(",
    ")",
    "~",
    "~5",
    "*",
    "-",
    " OR ",
    "title:",
    "source:",
    "after:",
    "on:",
    "NOT ",
    "|",
    ":",
    "\u201c",
]


def generated(count: int, words: list[str]) -> list[str]:
    chance = random.Random(7)
    pieces = [*words, *STOP, *OPERATORS, "2016", "last week", "\u00e9", "\u4e2d", "\U0001f600"]
    return ["".join(chance.choice(pieces) + chance.choice(["", " ", " "]) for _ in range(chance.randint(1, 40)))
            for _ in range(count)]  # fmt: skip


def timed(client: FlaskClient, query: str, **parameters: str) -> tuple[float, int]:
    started = time.perf_counter()
    answer = client.get("/api/search", query_string={"q": query, **parameters})
    return time.perf_counter() - started, answer.status_code


def main(data: Path, count: int) -> None:
    services = Services(Settings(data=data))
    services.warm_up()
    client = create_app(services=services).test_client()
    held = services.store.live(services.store.live_ids()[:: max(1, count // 50)][:200])
    words = sorted({word for article in held.values() for word in article.title.split()})
    chance = random.Random(1)
    plain = statistics.median(timed(client, " ".join(chance.sample(words, 2)))[0] for _ in range(60))
    queries = [query[:MAX_QUERY_CHARS] for query in [*WORST, *generated(count, words)]]
    modes = ["hybrid", "keyword", "semantic"]
    results = [(*timed(client, query, mode=modes[n % 3], explain="1"), query) for n, query in enumerate(queries)]
    taken = sorted(seconds for seconds, _, _ in results)
    print(f"{len(queries)} queries over {len(services.store.live_ids()):,} articles; a plain search is 1.0")
    for name, value in (
        ("median", taken[len(taken) // 2]),
        ("p99", taken[int(len(taken) * 0.99)]),
        ("slowest", taken[-1]),
    ):
        print(f"  {name:8} {value / plain:7.1f}   ({value:.3f} s on this machine)")
    print("  answers", {code: sum(status == code for _, status, _ in results) for code in {s for _, s, _ in results}})
    for seconds, status, query in sorted(results, reverse=True)[:8]:
        print(f"  {seconds / plain:7.1f}  {status}  {query[:90]!r}")
    services.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2_000)
