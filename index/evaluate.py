"""Evaluation: how good the rankings are, on collections that people have judged or on the archive's own headlines.

Each evaluation has an archive and an index of its own, kept in a work folder so that a second run embeds nothing again;
the archive itself is only read. `index/evaluation/` holds the parts. Invariant: rankings are judged by the very search
and panel that readers are answered by.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from archive.errors import SourceError
from archive.progress import Progress, silent
from archive.store import Store
from index.engine import Floats
from index.evaluation import known_items
from index.evaluation.asking import Answer, Answers, Ask, Setting, ask, ask_related
from index.evaluation.chance import Chance
from index.evaluation.collection import Collection, Judgements, read_clusters, read_collection, read_judgements
from index.evaluation.known_items import MAX_ARTICLES, QUERIES, Asked, KnownItems
from index.evaluation.measures import MEASURES, RELATED_MEASURES, Run
from index.evaluation.report import Cutoff, EvaluationReport, report_of, stories_of
from index.evaluation.runs import json_lines, read_trec_run, replace_file, tab_separated, trec_run
from index.evaluation.similarity import read_similarities, report_on
from index.evaluation.workbench import Parts, Workbench, workbench
from index.likeness import Portrait, in_meaning, in_words, likeness
from index.ranking import MODES

__all__ = [
    "MAX_ARTICLES",
    "QUERIES",
    "Asked",
    "Chance",
    "Cutoff",
    "EvaluationReport",
    "Parts",
    "Plan",
    "Setting",
    "compare_runs",
    "compare_self_runs",
    "evaluate",
    "evaluate_related",
    "evaluate_self",
    "evaluate_similarities",
    "json_lines",
    "replace_file",
    "tab_separated",
    "trec_run",
]


LIKENESS: Mapping[str, Callable[[Portrait, Portrait], float]] = {
    "hybrid": likeness,
    "keyword": in_words,
    "semantic": in_meaning,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an evaluation does: the settings to measure, two of them to compare or none, and how chance is judged."""

    settings: Sequence[Setting] = MODES
    compare: tuple[Setting, Setting] | None = None
    chance: Chance = field(default_factory=Chance)

    def measured(self) -> list[Setting]:
        """Return every setting that has to be asked, each once."""
        return list(dict.fromkeys([*self.settings, *(self.compare or ())]))


def evaluate(
    directory: Path, *, split: str, plan: Plan | None = None, parts: Parts, work: Path, progress: Progress = silent
) -> EvaluationReport:
    """Measure nDCG@10, R@100 and RR of each setting on the judged queries of a folder in BEIR's layout.

    Raises SourceError when the folder is not a collection or a line of it cannot be read.
    """
    collection = read_collection(directory, split=split)
    with workbench(collection.articles, parts=parts, work=work, progress=progress) as bench:
        answers = _answers(ask, bench, collection, plan or Plan(), progress)
    return _report(answers, collection, plan or Plan(), MEASURES)


def evaluate_related(
    file: Path, *, plan: Plan | None = None, parts: Parts, work: Path, progress: Progress = silent
) -> EvaluationReport:
    """Measure related articles and stories: those of the same `cluster` in `file` (JSON Lines) belong together.

    Raises SourceError when a line cannot be read or no article has a companion.
    """
    plan = plan or Plan()
    collection = read_clusters(file)
    with workbench(collection.articles, parts=parts, work=work, progress=progress) as bench:
        answers = _answers(ask_related, bench, collection, plan, progress)
        stories = stories_of(bench.stories(), collection.clusters, plan.chance)
    return replace(_report(answers, collection, plan, RELATED_MEASURES), stories=stories)


def evaluate_similarities(
    file: Path,
    matrix: Path,
    *,
    background: Path | None = None,
    plan: Plan | None = None,
    parts: Parts,
    work: Path,
    progress: Progress = silent,
) -> EvaluationReport:
    """Measure how well the likeness of articles goes with the one that people gave each two of them.

    `file` holds the articles, `matrix` a square of numbers in their order, `background` more articles of their kind.
    Raises SourceError when one of them cannot be read.
    """
    plan = plan or Plan()
    rated = read_similarities(file, matrix, background=background)
    with workbench([*rated.articles, *rated.background], parts=parts, work=work, progress=progress) as bench:
        portraits = bench.portraits(rated.articles)
    found: dict[str, Floats] = {
        setting: np.array([[LIKENESS[setting](one, other) for other in portraits] for one in portraits])
        for setting in plan.measured()
        if setting in LIKENESS
    }
    return report_on(rated, found, plan.chance)


def evaluate_self(
    archive: Store,
    *,
    asked: Asked = "headline",
    queries: int = QUERIES,
    articles: int = MAX_ARTICLES,
    plan: Plan | None = None,
    parts: Parts,
    work: Path,
    progress: Progress = silent,
) -> EvaluationReport:
    """Measure how well `queries` of the archive's own articles are found among `articles` of them, without headlines.

    They are asked for by their headlines, or by the words that tell their texts best; which ones are drawn goes by the
    plan's seed. Raises SourceError when none can be asked for.
    """
    plan = plan or Plan()
    items = known_items.draw(archive, articles=articles, queries=queries, seed=plan.chance.seed)
    with workbench(items.articles.values(), parts=parts, work=work, progress=progress) as bench:
        collection = items.collection(_questions(bench, items, asked))
        answers = _answers(ask, bench, collection, plan, progress)
    return _report(answers, collection, plan, MEASURES)


def compare_runs(directory: Path, *, split: str, files: tuple[Path, Path], chance: Chance) -> EvaluationReport:
    """Measure and compare two runs in TREC's format by the judgements of a collection; nothing is searched.

    Raises SourceError when a line cannot be read, or a run answers none of the judged queries.
    """
    judged = read_judgements(directory, split=split)
    return _compared(judged, directory.resolve().name, files, chance)


def compare_self_runs(
    archive: Store, *, queries: int, articles: int, files: tuple[Path, Path], chance: Chance
) -> EvaluationReport:
    """Measure and compare two runs that `evaluate_self` made of the same draw; nothing is searched."""
    items = known_items.draw(archive, articles=articles, queries=queries, seed=chance.seed)
    collection = items.collection(items.headlines)
    return _compared(collection.judged, collection.name, files, chance)


def _compared(judged: Judgements, name: str, files: tuple[Path, Path], chance: Chance) -> EvaluationReport:
    pair = _names(files)
    runs = {name: read_trec_run(path) for name, path in zip(pair, files, strict=True)}
    judged = _asked(judged, runs.values())
    notes = (*judged.notes, *(note for name, run in runs.items() for note in _missing(name, run, judged)))
    return report_of(
        {name: {query_id: Answer(run.get(query_id, ())) for query_id in judged.queries} for name, run in runs.items()},
        replace(judged, notes=notes),
        collection=name,
        documents=0,
        measures=MEASURES,
        pair=pair,
        chance=chance,
    )


def _asked(judged: Judgements, runs: Iterable[Run]) -> Judgements:
    """Return what is judged of the queries that one of the runs was asked; all when none was asked any."""
    asked = {query_id for run in runs for query_id in run}.intersection(judged.queries) or set(judged.queries)
    if not (left_out := len(judged.queries) - len(asked)):
        return judged
    return Judgements(
        queries={query_id: text for query_id, text in judged.queries.items() if query_id in asked},
        qrels={query_id: grades for query_id, grades in judged.qrels.items() if query_id in asked},
        notes=(*judged.notes, f"{left_out} judged queries are in neither run, and are left out"),
    )


def _answers(
    ask_all: Ask, bench: Workbench, collection: Collection, plan: Plan, progress: Progress
) -> dict[str, Answers]:
    return {setting: ask_all(bench, collection, setting=setting, progress=progress) for setting in plan.measured()}


def _report(
    answers: Mapping[str, Answers], collection: Collection, plan: Plan, measures: Sequence[str]
) -> EvaluationReport:
    return report_of(
        answers,
        collection.judged,
        collection=collection.name,
        documents=len(collection.names),
        measures=measures,
        pair=plan.compare,
        chance=plan.chance,
    )


def _questions(bench: Workbench, items: KnownItems, asked: Asked) -> Mapping[str, str]:
    if asked == "headline":
        return items.headlines
    bodies = {article_id: items.articles[article_id].body for article_id in items.headlines}
    return {
        article_id: " ".join(bench.telling_words(body, limit=known_items.QUERY_WORDS))
        for article_id, body in bodies.items()
    }


def _names(files: tuple[Path, Path]) -> tuple[str, str]:
    """Return what to call two runs: their files' names, or their whole paths where those are alike."""
    first, second = files
    return (str(first), str(second)) if first.name == second.name else (first.name, second.name)


def _missing(name: str, run: Run, judged: Judgements) -> list[str]:
    missing = sum(query_id not in run for query_id in judged.queries)
    if missing == len(judged.queries):
        raise SourceError(f"{name}: it answers none of the judged queries: is it a run on this collection?")
    return (
        [f"{name}: {missing} of {len(judged.queries)} judged queries are not in it, and count as 0"] if missing else []
    )
