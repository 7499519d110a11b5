"""What a change of the model is judged by: searches of readers, judged queries, and words of the archive itself."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import click

from archive import models
from archive.progress import Progress
from index.errors import GenerationDamaged, ModelMismatch, ModelUnavailable
from index.query import parse
from index.search import SearchRequest
from web.saved import asked_by
from web.services import Services

if TYPE_CHECKING:
    from archive.store import PublishedGeneration
    from index.embedder import Embedder
    from index.evaluation.questions import Question
    from index.evaluation.replay import Replay, Side

MOST_RECENT, MOST_SAVED = 200, 200  # searches of readers that are asked again


def replayed(
    parts: Services,
    current: "PublishedGeneration",
    candidate: "PublishedGeneration",
    embedder: "Embedder",
    *,
    judged: Path | None,
    split: str,
    progress: Progress,
) -> "Replay | None":
    """Ask both generations the same; None, which is said, where what is served cannot be asked."""
    from index.evaluation.replay import replay

    with ExitStack() as open_:
        try:
            before = _side(parts, current, model_of(parts, current), open_)
        except (GenerationDamaged, ModelUnavailable, ModelMismatch) as error:
            click.echo(f"nothing to compare with: {error}", err=True)
            return None
        after = _side(parts, candidate, embedder, open_)
        questions, notes = _questions(parts, before, judged=judged, split=split)
        if pending := parts.store.count_changes(after=current.seq):
            notes.append(f"{pending} changes of the archive are in the new generation alone")
        return replay(questions, before, after, notes=notes, progress=progress)


def model_of(parts: Services, published: "PublishedGeneration") -> "Embedder":
    """Return the model a generation was made by; of an old one, of which it was not kept, that is kept from now on.

    Raises GenerationDamaged, ModelUnavailable and ModelMismatch.
    """
    manifest = parts.generations.manifest(published)
    embedder = parts.models.embedder(manifest.model_sha256)
    model_id = parts.store.model_id(sha256=embedder.sha256, name=embedder.name)
    models.refer(parts.store, model_id=model_id, reference=parts.reference_for(embedder.sha256))
    models.note_made(parts.store, published.number, model_id=model_id)
    return embedder


def _side(parts: Services, published: "PublishedGeneration", embedder: "Embedder", open_: ExitStack) -> "Side":
    from index.evaluation.replay import side

    opened = side(
        parts.generations,
        published,
        parts.store,
        embedder,
        fusion=parts.settings.fusion,
        recency=parts.settings.recency,
    )
    return open_.enter_context(opened)


def _questions(
    parts: Services, before: "Side", *, judged: Path | None, split: str
) -> "tuple[list[Question], list[str]]":
    from index.evaluation import questions

    recent = [asked.question for asked in parts.asked.latest(MOST_RECENT)]
    saved = parts.alerts.questions(limit=MOST_SAVED)
    found = questions.readers("recent", _requests(recent, today=parts.today()))
    found += questions.readers("saved", _requests(saved, today=parts.today()))
    notes = [] if recent else ["no searches of readers are noted: BACKFILE_QUERY_LOG=on notes them"]
    if judged is not None:
        graded, more = questions.judged(judged, parts.store, split=split)
        found += graded
        notes += more
    return [*found, *questions.sampled(parts.store, before.engine)], notes


def _requests(kept: Iterable[str], *, today: date) -> Iterator[tuple[str, SearchRequest]]:
    """Yield what was asked, with its name, as far as it can be asked still."""
    for question in kept:
        try:
            request = asked_by(question)
            parse(request.query, today=today)
        except ValueError:  # its syntax or its limits have changed since
            continue
        yield request.query or unquote_plus(question), request
