"""The commands `flask reindex`, by the same model or by another one, and `flask rollback`.

Invariant: what is served goes on being served until another generation stands whole beside it; changing over, there
and back, is one UPDATE of the pointer.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.errors import SearchError
from web import payload
from web.clusters import on_cluster
from web.holdings import left_in_milvus
from web.publishing import tell
from web.replay_report import report_lines, report_object
from web.replaying import model_of, replayed
from web.services import Services, reference_of, services
from web.stopping import stoppable
from web.terminal import TEXT, Failure, Reporter, as_json, command, write_json

if TYPE_CHECKING:
    from archive.store import PublishedGeneration
    from index.build import Builder, BuildReport, Candidate
    from index.embedder import Embedder
    from index.embeddings import Bulk
    from index.evaluation.replay import Replay

MOST_LOSS = 0.05  # of nDCG@10; a hundred judged queries tell differences of about that size from chance
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """How another model is to be tried, and under which condition it is to serve."""

    reference: str
    judged: Path | None
    split: str
    yes: bool
    compare_only: bool
    ray: str | None
    most_loss: float


@command
@click.option("--model", type=TEXT, metavar="MODEL", help="Change to this model: `bundled`, a folder, or a hub name.")
@click.option(
    "--judged", type=FOLDER, metavar="DIR", help="With --model: judged queries to compare by (BEIR's layout)."
)
@click.option("--split", type=TEXT, default="test", show_default=True, help="Which qrels/SPLIT.tsv to judge by.")
@click.option("--yes", is_flag=True, help="With --model: change over without asking.")
@click.option("--compare-only", is_flag=True, help="With --model: compare, and do not change over.")
@click.option("--ray", type=TEXT, metavar="auto|HOST:PORT", help="Embed on the nodes of this Ray cluster.")
@click.option(
    "--most-loss",
    type=click.FloatRange(0, 1),
    default=MOST_LOSS,
    show_default=True,
    help="With --model: do not change over when nDCG@10 falls by more.",
)
@as_json
def reindex(
    model: str | None,
    judged: Path | None,
    split: str,
    yes: bool,
    compare_only: bool,
    ray: str | None,
    most_loss: float,
    as_json: bool,
) -> None:
    """Build the index again from the archive alone.

    It is published then. Kept embeddings are not made again.

    With --model the index is built by another model, beside the one that is served. Searches of readers, judged queries
    and words of the archive are put to both; how their answers differ is told before it changes over. `flask rollback`
    returns.

    With --ray what has no embedding yet gets it on the nodes of a Ray cluster: `auto` is the one that this machine is a
    node of.

    \b
    Examples:
      flask reindex
      flask reindex --ray 10.0.0.5:6379
      flask reindex --model /srv/models/multilingual-e5-small
      flask reindex --model bundled --judged judged/ --compare-only
      flask reindex --model /srv/models/new --most-loss 0.02 --yes --json
    """
    parts = services()
    if model is None:
        if judged or yes or compare_only:
            raise click.UsageError("--judged, --yes and --compare-only go with --model")
        _rebuild(parts, ray, as_json=as_json)
        return
    if yes and compare_only:
        raise click.UsageError("--compare-only changes nothing over: leave out --yes")
    if not (yes or compare_only or _is_terminal()):
        raise click.UsageError("nobody can be asked here: give --yes or --compare-only")
    wish = _Wish(
        reference=reference_of(model),
        judged=judged,
        split=split,
        yes=yes,
        compare_only=compare_only,
        ray=ray,
        most_loss=most_loss,
    )
    _change(parts, wish, as_json=as_json)


def _rebuild(parts: Services, ray: str | None, *, as_json: bool) -> None:
    """Build by the model in use, or by the one that the settings name instead."""
    from archive.grouping import find_copies

    other, builder = parts.other_model(), None
    if other is not None:
        click.echo(f"changing the model: BACKFILE_MODEL names {other}; `flask rollback` returns", err=True)
        reference = reference_of(other)
        builder = parts.builder_of(parts.open_model(reference), reference=reference)
    with stoppable(), parts.alone(), Reporter() as progress:
        builder = builder or parts.builder
        bulk = on_cluster(parts, builder.model, address=ray)
        find_copies(parts.store, progress=progress)
        built = builder.rebuild(progress, bulk=bulk)
        tell(parts, progress)
    if as_json:
        write_json(asdict(built))
    else:
        click.echo(_published(built))
    if (left := left_in_milvus(parts)) is not None:
        click.echo(left, err=True)


def _published(built: "BuildReport") -> str:
    return (
        f"published generation {built.generation}, keywords by {built.keywords}: {built.articles} articles,"
        f" {built.passages} passages, {built.embedded} embedded"
    )


def _change(parts: Services, wish: _Wish, *, as_json: bool) -> None:
    """Build by another model, compare, and change over if that is wanted."""
    from index.models import prove

    embedder = parts.open_model(wish.reference)
    prove(embedder)
    builder = parts.builder_of(embedder, reference=wish.reference)
    bulk = on_cluster(parts, builder.model, address=wish.ray)
    with parts.alone():
        current, _ = parts.store.pointer()
        with _beside(parts, builder, bulk) as candidate:
            click.echo(_standing(parts, current, candidate), err=True)
            replay = _replayed(parts, wish, current, candidate, embedder) if current is not None else None
            if replay is not None and not as_json:
                click.echo("\n".join(report_lines(parts, replay)))
            refused = _refusal(wish, replay)
            is_wanted = not (wish.compare_only or refused) and (wish.yes or _agreed(candidate))
            built = builder.serve(candidate) if is_wanted else builder.report(candidate, published=False)
        if is_wanted:
            with stoppable(), Reporter() as progress:
                tell(parts, progress)
    if as_json:
        before = {"model": embedder.name, "previous": current.number if current else None}
        write_json({**asdict(built), **before, "comparison": replay and report_object(replay)})
    elif is_wanted:
        click.echo(_published(built) + ("; `flask rollback` returns" if current else ""))
    else:
        click.echo("not changed over; what was embedded is kept, so that the next time is quick")
    if refused:
        raise Failure(refused)


@contextmanager
def _beside(parts: Services, builder: "Builder", bulk: "Bulk | None") -> "Iterator[Candidate]":
    """Make a generation beside the one that is served, and delete it unless it is served in the end."""
    from archive.grouping import find_copies

    try:
        with stoppable(), Reporter() as progress:
            find_copies(parts.store, progress=progress)
            candidate = builder.prepare(progress, bulk=bulk)
        yield candidate
    finally:
        builder.sweep()


def _replayed(
    parts: Services,
    wish: _Wish,
    current: "PublishedGeneration",
    candidate: "Candidate",
    embedder: "Embedder",
) -> "Replay | None":
    with stoppable(), Reporter() as progress:
        return replayed(
            parts, current, candidate.published, embedder, judged=wish.judged, split=wish.split, progress=progress
        )


def _standing(parts: Services, current: "PublishedGeneration | None", candidate: "Candidate") -> str:
    """Return what is compared with what."""
    new = f"generation {candidate.published.number}, {candidate.manifest.model}: {candidate.manifest.passages} passages"
    new += f", {candidate.embedded} embedded"
    return f"{new}; served is generation {current.number}, {parts.model_name()}" if current else new


def _refusal(wish: _Wish, replay: "Replay | None") -> str | None:
    """Return why it must not change over."""
    loss = replay.loss if replay is not None else 0.0
    if wish.compare_only or loss <= wish.most_loss:
        return None
    return f"not changed over: nDCG@10 falls by {loss:.3f}, and --most-loss allows {wish.most_loss:g}"


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _agreed(candidate: "Candidate") -> bool:
    return click.confirm(f"Change over to generation {candidate.published.number}?", err=True)


@command
@as_json
def rollback(as_json: bool) -> None:
    """Return to the generation that was served before.

    With the model that it was made by, at once. What the archive does not show, it does not show either. Once more, and
    it goes forward again.

    \b
    Example:
      flask rollback
    """
    parts = services()
    with parts.alone():
        current, previous = parts.store.pointer()
        if current is None or previous is None:
            raise Failure("there is no earlier generation to return to: one is kept from the second publication on")
        _check_that_it_is_another(parts, current, previous)
        try:
            model = _usable(parts, previous)
        except SearchError as error:
            raise Failure(
                f"generation {previous.number} cannot be returned to, generation {current.number} stays: {error}"
            ) from error
        parts.store.roll_back(to=previous.number)
    made_at = parts.store.published_at(previous.number)
    lacking = parts.store.count_changes(after=previous.seq)
    if as_json:
        told = {"generation": previous.number, "from": current.number, "model": model}
        write_json({**told, "published_at": payload.instant(made_at), "pending_changes": lacking})
    else:
        click.echo(
            f"serving generation {previous.number}, {model}, of {_ago(made_at)} ago, instead of {current.number}"
        )
        click.echo(_what_next(current, lacking))
    if (other := parts.other_model()) is not None:
        click.echo(f"BACKFILE_MODEL names {other}: a `flask reindex` alone would change to that", err=True)


def _check_that_it_is_another(parts: Services, current: "PublishedGeneration", previous: "PublishedGeneration") -> None:
    """Raise Failure where both are one collection, whose rows the later one has replaced."""
    try:
        collections = [parts.generations.manifest(each).collection for each in (current, previous)]
    except SearchError:  # which is told where it is opened
        return
    if collections[0] is not None and collections[0] == collections[1]:
        raise Failure(
            f"generation {previous.number} is what {collections[0]} held before generation {current.number} was written"
            " into it: there is nothing to return to. `flask reindex` makes a collection of its own"
        )


def _usable(parts: Services, previous: "PublishedGeneration") -> str:
    """Verify a generation and open its model, whose name is returned. Raises SearchError when it cannot be served."""
    parts.generations.open(previous).close()
    return model_of(parts, previous).name


def _ago(then: datetime) -> str:
    """Return how long ago that was, without fractions."""
    return str(timedelta(seconds=round((datetime.now(UTC) - then).total_seconds())))


def _what_next(current: "PublishedGeneration", lacking: int) -> str:
    again = f"until something is published, another `flask rollback` leads back to generation {current.number}"
    if not lacking:
        return f"it holds every change; {again}"
    return f"it lacks {lacking} changes: the next `flask ingest` or `flask reindex` adds them, by its model; {again}"
