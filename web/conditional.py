"""Validators: an `ETag` that can be told before anything is searched, so that what a client has already costs nothing.

An answer is settled by the request's own address, the reader's language, the archive (its last change), the stories
told, the generation served, the model, what the speller goes by, the day (queries say "yesterday"), the program, and
the settings but for those of where things are kept: hosts of one archive give one tag. All of these are at hand; their
hash is the tag. Where one cannot be told beforehand there is no early tag: a degraded answer may be better the next
time, and a further page is of a list made earlier. Such an answer can still be tagged by its own content.

Invariant: the same tag means the same answer, `took_ms` apart. A tag is made before the answer is, so when the archive
changes in between, a tag is too old for its answer, never too new: the next request is answered anew.
"""

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, request
from flask_babel import get_locale

from archive.store import Progress
from web.services import Services

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ("archive", "index", "web", "static", "requirements.txt")  # what decides how an answer looks
DIGITS = 16  # of a tag's hash
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")  # of those there are, the two that go by tags


def archive_tag(parts: Services) -> str:
    """Return the tag of an answer to this request that is read from the archive alone."""
    return _tag_at(parts, parts.store.progress())


def search_tag(parts: Services, *more: object) -> str | None:
    """Return the tag of the answer to this request, made without searching; None when it cannot be told.

    `more` is what else settles the answer.
    """
    progress = parts.store.progress()
    published = progress.published
    with parts.serving.engine() as (engine, degraded):
        model = engine.model_sha256
        is_ready = parts.models.is_open(model)
        if published is None or not is_ready or degraded or engine.generation != published.number:
            return None
    return _tag_at(parts, progress, model, parts.spelling.generation, parts.suggest.seq, *more)


def _tag_at(parts: Services, progress: Progress, *more: object) -> str:
    settled_by = (
        request.full_path,
        str(get_locale()),
        progress,  # with the time of the last change: a restored backup counts on from a lower seq
        parts.today(),
        parts.configuration,
        program(),
        more,
    )
    return tag_of(progress.published.number if progress.published else None, repr(settled_by))


def tag_of(generation: int | None, content: str) -> str:
    """Return a tag of these: it begins with the generation."""
    return f"{generation or 0}-{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()[:DIGITS]}"


def unchanged(tag: str | None) -> Response | None:
    """Return the answer to a client that has just that already, None for any other.

    "*" asks whether there is anything at all, which only the answer itself can tell.
    """
    wanted = request.if_none_match
    if tag is None or wanted.star_tag or not wanted.contains_weak(tag):
        return None
    return _tagged(Response(status=304), tag)


def validated(answer: Response, tag: str) -> Response:
    """Return `answer` with its tag, or 304 when the client has just that."""
    _tagged(answer, tag)
    if any(condition in request.environ for condition in CONDITIONS):
        answer.make_conditional(request)
        answer.headers.remove("Date")  # the server writes one
    return answer


def _tagged(answer: Response, tag: str) -> Response:
    answer.set_etag(tag, weak=True)
    answer.headers["Cache-Control"] = "no-cache"  # kept, but asked about each time: a takedown holds at once
    return answer


@cache
def program() -> str:
    """Return the hash of this program, read once a process."""
    return fingerprint(ROOT)


def fingerprint(root: Path) -> str:
    """Return the hash of all that the program under `root` is made of: another version may write another answer."""
    whole = hashlib.sha256()
    for part in PROGRAM:
        for file in sorted([root / part, *(root / part).rglob("*")]):
            if file.is_file() and "__pycache__" not in file.parts:
                whole.update(file.relative_to(root).as_posix().encode())
                whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()
