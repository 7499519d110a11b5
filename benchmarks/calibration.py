"""Fit the constants of index/calibration.py on judged queries, and show what the cut-off does with them.

    PYTHONPATH=. python benchmarks/calibration.py --work WORK [--archive DATA] COLLECTION [COLLECTION ...]

A COLLECTION is a folder in BEIR's layout. Its `qrels/train.tsv` is fitted on where there is one, else its `test.tsv`;
reported is `test.tsv`. DATA is the data folder of an indexed archive, the larger the better, that is only read. WORK
keeps the collections' indexes. Beside the judged queries, each of these places is asked for what it does not hold
(absent-queries.txt, gibberish-queries.txt): the odd lines are fitted on, the even ones reported.

It prints the constants of each mode; on queries held out, the calibration error; by the constants as they stand in
index/calibration.py, what the cut-off loses, lists and refuses; and how far half an archive moves a probability.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np

from archive.store import Store
from index.calibration import (
    MODELS,
    THRESHOLD,
    Mode,
    Model,
    evidence,
    exact,
    gate,
    gate_signs,
    probabilities,
    probabilities_by,
)
from index.embedder import BUNDLED, open_embedder
from index.engine import NOWHERE, Candidates, Floats, Ints, Mask
from index.evaluation.asking import plain
from index.evaluation.collection import Collection, read_collection
from index.evaluation.workbench import ARCHIVE, Parts, Workbench, workbench
from index.keywords.whoosh_index import WhooshFormat
from index.local_generations import LocalGenerations
from index.query import Query, QueryRefused, parse
from index.search import Search
from index.serving import Serving

HERE = Path(__file__).parent
TODAY = date(2026, 1, 1)  # what "yesterday" in a query counts from: any day
FOLDS = 5
PAGE_DEPTH = 20  # best articles of a query that the second regression is fitted on: what people look at
DEPTHS = (10, 50, None)  # of the populations whose calibration is measured; None: all candidates
BINS = 10
RIDGE_GATE, RIDGE_ARTICLE = 1.0, 0.01  # beside sums of weights of some thousands: only against separable data
# Weights of what is refused beside every judged set's 1, by what an error costs: in the gate, and on the page.
REFUSED = {"absent": 3.0, "gibberish": 9.0}
PAGE_REFUSED = {"absent": 1.5, "gibberish": 0.5}
ARCHIVE_SHARE = 0.7  # of these weights for the archive, where chance finds most; the collections share the rest


@dataclass(frozen=True, slots=True)
class Asked:
    """A query's candidates, which of them are relevant, and their order by fusion."""

    text: str
    candidates: Candidates
    relevant: Mask
    order: Ints
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class QuerySet:
    """Queries of one kind asked of one place: judged, absent or gibberish."""

    place: str
    kind: str
    asked: Sequence[Asked]
    silent: int = 0  # queries in which there is nothing to look for, or that are refused: they show nothing


def main() -> None:
    """Ask, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--archive", type=Path)
    options = parser.parse_args()
    parts = Parts(open_embedder(BUNDLED, runtime="auto", cache=options.work), WhooshFormat(), "sum")
    fitted, reported, halves = [], [], []
    for directory in options.collections:
        train = "train" if (directory / "qrels" / "train.tsv").exists() else "test"
        collections = {split: read_collection(directory, split=split) for split in dict.fromkeys((train, "test"))}
        test = collections["test"]
        with workbench(test.articles, parts=parts, work=options.work / test.name, progress=tell) as bench:
            judged = {split: judged_set(bench.search(), collection) for split, collection in collections.items()}
            odd, even = refused_sets(bench.search(), test.name)
            fitted += [judged[train], *odd]
            reported += [judged["test"], *even]
        half = [article for number, article in enumerate(test.articles) if number % 2]
        with workbench(half, parts=parts, work=embedded(options.work / test.name), progress=tell) as bench:
            halves.append((judged["test"], judged_set(bench.search(), test)))
    if options.archive:
        odd, even = archive_sets(options.archive, parts)
        fitted += odd
        reported += even
    report(fitted, reported, halves)


def report(fitted: list[QuerySet], reported: list[QuerySet], halves: list[tuple[QuerySet, QuerySet]]) -> None:
    """Print everything the module's docstring promises."""
    for mode in MODELS:
        model = fit(fitted, mode=mode)
        print(f'"{mode}": Model(gate={rounded(model.gate)}, article={rounded(model.article)}),')
    print("\ncalibration error, queries held out (each set weighs the same; judged sets only)")
    print_errors("5 folds", folds(fitted))
    judged = [queries for queries in fitted if queries.kind == "judged"]
    for left_out in judged if len(judged) > 1 else []:
        rest = [queries for queries in fitted if queries.place != left_out.place]
        print_errors(f"without {left_out.place}", [(left_out, fit(rest, mode="hybrid"))])
    for mode in MODELS:
        print(f"\n{mode}, by the constants in index/calibration.py, cut off at {THRESHOLD}")
        for queries in reported:
            print(f"  {queries.place:12} {queries.kind:10}", *told(queries, mode=mode))
    print("\nhalf of the articles: how far the probability of the same query and article moves")
    for whole, half in halves:
        print(f"  {whole.place:12}", moved(whole, half))


def embedded(work: Path) -> Path:
    """Return a folder beside `work` that holds the same articles, so that half of them are not embedded again."""
    half = work.with_name(f"{work.name}-half")
    if not half.exists():
        half.mkdir()
        shutil.copy(work / ARCHIVE, half / ARCHIVE)
    return half


# Asking


def judged_set(search: Search, collection: Collection) -> QuerySet:
    """Ask the judged queries of a collection."""
    judged, names = collection.judged, collection.names
    asked: list[Asked] = []
    for query_id, text in judged.queries.items():
        relevant = {document for document, grade in judged.qrels[query_id].items() if grade > 0}
        asked += ask(search, text, plain, lambda article_id, relevant=relevant: names[article_id] in relevant)  # type: ignore[misc]
    return QuerySet(collection.name, "judged", asked)


def refused_sets(search: Search, place: str) -> tuple[list[QuerySet], list[QuerySet]]:
    """Ask for what the place does not hold; return the odd lines and the even ones."""
    halves: tuple[list[QuerySet], list[QuerySet]] = ([], [])
    for kind in REFUSED:
        lines = (HERE / f"{kind}-queries.txt").read_text(encoding="utf-8").splitlines()
        for half, texts in zip(halves, (lines[::2], lines[1::2]), strict=True):
            asked = [each for text in texts for each in ask(search, text, typed, lambda _: False)]
            half.append(QuerySet(place, kind, asked, silent=len(texts) - len(asked)))
    return halves


def archive_sets(data: Path, parts: Parts) -> tuple[list[QuerySet], list[QuerySet]]:
    """Ask an archive for what it does not hold."""
    store = Store(data / ARCHIVE)
    serving = Serving(LocalGenerations(data / "index", formats={parts.keywords.name: parts.keywords}), store)
    try:
        return refused_sets(Workbench(store, serving, parts).search(), "archive")
    finally:
        serving.close()
        store.close()


def ask(search: Search, text: str, read: Callable[[str], Query], is_relevant: Callable[[str], bool]) -> Iterator[Asked]:
    """Yield what a query found; nothing when there is nothing to look for."""
    try:
        query = read(text)
    except QueryRefused:
        return
    if not query.text:
        return
    ranking = search.rank(query, mode="hybrid")
    found = ranking.candidates
    relevant = np.fromiter(map(is_relevant, found.ids), np.bool_, len(found.ids))
    spans = np.broadcast_to(np.int64(NOWHERE), found.spans.shape)  # not looked at here
    yield Asked(text, replace(found, spans=spans), relevant, ranking.fusion.order, found.ids)


def typed(text: str) -> Query:
    """Return what somebody types in the box."""
    return parse(text, today=TODAY)


def tell(stage: str, done: int, total: int | None) -> None:
    """Say that a stage is over."""
    if done == total:
        print(f"# {stage}: {total}", flush=True)


def seen(asked: Asked, mode: Mode) -> Asked:
    """Return what a search in `mode` would have found of it, in that mode's order."""
    found, nothing = asked.candidates, np.full(len(asked.candidates.ids), np.nan)
    match mode:
        case "hybrid":
            return asked
        case "semantic":
            order = np.argsort(-found.semantic, kind="stable")
            return replace(asked, candidates=replace(found, coverage=np.zeros_like(nothing)), order=order)
        case "keyword":
            order = np.argsort(-found.keyword, kind="stable")
            order = order[found.keyword[order] > 0]
            return replace(asked, candidates=replace(found, semantic=nothing, nearest=None), order=order)


# Fitting


def fit(sets: Iterable[QuerySet], *, mode: Mode) -> Model:
    """Fit both regressions of a mode, the gate on queries, the second on the best articles of each."""
    sets = [replace(queries, asked=[seen(asked, mode) for asked in queries.asked]) for queries in sets]
    signs = [np.array([gate_signs(asked.candidates, mode=mode) for asked in queries.asked]) for queries in sets]
    answered = [np.full(len(queries.asked), queries.kind == "judged") for queries in sets]
    weights = [weight_of(queries, sets, REFUSED) for queries in sets]
    first = logistic(signs, answered, weights, ridge=RIDGE_GATE)
    model = Model(gate=cast(tuple[float, float, float, float], tuple(first.tolist())), article=(0.0, 0.0, 0.0, 0.0))
    pages = [[(asked, best(asked, PAGE_DEPTH)) for asked in queries.asked] for queries in sets]
    rows = [np.concatenate([article_signs(asked, model, mode)[top] for asked, top in page]) for page in pages]
    relevant = [np.concatenate([asked.relevant[top] for asked, top in page]) for page in pages]
    weights = [weight_of(queries, sets, PAGE_REFUSED) for queries in sets]
    second = logistic(rows, relevant, weights, ridge=RIDGE_ARTICLE)
    return replace(model, article=cast(tuple[float, float, float, float], tuple(second.tolist())))


def weight_of(queries: QuerySet, sets: Sequence[QuerySet], refused: Mapping[str, float]) -> float:
    """Return what a set weighs in a fit."""
    if queries.kind == "judged":
        return 1.0
    others = sum(each.kind == queries.kind and each.place != "archive" for each in sets)
    share = ARCHIVE_SHARE if queries.place == "archive" else (1 - ARCHIVE_SHARE) / others
    return share * refused[queries.kind]


def article_signs(asked: Asked, model: Model, mode: Mode) -> Floats:
    """Return what the second regression goes by, shape (candidates, 3)."""
    shown = evidence(asked.candidates, mode=mode)
    opened = -np.logaddexp(0.0, -gate(model, asked.candidates, mode=mode))
    return np.stack([shown, shown - shown.max(initial=0.0), np.full(len(shown), opened)], axis=1)


def best(asked: Asked, depth: int | None) -> Ints:
    """Return the rows of the query's best candidates."""
    return asked.order[:depth]


def logistic(signs: Sequence[Floats], holds: Sequence[Mask], weights: Sequence[float], *, ridge: float) -> Floats:
    """Return the intercept and weights of a logistic regression over sets that weigh as given, by Newton's method."""
    scale = np.concatenate(
        [np.full(len(rows), 1000 * weight / max(len(rows), 1)) for rows, weight in zip(signs, weights, strict=True)]
    )
    table = np.concatenate([np.atleast_2d(rows) for rows in signs if len(rows)])
    table = np.column_stack([np.ones(len(table)), table])
    truth = np.concatenate(holds).astype(float)
    penalty = ridge * np.eye(table.shape[1])
    penalty[0, 0] = 0.0
    found = np.zeros(table.shape[1])
    for _ in range(60):
        likely = 1 / (1 + np.exp(-table @ found))
        slope = table.T @ (scale * (likely - truth)) + penalty @ found
        curve = (table * (scale * likely * (1 - likely))[:, None]).T @ table + penalty
        found -= np.clip(np.linalg.pinv(curve) @ slope, -5, 5)
    return found


def folds(sets: list[QuerySet]) -> Iterator[tuple[QuerySet, Model]]:
    """Yield each fold of each judged set with the model that was fitted without it."""
    for fold in range(FOLDS):
        rest = [
            replace(queries, asked=[each for number, each in enumerate(queries.asked) if number % FOLDS != fold])
            for queries in sets
        ]
        model = fit(rest, mode="hybrid")
        yield from (
            (replace(queries, asked=queries.asked[fold::FOLDS]), model) for queries in sets if queries.kind == "judged"
        )


# Reporting


def print_errors(label: str, held_out: Iterable[tuple[QuerySet, Model]]) -> None:
    """Print the expected calibration error (Naeini, Cooper & Hauskrecht 2015) over each population."""
    pairs = list(held_out)
    print(f"  {label:16}", end="")
    for depth in DEPTHS:
        told: dict[str, list[tuple[Floats, Mask]]] = {}
        for queries, model in pairs:
            for asked in queries.asked:
                top = best(asked, depth)
                likely = probabilities_by(model, asked.candidates, mode="hybrid")[top]
                told.setdefault(queries.place, []).append((likely, asked.relevant[top]))
        print(f"  {'all' if depth is None else f'best {depth}':>8} {expected_error(told):.3f}", end="")
    print()


def expected_error(told: Mapping[str, Sequence[tuple[Floats, Mask]]]) -> float:
    """Return the mean distance between a probability and the share of relevant articles it is given to, in ten bins."""
    likely = [np.concatenate([pair[0] for pair in pairs]) for pairs in told.values()]
    truth = [np.concatenate([pair[1] for pair in pairs]) for pairs in told.values()]
    weight = np.concatenate([np.full(len(part), 1 / len(part) / len(likely)) for part in likely])
    gaps = weight * (np.concatenate(likely) - np.concatenate(truth))
    bins = np.minimum((np.concatenate(likely) * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, weights=gaps, minlength=BINS)).sum())


def shown(asked: Asked, mode: Mode) -> Mask:
    """Return which candidates a search in `mode` lists."""
    probable: Mask = probabilities(asked.candidates, mode=mode) >= THRESHOLD
    match mode:
        case "hybrid":
            return probable | exact(asked.candidates)
        case "semantic":
            return probable
        case "keyword":
            holding = asked.candidates.holds_all
            return holding if holding.any() else probable & (asked.candidates.keyword > 0)


def told(queries: QuerySet, *, mode: Mode) -> Iterator[str]:
    """Yield what the cut-off does to a set: what it loses and lists, or how much it refuses."""
    listed = [(asked, shown(asked, mode)) for asked in (seen(each, mode) for each in queries.asked)]
    if queries.kind != "judged":
        refused = sum(not mask.any() for _, mask in listed) + queries.silent
        yield f"{refused} of {len(listed) + queries.silent} refused"
        leaks = [asked.text for asked, mask in listed if mask.any()]
        yield json.dumps(leaks[:8], ensure_ascii=False) if mode == "hybrid" else ""
        return
    ranked = [(asked.relevant[asked.order], mask[asked.order]) for asked, mask in listed]
    answered = [(int(relevant.argmax()), mask) for relevant, mask in ranked if relevant.any()]
    lost = [place for place, mask in answered if not mask[place]]
    yield f"{len(lost)} of {len(answered)} lost their best answer ({100 * len(lost) / len(answered):.1f}%)"
    yield f"({sum(place < 10 for place in lost)} of them among the first ten);"
    yield f"listed: median {np.median([mask.sum() for _, mask in ranked]):.0f}"


def moved(whole: QuerySet, half: QuerySet) -> str:
    """Return how far probabilities move when half of the articles are gone, among the best ten that remain."""
    moves = []
    after = {asked.text: asked for asked in half.asked}
    for asked in whole.asked:
        if (later := after.get(asked.text)) is None:
            continue
        values = dict(zip(later.ids, probabilities(later.candidates, mode="hybrid").tolist(), strict=True))
        before = probabilities(asked.candidates, mode="hybrid")
        rows = [row for row in asked.order.tolist() if asked.ids[row] in values][:10]
        moves += [abs(values[asked.ids[row]] - before[row]) for row in rows]
    return f"mean {np.mean(moves):.3f}, nine in ten under {np.quantile(moves, 0.9):.3f} ({len(moves)} pairs)"


def rounded(values: Sequence[float]) -> str:
    """Return constants as they stand in the source."""
    return "(" + ", ".join(f"{value:.2f}" for value in values) + ")"


if __name__ == "__main__":
    main()
