"""What queries cost that nobody means well, over an archive of real size.

    PYTHONPATH=. python benchmarks/hostile_queries.py DATA [--generated COUNT] [--only NAME]

DATA is a data folder that `flask ingest` made. First every attack of `benchmarks/attacks.py`, by name: what was
answered, the processor's time (of all threads) and how far memory rose above what it was before. Then queries generated
(a fixed seed) from the archive's own words, every operator and signs of all kinds: the median, the 99th percentile and
the slowest. Exit status 1 when an attack exceeded a limit or was answered with an error of ours.
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flask.testing import FlaskClient

from benchmarks.attacks import STOP, Attack, attacks
from index.budget import measured as looked_through
from index.query import MAX_QUERY_CHARS
from web import create_app
from web.crew import Crew
from web.services import Services
from web.settings import Settings

T = TypeVar("T")
MOST_SECONDS = 0.5  # of processor time, one attack, or one turn of it
MOST_IDLE = 0.05  # of a second
MOST_BYTES = 50_000_000  # that memory rises by
OPERATORS = [
    *('"', "(", ")", "~", "~5", "*", "-", " OR ", "title:", "source:", "after:", "on:", "NOT ", "|", ":", "\u201c"),
]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request cost, and how it was answered: seconds of the processor and of the clock, bytes of memory."""

    processor: float
    clock: float
    memory: int
    status: int
    size: int
    words: int  # of texts, looked through
    turns: int

    @property
    def is_within(self) -> bool:
        """Whether it was an answer or a refusal, within the limits."""
        is_answer = self.status < 500
        return is_answer and self.processor <= MOST_SECONDS * self.turns and self.memory <= MOST_BYTES


class Here(Crew):
    """A crew that works where it is asked to, so that what is spent in this thread is all of it."""

    def do(self, work: Callable[[], T], *, who: str = "") -> T:  # noqa: ARG002
        """Do the work."""
        return work()


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def measured(client: FlaskClient, attack: Attack) -> Cost:
    """Send one request, read the whole answer, and return what that cost."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _memory("VmRSS")
    with looked_through() as work:
        clock, processor = time.perf_counter(), time.process_time()
        headers = dict(attack.headers)
        if attack.body is None:
            answer = client.get(attack.address, headers=headers)
        else:
            content = json.dumps(attack.body)
            answer = client.post(attack.address, data=content, content_type="application/json", headers=headers)
        size = sum(map(len, answer.iter_encoded()))
        took = time.process_time() - processor, time.perf_counter() - clock
    answer.close()
    return Cost(*took, max(0, _memory("VmHWM") - before), answer.status_code, size, work.spent, attack.turns)


def wait_until_idle() -> None:
    """Wait for the threads that read words and headlines in the background."""
    spent = -1.0
    while time.process_time() - spent > MOST_IDLE:
        spent = time.process_time()
        time.sleep(1)


def generated(count: int, words: list[str]) -> list[str]:
    """Return queries of words and operators put together at random, the same each time."""
    chance = random.Random(7)
    pieces = [*words, *STOP, *OPERATORS, "2016", "last week", "\u00e9", "\u4e2d", "\U0001f600"]
    return [
        "".join(chance.choice(pieces) + chance.choice(["", " ", " "]) for _ in range(chance.randint(1, 40)))[
            :MAX_QUERY_CHARS
        ]
        for _ in range(count)
    ]


def tell(name: str, cost: Cost) -> None:
    """Write one line about one attack."""
    verdict = "" if cost.is_within else "  EXCEEDED"
    print(
        f"{cost.status}  {cost.processor:6.3f} s  {cost.clock:6.3f} s  {cost.memory / 1e6:6.1f} MB"
        f"  {cost.size:>10,} B  {cost.words / 1e6:6.1f} M  {name}{verdict}",
        flush=True,
    )


def main() -> int:
    """Read the command line, send everything, and say whether all of it stayed within the limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--generated", type=int, default=0)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    services = Services(Settings(data=asked.data))
    services.made["crew"] = Here()
    services.warm_up()
    client = create_app(services=services).test_client()
    ids = services.store.live_ids()
    print(f"{len(ids):,} articles, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB to begin with")
    print("status  processor  clock   memory       answer  words seen  attack")
    for word in ("war", "peace talks", "president"):  # what the first of its kind ever reads is not the attack's
        measured(client, Attack("warming", "/search", [("q", word)]))
    measured(client, Attack("warming", "/api/related", body={"title": "War", "text": "Peace talks go on. " * 2_000}))
    measured(client, Attack("warming", "/status"))
    wait_until_idle()
    exceeded = 0
    for attack in attacks(ids[len(ids) // 2]):
        if asked.only in attack.name:
            cost = measured(client, attack)
            exceeded += not cost.is_within
            tell(attack.name, cost)
    print(f"{exceeded} exceeded {MOST_SECONDS} s of processor time or {MOST_BYTES // 1_000_000} MB")
    if asked.generated:
        held = services.store.live(ids[:: max(1, len(ids) // 200)])
        words = sorted({word for article in held.values() for word in article.title.split()})
        costs = []
        modes = ["hybrid", "keyword", "semantic"]
        for number, query in enumerate(generated(asked.generated, words)):
            cost = measured(client, Attack(query, "/api/search", [("q", query), ("mode", modes[number % 3])]))
            costs.append((cost.processor, query, cost))
        costs.sort(key=lambda one: one[0])
        print(f"{len(costs)} generated queries")
        for name, place in (("median", len(costs) // 2), ("p99", int(len(costs) * 0.99)), ("slowest", -1)):
            tell(name, costs[place][2])
        for _, query, cost in costs[-5:]:
            tell(repr(query)[:90], cost)
        exceeded += sum(not cost.is_within for *_, cost in costs)
    services.close()
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
