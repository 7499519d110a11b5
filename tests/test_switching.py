"""Publishing under load, by one model and another, by real processes: no errors, nothing poorer, nothing mixed."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import newsroom
from flask import Flask
from processes import PATIENCE, Newsroom, server

from web import create_app
from web.services import Services
from web.settings import Settings

WORKERS, CLIENTS = 2, 2
PAUSE = 0.04  # seconds between two requests of a client: some 20 a second from each
SETTLED = 12  # answers by the newest generation, one after the other, until every worker is taken to serve it
PATHS = (
    "/api/search?q=talk+of+it&mode=semantic&cutoff=off&page_size=5",
    "/api/search?q=edition+paragraph&mode=hybrid&cutoff=off&page_size=5",
)

Content = tuple[tuple[str, float], ...]  # the articles of an answer with their scores


@dataclass
class Heard:
    """What readers were answered: how often by each generation, all that each said, and what was wrong."""

    by: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    said: dict[tuple[int, str], set[Content]] = field(default_factory=lambda: defaultdict(set))
    wrong: list[object] = field(default_factory=list)
    lately: list[int] = field(default_factory=list)

    def note(self, path: str, told: dict[str, object]) -> None:
        """Note one answer."""
        generation, results = told["generation"], told["results"]
        assert isinstance(generation, int)
        assert isinstance(results, list)
        if told["degraded"]:
            self.wrong.append(told)
        self.by[generation] += 1
        self.lately.append(generation)
        self.said[generation, path].add(tuple((each["id"], round(each["score"], 4)) for each in results))


@contextmanager
def readers(address: str) -> Iterator[Heard]:
    """Keep asking, all the while; what goes wrong in a reader is noted like an answer that is."""
    heard, done = Heard(), threading.Event()

    def read(first: int) -> None:
        number = first
        while not done.is_set():
            path = PATHS[number % len(PATHS)]
            number += 1
            try:
                with urlopen(address + path, timeout=PATIENCE) as found:
                    heard.note(path, json.load(found))
            except Exception as error:  # whatever it is, it was an answer to a reader
                heard.wrong.append(error)
            time.sleep(PAUSE)

    with ThreadPoolExecutor(CLIENTS) as pool:
        jobs: list[Future[None]] = [pool.submit(read, first) for first in range(CLIENTS)]
        try:
            yield heard
        finally:
            done.set()
    for job in jobs:
        job.result()


def until_served(heard: Heard, generation: int) -> None:
    """Return when nobody is answered by another generation any more."""
    deadline = time.monotonic() + PATIENCE
    while set(heard.lately[-SETTLED:]) != {generation} or len(heard.lately) < SETTLED:
        assert time.monotonic() < deadline, f"generation {generation} is not served: {heard.lately[-SETTLED:]}"
        time.sleep(0.02)


def command(app: Flask, *arguments: str) -> dict[str, object]:
    result = app.test_cli_runner().invoke(args=[*arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert isinstance(told, dict)
    return told


def test_readers_notice_neither_publications_nor_changes_of_the_model(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.write("first.jsonl", range(20))
    app = create_app(services=Services(Settings(data=room.data), open_model=newsroom.open_made_up))
    news = str(room.folder / "news")
    command(app, "ingest", news)
    models: dict[int, str] = {1: "bundled"}
    with server(room, "--workers", str(WORKERS)) as (address, _), readers(address) as heard:
        until_served(heard, 1)
        for number, what in enumerate(("news", "twin", "news", "back", "quick", "news"), start=2):
            if what == "news":
                room.write(f"more{number}.jsonl", range(20 + number, 21 + number))
                generation = command(app, "ingest", news)["generation"]
                models[int(str(generation))] = models[max(models)]
            elif what == "back":
                generation = command(app, "rollback")["generation"]
            else:
                generation = command(app, "reindex", "--model", what, "--most-loss", "1", "--yes")["generation"]
                models[int(str(generation))] = what
            until_served(heard, int(str(generation)))
    app.extensions["backfile"].close()
    assert heard.wrong == []
    assert set(heard.by) == set(models) == {1, 2, 3, 4, 5, 6}
    # Each generation said one thing, whichever worker was asked and whenever: a query's vector by another model than
    # the passages', which for the twin is as long, would have given other scores.
    assert {key: len(said) for key, said in heard.said.items() if len(said) > 1} == {}
    for path in PATHS:
        by_model = {models[generation]: heard.said[generation, path] for generation in (2, 3, 5)}
        assert len(set(map(frozenset, by_model.values()))) == 3
