"""Cross-validate the constants of index/fusion.py, and show what each part of a hybrid score contributes.

    PYTHONPATH=. python benchmarks/fusion.py --work WORK [--news FILE.jsonl[.gz] ...] COLLECTION [COLLECTION ...]

A COLLECTION is a folder in BEIR's layout; each split in its `qrels/` is a set of its own. Of each news FILE (JSON Lines
of articles), 1,500 articles are indexed without their headlines, and four sets of known items are drawn: an article is
asked for by its headline, by a few telling words, by a sentence from its middle, and by another sentence without its
rarest words. WORK keeps the indexes, so that a second run embeds nothing.

It prints every set with both legs and the fusion as it stands; the same for constants that were chosen without the
sets of that collection or file; the fusion without each of its parts; and each constant at half and twice its value.
"""

import argparse
import gzip
import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np

from archive.article import Article
from archive.errors import SourceError
from archive.progress import silent
from archive.readers.fields import article_from
from archive.store import Store
from index.embedder import BUNDLED, Embedder, embed_query, open_embedder
from index.engine import Candidates, Engine, Floats, Mask
from index.evaluation.asking import plain
from index.evaluation.chance import Chance, interval
from index.evaluation.collection import read_collection
from index.evaluation.workbench import ARCHIVE, Parts, workbench
from index.fusion import BLEND, FEEDBACK_ARTICLES, WEIGHTS, Blend, Weights, fuse
from index.keywords.whoosh_index import WhooshFormat
from index.local_generations import LocalGenerations
from index.serving import Serving

NEWS_ARTICLES, NEWS_QUERIES = 1_500, 200  # of each file, and of each kind
DEPTH = 200  # candidates of each leg: nDCG@10 looks at the first ten
TRIED = 200  # blends that are compared
LOSS = 4.0  # a loss to the better leg counts as much as four gains of its size: never losing comes first
BEST = 20  # of them, whose mean is taken: which one comes first is chance
RANGES = {  # from which blends are drawn, by ratio
    "words": (0.2, 2.0),
    "half_trust": (3.0, 30.0),
    "complete": (0.1, 1.0),
    "steepness": (2.0, 12.0),
    "pairs": (0.1, 1.0),
    "second": (0.05, 0.5),
    "common": (0.2, 1.5),
    "feedback": (0.05, 0.5),
}
KEYWORD, SEMANTIC = (1.0, 0.0), (0.0, 1.0)
DISCOUNT = 1 / np.log2(np.arange(2, 12))


@dataclass(frozen=True, slots=True)
class Asked:
    """A judged query: its candidates, their likeness to the first ones, their grades, and the best DCG there is."""

    candidates: Candidates
    likeness: Floats
    grades: Floats
    ideal: float

    def ndcg(self, weights: Weights, blend: Blend) -> float:
        """Return nDCG@10 of these weights and this blend."""
        likeness = (lambda _: self.likeness) if all(weights) else None
        order = fuse(self.candidates, method="sum", weights=weights, likeness=likeness, blend=blend).order[:10]
        return float(self.grades[order] @ DISCOUNT[: len(order)]) / self.ideal


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The queries of one kind asked of one collection or file, and what each leg alone makes of them."""

    place: str
    name: str
    asked: Sequence[Asked]
    keyword: Floats
    semantic: Floats

    @property
    def better(self) -> Floats:
        """Return the better leg's figures, query by query."""
        return max(self.keyword, self.semantic, key=lambda figures: float(figures.mean()))

    def hybrid(self, blend: Blend) -> Floats:
        """Return the figures of both legs fused by `blend`."""
        return measured(self.asked, WEIGHTS, blend)

    def ratio(self, blend: Blend) -> float:
        """Return how the fusion compares with the better leg: 1 is as good."""
        return float(self.hybrid(blend).mean() / self.better.mean())


def main() -> None:
    """Ask, then report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--news", nargs="*", type=Path, default=[])
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    embedder = open_embedder(BUNDLED, runtime="auto", cache=options.work)
    sets = [one for directory in options.collections for one in judged_sets(directory, embedder, options.work)]
    sets += [one for file in options.news for one in news_sets(file, embedder, options.work)]
    report(sets)


# What is asked


def judged_sets(directory: Path, embedder: Embedder, work: Path) -> Iterator[QuerySet]:
    """Yield a set for each split of a collection."""
    for qrels in sorted((directory / "qrels").glob("*.tsv")):
        collection = read_collection(directory, split=qrels.stem)
        ids = {document: article_id for article_id, document in collection.names.items()}
        queries = [
            (
                text,
                {ids.get(document, document): grade for document, grade in collection.judged.qrels[query_id].items()},
            )
            for query_id, text in collection.judged.queries.items()
        ]
        articles = {article.id: article for article in collection.articles}
        with opened(articles, embedder, work / collection.name) as engine:
            yield asked_set(engine, embedder, (collection.name, f"{collection.name} {qrels.stem}"), queries)


def news_sets(file: Path, embedder: Embedder, work: Path) -> Iterator[QuerySet]:
    """Yield the four sets of known items of a file of news."""
    draw = random.Random(1)
    rows = list({str(row["body"])[:200]: row for row in lines(file) if len(str(row["body"])) > 300}.values())
    rows = draw.sample(rows, min(NEWS_ARTICLES, len(rows)))
    fields_of = ({"_id": str(n), "source": file.name, "text": row["body"]} for n, row in enumerate(rows))
    articles = [article_from(one) for one in fields_of]
    counts = [Counter(re.findall(r"[^\W\d_][\w'’-]{2,}", article.body)) for article in articles]
    holding = Counter(word for count in counts for word in count)
    kinds: dict[str, list[tuple[str, dict[str, int]]]] = {"headline": [], "words": [], "sentence": [], "blurred": []}
    for row, article, count in zip(rows, articles, counts, strict=True):
        asked = {"headline": str(row.get("title") or ""), **asked_for(article.body, count, holding, draw)}
        for kind, text in asked.items():
            if len(text.split()) > 1 and len(kinds[kind]) < NEWS_QUERIES:
                kinds[kind].append((text, {article.id: 1}))
    with opened({article.id: article for article in articles}, embedder, work / file.name) as engine:
        for kind, queries in kinds.items():
            if queries:
                yield asked_set(engine, embedder, (file.name, f"{file.name.split('.')[0]} {kind}"), queries)


def asked_for(body: str, count: Counter[str], holding: Counter[str], draw: random.Random) -> dict[str, str]:
    """Return how an article may be asked for: by telling words, by a sentence, by one without its rarest words."""
    rarest = sorted((c for c in count if 1 < holding[c] < 75), key=lambda w: count[w] / math.log(2 + holding[w]))[-12:]
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", " ".join(body.split())) if 7 < len(s.split()) < 41]
    if len(sentences) < 3 or len(rarest) < 4:
        return {}
    middle, other = sentences[len(sentences) // 2], sentences[len(sentences) // 3].split()
    gone = set(sorted(other, key=lambda word: holding[word.strip('.,;:"“”')])[: len(other) * 2 // 5])
    blurred = " ".join(word for word in other if word not in gone)
    return {"words": " ".join(draw.sample(rarest, draw.choice((2, 3, 4)))), "sentence": middle, "blurred": blurred}


def lines(file: Path) -> Iterator[dict[str, object]]:
    """Yield the rows of a JSON Lines file."""
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


# Asking


@contextmanager
def opened(articles: Mapping[str, Article], embedder: Embedder, work: Path) -> Iterator[Engine]:
    """Open an engine over these articles, indexed under `work`."""
    with workbench(articles.values(), parts=Parts(embedder, WhooshFormat(), "sum"), work=work, progress=silent):
        store = Store(work / ARCHIVE)
    serving = Serving(LocalGenerations(work / "index", formats={"whoosh": WhooshFormat()}), store)
    with closing(store), closing(serving), serving.engine() as (engine, _):
        yield engine


def asked_set(
    engine: Engine, embedder: Embedder, called: tuple[str, str], queries: Sequence[tuple[str, Mapping[str, int]]]
) -> QuerySet:
    """Ask the queries, each with the grades of its relevant articles, and measure both legs alone."""
    asked = []
    for text, grades in queries:
        vector = embed_query(embedder, text)
        candidates = engine.candidates(plain(text), partial(np.asarray, vector), depth=DEPTH)
        first = fuse(candidates, method="sum").order[:FEEDBACK_ARTICLES]
        ideal = float(np.sort([max(grade, 0) for grade in grades.values()])[::-1][:10] @ DISCOUNT[: len(grades)])
        graded = np.array([max(grades.get(article_id, 0), 0) for article_id in candidates.ids], np.float64)
        asked.append(Asked(candidates, engine.likeness(candidates, first), graded, ideal or 1.0))
    legs = [measured(asked, weights, BLEND) for weights in (KEYWORD, SEMANTIC)]
    print(f"asked: {called[1]}, {len(asked)} queries", flush=True)
    return QuerySet(*called, asked, *legs)


def measured(asked: Sequence[Asked], weights: Weights, blend: Blend) -> Floats:
    """Return nDCG@10 of each query."""
    return np.array([one.ndcg(weights, blend) for one in asked])


# Reporting


def report(sets: Sequence[QuerySet]) -> None:
    """Print everything the module's docstring promises."""
    print(f"\n{'set':28} queries keyword semantic hybrid  ratio  95% of the difference to the better leg")
    for one in sets:
        hybrid = one.hybrid(BLEND)
        low, high = interval(hybrid - one.better, Chance())
        legs = f"{one.keyword.mean():.4f}  {one.semantic.mean():.4f}   {hybrid.mean():.4f}"
        print(f"{one.name:28} {len(one.asked):7} {legs} {one.ratio(BLEND):.3f}  {low:+.4f} to {high:+.4f}", flush=True)
    print("\nheld out: constants chosen on the other collections and files; last, on the news files alone")
    draw = random.Random(1)
    blends = [drawn(draw) for _ in range(TRIED)]
    ratios = np.array([[one.ratio(blend) for one in sets] for blend in blends])
    for places in folds(sets):
        out: Mask = np.array([one.place in places for one in sets])
        known = [one for one in sets if one.place not in places]
        worths = [worth(row[~out], known) for row in ratios]
        chosen = middle([blends[number] for number in np.argsort(worths)[-BEST:].tolist()])
        told = ", ".join(f"{field.name} {getattr(chosen, field.name):.3g}" for field in fields(Blend))
        print(f"  without {', '.join(sorted(places))}: {told}")
        for number in np.flatnonzero(out).tolist():
            one = sets[number]
            print(f"    {one.name:28} {one.hybrid(chosen).mean():.4f}, ratio {one.ratio(chosen):.3f}", flush=True)
    print("\nwithout a part, and at half and twice a constant: the ratios")
    for field in fields(Blend):
        for factor in (0.0, 0.5, 2.0) if field.name not in ("half_trust", "steepness") else (0.5, 2.0):
            blend = replace(BLEND, **{field.name: getattr(BLEND, field.name) * factor})
            row = np.array([one.ratio(blend) for one in sets])
            told = " ".join(f"{ratio:.3f}" for ratio in row)
            print(f"  {field.name:10} x {factor:<4} mean {row.mean():.4f} least {row.min():.3f}  {told}", flush=True)


def folds(sets: Sequence[QuerySet]) -> list[set[str]]:
    """Return what is held out together: each place, and all collections at once where there is news to choose on."""
    news = {one.place for one in sets if one.place.endswith((".jsonl", ".gz"))}
    places = {one.place for one in sets}
    return [held for held in [*({place} for place in sorted(places)), places - news] if held and held != places]


def drawn(draw: random.Random) -> Blend:
    """Return a blend of constants drawn from their ranges."""
    return Blend(
        **{name: math.exp(draw.uniform(math.log(low), math.log(high))) for name, (low, high) in RANGES.items()}
    )


def middle(blends: Sequence[Blend]) -> Blend:
    """Return the geometric mean of each constant."""
    return Blend(**{name: math.exp(float(np.mean([math.log(getattr(b, name)) for b in blends]))) for name in RANGES})


def worth(ratios: Floats, sets: Sequence[QuerySet]) -> float:
    """Return what a blend is worth on these sets: its mean gain, each place weighing the same and losses more."""
    gains = np.log(ratios)
    gains = np.where(gains < 0, LOSS * gains, gains)
    places = Counter(one.place for one in sets)
    return float(sum(gain / places[one.place] for gain, one in zip(gains, sets, strict=True)) / len(places))


if __name__ == "__main__":
    try:
        main()
    except SourceError as error:
        raise SystemExit(str(error)) from error
