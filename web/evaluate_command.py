"""The command `flask evaluate`: what it is asked to measure, and the files it is asked to write.

Invariant: what cannot work is refused before anything is searched, for that may take minutes.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from archive.lock import exclusive
from index.evaluation.asking import SETTINGS
from index.ranking import MODES
from web import payload
from web.evaluate_report import report_lines, report_object
from web.services import Services, services
from web.terminal import TEXT, Reporter, as_json, command, write_json

if TYPE_CHECKING:
    from index.evaluate import EvaluationReport, Parts, Plan, Setting

SETTING = click.Choice(SETTINGS)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
READ_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
WRITTEN_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)
ONLY_SELF = {"queries": "--queries", "articles": "--articles", "asked": "--ask-by"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    directory: Path | None
    related: Path | None
    similarities: Path | None
    background: Path | None
    own: bool
    split: str
    settings: tuple[str, ...]
    compare: tuple[str, str] | None
    compare_runs: tuple[Path, Path] | None
    per_query: Path | None
    run: Path | None
    queries: int | None
    articles: int | None
    asked: str | None
    seed: int


@command
@click.argument("directory", required=False, type=FOLDER)
@click.option(
    "--related",
    type=READ_FILE,
    help="Measure related articles on this file instead: JSON Lines with a `cluster` field.",
)
@click.option(
    "--similarities",
    type=READ_FILE,
    metavar="MATRIX",
    help="With --related: the likeness of each two of FILE's articles, as people judged it.",
)
@click.option(
    "--background",
    type=READ_FILE,
    metavar="FILE",
    help="With --similarities: more articles, of which nothing is asked.",
)
@click.option("--self", "own", is_flag=True, help="Measure on the archive itself: its headlines ask for its articles.")
@click.option("--split", type=TEXT, default="test", show_default=True, help="Which qrels/SPLIT.tsv to judge by.")
@click.option(
    "--mode",
    "settings",
    type=SETTING,
    multiple=True,
    help="Only this mode, or the hybrid one by this fusion (repeatable); all three modes by default.",
)
@click.option("--compare", type=SETTING, nargs=2, metavar="A B", help="Compare two of these, query by query.")
@click.option(
    "--compare-runs",
    type=READ_FILE,
    nargs=2,
    metavar="A B",
    help="Compare two runs in TREC's format instead of searching.",
)
@click.option(
    "--per-query",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Write each query's figures: tab-separated if FILE ends in .tsv, else JSON Lines.",
)
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write the rankings as TREC runs: to a file, or a folder with one file a mode.",
)
@click.option("--queries", type=click.IntRange(1), help="With --self: how many articles to ask for (200).")
@click.option("--articles", type=click.IntRange(2), help="With --self: among how many articles (5,000).")
@click.option(
    "--ask-by",
    "asked",
    type=click.Choice(["headline", "words"]),
    help="With --self: ask by headlines (the default), or by the most telling words.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Settles what is left to chance.")
@as_json
def evaluate(as_json: bool, **given: object) -> None:
    """Measure how well the rankings find what they should.

    It is measured on a judged collection in BEIR's layout, or on the archive's own headlines.

    An index of its own is searched; the archive itself is not touched.

    \b
    Examples:
      flask evaluate seeds
      flask evaluate scifact --split train --mode hybrid --json
      flask evaluate scifact --compare sum rrf --per-query scifact.tsv --run runs/
      flask evaluate scifact --compare-runs before.run after.run
      flask evaluate --related clusters.jsonl
      flask evaluate --related articles.txt --similarities matrix.txt --background more.txt
      flask evaluate --self
    """
    request = Request(**given)  # type: ignore[arg-type]  # click has checked each
    _refuse(request)
    parts = services()
    report = _compared_runs(parts, request) if request.compare_runs else _measured(parts, request)
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    told = report_object(report)
    if request.related is not None:
        told |= next(iter(report.modes.values()))  # the first mode's measures stand outside as well
    if request.own and not request.compare_runs:
        _keep(parts, told, request)
    if as_json:
        write_json(told)
    else:
        click.echo("\n".join(report_lines(report)))
    _write_files(report, request)  # last: what has been measured is told even if this fails


def _refuse(request: Request) -> None:
    """Raise UsageError for what does not go together, or cannot be written where it should be."""
    if (request.directory is not None) + (request.related is not None) + request.own != 1:
        raise click.UsageError("give either a collection's DIRECTORY, --related FILE or --self")
    _refuse_similarities(request)
    given = [option for name, option in ONLY_SELF.items() if getattr(request, name) is not None]
    if given and not request.own:
        raise click.UsageError(f"{given[0]} goes with --self only")
    if request.compare and request.compare[0] == request.compare[1]:
        raise click.UsageError(f"--compare names {request.compare[0]} twice")
    if request.compare_runs and (request.related or request.compare or request.settings or request.run):
        raise click.UsageError("--compare-runs goes with no --related, --mode, --compare or --run")
    if request.run is not None and request.run.is_file() and len(_settings(request)) > 1:
        raise click.UsageError(f"--run {request.run} is a file: name a folder, for each mode has a file of its own")
    for path in filter(None, (request.per_query, request.run)):
        if not path.resolve().parent.is_dir():
            raise click.UsageError(f"{path}: there is no folder {path.resolve().parent}")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise click.UsageError(f"{path} is neither a file nor a folder")


def _refuse_similarities(request: Request) -> None:
    if request.similarities and not request.related:
        raise click.UsageError("--similarities goes with --related FILE, which holds the articles")
    if request.background and not request.similarities:
        raise click.UsageError("--background goes with --similarities only")
    if request.similarities and (request.compare or request.per_query or request.run):
        raise click.UsageError("--similarities goes with no --compare, --per-query or --run")


def _settings(request: Request) -> list[str]:
    """Return what to measure: what is named; with a comparison alone, what it compares; else every mode."""
    named = (*request.settings, *(request.compare or ()))
    return list(dict.fromkeys(named)) or list(MODES)


def _compared_runs(own: Services, request: Request) -> "EvaluationReport":
    from index.evaluate import MAX_ARTICLES, QUERIES, Chance, compare_runs, compare_self_runs

    files, chance = cast("tuple[Path, Path]", request.compare_runs), Chance(seed=request.seed)
    if request.directory is not None:
        return compare_runs(request.directory.resolve(), split=request.split, files=files, chance=chance)
    queries, articles = request.queries or QUERIES, request.articles or MAX_ARTICLES
    return compare_self_runs(own.store, queries=queries, articles=articles, files=files, chance=chance)


def _measured(own: Services, request: Request) -> "EvaluationReport":
    from index.evaluate import Chance, Parts, Plan, evaluate_related, evaluate_similarities
    from index.evaluate import evaluate as measure

    settings = own.settings
    parts = Parts(
        embedder=own.measured_embedder, keywords=own.keywords, fusion=settings.fusion, recency=settings.recency
    )
    plan = Plan(
        settings=cast("list[Setting]", _settings(request)),
        compare=cast("tuple[Setting, Setting] | None", request.compare or None),
        chance=Chance(seed=request.seed),
    )
    place = Path("self") if request.own else cast("Path", request.directory or request.related).resolve()
    work = settings.data / "evaluations" / place.name
    with exclusive(work / "lock"), Reporter() as progress:
        if request.own:
            return _measured_self(own, request, plan=plan, parts=parts, work=work, progress=progress)
        if request.directory is not None:
            return measure(place, split=request.split, plan=plan, parts=parts, work=work, progress=progress)
        if request.similarities is not None:
            return evaluate_similarities(
                *(place, request.similarities.resolve()),
                background=request.background.resolve() if request.background else None,
                plan=plan,
                parts=parts,
                work=work,
                progress=progress,
            )
        return evaluate_related(place, plan=plan, parts=parts, work=work, progress=progress)


def _measured_self(
    own: Services, request: Request, *, plan: "Plan", parts: "Parts", work: Path, progress: Reporter
) -> "EvaluationReport":
    from index.evaluate import MAX_ARTICLES, QUERIES, Asked, evaluate_self

    return evaluate_self(
        own.store,
        asked=cast("Asked", request.asked or "headline"),
        queries=request.queries or QUERIES,
        articles=request.articles or MAX_ARTICLES,
        plan=plan,
        parts=parts,
        work=work,
        progress=progress,
    )


def _write_files(report: "EvaluationReport", request: Request) -> None:
    from index.evaluate import json_lines, replace_file, tab_separated, trec_run

    if request.per_query is not None:
        rows = tab_separated(report.rows) if request.per_query.suffix == ".tsv" else json_lines(report.rows)
        replace_file(request.per_query, rows)
    if request.run is None:
        return
    runs = {setting: trec_run(run, tag=f"backfile-{setting}") for setting, run in report.runs.items()}
    if len(runs) == 1 and not request.run.is_dir():
        replace_file(request.run, *runs.values())
        return
    request.run.mkdir(exist_ok=True)
    for setting, text in runs.items():
        replace_file(request.run / f"{setting}.run", text)


def _keep(own: Services, told: payload.Json, request: Request) -> None:
    """Keep the figures of the archive itself, with what they were measured on, for whoever wants to show them.

    No headline is among them: what is kept would outlive an article that is withdrawn.
    """
    from index.evaluate import replace_file

    name = "self.json" if request.asked != "words" else "self-words.json"
    kept: payload.Json = {
        "measured_at": payload.instant(datetime.now(UTC)),
        "seq": own.store.last_seq(),
        "model": own.measured_embedder.name,
        "fusion": own.settings.fusion,
        "recency": own.settings.recency,
        "ask_by": request.asked or "headline",
        "seed": request.seed,
        **told,
    }
    if "comparison" in kept:
        kept["comparison"] = {
            name: value for name, value in cast(payload.Json, told["comparison"]).items() if name != "worst"
        }
    replace_file(own.settings.data / "evaluations" / name, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
