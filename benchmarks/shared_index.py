"""The engine of a shared index beside that of one machine: do they answer alike, and what does sharing cost?

    python -m benchmarks.shared_index --milvus http://127.0.0.1:19530 [--archive DATA] [COLLECTION ...]

COLLECTION is a judged collection in BEIR's layout; with `--documents` only so many of its documents are taken, those
that are judged first. Its articles are given sources, sections, authors and dates by
chance, so that filters and facets have something to tell, and put into an archive once; both indexes are made from the
embeddings that it keeps. Every judged query is asked of both, in every mode, then queries made of what the articles
say with phrases, exclusions, filters and so on, then what is related to some of the articles. Vectors of queries are
made beforehand: what is timed is searching. DATA is a data folder whose articles are embedded: of a copy of it made-up
queries and related articles are compared. Whatever was put into Milvus is deleted afterwards.
"""

import argparse
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from archive.article import Article
from benchmarks.measure import WORK, Cell, Check, Table, interleaved, median, percentile, report
from index.evaluation.asking import plain
from index.evaluation.collection import Collection, read_collection
from index.evaluation.measures import figures
from index.evaluation.workbench import Remembering
from index.local import LocalEngine
from index.milvus.standby import StandbyEngine
from index.ranking import MODES, Mode
from index.search import Search, SearchRequest, SearchResponse
from web.services import Services
from web.settings import Settings

MEASURE = "nDCG@10"
SPLIT = "test"
DEPTH = 10  # results that are compared
PANEL = 5  # related articles that are
JUDGED_DEPTH = 100
ALIKE, NDCG_APART = 0.95, 0.005  # what was to be shown
EACH, RELATED = 40, 200  # made-up queries of a kind, and articles whose panels are compared
DRAWN, TIMED, TITLE = 2_000, 150, 200  # articles of an archive; of these, headlines that are timed, and their length
SEED = 25
SOURCES, SECTIONS = ("Ledger", "Radio Nine", "The Herald", None), ("Politics", "Science", "World")
AUTHORS = ("Ada Lovelace", "Bén Ó", "Cy Young", "Di Wu")
BEGIN, DAYS = datetime(2010, 1, 1, tzinfo=UTC), 3650
TODAY = date(2020, 1, 1)

Texts = Sequence[Sequence[str]]  # the words of some of the articles
Draw = Callable[[random.Random, Texts], SearchRequest]


@dataclass(frozen=True)
class Pair:
    """One archive, and its index on this machine and in Milvus."""

    local: Services
    shared: Services

    @property
    def both(self) -> Mapping[str, Services]:
        """Each by its name."""
        return {"local": self.local, "shared": self.shared}


@dataclass(frozen=True)
class Alike:
    """How two answers to one question compare."""

    overlap: float  # of their first ten
    is_same_order: bool
    is_same_total: bool
    is_wrong: bool  # the shared index counts what does not match, or calls itself complete and is not
    is_bound: bool  # the shared index says that there may be more, and the other one does not
    has_same_facets: bool
    is_degraded: bool
    is_estimate: bool = False  # the totals are apart, and would not be were both told the same of the whole archive


def main() -> None:
    """Build, ask, compare, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*", type=Path)
    parser.add_argument("--archive", type=Path, help="a data folder whose articles are embedded")
    parser.add_argument("--documents", type=int, help="of a collection, those that are judged first")
    parser.add_argument("--milvus", required=True, help="the address of a server, http://host:port")
    parser.add_argument("--work", type=Path, default=WORK / "shared_index")
    parser.add_argument("--queries", type=int, help="judged queries that are asked, drawn by chance; all without")
    parser.add_argument("--each", type=int, default=EACH, help="made-up queries of each kind")
    parser.add_argument("--show", action="store_true", help="print every question whose answers differ")
    asked = parser.parse_args()
    checks: list[Check] = []
    tables: list[Table] = []
    for directory in asked.collections:
        whole = read_collection(directory, split=SPLIT)
        articles = [named(article) for article in some_of(whole, asked.documents)]
        collection = fewer(whole, asked.queries)
        folder = asked.work / collection.name
        fill(folder / "local", articles)
        with built(folder, milvus=asked.milvus) as pair:
            for part in (
                judged(pair, collection),
                made_up(pair, articles, collection.name, each=asked.each, show=asked.show),
                related(pair, articles, collection.name),
                times(pair, list(collection.judged.queries.values()), collection.name),
            ):
                checks += part[0]
                tables.append(part[1])
    if asked.archive:
        folder = asked.work / "archive"
        copied(asked.archive, folder / "local")
        with built(folder, milvus=asked.milvus) as pair:
            articles = drawn(pair.local)
            name = f"{pair.local.store.count_live():,} articles"
            for part in (
                made_up(pair, articles, name, each=asked.each, show=asked.show),
                related(pair, articles, name),
                times(pair, [article.title[:TITLE] for article in articles[:TIMED]], name),
            ):
                checks += part[0]
                tables.append(part[1])
    report("shared_index", title="A shared index beside one of this machine", checks=checks, tables=tables)


def named(article: Article) -> Article:
    """Return the article with names and a date of chance, the same ones each time."""
    chance = random.Random(article.id)
    published = BEGIN + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(86_400))
    return replace(
        article,
        source=chance.choice(SOURCES),
        section=chance.choice(SECTIONS),
        authors=tuple(chance.sample(AUTHORS, k=chance.randint(0, 2))),
        published_at=None if chance.random() < 0.1 else published,
    )


def fewer(collection: Collection, count: int | None) -> Collection:
    """Return a collection with so many of its judged queries."""
    every = sorted(collection.judged.queries)
    chosen = sorted(random.Random(SEED).sample(every, min(count, len(every)))) if count else every
    queries = {query_id: collection.judged.queries[query_id] for query_id in chosen}
    qrels = {query_id: collection.judged.qrels[query_id] for query_id in chosen}
    return replace(collection, judged=replace(collection.judged, queries=queries, qrels=qrels))


def some_of(collection: Collection, count: int | None) -> list[Article]:
    """Return so many articles of a collection, those that are judged first, the others as chance has it."""
    known = {document for grades in collection.judged.qrels.values() for document in grades}
    articles = list(collection.articles)
    random.Random(SEED).shuffle(articles)
    articles.sort(key=lambda article: collection.names[article.id] not in known)
    return articles[:count]


def fill(data: Path, articles: Sequence[Article]) -> None:
    """Put the articles into an archive."""
    services = Services(Settings(data=data))
    for article in articles:
        services.store.put(article)
    services.close()


def copied(data: Path, to: Path) -> None:
    """Copy an archive without its index."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for file in data.glob("archive.sqlite3*"):
        shutil.copy(file, to)


def drawn(services: Services) -> list[Article]:
    """Return some articles of an archive."""
    ids = services.store.live_ids()
    return list(services.store.live(random.Random(SEED).sample(ids, min(DRAWN, len(ids)))).values())


@contextmanager
def built(folder: Path, *, milvus: str) -> Iterator[Pair]:
    """Index the archive in `folder/local`, and a copy of it in Milvus; nothing is embedded twice."""
    first = Services(Settings(data=folder / "local"))
    embedder = Remembering(first.embedder)
    first.close()
    local = Services(Settings(data=folder / "local"), embedder=embedder, today=lambda: TODAY)
    made = local.builder.update()
    print(f"{folder.name}: {made.articles:,} articles, {made.passages:,} passages, {made.embedded:,} embedded")
    local.close()
    shutil.rmtree(folder / "shared", ignore_errors=True)
    (folder / "shared").mkdir()
    shutil.copy(local.database_file, folder / "shared")
    local = Services(Settings(data=folder / "local"), embedder=embedder, today=lambda: TODAY)
    shared = Services(Settings(data=folder / "shared", milvus=milvus), embedder=embedder, today=lambda: TODAY)
    again = shared.builder.update()
    if again.embedded or (again.articles, again.passages) != (made.articles, made.passages):
        raise SystemExit(f"not made of the same: {made} and {again}")
    try:
        yield Pair(local, shared)
    finally:
        shared.generations.clear(keep=None)
        local.close()
        shared.close()


# Judged queries


def judged(pair: Pair, collection: Collection) -> tuple[list[Check], Table]:
    """Ask every judged query of both, in every mode."""
    rows: list[Sequence[Cell]] = []
    checks = []
    for mode in MODES:
        runs = {name: ranked(services, collection, mode) for name, services in pair.both.items()}
        tens = [(runs["local"][one][:DEPTH], runs["shared"][one][:DEPTH]) for one in collection.judged.queries]
        shares = [overlap(*ten) for ten in tens]
        mean, same = sum(shares) / len(shares), sum(one == other for one, other in tens) / len(tens)
        worth = {
            name: float(figures(run, collection.judged.qrels, [MEASURE])[MEASURE].mean()) for name, run in runs.items()
        }
        apart = abs(worth["local"] - worth["shared"])
        rows.append([mode, len(tens), *(f"{figure:.4f}" for figure in (mean, same, worth["local"], worth["shared"]))])
        name = f"{collection.name}, {mode}"
        checks += [
            Check(f"{name}: overlap of the first {DEPTH}", f"at least {ALIKE}", f"{mean:.4f}", mean >= ALIKE),
            Check(f"{name}: {MEASURE} apart", f"at most {NDCG_APART}", f"{apart:.4f}", apart <= NDCG_APART),
        ]
    columns = ["mode", "queries", "overlap@10", "same ten in order", f"{MEASURE} local", f"{MEASURE} shared"]
    return checks, Table(f"{collection.name}: judged queries", columns, rows)


def ranked(services: Services, collection: Collection, mode: Mode) -> Mapping[str, Sequence[str]]:
    """Return the documents that each judged query finds, best first."""
    found = {}
    for query_id, text in collection.judged.queries.items():
        ranking = services.search.rank(plain(text), mode=mode)
        if ranking.degraded:
            raise SystemExit(f"{text!r} was not answered by the index: what it said is in the log")
        found[query_id] = [collection.names[article_id] for article_id in ranking.ids[:JUDGED_DEPTH]]
    return found


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return which share of the longer list is in both."""
    return len(set(one) & set(other)) / max(len(one), len(other)) if one or other else 1.0


# Made-up queries


def words_beside(chance: random.Random, texts: Texts, *, most: int) -> list[str]:
    """Return words that stand side by side in some article."""
    words = chance.choice(texts)
    count = chance.randint(2, most)
    start = chance.randrange(max(1, len(words) - count))
    return list(words[start : start + count])


def some_words(chance: random.Random, texts: Texts, *, most: int) -> str:
    """Return some words of one article, in no order."""
    words = chance.choice(texts)
    return " ".join(chance.choices(words, k=chance.randint(1, most)))


def long_word(chance: random.Random, texts: Texts) -> str:
    """Return a word of some length."""
    words = chance.choice(texts)
    return max(chance.choices(words, k=5), key=len)


def typed(form: str) -> Draw:
    """Return what draws queries of this form."""

    def draw(chance: random.Random, texts: Texts) -> SearchRequest:
        return SearchRequest(
            query=form.format(
                words=some_words(chance, texts, most=4),
                phrase=" ".join(words_beside(chance, texts, most=3)),
                long=long_word(chance, texts),
                start=long_word(chance, texts)[:5],
                a=long_word(chance, texts),
                b=long_word(chance, texts),
                year=chance.randint(2010, 2019),
                section=chance.choice(SECTIONS),
            )
        )

    return draw


def narrowed(chance: random.Random, texts: Texts) -> SearchRequest:
    """Return a query with the filters of the form."""
    years = sorted(chance.choices(range(2010, 2020), k=2))
    return SearchRequest(
        query=some_words(chance, texts, most=4),
        sources=tuple(name for name in chance.sample(SOURCES, 2) if name),
        sections=tuple(chance.sample(SECTIONS, chance.randint(0, 2))),
        authors=tuple(chance.sample(AUTHORS, chance.randint(0, 1))),
        date_from=date(years[0], 3, 1) if chance.random() < 0.5 else None,
        date_to=date(years[1], 10, 31) if chance.random() < 0.5 else None,
    )


KINDS: Mapping[str, Draw] = {
    "words": typed("{words}"),
    "filters": narrowed,
    "filters alone": lambda chance, texts: replace(narrowed(chance, texts), query=""),
    "typed filters": typed("{words} section:{section} -source:ledger"),
    "dates": typed("{words} after:{year}"),
    "phrase": typed('"{phrase}"'),
    "phrase and words": typed('{words} "{phrase}"'),
    "exclusion": typed("{words} -{a} -{b}"),
    "excluded phrase": typed('{words} -"{phrase}"'),
    "prefix": typed("{start}*"),
    "prefix and words": typed("{words} {start}*"),
    "OR": typed("{a} OR {b}"),
    "OR of filters": typed("{words} (section:{section} OR after:{year})"),
    "groups": typed('({a} OR "{phrase}") {b} -section:{section}'),
    "near": typed("{a} NEAR {b}"),
    "fuzzy": typed("{long}~ {b}"),
    "title": typed("{words} title:{a}"),
}


def made_up(pair: Pair, articles: Sequence[Article], name: str, *, each: int, show: bool) -> tuple[list[Check], Table]:
    """Ask made-up queries of both, each kind in every mode in turn."""
    chance = random.Random(SEED)
    texts = [words for article in articles if (words := plain_words(article))]
    rows: list[Sequence[Cell]] = []
    everything: list[Alike] = []
    for kind, draw in KINDS.items():
        found = []
        for number in range(each):
            request = replace(draw(chance, texts), mode=MODES[number % len(MODES)])
            local, shared = (services.search.search(request) for services in pair.both.values())
            alike = compared(local, shared)
            if alike.is_wrong and compared(local, asked_alike(pair, request)).is_same_total:
                alike = replace(alike, is_wrong=False, is_estimate=True)
            found.append(alike)
            if show and not is_alike(alike):
                print(difference(kind, request, local, shared), flush=True)
        rows.append(told(kind, found))
        everything += found
    rows.append(told("all", everything))
    mean = sum(one.overlap for one in everything) / len(everything)
    wrong = sum(one.is_wrong for one in everything)
    facets = sum(one.is_same_total and not one.has_same_facets for one in everything)
    degraded = sum(one.is_degraded for one in everything)
    checks = [
        Check(f"{name}, made-up queries: overlap@{DEPTH}", f"at least {ALIKE}", f"{mean:.4f}", mean >= ALIKE),
        Check(f"{name}, made-up queries: totals that are wrong", "none", str(wrong), not wrong),
        Check(f"{name}, made-up queries: other facets of the same total", "none", str(facets), not facets),
        Check(f"{name}, made-up queries: not answered by the index", "none", str(degraded), not degraded),
    ]
    shares = ["overlap@10", "same ten", "same total", "same facets"]
    columns = ["kind", "queries", *shares, "lower bound", "other estimate", "wrong total"]
    return checks, Table(f"{name}: made-up queries", columns, rows)


def asked_alike(pair: Pair, request: SearchRequest) -> SearchResponse:
    """Ask the shared index, told by the other one how near one passage in a hundred comes.

    What is probably relevant depends on that, and each index tells it from some thousand passages, not the same ones.
    """
    with pair.local.serving.engine() as (local, _), pair.shared.serving.engine() as (shared, _):
        if not (isinstance(local, LocalEngine) and isinstance(shared, StandbyEngine)):
            raise SystemExit("one of the indexes is away")
        statistics, vectors = shared._shared._statistics, local._vectors
        setattr(statistics, "quantile", lambda vector, _: vectors.spread(vector))  # noqa: B010 -- a method, for mypy
        try:
            search = Search(  # one that has kept no list
                store=pair.shared.store,
                serving=pair.shared.serving,
                embedder=pair.shared.models.embedder,
                fusion=pair.shared.settings.fusion,
                today=pair.shared.today,
            )
            return search.search(request)
        finally:
            delattr(statistics, "quantile")


def plain_words(article: Article) -> list[str]:
    """Return the words of an article that have nothing but letters: no operator comes of them."""
    return [word.lower() for word in f"{article.title} {article.body}".split() if word.isascii() and word.isalpha()]


def compared(local: SearchResponse, shared: SearchResponse) -> Alike:
    """Compare two answers."""
    tens = [[result.article.id for result in answer.results] for answer in (local, shared)]
    more = shared.total > local.total and local.complete
    fewer = shared.total < local.total and shared.complete
    return Alike(
        overlap=overlap(*tens),
        is_same_order=tens[0] == tens[1],
        is_same_total=local.total == shared.total,
        is_wrong=more or fewer,
        is_bound=local.complete and not shared.complete,
        has_same_facets=local.facets == shared.facets,
        is_degraded=shared.degraded,
    )


def is_alike(found: Alike) -> bool:
    """Tell whether nothing differs that a reader sees."""
    return found.is_same_order and found.has_same_facets and not (found.is_wrong or found.is_bound or found.is_degraded)


def difference(kind: str, request: SearchRequest, local: SearchResponse, shared: SearchResponse) -> str:
    """Return in a line how two answers differ."""
    told = [
        f"{answer.total}{'' if answer.complete else '+'}{' degraded' if answer.degraded else ''}"
        for answer in (local, shared)
    ]
    both = overlap(*([result.article.id for result in answer.results] for answer in (local, shared)))
    filters = [request.sources, request.sections, request.authors, request.date_from, request.date_to]
    given = [str(each) for each in filters if each]
    return f"  {kind}, {request.mode}: {request.query!r} {' '.join(given)}: {' / '.join(told)}, overlap {both:.2f}"


def told(kind: str, found: Sequence[Alike]) -> list[Cell]:
    """Return a row on the queries of one kind."""
    counts = Counter(
        name
        for one in found
        for name in ("is_same_order", "is_same_total", "has_same_facets", "is_bound", "is_estimate", "is_wrong")
        if getattr(one, name)
    )
    shares = (counts[name] / len(found) for name in ("is_same_order", "is_same_total", "has_same_facets"))
    mean = sum(one.overlap for one in found) / len(found)
    return [
        kind,
        len(found),
        *(f"{share:.3f}" for share in (mean, *shares)),
        counts["is_bound"],
        counts["is_estimate"],
        counts["is_wrong"],
    ]


# Related articles, and time


def related(pair: Pair, articles: Sequence[Article], name: str) -> tuple[list[Check], Table]:
    """Compare the panels of some articles."""
    some = random.Random(SEED).sample(articles, min(RELATED, len(articles)))
    panels = [
        [
            [result.article.id for result in services.related.related(article.id, limit=PANEL).results]
            for services in pair.both.values()
        ]
        for article in some
    ]
    mean = sum(overlap(*panel) for panel in panels) / len(panels)
    same = sum(one == other for one, other in panels) / len(panels)
    check = Check(f"{name}, related: overlap@{PANEL}", f"at least {ALIKE}", f"{mean:.4f}", mean >= ALIKE)
    table = Table(
        f"{name}: related articles",
        ["articles", f"overlap@{PANEL}", "same in order"],
        [[len(panels), f"{mean:.4f}", f"{same:.4f}"]],
    )
    return [check], table


def times(pair: Pair, queries: Sequence[str], name: str) -> tuple[list[Check], Table]:
    """Time every query, as the site asks it, in turn; none was asked as this before."""
    for text in queries:
        pair.local.embedder.embed_query(text)
    rows: list[Sequence[Cell]] = []
    for mode in MODES:
        cases = {one: asking(services, queries, mode) for one, services in pair.both.items()}
        taken = interleaved(cases, rounds=len(queries))
        local, shared = (median(taken[one]) * 1000 for one in ("local", "shared"))
        slowest = percentile(taken["shared"], 0.95) * 1000
        rows.append([mode, *(f"{figure:.1f}" for figure in (local, shared, slowest)), f"{shared / local:.2f}"])
    columns = ["mode", "local, ms", "shared, ms", "shared, p95", "shared/local"]
    return [], Table(f"{name}: time of a query, its vector known", columns, rows)


def asking(services: Services, queries: Iterable[str], mode: Mode) -> Callable[[], object]:
    """Return what asks the next query each time it is called."""
    waiting = iter(queries)
    return partial(_ask_next, services, waiting, mode)


def _ask_next(services: Services, waiting: Iterator[str], mode: Mode) -> None:
    services.search.search(SearchRequest(query=next(waiting), mode=mode))


if __name__ == "__main__":
    main()
