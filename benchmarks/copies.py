"""How well copies are found, and what that costs.

    PYTHONPATH=. python benchmarks/copies.py DATA

DATA holds `related/articles_1000.*` and `news/*.jsonl.gz` (its README says from where); what is not there is left out.
Everything runs through an archive as `flask ingest` fills it. Prints, for the labelled pairs and for the cases written
for this project (`tests/copies`): precision, recall and F1 of pairs, and how many origins are right; for each file of
news: exact duplicates grouped, groups, milliseconds an article beside those of storing it, and bytes an article; and
what folding a list of 100,000 articles takes.
"""

import gzip
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np

from archive.article import Article
from archive.copies import SIGNATURE_BYTES
from archive.grouping import find_copies
from archive.store import Store
from index.folding import ALONE, fold

CASES = Path(__file__).parent.parent / "tests" / "copies" / "cases.jsonl"
LISTED, GROUPED = 100_000, 5_000  # rows of a long list, and groups among them
Pair = frozenset[str]


@contextmanager
def _archive(articles: Iterable[Article]) -> Iterator[tuple[Store, float, float]]:
    """Fill an archive; yield it with the seconds that storing took, and looking for copies."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "archive.sqlite3")
        started = time.perf_counter()
        for article in articles:
            store.put(article)
        stored = time.perf_counter()
        find_copies(store)
        yield store, stored - started, time.perf_counter() - stored
        store.close()


def _groups(store: Store) -> list[list[str]]:
    found = store.copies_of(store.live_ids())
    return [group for article_id, group in found.items() if article_id == group[0]]


def _pairs(groups: Iterable[Iterable[str]]) -> set[Pair]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


def _judged(name: str, found: set[Pair], wanted: set[Pair]) -> None:
    right = len(found & wanted)
    precision, recall = right / max(len(found), 1), right / len(wanted)
    print(f"{name}: {right} of {len(wanted)} pairs found, {len(found) - right} wrong;", end=" ")
    print(f"precision {precision:.3f}, recall {recall:.3f}, F1 {2 * right / (len(found) + len(wanted)):.3f}")


def labelled(folder: Path) -> None:
    """Judge by the pairs of `articles_1000.truth`."""
    lines = (folder / "articles_1000.train").read_text(encoding="utf-8").splitlines()
    texts = dict(line.split(maxsplit=1) for line in lines)
    wanted = {frozenset(line.split()) for line in (folder / "articles_1000.truth").read_text().splitlines()}
    with _archive(Article(id=name, title=name, body=text) for name, text in texts.items()) as (store, _, _):
        _judged("labelled pairs", _pairs(_groups(store)), wanted)


def cases() -> None:
    """Judge by the cases of `tests/copies`: every pair of their 180 texts, and who is the origin."""
    read = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    articles = [
        Article(
            id=f"{case['case']}-{kind}",
            title=case[kind]["title"],
            body=case[kind]["text"],
            published_at=datetime.fromisoformat(date) if (date := case[kind]["published_at"]) else None,
        )
        for case in read
        for kind in ("origin", "copy", "independent")
    ]
    wanted = {frozenset((f"{case['case']}-origin", f"{case['case']}-copy")) for case in read}
    with _archive(articles) as (store, _, _):
        groups = _groups(store)
    found = _pairs(groups)
    _judged("cases", found, wanted)
    by_kind = Counter(
        case["kind"] for case in read if frozenset((f"{case['case']}-origin", f"{case['case']}-copy")) in found
    )
    asked = Counter(case["kind"] for case in read)
    print("  by kind:", ", ".join(f"{kind} {by_kind[kind]} of {count}" for kind, count in asked.items()))
    right = sum(group[0].endswith("-origin") for group in groups)
    print(f"  origin right: {right} of {len(groups)} ({right / max(len(groups), 1):.3f})")


def news(file: Path) -> None:
    """Tell of the copies in a file of news, and of what looking for them costs."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    same: dict[str, list[str]] = {}
    for number, row in enumerate(read):
        same.setdefault(row["body"], []).append(f"{number:016x}")
    twins = [ids for body, ids in same.items() if len(ids) > 1 and any(map(str.isalnum, body))]
    articles = (Article(id=f"{n:016x}", title="", body=row["body"]) for n, row in enumerate(read))
    with _archive(articles) as (store, storing, looking):
        whole = store.copies_of(store.live_ids())
        groups = _groups(store)
    grouped = sum(set(ids) <= set(whole.get(ids[0], ())) for ids in twins)
    sizes = Counter(map(len, groups))
    print(f"{file.name}: {len(read):,} articles, {len(whole):,} of them in {len(groups):,} groups")
    print(f"  exact duplicates: {grouped} of {len(twins)} sets grouped; the largest group has {max(sizes, default=0)}")
    print(f"  {1000 * looking / len(read):.2f} ms an article, beside {1000 * storing / len(read):.2f} ms to store it")


def folding() -> None:
    """Tell what a signature takes, and how long folding a long list does."""
    chance = np.random.default_rng(35)
    groups = np.where(chance.random(LISTED) < 0.2, chance.integers(0, GROUPED, LISTED), ALONE)
    started = time.perf_counter()
    for _ in range(20):
        fold(groups, "folded")
    took = (time.perf_counter() - started) / 20
    print(f"folding: {LISTED:,} rows, of which a fifth in {GROUPED:,} groups: {1000 * took:.1f} ms")
    print(f"signatures: {SIGNATURE_BYTES} bytes an article, {SIGNATURE_BYTES * 100_000 / 1e6:.1f} MB for 100,000")


def main(data: Path) -> None:
    """Run what there is data for."""
    if (data / "related" / "articles_1000.train").exists():
        labelled(data / "related")
    cases()
    for file in sorted((data / "news").glob("*.jsonl.gz")):
        news(file)
    folding()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
