"""From answers to figures: the measures of each setting, how sure they are, and what else an evaluation tells. Pure.

Invariant: a report follows from the answers, the judgements and the seed. Queries stand in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.calibration import THRESHOLD
from index.evaluation.asking import Answer, Answers, run_of
from index.evaluation.chance import Chance, Interval, interval, intervals
from index.evaluation.clusters import Clustering, bcubed_each, f1
from index.evaluation.collection import Judgements
from index.evaluation.comparison import Comparison, compare
from index.evaluation.measures import DIGITS, Figures, Measures, Run, figures, means
from index.evaluation.runs import QueryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """What the cut-off does to judged queries in one setting.

    `answered` queries have an answer in the ranking; `hidden` of them lose their best-placed one to the cut-off, which
    makes `share`. `emptied` queries are shown nothing at all.
    """

    threshold: float
    answered: int
    hidden: int
    share: float
    interval: Interval
    emptied: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoriesReport:
    """How well stories agree with labelled clusters: B-cubed over the labelled articles. The interval is that of F1."""

    precision: float
    recall: float
    f1: float
    interval: Interval
    stories: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """The measures of each setting on one collection, their intervals, and what else was asked for.

    `documents` counts what was searched, 0 when nothing was. `notes` says what in the collection was passed over.
    `stories` are told of clusters alone.
    """

    collection: str
    queries: int
    documents: int
    modes: Mapping[str, Measures]
    intervals: Mapping[str, Mapping[str, Interval]]
    chance: Chance
    cutoff: Mapping[str, Cutoff]
    comparison: Comparison | None
    texts: Mapping[str, str]
    rows: Sequence[QueryRow]
    runs: Mapping[str, Run]
    notes: Sequence[str]
    stories: StoriesReport | None = None


def stories_of(found: Clustering, labelled: Clustering, chance: Chance) -> StoriesReport:
    """Return how well the story of each article, of those that are in one, agrees with its label."""
    each = bcubed_each(found, labelled)
    precision, recall = each.mean(axis=0).tolist()
    low, high = (round(f1(*edge), DIGITS) for edge in zip(*intervals(each, chance), strict=True))
    return StoriesReport(
        precision=round(precision, DIGITS),
        recall=round(recall, DIGITS),
        f1=round(f1(precision, recall), DIGITS),
        interval=(low, high),
        stories=len(set(found.values())),
    )


def report_of(
    answers: Mapping[str, Answers],
    judged: Judgements,
    *,
    collection: str,
    documents: int,
    measures: Sequence[str],
    pair: tuple[str, str] | None,
    chance: Chance,
) -> EvaluationReport:
    """Measure the answers of each setting, and compare the settings named in `pair`."""
    runs = {setting: run_of(given) for setting, given in answers.items()}
    measured = {setting: figures(run, judged.qrels, measures) for setting, run in runs.items()}
    cutoffs = {setting: _cutoff(list(given.values()), chance) for setting, given in answers.items()}
    return EvaluationReport(
        collection=collection,
        queries=len(judged.queries),
        documents=documents,
        modes={setting: means(values) for setting, values in measured.items()},
        intervals={setting: _intervals(values, chance) for setting, values in measured.items()},
        chance=chance,
        cutoff={setting: cutoff for setting, cutoff in cutoffs.items() if cutoff},
        comparison=_compared(measured, pair, judged, chance) if pair else None,
        texts=judged.queries,
        rows=[row for setting in answers for row in _rows(setting, answers[setting], measured[setting], judged)],
        runs=runs,
        notes=judged.notes,
    )


def _compared(measured: Mapping[str, Figures], pair: tuple[str, str], judged: Judgements, chance: Chance) -> Comparison:
    first, second = (measured[name] for name in pair)
    return compare(first, second, settings=pair, query_ids=list(judged.queries), chance=chance)


def _intervals(values: Figures, chance: Chance) -> Mapping[str, Interval]:
    edges = intervals(np.column_stack(list(values.values())), chance)
    return {name: (round(low, DIGITS), round(high, DIGITS)) for name, (low, high) in zip(values, edges, strict=True)}


def _cutoff(answers: Sequence[Answer], chance: Chance) -> Cutoff | None:
    """Return what the cut-off does to these answers, None where there is none or nothing to lose to it."""
    hidden = np.array([not answer.best_shown for answer in answers if answer.best_shown is not None], np.float64)
    if not len(hidden):
        return None
    low, high = interval(hidden, chance)
    return Cutoff(
        threshold=THRESHOLD,
        answered=len(hidden),
        hidden=int(hidden.sum()),
        share=round(float(hidden.mean()), DIGITS),
        interval=(round(low, DIGITS), round(high, DIGITS)),
        emptied=sum(answer.shown == 0 for answer in answers),
    )


def _rows(setting: str, answers: Answers, measured: Figures, judged: Judgements) -> list[QueryRow]:
    return [
        QueryRow(
            query_id=query_id,
            text=text,
            setting=setting,
            measures={name: round(float(values[place]), DIGITS) for name, values in measured.items()},
            rank=_rank(answers[query_id].documents, judged.qrels[query_id]),
            shown=answers[query_id].best_shown,
        )
        for place, (query_id, text) in enumerate(judged.queries.items())
    ]


def _rank(documents: Sequence[str], grades: Mapping[str, int]) -> int | None:
    return next((rank for rank, document in enumerate(documents, start=1) if grades.get(document, 0) > 0), None)
