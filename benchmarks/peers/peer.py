"""What an engine has to do to be compared, and the process it does it in.

    python -m benchmarks.peers.peer NAME build CORPUS INDEX
    python -m benchmarks.peers.peer NAME serve CORPUS INDEX

NAME is a module of this package with a class `Engine`, or MODULE:CLASS. `build` fills INDEX and writes
`INDEX/build.json`; `serve` opens it, then reads one JSON object a line (`{"queries": […], "passages": 30}`) and answers
each with one (`{"seconds": […], "found": [[article id, …], …], "resident": …, "unshared": …}`).

Invariant: a query's time is all that lies between its text and the ids of its articles, its embedding included. No
query is asked twice of one process, so nothing is answered from a cache. `benchmarks/peers/talk.py` starts it with two
threads.
"""

import argparse
import importlib
import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, TextIO

from benchmarks.measure import disk_bytes, resident_bytes, unshared_bytes, versions
from benchmarks.peers.corpus import Corpus


class Peer(ABC):
    """An engine. `settings` says, for the report, how it is set up."""

    libraries: ClassVar[Sequence[str]]
    settings: ClassVar[str]

    def __init__(self, corpus: Corpus, index: Path) -> None:
        """Take the common input and the folder of the index."""
        self.corpus = corpus
        self.index = index

    @abstractmethod
    def build(self) -> None:
        """Fill the empty folder. Vectors are taken from the corpus by every engine that uses any."""

    @abstractmethod
    def open(self) -> None:
        """Open what `build` made."""

    @abstractmethod
    def search(self, query: str, *, passages: int) -> list[str]:
        """Return the ids of the articles that the best `passages` passages belong to, best first, each once.

        An engine that holds whole articles returns as many articles as `passages` usually make: see `articles_for`.
        """


CORES = 2
PASSAGES_AN_ARTICLE = 2.5  # of news, cut to 256 tokens


def articles_for(passages: int) -> int:
    """Return how many articles an engine of whole articles is asked for where others are asked for `passages`."""
    return round(passages / PASSAGES_AN_ARTICLE)


def first_of_each(article_ids: Iterable[str]) -> list[str]:
    """Return each article once, where its best passage stands."""
    return list(dict.fromkeys(article_ids))


def main() -> None:
    """Build or serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("action", choices=["build", "serve"])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("index", type=Path)
    asked = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    module, _, name = asked.name.partition(":")
    engine_of = getattr(importlib.import_module(f"benchmarks.peers.{module}"), name or "Engine")
    engine: Peer = engine_of(Corpus(asked.corpus), asked.index)
    if asked.action == "build":
        build(engine)
    else:
        serve(engine, answers)


def build(engine: Peer) -> None:
    """Build, and write what it took beside the index."""
    engine.index.mkdir(parents=True)
    before = resident_bytes()
    started, worked = time.perf_counter(), time.process_time()
    engine.build()
    told = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "before": before,
        "peak": resident_bytes(of="VmHWM"),
        "disk": disk_bytes(engine.index),
        "settings": engine.settings,
        "versions": versions(engine.libraries),
    }
    (engine.index / "build.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def serve(engine: Peer, answers: TextIO) -> None:
    """Answer until nothing more is asked."""
    engine.open()
    for line in sys.stdin:
        asked = json.loads(line)
        seconds, found = [], []
        for query in asked["queries"]:
            started = time.perf_counter()
            ids = engine.search(query, passages=asked["passages"])
            seconds.append(time.perf_counter() - started)
            found.append(ids)
        told = {"seconds": seconds, "found": found, "resident": resident_bytes(), "unshared": unshared_bytes()}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
