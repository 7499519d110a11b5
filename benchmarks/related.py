"""Related articles: judged on labelled events and by people's likeness, their lanes, and their time beside a search.

    python -m benchmarks.related EVENTS.jsonl --likeness TEXTS MATRIX BACKGROUND --data DATA

EVENTS.jsonl has articles with a `cluster` (BASIL). It is judged as it is and made harder: of each article the first 60
words without its headline, words 150 to 350, its headline alone. TEXTS, MATRIX and BACKGROUND are what `flask evaluate
--similarities` takes. DATA is a data folder with a published index, in which panels are timed beside hybrid searches of
the same articles' headlines.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from archive.article import Article
from archive.readers.fields import article_from
from benchmarks.measure import WORK, Check, Table, interleaved, median, percentile, ratios, report, told
from index.evaluate import EvaluationReport, Parts, evaluate_related, evaluate_similarities
from index.evaluation.workbench import workbench
from index.lanes import SAME_STORY_DAYS
from index.related import Related
from index.results import Result
from index.search import SearchRequest
from web.services import Services
from web.settings import Settings

NDCG, PEARSON, LANES, ROUNDS = 0.987, 0.68, 200, 60
SEED = 5
Row = Mapping[str, object]

HARDER: Mapping[str, Callable[[str, str], tuple[str, str]]] = {
    "as they are": lambda title, body: (title, body),
    "the first 60 words, no headline": lambda _, body: ("", " ".join(body.split()[:60])),
    "words 150 to 350, no headline": lambda _, body: ("", " ".join(body.split()[150:350]) or body),
    "headlines alone": lambda title, body: (title, title or body[:80]),
}


def main() -> None:
    """Judge, look at lanes, time, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("--likeness", type=Path, nargs=3, metavar=("TEXTS", "MATRIX", "BACKGROUND"))
    parser.add_argument("--data", type=Path, help="a data folder with a published index")
    asked = parser.parse_args()
    rows = [json.loads(line) for line in asked.events.read_text(encoding="utf-8").splitlines()]
    checks: list[Check] = []
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(dir=WORK.parent) as aside:
        own = Services(Settings(data=Path(aside)))
        parts = Parts(embedder=own.embedder, keywords=own.keywords, fusion="sum")
        judged = {name: judge(rows, change, name, parts, Path(aside)) for name, change in HARDER.items()}
        checks += event_checks(judged)
        tables.append(event_table(judged))
        if asked.likeness:
            texts, matrix, background = asked.likeness
            found = evaluate_similarities(texts, matrix, background=background, parts=parts, work=Path(aside) / "like")
            checks.append(likeness_check(found))
        checks.append(
            lane_check("labelled events", rows_panels(rows, parts, folder_of(Path(aside), "as they are") / "work"))
        )
        own.close()
    if asked.data:
        services = Services(Settings(data=asked.data))
        checks.append(lane_check("the archive", archive_panels(services)))
        checks.append(time_check(services))
        services.close()
    report("related", title="Related articles", checks=checks, tables=tables)


def judge(
    rows: Sequence[Row], change: Callable[[str, str], tuple[str, str]], name: str, parts: Parts, aside: Path
) -> EvaluationReport:
    """Return what related articles are worth on these events, changed."""
    place = folder_of(aside, name)
    place.mkdir()
    changed = [{**row, **dict(zip(("title", "body"), change(*texts_of(row)), strict=True))} for row in rows]
    (place / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    return evaluate_related(place / "events.jsonl", parts=parts, work=place / "work")


def folder_of(aside: Path, name: str) -> Path:
    """Return where the events of this name are judged."""
    return aside / name.replace(" ", "-").replace(",", "")


def texts_of(row: Row) -> tuple[str, str]:
    """Return the title and body of a row."""
    return str(row["title"]), str(row["body"])


def event_checks(judged: Mapping[str, EvaluationReport]) -> Iterator[Check]:
    """Yield what the labelled events were to show."""
    for name, found in judged.items():
        both, words, meaning = (found.modes[mode]["nDCG@5"] for mode in ("hybrid", "keyword", "semantic"))
        low, high = found.intervals["hybrid"]["nDCG@5"]
        least = max(words, meaning, NDCG if name == "as they are" else 0.0)
        bar = f"at least {NDCG} and either leg" if name == "as they are" else "at least either leg"
        measured = f"{both:.4f} [{low:.4f}, {high:.4f}], words {words:.4f}, meaning {meaning:.4f}"
        yield Check(f"labelled events, {name}: nDCG@5", bar, measured, both >= least)


def event_table(judged: Mapping[str, EvaluationReport]) -> Table:
    """Return all measures of all modes."""
    rows = [
        (name, mode, *(f"{value:.4f}" for value in measures.values()))
        for name, found in judged.items()
        for mode, measures in found.modes.items()
    ]
    return Table("Labelled events", ("events", "mode", "nDCG@5", "P@5"), rows)


def likeness_check(found: EvaluationReport) -> Check:
    """Return how our likeness goes with people's."""
    pearson = {mode: measures["Pearson"] for mode, measures in found.modes.items()}
    low, high = found.intervals["hybrid"]["Pearson"]
    others = ", ".join(f"{mode} {value:.3f}" for mode, value in pearson.items() if mode != "hybrid")
    measured = f"{pearson['hybrid']:.3f} [{low:.3f}, {high:.3f}], {others}"
    return Check("likeness beside people's: Pearson", f"at least {PEARSON}", measured, pearson["hybrid"] >= PEARSON)


Panels = Iterator[tuple[Article, Sequence[Result]]]


def rows_panels(rows: Sequence[Row], parts: Parts, work: Path) -> Panels:
    """Yield panels of the labelled events."""
    articles = [article_from(row) for row in rows]
    with workbench(articles, parts=parts, work=work, progress=lambda *_: None) as bench:
        yield from panels(bench.related(), articles)


def archive_panels(services: Services) -> Panels:
    """Yield panels of an archive's articles."""
    ids = services.store.live_ids()
    drawn = random.Random(SEED).sample(ids, min(LANES, len(ids)))
    yield from panels(services.related, list(services.store.live(drawn).values()))


def panels(related: Related, articles: Sequence[Article]) -> Panels:
    """Yield articles in an order of chance, each with its panel."""
    for article in random.Random(SEED).sample(list(articles), len(articles)):
        yield article, related.related(article.id, limit=10).results


def lane_check(where: str, found: Panels) -> Check:
    """Return whether lanes go with dates, and whether no panel shows its article or one text twice."""
    chance, pairs, wrong = random.Random(SEED), 0, []
    for article, results in found:
        texts = [article.body, *(result.article.body for result in results)]
        if article.id in {result.article.id for result in results} or len(set(texts)) < len(texts):
            wrong.append(article.id)
        if results and pairs < LANES:
            pairs += 1
            wrong += [] if is_true(article, chance.choice(results)) else [article.id]
    return Check(
        f"lanes of {pairs} pairs of {where}, and no panel shows its article or a text twice", "all", *verdict(wrong)
    )


def verdict(wrong: Sequence[str]) -> tuple[str, bool]:
    """Return what was wrong in words, and whether nothing was."""
    return f"{len(wrong)} wrong{': ' + ', '.join(wrong[:3]) if wrong else ''}", not wrong


def is_true(article: Article, result: Result) -> bool:
    """Return whether a lane agrees with the dates."""
    here, there = article.published_at, result.article.published_at
    if here is None or there is None:
        return result.lane == "other"
    match result.lane:
        case "same_story":
            return abs(there - here) <= timedelta(days=SAME_STORY_DAYS)
        case "background":
            return there < here
        case "follow_up":
            return there > here
    return there == here


def time_check(services: Services) -> Check:
    """Return what a panel takes of a hybrid search, in turn, for the same articles."""
    services.search.prepare()
    ids = random.Random(SEED).sample(services.store.live_ids(), ROUNDS + 10)
    articles = [services.store.live([id_])[id_] for id_ in ids]
    searching, relating = iter(articles), iter(articles)
    cases = {
        "search": lambda: services.search.search(SearchRequest(query=next(searching).title[:200])),
        "related": lambda: services.related.related(next(relating).id, limit=5),
    }
    interleaved(cases, rounds=10)  # warmed up
    taken = interleaved(cases, rounds=ROUNDS)
    share = ratios(taken["related"], taken["search"])
    overall = median(taken["related"]) / median(taken["search"])
    measured = f"{overall:.2f}; pair by pair {told(share)}; p95 {percentile(taken['related'], 0.95) * 1000:.0f} ms"
    name = f"a panel's time of a hybrid search's, {services.store.count_live():,} articles"
    return Check(name, "at most 1", measured, overall <= 1)


if __name__ == "__main__":
    main()
