"""Our server beside txtai's over the same articles: cold start, memory, one client, sixteen clients, unchanged answers.

    python -m benchmarks.serving DATA
    python -m benchmarks.serving data --corpus benchmarks/.work/100000 --rounds 5

DATA is a data folder with a published index. CORPUS is the common input made from it, with txtai's index built (see
`benchmarks/search.py`); without it only our server is measured. Queries are drawn from the archive, each asked once, so
that nothing is answered from a cache; txtai is asked for ten rows, its default, and we for ten articles with their
snippets and facets.
"""

import argparse
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from archive.store import Store
from benchmarks.measure import Check, Series, Table, median, percentile, report, told
from benchmarks.peers.queries import queries_from
from benchmarks.servers import Running, Server, ours, running, txtai

CLIENTS = 16
ASKED_ABOUT = 2_000  # articles that queries are drawn from
WARM_UP = 40  # queries asked of each server before anything is measured
ALONE = 60  # queries a round by one client
CROWDED = 240  # queries a round by all clients together
UNCHANGED = 200  # times one answer is asked for again
ROUNDS = 5
SEED = 7
MIB = 2**20


@dataclass(slots=True)
class Measured:
    """What one server did, round after round."""

    cold: list[float] = field(default_factory=list)
    resident: int = 0
    unshared: int = 0
    alone: list[float] = field(default_factory=list)  # seconds, one client
    took: list[float] = field(default_factory=list)  # milliseconds of search in those
    crowded: list[float] = field(default_factory=list)  # seconds, all clients
    rates: list[float] = field(default_factory=list)  # answers a second, all clients
    errors: list[str] = field(default_factory=list)
    size: float = 0.0  # bytes of an answer


class Questions:
    """Queries, each given out once."""

    def __init__(self, data: Path, count: int) -> None:
        """Draw them from the archive in `data`."""
        store = Store(data / "archive.sqlite3")
        ids = random.Random(SEED).sample(sorted(store.live_ids()), min(ASKED_ABOUT, store.stats().articles))
        articles = [{"title": one.title, "body": one.body} for one in store.live(ids).values()]
        self.articles = store.stats().articles
        store.close()
        made = queries_from(articles, count=count, seed=SEED)
        random.Random(SEED).shuffle(made)
        if len(made) < count:
            raise SystemExit(f"only {len(made)} different queries can be drawn from this archive: lower --rounds")
        self._left = iter(made)

    def next(self, count: int) -> list[str]:
        """Return so many that nobody was given."""
        return list(islice(self._left, count))


def main() -> None:
    """Read the command line, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    data = asked.data.resolve()
    peer = txtai(asked.corpus.resolve()) if asked.corpus else None
    servers = [ours(data), *([peer] if peer else []), ours(data, workers=2)]
    each = asked.rounds * (ALONE + CROWDED) + WARM_UP + asked.rounds
    questions = Questions(data, each + 1)
    measured = {server.name: Measured() for server in servers}
    cold_starts(servers, measured, questions, rounds=asked.rounds)
    unchanged = under_load(servers, measured, questions, rounds=asked.rounds)
    tell(measured, unchanged, articles=questions.articles)


def cold_starts(
    servers: Sequence[Server], measured: Mapping[str, Measured], questions: Questions, *, rounds: int
) -> None:
    """Start each server in turn, to its first answer; what it reads lies in the system's cache soon."""
    for query in questions.next(rounds):
        for server in servers:
            with running(server, first=query) as one:
                measured[server.name].cold.append(one.cold)


def under_load(
    servers: Sequence[Server], measured: Mapping[str, Measured], questions: Questions, *, rounds: int
) -> list[float]:
    """Ask all servers in turn, alone and by many clients; return the seconds of answers that were known already."""
    first = questions.next(1)[0]
    with ExitStack() as stack:
        started = {server.name: stack.enter_context(running(server, first=first)) for server in servers}
        warm = questions.next(WARM_UP)
        for one in started.values():
            one.load(warm, clients=4)
        for _ in range(rounds):
            alone, crowded = questions.next(ALONE), questions.next(CROWDED)
            for name, one in started.items():
                note_alone(measured[name], one.load(alone, clients=1))
                note_crowded(measured[name], one.load(crowded, clients=CLIENTS))
        for name, one in started.items():
            measured[name].resident, measured[name].unshared = one.memory()
        return known_already(started["ours"], first)


def note_alone(measured: Measured, told_by_load: dict[str, Any]) -> None:
    """Keep what one client was told."""
    measured.alone += told_by_load["seconds"]
    measured.took += told_by_load["took"]
    measured.errors += told_by_load["errors"]
    measured.size = told_by_load["bytes"] / max(len(told_by_load["seconds"]), 1)


def note_crowded(measured: Measured, told_by_load: dict[str, Any]) -> None:
    """Keep what many clients were told."""
    measured.crowded += told_by_load["seconds"]
    measured.rates.append(len(told_by_load["seconds"]) / told_by_load["elapsed"])
    measured.errors += told_by_load["errors"]


def known_already(one: Running, query: str) -> list[float]:
    """Return the seconds in which the server says that an answer has not changed."""
    path = one.server.path + quote_plus(query)
    connection = HTTPConnection(urlsplit(one.address).netloc)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    tag, seconds = answer.headers["ETag"], []
    for _ in range(UNCHANGED):
        started = time.perf_counter()
        connection.request("GET", path, headers={"If-None-Match": tag})
        again = connection.getresponse()
        again.read()
        if again.status == 304:
            seconds.append(time.perf_counter() - started)
    connection.close()
    return seconds


def tell(measured: Mapping[str, Measured], unchanged: Sequence[float], *, articles: int) -> None:
    """Report."""
    mine, peer = measured["ours"], measured.get("txtai")
    added = 1000 * median(mine.alone) - median(mine.took)
    tail = percentile(mine.crowded, 0.99) / median(mine.alone)
    checks = [
        Check("HTTP and JSON add to p50", "at most 3 ms", f"{added:.2f} ms", added <= 3),
        Check("16 clients: errors", "none", str(len(mine.errors)), not mine.errors),
        Check("16 clients: p99 to the single-client p50", "at most 10", f"{tail:.1f}", tail <= 10),
        Check(
            "an unchanged answer is told without searching",
            "304",
            f"{len(unchanged)} of {UNCHANGED}, {1000 * median(unchanged or [0.0]):.2f} ms",
            len(unchanged) == UNCHANGED,
        ),
        *beside_txtai(mine, peer),
    ]
    report(
        "serving",
        title=f"Serving {articles:,} articles",
        checks=checks,
        tables=[Table("Servers", COLUMNS, [row(name, one) for name, one in measured.items()])],
        series=[Series("memory", "MB", "one worker", [(articles, mine.resident / MIB)])],
        notes=[f"One client asked {len(mine.alone)} different queries, {CLIENTS} clients {len(mine.crowded)}."],
    )


def beside_txtai(mine: Measured, peer: Measured | None) -> list[Check]:
    """Return what is to be shown beside txtai's server."""
    half, more = "at most .5 of txtai's", "at least 1.5 times txtai's"
    if peer is None:
        absent = "txtai's index is not there"
        shown = (("memory of one worker", half), ("first answer after a cold start", half), ("throughput", more))
        return [Check(name, bar, absent, None) for name, bar in shown]
    memory = mine.resident / peer.resident
    cold = median(mine.cold) / median(peer.cold)
    rate = median(mine.rates) / median(peer.rates)
    return [
        Check("memory of one worker", half, f"{memory:.2f}", memory <= 0.5),
        Check("first answer after a cold start", half, f"{cold:.2f}", cold <= 0.5),
        Check(f"{CLIENTS} clients: throughput", more, f"{rate:.2f}", rate >= 1.5),
    ]


COLUMNS = (
    "server",
    "first answer, s",
    "resident, MB",
    "unshared, MB",
    "p50, ms",
    "p95, ms",
    "p99, ms",
    "search in p50, ms",
    "16 clients: a second",
    "16 clients: p50, ms",
    "16 clients: p99, ms",
    "errors",
    "kB an answer",
)


def row(name: str, one: Measured) -> list[str | int | float | None]:
    """Return a server's line of the table."""
    alone, crowded = ([1000 * value for value in values] for values in (one.alone, one.crowded))
    return [
        name,
        told(one.cold),
        one.resident / MIB,
        one.unshared / MIB,
        *(percentile(alone, share) for share in (0.5, 0.95, 0.99)),
        median(one.took) if one.took else None,
        median(one.rates),
        percentile(crowded, 0.5),
        percentile(crowded, 0.99),
        len(one.errors),
        one.size / 1000,
    ]


if __name__ == "__main__":
    main()
