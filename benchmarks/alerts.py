"""Alerts measured on a real archive: do they agree with searches, what do they cost, what had an older index said?

    python -m benchmarks.alerts DATA [--pairs 500] [--live 200]

DATA is a copy of an archive's folder: a store that is opened is brought up to date. A search is narrowed to an article
by its source and its day; `--live` puts so many articles into an archive of its own, batch by batch, and follows it.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archive.article import Article
from archive.grouping import find_copies
from index.alerts import Judge, fire
from index.query import QueryRefused
from index.ranking import MODES
from index.search import SearchRequest
from web.saved import asked_by, question_of
from web.services import Services
from web.settings import Settings

SEED = 46
PAGE = 100
BATCH = 50  # articles that come in together
FORMS = ("{w}", "{w}", "{w}", '"{p}" {w}', "{w} -{x}", "{a} OR {b}", "{w} language:en", "title:{a} {b}")


def questions(articles: Sequence[Article], chance: random.Random, *, count: int) -> list[SearchRequest]:
    """Return searches made of what headlines say."""
    made = []
    for article in chance.choices(list(articles), k=count):
        words = [word.strip(".,;:\"'()") for word in article.title.split()] or ["news"]
        other = chance.choice(articles).title.split() or ["news"]
        text = chance.choice(FORMS).format(
            w=" ".join(chance.sample(words, min(len(words), chance.randint(1, 5)))),
            p=" ".join(words[:2]), x=other[0], a=chance.choice(words), b=chance.choice(words),
        )  # fmt: skip
        made.append(SearchRequest(query=text, mode=chance.choice(MODES)))
    return made


def agree(parts: Services, articles: Sequence[Article], chance: random.Random, *, pairs: int) -> None:
    """Compare what fires with what a search narrowed to the article lists, for so many pairs, and tell."""
    named = [article for article in articles if article.source and article.published_at]
    ids = [article.id for article in named]
    by_id = {article.id: article for article in named}
    asked = compared = fired = differ = 0
    for request in questions(articles, chance, count=pairs):
        with parts.serving.engine() as (engine, _):
            try:
                passing = Judge(engine, parts.models.embedder).fires(request, ids)
            except QueryRefused:
                continue
        chosen = chance.sample(sorted(passing), min(2, len(passing))) + chance.sample(ids, 2)
        for article_id in chosen[: pairs - compared]:
            compared += 1
            fired += article_id in passing
            listed = article_id in narrowed(parts, request, by_id[article_id])
            if listed != (article_id in passing):
                differ += 1
                print(f"  differs: {request.query!r} {request.mode} {article_id}: search {listed}")
        asked += 1
        if compared >= pairs:
            break
    print(f"{compared} pairs of {asked} searches: {fired} fire, {compared - fired} do not; {differ} differ")


def narrowed(parts: Services, request: SearchRequest, article: Article) -> set[str]:
    """Return what a search lists of the articles of this one's source and day."""
    day = article.published_at.date() if article.published_at else None
    request = replace(
        request, sources=(article.source or "",), date_from=day, date_to=day, copies="all", page_size=PAGE
    )
    answer = parts.search.search(request)
    found = {result.article.id for result in answer.results}
    while answer.cursor:
        answer = parts.search.search(replace(request, cursor=answer.cursor))
        found |= {result.article.id for result in answer.results}
    return found


def costs(parts: Services, articles: Sequence[Article], chance: random.Random, *, searches: int = 200) -> None:
    """Tell what judging a batch of articles costs a saved search, embedded before as it is from the second round on."""
    requests = questions(articles, chance, count=searches)
    ids = [article.id for article in chance.sample(list(articles), BATCH)]
    times, searched = [], 0
    with parts.serving.engine() as (engine, _):
        for warm in (False, True):
            for request in requests:
                judge = Judge(engine, parts.models.embedder)
                began = time.perf_counter()
                try:
                    judge.fires(request, ids)
                except QueryRefused:
                    continue
                if warm:
                    times.append(time.perf_counter() - began)
                    searched += judge.searched
    times.sort()
    middle, slow = times[len(times) // 2] * 1000, times[len(times) * 95 // 100] * 1000
    print(
        f"{BATCH} new articles: {middle:.1f} ms a saved search in the middle, {slow:.1f} ms for one in twenty;"
        f" {searched} of {len(times)} needed a whole search"
    )


def live(parts: Services, articles: Sequence[Article], chance: random.Random, *, count: int) -> None:
    """Follow an archive that grows batch by batch, and compare what fired with what its last index fires."""
    dated = sorted((one for one in articles if one.published_at), key=lambda one: str(one.published_at))[-count:]
    requests = [replace(request, copies="all") for request in questions(dated, chance, count=100)]
    with tempfile.TemporaryDirectory() as folder:
        own = Services(Settings(data=Path(folder)), embedder=parts.embedder)
        rounds(own, dated, requests)
        agreed = both = either = 0
        with own.serving.engine() as (engine, _):
            judge = Judge(engine, own.models.embedder)
            for request in requests:
                passing = judge.fires(request, [one.id for one in dated])
                search = own.alerts.opened(tokens[request])
                assert search is not None
                fired = {alert.article_id for alert in own.alerts.alerts(search.id, limit=count)}
                both += len(fired & passing)
                either += len(fired | passing)
                agreed += fired == passing
        print(
            f"live, {len(dated)} articles in batches of {BATCH}: {agreed} of {len(requests)} searches the same as"
            f" by the last index; of {either} articles that fired either way {both} did both ways"
        )
        own.close()


tokens: dict[SearchRequest, str] = {}


def rounds(own: Services, articles: Sequence[Article], requests: Sequence[SearchRequest]) -> None:
    """Bring the articles in, batch by batch, and judge after each."""
    for request in requests:
        tokens[request], _ = own.alerts.save(name="A search", question=question_of(request), after_seq=0, most=10_000)
    for start in range(0, len(articles), BATCH):
        for one in articles[start : start + BATCH]:
            own.store.put(one)
        find_copies(own.store)
        own.builder.update()
        own.serving.catch_up()
        with own.serving.engine() as (engine, _):
            fire(own.store, own.alerts, Judge(engine, own.models.embedder), until=engine.seq, read=asked_by)


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--live", type=int, default=0)
    given = parser.parse_args()
    if not (given.data / "archive.sqlite3").is_file():
        sys.exit(f"{given.data}: no archive is there")
    parts = Services(Settings(data=given.data))
    chance = random.Random(SEED)
    ids = parts.store.live_ids()
    articles = list(parts.store.live(chance.sample(ids, min(len(ids), 5_000))).values())
    print(f"{len(ids):,} articles")
    agree(parts, articles, chance, pairs=given.pairs)
    costs(parts, articles, chance)
    if given.live:
        live(parts, articles, chance, count=given.live)
    parts.close()


if __name__ == "__main__":
    main()
