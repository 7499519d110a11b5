"""The keyword leg: ours on Tantivy and on Whoosh beside raw tantivy and Whoosh alone, over the same articles and terms.

    python -m benchmarks.keywords ~/archive/data
    python -m benchmarks.keywords small/data large/data --rounds 9 --queries 100 --whoosh-up-to 30000

Each argument is an archive's data folder; its articles are indexed anew under benchmarks/.work/keywords (and found
there the next time, unless `--fresh`). The queries are beginnings of headlines. Raw tantivy is asked as one would by
hand: the same Tantivy index, the question's terms made by the same analysis, a boolean query, the hits' numbers read
by the quickest means there is. Whoosh alone is its own searcher and BM25F over its own index of the same terms, and is
asked fewer queries.
"""

import argparse
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, cast

import tantivy
import whoosh.index
from whoosh import analysis, fields
from whoosh.query import Or
from whoosh.query import Term as WhooshTerm

from archive.article import Article
from archive.store import Store
from benchmarks.measure import WORK, Check, Table, disk_bytes, interleaved, median, ratios, report, told
from index.analysis import STOP_TERMS, analyse
from index.engine import Ints
from index.keywords import KeywordFormat, KeywordIndex
from index.keywords.tantivy_index import TantivyFormat
from index.keywords.whoosh_index import WhooshFormat
from index.query import Query, parse

DEPTHS = (10, 100, 1_000)
RAW_BAR, WHOOSH_BAR = 1.3, 50.0  # ours to raw tantivy at most; Whoosh alone to ours at least
WORDS = 6  # of a headline, that make a query
ALONE = 12  # queries that Whoosh alone is asked
PERSISTENCE = 0.9  # of rank-biased overlap: Webber, Moffat & Zobel 2010
HEAP_MB = 256  # of Whoosh's own writer
MB = 1_000_000

OURS, OURS_ON_WHOOSH, RAW, WHOOSH_ALONE = "ours on Tantivy", "ours on Whoosh", "raw tantivy", "Whoosh alone"

Numbers = Sequence[int] | Ints


class Ask(Protocol):
    """A way to ask for the best articles: by a text, and by the query that it is parsed to."""

    def __call__(self, text: str, query: Query, *, depth: int) -> Numbers:
        """Return the articles' numbers, best first."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One archive's indexes, opened, and what each of them is asked."""

    articles: int
    queries: Sequence[tuple[str, Query]]
    ask: Mapping[str, Ask]
    costs: Sequence[Sequence[str | float | None]]


def main() -> None:
    """Index, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--whoosh-up-to", type=int, default=30_000, metavar="ARTICLES", help="leave Whoosh out beyond")
    parser.add_argument("--fresh", action="store_true", help="build every index anew")
    asked = parser.parse_args()
    if asked.fresh:
        shutil.rmtree(WORK / "keywords", ignore_errors=True)
    checks: list[Check] = []
    tables: list[Table] = []
    for data in asked.data:
        bench = opened(data, queries=asked.queries, whoosh_up_to=asked.whoosh_up_to)
        for depth in DEPTHS:
            taken = measured(bench, depth=depth, rounds=asked.rounds)
            tables.append(times(bench, taken, depth=depth))
            checks += checked(bench, taken, depth=depth)
        tables += [overlaps(bench), costs(bench)]
    report("keywords", title="The keyword leg", checks=checks, tables=tables)


def opened(data: Path, *, queries: int, whoosh_up_to: int) -> Bench:
    """Build what is missing of an archive's indexes, and open them."""
    store = Store(data / "archive.sqlite3")
    ids = store.live_ids()
    place = WORK / "keywords" / f"{data.resolve().parent.name}-{len(ids)}"
    has_whoosh = len(ids) <= whoosh_up_to
    kinds: list[KeywordFormat] = [TantivyFormat(), WhooshFormat()] if has_whoosh else [TantivyFormat()]
    rows: list[Sequence[str | float | None]] = []
    indexes: dict[str, KeywordIndex] = {}
    for kind in kinds:
        took = built(kind, place / kind.name, store)
        started = time.perf_counter()
        indexes[kind.name] = kind.open(place / kind.name)
        name = OURS if kind.name == "tantivy" else OURS_ON_WHOOSH
        rows.append([name, took, disk_bytes(place / kind.name) / MB, 1_000 * (time.perf_counter() - started)])
    ask = {RAW: raw(place / "tantivy"), OURS: ours(indexes["tantivy"])}
    if has_whoosh:
        took = built_alone(place / "alone", store)
        ask[OURS_ON_WHOOSH] = ours(indexes["whoosh"])
        ask[WHOOSH_ALONE] = alone(place / "alone", indexes["tantivy"])
        rows.append([WHOOSH_ALONE, took, disk_bytes(place / "alone") / MB, None])
    return Bench(len(ids), list(headlines(store, queries)), ask, rows)


def articles_of(store: Store) -> Iterator[Article]:
    """Yield every live article, by id."""
    ids = store.live_ids()
    for start in range(0, len(ids), 200):
        found = store.live(ids[start : start + 200])
        yield from (found[article_id] for article_id in sorted(found))


def headlines(store: Store, count: int) -> Iterator[tuple[str, Query]]:
    """Yield queries: the first words of some headlines that have as many."""
    ids = store.live_ids()
    random.Random(4).shuffle(ids)
    titles = (article.title for article_id in ids for article in store.live([article_id]).values())
    typed = (" ".join(title.split()[:WORDS]) for title in titles if len(title.split()) >= WORDS)
    parsed = ((text, parse(text, today=date(2026, 1, 1))) for text in typed)
    yield from islice(((t, q) for t, q in parsed if not (q.required or q.excluded) and words_of(t)), count)


def words_of(text: str) -> list[str]:
    """Return the terms of a question, stop words aside, each once."""
    return list(dict.fromkeys(term for term in analyse(text) if term not in STOP_TERMS))


def built(kind: KeywordFormat, directory: Path, store: Store) -> float | None:
    """Build an index and return the seconds it took, or None when it is there already."""
    if directory.exists():
        return None
    print(f"indexing with {kind.name} …", flush=True)
    aside = directory.with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    started = time.perf_counter()
    kind.create(aside)
    kind.update(aside, removed=[], added=articles_of(store))
    aside.rename(directory)
    return time.perf_counter() - started


def built_alone(directory: Path, store: Store) -> float | None:
    """Build Whoosh's own index over our terms; the seconds it took, or None when it is there already."""
    if directory.exists():
        return None
    print("indexing with Whoosh alone …", flush=True)
    aside = directory.with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    started = time.perf_counter()
    text = fields.TEXT(analyzer=analysis.RegexTokenizer(r"\S+"), phrase=False)
    schema = fields.Schema(id=fields.STORED, title=text, body=text)
    writer = whoosh.index.create_in(str(aside), schema).writer(limitmb=HEAP_MB)
    for article in articles_of(store):
        writer.add_document(id=article.id, title=_terms(article.title), body=_terms(article.body))
    writer.commit()
    aside.rename(directory)
    return time.perf_counter() - started


def _terms(text: str) -> str:
    return " ".join(term for term in analyse(text) if term not in STOP_TERMS)


def ours(index: KeywordIndex) -> Ask:
    """Return how our leg is asked."""

    def ask(text: str, query: Query, *, depth: int) -> Numbers:
        del text
        return index.rank(query, depth=depth).numbers

    return ask


def raw(directory: Path) -> Ask:
    """Return how tantivy is asked by hand; in an index made at once its serials are the articles' numbers."""
    opened_index = tantivy.Index.open(str(directory))
    opened_index.config_reader(reload_policy="manual")
    searcher, schema = opened_index.searcher(), opened_index.schema
    should, term_query = tantivy.Occur.Should, tantivy.Query.term_query

    def ask(text: str, query: Query, *, depth: int) -> Numbers:
        del query
        clauses = [(should, term_query(schema, "text", term, "freq")) for term in words_of(text)]
        hits = searcher.search(tantivy.Query.boolean_query(clauses), limit=depth, count=False).hits
        serials: Any = searcher.fast_field_values("serial", [address for _, address in hits])
        return cast(Numbers, serials)

    return ask


def alone(directory: Path, index: KeywordIndex) -> Ask:
    """Return how Whoosh's searcher is asked; its ids become numbers."""
    searcher = whoosh.index.open_dir(str(directory)).searcher()
    numbers = {article_id.decode(): number for number, article_id in enumerate(index.ids.tolist())}

    def ask(text: str, query: Query, *, depth: int) -> Numbers:
        del query
        clauses = [WhooshTerm(name, term) for term in words_of(text) for name in ("title", "body")]
        return [numbers[hit["id"]] for hit in searcher.search(Or(clauses), limit=depth)]

    return ask


def measured(bench: Bench, *, depth: int, rounds: int) -> dict[str, list[float]]:
    """Return, for each way, the seconds a query took in each round."""
    asked = {name: bench.queries[: ALONE if name == WHOOSH_ALONE else None] for name in bench.ask}
    cases = {name: _case(bench.ask[name], asked[name], depth) for name in bench.ask}
    for case in cases.values():
        case()  # warmed
    return {
        name: [taken / len(asked[name]) for taken in seconds]
        for name, seconds in interleaved(cases, rounds=rounds).items()
    }


def _case(ask: Ask, queries: Sequence[tuple[str, Query]], depth: int) -> Callable[[], None]:
    def run() -> None:
        for text, query in queries:
            ask(text, query, depth=depth)

    return run


def times(bench: Bench, taken: Mapping[str, Sequence[float]], *, depth: int) -> Table:
    """Return what a query took, and how many times what raw tantivy took that is."""
    rows = [
        [name, told([1_000 * one for one in seconds], digits=3), told(ratios(seconds, taken[RAW]))]
        for name, seconds in taken.items()
    ]
    title = f"{bench.articles:,} articles, the best {depth:,}"
    return Table(title, ["", "milliseconds a query", "times raw tantivy"], rows)


def checked(bench: Bench, taken: Mapping[str, Sequence[float]], *, depth: int) -> Iterator[Check]:
    """Yield what is to be shown at this depth."""
    here = f"{bench.articles:,} articles, depth {depth:,}"
    to_raw = ratios(taken[OURS], taken[RAW])
    yield Check(f"{OURS} to {RAW}, {here}", f"at most {RAW_BAR}", told(to_raw), median(to_raw) <= RAW_BAR)
    if WHOOSH_ALONE in taken:
        faster = ratios(taken[WHOOSH_ALONE], taken[OURS])
        yield Check(
            f"{WHOOSH_ALONE} to {OURS}, {here}",
            f"at least {WHOOSH_BAR:.0f}",
            told(faster),
            median(faster) >= WHOOSH_BAR,
        )


def overlaps(bench: Bench) -> Table:
    """Return how alike the rankings are: rank-biased overlap of each with ours on Tantivy, over the queries."""
    rows = []
    for name in bench.ask:
        queries = bench.queries[: ALONE if name == WHOOSH_ALONE else None]
        alike = [
            overlap(bench.ask[name](text, query, depth=DEPTHS[1]), bench.ask[OURS](text, query, depth=DEPTHS[1]))
            for text, query in queries
        ]
        rows.append([name, told(alike, digits=3)])
    return Table(f"{bench.articles:,} articles, overlap with {OURS}", ["", "rank-biased overlap"], rows)


def overlap(one: Numbers, other: Numbers) -> float:
    """Return the rank-biased overlap of two rankings, extrapolated from the shorter one's depth; 1.0 for the same."""
    depth = min(len(one), len(other))
    if not depth:
        return float(len(one) == len(other))
    total, agreement = 0.0, 0.0
    first: set[int] = set()
    second: set[int] = set()
    for place in range(depth):
        first.add(int(one[place]))
        second.add(int(other[place]))
        agreement = len(first & second) / (place + 1)
        total += (1 - PERSISTENCE) * PERSISTENCE**place * agreement
    return total + PERSISTENCE**depth * agreement


def costs(bench: Bench) -> Table:
    """Return what the indexes took to build and take on disk."""
    return Table(
        f"{bench.articles:,} articles, cost", ["", "seconds to build", "MB on disk", "ms to open"], bench.costs
    )


if __name__ == "__main__":
    main()
