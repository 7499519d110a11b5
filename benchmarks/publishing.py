"""Publishing: what it takes until 100 new articles are found, in archives of different sizes side by side.

    python -m benchmarks.publishing DATA-1000 DATA-10000 DATA-100000
    python -m benchmarks.publishing data --rounds 3

Each argument is a data folder with a published index; it is copied first and stays as it is. The articles added are
copies of others under new addresses, whose passages have embeddings already: so no time is spent on embedding. Timed
are keeping them (`put`), publishing (`update`) and, in a server that goes on answering, taking over (`catch_up`). The
ratio that counts is that of the last folder to the one before it. For ingest as a whole see `benchmarks.ingesting`.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from archive.article import Article
from archive.identity import article_id
from benchmarks.measure import WORK, Check, Table, median, ratios, report, told
from web.services import Services
from web.settings import Settings

ADDED = 100  # articles in each round
SECONDS, RATIO = 5.0, 1.5  # the bars
STEPS = ("put", "update", "catch_up")


@dataclass
class Archive:
    """A copy of an archive, with a server over it, and the seconds that each step took in each round."""

    services: Services
    articles: int
    taken: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})

    @property
    def totals(self) -> list[float]:
        """The seconds of each round, all steps together."""
        return [sum(steps) for steps in zip(*self.taken.values(), strict=True)]


def main() -> None:
    """Copy, add in turn, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help="data folders, the smallest archive first")
    parser.add_argument("--rounds", type=int, default=25, help="updates of each archive (default 25)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.data[0].resolve().parent) as aside:
        archives = [opened(data, Path(aside) / str(number)) for number, data in enumerate(asked.data)]
        for number in range(asked.rounds):
            for archive in archives:
                add(archive, number)
                print(f"{archive.articles:,}: round {number + 1}, {archive.totals[-1]:.2f} s", flush=True)
        show(archives)
        for archive in archives:
            archive.services.close()


def opened(data: Path, copy: Path) -> Archive:
    """Copy what is needed of a data folder, and serve it."""
    copy.mkdir()
    for path in data.iterdir():
        if path.name.startswith("archive.sqlite3"):
            shutil.copy2(path, copy)
    for folder in ("index", "models"):
        if (data / folder).is_dir():
            shutil.copytree(data / folder, copy / folder)
    services = Services(Settings(data=copy))
    services.builder.update()
    services.serving.catch_up()
    return Archive(services, services.store.count_live())


def add(archive: Archive, number: int) -> None:
    """Add articles, wait until they are served, and note how long each step took."""
    services = archive.services
    ids = services.store.live_ids()
    chosen = ids[number * ADDED % len(ids) :][:ADDED]
    new = [renamed(article, number) for article in services.store.live(chosen).values()]
    begun = perf_counter()
    for each in new:
        services.store.put(each)
    put = perf_counter()
    services.builder.update()
    updated = perf_counter()
    services.serving.catch_up()
    for name, seconds in zip(STEPS, (put - begun, updated - put, perf_counter() - updated), strict=True):
        archive.taken[name].append(seconds)
    with services.serving.engine() as (engine, degraded):
        there = engine.article_ids()[0]  # type: ignore[attr-defined]
    assert not degraded
    assert {each.id for each in new} <= there, "what was added is not found"


def renamed(article: Article, number: int) -> Article:
    """Return the same article as if it stood elsewhere."""
    url = f"https://again.example/{number}/{article.id}"
    return replace(article, id=article_id(url=url, source=None, source_id=None, text=""), url=url, version=1)


def show(archives: Sequence[Archive]) -> None:
    """Report the last archive against the bars, and all of them in a table."""
    last = archives[-1]
    worst = max(last.totals)
    checks = [
        Check(
            f"{ADDED} articles searchable at {last.articles:,} articles, embedding apart, the slowest round",
            f"under {SECONDS:g} s",
            f"{worst:.2f} s",
            worst < SECONDS,
        )
    ]
    if len(archives) > 1:
        times = ratios(last.totals, archives[-2].totals)
        check = f"the same at {last.articles:,} articles to {archives[-2].articles:,}"
        checks.append(Check(check, f"at most {RATIO}", told(times), median(times) <= RATIO))
    rows = [
        (f"{one.articles:,}", told(one.totals), f"{max(one.totals):.2f}", *(told(one.taken[step]) for step in STEPS))
        for one in archives
    ]
    columns = ("articles", "seconds", "slowest", *STEPS)
    tables = [Table(f"Adding {ADDED} articles: seconds, embedding apart", columns, rows)]
    report("publishing", title="Publishing", checks=checks, tables=tables, work=WORK)


if __name__ == "__main__":
    main()
