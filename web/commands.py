"""The commands: `flask ingest`, `flask search` and the rest. Each exits 0 (all done), 1 (not all) or 2 (wrong usage).

Invariant: results go to standard output, everything else to standard error, so that `--json` can be piped anywhere.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

import click
from flask import Flask
from flask.cli import with_appcontext
from werkzeug.datastructures import MultiDict

from archive.errors import ArchiveBusy, ArchiveError, ArticleNotFound
from archive.lock import exclusive
from index.errors import SearchError
from web import params, payload
from web.services import Services, services
from web.terminal import Failure, Reporter, Text, clear_errors, disk_problem

if TYPE_CHECKING:
    from archive.ingest import IngestReport
    from index.build import BuildReport
    from index.evaluate import EvaluationReport
    from index.related import RelatedResponse
    from index.search import Mode, Result, SearchResponse

P = ParamSpec("P")
R = TypeVar("R")

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output, for scripts.")
MODE = click.Choice(["hybrid", "keyword", "semantic"])
TEXT = Text()


def register(app: Flask) -> None:
    """Give `app` its commands."""
    for command in (ingest, search, related, reindex, check, stats, remove, evaluate):
        app.cli.add_command(command)


def command(function: Callable[P, R]) -> click.Command:
    """Make a command that runs with the application's services and reports failures in one line."""

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with clear_errors():
            return function(*args, **kwargs)

    run.__name__ = function.__name__
    run.__doc__ = function.__doc__
    run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    return click.command(function.__name__)(with_appcontext(run))


@command
@click.argument("sources", nargs=-1, required=True, metavar="PATH...")
@as_json
def ingest(sources: tuple[str, ...], as_json: bool) -> None:
    """Read articles from files and folders into the archive, then publish a new index.

    Plain text, JSON Lines, CSV and HTML, each also gzipped. What cannot be read is named, with the reason; the rest
    goes in. A run that was interrupted resumes where it stopped when the same command is given again.

    \b
    Examples:
      flask ingest seeds
      flask ingest wire.jsonl.gz pages/ --json
    """
    from archive.ingest import ingest as read

    parts = services()
    with exclusive(_lock(parts)), Reporter() as progress:
        report = read(sources, parts.store, progress=progress)
        _name_rejections(report)
        built = parts.builder.update(progress)
    if as_json:
        _write(_ingest_object(report, built))
    else:
        click.echo(_ingest_line(report, built))
    if report.rejected_count:
        click.get_current_context().exit(1)


def _name_rejections(report: "IngestReport") -> None:
    for rejection in report.rejected:
        place = rejection.source if rejection.line is None else f"{rejection.source}:{rejection.line}"
        click.echo(f"rejected {place}: {rejection.reason}", err=True)
    if report.rejected_count > len(report.rejected):
        click.echo(f"and {report.rejected_count - len(report.rejected)} more rejected", err=True)


def _ingest_object(report: "IngestReport", built: "BuildReport") -> payload.Json:
    return {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": [asdict(rejection) for rejection in report.rejected],
        "rejected_count": report.rejected_count,
        "embedded": built.embedded,
        "generation": built.generation,
    }


def _ingest_line(report: "IngestReport", built: "BuildReport") -> str:
    counts = f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged"
    index = f"published generation {built.generation}" if built.published else f"generation {built.generation} stands"
    return f"{counts}, {report.rejected_count} rejected; {built.embedded} passages embedded; {index}"


@command
@click.argument("query", type=TEXT)
@click.option("--mode", type=MODE, default="hybrid", show_default=True, help="Words, meaning, or both.")
@click.option("--source", type=TEXT, multiple=True, help="Only this source (repeatable: any of them).")
@click.option("--section", type=TEXT, multiple=True, help="Only this section (repeatable).")
@click.option("--author", type=TEXT, multiple=True, help="Only this author (repeatable).")
@click.option("--language", type=TEXT, multiple=True, help="Only this language, as a BCP 47 tag (repeatable).")
@click.option("--from", "from_", type=TEXT, metavar="DAY", help="Published on this day or later (YYYY-MM-DD).")
@click.option("--to", type=TEXT, metavar="DAY", help="Published on this day or before (YYYY-MM-DD).")
@click.option("--sort", type=click.Choice(["relevance", "newest", "oldest"]), default="relevance", show_default=True)
@click.option("--page", type=click.IntRange(1), default=1, show_default=True)
@click.option("--page-size", type=click.IntRange(1, 100), help="Results on a page (BACKFILE_PAGE_SIZE by default).")
@click.option("--explain", is_flag=True, help="Say how each leg ranked and scored each result.")
@as_json
def search(as_json: bool, explain: bool, **given: object) -> None:
    """Search the archive by words and by meaning.

    \b
    Examples:
      flask search "land swap rejected by the Kremlin"
      flask search '"prisoner exchange" -football after:2024' --mode keyword
      flask search Kursk --source "Meridian Wire" --json
    """
    parts = services()
    args = _args(given, explain=explain)
    try:
        request = params.search_request(args, page_size=parts.settings.page_size)
    except params.BadParameter as error:
        raise click.UsageError(str(error)) from error
    response = parts.search.search(request)
    if as_json:
        urls = params.SearchUrls(path="/api/search", page_size=parts.settings.page_size)
        describe = payload.explained_result if explain else payload.result_object
        _write(payload.search_object(response, urls=urls, describe=describe))
        return
    _admit_gaps(response)
    total = f"{response.total}" if response.complete else f"at least {response.total}"
    click.echo(f"{total} found in {response.took_ms} ms")
    for place, result in enumerate(response.results, start=1 + (request.page - 1) * request.page_size):
        _print(place, result)
        if explain:
            legs = (("words", result.keyword), ("meaning", result.semantic))
            click.echo("   " + "; ".join(f"{name}: rank {leg.rank}, score {leg.score}" for name, leg in legs))


def _admit_gaps(response: "SearchResponse | RelatedResponse") -> None:
    if response.degraded:
        click.echo("these answers are incomplete: the index or the model is missing; see `flask check`", err=True)


def _args(given: dict[str, object], *, explain: bool) -> MultiDict[str, str]:
    """Return the options as the request parameters of the endpoint, so that both obey the same rules."""
    pairs: list[tuple[str, str]] = [("explain", "1")] if explain else []
    for name, value in given.items():
        name = {"query": "q", "from_": "from"}.get(name, name)
        values = value if isinstance(value, tuple) else (value,)
        pairs += [(name, str(one)) for one in values if one is not None]
    return MultiDict(pairs)


def _print(place: int, result: "Result") -> None:
    article = result.article
    day = article.published_at.date().isoformat() if article.published_at else "undated"
    click.echo(f"\n{place}. {article.title}")
    click.echo(f"   {' · '.join(filter(None, (article.source, article.section, day, article.id)))}")
    click.echo(f"   {result.reason or result.snippet.text}")


@command
@click.argument("article_id", type=TEXT, metavar="ID")
@click.option("--limit", type=click.IntRange(1, params.MAX_RELATED), default=params.DEFAULT_RELATED, show_default=True)
@as_json
def related(article_id: str, limit: int, as_json: bool) -> None:
    """List the articles related to one, by meaning and by its most telling words.

    \b
    Example:
      flask related 0a1b2c3d4e5f6071
    """
    response = services().related.related(article_id, limit=limit)
    if as_json:
        _write(payload.related_object(response))
        return
    _admit_gaps(response)
    for place, result in enumerate(response.results, start=1):
        _print(place, result)


@command
@as_json
def reindex(as_json: bool) -> None:
    """Build the index again from the archive alone, and publish it. Kept embeddings are not made again.

    \b
    Example:
      flask reindex
    """
    parts = services()
    with exclusive(_lock(parts)), Reporter() as progress:
        built = parts.builder.rebuild(progress)
    if as_json:
        _write(dict(asdict(built)))
    else:
        click.echo(
            f"published generation {built.generation}: {built.articles} articles, {built.passages} passages,"
            f" {built.embedded} embedded"
        )


@command
@as_json
def check(as_json: bool) -> None:
    """Check the archive and the index: every row and file against its hash, and the one against the other.

    \b
    Example:
      flask check && echo all is well
    """
    from index.check import check as problems_of

    parts = services()
    problems = problems_of(parts.settings.data / "index", parts.store, formats=parts.formats)
    if as_json:
        _write({"ok": not problems, "problems": problems})
    for problem in [] if as_json else problems:
        click.echo(problem)
    if problems:
        raise Failure(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
    if not as_json:
        click.echo("no problems found")


@command
@as_json
def stats(as_json: bool) -> None:
    """Say how much the archive holds and which generation is served.

    \b
    Example:
      flask stats --json
    """
    parts = services()
    counted = parts.store.stats()
    current, previous = parts.store.pointer()
    facts: payload.Json = {
        "articles": counted.articles,
        "removed": counted.removed,
        "versions": counted.versions,
        "passages": counted.passages,
        "embeddings": counted.embeddings,
        "sources": counted.sources,
        "earliest": payload.instant(counted.earliest),
        "latest": payload.instant(counted.latest),
        "seq": counted.seq,
        "generation": current.number if current else None,
        "pending_changes": counted.seq - (current.seq if current else 0),
        "previous_generation": previous.number if previous else None,
    }
    if as_json:
        _write(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):20} {'none' if value is None else value}")


@command
@click.argument("article_ids", type=TEXT, nargs=-1, required=True, metavar="ID...")
@click.option("--reason", type=TEXT, help="Why, for the change log.")
@as_json
def remove(article_ids: tuple[str, ...], reason: str | None, as_json: bool) -> None:
    """Withdraw articles: they are shown nowhere from this moment on, and stay out when they are ingested again.

    \b
    Example:
      flask remove 0a1b2c3d4e5f6071 --reason "court order"
    """
    parts = services()
    removed, missing = [], []
    for article_id in dict.fromkeys(article_ids):
        try:
            parts.store.remove(article_id, reason=reason)
            removed.append(article_id)
        except ArticleNotFound:
            missing.append(article_id)
    if as_json:
        _write({"removed": removed, "not_found": missing})
    else:
        click.echo(f"{len(removed)} removed")
    problems = [str(ArticleNotFound(*missing))] if missing else []
    if removed:
        problems += _drop_from_index(parts)
    if problems:
        raise Failure("; ".join(problems))


def _drop_from_index(parts: Services) -> list[str]:
    """Publish an index without what was removed, or say why not: it is shown nowhere already, so this may wait."""
    try:
        with exclusive(_lock(parts)), Reporter() as progress:
            parts.builder.update(progress)
    except ArchiveBusy:
        click.echo("hidden from now on; another command is at work, the next `flask ingest` clears the index", err=True)
    except OSError as error:
        return [f"hidden from now on, but still in the index: {disk_problem(error)}"]
    except (ArchiveError, SearchError) as error:
        return [f"hidden from now on, but still in the index: {error}"]
    return []


@command
@click.argument("directory", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--related", "related_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Measure related articles on this file instead: JSON Lines with a `cluster` field.")  # fmt: skip
@click.option("--split", type=TEXT, default="test", show_default=True, help="Which qrels/SPLIT.tsv to judge by.")
@click.option("--mode", "modes", type=MODE, multiple=True, help="Only this mode (repeatable); all three by default.")
@as_json
def evaluate(
    directory: Path | None,
    related_file: Path | None,
    split: str,
    modes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Measure the rankings on a judged collection in BEIR's layout. The archive itself is not touched.

    \b
    Examples:
      flask evaluate seeds
      flask evaluate scifact --split train --mode hybrid --json
      flask evaluate --related clusters.jsonl
    """
    from index.evaluate import Parts, evaluate_related
    from index.evaluate import evaluate as measure
    from index.search import MODES

    if (directory is None) == (related_file is None):
        raise click.UsageError("give either a collection's DIRECTORY or --related FILE")
    own = services()
    parts = Parts(embedder=own.embedder, keywords=own.keywords, fusion=own.settings.fusion)
    wanted = cast("tuple[Mode, ...]", modes) or MODES
    place = cast("Path", directory or related_file).resolve()
    work = own.settings.data / "evaluations" / place.name
    with exclusive(work / "lock"), Reporter() as progress:
        if directory is not None:
            report = measure(place, split=split, modes=wanted, parts=parts, work=work, progress=progress)
        else:
            report = evaluate_related(place, modes=wanted, parts=parts, work=work, progress=progress)
    _write_evaluation(report, as_json=as_json, is_related=directory is None)


def _write_evaluation(report: "EvaluationReport", *, as_json: bool, is_related: bool) -> None:
    if as_json:
        best = next(iter(report.modes.values()))
        headline: payload.Json = dict(best) if is_related else {}
        _write({"collection": report.collection, "queries": report.queries, **headline, "modes": dict(report.modes)})
        return
    click.echo(f"{report.collection}: {report.queries} judged")
    for mode, measures in report.modes.items():
        click.echo(f"  {mode:9} " + "  ".join(f"{name} {value:.4f}" for name, value in measures.items()))


def _lock(parts: Services) -> Path:
    return parts.settings.data / "archive.lock"


def _write(value: payload.Json) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
