"""Talking to engines: each a process of its own, of its own environment, on the same two cores.

Invariant: engines are asked one at a time, a block of queries each in turn, so that what else the machine does meets
all of them alike.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchmarks.measure import median
from benchmarks.peers.peer import CORES

SLOW = 0.5  # seconds a query
ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "LANCE_CPU_THREADS"),
        str(CORES),
    ),
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "ANONYMIZED_TELEMETRY": "false",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine to be asked: how it is called in the tables, its module, and the Python it runs in."""

    name: str
    module: str
    python: Path
    index: str  # the folder of its index beside the others; engines that share one share its name

    @property
    def environment(self) -> Mapping[str, str]:
        """What its process is started with; ours as `web/__init__.py` has it, which here is loaded after numpy."""
        own = {"OPENBLAS_NUM_THREADS": "1"} if self.python == OURS else {}
        return {**os.environ, **ENVIRONMENT, **own}


PEERS = ROOT / "benchmarks" / "peers" / ".venv" / "bin" / "python"
OURS = Path(sys.executable)
ENGINES = (  # in the order of the tables
    Engine("ours", "ours", OURS, "ours"),
    Engine("ours, ranking alone", "ours:Ranking", OURS, "ours"),
    Engine("txtai", "txtai", PEERS, "txtai"),
    Engine("txtai, ranking alone", "txtai:Ranking", PEERS, "txtai"),
    Engine("LanceDB", "lancedb", PEERS, "lancedb"),
    Engine("Chroma", "chroma", PEERS, "chroma"),
    Engine("FAISS flat", "faiss", PEERS, "faiss-flat"),
    Engine("FAISS IVF", "faiss:Ivf", PEERS, "faiss-ivf"),
    Engine("tantivy", "tantivy", PEERS, "tantivy"),
    Engine("bm25s", "bm25s", PEERS, "bm25s"),
    Engine("Whoosh", "whoosh", PEERS, "whoosh"),
    Engine("query embedding alone", "embedding", PEERS, "embedding"),
)


@dataclass(slots=True)
class Answers:
    """What an engine answered: seconds and article ids a query, block after block."""

    opened: float
    blocks: list[list[float]] = field(default_factory=list)
    found: list[list[str]] = field(default_factory=list)
    resident: int = 0
    unshared: int = 0

    @property
    def seconds(self) -> list[float]:
        """Return the seconds of every query."""
        return [one for block in self.blocks for one in block]


class Process:
    """An engine that has been started. Raises EngineFailed when it ends before it has answered."""

    def __init__(self, engine: Engine, corpus: Path, log: TextIO) -> None:
        """Start it over its index of `corpus`, and wait until it is open."""
        self._engine = engine
        started = time.perf_counter()
        self._process = subprocess.Popen(
            command(engine, "serve", corpus),
            cwd=ROOT,
            env=engine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self.ask([], passages=1)
        self.answers = Answers(opened=time.perf_counter() - started)

    def ask(self, queries: Sequence[str], *, passages: int) -> dict[str, Any]:
        """Ask, and return its answer as it stands."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps({"queries": list(queries), "passages": passages}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.communicate()
            raise EngineFailed(f"{self._engine.name} ended: its log says why")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def block(self, queries: Sequence[str], *, passages: int) -> None:
        """Ask a block of queries and keep the answers."""
        told = self.ask(queries, passages=passages)
        self.answers.blocks.append(told["seconds"])
        self.answers.found += told["found"]
        self.answers.resident, self.answers.unshared = told["resident"], told["unshared"]

    def close(self) -> None:
        """Let it end: it does when nothing more can be asked."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


class EngineFailed(Exception):
    """An engine's process ended before its time."""


def index_of(engine: Engine, corpus: Path) -> Path:
    """Return the folder of an engine's index of `corpus`."""
    return corpus / "index" / engine.index


def command(engine: Engine, action: str, corpus: Path) -> list[str]:
    """Return the command that runs an engine."""
    index = index_of(engine, corpus)
    return [str(engine.python), "-m", "benchmarks.peers.peer", engine.module, action, str(corpus), str(index)]


def build(engine: Engine, corpus: Path) -> None:
    """Build an engine's index unless it is there; one that was left unfinished is begun anew. Raises EngineFailed."""
    index = index_of(engine, corpus)
    if (index / "build.json").exists():
        return
    shutil.rmtree(index, ignore_errors=True)
    done = subprocess.run(command(engine, "build", corpus), cwd=ROOT, env=engine.environment)
    if done.returncode:
        raise EngineFailed(f"{engine.name}: its index of {corpus} could not be built: what it said stands above")


@contextmanager
def processes(engines: Sequence[Engine], corpus: Path) -> Iterator[Mapping[str, Process]]:
    """Start engines over `corpus`, one after another, and let them end afterwards. What they say goes to their logs."""
    with ExitStack() as stack:
        started = {}
        for engine in engines:
            log = stack.enter_context((corpus / "index" / f"{engine.module.replace(':', '-')}.log").open("w"))
            started[engine.name] = Process(engine, corpus, log)
            stack.callback(started[engine.name].close)
        yield started


def ask_in_turn(
    started: Mapping[str, Process], queries: Sequence[str], *, block: int, passages: int
) -> Mapping[str, Answers]:
    """Ask every engine the same queries, a block each in turn; who goes first rotates. The first block warms up.

    An engine that takes over `SLOW` for a query is asked a quarter of each block.
    """
    names = list(started)
    slow: set[str] = set()
    for number, start in enumerate(range(0, len(queries) - block + 1, block)):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            part = queries[start : start + block]
            part = part[: max(block // 4, 1)] if name in slow else part
            if number:
                started[name].block(part, passages=passages)
            else:
                taken = started[name].ask(part, passages=passages)["seconds"]
                slow |= {name} if median(taken) > SLOW else set()
    return {name: process.answers for name, process in started.items()}
