"""Replay: the same questions put to two generations side by side, and how their answers differ.

Invariants: questions are asked by the very search that answers readers, each side of its own generation and with its
own model, in turn, so that neither has the warmer machine. Nothing is written, and what is served is not touched.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from archive.progress import Progress, silent
from archive.store import PublishedGeneration, Store
from index.embedder import Embedder
from index.engine import Engine
from index.evaluation.asking import plain
from index.evaluation.chance import Chance, Interval, interval
from index.evaluation.comparison import Contrast, compare
from index.evaluation.measures import DIGITS, figures
from index.evaluation.questions import Kind, Question
from index.fusion import Method
from index.generations import Generations
from index.listing import worth_showing
from index.models import of_identity
from index.search import Search, SearchRequest

PLACES = 10  # of a list that are compared: a page
MEASURE = "nDCG@10"
STAGE = "searching"


class Lent:
    """Lends one engine, always the same."""

    def __init__(self, engine: Engine) -> None:
        """Lend this one."""
        self._engine = engine

    @contextmanager
    def engine(self) -> Iterator[tuple[Engine, bool]]:
        """Lend it."""
        yield self._engine, False


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: a generation and the search over it."""

    engine: Engine
    search: Search


@dataclass(frozen=True, slots=True)
class Answer:
    """The first articles of a list. `found` says whether anything was probably relevant."""

    ids: Sequence[str]
    found: bool
    took_ms: float


@dataclass(frozen=True, slots=True)
class Pair:
    """What one question was answered before and after."""

    question: Question
    before: Answer
    after: Answer

    @property
    def overlap(self) -> float:
        """The share of the longer list's first ten that both have; 1 where neither has any."""
        most = max(len(self.before.ids), len(self.after.ids))
        return len(set(self.before.ids) & set(self.after.ids)) / most if most else 1.0

    @property
    def appeared(self) -> list[str]:
        """The articles that only the later list has, best first."""
        return [each for each in self.after.ids if each not in set(self.before.ids)]

    @property
    def vanished(self) -> list[str]:
        """The articles that only the earlier list has, best first."""
        return [each for each in self.before.ids if each not in set(self.after.ids)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The questions of one kind: their mean overlap, how many are answered alike, and what judgements say."""

    kind: Kind
    questions: int
    overlap: float
    interval: Interval
    same: int  # the same articles in the same order
    before: float | None = None  # nDCG@10, where judged
    after: float | None = None
    contrast: Contrast | None = None  # after minus before


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How two generations differ. `pairs` that changed most come first, the archive's own words after all others."""

    groups: Sequence[Group]
    pairs: Sequence[Pair]
    took_ms: tuple[float, float]  # medians, before and after
    notes: Sequence[str] = ()

    @property
    def lost(self) -> list[Pair]:
        """The questions that found something good, and now do not."""
        return [pair for pair in self.pairs if pair.before.found and not pair.after.found]

    @property
    def gained(self) -> list[Pair]:
        """The questions that found nothing good, and now do."""
        return [pair for pair in self.pairs if pair.after.found and not pair.before.found]

    @property
    def loss(self) -> float:
        """How far nDCG@10 falls where it falls most; 0 where it does not."""
        return max((-group.contrast.difference for group in self.groups if group.contrast), default=0.0)


@contextmanager
def side(
    generations: Generations,
    published: PublishedGeneration,
    store: Store,
    embedder: Embedder,
    *,
    fusion: Method,
    recency: float,
) -> Iterator[Side]:
    """Open one of the two, verified. Raises GenerationDamaged, and ModelMismatch when it is of another model."""
    engine = generations.open(published)
    try:
        of_identity(embedder, str(engine.model_sha256))
        search = Search(store=store, serving=Lent(engine), embedder=lambda _: embedder, fusion=fusion, recency=recency)
        search.prepare()
        yield Side(engine, search)
    finally:
        engine.close()


def replay(
    questions: Sequence[Question],
    before: Side,
    after: Side,
    *,
    chance: Chance | None = None,
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Replay:
    """Ask every question on both sides and compare the answers."""
    for one in (before, after) if questions else ():  # what the first search reads is no fault of either
        one.search.search(SearchRequest(query="warm"))
    pairs = []
    for number, question in enumerate(questions):
        sides = (before, after) if number % 2 else (after, before)
        answers = [_answer(one, question) for one in sides]
        pairs.append(Pair(question, *(answers if number % 2 else answers[::-1])))
        progress(STAGE, number + 1, len(questions))
    kinds = list(dict.fromkeys(pair.question.kind for pair in pairs))
    return Replay(
        groups=[_group([p for p in pairs if p.question.kind == kind], chance or Chance()) for kind in kinds],
        pairs=sorted(pairs, key=lambda pair: (pair.question.kind == "sample", pair.overlap)),
        took_ms=(
            median([pair.before.took_ms for pair in pairs] or [0.0]),
            median([pair.after.took_ms for pair in pairs] or [0.0]),
        ),
        notes=notes,
    )


def _answer(one: Side, question: Question) -> Answer:
    started = time.perf_counter()
    if question.kind == "judged":
        ranking = one.search.rank(plain(question.request.query), mode="hybrid")
        ids, found = ranking.ids[:PLACES], bool(worth_showing(ranking).any())
    else:
        response = one.search.search(question.request)
        ids = [result.article.id for result in response.results[:PLACES]]
        found = not response.no_good_match
    return Answer(ids, found, 1000 * (time.perf_counter() - started))


def _group(pairs: Sequence[Pair], chance: Chance) -> Group:
    overlaps = np.array([pair.overlap for pair in pairs])
    low, high = interval(overlaps, chance)
    judged = {str(number): pair for number, pair in enumerate(pairs) if pair.question.grades}
    group = Group(
        kind=pairs[0].question.kind,
        questions=len(pairs),
        overlap=round(float(overlaps.mean()), DIGITS),
        interval=(round(low, DIGITS), round(high, DIGITS)),
        same=sum(list(pair.before.ids) == list(pair.after.ids) for pair in pairs),
    )
    return _with_judgements(group, judged, chance) if judged else group


def _with_judgements(group: Group, pairs: Mapping[str, Pair], chance: Chance) -> Group:
    qrels = {number: pair.question.grades for number, pair in pairs.items()}
    before = figures({number: pair.before.ids for number, pair in pairs.items()}, qrels, (MEASURE,))
    after = figures({number: pair.after.ids for number, pair in pairs.items()}, qrels, (MEASURE,))
    told = compare(after, before, settings=("after", "before"), query_ids=sorted(qrels), chance=chance)
    return replace(
        group,
        before=round(float(before[MEASURE].mean()), DIGITS),
        after=round(float(after[MEASURE].mean()), DIGITS),
        contrast=told.contrasts[MEASURE],
    )
