"""Publishing under load: four workers, twenty requests a second, ten publications, one of which changes the model.

    python -m benchmarks.switching DATA MODEL
    python -m benchmarks.switching data /srv/models/new --publications 10 --rate 20 --workers 4

DATA is a data folder with a published index; it is copied first and stays as it is. MODEL is another model than the one
it was made by, named as `flask reindex --model` takes it. First a while without publications is measured, then
publications beside the same load: `flask ingest`, `flask reindex --model`, `flask rollback`, each by a process of its
own as on a server. Readers come at fixed moments whether or not those before them were answered, so a server that
stands still is seen. Queries are drawn from the archive; one in ten is a question that is asked again and again, of
which each generation must say the same, whichever worker answers: with a query's vector of one model and passages of
another the scores would differ.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from urllib.request import urlopen

from archive.store import Store
from benchmarks.measure import WORK, Check, Table, percentile, report, resident_bytes
from benchmarks.peers.talk import ENVIRONMENT, ROOT
from benchmarks.servers import Running, family, ours, running

ASKED_ABOUT = 2_000  # articles that queries are drawn from
SEED = 7
AT_ONCE = 64  # requests that may be under way
CONTROL = "a night of heavy rain and high water"
CONTROL_EVERY = 10
BEFORE = 30.0  # seconds that are measured without publications
BETWEEN = 3.0  # seconds after each publication
RATIO = 2.0  # the bar
MIB = 2**20


@dataclass
class Heard:
    """What readers were answered in one part of the run."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    degraded: int = 0
    by: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    said: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return 1000 * percentile(self.seconds, 0.95)


def main() -> None:
    """Copy, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", help="another model, as `flask reindex --model` takes it")
    parser.add_argument("--publications", type=int, default=10)
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second (default 20)")
    parser.add_argument("--workers", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.data.resolve().parent) as aside:
        data = Path(aside) / "data"
        shutil.copytree(asked.data, data)
        prepare(data, asked.model)
        queries = questions(data)
        with running(ours(data, workers=asked.workers), first="warm") as one:
            quiet, busy, memory, steps = measure(one, data, asked, queries)
    tell(quiet, busy, memory, steps, asked)


def questions(data: Path) -> Iterator[str]:
    """Yield queries of three words of the archive, each another one: what is kept of an earlier answer helps nobody."""
    store = Store(data / "archive.sqlite3")
    articles = store.live(sorted(store.live_ids())[:ASKED_ABOUT]).values()
    store.close()
    words = sorted({word for article in articles for word in re.findall(r"[a-z]{4,}", article.body.lower())})
    chance = random.Random(SEED)
    while True:
        yield " ".join(chance.sample(words, 3))


def prepare(data: Path, model: str) -> None:
    """Have the other model converted and everything embedded, so that what is measured is the change."""
    flask(data, "reindex", "--model", model, "--compare-only", "--json")


def flask(data: Path, *arguments: str) -> Any:  # noqa: ANN401 what the command writes
    """Run a command as on a server, and return what it writes."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "BACKFILE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"flask {' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout)


def measure(
    one: Running, data: Path, asked: argparse.Namespace, queries: Iterator[str]
) -> tuple[Heard, Heard, tuple[int, int], list[tuple[str, int, float]]]:
    """Return what was heard before and during the publications, the memory before and after, and what was published."""
    with readers(one, rate=asked.rate, queries=queries) as warming:
        time.sleep(5)
    assert not warming.errors, warming.errors[:3]
    with readers(one, rate=asked.rate, queries=queries) as quiet:
        time.sleep(BEFORE)
    before = memory_of(one)
    steps = []
    with readers(one, rate=asked.rate, queries=queries) as busy:
        for number in range(asked.publications):
            started = time.perf_counter()
            what, generation = publish(data, number, model=asked.model)
            steps.append((what, generation, time.perf_counter() - started))
            print(f"{what}: generation {generation}", flush=True)
            time.sleep(BETWEEN)
    return quiet, busy, (before, memory_of(one)), steps


def publish(data: Path, number: int, *, model: str) -> tuple[str, int]:
    """Publish something: articles mostly; the fourth changes the model, the seventh returns and the eighth goes on."""
    if number == 3:
        changed = flask(data, "reindex", "--model", model, "--most-loss", "1", "--yes", "--json")
        return "reindex --model", changed["generation"]
    if number in (6, 7):
        return "rollback", flask(data, "rollback", "--json")["generation"]
    news = data.parent / f"news-{number}.jsonl"
    rows = [
        {"id": f"s{number}-{each}", "source": "Switching", "title": f"Report {number} of {each}", "body": CONTROL * 3}
        for each in range(5)
    ]
    news.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "ingest", flask(data, "ingest", str(news), "--json")["generation"]


@contextmanager
def readers(one: Running, *, rate: float, queries: Iterator[str]) -> Iterator[Heard]:
    """Ask so many times a second, at fixed moments, until the context ends."""
    heard, done, lock = Heard(), threading.Event(), threading.Lock()

    def ask(path: str, due: float, *, is_control: bool) -> None:
        try:
            with urlopen(one.address + path, timeout=60) as answer:
                told = json.load(answer)
        except Exception as error:  # whatever it is, a reader had it for an answer
            with lock:
                heard.errors.append(repr(error))
            return
        with lock:
            heard.seconds.append(time.perf_counter() - due)
            heard.degraded += told["degraded"]
            heard.by[told["generation"]] += 1
            if is_control:
                said = [(each["id"], round(each["score"], 3)) for each in told["results"]]
                heard.said[told["generation"]].add(repr(said))

    def tick() -> None:
        started, number = time.perf_counter(), 0
        while not done.wait(max(0.0, started + number / rate - time.perf_counter())):
            is_control = number % CONTROL_EVERY == 0
            path = one.server.path + quote_plus(CONTROL if is_control else next(queries))
            pool.submit(ask, path, started + number / rate, is_control=is_control)
            number += 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ticking = threading.Thread(target=tick)
        ticking.start()
        try:
            yield heard
        finally:
            done.set()
            ticking.join()


def memory_of(one: Running) -> int:
    """Return the resident bytes of the largest process."""
    return max(map(resident_bytes, family(one.process.pid)))


def tell(
    quiet: Heard,
    busy: Heard,
    memory: tuple[int, int],
    steps: Sequence[tuple[str, int, float]],
    asked: argparse.Namespace,
) -> None:
    """Report."""
    mixed = sum(len(said) > 1 for said in busy.said.values())
    ratio, grown = busy.p95 / quiet.p95, memory[1] / memory[0]
    checks = [
        Check("errors", "none", f"{len(busy.errors)} of {len(busy.seconds)}", not busy.errors),
        Check("degraded answers", "none", str(busy.degraded), not busy.degraded),
        Check("generations that said two things", "none", f"{mixed} of {len(busy.said)}", not mixed),
        Check("p95 to that without publications", f"at most {RATIO:g}", f"{ratio:.2f}", ratio <= RATIO),
        Check("memory of the largest worker, afterwards to before", "at most 1.5", f"{grown:.2f}", grown <= 1.5),
    ]
    rows = [
        (name, len(one.seconds), *(1000 * percentile(one.seconds, share) for share in (0.5, 0.95, 0.99)))
        for name, one in (("without publications", quiet), ("with publications", busy))
    ]
    tables = [
        Table("Answers", ("", "answers", "p50, ms", "p95, ms", "p99, ms"), rows),
        Table("Publications", ("command", "generation", "seconds"), steps),
    ]
    served = ", ".join(f"{generation}: {count}" for generation, count in sorted(busy.by.items()))
    notes = [
        f"{asked.workers} workers, {asked.rate:g} requests a second. Answers by generation: {served}.",
        f"Largest worker: {memory[0] / MIB:.0f} MB before, {memory[1] / MIB:.0f} MB afterwards.",
        *({f"error: {error}" for error in busy.errors[:5]}),
    ]
    report("switching", title="Publishing under load", checks=checks, tables=tables, notes=notes, work=WORK)


if __name__ == "__main__":
    main()
